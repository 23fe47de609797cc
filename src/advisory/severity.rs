//! How bad an advisory is, and who says so.

use super::record::Advisory;
use crate::model::audit::{ScoreSource, Severity};

/// A severity with its origin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rated {
    /// The level.
    pub severity: Severity,
    /// From 0.0 to 10.0; `None` where only a word is known.
    pub score: Option<f64>,
    /// Who says so.
    pub source: ScoreSource,
}

/// What a record says itself: CVSS 4 before 3 before 2, then the database's word. `None` where it says nothing that can
/// be understood.
#[must_use]
pub fn own(vectors: &[String], rating: Option<&str>) -> Option<Rated> {
    let scored = vectors.iter().filter_map(|vector| Some((generation(vector), score(vector)?)));
    let best = scored.fold(None, |best: Option<(u8, f64)>, (generation, score)| match best {
        Some((known, _)) if known >= generation => best,
        _ => Some((generation, score)),
    });
    if let Some((_, score)) = best {
        return Some(Rated { severity: of_score(score), score: Some(score), source: ScoreSource::Cvss });
    }
    Severity::parse(rating?).map(|severity| Rated { severity, score: None, source: ScoreSource::Database })
}

/// The severity that the records of one name give, else the worst that the records of its aliases give.
#[must_use]
pub fn of(records: &[&Advisory], aliases: &[Rated]) -> Option<Rated> {
    let rated = records.iter().filter_map(|record| own(&record.vectors, record.rating.as_deref()));
    let lent = || worst(aliases.iter().copied()).map(|worst| Rated { source: ScoreSource::Alias, ..worst });
    worst(rated).or_else(lent)
}

fn worst(rated: impl Iterator<Item = Rated>) -> Option<Rated> {
    rated.reduce(|worst, other| {
        let key = |rated: &Rated| (rated.severity, rated.score.unwrap_or_default());
        if key(&other).partial_cmp(&key(&worst)).is_some_and(std::cmp::Ordering::is_gt) { other } else { worst }
    })
}

fn generation(vector: &str) -> u8 {
    match vector.strip_prefix("CVSS:") {
        Some(rest) => rest.bytes().next().unwrap_or_default(),
        None => b'2',
    }
}

fn score(vector: &str) -> Option<f64> {
    let score = vector.trim().parse::<cvss::Cvss>().ok()?.score();
    (0.0..=10.0).contains(&score).then_some(score)
}

fn of_score(score: f64) -> Severity {
    match score {
        ..4.0 => Severity::Low,
        ..7.0 => Severity::Medium,
        ..9.0 => Severity::High,
        _ => Severity::Critical,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V4: &str = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N";
    const V3: &str = "CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H";
    const V2: &str = "AV:N/AC:L/Au:N/C:P/I:P/A:P";

    fn rated(vectors: &[&str], rating: Option<&str>) -> Option<(Severity, Option<f64>, ScoreSource)> {
        let vectors: Vec<String> = vectors.iter().map(|&vector| vector.to_owned()).collect();
        own(&vectors, rating).map(|rated| (rated.severity, rated.score, rated.source))
    }

    #[test]
    fn the_newest_vector_goes_before_the_word() {
        assert_eq!(rated(&[V2, V3, V4], Some("LOW")), Some((Severity::Critical, Some(9.3), ScoreSource::Cvss)));
        assert_eq!(rated(&[V2, V3], None), Some((Severity::Medium, Some(6.2), ScoreSource::Cvss)));
        assert_eq!(rated(&[V2], None), Some((Severity::High, Some(7.5), ScoreSource::Cvss)));
        assert_eq!(
            rated(&["CVSS:9.9/x", "medium"], Some("MODERATE")),
            Some((Severity::Medium, None, ScoreSource::Database))
        );
        assert_eq!(rated(&[], Some("odd")), None);
    }

    #[test]
    fn an_alias_lends_its_score() {
        let alias = |score: f64| Rated { severity: of_score(score), score: Some(score), source: ScoreSource::Cvss };
        let bare = Advisory::default();
        let lent = of(&[&bare], &[alias(5.0), alias(9.8), alias(7.0)]).unwrap();
        assert_eq!((lent.severity, lent.source), (Severity::Critical, ScoreSource::Alias));
        assert_eq!(of(&[&bare], &[]), None);
        let own = Advisory { rating: Some("LOW".to_owned()), ..bare };
        assert_eq!(of(&[&own], &[alias(9.8)]).unwrap().severity, Severity::Low);
        let twice = Advisory { rating: Some("HIGH".to_owned()), ..Advisory::default() };
        assert_eq!(of(&[&own, &twice], &[]).unwrap().severity, Severity::High, "one name in two databases");
    }
}
