//! The idempotency key of a submission: reserved before the bytes arrive, and freed again unless a run begins.

use http::HeaderMap;
use shared::store::Pool;
use shared::store::idempotency::{self, Reservation};
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::problem::{Code, FieldError, Problem};
use crate::state::App;

/// When a caller is asked to come back while the first submission is arriving.
const COME_BACK: Duration = Duration::from_secs(2);

/// The key of a request: quoted (a string of RFC 8941) or bare, 1 to 255 printable characters.
///
/// # Errors
/// 422 where it is none.
pub fn header(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all("idempotency-key").into_iter();
    let Some(value) = values.next() else { return Ok(None) };
    let key = value.to_str().ok().and_then(unquoted);
    let good = |key: &String| (1..=255).contains(&key.len()) && key.bytes().all(|b| (0x20..=0x7e).contains(&b));
    match key.filter(good) {
        Some(key) if values.next().is_none() => Ok(Some(key)),
        _ => Err(Problem::invalid(vec![FieldError::new(
            "Idempotency-Key",
            "must be one key of 1 to 255 printable characters",
        )])),
    }
}

/// The key itself; none where the quotes are wrong.
fn unquoted(value: &str) -> Option<String> {
    let value = value.trim();
    let Some(rest) = value.strip_prefix('"') else { return Some(value.to_owned()) };
    let mut key = String::new();
    let mut letters = rest.chars();
    loop {
        match letters.next()? {
            '"' => return letters.next().is_none().then_some(key),
            '\\' => key.push(letters.next().filter(|letter| matches!(letter, '"' | '\\'))?),
            letter => key.push(letter),
        }
    }
}

/// What a key stands for.
#[derive(Debug)]
pub enum Reserved {
    /// It is ours until a run begins or the guard frees it.
    Ours(Guard),
    /// A run began under it: this is a repeat, or another submission under the same key.
    Repeat {
        /// The run.
        run_id: Uuid,
        /// Hash of what was submitted.
        content_hash: Vec<u8>,
        /// Until when the key is kept.
        expires_at: DateTime<Utc>,
    },
}

/// Reserves a key.
///
/// # Errors
/// 409 while the first submission under it is arriving; 503.
pub async fn reserve(app: &App, client_id: Uuid, key: String) -> Result<Reserved, Problem> {
    let token = Uuid::new_v4();
    match idempotency::reserve(&app.pool, client_id, &key, token).await? {
        Reservation::Ours { expires_at } => {
            let pool = Some(app.pool.clone());
            Ok(Reserved::Ours(Guard { pool, client_id, key, token, expires_at }))
        }
        Reservation::Taken { run_id, content_hash, expires_at } => {
            Ok(Reserved::Repeat { run_id, content_hash, expires_at })
        }
        Reservation::Arriving => Err(in_progress()),
    }
}

fn in_progress() -> Problem {
    Problem::new(Code::IdempotencyInProgress, "The first submission under this key is still arriving.")
        .retry_after(COME_BACK)
}

/// A reserved key. Dropped, it frees the key: a request that ends without a run must not keep it.
#[derive(Debug)]
pub struct Guard {
    pool: Option<Pool>,
    client_id: Uuid,
    /// As the caller sent it.
    pub key: String,
    /// Whoever holds it may complete the key.
    pub token: Uuid,
    /// Until when the key is kept.
    pub expires_at: DateTime<Utc>,
}

impl Guard {
    /// Says that bytes still arrive.
    ///
    /// # Errors
    /// 409 where they were silent for so long that another submission has taken the key.
    pub async fn keep_alive(&self) -> Result<(), Problem> {
        let Some(pool) = &self.pool else { return Ok(()) };
        let ours = idempotency::keep_alive(pool, self.client_id, &self.key, self.token).await?;
        if ours { Ok(()) } else { Err(in_progress()) }
    }

    /// Frees the key and waits until it is.
    pub async fn free(mut self) {
        if let Some(pool) = self.pool.take() {
            free(&pool, self.client_id, &self.key, self.token).await;
        }
    }

    /// A run began: the key is complete and stays.
    pub fn complete(mut self) {
        self.pool = None;
    }
}

async fn free(pool: &Pool, client_id: Uuid, key: &str, token: Uuid) {
    if let Err(error) = idempotency::free(pool, client_id, key, token).await {
        // It is free in a minute by itself.
        tracing::warn!(%error, "an idempotency key could not be freed");
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let (client_id, key, token) = (self.client_id, std::mem::take(&mut self.key), self.token);
            runtime.spawn(async move { free(&pool, client_id, &key, token).await });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(value: &str) -> Result<Option<String>, Problem> {
        let mut headers = HeaderMap::new();
        headers.insert("idempotency-key", http::HeaderValue::from_bytes(value.as_bytes()).expect("a value"));
        header(&headers)
    }

    #[test]
    fn a_key_is_the_same_quoted_and_bare() {
        assert_eq!(key("\"8e03-af\"").expect("good"), Some("8e03-af".into()));
        assert_eq!(key("8e03-af").expect("good"), Some("8e03-af".into()));
        assert_eq!(key(r#""a\"b\\c""#).expect("good"), key(r#"a"b\c"#).expect("good"));
        assert_eq!(header(&HeaderMap::new()).expect("good"), None);
    }

    #[test]
    fn what_cannot_be_a_key_is_refused() {
        for value in ["", "\"\"", "\"a", "\"a\", \"b\"", "\"a\\b\"", "ключ", &"x".repeat(256)] {
            assert_eq!(key(value).expect_err("is refused").code, Code::ValidationFailed, "{value}");
        }
        assert!(key(&"x".repeat(255)).is_ok());
    }
}
