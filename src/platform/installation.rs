//! What the installer arranges on a PC beside the files, and takes away again: who may write the data, what the firewall
//! lets through.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The service that the installer registers.
pub const SERVICE: &str = "ShopSyncBilling";
/// The firewall's name for our rule.
const RULE: &str = "ShopSync billing app";
/// Windows' own groups by number: their names are translated.
const SYSTEM: &str = "*S-1-5-18";
const ADMINISTRATORS: &str = "*S-1-5-32-544";
const USERS: &str = "*S-1-5-32-545";
/// Whatever runs as a service, SQL Server among them.
const SERVICES: &str = "*S-1-5-6";

/// A program and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// By its name: it is one of Windows' own.
    pub program: &'static str,
    /// As the program gets them.
    pub arguments: Vec<String>,
}

/// Where things are to lie, and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// The data folder.
    pub data: PathBuf,
    /// Where backups go.
    pub backups: PathBuf,
    /// Who installs: a SID such as `S-1-5-21-1-2-3-1001`.
    pub user: Option<String>,
    /// The port that phones reach our own PocketBase by; `None` where it was not installed.
    pub phones: Option<u16>,
}

impl Installation {
    /// What gives it its rights, in this order. Run again it changes nothing.
    pub fn arrange(&self) -> Vec<CommandLine> {
        // The system's own account has all rights anyway.
        let user = self.user.iter().filter(|sid| is_person(sid)).map(|sid| format!("*{sid}"));
        let user: Vec<String> = user.collect();
        let all = |who: &str| format!("{who}:(OI)(CI)F");
        let change = |who: &str| format!("{who}:(OI)(CI)M");

        let mut data = vec![self.data.display().to_string(), "/inheritance:r".into(), "/grant:r".into()];
        data.extend([all(SYSTEM), all(ADMINISTRATORS)]);
        data.extend(user.iter().map(|who| change(who)));
        // Others may see that it is there, and nothing in it.
        data.push(format!("{USERS}:(RX)"));

        let mut backups = vec![self.backups.display().to_string(), "/grant".into(), change(SERVICES)];
        backups.extend(user.iter().map(|who| change(who)));

        let mut lines = vec![
            CommandLine { program: "icacls.exe", arguments: data },
            CommandLine { program: "icacls.exe", arguments: backups },
            close_firewall(),
        ];
        lines.extend(self.phones.map(open_firewall));
        lines
    }
}

/// What takes the firewall's rule away. Fails where there is none.
pub fn close_firewall() -> CommandLine {
    let words = ["advfirewall", "firewall", "delete", "rule", &format!("name={RULE}")].map(str::to_owned);
    CommandLine { program: "netsh.exe", arguments: words.to_vec() }
}

/// Networks that the shop calls private, and no other.
fn open_firewall(port: u16) -> CommandLine {
    let words = [
        "advfirewall".to_owned(),
        "firewall".to_owned(),
        "add".to_owned(),
        "rule".to_owned(),
        format!("name={RULE}"),
        "dir=in".to_owned(),
        "action=allow".to_owned(),
        "protocol=TCP".to_owned(),
        format!("localport={port}"),
        "profile=private".to_owned(),
    ];
    CommandLine { program: "netsh.exe", arguments: words.to_vec() }
}

/// An account of a person: of this PC, of a domain, or of Microsoft's directory.
fn is_person(sid: &str) -> bool {
    sid.starts_with("S-1-5-21-") || sid.starts_with("S-1-12-1-")
}

/// A folder as the installer hands it over: it may end with a backslash, or with `\.` that keeps one from swallowing the
/// quotation mark behind it. `None` where nothing was handed over.
pub fn handed_over(text: &str) -> Option<PathBuf> {
    let text = text.trim().trim_matches('"');
    let text = text.strip_suffix(r"\.").unwrap_or(text);
    if text.is_empty() {
        return None;
    }
    let bare = text.trim_end_matches('\\');
    // `D:` alone would be whatever folder is current there.
    Some(Path::new(&if bare.ends_with(':') { format!(r"{bare}\") } else { bare.to_owned() }).to_owned())
}

impl CommandLine {
    /// For the log.
    pub fn shown(&self) -> String {
        let mut text = self.program.to_owned();
        for argument in &self.arguments {
            let quote = if argument.contains(' ') { "\"" } else { "" };
            let _infallible = write!(text, " {quote}{argument}{quote}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop() -> Installation {
        Installation {
            data: r"C:\ProgramData\ShopSync".into(),
            backups: r"D:\Backups".into(),
            user: Some("S-1-5-21-1-2-3-1001".into()),
            phones: Some(8090),
        }
    }

    /// Wine takes all of these and does nothing: their words are all that is proven of them.
    #[test]
    fn rights_and_firewall_are_these_commands() {
        let said: Vec<String> = shop().arrange().iter().map(CommandLine::shown).collect();
        assert_eq!(
            said,
            [
                r"icacls.exe C:\ProgramData\ShopSync /inheritance:r /grant:r *S-1-5-18:(OI)(CI)F *S-1-5-32-544:(OI)(CI)F *S-1-5-21-1-2-3-1001:(OI)(CI)M *S-1-5-32-545:(RX)",
                r"icacls.exe D:\Backups /grant *S-1-5-6:(OI)(CI)M *S-1-5-21-1-2-3-1001:(OI)(CI)M",
                "netsh.exe advfirewall firewall delete rule \"name=ShopSync billing app\"",
                "netsh.exe advfirewall firewall add rule \"name=ShopSync billing app\" dir=in action=allow protocol=TCP localport=8090 profile=private",
            ]
        );
    }

    #[test]
    fn the_system_gets_no_line_of_its_own_and_no_pocketbase_no_rule() {
        let bare = Installation { user: Some("S-1-5-18".into()), phones: None, ..shop() };
        let said: Vec<String> = bare.arrange().iter().map(CommandLine::shown).collect();
        assert_eq!(said.len(), 3);
        assert!(!said.iter().any(|line| line.contains("add rule")), "{said:?}");
        assert!(!said[0].contains(":(OI)(CI)M"), "{said:?}");
        assert!(said[2].contains("delete rule"), "{said:?}");
    }

    #[test]
    fn folders_come_through_however_they_end() {
        for (text, folder) in [
            (r"C:\ProgramData\ShopSync\.", r"C:\ProgramData\ShopSync"),
            (r"D:\Shop Daten\\.", r"D:\Shop Daten"),
            (r"D:\x\", r"D:\x"),
            (r"D:\x\.", r"D:\x"),
            (r"D:\.", r"D:\"),
            (r"\\server\share\.", r"\\server\share"),
            ("D:\\दुकान\\.", "D:\\दुकान"),
        ] {
            assert_eq!(handed_over(text), Some(folder.into()), "{text}");
        }
        for nothing in ["", " ", "\"\"", r"\."] {
            assert_eq!(handed_over(nothing), None, "{nothing}");
        }
    }
}
