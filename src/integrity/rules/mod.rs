//! The rules: each one row of [`ALL`] with what is said about it, and one function that asks the ground. The page
//! `docs/integrity.md` and `gatepost integrity --explain` are made of the rows.

mod aggregators;
mod conditions;
mod continue_on_error;
mod defanged;
mod going_on;
mod hollow;
mod missing_tools;
mod narrowed;
mod path_filters;
mod pipes;
mod swallowed;
mod verdicts;

use std::fmt::Write as _;
use std::ops::Range;

use super::flow::Run;
use super::ground::{At, Ground};
use super::pipe::{is_same_but_output, is_whole_of};
use super::script::Script;
use super::workflow::{Job, Workflow};
use crate::model::finding::{Edit, Fix, Level};

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// `GI101`
    pub id: &'static str,
    /// What it catches, in one phrase.
    pub title: &'static str,
    /// The level where the gate surely cannot fail; where it may, a finding is a warning.
    pub level: Level,
    /// Why that takes away the gate's effect.
    pub why: &'static str,
    /// How to write it instead.
    pub safe: &'static str,
    /// What is left alone, and what is reported although it may be meant.
    pub false_positives: &'static str,
    check: fn(&Ground, &mut Hits<'_>),
}

/// Every rule, in the order of their names.
pub static ALL: &[&Rule] = &[
    &swallowed::GI101,
    &going_on::GI102,
    &going_on::GI103,
    &pipes::GI104,
    &going_on::GI105,
    &missing_tools::GI106,
    &continue_on_error::GI110,
    &continue_on_error::GI111,
    &continue_on_error::GI112,
    &conditions::GI113,
    &path_filters::GI114,
    &aggregators::GI121,
    &aggregators::GI122,
    &defanged::GI130,
    &narrowed::GI204,
    &narrowed::GI205,
    &narrowed::GI206,
    &GI303,
];

/// Its findings are made where allowances are applied.
static GI303: Rule = Rule {
    id: "GI303",
    title: "an allowance that is malformed, expired or not needed",
    level: Level::Warning,
    why: "A comment `gatepost: allow …` keeps a finding from counting. Without a reason nobody can tell later whether it \
          still holds; past its date it holds no more, and one that no finding needs hides the next one.",
    safe: "`# gatepost: allow GI110 until 2027-01-31 the browser farm is down, see #12`, on the line or alone above it. In \
           package.json: an entry `\"//\": \"gatepost: allow GI105 until 2027-01-31 reason\"` above the script.",
    false_positives: "None are known.",
    check: |_, _| {},
};

/// Finds a rule by its name.
#[must_use]
pub fn find(id: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|rule| rule.id.eq_ignore_ascii_case(id))
}

impl Rule {
    /// Everything about it, as Markdown below a heading of this depth.
    #[must_use]
    pub fn page(&self, depth: usize) -> String {
        let mut out = format!("{} {}\n\n*What it catches:* {}.\n\n", "#".repeat(depth), self.id, self.title);
        let parts =
            [("Why", self.why), ("Safe form", self.safe), ("Left alone, and false positives", self.false_positives)];
        let _ = writeln!(out, "Level: {}.\n", self.level.word());
        for (name, text) in parts {
            let _ = writeln!(out, "**{name}.** {text}\n");
        }
        out.trim_end().to_owned() + "\n"
    }
}

/// A place where a rule is broken.
#[derive(Debug)]
pub struct Hit {
    /// The rule.
    pub rule: &'static str,
    /// How sure it is that the gate cannot fail.
    pub level: Level,
    /// The file, as an index.
    pub file: usize,
    /// The characters in it.
    pub span: Range<usize>,
    /// What is wrong here.
    pub message: String,
    /// A change that mends it.
    pub fix: Option<Fix>,
    /// Other characters whose line an allowance may stand at: the step.
    pub anchor: Option<usize>,
}

/// The findings of all rules.
pub struct Hits<'a> {
    ground: &'a Ground,
    rule: &'static Rule,
    all: Vec<Hit>,
}

/// Asks every rule.
#[must_use]
pub fn check(ground: &Ground) -> Vec<Hit> {
    let mut hits = Hits { ground, rule: &GI303, all: Vec::new() };
    for rule in ALL {
        hits.rule = rule;
        (rule.check)(ground, &mut hits);
    }
    hits.all
}

impl Hits<'_> {
    /// In a script, at these characters of it.
    fn in_script(&mut self, script: &Script, range: &Range<usize>, sure: bool, message: String, fix: Option<Fix>) {
        let at = self.ground.at(script);
        let level = self.level(sure, at);
        let span = script.piece.span(range);
        let anchor = at.map(|at| at.step.node.written.span.start);
        self.all.push(Hit { rule: self.rule.id, level, file: script.file, span, message, fix, anchor });
    }

    /// In a workflow, at these characters of its file.
    fn in_workflow(&mut self, at: At<'_>, span: Range<usize>, sure: bool, message: String, fix: Option<Fix>) {
        let level = self.level(sure, Some(at));
        let anchor = Some(at.step.node.written.span.start);
        self.all.push(Hit { rule: self.rule.id, level, file: at.workflow.file, span, message, fix, anchor });
    }

    /// At a job, or what stands in it outside of its steps.
    fn in_job(&mut self, at: (&Workflow, &Job), span: Range<usize>, sure: bool, message: String, fix: Option<Fix>) {
        let (workflow, job) = at;
        let names = [workflow.name.as_deref(), job.text("name"), Some(job.id.as_str())];
        let labelled = names.into_iter().flatten().any(is_optional);
        let level = self.graded(sure, labelled || !workflow.judges_changes());
        let anchor = Some(job.node.written.key.start);
        self.all.push(Hit { rule: self.rule.id, level, file: workflow.file, span, message, fix, anchor });
    }

    /// Lower where a gate is only called so, and lowest where the failure would block nothing anyway.
    fn level(&self, sure: bool, at: Option<At<'_>>) -> Level {
        let labelled = at.is_some_and(|at| {
            let names =
                [at.step.text("name"), at.workflow.name.as_deref(), at.job.text("name"), Some(at.job.id.as_str())];
            names.into_iter().flatten().any(is_optional)
        });
        let elsewhere = at.is_some_and(|at| !at.workflow.judges_changes());
        self.graded(sure, labelled || elsewhere)
    }

    fn graded(&self, sure: bool, blocks_nothing: bool) -> Level {
        match (blocks_nothing, sure) {
            (true, _) => Level::Note,
            (false, true) => self.rule.level,
            (false, false) => self.rule.level.min(Level::Warning),
        }
    }
}

/// Whether a name says that a failure does not count.
fn is_optional(name: &str) -> bool {
    const SAID: &[&str] = &[
        "allowed to fail",
        "allow fail",
        "allow-fail",
        "allow_fail",
        "allowed fail",
        "may fail",
        "can fail",
        "non-blocking",
        "nonblocking",
        "non blocking",
        "not blocking",
        "informational",
        "advisory",
        "experimental",
        "optional",
        "best effort",
        "best-effort",
        "nightly",
        "canary",
        "unstable",
        "ignore failure",
        "expected to fail",
        "continue on error",
        "not required",
        "for information",
    ];
    let name = name.to_lowercase();
    SAID.iter().any(|said| name.contains(said))
}

/// A message with what to do about it.
fn with_help(what: &str, help: &str) -> String {
    format!("{what}\nhelp: {help}")
}

/// Replaces characters of a file.
fn replace(ground: &Ground, file: usize, span: &Range<usize>, text: &str, description: &str) -> Fix {
    Fix { description: description.to_owned(), edits: vec![edit(ground, file, span, text)] }
}

fn edit(ground: &Ground, file: usize, span: &Range<usize>, text: &str) -> Edit {
    let source = &ground.sources[file];
    let ((start_line, start_column), (end_line, end_column)) = (source.place(span.start), source.place(span.end));
    Edit { start_line, start_column, end_line, end_column, text: text.to_owned() }
}

/// Removes the line that an entry of a mapping stands on; `None` where something else stands there too.
fn remove_line(ground: &Ground, file: usize, entry: &Range<usize>, description: &str) -> Option<Fix> {
    let source = &ground.sources[file];
    let (first, last) = (source.place(entry.start).0, source.place(entry.end).0);
    let before = source.slice(source.line(first).start..entry.start);
    let alone = before.trim().is_empty() && first == last;
    let whole = source.line(first).start..source.line(first + 1).start;
    alone.then(|| replace(ground, file, &whole, "", description))
}

/// A gate and its run, as rules about the flow of scripts look at them.
fn is_excused(ground: &Ground, script: &Script, run: &Run) -> bool {
    let recorded = ground.at(script).is_some_and(|at| at.job.reads_step(at.step));
    recorded
        || ground.output_is_judged(script, run)
        || ground.runs_in_earnest(script, run, |other| {
            is_same_but_output(other, &run.invocation) || is_whole_of(other, &run.invocation)
        })
}
