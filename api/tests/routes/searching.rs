//! Searches of `GET /v1/runs`: names, words, snippets, and queries that are none.

use serde_json::Value;
use url::form_urlencoded::byte_serialize;
use uuid::Uuid;

use super::service::{Key, Service, file, json_of, problem, run_id};

/// Submits a document of somebody's and ends the run with these pages.
async fn read(service: &Service, key: &Key, fio: &str, pages: &[&str]) -> Uuid {
    let form = reqwest::multipart::Form::new().text("fio", fio.to_owned()).part("file", file(super::service::PDF));
    let id = run_id(&json_of(service.submission(key, form).send().await.expect("an answer")).await);
    service.succeed(id).await;
    service.execute("DELETE FROM ocr_pages WHERE run_id = $1", id).await;
    let texts: Vec<String> = pages.iter().map(|&page| page.to_owned()).collect();
    sqlx::query(
        "INSERT INTO ocr_pages (run_id, generation, page_number, text_content, source, run_words)
         SELECT $1, 1, number, text, 'tesseract', CASE WHEN cardinality($2) > 1 THEN
             CASE WHEN number = 1 THEN strip(text_words(array_to_string($2, ' '))) ELSE '' END END
         FROM unnest($2::text[]) WITH ORDINALITY AS page (text, number)",
    )
    .bind(id)
    .bind(texts)
    .execute(service.pool())
    .await
    .expect("pages");
    id
}

async fn listing(service: &Service, key: &Key, filter: &str, value: &str) -> Value {
    let value: String = byte_serialize(value.as_bytes()).collect();
    let answer = service.get(key, &format!("/v1/runs?{filter}={value}")).send().await.expect("an answer");
    assert_eq!(answer.status(), 200, "{filter}={value}");
    json_of(answer).await
}

async fn found(service: &Service, key: &Key, filter: &str, value: &str) -> Vec<Uuid> {
    listing(service, key, filter, value).await["items"].as_array().expect("items").iter().map(run_id).collect()
}

#[tokio::test]
async fn a_name_is_found_by_a_part_of_it_however_it_is_spelled() {
    let service = Service::start().await;
    let key = service.bank().await;
    let kazakh = read(&service, &key, "Әбдірахманова Айгүл", &["а"]).await;
    let yo = read(&service, &key, "КОРОЛЁВ Пётр", &["а"]).await;
    let short = read(&service, &key, "Ли Юлия", &["а"]).await;
    let cases = [
        ("абдирахман", vec![kazakh]),
        ("Әбдірах", vec![kazakh]),
        ("айгул", vec![kazakh]),
        ("королев пет", vec![yo]),
        ("Королёв", vec![yo]),
        ("ЛИ", vec![short]),
        ("ю", vec![]),
        ("юли", vec![short]),
    ];
    for (part, expected) in cases {
        assert_eq!(found(&service, &key, "fio", part).await, expected, "{part}");
    }
}

#[tokio::test]
async fn words_are_found_on_any_page_and_shown_with_what_stands_around_them() {
    let service = Service::start().await;
    let key = service.bank().await;
    let order =
        read(&service, &key, "Ли Ян", &["Приказ об отпуске <script> срочный", "Основание: заявление \"Ромашки\" & Ко"])
            .await;
    let kazakh = read(&service, &key, "Ким Ян", &["Бұйрық. Демалыс берілсін"]).await;
    assert_eq!(found(&service, &key, "q", "приказы заявления").await, [order]);
    assert_eq!(found(&service, &key, "q", "бұйрық").await, [kazakh]);
    assert_eq!(found(&service, &key, "q", "приказ бұйрық").await, Vec::<Uuid>::new());
    let snippet = |page: &Value| page["items"][0]["snippet"].as_str().map(ToOwned::to_owned);
    let page = listing(&service, &key, "q", "отпуск").await;
    assert_eq!(snippet(&page).as_deref(), Some("Приказ об <mark>отпуске</mark> &lt;script&gt; срочный"));
    let page = listing(&service, &key, "q", "ромашка").await;
    assert_eq!(snippet(&page).as_deref(), Some("Основание: заявление &quot;<mark>Ромашки</mark>&quot; &amp; Ко"));
    assert_eq!(snippet(&listing(&service, &key, "fio", "ким").await), None, "only words have a snippet");
}

#[tokio::test]
async fn a_query_that_cannot_be_one_is_told_so() {
    let service = Service::start().await;
    let key = service.bank().await;
    for _ in 0..2 {
        service.submit(&key).await;
    }
    let first = json_of(service.get(&key, "/v1/runs?limit=1").send().await.expect("an answer")).await;
    let cursor = first["next_cursor"].as_str().expect("a second page").to_owned();
    let long = "a".repeat(20_000);
    let many = format!("q={}", ["a"; 11].join("+"));
    let unprocessable = [
        "nmae=x",
        "fio=%25",
        "fio=_",
        "fio=%D0%B8%D0%B2%D0%B0%2A",
        "fio=",
        "fio=12",
        "q=",
        "q=%E2%80%94",
        &many,
        "limit=0",
        "limit=10000",
        "limit=-1",
        "limit=x",
        "created_from=yesterday",
        "created_to=2026-02-30",
        "created_from=2026-13-01T00:00:00Z",
        "iin=1",
        "iin=01234567890a",
        "status=done",
        "verdict=yes",
        "error_code=WHATEVER",
        "status=error&status=error",
        "q=%00",
        "q=%FF",
        "external_request_id=",
    ];
    for query in unprocessable {
        let answer = service.get(&key, &format!("/v1/runs?{query}")).send().await.expect("an answer");
        assert_eq!(problem(answer).await, (422, "VALIDATION_FAILED".into()), "{query}");
    }
    let others = ["fio=%D0%BB%D0%B8", "q=a", "created_from=2026-01-01", "limit=1&verdict=true"];
    let cursors = ["x".into(), String::new(), format!("{cursor}A"), cursor[2..].to_owned(), "%00".into()];
    let invalid =
        others.iter().map(|other| format!("{other}&cursor={cursor}")).chain(cursors.map(|c| format!("cursor={c}")));
    for query in invalid {
        let answer = service.get(&key, &format!("/v1/runs?{query}")).send().await.expect("an answer");
        assert_eq!(problem(answer).await, (400, "INVALID_CURSOR".into()), "{query}");
    }
    let answer = service.get(&key, &format!("/v1/runs?q={long}")).send().await.expect("an answer");
    assert_eq!(problem(answer).await, (400, "MALFORMED_REQUEST".into()));
    assert_eq!(found(&service, &key, "limit", "1").await.len(), 1, "the api goes on");
}
