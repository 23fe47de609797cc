//! Where a deployment command works: the repository, the environments that are configured, the ledger, and who asks.

use std::path::{Path, PathBuf};

use crate::app::remembered::{LEDGER, kept};
use crate::app::{Failure, project, remote, run};
use crate::config::{Config, Environment, Means, Problems};
use crate::deploy::lock::Me;
use crate::deploy::{self, Deployer, Remote};
use crate::mask::Masker;
use crate::model::deployment::RunPlace;
use crate::model::environments::EnvironmentName;
use crate::model::event::Occasion;
use crate::model::exit::ExitCode;
use crate::model::sha::Sha;
use crate::policy;
use crate::world::env::Env;
use crate::world::github::GitHub;
use crate::world::http::Http;
use crate::world::ledger::{Hub, Ledger, LedgerError, Local};
use crate::world::process::{self, ACTIONS_GRACE, CancelToken, CancelledBy};
use crate::world::repo::Repo;
use crate::world::signals::{self, Signals};
use crate::world::{files, machine, occasion};

/// Which ledger was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// GitHub's where there is a token, else the local one.
    Auto,
    /// GitHub's deployments.
    GitHub,
    /// The file of the repository.
    Local,
}

/// Where a command was started, and how.
#[derive(Debug, Clone)]
pub struct Start {
    /// Where, absolute.
    pub start: PathBuf,
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--ledger`.
    pub ledger: Choice,
    /// `--dry-run`.
    pub dry_run: bool,
    /// Whether problems of the configuration are shown in colour.
    pub colour: bool,
    /// It was asked for in a comment, whose author and whose commit were looked at.
    pub by_comment: bool,
}

/// See the module.
pub struct Site {
    /// gatepost's own environment.
    pub env: Env,
    /// What woke it.
    pub occasion: Occasion,
    /// A comment asked for it; the reply to that tells of it.
    pub by_comment: bool,
    /// The repository.
    pub repo: Repo,
    /// Its root, without links.
    pub root: PathBuf,
    /// What is configured.
    pub config: Config,
    /// Its path in the repository.
    pub config_place: String,
    /// The folder of the configuration, `""` for the root.
    pub folder: String,
    /// Where the ledger, logs and work trees are.
    pub state: PathBuf,
    /// The repository on GitHub, where one is known.
    pub remote: Option<Remote>,
    /// The ledger.
    pub ledger: Ledger,
    /// Takes secrets out of everything.
    pub masker: Masker,
    /// Ends what runs.
    pub cancel: CancelToken,
    /// What was caught.
    pub signals: Signals,
    /// For probes and hosts.
    pub http: Http,
    /// `--dry-run`.
    pub dry_run: bool,
}

/// What deploys to an environment, and what rolls it back.
pub type Deployers = (Box<dyn Deployer>, Box<dyn Deployer>);

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        Self::outside(error.to_string())
    }
}

impl Site {
    /// Opens it. Nothing is written but the local ledger's file, where that is used.
    ///
    /// # Errors
    /// When there is no repository or no environment, the configuration is wrong, or strangers' code would be deployed.
    pub async fn open(start: &Start, env: &Env) -> Result<Self, Failure> {
        let mut occasion =
            occasion::read(env).map_err(|error| Failure::outside(error.to_string()).help(error.help()))?;
        // What wakes a comment's job does not tell whose the pull request is.
        occasion.trusted |= start.by_comment && occasion.event == "issue_comment";
        let cancel = CancelToken::new(occasion.on_actions.then_some(ACTIONS_GRACE));
        let signals = signals::listen(cancel.clone())
            .map_err(|error| Failure::outside(format!("cannot listen for signals: {error}")))?;
        let repo = run::discover(&start.start, env)?;
        let own_code = repo.head()?.as_ref().map(Sha::as_str) == env.get("GITHUB_SHA");
        policy::may_deploy(&occasion, own_code).map_err(|(why, help)| Failure::refused(why).help(help))?;
        let root = files::real_path(repo.root()).unwrap_or_else(|| repo.root().to_owned());
        let here = files::real_path(&start.start).unwrap_or_else(|| start.start.clone());
        let place = project::Place { root: &root, start: &here, file: start.config.as_deref(), colour: start.colour };
        let (config, config_place, folder) = project::read(&place)?
            .ok_or_else(|| Failure::usage("there is no gatepost.toml, and so no environment").help(EXAMPLE))?;
        let state = kept(&repo)?;
        let remote = remote::of(env, &occasion, &repo)?;
        let ledger = ledger(start, remote.as_ref(), &state, &config_place).await?;
        let http = Http::new(std::time::Duration::from_secs(30), std::time::Duration::from_secs(1))
            .map_err(|error| Failure::outside(error.to_string()))?;
        let masker = project::masker(env, &config);
        let (env, dry_run) = (env.clone(), start.dry_run);
        Ok(Self {
            env,
            occasion,
            by_comment: start.by_comment,
            repo,
            root,
            config,
            config_place,
            folder,
            state,
            remote,
            ledger,
            masker,
            cancel,
            signals,
            http,
            dry_run,
        })
    }

    /// A configured environment.
    ///
    /// # Errors
    /// With exit code 2 when there is none of this name.
    pub fn environment(&self, name: &str) -> Result<Environment, Failure> {
        let found = self.config.environments.iter().find(|one| one.settings.name.as_str() == name);
        found.cloned().ok_or_else(|| {
            let names: Vec<&str> = self.config.environments.iter().map(|one| one.settings.name.as_str()).collect();
            let shown = crate::model::text::one_line(name, 80);
            let help = if names.is_empty() { EXAMPLE.to_owned() } else { crate::config::advice(name, &names) };
            Failure::usage(format!("there is no environment named {shown:?}")).because("unknown_environment").help(help)
        })
    }

    /// The commit that a name leads to; HEAD where none is given.
    ///
    /// # Errors
    /// When there is none.
    pub fn commit(&self, name: Option<&str>) -> Result<Sha, Failure> {
        match name {
            Some(name) => Ok(self.repo.resolve(name)?),
            None => self.repo.head()?.ok_or_else(|| Failure::usage("there is no commit yet to deploy")),
        }
    }

    /// Who asks, for a lock of this length.
    #[must_use]
    pub fn me(&self, lease: std::time::Duration) -> Me {
        let env = &self.env;
        let process = process::own_id();
        let actor = env.get("GITHUB_TRIGGERING_ACTOR").or_else(|| env.get("GITHUB_ACTOR"));
        let user = env.get("USER").or_else(|| env.get("LOGNAME")).unwrap_or("someone");
        let owner = match (self.occasion.on_actions, actor) {
            (true, Some(actor)) => format!("{} of {actor}", env.get("GITHUB_WORKFLOW").unwrap_or("a workflow")),
            _ => format!("{user} on {}", machine::name(env)),
        };
        Me {
            owner,
            place: self.config_place.clone(),
            link: self.occasion.run_url.clone(),
            machine: machine::id(env),
            process,
            started: process::started(process).unwrap_or_default(),
            run: self.job(),
            lease: lease.as_secs(),
        }
    }

    /// The job of GitHub Actions that this is a part of, if any.
    #[must_use]
    pub fn job(&self) -> Option<RunPlace> {
        let (id, attempt) = self.occasion.generation;
        let runner = self.env.get("RUNNER_NAME").unwrap_or_default().to_owned();
        (id > 0).then_some(RunPlace { id, attempt, runner })
    }

    /// What deploys, and what rolls back.
    ///
    /// # Errors
    /// With exit code 2 when its settings do not hold.
    pub fn deployers(&self, environment: &Environment) -> Result<Deployers, Failure> {
        let make = |means: &Means| -> Result<Box<dyn Deployer>, Failure> {
            let kind = deploy::find(means.name).ok_or_else(|| Failure::usage(format!("no deployer {}", means.name)))?;
            (kind.settle)(&means.own).map_err(|wrong| {
                let problems = Problems::new(self.config.source.clone(), wrong);
                Failure::usage(problems.render("gatepost.toml", false)).rendered()
            })
        };
        let rollback = environment.rollback.as_ref().unwrap_or(&environment.deploy);
        Ok((make(&environment.deploy)?, make(rollback)?))
    }

    /// Refuses before anything starts where a variable that is needed is not set.
    ///
    /// # Errors
    /// With exit code 3, naming all of them.
    pub fn demand_secrets(&self, environment: &Environment, deployers: &[&dyn Deployer]) -> Result<(), Failure> {
        let needed = deployers.iter().flat_map(|deployer| deployer.secrets());
        let mut missing: Vec<String> = environment.settings.secrets.iter().cloned().chain(needed).collect();
        missing.retain(|name| self.env.get(name).is_none());
        missing.sort();
        missing.dedup();
        if missing.is_empty() {
            return Ok(());
        }
        let name = &environment.settings.name;
        Err(Failure::refused(format!("{name} needs variables that are not set: {}", missing.join(", ")))
            .because("secrets_missing")
            .help("set them (on GitHub Actions under `env:`, from `secrets`) and run the command again"))
    }

    /// What was ended by a signal before it was begun.
    #[must_use]
    pub fn interrupted(&self, by: &CancelledBy) -> Failure {
        let failure = Failure::outside(format!("interrupted: {by}"));
        match self.signals.caught() {
            Some(signal) => Failure { code: ExitCode::Interrupted(signal.number()), ..failure },
            None => failure,
        }
    }

    /// Where logs of an environment's deployments go.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.state.join("deployments")
    }

    /// A path below the folder of the configuration.
    #[must_use]
    pub fn below_config(&self, path: &str) -> PathBuf {
        self.root.join(Path::new(&self.folder)).join(path)
    }

    /// The environments, in file order.
    #[must_use]
    pub fn names(&self) -> Vec<EnvironmentName> {
        self.config.environments.iter().map(|one| one.settings.name.clone()).collect()
    }
}

/// The ledger that was asked for: GitHub's, where there is a token and a repository, unless the local one is named.
async fn ledger(start: &Start, remote: Option<&Remote>, state: &Path, config_place: &str) -> Result<Ledger, Failure> {
    match (start.ledger, remote) {
        (Choice::Auto | Choice::GitHub, Some(remote)) => {
            let forge = GitHub::new(&remote.api, remote.token.clone());
            let forge = forge.map_err(|error| Failure::usage(error.to_string()))?;
            Ok(Ledger::github(Hub::new(forge, &remote.repository), config_place, start.dry_run))
        }
        (Choice::GitHub, None) => Err(Failure::usage(
            "the ledger on GitHub needs a token and a repository, and one of them is not known",
        )
        .help(
            "set GITHUB_TOKEN to one that may write deployments and contents, and GITHUB_REPOSITORY=owner/name; \
                 or use --ledger local",
        )),
        _ => Ok(Ledger::local(Local::open(&state.join(LEDGER)).await?, config_place, start.dry_run)),
    }
}

const EXAMPLE: &str = "add one to gatepost.toml: [environments.staging] with deploy = { command = \"./deploy.sh\" }";
