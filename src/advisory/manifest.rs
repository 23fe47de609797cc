//! Manifests: files that ask for packages without saying in which versions. What they ask for can be audited only with
//! a lockfile that is theirs.

use std::collections::BTreeSet;

use globset::GlobBuilder;
use toml::{Table, Value};

use super::lockfile::{self, Lockfile, Why};
use super::record::normal_name;
use crate::model::package::Ecosystem;

/// A kind of manifest.
#[derive(Debug)]
pub struct Manifest {
    /// What the file is called, with at most one `*`.
    pub file: &'static str,
    /// The lockfiles that say what it amounts to, by the names of their formats.
    pub formats: &'static [&'static str],
    /// What makes one.
    pub how: &'static str,
    asks: fn(&str) -> Option<bool>,
    /// What the project is called, where lockfiles name it so.
    name: fn(&str) -> Option<String>,
}

/// The lockfiles of Python.
const PYTHON: &[&str] = &["uv", "poetry", "pdm", "pylock", "pipfile", "requirements"];

/// Manifests and lockfiles of which no format is read; each with at most one `*`.
const FOREIGN: &[&str] = &[
    "*.cabal",
    "*.csproj",
    "*.fsproj",
    "*.vbproj",
    "Cartfile",
    "Cartfile.resolved",
    "Directory.Packages.props",
    "Package.resolved",
    "Package.swift",
    "Podfile",
    "Podfile.lock",
    "build.gradle",
    "build.gradle.kts",
    "build.sbt",
    "conan.lock",
    "conanfile.py",
    "conanfile.txt",
    "conda-lock.yml",
    "cpanfile",
    "deno.json",
    "deno.jsonc",
    "deno.lock",
    "environment.yaml",
    "environment.yml",
    "gradle.lockfile",
    "libs.versions.toml",
    "mix.exs",
    "mix.lock",
    "packages.config",
    "packages.lock.json",
    "paket.lock",
    "pixi.lock",
    "pom.xml",
    "pubspec.lock",
    "pubspec.yaml",
    "rebar.lock",
    "renv.lock",
    "stack.yaml",
    "vcpkg.json",
];

/// Every kind of manifest. go.mod is its own lockfile.
pub static ALL: &[Manifest] = &[
    Manifest {
        file: "Cargo.toml",
        formats: &["cargo"],
        how: "cargo generate-lockfile",
        asks: cargo,
        name: |text| named(text, &[&["package"]]),
    },
    Manifest {
        file: "package.json",
        formats: &["npm", "pnpm", "yarn", "bun"],
        how: "npm install --package-lock-only",
        asks: node,
        name: |_| None,
    },
    Manifest {
        file: "pyproject.toml",
        formats: PYTHON,
        how: "uv lock",
        asks: |text| Some(!python(text)?.is_empty()),
        name: |text| named(text, &[&["project"], &["tool", "poetry"]]),
    },
    Manifest { file: "setup.py", formats: PYTHON, how: PIP_COMPILE, asks: setuptools, name: |_| None },
    Manifest { file: "setup.cfg", formats: PYTHON, how: PIP_COMPILE, asks: setuptools, name: |_| None },
    Manifest { file: "requirements.in", formats: PYTHON, how: PIP_COMPILE, asks: |_| Some(true), name: |_| None },
    Manifest { file: "Pipfile", formats: &["pipfile"], how: "pipenv lock", asks: pipfile, name: |_| None },
    Manifest { file: "Gemfile", formats: &["gemfile"], how: "bundle lock", asks: gemfile, name: |_| None },
    Manifest { file: "gems.rb", formats: &["gemfile"], how: "bundle lock", asks: gemfile, name: |_| None },
    Manifest {
        file: "*.gemspec",
        formats: &["gemfile"],
        how: "a Gemfile with `gemspec`, and bundle lock",
        asks: |text| {
            Some(
                ["add_dependency", "_runtime_dependency", "_development_dependency"].iter().any(|it| text.contains(it)),
            )
        },
        name: gem_name,
    },
    Manifest {
        file: "composer.json",
        formats: &["composer"],
        how: "composer update --no-install",
        asks: composer,
        name: |text| serde_json::from_str::<serde_json::Value>(text).ok()?["name"].as_str().map(str::to_owned),
    },
];

const PIP_COMPILE: &str = "pip-compile -o requirements.txt";

/// Whether a file of this name asks for packages, or holds them, in a way that is not read.
#[must_use]
pub fn is_foreign(name: &str) -> bool {
    FOREIGN.iter().any(|pattern| lockfile::is_called(name, pattern))
}

/// Whether a package.json says that the project in a folder below it is of its workspace.
#[must_use]
pub fn has_workspace(package: &str, folder: &str) -> bool {
    let Ok(value) = serde_json::from_str::<serde_json::Value>(package) else { return false };
    let listed = value["workspaces"].as_array().or(value["workspaces"]["packages"].as_array());
    let patterns = listed.into_iter().flatten().filter_map(serde_json::Value::as_str);
    let is_it = |pattern: &str| {
        let pattern = pattern.trim_start_matches("./").trim_end_matches('/');
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        glob.is_ok_and(|glob| glob.compile_matcher().is_match(folder))
    };
    let (without, with): (Vec<&str>, Vec<&str>) = patterns.partition(|pattern| pattern.starts_with('!'));
    with.into_iter().any(is_it) && !without.into_iter().any(|pattern| is_it(&pattern[1..]))
}

/// The kind of a file of this name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Manifest> {
    ALL.iter().find(|manifest| lockfile::is_called(name, manifest.file))
}

impl Manifest {
    /// Whether a lockfile of this name says what it amounts to.
    #[must_use]
    pub fn is_pinned_by(&self, path: &str) -> bool {
        // uv locks single scripts too, by their names.
        let format = lockfile::by_name(path).filter(|_| !path.ends_with(".py.lock"));
        format.is_some_and(|format| self.formats.contains(&format.name))
    }

    /// Whether a lockfile is that of a manifest in `folder`, relative to its own: it lies beside it, or names its project.
    #[must_use]
    pub fn is_of(&self, text: &str, folder: &str, lockfile: &Lockfile) -> bool {
        let normal = |name: &str| normal_name(Ecosystem::PyPi, name);
        let is_named = |name: &String| {
            lockfile.passed_over.iter().any(|entry| entry.why == Why::Own && normal(&entry.name) == normal(name))
        };
        folder.is_empty()
            || lockfile.folders.iter().any(|own| own == folder)
            || (self.name)(text).is_some_and(|name| is_named(&name))
    }

    /// The names of what it asks for, as the index has them, where requirements of pip may hold it; none where that
    /// cannot be told.
    #[must_use]
    pub fn names(&self, text: &str) -> BTreeSet<String> {
        if self.file == "pyproject.toml" { python(text).unwrap_or_default() } else { BTreeSet::new() }
    }

    /// What such lockfiles are called.
    #[must_use]
    pub fn lockfiles(&self) -> String {
        let files = self.formats.iter().filter_map(|name| lockfile::find(name)).flat_map(|format| format.files);
        files.copied().collect::<Vec<_>>().join(", ")
    }

    /// Whether it asks for packages; what cannot be read may well do so.
    #[must_use]
    pub fn asks(&self, text: &str) -> bool {
        (self.asks)(text).unwrap_or(true)
    }
}

fn cargo(text: &str) -> Option<bool> {
    let table: Table = toml::from_str(text).ok()?;
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let any = |table: &Table| kinds.iter().any(|kind| has_entries(table.get(*kind)));
    let targets = table.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    let workspace = table.get("workspace").and_then(Value::as_table);
    let any_target = targets.filter_map(Value::as_table).any(any);
    Some(any(&table) || any_target || workspace.is_some_and(any))
}

fn has_entries(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Table(table)) => !table.is_empty(),
        Some(Value::Array(list)) => !list.is_empty(),
        _ => false,
    }
}

fn node(text: &str) -> Option<bool> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    // npm and others install peers too.
    let kinds = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];
    Some(kinds.iter().any(|kind| value[kind].as_object().is_some_and(|entries| !entries.is_empty())))
}

/// The name under the first of these tables that has one.
fn named(text: &str, tables: &[&[&str]]) -> Option<String> {
    let table: Table = toml::from_str(text).ok()?;
    let find = |path: &&[&str]| at(&table, path)?.get("name")?.as_str().map(str::to_owned);
    tables.iter().find_map(find)
}

fn at<'t>(table: &'t Table, path: &[&str]) -> Option<&'t Value> {
    path[1..].iter().fold(table.get(path[0]), |value, key| value?.get(key))
}

/// What a pyproject.toml asks for, save its own extras.
fn python(text: &str) -> Option<BTreeSet<String>> {
    let table: Table = toml::from_str(text).ok()?;
    let lists = [
        &["project", "dependencies"][..],
        &["project", "optional-dependencies"],
        &["dependency-groups"],
        &["tool", "uv", "dev-dependencies"],
        &["tool", "pdm", "dev-dependencies"],
    ];
    let lists = lists.iter().filter_map(|path| at(&table, path)).flat_map(|value| match value {
        Value::Table(groups) => groups.values().filter_map(Value::as_array).flatten().collect(),
        value => value.as_array().into_iter().flatten().collect::<Vec<_>>(),
    });
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let listed = lists.filter_map(Value::as_str).map(|line| line.split(|c| !is_name(c)).next().unwrap_or_default());
    let groups = at(&table, &["tool", "poetry", "group"]).and_then(Value::as_table);
    let groups = groups.into_iter().flat_map(Table::values).filter_map(|group| group.get("dependencies"));
    let of_poetry = ["dependencies", "dev-dependencies"].map(|key| at(&table, &["tool", "poetry", key]));
    let tables = of_poetry.into_iter().flatten().chain(groups).filter_map(Value::as_table);
    let keys = tables.flat_map(Table::keys).map(String::as_str).filter(|name| *name != "python");
    let mut names: BTreeSet<String> = listed.chain(keys).map(|name| normal_name(Ecosystem::PyPi, name)).collect();
    if let Some(own) = named(text, &[&["project"]]) {
        names.remove(&normal_name(Ecosystem::PyPi, &own));
    }
    Some(names)
}

#[expect(clippy::unnecessary_wraps, reason = "the others may be unreadable")]
fn setuptools(text: &str) -> Option<bool> {
    Some(["install_requires", "extras_require", "tests_require"].iter().any(|key| text.contains(key)))
}

fn pipfile(text: &str) -> Option<bool> {
    let table: Table = toml::from_str(text).ok()?;
    Some(["packages", "dev-packages"].iter().any(|kind| has_entries(table.get(*kind))))
}

#[expect(clippy::unnecessary_wraps, reason = "the others may be unreadable")]
fn gemfile(text: &str) -> Option<bool> {
    Some(text.lines().map(str::trim_start).filter(|line| !line.starts_with('#')).any(|line| {
        let is_call = |rest: &str| rest.trim_start().starts_with(['\'', '"', '(']);
        let is_own_word = |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || "_.'\"".contains(c));
        let calls =
            |word: &str| line.match_indices(word).any(|(at, _)| is_own_word(at) && is_call(&line[at + word.len()..]));
        // In a group of one line it stands behind other words.
        ["gemspec", "gem ", "eval_gemfile"].iter().any(|word| line.starts_with(word)) || calls("gem")
    }))
}

fn gem_name(text: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.split_once(".name")?.1.trim_start().strip_prefix('='))?;
    value.split(['\'', '"']).nth(1).map(str::to_owned)
}

fn composer(text: &str) -> Option<bool> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    // `php` and `ext-json` are of the platform.
    let has_packages =
        |kind: &&str| value[*kind].as_object().is_some_and(|map| map.keys().any(|name| name.contains('/')));
    Some(["require", "require-dev"].iter().any(has_packages))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::lockfile::PassedOver;

    #[test]
    fn a_manifest_that_asks_for_nothing_needs_no_lockfile() {
        for (name, asks, does_not) in [
            ("Cargo.toml", "[target.'cfg(unix)'.dependencies]\nnix = \"1\"", "[package]\nname = \"a\"\n[dependencies]"),
            ("package.json", r#"{"devDependencies": {"a": "1"}}"#, r#"{"type": "module", "dependencies": {}}"#),
            ("pyproject.toml", "[project]\ndependencies = [\"a\"]", "[tool.ruff]\nline-length = 100"),
            (
                "pyproject.toml",
                "[tool.poetry.dependencies]\npython = \"^3\"\na = \"1\"",
                "[tool.poetry.dependencies]\npython = \"^3\"",
            ),
            ("Pipfile", "[packages]\na = \"*\"", "[packages]"),
            ("Gemfile", "source 'x'\ngem 'rails'", "source 'x'\n# gem 'rails'"),
            ("Gemfile", "group :x do gem 'rails' end", "puts 'no gem here'\nGem::Version"),
            ("gems.rb", "gem'rails'", "ruby '3.3'"),
            ("Gemfile", "gemspec path: 'x'", "x.gem 'a'"),
            ("shop.gemspec", "s.add_dependency 'rails'", "s.name = 'shop'"),
            ("package.json", r#"{"peerDependencies": {"a": "1"}}"#, r#"{"peerDependencies": {}}"#),
            ("pyproject.toml", "[tool.uv]\ndev-dependencies = [\"a\"]", "[tool.uv]\ndev-dependencies = []"),
            ("pyproject.toml", "[tool.pdm.dev-dependencies]\ntest = [\"a\"]", "[tool.pdm]"),
            ("composer.json", r#"{"require-dev": {"a/b": "1"}}"#, r#"{"require": {"php": "8", "ext-json": "*"}}"#),
        ] {
            let manifest = by_name(name).unwrap();
            assert!(manifest.asks(asks), "{asks}");
            assert!(!manifest.asks(does_not), "{does_not}");
        }
        assert!(by_name("setup.py").unwrap().asks("setup(install_requires=['a'])"));
        assert!(!by_name("setup.py").unwrap().asks("setup()"));
        for name in ["Cargo.toml", "package.json", "pyproject.toml", "composer.json"] {
            assert!(by_name(name).unwrap().asks("{ broken"), "what cannot be read may ask for packages");
        }
        assert!(by_name("go.mod").is_none());
        let node = by_name("package.json").unwrap();
        assert!(node.is_pinned_by("web/pnpm-lock.yaml") && !node.is_pinned_by("web/Cargo.lock"));
        assert!(node.lockfiles().starts_with("package-lock.json, npm-shrinkwrap.json, "), "{}", node.lockfiles());
        for name in ALL.iter().flat_map(|manifest| manifest.formats) {
            assert!(lockfile::find(name).is_some(), "{name} is no format");
        }
    }

    #[test]
    fn a_lockfile_above_holds_the_projects_that_it_names() {
        let own = |name: &str| PassedOver { name: name.to_owned(), line: 1, why: Why::Own };
        let lockfile = Lockfile {
            folders: vec!["packages/other".to_owned(), "packages/cart".to_owned()],
            passed_over: vec![own("another"), own("shop_core")],
            ..Lockfile::default()
        };
        for (manifest, text, folder, expected) in [
            ("package.json", r#"{"name": "cart"}"#, "", true),
            ("package.json", r#"{"name": "cart"}"#, "packages/cart", true),
            ("package.json", r#"{"name": "shop_core"}"#, "functions", false),
            ("Cargo.toml", "[package]\nname = \"shop_core\"", "crates/core", true),
            ("Cargo.toml", "[package]\nname = \"core-fuzz\"", "fuzz", false),
            ("pyproject.toml", "[project]\nname = \"Shop.Core\"", "core", true),
            ("pyproject.toml", "[tool.poetry]\nname = \"shop-core\"", "core", true),
            ("pyproject.toml", "[project]\nname = \"other\"", "other", false),
            ("composer.json", r#"{"name": "shop_core"}"#, "core", true),
            ("Gemfile", "gem 'rails'", "engine", false),
            ("x.gemspec", "  spec.name        = \"shop_core\"\n", "core", true),
        ] {
            assert_eq!(by_name(manifest).unwrap().is_of(text, folder, &lockfile), expected, "{text} in {folder}");
        }
        assert!(!by_name("pyproject.toml").unwrap().is_pinned_by("tool.py.lock"));
    }

    #[test]
    fn workspaces_of_a_package_are_told_by_patterns() {
        let plain = r#"{"workspaces": ["packages/*", "./site/", "!packages/old"]}"#;
        let nested = r#"{"workspaces": {"packages": ["packages/**"], "nohoist": []}}"#;
        for (package, folder, expected) in [
            (plain, "packages/a", true),
            (plain, "packages/a/b", false),
            (plain, "packages/old", false),
            (plain, "site", true),
            (plain, "functions", false),
            (nested, "packages/a/b", true),
            ("{}", "packages/a", false),
        ] {
            assert_eq!(has_workspace(package, folder), expected, "{package} {folder}");
        }
    }

    #[test]
    fn what_python_asks_for_is_known_by_name() {
        let text = "[project]\nname = \"shop\"\ndependencies = [\"Flask>=1\", \"a.b[c] ; os_name == 'nt'\"]\n\
                    [project.optional-dependencies]\nall = [\"shop[x]\", \"d\"]\n\
                    [dependency-groups]\ndev = [\"e\", { include-group = \"x\" }]\n\
                    [tool.poetry.group.test.dependencies]\nf = \"1\"\n";
        let names = by_name("pyproject.toml").unwrap().names(text);
        assert_eq!(Vec::from_iter(names), ["a-b", "d", "e", "f", "flask"]);
    }

    #[test]
    fn files_of_other_tools_are_known_by_name() {
        assert!(is_foreign("environment.yml") && is_foreign("deno.json"));
        assert!(is_foreign("pom.xml") && is_foreign("Shop.csproj") && is_foreign("pubspec.lock"));
        assert!(!is_foreign("Cargo.lock") && !is_foreign("deploy.xml"));
    }
}
