//! The room on a disk.

/// What is left of the disk that a folder lies on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// The disk, for a person; the same for all folders on one disk.
    pub disk: String,
    /// What may still be written.
    pub free_bytes: u64,
}
