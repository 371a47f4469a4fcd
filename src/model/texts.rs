//! Many short texts, and something small for each.

use std::collections::hash_map::RandomState;

use string_interner::symbol::{Symbol as _, SymbolU32};
use string_interner::{StringInterner, backend::StringBackend};

/// A map from texts to small values in a few blocks of memory, where a `HashMap` has a piece of its own for each text: of
/// fifty thousand codes half as much. No text is ever taken out.
#[derive(Debug, Clone)]
pub struct Texts<T> {
    /// Numbered as they came, from 0 on.
    texts: StringInterner<StringBackend<SymbolU32>, RandomState>,
    /// By that number.
    values: Vec<T>,
}

/// Where a text stands in its [`Texts`].
pub type Place = SymbolU32;

impl<T> Default for Texts<T> {
    fn default() -> Self {
        Self::for_about(0)
    }
}

/// The same texts with the same values, in whatever order they came.
impl<T: PartialEq> PartialEq for Texts<T> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(text, value)| other.get(text) == Some(value))
    }
}

impl<T: Eq> Eq for Texts<T> {}

impl<T> Texts<T> {
    /// Room for so many: one that grows needs its old memory and its new one for a moment.
    pub fn for_about(many: usize) -> Self {
        let texts = StringInterner::with_capacity_and_hasher(many, RandomState::default());
        Self { texts, values: Vec::with_capacity(many) }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// What stands for this text.
    pub fn get(&self, text: &str) -> Option<&T> {
        self.values.get(self.texts.get(text)?.to_usize())
    }

    /// The text of a place.
    pub fn text(&self, place: Place) -> Option<&str> {
        self.texts.resolve(place)
    }

    /// What stands for this text from now on, whatever did before.
    pub fn set(&mut self, text: &str, value: T) {
        let place = self.texts.get_or_intern(text).to_usize();
        match self.values.get_mut(place) {
            Some(there) => *there = value,
            None => self.values.push(value),
        }
    }

    /// All texts with what stands for them, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.texts.iter().map(|(_, text)| text).zip(&self.values)
    }

    /// All values, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.values.iter_mut()
    }

    /// Where the text stands from now on, or, of one that is known, what stands for it already.
    ///
    /// # Errors
    /// The value that is there; the new one is dropped.
    pub fn add(&mut self, text: &str, value: T) -> Result<Place, &mut T> {
        let place = self.texts.get_or_intern(text);
        if place.to_usize() == self.values.len() {
            self.values.push(value);
            return Ok(place);
        }
        self.values.get_mut(place.to_usize()).map_or(Ok(place), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_two_stays_and_is_handed_out() {
        let mut texts = Texts::for_about(1);
        let place = texts.add("pen", 1).unwrap();
        assert_eq!(texts.add("", 2).map(|place| place.to_usize()), Ok(1));
        assert_eq!(texts.add("pen", 3), Err(&mut 1));
        *texts.add("pen", 3).unwrap_err() = 4;
        assert_eq!((texts.get("pen"), texts.get(""), texts.get("Pen")), (Some(&4), Some(&2), None));
        assert_eq!((texts.text(place), texts.len(), texts.is_empty()), (Some("pen"), 2, false));
    }

    #[test]
    fn what_is_set_stands_there_and_the_order_of_coming_makes_no_difference() {
        let (mut one, mut other) = (Texts::default(), Texts::default());
        for text in ["a", "b"] {
            one.set(text, 0);
        }
        one.set("a", 1);
        for (text, value) in [("b", 0), ("a", 1)] {
            other.set(text, value);
        }
        assert_eq!(one.iter().collect::<Vec<_>>(), [("a", &1), ("b", &0)]);
        assert_eq!(one, other);
        other.values_mut().for_each(|value| *value = 2);
        assert_ne!(one, other);
        assert_ne!(one, Texts::default());
    }

    #[test]
    fn many_more_than_there_was_room_for_are_all_kept() {
        let mut texts = Texts::for_about(0);
        for number in 0..10_000_u32 {
            assert!(texts.add(&format!("ପେନ୍ {number}"), number).is_ok());
        }
        assert!((0..10_000).all(|number| texts.get(&format!("ପେନ୍ {number}")) == Some(&number)));
    }
}
