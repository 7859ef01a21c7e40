//! What is outside: the document store, the engine that reads, the model.

use std::process::Stdio;
use std::time::Duration;

use reqwest::{RequestBuilder, StatusCode};
use shared::documents::Documents;
use shared::settings::OcrEngineKind;

use super::Patient;
use super::finding::{Found, good, warning, wrong};

/// What one call may take.
const CALL: Duration = Duration::from_secs(10);
/// What Tesseract reads by.
const LANGUAGES: &[&str] = &["rus", "kaz", "eng", "osd"];
/// What is used of Poppler.
const POPPLER: &[&str] = &["pdftoppm", "pdftotext", "pdfimages"];

pub async fn documents(patient: &Patient) -> Vec<Found> {
    let probed = async { Documents::open(&patient.settings.storage_url)?.probe().await }.await;
    match probed {
        Ok(()) => vec![good("a probe was written, read and deleted")],
        Err(error) => vec![wrong(
            format!("a probe cannot be written, read and deleted: {error}"),
            "see that STORAGE_URL is right, reachable, writable by this account and not full; submissions are refused until then",
        )],
    }
}

pub async fn ocr(patient: &Patient) -> Vec<Found> {
    if !patient.whole {
        return vec![warning("was not looked at", "mend the settings first")];
    }
    match (patient.settings.ocr.engine, &patient.settings.ocr.base_url) {
        (OcrEngineKind::Http, Some(base)) => {
            let client = worker::outside::client();
            let Ok(client) = client else { return vec![wrong("no HTTP client can be made", "install certificates")] };
            let advice = "see that the OCR service runs and OCR_BASE_URL is right; runs are tried again until then";
            vec![answers("the OCR service", client.get(base.clone()), advice).await]
        }
        _ => tesseract().await,
    }
}

async fn tesseract() -> Vec<Found> {
    let here = "install it here (README, Running it for real); on a machine where no worker runs, --skip ocr";
    let mut found = Vec::new();
    match said("tesseract", "--list-langs").await {
        None => found.push(wrong("tesseract cannot be started", here)),
        Some(text) => {
            let known: Vec<&str> = text.lines().map(str::trim).collect();
            let missing: Vec<&str> = LANGUAGES.iter().filter(|language| !known.contains(language)).copied().collect();
            if !missing.is_empty() {
                found.push(wrong(format!("Tesseract has no data for {}", missing.join(", ")), here));
            }
        }
    }
    for program in POPPLER {
        if said(program, "-v").await.is_none() {
            found.push(wrong(format!("{program} cannot be started"), here));
        }
    }
    if found.is_empty() {
        found.push(good(format!("Tesseract with {}, and Poppler", LANGUAGES.join(", "))));
    }
    found
}

/// What a program prints on both of its outputs; none: it cannot be started.
async fn said(program: &str, argument: &str) -> Option<String> {
    let mut command = tokio::process::Command::new(program);
    command.arg(argument).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(CALL, command.output()).await.ok()?.ok()?;
    Some([output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat())
}

pub async fn model(patient: &Patient) -> Vec<Found> {
    if !patient.whole {
        return vec![warning("was not looked at", "mend the settings first")];
    }
    let llm = &patient.settings.llm;
    let (true, Some(base)) = (llm.analyzer.asks_a_model(), &llm.base_url) else {
        return vec![good("none is used: ANALYZER=rules")];
    };
    let Ok(client) = worker::outside::client() else {
        return vec![wrong("no HTTP client can be made", "install certificates")];
    };
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().push("models");
    }
    let request = client.get(url);
    let request = match &llm.api_key {
        Some(key) => request.bearer_auth(key.expose()),
        None => request,
    };
    let advice = "see that the model's server runs and LLM_BASE_URL is right; runs are tried again until then";
    vec![answers("the model's server", request, advice).await]
}

/// Any answer shows that somebody is there, who may know no such route.
async fn answers(who: &str, request: RequestBuilder, advice: &str) -> Found {
    match request.timeout(CALL).send().await.map(|answer| answer.status()) {
        Ok(status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)) => {
            wrong(format!("{who} answers {}: it refuses our key", status.as_u16()), "see that the key is right")
        }
        Ok(status) if status.is_server_error() => warning(format!("{who} answers {}", status.as_u16()), advice),
        Ok(_) => good(format!("{who} answers")),
        // The error's text may hold the address and with it credentials.
        Err(error) if error.is_timeout() => wrong(format!("{who} does not answer in time"), advice),
        Err(_) => wrong(format!("{who} cannot be reached"), advice),
    }
}
