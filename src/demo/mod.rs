//! Everything on a shop made up on the spot: RainTek's stand-in, PocketBase, a till, a phone, and ShopSync between
//! them. It doubles as a check from end to end: `--headless` compares both sides row by row at the end.

mod arithmetic;
mod caller;
mod chance;
mod compare;
mod headless;
mod mixed;
mod phone;
mod sandbox;
mod show;
mod stage;
mod till;
mod values;

use std::io::{IsTerminal, Write};
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;

use anyhow::anyhow;
use futures_util::FutureExt;
use tokio::runtime::Runtime;

use self::stage::Stage;
use crate::app::desktop::{Host, on_desk};
use crate::model::fault::{Fault, FaultKind, Scope};
use crate::platform::{asked_to_end, has_display};

/// What `--headless` makes where nobody says how many.
const INVOICES: u64 = 100;
/// One run is one day of a shop.
const MOST_INVOICES: u64 = 8_000;

/// `shopsync demo`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// No page: make invoices, wait until all is in step, compare both sides.
    #[arg(long)]
    pub headless: bool,
    /// How many invoices to make; with --headless 100 where it is left out, else without end.
    #[arg(long, value_name = "N")]
    pub invoices: Option<u64>,
    /// What the shop and its day are made up from.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// With --headless: invoices are also revised and cancelled, bills edited and deleted on both sides.
    #[arg(long, requires = "headless")]
    pub mixed: bool,
    /// Leave both servers running at the end, and say where.
    #[arg(long)]
    pub keep: bool,
}

/// Runs it, with tray and window where there is a display to look at. Exit code 0: both sides are the same, or
/// somebody stopped the show; 1: they differ.
///
/// # Errors
/// Arguments that cannot be meant and programs that are missing (Config), or something that did not work, with what
/// still waits where that is it.
pub fn run(runtime: &Runtime, options: Options) -> anyhow::Result<ExitCode> {
    check(&options)?;
    if options.headless || !has_display() {
        return runtime.block_on(run_here(options));
    }
    let stage = Stage::new(options.keep)?;
    let (data, shown) = (stage.data(), options.clone());
    match on_desk(runtime, data, true, |host| run_on(stage, shown, Some(host))) {
        Ok(ended) => ended,
        // A display that is named and does not answer is none.
        Err(_) => runtime.block_on(run_here(options)),
    }
}

/// The same without a desktop.
///
/// # Errors
/// As [`run`].
pub async fn run_here(options: Options) -> anyhow::Result<ExitCode> {
    check(&options)?;
    let stage = Stage::new(options.keep)?;
    run_on(stage, options, None).await
}

async fn run_on(mut stage: Stage, options: Options, mut host: Option<Host>) -> anyhow::Result<ExitCode> {
    stage.screen(host.as_ref());
    let played = tokio::select! {
        played = AssertUnwindSafe(play(&mut stage, &options, host.as_mut())).catch_unwind() => Some(played),
        () = asked_to_end() => None,
    };
    let stopped = played.is_none();
    let same = match played {
        Some(Ok(same)) => same,
        Some(Err(panic)) => {
            stage.give_up();
            stage.close(true).await;
            std::panic::resume_unwind(panic);
        }
        None if options.headless => Err(anyhow!("Stopped.")),
        None => Ok(true),
    };
    tell("");
    let logs_are_wanted = options.headless && stage.is_open() && !stopped && !matches!(same, Ok(true));
    if options.keep && stage.is_open() {
        for line in stage.logins()? {
            say(&line);
        }
    } else {
        stage.give_up();
        if logs_are_wanted {
            say(&format!("The logs are in {}", stage.data().join("logs").display()));
        }
    }
    stage.close(!logs_are_wanted).await;
    Ok(if same? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn play(stage: &mut Stage, options: &Options, host: Option<&mut Host>) -> anyhow::Result<bool> {
    stage.open(options.seed).await?;
    let stage = &*stage;
    if options.headless {
        let invoices = options.invoices.unwrap_or(INVOICES);
        return headless::run(stage, invoices, options.seed, options.mixed).await;
    }
    say(&format!("The shop is open. Its page: {}", stage.link()));
    let Some(host) = host else {
        say("Ctrl-C ends it.");
        show::run(stage, options.invoices, options.seed).await?;
        return Ok(true);
    };
    say("Ctrl-C ends it, and so does Quit in the menu of its icon.");
    tokio::select! {
        ended = show::run(stage, options.invoices, options.seed) => ended?,
        // The phone bills on and on: there is no end that could be waited for.
        _ = host.serve(stage.running()?, None) => {}
    }
    Ok(true)
}

fn check(options: &Options) -> Result<(), Fault> {
    let wrong = |sentence: String| Err(Fault::new(FaultKind::Config, Scope::Store, sentence));
    match options.invoices {
        Some(0) => wrong("--invoices must be at least 1.".to_owned()),
        Some(many) if many > MOST_INVOICES => wrong(format!("--invoices must be at most {MOST_INVOICES}.")),
        _ => Ok(()),
    }
}

/// A line for the person at the terminal; one that went away is no reason to fail.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A line that is written over by the next one, where somebody looks on; empty takes it away.
fn tell(line: &str) {
    let mut out = std::io::stderr();
    if out.is_terminal() {
        let _ = write!(out, "\r\u{1b}[K{line}");
        let _ = out.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_cannot_be_meant_are_a_sentence_of_the_settings_kind() {
        let options = |invoices| Options { headless: true, invoices, seed: 1, mixed: false, keep: false };
        for invoices in [0, MOST_INVOICES + 1] {
            let fault = check(&options(Some(invoices))).unwrap_err();
            assert_eq!(fault.kind, FaultKind::Config);
            assert!(fault.sentence.contains("--invoices"));
        }
        assert!(check(&options(None)).is_ok());
        assert!(check(&options(Some(1))).is_ok());
    }
}
