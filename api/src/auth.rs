//! Who calls, and what the key allows. A key costs at most one small query.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use shared::access::{KEY_PREFIX, Scope, key_hash};
use shared::run_view::Reader;
use shared::store::api_keys::{self, Caller};

use crate::problem::{Code, Problem};
use crate::state::App;

/// The caller of a request.
///
/// # Errors
/// 401 without a good key; 503 while the database is away.
pub async fn caller(app: &App, headers: &HeaderMap) -> Result<Arc<Caller>, Problem> {
    let refused = || Problem::new(Code::Unauthenticated, "A good API key is needed: `Authorization: Bearer KEY`.");
    let key = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(bearer);
    let key = key.filter(|key| key.starts_with(KEY_PREFIX) && key.len() <= 128).ok_or_else(refused)?;
    let hash = key_hash(key);
    if let Some(caller) = app.keys.get(&hash, Instant::now()) {
        return Ok(caller);
    }
    let asked_at = Instant::now();
    let caller = Arc::new(api_keys::caller(&app.pool, &hash).await?.ok_or_else(refused)?);
    app.keys.put(hash, Arc::clone(&caller), asked_at);
    Ok(caller)
}

/// The credentials of the scheme `Bearer`, whose name is read in any case (RFC 9110, 11.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, rest) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| rest.trim())
}

/// Refuses a key that lacks a scope. `operator` reads: it is a right to see more, not another one.
///
/// # Errors
/// 403.
pub fn need(caller: &Caller, scope: Scope) -> Result<(), Problem> {
    let has = |scope| caller.scopes.contains(&scope);
    if has(scope) || (scope == Scope::Read && has(Scope::Operator)) {
        return Ok(());
    }
    Err(Problem::new(Code::Forbidden, format!("The key has not the scope `{}`.", scope.as_str())))
}

/// As whom a caller reads.
#[must_use]
pub fn reader(caller: &Caller) -> Reader {
    if caller.scopes.contains(&Scope::Operator) { Reader::Operator } else { Reader::Owner }
}

macro_rules! callers {
    ($($(#[$doc:meta])* $name:ident $scope:ident;)*) => {$(
        $(#[$doc])*
        pub struct $name(pub Arc<Caller>);

        impl FromRequestParts<App> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
                let caller = caller(app, &parts.headers).await?;
                need(&caller, Scope::$scope)?;
                Ok(Self(caller))
            }
        }
    )*};
}

callers! {
    /// A caller who may read.
    MayRead Read;
    /// A caller who may submit.
    MaySubmit Submit;
    /// A caller who may erase.
    MayErase Admin;
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn with(scopes: &[Scope]) -> Caller {
        let id = Uuid::nil();
        Caller {
            key_id: id,
            client_id: id,
            client: "bank".into(),
            scopes: scopes.to_vec(),
            allow_high: false,
            rate_limit: None,
            has_budget: false,
        }
    }

    #[test]
    fn a_scope_that_is_missing_is_refused() {
        assert!(need(&with(&[Scope::Submit]), Scope::Submit).is_ok());
        let refused = need(&with(&[Scope::Submit]), Scope::Read).expect_err("may not read");
        assert_eq!(refused.code, Code::Forbidden);
        assert!(need(&with(&[Scope::Read]), Scope::Admin).is_err());
    }

    #[test]
    fn an_operator_reads_and_does_nothing_else() {
        let operator = with(&[Scope::Operator]);
        assert!(need(&operator, Scope::Read).is_ok());
        assert!(need(&operator, Scope::Submit).is_err());
        assert_eq!(reader(&operator), Reader::Operator);
        assert_eq!(reader(&with(&[Scope::Read])), Reader::Owner);
    }

    #[test]
    fn the_scheme_is_read_in_any_case() {
        assert_eq!(bearer("bearer rbk_x"), Some("rbk_x"));
        assert_eq!(bearer("Bearer  rbk_x "), Some("rbk_x"));
        assert_eq!(bearer("Basic rbk_x"), None);
        assert_eq!(bearer("rbk_x"), None);
    }
}
