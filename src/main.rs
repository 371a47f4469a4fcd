//! ShopSync's program.

fn main() -> std::process::ExitCode {
    shopsync::cli::main()
}
