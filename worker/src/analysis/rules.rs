//! Analysis by the rules of the domain: no network, no model.

use std::sync::Arc;

use async_trait::async_trait;
use shared::domain::{Classification, Extraction, rules};

use super::{Analysed, AnalysisInput, Analyzer};

/// Its name in the record.
pub const NAME: &str = "rules";

/// The default.
#[derive(Clone, Copy, Debug, Default)]
pub struct RulesAnalyzer;

#[async_trait]
impl Analyzer for RulesAnalyzer {
    fn name(&self) -> &'static str {
        NAME
    }

    fn model(&self) -> Option<&str> {
        None
    }

    fn prompt_version(&self) -> Option<&'static str> {
        None
    }

    async fn classify(&self, input: AnalysisInput<'_>) -> Analysed<Classification> {
        let pages = Arc::clone(input.pages);
        apart(move || rules::classify(&pages)).await
    }

    async fn extract(&self, input: AnalysisInput<'_>) -> Analysed<Extraction> {
        let (pages, applicant_fio) = (Arc::clone(input.pages), input.applicant_fio.to_owned());
        apart(move || rules::extract(&pages, &applicant_fio)).await
    }
}

/// On a thread of its own: a long text of rubbish takes seconds, and leases are renewed meanwhile.
async fn apart<T: Send + 'static>(rules: impl FnOnce() -> T + Send + 'static) -> Analysed<T> {
    match tokio::task::spawn_blocking(rules).await {
        Ok(found) => Ok((found, Vec::new())),
        // A panic of the rules is the run's crash, as one of any other stage.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
