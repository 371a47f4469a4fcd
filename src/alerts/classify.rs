//! The Bot API's answers, turned into faults once and here.

use std::time::Duration;

use serde_json::Value;

use crate::model::fault::{Action, Fault, FaultKind, Scope};
use crate::ports::alerts::Refused;

/// Asked to wait without saying how long.
const SOME_TIME: Duration = Duration::from_secs(30);
/// Nobody is waited for longer: what was asked may be a mistake.
const LONGEST: u64 = 3600;
/// Characters of a description that are kept.
const LONGEST_WORDS: usize = 200;

/// The settings do not fit.
pub(super) fn config(sentence: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Config, Scope::Item, sentence).action(Action::FixSettings)
}

/// No answer.
pub(super) fn trouble(timed_out: bool, detail: &str) -> Refused {
    let sentence =
        if timed_out { "Telegram does not answer in time." } else { "Telegram cannot be reached." };
    Refused { fault: Fault::transient(Scope::Item, sentence).detail(detail), retry_after: None }
}

/// An answer's `result`, or why there is none. `token` is kept out of whatever is told.
pub(super) fn answer(status: u16, body: &[u8], method: &str, token: &str) -> Result<Value, Refused> {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let ok = body.get("ok").and_then(Value::as_bool);
    if (200..300).contains(&status) && ok == Some(true) {
        return Ok(body.get("result").cloned().unwrap_or_default());
    }
    if ok.is_none() {
        // Somebody between us and Telegram, or somebody else.
        let fault = match status {
            500.. | 408 | 429 => Fault::transient(Scope::Item, "Telegram has an error of its own."),
            _ => config("What answers at telegram.base_url is not Telegram's Bot API."),
        };
        return Err(Refused { fault: coded(fault, status, method, ""), retry_after: None });
    }
    let code = body.get("error_code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
    let code = code.unwrap_or(status);
    let words = body.get("description").and_then(Value::as_str).unwrap_or_default().replace(token, "(token)");
    let parameter = |name: &str| body.get("parameters").and_then(|parameters| parameters.get(name));
    let mut retry_after = None;
    let fault = match code {
        401 | 404 => config(
            "Telegram does not know the bot's token: give the right one to `shopsync secret telegram.token`.",
        ),
        403 => config(
            "Telegram does not let the bot write to a chat: whoever it belongs to must start the bot, or add it to the \
             group, again.",
        ),
        409 if words.contains("webhook") => config(
            "The Telegram bot has a webhook, so that its commands go elsewhere: give ShopSync a bot of its own.",
        ),
        409 => config(
            "Another program reads the Telegram bot's messages, and only one can: give ShopSync a bot of its own, or \
             switch commands off.",
        ),
        429 => {
            let asked = parameter("retry_after").and_then(Value::as_u64);
            retry_after =
                Some(asked.map_or(SOME_TIME, |seconds| Duration::from_secs(seconds.clamp(1, LONGEST))));
            Fault::transient(Scope::Item, "Telegram asks to wait.")
        }
        400 => match parameter("migrate_to_chat_id").and_then(Value::as_i64) {
            Some(new) => {
                config(format!("A Telegram group has a new number: write {new} into telegram.chats."))
            }
            None if words.contains("chat not found") => config(
                "Telegram does not know a chat of telegram.chats, or nobody there has started the bot yet.",
            ),
            None => Fault::new(FaultKind::Permanent, Scope::Item, "Telegram refuses a message."),
        },
        500.. => Fault::transient(Scope::Item, "Telegram has an error of its own."),
        _ => Fault::new(
            FaultKind::Permanent,
            Scope::Item,
            "Telegram gives an answer that ShopSync does not know.",
        ),
    };
    Err(Refused { fault: coded(fault, code, method, &words), retry_after })
}

fn coded(fault: Fault, code: u16, method: &str, words: &str) -> Fault {
    let words: String =
        words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_WORDS).collect();
    fault.code(u32::from(code)).detail(format!("{method}: {code} {words}").trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TOKEN: &str = "123:SECRET";

    fn refused(status: u16, body: &Value) -> Refused {
        answer(status, body.to_string().as_bytes(), "sendMessage", TOKEN).unwrap_err()
    }

    fn error(code: u16, description: &str) -> Refused {
        refused(code, &json!({"ok": false, "error_code": code, "description": description}))
    }

    #[test]
    fn every_answer_has_its_fault() {
        use FaultKind::{Config, Permanent, Transient};
        let table = [
            (error(401, "Unauthorized"), Config, "token"),
            (error(404, "Not Found"), Config, "token"),
            (error(403, "Forbidden: bot was blocked by the user"), Config, "start the bot"),
            (error(400, "Bad Request: chat not found"), Config, "telegram.chats"),
            (error(400, "Bad Request: message text is empty"), Permanent, "refuses"),
            (error(409, "Conflict: terminated by other getUpdates request"), Config, "Another program"),
            (error(409, "Conflict: can't use getUpdates method while webhook is active"), Config, "webhook"),
            (error(429, "Too Many Requests"), Transient, "wait"),
            (error(500, "Internal Server Error"), Transient, "error of its own"),
            (error(418, "I'm a teapot"), Permanent, "does not know"),
            (refused(502, &json!("<html>")), Transient, "error of its own"),
            (refused(404, &json!("<html>")), Config, "not Telegram"),
            (refused(302, &json!({})), Config, "not Telegram"),
            (refused(200, &json!({"fine": true})), Config, "not Telegram"),
            (trouble(true, ""), Transient, "in time"),
            (trouble(false, ""), Transient, "cannot be reached"),
        ];
        for (refused, kind, words) in table {
            assert_eq!(refused.fault.kind, kind, "{}", refused.fault);
            assert!(refused.fault.sentence.contains(words), "{}", refused.fault);
        }
    }

    #[test]
    fn a_wait_is_taken_over_within_reason() {
        let asked = |seconds: Value| {
            refused(429, &json!({"ok": false, "error_code": 429, "parameters": {"retry_after": seconds}}))
                .retry_after
        };
        assert_eq!(asked(json!(7)), Some(Duration::from_secs(7)));
        assert_eq!(asked(json!(0)), Some(Duration::from_secs(1)));
        assert_eq!(asked(json!(999_999_999)), Some(Duration::from_secs(LONGEST)));
        assert_eq!(asked(json!("soon")), Some(SOME_TIME));
        assert_eq!(error(500, "").retry_after, None);
    }

    #[test]
    fn a_group_that_moved_names_its_new_number() {
        let moved = json!({"ok": false, "error_code": 400, "description": "Bad Request: group chat was upgraded",
            "parameters": {"migrate_to_chat_id": -1_001_234_567_890_i64}});
        assert!(refused(400, &moved).fault.sentence.contains("-1001234567890"));
    }

    #[test]
    fn the_token_is_never_told() {
        let told = error(401, &format!("Unauthorized: bot{TOKEN}\nis unknown"));
        assert!(!format!("{told:?} {}", told.fault).contains("SECRET"));
        assert!(!told.fault.detail.contains('\n'));
    }
}
