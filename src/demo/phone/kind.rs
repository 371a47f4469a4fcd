//! What a bill is an example of.

/// Every kind comes up in turn; what a kind does not say is left to chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::demo) enum Kind {
    Plain,
    Igst,
    Weights,
    Split,
    Credit,
    PartPaid,
    WalkIn,
    NewCustomer,
    KnownCustomer,
    NonGst,
    BillDiscount,
    LineDiscount,
    Freight,
    RoundOff,
    /// The app gives no taxes: RainTek's arithmetic fills them in.
    TaxesLeftOut,
    Cess,
    /// The invoice first, its lines some 100 ms later.
    HeaderFirst,
    /// Everything in one transaction.
    Batched,
    /// Written as a draft, completed later.
    Draft,
    /// More than a hundred lines.
    Long,
    /// Ten past midnight in the shop, which is yesterday for PocketBase.
    Midnight,
    /// The first minutes of the financial year.
    NewYear,
    /// The phone sends the fields that are ShopSync's alone.
    Forged,
}

impl Kind {
    /// In the order in which they come up.
    pub(in crate::demo) const ALL: [Self; 23] = [
        Self::Plain,
        Self::HeaderFirst,
        Self::Split,
        Self::NewCustomer,
        Self::Weights,
        Self::Draft,
        Self::Igst,
        Self::TaxesLeftOut,
        Self::Credit,
        Self::Long,
        Self::KnownCustomer,
        Self::NonGst,
        Self::BillDiscount,
        Self::Batched,
        Self::PartPaid,
        Self::WalkIn,
        Self::RoundOff,
        Self::LineDiscount,
        Self::Freight,
        Self::Midnight,
        Self::Cess,
        Self::NewYear,
        Self::Forged,
    ];

    /// The kind of the invoice at this place.
    pub(in crate::demo) fn at(place: u64) -> Self {
        let count = u64::try_from(Self::ALL.len()).unwrap_or(1);
        let at = usize::try_from(place % count).unwrap_or(0);
        Self::ALL.get(at).copied().unwrap_or(Self::Plain)
    }
}

/// What an app does not say of the amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeftOut {
    Nothing,
    /// The header's sums; the lines have theirs.
    Header,
    /// The header's sums, and the lines' taxes and taxable values; the lines have their totals.
    Taxes,
    /// All but quantities, rates and discounts, and the grand total.
    Everything,
}

impl LeftOut {
    /// What may be left out.
    pub(super) const SOME: [Self; 3] = [Self::Header, Self::Taxes, Self::Everything];

    /// Whether RainTek's arithmetic has to fill something in.
    pub(super) fn needs_raintek(self) -> bool {
        matches!(self, Self::Taxes | Self::Everything)
    }
}
