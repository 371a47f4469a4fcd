//! Medians and the like.

/// The value below which so many per cent lie.
pub(crate) fn percentile(values: &[f64], percent: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (percent / 100.0 * sorted.len() as f64).ceil() as usize;
    sorted.get(place.clamp(1, sorted.len().max(1)) - 1).copied().unwrap_or(f64::NAN)
}

pub(crate) fn median(values: &[f64]) -> f64 {
    percentile(values, 50.0)
}

/// The median of the ratios of pairs.
pub(crate) fn median_ratio(pairs: &[(f64, f64)]) -> f64 {
    median(&pairs.iter().map(|(measured, limit)| measured / limit).collect::<Vec<_>>())
}

pub(crate) fn firsts(pairs: &[(f64, f64)]) -> Vec<f64> {
    pairs.iter().map(|(first, _)| *first).collect()
}

pub(crate) fn seconds(pairs: &[(f64, f64)]) -> Vec<f64> {
    pairs.iter().map(|(_, second)| *second).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_seen() {
        let values: Vec<f64> = (1..=200).map(f64::from).collect();
        assert!((percentile(&values, 50.0) - 100.0).abs() < f64::EPSILON);
        assert!((percentile(&values, 99.0) - 198.0).abs() < f64::EPSILON);
        assert!((percentile(&[7.0], 99.0) - 7.0).abs() < f64::EPSILON);
        assert!((median_ratio(&[(1.0, 2.0), (3.0, 2.0), (8.0, 2.0)]) - 1.5).abs() < f64::EPSILON);
    }
}
