//! How large the program is.

use crate::harness::shopsync;
use crate::table::Row;

pub(crate) fn measure() -> Vec<Row> {
    let bytes = std::fs::metadata(shopsync()).unwrap().len();
    vec![Row {
        what: "the program, built like this run, with shell".into(),
        measured: format!("{:.1} MiB on {}", bytes as f64 / f64::from(1 << 20), std::env::consts::OS),
        limit: "-".into(),
        ratio: "-".into(),
        target: "<= 15 MiB on Windows".into(),
        reached: (cfg!(windows)).then_some(bytes <= 15 << 20),
        note: "Stripped by the release profile. Windows' own size is measured where the Windows program is built.".into(),
    }]
}
