//! `gatepost notify`, and the telling that deploys do: notices by every route that takes them. What cannot be told is in
//! the receipts, and changes the outcome of nothing that is told of.

use std::path::PathBuf;
use std::time::Duration;

use crate::app::{Failure, project, run};
use crate::config::{self, Config};
use crate::mask::Masker;
use crate::model::call::{Call, Receipt, ReceiptEnd};
use crate::model::event::Occasion;
use crate::model::exit::ExitCode;
use crate::model::notice::{self, Event, Notice};
use crate::model::secret::Secret;
use crate::model::sha::Sha;
use crate::notify::{Desk, Pace};
use crate::policy;
use crate::publish::interpreter::{self, Interpreter};
use crate::world::env::Env;
use crate::world::github::GitHub;
use crate::world::http::Http;
use crate::world::repo::Repo;
use crate::world::{clock, files, occasion};

/// What `gatepost notify` was asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where it was started, absolute.
    pub start: PathBuf,
    /// `--config`.
    pub config: Option<PathBuf>,
    /// The event; `None`: a test.
    pub event: Option<String>,
    /// `--environment`.
    pub environment: Option<String>,
    /// `--sha`; `None`: HEAD.
    pub sha: Option<String>,
    /// `--reason`.
    pub reason: Option<String>,
    /// `--url`.
    pub url: Option<String>,
    /// `--story`.
    pub story: Option<String>,
    /// `--dry-run`.
    pub dry_run: bool,
    /// Whether problems of the configuration are shown in colour.
    pub colour: bool,
}

/// What became of it.
#[derive(Debug)]
pub struct Told {
    /// What was told.
    pub event: &'static Event,
    /// How many routes are configured.
    pub routes: usize,
    /// One for each route that takes it.
    pub receipts: Vec<Receipt>,
    /// What the process ends with: 4 where a route could not be told.
    pub code: ExitCode,
    /// Takes secrets out of what is shown of it.
    pub masker: Masker,
}

/// Tells one event.
///
/// # Errors
/// When nothing is configured, the event is none, or the configuration may be a stranger's.
pub async fn notify(request: &Request, env: &Env) -> Result<Told, Failure> {
    let event = event(request)?;
    let occasion = occasion::read(env).map_err(|error| Failure::outside(error.to_string()).help(error.help()))?;
    policy::may_run(&occasion, true).map_err(|_| {
        let what =
            format!("on `{}` the configuration may be a stranger's, and it says where secrets go", occasion.event);
        Failure::refused(what).help("tell it in a job that `push`, `workflow_dispatch` or `schedule` woke")
    })?;
    let repo = run::discover(&request.start, env).ok();
    let start = files::real_path(&request.start).unwrap_or_else(|| request.start.clone());
    let root = repo.as_ref().and_then(|repo| files::real_path(repo.root())).unwrap_or_else(|| start.clone());
    let place = project::Place { root: &root, start: &start, file: request.config.as_deref(), colour: request.colour };
    let example = "write a section such as [notify.slack] with webhook = \"env:SLACK_WEBHOOK\"";
    let nobody = || Failure::usage("nobody is to be told: there is no [notify.*] in the configuration").help(example);
    let (config, ..) = project::read(&place)?.ok_or_else(nobody)?;
    if config.notify.is_empty() {
        return Err(nobody());
    }
    let repository = repository(env, &occasion, repo.as_ref());
    let mut teller = Teller::open(&config, env, repository.as_deref(), request.dry_run)?;
    let folder = root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let sha = sha(request, &occasion, repo.as_ref())?;
    let environment = request.environment.clone().unwrap_or_else(|| "no environment".to_owned());
    let (run, _) = occasion.generation;
    let story = match (&request.story, &sha) {
        (Some(story), _) => story.clone(),
        (None, _) if run > 0 => format!("run {run} {environment}"),
        (None, Some(sha)) => format!("{environment} {sha}"),
        (None, None) => environment.clone(),
    };
    let notice = Notice {
        event,
        environment,
        story,
        repository: repository.unwrap_or(folder),
        sha,
        reference: occasion.branch.clone(),
        previous: None,
        by: ["GITHUB_TRIGGERING_ACTOR", "GITHUB_ACTOR", "USER"]
            .iter()
            .find_map(|name| env.get(name))
            .map(str::to_owned),
        reason: request.reason.clone(),
        run: occasion.run_url.clone(),
        url: request.url.clone(),
        at: clock::now().strftime("%FT%TZ").to_string(),
    };
    let receipts = teller.tell(&notice).await;
    let failed = receipts.iter().any(|receipt| matches!(receipt.end, ReceiptEnd::Failed(_) | ReceiptEnd::Denied(_)));
    let code = if failed { ExitCode::CouldNotJudge } else { ExitCode::Pass };
    Ok(Told { event, routes: teller.desk.routes(), receipts, code, masker: teller.masker })
}

fn event(request: &Request) -> Result<&'static Event, Failure> {
    let name = request.event.as_deref().unwrap_or("test");
    let known: Vec<&str> = notice::EVENTS.iter().map(|event| event.name).collect();
    let event = notice::event(name).ok_or_else(|| {
        let shown = crate::model::text::one_line(name, 60);
        Failure::usage(format!("there is no event {shown:?}")).help(config::advice(name, &known))
    })?;
    if event.name != "test" && request.environment.is_none() {
        return Err(Failure::usage(format!("{name} of which environment?")).help("add --environment ENV"));
    }
    Ok(event)
}

fn sha(request: &Request, occasion: &Occasion, repo: Option<&Repo>) -> Result<Option<Sha>, Failure> {
    if let Some(given) = &request.sha {
        return Sha::parse(given).map(Some).map_err(|error| Failure::usage(error.to_string()));
    }
    if occasion.head.is_some() {
        return Ok(occasion.head.clone());
    }
    Ok(repo.and_then(|repo| repo.head().ok().flatten()))
}

fn repository(env: &Env, occasion: &Occasion, repo: Option<&Repo>) -> Option<String> {
    let known = occasion.repository.clone().or_else(|| env.get("GITHUB_REPOSITORY").map(str::to_owned));
    known.or_else(|| repo?.origin_repository().ok().flatten())
}

/// Tells notices, for as long as a command lives.
pub struct Teller {
    desk: Desk,
    github: Result<Interpreter<GitHub>, String>,
    masker: Masker,
}

impl Teller {
    /// A teller for the routes of a configuration. `repository` is `owner/name`, where it is known. Sends nothing.
    ///
    /// # Errors
    /// When the system's certificates cannot be read, or the API's address is none.
    pub fn open(config: &Config, env: &Env, repository: Option<&str>, dry_run: bool) -> Result<Self, Failure> {
        let pace = Pace::default();
        let http = Http::new(pace.timeout, pace.pause).map_err(|error| Failure::outside(error.to_string()))?;
        let token = ["GITHUB_TOKEN", "GH_TOKEN"].iter().find_map(|name| env.get(name));
        let github = match (token, repository) {
            (Some(token), Some(repository)) => {
                let api = env.get("GITHUB_API_URL").unwrap_or(crate::world::github::API);
                let forge = GitHub::new(api, Secret::new(token.to_owned()))
                    .map_err(|error| Failure::usage(error.to_string()))?;
                let options = interpreter::Options {
                    repository: repository.to_owned(),
                    patience: Duration::from_mins(1),
                    dry_run,
                    pace: interpreter::Pace::default(),
                };
                Ok(Interpreter::new(forge, &options))
            }
            (None, _) => Err("there is no token: set GITHUB_TOKEN to one that may write issues".to_owned()),
            (_, None) => Err("no repository is known: set GITHUB_REPOSITORY=owner/name".to_owned()),
        };
        let desk = Desk::new(&config.notify, env.clone(), http, pace, dry_run);
        Ok(Self { desk, github, masker: project::masker(env, config) })
    }

    /// Tells one notice, without secrets, by every route that takes it. One minute at most by HTTP and mail, and one more
    /// where an issue on GitHub is among them.
    pub async fn tell(&mut self, notice: &Notice) -> Vec<Receipt> {
        let notice = notice.masked(|text| self.masker.mask(text).into_owned());
        let spread = self.desk.tell(&notice).await;
        let mut receipts = spread.receipts;
        for call in &spread.calls {
            receipts.push(self.send(call).await);
        }
        self.masker.receipts(&mut receipts);
        receipts
    }

    async fn send(&mut self, call: &Call) -> Receipt {
        match &mut self.github {
            Ok(interpreter) => interpreter.send(call).await,
            Err(why) => Receipt { what: "github-issue".to_owned(), end: ReceiptEnd::Failed(why.clone()) },
        }
    }
}
