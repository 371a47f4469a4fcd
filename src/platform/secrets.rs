//! Passwords and tokens in one file that only its user may read.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::model::fault::{Action, Fault, FaultKind, Scope};
use crate::ports::Secrets;

/// `secrets.json` in the data folder, mode 0600.
pub struct FileSecrets {
    path: PathBuf,
    writing: Mutex<()>,
}

impl fmt::Debug for FileSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileSecrets").field("path", &self.path).finish_non_exhaustive()
    }
}

impl FileSecrets {
    /// The file need not exist.
    pub fn new(data: &Path) -> Self {
        Self { path: data.join("secrets.json"), writing: Mutex::new(()) }
    }

    fn read(&self) -> Result<BTreeMap<String, String>, Fault> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(error) => return Err(unusable(error)),
        };
        // The parser's words could quote a secret.
        serde_json::from_str(&text).map_err(|_| unusable("it is not JSON"))
    }

    fn write(&self, all: &BTreeMap<String, String>) -> io::Result<()> {
        let temporary = self.path.with_extension("new");
        let _ = fs::remove_file(&temporary);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let mut file = options.open(&temporary)?;
        file.write_all(&serde_json::to_vec_pretty(all).map_err(io::Error::other)?)?;
        file.sync_all()?;
        fs::rename(&temporary, &self.path)
    }
}

fn unusable(why: impl fmt::Display) -> Fault {
    Fault::new(FaultKind::Config, Scope::Store, "The file with ShopSync's passwords cannot be used.")
        .action(Action::CallSupport)
        .detail(why)
}

impl Secrets for FileSecrets {
    fn get(&self, name: &str) -> Result<Option<String>, Fault> {
        // Tests and installers may hand one over without a file: SHOPSYNC_SECRET_RAINTEK_PASSWORD.
        let variable = format!("SHOPSYNC_SECRET_{}", name.to_uppercase().replace(['.', '-'], "_"));
        if let Ok(value) = std::env::var(variable) {
            return Ok(Some(value));
        }
        Ok(self.read()?.remove(name))
    }

    fn set(&self, name: &str, value: &str) -> Result<(), Fault> {
        let _one_writer = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = self.read()?;
        all.insert(name.to_owned(), value.to_owned());
        self.write(&all).map_err(unusable)
    }
}

/// 32 random bytes as 64 hex digits.
///
/// # Errors
/// The system has no randomness to give.
pub fn random_token() -> Result<String, Fault> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(unusable)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_survive_and_nobody_else_may_read_them() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = FileSecrets::new(folder.path());
        assert_eq!(secrets.get("billing.password"), Ok(None));
        secrets.set("billing.password", "one").unwrap();
        secrets.set("other", "x").unwrap();
        secrets.set("billing.password", "two").unwrap();
        let again = FileSecrets::new(folder.path());
        assert_eq!(again.get("billing.password"), Ok(Some("two".into())));
        assert_eq!(again.get("other"), Ok(Some("x".into())));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(folder.path().join("secrets.json")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_damaged_file_is_a_sentence_without_its_content() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("secrets.json"), "{\"a\": hunter2").unwrap();
        let fault = FileSecrets::new(folder.path()).get("a").unwrap_err();
        assert!(!format!("{fault} {fault:?}").contains("hunter2"));
        assert!(FileSecrets::new(folder.path()).set("b", "c").is_err(), "never overwritten");
    }

    #[test]
    fn tokens_differ() {
        assert_eq!(random_token().unwrap().len(), 64);
        assert_ne!(random_token().unwrap(), random_token().unwrap());
    }
}
