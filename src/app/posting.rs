//! Posting a run: check runs as gates end, the rest when all have. What is posted is planned by the publishers and
//! sent by the interpreter; here is only when, with which token, and what becomes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::time::Instant;

use crate::app::Failure;
use crate::app::scope::Judged;
use crate::mask::Masker;
use crate::model::call::{Call, CheckRun, Generation, Receipt, ReceiptEnd};
use crate::model::check_id;
use crate::model::event::{Occasion, StandsBack};
use crate::model::exit::ExitCode;
use crate::model::gate::GateName;
use crate::model::outcome::Outcome;
use crate::model::report::{GateReport, Report, Subject};
use crate::model::secret::Secret;
use crate::model::settings::{CommentWhen, PublishSettings};
use crate::model::sha::Sha;
use crate::publish::interpreter::{Interpreter, Kept, NotKept, Options, Pace};
use crate::publish::proof::{self, Maker};
use crate::publish::{self, Context, GateEnd, Posting, RunEnd, comment};
use crate::render::figures::count;
use crate::world::env::Env;
use crate::world::github::{API, GitHub};
use crate::world::repo::Repo;
use crate::world::signals::Signals;
use crate::world::{clock, files};

/// How long posting may wait for retries and rate limits, over the whole run; for check runs twice as long. A job that only
/// posts has 10 minutes in our examples, and its exit code must be there by then.
const PATIENCE: Duration = Duration::from_mins(3);
/// After a signal under GitHub Actions everything, the report included, must have ended after 7 s.
const LAST_CALL: Duration = Duration::from_millis(6_500);

/// How long gates wait, in all, for what GitHub could tell and is not needed: a baseline, overrides.
const ASIDE: Duration = Duration::from_secs(15);

/// Until when they wait.
#[must_use]
pub fn patience() -> Instant {
    Instant::now() + ASIDE
}

/// What is said where that is over.
#[must_use]
pub fn unanswered() -> String {
    format!("GitHub did not answer within {} s, for which gates wait", ASIDE.as_secs())
}

/// When a run posts to GitHub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publish {
    /// On GitHub Actions.
    Auto,
    /// Everywhere; a posting that fails makes a pass exit 4.
    Always,
    /// Nowhere.
    Never,
}

/// What was posted, and what the runner is to read.
#[derive(Debug, Default)]
pub struct Said {
    /// One for every call.
    pub receipts: Vec<Receipt>,
    /// Workflow commands for standard output.
    pub commands: Vec<String>,
    /// Files of the runner that could not be written.
    pub unwritten: Vec<String>,
}

impl Said {
    /// Without secrets.
    #[must_use]
    pub fn masked(mut self, masker: &Masker) -> Self {
        masker.receipts(&mut self.receipts);
        self
    }

    /// Whether anything could not be posted at all, though the token may.
    #[must_use]
    pub fn failed(&self) -> bool {
        !self.unwritten.is_empty() || self.receipts.iter().any(|receipt| matches!(receipt.end, ReceiptEnd::Failed(_)))
    }

    /// Whether the token may not write something.
    #[must_use]
    pub fn denied(&self) -> bool {
        self.receipts.iter().any(|receipt| matches!(receipt.end, ReceiptEnd::Denied(_)))
    }

    /// What the process ends with for this verdict: one that is not green stands, whatever could not be posted or written.
    #[must_use]
    pub fn code(verdict: Outcome, unsaid: bool, signals: &Signals) -> ExitCode {
        match signals.caught() {
            Some(signal) => ExitCode::Interrupted(signal.number()),
            None if unsaid && verdict.is_green() => ExitCode::CouldNotJudge,
            None => ExitCode::from(verdict),
        }
    }
}

/// What all postings of a run share.
#[derive(Clone, Copy)]
pub struct Posted<'a> {
    /// What was judged.
    pub subject: &'a Subject,
    /// `[publish]`.
    pub settings: &'a PublishSettings,
    /// Where a person finds the report.
    pub report_path: &'a str,
    /// When the run began, RFC 3339.
    pub started_at: &'a str,
    /// How many gates of the configuration were not asked for.
    pub left_out: usize,
    /// Where the configuration stands in the repository.
    pub place: &'a str,
    /// Of gates that other jobs judged: what their reports are of. The others are of `subject`.
    pub origins: &'a BTreeMap<GateName, Subject>,
}

/// Posts one run.
#[expect(clippy::struct_excessive_bools, reason = "where it runs and what it was asked for are independent")]
pub struct Poster {
    interpreter: Option<Interpreter<GitHub>>,
    active: bool,
    dry_run: bool,
    on_actions: bool,
    always: bool,
    repository: Option<String>,
    server: String,
    by: Maker,
    generation: Generation,
    workflow: Option<String>,
    summary: Option<PathBuf>,
    outputs: Option<PathBuf>,
    said: Said,
    annotated: BTreeSet<GateName>,
    /// The jobs of the judged run may have made check runs.
    already: bool,
    /// What its check runs may hide.
    stands_back: StandsBack,
    /// The leg of the job's matrix.
    leg: Option<String>,
}

impl Poster {
    /// Looks for what posting needs; sends nothing.
    ///
    /// # Errors
    /// When posting was asked for and there is no token or repository to post with, or the API's address is none.
    pub fn open(
        publish: Publish,
        dry_run: bool,
        env: &Env,
        occasion: &Occasion,
        repo: Option<&Repo>,
    ) -> Result<Self, Failure> {
        let always = publish == Publish::Always;
        let active = always || (publish == Publish::Auto && (occasion.on_actions || dry_run));
        let repository = match occasion.repository.clone().or_else(|| env.get("GITHUB_REPOSITORY").map(str::to_owned)) {
            None if active => repo.map(Repo::origin_repository).transpose()?.flatten(),
            known => known,
        };
        let token = ["GITHUB_TOKEN", "GH_TOKEN"].iter().find_map(|name| env.get(name));
        if always && !dry_run {
            let missing = |what: &str, help: &str| Err(Failure::usage(format!("cannot post: {what}")).help(help));
            if token.is_none() {
                return missing(
                    "there is no token",
                    "set GITHUB_TOKEN to a token that may write checks and pull requests",
                );
            }
            if repository.is_none() {
                return missing("no repository is known", "set GITHUB_REPOSITORY=owner/name, or add a remote `origin`");
            }
        }
        let interpreter = match (active, token, &repository) {
            (true, Some(token), Some(repository)) => {
                let api = env.get("GITHUB_API_URL").unwrap_or(API);
                let forge = GitHub::new(api, Secret::new(token.to_owned()))
                    .map_err(|error| Failure::usage(error.to_string()))?;
                let options =
                    Options { repository: repository.clone(), patience: PATIENCE, dry_run, pace: Pace::default() };
                Some(Interpreter::new(forge, &options))
            }
            _ => None,
        };
        let file = |name: &str| env.os(name).filter(|path| !path.is_empty() && active && !dry_run).map(PathBuf::from);
        let (id, attempt) = occasion.generation;
        let run = if id > 0 { format!("{id}.{attempt}") } else { format!("local.{}", clock::now().as_millisecond()) };
        let job = proof::job(occasion.workflow.as_deref(), occasion.job.as_deref());
        Ok(Self {
            interpreter,
            active,
            dry_run,
            on_actions: occasion.on_actions,
            always,
            repository,
            server: env.get("GITHUB_SERVER_URL").unwrap_or("https://github.com").to_owned(),
            by: Maker { run, job, made: random()[..8].to_owned() },
            generation: occasion.generation.into(),
            workflow: occasion.workflow.clone(),
            summary: file("GITHUB_STEP_SUMMARY"),
            outputs: file("GITHUB_OUTPUT"),
            said: Said::default(),
            annotated: BTreeSet::new(),
            already: false,
            stands_back: occasion.stands_back(),
            leg: occasion.leg.clone(),
        })
    }

    /// Posts in the name of a run (id and attempt) whose jobs have judged, annotated, and perhaps made check runs; of another
    /// workflow than this one, where that is named; `occasion`: what woke it.
    #[must_use]
    pub fn for_jobs_of(mut self, (run, attempt): (u64, u64), workflow: Option<&str>, occasion: &Occasion) -> Self {
        self.stands_back = occasion.stands_back();
        self.leg = None;
        self.by.run = format!("{run}.{attempt}");
        self.generation.judged = (run, attempt);
        self.workflow = workflow.map(str::to_owned).or(self.workflow);
        self.already = true;
        self
    }

    /// What asks GitHub; `None` without a token or a repository.
    pub const fn asking(&mut self) -> Option<&mut Interpreter<GitHub>> {
        self.interpreter.as_mut()
    }

    /// `owner/name`, where known.
    #[must_use]
    pub fn repository(&self) -> Option<&str> {
        self.repository.as_deref()
    }

    /// Whether it speaks with GitHub.
    #[must_use]
    pub const fn posts(&self) -> bool {
        self.active && self.interpreter.is_some()
    }

    /// The merge base of two commits as GitHub knows it.
    ///
    /// # Errors
    /// The reason it could not be told.
    pub async fn merge_base(&mut self, base: &Sha, head: &Sha) -> Result<Sha, String> {
        match &mut self.interpreter {
            Some(interpreter) => {
                interpreter.merge_base(base.as_str(), head.as_str()).await.map_err(|stop| stop.to_string())
            }
            None => Err("there is no token to ask GitHub with".to_owned()),
        }
    }

    /// The report that a push to `branch` left behind, of `base` or of a commit before it; `None` without a token.
    pub async fn kept_report(&mut self, base: &Sha, branch: &str) -> Option<Result<Kept, NotKept>> {
        Some(self.interpreter.as_mut()?.kept_report(base, branch).await)
    }

    /// Refuses to post what was not judged: outside Actions the work tree must be the commit.
    ///
    /// # Errors
    /// With exit code 3, under `--publish always`.
    pub fn check(&self, judged: &Judged) -> Result<(), Failure> {
        if self.always && !self.on_actions && judged.dirty {
            return Err(Failure::refused(
                "--publish always posts on HEAD, but the work tree has changes: HEAD is not what would be judged",
            )
            .help("commit or stash them, or run without --publish always"));
        }
        Ok(())
    }

    /// Begins: gates that end are queued by the first and sent by [`Poster::send_all`] from the second.
    #[must_use]
    pub fn queue<'a>(&self, posted: Posted<'a>, signals: &Signals) -> (Queue<'a>, Waiting) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let queue = Queue {
            sender: self.active.then_some(sender),
            posted,
            server: self.server.clone(),
            by: self.by.clone(),
            already: self.already,
            stands_back: self.stands_back,
            leg: self.leg.clone(),
            signals: signals.clone(),
        };
        (queue, receiver)
    }

    /// Sends what gates that ended left in the queue, until the last one has. After a signal only a little longer.
    pub async fn send_all(&mut self, mut waiting: Waiting, signals: &Signals) {
        let work = async {
            while let Some((gate, calls)) = waiting.recv().await {
                for call in calls {
                    self.send(Some(&gate), &call).await;
                }
            }
        };
        tokio::select! {
            () = work => {}
            () = last_call(signals) => {
                self.said.receipts.push(cut_off("check runs"));
            }
        }
    }

    async fn send(&mut self, gate: Option<&GateName>, call: &Call) {
        let receipt = match &mut self.interpreter {
            Some(interpreter) => interpreter.send(call).await,
            None => unsent(call, self.dry_run),
        };
        let stands = matches!(receipt.end, ReceiptEnd::Posted(_) | ReceiptEnd::Unchanged(_));
        if let (Call::CheckRun(_), Some(gate), true) = (call, gate, stands) {
            self.annotated.insert(gate.clone());
        }
        self.said.receipts.push(receipt);
    }

    /// Posts what is said of the whole run, and gives back everything that was said. `interrupted`: before all was judged; a
    /// signal that comes later only ends the posting.
    pub async fn end(mut self, report: &Report, posted: Posted<'_>, interrupted: bool, signals: &Signals) -> Said {
        if !self.active {
            return self.said;
        }
        let delimiter = delimiter();
        let completed_at = clock::now().to_string();
        let event = if report.subject.event.is_empty() { "-" } else { &report.subject.event };
        let external_id = check_id::of_whole(&self.by.run, &self.by.made, event);
        let left_alone = left_alone(&self.said.receipts);
        let mut annotated = std::mem::take(&mut self.annotated);
        if self.already {
            annotated.extend(report.gates.iter().map(|gate| gate.name.clone()));
        }
        let postings = publish::on_end(&RunEnd {
            context: context(posted, &self.server, self.leg.as_deref()),
            report,
            completed_at: &completed_at,
            external_id: &external_id,
            cancelled: interrupted,
            generation: self.generation,
            by: &self.by,
            comment_key: &comment::key(self.workflow.as_deref(), posted.place),
            delimiter: &delimiter,
            summary_room: self.summary_room(),
            left_out: posted.left_out,
            annotated: &annotated,
            left_alone: &left_alone,
        });
        self.said.receipts.extend(left_to_the_whole(posted));
        let is_summary = |posting: &Posting| matches!(posting, Posting::Summary(_));
        if self.summary.is_some() && !postings.iter().any(is_summary) {
            let why = "what other programs wrote into it leaves no room (the runner takes 1 MiB)".to_owned();
            self.said.receipts.push(Receipt { what: "job summary".to_owned(), end: ReceiptEnd::LeftAlone(why) });
        }
        // The runner's files first: they cannot hang, and stand when there is no time left for GitHub.
        let calls = postings.into_iter().filter_map(|posting| self.keep(posting)).collect::<Vec<_>>();
        let work = async {
            for call in &calls {
                self.send(None, call).await;
            }
        };
        let in_time = tokio::select! {
            biased;
            () = work => true,
            () = last_call(signals) => false,
        };
        if !in_time {
            self.said.receipts.push(cut_off("the end of the run"));
        }
        self.said
    }

    /// Keeps what is for the runner; gives back what is for GitHub.
    fn keep(&mut self, posting: Posting) -> Option<Call> {
        match posting {
            Posting::Call(Call::CheckRun(run)) => return Some(Call::CheckRun(standing_back(run, self.stands_back))),
            Posting::Call(call) => return Some(call),
            Posting::Summary(text) => append(self.summary.as_deref(), &text, &mut self.said.unwritten),
            Posting::Outputs(text) => append(self.outputs.as_deref(), &text, &mut self.said.unwritten),
            Posting::Commands(_) if self.on_actions && self.dry_run => {
                let end = ReceiptEnd::LeftAlone("a dry run gives the runner no commands".to_owned());
                self.said.receipts.push(Receipt { what: "annotations by workflow commands".to_owned(), end });
            }
            Posting::Commands(lines) if self.on_actions => self.said.commands.extend(lines),
            Posting::Commands(_) => {}
        }
        None
    }

    fn summary_room(&self) -> usize {
        let used = self.summary.as_deref().and_then(files::size).unwrap_or(0);
        publish::summary::LIMIT.saturating_sub(usize::try_from(used).unwrap_or(usize::MAX))
    }
}

/// Where gates that ended are taken from.
pub type Waiting = UnboundedReceiver<(GateName, Vec<Call>)>;

/// Plans the calls of every gate that ends.
pub struct Queue<'a> {
    sender: Option<UnboundedSender<(GateName, Vec<Call>)>>,
    posted: Posted<'a>,
    server: String,
    by: Maker,
    already: bool,
    stands_back: StandsBack,
    leg: Option<String>,
    signals: Signals,
}

impl Queue<'_> {
    /// Takes in a gate that ended, masked. `moved`: whether files of the commit were changed by then, so that the gate may
    /// have judged others.
    pub fn gate(&self, gate: &GateReport, moved: impl FnOnce() -> bool) {
        let Some(sender) = &self.sender else { return };
        let subject = Subject { dirty: self.posted.subject.dirty || moved(), ..self.posted.subject.clone() };
        let posted = Posted { subject: &subject, ..self.posted };
        let completed_at = clock::now();
        let began = i64::try_from(gate.took.as_millis()).unwrap_or(0);
        let started_at = completed_at.checked_sub(jiff::SignedDuration::from_millis(began)).unwrap_or(completed_at);
        let origin = posted.origins.get(&gate.name).unwrap_or(&subject);
        let postings = publish::on_gate(&GateEnd {
            context: context(posted, &self.server, self.leg.as_deref()),
            gate,
            started_at: &started_at.to_string(),
            completed_at: &completed_at.to_string(),
            external_id: &proof::external_id(&self.by, gate, origin),
            cancelled: self.signals.caught().is_some(),
        });
        let calls = postings.into_iter().filter_map(|posting| match posting {
            Posting::Call(Call::CheckRun(run)) => {
                let run = CheckRun { already: self.already, ..standing_back(run, self.stands_back) };
                Some(Call::CheckRun(run))
            }
            Posting::Call(call) => Some(call),
            _ => None,
        });
        // The receiver outlives every gate, but for a run that is being cut off.
        let _ = sender.send((gate.name.clone(), calls.collect()));
    }
}

fn standing_back(run: CheckRun, stands_back: StandsBack) -> CheckRun {
    let stands_back = match stands_back {
        StandsBack::Never => false,
        StandsBack::Skipped => run.conclusion == "skipped",
        StandsBack::Green => true,
    };
    CheckRun { stands_back, ..run }
}

/// What was not posted, as it would have hidden what is worse: that is said where people look.
fn left_alone(receipts: &[Receipt]) -> Vec<String> {
    let mut whys: Vec<(&str, Vec<&str>)> = Vec::new();
    for receipt in receipts {
        let ReceiptEnd::LeftAlone(why) = &receipt.end else { continue };
        match whys.iter_mut().find(|(known, _)| known == why) {
            Some((_, names)) => names.push(&receipt.what),
            None => whys.push((why, vec![&receipt.what])),
        }
    }
    whys.into_iter().map(|(why, names)| format!("Left alone: {}: {why}.", names.join(", "))).collect()
}

fn context<'a>(posted: Posted<'a>, server: &'a str, leg: Option<&'a str>) -> Context<'a> {
    Context {
        subject: posted.subject,
        settings: posted.settings,
        server,
        version: env!("CARGO_PKG_VERSION"),
        report_path: posted.report_path,
        place: posted.place,
        leg,
    }
}

/// Ends a little after the first signal, or with the second; never without one.
pub(super) async fn last_call(signals: &Signals) {
    while !signals.is_urgent() && (signals.caught().is_none() || signals.since() < LAST_CALL) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A run of some of the gates says nothing that would stand for all of them.
fn left_to_the_whole(posted: Posted<'_>) -> Option<Receipt> {
    let (number, wanted) = (posted.subject.pull_request?, posted.settings.comment != CommentWhen::Off);
    let why = || {
        let gates = count(posted.left_out, "more gate");
        format!("{gates} of the configuration did not run here: `gatepost publish` posts one comment of all reports")
    };
    (wanted && posted.left_out > 0)
        .then(|| Receipt { what: format!("comment on #{number}"), end: ReceiptEnd::LeftAlone(why()) })
}

/// Adds lines to a file of the runner's, behind what may have been written there without an end of line.
fn append(file: Option<&Path>, text: &str, unwritten: &mut Vec<String>) {
    let Some(file) = file else { return };
    let unended = files::size(file) > Some(0) && files::tail(file, 1).is_some_and(|last| !last.is_empty());
    let text = format!("{}{text}", if unended { "\n" } else { "" });
    if let Err(error) = files::append(file, text.as_bytes()) {
        unwritten.push(error.to_string());
    }
}

fn cut_off(what: &str) -> Receipt {
    Receipt { what: what.to_owned(), end: ReceiptEnd::Failed("interrupted before everything was posted".to_owned()) }
}

fn unsent(call: &Call, dry_run: bool) -> Receipt {
    let what = match call {
        Call::CheckRun(run) => format!("check run {}", run.name),
        Call::CommitStatus(status) => format!("commit status {}", status.context),
        Call::StickyComment(comment) => format!("comment on #{}", comment.pull_request),
        Call::LiveComment(comment) => format!("comment on #{}", comment.pull_request),
        Call::Review(review) => format!("review suggestions on #{}", review.pull_request),
        Call::StickyIssue(issue) => format!("issue {:?}", issue.title),
        Call::News(news) => format!("issue about {}", news.key),
    };
    let why = "there is no token: set `github-token` (default `${{ github.token }}`), or GITHUB_TOKEN".to_owned();
    let end = if dry_run { ReceiptEnd::WouldSend(String::new()) } else { ReceiptEnd::Failed(why) };
    Receipt { what, end }
}

/// 128 random bits: text that a tool printed cannot know them.
#[must_use]
pub fn delimiter() -> String {
    format!("gatepost-{}", random())
}

fn random() -> String {
    let mut bytes = [0_u8; 16];
    match getrandom::fill(&mut bytes) {
        Ok(()) => format!("{:032x}", u128::from_le_bytes(bytes)),
        Err(_) => blake3::hash(format!("{:?}", clock::instant()).as_bytes()).to_hex()[..32].to_owned(),
    }
}
