//! A Windows PC: Wine with a disk and a screen of its own.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tempfile::TempDir;

use crate::harness::{SOON, eventually, is_alive, signal, spawn, tail};

/// Whatever Windows does by itself: on a busy machine it takes its time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
/// The screen's, in pixels.
const WIDTH: usize = 1024;
/// The data folder, unless the installer is told another.
pub(crate) const DATA: &str = r"C:\ProgramData\ShopSync";
/// Where the program lies, unless the installer is told another folder.
pub(crate) const PROGRAM: &str = r"C:\Program Files\ShopSync\shopsync.exe";

/// Everything ends with it.
#[derive(Debug)]
pub(crate) struct Pc {
    pub(crate) folder: TempDir,
    wine: PathBuf,
    display: String,
    screen: Child,
    /// Somebody whom Windows stays on for: with the last program of a user Wine ends its services as well.
    power: Mutex<Option<Child>>,
}

/// What a program said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    #[expect(dead_code, reason = "shown when a test fails")]
    pub(crate) err: String,
}

/// A file that `cargo xtask windows` made, named by the environment.
pub(crate) fn made(variable: &str) -> PathBuf {
    let named = std::env::var_os(variable).map(PathBuf::from);
    named.unwrap_or_else(|| panic!("{variable} is not set: run this by `cargo xtask windows --test`"))
}

/// A file of this machine as Windows names it.
pub(crate) fn as_windows(path: &Path) -> String {
    format!("Z:{}", path.display().to_string().replace('/', r"\"))
}

impl Pc {
    /// A PC as it comes: Windows 10, and a desktop with a taskbar.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Command::new("Xvfb");
        server.args(["-displayfd", "1", "-screen", "0", "1024x768x24", "-nolisten", "tcp"]);
        server.stdin(Stdio::null()).stderr(Stdio::null()).stdout(Stdio::piped());
        let mut screen = server.spawn().expect("Xvfb");
        let mut line = String::new();
        BufReader::new(screen.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let wine = ["/usr/lib/wine/wine64", "/usr/bin/wine"].map(PathBuf::from);
        let wine = wine.into_iter().find(|program| program.is_file()).expect("wine");
        let pc = Self { folder, wine, display: format!(":{}", line.trim()), screen, power: Mutex::default() };
        pc.browser();
        pc.must("wineboot", &["--init"]);
        let text = "Windows Registry Editor Version 5.00\r\n\r\n\
            [HKEY_CURRENT_USER\\Software\\Wine]\r\n\"Version\"=\"win10\"\r\n\r\n\
            [HKEY_CURRENT_USER\\Software\\Wine\\Explorer]\r\n\"Desktop\"=\"shell\"\r\n\r\n\
            [HKEY_CURRENT_USER\\Software\\Wine\\Explorer\\Desktops]\r\n\"shell\"=\"1024x768\"\r\n\r\n\
            [HKEY_CURRENT_USER\\Software\\Wine\\AppDefaults\\shopsync.exe]\r\n\"Version\"=\"win81\"\r\n";
        // The last: on Windows 10 the window library calls functions of uxtheme.dll by their numbers, under which Wine
        // has others, and that is its end.
        let file = pc.folder.path().join("settings.reg");
        std::fs::write(&file, text).unwrap();
        pc.must("regedit", &["/S", &as_windows(&file)]);
        // What Windows has and this Wine has not.
        std::fs::copy(made("SHOPSYNC_MISSING_DLL"), pc.at(r"C:\windows\system32\bcryptprimitives.dll"))
            .unwrap();
        pc.off();
        pc.on();
        pc
    }

    /// Where a file of its disk lies here.
    pub(crate) fn at(&self, windows: &str) -> PathBuf {
        let (drive, rest) = windows.split_once(r":\").unwrap();
        assert_eq!(drive, "C");
        self.folder.path().join("prefix/drive_c").join(rest.replace('\\', "/"))
    }

    /// A program that is to run on it.
    pub(crate) fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.wine);
        command.arg(program).args(arguments);
        self.inherit(&mut command);
        command
    }

    fn inherit(&self, command: &mut Command) {
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .env("WINEPREFIX", self.folder.path().join("prefix"))
            .env("WINEARCH", "win64")
            .env("WINEDEBUG", "-all")
            // No offers to download what is not needed.
            .env("WINEDLLOVERRIDES", "mscoree=;mshtml=;bcryptprimitives=n")
            .env("DISPLAY", &self.display)
            .env("HOME", self.folder.path())
            .env("PATH", format!("{}:{path}", self.folder.path().join("bin").display()))
            .env("LC_ALL", "C.UTF-8")
            .env_remove("WAYLAND_DISPLAY");
        for (name, _) in std::env::vars() {
            if name.starts_with("SHOPSYNC_") {
                command.env_remove(name);
            }
        }
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Said {
        said(&mut self.command(program, arguments))
    }

    /// Runs it, and it must say that all is well.
    pub(crate) fn must(&self, program: &str, arguments: &[&str]) -> Said {
        let said = self.run(program, arguments);
        assert_eq!(said.code, Some(0), "{program} {arguments:?}: {said:?}");
        said
    }

    /// The program with these arguments as `cmd` runs it: its output and its exit code.
    pub(crate) fn cmd(&self, program: &str, arguments: &str) -> (String, i32) {
        // In a batch file: there `cmd` waits for a program without a window, too. The path comes by the environment,
        // since what letters a batch file has depends on the console.
        let lines = [
            "@echo off",
            &format!(r#""%PROGRAM%" {arguments} >C:\said.txt 2>&1"#),
            // A number right before the arrow would be taken for a stream's.
            r">C:\code.txt echo %ERRORLEVEL%",
            "",
        ];
        std::fs::write(self.at(r"C:\line.cmd"), lines.join("\r\n")).unwrap();
        let _ = std::fs::remove_file(self.at(r"C:\code.txt"));
        let done = said(self.command("cmd", &["/c", r"C:\line.cmd"]).env("PROGRAM", program));
        let read = |path| {
            let bytes =
                std::fs::read(self.at(path)).unwrap_or_else(|error| panic!("{path}: {error} {done:?}"));
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let code = read(r"C:\code.txt");
        (read(r"C:\said.txt"), code.trim().parse().unwrap_or_else(|_| panic!("no code: {code}")))
    }

    /// Installs, upgrades, removes, without asking; the installer's exit code.
    pub(crate) fn msiexec(&self, arguments: &[&str]) -> i32 {
        let log = self.folder.path().join("msi.log");
        let log = as_windows(&log);
        let all = [arguments, &["/qn", "/l*v", &log]].concat();
        let code = self.run("msiexec", &all).code.unwrap();
        // Linux has a byte of it.
        if code == 1603 % 256 { 1603 } else { code }
    }

    /// Installs, and it must have worked.
    pub(crate) fn install(&self, msi: &Path, properties: &[&str]) {
        let msi = as_windows(msi);
        let code = self.msiexec(&[&["/i", &msi], properties].concat());
        assert_eq!(code, 0, "{}", tail(&self.folder.path().join("msi.log"), 60));
    }

    /// Starts a program that goes on.
    pub(crate) fn start(&self, program: &str, arguments: &[&str]) -> Child {
        spawn(&mut self.command(program, arguments), &self.folder.path().join("started.log"))
    }

    /// Programs of this PC in whose command line this stands, by Linux' number.
    pub(crate) fn processes(&self, word: &str) -> Vec<(u32, String)> {
        let prefix = format!("WINEPREFIX={}", self.folder.path().join("prefix").display());
        let pids = std::fs::read_dir("/proc").unwrap().flatten();
        let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let read = |pid: u32, what: &str| {
            let bytes = std::fs::read(format!("/proc/{pid}/{what}")).unwrap_or_default();
            String::from_utf8_lossy(&bytes).replace('\0', " ")
        };
        pids.map(|pid| (pid, read(pid, "cmdline")))
            .filter(|(pid, line)| {
                line.contains(word) && is_alive(*pid) && read(*pid, "environ").contains(&prefix)
            })
            .collect()
    }

    /// The trays that run.
    pub(crate) fn trays(&self) -> Vec<u32> {
        let all = self.processes("shopsync.exe").into_iter();
        all.filter(|(_, line)| !line.contains(" service ")).map(|(pid, _)| pid).collect()
    }

    /// Ends the tray at once, as a crash does.
    pub(crate) async fn crash_tray(&self) {
        let trays = self.trays();
        assert_eq!(trays.len(), 1, "{:?}", self.processes("shopsync.exe"));
        signal(trays[0], "KILL");
        eventually("the tray is gone", SOON, async || self.trays().is_empty()).await;
    }

    /// Switches it off, without warning.
    pub(crate) fn off(&self) {
        let mut command = Command::new("wineserver");
        self.inherit(&mut command);
        let _ = command.arg("-k").status();
        let mut command = Command::new("wineserver");
        self.inherit(&mut command);
        let _ = command.arg("-w").status();
        if let Some(mut gone) = self.power.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = gone.wait();
        }
    }

    /// Switches it on: services start, nobody has signed in.
    pub(crate) fn on(&self) {
        let mut command = self.command("cmd", &[]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        *self.power.lock().unwrap() = Some(command.spawn().unwrap());
        self.must("cmd", &["/c", "exit 0"]);
    }

    /// Somebody signs in: what is to start at login does.
    pub(crate) fn sign_in(&self) {
        self.must("wineboot", &[]);
    }

    /// A value of the registry; nothing where it is not there.
    pub(crate) fn registry(&self, key: &str, name: &str) -> Option<String> {
        let said = self.run("reg", &["query", key, "/v", name]);
        let line = said.out.lines().find(|line| line.trim_start().starts_with(name))?.to_owned();
        ["REG_SZ", "REG_DWORD", "REG_EXPAND_SZ"]
            .iter()
            .find_map(|kind| line.split_once(kind))
            .map(|(_, value)| value.trim().to_owned())
    }

    /// A key of the registry as text, whatever letters its values have.
    pub(crate) fn exported(&self, key: &str) -> String {
        self.must("regedit", &["/E", r"C:\exported.reg", key]);
        let bytes = std::fs::read(self.at(r"C:\exported.reg")).unwrap();
        let units: Vec<_> = bytes.chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]])).collect();
        String::from_utf16_lossy(&units)
    }

    /// Addresses that the user's browser was asked to open.
    pub(crate) fn opened(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.path().join("opened")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn browser(&self) {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = self.folder.path().join("bin");
        std::fs::create_dir_all(&folder).unwrap();
        let script = format!("#!/bin/sh\necho \"$1\" >> '{}'\n", self.folder.path().join("opened").display());
        for name in ["xdg-open", "firefox"] {
            std::fs::write(folder.join(name), &script).unwrap();
            std::fs::set_permissions(folder.join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    /// How many pixels of the screen have nearly this colour.
    pub(crate) fn pixels(&self, colour: [u8; 3]) -> usize {
        self.places(colour).len()
    }

    /// Clicks in the middle of what has nearly this colour.
    pub(crate) fn click(&self, colour: [u8; 3]) {
        let places = self.places(colour);
        assert!(!places.is_empty(), "there is nothing to click");
        let sum = places.iter().fold((0, 0), |sum, place| (sum.0 + place.0, sum.1 + place.1));
        let (x, y) = (sum.0 / places.len(), sum.1 / places.len());
        let mut command = Command::new("xdotool");
        self.inherit(&mut command);
        command.args(["mousemove", &x.to_string(), &y.to_string(), "click", "1"]);
        assert!(command.status().unwrap().success());
    }

    /// Where the screen has nearly this colour.
    fn places(&self, colour: [u8; 3]) -> Vec<(usize, usize)> {
        let mut command = Command::new("import");
        self.inherit(&mut command);
        let done = command.args(["-window", "root", "-depth", "8", "ppm:-"]).output().unwrap();
        let mut parts = done.stdout.splitn(4, |byte| *byte == b'\n');
        let pixels = parts.nth(3).unwrap_or_default();
        let near = |pixel: &[u8]| pixel.iter().zip(colour).all(|(one, other)| one.abs_diff(other) <= 12);
        let found = pixels.chunks_exact(3).enumerate().filter(|(_, pixel)| near(pixel));
        found.map(|(at, _)| (at % WIDTH, at / WIDTH)).collect()
    }

    /// Keeps a picture of the screen for people.
    pub(crate) fn keep(&self, name: &str) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        let mut command = Command::new("import");
        self.inherit(&mut command);
        let _ = command.args(["-window", "root"]).arg(folder.join(format!("{name}.png"))).status();
    }
}

impl Drop for Pc {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.keep("windows-failed");
        }
        self.off();
        let _ = self.screen.kill();
        let _ = self.screen.wait();
    }
}

/// Runs a command to its end, within [`PATIENCE`].
pub(crate) fn said(command: &mut Command) -> Said {
    let (out, err) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
    // Files, no pipes: what it leaves running may hold them open for as long as it likes.
    command.stdin(Stdio::null()).stdout(out.try_clone().unwrap()).stderr(err.try_clone().unwrap());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let start = crate::harness::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > PATIENCE {
            let _ = child.kill();
            panic!("{command:?} does not end: {} {}", read(out), read(err));
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    Said { code: status.code(), out: read(out), err: read(err) }
}

fn read(mut file: std::fs::File) -> String {
    use std::io::{Read as _, Seek as _, SeekFrom};
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}
