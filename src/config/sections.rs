//! The sections of gatepost.toml as they are written: one struct each, from which the reader, the JSON Schema and the
//! README's table are made. The first line of a field's comment is shown to the user.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::rules::{Event, Folder, Pattern, Report, Revision, Variable};
use super::values::{Command, Text, Time, Whole};
use crate::model::gate::{Flaky, GateName, Mode, Only};
use crate::model::settings::{Checks, CommentWhen};

/// How the run as a whole is made.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Run {
    /// Gates at a time; 0: one per core that this process may use.
    pub jobs: Whole<0, 1024>,
    /// What is compared with; default: the pull request's base, on a laptop the remote's default branch.
    #[schemars(with = "Text<Revision>")]
    pub base: Option<Text<Revision>>,
    /// Variables that gates get although they are withheld by default.
    pub pass_env: Vec<Text<Variable>>,
}

/// What every gate may set, whatever its kind.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Gate {
    /// What the gate is; it decides how the evidence is judged.
    #[schemars(with = "String")]
    pub kind: Option<Spanned<String>>,
    /// What is run: a string by `bash -e -o pipefail -c`, an array directly; left out, only `reports` are judged.
    #[schemars(with = "Command")]
    pub command: Option<Command>,
    /// Format of the output or of `reports`, `auto` (by content), or `matcher:FILE`, a problem matcher relative to the folder of `gatepost.toml`; default: `auto`, and for kind `command` without `reports` none: the exit status decides.
    #[schemars(with = "String")]
    pub format: Option<Spanned<String>>,
    /// Patterns of report files relative to `dir`, or below `$GATEPOST_OUTPUT/`, the gate's own folder.
    pub reports: Vec<Text<Report>>,
    /// Where the command runs and what paths in its output are relative to, beside the folders that `make` and `ninja` say they enter; relative to the folder of `gatepost.toml`, which is the default.
    pub dir: Text<Folder>,
    /// Patterns of changed files, relative to the folder of `gatepost.toml`, that make the gate run; default: all.
    pub paths: Vec<Text<Pattern>>,
    /// Events on which it runs, perhaps with a branch (`push:release/*`); default: all.
    pub when: Vec<Text<Event>>,
    /// Which findings count, and with `new` which failed tests; default: for kind `lint` `new` with a baseline, else `changed-lines` (for kind `integrity` `changed-files`) on a pull request, in a merge queue or on a laptop branch; else `all`.
    #[schemars(with = "Only")]
    pub only: Option<Only>,
    /// How many findings that count are tolerated.
    pub max_findings: Whole<0, 1_000_000>,
    /// `report` runs and shows the gate, which then never blocks and is no evidence.
    pub mode: Mode,
    /// Gates that must pass first; one with `mode = "report"` must only have ended.
    #[schemars(with = "Vec<GateName>")]
    pub needs: Vec<Spanned<String>>,
    /// Longest time of one attempt, 1ms to 120h.
    pub timeout: Time<1, 432_000_000>,
    /// From TERM to KILL, 0s to 10m.
    pub grace: Time<0, 600_000>,
    /// Further attempts after one that did not pass; none after one that ran out of its time, as another would as long.
    pub retries: Whole<0, 10>,
    /// What a pass that needed a retry is worth.
    pub flaky: Flaky,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            kind: None,
            command: None,
            format: None,
            reports: Vec::new(),
            dir: Text::default(),
            paths: Vec::new(),
            when: Vec::new(),
            only: None,
            max_findings: Whole(0),
            mode: Mode::Block,
            needs: Vec::new(),
            timeout: Time(std::time::Duration::from_mins(30)),
            grace: Time(std::time::Duration::from_secs(5)),
            retries: Whole(0),
            flaky: Flaky::Warn,
        }
    }
}

/// What is posted, and where.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Publish {
    /// Which check runs are made.
    pub checks: Checks,
    /// When the pull request gets a comment.
    pub comment: CommentWhen,
    /// Whether workflow commands annotate the run.
    pub annotations: bool,
    /// Whether fixes that tools offer on changed lines become review suggestions on the pull request.
    pub suggestions: bool,
    /// The most annotations over all check runs of one gate.
    pub max_annotations: Whole<0, 100_000>,
}

impl Default for Publish {
    fn default() -> Self {
        let model = crate::model::settings::PublishSettings::default();
        Self {
            checks: model.checks,
            comment: model.comment,
            annotations: model.annotations,
            suggestions: model.suggestions,
            max_annotations: Whole(model.max_annotations as u64),
        }
    }
}
