//! What is below the routes: requests that are no HTTP, too large, or in a form that is not taken.

use reqwest::multipart::{Form, Part};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::service::{PDF, Service, good, json_of, problem, run_id};

async fn connect(service: &Service) -> TcpStream {
    TcpStream::connect(service.url.trim_start_matches("http://")).await.expect("a connection")
}

/// The answers on a connection that the other side closes, each with its head and its body.
async fn rest(mut connection: TcpStream) -> String {
    let mut text = String::new();
    connection.read_to_string(&mut text).await.expect("an answer");
    text
}

fn problem_in(answer: &str) -> Value {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer}"));
    assert!(head.starts_with("HTTP/1.1 400 ") && head.contains("content-type: application/problem+json"), "{head}");
    assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
    serde_json::from_str(body).expect("JSON")
}

#[tokio::test]
async fn what_is_no_http_is_told_so_by_a_problem() {
    let service = Service::start().await;
    let long = "x".repeat(300_000);
    let requests = [
        "GARBAGE\r\n\r\n".to_owned(),
        "GET / HTTP/9.9\r\n\r\n".to_owned(),
        "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "GET /healthz HTTP/1.1\r\nHost: x\r\nbad header: x\r\n\r\n".to_owned(),
        format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", &long[..100_000]),
        format!("GET /v1/runs?q={} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(5_000_000)),
        format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: {long}\r\n\r\n"),
        format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{}\r\n", "X-Many: x\r\n".repeat(100)),
    ];
    for request in requests {
        let mut connection = connect(&service).await;
        // The answer may come, and the connection close, before all of it was sent.
        drop(connection.write_all(request.as_bytes()).await);
        let mut answer = Vec::new();
        drop(connection.read_to_end(&mut answer).await);
        let body = problem_in(std::str::from_utf8(&answer).expect("text"));
        assert_eq!(body["code"], "MALFORMED_REQUEST", "{}", &request[..20]);
        assert_eq!(body["trace_id"].as_str().map(str::len), Some(32));
    }
}

#[tokio::test]
async fn a_connection_that_breaks_the_protocol_later_has_its_first_answer() {
    let service = Service::start().await;
    let mut connection = connect(&service).await;
    connection.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGARBAGE\r\n\r\n").await.expect("is sent");
    let answers = rest(connection).await;
    let (first, second) = answers.split_once("{\"status\":\"ok\"}").expect("the first answer");
    assert!(first.starts_with("HTTP/1.1 200 OK"), "{answers}");
    assert_eq!(problem_in(second)["code"], "MALFORMED_REQUEST");
}

#[tokio::test]
async fn a_body_that_is_declared_too_large_is_refused_before_it_is_sent() {
    let service = Service::start().await;
    let key = service.bank().await;
    let mut connection = connect(&service).await;
    let head = format!(
        "POST /v1/runs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nExpect: 100-continue\r\nConnection: close\r\n\
         Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 60000000\r\n\r\n",
        key.key
    );
    connection.write_all(head.as_bytes()).await.expect("is sent");
    let answer = rest(connection).await;
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("FILE_TOO_LARGE"), "{answer}");
}

#[tokio::test]
async fn a_coded_body_is_not_taken() {
    let service = Service::start().await;
    let key = service.bank().await;
    let answer = service.submission(&key, good()).header("content-encoding", "gzip").send().await.expect("an answer");
    assert_eq!(problem(answer).await, (415, "UNSUPPORTED_MEDIA_TYPE".into()));
    let plain = service.submission(&key, good()).header("content-encoding", "identity").send().await;
    assert_eq!(plain.expect("an answer").status(), 202);
}

#[tokio::test]
async fn a_name_in_the_extended_notation_is_kept() {
    let service = Service::start().await;
    let key = service.bank().await;
    let body = [
        b"--b\r\nContent-Disposition: form-data; name=\"fio\"\r\n\r\n",
        "Иванов Иван".as_bytes(),
        b"\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename*=UTF-8''%D0%B0%20%D0%B1.pdf\r\n\r\n",
        PDF,
        b"\r\n--b--\r\n",
    ]
    .concat();
    let request = service.post(&key, "/v1/runs").header("content-type", "multipart/form-data; boundary=b").body(body);
    let id = run_id(&json_of(request.send().await.expect("an answer")).await);
    let run = json_of(service.get(&key, &format!("/v1/runs/{id}")).send().await.expect("an answer")).await;
    assert_eq!(run["original_filename"], "а б.pdf");
    let quoted = Form::new().text("fio", "Иванов Иван").part("file", Part::bytes(PDF).file_name("a \"b\".pdf"));
    let id = run_id(&json_of(service.submission(&key, quoted).send().await.expect("an answer")).await);
    let run = json_of(service.get(&key, &format!("/v1/runs/{id}")).send().await.expect("an answer")).await;
    assert_eq!(run["original_filename"], "a \"b\".pdf");
}

#[tokio::test]
async fn the_description_has_the_words_and_members_of_the_answers() {
    let service = Service::start().await;
    let key = service.bank().await;
    let id = service.submit(&key).await;
    let run = json_of(service.get(&key, &format!("/v1/runs/{id}")).send().await.expect("an answer")).await;
    let answer = service.http.get(format!("{}/openapi.json", service.url)).send().await.expect("an answer");
    let description = json_of(answer).await;
    let schemas = &description["components"]["schemas"];
    let words = |name: &str| schemas[name]["enum"].as_array().expect("words").clone();
    for (member, schema) in [("status", "Status"), ("stage", "Stage"), ("priority", "Priority")] {
        assert!(words(schema).contains(&run[member]), "{schema}: {:?} lacks {}", words(schema), run[member]);
    }
    let mut required: Vec<&str> =
        schemas["Run"]["required"].as_array().expect("members").iter().filter_map(Value::as_str).collect();
    let mut members: Vec<&str> = run.as_object().expect("a run").keys().map(String::as_str).collect();
    required.sort_unstable();
    members.sort_unstable();
    assert_eq!(required, members);
    let document = service.get(&key, &format!("/v1/runs/{id}/document")).send().await.expect("an answer");
    let kind = document.headers()["content-type"].to_str().expect("text");
    let described = &description["paths"]["/v1/runs/{run_id}/document"]["get"]["responses"]["200"]["content"];
    assert!(described.as_object().expect("kinds").contains_key(kind), "{described}");
}

#[tokio::test]
async fn the_reader_of_the_description_asks_nobody_outside() {
    let service = Service::start().await;
    let get = async |path: &str| {
        let answer = service.http.get(format!("{}{path}", service.url)).send().await.expect("an answer");
        answer.text().await.expect("text")
    };
    let (page, start) = (get("/docs/").await, get("/docs/swagger-initializer.js").await);
    assert!(!page.contains("//") || !page.contains("http"), "{page}");
    assert!(start.contains("validatorUrl") && start.contains("none"), "{start}");
}
