//! What is looked for: values that many, some, few and no runs have, taken from the runs themselves.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use shared::domain::names::fio_search;
use shared::store::Pool;
use sqlx::Row as _;

/// Some runs at random.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// Normalised names.
    pub names: Vec<String>,
    /// Words of their texts, of four letters or more.
    pub words: Vec<String>,
    /// IINs.
    pub iins: Vec<String>,
    /// Numbers of callers.
    pub numbers: Vec<String>,
}

impl Sample {
    /// Takes `count` runs from all over the record.
    ///
    /// # Errors
    /// The database is away.
    pub async fn take(pool: &Pool, count: usize) -> anyhow::Result<Self> {
        let mut dice = StdRng::seed_from_u64(5);
        let rows = sqlx::query(
            "SELECT r.fio_search, r.iin, r.external_request_id, p.text_content
             FROM verification_runs r TABLESAMPLE SYSTEM (0.5) REPEATABLE (5)
             JOIN ocr_pages p ON p.run_id = r.run_id AND p.page_number = 1 LIMIT 4000",
        )
        .fetch_all(pool)
        .await?;
        let mut sample = Self::default();
        for row in rows.choose_multiple(&mut dice, count) {
            sample.names.push(row.try_get(0)?);
            sample.iins.extend(row.try_get::<Option<String>, _>(1)?);
            sample.numbers.extend(row.try_get::<Option<String>, _>(2)?);
            let text: String = row.try_get(3)?;
            let words: Vec<&str> =
                text.split(|sign: char| !sign.is_alphanumeric()).filter(|word| word.chars().count() >= 4).collect();
            sample.words.extend(words.choose(&mut dice).map(|&word| word.to_owned()));
        }
        Ok(sample)
    }

    /// Parts of the names, of three to nine letters.
    pub fn parts(&self) -> Vec<String> {
        let mut dice = StdRng::seed_from_u64(6);
        let part = |name: &String| {
            let letters: Vec<char> = name.chars().collect();
            let length = dice.random_range(3..=9).min(letters.len());
            let from = dice.random_range(0..=letters.len() - length);
            fio_search(&letters[from..from + length].iter().collect::<String>())
        };
        self.names
            .iter()
            .map(part)
            .filter(|part| part.chars().filter(|sign| sign.is_alphabetic()).count() >= 3)
            .collect()
    }

    /// Whole names.
    pub fn whole(&self) -> Vec<String> {
        self.names.clone()
    }
}
