//! Annotations by workflow command: lines on standard output that the runner turns into annotations of the job, under
//! its limits. They work with any token, so they carry what check runs do not.

use crate::model::finding::Level;
use crate::model::report::{GateReport, Judged};
use crate::model::text::shorten;
use crate::publish::remarks::{self, Remark};
use crate::publish::words::title;
use crate::publish::{Context, Posting, Publisher, RunEnd};
use crate::render::figures::count;
use crate::render::workflow;

/// The row of this publisher.
pub static PUBLISHER: Publisher = Publisher {
    name: "annotations",
    about: "workflow commands that annotate the job: what no check run shows, at most 10 of each level",
    on_gate: None,
    on_end: Some(on_end),
};

/// How many annotations of one level the runner takes from a step.
const PER_LEVEL: usize = 10;

/// The most characters of a message: the runner cuts longer ones.
const MESSAGE: usize = 4096;

fn on_end(end: &RunEnd<'_>) -> Vec<Posting> {
    let lines = if end.context.settings.annotations { plan(end) } else { Vec::new() };
    if lines.is_empty() { Vec::new() } else { vec![Posting::Commands(lines)] }
}

/// The lines: one for each gate that is not green, then findings and failed tests of gates that are not annotated
/// by a check run, most important first, then how many are not shown.
#[must_use]
pub fn plan(end: &RunEnd<'_>) -> Vec<String> {
    let gates = &end.report.gates;
    let mut remarks: Vec<Remark<'_>> = Vec::new();
    let mut left = 0;
    for gate in gates.iter().filter(|gate| !end.annotated.contains(&gate.name)) {
        let (helpful, rest): (Vec<_>, Vec<_>) = remarks::of(gate).into_iter().partition(Remark::concerns_change);
        remarks.extend(helpful);
        left += rest.len();
    }
    remarks.sort_by_key(|remark| remark.rank);
    let mut lines = Vec::new();
    for level in [Level::Error, Level::Warning, Level::Note] {
        let ended: Vec<&GateReport> =
            gates.iter().filter(|gate| !gate.outcome.is_green() && level_of(gate) == level).collect();
        let found: Vec<&Remark<'_>> = remarks.iter().filter(|remark| remark.level == level).collect();
        left += (ended.len() + found.len()).saturating_sub(PER_LEVEL);
        let ended = ended.into_iter().map(|gate| of_gate(gate, &end.context));
        lines.extend(ended.chain(found.into_iter().map(of_remark)).take(PER_LEVEL));
    }
    if left > 0 {
        lines.push(workflow::plain(&format!(
            "gatepost: {} not annotated here, where the runner takes {PER_LEVEL} of a level: see {}",
            if left == 1 { "1 finding is".to_owned() } else { format!("{} are", count(left, "finding")) },
            end.context.report_path,
        )));
    }
    lines
}

/// The level of the line that says how a gate ended.
fn level_of(gate: &GateReport) -> Level {
    if gate.not_enforced() { Level::Note } else { Level::Error }
}

fn of_gate(gate: &GateReport, context: &Context<'_>) -> String {
    let properties = [("title", context.check_name(gate))];
    workflow::command(name(level_of(gate)), &properties, &title(gate, MESSAGE))
}

fn of_remark(remark: &Remark<'_>) -> String {
    let mut properties = vec![("title", remark.title())];
    let mut message = remark.message();
    if let Some(spot) = &remark.spot {
        properties.push(("file", spot.path.as_str().to_owned()));
        properties.push(("line", spot.start.to_string()));
        properties.push(("endLine", spot.end.to_string()));
        if let Some((first, last)) = spot.columns {
            properties.push(("col", first.to_string()));
            properties.push(("endColumn", last.to_string()));
        }
    } else if let Some(file) = remark.judged().and_then(Judged::file) {
        message = format!("{file}: {message}");
    }
    workflow::command(name(remark.level), &properties, &shorten(&message, MESSAGE))
}

const fn name(level: Level) -> &'static str {
    match level {
        Level::Note => "notice",
        Level::Warning => "warning",
        Level::Error => "error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::settings::PublishSettings;
    use crate::publish::sample::{ended, finding, report};

    #[test]
    fn what_no_check_run_shows_is_annotated() {
        let report = report();
        insta::assert_snapshot!(ended(&report, &PublishSettings::default(), |end| plan(&end)).join("\n"));
        let annotated = report.gates.iter().map(|gate| gate.name.clone()).collect();
        let lines = ended(&report, &PublishSettings::default(), |end| plan(&RunEnd { annotated: &annotated, ..end }));
        assert_eq!(lines.len(), 4, "{lines:?}");
        assert!(lines.iter().all(|line| line.contains(" title=gatepost/")), "{lines:?}");
    }

    #[test]
    fn ten_of_a_level_and_the_rest_is_counted() {
        let mut report = report();
        report.gates[0].findings = (1..=100)
            .map(|line| {
                finding(if line % 2 == 0 { Level::Error } else { Level::Warning }, "x", "a.rs", line, &"y".repeat(9000))
            })
            .collect();
        let lines = ended(&report, &PublishSettings::default(), |end| plan(&end));
        let of = |name: &str| lines.iter().filter(|line| line.starts_with(&format!("::{name} "))).count();
        assert_eq!((of("error"), of("warning"), of("notice")), (10, 10, 2));
        // 50 errors, 3 gates and 1 failed test; 50 warnings.
        assert_eq!(
            lines.last().unwrap(),
            "gatepost: 84 findings are not annotated here, where the runner takes 10 of a level: see .gatepost/report.json"
        );
        assert!(lines.iter().all(|line| line.len() < 4400));
    }
}
