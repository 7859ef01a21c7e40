//! A submission as JSON: the file is an object under `incoming/{client}/` of the document store.

use futures::StreamExt;
use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::Value;
use shared::documents::{DocumentsError, incoming_key};
use shared::domain::file_name::cleaned;
use shared::settings::Limits;
use shared::store::api_keys::Caller;

use super::content_hash::{content_hash, fields_hash};
use super::document::{Document, Received, Sink, receive};
use super::fields::{RawFields, RawMetadata};
use super::incoming::too_large;
use super::{Incoming, Submission};
use crate::problem::{FieldError, Problem};
use crate::state::App;

/// Bytes of a JSON body, at most: `metadata`, escaped, and the rest.
const MOST_BYTES: usize = 256 * 1024;

pub(super) async fn read(
    app: &App,
    caller: &Caller,
    incoming: &Incoming,
    sink: &mut Sink,
) -> Result<Submission, Problem> {
    let members = members(incoming).await?;
    let (raw, object, mut faults) = sorted(members);
    let object_key = object.key.as_deref().and_then(|key| match incoming_key(&caller.client, key) {
        Ok(key) => Some(key),
        Err(refused) => {
            faults.push(FieldError::new("object_key", refused.to_string()));
            None
        }
    });
    let fields = raw.judge(caller.allow_high, &app.rules.allow_hosts, faults)?;
    let key = object_key.ok_or_else(|| object_fault("is required"))?;
    let named = Some((key, object.keep));
    let object_bytes = match app.documents.get(key).await {
        Ok(found) if found.size > Limits::UPLOAD_BYTES => return Err(too_large()),
        Ok(found) => found.bytes,
        Err(DocumentsError::NotFound) => match sink.repeat_of.take() {
            // The first submission has taken the object; what can still be compared is compared.
            Some(hash) if hash.starts_with(&fields_hash(&fields, named)) => {
                return Ok(Submission { fields, document: None, taken_object: None, content_hash: hash });
            }
            _ => return Err(object_fault("names no object of the store")),
        },
        Err(error) => return Err(error.into()),
    };
    let received = receive(object_bytes, sink, Problem::from).await?;
    let Received::File { content_type, size, sha256 } = received else {
        return Err(object_fault("names an empty object"));
    };
    let document = Document { content_type, size, sha256, filename: cleaned(Some(key), content_type.extension()) };
    let content_hash = content_hash(&fields, named, &sha256);
    let taken_object = (!object.keep).then(|| key.to_owned());
    Ok(Submission { fields, document: Some(document), taken_object, content_hash })
}

fn object_fault(message: &str) -> Problem {
    Problem::invalid(vec![FieldError::new("object_key", message)])
}

async fn members(incoming: &Incoming) -> Result<Members, Problem> {
    let mut bytes = std::pin::pin!(incoming.bytes());
    let mut text = Vec::new();
    while let Some(chunk) = bytes.next().await {
        let chunk = chunk.map_err(|_| incoming.problem("The body cannot be read."))?;
        if text.len() + chunk.len() > MOST_BYTES {
            return Err(too_large());
        }
        text.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&text).map_err(|_| Problem::malformed("The body is no JSON object."))
}

/// The object that is named in place of an upload.
#[derive(Debug, Default, PartialEq, Eq)]
struct Object {
    key: Option<String>,
    keep: bool,
}

/// Puts each member in its place; unknown ones, repeated ones and such of a wrong kind are faults. Null is absent.
fn sorted(members: Members) -> (RawFields, Object, Vec<FieldError>) {
    let (mut raw, mut object, mut faults) = (RawFields::default(), Object::default(), Vec::new());
    let mut seen: Vec<String> = Vec::new();
    for (name, value) in members.0 {
        if seen.contains(&name) {
            faults.push(FieldError::new(name, "stands more than once"));
            continue;
        }
        seen.push(name.clone());
        let text = match name.as_str() {
            "fio" => &mut raw.fio,
            "callback_url" => &mut raw.callback_url,
            "external_request_id" => &mut raw.external_request_id,
            "iin" => &mut raw.iin,
            "priority" => &mut raw.priority,
            "object_key" => &mut object.key,
            "metadata" => {
                raw.metadata = Some(value).filter(|value| !value.is_null()).map(RawMetadata::Json);
                continue;
            }
            "keep_object" => {
                match value {
                    Value::Bool(keep) => object.keep = keep,
                    Value::Null => {}
                    _ => faults.push(FieldError::new(name, "must be true or false")),
                }
                continue;
            }
            _ => {
                let name: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
                faults.push(FieldError::new(name, "is no field of a submission"));
                continue;
            }
        };
        match value {
            Value::String(value) => *text = Some(value),
            Value::Null => {}
            _ => faults.push(FieldError::new(name, "must be a string")),
        }
    }
    if object.key.is_none() && !faults.iter().any(|fault| fault.field == "object_key") {
        faults.push(FieldError::new("object_key", "is required"));
    }
    (raw, object, faults)
}

/// The members of a JSON object in order, repeated ones too, which a map would lose.
#[derive(Debug)]
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(json: &str) -> Vec<String> {
        let members = serde_json::from_str(json).expect("a JSON object");
        sorted(members).2.into_iter().map(|fault| format!("{} {}", fault.field, fault.message)).collect()
    }

    #[test]
    fn each_member_is_put_in_its_place() {
        let members = serde_json::from_str(r#"{"object_key": "a", "keep_object": true, "fio": "b", "iin": null}"#);
        let (raw, object, faults) = sorted(members.expect("a JSON object"));
        assert_eq!((raw.fio.as_deref(), raw.iin), (Some("b"), None));
        assert_eq!(object, Object { key: Some("a".into()), keep: true });
        assert!(faults.is_empty());
    }

    #[test]
    fn unknown_repeated_and_wrong_members_are_faults() {
        assert_eq!(faults(r#"{"object_key": "a", "file": "x"}"#), ["file is no field of a submission"]);
        assert_eq!(faults(r#"{"object_key": "a", "fio": "x", "fio": "y"}"#), ["fio stands more than once"]);
        assert_eq!(faults(r#"{"object_key": "a", "iin": 123456789012}"#), ["iin must be a string"]);
        assert_eq!(faults(r#"{"object_key": "a", "keep_object": "yes"}"#), ["keep_object must be true or false"]);
        assert_eq!(faults("{}"), ["object_key is required"]);
    }
}
