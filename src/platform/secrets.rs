//! Passwords and tokens in one sealed file that nobody else may read.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::seal::{self, Seal};
use crate::model::fault::{Action, Fault, FaultKind, Scope};
use crate::ports::Secrets;

/// In front of a secret's name in the environment.
const VARIABLE: &str = "SHOPSYNC_SECRET_";
/// What the file is called where nothing seals it.
const PLAIN: &str = "secrets.json";

/// One file in the data folder: `secrets.json` of mode 0600, on Windows `secrets.sealed`.
pub struct FileSecrets {
    path: PathBuf,
    /// A file that an unsealed ShopSync left: taken over, and removed.
    former: Option<PathBuf>,
    seal: Box<dyn Seal>,
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
        Self::sealed_by(data, seal::of_this_system())
    }

    fn sealed_by(data: &Path, seal: Box<dyn Seal>) -> Self {
        let former = (seal.file() != PLAIN).then(|| data.join(PLAIN));
        Self { path: data.join(seal.file()), former, seal, writing: Mutex::new(()) }
    }

    /// Every secret there is, for keeping them out of what is given away.
    ///
    /// # Errors
    /// As [`Secrets::get`].
    pub fn values(&self) -> Result<Vec<String>, Fault> {
        let from_outside =
            std::env::vars().filter(|(name, _)| name.starts_with(VARIABLE)).map(|(_, value)| value);
        Ok(self.read()?.into_values().chain(from_outside).collect())
    }

    fn read(&self) -> Result<BTreeMap<String, String>, Fault> {
        let plain = match fs::read(&self.path) {
            Ok(sealed) => self.seal.open(&sealed).map_err(unusable)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match self.former.as_ref().map(fs::read) {
                    Some(Ok(plain)) => plain,
                    None => return Ok(BTreeMap::new()),
                    Some(Err(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
                    Some(Err(error)) => return Err(unusable(error)),
                }
            }
            Err(error) => return Err(unusable(error)),
        };
        // The parser's words could quote a secret.
        serde_json::from_slice(&plain).map_err(|_| unusable("it is not JSON"))
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
        // Before anything stands in it: nobody else ever sees it open.
        self.seal.protect(&temporary)?;
        file.write_all(&self.seal.seal(&serde_json::to_vec_pretty(all).map_err(io::Error::other)?)?)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&temporary, &self.path)?;
        if let Some(former) = &self.former {
            let _ = fs::remove_file(former);
        }
        Ok(())
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
        let variable = format!("{VARIABLE}{}", name.to_uppercase().replace(['.', '-'], "_"));
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

    /// Turns every byte round, and refuses what it did not turn.
    struct Turned;

    impl Seal for Turned {
        fn file(&self) -> &'static str {
            "secrets.sealed"
        }
        fn seal(&self, plain: &[u8]) -> io::Result<Vec<u8>> {
            Ok(b"SEAL".iter().copied().chain(plain.iter().map(|byte| !byte)).collect())
        }
        fn open(&self, sealed: &[u8]) -> io::Result<Vec<u8>> {
            let inner = sealed.strip_prefix(b"SEAL").ok_or_else(|| io::Error::other("not sealed here"))?;
            Ok(inner.iter().map(|byte| !byte).collect())
        }
        fn protect(&self, path: &Path) -> io::Result<()> {
            assert_eq!(fs::metadata(path)?.len(), 0, "protected before anything stands in it");
            Ok(())
        }
    }

    #[test]
    fn what_is_sealed_is_not_to_be_read_and_an_unsealed_file_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("secrets.json"), r#"{"old": "hunter1"}"#).unwrap();
        let sealed = FileSecrets::sealed_by(folder.path(), Box::new(Turned));
        assert_eq!(sealed.get("old"), Ok(Some("hunter1".into())));
        sealed.set("new", "hunter2").unwrap();
        let left: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["secrets.sealed"], "nothing open is left");
        let bytes = fs::read(folder.path().join("secrets.sealed")).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("hunter"));
        let again = FileSecrets::sealed_by(folder.path(), Box::new(Turned));
        assert_eq!(again.get("new"), Ok(Some("hunter2".into())));
        assert_eq!(again.values().unwrap(), ["hunter2", "hunter1"]);
        fs::write(folder.path().join("secrets.sealed"), "of another PC").unwrap();
        assert!(again.get("new").is_err() && again.set("new", "x").is_err(), "never overwritten");
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
