//! GI204, GI205 and GI206: flags by which a gate sees less, forgives all, or accepts what it finds.

use super::{Rule, hollow, replace, with_help};
use crate::integrity::command::Invocation;
use crate::integrity::flow::{Fate, Run};
use crate::integrity::ground::Ground;
use crate::integrity::script::{Place, Script};
use crate::model::finding::{Fix, Level};

/// Flags of some programs.
struct Flag {
    /// The programs, launchers taken off.
    programs: &'static [&'static str],
    /// One that ends in `=` is followed by its value.
    word: &'static str,
    /// What it does, as the end of a sentence.
    does: &'static str,
}

const fn flag(programs: &'static [&'static str], word: &'static str, does: &'static str) -> Flag {
    Flag { programs, word, does }
}

pub(super) static GI204: Rule = Rule {
    id: "GI204",
    title: "tests left out by a flag: `--deselect`, `-k 'not …'`, `--skip`, `.only` runs",
    level: Level::Warning,
    why: "What is left out fails unseen, and a flag in a workflow is out of sight of those who write the tests.",
    safe: "Mark the test in its own file, with a reason (`#[ignore = \"…\"]`, `@pytest.mark.skip(reason=\"…\")`), where it is counted as skipped.",
    false_positives: "Left alone: selections without `not` (shards, suites), values that come from a variable or the matrix, and a run of the same program \
                      elsewhere in the workflows that leaves nothing out. Leaving out slow tests is reported where nothing runs them.",
    check: |ground, hits| {
        for (script, run) in ground.runs() {
            let Some((index, does)) = left_out(&run.invocation) else { continue };
            let whole = |other: &Invocation| {
                other.program == run.invocation.program && left_out(other).is_none() && !lists(other)
            };
            if ground.runs().any(|(_, run)| whole(&run.invocation)) {
                continue;
            }
            let what =
                format!("`{}` leaves tests out: `{}` {does}", run.invocation.program, shown(&run.invocation, index));
            hits.in_script(
                script,
                &run.span,
                true,
                with_help(&what, "mark them in their own files, with a reason"),
                None,
            );
        }
    },
};

/// The argument that leaves tests out, and how.
fn left_out(invocation: &Invocation) -> Option<(usize, &'static str)> {
    let arguments = invocation.arguments();
    let position = |flags: &[&str]| {
        arguments.iter().position(|word| {
            flags.contains(word)
                || flags.iter().any(|flag| word.strip_prefix(flag).is_some_and(|rest| rest.starts_with('=')))
        })
    };
    let literal = |index: usize| {
        let next = arguments.get(index).and_then(|word| word.split_once('=')).map(|(_, value)| value);
        next.or_else(|| arguments.get(index + 1).copied())
            .filter(|value| !value.contains(crate::integrity::shell::OPAQUE))
    };
    match invocation.program.as_str() {
        "pytest" | "py.test" => {
            if let Some(index) = position(&["--deselect"]).filter(|index| literal(*index).is_some()) {
                return Some((index, "names some"));
            }
            let index = position(&["-k"])?;
            literal(index)
                .filter(|value| value.starts_with("not ") || value.contains(" not "))
                .map(|_| (index, "excludes some by name"))
        }
        "cargo" | "cross" => {
            let test = arguments.first().is_some_and(|verb| matches!(*verb, "test" | "t" | "nextest"));
            let index = position(&["--skip"]).filter(|_| test)?;
            literal(index).map(|_| (index, "excludes some by name"))
        }
        "go" | "gotestsum" => position(&["-skip", "--skip"])
            .filter(|index| literal(*index).is_some())
            .map(|index| (index, "excludes some by name")),
        "ctest" => position(&["-E", "--exclude-regex"])
            .filter(|index| literal(*index).is_some())
            .map(|index| (index, "excludes some by name")),
        "jest" => position(&["--testPathIgnorePatterns"])
            .filter(|index| literal(*index).is_some())
            .map(|index| (index, "excludes some files")),
        "vitest" => position(&["--exclude"])
            .filter(|index| literal(*index).is_some())
            .map(|index| (index, "excludes some files")),
        "mocha" => position(&["--invert", "-i"]).map(|index| (index, "excludes what `--grep` matches")),
        _ => None,
    }
}

fn lists(invocation: &Invocation) -> bool {
    invocation.arguments.iter().any(|word| {
        matches!(word.as_str(), "--collect-only" | "--version" | "install" | "--help" | "build" | "fmt" | "clippy")
    }) || (matches!(invocation.program.as_str(), "cargo" | "go")
        && !invocation.arguments.iter().any(|word| matches!(word.as_str(), "test" | "t" | "nextest")))
}

fn shown(invocation: &Invocation, index: usize) -> String {
    let words =
        invocation.arguments.iter().skip(index).take(if invocation.arguments[index].contains('=') { 1 } else { 2 });
    crate::model::text::one_line(&words.cloned().collect::<Vec<_>>().join(" "), 60)
}

pub(super) static GI205: Rule = Rule {
    id: "GI205",
    title: "flags that forgive: `--passWithNoTests`, `--exit-zero`, `--no-run`, `--if-present`, …, scripts called as gates that run nothing, and hooks run on what is staged where nothing is",
    level: Level::Warning,
    why: "The gate runs and cannot fail: without tests, without the script, or whatever it found. `npm test` and `make test` whose script is \
          `true` or `echo …` are green for the same reason, and so are `pre-commit run` and `lint-staged` where nobody staged anything.",
    safe: "Remove the flag. Where a package has no tests yet, give it no script `test`. `pre-commit run --all-files`, or `--from-ref` and `--to-ref`.",
    false_positives: "Left alone: the same program run again in the job without the flag (`flake8 --exit-zero` after the strict one), \
                      `cargo test --no-run` while tests run elsewhere in the workflows, output that something judges later, `--if-present` for a script that is there, and scripts that run \
                      nothing where no workflow calls them or another one of that name runs something, and hooks behind `git add`.",
    check: |ground, hits| {
        for (script, run) in ground.runs() {
            if looks_at_the_staged(ground, script, run) {
                let what = format!(
                    "`{}` cannot fail here: it looks at what is staged, which is nothing",
                    run.invocation.program
                );
                hits.in_script(
                    script,
                    &run.span,
                    true,
                    with_help(&what, "name the files: `--all-files`, `--from-ref`"),
                    None,
                );
            }
            if let Some((index, does)) = forgiving(ground, script, run) {
                let word = run.invocation.arguments[index].clone();
                let what = format!("`{}` cannot fail as it should: `{word}` {does}", run.invocation.program);
                let fix = without(ground, script, run, &word);
                hits.in_script(script, &run.span, true, with_help(&what, "remove the flag"), fix);
            }
        }
        hollow::check(ground, hits);
    },
};

/// Whether hooks of a commit run in a workflow or a gate, where there is no commit to be, and nobody says on which files.
fn looks_at_the_staged(ground: &Ground, script: &Script, run: &Run) -> bool {
    const NAMED: &[&str] = &[
        "-a",
        "--all-files",
        "--files",
        "-s",
        "--source",
        "--from-ref",
        "-o",
        "--origin",
        "--to-ref",
        "--last-commit",
        "--directory",
        "--diff",
        "--help",
        "--version",
    ];
    let arguments = run.invocation.arguments();
    let first = arguments.iter().find(|word| !word.starts_with('-'));
    let hooks = match run.invocation.program.as_str() {
        "lint-staged" => true,
        "pre-commit" | "prek" => first == Some(&"run"),
        _ => false,
    };
    let here = ground.at(script).is_some() || matches!(script.place, Place::Gate { .. });
    let is_named = |word: &&str| {
        let flag = word.split('=').next().unwrap_or(word);
        NAMED.contains(&flag) || word.contains(crate::integrity::shell::OPAQUE)
    };
    let stages = |run: &Run| {
        run.invocation.program == "git"
            && run.invocation.arguments.iter().any(|word| matches!(word.as_str(), "add" | "reset" | "rm"))
    };
    let others = || {
        ground.at(script).is_some_and(|at| ground.scripts_of(&at).any(|(_, other)| other.flow.runs.iter().any(stages)))
    };
    hooks && here && !arguments.iter().any(is_named) && !script.flow.runs.iter().any(stages) && !others()
}

const NO_RUN: &str = "--no-run";
const PRINTED: &str = "runs nothing of it";

const FORGIVING: &[Flag] = &[
    flag(
        &["jest", "vitest", "react-scripts", "ng", "wdio", "npm", "pnpm", "yarn"],
        "--passWithNoTests",
        "passes without a test",
    ),
    flag(&["jest", "vitest"], "--pass-with-no-tests", "passes without a test"),
    flag(&["playwright"], "--pass-with-no-tests", "passes without a test"),
    flag(&["cargo"], "--no-tests=pass", "passes without a test"),
    flag(&["cargo"], "--no-tests=warn", "passes without a test"),
    flag(&["ctest"], "--no-tests=ignore", "passes without a test"),
    flag(&["pytest"], "--suppress-no-test-exit-code", "passes without a test"),
    flag(&["pytest"], "--suppress-tests-failed-exit-code", "passes with failed tests"),
    flag(&["ruff", "flake8", "pylint", "bandit", "pydocstyle", "vulture"], "--exit-zero", "is green whatever it finds"),
    flag(&["ruff"], "-e", "is green whatever it finds"),
    flag(&["golangci-lint"], "--issues-exit-code=0", "is green whatever it finds"),
    flag(&["trivy", "gitleaks"], "--exit-code=0", "is green whatever it finds"),
    flag(&["staticcheck"], "-fail=none", "is green whatever it finds"),
    flag(&["mix"], "--mute-exit-status", "is green whatever it finds"),
    flag(&["gosec"], "-no-fail", "is green whatever it finds"),
    flag(&["tfsec", "checkov"], "--soft-fail", "is green whatever it finds"),
    flag(&["hadolint"], "--no-fail", "is green whatever it finds"),
    flag(&["sqlfluff"], "--nofail", "is green whatever it finds"),
    flag(&["swiftlint"], "--lenient", "makes every error a warning"),
    flag(&["mvn", "mvnw"], "-Dmaven.test.failure.ignore=true", "is green with failed tests"),
    flag(&["mvn", "mvnw"], "-Dmaven.test.failure.ignore", "is green with failed tests"),
    flag(&["mvn", "mvnw"], "-DtestFailureIgnore=true", "is green with failed tests"),
    flag(&["mvn", "mvnw"], "--fail-never", "is green whatever fails"),
    flag(&["mvn", "mvnw"], "-fn", "is green whatever fails"),
    flag(&["make", "gmake"], "-i", "is green whatever fails"),
    flag(&["make", "gmake"], "--ignore-errors", "is green whatever fails"),
    flag(&["make", "gmake"], "-n", PRINTED),
    flag(&["make", "gmake"], "--dry-run", PRINTED),
    flag(&["make", "gmake"], "--just-print", PRINTED),
    flag(&["make", "gmake"], "-t", PRINTED),
    flag(&["make", "gmake"], "--touch", PRINTED),
    flag(&["cargo", "cross"], NO_RUN, "builds the tests and runs none"),
    flag(&["lerna"], "--no-bail", "is green whatever fails"),
];

fn forgiving(ground: &Ground, script: &Script, run: &Run) -> Option<(usize, &'static str)> {
    let invocation = &run.invocation;
    if let Some(index) = absent_script(ground, script, run) {
        return Some((index, "does nothing: there is no such script"));
    }
    let (index, known) = forgiven(invocation)?;
    let strict = |other: &Invocation| is_strict(invocation, other);
    if known.word == NO_RUN && !of_tests(invocation) {
        return None;
    }
    // To print what would be done may be what was wanted.
    if known.does == PRINTED && (run.gate.is_none() || run.fate != Fate::Counts) {
        return None;
    }
    // Building the tests for one more target is no gate that was taken away while they run elsewhere.
    let elsewhere = known.word == NO_RUN
        && ground.runs().any(|(_, other)| of_tests(&other.invocation) && strict(&other.invocation));
    let judged = ground.output_is_judged(script, run) || ground.runs_in_earnest(script, run, strict);
    // What takes away the strict run is found there.
    let beside = |other: &Run| script.place == Place::File || matches!(other.fate, Fate::Lost(_));
    let beside = script.flow.runs.iter().any(|other| strict(&other.invocation) && beside(other));
    let read = ground.at(script).is_some_and(|at| at.job.reads_step(at.step));
    (!judged && !beside && !read && !elsewhere).then_some((index, known.does))
}

/// `cargo test`, `cross nextest run`
fn of_tests(invocation: &Invocation) -> bool {
    matches!(invocation.program.as_str(), "cargo" | "cross")
        && matches!(verb(invocation), Some("test" | "t" | "nextest"))
}

/// The flag by which a command is green whatever it finds.
pub(super) fn forgiving_flag(invocation: &Invocation) -> Option<&'static str> {
    forgiven(invocation).map(|(_, known)| known.word)
}

/// Whether another command is the same without such a flag.
pub(super) fn is_strict(invocation: &Invocation, other: &Invocation) -> bool {
    other.program == invocation.program && forgiven(other).is_none() && verb(other) == verb(invocation)
}

fn forgiven(invocation: &Invocation) -> Option<(usize, &'static Flag)> {
    let known = FORGIVING.iter().filter(|known| known.programs.contains(&invocation.program.as_str()));
    known.into_iter().find_map(|known| {
        let arguments = &invocation.arguments;
        let index = arguments.iter().position(|word| word == known.word).or_else(|| {
            // `--exit-code 0`
            let (flag, value) = known.word.split_once('=')?;
            arguments.windows(2).position(|pair| pair[0] == flag && pair[1] == value)
        })?;
        Some((index, known))
    })
}

fn verb(invocation: &Invocation) -> Option<&str> {
    let of_verbs = ["cargo", "cross", "ruff", "trivy", "gitleaks", "mix", "npm", "pnpm", "yarn", "make"]
        .contains(&invocation.program.as_str());
    invocation.arguments.iter().map(String::as_str).find(|word| !word.starts_with(['-', '+'])).filter(|_| of_verbs)
}

/// `npm test --if-present` where there is no script `test`.
fn absent_script(ground: &Ground, script: &Script, run: &Run) -> Option<usize> {
    use crate::integrity::call::Call;
    let index = run.invocation.arguments.iter().position(|word| word == "--if-present")?;
    let Some(Call::Package { names, dir: Some(_) }) = &run.invocation.call else { return None };
    let gate = names.iter().any(|name| crate::integrity::dictionary::is_gate_name(name));
    let known =
        script.dir.contains(crate::integrity::shell::OPAQUE) || run.dir.contains(crate::integrity::shell::OPAQUE);
    let has_package = ground.paths.iter().any(|path| {
        *path == crate::integrity::ground::join(&crate::integrity::ground::join(&script.dir, &run.dir), "package.json")
    });
    (gate && !known && has_package && run.calls.is_empty()).then_some(index)
}

/// The command without one word.
fn without(ground: &Ground, script: &Script, run: &Run, word: &str) -> Option<Fix> {
    let text: String = script.piece.chars[run.span.clone()].iter().collect();
    let at = text.find(&format!(" {word}"))?;
    let start = run.span.start + text[..at].chars().count();
    let end = start + 1 + word.chars().count();
    let ends =
        script.piece.chars.get(end).is_none_or(|next| next.is_whitespace() || matches!(next, ';' | '&' | '|' | ')'));
    ends.then(|| replace(ground, script.file, &script.piece.span(&(start..end)), "", &format!("remove `{word}`")))
}

pub(super) static GI206: Rule = Rule {
    id: "GI206",
    title: "snapshots accepted where they should be compared",
    level: Level::Error,
    why: "A run that writes what it sees as expected agrees with itself: the comparison that the test is for never takes place.",
    safe: "Compare in workflows (`jest --ci`, `cargo insta test --check`), accept on your own machine, and read the difference.",
    false_positives: "Left alone: scripts that are called for it (`test:update`), workflows that nobody's change wakes, and jobs that look at what was \
                      written: a commit, a pull request, `git diff --exit-code`.",
    check: |ground, hits| {
        for (script, run) in ground.runs() {
            let Some(what) = accepting(script, run) else { continue };
            let scheduled = ground.at(script).is_some_and(|at| !at.workflow.judges_changes());
            if scheduled || run.fate == Fate::Read || compares(ground, script) {
                continue;
            }
            let message =
                format!("`{}` agrees with itself here: {what} accepts every snapshot", run.invocation.program);
            hits.in_script(
                script,
                &run.span,
                true,
                with_help(&message, "compare here, and accept on your own machine"),
                None,
            );
        }
    },
};

const ACCEPTING: &[Flag] = &[
    flag(&["jest", "vitest", "ava", "tap", "react-scripts", "playwright"], "-u", ""),
    flag(&["jest", "vitest", "react-scripts"], "--updateSnapshot", ""),
    flag(&["vitest"], "--update", ""),
    flag(&["ava", "playwright"], "--update-snapshots", ""),
    flag(&["pytest"], "--snapshot-update", ""),
    flag(&["pytest"], "--inline-snapshot=fix", ""),
    flag(&["cargo"], "--accept", ""),
    flag(&["cargo"], "--force-update-snapshots", ""),
    flag(&["go"], "-update", ""),
];

/// Variables by which a run accepts, with the value where only that one does.
const VARIABLES: &[(&str, Option<&str>)] = &[
    ("INSTA_UPDATE", Some("always")),
    ("INSTA_FORCE_PASS", Some("1")),
    ("UPDATE_EXPECT", None),
    ("TRYBUILD", Some("overwrite")),
    ("UPDATE_SNAPSHOTS", None),
    ("UPDATE_GOLDEN", None),
    ("BLESS", Some("1")),
    ("SNAPSHOTS", Some("overwrite")),
];

fn accepting(script: &Script, run: &Run) -> Option<String> {
    const ASKED_FOR: &[&str] = &["update", "u", "accept", "bless", "snapshot", "snapshots", "write"];
    let names = match &script.place {
        Place::Package { name } | Place::Recipe { name, .. } => std::slice::from_ref(name),
        Place::Target { names, .. } => names,
        _ => &[],
    };
    if names.iter().flat_map(|name| name.split([':', '-', '_', '.'])).any(|part| ASKED_FOR.contains(&part)) {
        return None;
    }
    let invocation = &run.invocation;
    let by_flag = ACCEPTING.iter().find(|known| {
        known.programs.contains(&invocation.program.as_str())
            && invocation.arguments.iter().any(|word| word == known.word)
    });
    let tests =
        |invocation: &Invocation| crate::integrity::dictionary::is_gate(&invocation.program, &invocation.arguments());
    if let Some(known) = by_flag.filter(|_| tests(invocation)) {
        return Some(format!("`{}`", known.word));
    }
    let variable = run.assignments.iter().find(|assignment| {
        assignment.split_once('=').is_some_and(|(name, value)| {
            let value = value.trim_matches(['"', '\'']);
            VARIABLES.iter().any(|(known, wanted)| {
                *known == name && wanted.map_or(!matches!(value, "" | "0"), |wanted| wanted == value)
            })
        })
    });
    variable.filter(|_| tests(invocation)).map(|assignment| format!("`{assignment}`"))
}

/// Whether the job looks at what was written.
fn compares(ground: &Ground, script: &Script) -> bool {
    let looks = |run: &Run| {
        let arguments = run.invocation.arguments();
        run.invocation.program == "git"
            && arguments.iter().any(|word| matches!(*word, "diff" | "status" | "push" | "commit" | "diff-index"))
    };
    if script.flow.runs.iter().any(looks) {
        return true;
    }
    let Some(at) = ground.at(script) else { return false };
    let opens = at.job.steps.iter().filter_map(|step| step.uses()).any(|uses| {
        ["peter-evans/create-pull-request", "stefanzweifel/git-auto-commit-action", "EndBug/add-and-commit"]
            .iter()
            .any(|action| uses.starts_with(action))
    });
    opens || ground.scripts_of(&at).any(|(_, other)| other.flow.runs.iter().any(looks))
}
