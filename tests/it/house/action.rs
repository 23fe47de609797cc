//! The action, its scripts, its documents and every workflow agree with one another and with the program.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use gatepost::publish::{deployed, outputs};
use regex::Regex;
use serde_json::Value;

use super::source::root;
use crate::tree;

/// What each input becomes: a flag or argument of the program, a variable that it reads, or a setting of how the
/// program is found, for which there is no flag.
const INPUTS: &[(&str, &str)] = &[
    ("args", "run"),
    ("binary", "setting"),
    ("build-from-source", "setting"),
    ("config", "--config"),
    ("gates", "[GATE]"),
    ("github-token", "GITHUB_TOKEN"),
    ("leg", "GATEPOST_LEG_NAME"),
    ("mirror", "setting"),
    ("version", "setting"),
    ("working-directory", "--directory"),
];

const SCRIPTS: &[&str] = &["attest.sh", "find.sh", "run.sh", "step.sh"];

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn yaml(name: &str) -> Value {
    tree::json(&read(name))
}

fn keys(map: &Value) -> Vec<&str> {
    map.as_object().unwrap().keys().map(String::as_str).collect()
}

/// The project's workflows and those that the documents show.
fn workflows() -> Vec<String> {
    let mut found = Vec::new();
    for folder in [".github/workflows", "docs/workflows"] {
        let files = std::fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
        let yml = files.filter(|path: &PathBuf| path.extension().is_some_and(|end| end == "yml"));
        found.extend(yml.map(|path| format!("{folder}/{}", path.file_name().unwrap().to_str().unwrap())));
    }
    found.sort();
    assert!(found.len() > 5);
    found
}

fn jobs(workflow: &Value) -> Vec<(&String, &Value)> {
    workflow["jobs"].as_object().unwrap().iter().collect()
}

fn steps(job: &Value) -> impl Iterator<Item = &Value> {
    job["steps"].as_array().into_iter().flatten()
}

/// The names after `what.` in a text: `names("inputs.", …)`.
fn names(what: &str, text: &str) -> BTreeSet<String> {
    let pattern = Regex::new(&format!(r"\b{}([A-Za-z0-9_-]+)", regex::escape(what))).unwrap();
    pattern.captures_iter(text).map(|found| found[1].to_owned()).collect()
}

#[test]
fn every_input_is_a_flag_a_variable_or_a_setting() {
    let action = yaml("action.yml");
    let mut inputs = keys(&action["inputs"]);
    inputs.sort_unstable();
    assert_eq!(inputs, INPUTS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    let help = Command::new(env!("CARGO_BIN_EXE_gatepost")).args(["run", "--help"]).env_clear().output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let run = read("action/run.sh");
    for (input, becomes) in INPUTS {
        match *becomes {
            "setting" => assert!(read("action/find.sh").contains(&variable(input)), "{input}"),
            own @ ("GITHUB_TOKEN" | "GATEPOST_LEG_NAME") => {
                assert!(read("action.yml").contains(&format!("{own}: ${{{{ inputs.{input} }}}}")), "{input}");
            }
            flag => assert!(help.contains(flag) && run.contains(&variable(input)), "{input}: {flag}"),
        }
    }
}

fn variable(input: &str) -> String {
    format!("INPUT_{}", input.to_uppercase().replace('-', "_"))
}

#[test]
fn what_a_script_reads_is_given_to_it_and_the_reverse() {
    let action = yaml("action.yml");
    let defined: BTreeSet<String> = keys(&action["inputs"]).into_iter().map(str::to_owned).collect();
    assert_eq!(names("inputs.", &read("action.yml")), defined, "each is used, and none is undefined");
    let variables = Regex::new(r"\b(?:INPUT|GATEPOST)_[A-Z_]+\b|\bGH_TOKEN\b").unwrap();
    for step in action["runs"]["steps"].as_array().unwrap() {
        let run = step["run"].as_str().unwrap();
        assert!(!run.contains("${{"), "an expression in a script is a script of whoever wrote its value: {run}");
        let script = SCRIPTS.iter().find(|script| run.ends_with(&format!("/action/{script}\""))).unwrap();
        assert_eq!(
            run,
            format!("exec bash \"$GITHUB_ACTION_PATH/action/{script}\""),
            "a signal reaches its entry alone"
        );
        let text = read(&format!("action/{script}"));
        let code: String =
            text.lines().filter(|line| !line.trim_start().starts_with('#')).collect::<Vec<_>>().join("\n");
        let used: BTreeSet<&str> = variables.find_iter(&code).map(|found| found.as_str()).collect();
        // The program reads these itself.
        let own = ["GITHUB_TOKEN", "GATEPOST_LEG", "GATEPOST_LEG_NAME"];
        let given: BTreeSet<&str> = keys(&step["env"]).into_iter().filter(|name| !own.contains(name)).collect();
        let used: BTreeSet<&str> =
            used.into_iter().filter(|name| *script != "find.sh" || *name != "GH_TOKEN").collect();
        assert_eq!(used, given, "{script}");
    }
}

#[test]
fn the_scripts_are_for_the_bash_that_macos_has() {
    let newer = Regex::new(
        r"mapfile|readarray|declare -[Ag]|local -[nA]|coproc|wait -[np]|\|&|&>>|;;?&|\$\{[^}]*(,,|\^\^|@[QEPAa])|\[\[ -[vR] |%\(.*\)T|EPOCH|BASHPID|\{[a-z]+\}[<>]|globstar|lastpipe|\$\{[^}]*: -|printf -v [a-z]+\[",
    )
    .unwrap();
    for script in SCRIPTS {
        let text = read(&format!("action/{script}"));
        for (at, line) in text.lines().enumerate() {
            assert!(!newer.is_match(line), "action/{script}:{}: newer than bash 3.2: {line}", at + 1);
        }
        let known = *script == "step.sh" || text.contains("\n. \"$GITHUB_ACTION_PATH/action/step.sh\"\n");
        assert!(known && !text.contains(['\r', '\t']), "action/{script}");
    }
}

#[test]
fn the_outputs_are_those_of_the_program_and_of_how_it_was_found() {
    let action = yaml("action.yml");
    let mut expected = BTreeMap::new();
    for output in deployed::OUTPUTS {
        expected.insert(output.name, (output.about, format!("${{{{ steps.run.outputs.{} }}}}", output.name)));
    }
    for output in outputs::ALL {
        expected.insert(output.name, (output.about, format!("${{{{ steps.run.outputs.{} }}}}", output.name)));
    }
    for (name, about) in outputs::OF_COMMENT {
        expected.insert(name, (about, format!("${{{{ steps.run.outputs.{name} }}}}")));
    }
    for (name, output) in action["outputs"].as_object().unwrap() {
        let (about, value) = (output["description"].as_str().unwrap(), output["value"].as_str().unwrap());
        if let Some(expected) = expected.remove(name.as_str()) {
            assert_eq!((about, value.to_owned()), expected, "{name}");
        } else {
            assert!(value.contains("steps.find.outputs."), "{name} is no output of the program");
        }
    }
    assert!(expected.is_empty(), "not in action.yml: {expected:?}");
}

fn inputs_table(action: &Value) -> String {
    let text = read("action.yml");
    let mut inputs: Vec<(&String, &Value)> = action["inputs"].as_object().unwrap().iter().collect();
    inputs.sort_by_key(|(name, _)| text.find(&format!("\n  {name}:\n")));
    let mut out = "| input | default | meaning |\n|---|---|---|\n".to_owned();
    for (name, input) in inputs {
        let default = match input["default"].as_str().unwrap() {
            "" => String::new(),
            text => format!("`{text}`"),
        };
        let _ = writeln!(out, "| `{name}` | {default} | {} |", input["description"].as_str().unwrap());
    }
    out
}

fn outputs_table(action: &Value) -> String {
    let found = action["outputs"].as_object().unwrap().iter();
    let is_found = |name: &str| {
        outputs::ALL.iter().all(|output| output.name != name)
            && deployed::OUTPUTS.iter().all(|output| output.name != name)
    };
    let found = found.filter(|(name, _)| is_found(name));
    found.fold("| output | value |\n|---|---|\n".to_owned(), |mut out, (name, output)| {
        let _ = writeln!(out, "| `{name}` | {} |", output["description"].as_str().unwrap());
        out
    })
}

/// The part of the README about the action's inputs and outputs.
pub fn tables() -> String {
    let action = yaml("action.yml");
    format!("{}\n{}", inputs_table(&action), outputs_table(&action))
}

/// The part of the README that shows the workflow to copy.
pub fn workflow() -> String {
    format!("```yaml\n{}```\n", read("docs/workflows/gates.yml"))
}

#[test]
fn the_readme_links_every_example() {
    let readme = read("README.md");
    for workflow in workflows().iter().filter(|name| name.starts_with("docs/")) {
        assert!(readme.contains(&format!("({workflow})")), "README does not link {workflow}");
    }
}

#[test]
fn a_workflow_says_only_what_is_defined() {
    let action = yaml("action.yml");
    let version = format!("# v{}", env!("CARGO_PKG_VERSION"));
    for file in workflows() {
        let (text, workflow) = (read(&file), yaml(&file));
        let mut defined: BTreeSet<String> = BTreeSet::new();
        for event in ["workflow_dispatch", "workflow_call"] {
            let inputs = workflow["on"].get(event).and_then(|event| event.get("inputs"));
            defined.extend(inputs.map(keys).unwrap_or_default().into_iter().map(str::to_owned));
        }
        assert!(names("inputs.", &text).is_subset(&defined), "{file}: an input that is not defined");
        for (name, job) in jobs(&workflow) {
            for step in steps(job) {
                let uses = step["uses"].as_str().unwrap_or_default();
                if uses == "./" || uses.starts_with("OWNER/gatepost@") {
                    let with = step.get("with").map(keys).unwrap_or_default();
                    assert!(with.iter().all(|key| keys(&action["inputs"]).contains(key)), "{file}: {name}: {with:?}");
                }
            }
        }
        for line in text.lines().filter(|line| line.contains("OWNER/gatepost@")) {
            assert!(line.ends_with(&version), "{file}: {line}");
        }
    }
}

#[test]
fn a_workflow_trusts_nothing_that_can_be_moved_and_may_do_little() {
    let pin = Regex::new(r"uses: [A-Za-z0-9_./-]+@[0-9a-f]{40} # v[0-9]+\.[0-9]+\.[0-9]+$").unwrap();
    for file in workflows() {
        let (text, workflow) = (read(&file), yaml(&file));
        for line in text.lines().filter(|line| line.contains("uses: ") && !line.contains("uses: ./")) {
            assert!(pin.is_match(line), "{file}: not a commit with its version: {line}");
        }
        assert_eq!(workflow["permissions"], serde_json::json!({}), "{file}: rights are given to jobs");
        assert!(workflow["concurrency"].is_object(), "{file}");
        for (name, job) in jobs(&workflow) {
            assert!(job["permissions"].is_object() && job["timeout-minutes"].is_string(), "{file}: {name}");
        }
    }
}

#[test]
fn every_example_of_a_configuration_is_one() {
    for file in std::fs::read_dir(root().join("docs/workflows")).unwrap().map(|entry| entry.unwrap().path()) {
        if file.extension().is_some_and(|end| end == "toml") {
            let text = std::fs::read(&file).unwrap();
            let read = gatepost::app::project::with_known(|known| gatepost::config::read(&text, known));
            assert!(read.is_ok(), "{}: {:?}", file.display(), read.err());
        }
    }
}
