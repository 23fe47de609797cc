//! A report that another run made, perhaps of a stranger's code: what it is of is learned from GitHub alone.

use crate::app::Failure;
use crate::app::publish::parts::Found;
use crate::model::event::Occasion;
use crate::model::report::Subject;
use crate::model::text::one_line;
use crate::model::workflow::{Artifact, PullRequest, WorkflowRun};
use crate::parse::zip;
use crate::policy::Part;
use crate::publish::interpreter::{ARTIFACT as BASELINE, Interpreter, Stop};
use crate::world::forge::Forge;

/// How artifacts with reports are named: so, or beginning so and with a dash.
const ARTIFACT: &str = "gatepost";

/// The run, and the open pull requests of its branch.
#[derive(Debug)]
pub struct Triggered {
    /// As GitHub states it.
    pub run: WorkflowRun,
    pulls: Vec<PullRequest>,
}

/// Asks for the run.
///
/// # Errors
/// With exit code 3 when it has not ended, 4 when GitHub does not tell.
pub async fn look_up<F: Forge>(ask: &mut Interpreter<F>, id: u64) -> Result<Triggered, Failure> {
    let run = ask.workflow_run(id).await.map_err(|stop| untold(&stop))?;
    if run.conclusion.is_none() {
        let why = format!("run {id} has not ended (attempt {}): what it ends in is not known yet", run.attempt);
        return Err(Failure::refused(why).help("start from `workflow_run` with `types: [completed]`"));
    }
    let mut pulls = Vec::new();
    if run.event == "pull_request" {
        pulls = ask.pull_requests_of(&run).await.map_err(|stop| untold(&stop))?;
        if pulls.iter().any(|pull| pull.head == run.head) {
            pulls.retain(|pull| pull.head == run.head);
        }
    }
    Ok(Triggered { run, pulls })
}

/// Downloads what the run left: of each name the newest, as attempts may have made several.
///
/// # Errors
/// With exit code 4 when one cannot be got, or is not what it should be.
pub async fn fetch<F: Forge>(ask: &mut Interpreter<F>, run: &WorkflowRun) -> Result<Found, Failure> {
    let mut artifacts = ask.artifacts(run.id).await.map_err(|stop| untold(&stop))?;
    let is_ours = |artifact: &Artifact| {
        let rest = artifact.name.strip_prefix(ARTIFACT).filter(|_| artifact.name != BASELINE);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    artifacts.retain(is_ours);
    artifacts.sort_by(|a, b| a.name.cmp(&b.name).then(b.id.cmp(&a.id)));
    artifacts.dedup_by(|a, b| a.name == b.name);
    let mut found = Found::default();
    let mut total = 0;
    for artifact in artifacts {
        let name = format!("artifact {}", one_line(&artifact.name, 100));
        if artifact.expired {
            return Err(Failure::outside(format!("{name} has expired")).help("run the workflow again"));
        }
        total += artifact.size;
        if total > zip::LARGEST {
            let limit = zip::LARGEST;
            return Err(Failure::outside(format!("{name}: the artifacts have more than {limit} bytes together"))
                .help("upload report.json alone, without the logs"));
        }
        let most = usize::try_from(zip::LARGEST).unwrap_or(usize::MAX);
        let bytes = ask.archive(artifact.id, most).await.map_err(|stop| Failure::outside(format!("{name}: {stop}")))?;
        found.archive(&bytes, &name)?;
    }
    Ok(found)
}

fn untold(stop: &Stop) -> Failure {
    Failure::outside(stop.to_string())
        .help("the job needs `permissions: actions: read, contents: read, checks: write, pull-requests: write`")
}

impl Triggered {
    /// The pull request. Where one branch has several, a report's word tells which of them.
    ///
    /// # Errors
    /// With exit code 3 when the reports do not tell which, or tell of another.
    pub fn pull_request(&self, parts: &[Part]) -> Result<Option<&PullRequest>, Failure> {
        let claimed = parts.first().and_then(|part| part.report.subject.pull_request);
        match &self.pulls[..] {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            several => several.iter().find(|pull| Some(pull.number) == claimed).map(Some).ok_or_else(|| {
                let numbers: Vec<String> = several.iter().map(|pull| format!("#{}", pull.number)).collect();
                Failure::refused(format!(
                    "run {} is of {}: the reports do not say which",
                    self.run.id,
                    numbers.join(", ")
                ))
            }),
        }
    }

    /// What the run is of.
    #[must_use]
    pub fn subject(&self, here: &Occasion, pull: Option<&PullRequest>) -> Subject {
        Subject {
            repository: here.repository.clone(),
            head: Some(self.run.head.clone()),
            base: None,
            pull_request: pull.map(|pull| pull.number),
            event: self.run.event.clone(),
            trusted: self.is_own(here),
            tree: None,
            dirty: false,
            run_url: Some(self.run.url.clone()),
            run: Some((self.run.id, self.run.attempt)),
            config: None,
        }
    }

    /// What woke the run, as far as `when` asks for it.
    #[must_use]
    pub fn occasion(&self, here: &Occasion, pull: Option<&PullRequest>) -> Occasion {
        Occasion {
            event: self.run.event.clone(),
            pull_request: pull.map(|pull| pull.number),
            head: Some(self.run.head.clone()),
            branch: pull.map_or_else(|| self.run.branch.clone(), |pull| Some(pull.base.clone())),
            trusted: self.is_own(here),
            ..here.clone()
        }
    }

    /// The branch or commit whose configuration judges: what an own branch without a pull request has is the repository's
    /// word already. `None`: the default branch.
    #[must_use]
    pub fn configured_at(&self, here: &Occasion, pull: Option<&PullRequest>) -> Option<String> {
        let own = self.run.event == "push" && self.is_own(here);
        pull.map(|pull| pull.base.clone()).or_else(|| own.then(|| self.run.head.to_string()))
    }

    /// Whether the commit comes from the repository itself: what its gates are told of is no stranger's word.
    #[must_use]
    pub fn is_own(&self, here: &Occasion) -> bool {
        self.run.head_repository.is_some() && self.run.head_repository == here.repository
    }

    /// What must be said where the run did not go well: nothing of it is shown greener than that.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        let ended = self.run.conclusion.as_deref().unwrap_or_default();
        (!self.run.succeeded()).then(|| {
            format!("the run that left these reports ended in {ended}: no check of its own says that a gate passed")
        })
    }
}
