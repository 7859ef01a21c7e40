//! Analysis by rules and a model together (`ANALYZER=both`), or by a model only where the rules are not certain
//! (`ANALYZER=cascade`).

use std::sync::Arc;

use async_trait::async_trait;
use shared::domain::{Classification, Extraction, rules, settle};

use super::{Analysed, AnalysisInput, Analyzer, LlmAnalyzer, RulesAnalyzer};
use crate::outside::Service;

/// When the model is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Always, side by side with the rules.
    Always,
    /// Where the rules are not certain.
    InDoubt,
}

/// Both.
#[derive(Debug)]
pub struct PairAnalyzer {
    rules: RulesAnalyzer,
    model: LlmAnalyzer,
    asked: Asked,
}

impl PairAnalyzer {
    /// The rules, and this model.
    #[must_use]
    pub const fn new(model: LlmAnalyzer, asked: Asked) -> Self {
        Self { rules: RulesAnalyzer, model, asked }
    }

    /// What both have found, settled; a model that need not be asked is not.
    async fn read<T>(
        &self,
        rules: impl Future<Output = Analysed<T>>,
        model: impl Future<Output = Analysed<T>>,
        is_certain: impl FnOnce(&T) -> bool,
        settle: impl FnOnce(T, T) -> T,
    ) -> Analysed<T> {
        let (by_rules, (by_model, calls)) = match self.asked {
            Asked::Always => tokio::try_join!(rules, model)?,
            Asked::InDoubt => {
                let by_rules = rules.await?;
                if is_certain(&by_rules.0) {
                    return Ok(by_rules);
                }
                (by_rules, model.await?)
            }
        };
        Ok((settle(by_rules.0, by_model), calls))
    }
}

#[async_trait]
impl Analyzer for PairAnalyzer {
    fn name(&self) -> &'static str {
        match self.asked {
            Asked::Always => "both",
            Asked::InDoubt => "cascade",
        }
    }

    fn service(&self) -> Option<&Arc<Service>> {
        self.model.service()
    }

    fn model(&self) -> Option<&str> {
        self.model.model()
    }

    fn prompt_version(&self) -> Option<&'static str> {
        self.model.prompt_version()
    }

    async fn classify(&self, input: AnalysisInput<'_>) -> Analysed<Classification> {
        let (rules, model) = (self.rules.classify(input), self.model.classify(input));
        self.read(rules, model, settle::is_certain_of_type, settle::classification).await
    }

    async fn extract(&self, input: AnalysisInput<'_>) -> Analysed<Extraction> {
        let (rules, model) = (self.rules.extract(input), self.model.extract_for_two(input));
        let settle = |rules: Extraction, model: Extraction| {
            let fills_in = model.fio.as_ref().filter(|_| rules.fio.is_none());
            let is_nobody = fills_in.is_some_and(|found| rules::is_bystander(input.pages, &found.value));
            let settled = settle::extraction(rules, model, input.applicant_fio);
            // Whom the rules have passed over as a signer or a child the model cannot put in.
            if is_nobody { Extraction { fio: None, fio_mended: false, disputed: true, ..settled } } else { settled }
        };
        self.read(rules, model, settle::is_certain_of_person_and_date, settle).await
    }
}
