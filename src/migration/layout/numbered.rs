//! Plain numbered files, run by whatever runs them: `1.sql`, `002_name.sql`, `003-name.up.sql`.

use std::collections::{BTreeMap, BTreeSet};

use super::{Folder, Layout, Plan, is_sql, names};
use crate::model::migration::{Order, Planned, Transaction};

pub(super) static NUMBERED: Layout = Layout {
    name: "numbered",
    about: "plain files that begin with a number",
    has_down: false,
    bookkeeping: None,
    platform: None,
    outside: None,
    // SQLite's own default, which its shell has.
    foreign_keys: false,
    one_at_a_time: None,
    read: numbered,
};

fn numbered(folder: &Folder) -> Plan {
    let mut plan = Plan::default();
    let mut folders: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut back, mut expected) = (Vec::new(), BTreeSet::new());
    for path in folder.files.keys() {
        if let Some((inner, _)) = path.rsplit_once('/') {
            *folders.entry(inner).or_default() += usize::from(is_sql(path));
            continue;
        }
        if !is_sql(path) {
            if names::number(path).is_some() {
                folder.other(path, &mut plan);
            }
            continue;
        }
        let stem = names::stem(path);
        if is_way_back(stem, folder) {
            back.push(path);
            continue;
        }
        let base = stem.strip_suffix(".up").unwrap_or(stem);
        expected.extend(ways_back(base));
        let text = String::from_utf8_lossy(&folder.files[path]);
        if let Some(why) = undoes_itself(&text) {
            plan.problems.push(format!("{}:{why}", folder.place(path)));
            continue;
        }
        let Some((version, rest)) = version(base) else {
            plan.notes.push(format!("{} is passed over: its name has no number", folder.place(path)));
            continue;
        };
        let Some(order) =
            names::dotted(&version.replace('-', ".")).map(|Order(numbers, _)| Order(numbers, rest.to_owned()))
        else {
            plan.problems.push(format!("{}: {version} is too large for a version", folder.place(path)));
            continue;
        };
        let down = ways_back(base).into_iter().find(|name| folder.files.contains_key(name));
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
    for alone in back.into_iter().filter(|path| !expected.contains(*path)) {
        plan.problems.push(format!("{} has no up beside it", folder.place(alone)));
    }
    plan.notes.extend(folders.into_iter().filter(|(_, files)| *files > 0).map(|(inner, files)| {
        let files = if files == 1 { "1 file".to_owned() } else { format!("{files} files") };
        format!("{}/ is passed over ({files}): in this layout folders are not run", folder.place(inner))
    }));
    plan
}

/// What the file that takes a step back may be called.
fn ways_back(base: &str) -> Vec<String> {
    let own = base.strip_suffix("_up").or_else(|| base.strip_suffix("-up")).unwrap_or(base);
    let mut names: Vec<String> = BACK.iter().map(|back| format!("{own}{back}.sql")).collect();
    names.extend(base.contains(".do.").then(|| format!("{}.sql", base.replacen(".do.", ".undo.", 1))));
    names
}

/// Endings of such names.
const BACK: [&str; 7] = [".down", ".undo", ".rollback", "_down", "-down", "_rollback", "-rollback"];

/// Whether a file takes a step back. Words that a description may end with say so only beside the step itself.
fn is_way_back(stem: &str, folder: &Folder) -> bool {
    let beside =
        |base: &str| ["", ".up", "_up", "-up"].iter().any(|up| folder.files.contains_key(&format!("{base}{up}.sql")));
    stem.contains(".undo.")
        || BACK.iter().any(|back| stem.strip_suffix(back).is_some_and(|base| back.starts_with('.') || beside(base)))
}

/// The line from which on a file would take itself back, and why.
fn undoes_itself(text: &str) -> Option<String> {
    let begins = |(line, text): (u32, _)| Some((line, other_way(text)?));
    let (line, marker) = (1..).zip(text.lines()).find_map(begins)?;
    Some(format!(
        "{line}: `{marker}` begins what takes the file back: its tool is not known here, and run as it is the file would undo \
         itself; name the tool with `command`"
    ))
}

/// What begins the way back in files of tools that have no layout here: sql-migrate, micrate, rambler, `MyBatis`,
/// node-pg-migrate, tern, and Play's evolutions.
fn other_way(line: &str) -> Option<&str> {
    let line = line.trim();
    let words = line.strip_prefix("--").or_else(|| line.strip_prefix('#'))?.trim_matches(['-', ' ', '\t', ':']);
    let words = words.to_ascii_lowercase();
    let begins = ["+migrate down", "+micrate down", "rambler down", "//@undo", "create above / drop below", "!downs"];
    (begins.iter().any(|marker| words.starts_with(marker)) || words == "down migration").then_some(line)
}

/// The version, and what follows it: `003`, that of a release with the number of the step in it, `00.05.00_02`, or a day,
/// `2024-01-05`.
fn version(base: &str) -> Option<(&str, &str)> {
    let (first, mut rest) = names::number(base)?;
    if let Some(end) = day(base) {
        return Some(base.split_at(end));
    }
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

/// Where a day ends that a name begins with, and the numbers that follow it: an hour, a number of that day.
fn day(base: &str) -> Option<usize> {
    let (year, mut rest) = names::number(base).filter(|(year, _)| year.len() == 4)?;
    let mut lengths = Vec::new();
    while let Some((digits, behind)) = rest.strip_prefix(['-', '_']).and_then(names::number) {
        lengths.push(digits.len());
        rest = behind;
    }
    lengths.starts_with(&[2, 2]).then(|| year.len() + lengths.iter().map(|length| length + 1).sum::<usize>())
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
    fn tools_that_are_not_known_begin_the_way_back_in_words_of_their_own() {
        for line in [
            "-- Down Migration",
            "---- create above / drop below ----",
            "-- !Downs",
            "# --- !Downs",
            "-- rambler down",
            "-- //@UNDO",
        ] {
            assert_eq!(other_way(line), Some(line));
        }
        for line in ["-- down migration is in another file", "down migration", "-- Up Migration", "-- !Ups", "#"] {
            assert_eq!(other_way(line), None, "{line}");
        }
    }

    #[test]
    fn the_way_back_is_beside_the_step() {
        let names = [
            "1_a.sql",
            "1_a.down.sql",
            "2_b.sql",
            "2_b.rollback.sql",
            "3.do.c.sql",
            "3.undo.c.sql",
            "4_d-up.sql",
            "4_d-down.sql",
            "5_e.sql",
            "5_e_down.sql",
            "6_scale_down.sql",
            "7_g.down.sql",
            "old/7_f.sql",
            "old/8_g.sql",
            "old/readme",
        ];
        let files = names.map(|name| (name.to_owned(), b"a;".to_vec())).into();
        let plan = NUMBERED.read(&Folder { path: "m".to_owned(), files, ..Folder::default() });
        let steps =
            plan.migrations.iter().map(|it| (it.path.as_str(), it.down.as_ref().map(|down| down.path.as_str())));
        assert_eq!(
            steps.collect::<Vec<_>>(),
            [
                ("m/1_a.sql", Some("m/1_a.down.sql")),
                ("m/2_b.sql", Some("m/2_b.rollback.sql")),
                ("m/3.do.c.sql", Some("m/3.undo.c.sql")),
                ("m/4_d-up.sql", Some("m/4_d-down.sql")),
                ("m/5_e.sql", Some("m/5_e_down.sql")),
                ("m/6_scale_down.sql", None),
            ]
        );
        assert_eq!(plan.problems, ["m/7_g.down.sql has no up beside it"]);
        assert_eq!(plan.notes, ["m/old/ is passed over (2 files): in this layout folders are not run"]);
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
            ("2024-01-05_init", ("2024-01-05", "_init")),
            ("2024_01_05-1200-init", ("2024_01_05-1200", "-init")),
            ("2024-1-a", ("2024", "-1-a")),
            ("2024_add", ("2024", "_add")),
        ] {
            assert_eq!(version(name), Some(expected), "{name}");
        }
    }
}
