//! What woke the run: an event on GitHub Actions, or a person at a laptop.

use crate::model::sha::Sha;

/// The occasion of a run, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occasion {
    /// GitHub's event name (`pull_request`, `push`, …), or `local`.
    pub event: String,
    /// `owner/name`, where known.
    pub repository: Option<String>,
    /// The pull request's number.
    pub pull_request: Option<u64>,
    /// Whether that was closed before, be it by a merge.
    pub closed: bool,
    /// The commit that receives check runs: the pull request's head, not the merge commit.
    pub head: Option<Sha>,
    /// What GitHub says that the merge of the pull request into its base is: the newest one, and that of the event.
    pub merges: Vec<Sha>,
    /// The base commit as the event states it; the true base of the diff may differ.
    pub base: Option<Sha>,
    /// The short name of the branch a push went to, or of the pull request's base.
    pub branch: Option<String>,
    /// The repository's default branch, where the event tells.
    pub default_branch: Option<String>,
    /// False for a pull request of a fork, whose token cannot write and whose code is a stranger's.
    pub trusted: bool,
    /// Whether this runs under GitHub Actions.
    pub on_actions: bool,
    /// A link to the run, for the comment.
    pub run_url: Option<String>,
    /// The run that this one was woken by (`workflow_run`).
    pub triggering_run: Option<u64>,
    /// Grows from run to run of the same workflow (run id and attempt): a newer one supersedes an older one.
    pub generation: (u64, u64),
    /// The path of the workflow's file, or its name.
    pub workflow: Option<String>,
    /// The job's id, and where the action tells it the leg of its matrix (`test 0/2`).
    pub job: Option<String>,
}

impl Occasion {
    /// A person at a laptop.
    #[must_use]
    pub fn local() -> Self {
        Self {
            event: "local".to_owned(),
            repository: None,
            pull_request: None,
            closed: false,
            head: None,
            merges: Vec::new(),
            base: None,
            branch: None,
            default_branch: None,
            trusted: true,
            on_actions: false,
            run_url: None,
            triggering_run: None,
            generation: (0, 0),
            workflow: None,
            job: None,
        }
    }

    /// Run id and attempt, where there is one.
    #[must_use]
    pub fn run(&self) -> Option<(u64, u64)> {
        (self.generation.0 > 0).then_some(self.generation)
    }

    /// The pull request that is judged: a comment on one wakes a job that has the default branch.
    #[must_use]
    pub fn judged_pull_request(&self) -> Option<u64> {
        self.pull_request.filter(|_| self.event != "issue_comment")
    }

    /// Whether GitHub takes the end of this job for that of a change that is to come in: of the head that the event names.
    #[must_use]
    pub fn is_of_a_change(&self) -> bool {
        self.on_actions && (self.event == "merge_group" || self.event.starts_with("pull_request")) && !self.closed
    }

    /// Whether what stands on the default branch is looked at, not a change that is to come in: on a schedule, which
    /// runs there alone, and after a push to it.
    #[must_use]
    pub fn is_of_default_branch(&self) -> bool {
        let pushed = || self.event == "push" && self.branch.is_some() && self.branch == self.default_branch;
        self.event == "schedule" || pushed()
    }

    /// Whether one entry of a gate's `when` (`pull_request`, `push:main`, `push:release/*`) fits.
    #[must_use]
    pub fn fits(&self, when: &str) -> bool {
        let (event, branch) = when.split_once(':').map_or((when, None), |(event, branch)| (event, Some(branch)));
        event == self.event
            && branch.is_none_or(|wanted| match (wanted.strip_suffix('*'), self.branch.as_deref()) {
                (_, None) => false,
                (Some(prefix), Some(actual)) => actual.starts_with(prefix),
                (None, Some(actual)) => actual == wanted,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_names_events_and_branches() {
        let mut occasion = Occasion::local();
        occasion.event = "push".to_owned();
        occasion.branch = Some("release/1".to_owned());
        assert!(occasion.fits("push"));
        assert!(occasion.fits("push:release/*"));
        assert!(!occasion.fits("push:main"));
        assert!(!occasion.fits("pull_request"));
        occasion.branch = None;
        assert!(!occasion.fits("push:main"));
    }
}
