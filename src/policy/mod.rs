//! Judging: the one place that decides. Evidence, change, baseline and rules in; a gate's report out.
//! Nothing here runs, reads or posts anything.

mod additive;
mod again;
mod audit;
mod compare;
pub mod deploys;
mod due;
mod fan_in;
mod fingerprint;
mod names;
pub mod proof;
mod retry;
mod strangers;
mod tally;
#[cfg(test)]
mod tests;
pub mod unheard;
pub mod way_back;
pub mod window;

use crate::model::change::{ChangeKind, FileChange, LineRange, Scope};
use crate::model::evidence::{Evidence, Exit, Located, Place, Understood};
use crate::model::finding::Finding;
use crate::model::gate::{Flaky, Only, Rules};
use crate::model::migration::Applied;
use crate::model::outcome::Outcome;
use crate::model::path::RepoPath;
use crate::model::report::{GateReport, Judged, Relevance, Status};
use crate::model::settings::{CommandLine, Common};
use crate::model::tests::{Counts, Tests};

use crate::model::baseline::Words;
pub use crate::model::baseline::{Baseline, GateBaseline};
pub use again::{Configured, again};
use compare::compare;
use due::unseen;
pub use due::{Due, default_only, due, matches_none};
pub use fan_in::{Expected, Part, Refusal, distinct, join, of_earlier_attempts, same_subject};
pub use fingerprint::Fingerprints;
use names::names;
pub use retry::combine;
pub use strangers::{brings_secrets, may_deploy, may_publish, may_run, quote};
use tally::{Tally, elsewhere};

/// What a gate is judged against.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// The change, or why there is none.
    pub scope: &'a Scope,
    /// This gate's part of the baseline.
    pub baseline: Option<&'a GateBaseline>,
}

/// Judges one attempt of a gate.
#[must_use]
pub fn judge(common: &Common, rules: &Rules, ground: Ground<'_>, evidence: Evidence) -> GateReport {
    let mut report = blank(common, rules);
    report.took = evidence.took;
    report.attempts = u32::from(evidence.exit.is_some() || common.command.is_none());
    report.exit = evidence.exit;
    report.log = evidence.log;
    report.notes.extend(evidence.notes);
    let mut unexplained = evidence.understood.as_ref().and_then(|understood| understood.unexplained_exit.clone());
    let parsed = evidence.understood.is_some();
    if names_change(common) && ground.scope.change().is_some() {
        Only::ChangedFiles.word().clone_into(&mut report.only);
    }
    if let Some(understood) = evidence.understood {
        let is_outside = |located: &Located| located.place == Place::Outside;
        let all_outside = !understood.findings.is_empty() && understood.findings.iter().all(is_outside);
        take_findings(&mut report, rules, ground, understood);
        let failed = report.exit.is_some_and(|exit| exit != Exit::Code(0));
        unexplained =
            unexplained.or_else(|| (failed && all_outside && report.tests.is_none()).then(|| OUTSIDE.to_owned()));
        unexplained = unexplained.or_else(|| cut_short(&report, ground.baseline.filter(|_| failed)?));
    }
    (report.outcome, report.reason) = if let Some(problem) = evidence.problems.first() {
        report.notes.extend(evidence.problems[1..].iter().map(|further| further.what.clone()));
        (Outcome::Error, problem.what.clone())
    } else if let Some(why) = evidence.nothing {
        (Outcome::Skipped, why)
    } else {
        match report.exit {
            Some(Exit::Signal(signal)) => (Outcome::Error, format!("killed by signal {signal}")),
            _ if report.audit.is_some() => audit::weigh(&report, rules),
            _ if parsed => weigh(&report, rules, unexplained.as_deref()),
            Some(Exit::Code(code)) => by_exit_status(code),
            None => (Outcome::Error, "nothing was run and nothing was read".to_owned()),
        }
    };
    if report.outcome == Outcome::Pass
        && let Some(why) = unlooked(common, ground.scope)
    {
        (report.outcome, report.reason) = (Outcome::Error, why);
    }
    report.notes.extend(elsewhere(&report, rules));
    if report.outcome == Outcome::Error {
        // What was not read is not known to be gone.
        report.fixed = None;
        report.compared = None;
    }
    report
}

/// Why warnings of an interpreter, say, are no reason for a status.
const OUTSIDE: &str = "all that was found lies outside of the repository, which is no reason for it";

/// What of the change no command could have looked at, so that nothing found is no good sign.
fn unlooked(common: &Common, scope: &Scope) -> Option<String> {
    let change = scope.change().filter(|_| common.command.is_some())?;
    if let Some(path) = unseen(common, scope) {
        return Some(format!(
            "{path} is of the change and not on the disk (a sparse checkout, or an earlier step took it away): nothing could \
             look at it"
        ));
    }
    let path = change.unnameable.first().filter(|_| names_change(common))?;
    Some(format!("{path} is of the change and has a name that GATEPOST_CHANGED_FILES cannot have"))
}

/// Whether the command asks by name what has changed: it may look at no more.
fn names_change(common: &Common) -> bool {
    const NAMES: [&str; 2] = ["GATEPOST_CHANGED_FILES", "GATEPOST_BASE"];
    let asks = |text: &String| NAMES.iter().any(|name| text.contains(name));
    match &common.command {
        Some(CommandLine::Shell(text)) => asks(text),
        Some(CommandLine::Argv(words)) => words.iter().any(asks),
        None => false,
    }
}

/// A gate that was not due, or could not be started: no evidence at all.
#[must_use]
pub fn unjudged(common: &Common, rules: &Rules, outcome: Outcome, reason: String) -> GateReport {
    GateReport { outcome, reason, ..blank(common, rules) }
}

/// The worst of the enforced gates; `skipped` when nothing was enforced.
#[must_use]
pub fn verdict(gates: &[GateReport]) -> Outcome {
    gates.iter().filter(|gate| !gate.not_enforced()).map(|gate| gate.outcome).max().unwrap_or(Outcome::Skipped)
}

fn blank(common: &Common, rules: &Rules) -> GateReport {
    GateReport {
        mode: rules.mode,
        only: rules.only.word().to_owned(),
        command: common.command.as_ref().map(CommandLine::argv).unwrap_or_default(),
        notes: common.label.iter().cloned().collect(),
        ..GateReport::unjudged(common.name.clone(), common.kind.clone())
    }
}

fn take_findings(report: &mut GateReport, rules: &Rules, ground: Ground<'_>, understood: Understood) {
    let mut identify = Fingerprints::default();
    let mut seen_in_base = 0;
    let mut tally = Tally::default();
    for located in understood.findings {
        let (place, exact, anywhere) = (located.place.clone(), located.exact, located.anywhere);
        let (judged, known) = judge_finding(located, rules, ground, &mut identify);
        seen_in_base += usize::from(known);
        tally.count(&place, exact, &judged, rules);
        tally.supposed += usize::from(anywhere && judged.path.clone().is_some_and(|path| place != Place::File(path)));
        report.findings.push(judged);
    }
    report.fixed = ground.baseline.map(|baseline| baseline.len().saturating_sub(seen_in_base));
    report.compared = understood.tests.as_ref().zip(ground.baseline).and_then(|(tests, base)| compare(tests, base));
    report.tests = understood.tests.map(|tests| in_head(tests, ground.scope));
    report.migrations = understood.migrations;
    report.notes.extend(tally.notes());
    if let Some(audit) = understood.audit {
        audit::take(report, rules, audit);
    } else if rules.only == Only::New && ground.baseline.is_none() {
        report.notes.push("no baseline for this gate: every finding counts as new".to_owned());
    }
}

/// The cases with their lines in the head commit, where they have one.
fn in_head(mut tests: Tests, scope: &Scope) -> Tests {
    for case in &mut tests.cases {
        let path = case.file.as_deref().and_then(|file| RepoPath::parse(file).ok());
        case.head_line = match (scope.change(), path, case.head_line) {
            (Some(change), Some(path), Some(line)) => change.head_line(&path, line),
            (_, _, line) => line,
        };
    }
    tests
}

/// The finding judged, and whether the baseline has it.
fn judge_finding(located: Located, rules: &Rules, ground: Ground<'_>, identify: &mut Fingerprints) -> (Judged, bool) {
    let Located { finding, place, mut or_at, anywhere, exact, at_end, line_text } = located;
    let change = ground.scope.change();
    let lies = |place: &Place| relevance(ground.scope, place, &finding, at_end);
    let farness = |place: &Place| match lies(place) {
        None | Some(Relevance::ChangedLine) => 0,
        Some(Relevance::Unplaced) => 1,
        Some(Relevance::ChangedFile) => 2,
        Some(Relevance::Outside) => 3,
    };
    if let (true, Some(change), Some(path)) = (anywhere && farness(&place) > 0, change, &finding.path) {
        let is_meant = |file: &&RepoPath| finding.line.is_none() || farness(&Place::File((*file).clone())) == 0;
        or_at.extend(change.in_any_folder(path).filter(is_meant).cloned());
    }
    // Of the files that it may be in, it is in the one that the change is in.
    let nearest = or_at.into_iter().map(Place::File).min_by_key(&farness);
    let (place, line_text) = match nearest {
        Some(other) if farness(&other) < farness(&place) => (other, None),
        _ => (place, line_text),
    };
    let path = match &place {
        Place::File(path) => Some(path.clone()),
        Place::Outside | Place::Unplaced => None,
    };
    let old_path = change.zip(path.as_ref()).and_then(|(change, path)| change.files.get(path)?.old_path.as_ref());
    let print = identify.next(&finding, path.as_ref(), old_path, line_text.as_deref());
    let relevance = lies(&place);
    let known = ground.baseline.is_some_and(|baseline| baseline.has(&print.in_base));
    let in_base = old_path.or(path.as_ref()).map(RepoPath::as_str).or(finding.path.as_deref());
    // The same rule may say something else of the same line.
    let said = ground.baseline.is_some_and(|baseline| baseline.says(&Words::of(&finding, in_base)));
    // A baseline of an older commit may have what the base no longer had: then the change brought it back.
    let of_change = match relevance {
        Some(Relevance::ChangedLine) => true,
        Some(Relevance::ChangedFile) => !exact || is_of_any_line(&finding),
        _ => false,
    };
    let brought = of_change && ground.baseline.is_some_and(|baseline| baseline.older);
    let status = ground.baseline.map(|_| if known && said && !brought { Status::Existing } else { Status::New });
    let unsure = !exact && rules.only == Only::ChangedLines && relevance == Some(Relevance::ChangedFile);
    let brought_about = rules.only == Only::ChangedLines
        && relevance == Some(Relevance::ChangedFile)
        && change.zip(path.as_ref()).is_some_and(|(change, path)| names_gone(&change.files[path], &finding));
    let counts = unsure || brought_about || counts(rules.only, status, relevance, &finding);
    let head_line = match (change, &path, finding.line) {
        (Some(change), Some(path), Some(line)) => change.head_line(path, line),
        (_, _, line) => line,
    };
    let judged = Judged {
        blocking: counts && finding.level >= rules.fail_on,
        fingerprint: print.here,
        finding,
        path,
        relevance,
        status,
        line_text,
        head_line,
        offer: None,
    };
    (judged, known)
}

fn counts(only: Only, status: Option<Status>, relevance: Option<Relevance>, finding: &Finding) -> bool {
    match only {
        Only::All => true,
        Only::New => status != Some(Status::Existing),
        Only::ChangedFiles => !matches!(relevance, Some(Relevance::Outside)),
        Only::ChangedLines => match relevance {
            Some(Relevance::Outside) => false,
            Some(Relevance::ChangedFile) => is_of_any_line(finding),
            Some(Relevance::ChangedLine | Relevance::Unplaced) | None => true,
        },
    }
}

/// Whether it names what the change took away from its file: an import that is gone, the only use of a variable.
fn names_gone(file: &FileChange, finding: &Finding) -> bool {
    names(&finding.message).any(|name| file.gone.contains(name))
}

/// What is said of a whole file (a formatter's "would change") may be due to any of its lines; where a file could not be
/// parsed, what any of them would have shown is not known.
fn is_of_any_line(finding: &Finding) -> bool {
    finding.line.is_none() || finding.is_of_whole_file()
}

fn relevance(scope: &Scope, place: &Place, finding: &Finding, at_end: bool) -> Option<Relevance> {
    let change = scope.change()?;
    // What stands behind the last line is due to that one.
    let line = finding.line.map(|line| if at_end { line.saturating_sub(1) } else { line });
    Some(match place {
        Place::Unplaced => Relevance::Unplaced,
        Place::Outside => Relevance::Outside,
        Place::File(path) if !change.files.contains_key(path) => {
            // Which of the lines in a submodule are new is not known: none is passed over.
            let moved = change.submodules().any(|submodule| path.is_below(submodule));
            if moved { Relevance::Unplaced } else { Relevance::Outside }
        }
        // Be it empty, or its end a line to the tool: all of it is new.
        Place::File(path) if is_seen_anew(path, &change.files[path], finding) => Relevance::ChangedLine,
        Place::File(path) => match line {
            Some(start)
                if change.touches(path, LineRange { start, end: finding.end_line.unwrap_or(start).max(start) }) =>
            {
                Relevance::ChangedLine
            }
            _ => Relevance::ChangedFile,
        },
    })
}

/// Whether nothing that is said of a file was to be said of it before: it is new, or has an ending by which tools look at it,
/// or they speak of its name or mode, which are.
fn is_seen_anew(path: &RepoPath, file: &FileChange, finding: &Finding) -> bool {
    let ending =
        |path: &RepoPath| path.as_str().rsplit('/').next()?.rsplit_once('.').map(|(_, ending)| ending.to_owned());
    match file.kind {
        ChangeKind::Added => true,
        ChangeKind::Renamed => {
            finding.is_of_name_or_mode() || file.old_path.as_ref().is_some_and(|old| ending(old) != ending(path))
        }
        ChangeKind::Mode => finding.is_of_name_or_mode(),
        _ => false,
    }
}

/// Judges what was understood, together with the exit status: the two must agree.
fn weigh(report: &GateReport, rules: &Rules, unexplained: Option<&str>) -> (Outcome, String) {
    let tests = report.tests.as_ref().map(Tests::counts);
    let (broken, excused) = broken(report);
    let blocking = report.blocking().count();
    let too_many = blocking > rules.max_findings;
    let flaky = tests.map_or(0, |counts| counts.flaky);
    let too_flaky = flaky > 0 && rules.flaky == Flaky::Fail;
    let refused = refused(report);
    if broken > 0 || too_many || too_flaky || refused > 0 {
        let mut parts = Vec::new();
        if let Some(counts) = tests.filter(|_| broken > 0) {
            let failed = counts.failed + counts.errored;
            parts.push(format!("{failed} of {} failed{}", count(counts.ran(), "test"), which(report)));
        }
        if too_flaky {
            parts.push(format!("{} passed only on a retry", count(flaky, "test")));
        }
        if too_many {
            parts.push(blocking_words(report, blocking, rules));
        } else if refused > 0 {
            parts.push(format!("{} failed", count(refused, "migration")));
        }
        parts.extend(gone(report));
        return (Outcome::Fail, parts.join(", "));
    }
    // Where tests are a gate's findings and no more, those that are excused ran too.
    let (least, excused_here) = rules.min_tests.map_or((usize::from(tests.is_some()), 0), |least| (least, excused));
    let ran = tests.map_or(0, |counts| counts.ran()).saturating_sub(excused_here);
    if ran < least {
        return (Outcome::Error, too_few(tests.unwrap_or_default(), ran, excused_here, least));
    }
    let Some(Exit::Code(code)) = report.exit.filter(|exit| *exit != Exit::Code(0)) else {
        // What a report says against itself is no matter of the status, which may be that of a wrapper.
        return match unexplained {
            Some(why) => (Outcome::Error, why.to_owned()),
            None => (Outcome::Pass, pass_words(report, tests, blocking)),
        };
    };
    if let Some(why) = broken_off(code).or_else(|| unexplained.map(str::to_owned)) {
        return (Outcome::Error, format!("exit status {code}: {why}"));
    }
    // Findings that do not count may well be why a linter ended so; no test that passed is.
    match tests {
        Some(_) if excused == 0 => (Outcome::Error, format!("exit status {code}, but every test that ran passed")),
        None if report.findings.is_empty() => {
            (Outcome::Error, format!("exit status {code}, but its output shows no finding"))
        }
        // Said, as the status may have had another reason than they.
        _ => (Outcome::Pass, format!("{} (exit status {code})", pass_words(report, tests, blocking))),
    }
}

/// How many migrations the database refused: whatever is ignored or tolerated, that is no pass.
fn refused(report: &GateReport) -> usize {
    let migrations = report.migrations.iter().flat_map(|run| &run.migrations);
    migrations.filter(|migration| migration.outcome == Applied::Error).count()
}

/// How many broken tests count, and how many are excused.
fn broken(report: &GateReport) -> (usize, usize) {
    let cases = report.tests.iter().flat_map(|tests| &tests.cases).filter(|case| case.outcome.is_broken());
    let (excused, counting): (Vec<_>, Vec<_>) = cases.partition(|case| report.excuses(case));
    (counting.len(), excused.len())
}

/// Which of the broken tests are new.
fn which(report: &GateReport) -> String {
    report.compared.as_ref().map_or_else(String::new, |compared| {
        format!(" ({} new, {} still failing)", compared.new_failures.len(), compared.still_failing.len())
    })
}

/// Tests of the base that are not there or do not run any more: that must not go unseen.
fn gone(report: &GateReport) -> impl Iterator<Item = String> {
    let compared = report.compared.iter();
    compared.flat_map(|compared| {
        let lists = [(compared.removed.len(), "removed"), (compared.newly_skipped.len(), "newly skipped")];
        lists.into_iter().filter(|(number, _)| *number > 0).map(|(number, what)| format!("{number} {what}"))
    })
}

/// Why a run that failed as in the base may not have come to its end: it lacks tests of the base, more than it has new ones.
/// Runners stop so (`--bail`), and not all of them say it. A test that was renamed is one of each; that one was deleted looks
/// the same, and what would tell the two apart, a run to its end, is what a run that fails does not show.
fn cut_short(report: &GateReport, base: &GateBaseline) -> Option<String> {
    let (compared, before) = (report.compared.as_ref()?, base.tests.as_ref()?);
    let now = report.tests.as_ref()?.by_name();
    // What did not run took no other's place: `node --test` names a file so that ended before its tests.
    let added = now.iter().filter(|(name, share)| share.ran > 0 && !before.contains_key(name)).count();
    // Some runners call what they left out skipped.
    let missing = compared.removed.len() + compared.newly_skipped.len();
    let tests = count(missing, "test");
    (missing > added).then(|| {
        format!(
            "{tests} of the baseline did not run, as where a runner stops at a failure (`--bail`, `--fail-fast`); what was deleted \
             or skipped on purpose can be told from that once nothing fails"
        )
    })
}

fn by_exit_status(code: i32) -> (Outcome, String) {
    match (code, broken_off(code)) {
        (0, _) => (Outcome::Pass, "exit status 0".to_owned()),
        (_, Some(what)) => (Outcome::Error, format!("exit status {code}: {what}")),
        (_, None) => (Outcome::Fail, format!("exit status {code}")),
    }
}

/// What a status says by the convention of shells (and of `env`, `npm`, `timeout`:
/// <https://www.gnu.org/software/coreutils/manual/html_node/timeout-invocation.html>) of a command that did not do its
/// work: <https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_08_02>.
#[must_use]
pub fn broken_off(code: i32) -> Option<String> {
    match code {
        124 => Some("a command ran out of the time that `timeout` gave it, or ended with 255 under `xargs`".to_owned()),
        125 => Some("what was to start a command (`env`, `timeout`, `docker run`) failed itself".to_owned()),
        126 => Some("a command could not be executed".to_owned()),
        127 => Some("a command was not found".to_owned()),
        129..=159 => Some(format!("a command was killed by signal {}", code - 128)),
        _ => None,
    }
}

fn blocking_words(report: &GateReport, blocking: usize, rules: &Rules) -> String {
    let mut levels = report.blocking().map(Judged::level);
    let noun = match levels.next() {
        Some(level) if levels.all(|other| other == level) => level.word(),
        _ => "finding",
    };
    let new = if rules.only == Only::New { "new " } else { "" };
    let all_lie = |places: &[Relevance]| {
        report.blocking().all(|finding| finding.relevance.is_some_and(|it| places.contains(&it)))
    };
    let place = match rules.only {
        Only::ChangedLines if all_lie(&[Relevance::ChangedLine]) => " on changed lines",
        Only::ChangedLines | Only::ChangedFiles if all_lie(&[Relevance::ChangedLine, Relevance::ChangedFile]) => {
            " in changed files"
        }
        _ => "",
    };
    let allowed = if rules.max_findings > 0 { format!(", {} allowed", rules.max_findings) } else { String::new() };
    format!("{blocking} {new}{noun}{}{place}{allowed}", if blocking == 1 { "" } else { "s" })
}

/// Tests that fail as they did in the base are no sign that the others ran.
fn too_few(counts: Counts, ran: usize, excused: usize, least: usize) -> String {
    let skipped = (counts.skipped > 0).then(|| format!("{} skipped", counts.skipped));
    let excused = (excused > 0).then(|| format!("{excused} still failing"));
    let others: Vec<String> = skipped.into_iter().chain(excused).collect();
    let others = if others.is_empty() { String::new() } else { format!(" ({})", others.join(", ")) };
    format!("{} ran{others}, at least {least} expected", count(ran, "test"))
}

fn pass_words(report: &GateReport, tests: Option<Counts>, blocking: usize) -> String {
    let mut parts = Vec::new();
    if let Some(counts) = tests {
        parts.push(format!("{} passed", count(counts.passed, "test")));
        if counts.skipped > 0 {
            parts.push(format!("{} skipped", counts.skipped));
        }
        let failing = counts.failed + counts.errored;
        if failing > 0 {
            parts.push(format!("{failing} still failing"));
        }
        parts.extend(gone(report));
        if counts.flaky > 0 {
            parts.push(format!("{} flaky", counts.flaky));
        }
    }
    if let Some(run) = &report.migrations {
        parts.push(format!("{} applied", count(run.migrations.len(), "migration")));
    }
    let others = report.findings.len() - blocking;
    if blocking > 0 {
        parts.push(format!("{} tolerated", count(blocking, "finding")));
    }
    if others > 0 {
        parts.push(format!("{} that {} not count", count(others, "finding"), if others == 1 { "does" } else { "do" }));
    }
    if parts.is_empty() { "no findings".to_owned() } else { parts.join(", ") }
}

/// "1 finding", "2 findings".
fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
