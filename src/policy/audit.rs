//! Judging an audit: what an advisory is worth, and what came of all of them. An error blocks, a warning is shown, and
//! a note was decided on by someone or stands in the base as well.

use crate::model::audit::{AdvisoryKind, Audit, AuditFinding, Bar, Standing, Weight};
use crate::model::finding::{Finding, Level};
use crate::model::gate::{Only, Rules};
use crate::model::outcome::Outcome;
use crate::model::report::{GateReport, Status};
use crate::policy::{Fingerprints, counts};

/// What an advisory is worth, wherever it stands.
pub(super) fn level(finding: &AuditFinding, bar: Bar) -> Level {
    let blocks = match finding.kind {
        _ if finding.ignored.is_some() => return Level::Note,
        AdvisoryKind::Malware => true,
        AdvisoryKind::Unmaintained => bar.unmaintained == Weight::Fail,
        AdvisoryKind::Unsound => bar.unsound == Weight::Fail,
        AdvisoryKind::Yanked => bar.yanked == Weight::Fail,
        AdvisoryKind::Notice => return Level::Note,
        AdvisoryKind::Vulnerability | AdvisoryKind::Licence => {
            finding.severity.map_or(bar.unscored == Weight::Fail, |severity| severity >= bar.fail_on)
        }
    };
    if blocks { Level::Error } else { Level::Warning }
}

/// Judges each finding of an audit that a report has by the bar that was set for it: none gets better. The gate's own
/// findings are those that are present, in their order.
pub(super) fn again(gate: &mut GateReport, only: Only, rules: &Rules) {
    let Some(audit) = &mut gate.audit else { return };
    let mut judged = gate.findings.iter_mut();
    for finding in audit.findings.iter_mut().filter(|finding| finding.standing != Some(Standing::Fixed)) {
        let level = level(finding, audit.bar);
        finding.blocking |= level >= rules.fail_on && counts(only, status(finding), None, &Finding::default());
        let Some(judged) = judged.next() else { continue };
        judged.finding.level = judged.finding.level.max(level);
        judged.blocking |= finding.blocking;
    }
}

/// What is worse than in the base is new.
fn status(finding: &AuditFinding) -> Option<Status> {
    finding.standing.map(|standing| if standing.is_added() { Status::New } else { Status::Existing })
}

/// Judges each finding of an audit; the report has them already, as those of any gate.
pub(super) fn take(report: &mut GateReport, rules: &Rules, mut audit: Audit) {
    let mut judged = report.findings.iter_mut();
    let mut identify = Fingerprints::default();
    for finding in audit.findings.iter_mut().filter(|finding| finding.standing != Some(Standing::Fixed)) {
        let Some(judged) = judged.next() else { break };
        judged.finding.level = level(finding, audit.bar);
        judged.status = status(finding);
        let counts = counts(rules.only, judged.status, judged.relevance, &judged.finding);
        judged.blocking = counts && judged.level() >= rules.fail_on;
        finding.blocking = judged.blocking;
        // Lines of some lockfiles hold the version: what is identified is the package.
        let package = format!("{} {}", finding.ecosystem, finding.package);
        judged.fingerprint = identify.next(&judged.finding, judged.path.as_ref(), None, Some(&package)).here;
    }
    let is_compared = audit.findings.iter().any(|finding| finding.standing.is_some());
    report.fixed = is_compared.then(|| audit.findings.len() - audit.present().count());
    report.audit = Some(audit);
}

/// Judges what was found.
pub(super) fn weigh(report: &GateReport, rules: &Rules) -> (Outcome, String) {
    let Some(audit) = &report.audit else { return (Outcome::Error, "nothing was audited".to_owned()) };
    let counted = || audit.findings.iter().filter(|finding| finding.blocking);
    let (undecided, blocking): (Vec<_>, Vec<_>) = counted().partition(|finding| finding.undecided);
    let words = audit.words();
    if blocking.len() > rules.max_findings {
        let new = if rules.only == Only::New { "new " } else { "" };
        let allowed = if rules.max_findings > 0 { format!(", {} allowed", rules.max_findings) } else { String::new() };
        return (Outcome::Fail, format!("{}{allowed}; {words}", named(new, &blocking)));
    }
    if let Some(first) = undecided.first() {
        let more = undecided.len() - 1;
        let others = if more > 0 { format!(" ({more} more like it)") } else { String::new() };
        let what = format!(
            "{} {:?} in {} cannot be compared with the versions of {}{others}",
            first.package, first.version, first.lockfile, first.advisory
        );
        return (Outcome::Error, what);
    }
    if let Some(missing) = not_audited(audit) {
        return (Outcome::Error, missing);
    }
    let others = report.findings.len();
    let rest = if others > 0 {
        format!(", {others} that {} not count", if others == 1 { "does" } else { "do" })
    } else {
        String::new()
    };
    (Outcome::Pass, format!("{words}{rest}"))
}

/// A pass needs something that was audited, and something to hold it against.
fn not_audited(audit: &Audit) -> Option<String> {
    let database = audit.database.as_ref();
    if audit.lockfiles.is_empty() {
        return Some("no lockfile was audited".to_owned());
    }
    if !audit.packages_only && !database.is_some_and(|database| database.asked || database.records > 0) {
        return Some("there was no record to hold the packages against".to_owned());
    }
    None
}

/// `1 new advisory: RUSTSEC-2020-0071 in time 0.1.40 (medium 6.2)`.
fn named(new: &str, blocking: &[&AuditFinding]) -> String {
    const NAMED: usize = 3;
    let one = |finding: &&AuditFinding| {
        format!("{} in {} {} ({})", finding.advisory, finding.package, finding.version, finding.severity_words())
    };
    let first: Vec<String> = blocking.iter().take(NAMED).map(one).collect();
    let more = if blocking.len() > NAMED { format!(" and {} more", blocking.len() - NAMED) } else { String::new() };
    let noun = if blocking.len() == 1 { "advisory" } else { "advisories" };
    format!("{} {new}{noun}: {}{more}", blocking.len(), first.join(", "))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::audit::{Audited, Database, Ignored, Severity};
    use crate::model::gate::{Flaky, Mode};
    use crate::model::package::Ecosystem;
    use crate::model::report::Judged;
    use crate::policy::tests::claimed;

    pub(in crate::policy) fn found(kind: AdvisoryKind, severity: Option<Severity>) -> AuditFinding {
        AuditFinding {
            advisory: "A-1".to_owned(),
            aliases: Vec::new(),
            summary: String::new(),
            ecosystem: Ecosystem::Npm,
            package: "a".to_owned(),
            version: "1.0.0".to_owned(),
            severity,
            score: None,
            score_source: None,
            kind,
            fixed_in: None,
            standing: None,
            ignored: None,
            expired: None,
            dev: false,
            undecided: false,
            path: Vec::new(),
            lockfile: "pnpm-lock.yaml".to_owned(),
            line: 7,
            remedy: None,
            blocking: false,
        }
    }

    #[test]
    fn the_bar_decides_and_malware_is_always_above_it() {
        use AdvisoryKind::{Malware, Notice, Unmaintained, Unsound, Vulnerability, Yanked};
        let default = Bar::default();
        let strict = Bar {
            fail_on: Severity::Low,
            unscored: Weight::Fail,
            unmaintained: Weight::Fail,
            unsound: Weight::Fail,
            yanked: Weight::Fail,
        };
        for (kind, severity, by_default, strictly) in [
            (Vulnerability, Some(Severity::Critical), Level::Error, Level::Error),
            (Vulnerability, Some(Severity::High), Level::Error, Level::Error),
            (Vulnerability, Some(Severity::Medium), Level::Warning, Level::Error),
            (Vulnerability, None, Level::Warning, Level::Error),
            (Unmaintained, Some(Severity::Critical), Level::Warning, Level::Error),
            (Unsound, None, Level::Warning, Level::Error),
            (Yanked, None, Level::Warning, Level::Error),
            (Notice, None, Level::Note, Level::Note),
            (Malware, None, Level::Error, Level::Error),
        ] {
            let finding = found(kind, severity);
            assert_eq!(
                (level(&finding, default), level(&finding, strict)),
                (by_default, strictly),
                "{kind:?} {severity:?}"
            );
        }
        let ignored = Some(Ignored { reason: "known".to_owned(), until: None });
        assert_eq!(level(&AuditFinding { ignored, ..found(Malware, None) }, strict), Level::Note);
    }

    fn rules(only: Only, max_findings: usize) -> Rules {
        let (fail_on, flaky, mode) = (Level::Error, Flaky::Warn, Mode::Block);
        Rules { only, fail_on, max_findings, min_tests: None, flaky, mode }
    }

    /// One finding at a line with this text, judged.
    fn judged(finding: AuditFinding, only: Only, line_text: &str) -> GateReport {
        let mut report = claimed("audit", Outcome::Pass);
        let shown = Finding { rule: Some(finding.advisory.clone()), ..Finding::default() };
        report.findings = vec![Judged {
            finding: shown,
            path: None,
            relevance: None,
            status: None,
            fingerprint: String::new(),
            blocking: false,
            line_text: Some(line_text.to_owned()),
            head_line: None,
            offer: None,
        }];
        let rules = rules(only, 0);
        let lockfiles = vec![Audited { path: finding.lockfile.clone(), packages: Vec::new() }];
        let database = Some(Database { records: 9, ..Database::default() });
        take(&mut report, &rules, Audit { lockfiles, database, findings: vec![finding], ..Audit::default() });
        (report.outcome, report.reason) = weigh(&report, &rules);
        report
    }

    #[test]
    fn only_what_is_new_or_worse_counts_on_a_change() {
        let high = || found(AdvisoryKind::Vulnerability, Some(Severity::High));
        for (standing, outcome) in [
            (Some(Standing::New), Outcome::Fail),
            (Some(Standing::Worsened), Outcome::Fail),
            (Some(Standing::Unchanged), Outcome::Pass),
            (None, Outcome::Fail),
        ] {
            let finding = AuditFinding { standing, ..high() };
            assert_eq!(judged(finding.clone(), Only::New, "").outcome, outcome, "{standing:?}");
            assert_eq!(judged(finding, Only::All, "").outcome, Outcome::Fail, "{standing:?}");
        }
        let undecided = judged(AuditFinding { undecided: true, ..high() }, Only::All, "");
        assert_eq!(undecided.outcome, Outcome::Error, "{}", undecided.reason);
        let [one, two] = ["  /a@1.0.0:", "  /a@1.0.1:"].map(|line| judged(high(), Only::All, line));
        assert_eq!(one.findings[0].fingerprint, two.findings[0].fingerprint, "a bump changes no identity");
    }

    #[test]
    fn nothing_that_was_held_against_nothing_passes() {
        let mut report = judged(found(AdvisoryKind::Notice, None), Only::All, "");
        assert_eq!(
            (report.outcome, report.reason.as_str()),
            (Outcome::Pass, "0 packages in 1 lockfile against 9 records, 1 that does not count")
        );
        let rules = rules(Only::All, 0);
        let audit = report.audit.clone().unwrap();
        for (database, lockfiles) in [
            (None, audit.lockfiles.clone()),
            (Some(Database::default()), audit.lockfiles.clone()),
            (audit.database.clone(), Vec::new()),
        ] {
            report.audit = Some(Audit { database, lockfiles, ..audit.clone() });
            assert_eq!(weigh(&report, &rules).0, Outcome::Error);
        }
        let nothing = Audit { findings: Vec::new(), ..audit };
        let report = GateReport { audit: Some(nothing), findings: Vec::new(), ..report };
        assert_eq!(weigh(&report, &rules).1, "0 packages in 1 lockfile against 9 records");
        assert_eq!(weigh(&GateReport { audit: None, ..report }, &rules).0, Outcome::Error);
    }

    #[test]
    fn the_first_three_that_block_are_named() {
        let finding = found(AdvisoryKind::Vulnerability, Some(Severity::High));
        let named = |number| super::named("new ", &vec![&finding; number]);
        assert_eq!(named(1), "1 new advisory: A-1 in a 1.0.0 (high)");
        assert_eq!(named(3), format!("3 new advisories: {}", ["A-1 in a 1.0.0 (high)"; 3].join(", ")));
        assert_eq!(named(4), format!("4 new advisories: {} and 1 more", ["A-1 in a 1.0.0 (high)"; 3].join(", ")));
    }

    #[test]
    fn the_first_that_cannot_be_decided_is_named() {
        let of = |packages: &[&str]| {
            let one = |package: &&str| AuditFinding {
                package: (*package).to_owned(),
                undecided: true,
                blocking: true,
                ..found(AdvisoryKind::Vulnerability, None)
            };
            let audit = Some(Audit { findings: packages.iter().map(one).collect(), ..Audit::default() });
            weigh(&GateReport { audit, ..claimed("audit", Outcome::Pass) }, &rules(Only::All, 0))
        };
        let says = |package, more| {
            let what =
                format!("{package} \"1.0.0\" in pnpm-lock.yaml cannot be compared with the versions of A-1{more}");
            (Outcome::Error, what)
        };
        assert_eq!(of(&["b"]), says("b", ""));
        assert_eq!(of(&["b", "c", "d"]), says("b", " (2 more like it)"));
    }

    #[test]
    fn what_the_change_mended_is_counted_where_the_base_was_looked_at() {
        let fixed = |standings: &[Option<Standing>]| {
            let high = || found(AdvisoryKind::Vulnerability, Some(Severity::High));
            let findings = standings.iter().map(|&standing| AuditFinding { standing, ..high() }).collect();
            let mut report = claimed("audit", Outcome::Pass);
            take(&mut report, &rules(Only::New, 0), Audit { findings, ..Audit::default() });
            report.fixed
        };
        let (mended, new, same) = (Some(Standing::Fixed), Some(Standing::New), Some(Standing::Unchanged));
        assert_eq!([fixed(&[]), fixed(&[None, None])], [None, None]);
        assert_eq!([fixed(&[None, new]), fixed(&[mended, same]), fixed(&[mended, mended])], [0, 1, 2].map(Some));
    }

    #[test]
    fn the_reason_says_what_is_new_and_what_is_allowed() {
        let reason = |only, allowed, number| {
            let blocking = AuditFinding { blocking: true, ..found(AdvisoryKind::Vulnerability, Some(Severity::High)) };
            let audit = Some(Audit { findings: vec![blocking; number], ..Audit::default() });
            weigh(&GateReport { audit, ..claimed("audit", Outcome::Pass) }, &rules(only, allowed)).1
        };
        let looked_at = "0 packages in 0 lockfiles";
        let named = "A-1 in a 1.0.0 (high)";
        assert!(reason(Only::All, 0, 1).starts_with(&format!("1 advisory: {named}; {looked_at}")));
        assert!(reason(Only::New, 0, 1).starts_with(&format!("1 new advisory: {named}; {looked_at}")));
        assert!(
            reason(Only::All, 1, 2).starts_with(&format!("2 advisories: {named}, {named}, 1 allowed; {looked_at}"))
        );
    }
}
