//! The rules of the document store: one suite, run on a directory and on a store of S3's kind.

use std::path::Path;

use bytes::Bytes;
use futures::TryStreamExt;
use harness::standins::s3::{BUCKET, S3};
use shared::documents::{Documents, DocumentsError, Stored};

/// Where the documents of a test lie.
enum Place {
    Folder(tempfile::TempDir),
    S3(S3),
}

impl Place {
    /// Every object with its key in the store, and how many uploads are still open.
    fn holds(&self) -> (Vec<String>, usize) {
        match self {
            Self::Folder(folder) => {
                let mut found = Vec::new();
                walk(folder.path(), folder.path(), &mut found);
                found.sort_unstable();
                (found, 0)
            }
            Self::S3(s3) => (s3.keys(), s3.open_uploads()),
        }
    }
}

fn walk(top: &Path, folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            walk(top, &path, found);
        } else {
            found.push(path.strip_prefix(top).expect("is inside").to_string_lossy().into_owned());
        }
    }
}

/// Runs a test on both.
async fn on_both(test: impl AsyncFn(&Place, &Documents, &str)) {
    shared::tls::install();
    let folder = tempfile::tempdir().expect("a folder");
    let documents = Documents::open(&format!("file://{}", folder.path().display())).expect("opens");
    test(&Place::Folder(folder), &documents, "").await;
    let s3 = S3::start().await;
    let documents = Documents::open_with(&format!("s3://{BUCKET}/some/prefix"), s3.variables()).expect("opens");
    test(&Place::S3(s3), &documents, "some/prefix/").await;
}

async fn read(documents: &Documents, key: &str) -> Result<Vec<u8>, DocumentsError> {
    let mut object = documents.get(key).await?;
    let mut all = Vec::new();
    while let Some(bytes) = object.bytes.try_next().await? {
        all.extend_from_slice(&bytes);
    }
    assert_eq!(object.size, all.len() as u64);
    Ok(all)
}

async fn written(documents: &Documents, key: &str, chunks: &[usize]) -> Vec<u8> {
    let mut upload = documents.begin(key).expect("a good key");
    let mut all = Vec::new();
    for (number, size) in chunks.iter().enumerate() {
        let bytes = vec![(number % 251) as u8; *size];
        upload.write(Bytes::from(bytes.clone())).await.expect("is written");
        all.extend(bytes);
    }
    upload.finish().await.expect("is finished");
    all
}

#[tokio::test]
async fn what_was_written_is_read_back_whatever_its_size() {
    on_both(async |place, documents, _| {
        for part in [256 * 1024, 5 * 1024 * 1024] {
            for chunks in [&[1][..], &[part], &[part, 1], &[part - 1, 2], &[2 * part + 5], &[1000; 1000]] {
                let all = written(documents, "documents/2026/11/22/a", chunks).await;
                assert!(read(documents, "documents/2026/11/22/a").await.expect("is read") == all, "{chunks:?}");
            }
        }
        assert_eq!(place.holds().1, 0);
    })
    .await;
}

#[tokio::test]
async fn nothing_is_there_before_an_upload_is_finished_and_nothing_after_it_is_aborted() {
    on_both(async |place, documents, _| {
        let mut upload = documents.begin("documents/a").expect("a good key");
        upload.write(Bytes::from(vec![0; 12 * 1024 * 1024])).await.expect("is written");
        assert!(matches!(documents.get("documents/a").await, Err(DocumentsError::NotFound)));
        upload.abort().await.expect("is aborted");
        assert_eq!(place.holds(), (vec![], 0));
    })
    .await;
}

#[tokio::test]
async fn an_upload_that_is_dropped_leaves_nothing() {
    on_both(async |place, documents, _| {
        let mut upload = documents.begin("documents/a").expect("a good key");
        upload.write(Bytes::from(vec![0; 12 * 1024 * 1024])).await.expect("is written");
        drop(upload);
        while place.holds() != (vec![], 0) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn deleting_what_is_absent_is_no_error() {
    on_both(async |place, documents, _| {
        written(documents, "documents/a", &[3]).await;
        documents.delete("documents/a").await.expect("is deleted");
        documents.delete("documents/a").await.expect("is deleted already");
        assert!(matches!(documents.get("documents/a").await, Err(DocumentsError::NotFound)));
        assert_eq!(place.holds(), (vec![], 0));
    })
    .await;
}

#[tokio::test]
async fn a_listing_names_the_keys_as_they_were_given_however_many_there_are() {
    on_both(async |place, documents, prefix| {
        let keys = ["documents/2026/a", "documents/2026/b", "documents/2026/c", "documents/2026/d", "documents/2026/e"];
        for key in keys {
            written(documents, key, &[3]).await;
        }
        written(documents, "pages/c", &[3]).await;
        let listed: Vec<Stored> = documents.list("documents").expect("lists").try_collect().await.expect("is listed");
        let mut found: Vec<&str> = listed.iter().map(|stored| stored.key.as_str()).collect();
        found.sort_unstable();
        assert_eq!(found, keys);
        assert!(listed.iter().all(|stored| stored.size == 3));
        assert!(place.holds().0.contains(&format!("{prefix}documents/2026/a")), "{:?}", place.holds());
    })
    .await;
}

#[tokio::test]
async fn a_key_may_hold_spaces_and_letters_of_any_alphabet() {
    on_both(async |_, documents, _| {
        documents.put("incoming/bank/приказ № 1+2.pdf", Bytes::from_static(b"x")).await.expect("is stored");
        assert_eq!(read(documents, "incoming/bank/приказ № 1+2.pdf").await.expect("is read"), b"x");
        documents.delete("incoming/bank/приказ № 1+2.pdf").await.expect("is deleted");
        assert!(matches!(documents.get("incoming/bank/приказ № 1+2.pdf").await, Err(DocumentsError::NotFound)));
    })
    .await;
}

#[tokio::test]
async fn no_key_leads_out_of_the_store() {
    on_both(async |_, documents, _| {
        for key in ["../outside", "documents/../../outside", "documents//a"] {
            assert!(matches!(documents.get(key).await, Err(DocumentsError::BadKey)), "{key}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_object_is_had_as_a_file_and_copied_only_from_afar() {
    on_both(async |place, documents, _| {
        let all = written(documents, "documents/a", &[6 * 1024 * 1024]).await;
        let folder = tempfile::tempdir().expect("a folder");
        let copy = folder.path().join("a");
        let file = documents.fetch("documents/a", copy.clone()).await.expect("is there");
        assert!(std::fs::read(&file).expect("can be read") == all);
        assert_eq!(file == copy, matches!(place, Place::S3(_)), "a stored file is read where it lies");
        documents.download("documents/a", &copy).await.expect("is copied");
        assert!(std::fs::read(&copy).expect("can be read") == all);
        assert!(documents.fetch("documents/none", copy).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_probe_leaves_nothing() {
    on_both(async |place, documents, _| {
        documents.probe().await.expect("can be written");
        assert_eq!(place.holds(), (vec![], 0));
    })
    .await;
}

#[tokio::test]
async fn a_store_that_refuses_may_do_so_no_longer_later() {
    shared::tls::install();
    let s3 = S3::start().await;
    let documents = Documents::open_with(&format!("s3://{BUCKET}"), s3.variables()).expect("opens");
    s3.forbid();
    let refused = documents.put("documents/a", Bytes::from_static(b"x")).await.expect_err("is refused");
    assert!(refused.is_transient(), "{refused}");
    assert!(documents.probe().await.is_err());
}
