//! Two languages, each of them whole: every word of the page, and every sentence that ShopSync says.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use shopsync::model::fields::{FIELDS, Kind};

use crate::browser::Browser;
use crate::scenes;
use crate::site::Site;

/// Every key of both tables, with what kind of thing stands there.
const KEYS: &str = "import('/words.js').then(({ tables }) => { const keys = (value, path) => \
    typeof value === 'object' && !Array.isArray(value) ? Object.entries(value).flatMap(([key, inner]) => keys(inner, `${path}.${key}`)) \
    : [`${path} ${Array.isArray(value) ? `list of ${value.length}` : typeof value === 'function' ? `function of ${value.length}` : typeof value}`]; \
    return Object.fromEntries(Object.entries(tables).map(([name, table]) => [name, keys(table, '').sort()])); })";

/// Sentences of ShopSync's that stand in these files reach the page.
const SOURCES: [&str; 25] = [
    "src/app/first_run.rs",
    "src/app/office.rs",
    "src/model/fields.rs",
    "src/raintek/classify.rs",
    "src/billing/classify.rs",
    "src/billing/server.rs",
    "src/store/mod.rs",
    "src/platform/instance.rs",
    "src/platform/disk.rs",
    "src/model/fault.rs",
    "src/sync/health.rs",
    "src/sync/completeness.rs",
    "src/sync/catalogue.rs",
    "src/sync/watch.rs",
    "src/sync/mode.rs",
    "src/sync/mapping/sale.rs",
    "src/sync/mapping/payments.rs",
    "src/sync/vanished.rs",
    "src/engine/handle.rs",
    "src/engine/publish.rs",
    "src/engine/attempt.rs",
    "src/engine/settle.rs",
    "src/engine/removal.rs",
    "src/engine/backup/mod.rs",
    "src/engine/awareness/show.rs",
];

fn page() -> (Site, Browser) {
    let site = Site::open(scenes::attention());
    let mut browser = Browser::open(960, 680);
    browser.go(&site.link());
    browser.wait("document.querySelector('.card .big').innerText !== ''");
    (site, browser)
}

#[test]
fn every_word_stands_in_both_tables() {
    let (_site, mut browser) = page();
    let keys = browser.eval(KEYS);
    let of = |name: &str| -> BTreeSet<String> {
        keys[name].as_array().unwrap().iter().map(|key| key.as_str().unwrap().to_owned()).collect()
    };
    let (english, hindi) = (of("en"), of("hi"));
    assert!(english.len() > 250, "{}", english.len());
    let missing: Vec<_> = english.symmetric_difference(&hindi).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_setting_and_choice_has_its_words() {
    let (_site, mut browser) = page();
    let tables = browser.eval(
        "import('/words.js').then(({ tables }) => Object.values(tables).map(({ groups, fields, choices }) => ({ groups, fields, choices })))",
    );
    for table in tables.as_array().unwrap() {
        for field in FIELDS {
            assert!(table["groups"][field.group].is_array(), "{}", field.group);
            assert!(table["fields"][field.key].is_array(), "{}", field.key);
            if let Kind::Choice(choices) = field.kind {
                let words = &table["choices"][field.key];
                assert!(choices.iter().all(|one| words[*one].is_string()), "{}: {words}", field.key);
            }
        }
    }
}

#[test]
fn no_word_is_said_outside_of_the_tables() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui");
    let mut wrong = Vec::new();
    for file in scripts(&root) {
        let name = file.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
        if name.starts_with("words") || name.starts_with("sentences/") {
            continue;
        }
        wrong.extend(
            spoken(&fs::read_to_string(&file).unwrap()).into_iter().map(|text| format!("{name}: {text}")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(spoken("el('p', { text: 'Hello there' })"), ["Hello there"]);
    assert_eq!(spoken("setText(node, `Wait ${n} s`); x = 'data-do'"), ["Wait ${n} s"]);
    assert_eq!(spoken("// 'Only a comment'\nimport a from './a.js';"), Vec::<String>::new());
}

/// Literals that read like words for people: with a capital and a letter after it, or several words.
fn spoken(code: &str) -> Vec<String> {
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//") && !line.trim_start().starts_with("import"));
    let text = lines
        .filter(|line| !line.trim_start().starts_with('*') && !line.trim_start().starts_with("/**"))
        .collect::<Vec<_>>()
        .join("\n");
    let mut found = Vec::new();
    for quote in ['\'', '`'] {
        let parts: Vec<_> = text.split(quote).collect();
        let literals = parts.iter().skip(1).step_by(2);
        found.extend(literals.filter(|text| reads_like_words(text)).map(|text| (*text).to_owned()));
    }
    found
}

fn reads_like_words(text: &str) -> bool {
    let known = [
        "Content-Type",
        "Home",
        "End",
        "ArrowDown",
        "ArrowUp",
        "ArrowRight",
        "ArrowLeft",
        "Escape",
        "POST",
        "ShopSync",
    ];
    let starts = text.chars().next().is_some_and(char::is_uppercase)
        && text.chars().nth(1).is_some_and(char::is_lowercase);
    let drawing = text.starts_with('M') || text.contains("${") && !text.contains(' ');
    starts && !known.contains(&text) && !drawing && !text.contains('\n')
}

fn scripts(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(scripts(&path));
        } else if path.extension().is_some_and(|kind| kind == "js") {
            found.push(path);
        }
    }
    found
}

#[test]
fn in_hindi_nothing_of_the_page_stays_english() {
    let site = Site::open(scenes::attention());
    site.back.choose("desktop.language", "hi");
    let mut browser = Browser::open(960, 680);
    browser.go(&site.link());
    browser.wait(
        "document.documentElement.lang === 'hi' && document.querySelectorAll('#charts .bar').length > 0",
    );
    for view in ["activity", "problems", "backups", "settings", "today"] {
        browser.click(&format!("[data-view={view}]"));
        browser.wait(
            "!document.querySelector('#view-settings').checkVisibility() || document.querySelector('.field')",
        );
        // Names, codes and what the shop typed itself stay as they are; words of the page do not.
        let english = browser.eval(
            "document.querySelector('body').innerText.match(/\\b(the|is|are|not|since|next|try|tries|invoice|invoices|settings(?!\\.toml)|backup|held|waiting|show|save)\\b/gi)?.join(' ') ?? ''",
        );
        assert_eq!(english, "", "{view}: {}", browser.text("body"));
    }
}

#[test]
fn every_sentence_of_the_manual_is_known_in_hindi() {
    let manual = manual(
        &fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/OPERATIONS.md")).unwrap(),
    );
    assert!(manual.len() > 80, "{}", manual.len());
    let (_site, mut browser) = page();
    // A sentence of the manual has dots for what differs, and N for numbers, and may be the beginning only.
    let unknown = browser.eval(&format!(
        "Promise.all([import('/sentences/hi.js'), import('/sentences.js')]).then(([{{ hi }}, {{ translated }}]) => {}.filter((one) => {{ \
         if (/[\\u0900-\\u097f]/.test(translated(one.replaceAll(' :', ':').replaceAll('…', 'Xy9'), 'hi'))) return false; \
         const pattern = one.split(/…|\\bN\\b|\\bM\\b|\\b\\d+\\b/).map((part) => part.replace(/[.*+?^${{}}()|[\\]\\\\]/g, '\\\\$&')).join('.+'); \
         return !hi.some(([from]) => new RegExp(pattern).test(from)); }}))",
        json!(manual)
    ));
    let unknown: Vec<_> = unknown.as_array().unwrap().iter().map(Value::to_string).collect();
    assert!(unknown.is_empty(), "ui/sentences/hi.js does not know:\n{}", unknown.join("\n"));
}

#[test]
fn every_sentence_of_the_code_is_known_in_hindi() {
    let mut sentences = Vec::new();
    for source in SOURCES {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(source)).unwrap();
        sentences.extend(of_code(text.split("#[cfg(test)]").next().unwrap_or_default()));
    }
    assert!(sentences.len() > 150, "{}", sentences.len());
    let (_site, mut browser) = page();
    let unknown = browser.eval(&format!(
        "import('/sentences.js').then(({{ translated }}) => {}.filter((all) => \
         !all.some((one) => /[\\u0900-\\u097f]/.test(translated(one, 'hi')))))",
        json!(sentences)
    ));
    let unknown: Vec<_> = unknown.as_array().unwrap().iter().map(|all| all[0].to_string()).collect();
    assert!(unknown.is_empty(), "ui/sentences/hi.js does not know:\n{}", unknown.join("\n"));
}

/// The first column of the tables of sentences, each alternative by itself.
fn manual(text: &str) -> Vec<String> {
    let part = text.split("## What is said of the whole").nth(1).unwrap();
    let part = part.split("## Alerts, one by one").next().unwrap();
    let rows = part.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| ---"));
    let cells = rows.filter_map(|line| line.trim_start_matches("| ").split(" | ").next());
    let sentences = cells.flat_map(|cell| cell.split(" (").next().unwrap_or(cell).split(" / "));
    // A slash within a sentence stands for two words; too short is what only continues the one before.
    let whole = |one: &&str| {
        one.split(' ').count() >= 4
            && !one.split_once('/').is_some_and(|(before, after)| {
                before.ends_with(char::is_alphabetic) && after.starts_with(char::is_alphabetic)
            })
    };
    let known_otherwise = |one: &&str| !one.starts_with("sentence");
    sentences.map(str::trim).filter(whole).filter(known_otherwise).map(str::to_owned).collect()
}

/// Texts that read like a sentence, each with names and with numbers in what is put into it.
fn of_code(code: &str) -> Vec<[String; 2]> {
    let lines =
        code.lines().map(str::trim).filter(|line| !line.starts_with("//")).collect::<Vec<_>>().join("\n");
    let joined = lines.replace("\\\n", "").replace("\\\"", "\u{1}");
    let whole = |text: &&str| {
        text.starts_with(|first: char| first.is_uppercase() || first == '{')
            && text.ends_with('.')
            && text.split(' ').count() >= 4
    };
    let quoted = joined.split('"').skip(1).step_by(2).filter(whole);
    quoted
        .map(|text| ["7", "Xy9"].map(|hole| filled(&text.replace('\u{1}', "\"").replace("\\\\", "\\"), hole)))
        .collect()
}

/// `{n}` becomes a number, what holds a sentence gets one, every other hole `hole`.
fn filled(template: &str, hole: &str) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}').unwrap_or((after, ""));
        text.push_str(before);
        text.push_str(match name {
            "n" | "have" | "count" | "shown" | "known" | "missing" | "checked" | "length" | "width"
            | "max" => "7",
            "today" | "WATCHING" => "No invoices today yet.",
            "word" => "more",
            "other" => "or name another folder in the settings (backup.folder)",
            _ => hole,
        });
        rest = behind;
    }
    text + rest
}

#[test]
fn a_planted_sentence_is_found() {
    let found = of_code(
        "/// \"This is a comment and no sentence.\"\nlet a = (\"The app \\\n sends {x} away.\", \"GET /x\");",
    );
    assert_eq!(found, [["The app sends 7 away.".to_owned(), "The app sends Xy9 away.".to_owned()]]);
    let table = "## What is said of the whole\n| One two three … N. / Five six seven eight (nine) | ten |\n## Alerts, one by one";
    assert_eq!(manual(table), ["One two three … N.", "Five six seven eight"]);
}
