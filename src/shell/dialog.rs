//! Questions, where the window library asks them: on GTK. Nothing waits for the answer.

use crate::model::desktop::Question;
use crate::ports::desktop::Answer;

/// Asks; the answer comes later, no answer (the window closed) is a no.
#[cfg(target_os = "linux")]
pub(super) fn ask(question: &Question, answer: Answer) {
    use std::cell::Cell;

    use gtk::prelude::*;

    let dialog = gtk::MessageDialog::new(
        None::<&gtk::Window>,
        gtk::DialogFlags::empty(),
        gtk::MessageType::Question,
        gtk::ButtonsType::None,
        &question.text,
    );
    dialog.set_title("ShopSync");
    dialog.set_keep_above(true);
    dialog.add_button(&question.no, gtk::ResponseType::Cancel);
    dialog.add_button(&question.yes, gtk::ResponseType::Accept);
    dialog.set_default_response(gtk::ResponseType::Cancel);
    let answer = Cell::new(Some(answer));
    dialog.connect_response(move |dialog, response| {
        if let Some(answer) = answer.take() {
            answer(response == gtk::ResponseType::Accept);
        }
        dialog.close();
    });
    dialog.show_all();
    dialog.present();
}

/// The desktop asks by itself everywhere else.
#[cfg(not(target_os = "linux"))]
pub(super) fn ask(_question: &Question, answer: Answer) {
    answer(false);
}
