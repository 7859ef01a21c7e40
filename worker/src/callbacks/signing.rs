//! Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use shared::secrets::{SecretError, signing_key};
use shared::settings::Secret;

/// The value of `webhook-signature`: one `v1,…` for each live secret, divided by spaces, so that a
/// receiver that knows any of them is content and secrets rotate without a gap. `timestamp` is in
/// seconds since 1970, of the try.
///
/// # Errors
/// [`SecretError::NotASigningSecret`].
pub fn signature(webhook_id: &str, timestamp: i64, body: &str, secrets: &[Secret]) -> Result<String, SecretError> {
    let mut signatures = Vec::with_capacity(secrets.len());
    for secret in secrets {
        let key = signing_key(secret.expose())?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of every length");
        for part in [webhook_id, ".", &timestamp.to_string(), ".", body] {
            mac.update(part.as_bytes());
        }
        signatures.push(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())));
    }
    Ok(signatures.join(" "))
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use shared::secrets::make_signing_secret;
    use standardwebhooks::Webhook;

    use super::*;

    const BODY: &str = r#"{"type":"run.completed","data":{"name":"Әлия"}}"#;

    fn headers(signature: &str, timestamp: i64) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in
            [("webhook-id", "evt_1"), ("webhook-timestamp", &timestamp.to_string()), ("webhook-signature", signature)]
        {
            headers.insert(name, value.parse().expect("a header"));
        }
        headers
    }

    #[test]
    fn the_reference_library_accepts_each_live_secret_and_no_other() {
        let (old, new, strange) = (make_signing_secret(), make_signing_secret(), make_signing_secret());
        let now = chrono::Utc::now().timestamp();
        let signature = signature("evt_1", now, BODY, &[old.clone(), new.clone()]).expect("good secrets");
        let verify = |secret: &Secret, body: &str| {
            let webhook = Webhook::new(secret.expose()).expect("a secret");
            webhook.verify(body.as_bytes(), &headers(&signature, now)).is_ok()
        };
        assert!(verify(&old, BODY) && verify(&new, BODY));
        assert!(!verify(&strange, BODY));
        assert!(!verify(&new, &BODY.replace("completed", "failed")), "a changed body");
    }

    #[test]
    fn it_is_what_the_reference_library_signs() {
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let reference = Webhook::new(secret.expose()).expect("a secret").sign("evt_1", 1_614_265_330, BODY.as_bytes());
        let ours = signature("evt_1", 1_614_265_330, BODY, &[secret]);
        assert_eq!(ours.expect("a good secret"), reference.expect("a good secret"));
    }

    #[test]
    fn a_bad_secret_signs_nothing() {
        assert_eq!(signature("evt_1", 0, BODY, &[Secret::new("whsec_x")]), Err(SecretError::NotASigningSecret));
    }
}
