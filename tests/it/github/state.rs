//! What the fake GitHub holds: repositories with their commits, pull requests, checks and comments. Tests set it up
//! here before the first request, change it between requests and look at it afterwards.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::exchange::{Ask, Reply};
use super::tokens::{Account, Token};

/// Ids start beyond 32 bits, as GitHub's do.
const FIRST_ID: u64 = 40_000_000_000;
/// 2026-01-02T03:04:05Z; every write is one second later than the one before, so that replies are the same each time.
const FIRST_SECOND: i64 = 1_767_323_045;

/// Everything the fake remembers.
#[derive(Debug, Clone)]
pub struct State {
    pub repos: BTreeMap<String, Repo>,
    pub tokens: BTreeMap<String, Token>,
    /// Paths whose annotations are refused with 422.
    pub refused_annotations: BTreeSet<String>,
    /// Sends `Link` headers elsewhere: a client must not follow them.
    pub link_origin: Option<String>,
    pub(super) base_path: String,
    last_id: u64,
    seconds: i64,
}

/// One repository.
#[derive(Debug, Clone, Default)]
pub struct Repo {
    pub name: String,
    pub private: bool,
    pub commits: BTreeMap<String, Commit>,
    /// `refs/heads/main` -> sha.
    pub refs: BTreeMap<String, String>,
    pub pulls: BTreeMap<u64, Pull>,
    /// Those that are no pull requests, by number.
    pub issues: BTreeMap<u64, Issue>,
    pub checks: Vec<CheckRun>,
    pub statuses: Vec<CommitStatus>,
    pub comments: Vec<Comment>,
    /// Reactions to comments: the comment, who, and what.
    pub reactions: Vec<(u64, String, String)>,
    /// What people may do, by login: `permission` and `role_name`. Whoever is not here may read.
    pub collaborators: BTreeMap<String, (String, String)>,
    pub reviews: Vec<Review>,
    pub review_comments: Vec<ReviewComment>,
    pub deployments: Vec<Deployment>,
    pub runs: Vec<WorkflowRun>,
    /// The workflow's file of a run; `.github/workflows/ci.yml` where none is told.
    pub run_paths: BTreeMap<u64, String>,
    /// When a run was made; long before everything else where none is told.
    pub run_times: BTreeMap<u64, String>,
    /// Runs that were started again: the run, and whether only its failed jobs.
    pub reruns: Vec<(u64, bool)>,
    /// Workflows' files that cannot be started by hand.
    pub not_by_hand: BTreeSet<String>,
    /// Commits that a pull request was squashed into.
    pub squashed: BTreeMap<String, u64>,
    /// The newest execution of each job of a run.
    pub jobs: BTreeMap<u64, Vec<Job>>,
    /// Environments by name, as replied.
    pub environments: BTreeMap<String, Value>,
    /// Patterns of what may deploy to an environment, and of what they are: `branch`, `tag`, or untold.
    pub branch_policies: BTreeMap<String, Vec<(String, Option<String>)>>,
    /// Every workflow dispatch: the workflow, the ref and the inputs.
    pub dispatches: Vec<(String, String, Value)>,
    /// What becomes of a dispatched run, if any: its conclusion.
    pub dispatched: Option<String>,
    /// Roles whose dispatched runs go on all the same.
    pub hangs: BTreeSet<String>,
    /// Runs that were cancelled, and how many had been dispatched by then.
    pub cancels: Vec<(u64, usize)>,
    /// A run that is cancelled goes on.
    pub never_ends: bool,
    /// An older server does not tell the run of a dispatch.
    pub tells_no_run: bool,
    pub artifacts: Vec<Artifact>,
    /// Files by branch or sha and path.
    pub files: BTreeMap<(String, String), String>,
    /// Trees, blobs and annotated tags by sha, as replied.
    pub objects: BTreeMap<String, Value>,
    /// Branches with a protection of their own: the checks it requires, with their apps.
    pub protected: BTreeMap<String, Vec<(String, Option<u64>)>>,
    /// The rules that rulesets have for a branch.
    pub rules: BTreeMap<String, Vec<Rule>>,
}

/// A rule of a ruleset.
#[derive(Debug, Clone)]
pub enum Rule {
    /// Required checks, with their apps.
    Checks(Vec<(String, Option<u64>)>),
    MergeQueue,
    /// The branch may not be deleted.
    Deletion,
}

/// A commit and what it stands on.
#[derive(Debug, Clone)]
pub struct Commit {
    pub sha: String,
    pub parents: Vec<String>,
    pub message: String,
    pub tree: String,
}

/// A pull request.
#[derive(Debug, Clone)]
pub struct Pull {
    pub number: u64,
    pub id: u64,
    pub head: String,
    pub head_ref: String,
    /// `owner/name` of the head's repository: another one than the base's for a fork.
    pub head_repo: String,
    pub base: String,
    pub base_ref: String,
    pub open: bool,
    pub title: String,
    /// Path and status (`added`, `modified`, …) of the changed files.
    pub files: Vec<(String, String)>,
    /// The lines of the new side that the diff shows, by file, one range for each hunk; a file without has all.
    pub hunks: BTreeMap<String, Vec<(u64, u64)>>,
}

/// An issue that is no pull request.
#[derive(Debug, Clone)]
pub struct Issue {
    pub title: String,
    pub body: String,
    pub labels: Vec<String>,
    pub author: Account,
    pub open: bool,
    pub reason: Option<String>,
    pub created_at: String,
}

impl Default for Issue {
    fn default() -> Self {
        Self {
            title: "something".to_owned(),
            body: String::new(),
            labels: Vec::new(),
            author: Account::user("someone"),
            open: true,
            reason: None,
            created_at: "2026-01-01T00:00:00Z".to_owned(),
        }
    }
}

/// A check run.
#[derive(Debug, Clone)]
pub struct CheckRun {
    pub id: u64,
    pub head_sha: String,
    pub name: String,
    pub external_id: Option<String>,
    pub details_url: Option<String>,
    pub status: String,
    pub conclusion: Option<String>,
    pub started_at: Option<String>,
    pub completed_at: Option<String>,
    pub title: Option<String>,
    pub summary: Option<String>,
    pub text: Option<String>,
    pub annotations: Vec<Value>,
    pub owner: Account,
}

/// A commit status.
#[derive(Debug, Clone)]
pub struct CommitStatus {
    pub id: u64,
    pub sha: String,
    pub state: String,
    pub context: String,
    pub description: Option<String>,
    pub target_url: Option<String>,
    pub creator: Account,
    pub created_at: String,
}

/// A comment on an issue or a pull request.
#[derive(Debug, Clone)]
pub struct Comment {
    pub id: u64,
    pub issue: u64,
    pub body: String,
    pub author: Account,
    pub created_at: String,
    pub updated_at: String,
}

/// A review of a pull request.
#[derive(Debug, Clone)]
pub struct Review {
    pub id: u64,
    pub pull: u64,
    pub state: String,
    pub body: String,
    pub commit: String,
    pub author: Account,
    pub submitted_at: String,
}

/// A comment on a line of a pull request.
#[derive(Debug, Clone)]
pub struct ReviewComment {
    pub id: u64,
    pub pull: u64,
    pub review: Option<u64>,
    pub path: String,
    pub start_line: Option<u64>,
    /// `None` once it is outdated.
    pub line: Option<u64>,
    pub body: String,
    pub commit: String,
    pub author: Account,
    pub created_at: String,
}

/// A deployment with its statuses, oldest first.
#[derive(Debug, Clone)]
pub struct Deployment {
    pub id: u64,
    pub sha: String,
    /// The body that asked for it.
    pub given: Value,
    pub creator: Account,
    pub created_at: String,
    pub statuses: Vec<DeploymentStatus>,
}

/// One step in the life of a deployment.
#[derive(Debug, Clone)]
pub struct DeploymentStatus {
    pub id: u64,
    pub state: String,
    /// The body that asked for it.
    pub given: Value,
    pub creator: Account,
    pub created_at: String,
}

/// A run of a workflow.
#[derive(Debug, Clone)]
pub struct WorkflowRun {
    pub id: u64,
    pub attempt: u64,
    pub event: String,
    pub head_sha: String,
    pub head_branch: Option<String>,
    /// `owner/name`; `None` where it is gone.
    pub head_repository: Option<String>,
    /// `None` while it runs.
    pub conclusion: Option<String>,
}

/// A job of a run.
#[derive(Debug, Clone)]
pub struct Job {
    pub name: String,
    pub runner: Option<String>,
    pub attempt: u64,
    /// How it ended; `Err`: how it stands.
    pub end: Result<String, String>,
}

/// What a run left behind.
#[derive(Debug, Clone)]
pub struct Artifact {
    pub id: u64,
    pub run: u64,
    pub name: String,
    pub bytes: Vec<u8>,
    /// Where it is stated wrongly.
    pub size: Option<u64>,
    pub expired: bool,
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            repos: BTreeMap::new(),
            tokens: BTreeMap::new(),
            refused_annotations: BTreeSet::new(),
            link_origin: None,
            base_path: String::new(),
            last_id: FIRST_ID,
            seconds: FIRST_SECOND,
        }
    }

    /// Serves the API below a path, as GitHub Enterprise Server does (`/api/v3`). Only before the start.
    pub fn base_path(&mut self, path: &str) -> &mut Self {
        path.clone_into(&mut self.base_path);
        self
    }

    /// A token by its secret.
    pub fn token(&mut self, secret: &str, token: Token) -> &mut Self {
        self.tokens.insert(secret.to_owned(), token);
        self
    }

    /// A repository, made where there is none yet.
    pub fn repo(&mut self, name: &str) -> &mut Repo {
        self.repos.entry(name.to_owned()).or_insert_with(|| Repo { name: name.to_owned(), ..Repo::default() })
    }

    /// Someone's comment, made without a request.
    pub fn comment(&mut self, repo: &str, issue: u64, author: Account, body: &str) -> u64 {
        let (id, now) = (self.next_id(), self.now());
        let comment = Comment { id, issue, body: body.to_owned(), author, created_at: now.clone(), updated_at: now };
        self.repo(repo).comments.push(comment);
        id
    }

    /// Something that a run left, made without a request.
    pub fn artifact(&mut self, repo: &str, run: u64, name: &str, bytes: Vec<u8>) -> &mut Artifact {
        let artifact = Artifact { id: self.next_id(), run, name: name.to_owned(), bytes, size: None, expired: false };
        let artifacts = &mut self.repo(repo).artifacts;
        artifacts.push(artifact);
        artifacts.last_mut().unwrap()
    }

    /// Someone's completed check run, made without a request.
    pub fn check(&mut self, repo: &str, sha: &str, name: &str, conclusion: &str, owner: Account) -> u64 {
        let (id, now) = (self.next_id(), self.now());
        let mut check = CheckRun::new(id, sha, name, owner);
        "completed".clone_into(&mut check.status);
        check.conclusion = Some(conclusion.to_owned());
        check.completed_at = Some(now);
        self.repo(repo).checks.push(check);
        id
    }

    /// An artifact of an ended push to `main`, left without a request.
    pub fn pushed(&mut self, repo: &str, name: &str, sha: &str, bytes: Vec<u8>) {
        let id = self.next_id();
        self.repo(repo).runs.push(WorkflowRun {
            id,
            attempt: 1,
            event: "push".to_owned(),
            head_sha: sha.to_owned(),
            head_branch: Some("main".to_owned()),
            head_repository: Some(repo.to_owned()),
            conclusion: Some("success".to_owned()),
        });
        self.artifact(repo, id, name, bytes);
    }

    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) fn now(&mut self) -> String {
        self.seconds += 1;
        jiff::Timestamp::from_second(self.seconds).unwrap().to_string()
    }

    /// The repository a request is about.
    pub(super) fn of(&mut self, ask: &Ask) -> Result<&mut Repo, Reply> {
        self.repos.get_mut(&ask.repository()).ok_or_else(Reply::not_found)
    }
}

impl CheckRun {
    pub(super) fn new(id: u64, sha: &str, name: &str, owner: Account) -> Self {
        Self {
            id,
            head_sha: sha.to_owned(),
            name: name.to_owned(),
            external_id: None,
            details_url: None,
            status: "queued".to_owned(),
            conclusion: None,
            started_at: None,
            completed_at: None,
            title: None,
            summary: None,
            text: None,
            annotations: Vec::new(),
            owner,
        }
    }
}

impl Job {
    /// A job of a first attempt: `end` is a conclusion, or where it has none the status.
    pub fn new(name: &str, runner: &str, end: &str) -> Self {
        let is_status = ["queued", "waiting", "in_progress"].contains(&end);
        let end = if is_status { Err(end.to_owned()) } else { Ok(end.to_owned()) };
        let runner = (!runner.is_empty()).then(|| runner.to_owned());
        Self { name: name.to_owned(), runner, attempt: 1, end }
    }
}

impl Repo {
    /// Not seen without a permission to read.
    pub fn private(&mut self) -> &mut Self {
        self.private = true;
        self
    }

    /// A commit GitHub knows.
    pub fn commit(&mut self, sha: &str, parents: &[&str]) -> &mut Self {
        let commit = Commit {
            sha: sha.to_owned(),
            parents: parents.iter().map(|&parent| parent.to_owned()).collect(),
            message: "a commit".to_owned(),
            tree: sha.chars().rev().collect(),
        };
        self.commits.insert(sha.to_owned(), commit);
        self
    }

    /// What somebody may do: GitHub's `role_name`.
    pub fn collaborator(&mut self, login: &str, role: &str) -> &mut Self {
        let permission = match role {
            "maintain" => "write",
            "triage" => "read",
            role => role,
        };
        self.collaborators.insert(login.to_owned(), (permission.to_owned(), role.to_owned()));
        self
    }

    /// A branch at a commit.
    pub fn branch(&mut self, name: &str, sha: &str) -> &mut Self {
        self.refs.insert(format!("refs/heads/{name}"), sha.to_owned());
        self
    }

    /// A file as a branch has it.
    pub fn file(&mut self, branch: &str, path: &str, text: &str) -> &mut Self {
        self.files.insert((branch.to_owned(), path.to_owned()), text.to_owned());
        self
    }

    /// A protection of a branch's own, with the checks that it requires.
    pub fn protect(&mut self, branch: &str, checks: &[(&str, Option<u64>)]) -> &mut Self {
        self.protected.insert(branch.to_owned(), owned(checks));
        self
    }

    /// One more rule of a ruleset.
    pub fn rule(&mut self, branch: &str, rule: Rule) -> &mut Self {
        self.rules.entry(branch.to_owned()).or_default().push(rule);
        self
    }

    /// An issue that is no pull request.
    pub fn issue(&mut self, number: u64) -> &mut Self {
        self.issues.insert(number, Issue::default());
        self
    }

    /// An open pull request into `main`. Commits not known yet are made, the head on top of the base.
    pub fn pull(&mut self, number: u64, head: &str, base: &str) -> &mut Pull {
        if !self.commits.contains_key(base) {
            self.commit(base, &[]);
        }
        if !self.commits.contains_key(head) {
            self.commit(head, &[base]);
        }
        self.branch("main", base);
        self.branch("feature", head);
        self.refs.insert(format!("refs/pull/{number}/head"), head.to_owned());
        let pull = Pull {
            number,
            id: FIRST_ID - number,
            head: head.to_owned(),
            head_ref: "feature".to_owned(),
            head_repo: self.name.clone(),
            base: base.to_owned(),
            base_ref: "main".to_owned(),
            open: true,
            title: "Add a feature".to_owned(),
            files: Vec::new(),
            hunks: BTreeMap::new(),
        };
        self.pulls.entry(number).insert_entry(pull).into_mut()
    }

    /// The head of a pull request moves to a new commit on top of the old one.
    pub fn push(&mut self, number: u64, head: &str) {
        let pull = self.pulls.get_mut(&number).expect("the pull request exists");
        let old = std::mem::replace(&mut pull.head, head.to_owned());
        self.refs.insert(format!("refs/pull/{number}/head"), head.to_owned());
        self.commit(head, &[&old]);
    }

    /// Comments on one issue or pull request, oldest first.
    pub fn comments_on(&self, issue: u64) -> Vec<&Comment> {
        self.comments.iter().filter(|comment| comment.issue == issue).collect()
    }

    pub(super) fn has_issue(&self, number: u64) -> bool {
        self.issues.contains_key(&number) || self.pulls.contains_key(&number)
    }

    /// A branch, a tag, `heads/…`, `refs/…` or a sha as the sha of a known commit; annotated tags lead to theirs.
    pub(super) fn resolve(&self, name: &str) -> Option<String> {
        let places =
            [name.to_owned(), format!("refs/{name}"), format!("refs/heads/{name}"), format!("refs/tags/{name}")];
        let named = places.iter().find_map(|place| self.refs.get(place)).cloned();
        let sha = named.unwrap_or_else(|| name.to_owned());
        let tagged = self.objects.get(&sha).and_then(|object| object["object"]["sha"].as_str());
        let sha = tagged.map_or(sha.clone(), str::to_owned);
        self.commits.contains_key(&sha).then_some(sha)
    }
}

impl Rule {
    pub fn checks(checks: &[(&str, Option<u64>)]) -> Self {
        Self::Checks(owned(checks))
    }
}

fn owned(checks: &[(&str, Option<u64>)]) -> Vec<(String, Option<u64>)> {
    checks.iter().map(|&(name, app)| (name.to_owned(), app)).collect()
}

impl Pull {
    /// The head lies in another repository.
    pub fn in_fork(&mut self, repo: &str) -> &mut Self {
        repo.clone_into(&mut self.head_repo);
        self
    }

    pub fn closed(&mut self) -> &mut Self {
        self.open = false;
        self
    }

    /// One more changed file.
    pub fn file(&mut self, path: &str, status: &str) -> &mut Self {
        self.files.push((path.to_owned(), status.to_owned()));
        self
    }

    /// What the diff shows of a file.
    pub fn hunk(&mut self, path: &str, start: u64, end: u64) -> &mut Self {
        self.hunks.entry(path.to_owned()).or_default().push((start, end));
        self
    }
}
