//! An advisory about a package as a finding at the package's line, in words.

use crate::model::audit::{AdvisoryKind, AuditFinding, Standing};
use crate::model::finding::Finding;

/// The finding. `policy` gives it its level.
pub(super) fn finding(found: &AuditFinding) -> Finding {
    Finding {
        rule: Some(found.advisory.clone()),
        message: message(found),
        path: Some(found.lockfile.clone()),
        line: (found.line > 0).then_some(found.line),
        help: Some(found.url()),
        ..Finding::default()
    }
}

fn message(found: &AuditFinding) -> String {
    let kind = match found.kind {
        AdvisoryKind::Vulnerability => found.severity_words(),
        kind => format!("{}, {}", kind.word(), found.severity_words()),
    };
    let summary = if found.summary.is_empty() { &found.advisory } else { &found.summary };
    let mut lines = vec![format!("{} {}: {summary} ({kind})", found.package, found.version)];
    match (&found.fixed_in, &found.remedy) {
        (Some(fixed), Some(remedy)) => lines.push(format!("fixed in {fixed}: {remedy}")),
        (Some(fixed), None) => lines.push(format!("fixed in {fixed}")),
        (None, _) if found.undecided => {}
        (None, _) => lines.push("there is no fix".to_owned()),
    }
    if found.path.len() > 1 {
        lines.push(format!("needed by {}", found.path.join(" > ")));
    }
    if found.undecided {
        lines.push("its version cannot be compared with those of the advisory".to_owned());
    }
    match found.standing {
        Some(Standing::Unchanged) => lines.push("the base has it as well".to_owned()),
        Some(Standing::Worsened) => lines.push("the base has it in a lesser way".to_owned()),
        _ => {}
    }
    if let Some(ignored) = &found.ignored {
        let until = ignored.until.as_ref().map_or_else(|| "for good".to_owned(), |day| format!("until {day}"));
        lines.push(format!("ignored {until}: {}", ignored.reason));
    }
    if let Some(day) = &found.expired {
        lines.push(format!("it was ignored until {day}"));
    }
    lines.join("\n")
}
