//! `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers): a client's policy is called `default`.

use std::time::{Duration, Instant};

use axum::response::Response;
use http::{HeaderName, HeaderValue};

use super::Standing;
use crate::problem::{Code, Problem};

impl Standing {
    /// Writes the limit and what is left of it into an answer.
    pub fn tell(&self, answer: &mut Response, now: Instant) {
        let policy = format!("\"default\";q={};w={}", self.limit.count, self.limit.window.as_secs());
        let standing = format!("\"default\";r={};t={}", self.left, self.seconds(now).as_secs());
        for (name, value) in [("ratelimit-policy", policy), ("ratelimit", standing)] {
            let value = HeaderValue::from_str(&value).expect("letters, digits and signs");
            answer.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }

    /// What a submission over the limit is told.
    pub fn refused(&self, now: Instant) -> Problem {
        let detail = format!("{} submissions in {} s are permitted.", self.limit.count, self.limit.window.as_secs());
        Problem::new(Code::RateLimited, detail).retry_after(self.seconds(now))
    }

    /// Until the window ends, in whole seconds that are not too few.
    fn seconds(&self, now: Instant) -> Duration {
        let left = self.ends_at.saturating_duration_since(now);
        Duration::from_secs(left.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;
    use shared::settings::RateLimit;

    use super::*;

    #[test]
    fn the_headers_are_those_of_the_contract() {
        let limit = RateLimit { count: 600, window: Duration::from_secs(60) };
        let now = Instant::now();
        let standing = Standing { permitted: true, limit, left: 50, ends_at: now + Duration::from_millis(29_001) };
        let mut answer = standing.refused(now).into_response();
        standing.tell(&mut answer, now);
        assert_eq!(answer.headers()["ratelimit-policy"], "\"default\";q=600;w=60");
        assert_eq!(answer.headers()["ratelimit"], "\"default\";r=50;t=30");
        assert_eq!(answer.headers()["retry-after"], "30");
        assert_eq!(answer.status(), 429);
    }
}
