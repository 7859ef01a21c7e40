//! What a document is, whose it is and from when: one trait, a way to do it without a model and one
//! with. Neither gives a verdict; that is computed by `shared::domain::judge`.

pub mod llm;
mod pair;
mod rules;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use shared::domain::{Classification, ErrorCode, Extraction, Page};

pub use llm::LlmAnalyzer;
pub use pair::{Asked, PairAnalyzer};
pub use rules::{NAME as RULES, RulesAnalyzer};

use crate::outside::Service;

/// What there is to analyse.
#[derive(Clone, Copy, Debug)]
pub struct AnalysisInput<'a> {
    /// The pages as they were read; shared, since rules look at them on a thread of their own.
    pub pages: &'a Arc<[Page]>,
    /// The applicant's name, which helps rules to find the person among several; it is never sent to a
    /// model, which could only be misled by it.
    pub applicant_fio: &'a str,
}

/// A result and the calls it took; none without a model.
pub type Analysed<T> = Result<(T, Vec<LlmCall>), AnalysisError>;

/// A way to analyse. The two calls do not depend on each other and may run side by side.
#[async_trait]
pub trait Analyzer: Send + Sync {
    /// Its name in the record (`analyzer`).
    fn name(&self) -> &'static str;

    /// The service outside that it calls, if it calls one.
    fn service(&self) -> Option<&Arc<Service>> {
        None
    }

    /// The model, where there is one.
    fn model(&self) -> Option<&str>;

    /// Which wording of the prompts is used, where there are any.
    fn prompt_version(&self) -> Option<&'static str>;

    /// The document's type, and whether it is one only.
    ///
    /// # Errors
    /// [`AnalysisError`], with the calls made.
    async fn classify(&self, input: AnalysisInput<'_>) -> Analysed<Classification>;

    /// The person and the date.
    ///
    /// # Errors
    /// [`AnalysisError`], with the calls made.
    async fn extract(&self, input: AnalysisInput<'_>) -> Analysed<Extraction>;
}

/// Which of a run's two calls it is: the words of `llm_calls.call_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallType {
    /// For `classify`.
    DocTypeCheck,
    /// For `extract`.
    Extractor,
}

impl CallType {
    /// The word in the record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DocTypeCheck => "doc_type_check",
            Self::Extractor => "extractor",
        }
    }
}

/// One request to the model, answered or not.
#[derive(Clone, Debug)]
pub struct LlmCall {
    /// Which call.
    pub call_type: CallType,
    /// The model asked for.
    pub model: Arc<str>,
    /// When it began. The record's `started_at` is the database's now less `started.elapsed()`.
    pub started: Instant,
    /// Until the whole answer was there.
    pub duration: Duration,
    /// Tokens as the service counts them; none where it does not say or gave no answer.
    pub prompt_tokens: Option<i32>,
    /// Of the answer.
    pub completion_tokens: Option<i32>,
    /// Of both.
    pub total_tokens: Option<i32>,
    /// `ok`, or why the answer could not be used.
    pub outcome: &'static str,
}

/// Why there is no analysis, and the calls that were made in vain: they are recorded too.
#[derive(Debug, thiserror::Error)]
#[error("{}: {detail}", code.as_str())]
pub struct AnalysisError {
    /// `LLM_FAILED` or `LLM_INVALID_RESPONSE`; the code says whether trying again can help.
    pub code: ErrorCode,
    /// For developers; holds nothing of the document.
    pub detail: String,
    /// In the order in which they were made.
    pub calls: Vec<LlmCall>,
    /// What the service asked for.
    pub retry_after: Option<Duration>,
    /// The service is away, whatever the document; it is not called for so long.
    pub away: Option<Duration>,
}
