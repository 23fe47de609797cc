//! What must be said of where the findings of a gate lie.

use crate::model::evidence::{Exit, Place};
use crate::model::gate::{Only, Rules};
use crate::model::outcome::Outcome;
use crate::model::report::{GateReport, Judged, Relevance, Status};

use super::{count, counts, is_of_any_line};

/// Findings whose place is told apart from the change in no usual way.
#[derive(Debug, Default)]
pub(super) struct Tally {
    nowhere: usize,
    submodule: usize,
    unsure: usize,
    /// Counted for a name that the change took away.
    brought_about: usize,
    outside: usize,
    /// Placed in the change, where the folder that a path is relative to is not known.
    pub(super) supposed: usize,
}

impl Tally {
    /// Counts a finding. `exact` as in [`Located`](crate::model::evidence::Located).
    pub(super) fn count(&mut self, place: &Place, exact: bool, judged: &Judged, rules: &Rules) {
        let unplaced = judged.relevance == Some(Relevance::Unplaced) && judged.finding.path.is_some();
        let is_nowhere = *place == Place::Unplaced;
        self.nowhere += usize::from(unplaced && is_nowhere);
        self.submodule += usize::from(unplaced && !is_nowhere);
        let counts = counts(rules.only, judged.status, judged.relevance, &judged.finding);
        self.outside += usize::from(*place == Place::Outside && !counts && judged.level() >= rules.fail_on);
        let elsewhere = rules.only == Only::ChangedLines && judged.relevance == Some(Relevance::ChangedFile);
        self.unsure += usize::from(!exact && elsewhere && judged.blocking);
        self.brought_about += usize::from(exact && elsewhere && judged.blocking && !is_of_any_line(&judged.finding));
    }

    pub(super) fn notes(&self) -> impl Iterator<Item = String> {
        let nowhere = || {
            let (it, s) = if self.nowhere == 1 { ("it", "s") } else { ("they", "") };
            let them = count(self.nowhere, "finding");
            format!(
                "{them} named a file that is not there, that no commit has, or behind a link that changed: {it} cannot be told apart from the change and count{s}; check `dir`"
            )
        };
        let submodule = || {
            let them = count(self.submodule, "finding");
            format!("{them} in a submodule that the change moved: which of its lines are new is not known, all count")
        };
        let unsure = || {
            format!(
                "{} in changed files where a line of the tool may be another one of git (a notebook, a lone carriage return \
                 or a line separator before it, a line behind the file's end, a file written to during the run): counted",
                count(self.unsure, "finding"),
            )
        };
        let brought_about = || {
            let (name, count_s) = if self.brought_about == 1 { ("names", "counts") } else { ("name", "count") };
            format!(
                "{} on lines that the change left alone {name} what it took away from the file, and {count_s}",
                count(self.brought_about, "finding"),
            )
        };
        let outside = || {
            let (lie, do_not) = if self.outside == 1 { ("lies", "does") } else { ("lie", "do") };
            format!(
                "{} {lie} in files outside the repository and {do_not} not count; a tool that works on a copy elsewhere \
                 must name the repository's files",
                count(self.outside, "finding"),
            )
        };
        let supposed = || {
            let (is, it) = if self.supposed == 1 { ("is", "its path") } else { ("are", "their paths") };
            format!(
                "{} {is} taken to be in a file of the change that {it} may mean: in which folder the tool ran is not known; \
                 a gate that runs the tool itself, with `dir`, tells",
                count(self.supposed, "finding"),
            )
        };
        [
            (self.supposed > 0).then(supposed),
            (self.nowhere > 0).then(nowhere),
            (self.submodule > 0).then(submodule),
            (self.unsure > 0).then(unsure),
            (self.brought_about > 0).then(brought_about),
            (self.outside > 0).then(outside),
        ]
        .into_iter()
        .flatten()
    }
}

/// What may have made a command fail that passes, and that a change can bring about outside of its lines.
pub(super) fn elsewhere(report: &GateReport, rules: &Rules) -> Option<String> {
    let by_place = matches!(rules.only, Only::ChangedLines | Only::ChangedFiles);
    let failed = report.exit.is_some_and(|exit| exit != Exit::Code(0));
    let lies = |finding: &&Judged| {
        !finding.blocking && finding.level() >= rules.fail_on && finding.status != Some(Status::Existing)
    };
    let number = report.findings.iter().filter(lies).count();
    (by_place && failed && report.outcome == Outcome::Pass && number > 0).then(|| {
        let (them, it) = (count(number, "finding"), if number == 1 { "it" } else { "them" });
        let places = if rules.only == Only::ChangedLines { "changed lines" } else { "changed files" };
        format!(
            "{them} outside of the {places} may be why the command failed. Whether the change brought {it} about there, as by a \
             changed signature or a deleted import, is not known: a baseline tells, with `only = \"new\"`"
        )
    })
}
