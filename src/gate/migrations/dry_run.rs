//! The story of a dry run: the base's migrations first, then one by one what the change adds, each observed, taken back
//! and applied again.

use std::cell::RefCell;

use crate::migration::layout::{Layout, Plan, Platform};
use crate::migration::rules::is_same;
use crate::migration::{preflight, split};
use crate::model::evidence::{Exit, Problem, ProblemKind};
use crate::model::finding::Finding;
use crate::model::migration::{
    Applied, DatabaseKind, Facts, Form, Migration, Migrations, Planned, Script, Source, Statement, StatementError,
    Transaction,
};
use crate::world::database::{Database, DatabaseError, Ran, unknown};

/// What is known so far: it stays when the run is ended early.
#[derive(Debug, Default)]
pub struct Record {
    /// What was done.
    pub migrations: Migrations,
    /// What could not be judged.
    pub problems: Vec<Problem>,
    /// New migrations whose version an open pull request takes too.
    pub taken: Vec<Finding>,
    /// Worth saying.
    pub notes: Vec<String>,
    /// The statement that runs: `migrations/3.sql:4`.
    pub at: String,
    /// How a tool's command ended, and its log.
    pub exit: Option<Exit>,
    /// The log of a tool's command.
    pub log: Option<String>,
    /// The schema before the first migration that was judged.
    pub before: Facts,
    /// The schema as it was last.
    pub after: Facts,
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
    /// Nothing is taken as applied before.
    pub each_alone: bool,
    /// Makes the schema in place of the base's migrations.
    pub schema: Option<Script>,
    /// Puts rows into the base's tables.
    pub seed: Option<Script>,
    /// Whether each migration is taken back and applied again.
    pub round_trip: bool,
}

/// Makes the whole dry run.
///
/// # Errors
/// When the server is gone.
pub async fn run<D: Database>(
    database: &mut D,
    trial: &Trial,
    record: &RefCell<Record>,
    on_line: &dyn Fn(&str),
) -> Result<(), DatabaseError> {
    record.borrow_mut().migrations.database = Some(database.name());
    let mut stage = Stage { database, trial, record, on_line, rest: None };
    let (shipped, new) = trial.parts();
    if !stage.has_what_is_needed(&shipped, &new).await? {
        let not_run = new.iter().map(|planned| not_run(planned)).collect();
        record.borrow_mut().migrations.migrations = not_run;
        return Ok(());
    }
    stage.make_base(&shipped).await?;
    let mut now = stage.database.facts().await?;
    let rest = stage.database.rest().await?;
    let whole: Facts = now.clone().into_iter().chain(rest.clone()).collect();
    record.borrow_mut().before = whole.clone();
    record.borrow_mut().after = whole;
    stage.rest = Some(rest);
    let mut lost = false;
    for planned in &new {
        let migration = if lost {
            not_run(planned)
        } else {
            let tried = stage.try_one(planned, &now).await?;
            lost = tried.lost;
            if !lost && trial.round_trip {
                now = tried.after;
                record.borrow_mut().after.clone_from(&now);
            }
            tried.migration
        };
        record.borrow_mut().migrations.migrations.push(migration);
    }
    if !lost {
        let mut after = stage.database.facts().await?;
        after.extend(stage.database.rest().await?);
        record.borrow_mut().after = after;
    }
    Ok(())
}

impl Trial {
    /// The migrations that the base has, as it has them, and those that the change adds, in the order they run.
    #[must_use]
    pub fn parts(&self) -> (Vec<&Planned>, Vec<&Planned>) {
        if self.each_alone {
            return (Vec::new(), self.plan.migrations.iter().collect());
        }
        let known = |planned: &&Planned| {
            let as_it_is = |base: &Planned| is_same(base, planned) && (!planned.repeatable || base.up == planned.up);
            self.base.migrations.iter().any(as_it_is)
        };
        let new = self.plan.migrations.iter().filter(|planned| !known(planned));
        (self.base.migrations.iter().collect(), new.collect())
    }
}

/// A migration of which nothing was run.
#[must_use]
pub fn not_run(planned: &Planned) -> Migration {
    let (version, name) = (planned.version.clone(), planned.name.clone());
    Migration { version, name, ..Migration::not_run(&planned.path) }
}

/// A whole schema: the facts that statements are compared by, and what there is beside them.
#[derive(Clone, Copy)]
pub(super) struct Whole<'a> {
    pub(super) facts: &'a Facts,
    pub(super) rest: &'a Facts,
}

pub(super) struct Stage<'a, D> {
    pub(super) database: &'a mut D,
    pub(super) trial: &'a Trial,
    record: &'a RefCell<Record>,
    on_line: &'a dyn Fn(&str),
    /// What there is beside the facts, where it was read and still holds.
    rest: Option<Facts>,
}

/// What became of a script.
pub(super) struct Played {
    statements: Vec<Statement>,
    transactional: bool,
    /// What the commit refused.
    refused: Option<String>,
    lost: bool,
}

/// A migration that was tried.
struct Tried {
    migration: Migration,
    after: Facts,
    lost: bool,
}

impl Played {
    /// The first thing that went wrong.
    pub(super) fn wrong(&self) -> Option<String> {
        let failed = self.statements.iter().find_map(|statement| statement.error.as_ref());
        failed.map(|error| format!("line {}: {}", error.line, error.message)).or_else(|| self.refused.clone())
    }
}

impl<D: Database> Stage<'_, D> {
    pub(super) fn problem(&self, what: String) {
        let problem = Problem { kind: ProblemKind::Unreadable, what };
        let problems = &mut self.record.borrow_mut().problems;
        // A script that is run again meets the same ones.
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }

    /// Whether the server can make every extension that is asked for; those that are missing are named.
    async fn has_what_is_needed(&mut self, shipped: &[&Planned], new: &[&Planned]) -> Result<bool, DatabaseError> {
        let mut needed = Vec::new();
        for script in shipped.iter().chain(new).filter_map(|planned| planned.up.as_ref()).chain(&self.trial.schema) {
            let sources = split::split(script, self.trial.kind);
            let places = preflight::extensions(&sources).into_iter();
            needed.extend(places.map(|(name, line)| (name, format!("{}:{line}", script.path))));
        }
        if needed.is_empty() {
            return Ok(true);
        }
        let known = self.database.extensions().await?;
        let mut missing: Vec<&(String, String)> = needed.iter().filter(|(name, _)| !known.contains(name)).collect();
        missing.sort();
        missing.dedup_by_key(|(name, _)| name.clone());
        for (name, place) in &missing {
            self.problem(format!(
                "the server has no extension {name}, which {place} needs: install it, or name a server that has it with \
                 `database-url` (in a workflow: `services:` with an image that brings it)"
            ));
        }
        Ok(missing.is_empty())
    }

    /// The tool's own table where files name it, the schema that databases have, and rows in it.
    async fn make_base(&mut self, shipped: &[&Planned]) -> Result<(), DatabaseError> {
        if let Some(sql) = self.bookkeeping() {
            self.play(&one_script("the bookkeeping table", sql), false).await?;
        }
        if let Some(platform) = self.platform() {
            self.ground(&one_script("of the platform", platform.sql), platform.name).await?;
            self.record.borrow_mut().notes.push(format!(
                "what {} brings with a database ({}) is stood in for, as its manual describes it; `schema` names a dump of \
                 the real one",
                platform.name,
                platform.schemas.join(", ")
            ));
        }
        if let Some(schema) = &self.trial.schema {
            self.ground(schema, "the schema").await?;
        } else {
            for planned in shipped {
                let Some(script) = &planned.up else { continue };
                self.ground(script, "the base's own migration").await?;
            }
        }
        self.record.borrow_mut().migrations.of_the_base = Some(shipped.len());
        if let Some(seed) = &self.trial.seed {
            self.ground(seed, "the seed").await?;
        }
        // What they set for their own session, and their temporary tables, no later run of the tool has.
        self.database.afresh().await
    }

    fn bookkeeping(&self) -> Option<&'static str> {
        let sql = self.trial.layout.bookkeeping?;
        let name = sql.split(" EXISTS ").last()?.split([' ', '(']).next()?;
        self.is_named(name).then_some(sql)
    }

    /// Whether a script names it.
    fn is_named(&self, name: &str) -> bool {
        let all = self.trial.plan.migrations.iter().chain(&self.trial.base.migrations);
        let named = |script: &Script| script.pieces.iter().any(|piece| piece.text.contains(name));
        all.filter_map(|planned| planned.up.as_ref()).any(named)
    }

    /// What a platform brings and files name, where no dump of the schema is given that has it.
    fn platform(&self) -> Option<&'static Platform> {
        let platform = self.trial.layout.platform.as_ref()?;
        let is_wanted = self.trial.kind == DatabaseKind::Postgres && self.trial.schema.is_none();
        (is_wanted && platform.schemas.iter().any(|schema| self.is_named(schema))).then_some(platform)
    }

    /// Applies what databases have before the change; nobody looks.
    async fn ground(&mut self, script: &Script, what: &str) -> Result<(), DatabaseError> {
        let played = self.play(script, false).await?;
        if let Some(why) = played.wrong() {
            let failed = played.statements.iter().find_map(|statement| statement.error.as_ref());
            let is_missing = failed.is_some_and(|error| error.code.as_deref() == Some(NO_SCHEMA));
            let way = if is_missing { format!(" ({NOT_MADE})") } else { String::new() };
            self.problem(format!("{what} {} does not apply: {why}{way}", script.path));
        }
        if played.lost {
            return Err(DatabaseError::Lost {
                during: format!("by {}", script.path),
                said: "it closed the connection".to_owned(),
            });
        }
        Ok(())
    }

    async fn try_one(&mut self, planned: &Planned, before: &Facts) -> Result<Tried, DatabaseError> {
        let mut migration = not_run(planned);
        let Some(script) = &planned.up else { return Ok(Tried { migration, after: before.clone(), lost: false }) };
        let is_compared = self.trial.round_trip && planned.down.is_some() && !planned.repeatable;
        let rest = match (self.rest.take(), is_compared) {
            (_, false) => Facts::new(),
            (Some(rest), true) => rest,
            (None, true) => self.database.rest().await?,
        };
        let played = self.play(script, true).await?;
        migration.took = played.statements.iter().map(|statement| statement.took).sum();
        migration.transactional = played.transactional;
        migration.error = played.wrong();
        migration.outcome = match (&migration.error, played.statements.iter().any(|it| it.not_run.is_some())) {
            (Some(_), _) => Applied::Error,
            (None, true) => Applied::NotRun,
            (None, false) => Applied::Ok,
        };
        migration.statements = played.statements;
        if played.lost {
            self.problem(format!("{}: {}", planned.path, migration.error.clone().unwrap_or_default()));
            return Ok(Tried { migration, after: before.clone(), lost: true });
        }
        if !self.trial.round_trip {
            return Ok(Tried { migration, after: Facts::new(), lost: false });
        }
        let after = self.database.facts().await?;
        if migration.outcome == Applied::Ok && !planned.repeatable {
            let at = format!("{} (round trip)", planned.path);
            self.record.borrow_mut().at = at;
            let after_rest = if is_compared { self.database.rest().await? } else { Facts::new() };
            let (before, after) = (Whole { facts: before, rest: &rest }, Whole { facts: &after, rest: &after_rest });
            (migration.round_trip, migration.round_trip_detail) =
                self.round_trip(planned, script, before, after).await?;
            self.rest = is_compared.then_some(after_rest);
        }
        Ok(Tried { migration, after, lost: false })
    }

    /// Runs a script, statement by statement, past those that fail.
    pub(super) async fn play(&mut self, script: &Script, observe: bool) -> Result<Played, DatabaseError> {
        let sources = split::split(script, self.trial.kind);
        let several = self.refused_as_several(script, observe);
        let transactional = match script.transaction {
            Transaction::Whole => true,
            Transaction::None => false,
            Transaction::OneText => self.trial.kind == DatabaseKind::Postgres && sources.len() > 1,
            Transaction::WhereAllowed => sources.len() > 1,
        };
        if !observe && (transactional || sources.len() == 1) {
            (self.on_line)(&script.path);
            self.record.borrow_mut().at.clone_from(&script.path);
            if self.database.at_once(&sources).await? {
                return Ok(Played { statements: Vec::new(), transactional, refused: None, lost: false });
            }
        }
        let mut played = self.statements(script, &sources, transactional, observe).await?;
        for statement in &mut played.statements {
            let place = (statement.source.line, statement.source.column);
            if statement.error.is_none() && several.contains(&place) {
                statement.error = Some(self.several_at_once(place));
            }
        }
        self.tell_the_way_out(script, &mut played.statements);
        if !played.lost {
            played.refused = self.database.end(true).await?;
        }
        Ok(played)
    }

    /// Where a script has texts of several statements that its tool's driver refuses. What the base has databases ran.
    fn refused_as_several(&self, script: &Script, observe: bool) -> Vec<(u32, u32)> {
        let kind = self.trial.kind;
        let is_refused = self.trial.layout.one_at_a_time.is_some_and(|(kinds, _)| kinds.contains(&kind));
        if observe && is_refused { split::of_several(script, kind) } else { Vec::new() }
    }

    fn several_at_once(&self, (line, column): (u32, u32)) -> StatementError {
        let Layout { name, one_at_a_time, .. } = self.trial.layout;
        StatementError {
            message: format!("{name} sends several statements as one text here, and its driver takes one at a time"),
            code: None,
            hint: one_at_a_time.map(|(_, way)| way.to_owned()),
            line,
            column: Some(column),
        }
    }

    /// Says what to do where the server's own message does not: how this tool runs a file outside of a transaction, and how
    /// what no file makes comes to be there.
    fn tell_the_way_out(&self, script: &Script, statements: &mut [Statement]) {
        let layout = self.trial.layout;
        for error in statements.iter_mut().filter_map(|statement| statement.error.as_mut()) {
            let way = match (error.code.as_deref(), script.transaction, layout.outside) {
                (Some(NO_SCHEMA), ..) => NOT_MADE.to_owned(),
                (Some(IN_TRANSACTION), Transaction::Whole, Some(way)) => {
                    format!("{way} makes {} run it outside of one", layout.name)
                }
                (Some(IN_TRANSACTION), Transaction::OneText | Transaction::WhereAllowed, _) => {
                    "several statements of a file are one transaction: put it into a file of its own".to_owned()
                }
                _ => continue,
            };
            error.hint = Some(way);
        }
    }

    /// Runs statements and leaves the transaction open.
    pub(super) async fn statements(
        &mut self,
        script: &Script,
        sources: &[Source],
        transactional: bool,
        observe: bool,
    ) -> Result<Played, DatabaseError> {
        // Where changes of the schema are not taken back, it is no transaction to speak of.
        let played = Played {
            statements: Vec::new(),
            transactional: transactional && self.database.takes_back(),
            refused: None,
            lost: false,
        };
        self.database.begin(transactional, observe).await?;
        self.further(script, sources, played).await
    }

    /// Runs statements after those that were played, in whatever is open.
    pub(super) async fn further(
        &mut self,
        script: &Script,
        sources: &[Source],
        mut played: Played,
    ) -> Result<Played, DatabaseError> {
        let mut rest = sources.iter();
        while let Some(source) = rest.next() {
            let statement = match &source.form {
                Form::Meta => self.meta(script, source),
                Form::Sql | Form::Copy(_) | Form::CopyOut => match self.statement(script, source).await? {
                    Ran::Done(statement) => *statement,
                    Ran::Again => {
                        played.statements.clear();
                        rest = sources.iter();
                        continue;
                    }
                    Ran::Lost(statement) => {
                        played.statements.push(*statement);
                        played.lost = true;
                        return Ok(played);
                    }
                },
            };
            played.statements.push(statement);
        }
        Ok(played)
    }

    async fn statement(&mut self, script: &Script, source: &Source) -> Result<Ran, DatabaseError> {
        let at = format!("{}:{}", script.path, source.line);
        (self.on_line)(&at);
        self.record.borrow_mut().at = at;
        let ran = self.database.run(source).await?;
        if let Ran::Done(statement) = &ran
            && let Some(error) = statement.error.as_ref().filter(|error| is_of_the_server(error.code.as_deref()))
        {
            self.problem(format!("{}:{}: the server could not go on: {}", script.path, error.line, error.message));
        }
        if let Ran::Done(statement) = &ran
            && let Some(why) = &statement.not_run
        {
            self.problem(format!("{}:{}: not run: {why}", script.path, source.line));
        }
        Ok(ran)
    }

    /// A command of the interactive client is told of, not run.
    fn meta(&self, script: &Script, source: &Source) -> Statement {
        self.problem(format!("{}:{}: {} was not run: it is {OF_THE_CLIENT}", script.path, source.line, source.sql));
        let mut statement = unknown(source);
        statement.not_run = Some(OF_THE_CLIENT.to_owned());
        statement
    }
}

/// Why a command such as `\i` is not run.
pub(super) const OF_THE_CLIENT: &str = "a command of the interactive client, which no server understands";

/// PostgreSQL's code for a statement that cannot run in a transaction.
const IN_TRANSACTION: &str = "25001";
/// And for a schema that is not there.
const NO_SCHEMA: &str = "3F000";
const NOT_MADE: &str =
    "where databases have it before the first migration, `schema = \"dump.sql\"` in the gate's settings makes it";

/// Whether it is the server that failed, not the statement: out of space or memory, a file that cannot be written,
/// shutting down. <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn is_of_the_server(code: Option<&str>) -> bool {
    code.is_some_and(|code| ["53", "58", "57P", "XX"].iter().any(|class| code.len() == 5 && code.starts_with(class)))
}

fn one_script(path: &str, sql: &str) -> Script {
    let piece = crate::model::migration::Piece { line: 1, text: sql.to_owned(), whole: false };
    Script { path: path.to_owned(), pieces: vec![piece], transaction: Transaction::None }
}
