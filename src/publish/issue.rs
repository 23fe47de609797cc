//! The one issue for what stands on the default branch: an audit that runs there opens it, keeps it up to date, and closes
//! it when there is nothing left to do.

use std::fmt::Write as _;

use crate::model::audit::{Audit, AuditFinding};
use crate::model::call::{Call, StickyIssue};
use crate::model::outcome::Outcome;
use crate::model::report::GateReport;
use crate::publish::{Context, Posting, Publisher, RunEnd};
use crate::render::figures::count;
use crate::render::links::Address;
use crate::render::markdown::{Untrusted, prose};

/// The row of this publisher.
pub static PUBLISHER: Publisher = Publisher {
    name: "issue",
    about: "one issue for what an audit of the default branch found: opened, updated and closed by itself",
    on_gate: None,
    on_end: Some(on_end),
};

/// The most bytes of a body. GitHub takes 65,536 characters; the rest is room for the marker.
const LIMIT: usize = 64_000;
/// Room for what stands below the table.
const RESERVE: usize = 4_000;

const TABLE_HEAD: &str =
    "| Package | Version | Advisory | Severity | Fixed in | Lockfile | To do |\n|:--|:--|:--|:--|:--|:--|:--|\n";

fn on_end(end: &RunEnd<'_>) -> Vec<Posting> {
    if end.cancelled {
        return Vec::new();
    }
    let planned = end.report.gates.iter().filter_map(|gate| plan(gate, end));
    planned.map(|issue| Posting::Call(Call::StickyIssue(issue))).collect()
}

/// The issue of a gate that audited the default branch. What could not be judged opens it as well: nobody looks at a
/// scheduled run that went wrong.
fn plan(gate: &GateReport, end: &RunEnd<'_>) -> Option<StickyIssue> {
    let audit = gate.audit.as_ref().filter(|audit| audit.scheduled)?;
    let open = match gate.outcome {
        Outcome::Skipped => return None,
        Outcome::Pass => false,
        Outcome::Fail | Outcome::Error => true,
    };
    let counted = audit.findings.iter().filter(|finding| finding.blocking).count();
    let title = match gate.outcome {
        Outcome::Error => format!("gatepost {}: dependencies could not be audited", gate.name),
        _ => format!("gatepost {}: {} in dependencies", gate.name, advisories(counted)),
    };
    Some(StickyIssue {
        marker: key(gate, end.context.place),
        formerly: format!("issue-{}", gate.name),
        generation: end.generation,
        verdict: gate.outcome,
        title,
        body: body(gate, audit, &end.context),
        open,
    })
}

/// Names the issue of a gate of one configuration, by its place in the repository: that of another one stands beside it.
fn key(gate: &GateReport, place: &str) -> String {
    format!("issue-{}-{}", gate.name, &blake3::hash(place.as_bytes()).to_hex()[..8])
}

fn advisories(number: usize) -> String {
    if number == 1 { "1 advisory".to_owned() } else { format!("{number} advisories") }
}

fn body(gate: &GateReport, audit: &Audit, context: &Context<'_>) -> String {
    let mut out = format!("{}\n\n", prose(&gate.reason, 1000));
    let counted: Vec<&AuditFinding> = audit.findings.iter().filter(|finding| finding.blocking).collect();
    let mut rows = 0;
    for finding in &counted {
        let line = row(finding);
        let head = if rows == 0 { TABLE_HEAD } else { "" };
        if out.len() + head.len() + line.len() + RESERVE > LIMIT {
            break;
        }
        out += head;
        out += &line;
        rows += 1;
    }
    if rows < counted.len() {
        let _ = write!(out, "\n{} did not fit here.\n", count(counted.len() - rows, "more row"));
    }
    let mut notes = String::new();
    for note in gate.notes.iter().take(20) {
        let line = format!("- {}\n", prose(note, 300));
        if notes.len() + line.len() < RESERVE / 2 {
            notes += &line;
        }
    }
    let run = context.subject.run_url.as_deref().and_then(Address::parse);
    let place = run.map_or_else(|| "the last run".to_owned(), |run| format!("[the last run]({run})"));
    let _ = write!(
        out,
        "\n{notes}\nAs of {place}. gatepost keeps this issue up to date, and closes it when an audit of the default branch \
         finds nothing more; what is decided on belongs under `ignore` in gatepost.toml.\n"
    );
    out
}

fn row(finding: &AuditFinding) -> String {
    let cell = |text: &str| Untrusted(text).cell(80);
    let advisory = cell(&finding.advisory);
    // What is no name of an advisory leads nowhere.
    let is_name = finding.advisory.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:".contains(&b));
    let page = Address::parse(&finding.url()).filter(|_| is_name);
    let advisory = page.map_or_else(|| advisory.clone(), |url| format!("[{advisory}]({url})"));
    format!(
        "| {} | {} | {advisory} | {} | {} | {} | {} |\n",
        cell(&finding.package),
        cell(&finding.version),
        finding.severity_words(),
        cell(finding.fix_words()),
        cell(&format!("{}:{}", finding.lockfile, finding.line)),
        finding.remedy.as_deref().map_or_else(|| "–".to_owned(), |remedy| Untrusted(remedy).cell(160)),
    )
}
