//! What Windows tells whoever has a window: that the session ends, that the PC woke, that the clock was set, that the
//! taskbar is another one. A window of its own, never shown, on a thread of its own: nothing else waits for it.
#![expect(unsafe_code, reason = "the system's own calls; each says why it may be made")]

use std::cell::RefCell;
use std::io;
use std::sync::OnceLock;

use windows_sys::Win32::Foundation::{HWND, LPARAM, LRESULT, WPARAM};
use windows_sys::Win32::System::LibraryLoader::GetModuleHandleW;
use windows_sys::Win32::System::Shutdown::{ShutdownBlockReasonCreate, ShutdownBlockReasonDestroy};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    CreateWindowExW, DefWindowProcW, DispatchMessageW, GetMessageW, MSG, PBT_APMRESUMEAUTOMATIC,
    PBT_APMRESUMESUSPEND, RegisterClassW, RegisterWindowMessageW, WM_DISPLAYCHANGE, WM_DPICHANGED,
    WM_ENDSESSION, WM_POWERBROADCAST, WM_QUERYENDSESSION, WM_SETTINGCHANGE, WM_THEMECHANGED, WM_TIMECHANGE,
    WNDCLASSW, WS_OVERLAPPED,
};

use super::wide;

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// The user signs out, or Windows ends. Windows waits some seconds for whoever is told to return.
    Ending,
    /// The PC woke from sleep, or its clock was set: what was known may be old.
    Woke,
    /// The taskbar, the theme or the display is another one: what is drawn there may be gone.
    Redraw,
}

type Told = Box<dyn FnMut(News)>;

thread_local! {
    /// Of the thread that has the window: the system calls a function without arguments of ours.
    static TOLD: RefCell<Option<Told>> = const { RefCell::new(None) };
}

/// The message by which Explorer says that there is a taskbar (again); its number is given out at run time.
static TASKBAR: OnceLock<u32> = OnceLock::new();

const CLASS: &str = "ShopSyncSession";

/// Tells from now on, on a thread of its own, until the process ends.
///
/// # Errors
/// The thread cannot be started; what the window does not do is logged.
pub fn listen(told: impl FnMut(News) + Send + 'static) -> io::Result<()> {
    let thread = std::thread::Builder::new().name("session".into());
    thread.spawn(move || {
        TOLD.with_borrow_mut(|place| *place = Some(Box::new(told)));
        if let Err(error) = serve() {
            tracing::warn!(%error, "Windows cannot tell when the session ends");
        }
    })?;
    Ok(())
}

fn serve() -> io::Result<()> {
    let name = wide(CLASS);
    // SAFETY: the texts end with a zero and live until the process' end or the call's; the class has no other pointer.
    // The window procedure is a plain function that is there as long as the program is.
    let window = unsafe {
        TASKBAR.get_or_init(|| RegisterWindowMessageW(wide("TaskbarCreated").as_ptr()));
        let instance = GetModuleHandleW(std::ptr::null());
        let class = WNDCLASSW {
            lpfnWndProc: Some(procedure),
            hInstance: instance,
            lpszClassName: name.as_ptr(),
            ..std::mem::zeroed()
        };
        if RegisterClassW(&raw const class) == 0 {
            return Err(io::Error::last_os_error());
        }
        // A top-level window: one for messages alone is not told what everybody is told.
        CreateWindowExW(
            0,
            name.as_ptr(),
            name.as_ptr(),
            WS_OVERLAPPED,
            0,
            0,
            0,
            0,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            instance,
            std::ptr::null(),
        )
    };
    if window.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the message lives on this stack and is written by the system before it is read.
    unsafe {
        let mut message: MSG = std::mem::zeroed();
        while GetMessageW(&raw mut message, std::ptr::null_mut(), 0, 0) > 0 {
            DispatchMessageW(&raw const message);
        }
    }
    Ok(())
}

/// What a message means; `None` where it means nothing here.
fn news(message: u32, wparam: WPARAM) -> Option<News> {
    match message {
        WM_ENDSESSION if wparam != 0 => Some(News::Ending),
        WM_POWERBROADCAST => {
            let woke = [PBT_APMRESUMEAUTOMATIC, PBT_APMRESUMESUSPEND];
            u32::try_from(wparam).is_ok_and(|what| woke.contains(&what)).then_some(News::Woke)
        }
        WM_TIMECHANGE => Some(News::Woke),
        WM_DISPLAYCHANGE | WM_DPICHANGED | WM_SETTINGCHANGE | WM_THEMECHANGED => Some(News::Redraw),
        other => (Some(&other) == TASKBAR.get()).then_some(News::Redraw),
    }
}

/// # Safety
/// Called by the system alone, with a window of this class.
unsafe extern "system" fn procedure(window: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> LRESULT {
    if message == WM_QUERYENDSESSION {
        let reason = wide("ShopSync finishes what is on its way.");
        // SAFETY: the window is ours and lives; the text lives until the call returns.
        unsafe { ShutdownBlockReasonCreate(window, reason.as_ptr()) };
        return 1;
    }
    if message == WM_ENDSESSION && wparam == 0 {
        // SAFETY: the window is ours and lives. Somebody else kept the session from ending.
        unsafe { ShutdownBlockReasonDestroy(window) };
    }
    if let Some(news) = news(message, wparam) {
        // A panic must not unwind into the system.
        let told = std::panic::catch_unwind(|| {
            TOLD.with(|told| {
                // Not again while it is being told: an end is told once, and whoever hears it takes its time.
                if let Ok(mut told) = told.try_borrow_mut()
                    && let Some(told) = told.as_mut()
                {
                    told(news);
                }
            });
        });
        if told.is_err() {
            tracing::error!(?news, "what Windows told could not be handed on");
        }
    }
    // SAFETY: the arguments are the system's own, handed on as they are.
    unsafe { DefWindowProcW(window, message, wparam, lparam) }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use windows_sys::Win32::UI::WindowsAndMessaging::{FindWindowW, PBT_APMSUSPEND, SendMessageW, WM_PAINT};

    use super::*;

    #[test]
    fn what_the_system_says_is_told_on() {
        let (tell, told) = mpsc::channel();
        listen(move |news| tell.send(news).unwrap()).unwrap();
        let name = wide(CLASS);
        let mut window = std::ptr::null_mut();
        for _ in 0..200 {
            // SAFETY: the text ends with a zero and lives until the call returns.
            window = unsafe { FindWindowW(name.as_ptr(), std::ptr::null()) };
            if !window.is_null() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(!window.is_null(), "there is a window");
        // SAFETY: the window lives as long as the process, and none of these messages carries a pointer.
        let send = |message, wparam| unsafe { SendMessageW(window, message, wparam, 0) };
        assert_eq!(send(WM_QUERYENDSESSION, 0), 1, "nobody's end is refused");
        send(WM_ENDSESSION, 0);
        send(WM_PAINT, 0);
        send(WM_POWERBROADCAST, PBT_APMSUSPEND as usize);
        send(WM_POWERBROADCAST, PBT_APMRESUMEAUTOMATIC as usize);
        send(WM_TIMECHANGE, 0);
        send(*TASKBAR.get().unwrap(), 0);
        send(WM_ENDSESSION, 1);
        let heard: Vec<News> = told.try_iter().filter(|news| *news != News::Redraw).collect();
        assert_eq!(heard, [News::Woke, News::Woke, News::Ending]);
    }
}
