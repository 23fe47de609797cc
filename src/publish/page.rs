//! The Markdown page about a run that the comment and the job summary show, and its blocks. A page is made anew with
//! less in it until it fits, so that no element is ever cut; what is left out is counted where it is missing.

use std::fmt::Write as _;

use crate::model::finding::{Fix, Level};
use crate::model::outcome::Outcome;
use crate::model::report::{GateReport, Judged, TestsCompared};
use crate::model::tests::{Case, CaseOutcome};
use crate::model::text::{clean, one_line, shorten};
use crate::publish::words::{self, compared, excused, found, headline};
use crate::publish::{Context, RunEnd, remarks};
use crate::render::figures::{count, grouped};
use crate::render::links::{Address, Site};
use crate::render::markdown::{Untrusted, prose, prose_cell};
use crate::render::terminal::elapsed;

/// How much of each gate a page shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Amount {
    /// The most findings, and the most failed tests, of one gate; 0: no details at all.
    pub items: usize,
    /// The most characters of a failed test's message.
    pub message: usize,
    /// Also what does not count, and also the details of gates that passed.
    pub everything: bool,
}

/// The most notes of a gate, and of the run.
const NOTES: usize = 20;
/// The same of the run, where there is little room.
const FEW_NOTES: usize = 3;

/// The whole page in at most `limit` bytes: with the first of `amounts` that fits, else as many rows of the table as
/// do; empty when there is no room for the headline. `opening` is ours and stands below the headline.
pub(super) fn whole(end: &RunEnd<'_>, opening: &str, amounts: &[Amount], limit: usize) -> String {
    let pages = amounts.iter().map(|amount| full(end, opening, *amount));
    pages.into_iter().find(|page| page.len() <= limit).unwrap_or_else(|| least(end, limit))
}

fn full(end: &RunEnd<'_>, opening: &str, amount: Amount) -> String {
    let report = end.report;
    let links = Links::new(&end.context);
    let mut page = format!("{}{opening}{}", head(end), TABLE_HEAD);
    page.extend(report.gates.iter().map(row));
    page.push('\n');
    page.push_str(&notes(&report.notes, if amount.items > 0 { NOTES } else { FEW_NOTES }, &place(&end.context)));
    let shown = report.gates.iter().filter(|gate| has_details(gate, amount.everything));
    if amount.items > 0 {
        page.extend(shown.map(|gate| details(gate, &links, amount, end.context.report_path)));
    } else if shown.count() > 0 {
        let _ = write!(page, "The details did not fit here: they are in {}.\n\n", place(&end.context));
    }
    page + &footer(&end.context, &links)
}

/// Headline, the first notes, and as many rows as fit, those that are not green first.
fn least(end: &RunEnd<'_>, limit: usize) -> String {
    let links = Links::new(&end.context);
    let last = footer(&end.context, &links);
    let more = |number| format!("\n{} did not fit here: see {}.\n\n", count(number, "gate"), place(&end.context));
    let mut page = head(end);
    if page.len() > limit {
        return String::new();
    }
    let said = notes(&end.report.notes, FEW_NOTES, &place(&end.context));
    let reserve = last.len() + more(usize::MAX).len();
    // They say why a run is red that no gate has made so.
    if page.len() + said.len() + TABLE_HEAD.len() + reserve <= limit {
        page.push_str(&said);
    }
    if page.len() + TABLE_HEAD.len() + reserve > limit {
        return page;
    }
    page.push_str(TABLE_HEAD);
    let mut gates: Vec<&GateReport> = end.report.gates.iter().collect();
    gates.sort_by_key(|gate| gate.outcome.is_green() || gate.not_enforced());
    let mut rows = 0;
    for line in gates.into_iter().map(row) {
        if page.len() + line.len() + reserve > limit {
            break;
        }
        page.push_str(&line);
        rows += 1;
    }
    match end.report.gates.len() - rows {
        0 => page.push('\n'),
        left => page.push_str(&more(left)),
    }
    page + &last
}

/// Where links lead, as far as their parts are known and good.
pub(super) struct Links<'a> {
    site: Option<Site>,
    context: &'a Context<'a>,
}

impl<'a> Links<'a> {
    pub(super) fn new(context: &'a Context<'a>) -> Self {
        let site = context.subject.repository.as_deref().and_then(|repository| Site::new(context.server, repository));
        Self { site, context }
    }

    fn line(&self, judged: &Judged) -> Option<Address> {
        let (site, head) = (self.site.as_ref()?, self.context.subject.head.as_ref()?);
        Some(site.line(head, judged.path.as_ref()?, judged.head_line?))
    }

    fn commit(&self) -> Option<String> {
        let head = self.context.subject.head.as_ref()?;
        let short = format!("`{}`", head.short());
        Some(self.site.as_ref().map_or_else(|| short.clone(), |site| format!("[{short}]({})", site.commit(head))))
    }
}

const TABLE_HEAD: &str = "| Gate | Outcome | Time | Found | Why |\n|:--|:--|--:|:--|:--|\n";

pub(super) const fn sign(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "✅",
        Outcome::Fail => "❌",
        Outcome::Error => "❓",
        Outcome::Skipped => "➖",
    }
}

fn head(end: &RunEnd<'_>) -> String {
    let mut out = format!("### {} {}\n\n", sign(words::verdict(end)), headline(end));
    let blocking = end.report.gates.iter().filter(|gate| !gate.outcome.is_green() && !gate.not_enforced());
    out.push_str(&reasons("", blocking));
    out.push_str(&reasons("Would have blocked if enforced: ", end.report.would_have_blocked()));
    out
}

/// Why gates are not green: the first three.
fn reasons<'a>(before: &str, gates: impl Iterator<Item = &'a GateReport>) -> String {
    // "not run: …" says by itself that it could not be judged.
    let why =
        |gate: &GateReport| if gate.was_run() { words::outcome(gate, 400) } else { words::line(&gate.reason, 400) };
    let reasons: Vec<String> = gates.map(|gate| format!("`{}`: {}", gate.name, prose(&why(gate), 200))).collect();
    if reasons.is_empty() {
        return String::new();
    }
    let more = if reasons.len() > 3 { format!("; and {} more", reasons.len() - 3) } else { String::new() };
    format!("{before}{}{more}\n\n", reasons[..reasons.len().min(3)].join("; "))
}

fn row(gate: &GateReport) -> String {
    let mut outcome = match gate.outcome {
        Outcome::Error => format!("{} could not judge", sign(gate.outcome)),
        other => format!("{} {}", sign(other), other.word()),
    };
    for label in gate.cached.then_some("cached").into_iter().chain(gate.free()) {
        let _ = write!(outcome, ", {label}");
    }
    let (found, why) = (found(gate), prose_cell(&gate.reason, 160));
    let found = if found.is_empty() { "–" } else { &found };
    let time = if gate.was_run() { elapsed(gate.took) } else { "–".to_owned() };
    let [outcome, time] = [outcome, time].map(|text| text.replace(' ', "&nbsp;"));
    format!("| `{}` | {outcome} | {time} | {found} | {why} |\n", gate.name)
}

/// The first of the notes, at most so many, and how many more there are.
fn notes(notes: &[String], most: usize, place: &str) -> String {
    let shown = notes.iter().take(most).map(|note| format!("- {}\n", prose(note, 400)));
    let mut out = shown.collect::<Vec<_>>().concat();
    if notes.len() > most {
        let _ = writeln!(out, "- {} in {place}", count(notes.len() - most, "more note"));
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

fn has_details(gate: &GateReport, everything: bool) -> bool {
    !gate.outcome.is_green()
        || gate.tests_differ()
        || (everything && !(gate.findings.is_empty() && gate.notes.is_empty() && schema(gate, 1).is_empty()))
}

fn details(gate: &GateReport, links: &Links<'_>, amount: Amount, report_path: &str) -> String {
    let found = found(gate);
    let found = if found.is_empty() { String::new() } else { format!(" · {found}") };
    let enforced = gate.free().map_or_else(String::new, |why| format!(" · {why}"));
    let sign = sign(gate.outcome);
    let mut out = format!("<details><summary>{sign} <code>{}</code>{found}{enforced}</summary>\n\n", gate.name);
    out.push_str(&overridden(gate));
    if gate.reason.chars().count() > 160 {
        let _ = write!(out, "{}\n\n", prose(&gate.reason, 1000));
    }
    if let Some(compared) = compared(gate) {
        let _ = write!(out, "Compared with the baseline: {compared}.\n\n{}", compared_tests(gate, amount.items));
    }
    let (listed, left) = findings(gate, links, amount);
    out.push_str(&listed);
    out.push_str(&more_findings(gate, left, report_path));
    out.push_str(&failed_tests(gate, amount, report_path));
    out.push_str(&log_tail(gate, amount.message));
    out.push_str(&schema(gate, amount.items));
    out.push_str(&notes(&gate.notes, NOTES, &Untrusted(report_path).code(200)));
    out.push_str(&reproduce(gate, report_path));
    out + "</details>\n\n"
}

/// Who has overridden it and why: a page of its own words.
pub(super) fn overridden(gate: &GateReport) -> String {
    let by = gate.overridden.as_ref();
    by.map_or_else(String::new, |by| format!("Overridden, not passed: {}\n\n", prose(by, 700)))
}

/// The tests that differ from the base's, by name, at most so many of each sort.
pub(super) fn compared_tests(gate: &GateReport, most: usize) -> String {
    let mut out = String::new();
    for (word, names) in gate.compared.iter().flat_map(TestsCompared::lists) {
        let shown: Vec<String> = names.iter().take(most).map(|name| Untrusted(&name.to_string()).code(200)).collect();
        let more =
            if names.len() > most { format!(" and {} more", grouped(names.len() - most)) } else { String::new() };
        let _ = writeln!(out, "- {word}: {}{more}", shown.join(", "));
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

/// What migrations make of the schema, at most so many changes.
fn schema(gate: &GateReport, most: usize) -> String {
    let Some(run) = gate.migrations.as_ref().filter(|run| most > 0 && !run.schema_summary.is_empty()) else {
        return String::new();
    };
    let mut out = "The schema after it:\n\n".to_owned();
    for line in run.schema_summary.iter().take(most) {
        let _ = writeln!(out, "- {}", Untrusted(line).code(200));
    }
    let more = run.schema_summary.len().saturating_sub(most);
    if more > 0 {
        let _ = writeln!(out, "- and {} more", grouped(more));
    }
    out.push('\n');
    out
}

/// The list, and how many that count and that do not are not in it.
fn findings(gate: &GateReport, links: &Links<'_>, amount: Amount) -> (String, (usize, usize)) {
    let mut left = (0, 0);
    let mut out = String::new();
    let mut shown = 0;
    for judged in remarks::of(gate).iter().filter_map(remarks::Remark::judged) {
        if shown < amount.items && (judged.blocking || amount.everything) {
            out.push_str(&item(judged, links));
            shown += 1;
        } else if judged.blocking {
            left.0 += 1;
        } else {
            left.1 += 1;
        }
    }
    if shown > 0 {
        out.push('\n');
    }
    (out, left)
}

/// One finding as a list item, with a line end.
pub(super) fn item(judged: &Judged, links: &Links<'_>) -> String {
    let finding = &judged.finding;
    let level = match finding.level {
        Level::Error => "**error**",
        Level::Warning => "**warning**",
        Level::Note => "note",
    };
    let numbers = match (finding.line, finding.column) {
        (Some(line), Some(column)) => format!(":{line}:{column}"),
        (Some(line), None) => format!(":{line}"),
        (None, _) => String::new(),
    };
    let place = judged.file().map_or_else(String::new, |file| {
        let text = Untrusted(&format!("{file}{numbers}")).code(200);
        match links.line(judged) {
            Some(address) => format!(" [{text}]({address})"),
            None => format!(" {text}"),
        }
    });
    let rule = finding.rule.as_ref().map_or_else(String::new, |rule| format!(" ({})", Untrusted(rule).code(100)));
    let excused = excused(judged).map_or_else(String::new, |why| format!(" — {why}"));
    let mut said = finding.message.trim().lines();
    let message = Untrusted(said.next().unwrap_or_default()).code(300);
    let more = if said.next().is_some() { " …" } else { "" };
    let fix = finding.fix.as_ref().map_or_else(String::new, |fix| format!(" · fix: {}", mended(fix, &finding.message)));
    format!("- {level}{place} {message}{more}{rule}{excused}{fix}\n")
}

/// What a fix does: in the tool's words unless those are the message's, and by its text where that is one line.
fn mended(fix: &Fix, message: &str) -> String {
    let words = Some(fix.description.trim()).filter(|words| *words != message.trim()).unwrap_or_default();
    let text = match &fix.edits[..] {
        [edit] if !edit.text.trim().contains('\n') => edit.text.trim(),
        _ => "",
    };
    let code = |text: &str| Untrusted(&one_line(text, 200)).code(200);
    match (words, text) {
        ("", "") => "the tool offers one".to_owned(),
        (words, text) if words.contains(text) => code(words),
        ("", text) => code(text),
        (words, text) => code(&format!("{words}: {text}")),
    }
}

fn more_findings(gate: &GateReport, (blocking, others): (usize, usize), report_path: &str) -> String {
    let mut parts = Vec::new();
    if blocking > 0 {
        parts.push(format!("{} more that count", grouped(blocking)));
    }
    if others > 0 {
        let of = |why| gate.findings.iter().filter(|judged| excused(judged) == Some(why)).count();
        let whys: Vec<String> = ["existing", "outside the change", "not on a changed line"]
            .iter()
            .filter(|why| of(why) > 0)
            .map(|why| format!("{} {why}", grouped(of(why))))
            .collect();
        let (noun, verb) = if blocking > 0 { (grouped(others), "") } else { (count(others, "finding"), " count") };
        let whys = if whys.is_empty() { String::new() } else { format!(" ({})", whys.join(", ")) };
        parts.push(format!("{noun} that {} not{verb}{whys}", if others == 1 { "does" } else { "do" }));
    }
    if parts.is_empty() {
        return String::new();
    }
    format!("Not shown here: {}; all are in {}.\n\n", parts.join(" and "), Untrusted(report_path).code(200))
}

/// The failed tests of a gate with their messages, and how many are not shown.
pub(super) fn failed_tests(gate: &GateReport, amount: Amount, report_path: &str) -> String {
    let failed = failed(gate);
    let mut out: String = failed.iter().take(amount.items).map(|case| failed_test(case, amount.message)).collect();
    if failed.len() > amount.items {
        let more = count(failed.len() - amount.items, "more failed test");
        let _ = write!(out, "Not shown here: {more}; all are in {}.\n\n", Untrusted(report_path).code(200));
    }
    out
}

/// The test cases that failed or could not be run to their end.
pub(super) fn failed(gate: &GateReport) -> Vec<&Case> {
    let cases = gate.tests.iter().flat_map(|tests| &tests.cases);
    cases.filter(|case| case.outcome.is_broken()).collect()
}

/// The last lines of the log, together at most `limit` characters, where nothing else says why it is not green.
pub(super) fn log_tail(gate: &GateReport, limit: usize) -> String {
    let tail = clean(gate.log_tail.as_deref().unwrap_or_default());
    let mut room = limit;
    let fits = |line: &String| {
        room = room.saturating_sub(line.chars().count() + 1);
        room > 0
    };
    let shown = tail.trim().lines().rev().map(|line| shorten(line, 200));
    let mut lines: Vec<String> = shown.take_while(fits).collect();
    if lines.is_empty() {
        return String::new();
    }
    lines.reverse();
    format!("The end of its log:\n\n{}\n", Untrusted(&lines.join("\n")).fence("text", limit))
}

/// One failed test with its message in a fence.
pub(super) fn failed_test(case: &Case, limit: usize) -> String {
    let word = if case.outcome == CaseOutcome::Failed { "failed" } else { "did not end" };
    let group = case.class.as_deref().or(case.suite.as_deref()).filter(|group| !group.is_empty());
    let name = group.map_or_else(|| case.name.clone(), |group| format!("{group} › {}", case.name));
    let place = match (&case.file, case.line) {
        (Some(file), Some(line)) => format!(" in {}", Untrusted(&format!("{file}:{line}")).code(200)),
        (Some(file), None) => format!(" in {}", Untrusted(file).code(200)),
        _ => String::new(),
    };
    let message = case.message.as_deref().filter(|text| !text.trim().is_empty());
    let message = message.map_or_else(String::new, |text| Untrusted(text).fence("text", limit) + "\n");
    format!("**{word}**: {}{place}\n\n{message}", Untrusted(&name).code(300))
}

/// How to run the gate again, and where its log is: in a folder beside the report.
pub(super) fn reproduce(gate: &GateReport, report_path: &str) -> String {
    let folder = report_path.rsplit_once('/').map_or_else(String::new, |(folder, _)| format!("{folder}/"));
    let log = gate.log.as_ref().map_or_else(String::new, |log| {
        let log = format!("{folder}{log}");
        format!(" (log: {})", Untrusted(&log).code(200))
    });
    if gate.reproduce.is_empty() {
        return String::new();
    }
    format!("Reproduce{log}:\n\n{}\n", Untrusted(&gate.reproduce).fence("sh", 1000))
}

/// Where a person finds everything.
pub(super) fn place(context: &Context<'_>) -> String {
    let file = Untrusted(context.report_path).code(200);
    match context.subject.run_url.as_deref().and_then(Address::parse) {
        Some(run) => format!("{file} of [the run]({run})"),
        None => file,
    }
}

fn footer(context: &Context<'_>, links: &Links<'_>) -> String {
    let mut parts = vec![format!("gatepost {}", context.version)];
    if let Some(commit) = links.commit() {
        let against = context.subject.base.as_ref().map(|base| format!(" against `{}`", base.short()));
        let dirty = if context.subject.dirty { " with uncommitted changes" } else { "" };
        parts.push(format!("judged {commit}{dirty}{}", against.unwrap_or_default()));
    }
    parts.push(format!("whole report: {}", place(context)));
    format!("<sub>{}</sub>\n", parts.join(" · "))
}
