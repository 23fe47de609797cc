//! What of gatepost's own environment a gate gets. Gates run code of the change: they must not get what can act
//! for its author or on the job. Pure: the variables come in and go out as data.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};

use crate::model::environ::Environ;

/// Tokens that act on GitHub.
const TOKENS: &[&str] = &["GITHUB_TOKEN", "GH_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "GH_ENTERPRISE_TOKEN"];

/// The runner's command files: a line written there sets variables, outputs and the `PATH` of later steps.
/// <https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands>
const COMMAND_FILES: &[&str] = &["GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY", "GITHUB_STATE"];

/// Prefixes of the runner's own tokens and services, and of the action's inputs (one of them is a token).
const PREFIXES: &[&str] = &["ACTIONS_", "INPUT_"];

/// What git sets for its hooks. They name one repository (by a path relative to the hook's folder), so that a
/// gate started from a hook would work on that one wherever it calls git: the tests of many projects do.
const HOOK: &[&str] = &[
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_QUARANTINE_PATH",
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
];

/// The variables that gatepost itself sets for a gate. An outer gatepost's are never passed on.
const OWN: [&str; 4] = ["GATEPOST_OUTPUT", "GATEPOST_BASE", "GATEPOST_HEAD", "GATEPOST_CHANGED_FILES"];

/// What every gate of a run is told.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// `GATEPOST_BASE`: the commit compared with.
    pub base: Option<String>,
    /// `GATEPOST_HEAD`: the commit that is judged.
    pub head: Option<String>,
    /// `GATEPOST_CHANGED_FILES`: a file with one changed path a line; unset where everything is judged.
    pub changed_files: Option<OsString>,
}

/// The environment of the gates of a run.
#[derive(Debug, Clone)]
pub struct Environment {
    /// What all of them have, by name.
    variables: Environ,
    /// The names that were set and are kept from it, sorted: a gate that fails names them.
    pub withheld: Vec<String>,
}

/// Which variables of gatepost's environment gates get.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    secrets: BTreeSet<String>,
    passed: BTreeSet<String>,
}

impl Filter {
    /// `secrets` are the names that the configuration refers to as `env:NAME`; `pass_env` gives names back.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>, pass_env: impl IntoIterator<Item = &'a str>) -> Self {
        let upper = |name: &str| name.to_ascii_uppercase();
        Self { secrets: secrets.into_iter().map(upper).collect(), passed: pass_env.into_iter().map(upper).collect() }
    }

    /// The environment of the gates of a run.
    #[must_use]
    pub fn apply<'a>(&self, inherited: impl IntoIterator<Item = (&'a OsStr, &'a OsStr)>, told: &Told) -> Environment {
        let mut variables = BTreeMap::new();
        let mut withheld = Vec::new();
        for (name, value) in inherited {
            // Names that are not text are none of ours. Upper case, because Windows does not tell the cases apart.
            let upper = name.to_string_lossy().to_ascii_uppercase();
            if OWN.contains(&upper.as_str()) {
                continue;
            }
            if self.withholds(&upper) {
                withheld.push(name.to_string_lossy().into_owned());
            } else {
                variables.insert(name.to_owned(), value.to_owned());
            }
        }
        let values = [
            told.base.as_ref().map(OsString::from),
            told.head.as_ref().map(OsString::from),
            told.changed_files.clone(),
        ];
        for (name, value) in OWN[1..].iter().zip(values) {
            if let Some(value) = value {
                variables.insert(OsString::from(name), value);
            }
        }
        withheld.sort();
        Environment { variables: Environ::new(variables.into_iter().collect()), withheld }
    }

    fn withholds(&self, name: &str) -> bool {
        let kept_back = TOKENS.contains(&name)
            || COMMAND_FILES.contains(&name)
            || HOOK.contains(&name)
            || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            || self.secrets.contains(name);
        kept_back && !self.passed.contains(name)
    }
}

impl Environment {
    /// All variables of the gate whose own folder, absolute, is `output`.
    #[must_use]
    pub fn of_gate(&self, output: &OsStr) -> Environ {
        self.variables.with(OWN[0], output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(filter: &Filter, inherited: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
        let told =
            Told { base: Some("b".to_owned()), head: None, changed_files: Some("/out/changed-files.txt".into()) };
        let pairs = inherited.iter().map(|(name, value)| (OsStr::new(*name), OsStr::new(*value)));
        let environment = filter.apply(pairs, &told);
        let shown = environment.of_gate(OsStr::new("/out/gates/lint"));
        let shown = shown.iter().map(|(name, value)| format!("{}={}", name.display(), value.display()));
        (shown.collect(), environment.withheld)
    }

    #[test]
    fn gates_inherit_everything_but_what_can_act_for_the_author() {
        let inherited = [
            ("PATH", "/bin"),
            ("GITHUB_SHA", "abc"),
            ("GITHUB_TOKEN", "t"),
            ("GH_TOKEN", "t"),
            ("GITHUB_OUTPUT", "/f"),
            ("ACTIONS_RUNTIME_TOKEN", "t"),
            ("INPUT_GITHUB-TOKEN", "t"),
            ("SLACK_WEBHOOK", "https://x"),
            ("GIT_DIR", ".git"),
            ("GIT_SSH_COMMAND", "ssh"),
            ("GATEPOST_HEAD", "of an outer run"),
        ];
        let (variables, withheld) = applied(&Filter::new(["SLACK_WEBHOOK"], []), &inherited);
        assert_eq!(
            variables,
            [
                "GATEPOST_BASE=b",
                "GATEPOST_CHANGED_FILES=/out/changed-files.txt",
                "GITHUB_SHA=abc",
                "GIT_SSH_COMMAND=ssh",
                "PATH=/bin",
                "GATEPOST_OUTPUT=/out/gates/lint",
            ]
        );
        assert_eq!(
            withheld,
            [
                "ACTIONS_RUNTIME_TOKEN",
                "GH_TOKEN",
                "GITHUB_OUTPUT",
                "GITHUB_TOKEN",
                "GIT_DIR",
                "INPUT_GITHUB-TOKEN",
                "SLACK_WEBHOOK"
            ]
        );
    }

    #[test]
    fn pass_env_gives_back_and_nothing_else() {
        let filter = Filter::new(["NPM_TOKEN", "SLACK_WEBHOOK"], ["NPM_TOKEN", "GATEPOST_HEAD"]);
        let inherited = [("NPM_TOKEN", "n"), ("SLACK_WEBHOOK", "s"), ("GATEPOST_HEAD", "forged")];
        let (variables, withheld) = applied(&filter, &inherited);
        assert!(variables.contains(&"NPM_TOKEN=n".to_owned()));
        assert!(!variables.iter().any(|variable| variable.contains("forged")));
        assert_eq!(withheld, ["SLACK_WEBHOOK"]);
    }
}
