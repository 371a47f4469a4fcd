//! placeholder
use crate::engine::shared::Shared;

pub(crate) fn fill(_shared: &Shared, _products: u32, _seed: u64) -> anyhow::Result<()> {
    Ok(())
}
