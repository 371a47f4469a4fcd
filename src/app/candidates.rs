//! Places where RainTek's database may be, tried one by one.

use std::time::Duration;

use chrono::NaiveDate;

use crate::model::fault::{Fault, FaultKind, Scope};
use crate::model::settings::{RaintekAuth, RaintekSettings};
use crate::model::setup::Candidate;
use crate::raintek::{Hint, look};
use crate::sync::setup::label;

/// A server that takes longer is no use in a shop either.
const PATIENCE: Duration = Duration::from_secs(12);

/// Tries a place: reads it, and proves that it may be written unless nothing is to be written at all.
pub(super) async fn tried(hint: &Hint, id: String, today: NaiveDate, write: bool) -> Candidate {
    let settings = &hint.settings;
    let seen = tokio::time::timeout(PATIENCE, look(settings, hint.password.clone(), write)).await;
    let seen = seen.unwrap_or_else(|_| {
        Err(Fault::transient(Scope::Pos, "RainTek's database is not answering.")
            .detail("no answer within 12 s"))
    });
    let login = if settings.auth == RaintekAuth::Windows { String::new() } else { settings.user.clone() };
    let candidate = Candidate {
        id,
        server: hint.server.clone(),
        database: settings.database.clone(),
        login,
        shop: String::new(),
        label: format!("{} on {}", settings.database, hint.server),
        ok: false,
        sentence: String::new(),
        via: String::new(),
        found_by: hint.found_by.to_owned(),
        can_switch_tcp_on: false,
        folder: settings.folder.as_ref().map(|folder| folder.display().to_string()),
        detail: String::new(),
    };
    match seen {
        Ok(look) => Candidate {
            label: label(&look.shop, &settings.database, &hint.server, look.bills, look.latest, today),
            shop: look.shop,
            ok: true,
            sentence: if write { "It can be read and written." } else { "It can be read." }.to_owned(),
            via: look.via.to_owned(),
            can_switch_tcp_on: look.via == "pipe" && has_tcp_off(hint),
            ..candidate
        },
        Err(fault) => Candidate {
            can_switch_tcp_on: fault.kind == FaultKind::Transient && has_tcp_off(hint),
            sentence: fault.sentence,
            detail: fault.detail,
            ..candidate
        },
    }
}

fn has_tcp_off(hint: &Hint) -> bool {
    hint.instance.as_ref().is_some_and(|instance| instance.tcp == Some(false))
}

/// The settings that make ShopSync use this place. Where RainTek's own files say it, they are followed: what is changed
/// in RainTek then needs no second change here.
pub(super) fn settings_of(hint: &Hint) -> Vec<(&'static str, serde_json::Value)> {
    let RaintekSettings { server, port, database, user, folder, auth, .. } = &hint.settings;
    let auth = if *auth == RaintekAuth::Windows { "windows" } else { "sql" };
    vec![
        ("raintek.folder", folder.as_ref().map(|folder| folder.display().to_string()).into()),
        ("raintek.server", server.as_str().into()),
        ("raintek.port", (*port).into()),
        ("raintek.database", database.as_str().into()),
        ("raintek.user", user.as_str().into()),
        ("raintek.auth", auth.into()),
    ]
}
