//! What can go wrong with the document store, and whether trying again helps.

/// An error of the document store.
#[derive(Debug, thiserror::Error)]
pub enum DocumentsError {
    /// There is nothing at the key.
    #[error("there is no such object in the document store")]
    NotFound,
    /// It is larger than what is looked for can be.
    #[error("the object in the document store is too large")]
    TooLarge,
    /// The key is none of ours.
    #[error("the key cannot be one of the document store")]
    BadKey,
    /// `STORAGE_URL` cannot be used.
    #[error("STORAGE_URL cannot be used: {0}")]
    BadAddress(String),
    /// A local file could not be written.
    #[error("a local file cannot be written: {0}")]
    File(#[source] std::io::Error),
    /// The store cannot be reached, is full or refused: the same may succeed later.
    #[error("the document store is unavailable: {}", without_callers_names(&.0.to_string()))]
    Unavailable(#[source] object_store::Error),
}

/// What callers put under `incoming/` they name as they like, also after a person: a log must not have it. Nothing
/// tells where such a name ends, so the rest goes with it.
fn without_callers_names(text: &str) -> &str {
    ["incoming/", "incoming%2F"].iter().filter_map(|place| text.find(place)).min().map_or(text, |at| &text[..at])
}

impl DocumentsError {
    /// Whether the same may succeed later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::File(_))
    }
}

impl From<object_store::Error> for DocumentsError {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::NotFound,
            object_store::Error::InvalidPath { .. } => Self::BadKey,
            other => Self::Unavailable(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_does_not_say_how_a_caller_named_an_object() {
        let source = "PUT /bucket/incoming%2Fbank%2FИванов Иван.pdf: 503".into();
        let error = DocumentsError::from(object_store::Error::Generic { store: "S3", source });
        let text = error.to_string();
        assert!(text.contains("PUT /bucket/") && !text.contains("Иванов"), "{text}");
        let source = "documents/2026/11/22/0123: no space left".into();
        let error = DocumentsError::from(object_store::Error::Generic { store: "LocalFileSystem", source });
        assert!(error.to_string().contains("no space left"));
    }
}
