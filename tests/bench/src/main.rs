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

#[cfg(target_os = "linux")]
#[path = "../../desktop/screen.rs"]
#[expect(dead_code, reason = "shared with the tests of the desktop, which use more of it")]
mod screen;

#[cfg(target_os = "linux")]
#[path = "../../desktop/tray.rs"]
#[expect(dead_code, reason = "shared with the tests of the desktop, which use more of it")]
mod tray;

mod catch_up;
#[cfg(target_os = "linux")]
mod desktop;
#[cfg(target_os = "linux")]
mod empty_window;
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
use std::pin::Pin;

use clap::Parser;

use table::{Report, Row};

/// Measure ShopSync.
#[derive(Debug, Parser)]
#[command(about)]
struct Arguments {
    /// Small figures: shows that everything works, and says little
    #[arg(long)]
    quick: bool,
    /// Only these: push, catch-up, start, products, leaks, invoices, catalogue, size, desktop
    #[arg(long)]
    only: Vec<String>,
    /// Shops of so many invoices instead of 1000, 10000 and 100000
    #[arg(long, value_delimiter = ',')]
    invoices: Vec<u32>,
    /// Shops of so many products instead of 10000, 100000 and 500000
    #[arg(long, value_delimiter = ',')]
    catalogue: Vec<u32>,
    /// Idle for an hour instead of eleven minutes
    #[arg(long)]
    hour: bool,
    /// Where the table goes; rows of an earlier run that were not measured now are kept from `rows`
    #[arg(long)]
    table: Option<PathBuf>,
    /// Where rows are kept from run to run
    #[arg(long)]
    rows: Option<PathBuf>,
    /// Be the empty window that the program's own is measured against, and nothing else
    #[arg(long, hide = true)]
    empty_window: bool,
    /// What was built
    #[arg(long, default_value = "unknown")]
    commit: String,
}

type Part<'a> = Pin<Box<dyn Future<Output = Vec<Row>> + 'a>>;

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
    /// How often the window is opened and closed.
    windows: usize,
    /// The tray settles for this long before its memory is looked at.
    settle_seconds: u64,
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
                windows: 1,
                settle_seconds: 1,
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
            windows: 10,
            settle_seconds: 30,
        }
    }
}

fn main() {
    let arguments = Arguments::parse();
    #[cfg(target_os = "linux")]
    if arguments.empty_window {
        // A window lives on the main thread.
        return empty_window::run();
    }
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).enable_all().build().unwrap().block_on(measure(arguments));
}

async fn measure(arguments: Arguments) {
    let mut sizes = Sizes::of(&arguments);
    if !arguments.invoices.is_empty() {
        sizes.invoices.clone_from(&arguments.invoices);
    }
    if !arguments.catalogue.is_empty() {
        sizes.catalogues.clone_from(&arguments.catalogue);
    }
    let wanted = |name: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| only == name);
    let mut report = Report::open(arguments.rows.as_deref(), &arguments.commit);
    #[cfg(target_os = "linux")]
    let desktop: Part<'_> = Box::pin(desktop::measure(&sizes));
    #[cfg(not(target_os = "linux"))]
    let desktop: Part<'_> = Box::pin(async { Vec::new() });
    let parts: [(&str, Part<'_>); 9] = [
        ("size", Box::pin(async { size::measure() })),
        ("start", Box::pin(start::measure(&sizes))),
        ("desktop", desktop),
        ("push", Box::pin(push::measure(&sizes))),
        ("catch-up", Box::pin(catch_up::measure(&sizes))),
        ("products", Box::pin(products::measure(&sizes))),
        ("leaks", Box::pin(leaks::measure(&sizes))),
        ("invoices", Box::pin(growth::invoices(&sizes))),
        ("catalogue", Box::pin(growth::catalogues(&sizes))),
    ];
    let parts = parts.into_iter().filter(|(name, _)| wanted(name));
    if arguments.quick {
        // Side by side: what takes how long says nothing then, and it is soon over.
        let (names, parts): (Vec<_>, Vec<_>) = parts.unzip();
        for (name, rows) in names.into_iter().zip(futures_util::future::join_all(parts).await) {
            report.keep(name, rows);
        }
    } else {
        for (name, part) in parts {
            report.keep(name, part.await);
        }
    }
    report.end(arguments.table.as_deref());
}
