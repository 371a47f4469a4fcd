use std::fs;

use super::*;
use crate::raintek::link::tests::shortcut;

/// A PC, played by a folder: disks are `C` and `D` in it.
struct Pc {
    root: tempfile::TempDir,
    running: Vec<&'static str>,
    instances: Vec<Instance>,
}

impl Pc {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for disk in ["C", "D"] {
            fs::create_dir_all(root.path().join(disk).join("Windows/System32")).unwrap();
        }
        Self { root, running: Vec::new(), instances: Vec::new() }
    }

    fn lay(&self, folder: &str, server: &str, database: Option<&str>) -> PathBuf {
        let folder = self.root.path().join(folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("SQLSettings.dat"), format!("{server}\r\nsa\r\nRainTek-1\r\n")).unwrap();
        if let Some(database) = database {
            fs::write(folder.join("TempDBSettings.dat"), database).unwrap();
        }
        folder
    }

    fn found(&self) -> Vec<(String, String, &'static str)> {
        let hints = find(self, &mut |_| {});
        hints.into_iter().map(|hint| (hint.server, hint.settings.database, hint.found_by)).collect()
    }
}

impl Machine for Pc {
    fn running(&self) -> Vec<PathBuf> {
        self.running.iter().map(|folder| self.root.path().join(folder)).collect()
    }
    fn shortcuts(&self) -> Vec<PathBuf> {
        let menu = fs::read_dir(self.root.path().join("menu")).into_iter().flatten().flatten();
        menu.map(|entry| entry.path()).collect()
    }
    fn roots(&self) -> Vec<PathBuf> {
        vec![self.root.path().join("C"), self.root.path().join("D")]
    }
    fn folders(&self, folder: &Path) -> Vec<PathBuf> {
        let mut inner: Vec<PathBuf> = fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.is_dir())
            .collect();
        inner.sort();
        inner
    }
    fn file(&self, path: &Path) -> Option<Vec<u8>> {
        fs::read(path).ok()
    }
    fn place(&self, path: &str) -> PathBuf {
        self.root.path().join(path.replace(":\\", "/").replace('\\', "/"))
    }
    fn instances(&self) -> Vec<Instance> {
        self.instances.clone()
    }
}

fn express() -> Instance {
    Instance { name: "SQLEXPRESS".into(), id: "MSSQL15.SQLEXPRESS".into(), tcp: Some(false), port: None }
}

#[test]
fn its_own_files_are_found_on_every_disk_two_levels_deep_and_no_deeper() {
    let pc = Pc::new();
    pc.lay("D/Shop/RainTek", r".\SQLEXPRESS", Some("Raintech_DB3"));
    pc.lay("C/a/b/c", "TOO-DEEP", None);
    pc.lay("C/Windows/System32", "NOT-HERE", None);
    let found = pc.found();
    assert_eq!(found[0], (r".\SQLEXPRESS".to_owned(), "Raintech_DB3".to_owned(), "SQLSettings.dat"));
    assert!(!found.iter().any(|(server, ..)| server == "TOO-DEEP" || server == "NOT-HERE"), "{found:?}");
    let hint = find(&pc, &mut |_| {}).remove(0);
    assert_eq!(hint.password.as_deref(), Some("RainTek-1"));
    assert_eq!(hint.settings.folder, Some(pc.root.path().join("D/Shop/RainTek")));
    assert!(!format!("{hint:?}").contains("RainTek-1"));
}

#[test]
fn what_runs_comes_first_then_what_the_start_menu_opens() {
    let mut pc = Pc::new();
    pc.lay("C/Old", "OLD-PC", None);
    pc.lay("C/Program Files (x86)/RainTek/Till/Bin", "MENU-PC", None);
    pc.lay("C/x/y/z/Running", "RUNNING-PC", Some("Raintech_DB2"));
    fs::create_dir_all(pc.root.path().join("menu")).unwrap();
    let opens = shortcut(r"C:\Program Files (x86)\RainTek\Till\Bin\RainTek.exe");
    fs::write(pc.root.path().join("menu/RainTek.lnk"), opens).unwrap();
    fs::write(pc.root.path().join("menu/broken.lnk"), b"not one").unwrap();
    pc.running = vec!["C/x/y/z/Running", "C/Windows/System32"];
    let servers: Vec<String> = pc.found().into_iter().map(|(server, ..)| server).collect();
    assert_eq!(servers[..3], ["RUNNING-PC", "MENU-PC", "OLD-PC"]);
}

#[test]
fn the_registrys_servers_are_tried_with_the_login_that_is_known_and_none_twice() {
    let mut pc = Pc::new();
    pc.instances = vec![
        express(),
        Instance {
            name: "MSSQLSERVER".into(),
            id: "MSSQL12.MSSQLSERVER".into(),
            tcp: Some(true),
            port: Some(1433),
        },
    ];
    pc.lay("C/RainTek", r"(local)\sqlexpress", Some("Raintech_DB1"));
    let hints = find(&pc, &mut |_| {});
    let told: Vec<_> = hints.iter().map(|hint| (hint.server.as_str(), hint.found_by)).collect();
    assert_eq!(told, [(r"(local)\sqlexpress", "SQLSettings.dat"), (".", "registry")]);
    assert_eq!(hints[0].instance.as_ref(), Some(&express()), "so that TCP can be switched on");
    assert_eq!((hints[1].settings.port, hints[1].password.as_deref()), (1433, Some("RainTek-1")));
}

#[test]
fn without_any_trace_the_usual_place_is_tried() {
    let pc = Pc::new();
    assert_eq!(pc.found(), [(".".to_owned(), "Raintech_DB1".to_owned(), "localhost")]);
}

#[test]
fn a_billing_app_is_known_by_its_folders() {
    let pc = Pc::new();
    for folder in [
        "C/billing/pb_data",
        "C/billing/pb_public",
        "D/apps/shop/pb_data",
        "D/apps/shop/pb_hooks",
        "C/other/pb_data",
    ] {
        fs::create_dir_all(pc.root.path().join(folder)).unwrap();
    }
    let found = find_app_folders(&pc);
    assert_eq!(found, [pc.root.path().join("C/billing"), pc.root.path().join("D/apps/shop")]);
}
