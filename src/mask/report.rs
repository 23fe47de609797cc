//! Masks a whole report, so that no renderer or publisher sees a secret.

use std::sync::Arc;

use crate::mask::Masker;
use crate::model::audit::{Audit, AuditFinding, Audited, Database, Ignored};
use crate::model::call::{Receipt, ReceiptEnd};
use crate::model::evidence::Parsed;
use crate::model::finding::{Edit, Finding, Fix};
use crate::model::package::{Package, Way};
use crate::model::path::RepoPath;
use crate::model::report::{GateReport, Judged, Report, Subject, TestsCompared};
use crate::model::suggestion::{Offer, Unfit};
use crate::model::tests::{Case, CaseName, Tests};
use crate::model::text;

impl Masker {
    /// The report without secrets, and without escapes and invisible characters (which could split one and would be
    /// taken off by a renderer later). Gate names, kinds and commit ids are kept.
    #[must_use]
    pub fn report(&self, report: &Report) -> Report {
        Report {
            verdict: report.verdict,
            subject: Subject {
                repository: self.option(report.subject.repository.as_deref()),
                event: self.text(&report.subject.event),
                run_url: self.option(report.subject.run_url.as_deref()),
                ..report.subject.clone()
            },
            started_at: report.started_at.clone(),
            took: report.took,
            gates: report.gates.iter().map(|gate| self.gate(gate)).collect(),
            notes: self.all(&report.notes),
        }
    }

    /// As [`report`](Self::report), for one gate.
    #[must_use]
    pub fn gate(&self, gate: &GateReport) -> GateReport {
        GateReport {
            name: gate.name.clone(),
            kind: gate.kind.clone(),
            outcome: gate.outcome,
            reason: self.text(&gate.reason),
            mode: gate.mode,
            only: gate.only.clone(),
            took: gate.took,
            cached: gate.cached,
            attempts: gate.attempts,
            command: self.all(&gate.command),
            reproduce: self.text(&gate.reproduce),
            exit: gate.exit,
            log: self.option(gate.log.as_deref()),
            log_tail: self.option(gate.log_tail.as_deref()),
            findings: gate.findings.iter().map(|judged| self.judged(judged)).collect(),
            fixed: gate.fixed,
            tests: gate.tests.as_ref().map(|tests| self.tests(tests)),
            migrations: gate.migrations.as_ref().map(|run| self.migrations(run)),
            compared: gate.compared.as_ref().map(|compared| self.compared(compared)),
            audit: gate.audit.as_ref().map(|audit| self.audit(audit)),
            overridden: self.option(gate.overridden.as_deref()),
            notes: self.all(&gate.notes).into_iter().chain(self.unplaced(gate)).collect(),
        }
    }

    /// As [`report`](Self::report), for what was read of a tool's output.
    #[must_use]
    pub fn parsed(&self, parsed: &Parsed) -> Parsed {
        Parsed {
            findings: parsed.findings.iter().map(|finding| self.finding(finding)).collect(),
            tests: parsed.tests.as_ref().map(|tests| self.tests(tests)),
            notes: self.all(&parsed.notes),
            unexplained_exit: self.option(parsed.unexplained_exit.as_deref()),
            ..*parsed
        }
    }

    /// What people see of `text`, without secrets.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        self.mask(&text::clean(text)).into_owned()
    }

    /// Takes secrets out of what became of calls: a server, or a proxy before it, may answer with what it was sent.
    pub fn receipts(&self, receipts: &mut [Receipt]) {
        for receipt in receipts {
            receipt.what = self.mask(&receipt.what).into_owned();
            if let ReceiptEnd::Posted(Some(text))
            | ReceiptEnd::Unchanged(text)
            | ReceiptEnd::LeftAlone(text)
            | ReceiptEnd::Downgraded(text)
            | ReceiptEnd::Failed(text)
            | ReceiptEnd::Denied(text)
            | ReceiptEnd::WouldSend(text) = &mut receipt.end
            {
                *text = self.mask(text).into_owned();
            }
        }
    }

    /// How many findings lose their place by a secret in their path: with it go annotations and suggestions.
    fn unplaced(&self, gate: &GateReport) -> Option<String> {
        let hidden = gate.findings.iter().filter(|judged| judged.path.is_some() && self.judged(judged).path.is_none());
        let number = hidden.count();
        (number > 0).then(|| {
            let findings = if number == 1 { "1 finding is".to_owned() } else { format!("{number} findings are") };
            format!(
                "{findings} neither annotated nor offered a fix: a secret of this job is a part of the path; where it is a common \
                 word, as the password of a test database may be, choose another"
            )
        })
    }

    fn option(&self, text: Option<&str>) -> Option<String> {
        text.map(|text| self.text(text))
    }

    fn all(&self, texts: &[String]) -> Vec<String> {
        texts.iter().map(|text| self.text(text)).collect()
    }

    fn judged(&self, judged: &Judged) -> Judged {
        let finding = &judged.finding;
        let hidden =
            |path: &RepoPath| self.is_in(path.as_str()) || finding.path.as_deref().is_some_and(|raw| self.is_in(raw));
        Judged {
            finding: self.finding(finding),
            path: judged.path.clone().filter(|path| !hidden(path)),
            relevance: judged.relevance,
            status: judged.status,
            fingerprint: judged.fingerprint.clone(),
            blocking: judged.blocking,
            line_text: self.option(judged.line_text.as_deref()),
            head_line: judged.head_line,
            offer: judged.offer.as_ref().map(|offer| self.offer(offer)),
        }
    }

    fn finding(&self, finding: &Finding) -> Finding {
        Finding {
            rule: self.option(finding.rule.as_deref()),
            message: self.text(&finding.message),
            path: self.option(finding.path.as_deref()),
            folders: Arc::clone(&finding.folders),
            help: self.option(finding.help.as_deref()),
            fix: finding.fix.as_ref().map(|fix| self.fix(fix)),
            ..*finding
        }
    }

    /// A path with a secret is dropped, not masked: it would lead nowhere. The tool's own spelling of it counts too:
    /// a secret may be known in one of them only.
    fn is_in(&self, path: &str) -> bool {
        !self.find(text::clean(path).as_bytes()).is_empty()
    }

    /// The text of an edit keeps every character but secrets: it is applied, not read.
    fn fix(&self, fix: &Fix) -> Fix {
        let edit = |edit: &Edit| Edit { text: self.mask(&edit.text).into_owned(), ..*edit };
        Fix { description: self.text(&fix.description), edits: fix.edits.iter().map(edit).collect() }
    }

    /// Masked, a suggestion would be another fix.
    fn offer(&self, offer: &Offer) -> Offer {
        match offer {
            Offer::Suggestion(suggestion) if !self.find(suggestion.text.as_bytes()).is_empty() => {
                Offer::Unfit(Unfit::Secret)
            }
            other => other.clone(),
        }
    }

    fn compared(&self, compared: &TestsCompared) -> TestsCompared {
        let names = |names: &[CaseName]| {
            let mut masked: Vec<CaseName> = names.iter().map(|name| self.name(name)).collect();
            masked.sort();
            masked
        };
        TestsCompared {
            new_failures: names(&compared.new_failures),
            still_failing: names(&compared.still_failing),
            fixed: names(&compared.fixed),
            removed: names(&compared.removed),
            newly_skipped: names(&compared.newly_skipped),
            older: compared.older,
        }
    }

    fn name(&self, name: &CaseName) -> CaseName {
        let CaseName { suite, class, name } = name;
        CaseName { suite: self.option(suite.as_deref()), class: self.option(class.as_deref()), name: self.text(name) }
    }

    /// Names are kept as far as they hold no secret: whoever may choose them may hide one there.
    fn audit(&self, audit: &Audit) -> Audit {
        let finding = |finding: &AuditFinding| AuditFinding {
            advisory: self.text(&finding.advisory),
            aliases: self.all(&finding.aliases),
            summary: self.text(&finding.summary),
            package: self.text(&finding.package),
            version: self.text(&finding.version),
            fixed_in: self.option(finding.fixed_in.as_deref()),
            ignored: finding
                .ignored
                .as_ref()
                .map(|ignored| Ignored { reason: self.text(&ignored.reason), until: ignored.until.clone() }),
            path: self.all(&finding.path),
            lockfile: self.text(&finding.lockfile),
            remedy: self.option(finding.remedy.as_deref()),
            ..finding.clone()
        };
        let package = |package: &Package| Package {
            name: self.text(&package.name),
            version: self.text(&package.version),
            // No report has it.
            path: Way::default(),
            ..package.clone()
        };
        let audited = |audited: &Audited| Audited {
            path: self.text(&audited.path),
            packages: audited.packages.iter().map(package).collect(),
        };
        let database = |database: &Database| Database { sources: self.all(&database.sources), ..database.clone() };
        Audit {
            database: audit.database.as_ref().map(database),
            lockfiles: audit.lockfiles.iter().map(audited).collect(),
            findings: audit.findings.iter().map(finding).collect(),
            ..*audit
        }
    }

    fn tests(&self, tests: &Tests) -> Tests {
        let case = |case: &Case| Case {
            suite: self.option(case.suite.as_deref()),
            class: self.option(case.class.as_deref()),
            name: self.text(&case.name),
            file: self.option(case.file.as_deref()),
            message: self.option(case.message.as_deref()),
            ..*case
        };
        Tests { cases: tests.cases.iter().map(case).collect(), took_ms: tests.took_ms }
    }
}

#[cfg(test)]
mod tests {
    use super::super::canary::SECRET;
    use super::*;
    use crate::model::secret::Secret;

    #[test]
    fn a_place_that_is_lost_to_a_secret_is_said_once() {
        let masker = Masker::new(&[Secret::new("postgres".to_owned())]);
        let finding = |path: &str| Judged {
            finding: Finding { path: Some(path.to_owned()), line: Some(2), ..Finding::default() },
            path: RepoPath::parse(path).ok(),
            relevance: None,
            status: None,
            fingerprint: String::new(),
            blocking: true,
            line_text: None,
            head_line: Some(2),
            offer: None,
        };
        let name = crate::model::gate::GateName::parse("lint").unwrap();
        let findings = vec![finding("db/postgres/a.py"), finding("db/mysql/a.py")];
        let gate = GateReport { findings, ..GateReport::unjudged(name, "lint".to_owned()) };
        let shown = masker.gate(&masker.gate(&gate));
        assert_eq!(shown.findings.iter().filter(|judged| judged.path.is_some()).count(), 1);
        let [note] = &shown.notes[..] else { panic!("{:?}", shown.notes) };
        assert!(note.starts_with("1 finding is neither annotated nor offered a fix: a secret of this job"), "{note}");
    }

    #[test]
    fn what_became_of_calls_is_told_without_secrets() {
        let masker = Masker::new(&[Secret::new(SECRET.to_owned())]);
        let text = || format!("x {SECRET} y");
        let ends = [
            ReceiptEnd::Posted(Some(text())),
            ReceiptEnd::Unchanged(text()),
            ReceiptEnd::LeftAlone(text()),
            ReceiptEnd::Downgraded(text()),
            ReceiptEnd::Failed(text()),
            ReceiptEnd::Denied(text()),
            ReceiptEnd::WouldSend(text()),
        ];
        let mut receipts = ends.map(|end| Receipt { what: text(), end });
        masker.receipts(&mut receipts);
        for receipt in receipts {
            let shown = format!("{receipt:?}");
            assert_eq!(shown.matches("\"x *** y\"").count(), 2, "{shown}");
        }
    }
}
