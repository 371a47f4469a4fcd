//! Mistakes that ShopSync must never make, made on purpose: each proves that the checks would see it. They are made
//! by adapters that lie, chosen at run time; the engine is the real one.

/// One mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Planted {
    /// The app says synced before RainTek's COMMIT.
    StampBeforeCommit,
    /// What may have arrived is sent again without looking it up.
    NoLookUp,
    /// The cursor is saved before what it stands for.
    CursorFirst,
    /// Transactions begin without the application lock.
    NoAppLock,
    /// An outage is taken for the invoice's own fault.
    OutageCounts,
    /// The lines that are there are taken for all.
    HalfAsWhole,
    /// A bill that the app made is taken for RainTek's own.
    OwnBillImported,
    /// A bill is written again beside its old lines.
    ReplaceKeepsLines,
    /// The app's counters stay where they are.
    CounterNotFollowed,
    /// A guest sees no products, and they are switched off.
    EmptyReadSwitchesOff,
    /// Looks are answered before anybody looked.
    GreenBeforeLook,
    /// A held invoice is dropped after some tries.
    HoldDropped,
    /// Rows are copied only after they were changed.
    SnapshotAfter,
    /// A revision goes before the invoice it revises.
    RevisedFirst,
    /// Messages go out as fast as they come.
    NoAlertLimit,
    /// A pause is forgotten by the next start.
    PauseForgotten,
    /// Nobody waits for the day's first backups.
    GateIgnored,
    /// An invoice that is gone from the app is taken to be there.
    LostUnseen,
    /// The trial's end takes an invoice with it that was made after it.
    RealTakenForTest,
    /// What stands in RainTek is looked up under another invoice's number when everything is compared.
    ScanSeesNothing,
}

impl Planted {
    pub(crate) const ALL: [Self; 20] = [
        Self::StampBeforeCommit,
        Self::NoLookUp,
        Self::CursorFirst,
        Self::NoAppLock,
        Self::OutageCounts,
        Self::HalfAsWhole,
        Self::OwnBillImported,
        Self::ReplaceKeepsLines,
        Self::CounterNotFollowed,
        Self::EmptyReadSwitchesOff,
        Self::GreenBeforeLook,
        Self::HoldDropped,
        Self::SnapshotAfter,
        Self::RevisedFirst,
        Self::NoAlertLimit,
        Self::PauseForgotten,
        Self::GateIgnored,
        Self::LostUnseen,
        Self::RealTakenForTest,
        Self::ScanSeesNothing,
    ];

    /// What the check says that is there to catch it.
    pub(crate) fn caught_as(self) -> &'static str {
        match self {
            Self::StampBeforeCommit => "as synced, and RainTek does not have it so",
            Self::NoLookUp | Self::NoAppLock => "stands in RainTek twice",
            Self::CursorFirst => "the cursor is beyond",
            Self::OutageCounts => "tries, and RainTek answered it only",
            Self::HalfAsWhole | Self::ReplaceKeepsLines => "as the app never had it whole",
            Self::OwnBillImported => "is ours and",
            Self::CounterNotFollowed => "the app's counters are",
            Self::EmptyReadSwitchesOff => "is switched off in the app, and RainTek sells it",
            Self::GreenBeforeLook => "nobody has looked at everything since the start",
            Self::HoldDropped => "is dropped, and the app still means it",
            Self::SnapshotAfter => "its rows were not copied before",
            Self::RevisedFirst => "goes before record",
            Self::NoAlertLimit => "ms after the last one",
            Self::PauseForgotten => "it is paused, and",
            Self::GateIgnored => "before the first backups of",
            Self::LostUnseen => "was taken back, stands in RainTek, and nobody is asked",
            Self::RealTakenForTest => "was made after the trial",
            Self::ScanSeesNothing => "every invoice was compared, and",
        }
    }
}
