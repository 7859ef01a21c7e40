//! The same document once more: the same file, or the same paper scanned again. Looked for when all is read and before
//! the run ends; what cannot be looked for now is no reason to fail a run.

use shared::domain::ErrorCode;
use shared::domain::reuse::{self, FLAG_DOCUMENT_REUSED, Paper, same_paper, same_person};
use shared::store::jobs::RunClaim;
use shared::store::{StoreError, duplicates};
use uuid::Uuid;

use crate::app::App;
use crate::imaging::{Gray, print::print};
use crate::pipeline::{Judged, Work};

/// What is kept of a run for those that come after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// An earlier run of the same paper.
    pub duplicate_of: Option<Uuid>,
    /// Under which its pages are looked up.
    pub found_key: i64,
    /// The prints of its pages; empty where a page has none.
    pub prints: Vec<u64>,
}

/// Looks, and marks the judgement of a document that was submitted for another person before.
pub(super) async fn look(app: &App, claim: &RunClaim, work: &Work, judged: &mut Judged) -> Seen {
    let found = &judged.analysis;
    let doc_date = found.extraction.doc_date.as_ref().map(|found| found.value);
    let doc_type = found.classification.doc_type.as_ref().map(|found| found.value.title);
    let prints = prints(work).await;
    let mut seen = Seen { duplicate_of: None, found_key: reuse::found_key(doc_date, doc_type), prints };
    match search(app, claim, work, judged, &mut seen).await {
        Ok(false) => {}
        Ok(true) => match duplicates::refuses(&app.pool, claim.client_id).await {
            Ok(refuse) => mark(judged, refuse),
            Err(error) => {
                tracing::warn!(%error, "nobody knows what the client wants of a reused document");
                mark(judged, false);
            }
        },
        Err(error) => tracing::warn!(%error, "nobody knows whether the document was submitted before"),
    }
    seen
}

/// Whether it was submitted for another person before.
async fn search(
    app: &App,
    claim: &RunClaim,
    work: &Work,
    judged: &Judged,
    seen: &mut Seen,
) -> Result<bool, StoreError> {
    if claim.is_duplicate {
        let before = duplicates::applicants_before(&app.pool, claim.run_id).await?;
        return Ok(before.iter().any(|fio| !same_person(&claim.fio, fio)));
    }
    let Some(first) = seen.prints.first() else { return Ok(false) };
    let alike =
        duplicates::alike(&app.pool, claim.client_id, claim.run_id, seen.found_key, first.cast_signed()).await?;
    let own = Paper {
        fio: judged.analysis.extraction.fio.as_ref().map(|found| found.value.as_str()),
        prints: &seen.prints,
        texts: work.pages.iter().map(|page| page.text.as_str()).collect(),
    };
    let mut reused = false;
    let mut earliest = None;
    for run in &alike {
        let prints: Vec<u64> = run.hashes.iter().map(|hash| hash.cast_unsigned()).collect();
        let texts = run.texts.iter().map(String::as_str).collect();
        let other = Paper { fio: run.extracted_fio.as_deref(), prints: &prints, texts };
        if same_paper(&own, &other) {
            earliest = earliest.into_iter().chain([run.first]).min();
            reused |= run.fio.as_deref().is_some_and(|fio| !same_person(&claim.fio, fio));
        }
    }
    seen.duplicate_of = earliest;
    Ok(reused)
}

fn mark(judged: &mut Judged, refuse: bool) {
    let judgement = &mut judged.judgement;
    judgement.flags.push(FLAG_DOCUMENT_REUSED.to_owned());
    if refuse {
        judgement.verdict = false;
        judgement.errors.push(ErrorCode::DocumentReused);
        judgement.errors.sort_by_key(|code| code.int_code());
    }
}

/// The prints of all pages, or none.
async fn prints(work: &Work) -> Vec<u64> {
    let paths: Option<Vec<_>> = work.pictures.iter().cloned().collect();
    let Some(paths) = paths else { return Vec::new() };
    let made = tokio::task::spawn_blocking(move || {
        let of = |path| {
            let bytes = std::fs::read(path).ok()?;
            // A picture that this process has written itself.
            let picture = image::load_from_memory_with_format(&bytes, image::ImageFormat::Jpeg).ok()?.into_luma8();
            let (width, height) = (picture.width() as usize, picture.height() as usize);
            print(&Gray { width, height, pixels: picture.into_raw() })
        };
        paths.into_iter().map(of).collect::<Option<Vec<u64>>>()
    });
    made.await.ok().flatten().unwrap_or_default()
}
