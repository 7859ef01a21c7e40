//! One run's folder: written aside, then put in its place by one rename, so that nobody meets half of it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use chrono::NaiveDate;
use serde_json::Value;
use shared::legacy;
use uuid::Uuid;

/// Where folders are written. It begins with a dot, so that no reader takes it for a day.
const ASIDE: &str = ".writing";

/// Longer than any writing takes.
const OLD: Duration = Duration::from_secs(3600);

/// A folder that is being written; what is not finished goes with it.
#[derive(Debug)]
pub(super) struct Writing(tempfile::TempDir);

impl Writing {
    pub(super) fn begin(root: &Path, run_id: Uuid) -> io::Result<Self> {
        let aside = root.join(ASIDE);
        std::fs::create_dir_all(&aside)?;
        Ok(Self(tempfile::Builder::new().prefix(&format!("{run_id}-")).tempdir_in(aside)?))
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes the files and puts the folder in its place; one of an earlier generation makes room.
    pub(super) fn finish(self, root: &Path, day: NaiveDate, run_id: Uuid, files: &[(&str, Value)]) -> io::Result<()> {
        for (name, value) in files {
            std::fs::write(self.path().join(name), serde_json::to_string_pretty(value)?)?;
        }
        readable(self.path())?;
        let place = place(root, day, run_id);
        std::fs::create_dir_all(place.parent().unwrap_or(root))?;
        if place.exists() {
            let earlier = tempfile::Builder::new().prefix("earlier-").tempdir_in(root.join(ASIDE))?;
            std::fs::rename(&place, earlier.path().join("run"))?;
        }
        std::fs::rename(self.path(), &place)?;
        // It is nothing temporary any more.
        let _ = self.0.keep();
        Ok(())
    }
}

/// As the process's own rights have it, and not for its owner alone: others are to read it.
fn readable(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))
}

fn place(root: &Path, day: NaiveDate, run_id: Uuid) -> PathBuf {
    root.join(day.to_string()).join(run_id.to_string())
}

/// Removes a run's folder; false where there is none.
pub(super) fn remove(root: &Path, run_id: Uuid) -> io::Result<bool> {
    let Some(day) = legacy::folder_day_of(run_id) else { return Ok(false) };
    match std::fs::remove_dir_all(place(root, day, run_id)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Removes what was begun long ago and never finished.
pub(super) fn sweep(root: &Path) {
    let Ok(entries) = std::fs::read_dir(root.join(ASIDE)) else { return };
    for entry in entries.flatten() {
        let written = entry.metadata().and_then(|found| found.modified()).unwrap_or_else(|_| SystemTime::now());
        if written.elapsed().is_ok_and(|age| age > OLD) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run() -> (Uuid, NaiveDate) {
        let id = Uuid::now_v7();
        (id, legacy::folder_day_of(id).expect("a UUIDv7 holds its day"))
    }

    fn written(root: &Path, verdict: bool) -> (Uuid, PathBuf) {
        let (id, day) = run();
        write(root, id, day, verdict);
        (id, place(root, day, id))
    }

    fn write(root: &Path, id: Uuid, day: NaiveDate, verdict: bool) {
        let writing = Writing::begin(root, id).expect("is begun");
        writing
            .finish(root, day, id, &[("04_final.json", json!({"verdict": verdict, "имя": "Ә"}))])
            .expect("is written");
    }

    #[test]
    fn a_folder_comes_whole_into_its_place_and_an_earlier_one_makes_room() {
        let root = tempfile::tempdir().expect("a folder");
        let (id, place) = written(root.path(), false);
        std::fs::write(place.join("00_input.pdf"), "old").expect("is written");
        let day = legacy::folder_day_of(id).expect("a day");
        write(root.path(), id, day, true);
        let text = std::fs::read_to_string(place.join("04_final.json")).expect("is there");
        assert_eq!(text, "{\n  \"verdict\": true,\n  \"имя\": \"Ә\"\n}");
        assert!(!place.join("00_input.pdf").exists(), "of the earlier generation");
        assert_eq!(std::fs::read_dir(root.path().join(ASIDE)).expect("is there").count(), 0, "something is left");
    }

    #[test]
    fn what_is_not_finished_leaves_nothing() {
        let root = tempfile::tempdir().expect("a folder");
        let (id, day) = run();
        std::fs::write(root.path().join(day.to_string()), "a file where the day should be").expect("is written");
        let writing = Writing::begin(root.path(), id).expect("is begun");
        assert!(writing.finish(root.path(), day, id, &[]).is_err());
        assert_eq!(std::fs::read_dir(root.path().join(ASIDE)).expect("is there").count(), 0);
    }

    #[test]
    fn a_run_is_removed_once() {
        let root = tempfile::tempdir().expect("a folder");
        let (id, place) = written(root.path(), true);
        assert!(remove(root.path(), id).expect("is removed"));
        assert!(!place.exists() && !remove(root.path(), id).expect("is gone already"));
    }
}
