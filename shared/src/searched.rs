//! What the audit keeps of a search: the names of its filters, and of each value a keyed hash, by which an auditor who
//! has `SECRETS_KEY` can find who looked for a person, and nobody else can tell who was looked for.

use serde_json::{Map, Value};

use crate::domain::names::fio_search;
use crate::secrets::ValueHasher;

/// How much of a listing is shown and where it begins is no filter.
const NO_FILTERS: [&str; 2] = ["limit", "cursor"];

/// The filters of a listing's query that was found good, each with the hash of its value; null where there is no key.
pub fn searched(query: &str, hasher: Option<&ValueHasher>) -> Value {
    let filters =
        url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| !NO_FILTERS.contains(&name.as_ref()));
    let hidden = filters.map(|(name, value)| {
        let hash = hasher.map(|hasher| hasher.hash(&name, &one_form(&name, &value)));
        (name.into_owned(), Value::from(hash))
    });
    Value::Object(hidden.collect::<Map<_, _>>())
}

/// A name is the same search however it is written.
pub fn one_form(name: &str, value: &str) -> String {
    match name {
        "fio" => fio_search(value),
        "q" => value.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase(),
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::settings::SecretsKey;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_search_is_its_filters_and_hides_their_values() {
        let hasher = ValueHasher::new(&SecretsKey([1; 32]));
        let kept = searched("fio=%D0%98%D0%B2%D0%B0%D0%BD&iin=012345678901&limit=5&cursor=x", Some(&hasher));
        assert_eq!(
            kept,
            json!({ "fio": hasher.hash("fio", &fio_search("ИВАН")), "iin": hasher.hash("iin", "012345678901") })
        );
        assert_eq!(searched("iin=012345678901", None), json!({ "iin": null }));
        assert_eq!(searched("", Some(&hasher)), json!({}));
    }
}
