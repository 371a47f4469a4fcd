//! PocketBase's errors, turned into faults once and here.

use serde_json::Value;

use crate::model::fault::{Action, Fault, FaultKind, Scope};

/// Why there was no answer that could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Nobody listens there.
    NoConnection,
    /// Somebody does, but does not answer in time.
    TimedOut,
    /// The connection broke on the way.
    Broke,
    /// The answer is larger than any answer should be.
    TooLarge,
    /// What came is not JSON.
    NotJson,
    /// The address in the settings is none.
    BadAddress,
}

impl Trouble {
    /// What reqwest's error means to us.
    pub(super) fn of(error: &reqwest::Error) -> Self {
        if error.is_builder() {
            Self::BadAddress
        } else if error.is_timeout() {
            Self::TimedOut
        } else if error.is_connect() {
            Self::NoConnection
        } else {
            Self::Broke
        }
    }
}

/// What was being done, as far as it decides what a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing<'a> {
    /// Reading, or anything that concerns the app as a whole.
    App,
    /// Writing one record, named for a person: `the product P-1001`.
    Write(&'a str),
}

/// No answer.
pub(super) fn classify_trouble(trouble: Trouble, detail: &str) -> Fault {
    let transient = |sentence| Fault::transient(Scope::Billing, sentence);
    let fault = match trouble {
        Trouble::NoConnection => transient("The billing app is not answering."),
        Trouble::TimedOut => transient("The billing app does not answer in time."),
        Trouble::Broke => transient("The connection to the billing app broke."),
        Trouble::TooLarge => Fault::new(
            FaultKind::Permanent,
            Scope::Billing,
            "The billing app sent an answer that is too large to be right.",
        ),
        Trouble::NotJson => config("What answers at the billing app's address is not PocketBase."),
        Trouble::BadAddress => config("The billing app's address in the settings is not a web address."),
    };
    fault.detail(detail)
}

/// An answer that is no success. `detail` says what was asked; never with a query or a body, which hold customers' data.
pub(super) fn classify_answer(status: u16, body: &Value, doing: Doing<'_>, detail: &str) -> Fault {
    let message = body.get("message").and_then(Value::as_str).unwrap_or_default();
    let fault = match (status, doing) {
        (401 | 403, _) => config("The billing app does not accept ShopSync's login."),
        (404, Doing::Write(what)) => data(format!("The billing app no longer has {what}.")),
        (400 | 413, Doing::Write(what)) => {
            let reason = first_reason(body).unwrap_or_else(|| one_line(message));
            data(format!("The billing app refuses {what}: {reason}"))
        }
        (404, Doing::App) => schema("The billing app lacks a collection that ShopSync needs."),
        (400, Doing::App) => schema("The billing app does not have all the fields that ShopSync needs."),
        (408 | 429, _) => Fault::transient(Scope::Billing, "The billing app asks to wait."),
        (500.., _) => Fault::transient(Scope::Billing, "The billing app has an error of its own."),
        _ => Fault::new(
            FaultKind::Permanent,
            Scope::Billing,
            "The billing app gives an answer that ShopSync does not know.",
        ),
    };
    fault.code(u32::from(status)).detail(format!("{detail}: HTTP {status} {}", one_line(message)))
}

/// A wrong or missing password of our own login.
pub(super) fn login_refused(identity: &str, status: u16) -> Fault {
    config("The billing app does not accept ShopSync's login.")
        .code(u32::from(status))
        .detail(format!("sign-in of the superuser {identity}: HTTP {status}"))
}

/// The settings do not fit.
pub(super) fn config(sentence: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Config, Scope::Billing, sentence).action(Action::FixSettings)
}

/// The app does not look as expected.
pub(super) fn schema(sentence: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Schema, Scope::Billing, sentence)
}

fn data(sentence: String) -> Fault {
    Fault::data(sentence)
}

/// The first of PocketBase's reasons: `product_code: Value must be unique.`
fn first_reason(body: &Value) -> Option<String> {
    let (field, reason) = body.get("data")?.as_object()?.iter().next()?;
    let message = reason.get("message").and_then(Value::as_str)?;
    Some(format!("{field}: {}", one_line(message)))
}

/// At most 200 characters, without line breaks.
fn one_line(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    if line.is_empty() { "no reason given.".to_owned() } else { line }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_of_silence_has_its_fault() {
        let table = [
            (Trouble::NoConnection, FaultKind::Transient, "The billing app is not answering."),
            (Trouble::TimedOut, FaultKind::Transient, "The billing app does not answer in time."),
            (Trouble::Broke, FaultKind::Transient, "The connection to the billing app broke."),
            (
                Trouble::TooLarge,
                FaultKind::Permanent,
                "The billing app sent an answer that is too large to be right.",
            ),
            (
                Trouble::NotJson,
                FaultKind::Config,
                "What answers at the billing app's address is not PocketBase.",
            ),
            (
                Trouble::BadAddress,
                FaultKind::Config,
                "The billing app's address in the settings is not a web address.",
            ),
        ];
        for (trouble, kind, sentence) in table {
            let fault = classify_trouble(trouble, "GET /x");
            assert_eq!((fault.kind, fault.sentence.as_str()), (kind, sentence));
            assert_eq!(fault.scope, Scope::Billing);
        }
    }

    #[test]
    fn every_status_has_its_fault() {
        use Doing::{App, Write};
        use FaultKind::{Config, Data, Permanent, Schema, Transient};
        let table = [
            (400, App, Schema, Scope::Billing),
            (400, Write("the product P-1"), Data, Scope::Item),
            (413, Write("the product P-1"), Data, Scope::Item),
            (401, App, Config, Scope::Billing),
            (403, Write("the product P-1"), Config, Scope::Billing),
            (404, App, Schema, Scope::Billing),
            (404, Write("the product P-1"), Data, Scope::Item),
            (429, Write("the product P-1"), Transient, Scope::Billing),
            (408, App, Transient, Scope::Billing),
            (500, Write("the product P-1"), Transient, Scope::Billing),
            (503, App, Transient, Scope::Billing),
            (302, App, Permanent, Scope::Billing),
        ];
        for (status, doing, kind, scope) in table {
            let fault = classify_answer(status, &json!({"message": "m"}), doing, "GET /x");
            assert_eq!((fault.kind, fault.scope), (kind, scope), "{status} {doing:?}");
            assert_eq!(fault.code, Some(u32::from(status)));
        }
    }

    #[test]
    fn a_refused_record_names_its_reason() {
        let body = json!({"message": "Failed", "data": {"product_code": {"code": "validation_not_unique", "message": "Value must be unique."}}});
        let fault = classify_answer(400, &body, Doing::Write("the product P-1"), "PATCH /x");
        assert_eq!(
            fault.sentence,
            "The billing app refuses the product P-1: product_code: Value must be unique."
        );
        let fault = classify_answer(400, &json!({}), Doing::Write("the product P-1"), "PATCH /x");
        assert_eq!(fault.sentence, "The billing app refuses the product P-1: no reason given.");
    }
}
