//! Keys that were good a moment ago, so that a caller who polls costs no query each time. A revoked key
//! stops working within [`TRUSTED_FOR`], a rate that was changed is in force within it; one that is unknown is asked
//! for every time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use shared::store::api_keys::Caller;

/// How long a key is believed without asking. Revocation is effective within 5 seconds: this and a margin
/// for requests that are on their way.
pub const TRUSTED_FOR: Duration = Duration::from_secs(3);

/// Keys remembered at most.
const MOST: usize = 10_000;

/// Callers by the hash of their key.
#[derive(Debug, Default)]
pub struct KeyCache(Mutex<Callers>);

/// Since when each is known, by the hash of its key.
type Callers = HashMap<[u8; 32], (Instant, Arc<Caller>)>;

impl KeyCache {
    /// The caller of this key, if it was good within [`TRUSTED_FOR`] before `now`.
    pub fn get(&self, key_hash: &[u8; 32], now: Instant) -> Option<Arc<Caller>> {
        let callers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, caller) = callers.get(key_hash)?;
        (now.saturating_duration_since(*since) < TRUSTED_FOR).then(|| Arc::clone(caller))
    }

    /// Remembers a key that is good.
    pub fn put(&self, key_hash: [u8; 32], caller: Arc<Caller>, now: Instant) {
        let mut callers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if callers.len() >= MOST {
            callers.retain(|_, (since, _)| now.saturating_duration_since(*since) < TRUSTED_FOR);
        }
        if callers.len() < MOST {
            callers.insert(key_hash, (now, caller));
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::access::Scope;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_key_is_believed_for_a_moment_and_no_longer() {
        let (cache, now) = (KeyCache::default(), Instant::now());
        let caller = Caller {
            key_id: Uuid::nil(),
            client_id: Uuid::nil(),
            client: "bank".into(),
            scopes: vec![Scope::Read],
            allow_high: false,
            rate_limit: None,
            has_budget: false,
        };
        cache.put([1; 32], Arc::new(caller), now);
        assert!(cache.get(&[1; 32], now + TRUSTED_FOR / 2).is_some());
        assert!(cache.get(&[1; 32], now + TRUSTED_FOR).is_none());
        assert!(cache.get(&[2; 32], now).is_none());
    }
}
