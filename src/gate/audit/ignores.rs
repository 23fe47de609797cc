//! The entries that cover findings: those of the configuration, and those of other tools' lists.

use std::path::Path;

use jiff::tz::TimeZone;

use super::settings::{Options, below};
use crate::advisory::ignore::{self, Ignore};
use crate::advisory::import;
use crate::model::audit::AuditFinding;
use crate::world::{clock, files};

/// A list larger than this many bytes is none.
const LARGEST: u64 = 1 << 20;

/// Every entry there is.
///
/// # Errors
/// When a list of another tool cannot be read: what it covers would count.
pub(super) fn read(options: &Options, root: &Path, dir: &str) -> Result<Vec<Ignore>, Vec<String>> {
    let mut entries = options.ignores.clone();
    let mut problems = Vec::new();
    for (file, since) in &options.imports {
        let bytes = files::read_capped(&below(root, dir, file), LARGEST);
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        let read = text.ok_or_else(|| "cannot be read".to_owned()).and_then(|text| import::import(file, &text, *since));
        match read {
            Ok(more) => entries.extend(more),
            Err(why) => problems.push(format!("the ignore list {file} {why}")),
        }
    }
    if problems.is_empty() { Ok(entries) } else { Err(problems) }
}

/// Takes back what no entry of the configuration ignores today. The lists of other tools are not at hand: where there are
/// some, what was ignored may stand in them.
pub(super) fn take_back(findings: &mut [AuditFinding], options: &Options) {
    if !options.imports.is_empty() {
        return;
    }
    let mut anew: Vec<AuditFinding> =
        findings.iter().map(|finding| AuditFinding { ignored: None, ..finding.clone() }).collect();
    let today = clock::now().to_zoned(TimeZone::UTC).date();
    ignore::apply(&mut anew, &options.ignores, today, options.warn_before);
    for (finding, anew) in findings.iter_mut().zip(anew) {
        if anew.ignored.is_none() {
            finding.ignored = None;
        }
    }
}
