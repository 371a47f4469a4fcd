//! How the installer asks the programs that run from its folder to end, whoever runs them.
//!
//! Each creates the same named event and ends when it is set; the event is gone with the last of them, which is how the
//! installer sees that they ended.

use std::path::Path;
use std::ptr;
use std::sync::OnceLock;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use windows_sys::Win32::Foundation::{CloseHandle, HANDLE, WAIT_OBJECT_0};
use windows_sys::Win32::System::Threading::{
    CreateEventW, EVENT_MODIFY_STATE, INFINITE, OpenEventW, SetEvent, WaitForSingleObject,
};

use super::machine::others_in;
use super::wide;

/// Between two looks whether all have gone.
const STEP: Duration = Duration::from_millis(100);

/// Returns when the installer asks; never where it cannot be heard.
pub(in crate::platform) async fn asked() {
    static HEARD: OnceLock<watch::Receiver<bool>> = OnceLock::new();
    let mut heard = HEARD.get_or_init(listen).clone();
    if heard.wait_for(|asked| *asked).await.is_err() {
        std::future::pending().await
    }
}

/// Asks all that run from this program's folder, and waits until they have ended. Returns whether they have.
pub fn ask_all(patience: Duration) -> bool {
    let name = event_name();
    let steps = patience.as_millis() / STEP.as_millis();
    for _ in 0..=steps {
        // SAFETY: the name ends with a zero and lives until the call returns.
        let event = unsafe { OpenEventW(EVENT_MODIFY_STATE, 0, name.as_ptr()) };
        if event.is_null() {
            return true;
        }
        // SAFETY: the handle was opened just now and is closed once, here.
        unsafe {
            SetEvent(event);
            CloseHandle(event);
        }
        std::thread::sleep(STEP);
    }
    false
}

/// Waits until nothing else runs from this program's folder: a service that said that it ended may still be ending, and a
/// file in use can be neither removed nor replaced. Returns who still runs.
pub fn wait_for_others(patience: Duration) -> Vec<u32> {
    let own = std::env::current_exe().ok();
    let Some(folder) = own.as_deref().and_then(Path::parent) else { return Vec::new() };
    let steps = patience.as_millis() / STEP.as_millis();
    for _ in 0..steps {
        if others_in(folder).is_empty() {
            break;
        }
        std::thread::sleep(STEP);
    }
    others_in(folder)
}

fn listen() -> watch::Receiver<bool> {
    let (tell, heard) = watch::channel(false);
    let wait = move || {
        let name = event_name();
        // SAFETY: no attributes, and a name that ends with a zero and lives until the call returns.
        let event: HANDLE = unsafe { CreateEventW(ptr::null(), 1, 0, name.as_ptr()) };
        if event.is_null() {
            tracing::warn!("the installer cannot ask this program to end");
            return;
        }
        // SAFETY: the handle is ours and stays open: it is what says that this process still runs.
        if unsafe { WaitForSingleObject(event, INFINITE) } == WAIT_OBJECT_0 {
            tell.send_replace(true);
        }
    };
    if let Err(error) = std::thread::Builder::new().name("leave".into()).spawn(wait) {
        tracing::warn!(%error, "the installer cannot ask this program to end");
    }
    heard
}

/// One for each folder a program is installed in: another copy elsewhere is none of the installer's business.
fn event_name() -> Vec<u16> {
    let folder = std::env::current_exe().ok().and_then(|own| own.parent().map(Path::to_owned));
    let folder = folder.unwrap_or_default().to_string_lossy().to_lowercase();
    let digest = Sha256::digest(folder.as_bytes());
    let hex: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    wide(&format!(r"Global\ShopSync-leave-{hex}"))
}
