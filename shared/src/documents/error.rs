//! What can go wrong with the document store, and whether trying again helps.

/// An error of the document store.
#[derive(Debug, thiserror::Error)]
pub enum DocumentsError {
    /// There is nothing at the key.
    #[error("there is no such object in the document store")]
    NotFound,
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
    #[error("the document store is unavailable: {0}")]
    Unavailable(#[source] object_store::Error),
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
