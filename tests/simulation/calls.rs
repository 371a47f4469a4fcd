//! What the engine may ask of the world.

use crate::story::Side;

/// A call into the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Call {
    PosProbe,
    PosProducts,
    Open,
    Apply,
    Commit,
    Rollback,
    PosRead,
    AppProbe,
    List,
    Invoice,
    OfNumber,
    Stamp,
    AppProducts,
    WriteProducts,
    WriteBill,
    Numbers,
    StoreRead,
    StoreWrite,
    Snapshot,
    Message,
    PosBackup,
    AppBackup,
    Disk,
    // Of a trial.
    Stands,
    RemoveCustomer,
    AppHolds,
    AppRemoves,
    Settings,
}

impl Call {
    /// Those that may fail while a trial ends.
    pub(crate) const OF_GOING_LIVE: [Self; 12] = [
        Self::Stands,
        Self::RemoveCustomer,
        Self::AppHolds,
        Self::AppRemoves,
        Self::Settings,
        Self::Open,
        Self::Apply,
        Self::PosRead,
        Self::PosProducts,
        Self::Numbers,
        Self::PosBackup,
        Self::Snapshot,
    ];
    pub(crate) const FAILING: [Self; 19] = [
        Self::PosProbe,
        Self::PosProducts,
        Self::Open,
        Self::Apply,
        Self::Rollback,
        Self::PosRead,
        Self::AppProbe,
        Self::List,
        Self::Invoice,
        Self::OfNumber,
        Self::Stamp,
        Self::AppProducts,
        Self::WriteProducts,
        Self::WriteBill,
        Self::Numbers,
        Self::Snapshot,
        Self::PosBackup,
        Self::AppBackup,
        Self::Disk,
    ];
    /// Those that may hang: all but copies and backups, which stand at the end. (One may take so long that no week would be
    /// long enough to tell it from one that hangs.)
    pub(crate) const HANGING: &'static [Self] = Self::FAILING.split_at(15).0;

    pub(crate) fn side(self) -> Option<Side> {
        match self {
            Self::PosProbe
            | Self::PosProducts
            | Self::Open
            | Self::Apply
            | Self::Commit
            | Self::Rollback
            | Self::PosBackup
            | Self::Stands
            | Self::RemoveCustomer
            | Self::PosRead => Some(Side::Pos),
            Self::StoreRead | Self::StoreWrite => Some(Side::Store),
            Self::Snapshot | Self::Message | Self::Disk | Self::Settings => None,
            _ => Some(Side::App),
        }
    }
}
