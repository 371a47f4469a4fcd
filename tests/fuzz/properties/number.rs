//! A number's text as an exact decimal: never half of it, never rounded but for noise, and never refused without reason.

use shopsync::model::money::{MONEY_SCALE, NotExact, PERCENT_SCALE, QUANTITY_SCALE, exact, largest};

use super::decimal::{NOISE, ONE, Written, read, units_of};

/// Any bytes: a text, read at each scale.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for scale in [0, MONEY_SCALE, QUANTITY_SCALE, PERCENT_SCALE] {
        check_at(text, scale);
    }
}

fn check_at(text: &str, scale: u32) {
    let got = exact(text, scale);
    if let Err(error) = &got {
        // It becomes part of a sentence.
        assert!(error.to_string().chars().count() <= 120, "too long to be said: {error}");
    }
    let most = units_of(largest(scale));
    let Some(written) = read(text) else {
        assert!(matches!(got, Err(NotExact::NotANumber(_))), "{text:?} was read as {got:?}");
        return;
    };
    let Written::Fixed { units, more } = written else {
        assert!(matches!(got, Err(NotExact::TooLarge(_))), "{text:?} at {scale}: {got:?}");
        return;
    };
    let step = ONE / 10_i128.pow(scale);
    let beside = units.abs() % step;
    let off = beside.min(step - beside);
    // What was cut may lie on either side of a bound.
    let edge = i128::from(more) + 1;
    match &got {
        Ok(value) => {
            let difference = (units_of(*value) - units).abs();
            assert!(difference <= NOISE + edge, "{text:?} at {scale} was read as {value}");
            assert!(value.scale() <= scale, "{text:?} at {scale}: {value} is too fine");
            assert!(units.abs() <= most + edge, "{text:?} at {scale}: {value} is too large");
            assert_eq!(exact(&value.to_string(), scale).as_ref(), Ok(value), "read again");
            assert_eq!(exact(&format!("-{value}").replace("--", ""), scale), Ok(-*value), "its negative");
            // As JSON carries it into the app and back.
            let json = shopsync::billing::fuzzing::number_json(*value).to_string();
            assert_eq!(
                exact(&json, scale).map(|back| back.cmp(value)),
                Ok(std::cmp::Ordering::Equal),
                "{json}"
            );
        }
        Err(NotExact::TooLarge(_)) => {
            assert!(units.abs() >= most - edge, "{text:?} at {scale} is not too large")
        }
        Err(NotExact::TooFine { .. }) => assert!(off >= NOISE - edge, "{text:?} at {scale} is fine enough"),
        Err(NotExact::NotANumber(_)) => panic!("{text:?} at {scale} is a number"),
    }
    if off == 0 && !more && units.abs() <= most {
        assert_eq!(got.map(units_of), Ok(units), "{text:?} at {scale} is exact");
    }
}
