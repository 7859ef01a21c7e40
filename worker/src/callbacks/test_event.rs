//! `rb-ocr callbacks test CLIENT URL`: an event of type `test`, sent as any other but kept nowhere.

use chrono::{DateTime, Utc};
use serde_json::json;
use shared::callback_body::{Event, EventType};
use shared::settings::Secret;
use uuid::Uuid;

use super::{Attempt, Delivery, NotSent, Sender};

/// Sends a `test` event, signed with the client's live secrets, and says what came of it. `event` makes
/// its webhook-id.
///
/// # Errors
/// [`NotSent`].
pub async fn test_event(
    sender: &Sender,
    url: &str,
    secrets: &[Secret],
    basic: Option<&Secret>,
    event: Uuid,
    now: DateTime<Utc>,
) -> Result<Attempt, NotSent> {
    let data = json!({"message": "A test of RB-OCR's callbacks."});
    let body = Event { kind: EventType::Test, timestamp: now, sequence: 1, data }.body();
    let webhook_id = format!("evt_test_{}", event.simple());
    sender.send(Delivery { run_id: event, url, webhook_id: &webhook_id, body: &body, secrets, basic }, now).await
}
