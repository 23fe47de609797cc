//! The linter of PostgreSQL migrations, behind this one file. It sees a script alone: what the dry run refutes is left
//! out, what the dry run saw too is said once, with the linter's fix, and matters of style are notes.

use std::collections::BTreeMap;

use serde::Deserialize;
use squawk_linter::{Linter, Rule, Version, Violation};
use squawk_syntax::SourceFile;

use crate::migration::rules::{Known, made_or_dropped};
use crate::model::finding::{Edit, Finding, Fix, Level};
use crate::model::migration::{Change, Migration, ObjectKind, Piece, Script, Statement};

/// Where a rule is explained.
const HELP: &str = "https://squawkhq.com/docs/";

/// What a repository says to the linter in `.squawk.toml`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Squawk {
    excluded_rules: Vec<String>,
    included_rules: Vec<String>,
    excluded_paths: Vec<String>,
    pg_version: Option<String>,
}

impl Squawk {
    /// Reads a `.squawk.toml`.
    ///
    /// # Errors
    /// When it is no TOML, or names a rule that does not exist.
    pub fn parse(text: &str) -> Result<Self, String> {
        let read: Self = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        for name in read.excluded_rules.iter().chain(&read.included_rules) {
            rule(name)?;
        }
        Ok(read)
    }

    /// Whether findings of this rule are not wanted: its own, or the one of the linter that tells of the same.
    #[must_use]
    pub fn excludes(&self, rule: &str) -> bool {
        let told = |name: &String| name == rule || SAME.iter().any(|(theirs, ours)| *theirs == name && *ours == rule);
        self.excluded_rules.iter().any(told)
    }
}

/// Rules of the linter, and those of ours that tell of the same thing when it was observed.
pub const SAME: &[(&str, &str)] = &[
    ("adding-field-with-default", "table-rewrite"),
    ("adding-foreign-key-constraint", "scan-under-lock"),
    ("adding-not-nullable-field", "required-column"),
    ("adding-not-nullable-field", "scan-under-lock"),
    ("adding-required-field", "required-column"),
    ("adding-serial-primary-key-field", "table-rewrite"),
    ("ban-drop-column", "drop-column"),
    ("ban-drop-function", "drop-object"),
    ("ban-drop-table", "drop-table"),
    ("ban-drop-type", "drop-object"),
    ("ban-drop-view", "drop-object"),
    ("ban-truncate-cascade", "delete-all-rows"),
    ("changing-column-type", "table-rewrite"),
    ("changing-column-type", "type-changed"),
    ("changing-column-type", "type-narrowed"),
    ("constraint-missing-not-valid", "scan-under-lock"),
    ("disallowed-unique-constraint", "scan-under-lock"),
    ("renaming-column", "rename-column"),
    ("renaming-table", "rename-table"),
    ("require-concurrent-index-creation", "index-without-concurrently"),
    ("require-lock-timeout", "lock-without-timeout"),
];

/// What the dry run knows better: it happened, or it did not.
const OBSERVED: &[&str] = &[
    "adding-field-with-default",
    "adding-serial-primary-key-field",
    "ban-concurrent-index-creation-in-transaction",
    "ban-drop-function",
    "ban-drop-type",
    "ban-drop-view",
    "changing-column-type",
    "require-lock-timeout",
    "unused-ignore",
];

/// What no lock or change of a table would show.
const BEYOND_TABLES: &[&str] = &[
    "ban-alter-database-options",
    "ban-alter-role-options",
    "ban-alter-system-options",
    "ban-drop-database",
    "ban-revoke",
    "ban-uncommitted-transaction",
    "transaction-nesting",
];

/// Advice on how to write, not on what happens.
const STYLE: &[&str] = &[
    "ban-char-field",
    "identifier-too-long",
    "prefer-bigint-over-int",
    "prefer-bigint-over-smallint",
    "prefer-identity",
    "prefer-repack",
    "prefer-robust-stmts",
    "prefer-text-field",
    "prefer-timestamp-tz",
    "require-enum-value-ordering",
    "require-statement-timeout",
    "require-table-schema",
];

/// Whether the linter has a rule of this name.
#[must_use]
pub fn is_rule(name: &str) -> bool {
    rule(name).is_ok()
}

fn rule(name: &str) -> Result<Rule, String> {
    name.parse().map_err(|_| format!("there is no rule {name:?}"))
}

/// What the linter finds in a script, for a server of this version.
#[must_use]
pub fn lint(script: &Script, transactional: bool, squawk: &Squawk, server: &str) -> Vec<Finding> {
    if squawk.excluded_paths.iter().any(|pattern| fits(pattern, &script.path)) {
        return Vec::new();
    }
    let rules = |names: &[String]| names.iter().filter_map(|name| rule(name).ok()).collect::<Vec<_>>();
    let (include, exclude) = (rules(&squawk.included_rules), rules(&squawk.excluded_rules));
    let version = squawk.pg_version.as_deref().unwrap_or(server);
    let mut found = Vec::new();
    if let Some(piece) = &joined(&script.pieces) {
        let mut linter = Linter::with_rules(&include, &exclude);
        linter.settings.assume_in_transaction = transactional;
        if let Ok(version) = version.parse::<Version>() {
            linter.settings.pg_version = version;
        }
        let violations = linter.lint(&SourceFile::parse(&piece.text), &piece.text);
        found.extend(violations.iter().map(|violation| read(piece, &script.path, violation)));
    }
    found
}

/// Those of a migration's findings that the dry run leaves standing. Findings in `observed` of the same get their fixes.
#[must_use]
pub fn kept(found: Vec<Finding>, migration: &Migration, known: &Known, observed: &mut [Finding]) -> Vec<Finding> {
    let own = made_or_dropped(migration);
    let stands = |finding: Finding| {
        let line = finding.line.unwrap_or(1);
        let statement = migration.statements.iter().rev().find(|statement| statement.source.line <= line);
        standing(finding, statement, &Theirs { known, own: &own }, observed)
    };
    found.into_iter().filter_map(stands).collect()
}

/// The pieces as one, each on its own line: what one of them sets holds for those below.
fn joined(pieces: &[Piece]) -> Option<Piece> {
    let mut all = Piece { text: String::new(), ..pieces.first()?.clone() };
    let mut line = all.line;
    for piece in pieces {
        while line < piece.line {
            all.text.push('\n');
            line += 1;
        }
        all.text.push_str(&piece.text);
        line = line.saturating_add(u32::try_from(piece.text.matches('\n').count()).unwrap_or(u32::MAX));
    }
    Some(all)
}

/// The finding, if the dry run neither refutes it nor told of it already.
fn standing(
    mut finding: Finding,
    statement: Option<&Statement>,
    theirs: &Theirs<'_>,
    observed: &mut [Finding],
) -> Option<Finding> {
    let name = finding.rule.clone()?;
    if STYLE.contains(&name.as_str()) {
        finding.level = Level::Note;
        return Some(finding);
    }
    if name == "renaming-object" && statement.is_some_and(renames_indexes_alone) {
        finding.level = Level::Note;
        return Some(finding);
    }
    let place = statement.map(|statement| statement.source.line);
    let ours = |other: &&mut Finding| {
        let is_here = place.is_some() && other.line == place && other.path == finding.path;
        is_here && SAME.iter().any(|(theirs, ours)| *theirs == name && other.rule.as_deref() == Some(ours))
    };
    if let Some(same) = observed.iter_mut().find(ours) {
        same.fix = same.fix.take().or(finding.fix);
        return None;
    }
    if OBSERVED.contains(&name.as_str()) {
        return None;
    }
    let ran = statement.filter(|statement| statement.error.is_none() && statement.not_run.is_none());
    let refuted = !BEYOND_TABLES.contains(&name.as_str()) && ran.is_some_and(|statement| !theirs.touched_by(statement));
    (!refuted).then_some(finding)
}

/// Whether nothing that a statement renamed is named by other code: an index is named by who looks after the database.
fn renames_indexes_alone(statement: &Statement) -> bool {
    let is_index = |change: &Change| change.object.kind == ObjectKind::Index;
    !statement.changes.is_empty() && statement.changes.iter().all(is_index)
}

/// What others use, less what the migration made or dropped, from that line on.
struct Theirs<'a> {
    known: &'a Known,
    own: &'a BTreeMap<&'a str, u32>,
}

impl Theirs<'_> {
    /// Whether a statement had to do with anything that others use.
    fn touched_by(&self, statement: &Statement) -> bool {
        let is_own = |table: &str| self.own.get(table).is_some_and(|line| *line < statement.source.line);
        let has = |table: &str| self.known.has_table(table) && !is_own(table);
        statement.changes.iter().any(|change| self.known.has(&change.object) && !is_own(&change.object.of))
            || statement.locks.iter().any(|lock| has(&lock.object))
            || statement.scans.iter().chain(&statement.rewrites).any(|table| has(table))
    }
}

fn read(piece: &Piece, path: &str, violation: &Violation) -> Finding {
    let place = |at: usize| place(piece, at);
    let (start, end) = (usize::from(violation.text_range.start()), usize::from(violation.text_range.end()));
    let ((line, column), (end_line, end_column)) = (place(start), place(end));
    let edit = |edit: &squawk_linter::Edit| {
        let (start, end) = (place(edit.text_range.start().into()), place(edit.text_range.end().into()));
        Edit {
            start_line: start.0,
            start_column: start.1,
            end_line: end.0,
            end_column: end.1,
            text: edit.text.clone().unwrap_or_default(),
        }
    };
    let fix = violation
        .fix
        .as_ref()
        .map(|fix| Fix { description: fix.title.clone(), edits: fix.edits.iter().map(edit).collect() });
    let help = violation.help.as_ref().map(|help| format!("\nsafe way: {help}")).unwrap_or_default();
    Finding {
        rule: Some(violation.code.to_string()),
        level: Level::Warning,
        message: format!("{}{help}", violation.message),
        path: Some(path.to_owned()),
        line: Some(line),
        column: Some(column),
        end_line: Some(end_line),
        end_column: Some(end_column),
        help: Some(format!("{HELP}{}", violation.code)),
        fix,
        ..Finding::default()
    }
}

/// A byte of a piece as line and column of its file.
fn place(piece: &Piece, at: usize) -> (u32, u32) {
    let before = piece.text.get(..at).unwrap_or(&piece.text);
    let lines = u32::try_from(before.matches('\n').count()).unwrap_or(u32::MAX);
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
    (piece.line.saturating_add(lines), u32::try_from(column).unwrap_or(u32::MAX).saturating_add(1))
}

fn fits(pattern: &str, path: &str) -> bool {
    globset::Glob::new(pattern).is_ok_and(|glob| glob.compile_matcher().is_match(path))
        || path.rsplit('/').next() == Some(pattern)
}
