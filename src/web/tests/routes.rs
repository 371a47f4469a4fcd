//! Every route, for the tests that try each of them in every wrong way (`hostile`). A new one is entered here, and nowhere else.

/// Who may ask for a route.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Open {
    /// Anybody on this PC: nothing of a customer is told.
    All,
    /// Who has the token; without it a page says how to get in.
    Page,
    /// Who has the token.
    Token,
}

/// A path, a method of it (GET answers HEAD too), who may ask.
pub(super) type Known = (&'static str, &'static str, Open);

/// Every route but the page's parts, which `assets` lists: they are the same for everybody.
pub(super) const ROUTES: &[Known] = &[
    ("/", "GET", Open::Page),
    ("/health", "GET", Open::All),
    ("/metrics", "GET", Open::All),
    ("/api/status", "GET", Open::Token),
    ("/api/events", "GET", Open::Token),
    ("/api/command", "POST", Open::Token),
    ("/api/show", "POST", Open::Token),
    ("/api/settings", "GET", Open::Token),
    ("/api/settings", "POST", Open::Token),
    ("/api/settings/test", "POST", Open::Token),
    ("/api/restart", "POST", Open::Token),
    ("/api/setup", "GET", Open::Token),
    ("/api/setup/find", "POST", Open::Token),
    ("/api/setup/use", "POST", Open::Token),
    ("/api/setup/tcp", "POST", Open::Token),
    ("/api/setup/billing", "POST", Open::Token),
    ("/api/setup/telegram", "POST", Open::Token),
    ("/api/setup/telegram/test", "POST", Open::Token),
    ("/api/setup/check", "POST", Open::Token),
    ("/api/setup/start", "POST", Open::Token),
    ("/api/setup/qr.svg", "GET", Open::Token),
    ("/api/diagnostics", "GET", Open::Token),
    ("/api/diagnostics.zip", "GET", Open::Token),
    ("/api/diagnostics/save", "POST", Open::Token),
    ("/api/day", "GET", Open::Token),
    ("/api/bills", "GET", Open::Token),
    ("/api/journal", "GET", Open::Token),
    ("/api/journal.csv", "GET", Open::Token),
    ("/api/journal/save", "POST", Open::Token),
    ("/api/about", "GET", Open::Token),
];
