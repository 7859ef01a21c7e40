//! Analysis by the rules of the domain: no network, no model.

use async_trait::async_trait;
use shared::domain::{Classification, Extraction, rules};

use super::{Analysed, AnalysisInput, Analyzer};

/// The default.
#[derive(Clone, Copy, Debug, Default)]
pub struct RulesAnalyzer;

#[async_trait]
impl Analyzer for RulesAnalyzer {
    fn name(&self) -> &'static str {
        "rules"
    }

    fn model(&self) -> Option<&str> {
        None
    }

    fn prompt_version(&self) -> Option<&'static str> {
        None
    }

    async fn classify(&self, input: AnalysisInput<'_>) -> Analysed<Classification> {
        Ok((rules::classify(input.pages), Vec::new()))
    }

    async fn extract(&self, input: AnalysisInput<'_>) -> Analysed<Extraction> {
        Ok((rules::extract(input.pages, input.applicant_fio), Vec::new()))
    }
}
