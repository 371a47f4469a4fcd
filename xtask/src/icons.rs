//! `cargo xtask icons`: renders the drawings of `assets/icons` for light and dark taskbars, as PNG and ICO.
//!
//! A drawing's `currentColor` is its `color` on a light taskbar and its `data-dark` on a dark one, where its white
//! marks turn dark: bright on dark reads better than white on a colour. What stands in the group `turn` is drawn
//! turned for the other pictures of an animation.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use ico::{IconDir, IconDirEntry, IconImage, ResourceType};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

use crate::setup::repository;
use crate::steps::say;

/// What Windows asks for at 100 to 200 % and beyond.
const SIZES: [u32; 6] = [16, 20, 24, 32, 48, 256];
/// The six states, and the program itself.
const DRAWINGS: [&str; 7] = ["starting", "in_step", "working", "attention", "failing", "paused", "shopsync"];
/// Half a turn of two arrows is the first picture again.
const FRAMES: u32 = 3;
/// The drawing that moves, and the one that looks the same everywhere.
const MOVING: &str = "working";
const PROGRAM: &str = "shopsync";
/// What a white mark becomes on a dark taskbar.
const MARK: [&str; 2] = ["#ffffff", "#12161c"];

/// The colour of the taskbar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bar {
    Light,
    Dark,
}

/// One picture in all sizes.
#[derive(Debug)]
struct Picture {
    /// `working-dark-2`
    name: String,
    images: Vec<Pixmap>,
}

/// Renders everything anew.
pub(crate) fn run() -> Result<()> {
    let folder = folder();
    let pngs = folder.join("png");
    if pngs.exists() {
        fs::remove_dir_all(&pngs)?;
    }
    fs::create_dir_all(&pngs)?;
    let pictures = all(&folder)?;
    for picture in &pictures {
        let mut icon = IconDir::new(ResourceType::Icon);
        for image in &picture.images {
            let path = pngs.join(format!("{}-{}.png", picture.name, image.width()));
            fs::write(&path, image.encode_png()?).with_context(|| path.display().to_string())?;
            icon.add_entry(IconDirEntry::encode(&straight(image))?);
        }
        icon.write(File::create(folder.join(format!("{}.ico", picture.name)))?)?;
    }
    say(&format!("{} pictures in {} sizes", pictures.len(), SIZES.len()));
    Ok(())
}

fn folder() -> PathBuf {
    repository().join("assets/icons")
}

fn all(folder: &Path) -> Result<Vec<Picture>> {
    let mut pictures = Vec::new();
    for drawing in DRAWINGS {
        let path = folder.join(format!("{drawing}.svg"));
        let svg = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        if drawing == PROGRAM {
            pictures.push(picture(PROGRAM.to_owned(), &svg, Bar::Light, 0)?);
            continue;
        }
        for (bar, word) in [(Bar::Light, "light"), (Bar::Dark, "dark")] {
            for frame in 0..if drawing == MOVING { FRAMES } else { 1 } {
                let number = if frame == 0 { String::new() } else { format!("-{frame}") };
                pictures.push(picture(format!("{drawing}-{word}{number}"), &svg, bar, frame)?);
            }
        }
    }
    Ok(pictures)
}

fn picture(name: String, svg: &str, bar: Bar, frame: u32) -> Result<Picture> {
    let images = SIZES.iter().map(|size| render(svg, bar, frame, *size)).collect::<Result<_>>();
    Ok(Picture { images: images.with_context(|| name.clone())?, name })
}

fn render(svg: &str, bar: Bar, frame: u32, size: u32) -> Result<Pixmap> {
    let mut svg = svg.to_owned();
    if bar == Bar::Dark {
        let dark = attribute(&svg, "data-dark")?.to_owned();
        let light = format!("color=\"{}\"", attribute(&svg, "color")?);
        svg = svg.replacen(&light, &format!("color=\"{dark}\""), 1).replace(MARK[0], MARK[1]);
    }
    if frame > 0 {
        let turned = format!("<g transform=\"rotate({} 8 8)\">", frame * 180 / FRAMES);
        if !svg.contains("<g id=\"turn\">") {
            bail!("nothing in it is called turn");
        }
        svg = svg.replacen("<g id=\"turn\">", &turned, 1);
    }
    let tree = Tree::from_str(&svg, &Options::default())?;
    let mut image = Pixmap::new(size, size).context("no room for a picture")?;
    let (width, height) = (tree.size().width(), tree.size().height());
    #[expect(
        clippy::cast_precision_loss,
        clippy::float_arithmetic,
        reason = "sizes of pictures, at most 256"
    )]
    let scale = Transform::from_scale(size as f32 / width, size as f32 / height);
    resvg::render(&tree, scale, &mut image.as_mut());
    Ok(image)
}

/// The value of the first attribute of that name.
fn attribute<'a>(svg: &'a str, name: &str) -> Result<&'a str> {
    let rest = svg.split_once(&format!(" {name}=\"")).map(|(_, rest)| rest);
    let value = rest.and_then(|rest| rest.split_once('"')).map(|(value, _)| value);
    value.with_context(|| format!("it has no {name}"))
}

/// As icons hold it: colours are not multiplied with how opaque they are.
fn straight(image: &Pixmap) -> IconImage {
    let colours = image.pixels().iter().map(|pixel| pixel.demultiply());
    let bytes = colours.flat_map(|one| [one.red(), one.green(), one.blue(), one.alpha()]).collect();
    IconImage::from_rgba_data(image.width(), image.height(), bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Taskbars of Windows 11 and 10 and of Linux panels.
    const LIGHT: [u8; 2] = [0xf3, 0xe0];
    const DARK: [u8; 2] = [0x1c, 0x2b];

    fn states() -> Vec<Picture> {
        let mut pictures = all(&folder()).unwrap();
        pictures.retain(|picture| picture.name != PROGRAM && !picture.name.ends_with(['1', '2']));
        assert_eq!(pictures.len(), 12);
        pictures
    }

    fn bars(name: &str) -> [u8; 2] {
        if name.ends_with("light") { LIGHT } else { DARK }
    }

    /// How light each pixel looks, 0 to 255, on a taskbar of this grey.
    fn greys(image: &Pixmap, bar: u8) -> Vec<i32> {
        let mix = |colour: u8, rest: i32| i32::from(colour) + i32::from(bar) * rest / 255;
        let grey = |pixel: &resvg::tiny_skia::PremultipliedColorU8| {
            let rest = 255 - i32::from(pixel.alpha());
            let [red, green, blue] = [pixel.red(), pixel.green(), pixel.blue()].map(|one| mix(one, rest));
            (red * 299 + green * 587 + blue * 114) / 1000
        };
        image.pixels().iter().map(grey).collect()
    }

    /// As WCAG defines it, of two colours without holes.
    #[expect(clippy::float_arithmetic, reason = "WCAG's own formula")]
    fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
        let light = |colour: [u8; 3]| {
            let part = |value: u8| {
                let value = f64::from(value) / 255.0;
                if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * part(colour[0]) + 0.7152 * part(colour[1]) + 0.0722 * part(colour[2])
        };
        let (a, b) = (light(one), light(other));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn what_is_committed_is_what_the_drawings_say() {
        let folder = folder();
        for picture in all(&folder).unwrap() {
            let icon = File::open(folder.join(format!("{}.ico", picture.name)));
            let icon = IconDir::read(icon.expect("run `cargo xtask icons`")).unwrap();
            let widths: Vec<_> = icon.entries().iter().map(IconDirEntry::width).collect();
            assert_eq!(widths, SIZES, "{}", picture.name);
            for (entry, image) in icon.entries().iter().zip(&picture.images) {
                let name = format!("{}-{}", picture.name, image.width());
                let stale = format!("{name} is stale: run `cargo xtask icons`");
                assert_eq!(entry.decode().unwrap().rgba_data(), straight(image).rgba_data(), "{stale} (ICO)");
                let png = Pixmap::load_png(folder.join(format!("png/{name}.png"))).expect(&stale);
                assert_eq!(png.data(), image.data(), "{stale} (PNG)");
            }
        }
    }

    #[test]
    fn states_are_told_apart_without_colour_at_the_smallest_size() {
        let states = states();
        for (at, one) in states.iter().enumerate() {
            for other in states.iter().skip(at + 1).filter(|other| bars(&other.name) == bars(&one.name)) {
                for bar in bars(&one.name) {
                    let pairs = greys(&one.images[0], bar).into_iter().zip(greys(&other.images[0], bar));
                    let differ = pairs.filter(|(a, b)| (a - b).abs() >= 64).count();
                    // A sixth of the picture: a stroke that is a pixel off is not enough.
                    assert!(differ >= 42, "{} and {}: {differ} of 256 pixels", one.name, other.name);
                }
            }
        }
    }

    #[test]
    fn each_stands_out_from_its_taskbar_and_its_mark_from_its_body() {
        for drawing in DRAWINGS.iter().filter(|drawing| **drawing != PROGRAM) {
            let svg = fs::read_to_string(folder().join(format!("{drawing}.svg"))).unwrap();
            let colour = |name| {
                let text = attribute(&svg, name).unwrap();
                [1, 3, 5].map(|at| u8::from_str_radix(text.get(at..at + 2).unwrap(), 16).unwrap())
            };
            let (light, dark) = (colour("color"), colour("data-dark"));
            for bar in LIGHT {
                let found = contrast(light, [bar; 3]);
                assert!(found >= 3.0, "{drawing} on a light taskbar: {found:.1}");
            }
            for bar in DARK {
                let found = contrast(dark, [bar; 3]);
                assert!(found >= 3.0, "{drawing} on a dark taskbar: {found:.1}");
            }
            assert!(contrast(light, [0xff; 3]) >= 4.5, "{drawing}: its white mark");
            assert!(contrast(dark, [0x12, 0x16, 0x1c]) >= 4.5, "{drawing}: its dark mark");
        }
    }

    #[test]
    fn the_pictures_of_the_animation_differ() {
        let svg = fs::read_to_string(folder().join("working.svg")).unwrap();
        let frames: Vec<_> = (0..FRAMES).map(|frame| render(&svg, Bar::Dark, frame, 16).unwrap()).collect();
        assert!(frames[0].data() != frames[1].data() && frames[1].data() != frames[2].data());
        assert_eq!(render(&svg, Bar::Dark, FRAMES, 32).unwrap().width(), 32);
    }

    #[test]
    fn a_drawing_without_its_colours_is_refused() {
        assert!(render("<svg viewBox=\"0 0 16 16\"/>", Bar::Dark, 0, 16).is_err());
        assert!(render("<svg color=\"#123456\" data-dark=\"#123456\"/>", Bar::Light, 1, 16).is_err());
    }
}
