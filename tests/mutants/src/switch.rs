//! Stands in the copy of the product as `crate::mutant`: which mistake is made in this process.
//!
//! It may create no hash map: the simulated weeks count how many a thread has created.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

/// The number of the mistake that is made.
const MAKES: &str = "SHOPSYNC_MUTANT";
/// The file that is told the number of each mistake that could have been made, once.
const TELLS: &str = "SHOPSYNC_MUTANTS_REACHED";

const UNREAD: u32 = u32::MAX;
const NONE: u32 = u32::MAX - 1;
const TELLING: u32 = u32::MAX - 2;

static MADE: AtomicU32 = AtomicU32::new(UNREAD);
static REACHED: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// Whether this mistake is made.
#[inline]
pub fn is(id: u32) -> bool {
    let made = MADE.load(Ordering::Relaxed);
    if made < TELLING { made == id } else { is_first(id, made) }
}

#[cold]
fn is_first(id: u32, made: u32) -> bool {
    match made {
        UNREAD => {
            MADE.store(read(), Ordering::Relaxed);
            is(id)
        }
        TELLING => {
            tell(id);
            false
        }
        _ => false,
    }
}

fn read() -> u32 {
    match std::env::var(MAKES) {
        Ok(id) => id.parse().unwrap_or(NONE),
        Err(_) if std::env::var_os(TELLS).is_some() => TELLING,
        Err(_) => NONE,
    }
}

fn tell(id: u32) {
    let mut reached = REACHED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if reached.insert(id)
        && let Some(path) = std::env::var_os(TELLS)
        && let Ok(mut file) = std::fs::OpenOptions::new().create(true).append(true).open(path)
    {
        let _told = file.write_all(format!("{id}\n").as_bytes());
    }
}
