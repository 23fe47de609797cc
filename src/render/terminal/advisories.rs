//! What an audit found, as a table: package, version, advisory, severity, where it stands, fixed in; below each row what
//! pulls the package in and what to run.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::{Dress, SHOWN, plural};
use crate::model::audit::{AdvisoryKind, AuditFinding, Severity, Standing};
use crate::model::report::GateReport;
use crate::model::text::{one_line, shorten};

const HEADS: [&str; 6] = ["package", "version", "advisory", "severity", "status", "fixed in"];

/// The table; what counts comes first, what does not is counted where there is much of it.
#[must_use]
pub fn advisories(gate: &GateReport, dress: Dress) -> String {
    let Some(audit) = gate.audit.as_ref().filter(|audit| !audit.findings.is_empty()) else { return String::new() };
    let mut findings: Vec<&AuditFinding> = audit.findings.iter().collect();
    findings.sort_by_key(|finding| (!finding.blocking, finding.standing == Some(Standing::Fixed)));
    let shown = &findings[..findings.len().min(SHOWN)];
    let rows: Vec<[String; 6]> = shown.iter().map(|finding| row(finding)).collect();
    let mut widths = HEADS.map(str::len);
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &[&str]| {
        let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let dim = Style::new().dimmed();
    let mut out = format!("{}\n", dress.paint(dim, &line(&HEADS)));
    let mut lockfile = "";
    for (finding, row) in shown.iter().zip(&rows) {
        if audit.lockfiles.len() > 1 && finding.lockfile != lockfile {
            lockfile = &finding.lockfile;
            let _ = writeln!(out, "{}", dress.paint(dim, &one_line(lockfile, 200)));
        }
        let cells: Vec<&str> = row.iter().map(String::as_str).collect();
        let _ = writeln!(out, "{}", dress.paint(style(finding), &line(&cells)));
        for remark in remarks(finding) {
            let _ = writeln!(out, "  {}", shorten(&one_line(&remark, 400), dress.width.max(60)));
        }
    }
    let hidden = findings.len() - shown.len();
    if hidden > 0 {
        let _ = writeln!(out, "{hidden} more advisor{} not shown here", if hidden == 1 { "y is" } else { "ies are" });
    }
    out.push('\n');
    out
}

fn row(finding: &AuditFinding) -> [String; 6] {
    let status = match (&finding.ignored, finding.standing) {
        (Some(_), _) => "ignored",
        (None, Some(standing)) => standing.word(),
        (None, None) => "–",
    };
    let severity = match finding.kind {
        AdvisoryKind::Vulnerability => finding.severity_words(),
        kind => kind.word().to_owned(),
    };
    [
        one_line(&finding.package, 60),
        one_line(&finding.version, 40),
        one_line(&finding.advisory, 40),
        severity,
        status.to_owned(),
        one_line(finding.fix_words(), 40),
    ]
}

fn style(finding: &AuditFinding) -> Style {
    let colour = match finding.severity {
        _ if !finding.blocking => return Style::new().dimmed(),
        Some(Severity::Critical | Severity::High) => AnsiColor::Red,
        _ => AnsiColor::Yellow,
    };
    Style::new().fg_color(Some(colour.into()))
}

fn remarks(finding: &AuditFinding) -> Vec<String> {
    if finding.standing == Some(Standing::Fixed) {
        return Vec::new();
    }
    let mut out = Vec::new();
    if !finding.summary.is_empty() {
        out.push(finding.summary.clone());
    }
    if finding.path.len() > 1 {
        out.push(format!("needed by {}", finding.path.join(" > ")));
    }
    if finding.undecided {
        out.push("its version cannot be compared with those of the advisory".to_owned());
    }
    if let Some(ignored) = &finding.ignored {
        let until = ignored.until.as_ref().map_or_else(|| "for good".to_owned(), |day| format!("until {day}"));
        out.push(format!("ignored {until}: {}", ignored.reason));
        return out;
    }
    if let Some(day) = &finding.expired {
        out.push(format!("it was ignored until {day}"));
    }
    out.extend(finding.remedy.as_ref().map(|remedy| format!("to do: {remedy}")));
    out
}

/// Every package of every lockfile, a line each.
#[must_use]
pub fn packages(gate: &GateReport) -> String {
    let mut out = String::new();
    for audited in gate.audit.iter().flat_map(|audit| &audit.lockfiles) {
        let number = audited.packages.len();
        let _ = writeln!(out, "{}: {number} package{}", one_line(&audited.path, 200), plural(number));
        for package in &audited.packages {
            let dev = if package.dev { ", dev" } else { "" };
            let direct = if package.direct == Some(true) { ", direct" } else { "" };
            let (name, version) = (one_line(&package.name, 200), one_line(&package.version, 80));
            let _ = writeln!(out, "  {name} {version} ({}{direct}{dev})", package.ecosystem);
        }
    }
    out
}
