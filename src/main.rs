//! ShopSync's program.
// A tray needs no console window; the command line prints into the one it was started from.
#![cfg_attr(windows, windows_subsystem = "windows")]

fn main() -> std::process::ExitCode {
    shopsync::cli::main()
}
