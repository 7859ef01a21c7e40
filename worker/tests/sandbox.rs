//! The sandbox against children that misbehave. The children are shell scripts.

use std::path::{Path, PathBuf};
use std::time::Duration;

use worker::sandbox::{Limits, Sandbox, SandboxError, Task};

/// As for a look at a document, with room for the files that the scripts write.
const WRITES: Limits = Limits { file_bytes: 1 << 20, ..Limits::LOOK };

fn sandbox() -> Sandbox {
    Sandbox::new(4).expect("a thread can be started")
}

fn script<'a>(folder: &'a Path, script: &str, limits: Limits) -> Task<'a> {
    Task { program: "sh", arguments: vec!["-c".into(), script.into()], folder, limits }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Waits until the process is gone, or is a zombie that only waits to be collected.
async fn is_gone(pid: &str) {
    let status = PathBuf::from(format!("/proc/{}/stat", pid.trim()));
    for _ in 0..1_000 {
        match std::fs::read_to_string(&status) {
            Err(_) => return,
            Ok(stat) if stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z')) => {
                return;
            }
            Ok(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
    panic!("process {pid} still runs");
}

/// Waits until a child has written its process id.
async fn written(file: &Path) -> String {
    for _ in 0..1_000 {
        match std::fs::read_to_string(file) {
            Ok(pid) if pid.ends_with('\n') => return pid,
            _ => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
    panic!("the child wrote nothing");
}

#[tokio::test]
async fn a_child_has_a_bare_environment_and_a_folder_of_its_own() {
    let folder = folder();
    let task = script(folder.path(), "env | sort; pwd", Limits::LOOK);
    let output = String::from_utf8(sandbox().run(task).await.expect("it runs")).expect("UTF-8");
    let allowed =
        ["HOME", "LC_ALL", "OMP_THREAD_LIMIT", "PATH", "TESSDATA_PREFIX", "TMPDIR", "PWD", "SHLVL", "_", "OLDPWD"];
    let (variables, place): (Vec<&str>, Vec<&str>) = output.lines().partition(|line| line.contains('='));
    for variable in &variables {
        let name = variable.split('=').next().unwrap_or_default();
        assert!(allowed.contains(&name), "{name} leaks into children");
    }
    assert!(variables.contains(&"OMP_THREAD_LIMIT=1"));
    let [place] = place[..] else { panic!("one line of pwd") };
    assert!(variables.contains(&format!("TMPDIR={place}").as_str()));
    assert!(variables.contains(&format!("HOME={place}").as_str()));
    assert!(!Path::new(place).exists(), "the child's folder is removed");
}

#[tokio::test]
async fn a_child_that_hangs_is_killed_with_everything_that_it_started() {
    let folder = folder();
    let text = format!(
        "sleep 1000 & echo $! > {0}/one; setsid sh -c 'echo $$ > {0}/two; sleep 1000' & wait",
        folder.path().display()
    );
    let limits = Limits { wall_time: Duration::from_secs(2), ..WRITES };
    let result = sandbox().run(script(folder.path(), &text, limits)).await;
    assert!(matches!(result, Err(SandboxError::TimedOut)), "{result:?}");
    for file in ["one", "two"] {
        is_gone(&written(&folder.path().join(file)).await).await;
    }
}

#[tokio::test]
async fn a_child_nobody_waits_for_any_more_is_killed() {
    let folder = folder();
    let file = folder.path().join("pid");
    let text = format!("echo $$ > {}; sleep 1000", file.display());
    let sandbox = sandbox();
    let pid = {
        let run = sandbox.run(script(folder.path(), &text, WRITES));
        tokio::select! {
            _ = run => panic!("it does not end by itself"),
            pid = written(&file) => pid,
        }
    };
    is_gone(&pid).await;
}

#[tokio::test]
async fn what_a_child_leaves_running_is_killed_when_it_ends() {
    let folder = folder();
    let file = folder.path().join("pid");
    let text = format!("sleep 1000 & echo $! > {}; echo done", file.display());
    let output = sandbox().run(script(folder.path(), &text, WRITES)).await.expect("it ends in order");
    assert_eq!(output, b"done\n");
    is_gone(&written(&file).await).await;
}

#[tokio::test]
async fn a_child_that_prints_forever_is_stopped() {
    let folder = folder();
    for text in ["yes", "yes >&2"] {
        let result = sandbox().run(script(folder.path(), text, Limits::LOOK)).await;
        assert!(matches!(result, Err(SandboxError::TooMuchOutput)), "{text}: {result:?}");
    }
}

#[tokio::test]
async fn a_child_that_eats_memory_fails() {
    let folder = folder();
    let limits = Limits { memory_bytes: 64 << 20, ..Limits::LOOK };
    let eater = "x=0123456789abcdef; while :; do x=$x$x; done";
    let result = sandbox().run(script(folder.path(), eater, limits)).await;
    let error = result.expect_err("there is no end to it");
    assert!(matches!(error, SandboxError::Failed { .. }), "{error:?}");
    assert!(error.is_the_files_fault());
}

#[tokio::test]
async fn a_child_that_computes_forever_is_stopped_by_its_cpu_limit() {
    let folder = folder();
    let limits = Limits { cpu_seconds: 1, wall_time: Duration::from_secs(120), ..Limits::LOOK };
    let result = sandbox().run(script(folder.path(), "while :; do :; done", limits)).await;
    assert!(matches!(result, Err(SandboxError::Failed { .. })), "{result:?}");
}

#[tokio::test]
async fn a_child_cannot_fill_the_disk() {
    let folder = folder();
    let limits = Limits { file_bytes: 1 << 20, ..Limits::LOOK };
    let text = "head -c 10000000 /dev/zero > big";
    let result = sandbox().run(script(folder.path(), text, limits)).await;
    assert!(matches!(result, Err(SandboxError::Failed { .. })), "{result:?}");
}

#[tokio::test]
async fn an_exit_status_tells_a_bad_file_and_a_missing_program_is_nobodys_file() {
    let folder = folder();
    let failed = sandbox().run(script(folder.path(), "echo 'Иванов' >&2; exit 3", Limits::LOOK)).await;
    let failed = failed.expect_err("it fails");
    assert!(failed.is_the_files_fault());
    assert!(failed.to_string().contains("exit status 3") && !failed.to_string().contains("Иванов"));
    let task = Task { program: "no-such-program", arguments: Vec::new(), folder: folder.path(), limits: Limits::LOOK };
    let missing = sandbox().run(task).await.expect_err("there is none");
    assert!(matches!(missing, SandboxError::Spawn(_)) && !missing.is_the_files_fault());
}

#[tokio::test]
async fn no_more_children_run_at_once_than_there_are_slots() {
    let folder = folder();
    let sandbox = Sandbox::new(2).expect("a thread can be started");
    // Each child counts those that run with it by the files they leave while they live.
    let text = format!("cd {}; : > run.$$; set -- run.*; echo $#; sleep 0.05; rm run.$$", folder.path().display());
    let runs = (0..8).map(|_| sandbox.run(script(folder.path(), &text, WRITES)));
    for output in futures::future::join_all(runs).await {
        let count: u32 = String::from_utf8_lossy(&output.expect("it runs")).trim().parse().expect("a number");
        assert!(count <= 2, "{count} at once");
    }
}
