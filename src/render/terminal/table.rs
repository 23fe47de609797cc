//! The closing table: gate, outcome, time, counts, why; and the verdict in one line.

use std::fmt::Write as _;
use std::time::Duration;

use crate::model::outcome::Outcome;
use crate::model::report::{GateReport, NOT_ENFORCED, OVERRIDDEN, Report};
use crate::model::text::{one_line, shorten};
use crate::render::terminal::{Dress, plural, sign};

/// The fewest characters of a reason that are worth a column.
const REASON: usize = 30;

/// So many characters of a gate's name are shown on any terminal.
const NAME: usize = 20;

/// The table and the verdict.
#[must_use]
pub fn closing(report: &Report, dress: Dress) -> String {
    let rows: Vec<[String; 4]> = report
        .gates
        .iter()
        .map(|gate| {
            let enforced = gate.free().map_or_else(String::new, |why| format!(", {why}"));
            [
                middle_cut(gate.name.as_str(), NAME.max(dress.width / 3)),
                format!("{} {}{enforced}", sign(gate.outcome), gate.outcome.word()),
                if gate.was_run() { elapsed(gate.took) } else { "–".to_owned() },
                counts(gate),
            ]
        })
        .collect();
    let heads = ["gate", "outcome", "time", "counts"];
    let mut widths = heads.map(str::len);
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    // What is left is for the reason; it says the counts too, so that they are the first to go.
    let room = |columns: usize| dress.width.saturating_sub(widths[..columns].iter().map(|width| width + 2).sum());
    let columns = if room(4) < REASON { 3 } else { 4 };
    let is_narrow = room(columns) < REASON;
    let mut out = String::new();
    let dim = anstyle::Style::new().dimmed();
    let line: String = heads[..columns].iter().zip(widths).map(|(cell, width)| pad(cell, width)).collect();
    let last = if is_narrow { "" } else { "why" };
    let _ = writeln!(out, "{}", dress.paint(dim, format!("{line}{last}").trim_end()));
    for (gate, row) in report.gates.iter().zip(&rows) {
        for (at, cell) in row[..columns].iter().enumerate() {
            let cell = pad(cell, widths[at]);
            out += &if at == 1 { dress.paint(dress.outcome(gate.outcome), &cell) } else { cell };
        }
        let reason = one_line(&gate.reason, 400);
        if is_narrow {
            out.truncate(out.trim_end_matches(' ').len());
            out += &below(&reason, dress.width);
        } else {
            let _ = writeln!(out, "{}", shorten(&reason, room(columns)));
        }
    }
    for note in &report.notes {
        let _ = writeln!(out, "note: {}", one_line(note, 600));
    }
    let _ = writeln!(out, "\n{}", verdict_line(report, dress));
    let outcome = |gate: &GateReport| dress.paint(dress.outcome(gate.outcome), gate.outcome.word());
    let blocked: Vec<String> =
        report.would_have_blocked().map(|gate| format!("{} ({})", gate.name, outcome(gate))).collect();
    if !blocked.is_empty() {
        let _ = writeln!(out, "would have blocked if enforced: {}", blocked.join(", "));
    }
    out
}

/// A reason in lines of its own, where a row has no room for it: broken between words.
fn below(reason: &str, width: usize) -> String {
    let mut out = String::new();
    let mut left = 0;
    for word in reason.split(' ') {
        let length = word.chars().count() + 1;
        if length > left {
            out.push_str("\n ");
            left = width.saturating_sub(1);
        }
        out.push(' ');
        out.push_str(word);
        left = left.saturating_sub(length);
    }
    out.push('\n');
    out
}

fn verdict_line(report: &Report, dress: Dress) -> String {
    let of =
        |outcome: Outcome| report.gates.iter().filter(|gate| gate.outcome == outcome && !gate.not_enforced()).count();
    let parts: Vec<String> = [
        (of(Outcome::Fail), "failed"),
        (of(Outcome::Error), "could not be judged"),
        (of(Outcome::Pass), "passed"),
        (of(Outcome::Skipped), "skipped"),
        (report.free(OVERRIDDEN), OVERRIDDEN),
        (report.free(NOT_ENFORCED), NOT_ENFORCED),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, what)| format!("{number} {what}"))
    .collect();
    let verdict = dress.paint(dress.outcome(report.verdict), &format!("verdict: {}", report.verdict.word()));
    format!("{verdict} ({} in {})", parts.join(", "), elapsed(report.took))
}

fn counts(gate: &GateReport) -> String {
    let mut parts = Vec::new();
    if let Some(counts) = gate.tests.as_ref().map(crate::model::tests::Tests::counts) {
        let broken = counts.failed + counts.errored;
        if broken > 0 {
            parts.push(format!("{broken}/{} failed", counts.ran()));
        } else {
            parts.push(format!("{} test{}", counts.ran(), plural(counts.ran())));
        }
        if counts.flaky > 0 {
            parts.push(format!("{} flaky", counts.flaky));
        }
    }
    if !gate.findings.is_empty() {
        let (blocking, all) = (gate.blocking().count(), gate.findings.len());
        let of = if blocking == all { String::new() } else { format!("{blocking} of ") };
        parts.push(format!("{of}{all} finding{}", plural(all)));
    }
    if parts.is_empty() { "–".to_owned() } else { parts.join(", ") }
}

/// At most `limit` characters: names that begin alike often end otherwise.
fn middle_cut(text: &str, limit: usize) -> String {
    let over = (text.chars().count() + 1).saturating_sub(limit);
    if over <= 1 {
        return text.to_owned();
    }
    let head = limit / 2;
    text.chars().take(head).chain(['…']).chain(text.chars().skip(head + over)).collect()
}

fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width + 2 - text.chars().count().min(width)))
}

/// A wall time for people: `3 ms`, `1.2 s`, `4 min 05 s`.
#[must_use]
pub fn elapsed(time: Duration) -> String {
    let ms = time.as_millis();
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..100_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        _ => format!("{} min {:02} s", ms / 60_000, ms / 1_000 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_without_room_is_broken_between_words() {
        let lines = below("exit status 124: a command ran out of the time", 20);
        assert_eq!(lines, "\n  exit status 124: a\n  command ran out of\n  the time\n");
        assert_eq!(below("one", 1), "\n  one\n", "a word stays whole");
    }
}
