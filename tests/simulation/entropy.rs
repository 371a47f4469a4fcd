//! Chance that nobody asked for: hash maps and `select!` draw theirs from the operating system. A simulated week is
//! told twice in the same words only where that answers the same each time.

#[cfg(target_os = "linux")]
mod fixed {
    /// Takes the place of the C library's function of this name within this program.
    ///
    /// # Safety
    /// As of the original: `buffer` must be writable for `length` bytes.
    #[expect(unsafe_code, reason = "the operating system's chance must not get into a simulated week")]
    #[unsafe(no_mangle)]
    unsafe extern "C" fn getrandom(buffer: *mut u8, length: usize, _flags: u32) -> isize {
        // SAFETY: the caller hands over a buffer of that length.
        unsafe { std::ptr::write_bytes(buffer, 0x5a, length) };
        isize::try_from(length).unwrap_or(0)
    }
}

/// Whether two runs of one seed must be told in the same words on this system.
pub(crate) const IS_FIXED: bool = cfg!(target_os = "linux");
