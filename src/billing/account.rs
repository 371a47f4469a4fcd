//! The superuser that ShopSync signs in as.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::process::Command;

use super::classify::config;
use crate::model::fault::{Fault, FaultKind, Scope};
use crate::model::settings::BillingSettings;
use crate::ports::{Clock, Secrets};

/// Our own superuser: an address that no mail can reach.
pub const OWN_IDENTITY: &str = "shopsync@localhost.invalid";
/// Secret: the generated password of [`OWN_IDENTITY`].
pub const OWN_PASSWORD_SECRET: &str = "billing.own_password";
/// Secret: the password of the superuser that the settings name.
pub const GIVEN_PASSWORD_SECRET: &str = "billing.password";

const PASSWORD_LENGTH: usize = 32;
const TOOL_TIMEOUT: Duration = Duration::from_secs(60);

/// Where a superuser can be made from outside: PocketBase's program and the app's data.
#[derive(Debug, Clone)]
pub(super) struct Workshop {
    pub(super) program: PathBuf,
    pub(super) data: PathBuf,
}

/// What to sign in with.
pub(super) struct Credentials {
    pub(super) identity: String,
    pub(super) password: String,
}

/// Knows the superuser, and makes it where it may.
pub(super) struct Account {
    given: Option<String>,
    secrets: Arc<dyn Secrets>,
    clock: Arc<dyn Clock>,
    workshop: Option<Workshop>,
}

impl Account {
    pub(super) fn new(
        settings: &BillingSettings,
        secrets: Arc<dyn Secrets>,
        clock: Arc<dyn Clock>,
        workshop: Option<Workshop>,
    ) -> Self {
        Self { given: settings.identity.clone(), secrets, clock, workshop }
    }

    /// The same login for an app that lies elsewhere.
    pub(super) fn at(&self, workshop: Workshop) -> Self {
        Self {
            given: self.given.clone(),
            secrets: Arc::clone(&self.secrets),
            clock: Arc::clone(&self.clock),
            workshop: Some(workshop),
        }
    }

    /// Identity and password; the password of our own superuser is made when it is first asked for.
    pub(super) fn credentials(&self) -> Result<Credentials, Fault> {
        if let Some(identity) = &self.given {
            let Some(password) = self.secrets.get(GIVEN_PASSWORD_SECRET)? else {
                return Err(config("The password of the billing app's superuser is not known.")
                    .detail(format!("secret {GIVEN_PASSWORD_SECRET} for {identity}")));
            };
            return Ok(Credentials { identity: identity.clone(), password });
        }
        let password = match self.secrets.get(OWN_PASSWORD_SECRET)? {
            Some(password) => password,
            None => {
                let password = generate()?;
                self.secrets.set(OWN_PASSWORD_SECRET, &password)?;
                password
            }
        };
        Ok(Credentials { identity: OWN_IDENTITY.to_owned(), password })
    }

    /// Makes our own superuser, or gives it the password we know. False where we may or can not.
    ///
    /// That the program reports success proves nothing: only signing in does.
    pub(super) async fn restore(&self) -> Result<bool, Fault> {
        let Some(workshop) = self.workshop.as_ref().filter(|_| self.given.is_none()) else {
            return Ok(false);
        };
        if !workshop.program.is_file() || !workshop.data.join("data.db").is_file() {
            return Ok(false);
        }
        self.upsert(workshop).await.map(|()| true)
    }

    /// Makes our own superuser before the server's first start: a PocketBase without any opens a browser to ask for one.
    pub(super) async fn prepare(&self, workshop: &Workshop) -> Result<(), Fault> {
        if self.given.is_some() { Ok(()) } else { self.upsert(workshop).await }
    }

    async fn upsert(&self, workshop: &Workshop) -> Result<(), Fault> {
        let Credentials { identity, password } = self.credentials()?;
        // The app's hooks and migrations are for its server; a folder that is not there keeps the tool away from them.
        let nothing = workshop.data.join("shopsync-none");
        let mut command = Command::new(&workshop.program);
        command
            .args(["superuser", "upsert", &identity, &password])
            .arg("--dir")
            .arg(&workshop.data)
            .arg("--hooksDir")
            .arg(&nothing)
            .arg("--migrationsDir")
            .arg(&nothing)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        super::process::hide_window(&mut command);
        let failed = |detail: String| {
            Fault::new(
                FaultKind::Config,
                Scope::Billing,
                "ShopSync cannot make its login in the billing app.",
            )
            .detail(detail.replace(&password, "***"))
        };
        let output = tokio::select! {
            output = command.output() => output.map_err(|error| failed(format!("{}: {error}", workshop.program.display())))?,
            () = self.clock.sleep(TOOL_TIMEOUT) => return Err(failed("superuser upsert does not end".to_owned())),
        };
        if output.status.success() {
            return Ok(());
        }
        let said: String = String::from_utf8_lossy(&output.stderr).chars().take(500).collect();
        Err(failed(format!("superuser upsert: {}: {said}", output.status)))
    }
}

/// 32 characters of `[a-z0-9]`.
fn generate() -> Result<String, Fault> {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0_u8; PASSWORD_LENGTH];
    getrandom::fill(&mut bytes).map_err(|error| {
        Fault::new(FaultKind::Permanent, Scope::Billing, "Windows gives no random numbers for a password.")
            .detail(error)
    })?;
    // 32 divides 256: each letter is as likely as any other.
    Ok(bytes
        .iter()
        .filter_map(|byte| ALPHABET.get(usize::from(*byte) % ALPHABET.len()))
        .map(|b| char::from(*b))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_long_and_differ() {
        let (one, other) = (generate().unwrap(), generate().unwrap());
        assert_eq!(one.len(), PASSWORD_LENGTH);
        assert_ne!(one, other);
    }
}
