//! What a run has judged, as results that a deploy may stand on, and where they are kept. It does not tell whether they count.

use std::path::PathBuf;

use crate::model::gate::Mode;
use crate::model::gate_result::GateResult;
use crate::model::report::{GateReport, Report};
use crate::model::sha::Sha;
use crate::model::text::to_the_second;
use crate::world::files;
use crate::world::ledger::Local;
use crate::world::repo::{Repo, RepoError};

/// The local ledger, in the folder of what gatepost keeps of a repository.
pub const LEDGER: &str = "ledger.sqlite";

/// The folder of what gatepost keeps of a repository.
///
/// # Errors
/// When it cannot be read.
pub fn kept(repo: &Repo) -> Result<PathBuf, RepoError> {
    Ok(repo.common_dir()?.join("gatepost"))
}

/// Keeps what a run has judged, where deploys of this repository are recorded in its own ledger: another run writes its
/// report over this one's before a deploy looks.
///
/// # Errors
/// When the ledger cannot be used.
pub async fn keep(repo: &Repo, report: &Report) -> Result<(), String> {
    let ledger = kept(repo).map_err(|error| error.to_string())?.join(LEDGER);
    let (Some(head), Some(by)) = (judged(repo, report), &report.subject.config) else { return Ok(()) };
    if !files::is_file(&ledger) {
        return Ok(());
    }
    let mut local = Local::open(&ledger).await.map_err(|error| error.to_string())?;
    local.remember(head, by, &read(report)).await.map_err(|error| error.to_string())
}

/// The commit whose files a report is of: not the head of a pull request whose merge was judged, unless they are the same.
#[must_use]
pub fn judged<'r>(repo: &Repo, report: &'r Report) -> Option<&'r Sha> {
    report.subject.head.as_ref().filter(|head| has_files(repo, head, report))
}

/// Whether a report is of the files of this commit.
#[must_use]
pub fn has_files(repo: &Repo, commit: &Sha, report: &Report) -> bool {
    let judged = report.subject.tree.as_ref().filter(|_| !report.subject.dirty);
    judged.is_some_and(|judged| repo.tree(commit).is_ok_and(|tree| tree == *judged))
}

/// The results of a report. Those of a scheduled run are none.
#[must_use]
pub fn read(report: &Report) -> Vec<GateResult> {
    let is_scheduled = |gate: &GateReport| {
        report.subject.event == "schedule" || gate.audit.as_ref().is_some_and(|audit| audit.scheduled)
    };
    let at = report.started_at.parse::<jiff::Timestamp>().map_or(0, jiff::Timestamp::as_second);
    let result = |gate: &GateReport| GateResult {
        gate: gate.name.clone(),
        outcome: gate.outcome,
        enforced: gate.mode == Mode::Block,
        limited: !gate.judged_everything(),
        base: report.subject.base.clone(),
        at,
        source: format!("report of {}", to_the_second(&report.started_at)),
        posted: false,
        doubt: None,
        overridden: None,
    };
    report.gates.iter().filter(|gate| !is_scheduled(gate)).map(result).collect()
}
