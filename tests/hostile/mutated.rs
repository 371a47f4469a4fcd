//! Each file of the corpora, changed at random: what libFuzzer does for longer and by looking at what is reached. The same inputs
//! in each run; `SHOPSYNC_FUZZ_SEED` gives others, `SHOPSYNC_FUZZ_INPUTS` more of them.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::properties::TARGETS;

/// Inputs of a target in an ordinary run: some seconds of a debug build for all targets together.
const INPUTS: u64 = 1_500;

/// Values that break what was not thought of.
const NUMBERS: [&str; 14] = [
    "0",
    "-1",
    "0.005",
    "1e15",
    "999999999999999",
    "-999999999999999.99",
    "1e-17",
    "1e300",
    "8901234567890",
    "0.1234567",
    "9223372036854775807",
    "170141183460469231731687303715884105727",
    "2147483648",
    "38",
];
const TEXTS: [&str; 16] = [
    "",
    " ",
    "0",
    "1_0",
    "'; DROP TABLE x; --",
    "a\u{0}b",
    "\u{202E}x\n",
    "\u{1F600}",
    "ക്ഷ\u{200D}",
    "completed",
    "split",
    "Inclusive",
    "2026-02-30",
    "credit",
    "/pause 1h",
    "-5",
];

/// A generator that is the same everywhere.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn changed(chance: &mut Chance, files: &[Vec<u8>]) -> Vec<u8> {
    let mut data = files[chance.below(files.len())].clone();
    let json = serde_json::from_slice::<Value>(&data).ok().filter(|json| json.is_object() || json.is_array());
    if let Some(mut json) = json.filter(|_| chance.below(5) > 0) {
        for _ in 0..=chance.below(4) {
            change_json(chance, &mut json);
        }
        return serde_json::to_vec(&json).unwrap();
    }
    for _ in 0..=chance.below(6) {
        let at = chance.below(data.len() + 1);
        match chance.below(5) {
            0 if at < data.len() => data[at] = u8::try_from(chance.below(256)).unwrap(),
            1 if at < data.len() => {
                data.remove(at);
            }
            2 => drop(data.splice(at..at, TEXTS[chance.below(TEXTS.len())].bytes())),
            3 => drop(data.splice(at..at, NUMBERS[chance.below(NUMBERS.len())].bytes())),
            _ => {
                let other = &files[chance.below(files.len())];
                let from = chance.below(other.len() + 1);
                let to = (from + chance.below(40)).min(other.len());
                data.splice(at..at, other[from..to].iter().copied());
            }
        }
    }
    data
}

/// Goes down to some value and puts another in its place.
fn change_json(chance: &mut Chance, json: &mut Value) {
    let deeper = chance.below(5) > 0;
    match json {
        Value::Object(fields) if deeper && !fields.is_empty() => {
            let at = chance.below(fields.len());
            change_json(chance, fields.values_mut().nth(at).unwrap());
        }
        Value::Array(items) if deeper && !items.is_empty() => {
            if chance.below(6) == 0 && items.len() < 40 {
                let at = chance.below(items.len());
                items.push(items[at].clone());
            }
            let at = chance.below(items.len());
            change_json(chance, &mut items[at]);
        }
        _ => {
            *json = match chance.below(8) {
                0 => Value::Null,
                1 => Value::Bool(chance.below(2) == 0),
                2 => Value::Array(vec![json.clone()]),
                3 => Value::from(TEXTS[chance.below(TEXTS.len())].repeat(1 + chance.below(2) * 700)),
                4 => Value::from(NUMBERS[chance.below(NUMBERS.len())]),
                5 => Value::from(i64::try_from(chance.next() >> chance.below(63).max(1)).unwrap()),
                _ => serde_json::from_str(NUMBERS[chance.below(NUMBERS.len())]).unwrap(),
            }
        }
    }
}

#[track_caller]
fn holds(target: &str) {
    let (_, check) = TARGETS.iter().find(|(name, _)| *name == target).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target);
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let files: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    let mut chance = Chance(number("SHOPSYNC_FUZZ_SEED", 0x5EED).max(1));
    for _ in 0..number("SHOPSYNC_FUZZ_INPUTS", INPUTS) {
        let data = changed(&mut chance, &files);
        let held = std::panic::catch_unwind(|| check(&data));
        assert!(held.is_ok(), "{target}: a property does not hold for {:?}", String::from_utf8_lossy(&data));
    }
}

#[test]
fn numbers_changed() {
    holds("number");
}

#[test]
fn records_changed() {
    holds("record");
}

#[test]
fn rows_changed() {
    holds("row");
}

#[test]
fn settings_changed() {
    holds("settings");
}

#[test]
fn streams_changed() {
    holds("sse");
}

#[test]
fn messages_changed() {
    holds("telegram");
}
