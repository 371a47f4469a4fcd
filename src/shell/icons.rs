//! The pictures of `assets/icons`, as the tray and the window want them.

use std::io::Cursor;

use crate::model::health::HealthState;

/// Pictures of `working`, shown one after the other.
pub(super) const FRAMES: usize = 3;

macro_rules! picture {
    ($name:literal) => {
        include_bytes!(concat!("../../assets/icons/", $name, ".ico")) as &[u8]
    };
}

macro_rules! both {
    ($name:literal) => {
        [
            include_bytes!(concat!("../../assets/icons/", $name, "-light.ico")) as &[u8],
            include_bytes!(concat!("../../assets/icons/", $name, "-dark.ico")) as &[u8],
        ]
    };
}

/// Colours without alpha multiplied in, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rgba {
    pub(super) bytes: Vec<u8>,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// The tray's picture of a state, at least `size` pixels wide where there is one; `frame` counts on for ever.
pub(super) fn of_state(state: HealthState, dark: bool, frame: usize, size: u32) -> Option<Rgba> {
    let pictures = match (state, frame % FRAMES) {
        (HealthState::Starting, _) => both!("starting"),
        (HealthState::InStep, _) => both!("in_step"),
        (HealthState::Working, 1) => [picture!("working-light-1"), picture!("working-dark-1")],
        (HealthState::Working, 2) => [picture!("working-light-2"), picture!("working-dark-2")],
        (HealthState::Working, _) => both!("working"),
        (HealthState::Attention, _) => both!("attention"),
        (HealthState::Failing, _) => both!("failing"),
        (HealthState::Paused, _) => both!("paused"),
    };
    let [on_light, on_dark] = pictures;
    decoded(if dark { on_dark } else { on_light }, size)
}

/// The program's own picture.
pub(super) fn of_program(size: u32) -> Option<Rgba> {
    decoded(picture!("shopsync"), size)
}

fn decoded(file: &[u8], size: u32) -> Option<Rgba> {
    let icon = ico::IconDir::read(Cursor::new(file)).ok()?;
    let fitting = icon.entries().iter().find(|entry| entry.width() >= size);
    let image = fitting.or_else(|| icon.entries().last())?.decode().ok()?;
    Some(Rgba { bytes: image.rgba_data().to_vec(), width: image.width(), height: image.height() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_its_picture_in_every_size() {
        let mut all = Vec::new();
        for state in HealthState::ALL {
            for dark in [false, true] {
                for (size, width) in [(16, 16), (17, 20), (24, 24), (48, 48), (400, 256)] {
                    let picture = of_state(state, dark, 0, size).unwrap();
                    assert_eq!((picture.width, picture.bytes.len()), (width, (width * width * 4) as usize));
                }
                all.push(of_state(state, dark, 0, 16).unwrap().bytes);
            }
        }
        for frame in 1..FRAMES {
            all.push(of_state(HealthState::Working, true, frame, 16).unwrap().bytes);
        }
        all.push(of_program(16).unwrap().bytes);
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count, "two pictures are the same");
        assert_eq!(
            of_state(HealthState::Working, true, FRAMES, 16),
            of_state(HealthState::Working, true, 0, 16)
        );
    }
}
