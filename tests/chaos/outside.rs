//! The other side of what the fleet calls: OCR, the model, the callers' endpoints. Each can be made to fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use super::documents::text_of;
use super::endpoint::Endpoint;
use super::plan::Outside as Fault;
use crate::standins::llm::{self, Call, CallType, Llm};
use crate::standins::ocr::{self, Ocr};
use crate::standins::{Mode, llm::search};

/// The three of them.
#[derive(Debug)]
pub struct Outside {
    /// `OCR_BASE_URL`.
    pub ocr: Ocr,
    /// `LLM_BASE_URL`.
    pub llm: Llm,
    /// Where callbacks go.
    pub endpoint: Endpoint,
    lying: Arc<AtomicBool>,
}

impl Outside {
    /// All good.
    pub async fn start() -> Self {
        let reads = |pdf: &[u8]| text_of(pdf).into_iter().collect::<Vec<_>>();
        let ocr =
            ocr::Behaviour { reads: Some(reads), delay: std::time::Duration::from_millis(100), ..Default::default() };
        let lying = Arc::new(AtomicBool::new(false));
        let lies = Arc::clone(&lying);
        let answers = move |call: &Call| if lies.load(Ordering::Relaxed) { lie(call) } else { search(call) };
        let llm = llm::Behaviour { keep_calls: false, ..llm::Behaviour::answering(answers) };
        Self { ocr: Ocr::start(ocr).await, llm: Llm::start(llm).await, endpoint: Endpoint::start().await, lying }
    }

    /// Begins or ends a fault.
    pub fn set(&self, fault: Fault, begins: bool) {
        let mode = |mode| if begins { mode } else { Mode::Good };
        match fault {
            Fault::OcrHangs => self.ocr.set(mode(Mode::Hangs)),
            Fault::OcrFails => self.ocr.set(mode(Mode::Fails(503, None))),
            Fault::LlmFails => self.llm.set(mode(Mode::Fails(503, Some("1")))),
            Fault::LlmLies => self.lying.store(begins, Ordering::Relaxed),
            Fault::EndpointDown => self.endpoint.set_down(begins),
        }
    }

    /// Whether the model lies now.
    pub fn lies(&self) -> bool {
        self.lying.load(Ordering::Relaxed)
    }
}

/// Claims that every document is of a known type, of yesterday, and of whoever the document's text names last.
fn lie(call: &Call) -> Value {
    let field = |value: &str, quote: &str| json!({"value": value, "quote": quote, "page": 1});
    match call.call_type {
        CallType::DocTypeCheck => {
            json!({"single_doc_type": true, "doc_type": field("Справка об инвалидности", "справка об инвалидности выдана")})
        }
        CallType::Extractor => {
            let mut doc_date = field("2026-11-21", "21 ноября 2026 года");
            doc_date["kind"] = json!("issue");
            json!({"fio": field("Иванов Иван Иванович", "Иванову Ивану Ивановичу"), "doc_date": doc_date})
        }
    }
}
