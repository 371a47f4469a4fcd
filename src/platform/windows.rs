//! What only Windows has. The one place of the program that calls the system by itself.
#![expect(unsafe_code, reason = "the system's own calls; each says why it may be made")]

mod leave;
mod machine;
mod seal;
pub mod session;

use std::path::{Path, PathBuf};

use windows_registry::{CURRENT_USER, LOCAL_MACHINE, USERS};
use windows_sys::Win32::System::Console::{
    ATTACH_PARENT_PROCESS, AttachConsole, CTRL_C_EVENT, FreeConsole, GenerateConsoleCtrlEvent,
    SetConsoleCtrlHandler,
};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    ASFW_ANY, AllowSetForegroundWindow, IDYES, MB_ICONQUESTION, MB_SETFOREGROUND, MB_TOPMOST, MB_YESNO,
    MessageBoxW, SPI_GETCLIENTAREAANIMATION, SystemParametersInfoW,
};

use crate::model::desktop::{Look, Question};
use crate::ports::desktop::Answer;

pub(super) use leave::asked;
pub use leave::{ask_all, wait_for_others};
pub use machine::run_elevated;
pub(super) use machine::{fixed_disks, running_folders, sql_instances};
pub(super) use seal::MachineSeal;

/// What the installer wrote down.
const INSTALLED: &str = r"Software\ShopSync";
const RUN: &str = r"Software\Microsoft\Windows\CurrentVersion\Run";
const APP_IDS: &str = r"Software\Classes\AppUserModelId";
const PROFILES: &str = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList";
const PERSONALIZE: &str = r"Software\Microsoft\Windows\CurrentVersion\Themes\Personalize";

/// Lets the command line print where the program was started in a console; it has none of its own.
pub fn attach_console() {
    // SAFETY: takes no pointer; failing (no console there) changes nothing.
    unsafe { AttachConsole(ATTACH_PARENT_PROCESS) };
}

/// Sends a console program that has no window of its own the Ctrl-C on which it ends in order. For a process that does
/// nothing else: it gives up its own console for the other's. Returns whether it was sent.
#[must_use]
pub fn interrupt(pid: u32) -> bool {
    // SAFETY: none takes a pointer that is read: a null handler means "ignore Ctrl-C here". Each failure is told by 0.
    unsafe {
        FreeConsole();
        AttachConsole(pid) != 0
            && SetConsoleCtrlHandler(None, 1) != 0
            && GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0) != 0
    }
}

/// Lets another process take the foreground, which only who has it may give away.
pub fn let_others_come_forward() {
    // SAFETY: takes no pointer; where it is refused, a window blinks in the taskbar instead.
    unsafe { AllowSetForegroundWindow(ASFW_ANY) };
}

/// How the taskbar is drawn, and whether things may move.
pub(super) fn look() -> Look {
    let key = CURRENT_USER.open(PERSONALIZE);
    let light = key.and_then(|key| key.get_u32("SystemUsesLightTheme")).unwrap_or(0);
    let mut animated: i32 = 1;
    // SAFETY: the pointer is to a BOOL that lives until the call returns, as this request wants it.
    let known = unsafe {
        SystemParametersInfoW(SPI_GETCLIENTAREAANIMATION, 0, std::ptr::from_mut(&mut animated).cast(), 0)
    };
    Look { dark_taskbar: light == 0, reduced_motion: known != 0 && animated == 0 }
}

/// Asks in a message box, on a thread of its own.
pub(super) fn ask(question: Question, answer: Answer) {
    let asked = move || {
        let text = format!("{}\n\n{}?", question.text, question.yes);
        let (text, title) = (wide(&text), wide("ShopSync"));
        // SAFETY: both texts end with a zero and live until the call returns; no window owns the box.
        let pressed = unsafe {
            MessageBoxW(
                std::ptr::null_mut(),
                text.as_ptr(),
                title.as_ptr(),
                MB_YESNO | MB_ICONQUESTION | MB_SETFOREGROUND | MB_TOPMOST,
            )
        };
        answer(pressed == IDYES);
    };
    if let Err(error) = std::thread::Builder::new().name("question".into()).spawn(asked) {
        tracing::warn!(%error, "a question could not be asked");
    }
}

/// Makes the system know the name and the picture that toasts show. Without this they may fail in silence.
pub fn register_app(id: &str, name: &str, icon: &Path) {
    let key = CURRENT_USER.create(format!(r"Software\Classes\AppUserModelId\{id}"));
    let written = key.and_then(|key| {
        key.set_string("DisplayName", name)?;
        key.set_string("IconUri", icon.display().to_string())
    });
    if let Err(error) = written {
        tracing::warn!(%error, "toasts have no name of their own");
    }
}

/// The data folder that the installer was given.
pub(super) fn installed_data_folder() -> Option<PathBuf> {
    let text = LOCAL_MACHINE.open(INSTALLED).and_then(|key| key.get_string("DataDir")).ok()?;
    super::installation::handed_over(&text)
}

/// Takes away what the tray wrote for its users: the start at login, the name of its toasts, the window's files. Of a
/// user who is signed out the start at login stays, and starts nothing.
pub fn forget_users(app_id: &str, run_entry: &str) {
    if let Ok(users) = USERS.keys() {
        for user in users {
            let Ok(key) = USERS.options().read().write().open(&user) else { continue };
            if let Ok(run) = key.options().read().write().open(RUN) {
                let _ = run.remove_value(run_entry);
            }
            if let Ok(ids) = key.options().read().write().open(APP_IDS) {
                let _ = ids.remove_tree(app_id);
            }
        }
    }
    let Ok(profiles) = LOCAL_MACHINE.open(PROFILES) else { return };
    let Ok(names) = profiles.keys() else { return };
    for name in names {
        let path = profiles.open(name).and_then(|key| key.get_string("ProfileImagePath"));
        if let Ok(path) = path {
            let folder = Path::new(&path).join(r"AppData\Local\ShopSync");
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

/// As the system wants texts: UTF-16 with a zero at the end.
pub(super) fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}
