//! The desktop around the window: how it looks, what opens a link or a folder, how a person is asked.

use std::process::{Command, Stdio};

use crate::model::desktop::{Look, Question};
use crate::ports::desktop::{Answer, Desktop};

/// The desktop of the user who is signed in.
#[derive(Debug, Clone, Copy, Default)]
pub struct UserDesktop;

impl Desktop for UserDesktop {
    fn look(&self) -> Option<Look> {
        #[cfg(windows)]
        return Some(super::windows::look());
        // GTK knows, and its library belongs to the shell.
        #[cfg(not(windows))]
        None
    }

    fn ask(&self, question: &Question, answer: Answer) -> Option<Answer> {
        #[cfg(windows)]
        {
            super::windows::ask(question.clone(), answer);
            None
        }
        #[cfg(not(windows))]
        {
            let _ = question;
            Some(answer)
        }
    }

    fn open(&self, target: &str) {
        let mut command = opener(target);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // A thread, since starting a program may wait for a disk, and a child that ended wants to be asked about.
        let opened = std::thread::Builder::new().name("open".into()).spawn(move || {
            let what = command.get_program().to_string_lossy().into_owned();
            match command.status() {
                Ok(status) if status.success() => {}
                Ok(status) => tracing::warn!(%status, program = what, "nothing was opened"),
                Err(error) => tracing::warn!(%error, program = what, "nothing was opened"),
            }
        });
        if let Err(error) = opened {
            tracing::warn!(%error, "nothing was opened");
        }
    }
}

/// The same for a process that ends next: it is begun when this returns.
///
/// # Errors
/// The system's.
pub fn open_now(target: &str) -> std::io::Result<()> {
    let mut command = opener(target);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().map(drop)
}

/// Returns when the process is asked to end: Ctrl-C, SIGTERM where there is one, the installer on
/// Windows. Never, where neither is heard.
pub async fn asked_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                Ok(()) = tokio::signal::ctrl_c() => return,
                Some(()) = terminate.recv() => return,
                else => {}
            }
        }
    }
    #[cfg(windows)]
    tokio::select! {
        biased;
        () = super::windows::asked() => return,
        Ok(()) = tokio::signal::ctrl_c() => return,
        else => {}
    }
    #[cfg(not(any(unix, windows)))]
    if tokio::signal::ctrl_c().await.is_ok() {
        return;
    }
    std::future::pending().await
}

/// Whether there is a desktop to be on at all.
pub fn has_display() -> bool {
    cfg!(any(windows, target_os = "macos"))
        || ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

fn opener(target: &str) -> Command {
    if cfg!(windows) {
        let mut command = Command::new("rundll32.exe");
        command.args(["url.dll,FileProtocolHandler", target]);
        return command;
    }
    let mut command = Command::new(if cfg!(target_os = "macos") { "open" } else { "xdg-open" });
    command.arg(target);
    command
}
