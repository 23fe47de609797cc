//! What `gatepost init` would write or wrote: text for people, `gatepost.init/v1` for programs.

use std::fmt::Write as _;

use anstyle::Style;
use schemars::JsonSchema;
use serde::Serialize;

use crate::model::text::{clean, one_line};
use crate::render::terminal::Dress;

/// What is shown.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Init")]
pub struct InitV1<'a> {
    /// `gatepost.init/v1`.
    pub schema: &'static str,
    /// Whether the files were written.
    pub written: bool,
    /// The configuration first.
    pub files: Vec<FileV1<'a>>,
    /// What another tool has and is not carried over.
    pub left: Vec<LeftV1<'a>>,
    /// Worth knowing before it is written.
    pub notes: &'a [String],
}

/// One file.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "InitFile")]
pub struct FileV1<'a> {
    /// Relative to the repository's root.
    pub path: &'a str,
    /// `new`, `same` (it stands so already), `kept` (something else stands there) or `replaced`.
    pub state: &'static str,
    /// The text that it would have or has.
    pub text: &'a str,
}

/// Something that is not carried over.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "InitLeft")]
pub struct LeftV1<'a> {
    /// What it is called there.
    pub name: &'a str,
    /// What it runs.
    pub what: &'a str,
    /// Why it is left.
    pub why: &'a str,
}

/// The files with what becomes of them, and everything that is to be known.
#[must_use]
pub fn text(init: &InitV1<'_>, dress: Dress) -> String {
    let mut out = String::new();
    for file in &init.files {
        let state = match file.state {
            "new" => "new",
            "same" => "stands so already",
            "kept" => "stands already and is kept; --force overwrites it",
            _ => "stands already and is overwritten, as --force says",
        };
        let name = dress.paint(Style::new().bold(), &one_line(file.path, 200));
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{name} ({state})");
        if matches!(file.state, "new" | "replaced") {
            let dim = dress.paint(Style::new().dimmed(), "│");
            for line in clean(file.text).lines() {
                let _ = writeln!(out, "{}", format!("{dim} {line}").trim_end());
            }
        }
        out.push('\n');
    }
    for left in &init.left {
        let (what, why) = (one_line(left.what, 200), one_line(left.why, 400));
        let _ = writeln!(out, "not carried over: {} (`{what}`): {why}", one_line(left.name, 80));
    }
    for note in init.notes {
        let _ = writeln!(out, "note: {}", one_line(note, 600));
    }
    out
}

/// The JSON Schema of `gatepost init --json`.
#[must_use]
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(InitV1<'static>)
}

/// The JSON, with a line end.
///
/// # Errors
/// Never in practice: every key is a string.
pub fn json(init: &InitV1<'_>) -> Result<String, serde_json::Error> {
    serde_json::to_string(init).map(|text| text + "\n")
}
