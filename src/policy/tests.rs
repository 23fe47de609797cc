//! Every branch of judging, as tables.

mod baseline;
mod places;

use super::*;
use crate::model::change::{ChangeKind, ChangeSet, FileChange, LineMap};
use crate::model::evidence::{Problem, ProblemKind};
use crate::model::finding::{Finding, Level};
use crate::model::gate::GateName;
use crate::model::gate::Mode;
use crate::model::path::RepoPath;
use crate::model::tests::{Case, CaseOutcome, Tests};
use std::time::Duration;

use Level::{Error, Note, Warning};

fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

/// A gate as a report shows it, after one attempt with exit status 0.
pub(super) fn claimed(name: &str, outcome: Outcome) -> GateReport {
    let report = blank(&common(), &rules());
    let name = GateName::parse(name).unwrap();
    GateReport { name, outcome, reason: "claimed".to_owned(), attempts: 1, exit: Some(Exit::Code(0)), ..report }
}

/// A finding as a report shows it.
pub(super) fn shown(level: Level, blocking: bool) -> Judged {
    let located = located(level, Place::Unplaced, None);
    let ground = Ground { scope: &everything(), baseline: None };
    Judged { blocking, ..judge_finding(located, &rules(), ground, &mut Fingerprints::default()).0 }
}

fn common() -> Common {
    Common {
        command: Some(CommandLine::Argv(vec!["tool".to_owned(), "-x".to_owned()])),
        timeout: Duration::from_secs(9),
        ..Common::built_in(GateName::parse("lint").unwrap(), "lint")
    }
}

pub(super) fn rules() -> Rules {
    Rules { only: Only::All, fail_on: Warning, max_findings: 0, min_tests: None, flaky: Flaky::Warn, mode: Mode::Block }
}

/// `changed.rs` with lines 3 and 4 changed, `new.rs` moved from `old.rs` with line 1 changed.
fn change() -> Scope {
    let file = |kind, old: Option<&str>, start, end| FileChange {
        kind,
        old_path: old.map(path),
        binary: false,
        link: false,
        added: vec![LineRange { start, end }],
        gone: ["os".to_owned()].into(),
    };
    Scope::Change(ChangeSet {
        files: [
            (path("changed.rs"), file(ChangeKind::Modified, None, 3, 4)),
            (path("made.rs"), FileChange { added: Vec::new(), ..file(ChangeKind::Added, None, 1, 1) }),
            (path("new.rs"), file(ChangeKind::Renamed, Some("old.rs"), 1, 1)),
        ]
        .into(),
        ..ChangeSet::default()
    })
}

fn everything() -> Scope {
    Scope::Everything { why: "asked for".to_owned() }
}

fn located(level: Level, place: Place, line: Option<u32>) -> Located {
    let raw = match &place {
        Place::File(path) => Some(path.to_string()),
        Place::Outside => Some("/usr/include/x.h".to_owned()),
        Place::Unplaced => None,
    };
    let finding = Finding { rule: Some("r".to_owned()), level, path: raw, line, ..Finding::default() };
    Located {
        finding,
        place,
        or_at: Vec::new(),
        anywhere: false,
        exact: true,
        at_end: false,
        line_text: Some("text".to_owned()),
    }
}

fn at(level: Level, file: &str, line: u32) -> Located {
    located(level, Place::File(path(file)), Some(line))
}

fn found(findings: Vec<Located>) -> Understood {
    Understood { findings, ..Understood::default() }
}

fn ran(cases: &str) -> Understood {
    Understood { tests: Some(tests(cases)), ..Understood::default() }
}

/// One case per letter: passed, failed, errored, skipped; `y` passed after a failure.
pub(super) fn tests(cases: &str) -> Tests {
    let case = |(at, letter): (usize, char)| Case {
        suite: Some("s".to_owned()),
        class: None,
        name: format!("case {at}"),
        file: None,
        line: None,
        head_line: None,
        outcome: match letter {
            'f' => CaseOutcome::Failed,
            'e' => CaseOutcome::Errored,
            's' => CaseOutcome::Skipped,
            _ => CaseOutcome::Passed,
        },
        flaky: letter == 'y',
        took_ms: None,
        message: None,
    };
    Tests { cases: cases.chars().enumerate().map(case).collect(), took_ms: None }
}

fn evidence(exit: impl Into<Option<i32>>, understood: impl Into<Option<Understood>>) -> Evidence {
    Evidence { exit: exit.into().map(Exit::Code), understood: understood.into(), ..Evidence::default() }
}

fn ground(scope: &Scope) -> Ground<'_> {
    Ground { scope, baseline: None }
}

/// `outcome: reason`.
fn end(report: &GateReport) -> String {
    format!("{}: {}", report.outcome.word(), report.reason)
}

fn judged(rules: &Rules, evidence: Evidence) -> String {
    end(&judge(&common(), rules, ground(&everything()), evidence))
}

#[test]
fn an_exit_status_alone() {
    for (code, expected) in [
        (0, "pass: exit status 0"),
        (1, "fail: exit status 1"),
        (2, "fail: exit status 2"),
        (123, "fail: exit status 123"),
        (
            124,
            "error: exit status 124: a command ran out of the time that `timeout` gave it, or ended with 255 under `xargs`",
        ),
        (125, "error: exit status 125: what was to start a command (`env`, `timeout`, `docker run`) failed itself"),
        (126, "error: exit status 126: a command could not be executed"),
        (127, "error: exit status 127: a command was not found"),
        (128, "fail: exit status 128"),
        (129, "error: exit status 129: a command was killed by signal 1"),
        (137, "error: exit status 137: a command was killed by signal 9"),
        (159, "error: exit status 159: a command was killed by signal 31"),
        (160, "fail: exit status 160"),
        (255, "fail: exit status 255"),
        (-1, "fail: exit status -1"),
    ] {
        assert_eq!(judged(&rules(), evidence(code, None)), expected);
    }
    let nothing = Evidence::default();
    assert_eq!(judged(&rules(), nothing), "error: nothing was run and nothing was read");
    let killed = Evidence { exit: Some(Exit::Signal(11)), ..Evidence::default() };
    assert_eq!(judged(&rules(), killed), "error: killed by signal 11");
}

#[test]
fn a_command_that_asks_what_changed_is_no_evidence_for_all() {
    let of = |command: &str, scope: &Scope| {
        let common = Common { command: Some(CommandLine::Shell(command.to_owned())), ..common() };
        judge(&common, &rules(), ground(scope), evidence(0, None)).judged_everything()
    };
    let command = "! xargs grep -l BAD < $GATEPOST_CHANGED_FILES";
    assert_eq!([of(command, &change()), of(command, &everything())], [false, true]);
    assert_eq!([of("git diff $GATEPOST_BASE", &change()), of("make lint", &change())], [false, true]);
}

#[test]
fn exit_status_and_findings_must_agree() {
    let known = || found(vec![at(Note, "changed.rs", 3)]);
    let bad = || found(vec![at(Warning, "changed.rs", 3)]);
    for (code, understood, expected) in [
        (Some(0), found(vec![]), "pass: no findings"),
        (None, found(vec![]), "pass: no findings"),
        (Some(1), found(vec![]), "error: exit status 1, but its output shows no finding"),
        (Some(127), found(vec![]), "error: exit status 127: a command was not found"),
        (Some(0), known(), "pass: 1 finding that does not count"),
        (None, known(), "pass: 1 finding that does not count"),
        (Some(1), known(), "pass: 1 finding that does not count (exit status 1)"),
        (
            Some(124),
            known(),
            "error: exit status 124: a command ran out of the time that `timeout` gave it, or ended with 255 under `xargs`",
        ),
        (Some(126), known(), "error: exit status 126: a command could not be executed"),
        (Some(137), known(), "error: exit status 137: a command was killed by signal 9"),
        (Some(0), bad(), "fail: 1 warning"),
        (None, bad(), "fail: 1 warning"),
        (Some(1), bad(), "fail: 1 warning"),
        (Some(127), bad(), "fail: 1 warning"),
    ] {
        assert_eq!(judged(&rules(), evidence(code, understood)), expected, "{code:?}");
    }
    let unexplained =
        |findings| Understood { unexplained_exit: Some("the build failed".to_owned()), ..found(findings) };
    for status in [Some(0), None] {
        let judged = judged(&rules(), evidence(status, unexplained(vec![at(Note, "a", 1)])));
        assert_eq!(judged, "error: the build failed", "{status:?}");
    }
    assert_eq!(
        judged(&rules(), evidence(101, unexplained(vec![at(Note, "a", 1)]))),
        "error: exit status 101: the build failed"
    );
    let outside = || located(Note, Place::Outside, Some(3));
    let why = "error: exit status 1: all that was found lies outside of the repository, which is no reason for it";
    assert_eq!(judged(&rules(), evidence(1, found(vec![outside()]))), why);
    let beside = found(vec![outside(), at(Note, "a", 1)]);
    assert_eq!(judged(&rules(), evidence(1, beside)), "pass: 2 findings that do not count (exit status 1)");
    assert_eq!(judged(&rules(), evidence(101, unexplained(vec![at(Error, "a", 1)]))), "fail: 1 error");
    let killed = Evidence { exit: Some(Exit::Signal(9)), understood: Some(bad()), ..Evidence::default() };
    let report = judge(&common(), &rules(), ground(&everything()), killed);
    assert_eq!((end(&report).as_str(), report.findings.len()), ("error: killed by signal 9", 1));
}

#[test]
fn exit_status_and_tests_must_agree() {
    for (code, cases, least, expected) in [
        (Some(0), "ppp", 1, "pass: 3 tests passed"),
        (None, "p", 1, "pass: 1 test passed"),
        (Some(0), "pps", 1, "pass: 2 tests passed, 1 skipped"),
        (Some(0), "ppy", 1, "pass: 3 tests passed, 1 flaky"),
        (Some(1), "pp", 1, "error: exit status 1, but every test that ran passed"),
        (Some(127), "pp", 1, "error: exit status 127: a command was not found"),
        (Some(0), "ppf", 1, "fail: 1 of 3 tests failed"),
        (Some(1), "pfes", 1, "fail: 2 of 3 tests failed"),
        (Some(1), "f", 1, "fail: 1 of 1 test failed"),
        (None, "e", 1, "fail: 1 of 1 test failed"),
        (Some(0), "", 1, "error: 0 tests ran, at least 1 expected"),
        (Some(0), "ss", 1, "error: 0 tests ran (2 skipped), at least 1 expected"),
        (Some(0), "", 0, "pass: 0 tests passed"),
        (Some(1), "", 0, "error: exit status 1, but every test that ran passed"),
        (Some(0), "pp", 2, "pass: 2 tests passed"),
        (Some(0), "pps", 3, "error: 2 tests ran (1 skipped), at least 3 expected"),
        (Some(1), "f", 9, "fail: 1 of 1 test failed"),
        (Some(1), "p", 9, "error: 1 test ran, at least 9 expected"),
    ] {
        let rules = Rules { min_tests: Some(least), ..rules() };
        assert_eq!(judged(&rules, evidence(code, ran(cases))), expected, "{code:?} {cases:?} {least}");
    }
    for (cases, expected) in [
        ("", "error: 0 tests ran, at least 1 expected"),
        ("ss", "error: 0 tests ran (2 skipped), at least 1 expected"),
        ("p", "pass: 1 test passed"),
    ] {
        assert_eq!(judged(&rules(), evidence(0, ran(cases))), expected, "nothing was promised, {cases:?}");
    }
    let promised = Rules { min_tests: Some(1), ..rules() };
    assert_eq!(judged(&promised, evidence(0, found(vec![]))), "error: 0 tests ran, at least 1 expected");
    let known = Understood { tests: Some(tests("p")), ..found(vec![at(Note, "a", 1)]) };
    assert_eq!(
        judged(&promised, evidence(1, known.clone())),
        "error: exit status 1, but every test that ran passed",
        "a finding that does not count is no failed test"
    );
    assert_eq!(judged(&promised, evidence(0, known)), "pass: 1 test passed, 1 finding that does not count");
    let both = Understood { tests: Some(tests("pf")), ..found(vec![at(Error, "a", 1)]) };
    assert_eq!(judged(&promised, evidence(1, both)), "fail: 1 of 2 tests failed, 1 error");
}

#[test]
fn flaky_cases_count_under_flaky_fail() {
    let strict = Rules { flaky: Flaky::Fail, min_tests: Some(1), ..rules() };
    assert_eq!(judged(&strict, evidence(0, ran("pyy"))), "fail: 2 tests passed only on a retry");
    assert_eq!(judged(&strict, evidence(1, ran("yf"))), "fail: 1 of 2 tests failed, 1 test passed only on a retry");
    assert_eq!(judged(&strict, evidence(0, ran("pp"))), "pass: 2 tests passed");
    assert_eq!(judged(&strict, evidence(0, found(vec![]))), "error: 0 tests ran, at least 1 expected");
}

#[test]
fn a_problem_goes_before_everything_and_keeps_what_was_read() {
    let problem = |what: &str| Problem { kind: ProblemKind::Unreadable, what: what.to_owned() };
    let evidence = Evidence {
        problems: vec![problem("no report"), problem("a stale one"), problem("a third")],
        notes: vec!["left 1 process behind".to_owned()],
        took: Duration::from_millis(5),
        log: Some("logs/lint.txt".to_owned()),
        ..evidence(0, ran("f"))
    };
    let common = Common { label: Some("as detected".to_owned()), ..common() };
    let report = judge(&common, &rules(), ground(&everything()), evidence);
    assert_eq!(end(&report), "error: no report");
    assert_eq!(report.notes, ["as detected", "left 1 process behind", "a stale one", "a third"]);
    assert_eq!(report.tests, Some(tests("f")));
    assert_eq!((report.took, report.log.as_deref()), (Duration::from_millis(5), Some("logs/lint.txt")));
    assert_eq!((report.exit, report.attempts, report.cached), (Some(Exit::Code(0)), 1, false));
    assert_eq!(report.command, ["tool", "-x"]);
    assert_eq!(report.reproduce, "gatepost run lint");
    assert_eq!((report.kind.as_str(), report.only.as_str()), ("lint", "all"));
}

#[test]
fn attempts_are_counted_where_one_was_made() {
    let attempts = |common: &Common, evidence| judge(common, &rules(), ground(&everything()), evidence).attempts;
    assert_eq!(attempts(&common(), evidence(1, None)), 1);
    assert_eq!(attempts(&common(), evidence(None, None)), 0, "it could not be started");
    let reports = Common { command: None, ..common() };
    assert_eq!(attempts(&reports, evidence(None, found(vec![]))), 1);
}

#[test]
fn levels_and_tolerated_numbers() {
    let three = || found(vec![at(Note, "a", 1), at(Warning, "a", 2), at(Error, "a", 3)]);
    for (fail_on, max_findings, expected) in [
        (Note, 0, "fail: 3 findings"),
        (Note, 2, "fail: 3 findings, 2 allowed"),
        (Note, 3, "pass: 3 findings tolerated (exit status 1)"),
        (Warning, 0, "fail: 2 findings"),
        (Warning, 1, "fail: 2 findings, 1 allowed"),
        (Warning, 2, "pass: 2 findings tolerated, 1 finding that does not count (exit status 1)"),
        (Error, 0, "fail: 1 error"),
        (Error, 1, "pass: 1 finding tolerated, 2 findings that do not count (exit status 1)"),
    ] {
        let rules = Rules { fail_on, max_findings, ..rules() };
        assert_eq!(judged(&rules, evidence(1, three())), expected, "{fail_on:?} {max_findings}");
    }
    let many = found(vec![at(Warning, "a", 1), at(Warning, "a", 2), at(Note, "a", 2)]);
    assert_eq!(judged(&rules(), evidence(0, many)), "fail: 2 warnings");
}

#[test]
fn the_reason_says_what_was_counted() {
    let scope = change();
    let said = |only, levels: &[Level]| {
        let findings = levels.iter().map(|level| at(*level, "changed.rs", 3)).collect();
        let rules = Rules { only, ..rules() };
        let report = judge(&common(), &rules, ground(&scope), evidence(1, found(findings)));
        report.reason
    };
    assert_eq!(said(Only::ChangedLines, &[Warning, Warning]), "2 warnings on changed lines");
    assert_eq!(said(Only::ChangedLines, &[Warning, Error]), "2 findings on changed lines");
    assert_eq!(said(Only::ChangedFiles, &[Error]), "1 error in changed files");
    assert_eq!(said(Only::New, &[Error]), "1 new error");
    assert_eq!(said(Only::All, &[Error]), "1 error");

    let whole_file = located(Error, Place::File(path("changed.rs")), None);
    let nowhere = located(Error, Place::Unplaced, None);
    let on_line = at(Error, "changed.rs", 3);
    for (scope, only, findings, expected) in [
        (change(), Only::ChangedLines, vec![whole_file.clone()], "1 error in changed files"),
        (change(), Only::ChangedLines, vec![on_line.clone(), whole_file], "2 errors in changed files"),
        (change(), Only::ChangedLines, vec![on_line.clone(), nowhere.clone()], "2 errors"),
        (change(), Only::ChangedFiles, vec![nowhere], "1 error"),
        (everything(), Only::ChangedLines, vec![on_line.clone()], "1 error"),
        (everything(), Only::ChangedFiles, vec![on_line], "1 error"),
    ] {
        let rules = Rules { only, ..rules() };
        assert_eq!(judge(&common(), &rules, ground(&scope), evidence(1, found(findings))).reason, expected);
    }
}

#[test]
fn a_finding_keeps_what_the_tool_said() {
    let report = judge(
        &common(),
        &rules(),
        ground(&everything()),
        evidence(1, found(vec![at(Error, "a.rs", 2), located(Note, Place::Outside, None)])),
    );
    let [inside, outside] = &report.findings[..] else { panic!() };
    assert_eq!((inside.path.as_ref(), inside.line_text.as_deref()), (Some(&path("a.rs")), Some("text")));
    assert_eq!((inside.level(), inside.fingerprint.len()), (Error, 32));
    assert_eq!((outside.path.as_ref(), outside.file()), (None, Some("/usr/include/x.h")));
}

#[test]
fn the_verdict_is_the_worst_of_the_enforced_gates() {
    let gate = |outcome, mode| unjudged(&common(), &Rules { mode, ..rules() }, outcome, "why".to_owned());
    let all = [Outcome::Skipped, Outcome::Pass, Outcome::Error, Outcome::Fail];
    for (at, worst) in all.into_iter().enumerate() {
        let mut gates: Vec<_> = all[..=at].iter().map(|outcome| gate(*outcome, Mode::Block)).collect();
        gates.reverse();
        gates.push(gate(Outcome::Fail, Mode::Report));
        assert_eq!(verdict(&gates), worst);
    }
    assert_eq!(verdict(&[gate(Outcome::Fail, Mode::Report)]), Outcome::Skipped);
    assert_eq!(verdict(&[]), Outcome::Skipped);
    let shown = gate(Outcome::Error, Mode::Report);
    assert_eq!((end(&shown).as_str(), shown.mode, shown.attempts), ("error: why", Mode::Report, 0));
}
