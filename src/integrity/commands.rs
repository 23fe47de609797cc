//! The commands of a script, for whoever looks for one of them: what stands in its comments is none.

use super::command::Invocation;
use super::shell::{self, Kind, OPAQUE};

/// Commands in words of commands, one in another more often than this, are none that people write.
const DEEPEST: usize = 4;

/// The words of every command of a step's script: first its program, without its folder and launchers. `None` where no shell
/// would run the script.
#[must_use]
pub fn commands(script: &str) -> Option<Vec<Vec<String>>> {
    let mut found = Vec::new();
    collect(&without_expressions(script), 0, &mut found)?;
    Some(found)
}

fn collect(script: &str, depth: usize, found: &mut Vec<Vec<String>>) -> Option<()> {
    let script = shell::read(script).ok()?;
    let mut inner = Vec::new();
    script.each(&mut |command| {
        let Kind::Simple(simple) = &command.kind else { return };
        let Invocation { program, arguments, .. } = Invocation::of(simple);
        found.push(std::iter::once(program).chain(arguments).collect());
        let words = simple.assignments.iter().chain(&simple.words);
        inner.extend(words.flat_map(|word| substituted(&word.raw)));
    });
    for script in inner.iter().filter(|_| depth < DEEPEST) {
        collect(script, depth + 1, found);
    }
    Some(())
}

/// The scripts in the `$( )` of a word.
fn substituted(word: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = word;
    while let Some((_, behind)) = rest.split_once("$(") {
        let mut open = 1;
        let end = behind.find(|c| {
            open += i32::from(c == '(') - i32::from(c == ')');
            open == 0
        });
        let end = end.unwrap_or(behind.len());
        found.push(behind[..end].to_owned());
        rest = &behind[end..];
    }
    found
}

/// What only the runner knows is one word.
fn without_expressions(script: &str) -> String {
    let mut out = String::new();
    let mut rest = script;
    while let Some((before, behind)) = rest.split_once("${{") {
        let Some((_, behind)) = behind.split_once("}}") else { break };
        out += before;
        out.push(OPAQUE);
        rest = behind;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(script: &str) -> Option<Vec<String>> {
        Some(commands(script)?.iter().map(|words| words.join(" ").replace(OPAQUE, "?")).collect())
    }

    #[test]
    fn every_command_is_seen_and_no_comment() {
        for (script, expected) in [
            ("# gatepost run", vec![]),
            ("echo a # gatepost run", vec!["echo a"]),
            ("gatepost run;", vec!["gatepost run"]),
            ("if ./bin/gatepost run; then echo good; fi", vec!["gatepost run", "echo good"]),
            ("said=$(sudo gatepost run lint)", vec!["", "gatepost run lint"]),
            ("echo \"$(echo $(gatepost run))\"", vec!["echo ?", "echo ?", "gatepost run"]),
            ("gatepost run --base ${{ github.base_ref }} \\\n  lint", vec!["gatepost run --base ? lint"]),
            ("echo 'gatepost run'", vec!["echo gatepost run"]),
        ] {
            let found = shown(script).unwrap();
            let found: Vec<&str> = found.iter().map(String::as_str).collect();
            assert_eq!(found, expected, "{script}");
        }
        assert_eq!(shown("if gatepost run; fi ("), None);
    }
}
