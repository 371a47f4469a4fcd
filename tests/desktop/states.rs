//! The six states as a panel shows them: the real shell, told by hand how things are.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use shopsync::model::health::HealthState;
use shopsync::model::status::{AwarenessStatus, Counts, LinkStatus, ProductsStatus, Snapshot};
use shopsync::platform::{SystemClock, UserDesktop};
use shopsync::shell::{Desk, Notice, run};

use crate::harness::{SOON, eventually};
use crate::screen::Screen;
use crate::{AMBER, BLUE, GREEN, RED};

/// Set where the test runs itself again as the program that is looked at.
const STAGE: &str = "SHOPSYNC_TEST_STAGE";

#[tokio::test]
async fn each_state_has_an_icon_of_its_own_in_the_panel() {
    let screen = Screen::open().await;
    let mut command = Command::new(std::env::current_exe().unwrap());
    screen.inherit(&mut command);
    command.args(["--exact", "states::stage", "--ignored", "--nocapture"]);
    command.env(STAGE, screen.home.path()).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut orders = child.stdin.take().unwrap();

    // Where the icon is, by a colour that nothing else has.
    writeln!(orders, "in_step").unwrap();
    let mut place = None;
    eventually("the icon is in the panel", SOON, async || {
        place = screen.picture().in_panel(GREEN);
        place.is_some()
    })
    .await;
    let place = place.unwrap();
    let mut seen = vec![("in_step", screen.picture().around(place))];
    screen.keep("tray-in_step");
    for (name, colour) in [
        ("working", Some(BLUE)),
        ("attention", Some(AMBER)),
        ("failing", Some(RED)),
        ("paused", None),
        ("starting", None),
    ] {
        writeln!(orders, "{name}").unwrap();
        eventually(&format!("the icon shows {name}"), SOON, async || {
            let picture = screen.picture();
            let shows = colour.is_none_or(|colour| picture.in_panel(colour).is_some());
            // Twice the same: nothing is half drawn.
            let around = picture.around(place);
            let new = seen.iter().all(|(_, other)| differing(other, &around) > 0);
            shows && new && screen.picture().around(place) == around
        })
        .await;
        seen.push((name, screen.picture().around(place)));
        screen.keep(&format!("tray-{name}"));
    }
    for (at, (one, picture)) in seen.iter().enumerate() {
        for (other, another) in &seen[at + 1..] {
            let differ = differing(picture, another);
            assert!(differ >= 60, "{one} and {other} differ in {differ} of 576 pixels");
        }
    }

    // Working moves, quietly: another picture, and after three of them the first again.
    writeln!(orders, "working").unwrap();
    let working = seen.iter().find(|(name, _)| *name == "working").unwrap().1.clone();
    eventually("the icon shows working", SOON, async || screen.picture().around(place) == working).await;
    for frame in 1..=3 {
        writeln!(orders, "frame").unwrap();
        let back = frame == 3;
        eventually("the icon moves", SOON, async || (screen.picture().around(place) == working) == back)
            .await;
    }

    writeln!(orders, "quit").unwrap();
    assert!(child.wait().unwrap().success());
    eventually("the icon is gone", SOON, async || screen.picture().in_panel(BLUE).is_none()).await;
}

/// Pixels that are not nearly the same.
fn differing(one: &[[u8; 3]], other: &[[u8; 3]]) -> usize {
    let far = |(a, b): (&[u8; 3], &[u8; 3])| a.iter().zip(b).any(|(a, b)| a.abs_diff(*b) > 48);
    one.iter().zip(other).filter(|pair| far(*pair)).count()
}

#[test]
#[ignore = "the other half of the test above, which starts it as a program of its own"]
fn stage() {
    let Some(folder) = std::env::var_os(STAGE) else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (orders, _asked) = tokio::sync::mpsc::channel(4);
    let desk = Desk {
        orders,
        clock: Arc::new(SystemClock::new()),
        desktop: Arc::new(UserDesktop),
        runtime: runtime.handle().clone(),
        folder: folder.into(),
        show: false,
    };
    run(desk, |bell| {
        // As the host does: a panel may miss a change.
        let again = bell.clone();
        std::thread::spawn(move || {
            while again.tell(Notice::Again) {
                std::thread::sleep(Duration::from_secs(3));
            }
        });
        std::thread::spawn(move || {
            for line in BufReader::new(std::io::stdin()).lines().map_while(Result::ok) {
                let notice = match line.as_str() {
                    "frame" => Notice::Frame,
                    "quit" => break,
                    state => Notice::State(Arc::new(snapshot(state))),
                };
                bell.tell(notice);
            }
            bell.tell(Notice::Stopped);
        });
    })
    .unwrap();
}

#[expect(clippy::disallowed_methods, reason = "a state is only good while it is fresh")]
fn snapshot(state: &str) -> Snapshot {
    let states = HealthState::ALL;
    Snapshot {
        version: String::new(),
        at: Utc::now(),
        started: Utc::now(),
        state: states.into_iter().find(|known| known.name() == state).unwrap(),
        sentence: format!("The state is {state}."),
        summary: String::new(),
        raintek: LinkStatus::default(),
        billing: LinkStatus::default(),
        realtime: true,
        products: ProductsStatus::default(),
        from_raintek: AwarenessStatus::default(),
        counts: Counts::default(),
        items: Vec::new(),
        last_push: None,
        paused_until: None,
        backups: Default::default(),
        scan: Default::default(),
        heartbeat: None,
        cut_off: None,
        trial: Default::default(),
        activity: Vec::new(),
    }
}
