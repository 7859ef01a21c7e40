//! A person's runs in the archives. They are looked for in the files themselves: the database keeps nothing of a
//! person whose runs have left it.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::archive::{Archive, ArchiveError, Cell, TableReader, blocking};
use crate::store::erasures::Person;
use crate::store::retention::RUN_TABLES;

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the database.
    Database,
    /// In an archive only.
    Archive,
}

/// A run of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its id.
    pub run_id: Uuid,
    /// When it was submitted.
    pub created_at: DateTime<Utc>,
    /// Where it stood.
    pub status: String,
    /// Where it is.
    pub place: Place,
}

/// The runs of a client's person in all archives, oldest first, erased ones that are not cleared away yet among them.
///
/// # Errors
/// The store is unavailable, or an archive is not as it was written.
pub async fn find_in_archives(archive: &Archive, client_id: Uuid, person: &Person) -> Result<Vec<Found>, ArchiveError> {
    let mut all = Vec::new();
    for month in archive.months().await? {
        let Some(manifest) = archive.manifest(month).await? else { continue };
        let Some(entry) = manifest.tables.get(RUN_TABLES[0]) else { continue };
        let local = archive.fetch(month, entry).await?;
        let (client, person) = (client_id.to_string(), person.clone());
        all.extend(
            blocking(move || {
                let found = look(&local, &client, &person)?;
                std::fs::remove_file(&local)?;
                Ok(found)
            })
            .await?,
        );
    }
    all.sort_by_key(|found| found.run_id);
    Ok(all)
}

fn look(local: &std::path::Path, client: &str, person: &Person) -> Result<Vec<Found>, ArchiveError> {
    let (column, wanted) = match person {
        Person::Iin(iin) => ("iin", iin),
        Person::Fio(fio_search) => ("fio_search", fio_search),
    };
    let reader = TableReader::open(local, Some(&["run_id", "client_id", "created_at", "status", column]))?;
    let place = |name: &str| reader.position(name);
    let places = (place("run_id"), place("client_id"), place("created_at"), place("status"), place(column));
    let (Some(run_id), Some(client_id), Some(created_at), Some(status), Some(by)) = places else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for row in reader {
        let row = row?;
        if row[client_id].text() != Some(client) || row[by].text() != Some(wanted) {
            continue;
        }
        let at = if let Cell::Int(micros) = row[created_at] { DateTime::from_timestamp_micros(micros) } else { None };
        let id = row[run_id].text().and_then(|text| text.parse().ok());
        if let (Some(run_id), Some(created_at)) = (id, at) {
            let status = row[status].text().unwrap_or_default().to_owned();
            found.push(Found { run_id, created_at, status, place: Place::Archive });
        }
    }
    Ok(found)
}
