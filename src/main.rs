//! ShopSync's program.
// A tray needs no console window; the command line prints into the one it was started from.
#![cfg_attr(windows, windows_subsystem = "windows")]

/// A tray runs for months: what it needed once must not stay with it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    shopsync::cli::main()
}
