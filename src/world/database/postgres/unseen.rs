//! Scripts that nobody looks at: what databases have before the change. They go as one message each, and statement by
//! statement only where that fails, to tell which one it was.

use sqlx::{AssertSqlSafe, Error, Executor as _};
use tokio::time::Instant;

use super::{Postgres, failure, look, lost_statement};
use crate::model::migration::{Form, Source};
use crate::world::database::{Ran, unknown};

/// First words of what begins or ends transactions: what is done before one of them cannot be taken back.
const CONTROL: &[&str] = &["abort", "begin", "commit", "end", "prepare", "release", "rollback", "savepoint", "start"];

impl Postgres {
    /// Runs a script in a transaction of its own; false where it has to be run statement by statement, of which nothing
    /// was done.
    pub(super) async fn run_at_once(&mut self, sources: &[Source]) -> Result<bool, Error> {
        let is_plain = |source: &Source| source.form == Form::Sql && !controls(&source.sql);
        if self.keeper.is_some() || !sources.iter().all(is_plain) {
            return Ok(false);
        }
        self.current = false;
        self.unseen = true;
        // A comment may end a statement's last line.
        let script: Vec<&str> = sources.iter().map(|source| source.sql.as_str()).collect();
        let sql = format!("BEGIN; {}\n; COMMIT; {}", script.join("\n; "), look::RESET);
        match self.runner.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await {
            Ok(_) => {}
            Err(Error::Database(_)) => {
                self.control("ROLLBACK").await?;
                return Ok(false);
            }
            Err(error) => return Err(error),
        }
        for source in sources {
            self.note_roles(source);
        }
        Ok(true)
    }

    /// Runs a statement of a script that nobody looks at; one that fails ends its transaction.
    pub(super) async fn run_unseen(&mut self, source: &Source) -> Ran {
        self.current = false;
        self.unseen = true;
        let mut statement = unknown(source);
        loop {
            let begun = Instant::now();
            let sent = self.send(source).await;
            statement.took = begun.elapsed();
            let Err(error) = sent else {
                self.note_roles(source);
                return Ran::Done(Box::new(statement));
            };
            let Some(failure) = failure(source, &error) else {
                return Ran::Lost(Box::new(lost_statement(statement, &error)));
            };
            if !self.make_role(&failure).await {
                statement.error = Some(failure);
                return Ran::Done(Box::new(statement));
            }
            // All that its transaction did is gone.
            if self.script.open {
                return match self.control("ROLLBACK; BEGIN; SAVEPOINT gatepost").await {
                    Ok(()) => Ran::Again,
                    Err(error) => Ran::Lost(Box::new(lost_statement(statement, &error))),
                };
            }
        }
    }
}

fn controls(sql: &str) -> bool {
    let first = sql.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    CONTROL.iter().any(|word| first.eq_ignore_ascii_case(word))
}
