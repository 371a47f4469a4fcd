//! What went wrong, in the terms that decide what happens next.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::words::one_line;

/// Characters of a sentence: what it names may be a text of anybody's.
const LONGEST_SENTENCE: usize = 400;

/// Decides how a fault is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Goes by itself: tried again with jittered backoff.
    Transient,
    /// This item cannot be booked as it is: held, the rest flows.
    Data,
    /// The other side does not look as expected (a table or column is missing): the flow stops, a person is told.
    Schema,
    /// Will not go by itself: the flow stops, a person is told.
    Permanent,
    /// The settings are wrong (login, database, permission): slow retry, a person is told.
    Config,
}

/// What the fault is about: one item, or a whole side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One invoice or product; others are not concerned.
    Item,
    /// RainTek's SQL Server as a whole: uses up no item's attempts.
    Pos,
    /// The billing app as a whole: uses up no item's attempts.
    Billing,
    /// Our own store: nothing may be acknowledged.
    Store,
}

/// What the reader of a fault can do. Words come from here so that page, log and alerts say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Nothing: it is retried by itself.
    Wait,
    /// Correct the invoice in the app.
    FixInvoice,
    /// Pull products and retry.
    PullProducts,
    /// Give it the next free number: somebody else has its own.
    Renumber,
    /// Remove it from RainTek, or leave it there.
    RemoveOrLeave,
    /// Correct the settings.
    FixSettings,
    /// Look at the server (space, service, permission).
    FixServer,
    /// Ask whoever supports the shop.
    CallSupport,
}

impl Action {
    /// The action as a button or advice, in plain words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Wait => "Nothing to do: it is tried again by itself.",
            Self::FixInvoice => "Correct the invoice in the billing app; it is then sent by itself.",
            Self::PullProducts => "Pull products and retry.",
            Self::Renumber => "Give it the next free number; a printed copy is then printed again.",
            Self::RemoveOrLeave => "Remove it from RainTek, or leave it there.",
            Self::FixSettings => "Check the connection settings.",
            Self::FixServer => "Check the SQL Server on this PC.",
            Self::CallSupport => "Call whoever supports the shop.",
        }
    }
}

/// An error as the engine sees it: classified once by the adapter that met it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{sentence}{}", Detail(detail))]
pub struct Fault {
    /// How it is answered.
    pub kind: FaultKind,
    /// What it is about.
    pub scope: Scope,
    /// One plain sentence for the shop.
    pub sentence: String,
    /// The one thing to do.
    pub action: Action,
    /// The technical error, for whoever supports the shop. Never a secret.
    pub detail: String,
    /// The server's error number (SQL Server) or HTTP status, where there is one.
    pub code: Option<u32>,
}

struct Detail<'a>(&'a str);

impl fmt::Display for Detail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, " ({})", self.0) }
    }
}

impl Fault {
    /// A fault with the action that goes with its kind.
    pub fn new(kind: FaultKind, scope: Scope, sentence: impl Into<String>) -> Self {
        let action = match kind {
            FaultKind::Transient => Action::Wait,
            FaultKind::Data => Action::FixInvoice,
            FaultKind::Config => Action::FixSettings,
            FaultKind::Schema | FaultKind::Permanent => Action::CallSupport,
        };
        Self {
            kind,
            scope,
            sentence: one_line(&sentence.into(), LONGEST_SENTENCE),
            action,
            detail: String::new(),
            code: None,
        }
    }

    /// An invoice that cannot be booked as it is.
    pub fn data(sentence: impl Into<String>) -> Self {
        Self::new(FaultKind::Data, Scope::Item, sentence)
    }

    /// Something that goes by itself.
    pub fn transient(scope: Scope, sentence: impl Into<String>) -> Self {
        Self::new(FaultKind::Transient, scope, sentence)
    }

    /// Adds the technical error.
    #[must_use]
    pub fn detail(mut self, detail: impl fmt::Display) -> Self {
        self.detail = detail.to_string();
        self
    }

    /// Names the one thing to do where the kind's own is not it.
    #[must_use]
    pub fn action(mut self, action: Action) -> Self {
        self.action = action;
        self
    }

    /// Adds the server's error number or HTTP status.
    #[must_use]
    pub fn code(mut self, code: u32) -> Self {
        self.code = Some(code);
        self
    }

    /// Whether a whole side is concerned, so that no item is to blame.
    pub fn is_outage(&self) -> bool {
        self.scope != Scope::Item
    }

    /// Whether it is over without anybody doing something: a side is away, or something was busy.
    pub fn goes_by_itself(&self) -> bool {
        self.is_outage() || self.kind == FaultKind::Transient
    }
}

/// How a send ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// The other side said yes.
    Confirmed,
    /// The other side said no, and nothing took effect.
    Rejected(Fault),
    /// No answer: it may have taken effect. It is looked up before anything is sent again.
    Unknown(Fault),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_by_itself_is_not_told_of_one_invoice() {
        assert!(Fault::transient(Scope::Item, "The app is busy.").goes_by_itself());
        assert!(Fault::new(FaultKind::Config, Scope::Billing, "The login is wrong.").goes_by_itself());
        assert!(!Fault::data("It cannot be read.").goes_by_itself());
    }
}
