//! Tests of Python that no gate runs: they are said, as a green verdict without them would say more than it has seen.

use super::{Look, inside};

/// Files that say how a project runs its tests.
const CALLERS: &[&str] = &["tox.ini", "Makefile", "makefile", "setup.cfg", "noxfile.py", "pyproject.toml"];
/// How many files of tests are looked into for what they import.
const LOOKED_INTO: usize = 20;

/// What is there, for a project without a gate that tests.
pub(super) fn note(look: &dyn Look, dir: &str) -> Option<String> {
    let is_test = |name: &String| name.starts_with("test_") && name.strip_suffix(".py").is_some();
    let folders = look.folders(dir);
    let folder = ["tests", "test"].into_iter().find(|name| folders.iter().any(|folder| folder == name));
    let here = inside(dir, folder.unwrap_or_default());
    let files = look.files(&here).into_iter().map(|name| if here.is_empty() { name } else { format!("{here}/{name}") });
    let tests: Vec<String> =
        files.filter(|path| is_test(&path.rsplit('/').next().unwrap_or_default().to_owned())).collect();
    let what = match folder {
        Some(_) => format!("{here}/"),
        None => tests.first()?.clone(),
    };
    let read = |path: &str| look.read(path).ok().flatten().unwrap_or_default();
    let caller = CALLERS.iter().map(|file| inside(dir, file)).find(|path| read(path).contains("-m unittest"));
    let imports = |path: &&String| {
        read(path).lines().any(|line| line.starts_with("import unittest") || line.starts_with("from unittest"))
    };
    let seen = match (caller, tests.iter().take(LOOKED_INTO).find(imports)) {
        (Some(path), _) => format!("{path} calls `python -m unittest`, whose tests pytest runs too: "),
        (None, Some(path)) => format!("{path} imports unittest, whose tests pytest runs too: "),
        (None, None) => String::new(),
    };
    Some(format!("{what} is here, and no gate runs it: {seen}let the project require pytest, or write a [gates.test]"))
}
