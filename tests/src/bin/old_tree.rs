//! `old-tree FOLDER --runs N [--seed N]`: a tree of run folders of the system before this one, to measure the import.

use std::path::PathBuf;

use clap::Parser;
use harness::old_tree::runs;

/// Writes a tree of old run folders
#[derive(Parser, Debug)]
struct Arguments {
    /// Where it goes
    folder: PathBuf,
    /// How many runs
    #[arg(long, default_value_t = 1000)]
    runs: usize,
    /// The same tree for the same seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> std::io::Result<()> {
    let Arguments { folder, runs: count, seed } = Arguments::parse();
    for run in runs(seed, count) {
        run.write(&folder)?;
    }
    Ok(())
}
