//! What happens in a shop's week, and what goes wrong in it: an explicit list that follows from the seed, so that it
//! can be shortened.

pub(crate) use crate::calls::Call;
use crate::scenes::Scene;

/// What differs from shop to shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setup {
    /// Stock and ledgers are posted.
    pub(crate) posting: bool,
    /// The database reads the last committed rows instead of waiting for a writer.
    pub(crate) snapshots: bool,
    /// The app says how many lines an invoice has.
    pub(crate) item_count: bool,
    /// Who gives the app's numbers.
    pub(crate) numbers: Numbers,
    /// Backups are made.
    pub(crate) backups: bool,
    /// Somebody is told by messages.
    pub(crate) alerts: bool,
    /// It begins as a trial.
    pub(crate) trial: bool,
    /// Days of the week that are told.
    pub(crate) days: u32,
    /// Milliseconds of a day that are told.
    pub(crate) day: u64,
    /// Products at the start.
    pub(crate) products: u32,
    /// What only scripted days have.
    pub(crate) stage: Stage,
}

/// What is set up in scripted days only: no seed becomes it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Stage {
    /// The settings say to watch only.
    pub(crate) watch_only: bool,
    /// Who is told may give commands.
    pub(crate) commands: bool,
    /// The PC's clock and disks are looked at.
    pub(crate) surroundings: bool,
    /// A service outside is told that all is well.
    pub(crate) heartbeat: bool,
    /// What the journal says of RainTek's bills is told.
    pub(crate) says_bills: bool,
    /// RainTek has no table of stock movements.
    pub(crate) no_stock: bool,
    /// Only invoices from the second day on are sent.
    pub(crate) second_day: bool,
}

/// Who gives the app's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// The counters that ShopSync laid down, in an app that takes no two completed invoices of one number.
    Ours,
    /// The app, in a series of its own.
    Own,
    /// The app, in RainTek's own series, without looking at RainTek.
    Same,
}

/// One line of a bill: product and quantity in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Take {
    pub(crate) product: u32,
    pub(crate) milli: i64,
}

/// How a bill is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pay {
    Cash,
    Upi,
    Card,
    Credit,
    /// Half cash, half UPI.
    Split,
    /// Cash, and not all of it.
    PartCash,
}

/// How a bill is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bill {
    pub(crate) lines: [Option<Take>; 4],
    pub(crate) pay: Pay,
    /// `None` is the walk-in customer.
    pub(crate) customer: Option<u32>,
    pub(crate) gst: bool,
}

/// How an invoice comes into the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// In one batch.
    Whole,
    /// The lines one by one behind it, with so many milliseconds between them.
    LinesLater(u64),
    /// A draft, whole, completed after so many milliseconds.
    Draft(u64),
    /// One line never comes.
    Short,
    /// Its lines do not add up.
    Wrong,
    /// Its number is one that is much too long.
    LongNumber,
    /// An item that RainTek does not have.
    UnknownItem,
}

/// One thing that somebody does. `of` is the id of the event that made the bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Do {
    // On a phone.
    Bill {
        bill: Bill,
        way: Way,
    },
    Revise {
        of: u32,
        bill: Bill,
        newest_first: bool,
        gap: u64,
        way: Way,
    },
    Change {
        of: u32,
        bill: Bill,
        gap: u64,
    },
    Cancel {
        of: u32,
    },
    Reopen {
        of: u32,
    },
    Delete {
        of: u32,
    },
    /// The older record of a revision is completed again, beside the newer one.
    CountsAgain {
        of: u32,
    },
    DraftAgain {
        of: u32,
        bill: Bill,
        gap: u64,
    },
    /// A phone writes into our own fields.
    Meddle {
        of: u32,
        inv_id: i32,
    },
    PhoneProduct {
        n: u32,
    },
    // At RainTek's own till.
    TillBill {
        bill: Bill,
        gap: u64,
    },
    TillEdit {
        of: u32,
        bill: Bill,
        gap: u64,
    },
    TillDelete {
        of: u32,
        gap: u64,
    },
    /// On a bill of the app.
    TillEditsOurs {
        of: u32,
        bill: Bill,
        gap: u64,
    },
    TillDeletesOurs {
        of: u32,
        gap: u64,
    },
    // In RainTek's office.
    Price {
        product: u32,
        paise: i64,
    },
    Switch {
        product: u32,
        on: bool,
    },
    NewProduct {
        n: u32,
    },
    /// Where no bill needs it.
    DropProduct {
        product: u32,
    },
    ProductBack {
        product: u32,
    },
    // Before the screen.
    Remove {
        of: u32,
    },
    Leave {
        of: u32,
    },
    Retry {
        of: u32,
    },
    RetryAll,
    SyncNow,
    Pause {
        ms: u64,
    },
    Resume,
    Rewrite {
        of: u32,
    },
    Backup {
        verify: bool,
    },
    /// Every invoice is compared with RainTek.
    Check,
    /// One of those that are held gets the next free number; perhaps at the moment at which all are tried.
    Renumber {
        nth: u32,
        while_tried: bool,
    },
    /// The trial is over, or what its end would do is looked at.
    GoLive {
        yes: bool,
    },
    // The PC.
    Restart {
        down: u64,
    },
    /// Switched off, or asleep, until the next morning.
    Night {
        off: bool,
        hours: i64,
    },
    Sleep {
        minutes: i64,
    },
    ClockSet {
        seconds: i64,
    },
    /// The shop is closed for so many days.
    Holiday {
        days: i64,
    },
    /// The app loses what was made in its last moments: a power cut, or an older copy that was put back.
    AppForgets {
        ms: u64,
    },
    // In scripted days only.
    /// Everything that stands on both sides, that waits, and that was found is told.
    Look,
    /// Somebody writes in a chat, which arrives so many minutes later.
    Chat {
        chat: i64,
        text: &'static str,
        minutes_late: i64,
    },
    /// The n-th copy that was made of a bill's rows is to be put back, or it is asked what that would do.
    Restore {
        of: u32,
        copy: usize,
        confirmed: bool,
    },
    /// What would be written of an invoice, or of the newest so many, is asked.
    Preview {
        of: u32,
    },
    Newest {
        count: usize,
    },
    /// The settings say from now on that it only watches, or no longer do.
    WatchOnly {
        on: bool,
    },
    /// A bill gets our mark, as if a ShopSync had made it that nobody remembers; or loses it.
    Mark {
        of: u32,
        on: bool,
    },
    /// So many bytes are left on the disk.
    Room {
        free: u64,
    },
    /// RainTek's rows are kept as they are; a bill of the app is put back as it was then, by hand.
    Keep,
    PutBack {
        of: u32,
    },
    /// ShopSync's own store is lost; an invoice that the app had lost is there again.
    StoreLost,
    AppFinds(u32),
    /// What only one day has.
    On(Scene),
}

/// Something that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) id: u32,
    /// Milliseconds since the start of the week, nights left out.
    pub(crate) at: u64,
    pub(crate) what: Do,
}

/// Whom a fault concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Pos,
    App,
    Store,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// The next call of this kind fails: before it took effect, or after, so that its answer is lost.
    Call {
        call: Call,
        after: bool,
        hang: u64,
    },
    /// The next call of this kind never comes back: before it took effect, or after.
    Hangs {
        call: Call,
        after: bool,
    },
    /// The next call of this kind is refused: that it is made again helps nobody. In scripted days only.
    Refuses {
        call: Call,
    },
    /// The next call of this kind fails, and may be made again; the side itself is there. In scripted days only.
    Stalls {
        call: Call,
    },
    /// A side is away.
    Down {
        side: Side,
        ms: u64,
    },
    /// The answer to a COMMIT is lost; it took effect, or took it `late` milliseconds later.
    CommitLost {
        effect: bool,
        late: u64,
    },
    /// RainTek chooses ShopSync as the victim.
    Deadlock {
        times: u32,
    },
    /// Somebody takes the number in the same moment.
    Taken {
        times: u32,
    },
    /// The app takes ShopSync for a guest.
    Token {
        calls: u32,
    },
    /// Events are lost, come twice, or come late.
    EventsLost {
        ms: u64,
    },
    EventsTwice {
        ms: u64,
    },
    EventsLate {
        ms: u64,
        by: u64,
    },
    StreamBreaks {
        ms: u64,
    },
    /// The store cannot write.
    DiskFull {
        ms: u64,
    },
    /// The engine is dropped at the n-th await from now, and started again.
    Crash {
        calls: u32,
        down: u64,
    },
    /// No message goes out.
    MessagesDown {
        ms: u64,
    },
    /// A backup takes very long.
    SlowBackups {
        ms: u64,
    },
}

/// Something goes wrong from `at` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) at: u64,
    pub(crate) what: Wrong,
}

/// A week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Story {
    pub(crate) seed: u64,
    pub(crate) setup: Setup,
    pub(crate) events: Vec<Event>,
    pub(crate) faults: Vec<Fault>,
}

impl Story {
    /// Whether something in it never comes back.
    pub(crate) fn hangs(&self) -> bool {
        self.faults.iter().any(|fault| matches!(fault.what, Wrong::Hangs { .. }))
    }

    /// Length in milliseconds, nights left out.
    pub(crate) fn length(&self) -> u64 {
        self.setup.day * u64::from(self.setup.days)
    }
}
