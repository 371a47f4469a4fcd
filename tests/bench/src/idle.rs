//! The program while nothing happens.

use std::time::Duration;

use crate::Sizes;
use crate::harness::Shop;
use crate::process::{self, Seen};
use crate::stats::median;
use crate::table::Row;

/// After a load: what was asked for it is given back by then.
const SETTLES: Duration = Duration::from_secs(60);
const MOST_MEMORY_MIB: f64 = 40.0;

fn mib(seen: &Seen) -> f64 {
    seen.anonymous as f64 / 1024.0
}

pub(crate) async fn measure(shop: &Shop, sizes: &Sizes) -> Vec<Row> {
    let seconds = sizes.idle_seconds;
    tokio::time::sleep(SETTLES.min(Duration::from_secs(seconds))).await;
    let first = process::look(shop.pid());
    let mut looks = vec![mib(&first)];
    // Time itself is what is measured.
    let steps = seconds.clamp(1, 60);
    for _ in 0..steps {
        tokio::time::sleep(Duration::from_millis(seconds * 1000 / steps)).await;
        looks.push(mib(&process::look(shop.pid())));
    }
    let last = process::look(shop.pid());
    let (rest, most) = (median(&looks), looks.iter().copied().fold(0.0, f64::max));
    let cpu = (last.cpu - first.cpu) as f64 / (seconds as f64 * 1e9) * 100.0;
    let wake_ups = last.switches.saturating_sub(first.switches) as f64 / seconds as f64;
    let flat = mib(&last) <= mib(&first) * 1.1 + 1.0;
    let plain = |what: &str, measured: String, target: &str, reached| Row {
        what: what.into(),
        measured,
        limit: "-".into(),
        ratio: "-".into(),
        target: target.into(),
        reached,
        note: String::new(),
    };
    vec![
        plain(
            "memory while idle, headless, after that load",
            format!("{rest:.1} MiB, {most:.1} MiB at most"),
            "<= 40 MiB private (RssAnon)",
            Some(most <= MOST_MEMORY_MIB),
        )
        .note(format!(
            "The median of {} looks over {seconds} s, from {SETTLES:?} after the load on. The most counts: that of a pass over \
             all products, a second in five minutes.",
            looks.len()
        )),
        plain(
            "memory over the time of idling",
            format!("{:.1} MiB -> {:.1} MiB in {seconds} s", mib(&first), mib(&last)),
            "flat",
            Some(flat),
        )
        .note("`--hour` idles for an hour. Flat: at most a tenth and one MiB more at the end."),
        plain("CPU while idle", format!("{cpu:.3} % of a core"), "<= 0.2 % of a core", Some(cpu <= 0.2)).note(
            "With everything that the program does by itself in that time: passes over all products every five minutes, looks \
             every half minute, RainTek's numbers every 15 s.",
        ),
        plain("wake-ups while idle", format!("{wake_ups:.1} a second"), "counted", None)
            .note("Context switches of all threads."),
    ]
}
