//! Check runs: one per gate, complete from its birth, with annotations at lines; or one for the whole run.

use std::fmt::Write as _;

use crate::model::call::{Annotation, Call, CheckRun};
use crate::model::check_id;
use crate::model::finding::Level;
use crate::model::outcome::Outcome;
use crate::model::report::{GateReport, Judged};
use crate::model::settings::Checks;
use crate::model::text::one_line;
use crate::publish::page::{self, Amount, Links, compared_tests, failed, failed_test, item, log_tail, reproduce};
use crate::publish::remarks::{self, Remark};
use crate::publish::words::{compared, found, headline, title, verdict};
use crate::publish::{Context, GateEnd, Posting, Publisher, RunEnd};
use crate::render::figures::count;
use crate::render::links::Address;
use crate::render::markdown::prose;

/// The row of this publisher.
pub static PUBLISHER: Publisher = Publisher {
    name: "check run",
    about: "a check run per gate as soon as it ends (or one for the run), with annotations at the lines",
    on_gate: Some(on_gate),
    on_end: Some(on_end),
};

/// The most bytes of a summary or a text (the API's limit).
pub const LIMIT: usize = 65_535;

/// The most characters of a title (the API's limit).
const TITLE: usize = 255;

/// The most characters of a failed test's message.
const MESSAGE: usize = 4000;

/// How many tests of a sort (new failures, removed, …) are named at most: the first number that fits.
const NAMED: [usize; 3] = [20, 5, 1];

/// Room for the sentence that says what is left out.
const RESERVE: usize = 2000;

const AMOUNTS: [Amount; 3] = [
    Amount { items: 20, message: 1500, everything: false },
    Amount { items: 3, message: 300, everything: false },
    Amount { items: 0, message: 0, everything: false },
];

fn on_gate(end: &GateEnd<'_>) -> Vec<Posting> {
    let wanted = end.context.settings.checks == Checks::Gates;
    wanted.then(|| of_gate(end)).flatten().map(|check| Posting::Call(Call::CheckRun(check))).into_iter().collect()
}

fn on_end(end: &RunEnd<'_>) -> Vec<Posting> {
    let wanted = end.context.settings.checks == Checks::Summary && end.left_out == 0;
    wanted.then(|| of_run(end)).flatten().map(|check| Posting::Call(Call::CheckRun(check))).into_iter().collect()
}

/// The check run of a gate; `None` when there is no commit to show it on.
#[must_use]
pub fn of_gate(end: &GateEnd<'_>) -> Option<CheckRun> {
    let gate = end.gate;
    let (shown, rest) = select(gate, end.context.settings.max_annotations);
    let (text, left) = text(gate, &rest, &end.context);
    let annotated = shown.iter().filter(|remark| remark.judged().is_some()).count();
    Some(CheckRun {
        name: end.context.check_name(gate),
        head_sha: end.context.subject.head.clone()?,
        external_id: end.external_id.to_owned(),
        already: false,
        stands_back: false,
        conclusion: conclusion(gate.outcome, gate.not_enforced(), end.cancelled),
        started_at: end.started_at.to_owned(),
        completed_at: end.completed_at.to_owned(),
        title: title(gate, TITLE),
        summary: summary(gate, annotated, left, &end.context),
        text: (!text.is_empty()).then_some(text),
        details_url: details_url(&end.context),
        annotations: shown.iter().filter_map(annotation).collect(),
    })
}

/// The check run of the whole run; `None` when there is no commit to show it on.
#[must_use]
pub fn of_run(end: &RunEnd<'_>) -> Option<CheckRun> {
    let most = end.context.settings.max_annotations;
    let mut shown: Vec<Remark<'_>> = end.report.gates.iter().flat_map(|gate| select(gate, most).0).collect();
    shown.sort_by_key(|remark| remark.rank);
    shown.truncate(most);
    Some(CheckRun {
        name: check_id::name(end.context.place, None, end.context.leg),
        head_sha: end.context.subject.head.clone()?,
        external_id: end.external_id.to_owned(),
        already: false,
        stands_back: false,
        // Where no gate is enforced, none of them makes the verdict: what is red then is no gate's.
        conclusion: conclusion(verdict(end), false, end.cancelled),
        started_at: end.report.started_at.clone(),
        completed_at: end.completed_at.to_owned(),
        title: one_line(&headline(end), TITLE),
        summary: page::whole(end, "", &AMOUNTS, LIMIT),
        text: None,
        details_url: details_url(&end.context),
        annotations: shown.iter().filter_map(annotation).collect(),
    })
}

/// GitHub counts `success`, `neutral` and `skipped` as passed: only what may not block, or had nothing to judge, is
/// posted as the latter two. What was judged before the signal came stays judged.
const fn conclusion(outcome: Outcome, not_enforced: bool, cancelled: bool) -> &'static str {
    match outcome {
        Outcome::Pass => "success",
        Outcome::Skipped => "skipped",
        Outcome::Fail | Outcome::Error if not_enforced => "neutral",
        Outcome::Error if cancelled => "cancelled",
        Outcome::Fail | Outcome::Error => "failure",
    }
}

fn details_url(context: &Context<'_>) -> Option<String> {
    let run = Address::parse(context.subject.run_url.as_deref()?)?;
    Some(run.as_str().to_owned())
}

/// What is annotated, and the findings that are not, most important first.
fn select(gate: &GateReport, most: usize) -> (Vec<Remark<'_>>, Vec<&Judged>) {
    let mut shown = Vec::new();
    let mut rest = Vec::new();
    for remark in remarks::of(gate) {
        if shown.len() < most && remark.spot.is_some() && remark.concerns_change() {
            shown.push(remark);
        } else {
            rest.extend(remark.judged());
        }
    }
    (shown, rest)
}

/// GitHub knows no line behind it.
const LAST_LINE: u32 = i32::MAX.unsigned_abs();

fn annotation(remark: &Remark<'_>) -> Option<Annotation> {
    let spot = remark.spot.as_ref()?;
    Some(Annotation {
        path: spot.path.as_str().to_owned(),
        start_line: spot.start.min(LAST_LINE),
        end_line: spot.end.min(LAST_LINE),
        start_column: spot.columns.map(|columns| columns.0),
        end_column: spot.columns.map(|columns| columns.1),
        annotation_level: match remark.level {
            Level::Note => "notice",
            Level::Warning => "warning",
            Level::Error => "failure",
        },
        message: remark.message(),
        title: Some(remark.title()),
    })
}

/// Findings, and failed tests, that are neither annotated nor listed.
#[derive(Debug, Clone, Copy, Default)]
struct Left {
    findings: usize,
    listed: usize,
    tests: usize,
}

/// The end of the log where nothing else says why, the failed tests with their messages, then the findings without an
/// annotation, as far as they fit.
fn text(gate: &GateReport, rest: &[&Judged], context: &Context<'_>) -> (String, Left) {
    let links = Links::new(context);
    let mut text = log_tail(gate, MESSAGE);
    let mut left = Left::default();
    // Once one does not fit, none of the lesser ones after it is shown.
    for case in failed(gate) {
        let block = failed_test(case, MESSAGE);
        if left.tests > 0 || text.len() + block.len() > LIMIT {
            left.tests += 1;
        } else {
            text.push_str(&block);
        }
    }
    let head = "Findings without an annotation:\n\n";
    for judged in rest {
        let block = if left.listed == 0 { format!("{head}{}", item(judged, &links)) } else { item(judged, &links) };
        if left.findings > 0 || text.len() + block.len() > LIMIT {
            left.findings += 1;
        } else {
            text.push_str(&block);
            left.listed += 1;
        }
    }
    (text, left)
}

fn summary(gate: &GateReport, annotated: usize, left: Left, context: &Context<'_>) -> String {
    let enforced = gate.free().map_or_else(String::new, |why| format!(", {why}"));
    let cached = if gate.cached { ", cached" } else { "" };
    let word = if gate.outcome == Outcome::Error { "could not judge" } else { gate.outcome.word() };
    let mut out = format!("**{word}{enforced}{cached}**: {}\n\n", prose(&gate.reason, 2000));
    out.push_str(&page::overridden(gate));
    let found = found(gate);
    if !found.is_empty() {
        let only =
            if gate.findings.is_empty() { String::new() } else { format!(" (judged: {})", prose(&gate.only, 40)) };
        let _ = write!(out, "Found: {found}{only}.\n\n");
    }
    let after = reproduce(gate, context.report_path);
    if let Some(compared) = compared(gate) {
        let _ = write!(out, "Compared with the baseline: {compared}.\n\n");
        // Their counts are said: they are named as far as they fit.
        let room = LIMIT.saturating_sub(out.len() + after.len() + RESERVE);
        let named = NAMED.into_iter().map(|most| compared_tests(gate, most)).find(|named| named.len() <= room);
        out.push_str(&named.unwrap_or_default());
    }
    out.push_str(&where_it_is(gate, annotated, left, context));
    if context.subject.dirty {
        out.push_str("The work tree had uncommitted changes: this is not the verdict on the commit alone.\n\n");
    }
    let mut dropped = 0;
    for note in &gate.notes {
        let block = format!("- {}\n", prose(note, 1000));
        if dropped > 0 || out.len() + block.len() + after.len() + RESERVE > LIMIT {
            dropped += 1;
        } else {
            out.push_str(&block);
        }
    }
    if dropped > 0 {
        let _ = writeln!(out, "- {} in {}", count(dropped, "more note"), page::place(context));
    }
    if !gate.notes.is_empty() {
        out.push('\n');
    }
    out + &after
}

/// How many findings are annotated, listed, and left out: together they are all.
fn where_it_is(gate: &GateReport, annotated: usize, left: Left, context: &Context<'_>) -> String {
    let mut out = String::new();
    if !gate.findings.is_empty() {
        let _ = write!(out, "{} annotated, {} listed below", count(annotated, "finding"), left.listed);
        if left.findings > 0 {
            let _ = write!(out, ", {} more in {}", left.findings, page::place(context));
        }
        out.push_str(".\n\n");
    }
    if left.tests > 0 {
        let _ = write!(out, "{} in {}.\n\n", count(left.tests, "more failed test"), page::place(context));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::gate::Mode;
    use crate::model::report::{Relevance, Report, TestsCompared};
    use crate::model::settings::PublishSettings;
    use crate::model::tests::CaseName;
    use crate::publish::sample::{ended, existing, finding, gate, gate_end, report};

    fn check(report: &Report, at: usize, cancelled: bool) -> CheckRun {
        ended(report, &PublishSettings::default(), |end| {
            of_gate(&GateEnd { cancelled, ..gate_end(&end, &report.gates[at]) }).unwrap()
        })
    }

    #[test]
    fn the_end_of_a_log_is_shown_however_long_its_lines_are() {
        let broken =
            GateReport { log_tail: Some(format!("before\n{}\n", "x".repeat(4090))), ..gate("b", Outcome::Fail, "", 1) };
        for limit in [300, 1500, MESSAGE] {
            let shown = log_tail(&broken, limit);
            assert!(shown.contains(&format!("before\n{}", "x".repeat(199))) && shown.len() < 300, "{shown}");
        }
    }

    #[test]
    fn a_failed_gate_is_shown_whole() {
        insta::assert_debug_snapshot!("lint", check(&report(), 0, false));
        insta::assert_debug_snapshot!("test", check(&report(), 1, false));
    }

    #[test]
    fn conclusions_are_never_greener_than_outcomes() {
        let shown = |outcome, mode, cancelled| {
            let mut report = report();
            report.gates = vec![GateReport { mode, ..gate("lint", outcome, "why", 1) }];
            let check = check(&report, 0, cancelled);
            format!("{} | {}", check.conclusion, check.title)
        };
        assert_eq!(shown(Outcome::Pass, Mode::Block, false), "success | why");
        assert_eq!(shown(Outcome::Fail, Mode::Block, false), "failure | why");
        assert_eq!(shown(Outcome::Error, Mode::Block, false), "failure | could not judge: why");
        assert_eq!(shown(Outcome::Skipped, Mode::Block, false), "skipped | skipped: why");
        assert_eq!(shown(Outcome::Error, Mode::Block, true), "cancelled | could not judge: why");
        assert_eq!(shown(Outcome::Pass, Mode::Block, true), "success | why");
        assert_eq!(shown(Outcome::Fail, Mode::Block, true), "failure | why");
        assert_eq!(shown(Outcome::Pass, Mode::Report, false), "success | not enforced: why");
        assert_eq!(shown(Outcome::Fail, Mode::Report, false), "neutral | not enforced: fail: why");
        assert_eq!(shown(Outcome::Error, Mode::Report, false), "neutral | not enforced: could not judge: why");
        assert_eq!(shown(Outcome::Skipped, Mode::Report, false), "skipped | not enforced: skipped: why");
    }

    #[test]
    fn what_was_overridden_is_neutral_and_says_who_and_why() {
        let mut report = report();
        let overridden = Some("by max: \"@all `x`\"".to_owned());
        report.gates = vec![GateReport { overridden, ..gate("lint", Outcome::Fail, "2 warnings", 1) }];
        let check = check(&report, 0, false);
        assert_eq!((check.conclusion, &*check.title), ("neutral", "overridden by max: \"@all `x`\": fail: 2 warnings"));
        assert!(
            check.summary.contains("**fail, overridden**") && check.summary.contains("Overridden, not passed: by max")
        );
        let body = ended(&report, &PublishSettings::default(), |end| page::whole(&end, "", &AMOUNTS, LIMIT));
        assert!(body.contains("❌&nbsp;fail,&nbsp;overridden") && body.contains(", 1 overridden"), "{body}");
        assert!(!body.contains("passed\n"), "{body}");
    }

    #[test]
    fn every_finding_is_annotated_listed_or_counted() {
        let mut report = report();
        let one = |line: u32| finding(Level::Warning, "x", "a.rs", line, &format!("{line} {}", "long ".repeat(50)));
        let lint = &mut report.gates[0];
        lint.findings = (1..=700).map(|line| existing(one(line))).collect();
        lint.findings.extend((1..=1500).map(one));
        lint.findings.push(Judged {
            finding: crate::model::finding::Finding { level: Level::Error, ..one(9).finding },
            ..one(7777)
        });
        lint.findings.push(Judged { relevance: Some(Relevance::Unplaced), path: None, head_line: None, ..one(5) });
        let check = check(&report, 0, false);
        assert_eq!(check.annotations.len(), 1000);
        assert_eq!((check.annotations[0].start_line, check.annotations[0].annotation_level), (7777, "failure"));
        let text = check.text.unwrap();
        let listed = text.matches("\n- ").count();
        let left = 2202 - 1000 - listed;
        let says = format!(
            "1,000 findings annotated, {listed} listed below, {left} more in `.gatepost/report.json` of [the run]"
        );
        assert!(left > 0 && check.summary.contains(&says), "{says}: {}", check.summary);
        assert!(text.len() <= LIMIT && text.len() > LIMIT - 1000);
    }

    #[test]
    fn nothing_is_longer_than_the_api_takes() {
        let mut report = report();
        let huge = "`ä\n".repeat(20_000);
        let mut tests = report.gates[1].tests.clone().unwrap();
        tests.cases.drain(..100);
        let lint = &mut report.gates[0];
        lint.reason.clone_from(&huge);
        lint.reproduce.clone_from(&huge);
        lint.log = Some(huge.clone());
        lint.notes = vec![huge.clone(); 80];
        lint.findings = vec![finding(Level::Error, &huge, "a.rs", 3, &huge)];
        lint.tests = Some(tests);
        if let Some(tests) = &mut report.gates[0].tests {
            for case in &mut tests.cases {
                (case.outcome, case.message) = (crate::model::tests::CaseOutcome::Failed, Some(huge.clone()));
            }
        }
        let names: Vec<CaseName> = (0..50)
            .map(|at| CaseName { suite: None, class: None, name: format!("{at} {}", "\u{10348}".repeat(300)) })
            .collect();
        report.gates[0].compared = Some(TestsCompared {
            new_failures: names.clone(),
            still_failing: names.clone(),
            fixed: names.clone(),
            removed: names.clone(),
            newly_skipped: names,
            older: false,
        });
        let check = check(&report, 0, false);
        assert!(
            check.summary.contains("- newly skipped: ") && check.summary.contains(" and 45 more"),
            "named as they fit"
        );
        assert!(check.title.chars().count() <= 255);
        assert!(check.summary.len() <= LIMIT, "{}", check.summary.len());
        assert!(check.text.as_ref().is_some_and(|text| text.len() <= LIMIT));
        assert!(
            check.summary.contains("more failed tests in") && check.summary.contains("more notes in"),
            "{}",
            check.summary
        );
        for annotation in &check.annotations {
            assert!(annotation.message.len() <= 64 << 10 && annotation.message.contains("more characters)"));
            assert!(annotation.title.as_ref().is_some_and(|title| title.chars().count() <= 255));
        }
    }

    #[test]
    fn annotations_stand_where_the_head_has_the_line() {
        let place = |line, end_line, column, end_column, head_line| {
            let mut report = report();
            let mut judged = finding(Level::Warning, "x", "a.rs", line, "y");
            judged.finding.end_line = end_line;
            (judged.finding.column, judged.finding.end_column, judged.head_line) = (column, end_column, head_line);
            report.gates[0].findings = vec![judged];
            let check = check(&report, 0, false);
            check.annotations.first().map(|a| (a.start_line, a.end_line, a.start_column, a.end_column))
        };
        assert_eq!(place(3, Some(3), Some(7), Some(12), Some(3)), Some((3, 3, Some(7), Some(11))));
        assert_eq!(place(3, None, Some(7), None, Some(3)), Some((3, 3, Some(7), Some(7))));
        assert_eq!(place(3, Some(5), Some(7), Some(2), Some(3)), Some((3, 5, None, None)));
        assert_eq!(place(3, Some(5), None, None, Some(9)), Some((9, 9, None, None)));
        assert_eq!(place(3, None, Some(7), Some(12), Some(9)), Some((9, 9, Some(7), Some(11))));
        assert_eq!(place(3, Some(u32::MAX), None, None, Some(3)), Some((3, 2_147_483_647, None, None)));
        assert_eq!(place(3, None, None, None, None), None);

        let mut report = report();
        let mut judged = finding(Level::Warning, "x", "a.rs", 3, "y");
        (judged.finding.line, judged.finding.end_line, judged.head_line) = (None, None, None);
        report.gates[0].findings = vec![judged];
        let check = check(&report, 0, false);
        let whole = &check.annotations[0];
        assert_eq!((whole.path.as_str(), whole.start_line, whole.end_line, whole.start_column), ("a.rs", 1, 1, None));
        assert_eq!(whole.message, "y\n(about the whole file: no line was named)");
        assert!(check.summary.contains("1 finding annotated, 0 listed below."), "{}", check.summary);
    }

    #[test]
    fn the_whole_run_is_one_check_when_asked_for() {
        let settings = PublishSettings { checks: Checks::Summary, max_annotations: 3, ..PublishSettings::default() };
        let report = report();
        ended(&report, &settings, |end| {
            assert!(on_gate(&gate_end(&end, &report.gates[0])).is_empty());
            let check = of_run(&end).unwrap();
            assert_eq!((check.name.as_str(), check.conclusion, check.annotations.len()), ("gatepost", "failure", 3));
            assert_eq!(check.title, "2 of 5 gates failed, 1 could not be judged, 1 not enforced");
            assert_eq!(on_end(&end).len(), 1);
            assert!(on_end(&RunEnd { left_out: 1, ..end }).is_empty());
        });
        ended(&report, &PublishSettings::default(), |end| assert!(on_end(&end).is_empty()));
        let mut free = report.clone();
        free.gates.iter_mut().for_each(|gate| gate.mode = Mode::Report);
        for (verdict, conclusion) in [(Outcome::Skipped, "skipped"), (Outcome::Error, "failure")] {
            free.verdict = verdict;
            assert_eq!(ended(&free, &settings, |end| of_run(&end)).unwrap().conclusion, conclusion);
        }
        let mut none = report;
        none.subject.head = None;
        ended(&none, &settings, |end| assert!(on_end(&end).is_empty()));
    }
}
