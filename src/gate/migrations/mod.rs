//! `kind = "migrations"`: a dry run on a scratch server. It collects what the change's migrations did there; what of it
//! is dangerous is told by the rules of `migration::rules`, what that is worth by `policy`.

mod command;
mod dry_run;
mod findings;
mod open_pulls;
mod prepare;
mod round_trip;
mod settings;

use std::cell::RefCell;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;

use crate::config::{Bare, KindRow};
use crate::gate::execute::cancelled;
use crate::gate::ground::Ground as Places;
use crate::gate::locate::locate;
use crate::gate::{Gate, Kind, Site};
use crate::model::evidence::{Evidence, Exit, Parsed, Problem, ProblemKind};
use crate::model::gate::{Only, Rules};
use crate::model::migration::DatabaseKind;
use crate::model::settings::Common;
use crate::model::sha::Sha;
use crate::world::clock;
use crate::world::database::DatabaseError;
#[cfg(unix)]
use crate::world::database::mysql::{Mysql, Session};
#[cfg(unix)]
use crate::world::database::postgres::Postgres;
use crate::world::database::programs::Surroundings;
use crate::world::database::sqlite::Sqlite;
use crate::world::env::Env;
use crate::world::process::CancelToken;
use crate::world::repo::Repo;

use command::Tool;
pub use dry_run::Record;
use dry_run::Trial;
use prepare::Prepared;
pub use settings::Settings;

pub(super) static KIND: Kind = Kind {
    row: KindRow::of::<Settings>("migrations", "a dry run of database migrations on a scratch server", Bare::Unjudged),
    settle: |common, own| Ok(Box::new(DryRun { settings: own.read()?, common })),
};

/// A gate of this kind.
struct DryRun {
    common: Common,
    settings: Settings,
}

/// Where a dry run takes place.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    /// What paths are relative to: the repository's root, or where the command was started.
    pub root: &'a Path,
    /// What the files named in settings are relative to, below the root.
    pub dir: &'a str,
    /// The repository; `None` outside of one.
    pub repo: Option<&'a Repo>,
    /// What is compared with; `None`: everything is judged.
    pub base: Option<&'a Sha>,
    /// gatepost's own environment: what woke the run, and with what GitHub is asked.
    pub env: &'a Env,
    /// Of which servers are found by `PATH` and kept by `HOME`.
    pub around: Surroundings<'a>,
    /// The longest the whole may take.
    pub timeout: std::time::Duration,
    /// Whether `database-url` may be the address itself: on a command line, never in a configuration.
    pub url_may_be_given: bool,
    /// Ends it early.
    pub cancel: &'a CancelToken,
    /// Is told where it is.
    pub on_line: &'a dyn Fn(&str),
}

impl Gate for DryRun {
    fn common(&self) -> &Common {
        &self.common
    }

    fn rules(&self) -> Rules {
        rules(&self.common, &self.settings)
    }

    fn run<'a>(&'a self, site: Site<'a>) -> Pin<Box<dyn Future<Output = Evidence> + 'a>> {
        Box::pin(async move {
            let environment: Vec<_> = site.environment.iter().cloned().collect();
            let ground = Ground {
                root: site.root,
                dir: &self.common.dir,
                repo: Some(site.repo),
                base: site.compared.and_then(|compared| compared.base),
                env: site.env,
                around: Surroundings(&environment),
                timeout: self.common.timeout,
                url_may_be_given: false,
                cancel: site.cancel,
                on_line: site.on_line,
            };
            let folder = below(&self.common.dir, &self.settings.path);
            match Tool::of(&self.common, &self.settings, site) {
                None => collect(&self.settings, &folder, ground).await,
                Some(tool) => by_command(&self.settings, tool, ground).await,
            }
        })
    }
}

/// A path of the settings, which count from the gate's `dir`, from the root.
#[must_use]
pub fn below(dir: &str, path: &str) -> String {
    let path = path.trim_start_matches("./").trim_end_matches('/');
    let path = if path == "." { "" } else { path };
    [dir, path].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
}

/// How the evidence of a dry run is judged: what the base has is not among it.
#[must_use]
pub fn rules(common: &Common, settings: &Settings) -> Rules {
    Rules {
        only: common.only.unwrap_or(Only::All),
        fail_on: settings.fail_on,
        max_findings: common.max_findings,
        min_tests: None,
        flaky: common.flaky,
        mode: common.mode,
    }
}

/// Makes the dry run of a folder, given relative to the ground's root.
pub async fn collect(settings: &Settings, folder: &str, ground: Ground<'_>) -> Evidence {
    let begun = clock::instant();
    let record = RefCell::new(Record::default());
    let mut nothing = None;
    match prepare::prepared(settings, folder, ground, &record) {
        Ok(Prepared { trial, sizes, squawk }) => {
            let task = Task::Trial(&trial);
            let tried = Box::pin(on_database(settings, &task, ground, &record));
            tokio::join!(tried, Box::pin(open_pulls::look(&trial, folder, ground, &record)));
            findings::found(settings, &trial, &sizes, &squawk, &mut record.borrow_mut());
            nothing = nothing_new(&trial, &record.borrow());
        }
        Err(problems) => record.borrow_mut().problems.extend(problems.into_iter().map(unreadable)),
    }
    let mut evidence = evidence(ground, record.into_inner());
    evidence.nothing = nothing;
    evidence.took = begun.elapsed();
    evidence
}

/// Why there is nothing to judge, if the change adds no migration and does nothing to those of the base.
fn nothing_new(trial: &Trial, record: &Record) -> Option<String> {
    let run = &record.migrations;
    let is_judged = trial.each_alone || !run.migrations.is_empty() || !run.findings.is_empty();
    if is_judged {
        return None;
    }
    let what = match &trial.schema {
        Some(schema) => format!("the schema {} applies", schema.path),
        None => format!("the {} of the base apply", run.of_the_base.unwrap_or_default()),
    };
    Some(format!("the change adds no migration; {what}"))
}

fn unreadable(what: String) -> Problem {
    Problem { kind: ProblemKind::Unreadable, what }
}

/// Has a tool's own command migrate a database, given the file of the schema it starts from.
async fn by_command(settings: &Settings, tool: Result<Tool<'_>, String>, ground: Ground<'_>) -> Evidence {
    let begun = clock::instant();
    let record = RefCell::new(Record::default());
    match tool {
        Ok(tool) => {
            Box::pin(on_database(settings, &Task::Tool(&tool), ground, &record)).await;
            findings::of_command(settings, &mut record.borrow_mut());
        }
        Err(why) => record.borrow_mut().problems.push(unreadable(why)),
    }
    let mut evidence = evidence(ground, record.into_inner());
    evidence.took = begun.elapsed();
    evidence
}

/// What is done on a database.
enum Task<'a> {
    Trial(&'a Trial),
    Tool(&'a Tool<'a>),
}

#[cfg(unix)]
impl Task<'_> {
    /// What MySQL's sessions are like on the connection that the tool opens.
    fn session(&self) -> Session {
        match self {
            Task::Trial(trial) if trial.layout.is_of_sqlx() => Session::OfSqlx,
            Task::Trial(_) | Task::Tool(_) => Session::Plain,
        }
    }
}

/// Finds a database, and works on it until that is done, its time is up, or it is cancelled. The server is always
/// stopped.
async fn on_database(settings: &Settings, task: &Task<'_>, ground: Ground<'_>, record: &RefCell<Record>) {
    let version = settings.version.as_deref();
    let kind = match task {
        Task::Trial(trial) => trial.kind,
        Task::Tool(_) => settings.database.unwrap_or_default(),
    };
    match (kind, url(settings, ground)) {
        (_, Err(why)) => record.borrow_mut().problems.push(unreadable(why)),
        #[cfg(unix)]
        (DatabaseKind::Sqlite, Ok(None)) if matches!(task, Task::Tool(_)) => {
            Box::pin(until_end(Sqlite::in_file(ground.around), task, ground, record)).await;
        }
        (DatabaseKind::Sqlite, Ok(None)) => {
            let foreign_keys = matches!(task, Task::Trial(trial) if trial.layout.foreign_keys);
            Box::pin(until_end(Sqlite::scratch(foreign_keys), task, ground, record)).await;
        }
        #[cfg(unix)]
        (DatabaseKind::Postgres, Ok(Some(url))) => {
            Box::pin(until_end(Postgres::at(&url, settings.allow_remote), task, ground, record)).await;
        }
        #[cfg(unix)]
        (DatabaseKind::Mysql, Ok(Some(url))) => {
            Box::pin(until_end(Mysql::at(&url, settings.allow_remote, task.session()), task, ground, record)).await;
        }
        (_, Ok(Some(_))) => {
            let what = format!("database-url is not for {}: gatepost makes that database itself", kind.word());
            record.borrow_mut().problems.push(unreadable(what));
        }
        #[cfg(unix)]
        (DatabaseKind::Postgres, Ok(None)) => {
            let for_tools = matches!(task, Task::Tool(_));
            Box::pin(until_end(Postgres::scratch(ground.around, version, for_tools), task, ground, record)).await;
        }
        #[cfg(unix)]
        (DatabaseKind::Mysql, Ok(None)) => {
            Box::pin(until_end(Mysql::scratch(ground.around, version, task.session()), task, ground, record)).await;
        }
        #[cfg(not(unix))]
        (_, Ok(None)) => {
            let what = format!("there are no scratch servers on this system, asked for {} {version:?}", kind.word());
            record.borrow_mut().problems.push(unreadable(what));
        }
    }
}

/// The address of a server that was named. In a configuration it is only ever a reference.
fn url(settings: &Settings, ground: Ground<'_>) -> Result<Option<String>, String> {
    let Some(given) = &settings.database_url else { return Ok(None) };
    let Some(name) = given.strip_prefix("env:") else {
        let is_argument = ground.url_may_be_given;
        return if is_argument {
            Ok(Some(given.clone()))
        } else {
            Err("database-url is a secret: write `env:NAME`".to_owned())
        };
    };
    // Named as a secret it is withheld from what gates start, and not from the gate itself.
    let value = ground.env.get(name);
    value.map(|value| Some(value.to_owned())).ok_or_else(|| format!("database-url: the variable {name} is not set"))
}

async fn until_end<D: crate::world::database::Database>(
    started: impl Future<Output = Result<D, DatabaseError>>,
    task: &Task<'_>,
    ground: Ground<'_>,
    record: &RefCell<Record>,
) {
    let mut database = match or_ended(started, ground, record).await {
        Some(Ok(database)) => database,
        Some(Err(error)) => {
            let kind = ProblemKind::NotStarted;
            record.borrow_mut().problems.push(Problem { kind, what: error.to_string() });
            return;
        }
        None => return,
    };
    let tried = match task {
        Task::Trial(trial) => {
            or_ended(dry_run::run(&mut database, trial, record, ground.on_line), ground, record).await
        }
        // It ends by itself when its time is up, with its own grace.
        Task::Tool(tool) => Some(tool.run(&mut database, ground, record).await),
    };
    if let Some(Err(error)) = tried {
        record.borrow_mut().problems.push(unreadable(error.to_string()));
    }
    record.borrow_mut().notes.extend(database.taken_for_granted());
    database.stop().await;
}

/// Waits for `work`; `None` when its time is up or it was cancelled, which the record then says.
async fn or_ended<T>(work: impl Future<Output = T>, ground: Ground<'_>, record: &RefCell<Record>) -> Option<T> {
    let mut problem = tokio::select! {
        biased;
        done = work => return Some(done),
        by = ground.cancel.cancelled() => cancelled(&by),
        () = tokio::time::sleep(ground.timeout) => {
            let what = format!("ran longer than its timeout of {:?} and was ended", ground.timeout);
            Problem { kind: ProblemKind::TimedOut, what }
        }
    };
    let at = record.borrow().at.clone();
    if !at.is_empty() {
        problem.what = format!("{} at {at}", problem.what);
    }
    record.borrow_mut().problems.push(problem);
    None
}

fn evidence(ground: Ground<'_>, record: Record) -> Evidence {
    let Record { migrations, problems, notes, exit, log, .. } = record;
    let parsed = Parsed { findings: migrations.findings.clone(), ..Parsed::default() };
    let mut understood = locate(parsed, &Places::new(ground.root, ""));
    understood.migrations = Some(migrations);
    // What the command ended with is a finding already.
    let exit = exit.map(|_| Exit::Code(0));
    Evidence { exit, understood: Some(understood), problems, notes, log, ..Evidence::default() }
}
