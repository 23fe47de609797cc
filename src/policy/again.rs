//! Judges a gate of a report once more by the evidence that is in the report: what it says of itself may be forged.
//! It only ever makes an outcome worse.

use crate::model::evidence::Exit;
use crate::model::finding::Level;
use crate::model::gate::{Flaky, Mode, Only, Rules};
use crate::model::migration::{Applied, Migrations};
use crate::model::outcome::Outcome;
use crate::model::report::GateReport;
use crate::policy::{audit, by_exit_status, counts, weigh};

/// What a configuration says of a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configured {
    /// Its rules.
    pub rules: Rules,
    /// `only`, where it is written there: else the report tells what it amounted to.
    pub only: Option<Only>,
}

/// Judges again. Without a configuration a gate is judged by the defaults, and by what its findings say of themselves.
/// With one an audit has the bar and the ignored findings of that configuration already.
#[must_use]
pub fn again(mut gate: GateReport, configured: Option<&Configured>) -> GateReport {
    let assumed = Rules {
        only: Only::All,
        fail_on: Level::Warning,
        max_findings: 0,
        min_tests: (gate.kind == "test").then_some(1),
        flaky: Flaky::Warn,
        mode: gate.mode,
    };
    let rules = configured.map_or(&assumed, |configured| &configured.rules);
    if let Some(configured) = configured {
        if rules.mode == Mode::Block {
            gate.mode = Mode::Block;
        }
        // Of tests all count unless the configuration says otherwise: a report cannot excuse them by itself.
        let said = Only::of_word(&gate.only).filter(|_| configured.rules.min_tests.is_none());
        let only = configured.only.or(said).unwrap_or(Only::All);
        only.word().clone_into(&mut gate.only);
        for judged in &mut gate.findings {
            let counts = counts(only, judged.status, judged.relevance, &judged.finding);
            judged.blocking |= counts && judged.level() >= rules.fail_on;
        }
        audit::again(&mut gate, only, rules);
    }
    let (outcome, reason) = judged_anew(&gate, rules);
    if outcome > gate.outcome {
        gate.reason = format!("its report says {} ({}), but shows: {reason}", gate.outcome.word(), gate.reason);
        gate.outcome = outcome;
        if outcome == Outcome::Error {
            // What was not read is not known to be gone.
            gate.fixed = None;
            gate.compared = None;
        }
    }
    gate
}

/// Whether the gate was run, and its evidence shows that there was nothing to judge.
pub(super) fn found_nothing(gate: &GateReport) -> bool {
    gate.outcome == Outcome::Skipped
        && gate.findings.is_empty()
        && match gate.kind.as_str() {
            "migrations" => gate.migrations.as_ref().is_some_and(|run| run.migrations.is_empty()),
            "audit" => gate.audit.as_ref().is_some_and(|audit| audit.lockfiles.is_empty() && audit.findings.is_empty()),
            _ => false,
        }
}

fn judged_anew(gate: &GateReport, rules: &Rules) -> (Outcome, String) {
    let read = gate.tests.is_some() || !gate.findings.is_empty();
    if gate.attempts == 0 && gate.exit.is_none() && !read {
        return match gate.outcome {
            Outcome::Skipped => (Outcome::Skipped, String::new()),
            _ => (Outcome::Error, "no attempt was made".to_owned()),
        };
    }
    match gate.exit {
        Some(Exit::Signal(signal)) => (Outcome::Error, format!("killed by signal {signal}")),
        None if !gate.command.is_empty() => (Outcome::Error, "the command did not end".to_owned()),
        Some(Exit::Code(code)) if gate.kind == "command" && !read => by_exit_status(code),
        _ if found_nothing(gate) => (Outcome::Skipped, String::new()),
        _ if gate.kind == "migrations" => applied(gate, rules),
        _ if gate.kind == "audit" => {
            let ([one, two], of) = ([weigh(gate, rules, None), audit::weigh(gate, rules)], |end: &(Outcome, _)| end.0);
            if of(&two) >= of(&one) { two } else { one }
        }
        _ => weigh(gate, rules, None),
    }
}

/// What was not run is not known to be good; the rest is in the findings.
fn applied(gate: &GateReport, rules: &Rules) -> (Outcome, String) {
    let ran = |run: &Migrations| run.migrations.iter().all(|migration| migration.outcome != Applied::NotRun);
    match &gate.migrations {
        None => (Outcome::Error, "no migration was looked at".to_owned()),
        Some(run) if !ran(run) => (Outcome::Error, "a migration was not run".to_owned()),
        Some(_) => weigh(gate, rules, None),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::audit::{AdvisoryKind, Audit, AuditFinding, Audited, Severity};
    use crate::model::migration::Migration;
    use crate::model::report::{Relevance, Status, TestsCompared};
    use crate::model::tests::Case;
    use crate::policy::audit::tests::found;
    use crate::policy::tests::{claimed, shown, tests};

    fn rules() -> Rules {
        Rules {
            only: Only::All,
            fail_on: Level::Warning,
            max_findings: 0,
            min_tests: None,
            flaky: Flaky::Warn,
            mode: Mode::Block,
        }
    }

    /// A gate that says it passed, judged without a configuration.
    fn end(change: impl FnOnce(&mut GateReport)) -> (Outcome, String) {
        let mut gate = claimed("lint", Outcome::Pass);
        change(&mut gate);
        let gate = again(gate, None);
        (gate.outcome, gate.reason)
    }

    #[test]
    fn a_pass_needs_its_evidence() {
        assert_eq!(end(|_| {}), (Outcome::Pass, "claimed".to_owned()));
        let shows = |outcome, what: &str| (outcome, format!("its report says pass (claimed), but shows: {what}"));
        assert_eq!(end(|gate| (gate.attempts, gate.exit) = (0, None)), shows(Outcome::Error, "no attempt was made"));
        assert_eq!(end(|gate| gate.exit = Some(Exit::Signal(9))), shows(Outcome::Error, "killed by signal 9"));
        assert_eq!(end(|gate| gate.exit = None), shows(Outcome::Error, "the command did not end"));
        let failed = |gate: &mut GateReport| gate.exit = Some(Exit::Code(1));
        assert_eq!(end(failed).0, Outcome::Error);
        let command = |gate: &mut GateReport| ("command".clone_into(&mut gate.kind), failed(gate));
        assert_eq!(end(|gate| _ = command(gate)), shows(Outcome::Fail, "exit status 1"));
        assert_eq!(end(|gate| gate.tests = Some(tests("pf"))), shows(Outcome::Fail, "1 of 2 tests failed"));
        let none = |gate: &mut GateReport| ("test".clone_into(&mut gate.kind), gate.tests = Some(tests("ss")));
        assert_eq!(end(|gate| _ = none(gate)), shows(Outcome::Error, "0 tests ran (2 skipped), at least 1 expected"));
        assert_eq!(end(|gate| gate.findings = vec![shown(Level::Note, true)]), shows(Outcome::Fail, "1 note"));
        assert_eq!(end(|gate| gate.findings = vec![shown(Level::Error, false)]).0, Outcome::Pass);
    }

    #[test]
    fn a_dry_run_needs_its_migrations() {
        let with = |outcome, migrations: Option<Migrations>| {
            let kind = "migrations".to_owned();
            again(GateReport { kind, command: Vec::new(), exit: None, migrations, ..claimed("db", outcome) }, None)
        };
        let whole = |outcome| {
            let migration = Migration { outcome, ..Migration::not_run("1.sql") };
            Some(Migrations { migrations: vec![migration], ..Migrations::default() })
        };
        assert_eq!(with(Outcome::Pass, whole(Applied::Ok)).reason, "claimed");
        assert_eq!(with(Outcome::Pass, whole(Applied::Error)).outcome, Outcome::Fail, "the database refused it");
        let said = with(Outcome::Pass, None);
        assert!(said.reason.ends_with("but shows: no migration was looked at"), "{}", said.reason);
        assert_eq!(
            (said.outcome, with(Outcome::Pass, whole(Applied::NotRun)).outcome),
            (Outcome::Error, Outcome::Error)
        );
        let nothing_new = with(Outcome::Skipped, Some(Migrations::default()));
        assert_eq!((nothing_new.outcome, nothing_new.reason.as_str()), (Outcome::Skipped, "claimed"));
        assert_eq!(with(Outcome::Skipped, whole(Applied::Ok)).outcome, Outcome::Pass, "it was not skipped");
        let kind = "migrations".to_owned();
        let (command, migrations) = (Vec::new(), Some(Migrations::default()));
        let claim = claimed("db", Outcome::Skipped);
        let found =
            GateReport { kind, command, exit: None, migrations, findings: vec![shown(Level::Error, true)], ..claim };
        assert_eq!(again(found, None).outcome, Outcome::Fail);
    }

    /// As gates leave it that were run and had nothing to judge.
    pub(in crate::policy) fn found_nothing_to_judge() -> [GateReport; 2] {
        let of = |kind: &str| GateReport {
            kind: kind.to_owned(),
            command: Vec::new(),
            exit: None,
            ..claimed(kind, Outcome::Skipped)
        };
        let [migrations, audit] = [of("migrations"), of("audit")];
        [
            GateReport { migrations: Some(Migrations { of_the_base: Some(3), ..Migrations::default() }), ..migrations },
            GateReport { audit: Some(Audit::default()), ..audit },
        ]
    }

    #[test]
    fn nothing_becomes_greener() {
        for outcome in [Outcome::Error, Outcome::Fail] {
            let gate = claimed("lint", outcome);
            assert_eq!(again(gate.clone(), None), gate);
        }
        let skipped = GateReport { attempts: 0, exit: None, ..claimed("lint", Outcome::Skipped) };
        assert_eq!(again(skipped.clone(), None), skipped);
        for skipped in found_nothing_to_judge() {
            assert_eq!(again(skipped.clone(), None), skipped);
            let lying = GateReport { outcome: Outcome::Pass, ..skipped.clone() };
            assert!(skipped.kind == "migrations" || again(lying, None).outcome == Outcome::Error);
            let empty = GateReport { audit: None, migrations: None, ..skipped.clone() };
            assert_eq!(again(empty, None).outcome, Outcome::Error, "nothing was looked at");
            let lying = GateReport { findings: vec![shown(Level::Error, true)], ..skipped };
            assert_eq!(again(lying, None).outcome, Outcome::Fail);
        }
        let lying = GateReport { findings: vec![shown(Level::Error, true)], ..skipped };
        assert_eq!(again(lying, None).outcome, Outcome::Error);
        // An audit that had a lockfile, or found something, had something to judge.
        let [_, skipped] = found_nothing_to_judge();
        let with = |audit| again(GateReport { audit: Some(audit), ..skipped.clone() }, None).outcome;
        let lockfiles = vec![Audited { path: "Cargo.lock".to_owned(), packages: Vec::new() }];
        assert_eq!(with(Audit { lockfiles, ..Audit::default() }), Outcome::Error);
        let findings = vec![found(AdvisoryKind::Vulnerability, Some(Severity::Critical))];
        assert_ne!(with(Audit { findings, ..Audit::default() }), Outcome::Skipped);
    }

    #[test]
    fn only_the_configuration_excuses_what_fails_in_the_base_too() {
        let cases = tests("pf");
        let still_failing = cases.cases.iter().filter(|case| case.outcome.is_broken()).map(Case::named).collect();
        let compared = Some(TestsCompared { still_failing, ..TestsCompared::default() });
        let excused = GateReport {
            kind: "test".to_owned(),
            only: "new".to_owned(),
            tests: Some(cases),
            compared,
            ..claimed("test", Outcome::Pass)
        };
        let with = |only| {
            let rules = Rules { min_tests: Some(1), ..rules() };
            again(excused.clone(), Some(&Configured { rules, only })).outcome
        };
        assert_eq!((with(Some(Only::New)), with(None), with(Some(Only::All))), {
            (Outcome::Pass, Outcome::Fail, Outcome::Fail)
        });
        let mut older = excused.clone();
        older.compared.as_mut().unwrap().older = true;
        assert_eq!(again(older, None).outcome, Outcome::Fail);
    }

    #[test]
    fn the_configuration_judges_more_strictly_only() {
        let found = GateReport { findings: vec![shown(Level::Warning, false)], ..claimed("lint", Outcome::Pass) };
        let with =
            |gate: &GateReport, rules: Rules, only| again(gate.clone(), Some(&Configured { rules, only })).outcome;
        // The report's own `only` is all: a warning would have counted.
        assert_eq!(with(&found, rules(), None), Outcome::Fail);
        assert_eq!(with(&found, Rules { fail_on: Level::Error, ..rules() }, None), Outcome::Pass);
        assert_eq!(with(&found, Rules { max_findings: 1, ..rules() }, None), Outcome::Pass);
        let mut outside = found.clone();
        (outside.findings[0].relevance, outside.findings[0].status) =
            (Some(Relevance::Outside), Some(Status::Existing));
        for only in [Only::ChangedLines, Only::ChangedFiles, Only::New] {
            assert_eq!(with(&outside, rules(), Some(only)), Outcome::Pass, "{only:?}");
            assert_eq!(with(&found, rules(), Some(only)), Outcome::Fail, "{only:?}");
        }
        let counted = GateReport { findings: vec![shown(Level::Note, true)], ..claimed("lint", Outcome::Pass) };
        assert_eq!(with(&counted, Rules { fail_on: Level::Error, ..rules() }, None), Outcome::Fail);
        // What the configuration enforces is enforced, and so is what the report says is.
        let shown = GateReport { mode: Mode::Report, ..found };
        assert_eq!(again(shown.clone(), Some(&Configured { rules: rules(), only: None })).mode, Mode::Block);
        let report = Rules { mode: Mode::Report, ..rules() };
        assert_eq!(again(shown, Some(&Configured { rules: report.clone(), only: None })).mode, Mode::Report);
        assert_eq!(again(counted, Some(&Configured { rules: report, only: None })).mode, Mode::Block);
    }

    #[test]
    fn an_audit_needs_its_packages_and_records() {
        let gate = |kind: &str, findings| GateReport {
            kind: kind.to_owned(),
            command: Vec::new(),
            exit: None,
            findings,
            ..claimed("audit", Outcome::Pass)
        };
        let said = again(gate("audit", Vec::new()), None);
        assert!(said.reason.ends_with("but shows: nothing was audited"), "{}", said.reason);
        assert_eq!(again(gate("lint", Vec::new()), None).outcome, Outcome::Pass);
        let blocked = again(gate("audit", vec![shown(Level::Error, true)]), None);
        assert_eq!(blocked.outcome, Outcome::Fail, "{}", blocked.reason);
        let advisory = AuditFinding { blocking: true, ..found(AdvisoryKind::Malware, None) };
        let audit = Some(Audit { findings: vec![advisory], ..Audit::default() });
        let both = again(GateReport { audit, ..gate("audit", vec![shown(Level::Error, true)]) }, None);
        assert!(both.reason.contains("1 advisory: A-1 in a 1.0.0"), "{}", both.reason);
    }

    #[test]
    fn an_audit_is_held_to_the_bar_of_the_configuration() {
        use crate::model::audit::{Bar, Database, Ignored, Standing};
        let with = |severity, change: fn(&mut AuditFinding), only, max_findings| {
            let mut finding = found(AdvisoryKind::Vulnerability, severity);
            change(&mut finding);
            let bar = Bar { fail_on: Severity::Medium, ..Bar::default() };
            let lockfiles = vec![Audited { path: finding.lockfile.clone(), packages: Vec::new() }];
            let database = Some(Database { records: 9, ..Database::default() });
            let audit = Some(Audit { bar, lockfiles, database, findings: vec![finding], ..Audit::default() });
            let gate = GateReport {
                kind: "audit".to_owned(),
                command: Vec::new(),
                exit: None,
                findings: vec![shown(Level::Warning, false)],
                audit,
                ..claimed("audit", Outcome::Pass)
            };
            let rules = Rules { fail_on: Level::Error, max_findings, ..rules() };
            let gate = again(gate, Some(&Configured { rules, only }));
            assert_eq!(gate.findings[0].blocking, gate.audit.unwrap().findings[0].blocking);
            gate.outcome
        };
        let (medium, new) = (Some(Severity::Medium), Some(Only::New));
        assert_eq!(with(medium, |_| {}, None, 0), Outcome::Fail);
        assert_eq!(with(medium, |_| {}, None, 1), Outcome::Pass);
        assert_eq!(with(Some(Severity::Low), |_| {}, None, 0), Outcome::Pass);
        assert_eq!(with(medium, |finding| finding.standing = Some(Standing::Unchanged), new, 0), Outcome::Pass);
        assert_eq!(with(medium, |finding| finding.standing = Some(Standing::New), new, 0), Outcome::Fail);
        let ignored = |finding: &mut AuditFinding| {
            finding.ignored = Some(Ignored { reason: "known".to_owned(), until: None });
        };
        assert_eq!(with(medium, ignored, None, 0), Outcome::Pass);
        assert_eq!(with(Some(Severity::Low), |finding| finding.blocking = true, None, 0), Outcome::Fail);
    }

    #[test]
    fn what_was_not_read_is_not_known_to_be_gone() {
        let with = |change: fn(&mut GateReport)| {
            let compared = Some(TestsCompared::default());
            let mut gate = GateReport { fixed: Some(2), compared, ..claimed("lint", Outcome::Pass) };
            change(&mut gate);
            let gate = again(gate, None);
            (gate.outcome, gate.fixed, gate.compared.is_some())
        };
        assert_eq!(with(|gate| gate.exit = None), (Outcome::Error, None, false));
        assert_eq!(with(|gate| gate.findings = vec![shown(Level::Error, true)]), (Outcome::Fail, Some(2), true));
    }
}
