//! Temporary folders, one a run. A run that wrote nothing leaves its folder clean for the next one: where every
//! document is read elsewhere no folder is made and removed for each, and a file system that is asked to make and
//! forget files by the thousand looks long for free places (ext4 passes over those that were given back just now).

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::TempDir;

/// A worker's temporary folders.
#[derive(Debug)]
pub struct Scratch {
    place: PathBuf,
    /// Empty ones, kept for the next runs.
    clean: Mutex<Vec<TempDir>>,
    most: usize,
}

/// A run's folder: goes with everything in it when it is dropped.
#[derive(Debug)]
pub struct Folder<'a> {
    of: &'a Scratch,
    own: Option<TempDir>,
}

impl Scratch {
    /// Folders in this place, of which so many are kept.
    pub fn new(place: PathBuf, most: usize) -> Self {
        Self { place, clean: Mutex::default(), most }
    }

    /// Where they are.
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// An empty folder.
    ///
    /// # Errors
    /// None can be made.
    pub fn folder(&self) -> io::Result<Folder<'_>> {
        let kept = self.clean.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let own = match kept {
            // Whoever cleans temporary folders up may have taken it.
            Some(folder) if folder.path().is_dir() => folder,
            _ => tempfile::Builder::new().prefix("run-").tempdir_in(&self.place)?,
        };
        Ok(Folder { of: self, own: Some(own) })
    }

    fn keep(&self, folder: TempDir) {
        let is_empty = std::fs::read_dir(folder.path()).is_ok_and(|mut entries| entries.next().is_none());
        if is_empty {
            let mut clean = self.clean.lock().unwrap_or_else(PoisonError::into_inner);
            if clean.len() < self.most {
                clean.push(folder);
            }
        }
    }
}

impl Folder<'_> {
    /// Where it is.
    pub fn path(&self) -> &Path {
        self.own.as_ref().map_or(&self.of.place, TempDir::path)
    }
}

impl Drop for Folder<'_> {
    fn drop(&mut self) {
        if let Some(own) = self.own.take() {
            self.of.keep(own);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch() -> (TempDir, Scratch) {
        let place = tempfile::tempdir().expect("a temporary folder");
        let scratch = Scratch::new(place.path().to_owned(), 1);
        (place, scratch)
    }

    fn entries(place: &Path) -> usize {
        std::fs::read_dir(place).expect("a folder").count()
    }

    #[test]
    fn what_a_run_wrote_goes_with_its_folder() {
        let (place, scratch) = scratch();
        let folder = scratch.folder().expect("a folder");
        std::fs::write(folder.path().join("page.pgm"), "words").expect("is written");
        drop(folder);
        assert_eq!(entries(place.path()), 0);
    }

    #[test]
    fn a_clean_folder_is_the_next_runs_and_never_two_runs_at_once() {
        let (place, scratch) = scratch();
        let (first, second) = (scratch.folder().expect("a folder"), scratch.folder().expect("a folder"));
        assert_ne!(first.path(), second.path());
        let path = first.path().to_owned();
        drop(first);
        drop(second);
        assert_eq!(entries(place.path()), 1, "no more than one is kept");
        assert_eq!(scratch.folder().expect("a folder").path(), path);
    }

    #[test]
    fn a_kept_folder_that_somebody_removed_is_made_anew() {
        let (place, scratch) = scratch();
        drop(scratch.folder().expect("a folder"));
        let kept = std::fs::read_dir(place.path()).expect("a folder").next().expect("one is kept").expect("an entry");
        std::fs::remove_dir(kept.path()).expect("is removed");
        assert!(scratch.folder().expect("a folder").path().is_dir());
    }
}
