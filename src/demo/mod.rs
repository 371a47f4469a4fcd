//! Everything on a shop made up on the spot.

use std::process::ExitCode;

/// `shopsync demo`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// No page: make invoices, wait until all is in step, compare both sides.
    #[arg(long)]
    pub headless: bool,
    /// How many invoices to make.
    #[arg(long)]
    pub invoices: Option<u32>,
    /// What the shop and its day are made up from.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Leave both servers running at the end, and say where.
    #[arg(long)]
    pub keep: bool,
}

/// Runs it.
pub async fn run(_options: Options) -> anyhow::Result<ExitCode> {
    anyhow::bail!("being written")
}
