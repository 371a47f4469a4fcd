//! `cargo xtask bench`: the real program against the limit of its servers, in ratios within one run.
//!
//! The limit is what the same statements cost a bare client: the sandbox writes down every request of the program
//! ([`replay`]), and a second sandbox, a copy of the first from before, is asked the very same in turn.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    clippy::float_arithmetic,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a benchmark may fail loudly, tells how far it is, and its figures are no money"
)]

#[path = "../../support/pocketbase.rs"]
#[expect(dead_code, reason = "shared with the tests of the billing side, which use more of it")]
mod pocketbase;

#[path = "../../acceptance/harness/mod.rs"]
#[expect(dead_code, reason = "shared with the acceptance tests, which use more of it")]
mod harness;

mod catch_up;
mod events;
mod growth;
mod idle;
mod leaks;
mod process;
mod products;
mod push;
mod replay;
mod seed;
mod size;
mod stage;
mod start;
mod stats;
mod table;
mod tap;

use std::path::PathBuf;

use clap::Parser;

use table::Report;

/// Measure ShopSync.
#[derive(Debug, Parser)]
#[command(about)]
struct Arguments {
    /// Small figures: shows that everything works, and says little
    #[arg(long)]
    quick: bool,
    /// Only these: push, catch-up, start, products, leaks, invoices, catalogue, size
    #[arg(long)]
    only: Vec<String>,
    /// Idle for an hour instead of eleven minutes
    #[arg(long)]
    hour: bool,
    /// Where the table goes; rows of an earlier run that were not measured now are kept from `rows`
    #[arg(long)]
    table: Option<PathBuf>,
    /// Where rows are kept from run to run
    #[arg(long)]
    rows: Option<PathBuf>,
    /// What was built
    #[arg(long, default_value = "unknown")]
    commit: String,
}

/// How much of everything.
#[derive(Debug, Clone)]
struct Sizes {
    pushes: usize,
    waiting: u32,
    products: u32,
    passes: usize,
    idle_seconds: u64,
    starts: usize,
    leak_pushes: u32,
    invoices: Vec<u32>,
    catalogues: Vec<u32>,
    growth_pushes: usize,
    /// So many invoices are scanned at each size.
    scanned: u64,
}

impl Sizes {
    fn of(arguments: &Arguments) -> Self {
        if arguments.quick {
            return Self {
                pushes: 3,
                waiting: 20,
                products: 300,
                passes: 2,
                idle_seconds: 3,
                starts: 1,
                leak_pushes: 20,
                invoices: vec![50],
                catalogues: vec![],
                growth_pushes: 2,
                scanned: 20,
            };
        }
        Self {
            pushes: 200,
            waiting: 5_000,
            products: 50_000,
            passes: 7,
            idle_seconds: if arguments.hour { 3_600 } else { 660 },
            starts: 9,
            leak_pushes: 10_000,
            invoices: vec![1_000, 10_000, 100_000],
            catalogues: vec![10_000, 100_000, 500_000],
            growth_pushes: 40,
            scanned: 200,
        }
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let arguments = Arguments::parse();
    let sizes = Sizes::of(&arguments);
    let wanted = |name: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| only == name);
    let mut report = Report::open(arguments.rows.as_deref(), &arguments.commit);
    if wanted("size") {
        report.keep("size", size::measure());
    }
    if wanted("start") {
        report.keep("start", start::measure(&sizes).await);
    }
    if wanted("push") {
        report.keep("push", push::measure(&sizes).await);
    }
    if wanted("catch-up") {
        report.keep("catch-up", catch_up::measure(&sizes).await);
    }
    if wanted("products") {
        report.keep("products", products::measure(&sizes).await);
    }
    if wanted("leaks") {
        report.keep("leaks", leaks::measure(&sizes).await);
    }
    if wanted("invoices") {
        report.keep("invoices", growth::invoices(&sizes).await);
    }
    if wanted("catalogue") {
        report.keep("catalogue", growth::catalogues(&sizes).await);
    }
    report.end(arguments.table.as_deref());
}
