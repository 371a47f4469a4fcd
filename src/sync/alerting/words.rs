//! The words stay words, whatever an invoice or a customer is called.

use proptest::prelude::*;

use super::delivery::combine;
use super::table::at;
use super::texts::{LONGEST_MESSAGE, clean, join, units};
use super::*;
use crate::model::alert::Queued;

#[test]
fn phone_numbers_are_left_out_and_other_numbers_stay() {
    for phone in [
        "9876543210",
        "98765 43210",
        "98765-43210",
        "987 654 3210",
        "+919876543210",
        "+91 98765 43210",
        "0091-9876543210",
        "09876543210",
        "022 2345 6789",
        "Asha9876543210",
    ] {
        let text = clean(&format!("The customer {phone} is unknown."), 300);
        assert!(
            text.contains("(phone number)") && !text.contains("3210") && !text.contains("6789"),
            "{text}"
        );
    }
    for other in [
        "GST-0151-2026/27",
        "barcode 8901234567890",
        "Inv_ID 123456",
        "2,900.00",
        "on 2026-11-21 10:00",
        "1234567890",
        "error 18456",
    ] {
        assert_eq!(clean(other, 300), other);
    }
    assert_eq!(clean("Bill 5 of 9876543210, 3 lines", 300), "Bill 5 of (phone number), 3 lines");
}

#[test]
fn hostile_names_stay_one_harmless_line() {
    let hostile = "A\r\nSync stopped.\n\u{202E}*bold* <b>x</b> [a](http://b)\u{0}\u{200B}\u{FEFF}";
    assert_eq!(clean(hostile, 300), "A Sync stopped. *bold* <b>x</b> [a](http://b)");
    assert_eq!(clean(&"\u{1F600}".repeat(500), 60).chars().count(), 60);
}

fn queued(messages: &[(i64, Level, &str)]) -> Vec<Queued> {
    messages
        .iter()
        .zip(1..)
        .map(|((seconds, level, text), id)| Queued {
            id,
            chat: 1,
            message: Message { at: at(*seconds), level: *level, text: (*text).to_owned() },
        })
        .collect()
}

#[test]
fn what_waited_for_the_internet_comes_as_one_message_newest_first() {
    let zone = Tz::Asia__Kolkata;
    let one = queued(&[(0, Level::Warning, "SQL Server connection lost. Retrying.")]);
    let message = combine(&one, at(30), zone).unwrap();
    assert_eq!(
        (message.level, message.text.as_str()),
        (Level::Warning, "SQL Server connection lost. Retrying.")
    );
    let late = combine(&one, at(3600), zone).unwrap();
    assert_eq!(
        (late.level, late.text.as_str()),
        (Level::Info, "(10:00) SQL Server connection lost. Retrying.")
    );
    let several = queued(&[
        (-20 * 3600, Level::Critical, "Backup failed: the disk is full."),
        (0, Level::Warning, "Lost."),
        (600, Level::Info, "Back."),
        (-25 * 3600, Level::Critical, "Older than a day."),
    ]);
    let message = combine(&several, at(610), zone).unwrap();
    assert_eq!(message.text, "(10:10) Back.\n(10:00) Lost.\n(20 Nov 14:00) Backup failed: the disk is full.");
    assert_eq!(message.level, Level::Critical);
    assert_eq!(combine(&several[3..], at(610), zone), None);
    assert_eq!(combine(&[], at(610), zone), None);
}

#[test]
fn of_a_phone_number_nothing_stays() {
    assert_eq!(clean("call +91 98765 43210 now", 300), "call +(phone number) now");
    assert_eq!(clean("call 91 98765 43210, now", 300), "call (phone number), now");
    // The year of a number is no group of one.
    assert_eq!(clean("order 9876 2026-27", 300), "order 9876 2026-27");
}

#[test]
fn a_message_that_says_when_it_was_does_not_ring_and_one_that_rings_does_not() {
    let one = queued(&[(0, Level::Warning, "Lost.")]);
    for (seconds, level, text) in [(119, Level::Warning, "Lost."), (120, Level::Info, "(10:00) Lost.")] {
        let message = combine(&one, at(seconds), Tz::Asia__Kolkata).unwrap();
        assert_eq!((message.level, message.text.as_str()), (level, text), "{seconds}");
    }
}

#[test]
fn a_test_message_says_which_pc_it_comes_from() {
    assert_eq!(texts::test("SHOP-PC\n"), "Test message from ShopSync on SHOP-PC. Alerts will come here.");
}

#[test]
fn a_large_disk_is_told_in_gigabytes() {
    let left = |bytes| disk_sentence("D:", bytes);
    assert!(left(9000 << 20).contains("(9000 MB left)"));
    assert!(left(20 << 30).contains("(20 GB left)"));
    assert!(left((1 << 20) - 1).contains("(less than 1 MB left)"));
}

#[test]
fn one_line_that_is_too_long_for_a_message_is_cut_and_not_left_out() {
    for (text, unit) in [("x".repeat(LONGEST_MESSAGE), 1), ("\u{1F600}".repeat(LONGEST_MESSAGE), 2)] {
        let message = join([text].into_iter(), |left| format!("And {left} more."));
        assert!(message.ends_with('\u{2026}') && !message.contains("more"), "{message}");
        let length = units(&message);
        // No more is cut than the line that says how many are left would need.
        assert!(length <= LONGEST_MESSAGE && length >= LONGEST_MESSAGE - 101 - unit, "{length}");
    }
    let whole = "x".repeat(3900);
    assert_eq!(join([whole.clone()].into_iter(), |_| String::new()), whole);
}

#[test]
fn a_full_message_that_comes_late_still_says_what_it_said() {
    let text = "Backup failed. ".repeat(270);
    let late = combine(&queued(&[(0, Level::Critical, &text)]), at(3600), Tz::Asia__Kolkata).unwrap();
    assert!(late.text.starts_with("(10:00) Backup failed."), "{}", late.text);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_message_is_longer_than_telegram_takes(
        lines in prop::collection::vec("(\\PC|\u{1F600}){0,400}", 0..30)
    ) {
        let total = lines.len();
        let text = join(lines.into_iter(), |left| format!("And {left} more."));
        prop_assert!(units(&text) <= LONGEST_MESSAGE);
        prop_assert!(total == 0 || !text.is_empty() || total == 1);
    }

    #[test]
    fn cleaning_breaks_nothing(text in "(\\PC|[0-9 +.-]|\n){0,200}", longest in 1_usize..100) {
        let cleaned = clean(&text, longest);
        prop_assert!(!cleaned.chars().any(char::is_control));
        // A phone number that is left out may make place for these words.
        prop_assert!(cleaned.chars().count() <= longest.max(1) * 2 + "(phone number)".len());
    }
}

#[test]
fn the_length_of_a_message_is_counted_as_telegram_counts_it() {
    assert_eq!(texts::units(""), 0);
    assert_eq!(texts::units("\u{20b9} 106.00"), 8);
    assert_eq!(texts::units("\u{1f6d2}"), 2, "beyond the first plane a character counts twice");
}
