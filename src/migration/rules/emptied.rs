//! Statements that delete every row of a table, by their words: where tables are empty nothing else tells.

use crate::model::migration::{Statement, What};

/// The tables that a statement empties and that others use, save those that it was seen to empty.
pub(super) fn tables(statement: &Statement, is_used: impl Fn(&str) -> bool) -> Vec<String> {
    if statement.error.is_some() || statement.not_run.is_some() {
        return Vec::new();
    }
    let is_seen = |path: &String| {
        statement.changes.iter().any(|change| change.what == What::Emptied && change.object.of == *path)
    };
    let used = |name: String| spellings(&name).into_iter().find(|path| is_used(path));
    named(&statement.source.sql).into_iter().filter_map(used).filter(|path| !is_seen(path)).collect()
}

/// How databases may call a table that a statement names so.
fn spellings(name: &str) -> [String; 5] {
    let lower = name.to_lowercase();
    let public = [format!("public.{lower}"), format!("public.{name}"), format!("public.\"{name}\"")];
    let [one, two, three] = public;
    [lower, name.to_owned(), one, two, three]
}

/// The tables of which a statement deletes every row, as it names them.
fn named(sql: &str) -> Vec<String> {
    let words = words(sql);
    let mut rest: &[String] = &words;
    if take(&mut rest, &["truncate"]) {
        take(&mut rest, &["table"]);
        let mut names = Vec::new();
        loop {
            take(&mut rest, &["only"]);
            names.extend(name(&mut rest));
            take(&mut rest, &["*"]);
            if !take(&mut rest, &[","]) {
                return names;
            }
        }
    }
    if !take(&mut rest, &["delete"]) {
        return Vec::new();
    }
    while ["low_priority", "quick", "ignore"].iter().any(|word| take(&mut rest, &[word])) {}
    if !take(&mut rest, &["from"]) {
        return Vec::new();
    }
    take(&mut rest, &["only"]);
    let Some(name) = name(&mut rest) else { return Vec::new() };
    take(&mut rest, &["*"]);
    take(&mut rest, &["as"]);
    if rest.first().is_some_and(|word| !["where", "returning", "order"].contains(&word.to_lowercase().as_str())) {
        rest = &rest[1..];
    }
    let always: [&[&str]; 3] = [&["where", "true"], &["where", "1", "=", "1"], &["where", "1"]];
    let _ = always.iter().any(|words| take(&mut rest, words));
    if rest.is_empty() || take(&mut rest, &["returning"]) { vec![name] } else { Vec::new() }
}

/// Takes these words, whatever their case, off the beginning.
fn take(rest: &mut &[String], words: &[&str]) -> bool {
    let fits = rest.len() >= words.len() && rest.iter().zip(words).all(|(one, two)| one.eq_ignore_ascii_case(two));
    if fits {
        *rest = &rest[words.len()..];
    }
    fits
}

/// Takes a name with its schema.
fn name(rest: &mut &[String]) -> Option<String> {
    let (first, mut behind) = rest.split_first()?;
    let mut name = first.clone();
    while let [dot, part, others @ ..] = behind
        && dot == "."
    {
        name = format!("{name}.{part}");
        behind = others;
    }
    *rest = behind;
    Some(name)
}

/// Words and signs, without comments and the quotes of names.
fn words(sql: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = sql.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
        let length = match first {
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '"' | '`' | '\'' | '[' => {
                let close = if first == '[' { ']' } else { first };
                let end = rest[1..].find(close).map_or(rest.len(), |end| end + 2);
                found.push(rest[1..end].trim_end_matches(close).to_owned());
                end
            }
            first if is_word(first) => {
                let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                found.push(rest[..end].to_owned());
                end
            }
            sign => {
                found.push(sign.to_string());
                sign.len_utf8()
            }
        };
        rest = rest[length..].trim_start();
    }
    found.pop_if(|last| last == ";");
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_goes_where_nothing_is_asked() {
        for (sql, tables) in [
            ("DELETE FROM orders", &["orders"][..]),
            ("delete from only public.\"Orders\" as o -- all\n;", &["public.Orders"]),
            ("DELETE /* of */ FROM `orders` WHERE 1 = 1", &["orders"]),
            ("DELETE FROM orders WHERE true RETURNING id", &["orders"]),
            ("\n\tDELETE LOW_PRIORITY IGNORE FROM orders", &["orders"]),
            ("# all of it\nDELETE FROM orders", &["orders"]),
            ("DELETE FROM orders * AS o WHERE 1", &["orders"]),
            ("/**/DELETE FROM/**/orders", &["orders"]),
            ("TRUNCATE TABLE a, only b CASCADE", &["a", "b"]),
            ("TRUNCATE a *, b", &["a", "b"]),
            ("DELETE FROM orders WHERE id > 1", &[]),
            ("DELETE FROM orders WHERE 1 = 1 AND id > 1", &[]),
            ("DELETE FROM orders o USING users u WHERE o.id = u.id", &[]),
            ("DELETE FROM orders ORDER BY id LIMIT 5", &[]),
            ("DELETE FROM orders PARTITION (p0)", &[]),
            ("WITH a AS (SELECT 1) DELETE FROM orders WHERE id = 1", &[]),
            ("DROP TABLE orders", &[]),
            ("DELETE FROM \"or", &["or"]),
            ("DELETE FROM", &[]),
        ] {
            assert_eq!(named(sql), tables, "{sql}");
        }
    }
}
