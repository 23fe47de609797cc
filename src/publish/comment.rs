//! The one comment of a pull request: the verdict, a table of the gates, and folded details of those that are not
//! green.

use crate::model::call::{Call, StickyComment};
use crate::model::settings::CommentWhen;
use crate::publish::page::{Amount, whole};
use crate::publish::words::verdict;
use crate::publish::{Posting, Publisher, RunEnd};

/// The row of this publisher.
pub static PUBLISHER: Publisher = Publisher {
    name: "comment",
    about: "one comment on the pull request, updated in place; by default made only when the run is not green, or would not be if every gate were enforced",
    on_gate: None,
    on_end: Some(on_end),
};

/// The most bytes of a body. GitHub takes 65,536 characters; the rest is room for the marker.
pub const LIMIT: usize = 60_000;

/// Names the comment of a workflow's gates by one configuration, by its place in the repository: what another one says of the
/// same pull request stands beside it.
#[must_use]
pub fn key(workflow: Option<&str>, config: &str) -> String {
    let both = format!("{}\n{config}", workflow.unwrap_or_default());
    format!("gatepost-{}", &blake3::hash(both.as_bytes()).to_hex()[..8])
}

const AMOUNTS: [Amount; 4] = [
    Amount { items: 20, message: 1500, everything: false },
    Amount { items: 8, message: 800, everything: false },
    Amount { items: 3, message: 300, everything: false },
    Amount { items: 0, message: 0, everything: false },
];

fn on_end(end: &RunEnd<'_>) -> Vec<Posting> {
    plan(end).map(|comment| Posting::Call(Call::StickyComment(comment))).into_iter().collect()
}

/// The comment; `None` when it is switched off, when there is no pull request or commit to speak of, and for a run that
/// left gates of the configuration out: its word would stand for all of them.
#[must_use]
pub fn plan(end: &RunEnd<'_>) -> Option<StickyComment> {
    let (subject, when) = (end.context.subject, end.context.settings.comment);
    if when == CommentWhen::Off || end.left_out > 0 {
        return None;
    }
    let verdict = verdict(end);
    // What would have blocked is said before it does.
    let green = verdict.is_green() && end.report.would_have_blocked().next().is_none();
    let recovered = green && when == CommentWhen::WhenNotGreen;
    // Such a comment is only ever updated: there is one because an earlier run was not green.
    let opening = if recovered { "Green now: an earlier run of this pull request was not.\n\n" } else { "" };
    Some(StickyComment {
        pull_request: subject.pull_request?,
        head_sha: subject.head.clone()?,
        marker: end.comment_key.to_owned(),
        generation: end.generation,
        job: end.by.job.clone(),
        made: end.by.made.clone(),
        verdict,
        green,
        body: whole(end, opening, &AMOUNTS, LIMIT),
        create: !recovered,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::outcome::Outcome;
    use crate::model::report::{GateReport, Report};
    use crate::model::settings::PublishSettings;
    use crate::publish::sample::{ended, finding, gate, report};

    #[test]
    fn a_run_reads_well() {
        let comment = ended(&report(), &PublishSettings::default(), |end| plan(&end)).unwrap();
        assert!(comment.create);
        insta::assert_snapshot!(comment.body);
    }

    #[test]
    fn green_only_updates_and_says_that_it_recovered() {
        let mut green = report();
        green.gates.retain(|gate| gate.outcome.is_green());
        green.verdict = Outcome::Pass;
        let comment = ended(&green, &PublishSettings::default(), |end| plan(&end)).unwrap();
        assert!(!comment.create);
        insta::assert_snapshot!(comment.body);
        let always = PublishSettings { comment: CommentWhen::Always, ..PublishSettings::default() };
        let comment = ended(&green, &always, |end| plan(&end)).unwrap();
        assert!(comment.create && !comment.body.contains("Green now"));
        let off = PublishSettings { comment: CommentWhen::Off, ..PublishSettings::default() };
        assert_eq!(ended(&green, &off, |end| plan(&end)), None);
        assert_eq!(ended(&report(), &always, |end| plan(&RunEnd { left_out: 1, ..end })), None);
    }

    #[test]
    fn every_workflow_and_configuration_has_a_comment_of_its_own() {
        let one = key(Some(".github/workflows/ci.yml"), "gatepost.toml");
        assert_eq!(one, key(Some(".github/workflows/ci.yml"), "gatepost.toml"));
        for (workflow, config) in
            [(None, "gatepost.toml"), (Some("ci"), "gatepost.toml"), (Some("ci"), "web/gatepost.toml")]
        {
            assert_ne!(one, key(workflow, config));
        }
    }

    #[test]
    fn it_is_never_greener_than_its_gates_or_a_signal() {
        let mut lying = report();
        lying.verdict = Outcome::Pass;
        let body = ended(&lying, &PublishSettings::default(), |end| plan(&end)).unwrap().body;
        assert!(body.starts_with("### ❌ 2 of 5 gates failed, 1 could not be judged"), "{body}");
        let mut green = report();
        green.gates.retain(|gate| gate.outcome.is_green());
        green.verdict = Outcome::Pass;
        let comment =
            ended(&green, &PublishSettings::default(), |end| plan(&RunEnd { cancelled: true, ..end })).unwrap();
        assert!(comment.create && comment.body.starts_with("### ❓"), "{}", comment.body);
    }

    #[test]
    fn the_first_notes_are_shown_however_many_there_are() {
        let mut noted = report();
        noted.notes = vec!["not there: lint; its job did not run, or left no report".to_owned()];
        noted.notes.extend((0..1000).map(|at| format!("{at} {}", "`x`, ".repeat(100))));
        noted.gates[0].notes.clone_from(&noted.notes);
        let shows = |report: &Report| {
            let body = ended(report, &PublishSettings::default(), |end| plan(&end)).unwrap().body;
            assert!(body.len() <= LIMIT && body.contains("- not there: lint; its job did not run"), "{body}");
            assert!(!body.contains("0 gates") && !body.contains("\n- 20 "), "{body}");
            body
        };
        assert_eq!(shows(&noted).matches("- 981 more notes in `.gatepost/report.json`").count(), 2);
        noted.gates.iter_mut().for_each(|gate| gate.reason = "why, ".repeat(60));
        let one = noted.gates[1].clone();
        noted.gates.extend(vec![one; 400]);
        let least = shows(&noted);
        assert!(least.contains("- 998 more notes in") && least.contains("gates did not fit here"), "{least}");
    }

    #[test]
    fn it_shrinks_step_by_step_and_says_so() {
        let mut big = report();
        let backticks = "`".repeat(200);
        big.gates[0].findings =
            (1..=100).map(|line| finding(crate::model::finding::Level::Error, "x", "a.rs", line, &backticks)).collect();
        let one = ended(&big, &PublishSettings::default(), |end| plan(&end)).unwrap().body;
        assert!(one.contains("Not shown here: 80 more that count; all are in `.gatepost/report.json`."), "{one}");
        // Every gate with as much: fewer each, then none, then not even all rows.
        for (gates, says) in [
            (6, "92 more that count"),
            (14, "97 more that count"),
            (100, "The details did not fit"),
            (400, "gates did not fit here"),
        ] {
            let mut run = report();
            run.gates = (0..gates)
                .map(|at| GateReport {
                    name: gate(&format!("gate-{at}"), Outcome::Fail, "", 1).name,
                    ..big.gates[0].clone()
                })
                .collect();
            for gate in &mut run.gates {
                gate.reason = "why, ".repeat(60);
            }
            let body = ended(&run, &PublishSettings::default(), |end| plan(&end)).unwrap().body;
            assert!(body.len() <= LIMIT && body.contains(says), "{gates}: {body}");
            assert!(
                body.contains(&format!("{gates} of {gates} gates failed")) && body.contains("<sub>gatepost"),
                "{gates}"
            );
            assert_eq!(body.matches("<details>").count(), body.matches("</details>").count());
        }
    }
}
