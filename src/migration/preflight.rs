//! What scripts need of a server, told before the first statement is run.

use crate::model::migration::{Form, Source};

/// The extensions that `CREATE EXTENSION` asks for, each with its place.
#[must_use]
pub fn extensions(sources: &[Source]) -> Vec<(String, u32)> {
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| source.form == Form::Sql) {
        let mut words = source.sql.split_whitespace().map(|word| word.trim_end_matches(';'));
        let is = |word: Option<&str>, wanted: &str| word.is_some_and(|word| word.eq_ignore_ascii_case(wanted));
        if !is(words.next(), "create") || !is(words.next(), "extension") {
            continue;
        }
        let rest: Vec<&str> = words.collect();
        let named = match rest.as_slice() {
            [a, b, c, name, ..] if is(Some(a), "if") && is(Some(b), "not") && is(Some(c), "exists") => Some(name),
            [name, ..] => Some(name),
            [] => None,
        };
        found.extend(named.map(|name| (name.trim_matches('"').to_owned(), source.line)));
    }
    found
}
