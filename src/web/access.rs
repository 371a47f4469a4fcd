//! Who may see the page: whoever has the token, from this PC, by one of its own names; and a window of our own.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, COOKIE};
use sha2::{Digest as _, Sha256};

/// A token this short could be guessed.
const SHORTEST_TOKEN: usize = 32;
/// Links that were handed out and not used yet: a person opens one at a time.
const MOST_LINKS: usize = 4;
/// A browser opens within this.
const LINK_LIVES: Duration = Duration::from_secs(60);
/// Where a window of ours shows the page: by its own scheme, which WebView2 spells as a name of its own.
const WINDOW_ORIGINS: [&str; 3] =
    ["shopsync://localhost", "http://shopsync.localhost", "https://shopsync.localhost"];

/// The token of the page's link and the port it is served on.
///
/// The composition root makes the token once and keeps it in a file that only its user can read. It is never
/// logged: `Debug` leaves it out, and the cookie holds a hash of it.
#[derive(Clone)]
pub struct Access {
    token: String,
    port: u16,
    /// The secrets of links that open the page once.
    links: Arc<Mutex<VecDeque<String>>>,
    /// Whoever asks is this very process' window.
    window: bool,
}

/// The token would be too easy to guess, or would not survive in a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the page's token must be at least {SHORTEST_TOKEN} letters, digits, '-' or '_'")]
pub struct WeakToken;

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("port", &self.port).finish_non_exhaustive()
    }
}

impl Access {
    /// Takes the token, at least 32 characters of `[A-Za-z0-9_-]`, and the port that really listens.
    ///
    /// # Errors
    /// [`WeakToken`] for any other token.
    pub fn new(token: impl Into<String>, port: u16) -> Result<Self, WeakToken> {
        let token = token.into();
        let fits_a_link = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if token.len() < SHORTEST_TOKEN || !token.bytes().all(fits_a_link) {
            return Err(WeakToken);
        }
        Ok(Self { token, port, links: Arc::default(), window: false })
    }

    /// The same page for a window of this process: requests that no other program can make, so that they need no
    /// token. Links that are made here open the page in a browser all the same.
    #[must_use]
    pub fn for_window(&self) -> Self {
        Self { window: true, ..self.clone() }
    }

    /// A link that opens the page once, within a minute, for a browser: another program that saw it on the way cannot
    /// use it again. `None` where the system has no randomness to give. Call it within a tokio runtime.
    pub fn link_once(&self) -> Option<String> {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes).ok()?;
        let secret = hex(&bytes);
        let link = self.keep_link(&secret);
        let links = Arc::clone(&self.links);
        tokio::spawn(async move {
            tokio::time::sleep(LINK_LIVES).await;
            links.lock().unwrap_or_else(PoisonError::into_inner).retain(|known| *known != secret);
        });
        Some(link)
    }

    fn keep_link(&self, secret: &str) -> String {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        if links.len() >= MOST_LINKS {
            links.pop_front();
        }
        links.push_back(secret.to_owned());
        format!("http://127.0.0.1:{}/?once={secret}", self.port)
    }

    /// Whether a link with this secret was handed out; it opens nothing from here on.
    pub(super) fn takes_once(&self, secret: &str) -> bool {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        let found = links.iter().position(|known| same(secret, known));
        found.is_some_and(|at| links.remove(at).is_some())
    }

    /// The link that opens the page. It carries the token: for the user's own browser, never for a log.
    pub fn link(&self) -> String {
        format!("http://127.0.0.1:{}/?token={}", self.port, self.token)
    }

    /// Whether this is the token.
    pub(super) fn admits(&self, token: &str) -> bool {
        same(token, &self.token)
    }

    /// Whether the request carries the cookie or the token as a bearer; a window of ours needs neither.
    pub(super) fn admits_request(&self, headers: &HeaderMap) -> bool {
        if self.window {
            return true;
        }
        let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
        });
        if let Some(token) = bearer {
            return self.admits(token);
        }
        let name = self.cookie_name();
        let expected = self.cookie_value();
        headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .any(|(key, value)| key == name && same(value, &expected))
    }

    /// The cookie for whoever came with the token.
    pub(super) fn cookie(&self) -> String {
        format!("{}={}; Path=/; HttpOnly; SameSite=Strict", self.cookie_name(), self.cookie_value())
    }

    /// Whether requests come from a window of ours, which needs no `Host`.
    pub(super) fn is_window(&self) -> bool {
        self.window
    }

    /// Whether a `Host` is this PC by one of its own names; any other is somebody else's name pointed here.
    pub(super) fn owns_host(&self, host: &str) -> bool {
        if self.window {
            return ["localhost", "shopsync.localhost"].iter().any(|own| host.eq_ignore_ascii_case(own));
        }
        let (name, port) = host.rsplit_once(':').unwrap_or((host, ""));
        port == self.port.to_string() && Self::is_own_name(name)
    }

    /// Whether an `Origin` is the page itself.
    pub(super) fn owns_origin(&self, origin: &str) -> bool {
        if self.window {
            return WINDOW_ORIGINS.contains(&origin);
        }
        origin.strip_prefix("http://").is_some_and(|host| self.owns_host(host))
    }

    fn is_own_name(name: &str) -> bool {
        ["127.0.0.1", "localhost", "[::1]"].iter().any(|own| name.eq_ignore_ascii_case(own))
    }

    /// Browsers send a cookie to every port of a name: the port tells two ShopSyncs apart.
    fn cookie_name(&self) -> String {
        format!("shopsync_{}", self.port)
    }

    /// A hash, since other servers of this PC see the cookie too: the link cannot be made from it.
    fn cookie_value(&self) -> String {
        hex(&Sha256::digest(format!("shopsync page cookie {}", self.token)))
    }
}

/// Compares digests, so that the time it takes tells nothing of the secret, not even its length.
fn same(given: &str, secret: &str) -> bool {
    let (given, secret) = (Sha256::digest(given), Sha256::digest(secret));
    let difference = given.iter().zip(secret.iter()).fold(0_u8, |all, (a, b)| all | (a ^ b));
    std::hint::black_box(difference) == 0
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "abcdefghijklmnopqrstuvwxyz_01234-9";

    #[test]
    fn a_weak_or_odd_token_is_refused() {
        for token in
            ["", "short", "abcdefghijklmnopqrstuvwxyz01234", "abcdefghijklmnopqrstuvwxyz 0123456789&x=1"]
        {
            assert_eq!(Access::new(token, 3030).unwrap_err(), WeakToken);
        }
        assert!(Access::new(TOKEN, 3030).is_ok());
    }

    #[test]
    fn neither_debug_nor_the_cookie_tells_the_token() {
        let access = Access::new(TOKEN, 3030).unwrap();
        assert_eq!(format!("{access:?}"), "Access { port: 3030, .. }");
        assert!(!access.cookie().contains(TOKEN));
        assert_eq!(access.link(), format!("http://127.0.0.1:3030/?token={TOKEN}"));
    }

    #[test]
    fn only_this_pc_by_its_own_names_and_port_is_a_host() {
        let access = Access::new(TOKEN, 3030).unwrap();
        for host in ["127.0.0.1:3030", "localhost:3030", "LOCALHOST:3030", "[::1]:3030"] {
            assert!(access.owns_host(host), "{host}");
            assert!(access.owns_origin(&format!("http://{host}")), "{host}");
        }
        for host in [
            "127.0.0.1",
            "localhost",
            "127.0.0.1:80",
            "evil.example:3030",
            "127.0.0.1.evil.example:3030",
            "localhost:3030.evil.example",
            "evil@localhost:3030",
            "::1:3030",
            "",
            ":3030",
        ] {
            assert!(!access.owns_host(host), "{host}");
        }
        for origin in ["null", "https://127.0.0.1:3030", "http://127.0.0.1:8090", "http://evil.example", ""] {
            assert!(!access.owns_origin(origin), "{origin}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_link_opens_once_and_within_a_minute() {
        let access = Access::new(TOKEN, 3030).unwrap();
        let secret = |link: String| link.strip_prefix("http://127.0.0.1:3030/?once=").unwrap().to_owned();
        let first = secret(access.link_once().unwrap());
        assert_eq!(first.len(), 64);
        assert!(!access.takes_once(TOKEN) && !access.takes_once(""));
        // Where it was made and where it is followed are two clones.
        assert!(access.clone().takes_once(&first));
        assert!(!access.takes_once(&first));

        let late = secret(access.for_window().link_once().unwrap());
        assert_ne!(late, first);
        tokio::time::sleep(LINK_LIVES + Duration::from_secs(1)).await;
        assert!(!access.takes_once(&late));

        for secret in ["a", "b", "c", "d", "e"] {
            access.keep_link(secret);
        }
        assert!(!access.takes_once("a") && access.takes_once("b") && access.takes_once("e"));
    }

    #[test]
    fn a_window_is_known_by_its_own_origins_and_nothing_else() {
        let window = Access::new(TOKEN, 3030).unwrap().for_window();
        for origin in ["shopsync://localhost", "http://shopsync.localhost"] {
            assert!(window.owns_origin(origin), "{origin}");
        }
        for origin in
            ["null", "http://127.0.0.1:3030", "http://localhost", "shopsync://evil", "http://evil.example"]
        {
            assert!(!window.owns_origin(origin), "{origin}");
        }
        assert!(window.owns_host("localhost") && window.owns_host("shopsync.localhost"));
        assert!(!window.owns_host("localhost:3030") && !window.owns_host("evil.example"));
        let browser = Access::new(TOKEN, 3030).unwrap();
        assert!(!browser.owns_origin("shopsync://localhost") && !browser.owns_host("shopsync.localhost"));
        assert!(window.admits_request(&HeaderMap::new()) && !browser.admits_request(&HeaderMap::new()));
    }
}
