//! The command line.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use raintek_sandbox::{Options, Sandbox};
use serde_json::json;

/// RainTek's stand-in: its tables behind a TDS server over SQLite, and its till.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve (the default)
    Serve(Serve),
}

#[derive(Debug, Args)]
struct Serve {
    /// TDS port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Control port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    control_port: u16,
    /// The SQLite file; what it holds is kept
    #[arg(long, default_value = "raintek-sandbox.sqlite")]
    file: PathBuf,
    /// How many products to make up in an empty file
    #[arg(long, default_value_t = 0)]
    seed_products: u32,
    /// The seed they are made up from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The SQL login's name
    #[arg(long, default_value = "sa")]
    user: String,
    /// The SQL login's password
    #[arg(long, default_value = "RainTek-1")]
    password: String,
}

/// Runs the command; 0 is well, 1 is an error told on standard error.
pub(crate) fn run(cli: Cli) -> ExitCode {
    let result = match cli.command {
        Some(Command::Serve(options)) => serve(options),
        None => serve(cli.serve),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // nobody is left to tell where standard error is closed
            let _ = writeln!(std::io::stderr(), "raintek-sandbox: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn say(line: &serde_json::Value) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

fn serve(serve: Serve) -> anyhow::Result<()> {
    let sandbox = Sandbox::start(Options {
        port: serve.port,
        control_port: serve.control_port,
        file: serve.file,
        seed_products: serve.seed_products,
        seed: serve.seed,
        user: serve.user,
        password: serve.password,
    })?;
    say(&json!({ "tds": sandbox.tds_port, "control": sandbox.control_port }))?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(tokio::signal::ctrl_c())?;
    Ok(())
}
