//! Whether a statement of a migration only adds, so that the code from before it works on. What is not known to is not; and of
//! what the same migrations have made older code knows nothing. It is given the words of a statement and reads no SQL itself.

use std::collections::BTreeSet;

/// What can be made beside what is there.
const KINDS: &[&str] = &[
    "VIEW",
    "MATERIALIZED",
    "SEQUENCE",
    "TYPE",
    "DOMAIN",
    "SCHEMA",
    "DATABASE",
    "EXTENSION",
    "FUNCTION",
    "PROCEDURE",
    "AGGREGATE",
    "ROLE",
    "USER",
    "COLLATION",
    "VIRTUAL",
    "STATISTICS",
];
/// Functions that a query may call: of others it is not known what they do.
const FUNCTIONS: &[&str] = &["SET_CONFIG", "SETVAL", "COUNT", "NOW"];
/// What may stand behind the first word of a transaction.
const TRANSACTION: &[&str] = &["TRANSACTION", "WORK", "IMMEDIATE", "DEFERRED", "EXCLUSIVE"];
/// Columns that fill themselves.
const FILLED: &[&str] = &["GENERATED", "AUTO_INCREMENT", "AUTOINCREMENT", "SERIAL", "BIGSERIAL", "SMALLSERIAL"];

/// What the migrations have made so far.
#[derive(Debug, Default)]
pub struct Made {
    tables: BTreeSet<String>,
    /// Columns of older tables that may be empty, with their table.
    columns: BTreeSet<(String, String)>,
}

impl Made {
    /// Whether older code can live with a statement. Its words are in capitals, each sign and each text in quotes is one.
    pub fn adds(&mut self, statement: &[String]) -> bool {
        let words: Vec<&str> = statement.iter().map(String::as_str).collect();
        let has = |word: &str| words.contains(&word);
        match &words[..] {
            []
            | ["DROP", "INDEX", ..]
            | ["COMMENT", "ON", ..]
            | ["GRANT" | "ANALYZE", ..]
            | ["PRAGMA", "FOREIGN_KEYS" | "DEFER_FOREIGN_KEYS", ..]
            | ["START", "TRANSACTION"] => true,
            ["CREATE", rest @ ..] => self.creates(rest),
            ["ALTER", "TABLE", rest @ ..] => self.alters(rest),
            ["ALTER", "TYPE", rest @ ..] => name(rest).is_some_and(|(_, rest)| rest.starts_with(&["ADD", "VALUE"])),
            ["DROP", "TABLE", rest @ ..] => match name(without(rest, &["IF", "EXISTS"])) {
                Some((table, [])) => self.tables.remove(&table),
                _ => false,
            },
            ["UPDATE", rest @ ..] => self.is_own(rest, &["SET"]),
            ["DELETE", "FROM", rest @ ..] => self.is_own(rest, &["WHERE"]),
            ["INSERT", "INTO", ..] | ["INSERT", "IGNORE", "INTO", ..] | ["INSERT", "OR", "IGNORE", "INTO", ..] => {
                !has("UPDATE") && !has("DELETE")
            }
            ["COPY", rest @ ..] => !rest.starts_with(&["("]) && has("FROM") && !has("PROGRAM"),
            ["SELECT", rest @ ..] => !has("INTO") && calls(rest).all(|function| FUNCTIONS.contains(&function)),
            ["SET", ..] => !["GLOBAL", "PERSIST", "PERSIST_ONLY", "PASSWORD"].into_iter().any(has),
            ["BEGIN" | "COMMIT" | "END", rest @ ..] => rest.iter().all(|word| TRANSACTION.contains(word)),
            _ => false,
        }
    }

    /// Whether it is about a table of the same migrations alone.
    fn is_own(&self, words: &[&str], then: &[&str]) -> bool {
        name(words).is_some_and(|(table, rest)| {
            self.tables.contains(&table) && rest.first().is_none_or(|word| then.contains(word))
        })
    }

    fn creates(&mut self, words: &[&str]) -> bool {
        let is_kept = !words.iter().take(2).any(|word| ["TEMP", "TEMPORARY"].contains(word));
        let ahead = ["GLOBAL", "LOCAL", "UNLOGGED", "TEMP", "TEMPORARY"];
        let ahead = words.iter().take_while(|word| ahead.contains(word)).count();
        match &words[ahead..] {
            ["TABLE", rest @ ..] => {
                // One that may have been there is not known to be new.
                let made = name(rest).filter(|_| is_kept && !rest.starts_with(&["IF"]));
                self.tables.extend(made.map(|(table, _)| table));
                true
            }
            ["INDEX" | "FULLTEXT" | "SPATIAL", ..] => true,
            ["UNIQUE", "INDEX", rest @ ..] => on(rest).is_some_and(|(table, rest)| self.binds_only_new(&table, rest)),
            ["TRIGGER" | "POLICY", rest @ ..] => on(rest).is_some_and(|(table, _)| self.tables.contains(&table)),
            [kind, ..] => KINDS.contains(kind),
            [] => false,
        }
    }

    fn alters(&mut self, words: &[&str]) -> bool {
        let words = without(without(words, &["IF", "EXISTS"]), &["ONLY"]);
        let Some((table, rest)) = name(words) else { return false };
        if self.tables.contains(&table) {
            if rest.contains(&"RENAME") {
                self.tables.remove(&table);
            }
            return true;
        }
        // In order: each may make what the next is about.
        at_commas(without(rest, &["*"])).into_iter().all(|action| self.action(&table, action))
    }

    /// One of the actions of an `ALTER TABLE`.
    fn action(&mut self, table: &str, action: &[&str]) -> bool {
        match action {
            ["ADD", "COLUMN", rest @ ..] => self.column(table, rest),
            ["ADD", "INDEX" | "KEY" | "FULLTEXT" | "SPATIAL", ..]
            | ["VALIDATE", "CONSTRAINT", _]
            | ["SET", "(", ..]
            | ["ALGORITHM" | "LOCK", ..] => true,
            ["ADD", rest @ ..]
                if ["CONSTRAINT", "FOREIGN", "UNIQUE"].contains(&rest.first().copied().unwrap_or_default()) =>
            {
                // What binds nothing that older code writes does not hinder it.
                let binds = |word: &&str| ["CHECK", "EXCLUDE", "PRIMARY"].contains(word);
                !rest.iter().any(binds) && self.binds_only_new(table, rest)
            }
            ["ADD", "PRIMARY" | "CHECK" | "EXCLUDE" | "PARTITION" | "PERIOD" | "SYSTEM", ..] => false,
            ["ADD", rest @ ..] => self.column(table, rest),
            ["ALTER", rest @ ..] => {
                let Some((_, change)) = name(without(rest, &["COLUMN"])) else { return false };
                matches!(change, ["DROP", "NOT", "NULL"] | ["SET", "DEFAULT" | "STATISTICS", ..])
            }
            _ => false,
        }
    }

    /// A new column: what older code writes has no value for it.
    fn column(&mut self, table: &str, words: &[&str]) -> bool {
        let Some((column, kind)) = name(without(words, &["IF", "NOT", "EXISTS"])) else { return false };
        let has = |word: &str| kind.contains(&word);
        let demands = kind.windows(2).any(|two| two == ["NOT", "NULL"]) || has("PRIMARY");
        let has_default = has_default(kind);
        let fills = has_default || kind.iter().any(|word| FILLED.contains(word));
        let hinders = (demands && !fills)
            || (has("UNIQUE") && has_default)
            || has("DROP")
            || !checked(kind).all(|word| word == column);
        if !demands && !fills {
            self.columns.insert((table.to_owned(), column));
        }
        !hinders
    }

    /// Whether the columns in the first brackets are all new and may be empty, or the table is.
    fn binds_only_new(&self, table: &str, words: &[&str]) -> bool {
        let mut inside =
            words.iter().skip_while(|word| **word != "(").skip(1).take_while(|word| **word != ")").peekable();
        let is_new = |word: &&str| *word == "," || self.columns.contains(&(table.to_owned(), (*word).to_owned()));
        let are_new = inside.peek().is_some() && inside.all(is_new) && !words.contains(&"DISTINCT");
        are_new || self.tables.contains(table)
    }
}

/// The name that stands first, and what comes behind it.
fn name<'w, 'a>(words: &'w [&'a str]) -> Option<(String, &'w [&'a str])> {
    let is_name = |word: &&str| {
        word.starts_with(|c: char| c.is_alphabetic() || c == '_')
            || (word.len() > 1 && word.starts_with(['"', '`', '[']))
    };
    let mut name = (*words.first().filter(|word| is_name(word))?).to_owned();
    let mut rest = &words[1..];
    while let [".", part, behind @ ..] = rest {
        name = format!("{name}.{part}");
        rest = behind;
    }
    Some((name, rest))
}

/// The table behind `ON`, and what comes behind that.
fn on<'w, 'a>(words: &'w [&'a str]) -> Option<(String, &'w [&'a str])> {
    let at = words.iter().position(|word| *word == "ON")?;
    name(without(&words[at + 1..], &["ONLY"]))
}

/// Without words that may stand first.
fn without<'w, 'a>(words: &'w [&'a str], first: &[&str]) -> &'w [&'a str] {
    if words.starts_with(first) { &words[first.len()..] } else { words }
}

/// The parts between commas that are in no brackets.
fn at_commas<'w, 'a>(words: &'w [&'a str]) -> Vec<&'w [&'a str]> {
    let mut depth = 0_usize;
    let parts = words.split(|word| {
        depth = depth_after(depth, word);
        *word == "," && depth == 0
    });
    parts.collect()
}

const fn depth_after(depth: usize, word: &str) -> usize {
    match word.as_bytes() {
        b"(" | b"[" => depth + 1,
        b")" | b"]" => depth.saturating_sub(1),
        _ => depth,
    }
}

/// Whether a column's definition gives it a value; one of `NULL` is none.
fn has_default(kind: &[&str]) -> bool {
    let mut depth = 0;
    kind.windows(2).any(|two| {
        depth = depth_after(depth, two[0]);
        depth == 0 && two[0] == "DEFAULT" && two[1] != "NULL"
    })
}

/// What the checks of a column name: columns, and words that are not known to be none.
fn checked<'a>(kind: &[&'a str]) -> impl Iterator<Item = &'a str> {
    const OF_CHECKS: &[&str] =
        &["AND", "ANY", "ARRAY", "BETWEEN", "FALSE", "IN", "IS", "LIKE", "NOT", "NULL", "OR", "REGEXP", "TRUE"];
    let behind = |at: usize| {
        let mut depth = 0;
        let inside = kind[at + 1..].windows(2).take_while(move |two| {
            depth = depth_after(depth, two[0]);
            depth > 0
        });
        inside.filter(|two| two[1] != "(").map(|two| two[0])
    };
    let checks = kind.iter().enumerate().filter(|(_, word)| **word == "CHECK").map(|(at, _)| at);
    checks.flat_map(behind).filter(|word| !OF_CHECKS.contains(word) && name(&[word]).is_some())
}

/// What is called: the words before brackets.
fn calls<'a>(words: &[&'a str]) -> impl Iterator<Item = &'a str> {
    words.windows(2).filter(|two| two[1] == "(").map(|two| two[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether each of the statements adds.
    fn adds(statements: &[&str]) -> Vec<bool> {
        let mut made = Made::default();
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        statements.iter().map(|text| made.adds(&words(text))).collect()
    }

    #[test]
    fn every_action_is_judged_by_itself() {
        for (actions, is) in [
            ("ADD COLUMN C INT", true),
            ("ADD C INT NOT NULL DEFAULT 0 , ADD D NUMERIC ( 10 , 2 )", true),
            ("ADD COLUMN C INT NOT NULL , ADD COLUMN D INT DEFAULT 0", false),
            ("ADD COLUMN C INT NOT NULL DEFAULT NULL", false),
            ("ADD COLUMN C INT NOT NULL CHECK ( C > DEFAULT 0 )", false),
            ("ADD COLUMN ID BIGSERIAL PRIMARY KEY", true),
            ("ADD COLUMN C INT CHECK ( C IS NULL OR ABS ( C ) > 0 )", true),
            ("ADD COLUMN C NUMERIC ( 9 , 2 ) CHECK ( C IN ( 'a' , 'b' ) ) DEFAULT NULL", true),
            ("ADD COLUMN C INT CHECK ( A > 0 )", false),
            ("ADD COLUMN C INT CONSTRAINT K CHECK ( C > 0 AND ABS ( A ) > 0 )", false),
            ("ADD COLUMN C INT DEFAULT 0 UNIQUE", false),
            ("ADD COLUMN C INT , ADD CONSTRAINT F FOREIGN KEY ( C ) REFERENCES U ( ID )", true),
            ("ADD CONSTRAINT F FOREIGN KEY ( A ) REFERENCES U ( ID )", false),
            ("ADD COLUMN C INT , ADD UNIQUE ( C , A )", false),
            ("ADD CONSTRAINT K CHECK ( A > 0 )", false),
            ("ADD INDEX I ( A ) , ALGORITHM = INPLACE , LOCK = NONE", true),
            ("ALTER COLUMN B DROP NOT NULL", true),
            ("ALTER B DROP DEFAULT", false),
            ("DROP COLUMN A , ALTER COLUMN B DROP NOT NULL", false),
            ("CHANGE A A2 INT", false),
            ("ALTER COLUMN A TYPE BIGINT", false),
            ("ALTER A SET NOT NULL", false),
            ("RENAME TO U", false),
            ("", false),
        ] {
            assert_eq!(adds(&[&format!("ALTER TABLE ONLY S . T {actions}")]), [is], "{actions}");
        }
    }

    #[test]
    fn of_what_is_new_older_code_knows_nothing() {
        let new = "CREATE TABLE T ( ID INT )";
        for (statement, is) in [
            ("ALTER TABLE T ADD CONSTRAINT F FOREIGN KEY ( A ) REFERENCES U ( ID )", true),
            ("CREATE UNIQUE INDEX I ON T ( A )", true),
            ("CREATE UNIQUE INDEX I ON U ( A )", false),
            ("CREATE TRIGGER R AFTER INSERT ON T EXECUTE FUNCTION F ( )", true),
            ("CREATE TRIGGER R AFTER INSERT ON U EXECUTE FUNCTION F ( )", false),
            ("UPDATE T SET A = 1", true),
            ("UPDATE T , U SET A = 1", false),
            ("DELETE FROM T", true),
            ("DELETE FROM U", false),
            ("DROP TABLE T", true),
            ("DROP TABLE T , U", false),
            ("DROP TABLE S . T", false),
        ] {
            assert_eq!(adds(&[new, statement]), [true, is], "{statement}");
        }
        let twice = ["CREATE TABLE T ( ID INT )", "DROP TABLE T", "DROP TABLE T"];
        assert_eq!(adds(&twice), [true, true, false]);
        for unsure in ["CREATE TEMP TABLE T ( ID INT )", "CREATE TABLE IF NOT EXISTS T ( ID INT )"] {
            assert_eq!(adds(&[unsure, "DELETE FROM T"]), [true, false], "{unsure}");
        }
    }

    #[test]
    fn what_is_not_known_to_add_does_not() {
        for (statement, is) in [
            ("CREATE OR REPLACE VIEW V AS SELECT 1", false),
            ("CREATE VIEW V AS SELECT 1", true),
            ("CREATE RULE R AS ON INSERT TO T DO INSTEAD NOTHING", false),
            ("DO $$x$$", false),
            ("WITH G AS ( SELECT 1 ) DELETE FROM T", false),
            ("SELECT F ( )", false),
            ("SELECT PG_CATALOG . SET_CONFIG ( 'search_path' , '' , FALSE )", true),
            ("SELECT 1", true),
            ("SELECT ( 1 )", true),
            ("SELECT ( F ( ) )", false),
            ("INSERT INTO T VALUES ( 1 )", true),
            ("INSERT INTO T VALUES ( 1 ) ON CONFLICT DO NOTHING", true),
            ("INSERT INTO T VALUES ( 1 ) ON CONFLICT ( A ) DO UPDATE SET A = 2", false),
            ("INSERT OR REPLACE INTO T VALUES ( 1 )", false),
            ("COPY T ( A ) FROM STDIN", true),
            ("COPY ( DELETE FROM T RETURNING A ) TO STDOUT", false),
            ("BEGIN", true),
            ("BEGIN DROP TABLE T", false),
            ("SET GLOBAL READ_ONLY = 1", false),
            ("SET LOCK_TIMEOUT = '5s'", true),
            ("ALTER TYPE E ADD VALUE 'x'", true),
            ("ALTER TYPE E RENAME VALUE 'x' TO 'y'", false),
            ("TRUNCATE T", false),
            ("DROP INDEX I", true),
            ("/ * ! 50001 DROP TABLE T", false),
        ] {
            assert_eq!(adds(&[statement]), [is], "{statement}");
        }
    }
}
