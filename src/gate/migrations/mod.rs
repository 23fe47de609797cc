//! `kind = "migrations"`: a dry run on a scratch server. It collects what the change's migrations did there; what of it
//! is dangerous is told by the rules of `migration::rules`, what that is worth by `policy`.

mod dry_run;
mod findings;
mod prepare;
mod round_trip;
mod settings;
mod sources;

use std::cell::RefCell;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;

use crate::config::{Bare, KindRow};
use crate::gate::execute::cancelled;
use crate::gate::locate::{Ground as Places, locate};
use crate::gate::{Gate, Kind, Site};
use crate::model::evidence::{Evidence, Exit, Parsed, Problem, ProblemKind};
use crate::model::gate::{Only, Rules};
use crate::model::migration::{DatabaseKind, Migrations};
use crate::model::settings::Common;
use crate::model::sha::Sha;
use crate::world::clock;
use crate::world::database::DatabaseError;
use crate::world::database::postgres::Postgres;
use crate::world::database::programs::Surroundings;
use crate::world::database::sqlite::Sqlite;
use crate::world::process::CancelToken;
use crate::world::repo::Repo;

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
    /// The repository; `None` outside of one.
    pub repo: Option<&'a Repo>,
    /// What is compared with; `None`: everything is judged.
    pub base: Option<&'a Sha>,
    /// Of which servers are found by `PATH` and kept by `HOME`.
    pub around: Surroundings<'a>,
    /// The longest the whole may take.
    pub timeout: std::time::Duration,
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
            let ground = Ground {
                root: site.root,
                repo: Some(site.repo),
                base: site.base,
                around: Surroundings(site.environment),
                timeout: self.common.timeout,
                cancel: site.cancel,
                on_line: site.on_line,
            };
            let folder = below(&self.common.dir, &self.settings.path);
            collect(&self.settings, &folder, ground).await
        })
    }
}

fn below(dir: &str, path: &str) -> String {
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
    match prepare::prepared(settings, folder, ground, &record) {
        Ok(Prepared { trial, sizes, squawk }) => {
            on_database(settings, &trial, ground, &record).await;
            findings::found(settings, &trial, &sizes, &squawk, &mut record.borrow_mut());
        }
        Err(problems) => record.borrow_mut().problems.extend(problems.into_iter().map(unreadable)),
    }
    let mut evidence = evidence(ground, record.into_inner());
    evidence.took = begun.elapsed();
    evidence
}

fn unreadable(what: String) -> Problem {
    Problem { kind: ProblemKind::Unreadable, what }
}

/// Finds a database, and tries on it until it is done, its time is up, or it is cancelled. The server is always stopped.
async fn on_database(settings: &Settings, trial: &Trial, ground: Ground<'_>, record: &RefCell<Record>) {
    let version = settings.version.as_deref();
    match trial.kind {
        DatabaseKind::Postgres => {
            until_end(Postgres::scratch(ground.around, version), trial, ground, record).await;
        }
        DatabaseKind::Sqlite => until_end(Sqlite::scratch(), trial, ground, record).await,
        DatabaseKind::Mysql => {}
    }
}

async fn until_end<D: crate::world::database::Database>(
    started: impl Future<Output = Result<D, DatabaseError>>,
    trial: &Trial,
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
    let tried = or_ended(dry_run::run(&mut database, trial, record, ground.on_line), ground, record).await;
    if let Some(Err(error)) = tried {
        record.borrow_mut().problems.push(unreadable(error.to_string()));
    }
    database.stop().await;
}

/// Waits for `work`; `None` when its time is up or it was cancelled, which the record then says.
async fn or_ended<T>(work: impl Future<Output = T>, ground: Ground<'_>, record: &RefCell<Record>) -> Option<T> {
    let problem = tokio::select! {
        biased;
        done = work => return Some(done),
        by = ground.cancel.cancelled() => cancelled(&by),
        () = tokio::time::sleep(ground.timeout) => {
            let at = record.borrow().at.clone();
            let place = if at.is_empty() { String::new() } else { format!(" at {at}") };
            let what = format!("ran longer than its timeout of {:?}{place} and was ended", ground.timeout);
            Problem { kind: ProblemKind::TimedOut, what }
        }
    };
    record.borrow_mut().problems.push(problem);
    None
}

fn evidence(ground: Ground<'_>, record: Record) -> Evidence {
    let Record { migrations, problems, notes, .. } = record;
    let parsed = Parsed { findings: migrations.findings.clone(), ..Parsed::default() };
    let mut understood = locate(parsed, &Places::new(ground.root, ""));
    understood.migrations = Some(Migrations { ..migrations });
    Evidence { exit: None::<Exit>, understood: Some(understood), problems, notes, ..Evidence::default() }
}
