//! Ignores in the files themselves: `-- gatepost-ignore RULE: reason` for the statement below it or on its line, and
//! squawk's own `-- squawk-ignore RULE` for what is the same here. What is ignored stays as a note, with the reason.

use crate::migration::squawk::{SAME, is_rule};
use crate::model::finding::{Finding, Level};
use crate::model::migration::{Script, Source};

/// A comment that asks for silence.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Ignore<'a> {
    line: u32,
    rules: Vec<&'a str>,
    reason: &'a str,
    whole_file: bool,
    theirs: bool,
}

/// Applies the ignores of a script to findings of its file. Those without a reason, and those that silence nothing, are
/// told of in the notes.
pub fn apply(script: &Script, sources: &[Source], findings: &mut [Finding], notes: &mut Vec<String>) {
    for ignore in read(script) {
        let place = format!("{}:{}", script.path, ignore.line);
        if !ignore.theirs && ignore.reason.is_empty() {
            notes.push(format!("{place}: an ignore without a reason does not count: write `RULE: reason`"));
            continue;
        }
        let meant = sources.iter().find(|source| last_line(source) >= ignore.line).map(|source| source.line);
        let mut silenced = false;
        for finding in findings.iter_mut().filter(|finding| finding.path.as_deref() == Some(script.path.as_str())) {
            let here =
                ignore.whole_file || meant.zip(finding.line).is_some_and(|(meant, line)| covers(sources, meant, line));
            if here && finding.rule.as_deref().is_some_and(|rule| ignore.names(rule)) {
                finding.level = Level::Note;
                let reason = if ignore.reason.is_empty() { "squawk-ignore" } else { ignore.reason };
                finding.message = format!("ignored ({reason}): {}", finding.message);
                silenced = true;
            }
        }
        if !silenced && !ignore.theirs {
            notes.push(format!("{place}: the ignore of {} silences nothing", ignore.rules.join(", ")));
        }
    }
}

/// Whether a line belongs to the statement that begins on another.
fn covers(sources: &[Source], statement: u32, line: u32) -> bool {
    let next = sources.iter().map(|source| source.line).find(|next| *next > statement).unwrap_or(u32::MAX);
    line >= statement && line < next
}

fn last_line(source: &Source) -> u32 {
    let lines = u32::try_from(source.sql.matches('\n').count()).unwrap_or(u32::MAX);
    source.line.saturating_add(lines)
}

impl Ignore<'_> {
    fn names(&self, rule: &str) -> bool {
        let same = |name: &str| SAME.iter().any(|(theirs, ours)| *theirs == name && *ours == rule);
        (self.theirs && self.rules.is_empty() && is_theirs(rule))
            || self.rules.iter().any(|name| *name == rule || (self.theirs && same(name)))
    }
}

/// Whether squawk tells of it too, under whatever name. Of rows it knows no more than `TRUNCATE … CASCADE`.
fn is_theirs(rule: &str) -> bool {
    is_rule(rule) || (rule != "delete-all-rows" && SAME.iter().any(|(_, ours)| *ours == rule))
}

fn read(script: &Script) -> Vec<Ignore<'_>> {
    let mut found = Vec::new();
    for piece in &script.pieces {
        for (line, text) in (piece.line..).zip(piece.text.lines()) {
            let Some((_, comment)) = text.split_once("--") else { continue };
            let comment = comment.trim();
            let (theirs, whole_file, rest) = if let Some(rest) = comment.strip_prefix("gatepost-ignore-file ") {
                (false, true, rest)
            } else if let Some(rest) = comment.strip_prefix("gatepost-ignore ") {
                (false, false, rest)
            } else if let Some(rest) = comment.strip_prefix("squawk-ignore-file") {
                (true, true, rest)
            } else if let Some(rest) = comment.strip_prefix("squawk-ignore") {
                (true, false, rest)
            } else {
                continue;
            };
            let separator = if theirs { "--" } else { ":" };
            let (rules, reason) = rest.split_once(separator).unwrap_or((rest, ""));
            let rules = rules.split(',').map(str::trim).filter(|rule| !rule.is_empty()).collect();
            found.push(Ignore { line, rules, reason: reason.trim(), whole_file, theirs });
        }
    }
    found
}
