//! What the program says of itself to Windows, read off the file.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::steps::output_of;

/// What Windows 10 has, and the one library that lies beside the program.
const LIBRARIES: [&str; 26] = [
    "advapi32",
    "bcrypt",
    "bcryptprimitives",
    "combase",
    "comctl32",
    "crypt32",
    "dwmapi",
    "gdi32",
    "imm32",
    "iphlpapi",
    "kernel32",
    "msvcrt",
    "ncrypt",
    "ntdll",
    "ole32",
    "oleaut32",
    "powrprof",
    "propsys",
    "secur32",
    "shell32",
    "shlwapi",
    "user32",
    "userenv",
    "uxtheme",
    "webview2loader",
    "ws2_32",
];
/// Of the manifest, and of the version resource (as UTF-16).
const MANIFEST: [&str; 5] =
    ["PerMonitorV2", "longPathAware", "UTF-8", "asInvoker", "Microsoft.Windows.Common-Controls"];
const RESOURCE: [&str; 3] = ["FileDescription", "ProductVersion", "ShopSync"];

/// Fails on a library that a PC may not have, on a console window, and where manifest or version are missing.
pub(super) fn at(program: &Path) -> Result<()> {
    let mut dump = Command::new("x86_64-w64-mingw32-objdump");
    let said = output_of(dump.arg("-p").arg(program)).context("objdump says nothing of the program")?;
    let wrong = wrong_in(&said, &fs::read(program)?);
    if wrong.is_empty() { Ok(()) } else { bail!("{}", wrong.join("\n")) }
}

fn wrong_in(dump: &str, bytes: &[u8]) -> Vec<String> {
    let mut wrong = Vec::new();
    let names = dump.lines().filter_map(|line| line.trim().strip_prefix("DLL Name: "));
    for name in names {
        let short = name.to_lowercase();
        let short = short.strip_suffix(".dll").unwrap_or(&short);
        if !short.starts_with("api-ms-win-") && !LIBRARIES.contains(&short) {
            wrong.push(format!("it needs {name}, which no PC need have"));
        }
    }
    if !dump.lines().any(|line| line.starts_with("Subsystem") && line.contains("(Windows GUI)")) {
        wrong.push("it would open a console window".into());
    }
    for word in MANIFEST {
        if !holds(bytes, word.as_bytes()) {
            wrong.push(format!("its manifest says nothing of {word}"));
        }
    }
    for word in RESOURCE {
        let wide: Vec<u8> = word.encode_utf16().flat_map(u16::to_le_bytes).collect();
        if !holds(bytes, &wide) {
            wrong.push(format!("its version resource has no {word}"));
        }
    }
    wrong
}

fn holds(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pc_need_not_have_is_named() {
        let dump = "Subsystem\t\t00000002\t(Windows GUI)\n\tDLL Name: KERNEL32.dll\n\tDLL Name: libgcc_s_seh-1.dll\n";
        let mut whole = MANIFEST.concat().into_bytes();
        whole.extend(RESOURCE.concat().encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(wrong_in(dump, &whole), ["it needs libgcc_s_seh-1.dll, which no PC need have"]);
        let console = wrong_in("Subsystem\t\t00000003\t(Windows CUI)", &whole);
        assert_eq!(console, ["it would open a console window"]);
        let gui = "Subsystem\t\t00000002\t(Windows GUI)";
        assert_eq!(wrong_in(gui, &[]).len(), MANIFEST.len() + RESOURCE.len());
    }
}
