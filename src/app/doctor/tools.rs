//! The programs that the gates start: whether they are here, and in which version.

use std::collections::BTreeMap;
use std::path::Path;

use crate::app::detected;
use crate::app::project::Project;
use crate::detect::{self, Look as _, Missing, Used};
use crate::model::diagnosis::Row;
use crate::model::text::one_line;
use crate::setup::tools::{By, Program, programs, version_arguments};
use crate::world::env::Env;
use crate::world::survey::Survey;

const TOPIC: &str = "tool";

/// A row for each program, and one for each script that could not be followed.
pub fn rows(project: &Project, root: &Path, env: &Env) -> Vec<Row> {
    let survey = detected::survey(root, env);
    let mut wanted: BTreeMap<(Program, String), Vec<&str>> = BTreeMap::new();
    let mut lacking: BTreeMap<Missing, Vec<&str>> = BTreeMap::new();
    let mut rows = Vec::new();
    for gate in &project.gates {
        let common = gate.common();
        let Some(command) = &common.command else { continue };
        let (programs, whole) = programs(command);
        let started = programs.iter().map(|program| program.name.clone()).collect();
        if let Some(missing) = detect::missing(&survey, &Used { dir: common.dir.clone(), programs: started }) {
            lacking.entry(missing).or_default().push(common.name.as_str());
        }
        for program in programs {
            // What is on PATH is the same everywhere.
            let dir = if program.by == By::Path { String::new() } else { common.dir.clone() };
            wanted.entry((program, dir)).or_default().push(common.name.as_str());
        }
        if !whole {
            let what = format!("gate {}: only the first program of its script was looked for", common.name);
            rows.push(Row::unknown(TOPIC, what, "move the script into a file, and start that"));
        }
    }
    let found = wanted.iter().map(|((program, dir), gates)| row(&survey, program, dir, &gates.join(", ")));
    let lacking = lacking.iter().map(|(missing, gates)| {
        let Missing { folder, manifest, command } = missing;
        let what = format!("{folder} is missing, and {manifest} asks for packages (for {})", gates.join(", "));
        Row::bad(TOPIC, what, format!("run `{command}`: without them scripts may not find their tools"))
    });
    found.chain(lacking).chain(rows).collect()
}

fn row(survey: &Survey, program: &Program, dir: &str, gates: &str) -> Row {
    let name = &program.name;
    match program.by {
        By::Path => on_path(survey, name, gates),
        By::File => {
            let path = if dir.is_empty() { name.clone() } else { format!("{dir}/{name}") };
            if name.starts_with('/') || survey.has(&path) {
                // Whatever it is told, a program of the repository's own may do anything.
                Row::good(TOPIC, format!("{path} is there (for {gates}); it is not asked for a version"))
            } else {
                Row::bad(
                    TOPIC,
                    format!("{path} is not there (for {gates})"),
                    "add it, or mend the gate's `command` or `dir`",
                )
            }
        }
        By::Modules => modules(survey, name, dir, gates),
    }
}

fn on_path(survey: &Survey, name: &str, gates: &str) -> Row {
    let Some(path) = survey.program(name) else {
        return Row::bad(TOPIC, format!("{name} is not on PATH (for {gates})"), format!("install {name}"));
    };
    let Some(arguments) = version_arguments(name) else {
        let what = format!("{name} is there (for {gates}): {}; it is not asked for a version", path.display());
        return Row::good(TOPIC, what);
    };
    match survey.version("", name, arguments) {
        Some(version) => Row::good(TOPIC, format!("{name} (for {gates}): {}", one_line(&version, 100))),
        None => Row::bad(
            TOPIC,
            format!("{} is there and `{name} {}` does not end well (for {gates})", path.display(), arguments.join(" ")),
            format!("run it by hand: it may be a stand-in for {name} that is not installed"),
        ),
    }
}

/// In `node_modules` of the folder or of one above it, as npx looks.
fn modules(survey: &Survey, name: &str, dir: &str, gates: &str) -> Row {
    let mut folder = dir;
    loop {
        let inside = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        if survey.has(&format!("{inside}node_modules/.bin/{name}")) {
            return Row::good(TOPIC, format!("{name} (for {gates}): in {inside}node_modules"));
        }
        if folder.is_empty() {
            break;
        }
        folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
    }
    match survey.program(name) {
        Some(_) => on_path(survey, name, gates),
        None => Row::bad(
            TOPIC,
            format!("{name} is neither in node_modules nor on PATH (for {gates})"),
            "install the dependencies: npx would download whatever is the newest",
        ),
    }
}
