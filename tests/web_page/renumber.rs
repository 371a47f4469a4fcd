//! An invoice that is held for its number: one button, a warning of the printed copy, and the engine is asked.

use shopsync::model::command::Command;

use crate::{opened, scenes};

#[test]
fn the_next_free_number_is_asked_for_once_the_printed_copy_was_warned_of() {
    let mut scene = scenes::attention();
    let item = scene.items.iter_mut().find(|item| item.number == "GST-0151").unwrap();
    item.sentence = "RainTek used the number GST-0151 for a bill of its own (410.00, Inv_ID 7).".into();
    item.action_kind = "renumber".into();
    let (site, mut browser) = opened(scene);
    browser.wait("document.querySelector('[data-tab=held]').ariaSelected === 'true'");
    let shown = "document.querySelector(\"[data-number='GST-0151'] [data-do=renumber]\")";
    assert!(browser.holds(&format!("{shown}.checkVisibility()")));
    assert_eq!(browser.eval(&format!("{shown}.innerText")), "Give it the next free number");
    let others =
        "[...document.querySelectorAll('[data-do=renumber]')].filter((button) => button.checkVisibility())";
    assert!(browser.holds(&format!("{others}.length === 1")), "only where it is the thing to do");

    browser.click("[data-number='GST-0151'] [data-do=renumber]");
    browser
        .wait("document.querySelector('dialog').innerText.includes('already printed must be printed again')");
    // Who presses Enter at once has not decided yet.
    browser.press("Enter");
    browser.wait("document.querySelector('dialog') === null");
    assert!(site.asked().is_empty(), "who thinks better of it changes nothing");
    assert!(browser.holds("document.activeElement.dataset.do === 'renumber'"), "the focus comes back");
    browser.click("[data-number='GST-0151'] [data-do=renumber]");
    browser.click("dialog [data-do=yes]");
    browser.wait("document.querySelector('#said.shown').innerText.startsWith('GST-0151 has the number')");
    assert_eq!(site.asked(), [Command::Renumber { number: "GST-0151".into() }]);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
