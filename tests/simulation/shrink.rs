//! A failing week, shortened: events and faults are left out as long as it fails all the same.

use crate::run::run;
use crate::story::Story;

/// Weeks that are tried at most.
const TRIES: u32 = 250;

/// The shortest week found that still fails.
pub(crate) fn shrink(story: &Story) -> Story {
    shrink_with(story, |story| run(story, None, false).failure.is_some())
}

fn shrink_with(story: &Story, fails: impl Fn(&Story) -> bool) -> Story {
    let mut short = story.clone();
    let mut tries = TRIES;
    let mut try_it = |short: &mut Story, shorter: Story| {
        if tries == 0 || shorter == *short {
            return false;
        }
        tries -= 1;
        let still = fails(&shorter);
        if still {
            *short = shorter;
        }
        still
    };
    // Halves first, then smaller pieces, down to one by one.
    loop {
        let before = (short.events.len(), short.faults.len());
        let mut size = short.events.len().max(short.faults.len()).max(1);
        while size > 0 {
            let mut at = 0;
            while at < short.faults.len() {
                let mut shorter = short.clone();
                shorter.faults.drain(at..(at + size).min(short.faults.len()));
                if !try_it(&mut short, shorter) {
                    at += size;
                }
            }
            let mut at = 0;
            while at < short.events.len() {
                let mut shorter = short.clone();
                shorter.events.drain(at..(at + size).min(short.events.len()));
                if !try_it(&mut short, shorter) {
                    at += size;
                }
            }
            size /= 2;
        }
        if (short.events.len(), short.faults.len()) == before {
            return short;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::story;

    #[test]
    fn what_has_no_part_in_it_is_left_out() {
        let busy = |week: &Story| week.events.len() > 10 && week.faults.len() > 5;
        let week = (0..).map(story).find(busy).expect("some week is busy");
        let (event, fault) = (week.events[week.events.len() / 2], week.faults[0]);
        let fails = |story: &Story| story.events.contains(&event) && story.faults.contains(&fault);
        let short = shrink_with(&week, fails);
        assert_eq!((short.events, short.faults), (vec![event], vec![fault]));
    }
}
