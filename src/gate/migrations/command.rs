//! Tools whose migrations are code: their own command runs against the scratch database, and what it did is observed as
//! a whole. What it starts from is a file of the schema, if one is named.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::path::PathBuf;

use super::dry_run::{OF_THE_CLIENT, Record};
use super::{Ground, Settings, below, unreadable};
use crate::gate::Site;
use crate::migration::split::{of_psql, split};
use crate::migration::{change, unwatched};
use crate::model::environ::Environ;
use crate::model::evidence::{Exit, Problem, ProblemKind};
use crate::model::migration::{Applied, DatabaseKind, Facts, Form, Migration, Script, Source, StatementError};
use crate::model::settings::{CommandLine, Common};
use crate::model::text::one_line;
use crate::world::database::{Database, DatabaseError, Ran, unknown};
use crate::world::files;
use crate::world::process::{self, Caps, End, Finished, Spawn};

/// A command, and where it runs.
pub(super) struct Tool<'a> {
    common: &'a Common,
    command: &'a CommandLine,
    site: Site<'a>,
    schema: Option<Script>,
    /// The folder of the migrations, for findings.
    folder: String,
    kind: DatabaseKind,
}

impl<'a> Tool<'a> {
    /// Of a gate that has a command.
    ///
    /// # Errors
    /// When the file of the schema cannot be read.
    pub(super) fn of(common: &'a Common, settings: &Settings, site: Site<'a>) -> Option<Result<Self, String>> {
        let command = common.command.as_ref()?;
        let schema = settings.schema.as_ref().map(|name| {
            let name = below(&common.dir, name);
            let bytes = files::read(&site.root.join(&name)).map_err(|error| error.to_string())?;
            let text = String::from_utf8(bytes).map_err(|_| format!("{name} is no UTF-8"))?;
            Ok(of_psql(name, text, settings.database.unwrap_or_default()))
        });
        let schema = match schema.transpose() {
            Ok(schema) => schema,
            Err(why) => return Some(Err(why)),
        };
        let folder = below(&common.dir, &settings.path);
        Some(Ok(Self { common, command, site, schema, folder, kind: settings.database.unwrap_or_default() }))
    }

    /// Runs it, and records what it did.
    pub(super) async fn run<D: Database>(
        &self,
        database: &mut D,
        ground: Ground<'_>,
        record: &RefCell<Record>,
    ) -> Result<(), DatabaseError> {
        let address = database.address();
        if address.is_empty() {
            let what = format!("{} has no address that a command could be given", database.name());
            record.borrow_mut().problems.push(unreadable(what));
            return Ok(());
        }
        record.borrow_mut().migrations.database = Some(database.name());
        "command".clone_into(&mut record.borrow_mut().migrations.layout);
        // What made the schema that it starts from is not judged.
        record.borrow_mut().migrations.of_the_base = self.schema.is_none().then_some(0);
        self.make_schema(database, record).await?;
        let before = whole(database).await?;
        let tables = database.tables().await?;
        record.borrow_mut().before = before.clone();
        let spawn = self.spawn(address);
        let mut last = String::new();
        let mut hear = |line: &str| {
            if !line.trim().is_empty() {
                line.trim().clone_into(&mut last);
            }
            (ground.on_line)(line);
        };
        let finished = process::run(&spawn, ground.cancel, &mut hear).await;
        let after = whole(database).await?;
        let tables_after = database.tables().await?;
        let mut record = record.borrow_mut();
        record.log = Some(self.log());
        let mut migration = self.migration();
        let mut statement = unknown(&Source { line: 1, column: 1, sql: spawn.argv.join(" "), form: Form::Sql });
        statement.changes = change::compare(&before, &after);
        unwatched::fill_in(&mut statement, &tables, &tables_after);
        record.notes.push(not_seen(self.kind));
        record.after = after;
        match finished {
            Err(error) => record.problems.push(Problem { kind: ProblemKind::NotStarted, what: error.to_string() }),
            Ok(finished) => {
                statement.took = finished.took;
                migration.took = finished.took;
                record.exit = finished.exit;
                if let Some(problem) = self.ended(&finished) {
                    record.problems.push(problem);
                } else if let Some(message) = self.failed(&finished, &last) {
                    migration.error = Some(message.clone());
                    let error = StatementError { message, code: None, hint: None, line: 1, column: None };
                    statement.error = Some(error);
                    migration.outcome = Applied::Error;
                } else {
                    migration.outcome = Applied::Ok;
                }
            }
        }
        let did_nothing = statement.changes.is_empty() && statement.rewrites.is_empty() && statement.scans.is_empty();
        if migration.outcome == Applied::Ok && did_nothing {
            let what = "the command changed nothing in the database that it was given by DATABASE_URL: it has gone elsewhere, or had nothing to do";
            record.problems.push(unreadable(what.to_owned()));
        }
        migration.statements.push(statement);
        record.migrations.migrations.push(migration);
        Ok(())
    }

    /// What is said of a command that ended badly, with its last words.
    fn failed(&self, finished: &Finished, last: &str) -> Option<String> {
        let Some(Exit::Code(code)) = finished.exit.filter(|exit| *exit != Exit::Code(0)) else { return None };
        let said = if last.is_empty() { String::new() } else { format!(" ({})", one_line(last, 300)) };
        Some(format!("the command ended with exit status {code}{said}; its log is {}", self.log()))
    }

    async fn make_schema<D: Database>(&self, database: &mut D, record: &RefCell<Record>) -> Result<(), DatabaseError> {
        let Some(schema) = &self.schema else { return Ok(()) };
        database.begin(false, false).await?;
        let problem = |what: String| record.borrow_mut().problems.push(unreadable(what));
        for source in &split(schema, self.kind) {
            if source.form == Form::Meta {
                problem(format!("{}:{}: {} was not run: it is {OF_THE_CLIENT}", schema.path, source.line, source.sql));
                continue;
            }
            let Ran::Done(statement) = database.run(source).await? else { continue };
            if let Some(error) = &statement.error {
                problem(format!("the schema {} does not apply: line {}: {}", schema.path, error.line, error.message));
            }
            if let Some(why) = &statement.not_run {
                problem(format!("{}:{}: not run: {why}", schema.path, source.line));
            }
        }
        database.end(true).await.map(|_| ())
    }

    fn spawn(&self, address: Vec<(&'static str, String)>) -> Spawn {
        let is_given = |name: &OsStr| address.iter().any(|(given, _)| name == *given);
        let mut env: Vec<_> = self.site.environment.iter().filter(|(name, _)| !is_given(name)).cloned().collect();
        env.extend(address.into_iter().map(|(name, value)| (name.into(), value.into())));
        Spawn {
            argv: self.command.argv(),
            dir: self.site.root.join(&self.common.dir),
            env: Environ::new(env),
            merge: true,
            for_machines: false,
            masker: self.site.masker.clone(),
            log: PathBuf::from(self.site.output).join(self.log()),
            keep: None,
            timeout: self.common.timeout,
            grace: self.common.grace,
            leaves_services: false,
            caps: Caps::default(),
        }
    }

    fn log(&self) -> String {
        self.site.log(&self.common.name)
    }

    fn ended(&self, finished: &Finished) -> Option<Problem> {
        match &finished.end {
            End::Exited => match finished.exit {
                Some(Exit::Code(code @ (126 | 127))) => {
                    let what = format!("exit status {code}: the command was not found, or could not be executed");
                    Some(Problem { kind: ProblemKind::NotStarted, what })
                }
                Some(Exit::Signal(signal)) => Some(unreadable(format!("the command was killed by signal {signal}"))),
                _ => None,
            },
            End::TimedOut => {
                let what = format!("ran longer than its timeout of {:?} and was ended", self.common.timeout);
                Some(Problem { kind: ProblemKind::TimedOut, what })
            }
            End::Cancelled(by) => Some(crate::gate::execute::cancelled(by)),
        }
    }

    fn migration(&self) -> Migration {
        Migration { name: "the command".to_owned(), ..Migration::not_run(&self.folder) }
    }
}

/// The whole schema: another connection may have changed it.
async fn whole<D: Database>(database: &mut D) -> Result<Facts, DatabaseError> {
    let mut facts = database.facts_anew().await?;
    facts.extend(database.rest().await?);
    Ok(facts)
}

/// What nobody can tell of a command afterwards, so that nobody takes it for clean.
fn not_seen(kind: DatabaseKind) -> String {
    let told = match kind {
        DatabaseKind::Postgres => {
            "told is which tables were written anew or emptied, and which indexes and constraints were made under a lock"
        }
        DatabaseKind::Mysql | DatabaseKind::Sqlite => "told is how the schema changed",
    };
    format!("the command's statements are not watched: of locks, scans and rows nothing more is known; {told}")
}
