//! What only Windows has. The one place of the program that calls the system by itself.
#![expect(unsafe_code, reason = "the system's own calls; each says why it may be made")]

mod machine;
mod seal;

use std::path::Path;

use windows_registry::CURRENT_USER;
use windows_sys::Win32::System::Console::{ATTACH_PARENT_PROCESS, AttachConsole};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    ASFW_ANY, AllowSetForegroundWindow, IDYES, MB_ICONQUESTION, MB_SETFOREGROUND, MB_TOPMOST, MB_YESNO,
    MessageBoxW, SPI_GETCLIENTAREAANIMATION, SystemParametersInfoW,
};

use crate::model::desktop::{Look, Question};
use crate::ports::desktop::Answer;

pub use machine::run_elevated;
pub(super) use machine::{fixed_disks, running_folders, sql_instances};
pub(super) use seal::MachineSeal;

const PERSONALIZE: &str = r"Software\Microsoft\Windows\CurrentVersion\Themes\Personalize";

/// Lets the command line print where the program was started in a console; it has none of its own.
pub fn attach_console() {
    // SAFETY: takes no pointer; failing (no console there) changes nothing.
    unsafe { AttachConsole(ATTACH_PARENT_PROCESS) };
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

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}
