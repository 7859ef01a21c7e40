//! validate: the four checks. Pure; the verdict is computed here and nowhere else.

use shared::domain::Analysis;
use shared::domain::judge::{Judgement, judge};

use super::{Failure, Subject};

pub(super) async fn validate(subject: &Subject<'_>, analysis: &Analysis) -> Result<Judgement, Failure> {
    Ok(judge(subject.fio, analysis, subject.today))
}
