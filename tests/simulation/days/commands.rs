//! The helper writes to the bot of the shop.

use super::{bill, day, has, has_not, lived, of_look, said, whole};
use crate::story::{Do, Stage, Story};

const HELPER: i64 = 1;
const STRANGER: i64 = 7;

fn writes(text: &'static str) -> Do {
    Do::Chat { chat: HELPER, text, minutes_late: 0 }
}

pub(super) fn from_a_chat() -> Story {
    let stranger = |text| Do::Chat { chat: STRANGER, text, minutes_late: 0 };
    day(
        Stage { commands: true, ..Stage::default() },
        &[
            (20_000, whole(bill(0, 1))),
            (25_000, writes("/status")),
            (27_000, stranger("/pause 1h")),
            (29_000, whole(bill(1, 2))),
            (33_000, Do::Look),
            (34_000, writes("/pause 30m")),
            (36_000, whole(bill(2, 3))),
            (50_000, stranger("/resume")),
            (51_000, writes("/status")),
            (52_000, Do::Restart { down: 500 }),
            (65_000, Do::Look),
            (66_000, Do::Chat { chat: HELPER, text: "/resume", minutes_late: 11 }),
            (75_000, Do::Look),
            (76_000, writes("/resume@ShopBot")),
            (85_000, Do::Look),
            (86_000, writes("/retry")),
            (88_000, writes("/retry GST-0099-2026/27")),
            (89_000, writes("/retry GST-0001-2026/27\u{202e}")),
            (90_000, writes("/pause 3d")),
            (91_000, writes("/dance")),
            (92_000, writes("good morning")),
            (93_000, writes("/backup")),
            (94_000, writes("/help")),
            // Two at once are answered in one message.
            (95_000, writes("/status")),
            (95_000, writes("/retry")),
        ],
    )
}

#[test]
fn commands_of_the_shops_chat_are_done_and_those_of_strangers_are_not() {
    let outcome = lived(&from_a_chat());
    let answers = said(&outcome, "telegram");
    has_not(&answers, &format!("to chat {STRANGER}"));
    has(&of_look(&outcome, 0, "app "), "GST-0002-2026/27: 91 Completed synced");
    // Paused: nothing is sent, neither for a stranger's word nor after a restart nor for an order that came late.
    has(&answers, "Paused until 23 Nov 10:00.");
    for n in 1..3 {
        has(&of_look(&outcome, n, "app "), "GST-0003-2026/27");
        has_not(&of_look(&outcome, n, "app GST-0003"), "synced");
        has_not(&of_look(&outcome, n, "RainTek "), "GST-0003");
    }
    has(&answers, "That command came too late and was not done.");
    has(&of_look(&outcome, 3, "RainTek "), "GST-0003");
    has(&of_look(&outcome, 3, "app GST-0003"), "synced");
    assert_eq!(answers.iter().filter(|answer| answer.contains("Paused until")).count(), 2, "{answers:#?}");
    has(&answers, "No invoice GST-0099-2026/27 is waiting or held.");
    has(&answers, "2 messages of other chats were ignored.");
    has_not(&answers, "good morning");
    has_not(&answers, "without warning");
}
