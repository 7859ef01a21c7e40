//! Submissions: what is taken, what is refused, and that a refusal leaves nothing.

use harness::until::until;
use reqwest::StatusCode;
use reqwest::multipart::{Form, Part};
use serde_json::json;
use shared::access::Scope;

use super::service::{PDF, Service, file, good, json_of, problem, run_id};

#[tokio::test]
async fn a_submission_is_answered_with_its_run_at_once() {
    let service = Service::start().await;
    let key = service.bank().await;
    let answer = service.submission(&key, good()).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let headers = answer.headers().clone();
    let body = json_of(answer).await;
    assert_eq!(headers["location"], format!("/v1/runs/{}", run_id(&body)));
    assert_eq!(headers["retry-after"], "1");
    assert_eq!(body["status"], "processing");
    assert_eq!(body.as_object().expect("an object").len(), 3);
    let run = json_of(service.get(&key, &format!("/v1/runs/{}", run_id(&body))).send().await.expect("an answer")).await;
    assert_eq!(run["created_at"], body["created_at"]);
    assert_eq!(run["original_filename"], "приказ.pdf");
    assert_eq!(run["content_type"], "application/pdf");
    assert_eq!(run["file_size_bytes"], PDF.len());
    assert_eq!(run["stage"], "queued");
    assert_eq!(service.count("jobs").await, 1);
    assert_eq!(service.stored(), 1);
}

#[tokio::test]
async fn parts_may_come_in_any_order_and_every_field_is_kept() {
    let service = Service::start().await;
    let key = service.bank().await;
    let form = Form::new()
        .part("file", file(PDF))
        .text("metadata", "{\"branch\": 7}")
        .text("iin", "012345678901")
        .text("external_request_id", "52015072")
        .text("priority", "normal")
        .text("callback_url", "https://callbacks.example.kz/x")
        .text("fio", "  Әлиева   Айгүл ");
    let run = json_of(service.submission(&key, form).send().await.expect("an answer")).await;
    let run = json_of(service.get(&key, &format!("/v1/runs/{}", run_id(&run))).send().await.expect("an answer")).await;
    assert_eq!(run["metadata"], json!({"branch": 7}));
    assert_eq!(run["iin"], "012345678901");
    assert_eq!(run["external_request_id"], "52015072");
    assert_eq!(run["fio"], "Әлиева Айгүл");
}

#[tokio::test]
async fn what_is_refused_has_its_code_and_leaves_nothing() {
    let service = Service::start().await;
    let key = service.bank().await;
    let fio = || Form::new().text("fio", "Иванов Иван");
    let large: &'static [u8] = Box::leak([PDF, &vec![0; 50 << 20]].concat().into_boxed_slice());
    let cases: Vec<(&str, Form, u16, &str)> = vec![
        ("an empty file", fio().part("file", file(b"")), 422, "VALIDATION_FAILED"),
        ("a wrong kind under a right name", fio().part("file", file(b"PK\x03\x04zip")), 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("51 megabytes", fio().part("file", file(large)), 413, "FILE_TOO_LARGE"),
        ("no file", fio(), 422, "VALIDATION_FAILED"),
        ("no name", Form::new().part("file", file(PDF)), 422, "VALIDATION_FAILED"),
        ("a name of one word", Form::new().text("fio", "Иванов").part("file", file(PDF)), 422, "VALIDATION_FAILED"),
        ("a name with digits", Form::new().part("file", file(PDF)).text("fio", "Иванов 2"), 422, "VALIDATION_FAILED"),
        ("an unknown part", good().text("colour", "red"), 422, "VALIDATION_FAILED"),
        ("a repeated part", good().text("fio", "Петров Пётр"), 422, "VALIDATION_FAILED"),
        ("a second file", good().part("file", file(PDF)), 422, "VALIDATION_FAILED"),
        ("a bad iin", good().text("iin", "12"), 422, "VALIDATION_FAILED"),
        ("metadata that is no object", good().text("metadata", "[]"), 422, "VALIDATION_FAILED"),
        ("high priority", good().text("priority", "high"), 422, "VALIDATION_FAILED"),
        ("plain http", good().text("callback_url", "http://callbacks.example.kz"), 422, "CALLBACK_URL_REFUSED"),
        ("a private address", good().text("callback_url", "https://10.0.0.1/x"), 422, "CALLBACK_URL_REFUSED"),
    ];
    for (what, form, status, code) in cases {
        let answer = service.submission(&key, form).send().await.unwrap_or_else(|e| panic!("{what}: {e}"));
        assert_eq!(problem(answer).await, (status, code.to_owned()), "{what}");
        assert_eq!(service.stored(), 0, "{what} left a file");
    }
    for table in ["verification_runs", "jobs", "idempotency_keys", "audit_events"] {
        assert_eq!(service.count(table).await, 0, "{table}");
    }
}

#[tokio::test]
async fn every_wrong_field_is_named_at_once() {
    let service = Service::start().await;
    let key = service.bank().await;
    let form = Form::new().text("fio", "x").text("iin", "1").text("colour", "red");
    let body = json_of(service.submission(&key, form).send().await.expect("an answer")).await;
    let mut fields: Vec<&str> =
        body["errors"].as_array().expect("errors").iter().map(|e| e["field"].as_str().expect("a name")).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["colour", "file", "fio", "iin"]);
}

#[tokio::test]
async fn a_body_that_is_no_form_and_no_json_is_told_so() {
    let service = Service::start().await;
    let key = service.bank().await;
    let cases = [
        ("multipart/form-data", "x", 400, "MALFORMED_REQUEST"),
        (
            "multipart/form-data; boundary=b",
            "--b\r\nContent-Disposition: form-data; name=\"fio\"\r\n\r\nИва",
            400,
            "MALFORMED_REQUEST",
        ),
        ("multipart/form-data; boundary=b", "nonsense", 400, "MALFORMED_REQUEST"),
        ("application/json", "{", 400, "MALFORMED_REQUEST"),
        ("application/json", "[]", 400, "MALFORMED_REQUEST"),
        ("application/json", "{}", 422, "VALIDATION_FAILED"),
        ("text/plain", "x", 415, "UNSUPPORTED_MEDIA_TYPE"),
    ];
    for (kind, body, status, code) in cases {
        let request = service.post(&key, "/v1/runs").header("content-type", kind).body(body);
        let answer = request.send().await.expect("an answer");
        assert_eq!(problem(answer).await, (status, code.to_owned()), "{kind}: {body}");
    }
    assert_eq!((service.stored(), service.count("verification_runs").await), (0, 0));
}

#[tokio::test]
async fn a_caller_that_goes_away_in_the_middle_leaves_nothing() {
    use tokio::io::AsyncWriteExt;
    let service = Service::start().await;
    let key = service.bank().await;
    let address = service.url.trim_start_matches("http://");
    let mut connection = tokio::net::TcpStream::connect(address).await.expect("a connection");
    let head = format!(
        "POST /v1/runs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nIdempotency-Key: k\r\nContent-Length: 9000000\r\n\
         Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; \
         filename=\"a.pdf\"\r\n\r\n%PDF-1.4\n",
        key.key
    );
    connection.write_all(head.as_bytes()).await.expect("is sent");
    connection.write_all(&vec![0; 2_000_000]).await.expect("is sent");
    until("file and key", async || {
        (service.stored() == 1 && service.count("idempotency_keys").await == 1).then_some(())
    })
    .await;
    drop(connection);
    until("end of file and key", async || {
        (service.stored() == 0 && service.count("idempotency_keys").await == 0).then_some(())
    })
    .await;
    assert_eq!(service.count("verification_runs").await, 0);
}

#[tokio::test]
async fn an_object_of_the_store_is_taken_or_kept_as_the_caller_says() {
    let service = Service::start().await;
    let key = service.bank().await;
    for (keep, left) in [(json!(false), 1), (json!(true), 2)] {
        let stored = service.stored();
        service.app.documents.put("incoming/bank/a.pdf", PDF.into()).await.expect("is stored");
        let body = json!({"object_key": "incoming/bank/a.pdf", "fio": "Иванов Иван", "keep_object": keep});
        let answer = service.post(&key, "/v1/runs").json(&body).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        assert_eq!(service.stored(), stored + left);
    }
}

#[tokio::test]
async fn no_object_of_another_place_can_be_named() {
    let service = Service::start().await;
    let key = service.bank().await;
    service.app.documents.put("incoming/other/a.pdf", PDF.into()).await.expect("is stored");
    for object in ["incoming/other/a.pdf", "incoming/bank/../other/a.pdf", "documents/x", "incoming/bank/none.pdf"] {
        let body = json!({"object_key": object, "fio": "Иванов Иван"});
        let answer = service.post(&key, "/v1/runs").json(&body).send().await.expect("an answer");
        assert_eq!(problem(answer).await, (422, "VALIDATION_FAILED".into()), "{object}");
    }
    assert_eq!(service.stored(), 1);
}

#[tokio::test]
async fn high_priority_is_kept_for_clients_that_may_use_it() {
    let service = Service::start().await;
    let key = service.key("urgent", &[Scope::Read, Scope::Submit]).await;
    let change = shared::store::clients::Change { allow_high: Some(true), ..Default::default() };
    shared::store::clients::change(service.pool(), key.client_id, &change).await.expect("is changed");
    let answer = service.submission(&key, good().text("priority", "high")).send().await.expect("an answer");
    let run_id = run_id(&json_of(answer).await);
    let run = json_of(service.get(&key, &format!("/v1/runs/{run_id}")).send().await.expect("an answer")).await;
    assert_eq!(run["priority"], "high");
}

#[tokio::test]
async fn a_run_with_the_same_file_names_the_first() {
    let service = Service::start().await;
    let (key, other) = (service.bank().await, service.key("other", &[Scope::Submit]).await);
    service.submit(&other).await;
    let (first, second) = (service.submit(&key).await, service.submit(&key).await);
    let run = json_of(service.get(&key, &format!("/v1/runs/{second}")).send().await.expect("an answer")).await;
    assert_eq!(run["duplicate_of"], json!(first));
}

#[tokio::test]
async fn the_address_of_a_caller_is_believed_of_trusted_proxies_only() {
    for (trusted, expected) in [("", "127.0.0.1"), ("127.0.0.0/8", "192.0.2.7")] {
        let service = Service::start_with(&[("TRUSTED_PROXIES", trusted)]).await;
        let key = service.bank().await;
        let request = service.submission(&key, good()).header("x-forwarded-for", "192.0.2.7");
        assert_eq!(request.send().await.expect("an answer").status(), StatusCode::ACCEPTED);
        let kept: String = sqlx::query_scalar("SELECT host(ip_address) FROM verification_runs")
            .fetch_one(service.pool())
            .await
            .expect("a run");
        assert_eq!(kept, expected);
    }
}

#[tokio::test]
async fn the_trace_of_a_request_is_the_trace_of_its_run() {
    let service = Service::start().await;
    let key = service.bank().await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let request = service.submission(&key, good()).header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    let run_id = run_id(&json_of(request.send().await.expect("an answer")).await);
    let run = json_of(service.get(&key, &format!("/v1/runs/{run_id}")).send().await.expect("an answer")).await;
    assert_eq!(run["trace_id"], trace);
}

#[tokio::test]
async fn a_large_upload_is_stored_byte_for_byte() {
    let service = Service::start().await;
    let key = service.bank().await;
    let bytes = [PDF.to_vec(), (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect()].concat();
    let form = Form::new().part("file", Part::bytes(bytes.clone()).file_name("a.pdf")).text("fio", "Иванов Иван");
    let run_id = run_id(&json_of(service.submission(&key, form).send().await.expect("an answer")).await);
    let answer = service.get(&key, &format!("/v1/runs/{run_id}/document")).send().await.expect("an answer");
    assert!(answer.bytes().await.expect("a body") == bytes);
}
