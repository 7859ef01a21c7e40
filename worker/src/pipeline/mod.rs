//! The pipeline: acquire → read → classify → extract → validate. Each stage is a function from what is known
//! of the run to more of it, or to a failure that says whether trying again can help. It needs neither
//! database nor broker: `rb-ocr evaluate` runs the same stages in its own process.

mod acquire;
mod classify;
mod confirm;
mod extract;
mod failure;
mod progress;
mod read;
mod validate;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use chrono::NaiveDate;
use shared::domain::judge::Judgement;
use shared::domain::{Analysis, ContentType, Page, Stage, instructions};

use tracing::Instrument as _;
use tracing::field::Empty;

pub use acquire::Origin;
pub use failure::Failure;
pub use progress::{NoProgress, Progress};

use crate::analysis::{AnalysisInput, Analyzer, LlmCall, RulesAnalyzer};
use crate::ocr::OcrEngine;
use crate::outside::Service;
use crate::sandbox::Sandbox;

/// What every run needs and no run changes.
#[derive(Clone)]
pub struct Pipeline {
    /// Runs Poppler and Tesseract.
    pub sandbox: Sandbox,
    /// Reads.
    pub engine: Arc<dyn OcrEngine>,
    /// Finds type, name and date.
    pub analyzer: Arc<dyn Analyzer>,
}

/// One document to be judged.
#[derive(Debug)]
pub struct Subject<'a> {
    /// Where the document is.
    pub origin: Origin<'a>,
    /// What it is, by its first bytes at intake.
    pub content_type: ContentType,
    /// The applicant's name.
    pub fio: &'a str,
    /// The day its date is judged by.
    pub today: NaiveDate,
    /// A folder of the run's own; everything in it goes with it.
    pub scratch: &'a Path,
}

/// What is known of a run: filled stage by stage, and kept also where a later stage fails.
#[derive(Debug, Default)]
pub struct Work {
    /// Pages in the file.
    pub page_count: Option<u32>,
    /// What was read.
    pub pages: Arc<[Page]>,
    /// Pages whose first attempt was too doubtful.
    pub second_attempts: usize,
    /// Pages with a text layer whose pictures were read as well.
    pub looked_at: usize,
    /// The upright pages' pictures in the run's folder, page by page.
    pub pictures: Vec<Option<PathBuf>>,
    /// The model's calls.
    pub calls: Vec<LlmCall>,
    /// Seconds of each stage that ended.
    pub timings: BTreeMap<&'static str, f64>,
}

/// A document that was judged.
#[derive(Debug)]
pub struct Judged {
    /// What was found.
    pub analysis: Analysis,
    /// What follows from it.
    pub judgement: Judgement,
}

impl Pipeline {
    /// The services outside that it needs.
    pub fn services(&self) -> impl Iterator<Item = &Arc<Service>> {
        self.engine.service().into_iter().chain(self.analyzer.service())
    }

    /// The same without a model.
    #[must_use]
    pub fn by_rules(&self) -> Self {
        Self { analyzer: Arc::new(RulesAnalyzer), ..self.clone() }
    }

    /// Judges a document. `work` is filled as far as it got.
    ///
    /// # Errors
    /// Why there is no verdict.
    pub async fn run(
        &self,
        subject: &Subject<'_>,
        progress: &dyn Progress,
        work: &mut Work,
    ) -> Result<Judged, Failure> {
        let clock = StageClock { progress };
        let document = clock.time(work, Stage::Acquire, acquire::acquire(subject, &self.sandbox)).await?;
        work.page_count = Some(document.info.pages);
        let read = clock.time(work, Stage::Read, read::read(&*self.engine, &document, subject.scratch)).await?;
        work.second_attempts = read.iter().filter(|page| page.second_attempt).count();
        let (pages, pictures): (Vec<_>, Vec<_>) = read.into_iter().map(|read| (read.page, read.picture)).unzip();
        (work.pages, work.pictures) = (pages.into(), pictures);
        let pages = Arc::clone(&work.pages);
        let analysis = self.analyse(subject, &pages, &clock, work).await?;
        clock
            .time_with(work, Stage::Validate, async |work| {
                let judgement = validate::validate(subject, &analysis).await?;
                confirm::confirm(self, &document, subject, work, Judged { analysis, judgement }).await
            })
            .await
    }

    /// The two questions do not depend on each other, so a model is asked both at once. What speaks to the reader
    /// instead of about the person is not looked at.
    async fn analyse(
        &self,
        subject: &Subject<'_>,
        pages: &Arc<[Page]>,
        clock: &StageClock<'_>,
        work: &mut Work,
    ) -> Result<Analysis, Failure> {
        let silenced = instructions::without(pages).map(Arc::from);
        let input = AnalysisInput { pages: silenced.as_ref().unwrap_or(pages), applicant_fio: subject.fio };
        let (mut classify_work, mut extract_work) = (Work::default(), Work::default());
        let (classified, extracted) = tokio::join!(
            clock.time_with(&mut classify_work, Stage::Classify, async |work| {
                classify::classify(&*self.analyzer, input, &mut work.calls).await
            }),
            clock.time_with(&mut extract_work, Stage::Extract, async |work| {
                extract::extract(&*self.analyzer, input, &mut work.calls).await
            }),
        );
        for part in [classify_work, extract_work] {
            work.calls.extend(part.calls);
            work.timings.extend(part.timings);
        }
        let speaks_to_reader = silenced.is_some();
        Ok(Analysis { classification: classified?, extraction: extracted?, speaks_to_reader })
    }
}

/// Times stages and tells of them.
struct StageClock<'a> {
    progress: &'a dyn Progress,
}

impl StageClock<'_> {
    async fn time<T>(
        &self,
        work: &mut Work,
        stage: Stage,
        doing: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        self.time_with(work, stage, async |_| doing.await).await
    }

    async fn time_with<T>(
        &self,
        work: &mut Work,
        stage: Stage,
        doing: impl AsyncFnOnce(&mut Work) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.progress.started(stage);
        let start = Instant::now();
        let span = tracing::error_span!(
            "stage",
            otel.name = stage.as_str(),
            otel.status_code = Empty,
            stage = stage.as_str(),
            error_code = Empty
        );
        let done = doing(work).instrument(span.clone()).await;
        if let Err(failure) = &done {
            span.record("error_code", failure.code.as_str());
            span.record("otel.status_code", "ERROR");
        }
        drop(span);
        let took = start.elapsed();
        work.timings.insert(stage.as_str(), took.as_secs_f64());
        self.progress.ended(stage, done.as_ref().err().map(|failure| failure.code), took);
        done
    }
}
