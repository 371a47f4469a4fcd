//! What a desktop shows beside the page: toasts, questions, where the window stood.

use serde::{Deserialize, Serialize};

/// A short message at the edge of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toast {
    /// A few words.
    pub title: String,
    /// One sentence or two.
    pub text: String,
    /// The invoice number it is about, where it is about one: a click opens the page there.
    pub item: Option<String>,
}

/// What a person is asked before something is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What is at stake, in a sentence or two.
    pub text: String,
    /// The button that does it.
    pub yes: String,
    /// The button that does not.
    pub no: String,
}

/// How the desktop wants to be drawn on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Look {
    /// The taskbar is dark.
    pub dark_taskbar: bool,
    /// Nothing may move by itself.
    pub reduced_motion: bool,
}

/// Where the window stood when it was closed, in physical pixels of the whole desktop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// Its left edge.
    pub x: i32,
    /// Its upper edge.
    pub y: i32,
    /// The page's width.
    pub width: u32,
    /// The page's height.
    pub height: u32,
    /// It filled the screen.
    pub maximized: bool,
}

/// A screen, in the same pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// Its left edge.
    pub x: i32,
    /// Its upper edge.
    pub y: i32,
    /// Its width.
    pub width: u32,
    /// Its height.
    pub height: u32,
}

impl Placement {
    /// The same place, where enough of it lies on a screen that is still there to be seen and moved; a window that
    /// is larger than its screen is made to fit.
    pub fn on(self, screens: &[Screen]) -> Option<Self> {
        const GRIP: i64 = 80;
        let shared = |at: i32, size: u32, other: i32, room: u32| {
            let (from, to) = (i64::from(at), i64::from(at) + i64::from(size));
            let (left, right) = (i64::from(other), i64::from(other) + i64::from(room));
            to.min(right) - from.max(left)
        };
        let screen = screens.iter().find(|screen| {
            // The bar by which it is moved is at its top.
            let top = i64::from(self.y) >= i64::from(screen.y) - 8
                && i64::from(self.y) < i64::from(screen.y) + i64::from(screen.height) - GRIP;
            top && shared(self.x, self.width, screen.x, screen.width) >= GRIP
        })?;
        Some(Self { width: self.width.min(screen.width), height: self.height.min(screen.height), ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCREENS: [Screen; 2] = [
        Screen { x: 0, y: 0, width: 1366, height: 768 },
        Screen { x: -1920, y: -200, width: 1920, height: 1080 },
    ];

    fn at(x: i32, y: i32) -> Placement {
        Placement { x, y, width: 960, height: 680, maximized: false }
    }

    #[test]
    fn a_place_counts_only_where_it_can_be_seen_and_moved() {
        for (x, y, seen) in [
            (100, 40, true),
            (1280, 40, true),
            (1320, 40, false),
            (-900, 40, true),
            (-2900, 40, false),
            (100, 740, false),
            (-1900, -200, true),
            (100, -200, false),
            (i32::MAX, i32::MIN, false),
        ] {
            assert_eq!(at(x, y).on(&SCREENS).is_some(), seen, "{x} {y}");
        }
        assert_eq!(at(0, 0).on(&[]), None);
    }

    #[test]
    fn a_window_larger_than_its_screen_is_made_to_fit() {
        let large = Placement { width: 4000, height: 3000, ..at(0, 0) };
        let fitted = large.on(&SCREENS).unwrap();
        assert_eq!((fitted.width, fitted.height), (1366, 768));
    }
}
