//! Columns as their definitions word them: the type, whether a value is required, and what one index covers.

use crate::model::migration::{Facts, ObjectKind};

/// What follows a type in a definition.
const AFTER_TYPE: [&str; 6] =
    [" CHARACTER SET ", " COLLATE ", " NOT NULL", " DEFAULT ", " GENERATED ", " AUTO_INCREMENT"];

/// The type alone.
pub(super) fn type_of(definition: &str) -> &str {
    let end = AFTER_TYPE.iter().filter_map(|word| definition.find(word)).min().unwrap_or(definition.len());
    definition[..end].trim()
}

/// Whether an insert must give a value.
pub(super) fn is_required(definition: &str) -> bool {
    let has = |word: &str| definition.contains(word);
    has(" NOT NULL") && !has(" DEFAULT ") && !has(" GENERATED ") && !has(" AUTO_INCREMENT")
}

/// Whether some values of the old type have no place in the new one; `None` where it cannot be told.
pub(super) fn narrows(before: &str, after: &str) -> Option<bool> {
    let (old, new) = (type_of(before), type_of(after));
    let whole = |name: &str| match name.to_ascii_lowercase().split(['(', ' ']).next().unwrap_or_default() {
        "tinyint" => Some(1),
        "smallint" => Some(2),
        "mediumint" => Some(3),
        "integer" | "int" => Some(4),
        "bigint" => Some(8),
        _ => None,
    };
    if let (Some(before), Some(after)) = (whole(old), whole(new)) {
        let is_unsigned = |name: &str| name.to_ascii_lowercase().contains(" unsigned");
        return Some(match (is_unsigned(old), is_unsigned(new)) {
            (true, false) => after <= before,
            (false, true) => true,
            _ => after < before,
        });
    }
    match (text(old), text(new)) {
        (Some(before), Some(after)) => Some(after < before),
        _ => match (exact(old), exact(new)) {
            (Some((digits, scale)), Some((new_digits, new_scale))) => {
                Some(new_scale < scale || new_digits.saturating_sub(new_scale) < digits.saturating_sub(scale))
            }
            _ => None,
        },
    }
}

/// The character sets of two definitions of MySQL, where they differ; none stands for the database's own.
pub(super) fn character_sets<'d>(before: &'d str, after: &'d str) -> Option<(&'d str, &'d str)> {
    let set = |definition: &'d str| {
        let behind = definition.split_once(" CHARACTER SET ").map(|(_, behind)| behind);
        behind.map_or("the database's own", |behind| behind.split(' ').next().unwrap_or_default())
    };
    let sets = (set(before), set(after));
    (sets.0 != sets.1).then_some(sets)
}

/// The labels of an enum, each in its quotes.
pub(super) fn labels(definition: &str) -> Vec<&str> {
    let inside = definition.strip_prefix("ENUM (").and_then(|rest| rest.strip_suffix(')'));
    inside.map(|inside| inside.split(", ").collect()).unwrap_or_default()
}

/// How many characters a type of text takes.
fn text(name: &str) -> Option<u64> {
    let name = name.to_ascii_lowercase();
    if name == "text" || name == "character varying" || name == "varchar" {
        return Some(u64::MAX);
    }
    let inside = name.strip_prefix("character varying(").or_else(|| name.strip_prefix("varchar("))?;
    inside.strip_suffix(')')?.parse().ok()
}

/// Digits and those of them behind the point.
fn exact(name: &str) -> Option<(u64, u64)> {
    let name = name.to_ascii_lowercase();
    if name == "numeric" {
        return Some((u64::MAX, u64::MAX / 2));
    }
    let inside = name.strip_prefix("numeric(").or_else(|| name.strip_prefix("decimal("))?.strip_suffix(')')?;
    let (digits, scale) = inside.split_once(',').unwrap_or((inside, "0"));
    Some((digits.trim().parse().ok()?, scale.trim().parse().ok()?))
}

/// The names in the first parentheses behind `word`.
pub(super) fn listed<'a>(definition: &'a str, word: &str) -> Vec<&'a str> {
    let Some(at) = definition.find(word) else { return Vec::new() };
    let Some(open) = definition[at..].find('(') else { return Vec::new() };
    let inside = &definition[at + open + 1..];
    let close = inside.find(')').unwrap_or(inside.len());
    inside[..close].split(',').map(|name| name.trim().trim_matches('`')).collect()
}

/// Whether an index, a primary key or a unique constraint of the table begins with these columns.
pub(super) fn is_indexed(facts: &Facts, table: &str, columns: &[&str]) -> bool {
    facts.iter().filter(|(object, _)| object.of == table).any(|(object, fact)| {
        let of = match object.kind {
            ObjectKind::Index => {
                listed(&fact.definition, if fact.definition.contains("USING") { "USING" } else { "(" })
            }
            ObjectKind::Constraint if fact.definition.starts_with("PRIMARY KEY") => listed(&fact.definition, "PRIMARY"),
            ObjectKind::Constraint if fact.definition.starts_with("UNIQUE") => listed(&fact.definition, "UNIQUE"),
            _ => return false,
        };
        let first: Vec<&str> =
            of.iter().take(columns.len()).map(|name| name.split(' ').next().unwrap_or_default()).collect();
        first.len() == columns.len() && columns.iter().all(|column| first.contains(column))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_compared_by_what_fits() {
        for (before, after, expected) in [
            ("integer NOT NULL", "bigint", Some(false)),
            ("bigint", "integer", Some(true)),
            ("text", "character varying(50)", Some(true)),
            ("character varying(50)", "character varying(80)", Some(false)),
            ("numeric(10,2)", "numeric(12,2)", Some(false)),
            ("numeric(10,2)", "numeric(12,1)", Some(true)),
            ("numeric", "numeric(12,1)", Some(true)),
            ("text", "jsonb", None),
            ("int(10) unsigned NOT NULL", "int(11) NOT NULL", Some(true)),
            ("int(11)", "bigint(20) unsigned", Some(true)),
            ("int(10) unsigned", "bigint(20)", Some(false)),
            ("int(10) unsigned", "bigint(20) unsigned", Some(false)),
        ] {
            assert_eq!(narrows(before, after), expected, "{before} -> {after}");
        }
        assert!(is_required("bigint NOT NULL") && !is_required("bigint NOT NULL DEFAULT 1"));
        let (own, latin) =
            ("varchar(20) COLLATE utf8mb4_bin", "varchar(20) NOT NULL CHARACTER SET latin1 COLLATE latin1_bin");
        assert_eq!(type_of(latin), "varchar(20)");
        assert_eq!(character_sets(own, latin), Some(("the database's own", "latin1")));
        assert_eq!(character_sets("varchar(20)", own), None);
        assert_eq!(labels("ENUM ('sad', 'ok')"), ["'sad'", "'ok'"]);
        assert_eq!(listed("FOREIGN KEY (a, b) REFERENCES t(x, y)", "FOREIGN"), ["a", "b"]);
    }
}
