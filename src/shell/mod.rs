//! The desktop's side: tray icon, menu, window. It owns the main thread and waits for nothing there.

pub mod menu;
