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
        // What stands without quotes is taken in small letters.
        let name = |written: &&str| match written.strip_prefix('"') {
            Some(quoted) => quoted.trim_end_matches('"').to_owned(),
            None => written.to_lowercase(),
        };
        found.extend(named.map(|named| (name(named), source.line)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_named_as_the_server_takes_them() {
        let asked = |sql: &str| extensions(&[Source { line: 7, column: 1, sql: sql.to_owned(), form: Form::Sql }]);
        assert_eq!(asked("CREATE EXTENSION IF NOT EXISTS PgCrypto WITH SCHEMA x"), [("pgcrypto".to_owned(), 7)]);
        assert_eq!(asked("create extension \"uuid-OSSP\""), [("uuid-OSSP".to_owned(), 7)]);
        assert_eq!(asked("DROP EXTENSION pgcrypto"), []);
    }
}
