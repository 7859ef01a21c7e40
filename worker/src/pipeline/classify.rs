//! classify: which of the fifteen types, and whether the file holds one type only.

use shared::domain::Classification;

use super::Failure;
use crate::analysis::{AnalysisInput, Analyzer, LlmCall};

pub(super) async fn classify(
    analyzer: &dyn Analyzer,
    input: AnalysisInput<'_>,
    calls: &mut Vec<LlmCall>,
) -> Result<Classification, Failure> {
    let (classification, made) = analyzer.classify(input).await.map_err(|error| Failure::of_analysis(error, calls))?;
    calls.extend(made);
    Ok(classification)
}
