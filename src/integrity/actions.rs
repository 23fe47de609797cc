//! The actions of others that are gates, and those that run commands which may be. It matches names, and reads nothing.

use super::dictionary::is_gate;
use super::shell::Shell;

/// Actions whose step is a gate, by the beginning of their name.
static ACTIONS: &[&str] = &[
    "golangci/golangci-lint-action",
    "actions-rs/clippy-check",
    "actions-rs/audit-check",
    "clechasseur/rs-clippy-check",
    "giraffate/clippy-action",
    "EmbarkStudios/cargo-deny-action",
    "rustsec/audit-check",
    "obi1kenobi/cargo-semver-checks-action",
    "actions-rust-lang/rustfmt",
    "crate-ci/typos",
    "codespell-project/actions-codespell",
    "github/super-linter",
    "super-linter/super-linter",
    "oxsecurity/megalinter",
    "pre-commit/action",
    "psf/black",
    "rickstaa/action-black",
    "astral-sh/ruff-action",
    "chartboost/ruff-action",
    "isort/isort-action",
    "jakebailey/pyright-action",
    "pypa/gh-action-pip-audit",
    "ludeeus/action-shellcheck",
    "reviewdog/action-",
    "hadolint/hadolint-action",
    "DavidAnson/markdownlint-cli2-action",
    "nosborn/github-action-markdown-cli",
    "ibiqlik/action-yamllint",
    "lycheeverse/lychee-action",
    "gaurav-nelson/github-action-markdown-link-check",
    "zizmorcore/zizmor-action",
    "raven-actions/actionlint",
    "DoozyX/clang-format-lint-action",
    "jidicula/clang-format-action",
    "cypress-io/github-action",
    "wagoid/commitlint-github-action",
    "actions/dependency-review-action",
    "github/codeql-action/analyze",
    "aquasecurity/trivy-action",
    "aquasecurity/tfsec-action",
    "anchore/scan-action",
    "bridgecrewio/checkov-action",
    "gitleaks/gitleaks-action",
    "trufflesecurity/trufflehog",
    "snyk/actions",
    "returntocorp/semgrep-action",
    "google/osv-scanner-action",
    "ansible/ansible-lint",
    "bufbuild/buf-lint-action",
    "bufbuild/buf-breaking-action",
    "fsfe/reuse-action",
    "andresz1/size-limit-action",
    "editorconfig-checker/action-editorconfig-checker",
    "julia-actions/julia-runtest",
    "gradle/gradle-build-action",
];

/// Actions that carry something elsewhere: their failure is no verdict, and they judge no report that they are given.
static CARRIERS: &[&str] = &[
    "codecov/",
    "coverallsapp/",
    "codacy/codacy-coverage-reporter-action",
    "paambaati/codeclimate-action",
    "qltysh/qlty-action/coverage",
    "actions/upload",
    "actions/download",
    "actions/cache",
    "peter-evans/",
    "softprops/",
    "slackapi/",
    "test-summary/",
];

/// Actions that run the program cargo with the words of their inputs `command` and `args`.
const OF_CARGO: &[&str] = &["actions-rs/cargo", "houseabsolute/actions-rust-cross", "clechasseur/rs-cargo"];

/// An action that runs a script which is given to it.
#[derive(Debug, PartialEq, Eq)]
pub struct Runner {
    /// The beginning of its name.
    action: &'static str,
    /// The input that the script is given in.
    pub input: &'static str,
    /// How it starts the shell.
    pub shell: Shell,
    /// Its input `shell` names another program, and on Windows it starts `PowerShell` without.
    pub chosen: bool,
}

/// How an action starts a shell is its own affair: where that is not known, what any shell forgives is found, and no more.
const fn runner(action: &'static str, input: &'static str) -> Runner {
    Runner { action, input, shell: Shell { errexit: true, pipefail: true }, chosen: false }
}

/// `spawn(command, { shell })` is `bash -c`: <https://github.com/nick-fields/retry/blob/v3/src/index.ts>.
const fn retry(action: &'static str) -> Runner {
    Runner { action, input: "command", shell: Shell { errexit: false, pipefail: false }, chosen: true }
}

static RUNNERS: &[Runner] = &[
    retry("nick-fields/retry"),
    retry("nick-invision/retry"),
    runner("wandalen/wretry.action", "command"),
    runner("coactions/setup-xvfb", "run"),
    runner("gabrielbb/xvfb-action", "run"),
    runner("reactivecircus/android-emulator-runner", "script"),
    runner("cross-platform-actions/action", "run"),
    runner("vmactions/", "run"),
    runner("uraimo/run-on-arch-action", "run"),
    runner("addnab/docker-run-action", "run"),
    runner("devcontainers/ci", "runCmd"),
];

/// The name of what `uses:` names, as GitHub compares it.
fn name(uses: &str) -> String {
    uses.split('@').next().unwrap_or(uses).to_lowercase()
}

/// Whether `uses:` names a gate; `words` are the inputs `command` and `args`, which make one of an action that runs cargo.
#[must_use]
pub fn is_gate_action(uses: &str, words: &[&str]) -> bool {
    let name = name(uses);
    if OF_CARGO.contains(&name.as_str()) {
        return is_gate("cargo", words);
    }
    if is_gatepost(&name) {
        // A first word without a dash is another command in place of `run`.
        return words.first().is_none_or(|word| word.starts_with('-') || *word == "run");
    }
    ACTIONS.iter().any(|action| {
        let action = action.to_lowercase();
        name.strip_prefix(&action).is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || action.ends_with('-'))
    })
}

/// Whether `uses:` names an action that only carries something elsewhere.
#[must_use]
pub fn carries(uses: &str) -> bool {
    let name = name(uses);
    CARRIERS.iter().any(|carrier| name.starts_with(carrier))
}

/// Gatepost's own action, in whatever account it lies.
fn is_gatepost(name: &str) -> bool {
    name.split('/').nth(1) == Some("gatepost") && !name.starts_with('.')
}

/// The action that `uses:` names, where it runs a script which is given to it.
#[must_use]
pub fn runner_of(uses: &str) -> Option<&'static Runner> {
    let name = name(uses);
    RUNNERS.iter().find(|runner| name.starts_with(runner.action))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_that_are_gates_are_told_from_others() {
        for uses in ["golangci/golangci-lint-action@v6", "reviewdog/action-eslint@v1", "any/gatepost@v1"] {
            assert!(is_gate_action(uses, &[]), "{uses}");
        }
        assert!(is_gate_action("any/gatepost@v1", &["--base", "main"]));
        assert!(!is_gate_action("any/gatepost@v1", &["publish"]));
        assert!(!is_gate_action("codecov/codecov-action@v4", &[]));
        assert_eq!(runner_of("Nick-Fields/retry@v3").map(|runner| runner.input), Some("command"));
        assert_eq!(runner_of("actions/checkout@v4"), None);
    }
}
