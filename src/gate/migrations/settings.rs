//! The keys that only gates of kind `migrations` have.

use schemars::JsonSchema;
use serde::Deserialize;

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
    /// The least level that blocks.
    pub fail_on: Level,
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
            fail_on: Level::Warning,
        }
    }
}
