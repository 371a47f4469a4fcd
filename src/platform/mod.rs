//! What the operating system provides: time, places, secrets, one instance a data folder.

mod archive;
mod autostart;
mod clock;
mod desktop;
mod disk;
#[doc(hidden)]
pub mod fuzzing;
pub mod installation;
mod instance;
mod lan;
mod machine;
mod migrate;
mod paths;
mod room;
mod seal;
mod secrets;
#[cfg(windows)]
pub mod service;
mod settings;
mod settings_edit;
#[cfg(windows)]
pub mod windows;
mod zipped;

pub use archive::SnapshotFolder;
pub use autostart::{LoginEntry, NAME as LOGIN_ENTRY};
pub use clock::SystemClock;
pub use desktop::{UserDesktop, asked_to_end, has_display, open_now};
pub use disk::LocalDisk;
pub use instance::Instance;
pub use lan::lan_addresses;
pub use machine::{ThisPc, run_elevated};
pub use paths::{default_backup_folder, default_data_folder, make_private_folder, user_folder};
pub use secrets::{FileSecrets, random_token};
pub use settings::{ReadSettings, read_settings, read_whole, settings_path};
pub use settings_edit::{SettingsFile, Told};
pub use zipped::zipped;
