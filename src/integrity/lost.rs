//! Scripts of a package.json that end well whatever happens in them: a gate made of one would say more than it has seen.

use std::collections::{BTreeMap, BTreeSet};

use super::Tree;
use super::call::Call;
use super::flow::{Fate, Loss, Run};
use super::ground::Ground;
use super::pipe::FILTERS;
use super::reading;
use super::rules::{self, Hit};
use super::script::{Place, Script};
use crate::model::finding::Level;
use crate::model::gate::Lost;

/// Programs that say something or tidy up: how they end tells nothing of what a script is for.
const ASIDE: &[&str] = &[":", "cd", "cp", "echo", "mkdir", "mv", "printf", "rm", "sleep", "touch", "true", "wait"];

/// The scripts of these names that lose failures, by the folder of their package.json and their name.
#[must_use]
pub fn lost(tree: &dyn Tree, names: &[&str]) -> BTreeMap<(String, String), Lost> {
    // Reading a call of each reads everything that they may call.
    let calls: Vec<String> = names.iter().map(|name| format!("npm run {name}")).collect();
    let mut ground = reading::read_command(tree, &calls.join(" && "), "");
    let mut found = BTreeMap::new();
    for number in 0..ground.scripts.len() {
        let script = &ground.scripts[number];
        let Place::Package { name } = &script.place else { continue };
        if !names.contains(&name.as_str()) {
            continue;
        }
        let key = (script.dir.clone(), name.clone());
        ground.judged = reached(&ground, number);
        if let Some(lost) = of_script(&ground, number) {
            found.insert(key, lost);
        }
    }
    found
}

fn of_script(ground: &Ground, number: usize) -> Option<Lost> {
    let masked = |hit: &Hit| hit.level == Level::Error && hit.rule.starts_with("GI10");
    let hit = rules::check(ground).into_iter().find(masked);
    let all = !may_fail(ground, number, &mut BTreeSet::new());
    let why = match hit {
        Some(hit) => {
            let what = hit.message.split("\nhelp: ").next().unwrap_or_default();
            format!("{what} ({})", hit.rule)
        }
        None if all => {
            let text = ground.scripts[number].piece.text();
            format!("nothing in it can fail (`{}`)", crate::model::text::one_line(text.trim(), 120))
        }
        None => return None,
    };
    Some(Lost { all, why })
}

/// A script and all that it calls.
fn reached(ground: &Ground, number: usize) -> BTreeSet<usize> {
    let (mut open, mut reached) = (vec![number], BTreeSet::new());
    while let Some(at) = open.pop() {
        if reached.insert(at) {
            let script = &ground.scripts[at];
            open.extend(script.flow.runs.iter().flat_map(|run| &run.calls).chain(&script.needs));
        }
    }
    reached
}

/// Whether anything in a script may end it badly, as far as that can be told.
fn may_fail(ground: &Ground, number: usize, seen: &mut BTreeSet<usize>) -> bool {
    if !seen.insert(number) {
        return false;
    }
    let script = &ground.scripts[number];
    let here = script.ignored.is_none()
        && (is_more_than_commands(script)
            || script.flow.runs.iter().filter(|run| matches!(run.fate, Fate::Counts | Fate::Read)).any(|run| {
                if run.calls.is_empty() {
                    tells(ground, script, run)
                } else {
                    run.calls.iter().any(|called| may_fail(ground, *called, seen))
                }
            }));
    here || script.needs.iter().any(|needed| may_fail(ground, *needed, seen))
}

/// What is not followed as commands are: tests of the shell's own, what is run for its output, functions.
fn is_more_than_commands(script: &Script) -> bool {
    let text = script.piece.text();
    ["[[", "((", "$(", "`"].iter().any(|sign| text.contains(sign)) || !script.flow.functions.is_empty()
}

/// Whether how a command ends tells anything, where nothing that it calls is known.
fn tells(ground: &Ground, script: &Script, run: &Run) -> bool {
    let (program, words) = (run.invocation.program.as_str(), run.invocation.arguments());
    let is_written = |name: &String| {
        let name = format!("\"{name}\"");
        ground.sources.iter().any(|source| source.slice(0..source.chars.len()).contains(&name))
    };
    // The end of a pipe that only passes on what it reads.
    let passes_on = |other: &Run| {
        let Fate::Lost(Loss::Piped { into, filter: true }) = &other.fate else { return false };
        into == program && FILTERS.contains(&program)
    };
    // A script that could not be read is there all the same.
    let absent = matches!(&run.invocation.call, Some(Call::Package { names, .. }) if !names.iter().any(is_written))
        && words.contains(&"--if-present");
    let well = program == "exit" && words == ["0"];
    !(well || absent || ASIDE.contains(&program) || script.flow.runs.iter().any(passes_on))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrity::Listing;

    struct Packages(Vec<(&'static str, String)>);

    impl Tree for Packages {
        fn list(&self) -> Listing {
            Listing { paths: self.0.iter().map(|(path, _)| (*path).to_owned()).collect(), ..Listing::default() }
        }

        fn read(&self, path: &str) -> Result<Option<String>, String> {
            Ok(self.0.iter().find(|(other, _)| *other == path).map(|(_, text)| text.clone()))
        }
    }

    fn of(scripts: &[(&str, &str)]) -> Option<Lost> {
        let scripts: BTreeMap<&str, &str> = scripts.iter().copied().collect();
        let text = serde_json::json!({ "scripts": scripts }).to_string();
        let package = Packages(vec![("web/package.json", text)]);
        lost(&package, &["test"]).remove(&("web".to_owned(), "test".to_owned()))
    }

    #[test]
    fn a_script_that_ends_well_whatever_happens_is_told() {
        for text in [
            "echo no tests yet",
            "echo \"no tests (yet)\"",
            "true",
            ":",
            "exit 0",
            "echo a; true",
            "false; exit 0",
            "npm run nothing --if-present",
            "jest || true",
            "jest; exit 0",
            "jest | tee log.txt",
            "node check.js | tee log.txt",
            "node check.js || true",
            "npm run unit || echo failed",
            "rm -rf tmp",
        ] {
            let lost = of(&[("test", text), ("unit", "jest")]);
            assert!(lost.as_ref().is_some_and(|lost| lost.all && !lost.why.is_empty()), "{text}: {lost:?}");
        }
        assert_eq!(
            of(&[("test", "jest || true")]).unwrap().why,
            "`jest` cannot fail here: `|| true` takes its failure away (GI101)"
        );
    }

    #[test]
    fn a_script_that_may_fail_is_none() {
        for text in [
            "jest",
            "echo a && jest",
            "exit 1",
            "echo $(jest)",
            "echo a | jest",
            "true || x",
            "rm -rf tmp; jest",
            "npm run unit --if-present",
            "npm run unit && echo good",
            "[[ -f built.js ]]",
            "if jest; then echo good; else exit 1; fi",
            "jest || { echo bad; exit 1; }",
            "node a.js | grep -q done",
            "jest > out.txt || true; node judge.js out.txt",
        ] {
            assert_eq!(of(&[("test", text), ("unit", "node unit.js")]), None, "{text}");
        }
        assert_eq!(of(&[("test", "echo good"), ("pretest", "jest")]), None, "what runs with it counts");
    }

    #[test]
    fn a_part_that_is_lost_is_told_where_another_counts() {
        for text in ["eslint . ; jest", "eslint . || true; jest", "npm run unit"] {
            let lost = of(&[("test", text), ("unit", "eslint . | tee log.txt; node check.js")]).unwrap();
            assert!(!lost.all && lost.why.contains("eslint") && lost.why.contains("GI10"), "{text}: {}", lost.why);
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_said_to_end_well() {
        assert_eq!(of(&[("test", "jest || (")]), None);
        assert_eq!(of(&[("test", "npm run unit --if-present"), ("unit", "jest || (")]), None);
    }
}
