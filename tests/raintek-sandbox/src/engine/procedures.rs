//! The stored procedures clients here call.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::types::Value;

use super::locks::{Refusal, Resource};
use super::session::{Failure, Session};
use crate::sql::error::SqlError;
use crate::sql::types::Ty;

/// What sp_getapplock answers to a call it does not understand.
const BAD_CALL: i64 = -999;

impl Session {
    /// Runs a procedure and gives back its return code.
    pub(crate) fn procedure(
        &mut self,
        name: &str,
        given: &[(Option<String>, Value, Ty)],
    ) -> Result<i64, Failure> {
        match name {
            "sp_getapplock" => self.get_app_lock(given),
            "sp_releaseapplock" => self.release_app_lock(given),
            "sp_reset_connection" => {
                self.reset();
                Ok(0)
            }
            _ => Err(SqlError::new(2812, 16, format!("Could not find stored procedure '{name}'.")).into()),
        }
    }

    fn get_app_lock(&mut self, given: &[(Option<String>, Value, Ty)]) -> Result<i64, Failure> {
        let argument = |at: usize, name: &str| argument(given, at, name);
        let Some(Value::Text(resource)) = argument(0, "@resource") else { return Ok(BAD_CALL) };
        let exclusive = match text(argument(1, "@lockmode")).as_str() {
            "exclusive" | "update" => true,
            "shared" => false,
            _ => return Ok(BAD_CALL),
        };
        // a lock of the transaction needs one
        let of_transaction = match text(argument(2, "@lockowner")).as_str() {
            "" | "transaction" if self.depth > 0 => true,
            "session" => false,
            _ => return Ok(BAD_CALL),
        };
        let resource = Resource::Application(resource);
        let milliseconds = match argument(3, "@locktimeout") {
            Some(Value::Integer(milliseconds)) => milliseconds,
            _ => self.settings.lock_timeout,
        };
        let timeout = u64::try_from(milliseconds).ok().map(Duration::from_millis);
        let watch = Arc::clone(&self.watch);
        let key = resource.clone();
        match self.shared.locks.acquire(self.spid, key, exclusive, timeout, &|| watch().is_some()) {
            Ok(waited) => {
                if of_transaction {
                    self.transaction_locks.push(resource);
                }
                Ok(i64::from(waited))
            }
            Err(Refusal::Timeout) => Ok(-1),
            Err(Refusal::Deadlock) => Ok(-3),
            Err(Refusal::Interrupted) => match (self.watch)() {
                Some(stop) => Err(stop.into()),
                None => Ok(-2),
            },
        }
    }

    fn release_app_lock(&mut self, given: &[(Option<String>, Value, Ty)]) -> Result<i64, Failure> {
        let Some(Value::Text(name)) = argument(given, 0, "@resource") else { return Ok(BAD_CALL) };
        let resource = Resource::Application(name.clone());
        if self.shared.locks.release(self.spid, &resource) {
            if let Some(at) = self.transaction_locks.iter().position(|held| *held == resource) {
                self.transaction_locks.remove(at);
            }
            return Ok(0);
        }
        Err(SqlError::new(
            1223,
            16,
            format!("Cannot release the application lock (Database Principal: 'public', Resource: '{name}') because it is not currently held."),
        )
        .into())
    }
}

fn argument(given: &[(Option<String>, Value, Ty)], at: usize, name: &str) -> Option<Value> {
    given
        .iter()
        .find(|(known, ..)| known.as_deref() == Some(name))
        .or_else(|| given.get(at).filter(|(known, ..)| known.is_none()))
        .map(|(_, value, _)| value.clone())
}

fn text(value: Option<Value>) -> String {
    match value {
        Some(Value::Text(text)) => text.trim().to_lowercase(),
        _ => String::new(),
    }
}
