//! The ledger in a file of the repository's git directory: SQLite, one connection, every change whole or not at all.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{ConnectOptions as _, Row as _};

use crate::model::deployment::{Holder, Mark, Payload, Phase, Record};
use crate::model::environments::EnvironmentName;
use crate::model::gate_result::GateResult;
use crate::model::sha::Sha;
use crate::model::text::shorten;
use crate::world::ledger::{Held, LedgerError, New, Step};
use crate::world::{clock, files};

/// How long another process may keep the file to itself.
const BUSY: Duration = Duration::from_secs(10);

/// What the file holds. It is made anew for every process that finds none.
const TABLES: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS deployments (id INTEGER PRIMARY KEY AUTOINCREMENT, environment TEXT NOT NULL, \
     sha TEXT NOT NULL, reference TEXT NOT NULL, intent TEXT NOT NULL UNIQUE, payload TEXT NOT NULL, \
     created_at TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS marks (deployment INTEGER NOT NULL REFERENCES deployments, phase TEXT NOT NULL, \
     says TEXT NOT NULL, at TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS locks (environment TEXT PRIMARY KEY, version TEXT NOT NULL, holder TEXT NOT NULL)",
    // `results` of earlier versions does not say which configuration judged: what is in it counts for nothing.
    "CREATE TABLE IF NOT EXISTS judged (sha TEXT NOT NULL, gate TEXT NOT NULL, config TEXT NOT NULL, at INTEGER NOT NULL, \
     result TEXT NOT NULL, UNIQUE (sha, gate, config, at))",
    "CREATE TABLE IF NOT EXISTS seen (environment TEXT PRIMARY KEY, at TEXT NOT NULL, records TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS unsent (deployment INTEGER PRIMARY KEY REFERENCES deployments)",
];

/// See the module.
#[derive(Debug)]
pub struct Local {
    path: PathBuf,
    connection: SqliteConnection,
    /// It stands in for GitHub: what was seen there comes after its own records, and its own are to be sent there.
    stands_in: bool,
}

impl Local {
    /// Opens the file, which is made where there is none.
    ///
    /// # Errors
    /// When it cannot be made, or is none of ours.
    pub async fn open(path: &Path) -> Result<Self, LedgerError> {
        let wrong = |what: String| LedgerError::File { path: path.to_owned(), what };
        if let Some(folder) = path.parent() {
            files::make_dir(folder).map_err(|error| wrong(error.to_string()))?;
        }
        let options = SqliteConnectOptions::new().filename(path).create_if_missing(true).busy_timeout(BUSY);
        let connection = options.connect().await.map_err(|error| wrong(error.to_string()))?;
        let mut local = Self { path: path.to_owned(), connection, stands_in: false };
        for table in TABLES {
            sqlx::query(*table).execute(&mut local.connection).await.map_err(|error| local.wrong(&error))?;
        }
        Ok(local)
    }

    fn wrong(&self, what: &dyn std::fmt::Display) -> LedgerError {
        LedgerError::File { path: self.path.clone(), what: what.to_string() }
    }

    /// See [`super::Ledger::records`]. Those of other configurations than `config` are among them.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn records(&mut self, environment: &EnvironmentName, config: &str) -> Result<Vec<Record>, LedgerError> {
        // In GitHub's place only what GitHub has not heard of yet comes before what was seen there.
        let asked = sqlx::query(
            "SELECT * FROM deployments WHERE environment = ? AND (NOT ? OR id IN (SELECT deployment FROM unsent)) \
             ORDER BY id DESC",
        );
        let asked = asked.bind(environment.as_str()).bind(self.stands_in);
        let found = asked.fetch_all(&mut self.connection).await;
        let rows = found.map_err(|error| self.wrong(&error))?;
        let mut records = Vec::with_capacity(rows.len());
        for row in rows {
            records.push(self.record(&row).await?);
        }
        if self.stands_in {
            records.extend(self.seen(environment, config).await?.into_iter().flat_map(|(_, records)| records));
        }
        Ok(records)
    }

    /// From here on it stands in for GitHub.
    pub const fn stand_in(&mut self) {
        self.stands_in = true;
    }

    /// Keeps what GitHub had of an environment by the configuration at `config`, for a time when it cannot be asked.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn see(
        &mut self,
        environment: &EnvironmentName,
        config: &str,
        records: &[Record],
    ) -> Result<(), LedgerError> {
        let text = serde_json::to_string(records).map_err(|error| LedgerError::Unexpected(error.to_string()))?;
        let made = sqlx::query("INSERT OR REPLACE INTO seen (environment, at, records) VALUES (?, ?, ?)");
        let made = made.bind(seen_as(environment, config)).bind(clock::now().to_string()).bind(text);
        made.execute(&mut self.connection).await.map(|_| ()).map_err(|error| self.wrong(&error))
    }

    /// What GitHub had of an environment by the configuration at `config` when it was last asked, and when that was.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn seen(
        &mut self,
        environment: &EnvironmentName,
        config: &str,
    ) -> Result<Option<(String, Vec<Record>)>, LedgerError> {
        // Earlier versions kept them under the environment's name alone.
        let asked = sqlx::query(
            "SELECT at, records FROM seen WHERE environment IN (?, ?) ORDER BY length(environment) DESC LIMIT 1",
        );
        let asked = asked.bind(seen_as(environment, config)).bind(environment.as_str());
        let Some(row) = asked.fetch_optional(&mut self.connection).await.map_err(|error| self.wrong(&error))? else {
            return Ok(None);
        };
        let read = |error: sqlx::Error| LedgerError::Unexpected(error.to_string());
        let records: String = row.try_get("records").map_err(read)?;
        let records = serde_json::from_str(&records).map_err(|error| LedgerError::Unexpected(error.to_string()))?;
        Ok(Some((row.try_get("at").map_err(read)?, records)))
    }

    /// What the configuration at `config` recorded here in GitHub's place, oldest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn unsent(&mut self, environment: &EnvironmentName, config: &str) -> Result<Vec<Record>, LedgerError> {
        let asked = sqlx::query(
            "SELECT * FROM deployments WHERE environment = ? AND id IN (SELECT deployment FROM unsent) ORDER BY id",
        );
        let found = asked.bind(environment.as_str()).fetch_all(&mut self.connection).await;
        let mut records = Vec::new();
        for row in found.map_err(|error| self.wrong(&error))? {
            records.push(self.record(&row).await?);
        }
        records.retain(|record| record.is_of_other_than(config).is_none());
        Ok(records)
    }

    /// GitHub has a deployment now.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn sent(&mut self, id: &str) -> Result<(), LedgerError> {
        let done = sqlx::query("DELETE FROM unsent WHERE deployment = ?").bind(id.parse::<i64>().unwrap_or_default());
        done.execute(&mut self.connection).await.map(|_| ()).map_err(|error| self.wrong(&error))
    }

    async fn record(&mut self, row: &SqliteRow) -> Result<Record, LedgerError> {
        let read = |error: sqlx::Error| LedgerError::Unexpected(error.to_string());
        let text = |column: &str| row.try_get::<String, _>(column).map_err(read);
        let id: i64 = row.try_get("id").map_err(read)?;
        let unexpected = |what: String| LedgerError::Unexpected(format!("deployment {id}: {what}"));
        let asked = sqlx::query("SELECT phase, says, at FROM marks WHERE deployment = ? ORDER BY rowid");
        let found = asked.bind(id).fetch_all(&mut self.connection).await.map_err(|error| self.wrong(&error))?;
        let mark = |row: &SqliteRow| -> Result<Mark, sqlx::Error> {
            let phase = Phase::of_word(&row.try_get::<String, _>("phase")?);
            Ok(Mark { phase, says: row.try_get("says")?, at: row.try_get("at")? })
        };
        Ok(Record {
            id: id.to_string(),
            environment: EnvironmentName::parse(&text("environment")?)
                .map_err(|error| unexpected(error.to_string()))?,
            sha: Sha::parse(&text("sha")?).map_err(|error| unexpected(error.to_string()))?,
            reference: text("reference")?,
            payload: Some(serde_json::from_str(&text("payload")?).map_err(|error| unexpected(error.to_string()))?),
            created_at: text("created_at")?,
            marks: found.iter().map(mark).collect::<Result<_, _>>().map_err(read)?,
        })
    }

    /// See [`super::Ledger::create`].
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn create(&mut self, environment: &EnvironmentName, new: &New) -> Result<Record, LedgerError> {
        let payload = payload(&new.payload)?;
        let made = sqlx::query(
            "INSERT INTO deployments (environment, sha, reference, intent, payload, created_at) VALUES (?, ?, ?, ?, ?, ?) \
             ON CONFLICT (intent) DO NOTHING",
        )
        .bind(environment.as_str())
        .bind(new.sha.as_str())
        .bind(&new.reference)
        .bind(&new.payload.intent)
        .bind(payload)
        .bind(clock::now().to_string())
        .execute(&mut self.connection)
        .await;
        made.map_err(|error| self.wrong(&error))?;
        let asked = sqlx::query("SELECT * FROM deployments WHERE intent = ?").bind(&new.payload.intent);
        let row = asked.fetch_one(&mut self.connection).await.map_err(|error| self.wrong(&error))?;
        let record = self.record(&row).await?;
        if self.stands_in {
            let id: i64 = record.id.parse().unwrap_or_default();
            let made = sqlx::query("INSERT OR IGNORE INTO unsent (deployment) VALUES (?)").bind(id);
            made.execute(&mut self.connection).await.map_err(|error| self.wrong(&error))?;
        }
        if record.marks.is_empty() {
            let step = Step { phase: Phase::Queued, says: new.says.clone(), url: None, log: None };
            self.mark(&record.id, &step).await?;
        }
        Ok(record)
    }

    /// See [`super::Ledger::mark`].
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn mark(&mut self, id: &str, step: &Step) -> Result<(), LedgerError> {
        let number: i64 = id.parse().map_err(|_| LedgerError::Unexpected(format!("{id:?} is no deployment's id")))?;
        if self.stands_in && !self.has(number).await? {
            // It is one of GitHub's: its end follows from what is sent there later.
            return Ok(());
        }
        let made = sqlx::query("INSERT INTO marks (deployment, phase, says, at) VALUES (?, ?, ?, ?)")
            .bind(number)
            .bind(step.phase.word())
            .bind(shorten(&step.says, 140))
            .bind(clock::now().to_string())
            .execute(&mut self.connection)
            .await;
        made.map(|_| ()).map_err(|error| self.wrong(&error))
    }

    /// Keeps results of gates for a commit, and the digest of the configuration that judged: of each second one, and that a
    /// red one where there is one.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn remember(&mut self, sha: &Sha, config: &str, results: &[GateResult]) -> Result<(), LedgerError> {
        for result in results {
            let text = serde_json::to_string(result).map_err(|error| LedgerError::Unexpected(error.to_string()))?;
            let kept = if result.outcome.is_green() {
                "INSERT OR IGNORE INTO judged (sha, gate, config, at, result) VALUES (?, ?, ?, ?, ?)"
            } else {
                "INSERT OR REPLACE INTO judged (sha, gate, config, at, result) VALUES (?, ?, ?, ?, ?)"
            };
            let made = sqlx::query(kept)
                .bind(sha.as_str())
                .bind(result.gate.as_str())
                .bind(config)
                .bind(result.at)
                .bind(text)
                .execute(&mut self.connection)
                .await;
            made.map_err(|error| self.wrong(&error))?;
        }
        Ok(())
    }

    /// The results that were kept for a commit, each with the digest of the configuration that judged.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub async fn results(&mut self, sha: &Sha) -> Result<Vec<(String, GateResult)>, LedgerError> {
        let asked = sqlx::query("SELECT config, result FROM judged WHERE sha = ?").bind(sha.as_str());
        let rows = asked.fetch_all(&mut self.connection).await.map_err(|error| self.wrong(&error))?;
        let wrong = |error: &dyn std::fmt::Display| LedgerError::Unexpected(error.to_string());
        let read = |row: &SqliteRow| -> Result<(String, GateResult), LedgerError> {
            let text = |column: &str| row.try_get::<String, _>(column).map_err(|error| wrong(&error));
            Ok((text("config")?, serde_json::from_str(&text("result")?).map_err(|error| wrong(&error))?))
        };
        rows.iter().map(read).collect()
    }

    async fn has(&mut self, id: i64) -> Result<bool, LedgerError> {
        let asked = sqlx::query("SELECT 1 FROM deployments WHERE id = ?").bind(id);
        let found = asked.fetch_optional(&mut self.connection).await;
        Ok(found.map_err(|error| self.wrong(&error))?.is_some())
    }

    /// See [`super::Ledger::lock`].
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn lock(&mut self, environment: &EnvironmentName) -> Result<Option<Held>, LedgerError> {
        let asked = sqlx::query("SELECT version, holder FROM locks WHERE environment = ?").bind(environment.as_str());
        let Some(row) = asked.fetch_optional(&mut self.connection).await.map_err(|error| self.wrong(&error))? else {
            return Ok(None);
        };
        let read = |error: sqlx::Error| LedgerError::Unexpected(error.to_string());
        let holder: String = row.try_get("holder").map_err(read)?;
        let holder: Holder = serde_json::from_str(&holder)
            .map_err(|error| LedgerError::Unexpected(format!("the lock of {environment}: {error}")))?;
        Ok(Some(Held { holder, version: row.try_get("version").map_err(read)? }))
    }

    /// See [`super::Ledger::swap`].
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn swap(
        &mut self,
        environment: &EnvironmentName,
        over: Option<&Held>,
        holder: &Holder,
    ) -> Result<Option<Held>, LedgerError> {
        let version = format!("{}@{}", holder.nonce, holder.heard);
        let text = serde_json::to_string(holder).map_err(|error| LedgerError::Unexpected(error.to_string()))?;
        let done = match over {
            None => {
                let made = sqlx::query(
                    "INSERT INTO locks (environment, version, holder) VALUES (?, ?, ?) ON CONFLICT (environment) DO NOTHING",
                );
                made.bind(environment.as_str()).bind(&version).bind(text).execute(&mut self.connection).await
            }
            Some(over) => {
                let changed =
                    sqlx::query("UPDATE locks SET version = ?, holder = ? WHERE environment = ? AND version = ?");
                let changed = changed.bind(&version).bind(text).bind(environment.as_str()).bind(&over.version);
                changed.execute(&mut self.connection).await
            }
        };
        let done = done.map_err(|error| self.wrong(&error))?;
        Ok((done.rows_affected() == 1).then(|| Held { holder: holder.clone(), version }))
    }

    /// See [`super::Ledger::free`].
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn free(&mut self, environment: &EnvironmentName, held: &Held) -> Result<bool, LedgerError> {
        let done = sqlx::query("DELETE FROM locks WHERE environment = ? AND version = ?")
            .bind(environment.as_str())
            .bind(&held.version)
            .execute(&mut self.connection)
            .await;
        Ok(done.map_err(|error| self.wrong(&error))?.rows_affected() == 1)
    }
}

/// A name has no space.
fn seen_as(environment: &EnvironmentName, config: &str) -> String {
    format!("{environment} {config}")
}

fn payload(payload: &Payload) -> Result<String, LedgerError> {
    serde_json::to_string(payload).map_err(|error| LedgerError::Unexpected(error.to_string()))
}
