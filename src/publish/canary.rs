//! One secret in every field of a report, in every spelling: nothing that is posted shows it.

use crate::mask::Masker;
use crate::mask::canary::{PLACEMENTS, SECRET, needle, tokens};
use crate::model::call::Call;
use crate::model::report::Report;
use crate::model::secret::Secret;
use crate::model::settings::PublishSettings;
use crate::model::suggestion::Offer;
use crate::publish::sample::{carry, ended, gate_end, report};
use crate::publish::{Posting, check_run, commit_status, on_end, on_gate};

fn planted(text: &str) -> Report {
    let mut report = report();
    let text = || format!("before {text} after");
    report.notes = vec![text()];
    for gate in &mut report.gates {
        if let Some(tests) = &mut gate.tests {
            tests.cases.drain(..125);
        }
        (gate.reason, gate.reproduce, gate.log, gate.notes) = (text(), text(), Some(text()), vec![text()]);
        gate.command = vec![text()];
        for judged in &mut gate.findings {
            (judged.finding.message, judged.finding.rule) = (text(), Some(text()));
            judged.line_text = Some(text());
        }
        // What has a secret in its path is offered nowhere: one has none.
        for judged in gate.findings.iter_mut().skip(1) {
            judged.finding.path = Some(text());
            judged.path = crate::model::path::RepoPath::parse(&text()).ok();
        }
        carry(gate, &mut || text());
        // Nor is a fix that has one: of that finding only the words have.
        if let Some(Offer::Suggestion(fix)) = gate.findings.first_mut().and_then(|judged| judged.offer.as_mut()) {
            "mended\n".clone_into(&mut fix.text);
        }
        for case in gate.tests.iter_mut().flat_map(|tests| &mut tests.cases) {
            (case.name, case.class, case.suite) = (text(), Some(text()), Some(text()));
            (case.file, case.message) = (Some(text()), Some(text()));
        }
    }
    report
}

/// Everything that is posted about a run, as one text.
fn posted(report: &Report) -> String {
    let settings = PublishSettings { suggestions: true, ..PublishSettings::default() };
    ended(report, &settings, |end| {
        let gates = report.gates.iter().flat_map(|gate| on_gate(&gate_end(&end, gate)));
        let postings: Vec<Posting> = gates.chain(on_end(&end)).collect();
        let statuses = report.gates.iter().filter_map(|gate| check_run::of_gate(&gate_end(&end, gate)));
        let statuses: Vec<_> = statuses.map(|check| commit_status::instead_of(&check)).collect();
        let has = |wanted: fn(&Call) -> bool| {
            postings.iter().any(|posting| matches!(posting, Posting::Call(call) if wanted(call)))
        };
        assert!(has(|call| matches!(call, Call::StickyIssue(_))) && has(|call| matches!(call, Call::Review(_))));
        // Debug would escape what it shows and hide a leak.
        let texts: Vec<String> = postings
            .iter()
            .map(|posting| format!("{posting:#?}").replace("\\\"", "\"").replace("\\\\", "\\"))
            .collect();
        texts.concat() + &statuses.iter().map(|status| status.description.clone()).collect::<String>()
    })
}

#[test]
fn no_spelling_of_a_secret_is_posted() {
    let masker = Masker::new(&[Secret::new(SECRET.to_owned())]);
    for (how, text) in PLACEMENTS {
        let shown = posted(&masker.report(&planted(text)));
        assert!(shown.contains("***") && !shown.contains(&needle(text)), "{how}");
    }
    // These tests would see it.
    for (how, text) in &PLACEMENTS[..20] {
        assert!(posted(&planted(text)).contains(&needle(text)), "{how}");
    }
}

#[test]
fn no_token_known_by_its_shape_is_posted() {
    let masker = Masker::new([]);
    for token in tokens() {
        let body: String = token.chars().skip(token.len() / 2).take(8).collect();
        assert!(!posted(&masker.report(&planted(&token))).contains(&body), "{token}");
    }
}
