//! The sample documents, submitted and compared with their known answers.

use reqwest::multipart::{Form, Part};

use crate::caller::Caller;
use crate::demo::truth;
use crate::services::checkout;

/// Submits every sample document `times` over, all at once; what did not come out as expected, by file.
///
/// # Panics
/// Where one cannot be submitted or does not finish.
pub async fn differences(caller: &Caller, times: usize) -> Vec<String> {
    let folder = checkout().join("tests/documents");
    let samples = truth::read(&folder).expect("the truth can be read");
    let all = samples.iter().cycle().take(samples.len() * times);
    let judged = futures::future::join_all(all.map(async |sample| {
        let file = std::fs::read(folder.join(&sample.file)).expect("the sample is there");
        let part = Part::bytes(file).file_name(sample.file.clone());
        let form = Form::new().text("fio", sample.applicant_fio.clone()).part("file", part);
        let run = serde_json::from_value(caller.judged(form).await).expect("a run");
        let differences = sample.expected.differences(&run);
        differences.into_iter().map(|difference| format!("{}: {difference}", sample.file)).collect::<Vec<_>>()
    }))
    .await;
    judged.into_iter().flatten().collect()
}
