//! What the operating system provides: time, places, secrets, one instance a data folder.

mod archive;
mod autostart;
mod clock;
mod desktop;
mod disk;
pub mod installation;
mod instance;
mod paths;
mod room;
mod secrets;
#[cfg(windows)]
pub mod service;
#[cfg(windows)]
pub mod session;
mod settings;
mod settings_edit;
#[cfg(windows)]
pub mod windows;

pub use archive::SnapshotFolder;
pub use autostart::{LoginEntry, NAME as LOGIN_ENTRY};
pub use clock::SystemClock;
pub use desktop::{UserDesktop, asked_to_end, has_display, open_now};
pub use disk::LocalDisk;
pub use instance::Instance;
pub use paths::{default_backup_folder, default_data_folder, make_private_folder, user_folder};
pub use secrets::{FileSecrets, random_token};
pub use settings::{read_settings, settings_path};
pub use settings_edit::{SettingsFile, Told};
