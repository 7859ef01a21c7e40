//! The rules of the store on a directory; `tests/` holds the same on S3.

use super::*;

fn store() -> (tempfile::TempDir, Documents) {
    let folder = tempfile::tempdir().expect("a folder");
    let documents = Documents::open(&format!("file://{}", folder.path().display())).expect("opens");
    (folder, documents)
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

fn files(folder: &FilePath) -> usize {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
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
    let (_folder, documents) = store();
    let part = 256 * 1024;
    for (n, chunks) in
        [&[1][..], &[part], &[part, 1], &[part - 1, 2], &[3 * part + 5], &[1000; 1000]].into_iter().enumerate()
    {
        let key = format!("documents/2026/11/22/{n}");
        let all = written(&documents, &key, chunks).await;
        assert!(read(&documents, &key).await.expect("is read") == all, "{chunks:?}");
    }
}

#[tokio::test]
async fn nothing_is_there_before_an_upload_is_finished_and_nothing_after_it_is_aborted() {
    let (folder, documents) = store();
    let mut upload = documents.begin("documents/a").expect("a good key");
    upload.write(Bytes::from(vec![0; 1024 * 1024])).await.expect("is written");
    assert!(matches!(documents.get("documents/a").await, Err(DocumentsError::NotFound)));
    upload.abort().await.expect("is aborted");
    assert_eq!(files(folder.path()), 0);
}

#[tokio::test]
async fn deleting_what_is_absent_is_no_error() {
    let (_folder, documents) = store();
    written(&documents, "documents/a", &[3]).await;
    documents.delete("documents/a").await.expect("is deleted");
    documents.delete("documents/a").await.expect("is deleted already");
    assert!(matches!(documents.get("documents/a").await, Err(DocumentsError::NotFound)));
}

#[tokio::test]
async fn a_listing_names_the_keys_as_they_were_given() {
    let (_folder, documents) = store();
    for key in ["documents/2026/a", "documents/2026/b", "pages/c"] {
        written(&documents, key, &[3]).await;
    }
    let listed: Vec<Stored> = documents.list("documents").expect("lists").try_collect().await.expect("is listed");
    let mut keys: Vec<&str> = listed.iter().map(|stored| stored.key.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["documents/2026/a", "documents/2026/b"]);
}

#[tokio::test]
async fn no_key_leads_out_of_the_store() {
    let (_folder, documents) = store();
    for key in ["../outside", "documents/../../outside", "documents//a"] {
        assert!(matches!(documents.get(key).await, Err(DocumentsError::BadKey)), "{key}");
    }
}

#[tokio::test]
async fn a_probe_leaves_nothing() {
    let (folder, documents) = store();
    documents.probe().await.expect("can be written");
    assert_eq!(files(folder.path()), 0);
}
