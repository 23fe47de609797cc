//! Packages of Python: as the lock file of a manager says, else by pip from where the project names what its tests need.

use std::collections::BTreeSet;

use toml::Value;

use super::super::python::{PROJECT, RUNNERS, is_requirement, requires};
use super::super::{Look, inside, toml_manifest};
use super::{name, upward};
use crate::model::install::Install;

/// Managers, and what they do with their lock file, and without one.
const MANAGERS: &[(&str, &str, &str)] = &[
    ("uv", "uv sync --locked", "uv sync"),
    ("poetry", "poetry install", "poetry install"),
    ("pdm", "pdm install", "pdm install"),
    ("pipenv", "pipenv sync --dev", "pipenv install --dev"),
];

/// Programs that pip installs under their own name.
const TOOLS: &[&str] = &["black", "coverage", "flake8", "isort", "mypy", "nox", "pylint", "pytest", "ruff", "tox"];

/// What groups and extras with the packages of tests are called. No name of the project's own gets into a command.
const GROUPS: &[&str] = &["test", "tests", "testing", "dev"];

/// Files with the packages of tests; those of tests alone stand before those that bring more.
const FILES: &[&str] = &[
    "requirements-dev.txt",
    "dev-requirements.txt",
    "requirements_dev.txt",
    "requirements-test.txt",
    "test-requirements.txt",
    "requirements/test.txt",
    "requirements/tests.txt",
    "requirements/testing.txt",
    "requirements/dev.txt",
];

/// The environment's Python. The runner's own refuses packages (PEP 668), and in the work tree it would be found by gates.
const PIP: &str = "\"$RUNNER_TEMP/venv/bin/python\" -m pip install";

const REMARK: &str =
    "What else the tests import belongs in the last line: no group, extra or file of the project names it.";

pub(super) fn is_of(program: &str) -> bool {
    let own = name(program);
    let python = own.strip_prefix("python").is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == '.'));
    python || own == "pip" || TOOLS.contains(&own) || MANAGERS.iter().any(|(manager, ..)| *manager == own)
}

pub(super) fn is_lock(name: &str) -> bool {
    RUNNERS.iter().any(|(lock, _)| *lock == name)
}

pub(super) fn locks() -> impl Iterator<Item = &'static str> {
    RUNNERS.iter().map(|(lock, _)| *lock)
}

/// A manager where its lock file is, and a tool where there is none.
pub(super) fn is_installed(look: &dyn Look, dir: &str, program: &str) -> bool {
    let manager = RUNNERS.iter().any(|(lock, manager)| *manager == program && look.has(&inside(dir, lock)));
    manager || TOOLS.contains(&program)
}

pub(super) fn is_locked(look: &dyn Look, dir: &str) -> bool {
    locks().any(|lock| look.has(&inside(dir, lock)))
}

/// The project that a gate in `dir` belongs to.
pub(super) fn root(look: &dyn Look, dir: &str) -> Option<String> {
    let project = |dir: &&str| locks().chain(PROJECT.iter().copied()).any(|file| look.has(&inside(dir, file)));
    upward(dir).find(project).map(str::to_owned)
}

/// The step of a project.
#[expect(clippy::unnecessary_wraps, reason = "as of Node, where there may be nothing to install")]
pub(super) fn install(look: &dyn Look, dir: &str, programs: &BTreeSet<String>) -> Option<Install> {
    let locked = |manager: &str| RUNNERS.iter().any(|(lock, by)| *by == manager && look.has(&inside(dir, lock)));
    let started = MANAGERS.iter().find(|(manager, ..)| programs.contains(*manager));
    let Some((manager, exactly, freely)) = started.or_else(|| MANAGERS.iter().find(|(manager, ..)| locked(manager)))
    else {
        return Some(by_pip(look, dir, programs));
    };
    let command = if locked(manager) { exactly } else { freely };
    let further = if *manager == "uv" { of_uv(look, dir) } else { String::new() };
    let lines = vec![format!("pipx install {manager} && {command}{further}")];
    Some(Install { dir: dir.to_owned(), lines, remark: None })
}

/// uv installs the group `dev` and no other unless it is told.
fn of_uv(look: &dyn Look, dir: &str) -> String {
    let project = pyproject(look, dir);
    let named = |names: &[&str], table: Option<&Value>| {
        names.iter().find(|name| table.is_some_and(|table| table.get(**name).is_some())).map(|name| (*name).to_owned())
    };
    if let Some(group) = named(&GROUPS[..3], project.get("dependency-groups")) {
        return format!(" --group {group}");
    }
    let extras = project.get("project").and_then(|project| project.get("optional-dependencies"));
    named(GROUPS, extras).map_or_else(String::new, |extra| format!(" --extra {extra}"))
}

/// What pip is told to install, and what that names.
struct Source {
    words: String,
    names: Box<dyn Fn(&str) -> bool>,
}

fn by_pip(look: &dyn Look, dir: &str, programs: &BTreeSet<String>) -> Install {
    let project = pyproject(look, dir);
    let built = ["project", "build-system"].iter().any(|table| project.contains_key(*table))
        || project.get("tool").and_then(|tools| tools.get("poetry")).is_some()
        || look.has(&inside(dir, "setup.py"));
    let itself = if built { "-e ." } else { "" };
    let source = of_a_group(&project, itself)
        .or_else(|| if built { of_an_extra(look, dir, &project) } else { None })
        .or_else(|| of_a_file(look, dir, itself));
    let mut lines = vec![
        "python3 -m venv \"$RUNNER_TEMP/venv\"".to_owned(),
        "echo \"$RUNNER_TEMP/venv/bin\" >> \"$GITHUB_PATH\"".to_owned(),
    ];
    if source.as_ref().is_some_and(|source| source.words.contains("--group")) {
        // pip knows groups since 25.1, and the runner's is older.
        lines.push(format!("{PIP} --upgrade pip"));
    }
    let remark = source.is_none().then_some(REMARK);
    let source = source.unwrap_or_else(|| {
        let (file, text) = text(look, dir, "requirements.txt").unzip();
        let words = if built { Some("-e .".to_owned()) } else { file.map(|file| format!("-r {file}")) };
        let text = if built { None } else { text };
        let names = move |tool: &str| text.as_ref().is_some_and(|text| lines_name(text, tool));
        Source { words: words.unwrap_or_default(), names: Box::new(names) }
    });
    let tools = TOOLS.iter().filter(|tool| programs.contains(**tool) && !(source.names)(tool)).copied();
    let mut words: Vec<&str> = vec![PIP];
    words.extend((!source.words.is_empty()).then_some(source.words.as_str()));
    words.extend(tools);
    if words.len() > 1 {
        lines.push(words.join(" "));
    }
    Install { dir: dir.to_owned(), lines, remark }
}

fn pyproject(look: &dyn Look, dir: &str) -> toml::Table {
    toml_manifest(look, &inside(dir, "pyproject.toml")).ok().flatten().unwrap_or_default()
}

/// `[dependency-groups]`.
fn of_a_group(project: &toml::Table, itself: &str) -> Option<Source> {
    let groups = project.get("dependency-groups")?.as_table()?.clone();
    let group = *GROUPS.iter().find(|group| groups.contains_key(**group))?;
    let names = move |tool: &str| group_names(&groups, group, tool, 8);
    Some(Source { words: format!("{itself} --group {group}").trim().to_owned(), names: Box::new(names) })
}

/// Whether a group asks for a tool, itself or by the groups it includes.
fn group_names(groups: &toml::Table, group: &str, tool: &str, depth: usize) -> bool {
    let items = groups.get(group).and_then(Value::as_array);
    depth > 0
        && items.into_iter().flatten().any(|item| match item {
            Value::String(text) => is_requirement(text, tool),
            item => item
                .get("include-group")
                .and_then(Value::as_str)
                .is_some_and(|other| group_names(groups, other, tool, depth - 1)),
        })
}

/// `[project.optional-dependencies]`, or `[options.extras_require]` of setup.cfg.
fn of_an_extra(look: &dyn Look, dir: &str, project: &toml::Table) -> Option<Source> {
    let extras = project.get("project").and_then(|project| project.get("optional-dependencies"));
    if let Some((extra, listed)) = GROUPS.iter().find_map(|name| Some((name, extras?.get(*name)?.clone()))) {
        let names = move |tool: &str| requires(&listed, tool, true);
        return Some(Source { words: format!("-e '.[{extra}]'"), names: Box::new(names) });
    }
    let (_, text) = text(look, dir, "setup.cfg")?;
    let section = text.lines().skip_while(|line| line.trim() != "[options.extras_require]").skip(1);
    let section: Vec<&str> = section.take_while(|line| !line.starts_with('[')).collect();
    let key =
        |line: &&str, name: &str| line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with(['=', ':']));
    let extra = GROUPS.iter().find(|name| section.iter().any(|line| key(line, name)))?;
    let own: Vec<String> = section.iter().skip_while(|line| !key(line, extra)).map(|line| (*line).to_owned()).collect();
    let end = own.iter().skip(1).position(|line| line.starts_with(|c: char| c.is_alphanumeric()));
    let own = own[..end.map_or(own.len(), |end| end + 1)].join("\n");
    let names = move |tool: &str| lines_name(&own, tool);
    Some(Source { words: format!("-e '.[{extra}]'"), names: Box::new(names) })
}

fn of_a_file(look: &dyn Look, dir: &str, itself: &str) -> Option<Source> {
    let (file, mut all) = FILES.iter().find_map(|file| text(look, dir, file))?;
    let mut words = format!("{itself} -r {file}");
    if itself.is_empty()
        && let Some((file, text)) = text(look, dir, "requirements.txt")
    {
        words = format!("{words} -r {file}");
        all += &text;
    }
    let names = move |tool: &str| lines_name(&all, tool);
    Some(Source { words: words.trim().to_owned(), names: Box::new(names) })
}

fn lines_name(text: &str, tool: &str) -> bool {
    text.lines().any(|line| is_requirement(line.trim(), tool))
}

fn text<'a>(look: &dyn Look, dir: &str, file: &'a str) -> Option<(&'a str, String)> {
    Some((file, look.read(&inside(dir, file)).ok().flatten()?))
}
