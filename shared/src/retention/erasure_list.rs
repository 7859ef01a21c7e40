//! The list of erasures as it lies in the document store: `erasures/YYYY-MM-DD.jsonl`, a line for each erasure of a day
//! (in UTC). It outlives the database, so that a database that was restored forgets again what it had to forget.

use chrono::NaiveDate;
use futures::TryStreamExt as _;

use crate::archive::ArchiveError;
use crate::documents::{Documents, DocumentsError};
use crate::store::erasures::Erasure;

/// The largest list of a day that is read.
const LIST_BYTES: u64 = 256 * 1024 * 1024;

fn key(day: NaiveDate) -> String {
    format!("erasures/{day}.jsonl")
}

/// The days of which the store has a list, in order.
///
/// # Errors
/// The store is unavailable.
pub async fn days(documents: &Documents) -> Result<Vec<NaiveDate>, ArchiveError> {
    let lists = documents.list("erasures")?.try_filter_map(|stored| {
        let day = stored.key.strip_prefix("erasures/").and_then(|name| name.strip_suffix(".jsonl"));
        std::future::ready(Ok(day.and_then(|day| day.parse::<NaiveDate>().ok())))
    });
    let mut days: Vec<NaiveDate> = lists.try_collect().await?;
    days.sort_unstable();
    Ok(days)
}

/// The list of a day; empty where there is none.
///
/// # Errors
/// The store is unavailable, or the list is none.
pub async fn read(documents: &Documents, day: NaiveDate) -> Result<Vec<Erasure>, ArchiveError> {
    let bytes = match documents.read(&key(day), LIST_BYTES).await {
        Err(DocumentsError::TooLarge) => return Err(ArchiveError::NotAsWritten(key(day))),
        Err(DocumentsError::NotFound) => return Ok(Vec::new()),
        read => read?,
    };
    let text = String::from_utf8(bytes).map_err(|_| ArchiveError::NotAsWritten(key(day)))?;
    parse(&text).map_err(|_| ArchiveError::NotAsWritten(key(day)))
}

/// Puts a list in the place of the day's former one, and reads it back.
///
/// # Errors
/// The store is unavailable, or does not keep it.
pub async fn write(documents: &Documents, day: NaiveDate, list: &[Erasure]) -> Result<(), ArchiveError> {
    documents.put(&key(day), text(list).into()).await?;
    if read(documents, day).await? == list { Ok(()) } else { Err(ArchiveError::NotAsWritten(key(day))) }
}

/// A list as it is written.
#[must_use]
pub fn text(list: &[Erasure]) -> String {
    list.iter().map(|erasure| serde_json::to_string(erasure).expect("an erasure is JSON") + "\n").collect()
}

/// A list as it was written; which line is none.
///
/// # Errors
/// The number of the first line that is no erasure.
pub fn parse(text: &str) -> Result<Vec<Erasure>, usize> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(number, line)| serde_json::from_str(line).map_err(|_| number + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_it_was_written_and_a_broken_one_is_none() {
        let erasure = Erasure {
            run_id: uuid::Uuid::from_u128(7),
            client_id: uuid::Uuid::from_u128(8),
            erased_at: "2026-11-29T20:00:00.123456Z".parse().expect("a time"),
            erased_by: "key".into(),
        };
        let written = text(&[erasure.clone(), erasure.clone()]);
        assert_eq!(parse(&written), Ok(vec![erasure.clone(), erasure]));
        assert_eq!(parse(&format!("{written}\n{}", &written[..20])), Err(4));
    }
}
