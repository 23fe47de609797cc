//! Scripts into statements, as each database's own client cuts them. It knows quotes, comments and bodies; it does not
//! understand SQL, and never changes a statement's text.

use crate::model::migration::{DatabaseKind, Form, Piece, Script, Source, Transaction};

/// A file that a person would have psql read: a dump of the schema, rows. What keeps psql from reading commands out of the
/// data of a dump (`\restrict`, `\unrestrict`, <https://www.postgresql.org/docs/current/app-psql.html>) is nothing here. In a
/// migration it stays what it is: tools send it, and servers refuse it.
#[must_use]
pub fn of_psql(path: String, text: String, database: DatabaseKind) -> Script {
    let piece = Piece { line: 1, text, whole: false };
    let mut script = Script { path, pieces: vec![piece], transaction: Transaction::None };
    let is_guard = |source: &Source| {
        let command = source.sql.split_whitespace().next();
        source.form == Form::Meta && matches!(command, Some("\\restrict" | "\\unrestrict"))
    };
    let guards: Vec<Source> = split(&script, database).into_iter().filter(is_guard).collect();
    for Piece { text, .. } in &mut script.pieces {
        let blank = |(line, words): (u32, &str)| {
            let guard = guards.iter().find(|guard| guard.line == line);
            guard.map_or_else(|| words.to_owned(), |guard| words.replacen(&guard.sql, "", 1))
        };
        if !guards.is_empty() {
            *text = (1..).zip(text.split_inclusive('\n')).map(blank).collect();
        }
    }
    script
}

/// Every statement of a script, in file order.
#[must_use]
pub fn split(script: &Script, database: DatabaseKind) -> Vec<Source> {
    // In a transaction several statements of one text do what they do one by one, and are seen one by one. Outside of it
    // PostgreSQL makes one of them, and MySQL takes no more than one.
    let as_one = database == DatabaseKind::Mysql || script.transaction != Transaction::Whole;
    let mut found = Vec::new();
    for piece in &script.pieces {
        let mut cursor = Cursor::new(&piece.text, piece.line, database);
        if piece.whole && as_one {
            found.extend(cursor.whole());
        } else {
            cursor.all(&mut found);
        }
    }
    found
}

/// The words of every statement of a script, in capitals, without comments: each sign is one, and each text in quotes. What
/// a tool sends as one is looked into.
#[must_use]
pub fn words(script: &Script, database: DatabaseKind) -> Vec<Vec<String>> {
    let pieces = script.pieces.iter().map(|piece| Piece { whole: false, ..piece.clone() });
    let script = Script { pieces: pieces.collect(), ..script.clone() };
    split(&script, database).iter().map(|statement| Cursor::new(&statement.sql, 1, database).words()).collect()
}

/// The places, as [`split`] tells them, of the texts of a script that have more than one statement, of those that its
/// tool sends as they are.
#[must_use]
pub fn of_several(script: &Script, database: DatabaseKind) -> Vec<(u32, u32)> {
    let mut places = Vec::new();
    for piece in script.pieces.iter().filter(|piece| piece.whole) {
        let mut found = Vec::new();
        Cursor::new(&piece.text, piece.line, database).all(&mut found);
        places.extend(found.first().filter(|_| found.len() > 1).map(|first| (first.line, first.column)));
    }
    places
}

/// What ends a statement where nothing else was declared.
const TERMINATOR: &str = ";";

struct Cursor<'a> {
    text: &'a str,
    at: usize,
    /// How far lines were counted, and the line and column there.
    counted: (usize, u32, u32),
    database: DatabaseKind,
    terminator: String,
}

/// What the words of the statement so far make of `;`.
#[derive(Default)]
struct Words {
    count: usize,
    create: bool,
    /// Whether what is created has a body of statements, once its kind was said.
    routine: Option<bool>,
    blocks: usize,
    head: Vec<String>,
    /// The word just before, if nothing but space lies between.
    last: String,
}

impl<'a> Cursor<'a> {
    fn new(text: &'a str, first_line: u32, database: DatabaseKind) -> Self {
        Self { text, at: 0, counted: (0, first_line, 1), database, terminator: TERMINATOR.to_owned() }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn all(&mut self, into: &mut Vec<Source>) {
        loop {
            self.skip_space_and_comments();
            if self.rest().is_empty() {
                return;
            }
            if self.is_meta() {
                let start = self.at;
                self.at += self.rest().find('\n').unwrap_or(self.rest().len());
                let meta = self.source(start, self.at, Form::Meta);
                into.push(meta);
                continue;
            }
            if let Some(terminator) = self.delimiter() {
                self.terminator = terminator;
                continue;
            }
            let (start, words) = (self.at, self.until_terminator());
            let end = self.at;
            if self.rest().starts_with(self.terminator.as_str()) {
                self.at += self.terminator.len();
            }
            if end > start {
                let form = match self.copies(&words) {
                    Some("stdin") => Form::Copy(self.copy_data()),
                    Some(_) => Form::CopyOut,
                    None => Form::Sql,
                };
                let source = self.source(start, end, form);
                into.push(source);
            }
        }
    }

    /// Everything as one statement.
    fn whole(&mut self) -> Option<Source> {
        self.skip_space_and_comments();
        let start = self.at;
        let text = self.rest().trim_end();
        let text = text.strip_suffix(TERMINATOR).filter(|text| !ends_in_block(text)).unwrap_or(text);
        (!text.is_empty()).then(|| self.source(start, start + text.len(), Form::Sql))
    }

    /// A statement, which begins no earlier than the one before.
    fn source(&mut self, start: usize, end: usize, form: Form) -> Source {
        let (counted, mut line, mut column) = self.counted;
        for c in self.text[counted..start].chars() {
            (line, column) = if c == '\n' { (line.saturating_add(1), 1) } else { (line, column.saturating_add(1)) };
        }
        self.counted = (start, line, column);
        Source { line, column, sql: self.text[start..end].trim_end().to_owned(), form }
    }

    fn skip_space_and_comments(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
            self.at += rest.len() - trimmed.len();
            let length = self.comment();
            if length == 0 {
                return;
            }
            self.at += length;
        }
    }

    /// The length of a comment that stands here; 0 where none does. One that MySQL executes is none.
    fn comment(&self) -> usize {
        let rest = self.rest();
        let to_line_end = rest.find('\n').unwrap_or(rest.len());
        let mysql = self.database == DatabaseKind::Mysql;
        if let Some(behind) = rest.strip_prefix("--") {
            let is_comment = !mysql || behind.chars().next().is_none_or(char::is_whitespace);
            return if is_comment { to_line_end } else { 0 };
        }
        if mysql && rest.starts_with('#') {
            return to_line_end;
        }
        let executed = mysql && (rest.starts_with("/*!") || rest.starts_with("/*M!"));
        if !rest.starts_with("/*") || executed {
            return 0;
        }
        block_comment(rest, self.database == DatabaseKind::Postgres)
    }

    /// Whether a command of psql, or of the sqlite3 shell, stands at this statement's place.
    fn is_meta(&self) -> bool {
        match self.database {
            DatabaseKind::Postgres => self.rest().starts_with('\\'),
            DatabaseKind::Sqlite => {
                let own_line = || self.text[..self.at].rsplit('\n').next().is_none_or(|line| line.trim().is_empty());
                self.rest().starts_with('.') && own_line()
            }
            DatabaseKind::Mysql => false,
        }
    }

    /// `DELIMITER //`, a command of the mysql client that changes what ends a statement.
    fn delimiter(&mut self) -> Option<String> {
        if self.database != DatabaseKind::Mysql {
            return None;
        }
        let line = self.rest().lines().next()?;
        let word = line.get(..9).filter(|word| word.eq_ignore_ascii_case("delimiter"))?;
        let terminator = line[word.len()..].strip_prefix(char::is_whitespace)?.trim();
        self.at += line.len();
        (!terminator.is_empty()).then(|| terminator.to_owned())
    }

    fn words(&mut self) -> Vec<String> {
        let mut words = Vec::new();
        loop {
            self.skip_space_and_comments();
            let Some(first) = self.rest().chars().next() else { return words };
            let quoted = self.quoted();
            let length = match first {
                _ if quoted > 0 => quoted,
                _ if is_word(first) => self.rest().find(|c: char| !is_word(c)).unwrap_or(self.rest().len()),
                _ => first.len_utf8(),
            };
            let word = &self.rest()[..length];
            words.push(if quoted > 0 { word.to_owned() } else { word.to_uppercase() });
            self.at += length;
        }
    }

    fn until_terminator(&mut self) -> Words {
        let mut words = Words::default();
        let mut depth = 0_usize;
        while let Some(c) = self.rest().chars().next() {
            let outside = depth == 0 && words.blocks == 0;
            if (outside || self.terminator != TERMINATOR) && self.rest().starts_with(self.terminator.as_str()) {
                break;
            }
            let skipped = self.comment().max(self.quoted());
            if skipped > 0 {
                words.last.clear();
                self.at += skipped;
                continue;
            }
            if c.is_alphabetic() || c == '_' {
                let length = self.rest().find(|c: char| !is_word(c)).unwrap_or(self.rest().len());
                let word = self.rest()[..length].to_ascii_lowercase();
                // `NEW.begin` and `OLD.end` are columns.
                if !self.text[..self.at].ends_with('.') {
                    words.take(&word, self.database);
                }
                self.at += length;
                continue;
            }
            if !c.is_whitespace() {
                words.last.clear();
            }
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                '\\' if self.database == DatabaseKind::Postgres => break,
                _ => {}
            }
            self.at += c.len_utf8();
        }
        words
    }

    /// The length of a quoted text that stands here; 0 where none does. One that is not closed goes to the end.
    fn quoted(&self) -> usize {
        let rest = self.rest();
        let mysql = self.database == DatabaseKind::Mysql;
        match rest.as_bytes()[0] {
            b'\'' => {
                let before = self.text[..self.at].chars().rev().take(2).collect::<Vec<_>>();
                let escapes = matches!(before.first(), Some('e' | 'E')) && before.get(1).is_none_or(|c| !is_word(*c));
                closing(rest, '\'', mysql || (self.database == DatabaseKind::Postgres && escapes))
            }
            b'"' => closing(rest, '"', mysql),
            b'`' if self.database != DatabaseKind::Postgres => closing(rest, '`', false),
            b'[' if self.database == DatabaseKind::Sqlite => rest.find(']').map_or(rest.len(), |at| at + 1),
            b'$' if self.database == DatabaseKind::Postgres => {
                let follows_word = self.text[..self.at].chars().next_back().is_some_and(is_word);
                if follows_word { 0 } else { dollar_quoted(rest) }
            }
            _ => 0,
        }
    }

    /// Whether the client gives or takes rows: `stdin`, `stdout`.
    fn copies(&self, words: &Words) -> Option<&'static str> {
        let head: Vec<&str> = words.head.iter().map(String::as_str).collect();
        if self.database != DatabaseKind::Postgres || head.first() != Some(&"copy") {
            return None;
        }
        let has = |pair: [&str; 2]| head.windows(2).any(|found| found == pair);
        match (has(["from", "stdin"]), has(["to", "stdout"])) {
            (true, _) => Some("stdin"),
            (_, true) => Some("stdout"),
            _ => None,
        }
    }

    /// The lines behind a COPY up to `\.`, which are data.
    fn copy_data(&mut self) -> String {
        self.at += self.rest().find('\n').map_or(self.rest().len(), |at| at + 1);
        let mut data = String::new();
        while !self.rest().is_empty() {
            let length = self.rest().find('\n').map_or(self.rest().len(), |at| at + 1);
            let line = &self.rest()[..length];
            self.at += length;
            if line.trim_end_matches(['\r', '\n']) == "\\." {
                break;
            }
            data.push_str(line);
        }
        data
    }
}

impl Words {
    /// Follows the words that open and close bodies, in which `;` ends nothing.
    fn take(&mut self, word: &str, database: DatabaseKind) {
        if self.count < 24 {
            self.head.push(word.to_owned());
        }
        if self.count == 0 {
            self.create = word == "create";
        }
        self.count += 1;
        if self.create && self.count < 12 && self.routine.is_none() {
            self.routine = has_body(word, database);
        }
        if self.routine == Some(true) {
            let opens = match (word, database) {
                ("begin", DatabaseKind::Postgres) => false,
                ("atomic", DatabaseKind::Postgres) => self.last == "begin",
                ("begin", _) => true,
                ("case", _) => self.blocks > 0 && self.last != "end",
                _ => false,
            };
            self.blocks += usize::from(opens);
            if self.last == "end" && matches!(word, "if" | "loop" | "while" | "repeat") {
                // That end closed what was not counted.
                self.blocks += 1;
            } else if word == "end" {
                self.blocks = self.blocks.saturating_sub(1);
            }
        }
        word.clone_into(&mut self.last);
    }
}

/// Whether what is called so has a body; `None` for words that are no kind of what can be created.
fn has_body(word: &str, database: DatabaseKind) -> Option<bool> {
    match (word, database) {
        ("function" | "procedure", DatabaseKind::Postgres | DatabaseKind::Mysql)
        | ("trigger", DatabaseKind::Mysql | DatabaseKind::Sqlite)
        | ("event", DatabaseKind::Mysql) => Some(true),
        (
            "database" | "event" | "index" | "role" | "schema" | "sequence" | "server" | "table" | "tablespace"
            | "trigger" | "type" | "user" | "view" | "virtual",
            _,
        ) => Some(false),
        _ => None,
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

fn ends_in_block(text: &str) -> bool {
    let last = text.trim_end().rsplit(|c: char| !is_word(c)).next().unwrap_or_default();
    last.eq_ignore_ascii_case("end")
}

fn block_comment(text: &str, nested: bool) -> usize {
    let (mut at, mut depth) = (2, 1);
    while depth > 0 {
        let rest = &text[at..];
        let Some(close) = rest.find("*/") else { return text.len() };
        if let Some(open) = rest.find("/*").filter(|open| nested && *open < close) {
            (at, depth) = (at + open + 2, depth + 1);
        } else {
            (at, depth) = (at + close + 2, depth - 1);
        }
    }
    at
}

fn closing(text: &str, quote: char, backslash: bool) -> usize {
    let mut escaped = false;
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if escaped {
            escaped = false;
        } else if backslash && c == '\\' {
            escaped = true;
        } else if c == quote && chars.next_if(|(_, next)| *next == quote).is_none() {
            return at + 1;
        }
    }
    text.len()
}

fn dollar_quoted(text: &str) -> usize {
    let Some(end) = text[1..].find('$') else { return 0 };
    let tag = &text[..end + 2];
    let name = &tag[1..=end];
    let good = name.chars().all(|c| c.is_alphanumeric() || c == '_') && !name.starts_with(|c: char| c.is_ascii_digit());
    if !good {
        return 0;
    }
    text[tag.len()..].find(tag).map_or(text.len(), |at| at + 2 * tag.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::migration::Piece;

    fn cut(text: &str, database: DatabaseKind) -> Vec<(u32, String)> {
        let piece = Piece { line: 1, text: text.to_owned(), whole: false };
        let script = Script { path: "x.sql".to_owned(), pieces: vec![piece], transaction: Transaction::Whole };
        split(&script, database).into_iter().map(|statement| (statement.line, statement.sql)).collect()
    }

    #[test]
    fn quotes_comments_and_bodies_hide_semicolons() {
        let postgres = [
            ("a;\n-- x;\nb;", vec![(1, "a"), (3, "b")]),
            ("/* ; /* ; */ ; */ a 'x;''y' \"q;\"; b", vec![(1, "a 'x;''y' \"q;\""), (1, "b")]),
            ("select E'\\';' ; select '\\'; b", vec![(1, "select E'\\';'"), (1, "select '\\'"), (1, "b")]),
            ("do $$ a; $x$ ; $$ ; b$1;c", vec![(1, "do $$ a; $x$ ; $$"), (1, "b$1"), (1, "c")]),
            ("do $x$ $$;$$ $x$;\n;;\nb", vec![(1, "do $x$ $$;$$ $x$"), (3, "b")]),
            (
                "create rule r as on delete to t do (a; b); c",
                vec![(1, "create rule r as on delete to t do (a; b)"), (1, "c")],
            ),
            (
                "create function f() returns int begin atomic select case when a then b end; select 2; end; c",
                vec![
                    (1, "create function f() returns int begin atomic select case when a then b end; select 2; end"),
                    (1, "c"),
                ],
            ),
            ("begin; a; end; b", vec![(1, "begin"), (1, "a"), (1, "end"), (1, "b")]),
            ("\\set x 1;\na; \\echo b", vec![(1, "\\set x 1;"), (2, "a"), (2, "\\echo b")]),
            ("'open; b", vec![(1, "'open; b")]),
        ];
        for (text, expected) in postgres {
            let expected: Vec<(u32, String)> = expected.into_iter().map(|(line, sql)| (line, sql.to_owned())).collect();
            assert_eq!(cut(text, DatabaseKind::Postgres), expected, "{text}");
        }
    }

    #[test]
    fn texts_of_several_statements_are_known_by_their_place() {
        let piece = |line, text: &str| Piece { line, text: text.to_owned(), whole: true };
        let pieces = vec![piece(1, "a;"), piece(4, "-- x\n  b; c;"), piece(9, "create procedure p() begin a; b; end;")];
        let script = Script { path: String::new(), pieces, transaction: Transaction::Whole };
        assert_eq!(of_several(&script, DatabaseKind::Mysql), [(5, 3)]);
        assert_eq!(split(&script, DatabaseKind::Mysql)[1].column, 3);
        let line = Script { pieces: vec![piece(1, "aä; b;\n c; d")], ..script };
        let places = split(&line, DatabaseKind::Sqlite).into_iter().map(|it| (it.line, it.column));
        assert_eq!(places.collect::<Vec<_>>(), [(1, 1), (1, 5), (2, 2), (2, 5)]);
    }

    #[test]
    fn data_behind_copy_is_no_sql() {
        let text = "copy t (a) from stdin;\n1;\n'\n\\.\nselect 1;";
        let piece = Piece { line: 3, text: text.to_owned(), whole: false };
        let script = Script { path: String::new(), pieces: vec![piece], transaction: Transaction::Whole };
        let found = split(&script, DatabaseKind::Postgres);
        assert_eq!(found[0].form, Form::Copy("1;\n'\n".to_owned()));
        assert_eq!((found[1].line, found[1].sql.as_str(), found.len()), (7, "select 1", 2));
    }

    #[test]
    fn what_guards_a_dump_is_nothing_outside_of_its_data() {
        let dump =
            "--\n\\restrict aB3\n\nselect 1;\ncopy t (a) from stdin;\n\\restrict aB3\n\\.\n\\unrestrict aB3\n\\i x\n";
        let cut = |database| {
            let script = of_psql("dump.sql".to_owned(), dump.to_owned(), database);
            split(&script, database).into_iter().map(|it| (it.line, it.sql, it.form)).collect::<Vec<_>>()
        };
        let data = Form::Copy("\\restrict aB3\n".to_owned());
        assert_eq!(
            cut(DatabaseKind::Postgres),
            [
                (4, "select 1".to_owned(), Form::Sql),
                (5, "copy t (a) from stdin".to_owned(), data),
                (9, "\\i x".to_owned(), Form::Meta),
            ]
        );
        assert!(cut(DatabaseKind::Sqlite)[0].1.starts_with("\\restrict"));
    }

    #[test]
    fn each_database_has_its_own_rules() {
        let mysql = "insert '\\'; #';\n# x;\nDELIMITER //\ncreate procedure p() begin a; b; end//\nDELIMITER ;\n/*!40101 c */; d--1";
        let expected = ["insert '\\'; #'", "create procedure p() begin a; b; end", "/*!40101 c */", "d--1"];
        assert_eq!(cut(mysql, DatabaseKind::Mysql).into_iter().map(|it| it.1).collect::<Vec<_>>(), expected);
        let body = "create procedure p() begin if a then b; end if; case x when 1 then c; end case; end; d";
        assert_eq!(cut(body, DatabaseKind::Mysql).len(), 2);
        for (text, database) in [
            ("create table event (begin datetime); delete from t", DatabaseKind::Mysql),
            ("create view a as select 1 begin from event; delete from t", DatabaseKind::Mysql),
            ("create trigger t before insert on e for each row set new.begin = 1; delete from t", DatabaseKind::Mysql),
            ("create definer = `u`@`%` event e do begin a; b; end; delete from t", DatabaseKind::Mysql),
            (
                "create definer=root@localhost procedure p() begin select x.end; b; end; delete from t",
                DatabaseKind::Mysql,
            ),
            ("create table job (trigger text, begin integer); delete from t", DatabaseKind::Sqlite),
            ("create temp trigger if not exists t after insert on x begin a; end; delete from t", DatabaseKind::Sqlite),
            ("create table function (begin int, atomic int); delete from t", DatabaseKind::Postgres),
        ] {
            let found = cut(text, database);
            assert_eq!((found.len(), found[1].1.as_str()), (2, "delete from t"), "{text}");
        }
        let sqlite = "create trigger t after insert on x begin select case when 1 then 2 end; delete from [a;b]; end;\n.quit\nc `;`;";
        let found = cut(sqlite, DatabaseKind::Sqlite);
        assert_eq!(found[1..], [(2, ".quit".to_owned()), (3, "c `;`".to_owned())]);
    }
}
