//! Tools that keep both directions in one file, under comments: what they share, and dbmate.

use super::{Folder, Layout, Plan, is_sql, names};
use crate::model::migration::{Order, Piece, Planned, Script, Transaction};

pub(super) static DBMATE: Layout = Layout {
    name: "dbmate",
    about: "dbmate: `VERSION_name.sql` with `-- migrate:up` and `-- migrate:down`",
    has_down: true,
    bookkeeping: Some("CREATE TABLE IF NOT EXISTS schema_migrations (version VARCHAR(128) PRIMARY KEY)"),
    platform: None,
    outside: Some("`-- migrate:up transaction:false`"),
    // mattn/go-sqlite3 leaves SQLite's own default, but for `_foreign_keys` in the address.
    foreign_keys: false,
    one_at_a_time: None,
    read: |folder| read(folder, dbmate, |version| Some(Order(Vec::new(), version.to_owned()))),
};

/// The two directions of one file.
#[derive(Default)]
pub(super) struct Cut {
    pub(super) up: Option<Script>,
    pub(super) down: Option<Script>,
    /// What its tool would refuse when it is taken back.
    pub(super) note: Option<String>,
}

pub(super) type CutFile = fn(&str, &str) -> Result<Cut, String>;

pub(super) fn read(folder: &Folder, cut: CutFile, order: fn(&str) -> Option<Order>) -> Plan {
    let mut plan = Plan::default();
    for path in folder.files.keys().filter(|path| !path.contains('/')) {
        let numbered = names::number(path).filter(|(_, rest)| rest.starts_with(['_', '-', '.']));
        match numbered {
            Some(_) if !is_sql(path) && !path.ends_with("_test.go") => folder.other(path, &mut plan),
            Some((version, rest)) if is_sql(path) => {
                let Some(text) = folder.text(path, &mut plan) else { continue };
                let Some(order) = order(version) else {
                    plan.problems.push(format!("{}: {version} is too large for a version", folder.place(path)));
                    continue;
                };
                match cut(&folder.place(path), &text) {
                    Ok(Cut { up, down, note }) => {
                        plan.notes.extend(note);
                        plan.migrations.push(Planned {
                            version: version.to_owned(),
                            order,
                            name: names::words(names::stem(rest)),
                            path: folder.place(path),
                            files: folder.digests(&[path]),
                            up,
                            down,
                            repeatable: false,
                            stamp: None,
                        });
                    }
                    Err(what) => plan.problems.push(what),
                }
            }
            None if is_sql(path) => {
                plan.notes.push(format!("{} is passed over: its name has no version", folder.place(path)));
            }
            _ => {}
        }
    }
    plan
}

/// `-- migrate:up transaction:false`: <https://github.com/amacneil/dbmate#migration-options>.
fn dbmate(path: &str, text: &str) -> Result<Cut, String> {
    let mut up: Option<Script> = None;
    let mut down: Option<Script> = None;
    let mut to: Option<bool> = None;
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let marker =
            line.trim_start().strip_prefix("--").map(str::trim_start).and_then(|it| it.strip_prefix("migrate:"));
        if let Some(marker) = marker {
            let mut words = marker.split_whitespace();
            let is_up = match words.next() {
                Some("up") => true,
                Some("down") => false,
                other => {
                    return Err(format!("{path}:{number}: migrate:{} is neither up nor down", other.unwrap_or("")));
                }
            };
            in_order(is_up, up.is_some(), down.is_some()).map_err(|what| {
                format!("{path}:{number}: {what}: dbmate would refuse it, or take it for two migrations")
            })?;
            let outside = words.any(|word| word == "transaction:false");
            let transaction = if outside { Transaction::OneText } else { Transaction::Whole };
            let script = Script { path: path.to_owned(), pieces: vec![piece(number + 1)], transaction };
            *(if is_up { &mut up } else { &mut down }) = Some(script);
            to = Some(is_up);
            continue;
        }
        let script = match to {
            Some(true) => up.as_mut(),
            Some(false) => down.as_mut(),
            None if is_nothing(line) => None,
            None => return Err(format!("{path}:{number}: a statement before `-- migrate:up`: dbmate would refuse it")),
        };
        if let Some(piece) = script.and_then(|script| script.pieces.last_mut()) {
            piece.text.push_str(line);
        }
    }
    if up.is_none() {
        return Err(format!("{path} has no `-- migrate:up`: dbmate would refuse it"));
    }
    Ok(Cut { up, down, note: None })
}

/// Whether a direction may begin here: each once, the way up first.
pub(super) fn in_order(is_up: bool, has_up: bool, has_down: bool) -> Result<(), &'static str> {
    match (is_up, has_up, has_down) {
        (true, true, _) => Err("a second way up"),
        (false, _, true) => Err("a second way down"),
        (false, false, _) => Err("the way down stands before the way up"),
        (true, false, _) | (false, true, false) => Ok(()),
    }
}

/// Whether a line says nothing to the database.
pub(super) fn is_nothing(line: &str) -> bool {
    let line = line.trim_start_matches('\u{feff}').trim();
    line.is_empty() || line.starts_with("--")
}

pub(super) fn piece(line: u32) -> Piece {
    Piece { line, text: String::new(), whole: false }
}
