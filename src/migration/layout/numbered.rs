//! Plain numbered files, run by whatever runs them: `1.sql`, `002_name.sql`, `003-name.up.sql`.

use super::{Folder, Layout, Plan, is_sql, names};
use crate::model::migration::{Order, Planned, Transaction};

pub(super) static NUMBERED: Layout = Layout {
    name: "numbered",
    about: "plain files that begin with a number",
    has_down: false,
    bookkeeping: None,
    platform: None,
    outside: None,
    read: numbered,
};

fn numbered(folder: &Folder) -> Plan {
    let mut plan = Plan::default();
    for path in folder.files.keys().filter(|path| !path.contains('/')) {
        if !is_sql(path) {
            if names::number(path).is_some() {
                folder.other(path, &mut plan);
            }
            continue;
        }
        let stem = names::stem(path);
        if stem.strip_suffix(".down").is_some() {
            continue;
        }
        let base = stem.strip_suffix(".up").unwrap_or(stem);
        let text = String::from_utf8_lossy(&folder.files[path]);
        if let Some((line, marker)) = (1..).zip(text.lines()).find_map(|(line, text)| Some((line, other_way(text)?))) {
            plan.problems.push(format!(
                "{}:{line}: `{marker}` begins what takes the file back: its tool is not known here, and run as it is the file \
                 would undo itself; name the tool with `command`",
                folder.place(path)
            ));
            continue;
        }
        let Some((version, rest)) = version(base) else {
            plan.notes.push(format!("{} is passed over: its name has no number", folder.place(path)));
            continue;
        };
        let Some(order) = names::dotted(version).map(|Order(numbers, _)| Order(numbers, rest.to_owned())) else {
            plan.problems.push(format!("{}: {version} is too large for a version", folder.place(path)));
            continue;
        };
        let down = [format!("{base}.down.sql"), format!("{base}_down.sql")];
        let down = down.into_iter().find(|name| folder.files.contains_key(name));
        let files: Vec<&str> = std::iter::once(path.as_str()).chain(down.as_deref()).collect();
        let planned = Planned {
            version: version.to_owned(),
            order,
            name: names::words(rest),
            path: folder.place(path),
            files: folder.digests(&files),
            up: folder.script(path, Transaction::WhereAllowed, &mut plan),
            down: down.as_ref().and_then(|down| folder.script(down, Transaction::WhereAllowed, &mut plan)),
            repeatable: false,
            stamp: None,
        };
        plan.migrations.push(planned);
    }
    plan
}

/// What begins the way back in files of tools that have no layout here: sql-migrate, micrate, rambler, `MyBatis`.
fn other_way(line: &str) -> Option<&str> {
    let line = line.trim();
    let words = line.strip_prefix("--")?.trim().to_ascii_lowercase();
    let is_one =
        ["+migrate down", "+micrate down", "rambler down", "//@undo"].iter().any(|marker| words.starts_with(marker));
    is_one.then_some(line)
}

/// The version, and what follows it: `003`, or that of a release with the number of the step in it, `00.05.00_02`.
fn version(base: &str) -> Option<(&str, &str)> {
    let (first, mut rest) = names::number(base)?;
    let mut end = first.len();
    while let Some((digits, behind)) = rest.strip_prefix('.').and_then(names::number) {
        (end, rest) = (end + 1 + digits.len(), behind);
    }
    let step = rest.strip_prefix('_').and_then(names::number).filter(|(_, behind)| behind.starts_with(['_', '-']));
    if let Some((digits, _)) = step.filter(|_| end > first.len()) {
        end += 1 + digits.len();
    }
    Some(base.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_would_undo_itself_is_told() {
        let text = b"-- +migrate Up\na;\n-- +migrate Down\nb;\n".to_vec();
        let files = std::iter::once(("1_a.sql".to_owned(), text)).collect();
        let plan = NUMBERED.read(&Folder { path: "m".to_owned(), files, ..Folder::default() });
        assert!(
            plan.problems[0].starts_with("m/1_a.sql:3: `-- +migrate Down` begins what takes"),
            "{:?}",
            plan.problems
        );
        assert_eq!(plan.migrations, Vec::new());
    }

    #[test]
    fn versions_of_releases_are_whole() {
        for (name, expected) in [
            ("003_a", ("003", "_a")),
            ("3-2024-a", ("3", "-2024-a")),
            ("1_2_a", ("1", "_2_a")),
            ("00.05.00_02_drop_x", ("00.05.00_02", "_drop_x")),
            ("1.2", ("1.2", "")),
            ("1.2_3x", ("1.2", "_3x")),
            ("1.a", ("1", ".a")),
        ] {
            assert_eq!(version(name), Some(expected), "{name}");
        }
    }
}
