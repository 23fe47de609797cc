//! Programs that run several others: which of them stop at the first that fails, and by which flag they run all. What is
//! behind the failure is then not known, whatever was printed.

use std::path::Path;

use crate::integrity::halts::{Ran, halts_at};
use crate::world::files;

/// Settings larger than this many bytes are not looked into.
const LARGEST: u64 = 1 << 20;

/// A program that runs several others.
struct Runner {
    programs: &'static [&'static str],
    /// One of these words must be among its arguments; none: it runs others in any case.
    verbs: &'static [&'static str],
    /// It does nothing of the kind with one of these.
    never_with: &'static [&'static str],
    /// Flags by which it runs all; a last one is named to whoever has none.
    goes_on: &'static [&'static str],
    /// How a line begins, or has further parts behind `…`, by which it says that something failed.
    says: &'static [&'static str],
    /// Whether it is known to have one thing to run.
    is_single: fn(&[&str], &Path) -> bool,
}

const fn runner(programs: &'static [&'static str]) -> Runner {
    Runner { programs, verbs: &[], never_with: &[], goes_on: &[], says: &[], is_single: |_, _| false }
}

impl Runner {
    const fn verbs(self, verbs: &'static [&'static str]) -> Self {
        Self { verbs, ..self }
    }

    const fn never_with(self, never_with: &'static [&'static str]) -> Self {
        Self { never_with, ..self }
    }

    const fn goes_on(self, goes_on: &'static [&'static str]) -> Self {
        Self { goes_on, ..self }
    }

    const fn says(self, says: &'static [&'static str]) -> Self {
        Self { says, ..self }
    }

    const fn single(self, is_single: fn(&[&str], &Path) -> bool) -> Self {
        Self { is_single, ..self }
    }

    fn is(&self, run: &Ran) -> bool {
        let words = arguments(run);
        run.words.first().is_some_and(|program| self.programs.contains(&program.as_str()))
            && (self.verbs.is_empty() || words.iter().any(|word| self.verbs.contains(word)))
            && !words.iter().any(|word| self.never_with.contains(word))
    }

    fn stops(&self, run: &Ran, root: &Path) -> bool {
        let words = arguments(run);
        let has = |flag: &&str| {
            words.iter().any(|word| word == flag || word.strip_prefix(*flag).is_some_and(|rest| rest.starts_with('=')))
        };
        !self.goes_on.iter().any(has) && !(self.is_single)(&words, &root.join(&run.dir))
    }

    fn why(&self, program: &str) -> String {
        let mend = match self.goes_on.last() {
            Some(flag) => format!("`{flag}` runs all"),
            None => "have the gate run the tool itself".to_owned(),
        };
        format!("{program} stops at what fails, and what is behind that is not run: {mend}")
    }
}

fn arguments(run: &Ran) -> Vec<&str> {
    run.words.iter().skip(1).map(String::as_str).collect()
}

const HELP: &[&str] = &["--version", "--help", "-h", "-l", "--list", "install"];

const RUNNERS: &[Runner] = &[
    // JavaScript
    runner(&["turbo"]).never_with(HELP).goes_on(&["--continue"]).says(&[" ERROR  run failed: "]),
    runner(&["lerna"]).verbs(&["run", "exec"]).goes_on(&["--no-bail"]).says(&["lerna ERR! … exited "]),
    // Of one pattern it runs no more of the commands, whatever flag it has.
    runner(&["lint-staged"]).never_with(HELP).says(&["[FAILED] "]),
    runner(&["lage"]).goes_on(&["--continue"]),
    runner(&["yarn"]).verbs(&["workspaces"]).never_with(&["list", "info", "focus"]),
    runner(&["pnpm"])
        .verbs(&["-r", "--recursive", "recursive"])
        .never_with(&["install", "i", "list"])
        .goes_on(&["--no-bail"]),
    runner(&["rush", "wireit", "moon"]).never_with(HELP),
    runner(&["grunt"]).never_with(HELP).goes_on(&["--force"]),
    runner(&["gulp"]).never_with(HELP).goes_on(&["--continue"]),
    runner(&["deno"]).verbs(&["task"]),
    // The JVM
    // https://maven.apache.org/ref/3.9.9/maven-embedder/cli.html
    runner(&["mvn", "mvnw"])
        .goes_on(&["-fn", "--fail-never", "-fae", "--fail-at-end"])
        .says(&["[ERROR] After correcting the problems, you can resume the build"])
        .single(one_goal),
    runner(&["gradle", "gradlew"]).goes_on(&["--continue"]).says(&["Execution failed for task "]),
    runner(&["ant"]).goes_on(&["-k", "-keep-going"]),
    runner(&["sbt", "lein", "mill"]),
    // Builds
    runner(&["bazel", "bazelisk"])
        .goes_on(&["-k", "--keep_going"])
        .says(&["ERROR: Build did NOT complete successfully"]),
    runner(&["buck2"]).goes_on(&["--keep-going"]),
    runner(&["scons"]).goes_on(&["-k", "--keep-going"]),
    runner(&["cargo"]).verbs(&["make", "xtask"]),
    // Tasks
    runner(&["rake"]).never_with(HELP).says(&["rake aborted!"]),
    runner(&["task", "go-task"]).says(&["task: Failed to run task "]),
    runner(&["poe"]).says(&["Sequence aborted after failed subtask"]),
    runner(&["invoke", "inv", "mage", "bb", "earthly", "phing"]).never_with(HELP),
    runner(&["doit"]).goes_on(&["-c", "--continue"]),
    runner(&["mise"]).verbs(&["run", "r"]).goes_on(&["-c", "--continue-on-error"]),
    runner(&["composer"])
        .never_with(&["install", "update", "validate", "audit", "require", "dump-autoload", "show", "outdated"])
        .says(&["Script … handling the … event returned with error code "])
        .single(one_script),
    runner(&["mix"])
        .never_with(&["compile", "credo", "dialyzer", "format", "sobelow", "test", "deps.get", "local.hex", "xref"])
        .says(&["** (Mix) "]),
    runner(&["tox"]).never_with(&["--notest", "-l", "--listenvs"]),
    runner(&["nox"]).never_with(HELP).says(&["nox > Command … failed with exit code "]),
    // https://lefthook.dev/configuration/piped
    runner(&["lefthook"]).single(|_, dir| goes_on_with_hooks(dir)),
    // What it calls is read where it is called.
    runner(&["just"]).says(&["error: Recipe … failed on line "]).single(|_, _| true),
];

/// Why one of the programs that a command came down to may not have run all that it is for.
pub(super) fn stops(ran: &[Ran], root: &Path) -> Option<String> {
    ran.iter().find_map(|run| {
        let runner = RUNNERS.iter().find(|runner| runner.is(run) && runner.stops(run, root))?;
        Some(runner.why(&run.words[0]))
    })
}

/// The same by a line of the log, of one that something else started: of the others the flags tell.
pub(super) fn said(line: &str, ran: &[Ran]) -> Option<String> {
    let says = |words: &&str| {
        let mut rest = line;
        words.split('…').enumerate().all(|(number, part)| match rest.split_once(part) {
            Some((before, behind)) => {
                rest = behind;
                number > 0 || before.trim_start_matches(|c: char| !c.is_alphanumeric()).is_empty()
            }
            None => false,
        })
    };
    let runner = RUNNERS.iter().find(|runner| runner.says.iter().any(says))?;
    let is_known = ran.iter().any(|run| runner.is(run));
    (!is_known).then(|| runner.why(runner.programs[0]))
}

fn read(path: &Path) -> Option<String> {
    files::read_capped(path, LARGEST).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// `mvn checkstyle:check` where there is one module.
fn one_goal(words: &[&str], dir: &Path) -> bool {
    let goals: Vec<&&str> = words.iter().filter(|word| !word.starts_with('-')).collect();
    let is_one = matches!(goals.as_slice(), [goal] if goal.contains(':'));
    is_one && read(&dir.join("pom.xml")).is_some_and(|text| !text.contains("<module>"))
}

/// `composer lint` where the script is one command.
fn one_script(words: &[&str], dir: &Path) -> bool {
    let mut names = words.iter().filter(|word| !word.starts_with('-') && !matches!(**word, "run" | "run-script"));
    let text = read(&dir.join("composer.json")).unwrap_or_default();
    let Ok(settings) = serde_json::from_str::<serde_json::Value>(&text) else { return false };
    let script = names.next().map(|name| &settings["scripts"][*name]);
    let one = script.and_then(|script| match script.as_array() {
        Some(all) if all.len() == 1 => all[0].as_str(),
        Some(_) => None,
        None => script.as_str(),
    });
    one.is_some_and(|one| !one.starts_with('@') && halts_at(one) == Ok(None))
}

fn goes_on_with_hooks(dir: &Path) -> bool {
    let names = ["lefthook.yml", ".lefthook.yml", "lefthook.yaml", ".lefthook.yaml", "lefthook.toml", "lefthook.json"];
    let local = ["lefthook-local.yml", ".lefthook-local.yml", "lefthook-local.yaml"];
    let texts: Vec<String> = names.iter().chain(&local).filter_map(|name| read(&dir.join(name))).collect();
    !texts.is_empty()
        && !texts.iter().any(|text| ["piped", "extends", "remotes"].iter().any(|word| text.contains(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runners_stop_where_no_flag_says_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let of = |line: &str| stops(&[Ran::of_line(line)], folder.path()).is_some();
        for line in [
            "turbo run lint",
            "lerna run lint",
            "yarn workspaces run lint",
            "mvn -q checkstyle:check",
            "gradlew lint",
            "rake lint",
            "gulp",
            "mix lint",
            "tox -q",
            "bazel build //...",
            "composer lint",
        ] {
            assert!(of(line), "{line}");
        }
        for line in [
            "turbo run lint --continue",
            "turbo run lint --continue=always",
            "lerna bootstrap",
            "mvn -fae verify",
            "gradle --continue lint",
            "bazel build -k //...",
            "mix credo",
            "just one",
            "composer install",
            "cargo clippy",
        ] {
            assert!(!of(line), "{line}");
        }
        files::write(&folder.path().join("pom.xml"), b"<project></project>").unwrap();
        assert!(of("lefthook run pre-commit"), "it may have its hooks from anywhere");
        let lefthook = |text: &str| files::write(&folder.path().join("lefthook.yml"), text.as_bytes()).unwrap();
        lefthook("pre-commit:\n  commands: {}\n");
        assert!(!of("lefthook run pre-commit"));
        lefthook("pre-commit:\n  piped: true\n");
        let scripts =
            br#"{"scripts": {"one": "flake8 a", "two": ["flake8 a", "mypy a"], "all": "flake8 a && mypy a"}}"#;
        files::write(&folder.path().join("composer.json"), scripts).unwrap();
        assert!(!of("mvn -q checkstyle:check") && of("mvn verify") && of("mvn a:check b:check"));
        assert!(of("lefthook run pre-commit"));
        assert!(!of("composer run one") && of("composer two") && of("composer all") && of("composer gone"));
    }

    #[test]
    fn what_a_runner_says_counts_where_its_flags_are_not_known() {
        for line in [
            "[ERROR] After correcting the problems, you can resume the build with the command",
            "Execution failed for task ':a:lint'.",
            "rake aborted!",
            "Script flake8 a handling the lint event returned with error code 1",
            "ERROR: Build did NOT complete successfully",
            "nox > Command flake8 a failed with exit code 1",
        ] {
            assert!(said(line, &[]).is_some(), "{line}");
        }
        assert_eq!(said("Execution failed for task ':a:lint'.", &[Ran::of_line("gradlew lint --continue")]), None);
        assert_eq!(said("a.py:1: Execution failed for task x", &[]), None);
    }
}
