//! The commands that are gates: what they do for a living is to fail. Everything else may fail or not
//! as it likes. It matches words; who called them and what became of their status is for others.

use super::shell::OPAQUE;

/// A command that is a gate.
#[derive(Debug)]
pub struct Tool {
    /// The program's name, without its folder.
    pub program: &'static str,
    /// Words that must follow, flags aside; none: the program alone is a gate.
    pub verb: &'static [&'static str],
    /// One of these arguments must be there.
    pub only_with: &'static [&'static str],
    /// None of these arguments may be there.
    pub never_with: &'static [&'static str],
}

const fn tool(program: &'static str, verb: &'static [&'static str]) -> Tool {
    Tool { program, verb, only_with: &[], never_with: &[] }
}

impl Tool {
    const fn with(self, only_with: &'static [&'static str]) -> Self {
        Self { only_with, ..self }
    }

    const fn without(self, never_with: &'static [&'static str]) -> Self {
        Self { never_with, ..self }
    }

    fn matches(&self, program: &str, arguments: &[&str]) -> bool {
        self.program == program
            && follows(self.verb, arguments)
            && (self.only_with.is_empty() || self.only_with.iter().any(|flag| has_flag(arguments, flag)))
            && !self.never_with.iter().any(|flag| has_flag(arguments, flag))
    }
}

/// Whether a flag is among the arguments, alone or with `=value`; a word without a dash must stand alone, and a call
/// (`Pkg.test()`) in one that is a program.
#[must_use]
pub fn has_flag(arguments: &[&str], flag: &str) -> bool {
    arguments.iter().any(|argument| {
        *argument == flag
            || (flag.ends_with("()") && argument.contains(flag))
            || (flag.starts_with('-') && argument.strip_prefix(flag).is_some_and(|rest| rest.starts_with('=')))
    })
}

/// Programs that take tasks in any order and behind flags with values.
const OF_TASKS: &[&str] = &["mvn", "mvnw", "ant", "bazel", "sbt", "rake", "ninja", "meson", "invoke", "phing"];

/// Whether the words of the verb come first among the arguments, flags and their values aside.
fn follows(verb: &[&str], arguments: &[&str]) -> bool {
    let Some((first, rest)) = verb.split_first() else { return true };
    // `|` stands between words of which any will do.
    let is = |word: &str, wanted: &str| wanted.split('|').any(|wanted| wanted == word);
    let mut behind_flag = false;
    for (at, argument) in arguments.iter().enumerate() {
        if is(argument, first) {
            return follows(rest, &arguments[at + 1..]);
        }
        let flag = argument.starts_with(['-', '+', OPAQUE]);
        if !flag && !behind_flag {
            return false;
        }
        behind_flag = flag && !argument.contains('=');
    }
    false
}

/// Programs whose tests, lints, checks or builds are gates.
pub static TOOLS: &[Tool] = &[
    // Rust
    tool("cargo", &["test|t"]).without(&["--no-run"]),
    tool("cargo", &["nextest", "run|r"]).without(&["--no-run"]),
    tool("cargo", &["clippy"]).without(&["--fix"]),
    tool("cargo", &["check|c|build|b|rustc|doc|rustdoc|docs-rs|miri|careful|tarpaulin|mutants|publish-check"]),
    tool("cargo", &["hack", "test|t|nextest|check|c|clippy|build|b|rustc|doc|rustdoc|miri|llvm-cov|minimal-versions"]),
    tool("cargo", &["xwin", "test|check|build|clippy"]).without(&["--no-run"]),
    tool("cargo", &["minimal-versions", "test|check|build|clippy"]).without(&["--no-run"]),
    tool("cargo", &["fuzz", "run|build|check"]),
    tool("cargo", &["package"]).without(&["--list", "-l"]),
    tool("cargo", &["publish"]).with(&["--dry-run", "-n"]),
    tool("cargo", &["fmt"]).with(&["--check"]),
    tool("cargo", &["deny", "check"]),
    tool("cargo", &["audit|vet|machete|udeps|shear|semver-checks|msrv|public-api|llvm-cov|geiger|outdated-check"]),
    tool("cargo", &["outdated"]).with(&["--exit-code"]),
    tool("cargo", &["insta", "test"]),
    tool("cargo-msrv", &["verify"]),
    tool("cargo", &["make"]).with(&["test", "lint", "ci", "check"]),
    tool("rustfmt", &[]).with(&["--check"]),
    tool("cross", &["test|check|build|clippy"]).without(&["--no-run"]),
    tool("wasm-pack", &["test"]),
    tool("trunk", &["check"]),
    tool("taplo", &["check|lint"]),
    tool("taplo", &["fmt|format"]).with(&["--check"]),
    tool("typos", &[]).without(&["-w", "--write-changes"]),
    // Go
    tool("go", &["test"]).without(&["-c"]),
    tool("go", &["vet|build"]),
    tool("gotestsum", &[]),
    tool("golangci-lint", &["run"]),
    tool("staticcheck", &[]),
    tool("revive", &[]),
    tool("govulncheck", &[]),
    tool("gosec", &[]),
    tool("ginkgo", &[]),
    tool("errcheck", &[]),
    // JavaScript
    tool("eslint", &[]),
    tool("jest", &[]).without(&["--watch", "--watchAll"]),
    tool("vitest", &[]).without(&["watch", "dev", "--watch", "bench"]),
    tool("mocha", &[]).without(&["--watch", "-w"]),
    tool("ava", &[]),
    tool("tap", &[]),
    tool("tape", &[]),
    tool("jasmine", &[]),
    tool("karma", &["start"]),
    tool("uvu", &[]),
    tool("c8", &[]).without(&["report"]),
    tool("nyc", &[]).without(&["report"]),
    tool("node", &[]).with(&["--test"]),
    tool("deno", &["test|lint|check"]),
    tool("deno", &["fmt"]).with(&["--check"]),
    tool("bun", &["test"]),
    tool("playwright", &["test"]),
    tool("cypress", &["run"]),
    tool("testcafe", &[]),
    tool("wdio", &[]),
    tool("tsc", &[]).without(&["--watch", "-w", "--init"]),
    tool("tsd", &[]),
    tool("vue-tsc", &[]),
    tool("svelte-check", &[]),
    tool("flow", &["check"]),
    tool("prettier", &[]).with(&["--check", "-c", "--list-different", "-l"]),
    tool("biome", &["check|ci|lint"]).without(&["--write", "--apply"]),
    tool("oxlint", &[]).without(&["--fix"]),
    tool("xo", &[]).without(&["--fix"]),
    tool("standard", &[]).without(&["--fix"]),
    tool("tslint", &[]),
    tool("stylelint", &[]).without(&["--fix"]),
    tool("htmlhint", &[]),
    tool("markdownlint", &[]).without(&["--fix", "-f"]),
    tool("markdownlint-cli2", &[]).without(&["--fix"]),
    tool("remark", &[]).with(&["--frail"]),
    tool("commitlint", &[]),
    tool("knip", &[]),
    tool("publint", &[]),
    tool("attw", &[]),
    tool("depcheck", &[]),
    tool("madge", &[]).with(&["--circular", "-c"]),
    tool("size-limit", &[]),
    tool("bundlesize", &[]),
    tool("npm", &["audit"]).without(&["fix"]),
    tool("pnpm", &["audit"]).without(&["--fix"]),
    tool("yarn", &["audit"]),
    tool("lhci", &["autorun|assert"]),
    tool("ng", &["test|lint|e2e"]),
    tool("react-scripts", &["test"]),
    tool("nx", &["test|lint|run-many|affected"]).without(&["graph"]),
    tool("turbo", &["test|lint|run", "test|lint|check|typecheck"]),
    tool("turbo", &["test|lint|check|typecheck"]),
    tool("lerna", &["run", "test|lint|check|typecheck"]),
    tool("hardhat", &["test"]),
    tool("newman", &["run"]),
    tool("k6", &["run"]),
    tool("webpack", &[]).without(&["serve", "--watch"]),
    tool("tsup", &[]).without(&["--watch"]),
    tool("vite", &["build"]),
    // Python
    tool("pytest", &[]).without(&["--collect-only", "--co"]),
    tool("py.test", &[]),
    tool("unittest", &[]),
    tool("nose2", &[]),
    tool("nosetests", &[]),
    tool("tox", &[]).without(&["--notest", "-l", "--listenvs"]),
    tool("nox", &[]).without(&["--list", "-l"]),
    tool("doctest", &[]),
    tool("coverage", &["run"]),
    tool("coverage", &["report"]).with(&["--fail-under"]),
    tool("ruff", &["check"]).without(&["--fix"]),
    tool("ruff", &["format"]).with(&["--check", "--diff"]),
    tool("black", &[]).with(&["--check", "--diff"]),
    tool("isort", &[]).with(&["--check", "--check-only", "-c"]),
    tool("yapf", &[]).with(&["--diff", "-d"]),
    tool("autopep8", &[]).with(&["--exit-code"]),
    tool("flake8", &[]),
    tool("pylint", &[]),
    tool("pycodestyle", &[]),
    tool("pydocstyle", &[]),
    tool("pyflakes", &[]),
    tool("doc8", &[]),
    tool("mypy", &[]),
    tool("mypy.stubtest", &[]),
    tool("stubtest", &[]),
    tool("pyright", &[]),
    tool("basedpyright", &[]),
    tool("pytype", &[]),
    tool("pyre", &["check"]),
    tool("ty", &["check"]),
    tool("bandit", &[]),
    tool("vulture", &[]),
    tool("safety", &["check|scan"]),
    tool("pip-audit", &[]),
    tool("pip", &["check"]),
    tool("interrogate", &[]),
    tool("codespell", &[]).without(&["-w", "--write-changes"]),
    tool("twine", &["check"]),
    tool("check-manifest", &[]),
    tool("manage.py", &["test|check"]),
    tool("setup.py", &["test|check"]),
    tool("django", &["test|check"]),
    tool("behave", &[]).without(&["-d", "--dry-run", "--steps-catalog"]),
    tool("robot", &[]).without(&["--dryrun"]),
    tool("hatch", &["test"]),
    tool("hatch", &["fmt"]).with(&["--check", "-l", "--linter"]),
    // The JVM
    tool("mvn", &["test|verify|integration-test"]),
    tool("mvnw", &["test|verify|integration-test"]),
    tool("gradle", &["test|check|build|lint"]),
    tool("gradlew", &["test|check|build|lint|connectedCheck"]),
    tool("sbt", &["test|scalafmtCheckAll|scalafmtCheck"]),
    tool("lein", &["test"]),
    tool("ktlint", &[]).without(&["-F", "--format"]),
    tool("detekt", &[]),
    tool("ant", &["test"]),
    // C, C++ and builds
    tool("scons", &["test|check"]),
    tool("ctest", &[]).without(&["-N", "--show-only"]),
    tool("cmake", &[]).with(&["--build"]),
    tool("ninja", &[]),
    tool("meson", &["test|compile"]),
    tool("bazel", &["test|build|coverage"]),
    tool("bazelisk", &["test|build|coverage"]),
    tool("clang-tidy", &[]),
    tool("run-clang-tidy", &[]),
    tool("clang-format", &[]).with(&["--dry-run", "-n", "--Werror"]),
    tool("cppcheck", &[]).with(&["--error-exitcode"]),
    tool("cpplint", &[]),
    tool("valgrind", &[]).with(&["--error-exitcode"]),
    tool("xcodebuild", &["test|build|test-without-building"]),
    tool("swift", &["test|build"]),
    tool("swiftlint", &[]),
    tool("swiftformat", &[]).with(&["--lint"]),
    tool("zig", &["test|build"]),
    // Ruby, PHP, .NET, Elixir and others
    tool("rspec", &[]),
    tool("rubocop", &[]).without(&["-a", "-A", "--autocorrect"]),
    tool("rake", &["test|spec|rubocop"]),
    tool("minitest", &[]),
    tool("brakeman", &[]),
    tool("bundle-audit", &[]),
    tool("bundler-audit", &[]),
    tool("srb", &["tc"]),
    tool("rails", &["test"]),
    tool("phpunit", &[]),
    tool("pest", &[]),
    tool("codecept", &["run"]),
    tool("phpstan", &["analyse|analyze"]),
    tool("psalm", &[]),
    tool("phpcs", &[]),
    tool("php-cs-fixer", &[]).with(&["--dry-run"]),
    tool("php", &["artisan", "test"]),
    tool("composer", &["validate|audit|test"]),
    tool("dotnet", &["test|build"]),
    tool("dotnet", &["format"]).with(&["--verify-no-changes"]),
    tool("mix", &["test|credo|dialyzer"]),
    tool("mix", &["format"]).with(&["--check-formatted"]),
    tool("dart", &["test|analyze"]),
    tool("flutter", &["test|analyze"]),
    tool("stack", &["test"]),
    tool("cabal", &["test"]),
    tool("hlint", &[]),
    tool("dune", &["runtest|test"]),
    tool("julia", &[]).with(&["Pkg.test()"]),
    tool("R", &["CMD", "check"]),
    tool("Rscript", &[]).with(&["devtools::test()", "testthat::test_local()", "tinytest::test_all()"]),
    tool("prove", &[]),
    tool("crystal", &["spec"]),
    tool("gleam", &["test"]),
    tool("rebar3", &["eunit|ct|dialyzer|xref"]),
    tool("busted", &[]),
    tool("luacheck", &[]),
    tool("stylua", &[]).with(&["--check"]),
    tool("forge", &["test"]),
    // Shell, text, infrastructure, security
    tool("shellcheck", &[]),
    tool("shfmt", &[]).with(&["-d"]),
    tool("bats", &[]),
    tool("hadolint", &[]),
    tool("yamllint", &[]),
    tool("actionlint", &[]),
    tool("zizmor", &[]),
    tool("vale", &[]).without(&["sync"]),
    tool("lychee", &[]),
    tool("git", &["diff"]).with(&["--exit-code"]),
    tool("pre-commit", &["run"]),
    tool("prek", &["run"]),
    tool("lefthook", &["run"]),
    tool("editorconfig-checker", &[]),
    tool("nix", &["flake", "check"]).without(&["--no-build"]),
    tool("terraform", &["validate"]),
    tool("terraform", &["fmt"]).with(&["-check", "--check"]),
    tool("tofu", &["validate"]),
    tool("tflint", &[]).without(&["--init"]),
    tool("tfsec", &[]),
    tool("checkov", &[]),
    tool("trivy", &["fs|image|config|repo|filesystem"]),
    tool("grype", &[]),
    tool("gitleaks", &["detect|protect|git|dir"]),
    tool("trufflehog", &[]).with(&["--fail"]),
    tool("semgrep", &["ci"]),
    tool("semgrep", &[]).with(&["--error"]),
    tool("snyk", &["test"]),
    tool("osv-scanner", &[]),
    tool("conftest", &["test"]),
    tool("kubeconform", &[]),
    tool("helm", &["lint|unittest"]),
    tool("ansible-lint", &[]),
    tool("molecule", &["test"]),
    tool("sqlfluff", &["lint"]),
    tool("buf", &["lint|breaking"]),
    tool("spectral", &["lint"]),
    tool("redocly", &["lint"]),
    tool("reuse", &["lint"]),
    tool("gatepost", &["run"]),
];

/// Whether a program with its arguments is a gate.
#[must_use]
pub fn is_gate(program: &str, arguments: &[&str]) -> bool {
    if arguments.iter().any(|word| matches!(*word, "--version" | "--help")) {
        return false;
    }
    if program == "mypy" && has_flag(arguments, "--install-types") {
        return names_sources(arguments);
    }
    if of_gradle(program) {
        return tasks(arguments).iter().any(|task| is_task(program, task) || is_gradle_check(task));
    }
    if OF_TASKS.contains(&program) && tasks(arguments).iter().any(|task| is_task(program, task)) {
        return true;
    }
    TOOLS.iter().any(|tool| tool.matches(program, arguments))
}

/// `mypy --install-types` alone installs what an earlier run missed; with something to look at it looks at it too.
fn names_sources(arguments: &[&str]) -> bool {
    const WITH_VALUE: &[&str] =
        &["--python-version", "--platform", "--config-file", "--cache-dir", "--python-executable", "--exclude"];
    let is_value = |at: usize| at > 0 && WITH_VALUE.contains(&arguments[at - 1]);
    let mut words = arguments.iter().enumerate().filter(|(at, _)| !is_value(*at));
    words.any(|(_, word)| !word.starts_with('-') || matches!(*word, "-m" | "-p" | "--module" | "--package"))
}

fn of_gradle(program: &str) -> bool {
    matches!(program, "gradle" | "gradlew")
}

/// The tasks among the arguments, without the projects they are of (`:app:test`) and those that are left out (`-x test`).
fn tasks<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    let left_out = |at: usize| at > 0 && matches!(arguments[at - 1], "-x" | "--exclude-task");
    let named = arguments.iter().enumerate().filter(|(at, word)| !word.starts_with('-') && !left_out(*at));
    named.map(|(_, word)| word.rsplit(':').next().unwrap_or(word)).collect()
}

fn is_task(program: &str, task: &str) -> bool {
    let verbs = TOOLS.iter().filter(|tool| tool.program == program).filter_map(|tool| tool.verb.first());
    verbs.flat_map(|verb| verb.split('|')).any(|verb| verb == task)
}

/// `ktlintCheck`, `connectedDebugAndroidTest`, `lintRelease`, `checkstyleMain`: plugins name their tasks so.
fn is_gradle_check(task: &str) -> bool {
    let ends = ["Check", "Test", "Tests", "Lint"].iter().any(|end| task.ends_with(end));
    let begins = ["lint", "detekt", "checkstyle", "pmd", "spotbugs"].iter().any(|begin| {
        task.strip_prefix(begin)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_uppercase()))
    });
    let builds = ["assemble", "compile", "build", "generate", "install", "package", "process", "clean", "bundle"];
    let fixes = ["Fix", "Report", "Baseline"].iter().any(|word| task.contains(word));
    (ends || begins) && !fixes && !builds.iter().any(|begin| task.starts_with(begin))
}

/// Whether a program is in the dictionary with some verb or other.
#[must_use]
pub fn is_program(program: &str) -> bool {
    TOOLS.iter().any(|tool| tool.program == program)
}

/// First parts of the names of package scripts, makefile targets and script files that are gates.
const GATE_NAMES: &[&str] = &[
    "test",
    "tests",
    "lint",
    "linters",
    "check",
    "checks",
    "typecheck",
    "types",
    "tsc",
    "verify",
    "validate",
    "ci",
    "unit",
    "integration",
    "e2e",
    "spec",
    "specs",
    "coverage",
    "audit",
    "eslint",
    "jest",
    "clippy",
    "runtests",
    "unittest",
    "unittests",
];
/// Parts of a name that say that it is something else.
const OTHER_NAMES: &[&str] = &[
    "fix",
    "watch",
    "update",
    "write",
    "debug",
    "dev",
    "serve",
    "server",
    "clean",
    "setup",
    "install",
    "deps",
    "init",
    "prepare",
    "build",
    "report",
    "open",
    "ui",
    "helper",
    "helpers",
    "data",
    "fixtures",
    "publish",
    "upload",
    "release",
    "deploy",
    "start",
    "stop",
    "up",
    "down",
    "generate",
    "gen",
    "download",
    "docker",
    "image",
    "list",
    "bench",
    "size",
    "space",
    "disk",
    "docs",
    "env",
    "teardown",
    "bootstrap",
    "configure",
    "version",
    "versions",
    "wait",
    "health",
    "ready",
    "status",
    "outdated",
    "cache",
];

/// Whether a script, target or file is called as gates are (`test`, `lint:css`, `run-tests`).
#[must_use]
pub fn is_gate_name(name: &str) -> bool {
    has_part(name, GATE_NAMES) && !is_other_name(name)
}

/// Whether its name says that it is for something else (`setup`, `lint:fix`).
#[must_use]
pub fn is_other_name(name: &str) -> bool {
    has_part(name, OTHER_NAMES)
}

fn has_part(name: &str, known: &[&str]) -> bool {
    name.to_lowercase().split(|c: char| !c.is_ascii_alphanumeric()).any(|part| known.contains(&part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(line: &str) -> bool {
        let words: Vec<&str> = line.split(' ').collect();
        is_gate(words[0], &words[1..])
    }

    #[test]
    fn gates_are_told_from_other_commands() {
        for line in [
            "cargo +nightly test",
            "cargo --locked test",
            "cargo -Z x test",
            "cargo fmt -- --check",
            "prettier --check .",
            "gradlew -q :app:test",
            "mvn -B clean verify",
            "go -C sub test ./...",
            "gradlew :app:ktlintCheck",
            "gradle build -x lint",
            "gradlew lintRelease",
            "nix flake check",
            "R CMD check .",
            "cargo -q test",
            "eslint .",
            "mypy --install-types --non-interactive src",
            "mypy --install-types --non-interactive -p app",
            "cargo outdated --exit-code 1",
            "cargo hack --feature-powerset --depth 2 check",
            "cargo publish --locked --dry-run",
            "cargo +nightly fuzz run target",
            "git -C sub diff --exit-code",
        ] {
            assert!(gate(line), "{line}");
        }
        for line in [
            "cargo fmt",
            "cargo install cargo-audit",
            "cargo run test",
            "prettier --write .",
            "npm install",
            "gradlew assemble",
            "go install x/test",
            "gradlew assemble -x test",
            "gradlew assembleAndroidTest",
            "gradlew lintFix",
            "cargo test --no-run",
            "black .",
            "mypy --install-types --non-interactive",
            "mypy --install-types --config-file mypy.ini",
            "cargo outdated",
            "cargo hack",
            "cargo hack --help",
            "cargo publish",
            "cargo package --list",
            "cargo fuzz list",
            "git diff --quiet",
        ] {
            assert!(!gate(line), "{line}");
        }
    }

    #[test]
    fn names_are_told_apart() {
        for name in ["test", "lint:css", "run-tests", "check", "ci", "test_all"] {
            assert!(is_gate_name(name), "{name}");
        }
        for name in ["build", "lint:fix", "test:watch", "latest", "check-disk-space", "install-test-deps", "contest"] {
            assert!(!is_gate_name(name), "{name}");
        }
    }
}
