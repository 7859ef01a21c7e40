//! What is to be measured.

/// Seeds runs and measures searches over them.
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "bench-record")]
pub struct Options {
    /// How many runs
    #[arg(long, default_value_t = 5_000_000)]
    pub runs: u64,
    /// Spread over so many months
    #[arg(long, default_value_t = 3)]
    pub months: u32,
    /// Bytes of each run's text, about
    #[arg(long, default_value_t = 2_048)]
    pub text_bytes: usize,
    /// Different values of a kind, where there are so many
    #[arg(long, default_value_t = 40)]
    pub values: usize,
    /// Times that each is looked for, once warm
    #[arg(long, default_value_t = 5)]
    pub repeats: usize,
    /// Keeps the database of this name, or uses it as it is where it has runs
    #[arg(long, value_name = "NAME")]
    pub keep: Option<String>,
    /// The sizes alone
    #[arg(long)]
    pub sizes: bool,
}
