//! Versions and descriptions out of file names.

use crate::model::migration::Order;

/// The digits a name begins with, and what follows them.
pub(super) fn number(name: &str) -> Option<(&str, &str)> {
    let end = name.find(|c: char| !c.is_ascii_digit()).unwrap_or(name.len());
    (end > 0).then(|| name.split_at(end))
}

/// The order of tools that read the version as a number.
pub(super) fn by_number(digits: &str) -> Option<Order> {
    Some(Order(vec![digits.parse().ok()?], String::new()))
}

/// `_create_users` into `create users`.
pub(super) fn words(rest: &str) -> String {
    rest.trim_matches(['_', '-', '.', ' ']).replace('_', " ")
}

/// A name without the ending `.sql`, whatever its case.
pub(super) fn stem(name: &str) -> &str {
    match name.len().checked_sub(4).map(|at| (name.get(..at), name.get(at..))) {
        Some((Some(stem), Some(ending))) if ending.eq_ignore_ascii_case(".sql") => stem,
        _ => name,
    }
}

/// The version of Flyway and Refinery: numbers separated by `.` or `_`; zeroes at the end do not count.
pub(super) fn dotted(version: &str) -> Option<Order> {
    let mut parts: Vec<u64> = version.split(['.', '_']).map(|part| part.parse().ok()).collect::<Option<_>>()?;
    while parts.last() == Some(&0) && parts.len() > 1 {
        parts.pop();
    }
    Some(Order(parts, String::new()))
}
