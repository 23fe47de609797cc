//! Gates that cannot fail: what in workflows, scripts and makefiles takes away the effect of a check. It reads through
//! [`Tree`], judges nothing but text, and takes the date from its caller.

mod actions;
mod allow;
mod attempts;
mod call;
mod calls;
mod command;
pub mod commands;
mod dictionary;
mod ending;
mod flow;
mod ground;
pub mod halts;
mod handed;
mod justfile;
mod launch;
pub mod lost;
mod makefile;
mod manifest;
pub mod moves;
mod pipe;
mod reading;
mod recipes;
mod records;
pub mod rules;
mod scalar;
mod script;
mod shell;
mod text;
mod workflow;

use crate::model::finding::{Finding, Level};
use ground::Ground;
use rules::Hit;

/// A repository to read. Paths are relative to its root, with `/`.
pub trait Tree {
    /// What there is.
    fn list(&self) -> Listing;

    /// The text of a file; `None` when there is none.
    ///
    /// # Errors
    /// When it is there and cannot be read as text.
    fn read(&self, path: &str) -> Result<Option<String>, String>;
}

/// What there is in a repository.
#[derive(Debug, Default)]
pub struct Listing {
    /// Every file that may be judged, sorted.
    pub paths: Vec<String>,
    /// Links, which are not followed: what they lead to may lie outside.
    pub links: Vec<String>,
    /// Folders and names that could not be read.
    pub problems: Vec<Problem>,
}

/// A file that could not be read or understood: it is not known to be clean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub path: String,
    /// Line and column, from 1, where it shows.
    pub place: Option<(u32, u32)>,
    /// What is wrong.
    pub what: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { path, place, what } = self;
        match place {
            Some((line, column)) => write!(f, "{path}:{line}:{column}: {what}"),
            None => write!(f, "{path}: {what}"),
        }
    }
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// By file and place; columns are Unicode scalar values.
    pub findings: Vec<Finding>,
    /// Files that could not be judged.
    pub problems: Vec<Problem>,
    /// What was left out, and what was allowed.
    pub notes: Vec<String>,
    /// How many files were read.
    pub files: usize,
}

/// Where the project lives, once it has an address: its pages explain the rules.
const HOME: &str = env!("CARGO_PKG_REPOSITORY");

/// The stack, in bytes, that [`check`] needs in the worst case: scripts are trees as deep as somebody nested them.
pub const STACK: usize = 256 << 20;

/// Checks a repository as of a day.
#[must_use]
pub fn check(tree: &dyn Tree, today: jiff::civil::Date) -> Checked {
    let reading::Read { ground, problems, mut notes } = reading::read(tree);
    let mut hits = rules::check(&ground);
    let allowed = apply_allowances(&ground, &mut hits, today);
    if allowed > 0 {
        let plural = if allowed == 1 { "" } else { "s" };
        notes.push(format!("{allowed} finding{plural} allowed by comments `gatepost: allow`"));
    }
    hits.sort_by(|a, b| {
        let key = |hit: &Hit| (ground.sources[hit.file].path.clone(), hit.span.start, hit.rule);
        key(a).cmp(&key(b))
    });
    hits.dedup_by(|a, b| (a.file, a.rule, &a.span) == (b.file, b.rule, &b.span));
    let findings = hits.into_iter().map(|hit| finding(&ground, hit)).collect();
    Checked { findings, problems, notes, files: ground.sources.len() }
}

/// Takes out what is allowed, and adds what is wrong with allowances; gives how many were taken out.
fn apply_allowances(ground: &Ground, hits: &mut Vec<Hit>, today: jiff::civil::Date) -> usize {
    let before = hits.len();
    let mut wrong = Vec::new();
    for (file, source) in ground.sources.iter().enumerate() {
        let (allowances, malformed) = allow::read(source);
        let mut complain = |span, what: String| {
            wrong.push(Hit {
                rule: "GI303",
                level: Level::Warning,
                file,
                span,
                message: what,
                fix: None,
                anchor: None,
            });
        };
        for allow::Wrong { span, what } in malformed {
            complain(span, format!("this allows nothing: {what}"));
        }
        for allowance in allowances {
            let matches = |hit: &Hit| {
                let lines = [Some(hit.span.start), hit.anchor].into_iter().flatten().map(|at| source.place(at).0);
                hit.file == file
                    && allowance.rules.iter().any(|rule| rule.eq_ignore_ascii_case(hit.rule))
                    && lines.into_iter().any(|line| allowance.lines.contains(&line))
            };
            let names = allowance.rules.join(", ");
            if !hits.iter().any(matches) {
                complain(allowance.span.clone(), format!("no finding of {names} is here to be allowed: remove it"));
            } else if allowance.until < today {
                complain(
                    allowance.span.clone(),
                    format!("{names} was allowed until {}: mend it, or give a new date", allowance.until),
                );
            } else {
                hits.retain(|hit| !matches(hit));
            }
        }
    }
    let taken = before - hits.len();
    hits.extend(wrong);
    taken
}

fn finding(ground: &Ground, hit: Hit) -> Finding {
    let source = &ground.sources[hit.file];
    let ((line, column), (end_line, end_column)) = (source.place(hit.span.start), source.place(hit.span.end));
    Finding {
        rule: Some(hit.rule.to_owned()),
        level: hit.level,
        message: hit.message,
        path: Some(source.path.clone()),
        line: Some(line),
        column: Some(column),
        end_line: Some(end_line),
        end_column: Some(end_column),
        help: (!HOME.is_empty()).then(|| format!("{HOME}/blob/main/docs/integrity.md#{}", hit.rule.to_lowercase())),
        fix: hit.fix,
        ..Finding::default()
    }
}
