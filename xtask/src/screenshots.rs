//! `cargo xtask screenshots`: the page in a browser and the real program on a desktop, as pictures for people; the best
//! of them go into the README.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Args;

use crate::checks::{PRODUCT, cargo};
use crate::setup::{self, repository};
use crate::steps::{run as run_program, say};

/// Which pictures are taken.
#[derive(Debug, Args)]
pub(crate) struct Screenshots {
    /// Only the page, in a browser
    #[arg(long)]
    page: bool,
}

/// Which pictures the README shows: as they are taken, and under which name they stay.
const BEST: [(&str, &str); 6] = [
    ("2-in-step", "page"),
    ("5-failing", "outage"),
    ("4-attention-dark", "held"),
    ("held-960-hindi", "hindi"),
    ("first-run-1", "first-run"),
    ("tray-menu", "tray"),
];

/// Takes them all, then keeps the best.
pub(crate) fn run(asked: &Screenshots) -> Result<ExitCode> {
    let desktop = !asked.page;
    let tools = setup::run(setup::For::Tests)?;
    run_program(cargo(&["build", "--bins", "--tests"]).args(PRODUCT))?;
    let folder = repository().join("target/screenshots");
    let take = |test: &str, filters: &[&str]| {
        let mut command = cargo(&["test", "--package", "shopsync", "--test", test, "--", "--test-threads=1"]);
        command.args(filters).envs(tools.environment()).env("SHOPSYNC_SCREENSHOTS", &folder);
        run_program(&mut command)
    };
    take("web_page", &["--ignored", "--exact", "pictures::pictures"])?;
    if desktop {
        // The tests keep what they look at.
        take(
            "desktop",
            &["states::each", "window::the_window", "browser::without_a_web_view", "first_run::"],
        )?;
        take("desktop", &["--ignored", "--exact", "pictures::pictures"])?;
    }
    for (taken, name) in BEST {
        let from = folder.join(format!("{taken}.png"));
        if desktop || from.exists() {
            fs::copy(&from, kept(name)).with_context(|| from.display().to_string())?;
        }
    }
    say(&format!("The pictures lie in {}; the best are in docs/images.", folder.display()));
    Ok(ExitCode::SUCCESS)
}

fn kept(name: &str) -> PathBuf {
    repository().join(format!("docs/images/{name}.png"))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use resvg::tiny_skia::Pixmap;

    use super::*;

    /// How many colours a picture has, and how many of a hundred pixels have the most common one.
    fn colours(picture: &Pixmap) -> (usize, usize) {
        let mut counts = HashMap::new();
        for pixel in picture.pixels() {
            *counts.entry((pixel.red(), pixel.green(), pixel.blue())).or_insert(0_usize) += 1;
        }
        let most = counts.values().max().copied().unwrap_or_default();
        (counts.len(), most * 100 / picture.pixels().len().max(1))
    }

    fn says_something(picture: &Pixmap) -> bool {
        let (many, most) = colours(picture);
        picture.width() >= 240 && picture.height() >= 120 && many >= 100 && most < 95
    }

    #[test]
    fn the_best_pictures_are_there_and_show_something() {
        let readme = fs::read_to_string(repository().join("README.md")).unwrap();
        for (_, name) in BEST {
            let file = kept(name);
            let picture = Pixmap::decode_png(&fs::read(&file).unwrap()).unwrap();
            assert!(says_something(&picture), "{name}: {:?}", colours(&picture));
            assert!(readme.contains(&format!("docs/images/{name}.png")), "README.md does not show {name}");
            assert!(fs::metadata(file).unwrap().len() < 200_000, "{name} is too large");
        }
    }

    #[test]
    fn an_empty_picture_is_refused() {
        let mut picture = Pixmap::new(960, 680).unwrap();
        assert!(!says_something(&picture));
        picture.fill(resvg::tiny_skia::Color::WHITE);
        assert!(!says_something(&picture));
    }
}
