//! Messages to people: a Telegram bot and a service that notices silence off the PC, toasts at it.

mod classify;
mod heartbeat;
mod http;
mod telegram;
mod toast;
mod true_time;
pub mod updates;

pub use heartbeat::HeartbeatUrl;
pub use telegram::{TOKEN_SECRET, Telegram};
pub use toast::{APP_ID, DesktopToasts};
pub use true_time::WebTime;

/// Why there was no answer, without the address: it holds the token, or is a secret itself.
fn reason(error: reqwest::Error) -> String {
    use std::error::Error as _;
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
