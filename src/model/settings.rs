//! The configuration after it was read and found valid: what the rest of the program works with.

use std::time::Duration;

use crate::model::finding::Level;
use crate::model::gate::{Flaky, GateName, Mode, Only, Rules};

/// How a command is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandLine {
    /// A string: run by `bash -e -o pipefail -c`.
    Shell(String),
    /// An array: executed directly; never empty.
    Argv(Vec<String>),
}

impl CommandLine {
    /// What is really executed.
    #[must_use]
    pub fn argv(&self) -> Vec<String> {
        match self {
            Self::Shell(text) => ["bash", "-e", "-o", "pipefail", "-c", text].map(str::to_owned).to_vec(),
            Self::Argv(words) => words.clone(),
        }
    }
}

/// How a report in the gate's own output folder is named in `reports`.
pub const OUTPUT: &str = "$GATEPOST_OUTPUT/";

/// What every kind of gate has. The kind's own settings are in the kind's own file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Common {
    /// Its name.
    pub name: GateName,
    /// The kind's name, one of the rows of `gate::ALL`.
    pub kind: String,
    /// What is run; `None` for a gate that only judges `reports` made earlier in the job.
    pub command: Option<CommandLine>,
    /// A format's name, `auto` (recognised by content), or `matcher:FILE` (relative to the root); `None`: there are no
    /// `reports`, and the exit status of the command decides alone.
    pub format: Option<String>,
    /// Globs of report files, relative to `dir`; one that starts with [`OUTPUT`] is relative to the gate's output folder.
    pub reports: Vec<String>,
    /// Where the command runs and what paths are relative to; `""` is the root.
    pub dir: String,
    /// Globs relative to the root; empty: every path. Nothing of the change matched: skipped.
    pub paths: Vec<String>,
    /// Events, as `Occasion::fits` reads them; empty: always.
    pub when: Vec<String>,
    /// Gates that must pass first; one with `mode = "report"` must only have ended.
    pub needs: Vec<GateName>,
    /// Which findings count; `None`: DESIGN's default for the kind and the occasion.
    pub only: Option<Only>,
    /// How many blocking findings are tolerated.
    pub max_findings: usize,
    /// Whether it may block.
    pub mode: Mode,
    /// Longest run time of one attempt.
    pub timeout: Duration,
    /// From TERM to KILL.
    pub grace: Duration,
    /// Further attempts after one that did not pass.
    pub retries: u32,
    /// What a pass that needed a retry is worth.
    pub flaky: Flaky,
    /// Said beside the outcome: for detected gates, how they are judged ("judged by its exit status alone: …").
    pub label: Option<String>,
}

impl Common {
    /// How evidence is judged by these settings and the least level that blocks.
    #[must_use]
    pub fn rules(&self, fail_on: Level) -> Rules {
        Rules {
            only: self.only.unwrap_or(Only::All),
            fail_on,
            max_findings: self.max_findings,
            min_tests: None,
            flaky: self.flaky,
            mode: self.mode,
        }
    }

    /// Of a built-in gate that is run by itself, without a configuration.
    #[must_use]
    pub fn built_in(name: GateName, kind: &str) -> Self {
        Self {
            name,
            kind: kind.to_owned(),
            command: None,
            format: None,
            reports: Vec::new(),
            dir: String::new(),
            paths: Vec::new(),
            when: Vec::new(),
            needs: Vec::new(),
            only: None,
            max_findings: 0,
            mode: Mode::Block,
            timeout: Duration::MAX,
            grace: Duration::ZERO,
            retries: 0,
            flaky: Flaky::Warn,
            label: None,
        }
    }
}

/// `[run]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunSettings {
    /// Gates at a time; `None`: one per core that this process may use.
    pub jobs: Option<usize>,
    /// What is compared with; `None`: the pull request's base, or the remote's default branch.
    pub base: Option<String>,
    /// Variables given back to gates although they are withheld by default.
    pub pass_env: Vec<String>,
}

/// Which check runs are made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Checks {
    /// None.
    Off,
    /// One for the whole run, named `gatepost`.
    Summary,
    /// One per gate, named `gatepost/<gate>`, created when the gate ends.
    #[default]
    Gates,
}

/// When the pull request gets a comment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CommentWhen {
    /// Never.
    Off,
    /// When the verdict is not green, or would not be if every gate were enforced; an earlier one is updated on recovery.
    #[default]
    WhenNotGreen,
    /// Always.
    Always,
}

/// `[publish]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishSettings {
    /// Which check runs are made.
    pub checks: Checks,
    /// When the pull request gets a comment.
    pub comment: CommentWhen,
    /// Whether workflow commands annotate the run.
    pub annotations: bool,
    /// Whether fixes on changed lines are offered as review suggestions.
    pub suggestions: bool,
    /// The most annotations over all check runs of one gate.
    pub max_annotations: usize,
}

impl Default for PublishSettings {
    fn default() -> Self {
        Self {
            checks: Checks::Gates,
            comment: CommentWhen::WhenNotGreen,
            annotations: true,
            suggestions: false,
            max_annotations: 1000,
        }
    }
}
