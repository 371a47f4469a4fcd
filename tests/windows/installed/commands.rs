//! What a person or a script types, with the program in a folder with spaces and letters of other languages.

use crate::pc::{Pc, as_windows, made, said};

const FOLDER: &str = r"C:\Läden दुकान\Shop Sync";
const DATA: &str = r"C:\Daten für दुकान";
const BACKUPS: &str = r"C:\Sicherungen दुकान";
const INVOICES: &str = "50";

#[test]
#[ignore = "needs the installer: cargo xtask windows --test"]
fn from_a_folder_of_any_name_commands_answer_and_the_demo_finds_no_difference() {
    let pc = Pc::new();
    let folder = format!("INSTALLDIR={FOLDER}");
    let data = format!("DATADIR={DATA}");
    let backups = format!("BACKUPDIR={BACKUPS}");
    pc.install(&made("SHOPSYNC_MSI"), &[&folder, &data, &backups, "NOAUTOSTART=1"]);
    let program = format!(r"{FOLDER}\shopsync.exe");
    assert!(pc.at(&program).is_file() && pc.at(&format!(r"{FOLDER}\pocketbase.exe")).is_file());
    let written = pc.exported(r"HKEY_LOCAL_MACHINE\Software\ShopSync");
    assert!(written.contains(&format!(r#""DataDir"="{}""#, DATA.replace('\\', r"\\"))), "{written}");
    // Told not to start, it says so in the settings, where a person finds it.
    let settings = std::fs::read_to_string(pc.at(&format!(r"{DATA}\settings.toml"))).unwrap();
    assert!(settings.contains("autostart = false") && settings.contains(BACKUPS), "{settings}");
    assert!(pc.at(BACKUPS).is_dir());
    assert!(pc.trays().is_empty(), "{:?}", pc.processes("shopsync.exe"));

    let (out, code) = pc.cmd(&program, "--version");
    assert_eq!((out.trim(), code), (concat!("shopsync ", env!("CARGO_PKG_VERSION")), 0));
    for (wrong, word) in [
        ("status --jsn", "--jsn"),
        ("frobnicate", "frobnicate"),
        ("demo --invoices 0 --headless", "--invoices"),
    ] {
        let (out, code) = pc.cmd(&program, wrong);
        assert!(code == 2 && out.contains(word), "{wrong}: {code} {out}");
    }
    // It has never run on this folder, and says which one that is: the one that the installer was given.
    let (out, code) = pc.cmd(&program, r#"--data "C:\nowhere\." status --json"#);
    assert!(code == 1 && out.contains(r"C:\nowhere."), "{code} {out}");

    let mut demo = pc.command(&program, &["demo", "--headless", "--invoices", INVOICES]);
    demo.env("SHOPSYNC_SANDBOX", as_windows(&made("SHOPSYNC_SANDBOX_EXE")));
    let demo = said(&mut demo);
    let line = format!("{INVOICES} invoices completed, {INVOICES} in RainTek, 0 differences");
    assert!(demo.code == Some(0) && demo.out.contains(&line), "{demo:?}");

    let msi = as_windows(&made("SHOPSYNC_MSI"));
    assert_eq!(pc.msiexec(&["/x", &msi]), 0);
    assert!(!pc.at(FOLDER).exists() && pc.at(DATA).join("settings.toml").is_file());
}

#[test]
#[ignore = "needs the installer: cargo xtask windows --test"]
fn what_only_windows_has_passes_its_unit_tests() {
    let pc = Pc::new();
    let tests = as_windows(&made("SHOPSYNC_UNIT_TESTS_EXE"));
    let said = pc.run(&tests, &["platform::", "--test-threads=1"]);
    assert!(said.code == Some(0) && said.out.contains("test result: ok"), "{said:?}");
    assert!(!said.out.contains(" 0 passed"), "{said:?}");
}
