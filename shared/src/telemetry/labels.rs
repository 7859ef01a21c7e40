//! The values that labels may have. Every label is a `&'static str`, so that nothing from outside can
//! become one: the number of series is bounded, and no name can slip into a metric.

use std::time::Duration;

macro_rules! labels {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant),* }

        impl $name {
            /// The label.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }
    };
}

labels! {
    /// How a call to an outside service ended.
    Outcome {
        /// As it should.
        Ok "ok",
        /// With an answer that says no: a 4xx.
        Refused "refused",
        /// With a 429.
        Throttled "throttled",
        /// With a 5xx, or a failure that the service reports itself.
        Failed "failed",
        /// Not within its time.
        TimedOut "timed_out",
        /// Without an answer: no connection, or one that broke.
        Unreachable "unreachable",
        /// With an answer that cannot be used.
        Invalid "invalid",
    }
}

labels! {
    /// What a message of the relay came to.
    Relayed {
        /// Handed to the broker.
        Published "published",
        /// Taken by it.
        Confirmed "confirmed",
        /// Refused by it.
        Nacked "nacked",
        /// Sent back: no queue would have it.
        Returned "returned",
        /// The connection ended before an answer came.
        Lost "lost",
    }
}

labels! {
    /// Whether a service is called.
    Breaker {
        /// It is.
        Closed "closed",
        /// One probe is let through.
        HalfOpen "half_open",
        /// It is not.
        Open "open",
    }
}

/// What a call came to, as [`super::Metrics::outside_call`] takes it.
#[derive(Clone, Copy, Debug)]
pub struct OutsideCall {
    /// `ocr`, `llm`, `callback`, `store`, …
    pub service: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took.
    pub duration: Duration,
}

/// The outcome that an answer's status means, as far as the status can say.
pub const fn outcome(status: http::StatusCode) -> Outcome {
    match status.as_u16() {
        200..=299 => Outcome::Ok,
        429 => Outcome::Throttled,
        500..=599 => Outcome::Failed,
        _ => Outcome::Refused,
    }
}

/// The methods that are told apart; what else a client sends is one label, in metrics and spans.
pub fn method_label(method: &http::Method) -> &'static str {
    const KNOWN: &[&str] = &["GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH"];
    KNOWN.iter().find(|known| **known == method.as_str()).copied().unwrap_or("other")
}
