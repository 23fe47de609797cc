//! goose: both directions in one file, under annotations. It ends a statement where a line ends with `;`, whatever the line
//! is in, and refuses what is left over.

use super::sections::{Cut, in_order, is_nothing, piece, read};
use super::{Layout, names};
use crate::model::migration::{DatabaseKind, Piece, Script, Transaction};

pub(super) static GOOSE: Layout = Layout {
    name: "goose",
    about: "goose: `NUMBER_name.sql` with `-- +goose Up` and `-- +goose Down`",
    has_down: true,
    bookkeeping: Some(
        "CREATE TABLE IF NOT EXISTS goose_db_version (id INTEGER PRIMARY KEY, version_id BIGINT NOT NULL, is_applied \
         BOOLEAN NOT NULL, tstamp TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)",
    ),
    platform: None,
    outside: Some("`-- +goose NO TRANSACTION`"),
    // modernc.org/sqlite leaves SQLite's own default, but for `_pragma` in the address.
    foreign_keys: false,
    // go-sql-driver/mysql, but for `multiStatements` in the address.
    one_at_a_time: Some((
        &[DatabaseKind::Mysql],
        "each needs `-- +goose StatementBegin` and `StatementEnd` of its own, or a line's end",
    )),
    read: |folder| read(folder, goose, names::by_number),
};

/// What a file says up to a line.
struct Reader<'a> {
    path: &'a str,
    transaction: Transaction,
    cut: Cut,
    /// Which direction it is in; `None` before the first.
    up: Option<bool>,
    /// Between the annotations that make all of it one statement.
    in_block: bool,
    begun: Begun,
    substituted: bool,
}

/// What the last piece, which takes more lines, has so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Begun {
    /// It takes none.
    Nothing,
    Comments,
    Statement,
}

/// `-- +goose …`: <https://pressly.github.io/goose/documentation/annotations/>.
fn goose(path: &str, text: &str) -> Result<Cut, String> {
    let outside =
        text.lines().any(|line| annotation(line).is_some_and(|word| word.eq_ignore_ascii_case("no transaction")));
    let mut reader = Reader {
        path,
        transaction: if outside { Transaction::None } else { Transaction::Whole },
        cut: Cut::default(),
        up: None,
        in_block: false,
        begun: Begun::Nothing,
        substituted: false,
    };
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        match annotation(line) {
            Some(word) => reader.annotated(number, word)?,
            None => reader.line(number, line)?,
        }
    }
    reader.ended()?;
    if reader.cut.up.is_none() {
        return Err(format!("{path} has no `-- +goose Up`: goose would refuse it"));
    }
    Ok(reader.cut)
}

fn annotation(line: &str) -> Option<&str> {
    Some(line.trim().strip_prefix("--")?.trim_start().strip_prefix("+goose")?.trim())
}

impl Reader<'_> {
    fn script(&mut self) -> Option<&mut Script> {
        if self.up? { self.cut.up.as_mut() } else { self.cut.down.as_mut() }
    }

    fn annotated(&mut self, number: u32, word: &str) -> Result<(), String> {
        match word.to_ascii_lowercase().as_str() {
            direction @ ("up" | "down") => {
                self.ended()?;
                let is_up = direction == "up";
                in_order(is_up, self.cut.up.is_some(), self.cut.down.is_some())
                    .map_err(|what| format!("{}:{number}: {what}: goose would refuse it", self.path))?;
                let script = Script { path: self.path.to_owned(), pieces: Vec::new(), transaction: self.transaction };
                *(if is_up { &mut self.cut.up } else { &mut self.cut.down }) = Some(script);
                self.up = Some(is_up);
            }
            "statementbegin" | "statementend" if self.up.is_none() => {
                return Err(format!("{}:{number}: {word} stands before `-- +goose Up`", self.path));
            }
            "statementbegin" => {
                self.in_block = true;
                self.begun = Begun::Nothing;
            }
            "statementend" => {
                self.in_block = false;
                self.begun = Begun::Nothing;
            }
            "envsub on" => self.substituted = true,
            "envsub off" => self.substituted = false,
            _ => {}
        }
        Ok(())
    }

    fn line(&mut self, number: u32, line: &str) -> Result<(), String> {
        if self.up.is_none() {
            let told = || format!("{}:{number}: a statement before `-- +goose Up`: goose would refuse it", self.path);
            return if is_nothing(line) { Ok(()) } else { Err(told()) };
        }
        let comment = line.trim_start().starts_with("--");
        let line = if self.substituted && !comment { self.substitute(number, line)? } else { line.to_owned() };
        let (in_block, begun) = (self.in_block, self.begun);
        let Some(script) = self.script() else { return Ok(()) };
        let is_blank = line.trim().is_empty();
        if begun == Begun::Nothing && is_blank {
            return Ok(());
        }
        if begun == Begun::Nothing {
            script.pieces.push(Piece { whole: true, ..piece(number) });
        }
        if let Some(last) = script.pieces.last_mut() {
            last.text.push_str(&line);
        }
        self.begun = if comment || is_blank {
            begun.max(Begun::Comments)
        } else if in_block || !ends(&line) {
            Begun::Statement
        } else {
            Begun::Nothing
        };
        Ok(())
    }

    /// What is left over when a direction or the file ends.
    fn ended(&mut self) -> Result<(), String> {
        let begun = std::mem::replace(&mut self.begun, Begun::Nothing);
        let in_block = std::mem::take(&mut self.in_block);
        let path = self.path;
        let line = self.script().and_then(|script| script.pieces.last()).map_or(1, |piece| piece.line);
        let what = match (begun, in_block) {
            (_, true) => format!("{path}:{line}: `-- +goose StatementEnd` is missing: goose would refuse it"),
            (Begun::Nothing | Begun::Comments, false) => return Ok(()),
            (Begun::Statement, false) => format!(
                "{path}:{line}: no line of the statement ends with `;`: goose would refuse it; end it with `;`, or put it \
                 between `-- +goose StatementBegin` and `-- +goose StatementEnd`"
            ),
        };
        if self.up == Some(false) {
            self.cut.note = Some(what);
            return Ok(());
        }
        Err(what)
    }

    /// `${NAME}`, `$NAME`, `${NAME:-default}`: <https://pressly.github.io/goose/documentation/environment-variables/>.
    fn substitute(&self, number: u32, line: &str) -> Result<String, String> {
        let mut made = String::new();
        let mut rest = line;
        while let Some(at) = rest.find('$') {
            made.push_str(&rest[..at]);
            let behind = &rest[at + 1..];
            let (name, default, length) = variable(behind);
            match default {
                _ if name.is_empty() => made.push('$'),
                Some(default) => made.push_str(default),
                None => {
                    return Err(format!(
                        "{}:{number}: ${name} is taken from the environment (`-- +goose ENVSUB ON`), which a dry run does not \
                         have: give it a default (`${{{name}:-…}}`), or name goose itself with `command`",
                        self.path
                    ));
                }
            }
            rest = &behind[length..];
        }
        made.push_str(rest);
        Ok(made)
    }
}

/// Whether goose takes a line for a statement's last: its last word before a comment ends with `;`.
fn ends(line: &str) -> bool {
    line.split_whitespace().take_while(|word| !word.starts_with("--")).last().is_some_and(|word| word.ends_with(';'))
}

/// The name behind a `$`, its default, and how long all of it is; an empty name where it is no variable.
fn variable(behind: &str) -> (&str, Option<&str>, usize) {
    let name_of = |text: &str| text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    let starts = |text: &str| text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if let Some((inside, _)) = behind.strip_prefix('{').and_then(|text| text.split_once('}')).filter(|it| starts(it.0))
    {
        let (name, more) = inside.split_at(name_of(inside));
        let default = more.strip_prefix(":-").or_else(|| more.strip_prefix('-'));
        return (name, default, inside.len() + 2);
    }
    if starts(behind) {
        let length = name_of(behind);
        return (&behind[..length], None, length);
    }
    ("", None, 0)
}
