//! Which run of ours an old one is held against: the one that it was written from; else the newest that a caller gave
//! the same number; else the one that was imported from it; else the newest with the same document.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use shared::hex::hex;
use shared::legacy::LegacyRun;
use shared::store::Pool;
use shared::store::imports;
use uuid::Uuid;

use crate::importing::document;
use crate::importing::inside::Root;

/// An old run that is looked for.
pub struct Wanted {
    /// Its folder.
    pub path: PathBuf,
    /// What it holds.
    pub run: LegacyRun,
    /// Where its document lies.
    pub document: Option<PathBuf>,
}

/// What a run was found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchedBy {
    /// The old id is a run's of ours: our own artifacts.
    RunId,
    /// The caller's number.
    ExternalRequestId,
    /// It was imported.
    LegacyRunId,
    /// SHA-256.
    Document,
}

/// The run of each; none where there is none.
pub async fn find(pool: &Pool, root: &Arc<Root>, wanted: &[Wanted]) -> anyhow::Result<Vec<Option<(Uuid, MatchedBy)>>> {
    let ids: Vec<String> = wanted.iter().map(|wanted| wanted.run.legacy_run_id.clone()).collect();
    let known = imports::known(pool, &ids).await?;
    let numbers: Vec<String> = wanted.iter().filter_map(|wanted| wanted.run.external_request_id.clone()).collect();
    let numbered = imports::by_external_id(pool, &numbers).await?;
    let numbered: HashMap<String, Uuid> = numbered.into_iter().map(|found| (found.found_by, found.run_id)).collect();
    let mut matched: Vec<Option<(Uuid, MatchedBy)>> = wanted
        .iter()
        .map(|Wanted { run, .. }| {
            let by_id = known.get(&run.legacy_run_id).copied();
            let own = by_id.filter(|run_id| run.legacy_run_id.parse() == Ok(*run_id));
            let number = run.external_request_id.as_ref().and_then(|number| numbered.get(number)).copied();
            own.map(|run_id| (run_id, MatchedBy::RunId))
                .or_else(|| number.map(|run_id| (run_id, MatchedBy::ExternalRequestId)))
                .or_else(|| by_id.map(|run_id| (run_id, MatchedBy::LegacyRunId)))
        })
        .collect();
    by_document(pool, root, wanted, &mut matched).await?;
    Ok(matched)
}

/// Only documents of those that nothing else has found are read.
async fn by_document(
    pool: &Pool,
    root: &Arc<Root>,
    wanted: &[Wanted],
    matched: &mut [Option<(Uuid, MatchedBy)>],
) -> anyhow::Result<()> {
    let unmatched = wanted.iter().zip(matched.iter()).enumerate().filter(|(_, (_, matched))| matched.is_none());
    let paths: Vec<(usize, PathBuf)> =
        unmatched.filter_map(|(at, (wanted, _))| Some((at, wanted.document.clone()?))).collect();
    let root = Arc::clone(root);
    let hashing = move || {
        let hash = |(at, path): (usize, PathBuf)| document::hash(&root, &path).ok().map(|hash| (at, hash));
        paths.into_iter().filter_map(hash).collect::<Vec<_>>()
    };
    let hashes = tokio::task::spawn_blocking(hashing).await?;
    let given: Vec<Vec<u8>> = hashes.iter().map(|(_, hash)| hash.to_vec()).collect();
    let found = imports::by_document(pool, &given).await?;
    let found: HashMap<String, Uuid> = found.into_iter().map(|found| (found.found_by, found.run_id)).collect();
    for (at, hash) in hashes {
        matched[at] = found.get(&hex(&hash)).map(|run_id| (*run_id, MatchedBy::Document));
    }
    Ok(())
}
