//! The command line.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use std::time::Duration;

use anyhow::Context as _;
use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand};
use raintek_sandbox::till::{self, NewProduct, TaxMode};
use raintek_sandbox::{Generation, Options, Sandbox, Tls};
use rust_decimal::Decimal;
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
    /// Work at the till
    Till(Till),
}

#[derive(Debug, Args)]
struct Till {
    #[command(subcommand)]
    work: Work,
    /// The server's TDS port on 127.0.0.1
    #[arg(long, global = true, default_value_t = 1433)]
    port: u16,
    /// The SQL login's name
    #[arg(long, global = true, default_value = "sa")]
    user: String,
    /// The SQL login's password
    #[arg(long, global = true, default_value = "RainTek-1")]
    password: String,
}

#[derive(Debug, Subcommand)]
enum Work {
    /// Bill random baskets
    Bill {
        /// How many; 0 bills for ever
        #[arg(long, default_value_t = 1)]
        count: u64,
        /// Pause between two bills, in milliseconds: half of it to one and a half times, by the seed
        #[arg(long, default_value_t = 0)]
        pause_ms: u64,
        /// The seed of the baskets
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// The day on the bills; today where it is left out
        #[arg(long)]
        date: Option<NaiveDate>,
    },
    /// Edit a bill in place: a new random basket under the old number
    Edit {
        /// The bill's number; the newest where it is left out
        #[arg(long)]
        number: Option<String>,
        /// The seed of the basket
        #[arg(long, default_value_t = 2)]
        seed: u64,
        /// The day on the bill; today where it is left out
        #[arg(long)]
        date: Option<NaiveDate>,
    },
    /// Delete a bill
    Delete {
        /// The bill's number; the newest where it is left out
        #[arg(long)]
        number: Option<String>,
    },
    /// Add a product, or switch one on, off or away
    Product {
        /// Its code
        #[arg(long)]
        code: String,
        /// Its name; needed for a new one
        #[arg(long)]
        name: Option<String>,
        /// Its price in rupees
        #[arg(long, default_value = "10.00")]
        price: Decimal,
        /// Its GST rate in percent
        #[arg(long, default_value = "18")]
        gst: Decimal,
        /// Inclusive, Exclusive, Exempt GST or No Taxes
        #[arg(long, default_value = "Exclusive")]
        tax_mode: String,
        /// Its unit
        #[arg(long, default_value = "PCS")]
        unit: String,
        /// The barcode of its lot; without one there is no lot
        #[arg(long)]
        barcode: Option<String>,
        /// How many there are
        #[arg(long, default_value = "10")]
        stock: Decimal,
        /// Switch it `on` or `off`, or `remove` it, instead of adding one
        #[arg(long)]
        set: Option<String>,
    },
    /// Change a product's selling price
    Price {
        /// Its code
        #[arg(long)]
        code: String,
        /// The new price in rupees
        #[arg(long)]
        price: Decimal,
    },
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
    /// How RainTek's tables look in an empty file
    #[arg(long, value_enum, default_value_t)]
    generation: Generation,
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
    /// Encrypt connections whose client wants it, and show this certificate
    #[arg(long, value_enum, default_value_t = Tls::Off)]
    tls: Tls,
}

/// Runs the command; 0 is well, 1 is an error told on standard error.
pub(crate) fn run(cli: Cli) -> ExitCode {
    let result = match cli.command {
        Some(Command::Serve(options)) => serve(options),
        Some(Command::Till(till)) => tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(anyhow::Error::from)
            .and_then(|runtime| runtime.block_on(work(till))),
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
        generation: serve.generation,
        seed_products: serve.seed_products,
        seed: serve.seed,
        user: serve.user,
        password: serve.password,
        tls: serve.tls,
    })?;
    say(&json!({ "tds": sandbox.tds_port, "control": sandbox.control_port }))?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(tokio::signal::ctrl_c())?;
    Ok(())
}

async fn work(options: Till) -> anyhow::Result<()> {
    let mut till = till::Till::new(options.port, &options.user, &options.password);
    match options.work {
        Work::Bill { count, pause_ms, seed, date } => {
            let mut at = 0;
            while count == 0 || at < count {
                if at > 0 {
                    tokio::time::sleep(Duration::from_millis(pause(pause_ms, seed, at))).await;
                }
                // a till that fails goes on with the next customer
                say(&one_bill(&mut till, seed.wrapping_add(at), date).await)?;
                at += 1;
            }
        }
        Work::Edit { number, seed, date } => {
            let number = named(&mut till, number).await?;
            let bill = till.random_bill(seed, day(date)).await?;
            let billed = till.edit(&number, &bill).await?;
            say(&saved(&billed))?;
        }
        Work::Delete { number } => {
            let number = named(&mut till, number).await?;
            till.delete(&number).await?;
            say(&json!({ "number": number, "deleted": true }))?;
        }
        Work::Product { code, name, price, gst, tax_mode, unit, barcode, stock, set } => match set.as_deref()
        {
            Some("on" | "off") => {
                till.set_in_use(&code, set.as_deref() == Some("on")).await?;
                say(&json!({ "code": code, "set": set }))?;
            }
            Some("remove") => {
                till.remove_product(&code).await?;
                say(&json!({ "code": code, "set": set }))?;
            }
            Some(other) => anyhow::bail!("--set is on, off or remove, not {other}"),
            None => {
                let name = name.context("a new product needs --name")?;
                let tax_mode = TaxMode::parse(&tax_mode);
                let product = NewProduct { code, name, price, gst, tax_mode, unit, barcode, stock };
                let pid = till.add_product(&product).await?;
                say(&json!({ "code": product.code, "pid": pid }))?;
            }
        },
        Work::Price { code, price } => {
            till.set_price(&code, price).await?;
            say(&json!({ "code": code, "price": price.to_string() }))?;
        }
    }
    Ok(())
}

/// No cashier keeps step with another: tills that did would always take the same number.
const fn pause(milliseconds: u64, seed: u64, at: u64) -> u64 {
    let mixed =
        seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(at.wrapping_mul(0x2545_F491_4F6C_DD1D)) >> 16;
    if milliseconds == 0 { 0 } else { milliseconds / 2 + mixed % milliseconds }
}

async fn one_bill(till: &mut till::Till, seed: u64, date: Option<NaiveDate>) -> serde_json::Value {
    let billed = match till.random_bill(seed, day(date)).await {
        Ok(bill) => till.bill(&bill).await,
        Err(error) => Err(error),
    };
    match billed {
        Ok(billed) => saved(&billed),
        Err(error) => json!({ "failed": true, "error": format!("{error:#}") }),
    }
}

/// A saved bill as the till itself has it.
fn saved(billed: &till::Billed) -> serde_json::Value {
    let lines = billed
        .lines
        .iter()
        .map(|(pid, qty, total)| json!({ "pid": pid, "qty": qty.to_string(), "total": total.to_string() }));
    let payments =
        billed.payments.iter().map(|(mode, amount)| json!({ "mode": mode, "amount": amount.to_string() }));
    json!({
        "number": billed.number,
        "inv_id": billed.inv_id,
        "grand_total": billed.grand_total.to_string(),
        "lines": lines.collect::<Vec<_>>(),
        "payments": payments.collect::<Vec<_>>(),
        "failed": false,
    })
}

async fn named(till: &mut till::Till, number: Option<String>) -> anyhow::Result<String> {
    match number {
        Some(number) => Ok(number),
        None => till.last_number().await?.context("there is no bill"),
    }
}

#[expect(clippy::disallowed_methods, reason = "a till bills on the day it is")]
fn day(date: Option<NaiveDate>) -> NaiveDate {
    date.unwrap_or_else(|| chrono::Local::now().date_naive())
}
