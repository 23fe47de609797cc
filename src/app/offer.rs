//! Makes suggestions of the fixes that tools offer, from the file as the commit has it. What is not exactly that is
//! not offered: applied, it would be another change.

use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;

use crate::diff::suggest::{Texts, suggest};
use crate::model::change::ChangeSet;
use crate::model::path::RepoPath;
use crate::model::report::{GateReport, Judged, Relevance};
use crate::model::sha::Sha;
use crate::model::suggestion::{Offer, Unfit};
use crate::world::files;
use crate::world::repo::Repo;

/// A source file larger than this many bytes gets no suggestions.
const LARGEST_SOURCE: u64 = 1 << 20;

/// Where fixes can be offered: on a pull request whose head is known.
pub struct Offers {
    /// The repository.
    pub repo: Rc<Repo>,
    /// Its root.
    pub root: PathBuf,
    /// The commit checked out.
    pub judged: Sha,
    /// The commit that gets the suggestions.
    pub head: Sha,
    /// What the pull request changes.
    pub change: ChangeSet,
}

impl Offers {
    /// Decides about every fix of a gate.
    pub fn make(&self, report: &mut GateReport) {
        let mut known = HashMap::new();
        for judged in &mut report.findings {
            judged.offer = self.offer(judged, &mut known);
        }
    }

    fn offer(&self, judged: &Judged, known: &mut HashMap<RepoPath, Result<Texts, Unfit>>) -> Option<Offer> {
        let fix = judged.finding.fix.as_ref()?;
        let Some(path) = judged.path.as_ref().filter(|_| judged.relevance == Some(Relevance::ChangedLine)) else {
            return Some(Offer::Unfit(Unfit::OutsideDiff));
        };
        let texts = known.entry(path.clone()).or_insert_with(|| self.read(path)).as_ref();
        let offered = texts.map_err(|unfit| *unfit).and_then(|texts| suggest(fix, path, texts, &self.change));
        Some(offered.map_or_else(Offer::Unfit, Offer::Suggestion))
    }

    fn read(&self, path: &RepoPath) -> Result<Texts, Unfit> {
        let work = files::read_capped(&self.root.join(path.as_str()), LARGEST_SOURCE).ok_or(Unfit::TooLong)?;
        let blob = |commit: &Sha| self.repo.read_blob(commit, path).ok().flatten();
        // A gate that mends files has reported about others than it leaves.
        let judged = blob(&self.judged).filter(|judged| *judged == work).ok_or(Unfit::Touched)?;
        let head = if self.head == self.judged { judged.clone() } else { blob(&self.head).ok_or(Unfit::OtherHead)? };
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).map_err(|_| Unfit::Misplaced);
        Ok(Texts::new(text(judged)?, text(head)?))
    }
}
