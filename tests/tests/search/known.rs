//! Runs that a test knows everything of, and which of them a filter means.

use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use shared::domain::names::fio_search;
use shared::domain::{ErrorCode, Status};
use shared::store::Pool;
use shared::store::search::Filter;
use uuid::Uuid;

/// A run.
#[derive(Clone, Debug)]
pub struct Known {
    pub run_id: Uuid,
    pub created_at: DateTime<Utc>,
    pub client_id: Uuid,
    pub status: Status,
    pub verdict: Option<bool>,
    pub codes: Vec<ErrorCode>,
    pub fio: &'static str,
    pub iin: Option<&'static str>,
    pub number: Option<&'static str>,
    /// Of the newest generation, page by page.
    pub pages: Vec<Vec<&'static str>>,
    /// An earlier generation ended with this, and had this word on its page.
    pub before: Option<(ErrorCode, &'static str)>,
}

pub const NAMES: [&str; 14] = [
    "Ахметова Айгүл Серікқызы",
    "Ахметов Серик Нурланович",
    "АХМЕТОВА АСЕЛЬ",
    "Ли Ян",
    "Ли Юрий Янович",
    "Лиманов Олег Игоревич",
    "Королёв Пётр Ильич",
    "Королева Анна Петровна",
    "Әбдірахманов Қайрат",
    "Абдирахманов Кайрат Болатович",
    "Ким-Ли Анна",
    "О'Ян Роман",
    "Иванов И.И.",
    "Цой В",
];

/// Parts of names as people write them.
const PARTS: [&str; 22] = [
    "ахметов",
    "АХМЕТОВА",
    "айгул",
    "Айгүл",
    "ли",
    "ЯН",
    "лима",
    "королёв",
    "Королев",
    "абдирахман",
    "Әбдірахман",
    "кайрат",
    "им-л",
    "ович",
    "и",
    "в",
    "о",
    "нет такого",
    "ов ",
    "а а",
    "и.и",
    "ова а",
];

/// Words in the forms that a text has them in: those of a row are one word to a search.
const WORDS: [&[&str]; 9] = [
    &["справка", "справки", "Справке", "СПРАВКУ"],
    &["отпуск", "отпуска", "отпуске"],
    &["приказ", "приказом", "Приказы"],
    &["не"],
    &["бұйрық"],
    &["бұйрығы"],
    &["ребёнком", "ребенка"],
    &["2026"],
    &["он"],
];

const NUMBERS: [&str; 3] = ["52015072", "a b", "100%"];
const IINS: [&str; 3] = ["012345678901", "990101300123", "850612400777"];

fn a_word(dice: &mut StdRng) -> &'static str {
    WORDS.choose(dice).unwrap().choose(dice).unwrap()
}

/// One of these errors, all of runs that end so.
fn codes(dice: &mut StdRng, status: Status) -> Vec<ErrorCode> {
    let all: Vec<ErrorCode> = ErrorCode::ALL.iter().copied().filter(|code| code.status() == status).collect();
    let mut codes: Vec<ErrorCode> =
        all[..4].choose_multiple(dice, if status == Status::Success { 2 } else { 1 }).copied().collect();
    codes.sort_by_key(|code| code.int_code());
    codes
}

impl Known {
    /// Some run of this moment.
    pub fn some(dice: &mut StdRng, created_at: DateTime<Utc>, clients: &[Uuid]) -> Self {
        let millis = u64::try_from(created_at.timestamp_millis()).unwrap();
        let (status, verdict) = match dice.random_range(0..10) {
            0 => (Status::Processing, None),
            1 | 2 => (Status::Error, None),
            3..6 => (Status::Success, Some(false)),
            _ => (Status::Success, Some(true)),
        };
        let ended_well = status == Status::Success;
        Self {
            run_id: uuid::Builder::from_unix_timestamp_millis(millis, &dice.random()).into_uuid(),
            created_at,
            client_id: if dice.random_bool(0.8) { clients[0] } else { clients[1] },
            status,
            verdict,
            codes: match verdict {
                Some(true) => Vec::new(),
                _ if status == Status::Processing => Vec::new(),
                _ => codes(dice, status),
            },
            fio: NAMES.choose(dice).unwrap(),
            iin: dice.random_bool(0.5).then(|| *IINS.choose(dice).unwrap()),
            number: dice.random_bool(0.5).then(|| *NUMBERS.choose(dice).unwrap()),
            pages: (0..if ended_well { dice.random_range(1..4) } else { 0 })
                .map(|_| (0..dice.random_range(0..4)).map(|_| a_word(dice)).collect())
                .collect(),
            before: dice.random_bool(0.2).then(|| (codes(dice, Status::Error)[0], a_word(dice))),
        }
    }

    /// Writes its rows as the service does.
    pub async fn insert(&self, pool: &Pool) {
        let ended = self.status != Status::Processing;
        let generation = if self.before.is_some() { 2 } else { 1 };
        sqlx::query(
            "INSERT INTO verification_runs (run_id, client_id, created_at, completed_at, fio, fio_search, iin,
                external_request_id, original_filename, document_key, content_type, file_size_bytes, sha256, status,
                stage, generation, error_code, verdict, validation_checks, validity_day)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'a.pdf', 'documents/x', 'application/pdf', 1, sha256('x'), $9, $10,
                $11, $12, $13, $14, $3::date)",
        )
        .bind(self.run_id)
        .bind(self.client_id)
        .bind(self.created_at)
        .bind(ended.then_some(self.created_at))
        .bind(self.fio)
        .bind(fio_search(self.fio))
        .bind(self.iin)
        .bind(self.number)
        .bind(self.status.as_str())
        .bind(if ended { "done" } else { "queued" })
        .bind(generation)
        .bind(self.codes.first().map(|code| code.as_str()))
        .bind(self.verdict)
        .bind((self.status == Status::Success).then(|| serde_json::json!({})))
        .execute(pool)
        .await
        .unwrap();
        for code in &self.codes {
            self.insert_error(pool, generation, *code).await;
        }
        let texts: Vec<String> = self.pages.iter().map(|words| words.join(", ")).collect();
        self.insert_pages(pool, generation, &texts).await;
        if let Some((code, word)) = self.before {
            self.insert_error(pool, 1, code).await;
            self.insert_pages(pool, 1, &[word.to_owned()]).await;
        }
        if !ended {
            sqlx::query("INSERT INTO jobs (job_id, kind, run_id, client_id) VALUES ($1, 'run', $1, $2)")
                .bind(self.run_id)
                .bind(self.client_id)
                .execute(pool)
                .await
                .unwrap();
        }
    }

    async fn insert_error(&self, pool: &Pool, generation: i32, code: ErrorCode) {
        sqlx::query("INSERT INTO verification_errors VALUES ($1, $2, $3, $4, 'why')")
            .bind(self.run_id)
            .bind(generation)
            .bind(code.int_code())
            .bind(code.as_str())
            .execute(pool)
            .await
            .unwrap();
    }

    async fn insert_pages(&self, pool: &Pool, generation: i32, texts: &[String]) {
        sqlx::query(
            "INSERT INTO ocr_pages (run_id, generation, page_number, text_content, source, run_words)
             SELECT $1, $2, number, text, 'tesseract', CASE WHEN cardinality($3) > 1 THEN
                 CASE WHEN number = 1 THEN strip(text_words(array_to_string($3, ' '))) ELSE '' END END
             FROM unnest($3::text[]) WITH ORDINALITY AS page (text, number)",
        )
        .bind(self.run_id)
        .bind(generation)
        .bind(texts)
        .execute(pool)
        .await
        .unwrap();
    }

    /// Whether a filter means it.
    pub fn fits(&self, filter: &Filter) -> bool {
        fn is<T: PartialEq>(wanted: Option<&T>, value: Option<&T>) -> bool {
            wanted.is_none_or(|wanted| value == Some(wanted))
        }
        let text = |text: Option<&'static str>| text.map(ToOwned::to_owned);
        is(filter.client_id.as_ref(), Some(&self.client_id))
            && is(filter.status.as_ref(), Some(&self.status))
            && is(filter.verdict.as_ref(), self.verdict.as_ref())
            && filter.error_code.is_none_or(|code| self.codes.contains(&code))
            && is(filter.iin.as_ref(), text(self.iin).as_ref())
            && is(filter.external_request_id.as_ref(), text(self.number).as_ref())
            && filter.from.is_none_or(|from| self.run_id >= from)
            && filter.before.is_none_or(|before| self.run_id < before)
            && filter.fio_search.as_deref().is_none_or(|part| self.is_named(part))
            && filter.words.iter().all(|word| self.pages.iter().flatten().any(|read| same_word(read, word)))
    }

    fn is_named(&self, part: &str) -> bool {
        let letters = |text: &str| text.chars().filter(|sign| sign.is_alphabetic()).count();
        let words = |text: &str| -> Vec<String> {
            let words = text.split(|sign: char| !sign.is_alphabetic()).filter(|word| !word.is_empty());
            words.map(ToOwned::to_owned).collect()
        };
        let name = fio_search(self.fio);
        if letters(part) > 2 {
            return name.contains(part);
        }
        words(part).iter().all(|word| words(&name).contains(word))
    }
}

fn same_word(one: &str, other: &str) -> bool {
    WORDS.iter().any(|forms| forms.contains(&one) && forms.contains(&other))
}

/// A filter of some kind; what it looks for may be nobody's.
pub fn some_filter(dice: &mut StdRng, clients: &[Uuid], from: DateTime<Utc>) -> Filter {
    let time = |dice: &mut StdRng| {
        let at = from + TimeDelta::hours(dice.random_range(0..75 * 24));
        Uuid::from_u128(u128::try_from(at.timestamp_millis()).unwrap() << 80)
    };
    Filter {
        client_id: dice.random_bool(0.5).then(|| *clients.choose(dice).unwrap()),
        status: dice
            .random_bool(0.25)
            .then(|| *[Status::Processing, Status::Success, Status::Error].choose(dice).unwrap()),
        verdict: dice.random_bool(0.2).then(|| dice.random()),
        error_code: dice.random_bool(0.2).then(|| *ErrorCode::ALL[..14].choose(dice).unwrap()),
        fio_search: dice
            .random_bool(0.4)
            .then(|| fio_search(PARTS.choose(dice).unwrap()))
            .filter(|part| !part.is_empty()),
        words: if dice.random_bool(0.4) {
            (0..dice.random_range(1..3)).map(|_| a_word(dice).to_owned()).collect()
        } else {
            Vec::new()
        },
        from: dice.random_bool(0.15).then(|| time(dice)),
        before: dice.random_bool(0.15).then(|| time(dice)),
        external_request_id: dice.random_bool(0.1).then(|| (*NUMBERS.choose(dice).unwrap()).to_owned()),
        iin: dice.random_bool(0.1).then(|| (*IINS.choose(dice).unwrap()).to_owned()),
    }
}
