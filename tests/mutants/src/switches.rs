//! Writes a file anew, with all mistakes in it, each behind its switch.
//!
//! One mistake is made at a time: the expression in which it is made stands there as it was written, without the
//! switches of what lies within it. So the text grows with the depth of an expression and does not double with it.

use std::cmp::Reverse;
use std::ops::Range;

use anyhow::{Context as _, Result};

use crate::listed::{Mutant, Place};
use crate::sites::{Site, Way, sites};

/// A file with switches.
#[derive(Debug, Default)]
pub(crate) struct Switched {
    pub(crate) text: String,
    /// What stands there for one mistake alone, and its number.
    alone: Vec<(Range<usize>, u32)>,
    /// What a place's switches may make wrong around them, and their numbers.
    around: Vec<(Range<usize>, Vec<u32>)>,
    /// Mistakes that are at no place where a switch could stand.
    pub(crate) nowhere: Vec<u32>,
}

impl Switched {
    /// The mistakes that a compiler means which complains of this text: first of `points`, where it says the fault
    /// is, then of what else it shows.
    pub(crate) fn meant(&self, points: &[Range<usize>], shown: &[Range<usize>]) -> Vec<u32> {
        let alone = |ranges: &[Range<usize>]| -> Vec<u32> {
            let is_in = |place: &Range<usize>| ranges.iter().any(|range| contains(place, range));
            self.alone.iter().filter(|(place, _)| is_in(place)).map(|(_, id)| *id).collect()
        };
        let around = |ranges: &[Range<usize>]| -> Vec<u32> {
            let is_in = |place: &Range<usize>| ranges.iter().any(|range| contains(place, range));
            let nearest = self.around.iter().map(|(place, _)| place).filter(|place| is_in(place));
            let Some(nearest) = nearest.min_by_key(|place| place.len()) else { return Vec::new() };
            self.around
                .iter()
                .filter(|(place, _)| place == nearest)
                .flat_map(|(_, ids)| ids.clone())
                .collect()
        };
        [alone(points), alone(shown), around(points), around(shown)]
            .into_iter()
            .find(|ids| !ids.is_empty())
            .unwrap_or_default()
    }
}

fn contains(place: &Range<usize>, range: &Range<usize>) -> bool {
    place.start <= range.start && range.end <= place.end
}

/// What is put between two characters of the file.
struct Piece {
    at: usize,
    text: String,
    /// Ends come before beginnings, inner ends before outer ones, outer beginnings before inner ones.
    order: (bool, Reverse<usize>, usize),
    /// Which parts of it belong to one mistake alone.
    alone: Vec<(Range<usize>, u32)>,
    /// What is around the switches of this place begins or ends here.
    edge: Option<usize>,
}

/// The file with a switch for each of these.
pub(crate) fn switched(text: &str, mutants: &[(u32, &Mutant)]) -> Result<Switched> {
    let lines = Lines::of(text);
    let mut nowhere: Vec<u32> = Vec::new();
    let sites = sites(text).context("it is no Rust")?;
    let mut of_sites: Vec<Vec<(u32, &Mutant)>> = sites.iter().map(|_| Vec::new()).collect();
    for (id, mutant) in mutants {
        let named = lines.offset(mutant.span.start)..lines.offset(mutant.span.end);
        match sites.iter().position(|site| site.genre == mutant.genre && site.named == named) {
            Some(at) => of_sites[at].push((*id, mutant)),
            None => nowhere.push(*id),
        }
    }
    let mut pieces = Vec::new();
    for (number, (site, mutants)) in
        sites.iter().zip(&of_sites).enumerate().filter(|(_, (_, of))| !of.is_empty())
    {
        pieces.extend(pieces_of(text, number, site, mutants));
    }
    pieces.sort_by_key(|piece| (piece.at, piece.order));
    let mut made = Switched { nowhere, ..Switched::default() };
    let mut from = 0;
    let mut begun: Vec<Option<usize>> = sites.iter().map(|_| None).collect();
    for piece in pieces {
        made.text.push_str(&text[from..piece.at]);
        from = piece.at;
        let start = made.text.len();
        made.alone
            .extend(piece.alone.into_iter().map(|(part, id)| (start + part.start..start + part.end, id)));
        made.text.push_str(&piece.text);
        let Some(site) = piece.edge else { continue };
        match begun[site].take() {
            None => begun[site] = Some(start),
            Some(begun) => {
                let ids = of_sites[site].iter().map(|(id, _)| *id).collect();
                made.around.push((begun..made.text.len(), ids));
            }
        }
    }
    made.text.push_str(&text[from..]);
    Ok(made)
}

/// What is put in for the mistakes of one place.
fn pieces_of(text: &str, number: usize, site: &Site, mutants: &[(u32, &Mutant)]) -> Vec<Piece> {
    let begins = |at, (text, alone): (String, _)| Piece {
        at,
        text,
        order: (true, Reverse(0), number),
        alone,
        edge: Some(number),
    };
    let ends = |at, text: &str| Piece {
        at,
        text: text.into(),
        order: (false, Reverse(number), 0),
        alone: Vec::new(),
        edge: Some(number),
    };
    let within = |at, piece: Written, around: &Range<usize>| {
        let within = Piece { edge: None, ..begins(at, piece.made) };
        vec![begins(around.start, Default::default()), within, ends(around.end, "")]
    };
    let mut written = Written::default();
    match &site.way {
        Way::Instead(whole) => {
            written.push("(");
            for (id, mutant) in mutants {
                let (before, after) =
                    (&text[whole.start..site.named.start], &text[site.named.end..whole.end]);
                written.alone(*id, &format!("if {} {{ {before}{}{after} }}", test(*id), mutant.replacement));
                written.push(" else ");
            }
            written.push("{ ");
            vec![begins(whole.start, written.made), ends(whole.end, " })")]
        }
        Way::FieldOf { value, other, field, is_short } => {
            written.push(&if *is_short { format!("{field}: (") } else { "(".to_owned() });
            for (id, _) in mutants {
                written.alone(*id, &format!("if {} {{ {other}.{field} }}", test(*id)));
                written.push(" else ");
            }
            written.push("{ ");
            vec![begins(value.start, written.made), ends(value.end, " })")]
        }
        Way::Return { at, body } => {
            for (id, mutant) in mutants {
                written.alone(*id, &format!("if {} {{ return {}; }} ", test(*id), mutant.replacement));
            }
            within(*at, written, body)
        }
        Way::Never { at, matched } => {
            let tests: Vec<String> = mutants.iter().map(|(id, _)| format!("!{}", test(*id))).collect();
            let all = format!(" if {}", tests.join(" && "));
            mutants.iter().for_each(|(id, _)| written.made.1.push((0..all.len(), *id)));
            written.push(&all);
            within(*at, written, matched)
        }
    }
}

fn test(id: u32) -> String {
    format!("crate::mutant::is({id})")
}

#[derive(Default)]
struct Written {
    made: (String, Vec<(Range<usize>, u32)>),
}

impl Written {
    fn push(&mut self, text: &str) {
        self.made.0.push_str(text);
    }

    fn alone(&mut self, id: u32, text: &str) {
        let start = self.made.0.len();
        self.push(text);
        self.made.1.push((start..self.made.0.len(), id));
    }
}

/// Where each line begins.
struct Lines<'a>(Vec<&'a str>);

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        Self(text.split_inclusive('\n').collect())
    }

    fn offset(&self, place: Place) -> usize {
        let line = place.line.saturating_sub(1);
        let before: usize = self.0.iter().take(line).map(|line| line.len()).sum();
        let within = self.0.get(line).map_or(0, |line| {
            line.char_indices().nth(place.column.saturating_sub(1)).map_or(line.len(), |(at, _)| at)
        });
        before + within
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listed::{Genre, Span};

    /// The place of the n-th `named` in a text.
    fn mutant(text: &str, genre: Genre, named: &str, replacement: &str) -> Mutant {
        let at = text.find(named).expect("it is there");
        let place = |at: usize| {
            let before = &text[..at];
            let start = before.rfind('\n').map_or(0, |at| at + 1);
            Place { line: before.matches('\n').count() + 1, column: before[start..].chars().count() + 1 }
        };
        Mutant {
            name: String::new(),
            file: String::new(),
            span: Span { start: place(at), end: place(at + named.len()) },
            replacement: replacement.into(),
            genre,
        }
    }

    fn made(text: &str, mutants: &[Mutant]) -> Switched {
        let numbered: Vec<(u32, &Mutant)> = (0..).zip(mutants).collect();
        let made = switched(text, &numbered).expect("it is Rust");
        syn::parse_file(&made.text).unwrap_or_else(|error| panic!("{error}: {}", made.text));
        made
    }

    fn is(text: &str, mutants: &[Mutant], expected: &str) {
        let made = made(text, mutants);
        assert_eq!(made.text.replace("crate::mutant::is", "m"), expected);
        assert!(made.nowhere.is_empty());
    }

    #[test]
    fn a_function_returns_at_once() {
        let text = "fn é() -> u8 {\n    /* ä */ let a = 1; a\n}";
        let body = mutant(text, Genre::FnValue, "let a = 1; a", "0");
        let other = mutant(text, Genre::FnValue, "let a = 1; a", "1");
        is(
            text,
            &[body, other],
            "fn é() -> u8 {\n    /* ä */ if m(0) { return 0; } if m(1) { return 1; } let a = 1; a\n}",
        );
    }

    #[test]
    fn operators_within_operators_keep_to_themselves() {
        let text = "fn a() -> bool { b + 1 < c && !d }";
        let mutants = [
            mutant(text, Genre::BinaryOperator, "&&", "||"),
            mutant(text, Genre::BinaryOperator, "<", "=="),
            mutant(text, Genre::BinaryOperator, "<", "<="),
            mutant(text, Genre::BinaryOperator, "+", "*"),
            mutant(text, Genre::UnaryOperator, "!", ""),
        ];
        is(
            text,
            &mutants,
            "fn a() -> bool { (if m(0) { b + 1 < c || !d } else { \
             (if m(1) { b + 1 == c } else if m(2) { b + 1 <= c } else { \
             (if m(3) { b * 1 } else { b + 1 }) < c }) && (if m(4) { d } else { !d }) }) }",
        );
    }

    #[test]
    fn a_condition_that_binds_is_left_as_it_is() {
        let text = "fn a() { if b == 1 && let Some(c) = d && c > 2 {} }";
        let mutants = [
            mutant(text, Genre::BinaryOperator, "==", "!="),
            mutant(text, Genre::BinaryOperator, "&&", "||"),
            mutant(text, Genre::BinaryOperator, ">", "<"),
        ];
        let made = made(text, &mutants);
        assert_eq!(made.nowhere, [1]);
        assert_eq!(
            made.text.replace("crate::mutant::is", "m"),
            "fn a() { if (if m(0) { b != 1 } else { b == 1 }) && let Some(c) = d && (if m(2) { c < 2 } else { c > 2 }) {} }"
        );
    }

    #[test]
    fn an_arm_does_not_match_and_a_guard_is_another() {
        let text = "fn a() { match b { 1 => 2, c if c < 3 => 4, _ => 5 } }";
        let mutants = [
            mutant(text, Genre::MatchArm, "1 => 2,", ""),
            mutant(text, Genre::MatchArmGuard, "c < 3", "true"),
            mutant(text, Genre::MatchArmGuard, "c < 3", "false"),
            mutant(text, Genre::BinaryOperator, "<", "<="),
        ];
        is(
            text,
            &mutants,
            "fn a() { match b { 1 if !m(0) => 2, c if (if m(1) { true } else if m(2) { false } else { \
             (if m(3) { c <= 3 } else { c < 3 }) }) => 4, _ => 5 } }",
        );
    }

    #[test]
    fn a_field_is_that_of_the_other_value() {
        let text = "fn a() { B { c: 1, d, ..Default::default() } }";
        let mutants =
            [mutant(text, Genre::StructField, "c: 1,", ""), mutant(text, Genre::StructField, "d,", "")];
        is(
            text,
            &mutants,
            "fn a() { B { c: (if m(0) { <B as Default>::default().c } else { 1 }), \
             d: (if m(1) { <B as Default>::default().d } else { d }), ..Default::default() } }",
        );
    }

    #[test]
    fn a_fault_is_the_mistakes_that_stands_there_or_the_nearest_around() {
        let text = "fn a() -> bool { b < c && d }";
        let mutants =
            [mutant(text, Genre::BinaryOperator, "&&", "||"), mutant(text, Genre::BinaryOperator, "<", "==")];
        let made = made(text, &mutants);
        let of = |what: &str| {
            let at = made.text.find(what).expect("it is there");
            at..at + what.len()
        };
        assert_eq!(made.meant(&[of("b == c")], &[]), [1]);
        assert_eq!(made.meant(&[of("b < c || d")], &[of("b == c")]), [0]);
        assert_eq!(made.meant(&[of("fn")], &[of("b == c")]), [1]);
        assert_eq!(made.meant(&[of("b < c })")], &[]), [1]);
        assert_eq!(made.meant(&[of("fn")], &[]), Vec::<u32>::new());
    }
}
