//! `rb-ocr audit list|verify`: who did what, and that nobody altered it.

mod list;
mod verify;

use clap::Subcommand;

/// What to do with the audit.
#[derive(Subcommand, Debug)]
pub enum Audit {
    /// Lists events, newest first
    List(list::Args),
    /// Looks through the whole chain for events that were changed, taken away, added or put in another order
    Verify(verify::Args),
}

impl Audit {
    /// Does it.
    ///
    /// # Errors
    /// The database is away; the chain is not whole.
    pub async fn run(self, json: bool) -> anyhow::Result<()> {
        match self {
            Self::List(args) => list::run(&args, json).await,
            Self::Verify(args) => verify::run(&args, json).await,
        }
    }
}
