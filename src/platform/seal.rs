//! How the file with the secrets is kept from everybody else: sealed for this PC on Windows, by its mode elsewhere.

use std::io;
use std::path::Path;

/// Makes bytes that only this PC can read.
pub(super) trait Seal: Send + Sync {
    /// What the file is called.
    fn file(&self) -> &'static str;

    /// Seals.
    fn seal(&self, plain: &[u8]) -> io::Result<Vec<u8>>;

    /// Opens what was sealed.
    fn open(&self, sealed: &[u8]) -> io::Result<Vec<u8>>;

    /// Lets nobody else have the file; called before anything stands in it.
    fn protect(&self, path: &Path) -> io::Result<()>;
}

/// The seal of this system.
pub(super) fn of_this_system() -> Box<dyn Seal> {
    #[cfg(windows)]
    return Box::new(super::windows::MachineSeal);
    #[cfg(not(windows))]
    Box::new(ModeAlone)
}

/// Unix: nobody else may open the file (0600, given when it is made).
#[cfg(not(windows))]
pub(super) struct ModeAlone;

#[cfg(not(windows))]
impl Seal for ModeAlone {
    fn file(&self) -> &'static str {
        "secrets.json"
    }

    fn seal(&self, plain: &[u8]) -> io::Result<Vec<u8>> {
        Ok(plain.to_vec())
    }

    fn open(&self, sealed: &[u8]) -> io::Result<Vec<u8>> {
        Ok(sealed.to_vec())
    }

    fn protect(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

/// Who may have the file on Windows, in the system's own words (SDDL), and nobody else, whatever the folder says: the
/// system itself and administrators (a service and an installer are one or the other), the service's own account
/// where it has one, and the user who set ShopSync up, whose tray must open it, too.
#[cfg_attr(
    not(any(windows, test)),
    expect(dead_code, reason = "Windows alone asks for it; tests look at it everywhere")
)]
pub(super) fn access_list(user: Option<&str>) -> String {
    // By its name's digest, as Windows makes it: `sc showsid ShopSync`.
    const SERVICE: &str = "S-1-5-80-3080059000-1552102156-338060829-3480234655-3854347291";
    let mut list = String::from("D:P(A;;FA;;;SY)(A;;FA;;;BA)");
    for sid in [Some(SERVICE), user].into_iter().flatten() {
        let fine = sid.starts_with("S-1-") && sid.chars().all(|c| c == 'S' || c == '-' || c.is_ascii_digit());
        if fine {
            list.push_str(&format!("(A;;FA;;;{sid})"));
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_services_account_is_the_one_that_windows_makes_of_its_name() {
        // SHA-1 over the name in capitals, in UTF-16; TrustedInstaller's is known to everybody and was made likewise.
        assert!(
            access_list(None)
                .contains("(A;;FA;;;S-1-5-80-3080059000-1552102156-338060829-3480234655-3854347291)")
        );
    }

    #[test]
    fn the_list_names_who_may_and_is_closed_to_what_a_folder_says() {
        let list = access_list(Some("S-1-5-21-1-2-3-1001"));
        assert!(list.starts_with("D:P(A;;FA;;;SY)(A;;FA;;;BA)"), "{list}");
        assert!(list.ends_with("(A;;FA;;;S-1-5-21-1-2-3-1001)"), "{list}");
        for everybody in ["WD", "BU", "AU", "S-1-1-0)("] {
            assert!(!access_list(Some(everybody)).contains(everybody));
        }
    }
}
