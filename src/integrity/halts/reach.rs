//! The commands that a script comes down to: which of them may be why it failed, and where what they print goes.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::Halt;
use super::behind::looks_at_nothing;
use super::guards::Guards;
use super::silent::silent;
use crate::integrity::command::Invocation;
use crate::integrity::dictionary::is_gate;
use crate::integrity::flow::Run;
use crate::integrity::ground::{Ground, join};
use crate::integrity::pipe::shortens;
use crate::integrity::script::{Place, Script};
use crate::integrity::shell::{self, Kind, OPAQUE, Redirect, Simple, Word};

/// A command that may have run, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ran {
    /// The program, without its folder, and its arguments.
    pub words: Vec<String>,
    /// As it is written.
    pub said: String,
    /// Its folder in the repository.
    pub dir: String,
    /// Whether it is a gate, and calls none.
    pub is_tool: bool,
    /// Whether its failure may be the script's: it calls nothing that was read, and is not known to look at nothing.
    pub may_fail: bool,
    /// Whether it may be several, one after the other: `for tool in a b; do $tool; done`.
    pub is_several: bool,
    /// What takes what it prints, and does not show it.
    pub away: Option<String>,
}

#[cfg(test)]
impl Ran {
    /// A tool by its words.
    pub fn of_line(line: &str) -> Self {
        let words = line.split(' ').map(str::to_owned).collect();
        Self { words, said: line.to_owned(), is_tool: true, ..Self::default() }
    }
}

/// What is known of a command without running it.
#[derive(Debug, Clone, Default)]
pub struct Looked {
    /// Where it may have stopped.
    pub halt: Option<Halt>,
    /// The commands that it comes down to, as far as they can be read.
    pub ran: Vec<Ran>,
    /// What leaves out lines of what it prints.
    pub shortened: Option<String>,
    /// A question whose answer makes it fail and that shows nothing: `grep -q TODO a.c && rc=1`.
    pub silent: Option<String>,
}

/// What is known of the first script, and of all that it may call.
pub fn reached(ground: &Ground, halt: Option<Halt>) -> Looked {
    let (mut open, mut seen, mut looked) = (vec![0], BTreeSet::new(), Looked { halt, ..Looked::default() });
    let functions = Functions::of(ground);
    let guards = Guards::of(&ground.scripts);
    while let Some(number) = open.pop() {
        if !seen.insert(number) {
            continue;
        }
        let script = &ground.scripts[number];
        open.extend(&script.needs);
        looked.shortened = looked.shortened.or_else(|| shortens(&script.command));
        let first = looked.ran.len();
        let written = Written::of(script);
        for (at, run) in script.flow.runs.iter().enumerate() {
            open.extend(&run.calls);
            looked.ran.extend(functions.stands_for(ground, (number, at), run, &written));
        }
        looked.ran.extend(substituted(script));
        // make and just say themselves which line failed: what stands before it did not.
        if matches!(script.place, Place::Target { .. } | Place::Recipe { .. }) {
            looked.ran[first..].iter_mut().for_each(|ran| ran.may_fail = ran.is_tool);
        } else if looked.silent.is_none() {
            looked.silent = silent(&guards, number, script);
        }
    }
    looked
}

/// The functions of all scripts, each with the script that it stands in and its commands there.
struct Functions<'a>(BTreeMap<&'a str, Vec<(usize, &'a Range<usize>)>>);

impl<'a> Functions<'a> {
    fn of(ground: &'a Ground) -> Self {
        let mut all: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for (number, script) in ground.scripts.iter().enumerate() {
            for (name, runs) in &script.flow.functions {
                all.entry(name).or_default().push((number, runs));
            }
        }
        Self(all)
    }

    /// What a command is: itself, or with `"$@"` in a function what that one is called with.
    fn stands_for(&self, ground: &Ground, (number, at): (usize, usize), run: &Run, written: &Written<'_>) -> Vec<Ran> {
        let script = &ground.scripts[number];
        let own = self.ran(script, run, written);
        let first = own.said.split(' ').next().map(|word| word.trim_matches('"'));
        if !own.may_fail || !matches!(first, Some("$@" | "$*" | "${@}")) {
            return vec![own];
        }
        let holds = |(_, places): &(&&str, &Vec<(usize, &Range<usize>)>)| {
            places.iter().any(|(within, runs)| *within == number && runs.contains(&at))
        };
        let Some((name, _)) = self.0.iter().find(holds) else { return vec![own] };
        let Some(shifted) = shifted(&script.flow.runs, self.0[name].iter().find(|(within, _)| *within == number))
        else {
            return vec![Ran { is_several: true, ..own }];
        };
        let calls = ground.scripts.iter().flat_map(|script| script.flow.runs.iter().map(move |run| (script, run)));
        let calls = calls.filter(|(_, run)| run.invocation.program == **name);
        calls
            .filter_map(|(script, call)| {
                let words: Vec<&str> = call.invocation.arguments.iter().skip(shifted).map(String::as_str).collect();
                let invocation = Invocation::of_words(&words);
                (!invocation.program.is_empty()).then(|| {
                    let dir = join(&script.dir, &call.dir);
                    let is_tool = is_gate(&invocation.program, &invocation.arguments());
                    let may_fail = is_tool || !looks_at_nothing(&invocation);
                    let is_several = invocation.program.contains(OPAQUE);
                    Ran { dir, is_tool, may_fail, is_several, ..ran_of(&invocation, Written::of(script).text(call)) }
                })
            })
            .collect()
    }

    fn ran(&self, script: &Script, run: &Run, written: &Written<'_>) -> Ran {
        let is_tool = run.gate.is_some() && run.calls.is_empty();
        let program = run.invocation.program.as_str();
        // A function's own commands are looked at; `wait` says how others ended.
        let is_other = run.calls.is_empty() && !self.0.contains_key(program) && program != "wait";
        let may_fail = is_tool || (is_other && !looks_at_nothing(&run.invocation));
        let said = written.text(run);
        Ran {
            dir: join(&script.dir, &run.dir),
            is_tool,
            may_fail,
            is_several: may_fail && written.loops_around(&run.span).any(|name| is_named(&said, name)),
            away: away(script, written.simple(run)),
            ..ran_of(&run.invocation, said)
        }
    }
}

/// How a script is written.
struct Written<'a> {
    /// Its commands by where they begin.
    simple: BTreeMap<usize, &'a Simple>,
    /// The bodies of its loops, and the variables of each, whose program they may be: `for tool in …`, `while read -r tool`.
    loops: Vec<(Range<usize>, Vec<String>)>,
}

impl<'a> Written<'a> {
    fn of(script: &'a Script) -> Self {
        let mut written = Self { simple: BTreeMap::new(), loops: Vec::new() };
        script.command.each(&mut |command| match &command.kind {
            Kind::Simple(simple) => {
                written.simple.insert(command.span.start, simple);
            }
            Kind::Loop { body, .. } => {
                let head = script.piece.chars.get(command.span.start..body.span.start).unwrap_or_default();
                written.loops.push((body.span.clone(), names_of(&head.iter().collect::<String>())));
            }
            _ => {}
        });
        written
    }

    fn simple(&self, run: &Run) -> Option<&'a Simple> {
        self.simple.get(&run.span.start).copied()
    }

    /// A command's words as they are written.
    fn text(&self, run: &Run) -> String {
        self.simple(run).map(raw_of).unwrap_or_default()
    }

    fn loops_around(&self, span: &Range<usize>) -> impl Iterator<Item = &String> {
        let around = self.loops.iter().filter(|(body, _)| body.start <= span.start && span.end <= body.end);
        around.flat_map(|(_, names)| names)
    }
}

/// The variables that the head of a loop sets.
fn names_of(head: &str) -> Vec<String> {
    let words: Vec<&str> = head.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).collect();
    let names: Vec<&str> = match words.as_slice() {
        ["for" | "select", name, ..] => vec![name],
        _ => words.into_iter().skip_while(|word| *word != "read").skip(1).filter(|word| !word.is_empty()).collect(),
    };
    names.into_iter().map(str::to_owned).collect()
}

fn ran_of(invocation: &Invocation, said: String) -> Ran {
    let words = std::iter::once(&invocation.program).chain(&invocation.arguments);
    Ran { words: words.cloned().collect(), said, ..Ran::default() }
}

/// By how many words a function shortens what it was given; `None` where that is not known.
fn shifted(runs: &[Run], place: Option<&(usize, &Range<usize>)>) -> Option<usize> {
    let runs = runs.get(place?.1.clone())?;
    let shifts = runs.iter().filter(|run| run.invocation.program == "shift");
    shifts.map(|run| run.invocation.arguments.first().map_or(Some(1), |by| by.parse().ok())).sum()
}

/// Whether a command's program is a variable of that name.
fn is_named(said: &str, name: &str) -> bool {
    let first = said.split(' ').next().unwrap_or_default().trim_matches('"');
    let rest = first.strip_prefix('$').map(|rest| rest.trim_start_matches('{'));
    rest.and_then(|rest| rest.strip_prefix(name))
        .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'))
}

/// The tools in `$( )` of what shows their output, of variables, and of tests, which do not show it.
fn substituted(script: &Script) -> Vec<Ran> {
    let mut found = Vec::new();
    script.command.each(&mut |command| {
        let text = || script.piece.chars.get(command.span.clone()).unwrap_or_default().iter().collect::<String>();
        match &command.kind {
            Kind::Test => {
                found.extend(tools_in(&text(), script).into_iter().map(|ran| Ran { away: Some(text()), ..ran }));
            }
            Kind::Simple(simple) => {
                let first = simple.words.first().map(|word| word.text.as_str()).unwrap_or_default();
                for word in simple.assignments.iter().chain(&simple.words) {
                    let away = match (word.raw.split_once('='), first) {
                        (_, "echo" | "printf") => None,
                        (_, "[" | "test") => Some(text()),
                        (Some((name, _)), "" | "export" | "local" | "declare" | "readonly") if shows(script, name) => {
                            None
                        }
                        (Some((name, _)), "" | "export" | "local" | "declare" | "readonly") => Some(name.to_owned()),
                        // Of what takes it as its arguments nothing is seen.
                        _ => continue,
                    };
                    found.extend(tools_in(&word.raw, script).into_iter().map(|ran| Ran { away: away.clone(), ..ran }));
                }
            }
            _ => {}
        }
    });
    found
}

/// The tools in the substitutions of a text.
fn tools_in(raw: &str, script: &Script) -> Vec<Ran> {
    let mut found = Vec::new();
    for (text, _) in shell::substitutions(raw, 0) {
        let Ok(inner) = shell::read(&text) else { continue };
        inner.each(&mut |command| {
            let Kind::Simple(simple) = &command.kind else { return };
            let invocation = Invocation::of(simple);
            if is_gate(&invocation.program, &invocation.arguments()) {
                let said = raw_of(simple);
                found.push(Ran { is_tool: true, may_fail: true, dir: script.dir.clone(), ..ran_of(&invocation, said) });
            }
        });
    }
    found
}

fn raw_of(simple: &Simple) -> String {
    simple.words.iter().map(|word| word.raw.as_str()).collect::<Vec<_>>().join(" ")
}

/// Whether a script prints a variable.
fn shows(script: &Script, name: &str) -> bool {
    let has = |text: &str| text.contains(&format!("${name}")) || text.contains(&format!("${{{name}"));
    let mut shows = false;
    script.command.each(&mut |command| {
        let Kind::Simple(simple) = &command.kind else { return };
        let prints = matches!(simple.words.first().map(|word| word.text.as_str()), Some("echo" | "printf"));
        shows |= (prints && simple.words.iter().any(|word: &Word| has(&word.raw)))
            || simple.redirects.iter().any(|to| to.sign == "<<<" && has(&to.target));
    });
    shows
}

/// Where what a command prints goes instead of being shown: to a file that nothing else in its script names.
fn away(script: &Script, simple: Option<&Simple>) -> Option<String> {
    let is_stream = |target: &str| target.bytes().all(|byte| byte.is_ascii_digit());
    let is_shown = |to: &Redirect| {
        (to.sign.ends_with('&') && is_stream(&to.target))
            || to.target.starts_with('&')
            || (to.target.starts_with("/dev/") && to.target != "/dev/null")
    };
    let mut out = simple?.redirects.iter().filter(|to| to.sign.contains('>') && !to.is_error);
    let to = out.find(|to| !is_shown(to)).map(|to| to.target.clone());
    let names = |file: &str| script.piece.text().matches(file.trim_matches(['$', '{', '}'])).count();
    to.filter(|file| file == "/dev/null" || names(file) < 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrity::halts::halts_within;
    use crate::integrity::{Listing, Tree};

    struct Files(&'static [(&'static str, &'static str)]);

    impl Tree for Files {
        fn list(&self) -> Listing {
            Listing { paths: self.0.iter().map(|(path, _)| (*path).to_owned()).collect(), ..Listing::default() }
        }

        fn read(&self, path: &str) -> Result<Option<String>, String> {
            Ok(self.0.iter().find(|(known, _)| *known == path).map(|(_, text)| (*text).to_owned()))
        }
    }

    const FILES: Files = Files(&[
        ("check.sh", "#!/bin/sh\n! grep -q FIXME a.c\n"),
        ("Makefile", "lint: gen\n\tflake8 a || exit 1\ngen:\n\tprotoc a\n\t[ -f a ] || exit 1\n"),
        ("setup.sh", "[ -d venv ] || exit 1\npip install x\nflake8 a\n"),
    ]);

    fn looked(script: &str) -> Looked {
        halts_within(&FILES, script, "").unwrap()
    }

    #[test]
    fn what_may_fail_is_told() {
        let may = |script: &str| -> Vec<String> {
            let ran = looked(script).ran.into_iter().filter(|ran| ran.may_fail);
            ran.map(|ran| format!("{}{}", ran.said, if ran.is_several { " …" } else { "" })).collect()
        };
        for (script, expected) in [
            ("flake8 a || rc=1; ${RUFF:-x} check b || rc=1", &["flake8 a", "${RUFF:-x} check b"][..]),
            ("c=(ruff check b); \"${c[@]}\" || rc=1", &["\"${c[@]}\""]),
            ("for t in 'flake8 a' 'ruff b'; do $t || rc=1; done", &["$t …"]),
            ("while read -r t; do ${t} a || rc=1; done < tools", &["${t} a …"]),
            ("for f in a b; do \"$LINT\" $f || rc=1; done", &["\"$LINT\" $f"]),
            (
                "check() { echo $1; shift; \"$@\" || rc=1; }; check a flake8 b; check c mylint d",
                &["check a flake8 b", "check c mylint d"],
            ),
            ("check() { shift $n; \"$@\" || rc=1; }; check a flake8 b", &["\"$@\" …"]),
            ("run() { \"$@\" || rc=1; }; run pip install x; run $TOOL; run flake8 b", &["run $TOOL …", "run flake8 b"]),
            ("./check || rc=1; cmp -s a b || rc=1; python -c 'x' || rc=1", &["./check", "cmp -s a b", "python -c 'x'"]),
            ("out=$(ruff check .) || rc=1; files=$(git ls-files); wait $p; cd a; echo b", &["ruff check ."]),
            ("make lint", &["flake8 a"]),
        ] {
            assert_eq!(may(script), expected, "{script}");
        }
    }

    #[test]
    fn a_question_may_be_why() {
        let silent = |script: &str| looked(script).silent;
        for (script, question) in [
            ("go vet ./... || rc=1; test -z \"$(gofmt -l .)\" || rc=1; exit ${rc:-0}", "test -z \"$(gofmt -l .)\""),
            ("flake8 a || rc=1; if grep -q FIXME a; then rc=1; fi; exit $rc", "grep -q FIXME a"),
            ("flake8 a || rc=1; if [[ -f a ]]; then echo no; exit 1; fi; exit $rc", "[[ -f a ]]"),
            ("flake8 a || rc=1; git diff --quiet || { echo no; rc=1; }; exit $rc", "git diff --quiet"),
            ("flake8 a || rc=1; jq -e .a b.json > /dev/null || rc=1; [ \"$rc\" = 0 ]", "jq -e .a b.json > /dev/null"),
            ("flake8 a || rc=1; ./check.sh || rc=1; exit $rc", "! grep -q FIXME a.c"),
            (
                "check() { git ls-files | grep -q '\\.orig$' && exit 1; }; flake8 a; check",
                "git ls-files | grep -q '\\.orig$'",
            ),
        ] {
            assert_eq!(silent(script).as_deref(), Some(question), "{script}");
        }
        for script in [
            "[ -d venv ] || exit 1; flake8 a",
            "flake8 a || rc=1; if [ -f b ]; then mypy b || rc=1; fi; exit $rc",
            "flake8 a || rc=1; [ -f b ] && files=b; mypy $files || rc=1; exit $rc",
            "flake8 a; a=$?; mypy b; b=$?; [ $a -eq 0 ] && [ $b -eq 0 ] || exit 1",
            "flake8 a || rc=1; if [ \"$rc\" ]; then echo no; exit 1; fi",
            "flake8 a || rc=1; ((rc)) && exit 1; exit 0",
            "grep -q x a && opt=-v; flake8 $opt a",
            "need() { command -v $1 || { echo no $1; exit 1; }; }; need flake8; flake8 a",
            "./setup.sh",
            "make lint",
        ] {
            assert_eq!(silent(script), None, "{script}");
        }
    }

    #[test]
    fn what_is_printed_to_a_file_is_told() {
        let away = |script: &str| {
            let looked = looked(script);
            looked.ran.into_iter().find(|ran| ran.is_tool).unwrap().away
        };
        for (script, file) in [
            ("flake8 . > out || rc=1; mypy .", "out"),
            ("flake8 . &>> out; mypy .", "out"),
            ("flake8 . >/dev/null 2>&1 || rc=1; mypy .", "/dev/null"),
            ("flake8 . 1> out 2>/dev/stderr", "out"),
        ] {
            assert_eq!(away(script).as_deref(), Some(file), "{script}");
        }
        for (script, to) in [
            ("out=$(flake8 .) || rc=1", "out"),
            ("test -z \"$(flake8 .)\" || rc=1", "test -z \"$(flake8 .)\""),
            ("[[ -z $(flake8 .) ]]", "[[ -z $(flake8 .) ]]"),
        ] {
            assert_eq!(away(script).as_deref(), Some(to), "{script}");
        }
        for script in [
            "out=$(flake8 .) || rc=1; echo \"$out\"",
            "export out=`flake8 .`; cat <<< $out",
            "echo \"$(flake8 .)\"",
            "flake8 .",
            "flake8 . 2>&1",
            "flake8 . 2> errors",
            "flake8 . > out || rc=1; cat out",
            "flake8 . >&2",
            "flake8 . > /dev/stderr",
            "flake8 . | tee out",
            "flake8 . > $LOG; cat ${LOG}",
        ] {
            assert_eq!(away(script), None, "{script}");
        }
    }
}
