//! One folder read into memory and understood.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::{Stream, StreamExt as _};
use shared::legacy::{self, Contents, Form, LegacyRun, Part};

use super::inside::{Refused, Root};
use super::walk::Candidate;

/// A folder's run, and where its document lies.
#[derive(Debug)]
pub struct Read {
    /// The run.
    pub run: LegacyRun,
    /// Its document; none where there is none.
    pub document: Option<PathBuf>,
}

/// Reads a folder. Blocks on the file system.
///
/// # Errors
/// A sentence that says why not, without anything of a person.
pub fn read(root: &Root, candidate: &Candidate, now: DateTime<Utc>) -> Result<Read, String> {
    let entries = Root::entries(&candidate.path).map_err(|error| format!("cannot be read: {error}"))?;
    let form = Form::of(entries.iter().map(|entry| entry.name.as_str()));
    let form = form.ok_or("holds no file of a run: it is empty, or none of ours")?;
    let document = document(root, &candidate.path, form)?;
    let contents = Contents {
        name: candidate.name.clone(),
        day: candidate.day,
        form,
        parts: parts(root, &candidate.path, form)?,
        has_document: document.is_some(),
    };
    let run = legacy::read(&contents, now).map_err(|error| error.to_string())?;
    Ok(Read { run, document })
}

/// Reads folders, so many at once and each beside the runtime, in their order.
pub fn read_all(
    root: &Arc<Root>,
    candidates: Vec<Candidate>,
    at_once: usize,
    now: DateTime<Utc>,
) -> impl Stream<Item = (Candidate, Result<Read, String>)> + use<> {
    let root = Arc::clone(root);
    let reading = move |candidate: Candidate| {
        let root = Arc::clone(&root);
        let work = tokio::task::spawn_blocking(move || {
            let read = read(&root, &candidate, now);
            (candidate, read)
        });
        async move { work.await.expect("reading a folder does not panic") }
    };
    futures::stream::iter(candidates.into_iter().map(reading)).buffered(at_once)
}

fn parts(root: &Root, folder: &Path, form: Form) -> Result<BTreeMap<Part, (&'static str, Vec<u8>)>, String> {
    let mut parts = BTreeMap::new();
    for part in Part::ALL {
        for &name in part.files(form) {
            let refused = |refused: Refused| format!("{name} {refused}");
            let place = match name.split_once('/') {
                None => Some(folder.to_owned()),
                Some((below, _)) => root.folder(&folder.join(below)).map_err(|error| format!("{below} {error}"))?,
            };
            let Some(place) = place else { continue };
            let file = name.rsplit('/').next().unwrap_or(name);
            if let Some(bytes) = root.bytes(&place.join(file), part.most_bytes()).map_err(refused)? {
                parts.insert(part, (name, bytes));
                break;
            }
        }
    }
    Ok(parts)
}

/// The document, where there is one and it is not empty.
fn document(root: &Root, folder: &Path, form: Form) -> Result<Option<PathBuf>, String> {
    let place = match form {
        Form::Flat => Some(folder.to_owned()),
        Form::Nested => {
            let mut place = Some(folder.to_owned());
            for below in Form::NESTED_DOCUMENT.split('/') {
                place = match place {
                    None => None,
                    Some(place) => root.folder(&place.join(below)).map_err(|error| format!("{below} {error}"))?,
                };
            }
            place
        }
    };
    let Some(place) = place else { return Ok(None) };
    let entries = Root::entries(&place).map_err(|error| format!("the document's folder cannot be read: {error}"))?;
    let mut names = entries.into_iter().map(|entry| entry.name).filter(|name| match form {
        Form::Flat => name.starts_with(Form::FLAT_DOCUMENT),
        Form::Nested => !name.starts_with('.'),
    });
    let Some(name) = names.next() else { return Ok(None) };
    if names.next().is_some() {
        return Err("holds more than one document".to_owned());
    }
    let path = place.join(name);
    let file = root.file(&path).map_err(|error| format!("the document {error}"))?;
    let size = file.map_or(Ok(0), |file| file.metadata().map(|found| found.len()));
    Ok((size.map_err(|error| format!("the document cannot be read: {error}"))? > 0).then_some(path))
}
