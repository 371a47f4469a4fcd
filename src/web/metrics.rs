//! `GET /metrics`: the same numbers for Prometheus (text format 0.0.4).
//!
//! What is not known yet has no sample rather than a zero: a dashboard shows a gap, not "last push 1970".

use std::fmt::Write as _;
use std::future::{Ready, ready};

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};

use super::{Published, Shared};
use crate::model::health::HealthState;

/// The answer.
pub(super) fn metrics(State(shared): State<Shared>) -> Ready<Response> {
    let text = text(&shared.published());
    ready(([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

fn text(published: &Published) -> String {
    let snapshot = &published.snapshot;
    let running = published.running;
    let state = if running { snapshot.state } else { HealthState::Failing };
    let (counts, products) = (&snapshot.counts, &snapshot.products);

    let mut page = Page::default();
    page.gauge("build_info", "The running version.");
    page.sample(&[("version", &snapshot.version)], 1);
    page.gauge("engine_up", "1 while the engine publishes its state.");
    page.sample(&[], u8::from(running));
    page.gauge("state", "The state of the whole: 1 for the one that holds.");
    for known in HealthState::ALL {
        page.sample(&[("state", known.name())], u8::from(known == state));
    }

    let links = [("raintek", &snapshot.raintek), ("billing", &snapshot.billing)];
    page.gauge("link_up", "1 while the last look at that side succeeded.");
    for (side, link) in links {
        page.sample(&[("side", side)], u8::from(link.connected && running));
    }
    page.gauge("link_latency_seconds", "How long the last successful look took.");
    for (side, link) in links {
        if let Some(milliseconds) = link.latency_ms {
            page.sample(&[("side", side)], seconds(milliseconds));
        }
    }
    page.gauge("link_last_ok_timestamp_seconds", "The last successful look.");
    for (side, link) in links {
        page.moment(&[("side", side)], link.last_ok);
    }
    page.gauge("realtime_up", "1 while the billing app's events arrive live.");
    page.sample(&[], u8::from(snapshot.realtime && running));

    page.gauge("invoices_waiting", "Invoices on their way or waiting for their turn.");
    page.sample(&[], counts.waiting);
    page.gauge("invoices_held", "Invoices that wait for a person.");
    page.sample(&[], counts.held);
    page.gauge("invoices_done_today", "Invoices dated today that are proven in RainTek.");
    page.sample(&[], counts.done_today);
    page.counter("invoices_done_total", "Invoices proven in RainTek, ever.");
    page.sample(&[], counts.done_total);
    page.gauge("last_push_timestamp_seconds", "When the last invoice was proven in RainTek.");
    page.moment(&[], snapshot.last_push.as_ref().map(|push| push.at));
    page.gauge("last_push_duration_seconds", "How long the last invoice took from pick-up to commit.");
    if let Some(push) = &snapshot.last_push {
        page.sample(&[], seconds(push.took_ms));
    }

    page.gauge("products", "Products that RainTek showed at the last pass.");
    page.sample(&[], products.total);
    page.gauge("products_problems", "Products that are not taken over, or not whole.");
    page.sample(&[], products.problems.len());
    page.gauge("last_products_pass_timestamp_seconds", "The end of the last products pass that succeeded.");
    page.moment(&[], products.last_pass);
    page.gauge("last_scan_timestamp_seconds", "When every invoice was last compared with RainTek.");
    page.moment(&[], snapshot.scan.last.as_ref().map(|last| last.at));
    page.gauge("scan_findings", "What the last scan found and is not right yet.");
    page.sample(&[], snapshot.scan.findings.len());
    page.gauge("heartbeat_timestamp_seconds", "The last sign of life that is stored.");
    page.moment(&[], snapshot.heartbeat);
    page.gauge("start_time_seconds", "When the engine was started.");
    page.moment(&[], Some(snapshot.started));
    page.gauge("snapshot_timestamp_seconds", "When the engine last published its state.");
    page.moment(&[], Some(snapshot.at));
    page.text
}

/// Text under way; `name` is the family that samples belong to.
#[derive(Default)]
struct Page {
    text: String,
    name: &'static str,
}

impl Page {
    fn gauge(&mut self, name: &'static str, help: &str) {
        self.family(name, help, "gauge");
    }

    fn counter(&mut self, name: &'static str, help: &str) {
        self.family(name, help, "counter");
    }

    fn family(&mut self, name: &'static str, help: &str, kind: &str) {
        self.name = name;
        // Writing into a String cannot fail.
        let _ = write!(self.text, "# HELP shopsync_{name} {help}\n# TYPE shopsync_{name} {kind}\n");
    }

    fn moment(&mut self, labels: &[(&str, &str)], at: Option<DateTime<Utc>>) {
        if let Some(at) = at {
            self.sample(labels, at.timestamp());
        }
    }

    fn sample(&mut self, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let labels: Vec<_> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let braces = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.text, "shopsync_{}{braces} {value}", self.name);
    }
}

/// A label's value as the format wants it.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Milliseconds as seconds, exactly.
fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_values_are_escaped() {
        assert_eq!(escaped("a\\b\"c\nd"), "a\\\\b\\\"c\\nd");
    }

    #[test]
    fn milliseconds_become_seconds_without_floats() {
        assert_eq!(seconds(3), "0.003");
        assert_eq!(seconds(12_345), "12.345");
    }
}
