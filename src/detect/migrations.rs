//! Folders of migrations: a dry run where it is known to be possible, else a note that says what is missing.

use super::Look;
use super::gate::DetectedGate;
use crate::model::migration::MigrationsFolder;

/// What a dry run finds and the migrations' own tool does not, so that a healthy repository is green at once.
const SHOWN: &str = "{ table-rewrite = \"warning\", invalid-index = \"warning\", down-failed = \"warning\", \
                     up-again-failed = \"warning\" }";

/// Names of folders that say no more than that migrations lie there.
const PLAIN: &[&str] = &[
    "migrations",
    "migration",
    "migrate",
    "db",
    "database",
    "sql",
    "drizzle",
    "prisma",
    "supabase",
    "src",
    "main",
    "resources",
];

/// The part of the repository that a gate's migrations are of; `""` for its own.
pub(super) fn of(gate: &DetectedGate) -> String {
    let path = gate.why.split(':').next().unwrap_or_default();
    path.rsplit('/').find(|part| !PLAIN.contains(part)).unwrap_or_default().to_owned()
}

/// Gates for the folders that can be judged, and notes on the others.
pub(super) fn detect(look: &dyn Look) -> (Vec<DetectedGate>, Vec<String>) {
    let (mut gates, mut notes) = (Vec::new(), Vec::new());
    for MigrationsFolder { path, layout, database, hindrance } in look.migrations() {
        match (database, hindrance) {
            (_, Some(why)) => notes.push(format!("{path}: no gate for its migrations ({layout}): {why}")),
            (None, None) => notes.push(format!(
                "{path}: no gate for its migrations ({layout}): it is not told which database they are written for; name \
                 it with `database` in a gate of kind \"migrations\""
            )),
            (Some((database, told)), None) => gates.push(DetectedGate {
                kind: "migrations",
                command: None,
                own: vec![
                    ("path", toml::Value::from(path.as_str()).to_string()),
                    ("database", toml::Value::from(database.word()).to_string()),
                    ("fail-on", "\"error\"".to_owned()),
                    ("rules", SHOWN.to_owned()),
                ],
                label: Some(
                    "what the database accepts passes; locks and other dangers are shown and do not block".to_owned(),
                ),
                ..DetectedGate::plain("migrations", "", format!("{path}: {layout}, for {} {told}", database.word()))
            }),
        }
    }
    (gates, notes)
}
