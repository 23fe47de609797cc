//! Versions that open pull requests take too. Only the names of their files are known, and are enough.

use std::collections::BTreeMap;

use super::{TAKEN, finding};
use crate::migration::layout::Layout;
use crate::model::finding::Finding;
use crate::model::migration::Planned;

/// A pull request, as far as it is known.
#[derive(Debug, Clone)]
pub struct OpenPull {
    /// Its number.
    pub number: u64,
    /// Files that it adds, by path, with the id of their content.
    pub added: BTreeMap<String, String>,
}

/// The new migrations whose version a pull request adds too. `contents` has the ids of our own files by path: one that
/// is the very same there is one migration in two pull requests, of which one stands on the other.
#[must_use]
pub fn taken(
    layout: &Layout,
    folder: &str,
    new: &[&Planned],
    contents: &BTreeMap<String, String>,
    pulls: &[OpenPull],
) -> Vec<Finding> {
    // Both sides by their names alone, so that they compare.
    let ours = layout.of_names(folder, new.iter().map(|planned| planned.path.as_str()));
    let mut found = Vec::new();
    for pull in pulls {
        for theirs in layout.of_names(folder, pull.added.keys().map(String::as_str)) {
            let same = ours.iter().filter(|planned| version(planned) == version(&theirs) && !planned.repeatable);
            for planned in same {
                let content = contents.get(&planned.path);
                if planned.path == theirs.path && content.is_some() && content == pull.added.get(&theirs.path) {
                    continue;
                }
                let (version, number) = (&planned.version, pull.number);
                let what =
                    format!("version {version} is added by the open pull request #{number} too, as {}", theirs.path);
                found.push(finding(&TAKEN, &planned.path, 1, &what));
            }
        }
    }
    found
}

/// What must differ: the number, or where versions are texts the text. A place in a journal is no number.
fn version(planned: &Planned) -> (bool, Vec<u64>, &str) {
    let text = if planned.order.0.is_empty() { planned.order.1.as_str() } else { "" };
    let number = planned.version.parse().ok().filter(|_| planned.order.0.len() == 1);
    (planned.repeatable, number.map_or_else(|| planned.order.0.clone(), |number| vec![number]), text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migration::layout;

    fn found(layout: &str, ours: &str, theirs: &str, same: bool) -> Vec<String> {
        let layout = layout::find(layout).unwrap();
        let planned = layout.of_names("db", std::iter::once(ours));
        let contents = BTreeMap::from([(ours.to_owned(), "1".to_owned())]);
        let id = if same { "1" } else { "2" };
        let pull = OpenPull { number: 12, added: BTreeMap::from([(theirs.to_owned(), id.to_owned())]) };
        let found = taken(layout, "db", &planned.iter().collect::<Vec<_>>(), &contents, &[pull]);
        found.into_iter().map(|finding| finding.message.lines().next().unwrap().to_owned()).collect()
    }

    #[test]
    fn versions_are_compared_as_each_tool_does() {
        for (layout, ours, theirs) in [
            ("sqlx", "db/7_a.sql", "db/007_b.up.sql"),
            ("diesel", "db/2024-01-02-000000_a/up.sql", "db/20240102000000_b/up.sql"),
            ("dbmate", "db/20240102_a.sql", "db/20240102_b.sql"),
            ("goose", "db/00003_a.sql", "db/3_b.sql"),
            ("golang-migrate", "db/3_a.up.sql", "db/3_b.up.sql"),
            ("flyway", "db/V1_2__a.sql", "db/sub/V1.2.0__b.sql"),
            ("drizzle", "db/0003_a.sql", "db/0003_b.sql"),
            ("supabase", "db/20240102000000_a.sql", "db/20240102000000_b.sql"),
            ("numbered", "db/3.sql", "db/003-b.sql"),
        ] {
            assert_eq!(found(layout, ours, theirs, false).len(), 1, "{layout}");
            assert_eq!(found(layout, ours, "other/3_b.sql", false), Vec::<String>::new(), "{layout}: another folder");
        }
        assert_eq!(
            found("sqlx", "db/7_a.sql", "db/7_b.sql", false),
            ["version 7 is added by the open pull request #12 too, as db/7_b.sql"]
        );
        assert_eq!(found("sqlx", "db/7_a.sql", "db/8_a.sql", false), Vec::<String>::new());
    }

    #[test]
    fn one_migration_in_two_pull_requests_is_none_too_many() {
        assert_eq!(found("sqlx", "db/7_a.sql", "db/7_a.sql", true), Vec::<String>::new());
        assert_eq!(found("sqlx", "db/7_a.sql", "db/7_a.sql", false).len(), 1);
    }
}
