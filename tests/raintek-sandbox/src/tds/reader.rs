//! Reads the little-endian fields of a message; what is too short is an error, never a panic.

use anyhow::{Context, bail};

/// A message being read.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn bytes(&mut self, count: usize) -> anyhow::Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).context("the message ends too early")?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> anyhow::Result<[u8; N]> {
        Ok(self.bytes(N)?.try_into()?)
    }

    pub(crate) fn u8(&mut self) -> anyhow::Result<u8> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub(crate) fn u16(&mut self) -> anyhow::Result<u16> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> anyhow::Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> anyhow::Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    pub(crate) fn i32(&mut self) -> anyhow::Result<i32> {
        Ok(i32::from_le_bytes(self.array()?))
    }

    /// UTF-16 of this many units.
    pub(crate) fn utf16(&mut self, units: usize) -> anyhow::Result<String> {
        utf16(self.bytes(units.checked_mul(2).context("too long")?)?)
    }

    /// A value sent in chunks (`max` types); None is NULL.
    pub(crate) fn chunks(&mut self) -> anyhow::Result<Option<Vec<u8>>> {
        if self.u64()? == u64::MAX {
            return Ok(None);
        }
        let mut whole = Vec::new();
        loop {
            match self.u32()? {
                0 => return Ok(Some(whole)),
                length => whole.extend_from_slice(self.bytes(usize::try_from(length)?)?),
            }
        }
    }

    /// Skips ALL_HEADERS and gives back the transaction the request belongs to.
    pub(crate) fn headers(&mut self) -> anyhow::Result<u64> {
        let total = usize::try_from(self.u32()?)?.checked_sub(4).context("ALL_HEADERS too short")?;
        let mut inside = Reader::new(self.bytes(total)?);
        let mut transaction = 0;
        while !inside.is_empty() {
            let length = usize::try_from(inside.u32()?)?.checked_sub(4).context("a header too short")?;
            let mut header = Reader::new(inside.bytes(length)?);
            if header.u16()? == 2 {
                transaction = header.u64()?;
            }
        }
        Ok(transaction)
    }

    pub(crate) fn remaining(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }
}

/// Bytes of UTF-16 as a text.
pub(crate) fn utf16(bytes: &[u8]) -> anyhow::Result<String> {
    if !bytes.len().is_multiple_of(2) {
        bail!("half a UTF-16 unit");
    }
    let units = bytes.chunks_exact(2).map(|pair| match pair {
        [low, high] => u16::from_le_bytes([*low, *high]),
        _ => 0,
    });
    Ok(char::decode_utf16(units).map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}
