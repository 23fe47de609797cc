//! Python: ruff and pytest where the project asks for them. A linter that nobody agreed to would judge by rules that
//! nobody agreed to; a declared tool that is not installed stays a gate, which then cannot be judged and says so.

use toml::Value;

use super::gate::DetectedGate;
use super::{DetectError, Found, Look, inside, manifest, toml_manifest, unrun};
use crate::model::settings::{CommandLine, OUTPUT};

/// Files that make a folder a Python project.
pub(super) const PROJECT: &[&str] = &[
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
    "requirements.txt",
    "tox.ini",
    "pytest.ini",
    "ruff.toml",
    ".ruff.toml",
    "Pipfile",
];

/// Files in which each line may be a requirement or a section.
const LINES: &[&str] = &[
    "setup.cfg",
    "setup.py",
    "tox.ini",
    "Pipfile",
    "requirements.txt",
    "requirements-dev.txt",
    "requirements_dev.txt",
    "requirements-test.txt",
    "dev-requirements.txt",
    "test-requirements.txt",
    "requirements/dev.txt",
    "requirements/test.txt",
    "requirements/tests.txt",
];

/// Lock files, and the program that runs a tool in the environment they describe.
pub(super) const RUNNERS: &[(&str, &str)] =
    &[("uv.lock", "uv"), ("poetry.lock", "poetry"), ("pdm.lock", "pdm"), ("Pipfile.lock", "pipenv")];

/// Looks for a Python project.
pub(super) fn detect(look: &dyn Look, dir: &str) -> Result<Option<Found>, DetectError> {
    if !PROJECT.iter().any(|file| look.has(&inside(dir, file))) {
        return Ok(None);
    }
    let mut found = Found::default();
    if let Some(seen) = declared(look, dir, "ruff", &["ruff.toml", ".ruff.toml"], &[])? {
        let mut words = tool(look, dir, "ruff", &seen, &mut found.notes);
        words.extend(["check", "--no-fix", "--output-format", "json"].map(str::to_owned));
        found.gates.push(DetectedGate::lint(dir, CommandLine::Argv(words), "ruff", seen));
    }
    let files = ["pytest.ini", ".pytest.ini", "conftest.py", "tests/conftest.py", "test/conftest.py"];
    if let Some(seen) = declared(look, dir, "pytest", &files, &["[tool:pytest]", "[pytest]"])? {
        let words = tool(look, dir, "pytest", &seen, &mut found.notes);
        let report = format!("{OUTPUT}junit.xml");
        let command = CommandLine::Shell(format!("{} --junitxml=\"{report}\"", words.join(" ")));
        found.gates.push(DetectedGate { reports: Some(report), ..DetectedGate::test(dir, command, "junit", seen) });
    }
    if found.gates.iter().all(|gate| gate.kind != "test") {
        found.notes.extend(unrun::note(look, dir));
    }
    if found.gates.is_empty() {
        let place = if dir.is_empty() { "the root" } else { dir };
        found.notes.push(format!("the Python project in {place} declares neither ruff nor pytest"));
    }
    Ok(Some(found))
}

/// Where the project asks for a tool: its own file, its section, or a requirement.
fn declared(
    look: &dyn Look,
    dir: &str,
    tool: &str,
    files: &[&str],
    sections: &[&str],
) -> Result<Option<String>, DetectError> {
    if let Some(file) = files.iter().find(|file| look.has(&inside(dir, file))) {
        return Ok(Some(inside(dir, file)));
    }
    let path = inside(dir, "pyproject.toml");
    if let Some(project) = toml_manifest(look, &path)? {
        if project.get("tool").and_then(|tools| tools.get(tool)).is_some() {
            return Ok(Some(format!("{path} with [tool.{tool}]")));
        }
        if requires(&Value::Table(project), tool, false) {
            return Ok(Some(format!("{path}, which requires {tool}")));
        }
    }
    for file in LINES {
        let path = inside(dir, file);
        let Some(text) = manifest(look, &path)? else { continue };
        let quoted = |line: &str| line.split(['"', '\'']).skip(1).step_by(2).any(|word| is_requirement(word, tool));
        for line in text.lines().map(str::trim) {
            if sections.contains(&line) {
                return Ok(Some(format!("{path} with {line}")));
            }
            if is_requirement(line, tool) || (*file == "setup.py" && quoted(line)) {
                return Ok(Some(format!("{path}, which requires {tool}")));
            }
        }
    }
    Ok(None)
}

/// Whether a tool is among the dependencies of a pyproject.toml, whichever table its build system keeps them in.
pub(super) fn requires(value: &Value, tool: &str, dependencies: bool) -> bool {
    match value {
        Value::String(text) => dependencies && is_requirement(text, tool),
        Value::Array(items) => items.iter().any(|item| requires(item, tool, dependencies)),
        Value::Table(table) => table.iter().any(|(key, value)| {
            dependencies && key == tool
                || key != "include-group" && requires(value, tool, dependencies || key.contains("dependenc"))
        }),
        _ => false,
    }
}

/// Whether a requirement (PEP 508) is for this project: `pytest`, `pytest>=7`, `pytest[testing]; …`, not `pytest-cov`.
pub(super) fn is_requirement(text: &str, tool: &str) -> bool {
    text.strip_prefix(tool).is_some_and(|rest| {
        !rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/'))
    })
}

/// The words that start a tool: from the project's own environment, through its manager, or as it is.
fn tool(look: &dyn Look, dir: &str, tool: &str, seen: &str, notes: &mut Vec<String>) -> Vec<String> {
    for environment in [".venv/bin", "venv/bin"] {
        let program = format!("{environment}/{tool}");
        if look.has(&inside(dir, &program)) {
            return vec![program];
        }
    }
    for (lock, runner) in RUNNERS {
        if look.has(&inside(dir, lock)) && look.answers(dir, &[runner, "--version"]) {
            return [runner, "run", tool].map(str::to_owned).to_vec();
        }
    }
    if !look.answers(dir, &[tool, "--version"]) {
        notes.push(format!(
            "{tool} is asked for ({seen}) and is not installed here: its gate cannot be judged until it is"
        ));
    }
    vec![tool.to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_are_told_from_their_plugins() {
        for good in
            ["pytest", "pytest>=7", "pytest[x]; python_version > '3'", "pytest ==8.*", "pytest~=8", "pytest = \"*\""]
        {
            assert!(is_requirement(good, "pytest"), "{good}");
        }
        for bad in ["pytest-cov", "pytest_asyncio", "pytestx", "", "xpytest", "pytest.ini", "pytest: run"] {
            assert!(!is_requirement(bad, "pytest"), "{bad}");
        }
        let project =
            "[project]\nkeywords = ['ruff']\n[dependency-groups]\ndev = ['pytest>=8', { include-group = 'ruff' }]\n";
        let project: Value = toml::from_str(project).unwrap();
        assert!(requires(&project, "pytest", false));
        let poetry: Value = toml::from_str("[tool.poetry.group.dev.dependencies]\nruff = '^0.4'\n").unwrap();
        assert!(requires(&poetry, "ruff", false) && !requires(&poetry, "pytest", false));
    }
}
