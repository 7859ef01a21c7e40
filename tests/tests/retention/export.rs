//! A day for the warehouse.

use shared::archive::{Cell, Row, TableReader};

use crate::house::{House, Old};

const FIO: &str = "Қалиева Айгүл Серікқызы";
const IIN: &str = "900101300123";

#[tokio::test]
async fn a_day_is_exported_without_anything_that_says_who_somebody_is() {
    let house = House::new().await;
    let bank = house.client("bank").await;
    let run_id = house.add(bank, Old { fio: FIO, iin: Some(IIN), ..Old::success(3) }).await;
    let failed = house.add(bank, Old { fio: FIO, iin: Some(IIN), ..Old::error(3) }).await;
    house.add(bank, Old::success(4)).await;
    house.add(bank, Old::success(2)).await;
    // A caller that names its requests after people.
    sqlx::query("UPDATE verification_runs SET external_request_id = $2 WHERE run_id = $1")
        .bind(failed)
        .bind(format!("req-{IIN}"))
        .execute(house.pool())
        .await
        .unwrap();
    let day = house.ago(3).with_timezone(&house.terms.zone).date_naive().to_string();
    let out = house.store.path().join("day.parquet");
    let told = house.told(&["export", "--day", &day, "--out", out.to_str().unwrap()]).await;
    assert_eq!((&told["rows"], &told["whole_day"]), (&2.into(), &true.into()), "{told}");

    let reader = TableReader::open(&out, None).unwrap();
    let names: Vec<String> = reader.columns().iter().map(|column| column.name.clone()).collect();
    let rows: Vec<Row> = reader.map(Result::unwrap).collect();
    let at = |name: &str| names.iter().position(|column| column == name).unwrap();
    let mut ids: Vec<&str> = rows.iter().map(|row| row[at("run_id")].text().unwrap()).collect();
    ids.sort_unstable();
    let mut expected = [run_id.to_string(), failed.to_string()];
    expected.sort_unstable();
    assert_eq!(ids, expected);
    let row = |id: uuid::Uuid| rows.iter().find(|row| row[at("run_id")] == Cell::Text(id.to_string())).unwrap();
    assert_eq!(row(run_id)[at("verdict")], Cell::Bool(true));
    assert_eq!(row(run_id)[at("doc_type")], Cell::Text("Справка об инвалидности".into()));
    assert_eq!(row(run_id)[at("external_request_id")], Cell::Text("A-17".into()));
    assert_eq!(row(run_id)[at("llm_cost")], Cell::Text("0.002000".into()));
    assert_eq!(row(failed)[at("error_codes")], Cell::Text("OCR_FAILED".into()));
    assert_eq!(row(failed)[at("external_request_id")], Cell::Null);

    // Every text of these runs that is of a person, by the database's own words.
    let secrets: Vec<Option<String>> = sqlx::query_scalar(
        "SELECT unnest(ARRAY[r.fio, r.fio_search, r.iin, r.extracted_fio, r.evidence #>> '{fio,quote}', r.original_filename,
             r.metadata ->> 'note', p.text_content, c.body]) FROM verification_runs r
         JOIN ocr_pages p USING (run_id) JOIN callbacks c USING (run_id) WHERE r.run_id IN ($1, $2)",
    )
    .bind(run_id)
    .bind(failed)
    .fetch_all(house.pool())
    .await
    .unwrap();
    let secrets: Vec<String> = secrets.into_iter().flatten().collect();
    assert!(secrets.iter().any(|secret| secret == FIO) && secrets.iter().any(|secret| secret == IIN));
    for text in rows.iter().flatten().filter_map(Cell::text) {
        for secret in secrets.iter().map(String::as_str).chain(FIO.split(' ')) {
            assert!(!text.to_lowercase().contains(&secret.to_lowercase()), "{text} holds {secret}");
        }
    }
    let bytes = std::fs::read(&out).unwrap();
    for secret in FIO.split(' ').chain([IIN]) {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret} is in the file");
    }
}

#[tokio::test]
async fn a_day_goes_to_the_store_unless_told_and_one_to_come_is_refused() {
    let house = House::new().await;
    let bank = house.client("bank").await;
    house.add(bank, Old::success(3)).await;
    house.add(bank, Old::success(95)).await;
    let day = house.ago(3).with_timezone(&house.terms.zone).date_naive();
    let told = house.told(&["export", "--day", &day.to_string()]).await;
    assert_eq!(told["file"], format!("export/{day}.parquet"));
    let stored = house.store.path().join("export").join(format!("{day}.parquet"));
    assert_eq!(TableReader::open(&stored, None).unwrap().count(), 1);
    let past = house.ago(95).with_timezone(&house.terms.zone).date_naive();
    let told = house.told(&["export", "--day", &past.to_string()]).await;
    assert_eq!(told["rows"], 0, "a run past its term is absent everywhere");
    let tomorrow = house.ago(-1).with_timezone(&house.terms.zone).date_naive();
    let refused = house.refused(&["export", "--day", &tomorrow.to_string()]).await;
    assert!(refused.contains("is still to come"), "{refused}");
}
