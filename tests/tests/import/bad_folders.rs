//! Folders that are half written, spoilt, somebody else's, or a trap: told of, passed over, and in nobody's way.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use harness::old_tree::{Ending, OldRun, Vintage};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use shared::store::erasures::{Eraser, erase};

use super::house::House;

/// Runs of one vintage, all with a verdict.
fn some(seed: u64, vintage: Vintage, count: usize) -> Vec<OldRun> {
    let mut dice = StdRng::seed_from_u64(seed);
    (0..count).map(|_| OldRun::some(&mut dice, vintage, Ending::Accepted)).collect()
}

fn cut(path: &Path) {
    let bytes = std::fs::read(path).unwrap();
    std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}

#[tokio::test]
async fn each_bad_folder_is_told_of_with_its_reason_and_stops_no_other() {
    let house = House::new().await;
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret"), "%PDF-1.4 somebody else's").unwrap();
    let secret = outside.path().join("secret");
    let good = some(1, Vintage::FlatNumbers, 3);
    house.write(&good);
    let (flat, nested) = (some(2, Vintage::FlatNames, 12), some(3, Vintage::Stamped, 8));
    house.write(&flat);
    house.write(&nested);
    let place = |run: &OldRun| run.folder(house.tree.path());
    let document = |folder: &Path| -> PathBuf {
        let mut entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.find(|path| path.file_name().unwrap().to_string_lossy().starts_with("00_input")).unwrap()
    };
    let instead = |path: &Path, target: &Path| {
        std::fs::remove_file(path).unwrap();
        symlink(target, path).unwrap();
    };
    let mut bad: Vec<(&OldRun, &str)> = Vec::new();
    let folder = |number: usize| place(&flat[number]);
    cut(&folder(0).join("04_final.json"));
    bad.push((&flat[0], "04_final.json is no JSON"));
    std::fs::remove_file(folder(1).join("04_final.json")).unwrap();
    bad.push((&flat[1], "04_final.json is missing: the folder is half written"));
    cut(&folder(2).join("01_ocr.json"));
    bad.push((&flat[2], "01_ocr.json is no JSON"));
    instead(&document(&folder(3)), &secret);
    bad.push((&flat[3], "the document is a link out of the folder that is imported"));
    instead(&folder(4).join("04_final.json"), Path::new("../../../../../../../../etc/passwd"));
    bad.push((&flat[4], "04_final.json is a link out"));
    std::fs::remove_file(document(&folder(5))).unwrap();
    bad.push((&flat[5], "the document is missing"));
    std::fs::write(document(&folder(6)), "").unwrap();
    bad.push((&flat[6], "the document is missing"));
    std::fs::write(folder(7).join("01_ocr.json"), vec![b' '; 9 * 1024 * 1024]).unwrap();
    bad.push((&flat[7], "01_ocr.json is larger than"));
    std::fs::write(folder(8).join("01_ocr.json"), "[".repeat(200_000)).unwrap();
    bad.push((&flat[8], "01_ocr.json is no JSON"));
    std::fs::remove_file(folder(9).join("04_final.json")).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(folder(9).join("04_final.json")).status().unwrap();
    assert!(pipe.success());
    bad.push((&flat[9], "04_final.json is no plain file"));
    std::fs::write(folder(10).join("00_input.second"), "x").unwrap();
    bad.push((&flat[10], "holds more than one document"));
    let end = std::fs::read_to_string(folder(11).join("04_final.json")).unwrap();
    std::fs::write(folder(11).join("04_final.json"), end.replace("\"success\"", "{\"a\": 1}")).unwrap();
    bad.push((&flat[11], "04_final.json: status is no text"));
    let folder = |number: usize| place(&nested[number]);
    std::fs::remove_file(folder(0).join("meta/manifest.json")).unwrap();
    bad.push((&nested[0], "meta/manifest.json is missing"));
    cut(&folder(1).join("llm/merged.json"));
    bad.push((&nested[1], "llm/merged.json is no JSON"));
    std::fs::remove_dir_all(folder(2).join("meta")).unwrap();
    symlink(outside.path(), folder(2).join("meta")).unwrap();
    bad.push((&nested[2], "meta is a link out"));
    std::fs::remove_dir_all(folder(3).join("input")).unwrap();
    symlink(outside.path(), folder(3).join("input")).unwrap();
    bad.push((&nested[3], "input is a link out"));
    std::fs::rename(folder(4), outside.path().join("moved")).unwrap();
    symlink(outside.path().join("moved"), folder(4)).unwrap();
    bad.push((&nested[4], "is a link, which is not followed"));
    std::fs::remove_dir_all(folder(5)).unwrap();
    std::fs::create_dir(folder(5)).unwrap();
    bad.push((&nested[5], "holds no file of a run"));
    std::fs::write(folder(6).join("ocr/ocr_response_filtered.json"), "{\"pages\": [7]}").unwrap();
    bad.push((&nested[6], "a page is no object"));
    let manifest = std::fs::read_to_string(folder(7).join("meta/manifest.json")).unwrap();
    std::fs::write(folder(7).join("meta/manifest.json"), manifest.replace(&nested[7].id, "20251126_130742_00000"))
        .unwrap();
    bad.push((&nested[7], "its files name different runs"));
    std::fs::create_dir(house.tree.path().join("lost+found")).unwrap();
    std::fs::create_dir(house.tree.path().join("2025-12-20").join("backup"))
        .or_else(|error| match error.kind() {
            std::io::ErrorKind::NotFound => std::fs::create_dir_all(house.tree.path().join("2025-12-20/backup")),
            _ => Err(error),
        })
        .unwrap();
    symlink(outside.path(), house.tree.path().join("2025-12-31")).unwrap();

    let said = house.import(&[]).await;
    assert_eq!(said.status, 3, "{}", said.told);
    for (run, reason) in &bad {
        let line = said.of(&run.id);
        assert_eq!(line["outcome"], "unreadable", "{line}");
        assert!(line["reason"].as_str().unwrap().contains(reason), "{reason}: {line}");
        assert!(!line.to_string().contains(&run.person.last), "a name is told: {line}");
    }
    for name in ["lost+found", "backup", "2025-12-31"] {
        assert_eq!(said.of(name)["outcome"], "unreadable");
    }
    assert_eq!((said.count("unreadable"), said.count("imported")), (bad.len() + 3, good.len()));
    let held = house.held().await;
    assert_eq!((held["verification_runs"], held["files"]), (3, 3), "nothing of what was passed over is kept");

    // What was mended is taken the next time: nothing is lost.
    good.iter().chain([&flat[0], &nested[0]]).for_each(|run| drop(run.write(house.tree.path()).unwrap()));
    let again = house.import(&[]).await;
    assert_eq!((again.count("imported"), again.count("exists")), (2, 3), "{}", again.told);
}

#[tokio::test]
async fn links_that_stay_inside_are_followed() {
    let house = House::new().await;
    let runs = some(4, Vintage::NestedUuid, 1);
    house.write(&runs);
    let folder = runs[0].folder(house.tree.path());
    let original = folder.join("input/original");
    let blobs = house.tree.path().join(".blobs");
    std::fs::rename(&original, &blobs).unwrap();
    symlink("../../../.blobs", &original).unwrap();
    let said = house.import(&[]).await;
    assert_eq!((said.status, said.count("imported")), (0, 1), "{:?}", said.lines);
}

#[tokio::test]
async fn the_same_run_in_two_folders_is_imported_once_each_time() {
    let house = House::new().await;
    let runs = some(5, Vintage::FlatNumbers, 2);
    house.write(&runs);
    let copy = |to: PathBuf| {
        let from = runs[0].folder(house.tree.path());
        std::fs::create_dir_all(&to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    };
    // On another day under its own name, and under another name.
    copy(house.tree.path().join("2026-03-01").join(&runs[0].id));
    copy(house.tree.path().join("2026-03-02").join("copy of it"));
    for imported in [2, 0] {
        let said = house.import(&[]).await;
        assert_eq!(
            (said.count("imported"), said.count("duplicate"), said.status),
            (imported, 2, 0),
            "{:?}",
            said.lines
        );
        let copied = said.of("copy of it");
        assert_eq!(copied["legacy_run_id"], runs[0].id.as_str());
        assert!(said.lines.iter().any(|line| line["run_id"] == copied["run_id"] && line["outcome"] != "duplicate"));
    }
    assert_eq!(house.held().await["verification_runs"], 2);
}

#[tokio::test]
async fn what_was_erased_does_not_come_back() {
    let house = House::new().await;
    let runs = some(6, Vintage::FlatNumbers, 2);
    house.write(&runs);
    let said = house.import(&[]).await;
    let run_id = said.of(&runs[0].id)["run_id"].as_str().unwrap().parse().unwrap();
    let owner = sqlx::query_scalar("SELECT client_id FROM clients").fetch_one(house.pool()).await.unwrap();
    let eraser = Eraser { actor: "test", ip_address: None, trace_context: "" };
    assert!(erase(house.pool(), run_id, owner, &eraser).await.unwrap());
    let again = house.import(&[]).await;
    let line = again.of(&runs[0].id);
    assert_eq!((again.count("exists"), &line["reason"]), (2, &"was imported and then erased".into()));
    assert_eq!(house.held().await["verification_runs"], 1);
}
