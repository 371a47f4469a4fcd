//! The tray's memory, and how soon its window shows something.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::json;

use crate::Sizes;
use crate::harness::{SOON, Shop, eventually, is_alive, now};
use crate::process;
use crate::screen::Screen;
use crate::stage;
use crate::stats::{firsts, median, median_ratio, seconds};
use crate::table::Row;
use crate::tray::Tray;

const MOST_MEMORY_MIB: f64 = 45.0;
/// An empty window has one colour, and two while it is drawn; letters are drawn in more.
const COLOURS_OF_LETTERS: usize = 8;
/// What lies within a window of 960 x 680 wherever that stands on a screen of 1280 x 800 with a panel: left, top, width,
/// height.
const WITHIN: (usize, usize, usize, usize) = (330, 150, 600, 500);

pub(crate) async fn measure(sizes: &Sizes) -> Vec<Row> {
    let screen = Screen::open().await;
    // Out of what is looked at: the pointer has more colours than letters.
    screen.does(&["mousemove", "5", "795"]);
    let mut shop = Shop::new(300);
    shop.raintek.start().await;
    shop.lay_down().await;
    let tray = Tray::start(&shop, &screen, &["--tray"], None);
    stage::in_step(&shop).await;
    let settles = Duration::from_secs(sizes.settle_seconds);
    // Time itself is what is waited for: what the start and the first products needed for a moment is given back by then.
    tokio::time::sleep(settles).await;
    let closed = mib(&tray);

    let empty = Empty::start(&screen);
    let mut live = Live::open(&screen.home.path().join("Xvfb_screen0"));
    nothing_is_seen(&mut live).await;
    let mut pairs = Vec::new();
    for _ in 0..sizes.windows {
        let ours = first_paint(&mut live, async || {
            let shown = shop.ask_to_show().await;
            assert_eq!(shown["shown"], true, "{shown}");
        })
        .await;
        close(&screen, &tray).await;
        nothing_is_seen(&mut live).await;
        let theirs = first_paint(&mut live, async || empty.tell("open")).await;
        empty.close().await;
        nothing_is_seen(&mut live).await;
        pairs.push((ours, theirs));
    }
    tokio::time::sleep(settles).await;
    let afterwards = mib(&tray);
    drop(empty);
    assert_eq!(tray.terminate().await.code(), Some(0));
    let memory = |what: String, mib: f64| Row {
        what,
        measured: format!("{mib:.1} MiB"),
        limit: "-".into(),
        ratio: "-".into(),
        target: format!("<= {MOST_MEMORY_MIB:.0} MiB private (RssAnon)"),
        reached: Some(mib <= MOST_MEMORY_MIB),
        note: String::new(),
    };
    let paint = Row::at_most(
        "click to first paint of the window",
        format!("{:.0} ms", median(&firsts(&pairs)) * 1e3),
        format!("{:.0} ms (an empty window with a web view)", median(&seconds(&pairs)) * 1e3),
        median_ratio(&pairs),
        1.5,
    );
    vec![
        memory("tray with the window closed, Linux".into(), closed)
            .note(format!("The program's own process with 300 products, {} s after it was in step.", sizes.settle_seconds)),
        memory(format!("tray after its window was opened and closed {} times, Linux", sizes.windows), afterwards)
            .note("The web view's own processes are gone by then, which is waited for."),
        paint.note(format!(
            "{} pairs, one window after the other, on the same screen in memory. From the request that a click makes to the \
             first letters in the middle of the window; the empty one shows one word of a page that comes as a text.",
            pairs.len()
        )),
    ]
}

fn mib(tray: &Tray) -> f64 {
    process::look(tray.child.id()).anonymous as f64 / 1024.0
}

impl Shop {
    /// Asks for the window, as a second start of the program does.
    async fn ask_to_show(&self) -> serde_json::Value {
        let request = self.http.post(self.page("/api/show")).bearer_auth(self.secret("page.token"));
        request.json(&json!({})).send().await.unwrap().json().await.unwrap()
    }
}

/// How long it takes until the first letters are seen, in seconds.
async fn first_paint(live: &mut Live, click: impl AsyncFnOnce()) -> f64 {
    let start = now();
    click().await;
    while live.colours() < COLOURS_OF_LETTERS {
        assert!(start.elapsed() < SOON, "the window shows nothing");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    start.elapsed().as_secs_f64()
}

async fn nothing_is_seen(live: &mut Live) {
    eventually("the screen is empty", SOON, async || live.colours() < COLOURS_OF_LETTERS).await;
}

/// Closes the window as a person does; a busy window manager may miss a key.
async fn close(screen: &Screen, tray: &Tray) {
    eventually("the window and all of its processes are gone", SOON, async || {
        for window in screen.windows("ShopSync") {
            let mut keys = screen.command("xdotool");
            let _ = keys.args(["windowactivate", "--sync", &window, "key", "alt+F4"]).output();
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        screen.windows("ShopSync").is_empty() && tray.web_processes().is_empty()
    })
    .await;
}

/// The empty window's program.
struct Empty {
    child: Child,
}

impl Empty {
    fn start(screen: &Screen) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        screen.inherit(&mut command);
        command.arg("--empty-window").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Self { child: command.spawn().unwrap() }
    }

    fn tell(&self, word: &str) {
        let mut orders = self.child.stdin.as_ref().unwrap();
        orders.write_all(format!("{word}\n").as_bytes()).unwrap();
    }

    async fn close(&self) {
        self.tell("close");
        eventually("the empty window's processes are gone", SOON, async || {
            let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.child.id()));
            children.unwrap_or_default().split_whitespace().all(|pid| !is_alive(pid.parse().unwrap()))
        })
        .await;
    }
}

impl Drop for Empty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The screen's memory.
struct Live {
    file: File,
    /// Where the pixels begin.
    begin: usize,
    /// Bytes of a line.
    line: usize,
    bytes: Vec<u8>,
}

impl Live {
    /// As X Window Dump has it: a header of big-endian words, a table of colours, then the pixels, four bytes each.
    fn open(file: &Path) -> Self {
        let file = File::open(file).unwrap();
        let mut header = [0; 100];
        file.read_exact_at(&mut header, 0).unwrap();
        let word = |at: usize| {
            let bytes: [u8; 4] = header[at * 4..at * 4 + 4].try_into().unwrap();
            u32::from_be_bytes(bytes) as usize
        };
        assert_eq!((word(1), word(11)), (7, 32), "a dump of version 7 with 32 bits a pixel");
        Self { file, begin: word(0) + word(19) * 12, line: word(12), bytes: Vec::new() }
    }

    /// Different colours in the middle of the screen, up to as many as letters have.
    fn colours(&mut self) -> usize {
        let (left, top, width, height) = WITHIN;
        self.bytes.resize(self.line * height, 0);
        self.file.read_exact_at(&mut self.bytes, (self.begin + top * self.line) as u64).unwrap();
        let mut seen = BTreeSet::new();
        let mut last = None;
        for line in self.bytes.chunks_exact(self.line) {
            for pixel in line[left * 4..(left + width) * 4].chunks_exact(4) {
                if last != Some(pixel) {
                    seen.insert(pixel);
                    last = Some(pixel);
                    if seen.len() >= COLOURS_OF_LETTERS {
                        return seen.len();
                    }
                }
            }
        }
        seen.len()
    }
}
