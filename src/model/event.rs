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
    /// The leg of the job's matrix, as check runs show it; `None` where it has one alone.
    pub leg: Option<String>,
}

/// Whether a check run may hide what another event's run said of the same commit, where that is worse.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StandsBack {
    /// It may.
    #[default]
    Never,
    /// It may, unless it has judged nothing.
    Skipped,
    /// It may not.
    Green,
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
            leg: None,
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

    /// What its check runs may hide. A run of a change decides about it, and so does one that a person has started, or one of
    /// what the default branch has by now. Any other may have looked at less: at the last push, or at what `when` leaves.
    #[must_use]
    pub fn stands_back(&self) -> StandsBack {
        match self.event.as_str() {
            "pull_request" | "pull_request_target" | "merge_group" | "local" => StandsBack::Never,
            "workflow_dispatch" => StandsBack::Skipped,
            "push" if self.is_of_default_branch() => StandsBack::Skipped,
            _ => StandsBack::Green,
        }
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

    #[test]
    fn what_looked_at_less_stands_back() {
        let of = |event: &str, branch: &str| {
            let (event, branch) = (event.to_owned(), Some(branch.to_owned()));
            Occasion { event, branch, default_branch: Some("main".to_owned()), ..Occasion::local() }.stands_back()
        };
        for event in ["pull_request", "merge_group", "local"] {
            assert_eq!(of(event, "main"), StandsBack::Never, "{event}");
        }
        assert_eq!(of("workflow_dispatch", "topic"), StandsBack::Skipped);
        assert_eq!((of("push", "main"), of("push", "topic")), (StandsBack::Skipped, StandsBack::Green));
        for event in ["schedule", "pull_request_review", "repository_dispatch", "issue_comment"] {
            assert_eq!(of(event, "main"), StandsBack::Green, "{event}");
        }
    }
}
