//! The story of a dry run: the base's migrations first, then one by one what the change adds, each observed, taken back
//! and applied again.

use std::cell::RefCell;
use std::time::Duration;

use super::settings::Settings;
use crate::migration::layout::{Layout, Plan};
use crate::migration::{change, split};
use crate::model::evidence::{Problem, ProblemKind};
use crate::model::migration::{
    Applied, DatabaseKind, Form, Migration, Migrations, Planned, RoundTrip, Script, Source, Statement, Transaction,
};
use crate::world::database::{Database, DatabaseError, Ran, unknown};

/// What is known so far: it stays when the run is ended early.
#[derive(Debug, Default)]
pub struct Record {
    /// What was done.
    pub migrations: Migrations,
    /// What could not be judged.
    pub problems: Vec<Problem>,
    /// Worth saying.
    pub notes: Vec<String>,
    /// The statement that runs: `migrations/3.sql:4`.
    pub at: String,
}

/// What is tried.
pub struct Trial {
    /// On which database.
    pub kind: DatabaseKind,
    /// Whose layout it is.
    pub layout: &'static Layout,
    /// The migrations of the judged tree.
    pub plan: Plan,
    /// The migrations of the base.
    pub base: Plan,
}

/// Makes the whole dry run.
///
/// # Errors
/// When the server is gone.
pub async fn run<D: Database>(
    database: &mut D,
    settings: &Settings,
    trial: &Trial,
    record: &RefCell<Record>,
    on_line: &dyn Fn(&str),
) -> Result<(), DatabaseError> {
    record.borrow_mut().migrations.database = Some(database.name());
    let mut stage = Stage { database, settings, trial, record, on_line };
    let (shipped, new) = trial.parts(settings.all);
    for planned in &shipped {
        stage.apply_shipped(planned).await?;
    }
    record.borrow_mut().migrations.of_the_base = shipped.len();
    let before = stage.database.facts().await?;
    let mut lost = false;
    for planned in &new {
        let migration = if lost { not_run(planned) } else { stage.try_one(planned).await? };
        lost |= migration.outcome == Applied::NotRun && migration.error.is_some();
        record.borrow_mut().migrations.migrations.push(migration);
    }
    if !lost {
        let after = stage.database.facts().await?;
        let changes = change::compare(&before, &after);
        record.borrow_mut().migrations.schema_summary = changes.iter().map(change::words).collect();
    }
    Ok(())
}

impl Trial {
    /// The migrations that the base has, as it has them, and those that the change adds, in the order they run.
    fn parts(&self, all: bool) -> (Vec<&Planned>, Vec<&Planned>) {
        if all {
            return (Vec::new(), self.plan.migrations.iter().collect());
        }
        let known = |planned: &&Planned| {
            self.base.migrations.iter().any(|base| {
                let same = (base.repeatable, &base.order) == (planned.repeatable, &planned.order);
                same && (!planned.repeatable || base.up == planned.up)
            })
        };
        let new = self.plan.migrations.iter().filter(|planned| !known(planned));
        (self.base.migrations.iter().collect(), new.collect())
    }
}

fn not_run(planned: &Planned) -> Migration {
    Migration {
        version: planned.version.clone(),
        name: planned.name.clone(),
        path: planned.path.clone(),
        outcome: Applied::NotRun,
        error: None,
        took: Duration::ZERO,
        transactional: false,
        round_trip: RoundTrip::NotRun,
        round_trip_detail: Vec::new(),
        statements: Vec::new(),
    }
}

struct Stage<'a, D> {
    database: &'a mut D,
    settings: &'a Settings,
    trial: &'a Trial,
    record: &'a RefCell<Record>,
    on_line: &'a dyn Fn(&str),
}

/// What became of a script.
struct Played {
    statements: Vec<Statement>,
    transactional: bool,
    /// What the commit refused.
    refused: Option<String>,
    lost: bool,
}

impl<D: Database> Stage<'_, D> {
    fn problem(&self, what: String) {
        self.record.borrow_mut().problems.push(Problem { kind: ProblemKind::Unreadable, what });
    }

    /// Applies a migration that the base has; nobody looks.
    async fn apply_shipped(&mut self, planned: &Planned) -> Result<(), DatabaseError> {
        let Some(script) = &planned.up else { return Ok(()) };
        let played = self.play(script, false, true).await?;
        let failed = played.statements.iter().find_map(|statement| statement.error.as_ref());
        let why = failed.map(|error| format!("line {}: {}", error.line, error.message)).or(played.refused);
        if let Some(why) = why {
            self.problem(format!("the base's own migration {} does not apply: {why}", planned.path));
        }
        Ok(())
    }

    async fn try_one(&mut self, planned: &Planned) -> Result<Migration, DatabaseError> {
        let mut migration = not_run(planned);
        let Some(script) = &planned.up else { return Ok(migration) };
        let played = self.play(script, true, true).await?;
        migration.took = played.statements.iter().map(|statement| statement.took).sum();
        migration.transactional = played.transactional;
        let failed = played.statements.iter().find_map(|statement| statement.error.as_ref());
        migration.error =
            failed.map(|error| format!("line {}: {}", error.line, error.message)).or(played.refused.clone());
        migration.outcome = match (&migration.error, played.statements.iter().any(|it| it.not_run.is_some())) {
            (Some(_), _) => Applied::Error,
            (None, true) => Applied::NotRun,
            (None, false) => Applied::Ok,
        };
        migration.statements = played.statements;
        if played.lost {
            self.problem(format!("{}: {}", planned.path, migration.error.clone().unwrap_or_default()));
        }
        Ok(migration)
    }

    /// Runs a script, statement by statement, past those that fail.
    async fn play(&mut self, script: &Script, observe: bool, keep: bool) -> Result<Played, DatabaseError> {
        let sources = split::split(script, self.trial.kind);
        let transactional = match script.transaction {
            Transaction::Whole => true,
            Transaction::None => false,
            Transaction::WhereAllowed => sources.len() > 1,
        };
        let mut played = Played { statements: Vec::new(), transactional, refused: None, lost: false };
        self.database.begin(transactional, observe).await?;
        for source in &sources {
            let statement = match &source.form {
                Form::Meta => self.meta(script, source),
                Form::Sql | Form::Copy(_) => match self.statement(script, source).await? {
                    Ran::Done(statement) => *statement,
                    Ran::Lost(statement) => {
                        played.statements.push(*statement);
                        played.lost = true;
                        return Ok(played);
                    }
                },
            };
            played.statements.push(statement);
        }
        played.refused = self.database.end(keep).await?;
        Ok(played)
    }

    async fn statement(&mut self, script: &Script, source: &Source) -> Result<Ran, DatabaseError> {
        let at = format!("{}:{}", script.path, source.line);
        (self.on_line)(&at);
        self.record.borrow_mut().at = at;
        self.database.run(source).await
    }

    /// A command of the interactive client is told of, not run.
    fn meta(&self, script: &Script, source: &Source) -> Statement {
        let why = "a command of the interactive client, which no server understands".to_owned();
        self.problem(format!("{}:{}: {} was not run: it is {why}", script.path, source.line, source.sql));
        let mut statement = unknown(source);
        statement.not_run = Some(why);
        statement
    }
}
