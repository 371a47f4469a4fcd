//! Reads getUpdates' result. It holds what anybody on Telegram wrote to the bot.

use chrono::DateTime;
use serde_json::Value;

use crate::model::alert::{ChatText, Incoming, MAX_CHAT_TEXT};

/// Updates looked at, however many there are.
const MOST: usize = 100;
/// Anybody may call themselves anything.
const LONGEST_NAME: usize = 40;

/// The updates of an answer's `result`, oldest first. Whatever is not a text message counts only as seen; what has no
/// id is left out.
pub fn updates(result: &Value) -> Vec<Incoming> {
    let list = result.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut found: Vec<Incoming> = list.iter().take(MOST).filter_map(incoming).collect();
    found.sort_by_key(|incoming| incoming.update);
    found
}

/// A message with who wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Greeting {
    /// What was said, and where.
    pub message: Incoming,
    /// The person, or the group: a name to recognise it by.
    pub name: String,
}

/// The updates of an answer's `result` with who wrote them, oldest first.
pub fn greetings(result: &Value) -> Vec<Greeting> {
    let list = result.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut found: Vec<Greeting> = list
        .iter()
        .take(MOST)
        .filter_map(|update| Some(Greeting { message: incoming(update)?, name: name(update) }))
        .collect();
    found.sort_by_key(|greeting| greeting.message.update);
    found
}

fn name(update: &Value) -> String {
    let message = update.get("message");
    let text = |object: Option<&Value>, key: &str| {
        object.and_then(|object| object.get(key)).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let chat = message.and_then(|message| message.get("chat"));
    let from = message.and_then(|message| message.get("from"));
    let person = format!("{} {}", text(from, "first_name"), text(from, "last_name"));
    let name = [text(chat, "title"), person.trim().to_owned(), text(from, "username")];
    let name = name.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
    name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect()
}

fn incoming(update: &Value) -> Option<Incoming> {
    // Ids are positive and grow: one near the end of the numbers would keep all later ones away.
    let id = update.get("update_id")?.as_i64().filter(|id| (0..i64::MAX / 2).contains(id))?;
    Some(Incoming { update: id, message: update.get("message").and_then(message) })
}

fn message(message: &Value) -> Option<ChatText> {
    let chat = message.get("chat")?.get("id")?.as_i64()?;
    let at = DateTime::from_timestamp(message.get("date")?.as_i64()?, 0)?;
    let text = message.get("text")?.as_str()?.chars().take(MAX_CHAT_TEXT).collect();
    Some(ChatText { chat, at, text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn texts_are_read_and_everything_else_is_only_seen() {
        let result = json!([
            {"update_id": 8, "message": {"message_id": 1, "date": 1_800_000_000, "chat": {"id": -100_123, "type": "group"},
                "from": {"id": 5, "first_name": "Asha"}, "text": "/status"}},
            {"update_id": 7, "message": {"date": 1_800_000_000, "chat": {"id": 5}, "photo": []}},
            {"update_id": 9, "edited_message": {"date": 1_800_000_000, "chat": {"id": 5}, "text": "/retry"}},
            {"update_id": "10"},
            {"update_id": -3},
            {"update_id": i64::MAX},
            {"message": {"text": "/status"}},
            null,
        ]);
        let found = updates(&result);
        assert_eq!(found.iter().map(|incoming| incoming.update).collect::<Vec<_>>(), [7, 8, 9]);
        let texts: Vec<_> = found.iter().filter_map(|incoming| incoming.message.as_ref()).collect();
        assert_eq!(texts.len(), 1);
        assert_eq!((texts[0].chat, texts[0].text.as_str()), (-100_123, "/status"));
    }

    #[test]
    fn who_wrote_is_named() {
        let result = json!([
            {"update_id": 2, "message": {"date": 1, "chat": {"id": -5, "title": "Shop"}, "from": {"first_name": "A"}, "text": "hi"}},
            {"update_id": 1, "message": {"date": 1, "chat": {"id": 5}, "from": {"first_name": "Asha", "last_name": "Rao\n"}, "text": "hi"}},
            {"update_id": 3, "message": {"date": 1, "chat": {"id": 6}, "text": "hi"}},
        ]);
        let names: Vec<_> = greetings(&result).into_iter().map(|greeting| greeting.name).collect();
        assert_eq!(names, ["Asha Rao", "Shop", ""]);
    }

    #[test]
    fn a_long_text_is_cut() {
        let result = json!([{"update_id": 1, "message": {"date": 0, "chat": {"id": 1}, "text": "\u{1F600}".repeat(5000)}}]);
        assert_eq!(updates(&result)[0].message.as_ref().unwrap().text.chars().count(), MAX_CHAT_TEXT);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,12}".prop_map(Value::from),
        ];
        let names = prop::sample::select(vec!["update_id", "message", "chat", "id", "date", "text", "other"]);
        leaf.prop_recursive(5, 40, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(names.clone(), inner, 0..6).prop_map(|map| json!(map)),
            ]
        })
    }

    proptest! {
        #[test]
        fn nothing_breaks_it(result in any_json()) {
            for incoming in updates(&result) {
                prop_assert!(incoming.update >= 0);
            }
        }
    }
}
