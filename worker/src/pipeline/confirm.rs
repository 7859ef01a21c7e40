//! A verdict that would be `true` on the word of a text layer is held against what the pages show. Where the two
//! disagree the picture wins.

use std::sync::Arc;

use shared::domain::cross_check;
use shared::domain::judge::FLAG_TEXT_LAYER_DISAGREES;
use shared::domain::text_quality::{TextQuality, assess};
use shared::domain::{ErrorCode, Page, PageSource};

use super::{Failure, Judged, NoProgress, Pipeline, StageClock, Subject, Work, validate};
use crate::document::DocumentFile;

pub(super) async fn confirm(
    pipeline: &Pipeline,
    document: &DocumentFile,
    subject: &Subject<'_>,
    work: &mut Work,
    judged: Judged,
) -> Result<Judged, Failure> {
    let layered: Vec<u32> =
        work.pages.iter().filter(|page| page.source == PageSource::TextLayer).map(|page| page.number).collect();
    if !judged.judgement.verdict || layered.is_empty() {
        return Ok(judged);
    }
    let seen = pipeline.engine.look(document, &layered, subject.scratch).await?;
    work.looked_at = seen.len();
    if cross_check::agrees(&work.pages, &seen, subject.fio, &judged.analysis) {
        return Ok(judged);
    }
    let pages: Arc<[Page]> = work
        .pages
        .iter()
        .map(|page| seen.iter().find(|seen| seen.number == page.number).unwrap_or(page).clone())
        .collect();
    let pictured = judge_again(pipeline, subject, &pages, work).await;
    // Words may be seen otherwise and say the same: the layer spells them right.
    if let Ok(pictured) = &pictured
        && pictured.judgement.verdict
        && doc_type(pictured) == doc_type(&judged)
    {
        return Ok(judged);
    }
    work.pages = pages;
    let mut pictured = pictured?;
    pictured.judgement.flags.push(FLAG_TEXT_LAYER_DISAGREES.to_owned());
    Ok(pictured)
}

fn doc_type(judged: &Judged) -> Option<&str> {
    judged.analysis.classification.doc_type.as_ref().map(|found| found.value.title)
}

async fn judge_again(
    pipeline: &Pipeline,
    subject: &Subject<'_>,
    pages: &Arc<[Page]>,
    work: &mut Work,
) -> Result<Judged, Failure> {
    if assess(pages.iter()) != TextQuality::Readable {
        return Err(Failure::new(ErrorCode::DocumentUnreadable, "its text layer is not what its pages show"));
    }
    // The stages were told of once; of the second look only the model's calls count.
    let (clock, mut again) = (StageClock { progress: &NoProgress }, Work::default());
    let analysis = pipeline.analyse(subject, pages, &clock, &mut again).await;
    work.calls.append(&mut again.calls);
    let analysis = analysis?;
    let judgement = validate::validate(subject, &analysis).await?;
    Ok(Judged { analysis, judgement })
}
