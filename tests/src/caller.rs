//! A caller of the api with a key of its own, as a program would be that knows nothing but the contract.

use std::time::Duration;

use reqwest::multipart::{Form, Part};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::Value;
use uuid::Uuid;

use crate::papers;

/// Longer than any answer takes, also with `wait`.
const ANSWER: Duration = Duration::from_secs(90);

/// The caller.
#[derive(Clone, Debug)]
pub struct Caller {
    http: reqwest::Client,
    url: String,
    key: String,
}

impl Caller {
    /// With this key, of the api at `url`.
    pub fn new(url: &str, key: &str) -> Self {
        shared::tls::install();
        let http = reqwest::Client::builder().no_proxy().timeout(ANSWER).build().expect("a client");
        Self { http, url: url.to_owned(), key: key.to_owned() }
    }

    /// Its key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// A GET of a route.
    pub fn get(&self, route: &str) -> RequestBuilder {
        self.http.get(format!("{}{route}", self.url)).bearer_auth(&self.key)
    }

    /// A POST to a route.
    pub fn post(&self, route: &str) -> RequestBuilder {
        self.http.post(format!("{}{route}", self.url)).bearer_auth(&self.key)
    }

    /// A DELETE of a route.
    pub fn delete(&self, route: &str) -> RequestBuilder {
        self.http.delete(format!("{}{route}", self.url)).bearer_auth(&self.key)
    }

    /// Submits a form, which must be accepted; the run's id.
    pub async fn submit(&self, form: Form) -> Uuid {
        let (status, body) = answer(self.post("/v1/runs").multipart(form)).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{body}");
        run_id(&body)
    }

    /// The run as it is now.
    pub async fn run(&self, run_id: Uuid) -> Value {
        let (status, run) = answer(self.get(&format!("/v1/runs/{run_id}"))).await;
        assert_eq!(status, StatusCode::OK, "{run}");
        run
    }

    /// The run as soon as it has finished.
    pub async fn finished(&self, run_id: Uuid) -> Value {
        // Five minutes; a run that takes longer has been lost.
        for _ in 0..5 {
            let (status, run) = answer(self.get(&format!("/v1/runs/{run_id}?wait=60"))).await;
            assert_eq!(status, StatusCode::OK, "{run}");
            if run["status"] != "processing" {
                return run;
            }
        }
        panic!("run {run_id} does not finish: {}", self.run(run_id).await);
    }

    /// Submits and waits: the finished run.
    pub async fn judged(&self, form: Form) -> Value {
        self.finished(self.submit(form).await).await
    }
}

/// The form of a submission.
pub fn form(file: Vec<u8>, fio: &str) -> Form {
    Form::new().text("fio", fio.to_owned()).part("file", Part::bytes(file).file_name("document"))
}

/// A valid certificate and its owner, read from its text layer.
pub fn valid_form() -> Form {
    form(papers::pdf(&[&papers::certificate()]), papers::APPLICANT)
}

/// Status and JSON of an answer; null where there is no body.
pub async fn answer(request: RequestBuilder) -> (StatusCode, Value) {
    json(request.send().await.expect("the api answers")).await
}

/// Status and JSON of an answer that is there.
pub async fn json(answer: Response) -> (StatusCode, Value) {
    let status = answer.status();
    let text = answer.text().await.expect("a body");
    if text.is_empty() {
        return (status, Value::Null);
    }
    (status, serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}")))
}

/// The id of a run.
pub fn run_id(run: &Value) -> Uuid {
    run["run_id"].as_str().expect("a run_id").parse().expect("an id")
}

/// The codes of a run's errors.
pub fn codes(run: &Value) -> Vec<&str> {
    run["errors"].as_array().expect("errors").iter().map(|error| error["code"].as_str().expect("a code")).collect()
}
