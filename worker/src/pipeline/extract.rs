//! extract: whose document it is and which date it has.

use shared::domain::Extraction;

use super::Failure;
use crate::analysis::{AnalysisInput, Analyzer, LlmCall};

pub(super) async fn extract(
    analyzer: &dyn Analyzer,
    input: AnalysisInput<'_>,
    calls: &mut Vec<LlmCall>,
) -> Result<Extraction, Failure> {
    let (extraction, made) = analyzer.extract(input).await.map_err(|error| Failure::of_analysis(error, calls))?;
    calls.extend(made);
    Ok(extraction)
}
