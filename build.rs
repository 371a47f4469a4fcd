//! Gives the Windows program its icon, its version, and what it declares about itself.

use std::io;

const ICON: &str = "assets/icons/shopsync.ico";
const MANIFEST: &str = "assets/windows/shopsync.manifest";

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    // The host may be another system than the one that is built for.
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "windows") {
        println!("cargo:rerun-if-changed={ICON}");
        println!("cargo:rerun-if-changed={MANIFEST}");
        winresource::WindowsResource::new()
            .set("ProductName", "ShopSync")
            .set("FileDescription", "ShopSync")
            .set("OriginalFilename", "shopsync.exe")
            .set("LegalCopyright", "MIT or Apache-2.0")
            .set_icon(ICON)
            .set_manifest_file(MANIFEST)
            .compile()?;
    }
    Ok(())
}
