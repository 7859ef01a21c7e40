//! What makes two submissions under one idempotency key the same: every field and every byte of the file.

use sha2::{Digest, Sha256};

use super::fields::Fields;

/// Hash of the fields (32 bytes) and of the file (32 bytes). `object` is the object that was named in place of
/// an upload, and whether it is to be kept.
///
/// The file's name is not part of it: a client that tries again may well have made a new one.
#[must_use]
pub fn content_hash(fields: &Fields, object: Option<(&str, bool)>, file_sha256: &[u8; 32]) -> Vec<u8> {
    [fields_hash(fields, object), *file_sha256].concat()
}

/// The part of a content hash that is known without the file.
#[must_use]
pub fn fields_hash(fields: &Fields, object: Option<(&str, bool)>) -> [u8; 32] {
    let mut hash = Sha256::new();
    // Each with its length before it, so that no two lists of fields run into the same bytes. A JSON object
    // is written with its members sorted.
    let metadata = fields.metadata.to_string();
    let object_key = object.map(|(key, _)| key);
    for field in [
        Some(fields.fio.as_str()),
        fields.callback_url.as_deref(),
        fields.external_request_id.as_deref(),
        fields.iin.as_deref(),
        Some(fields.priority.as_str()),
        Some(&metadata),
        object_key,
    ] {
        let length = field.map_or(u64::MAX, |field| field.len() as u64);
        hash.update(length.to_be_bytes());
        hash.update(field.unwrap_or_default());
    }
    hash.update([u8::from(object.is_some_and(|(_, keep)| keep))]);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shared::domain::Priority;

    use super::*;

    fn fields() -> Fields {
        Fields {
            fio: "Иванов Иван".into(),
            callback_url: None,
            external_request_id: Some("1".into()),
            iin: None,
            priority: Priority::Normal,
            metadata: json!({"b": 1, "a": 2}),
        }
    }

    #[test]
    fn the_same_submission_has_the_same_hash_whatever_the_order_of_its_metadata() {
        let other = Fields { metadata: json!({"a": 2, "b": 1}), ..fields() };
        assert_eq!(content_hash(&fields(), None, &[1; 32]), content_hash(&other, None, &[1; 32]));
    }

    #[test]
    fn every_field_and_the_file_count() {
        let one = content_hash(&fields(), None, &[1; 32]);
        let others = [
            content_hash(&fields(), None, &[2; 32]),
            content_hash(&fields(), Some(("incoming/a/b", false)), &[1; 32]),
            content_hash(&fields(), Some(("incoming/a/b", true)), &[1; 32]),
            content_hash(&Fields { fio: "Иванова Инна".into(), ..fields() }, None, &[1; 32]),
            content_hash(&Fields { external_request_id: None, iin: Some("1".into()), ..fields() }, None, &[1; 32]),
            content_hash(&Fields { callback_url: Some("https://a.kz".into()), ..fields() }, None, &[1; 32]),
            content_hash(&Fields { priority: Priority::High, ..fields() }, None, &[1; 32]),
            content_hash(&Fields { metadata: json!({}), ..fields() }, None, &[1; 32]),
        ];
        assert!(others.iter().all(|other| *other != one));
    }
}
