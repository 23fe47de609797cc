//! Where a script that failed may have stopped before all of its tools had run.

mod behind;
mod guards;
mod reach;
mod silent;
mod starts;
mod walk;

use super::call::Call;
use super::command::Invocation;
use super::flow::Run;
use super::ground::{Ground, join};
use super::reading;
use super::script::{Place, Script};
use super::shell;
use super::text::Wrong;
use super::{Listing, Tree};
use behind::{is_mute, looks_at_nothing};
pub use reach::{Looked, Ran};
use walk::{AT_END, Context};

/// Where a script may have stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Halt {
    /// Where this command fails, what stands behind it is not run.
    At(String),
    /// What this command calls may be several steps, and cannot be looked into.
    Within(String),
}

/// The first tool of a script that is not its last one, and whose failure ends it; what it calls is not known.
///
/// # Errors
/// When no shell would run the script.
pub fn halts_at(script: &str) -> Result<Option<Halt>, Wrong> {
    let ground = read(&Nowhere, script, "")?;
    Ok(Context::new(None, &ground).script(0, AT_END))
}

/// The same of a command that runs in a folder of a repository, and of the scripts, recipes and files that it calls. Of a call
/// of make only the last line of what it calls is looked at: at which line make stopped it says itself.
///
/// # Errors
/// When no shell would run the command.
pub fn halts_within(tree: &dyn Tree, command: &str, dir: &str) -> Result<Looked, Wrong> {
    let ground = read(tree, command, dir)?;
    let halt = Context::new(Some(tree), &ground).script(0, AT_END);
    Ok(reach::reached(&ground, halt))
}

/// A command, as the first of the scripts, with what it calls.
fn read(tree: &dyn Tree, command: &str, dir: &str) -> Result<Ground, Wrong> {
    let ground = reading::read_command(tree, command, dir);
    match ground.scripts.first() {
        Some(Script { place: Place::Gate { .. }, .. }) => Ok(ground),
        _ => Err(shell::read(command).err().unwrap_or(Wrong { at: None, what: "it is no script".to_owned() })),
    }
}

/// A folder in which there is nothing.
struct Nowhere;

impl Tree for Nowhere {
    fn list(&self) -> Listing {
        Listing::default()
    }

    fn read(&self, _path: &str) -> Result<Option<String>, String> {
        Ok(None)
    }
}

/// Whether a script does nothing but say something: where it is left out, nothing is lost.
#[must_use]
pub fn only_says(script: &str) -> bool {
    shell::read(script).is_ok_and(|command| is_mute(&command))
}

/// The goals that a command names which does nothing but call make once and what prepares or passes on, and the folder where
/// that runs.
#[must_use]
pub fn goals(command: &str) -> Option<(Vec<String>, String)> {
    let ground = read(&Nowhere, command, "").ok()?;
    let runs = &ground.scripts.first()?.flow.runs;
    let (made, others): (Vec<_>, Vec<_>) =
        runs.iter().partition(|run| matches!(run.invocation.call, Some(Call::Make { .. })));
    let [Run { invocation: Invocation { call: Some(Call::Make { targets, dir }), .. }, dir: here, branches, .. }] =
        made[..]
    else {
        return None;
    };
    let alone = branches.is_empty() && others.iter().all(|run| looks_at_nothing(&run.invocation));
    alone.then(|| (targets.clone(), join(here, dir)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::integrity::Listing;

    #[test]
    fn a_tool_that_is_not_the_last_may_be_the_end() {
        for (script, first) in [
            ("flake8 a.py\nmypy a.py", "flake8 a.py"),
            ("flake8 a.py && mypy a.py", "flake8 a.py"),
            ("tsc -p a && tsc -p b", "tsc -p a"),
            ("cd web; npm ci; npm run lint && npm run types", "npm run lint"),
            ("for d in a b; do (cd $d && flake8 .); done", "flake8 ."),
            ("flake8 . || exit 1; mypy .", "flake8 ."),
            ("flake8 . && mypy . || rc=1; exit $rc", "flake8 ."),
            ("if true; then make lint; fi; mypy .", "make lint"),
            ("if ! (flake8 . && mypy .); then rc=1; fi; exit $rc", "flake8 ."),
            ("run() { \"$@\" || exit 1; }; run flake8 .; run mypy .", "\"$@\""),
            ("run() { echo \"$1\"; shift; \"$@\" || exit 1; }; run a flake8 .; run b mypy .", "\"$@\""),
            ("set +e; for t in 'flake8 .' 'mypy .'; do $t || exit 1; done", "$t"),
            ("$FLAKE -q .; mypy .", "$FLAKE -q ."),
            ("set +e; set -e; flake8 .; mypy .", "flake8 ."),
            ("set +e; f() { set -e; }; f; flake8 .; mypy .", "flake8 ."),
            ("flake8 .; echo \"$(mypy .)\"", "flake8 ."),
        ] {
            assert_eq!(halts_at(script).unwrap(), Some(Halt::At(first.to_owned())), "{script}");
        }
        for script in [
            "flake8 a.py",
            "cd web && npx tsc --noEmit",
            "./configure && make lint",
            "npm ci\nnpx eslint .",
            "flake8 . || rc=1\nmypy . || rc=1\nexit $rc",
            "for d in a b; do (cd $d && flake8 .) || rc=1; done; exit $rc",
            "git ls-files '*.sh' | xargs shellcheck",
            "if ! flake8 .; then rc=1; fi; { flake8 .; mypy .; } || rc=1; exit $rc",
            "set -euo pipefail; export A=b; ruff check . | tee out",
            "run() { \"$@\" || exit 1; }; run pip install x; run flake8 .",
            "$PIP install x; $PYTHON -m venv y; $(Q)mkdir a; flake8 .",
            "set +e; flake8 .; a=$?; mypy .; b=$?; exit $((a|b))",
            "set -e; set +e; flake8 .; a=$?; mypy .; set -e; exit $a",
            "flake8 . && echo good; echo done",
            "flake8 .\nprintf '%s' done\nexit 0",
        ] {
            assert_eq!(halts_at(script).unwrap(), None, "{script}");
        }
    }

    #[test]
    fn what_gives_up_behind_a_tool_may_be_the_end() {
        for script in [
            "flake8 . || { echo no; exit 1; }; mypy .",
            "flake8 . || (echo no; exit 1); mypy .",
            "die() { echo \"$*\"; exit 1; }; flake8 . || die no; mypy .",
            "if ! flake8 .; then exit 1; fi; mypy .",
            "if flake8 .; then mypy .; else exit 1; fi",
            "if flake8 .; then :; else exit 1; fi; mypy .",
            "set +e; flake8 .; rc=$?; if [ $rc -ne 0 ]; then exit $rc; fi; mypy .",
            "set +e; flake8 .; [ $? -eq 0 ] || exit 1; mypy .",
            "set +e; flake8 .; case $? in 0) ;; *) exit 1;; esac; mypy .",
            "set +e; check() { [ $? -eq 0 ] || exit 1; }; flake8 .; check; mypy .",
            "flake8 . || rc=1; [ -z $rc ] && mypy .; exit $rc",
            "flake8 . || rc=1; ((rc)) && exit 1; mypy .",
            "for t in a b; do flake8 . || { rc=1; break; }; done",
            "for t in a b; do flake8 . || continue; mypy .; done",
            "while flake8 .; do mypy .; exit; done",
            "(flake8 . && mypy .) & wait $!",
            "set +e; trap 'exit 1' ERR; flake8 .; mypy .",
            "out=$(flake8 . && mypy .) || { echo \"$out\"; exit 1; }",
            "out=$(flake8 . || true); if [ -n \"$out\" ]; then echo \"$out\"; exit 1; fi; mypy .",
            "set +e; out=$(flake8 .); [ -z \"$out\" ] || { echo \"$out\"; exit 1; }; mypy .",
            "test -z \"$(flake8 . | tee /dev/stderr)\" && mypy .",
            "out=$(flake8 .); echo \"$out\"; mypy .",
            "echo \"$(flake8 . && mypy .)\"",
            "cat <(flake8 . && mypy .)",
            "lint() { flake8 .; mypy .; }; if lint; then :; fi; lint",
        ] {
            assert_eq!(halts_at(script).unwrap(), Some(Halt::At("flake8 .".to_owned())), "{script}");
        }
        for (script, first) in [
            ("run() { if ! \"$@\"; then exit 1; fi; }; run flake8 .; run mypy .", "\"$@\""),
            ("mycheck . && mypy .", "mycheck ."),
            ("gcc -Wall a.c && mypy .", "gcc -Wall a.c"),
            ("ruff check --fix . && mypy .", "ruff check --fix ."),
            ("python3 style.py; mypy .", "python3 style.py"),
            ("docker run --rm acme/lint && mypy .", "docker run --rm acme/lint"),
            (
                "docker compose -f ci.yml up --exit-code-from a && mypy .",
                "docker compose -f ci.yml up --exit-code-from a",
            ),
            ("flake8 . & p=$!; mypy . & q=$!; wait $p; wait $q", "wait $p"),
        ] {
            assert_eq!(halts_at(script).unwrap(), Some(Halt::At(first.to_owned())), "{script}");
        }
        for script in [
            "flake8 . || rc=1; cd web || exit 1; mypy . || rc=1; exit $rc",
            "flake8 . || rc=1; mypy . || rc=1; if [ $rc ]; then echo no; exit $rc; fi; echo good",
            "log() { echo \"$1\"; return 0; }; flake8 . || log no; mypy . || log no; exit 1",
            "for d in a b; do flake8 $d || continue; done",
            "flake8 . || rc=1; for f in *; do [ -f $f ] || continue; mypy $f || rc=1; done; exit $rc",
            "set +e; trap 'echo no' ERR; flake8 .; a=$?; mypy .; exit $a",
            "files=$(git ls-files); version=$(pyenv which python); flake8 $files",
            "(flake8 . || exit 1) || rc=1; mypy . || rc=1; exit $rc",
            "flake8 . & mypy . & wait",
            "docker compose up -d db && flake8 .",
            "apt-get update; poetry install; python gen.py; . venv/bin/activate; flake8 .",
        ] {
            assert_eq!(halts_at(script).unwrap(), None, "{script}");
        }
    }

    #[test]
    fn what_a_tool_left_behind_may_be_asked_for() {
        for script in [
            "flake8 . > out || true; if [ -s out ]; then cat out; exit 1; fi; mypy .",
            "flake8 . | tee out || true; grep -q E ./out && exit 1; mypy .",
            "flake8 . > \"$LOG\" || true; [ -s ${LOG} ] && exit 1; mypy .",
            "flake8 . || touch failed; [ -e failed ] && exit 1; mypy .",
            "flake8 . || echo no > failed; if test -s failed; then exit 1; fi; mypy .",
            "(flake8 .) > out || :; [ ! -s out ] || exit 1; mypy .",
            "if [ -n \"$(flake8 . | tee /dev/stderr)\" ]; then exit 1; fi; mypy .",
            "if [[ -n \"$(flake8 .)\" ]]; then exit 1; fi; mypy .",
            "[ -n \"$(flake8 .)\" ] && exit 1; mypy .",
            "[[ -z $(flake8 .) ]] || exit 1; mypy .",
            "if [[ $(flake8 .) ]]; then :; else mypy .; fi",
            "mapfile -t out < <(flake8 .); [ ${#out[@]} = 0 ] || exit 1; mypy .",
            "printf -v out %s \"$(flake8 .)\"; [ -z \"$out\" ] || exit 1; mypy .",
            "flake8 . | while read -r l; do echo $l; done; while read -r l; do rc=1; done < <(flake8 .); [ $rc ] && exit; mypy .",
        ] {
            assert_eq!(halts_at(script).unwrap(), Some(Halt::At("flake8 .".to_owned())), "{script}");
        }
        for (script, first) in [
            (
                "flake8 . --output-file=out.txt || true; test ! -s out.txt || exit 1; mypy .",
                "flake8 . --output-file=out.txt",
            ),
            ("! grep -rn print src && mypy .", "grep -rn print src"),
            ("if git grep -n TODO; then exit 1; fi; mypy .", "git grep -n TODO"),
            ("awk '/TODO/{bad=1} END{exit bad}' a.py && mypy .", "awk '/TODO/{bad=1} END{exit bad}' a.py"),
        ] {
            assert_eq!(halts_at(script).unwrap(), Some(Halt::At(first.to_owned())), "{script}");
        }
        for script in [
            "flake8 . || rc=1; git ls-files > list; if [ -s list ]; then xargs mypy < list || rc=1; fi; exit $rc",
            "flake8 . > out || rc=1; mypy . > types || rc=1; cat out types; exit $rc",
            "for d in a b; do f=$d/x; [ -f $f ] || continue; mypy $f || rc=1; done; exit $rc",
            "printf '%s' \"$(flake8 .)\"; mypy .",
            "git grep -q TODO || exit 1; grep x a | awk '{print $1}' > b; mypy .",
        ] {
            assert_eq!(halts_at(script).unwrap(), None, "{script}");
        }
    }

    #[test]
    fn a_script_that_never_ends_is_no_reason_to_read_on() {
        let calls = "f() { test -n \"$9\" && return 1; f a \"$@\"; f b \"$@\"; }; f; flake8 a";
        assert!(matches!(halts_at(calls).unwrap(), Some(Halt::Within(_))));
        // Each function calls all others.
        let names: Vec<String> = (0..60).map(|number| format!("f{number}")).collect();
        let all = names.join(" a; ");
        let many = names.iter().map(|name| format!("{name}() {{ {all} a; }}; ")).collect::<Vec<_>>().concat();
        assert!(halts_at(&format!("{many}f0; flake8 a; f1; mypy a")).unwrap().is_some());
        let doubles = "f() { f \"$@\" \"$@\"; }; f x";
        assert_eq!(halts_at(doubles).unwrap(), None);
        assert!(halts_at(&format!("{}a{}", "$(".repeat(200), ")".repeat(200))).is_err());
        assert!(halts_within(&FILES, &format!("flake8 a #{}\n", "x".repeat(70_000)), "").is_err());
    }

    struct Files(&'static [(&'static str, &'static str)]);

    impl Tree for Files {
        fn list(&self) -> Listing {
            let paths: BTreeSet<String> = self.0.iter().map(|(path, _)| (*path).to_owned()).collect();
            Listing { paths: paths.into_iter().collect(), ..Listing::default() }
        }

        fn read(&self, path: &str) -> Result<Option<String>, String> {
            Ok(self.0.iter().find(|(known, _)| *known == path).map(|(_, text)| (*text).to_owned()))
        }
    }

    const FILES: Files = Files(&[
        (
            "Makefile",
            "lint:\n\t@flake8 a && \\\n\t  mypy a\none:\n\tflake8 a\ntwo:\n\tflake8 a\n\tmypy a\nsub:\n\t./scripts/e.sh\n\
             inline: ; flake8 a && mypy a\nlost:\n\t-flake8 a; mypy a\n",
        ),
        ("justfile", "default: one all\nlint:\n  flake8 a\n  mypy a\none:\n  flake8 a\nall: one\n  mypy a\n"),
        ("just/justfile", "only: single\nsingle:\n  flake8 a\n  echo good\n"),
        ("just/named/justfile", "first:\n  flake8 a\n[default]\nboth:\n  flake8 a\n"),
        ("tools/lint.py", "import subprocess\nfor c in ('flake8', 'mypy'):\n    subprocess.run(c, check=True)\n"),
        ("tools/none.py", "import sys\nprint('a.c:1:1: warning: w')\nsys.exit(1)\n"),
        ("scripts/off.sh", "set -e\nset +e\nflake8 a\nx=$?\nmypy a\nexit $x\n"),
        ("scripts/sets.sh", "set -e\n"),
        ("scripts/reads.sh", "set +e\n. ./scripts/sets.sh\nflake8 a\nmypy a\n"),
        ("package.json", r#"{"scripts": {"go": "npm run go && npm run go"}}"#),
        ("scripts/all.sh", "flake8 a || rc=1\nmypy a || rc=1\nexit $rc\n"),
        ("scripts/bang.sh", "#!/bin/sh -e\nflake8 a\nmypy a\n"),
        ("scripts/broken.sh", "flake8 a && (mypy a\n"),
        ("scripts/e.sh", "set -e\nflake8 a\nmypy a\n"),
        ("scripts/exit.sh", "flake8 a || exit 1\nmypy a\n"),
        ("scripts/plain.sh", "flake8 a\nmypy a\n"),
        ("web/all.sh", "./steps.sh\n"),
        ("web/steps.sh", "set -e\nflake8 a\nmypy a\n"),
        (
            "web/package.json",
            r#"{"scripts": {"lint": "flake8 a && mypy a", "one": "flake8 a", "types": "tsc", "seq": "run-s one types",
                "pretest": "eslint a", "test": "jest", "both": "flake8 a; mypy a"}}"#,
        ),
    ]);

    #[test]
    fn what_a_command_calls_may_be_the_end() {
        let halts = |dir: &str, command: &str| halts_within(&FILES, command, dir).unwrap().halt;
        for command in [
            "./scripts/e.sh",
            "bash scripts/e.sh",
            "./scripts/bang.sh",
            "./scripts/exit.sh",
            "sh -e scripts/plain.sh",
            "bash -ec 'flake8 a; mypy a'",
            "bash -c 'flake8 a && mypy a'",
            "make lint",
            "make one lint",
            "make sub",
            "make inline",
            "make two 2>/dev/null",
            "just",
            "just lint",
            "just all",
            "just one all",
            "bash scripts/reads.sh",
            "cd web && npm run -s lint",
            "npm --prefix web run seq",
            "lint() { flake8 a && mypy a; }; lint",
            "./scripts/e.sh || rc=1; exit $rc",
            "cd web && ./all.sh",
            "cd web && npx run-s -s 'on*' types",
            "ksh -e scripts/plain.sh",
            "bash < scripts/e.sh",
            "bash -e <<< 'flake8 a; mypy a'",
            "eval flake8 a '&&' mypy a",
            "npx -c 'flake8 a && mypy a'",
            "flock lock -c 'flake8 a && mypy a'",
            "cd web && node --run lint",
        ] {
            assert_eq!(halts("", command), Some(Halt::At("flake8 a".to_owned())), "{command}");
        }
        for command in ["npm run --silent lint", "yarn -s lint", "pnpm -s lint", "npx run-s one types"] {
            assert_eq!(halts("web", command), Some(Halt::At("flake8 a".to_owned())), "{command}");
        }
        assert_eq!(halts("web", "npm test"), Some(Halt::At("eslint a".to_owned())));
        for command in [
            "poe lint",
            "make lint-gone",
            "bash scripts/broken.sh",
            "python tools/lint.py",
            "./tools/lint.py",
            "./scripts/gone.sh",
            "bash -c \"$LINT\"",
            "\"$HOME/lint.sh\"",
            "bash \"$DIR/lint.sh\"",
            ". \"$DIR/lint.sh\"",
            "/src/lint.sh",
            "bash /scripts/all.sh",
            "npm --prefix $D run -s lint",
            "make gone",
            "uv run -m tools.lint",
            "fish lint.fish",
        ] {
            assert_eq!(halts("", command), Some(Halt::Within(command.to_owned())), "{command}");
        }
    }

    #[test]
    fn what_a_command_calls_may_run_to_its_end() {
        let halts = |dir: &str, command: &str| halts_within(&FILES, command, dir).unwrap().halt;
        for command in [
            "./scripts/all.sh",
            "bash scripts/plain.sh",
            "bash -c 'flake8 a; mypy a'",
            "make one",
            "make two",
            "make two 2>&1",
            "make lost",
            "just one",
            ". venv/bin/activate; flake8 a",
            "python tools/none.py",
            "./tools/none.py",
            "./scripts/off.sh",
            "npm run go",
        ] {
            assert_eq!(halts("", command), None, "{command}");
        }
        assert_eq!((halts("web", "npm run one"), halts("web", "npm run both")), (None, None));
        let unknown = "bash -c \"$LINT\"";
        assert_eq!(halts("", &format!("{unknown}; mypy a")), Some(Halt::Within(unknown.to_owned())));
        assert_eq!((halts("just", "just"), halts("just/named", "just")), (None, Some(Halt::Within("just".to_owned()))));
        assert!(halts_within(&FILES, "flake8 a && (mypy a", "").is_err());
    }

    #[test]
    fn what_is_no_script_is_told() {
        assert!(halts_at("flake8 . && (mypy .").is_err());
    }

    #[test]
    fn the_goals_of_the_only_make_are_known() {
        let of = |shell| goals(shell).map(|(goals, dir)| (goals.join(" "), dir));
        let known = |goals: &str, dir: &str| Some((goals.to_owned(), dir.to_owned()));
        assert_eq!((of("make lint"), of("make")), (known("lint", ""), known("", "")));
        assert_eq!(of("make -C sub test lint"), known("test lint", "sub"));
        assert_eq!(of("npm ci && cd a && make -C b lint 2>&1 | tee log"), known("lint", "a/b"));
        for other in ["make lint; make lint", "flake8 . && make lint", "npm run lint", "if x; then make lint; fi"] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
