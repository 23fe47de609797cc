//! Findings and tests against those of the base.

use super::*;

/// The fingerprints of these findings, as a report of the base would have them.
fn baseline(findings: Vec<Located>) -> GateBaseline {
    let report = judge(&common(), &rules(), ground(&everything()), evidence(0, found(findings)));
    report.findings.into_iter().map(|finding| finding.fingerprint).collect()
}

#[test]
fn the_baseline_tells_new_from_existing_and_counts_what_is_gone() {
    let base = baseline(vec![at(Warning, "a.rs", 1), at(Warning, "b.rs", 1), at(Warning, "gone.rs", 1)]);
    let scope = change();
    let ground = Ground { scope: &scope, baseline: Some(&base) };
    let now = || found(vec![at(Warning, "a.rs", 9), at(Warning, "c.rs", 1), at(Warning, "b.rs", 1)]);
    let rules = Rules { only: Only::New, ..rules() };
    let report = judge(&common(), &rules, ground, evidence(1, now()));
    let status: Vec<_> = report.findings.iter().map(|finding| finding.status.unwrap()).collect();
    assert_eq!(status, [Status::Existing, Status::New, Status::Existing]);
    assert_eq!((end(&report).as_str(), report.fixed), ("fail: 1 new warning", Some(1)));
    assert_eq!(report.notes, [""; 0]);

    let partly = Evidence {
        problems: vec![Problem { kind: ProblemKind::Unreadable, what: "no report".to_owned() }],
        ..evidence(1, now())
    };
    assert_eq!(judge(&common(), &rules, ground, partly).fixed, None, "what was not read is not known to be gone");
}

#[test]
fn what_an_older_baseline_knows_on_a_changed_line_was_brought_back() {
    let of = |older, only_on: u32| {
        let mut base = baseline(vec![at(Warning, "changed.rs", 1)]);
        base.older = older;
        let scope = change();
        let ground = Ground { scope: &scope, baseline: Some(&base) };
        let report = judge(&common(), &rules(), ground, evidence(1, found(vec![at(Warning, "changed.rs", only_on)])));
        report.findings[0].status.unwrap()
    };
    assert_eq!([of(true, 3), of(true, 9)], [Status::New, Status::Existing]);
    assert_eq!([of(false, 3), of(false, 9)], [Status::Existing; 2]);
}

#[test]
fn an_older_baseline_excuses_nothing_that_is_said_of_a_whole_file_of_the_change() {
    let mut base = baseline(vec![located(Warning, Place::File(path("changed.rs")), None)]);
    let of = |base: &GateBaseline| {
        let scope = change();
        let found = found(vec![located(Warning, Place::File(path("changed.rs")), None)]);
        let report = judge(&common(), &rules(), Ground { scope: &scope, baseline: Some(base) }, evidence(1, found));
        report.findings[0].status.unwrap()
    };
    assert_eq!(of(&base), Status::Existing);
    base.older = true;
    assert_eq!(of(&base), Status::New);
}

#[test]
fn another_message_of_the_same_rule_on_the_same_line_is_new() {
    let said = |messages: &[&str]| -> Vec<Located> {
        let of = |message: &&str| {
            let mut located = at(Warning, "a.rs", 1);
            located.finding.message = (*message).to_owned();
            located
        };
        messages.iter().map(of).collect()
    };
    let before = judge(&common(), &rules(), ground(&everything()), evidence(1, found(said(&["no a at 1", "no b"]))));
    let base = GateBaseline::from(before);
    let now = |messages: &[&str]| -> Vec<Status> {
        let scope = change();
        let ground = Ground { scope: &scope, baseline: Some(&base) };
        let report = judge(&common(), &rules(), ground, evidence(1, found(said(messages))));
        report.findings.iter().map(|finding| finding.status.unwrap()).collect()
    };
    assert_eq!(now(&["no a at 7", "no b"]), [Status::Existing; 2]);
    assert_eq!(now(&["no b"]), [Status::Existing], "the first was mended");
    assert_eq!(now(&["no c"]), [Status::New]);
}

#[test]
fn the_reason_says_what_failed_in_the_base_too_and_what_is_gone() {
    let said = |before: &str, now: &str| {
        let mut base = baseline(Vec::new());
        base.tests = Some(tests(before).by_name());
        let scope = change();
        let ground = Ground { scope: &scope, baseline: Some(&base) };
        end(&judge(&common(), &Rules { only: Only::New, ..rules() }, ground, evidence(0, ran(now))))
    };
    assert_eq!(said("ppp", "ppp"), "pass: 3 tests passed");
    assert_eq!(said("ppp", "ps"), "pass: 1 test passed, 1 skipped, 1 removed, 1 newly skipped");
    assert_eq!(said("pffe", "pfee"), "pass: 1 test passed, 3 still failing");
    assert_eq!(said("pp", "f"), "fail: 1 of 1 test failed (1 new, 0 still failing), 1 removed");
}

#[test]
fn a_run_that_fails_as_before_must_have_come_as_far() {
    let said = |before: &str, now: Tests| {
        let mut base = baseline(Vec::new());
        base.tests = Some(tests(before).by_name());
        let scope = change();
        let ground = Ground { scope: &scope, baseline: Some(&base) };
        let now = Understood { tests: Some(now), ..Understood::default() };
        end(&judge(&common(), &Rules { only: Only::New, ..rules() }, ground, evidence(1, now)))
    };
    assert_eq!(said("fpp", tests("fpp")), "pass: 2 tests passed, 1 still failing (exit status 1)");
    let cut = "error: exit status 1: 2 tests of the baseline did not run, as where a runner stops at a failure (`--bail`, \
               `--fail-fast`); what was deleted or skipped on purpose can be told from that once nothing fails";
    assert_eq!([said("fpp", tests("f")), said("fpp", tests("fss"))], [cut, cut]);
    let mut renamed = tests("fpp");
    renamed.cases[2].name = "other".to_owned();
    let mut skipped = renamed.clone();
    assert_eq!(said("fpp", renamed), "pass: 2 tests passed, 1 still failing, 1 removed (exit status 1)");
    skipped.cases[2].outcome = CaseOutcome::Skipped;
    assert_eq!(said("fpp", skipped), cut.replace("2 tests", "1 test"));
    assert_eq!(said("pp", tests("f")), "fail: 1 of 1 test failed (1 new, 0 still failing), 1 removed");
}

#[test]
fn a_rename_keeps_a_finding_existing() {
    let base = baseline(vec![at(Warning, "old.rs", 7)]);
    let rules = Rules { only: Only::New, ..rules() };
    let status = |scope: &Scope| {
        let ground = Ground { scope, baseline: Some(&base) };
        let report = judge(&common(), &rules, ground, evidence(1, found(vec![at(Warning, "new.rs", 9)])));
        (report.findings[0].status, report.fixed)
    };
    assert_eq!(status(&change()), (Some(Status::Existing), Some(0)));
    assert_eq!(status(&everything()), (Some(Status::New), Some(1)), "no rename is known");
}

#[test]
fn no_baseline_is_said_where_it_matters() {
    let notes = |only| {
        let rules = Rules { only, ..rules() };
        let report = judge(&common(), &rules, ground(&everything()), evidence(1, found(vec![at(Warning, "a", 1)])));
        assert_eq!((report.fixed, report.findings[0].status, report.outcome), (None, None, Outcome::Fail));
        report.notes
    };
    assert_eq!(notes(Only::New), ["no baseline for this gate: every finding counts as new"]);
    assert_eq!(notes(Only::All), [""; 0]);
}
