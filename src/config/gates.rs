//! `[gates.*]`: the keys that every gate has, what they must be together, and which keys are left to the kind.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::kind::{Bare, KindRow};
use super::nearest::{advice, listed, nearest};
use super::problems::Problem;
use super::reading::{self, keys_of, quoted};
use super::sections;
use super::{Gate, Known};
use crate::model::gate::GateName;
use crate::model::path::RepoPath;
use crate::model::settings::Common;

/// Kinds that the design has and this version does not.
const NOT_BUILT: &[&str] = &["coverage", "load"];

/// Keys that say what is run and read.
pub(super) const FOR_COMMANDS: &[&str] = &["command", "format", "reports"];

/// Reads every gate of the section; those without a problem are added to `into`, in file order.
pub(super) fn read(table: &DeTable<'_>, known: &Known<'_>, into: &mut Vec<Gate>) -> Vec<Problem> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let names: Vec<&str> = entries.iter().map(|(key, _)| key.get_ref().as_ref()).collect();
    let mut problems = same_folder(&entries);
    for (key, value) in &entries {
        let span = key.span();
        let name = match GateName::parse(key.get_ref()) {
            Ok(name) => name,
            Err(error) => {
                problems.push(Problem::new(span, error.to_string()));
                continue;
            }
        };
        let DeValue::Table(table) = value.get_ref() else {
            let help = format!("write a section [gates.{name}] with kind and command");
            problems.push(Problem::new(value.span(), format!("gate `{name}`: expected a table")).help(help));
            continue;
        };
        let mut reader = Reader { name, span, table, known, names: &names, problems: Vec::new() };
        let gate = reader.gate();
        if reader.problems.is_empty() {
            into.extend(gate);
        }
        problems.append(&mut reader.problems);
    }
    problems
}

/// A gate's name is a folder's name, and some file systems do not tell `Lint` from `lint`.
fn same_folder(entries: &[(&Spanned<toml::de::DeString<'_>>, &Spanned<DeValue<'_>>)]) -> Vec<Problem> {
    let mut seen = BTreeMap::new();
    let mut problems = Vec::new();
    for (key, _) in entries {
        if let Some(first) = seen.insert(key.get_ref().to_lowercase(), key.get_ref()) {
            let (one, other) = (quoted(first), quoted(key.get_ref()));
            let problem = Problem::new(key.span(), format!("gates {one} and {other} differ only in case"));
            problems.push(problem.help("their folders would be the same on some systems: rename one"));
        }
    }
    problems
}

struct Reader<'a> {
    name: GateName,
    span: Range<usize>,
    table: &'a DeTable<'a>,
    known: &'a Known<'a>,
    names: &'a [&'a str],
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn gate(&mut self) -> Option<Gate> {
        let (written, problems) = reading::read::<sections::Gate>(self.table);
        self.problems.extend(problems);
        let kind = self.kind(written.kind.as_ref());
        self.unknown_keys(kind.as_ref());
        let own = kind.map(|row| {
            let (own, problems) = (row.read)(self.table);
            self.problems.extend(problems);
            (row, own)
        });
        self.format(written.format.as_ref());
        self.needs(&written.needs);
        if kind.is_some_and(|row| row.bare == Bare::Itself) {
            self.needless();
        } else if kind.is_none_or(|row| row.bare != Bare::Unjudged) && self.nothing_to_judge() {
            let problem = Problem::new(self.span.clone(), format!("gate `{}` has nothing to judge", self.name));
            self.problems.push(problem.help("give it a `command`, `reports` made earlier in the job, or both"));
        }
        let needs_at = self.table.get("needs").map_or_else(|| self.span.clone(), Spanned::span);
        own.map(|(row, own)| Gate { common: common(self.name.clone(), &row, written), own, needs_at })
    }

    /// A kind that looks for itself runs and reads nothing of the user's.
    fn needless(&mut self) {
        let given = self.table.iter().filter(|(key, _)| FOR_COMMANDS.contains(&key.get_ref().as_ref()));
        let told = given.map(|(key, _)| {
            let what = format!("gate `{}` looks for itself: it has no `{}`", self.name, key.get_ref());
            Problem::new(key.span(), what).help("remove it, or choose kind `command`")
        });
        let told: Vec<Problem> = told.collect();
        self.problems.extend(told);
    }

    fn nothing_to_judge(&self) -> bool {
        let no_reports = match self.table.get("reports").map(Spanned::get_ref) {
            None => true,
            Some(DeValue::Array(reports)) => reports.is_empty(),
            Some(_) => false,
        };
        no_reports && !self.table.contains_key("command")
    }

    fn kind(&mut self, written: Option<&Spanned<String>>) -> Option<KindRow> {
        let kinds: Vec<&str> = self.known.kinds.iter().map(|row| row.name).collect();
        let Some(written) = written else {
            if !self.table.contains_key("kind") {
                let problem = Problem::new(self.span.clone(), format!("gate `{}` has no `kind`", self.name));
                self.problems.push(problem.help(format!("there is {}", listed(&kinds))));
            }
            return None;
        };
        let word = written.get_ref().as_str();
        let found = self.known.kinds.iter().find(|row| row.name == word).copied();
        if found.is_none() {
            let problem = if NOT_BUILT.contains(&word) {
                Problem::new(written.span(), format!("kind `{word}` is not built yet in this version"))
                    .help(format!("there is {}", listed(&kinds)))
            } else {
                Problem::new(written.span(), format!("unknown kind {}", quoted(word))).help(advice(word, &kinds))
            };
            self.problems.push(problem);
        }
        found
    }

    /// Without a kind that is known, the keys of all kinds are.
    fn unknown_keys(&mut self, row: Option<&KindRow>) {
        let rows = row.map_or(self.known.kinds, std::slice::from_ref);
        let own = rows.iter().flat_map(|row| (row.keys)());
        let words: Vec<&str> = keys_of::<sections::Gate>().iter().chain(own).copied().collect();
        let table = format!("[gates.{}]", self.name);
        let unknown = self.table.keys().filter(|key| !words.contains(&key.get_ref().as_ref()));
        let told = unknown.map(|key| {
            let problem = reading::unknown_key(key.get_ref(), key.span(), &table, &words);
            let is_near = nearest(key.get_ref(), words.iter().copied()).is_some();
            match row.zip(self.kind_with(key.get_ref())) {
                Some((row, (meant, other))) if !is_near || meant == key.get_ref() => {
                    problem.help(format!("only kind `{other}` has `{meant}`; this gate is of kind `{}`", row.name))
                }
                _ => problem,
            }
        });
        let told: Vec<Problem> = told.collect();
        self.problems.extend(told);
    }

    /// The key that is meant, and a kind that has it of its own.
    fn kind_with(&self, key: &str) -> Option<(&'static str, &'static str)> {
        self.known.kinds.iter().find_map(|row| Some((nearest(key, (row.keys)().iter().copied())?, row.name)))
    }

    fn format(&mut self, written: Option<&Spanned<String>>) {
        let Some(written) = written else { return };
        let word = written.get_ref().as_str();
        if let Some(file) = word.strip_prefix("matcher:") {
            if let Err(error) = RepoPath::parse(file) {
                let help =
                    "name a problem-matcher file relative to the repository's root, as in matcher:.github/tool.json";
                self.problems.push(Problem::new(written.span(), format!("`format`: {error}")).help(help));
            }
        } else if word != "auto" && !self.known.formats.contains(&word) {
            let words: Vec<&str> = self.known.formats.iter().copied().chain(["auto", "matcher:FILE"]).collect();
            self.problems.push(
                Problem::new(written.span(), format!("unknown format {}", quoted(word))).help(advice(word, &words)),
            );
        }
    }

    fn needs(&mut self, needs: &[Spanned<String>]) {
        for need in needs {
            let word = need.get_ref().as_str();
            if word == self.name.as_str() {
                self.problems.push(Problem::new(need.span(), format!("gate `{word}` needs itself")).help("remove it"));
            } else if !self.names.contains(&word) {
                let others: Vec<&str> = self.names.iter().copied().filter(|name| *name != self.name.as_str()).collect();
                let help = if others.is_empty() { "this is the only gate".to_owned() } else { advice(word, &others) };
                self.problems.push(Problem::new(need.span(), format!("there is no gate {}", quoted(word))).help(help));
            }
        }
    }
}

fn common(name: GateName, row: &KindRow, written: sections::Gate) -> Common {
    let by_content = row.bare == Bare::ByContent || !written.reports.is_empty();
    Common {
        name,
        kind: row.name.to_owned(),
        command: written.command.map(|command| command.0),
        format: written.format.map(Spanned::into_inner).or_else(|| by_content.then(|| "auto".to_owned())),
        reports: written.reports.into_iter().map(|pattern| pattern.0).collect(),
        dir: RepoPath::parse(&written.dir.0).map_or_else(|_| String::new(), String::from),
        paths: written.paths.into_iter().map(|pattern| pattern.0).collect(),
        when: written.when.into_iter().map(|event| event.0).collect(),
        needs: written.needs.iter().filter_map(|need| GateName::parse(need.get_ref()).ok()).collect(),
        only: written.only,
        max_findings: usize::try_from(written.max_findings.0).unwrap_or(usize::MAX),
        mode: written.mode,
        timeout: written.timeout.0,
        grace: written.grace.0,
        retries: u32::try_from(written.retries.0).unwrap_or(u32::MAX),
        flaky: written.flaky,
        label: None,
    }
}
