//! What the workflow of `gatepost init` installs: from what git has, whatever lies or is installed here.

use std::fmt::Write as _;
use std::path::Path;

use crate::bless;
use crate::init::gatepost;
use crate::repo::Tree;

const NPM: &str =
    r#"{"scripts": {"lint": "eslint .", "test": "mocha"}, "devDependencies": {"eslint": "^9", "mocha": "^11"}}"#;
const MEMBER: &str = r#"{"scripts": {"test": "vitest run", "lint": "eslint ."}, "devDependencies": {"eslint": "^9"}}"#;
const IDLE: &str = r#"{"scripts": {"test": "node --test"}}"#;
const PYTEST: &str = "[project]\nname = \"x\"\n[tool.pytest.ini_options]\n[tool.ruff]\n";
const TOOL: &str = "[tool.pytest.ini_options]\n";

/// Of each case the files that git has; those whose name begins with `?` lie there and are not added.
const CASES: &[(&str, &[(&str, &str)])] = &[
    ("npm, locked", &[("package.json", NPM), ("package-lock.json", "{}")]),
    ("npm, the lock file is not added", &[("package.json", NPM), ("?package-lock.json", "{}")]),
    ("npm, nothing to install", &[("package.json", IDLE)]),
    (
        "yarn and npm locked: the gates use yarn",
        &[("package.json", NPM), ("package-lock.json", "{}"), ("yarn.lock", "")],
    ),
    ("yarn 2", &[("package.json", NPM), ("yarn.lock", ""), (".yarnrc.yml", "")]),
    (
        "pnpm workspace",
        &[
            ("package.json", "{}"),
            ("pnpm-lock.yaml", ""),
            ("pnpm-workspace.yaml", "packages:\n  - a\n"),
            ("a/package.json", MEMBER),
        ],
    ),
    ("bun", &[("package.json", NPM), ("bun.lock", "{}")]),
    (
        "a folder each",
        &[
            ("web/package.json", NPM),
            ("web/package-lock.json", "{}"),
            ("api/pyproject.toml", PYTEST),
            ("api/uv.lock", ""),
        ],
    ),
    (
        "rust beside a package.json that no gate uses",
        &[("Cargo.toml", "[package]\nname = \"x\"\n"), ("package.json", "{}"), ("package-lock.json", "{}")],
    ),
    (
        "uv, tests in a group of their own",
        &[("pyproject.toml", "[tool.pytest]\n[dependency-groups]\ntesting = []\n"), ("uv.lock", "")],
    ),
    ("poetry", &[("pyproject.toml", PYTEST), ("poetry.lock", "")]),
    ("pdm", &[("pyproject.toml", PYTEST), ("pdm.lock", "")]),
    ("pipenv", &[("Pipfile", "[dev-packages]\npytest = \"*\"\n"), ("Pipfile.lock", "{}")]),
    (
        "poetry, the lock file is not added",
        &[("pyproject.toml", "[tool.poetry]\n[tool.pytest]\n"), ("?poetry.lock", "")],
    ),
    (
        "pip, a group that includes another",
        &[(
            "pyproject.toml",
            "[project]\nname = \"x\"\n[tool.ruff]\n[dependency-groups]\ntests = [{ include-group = \"base\" }]\nbase = [\"pytest>=8\"]\n",
        )],
    ),
    (
        "pip, a group and no package",
        &[("pyproject.toml", "[tool.pytest]\n[dependency-groups]\ndev = [\"coverage\"]\n")],
    ),
    (
        "pip, an extra",
        &[(
            "pyproject.toml",
            "[project]\nname = \"x\"\n[project.optional-dependencies]\ntest = [\"pytest\"]\n\"test'; x\" = []\n",
        )],
    ),
    (
        "pip, an extra in setup.cfg",
        &[
            ("setup.py", ""),
            ("setup.cfg", "[options.extras_require]\ndocs = sphinx\ntesting =\n    pytest\n    tox\n[tool:pytest]\n"),
        ],
    ),
    (
        "pip, a file of requirements",
        &[("pyproject.toml", PYTEST), ("requirements/dev.txt", "tox"), ("requirements/tests.txt", "pytest==8.0\n")],
    ),
    ("pip, files and no package", &[("requirements.txt", "flask"), ("requirements-dev.txt", "ruff\npytest\n")]),
    ("pip, requirements alone", &[("requirements.txt", "flask\npytest\n")]),
    ("pip, requirements that are not added", &[("pyproject.toml", PYTEST), ("?requirements-dev.txt", "pytest\n")]),
    ("pip, nothing named", &[("pyproject.toml", PYTEST)]),
    ("pip, a tool's section alone", &[("pyproject.toml", TOOL)]),
];

fn tree(files: &[(&str, &str)]) -> Tree {
    let tree = Tree::new();
    for (path, text) in files.iter().filter(|(path, _)| !path.starts_with('?')) {
        tree.write(path, text);
    }
    tree.commit("first");
    for (path, text) in files {
        tree.write(path.trim_start_matches('?'), text);
    }
    tree
}

/// What `init` shows, but for where the tree lies.
fn shown(tree: &Tree) -> String {
    let done = gatepost(tree, &["init"]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

/// The commands of the gates, and the steps between checkout and gatepost.
fn steps(shown: &str) -> String {
    let shown: Vec<&str> = shown.lines().map(|line| line.strip_prefix("│ ").unwrap_or(line)).collect();
    let gates = shown
        .iter()
        .map(|line| line.trim())
        .filter(|line| line.starts_with("command = ") || line.starts_with("dir = "));
    let steps = shown.iter().copied().skip_while(|line| !line.contains("# Set up here")).skip(1);
    let steps = steps.take_while(|line| !line.contains("uses: OWNER/gatepost"));
    gates.chain(steps).fold(String::new(), |mut out, line| {
        writeln!(out, "{line}").unwrap();
        out
    })
}

#[test]
fn each_project_gets_the_steps_it_needs() {
    let mut out = String::new();
    for (case, files) in CASES {
        writeln!(out, "== {case}\n{}", steps(&shown(&tree(files)))).unwrap();
    }
    bless::compare(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/init/prepare.txt"), &out);
}

/// Packages and environments that are here are not there: the same is written with and without them.
#[test]
fn what_is_installed_here_changes_nothing() {
    for (case, files) in CASES {
        let tree = tree(files);
        tree.write(".git/info/exclude", "node_modules\n.venv\n");
        let without = steps(&shown(&tree));
        for folder in ["", "web/", "a/"] {
            tree.write(&format!("{folder}node_modules/.bin/eslint"), "");
        }
        for tool in ["pytest", "ruff"] {
            tree.write(&format!(".venv/bin/{tool}"), "").write(&format!("api/.venv/bin/{tool}"), "");
        }
        assert_eq!(steps(&shown(&tree)), without, "{case}");
    }
}

/// A file that stands says where its gates run, and what by.
#[test]
fn gates_that_stand_are_prepared_for() {
    let tree = tree(&[
        (
            "gatepost.toml",
            "[gates.a]\nkind = \"command\"\ncommand = \"make test\"\ndir = \"web/src\"\n\n[gates.b]\nkind = \"command\"\ncommand = \"cd x && npx tsc\"\ndir = \"app\"\n\n[gates.c]\nkind = \"command\"\ncommand = \"make\"\ndir = \"py\"\n",
        ),
        ("web/package.json", NPM),
        ("web/package-lock.json", "{}"),
        ("web/src/Makefile", "test:\n"),
        ("app/package.json", NPM),
        ("app/yarn.lock", ""),
        ("py/pyproject.toml", PYTEST),
        ("py/Makefile", "all:\n"),
    ]);
    let steps = steps(&shown(&tree));
    let expected = "      - run: corepack enable && yarn install --frozen-lockfile\n        working-directory: app\n      \
                    - run: npm ci\n        working-directory: web\n";
    assert!(steps.ends_with(expected) && !steps.contains("pip"), "{steps}");
}

#[test]
fn a_lock_file_that_git_does_not_have_is_said() {
    let out = shown(&tree(&[("package.json", NPM), ("?package-lock.json", "{}")]));
    assert!(out.contains("package-lock.json is here and git does not have it"), "{out}");
}
