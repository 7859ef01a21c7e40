//! Opens the store that `STORAGE_URL` names.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ClientOptions, RetryConfig};

use super::calls::Calls;
use super::{Documents, DocumentsError};

/// Bytes of a part written to a file: large enough that few writes are needed, small enough that many
/// uploads at once stay cheap.
const FILE_PART_BYTES: usize = 256 * 1024;

/// Bytes of a part sent to S3, which refuses smaller ones.
const S3_PART_BYTES: usize = 5 * 1024 * 1024;

/// How long a store may be silent in the middle of an answer, and before it.
const SILENCE: Duration = Duration::from_secs(30);

/// How long one request may take: a document that is read by a slow caller is one request to the store.
const WHOLE: Duration = Duration::from_secs(15 * 60);

pub(super) fn open(
    storage_url: &str,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Documents, DocumentsError> {
    let bad = |problem: String| DocumentsError::BadAddress(problem);
    if let Some(folder) = storage_url.strip_prefix("file://") {
        std::fs::create_dir_all(folder).map_err(|e| bad(format!("the folder {folder} cannot be made: {e}")))?;
        let store = LocalFileSystem::new_with_prefix(folder).map_err(|e| bad(e.to_string()))?.with_fsync(true);
        return Ok(Documents {
            store: Arc::new(store),
            prefix: Path::default(),
            part_bytes: FILE_PART_BYTES,
            calls: Calls::default(),
        });
    }
    let place = storage_url.strip_prefix("s3://").ok_or_else(|| bad("must begin with file:// or s3://".into()))?;
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    let prefix = Path::parse(prefix.trim_end_matches('/')).map_err(|e| bad(e.to_string()))?;
    let store = s3(bucket, variables).map_err(|e| bad(e.to_string()))?;
    Ok(Documents { store: Arc::new(store), prefix, part_bytes: S3_PART_BYTES, calls: Calls::default() })
}

fn s3(bucket: &str, variables: impl IntoIterator<Item = (String, String)>) -> object_store::Result<AmazonS3> {
    let (mut builder, mut plain) = (AmazonS3Builder::new(), false);
    for (name, value) in variables {
        let Some(Ok(key)) = name.starts_with("AWS_").then(|| name.to_ascii_lowercase().parse()) else { continue };
        // A store inside the house often speaks plain HTTP; saying so in its address is saying so enough.
        plain |= name == "AWS_ENDPOINT_URL" && value.starts_with("http://");
        builder = builder.with_config(key, value);
    }
    builder
        .with_bucket_name(bucket)
        // Deleting one object is part of every store of S3's kind; deleting in bulk is not.
        .with_disable_bulk_delete(true)
        .with_client_options(
            ClientOptions::new()
                .with_allow_http(plain)
                .with_connect_timeout(Duration::from_secs(3))
                .with_read_timeout(SILENCE)
                .with_timeout(WHOLE),
        )
        // A caller is waiting: a store that stays away is reported, not waited for.
        .with_retry(RetryConfig { max_retries: 3, retry_timeout: Duration::from_secs(10), ..RetryConfig::default() })
        .build()
}
