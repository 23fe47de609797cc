//! Whatever was found is posted or counted as not shown, in every place, over generated reports.

use proptest::prelude::*;
use regex::Regex;

use crate::model::finding::Level;
use crate::model::outcome::Outcome;
use crate::model::path::RepoPath;
use crate::model::report::{GateReport, Judged, Relevance, Report, Status};
use crate::model::settings::PublishSettings;
use crate::model::tests::{Case, CaseOutcome, Tests};
use crate::publish::sample::{ended, finding, gate, gate_end, report};
use crate::publish::{RunEnd, check_run, comment, page, remarks, summary, words, workflow_commands};

fn level() -> impl Strategy<Value = Level> {
    prop_oneof![Just(Level::Note), Just(Level::Warning), Just(Level::Error)]
}

fn relevance() -> impl Strategy<Value = Option<Relevance>> {
    use Relevance::{ChangedFile, ChangedLine, Outside, Unplaced};
    prop::option::of(prop_oneof![Just(ChangedLine), Just(ChangedFile), Just(Outside), Just(Unplaced)])
}

prop_compose! {
    fn judged()(
        level in level(),
        relevance in relevance(),
        status in prop::option::of(prop_oneof![Just(Status::New), Just(Status::Existing)]),
        (blocking, placed) in any::<(bool, bool)>(),
        head_line in prop::option::of(1_u32..2000),
        length in 0_usize..600,
    ) -> Judged {
        let message = "word ".repeat(length / 5);
        let path = if placed { RepoPath::parse("src/a.rs").ok() } else { None };
        Judged { path, relevance, status, blocking, head_line, ..finding(level, "rule", "src/a.rs", 3, &message) }
    }
}

prop_compose! {
    fn failed()(line in prop::option::of(1_u32..99), length in 0_usize..4000) -> Case {
        Case {
            suite: None,
            class: None,
            name: "breaks".to_owned(),
            file: Some("src/a.rs".to_owned()),
            line,
            head_line: line,
            outcome: CaseOutcome::Failed,
            flaky: false,
            took_ms: None,
            message: Some("why ".repeat(length / 4)),
        }
    }
}

prop_compose! {
    fn gates()(all in prop::collection::vec((
        prop::collection::vec(judged(), 0..220),
        0_usize..8,
        prop::collection::vec(failed(), 0..60),
        prop_oneof![Just(Outcome::Pass), Just(Outcome::Fail), Just(Outcome::Error)],
    ), 1..8)) -> Vec<GateReport> {
        let one = |(at, (found, times, cases, outcome)): (usize, (Vec<Judged>, usize, Vec<Case>, Outcome))| {
            // Now and then far more than any place takes.
            let times = if times == 0 { 6 } else { 1 };
            let findings = found.iter().cycle().take(found.len() * times).cloned().collect();
            let tests = (!cases.is_empty()).then_some(Tests { cases, took_ms: None });
            GateReport { findings, tests, ..gate(&format!("gate-{at}"), outcome, "why", 1) }
        };
        all.into_iter().enumerate().map(one).collect()
    }
}

/// The sum of the numbers that a pattern finds.
fn sum(text: &str, pattern: &str) -> usize {
    let found = Regex::new(pattern).unwrap();
    found.captures_iter(text).map(|found| found[1].replace(',', "").parse::<usize>().unwrap()).sum()
}

/// List items that are findings.
fn items(text: &str) -> usize {
    text.lines()
        .filter(|line| ["- **error**", "- **warning**", "- note"].iter().any(|item| line.starts_with(item)))
        .count()
}

fn in_a_check_run(end: &RunEnd<'_>, gate: &GateReport) {
    let check = check_run::of_gate(&gate_end(end, gate)).unwrap();
    let text = check.text.unwrap_or_default();
    let at_tests = check.annotations.iter().filter(|one| one.title.as_deref() == Some("breaks")).count();
    let annotated = sum(&check.summary, r"(?m)^([\d,]+) findings? annotated");
    assert_eq!(annotated, check.annotations.len() - at_tests);
    assert_eq!(sum(&check.summary, r" annotated, ([\d,]+) listed"), items(&text));
    let left = sum(&check.summary, r" listed below, ([\d,]+) more in");
    assert_eq!(annotated + items(&text) + left, gate.findings.len(), "{}", check.summary);
    let shown = text.matches("**failed**: ").count();
    assert_eq!(shown + sum(&check.summary, r"(?m)^([\d,]+) more failed tests? in"), page::failed(gate).len());
}

/// Each gate has its details, where shown and not shown make all; or at least its row, with the counts.
fn on_a_page(text: &str, gates: &[GateReport]) {
    let mut without_a_row = 0;
    for gate in gates {
        let row = text.lines().find(|line| line.starts_with(&format!("| `{}` |", gate.name)));
        let Some(row) = row else {
            without_a_row += 1;
            continue;
        };
        assert!(row.contains(&words::found(gate)), "{row}");
        let start = format!("<code>{}</code>", gate.name);
        let Some((_, after)) = text.split_once(&start) else { continue };
        let details = after.split("</details>").next().unwrap();
        let counting = sum(details, r"(?m)^Not shown here: ([\d,]+) more that count");
        let others = sum(details, r"(?m)^Not shown here: (?:.* and )?([\d,]+) (?:findings? )?that do(?:es)? not");
        assert_eq!(items(details) + counting + others, gate.findings.len(), "{details}");
        let tests =
            details.matches("**failed**: ").count() + sum(details, r"Not shown here: ([\d,]+) more failed tests?;");
        assert_eq!(tests, page::failed(gate).len(), "{details}");
    }
    assert_eq!(without_a_row, sum(text, r"(?m)^([\d,]+) gates? did not fit here"));
}

fn in_commands(end: &RunEnd<'_>, gates: &[GateReport]) {
    let lines = workflow_commands::plan(end);
    let shown = lines.iter().filter(|line| line.starts_with("::")).count();
    let left = sum(&lines.join("\n"), r"gatepost: ([\d,]+) findings? (?:is|are) not annotated here");
    let said = gates.iter().filter(|gate| !gate.outcome.is_green()).count();
    assert_eq!(shown + left, said + gates.iter().map(|gate| remarks::of(gate).len()).sum::<usize>());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn found_is_posted_or_reported_as_not_shown(gates in gates(), most in 0_usize..1500, room in 400_usize..200_000) {
        let whole = Report { gates, ..report() };
        let settings = PublishSettings { max_annotations: most, ..PublishSettings::default() };
        ended(&whole, &settings, |end| {
            for gate in &whole.gates {
                in_a_check_run(&end, gate);
            }
            if let Some(comment) = comment::plan(&end).filter(|comment| comment.create) {
                on_a_page(&comment.body, &whole.gates);
            }
            let page = summary::plan(&RunEnd { summary_room: room, ..end }).unwrap_or_default();
            if page.contains("| Gate |") {
                on_a_page(&page, &whole.gates);
            }
            in_commands(&end, &whole.gates);
        });
    }
}
