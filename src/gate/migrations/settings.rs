//! The keys that only gates of kind `migrations` have.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config;
use crate::migration::rules::{self, Severity};
use crate::migration::squawk;
use crate::model::finding::Level;
use crate::model::migration::DatabaseKind;

/// The keys that only this kind has.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The folder of the migrations, relative to `dir`.
    pub path: String,
    /// The database they are written for; by default told by what lies around them, else `postgres`.
    pub database: Option<DatabaseKind>,
    /// The server's version, as in `16`; by default the newest that is installed.
    pub version: Option<String>,
    /// The tool whose folder it is; detected by default.
    pub layout: Option<String>,
    /// Judge every migration, not only those that the change adds.
    pub all: bool,
    /// Whether each migration is taken back and applied again.
    pub round_trip: bool,
    /// Whether a migration without a down is told of; by default where its tool knows downs and others here have one.
    pub down: Option<Down>,
    /// A file of SQL, relative to `dir`, that makes the schema in place of the base's migrations.
    pub schema: Option<String>,
    /// A file of SQL, relative to `dir`, that puts rows into the base's tables before the change's migrations run.
    pub seed: Option<String>,
    /// A file of `table,rows,bytes` from production, relative to `dir`; `gatepost migrations sizes` prints the query.
    pub sizes: Option<String>,
    /// A server to make a database on in place of a scratch server, as `env:NAME`.
    pub database_url: Option<String>,
    /// Whether `database-url` may lead to another machine.
    pub allow_remote: bool,
    /// Levels of single rules: `off`, `note`, `warning` or `error`.
    pub rules: BTreeMap<RuleName, Severity>,
    /// The least level that blocks.
    pub fail_on: Level,
}

/// The name of a rule that exists, of gatepost's own or of squawk's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct RuleName(String);

impl TryFrom<String> for RuleName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let own: Vec<&str> = rules::ALL.iter().map(|rule| rule.name).collect();
        if own.contains(&name.as_str()) || squawk::is_rule(&name) {
            return Ok(Self(name));
        }
        Err(format!("there is no rule {name:?}: {}", config::advice(&name, &own)))
    }
}

impl Settings {
    /// The levels of single rules, by name.
    #[must_use]
    pub fn levels(&self) -> BTreeMap<String, Severity> {
        self.rules.iter().map(|(name, severity)| (name.0.clone(), *severity)).collect()
    }
}

/// What a migration without a down is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Down {
    /// Nothing.
    Allowed,
    /// It is told of.
    Required,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            path: "migrations".to_owned(),
            database: None,
            version: None,
            layout: None,
            all: false,
            round_trip: true,
            down: None,
            schema: None,
            seed: None,
            sizes: None,
            database_url: None,
            allow_remote: false,
            rules: BTreeMap::new(),
            fail_on: Level::Warning,
        }
    }
}
