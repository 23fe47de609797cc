//! Manifests: files that ask for packages without saying in which versions. What they ask for can be audited only with
//! a lockfile beside or above them.

use toml::Table;

use super::lockfile;

/// A kind of manifest.
#[derive(Debug)]
pub struct Manifest {
    /// What the file is called.
    pub file: &'static str,
    /// The lockfiles that say what it amounts to, by the names of their formats.
    pub formats: &'static [&'static str],
    /// What makes one.
    pub how: &'static str,
    asks: fn(&str) -> Option<bool>,
}

/// Every kind of manifest. go.mod is its own lockfile.
pub static ALL: &[Manifest] = &[
    Manifest { file: "Cargo.toml", formats: &["cargo"], how: "cargo generate-lockfile", asks: cargo },
    Manifest {
        file: "package.json",
        formats: &["npm", "pnpm", "yarn", "bun"],
        how: "npm install --package-lock-only",
        asks: node,
    },
    Manifest {
        file: "pyproject.toml",
        formats: &["uv", "poetry", "pdm", "pylock", "pipfile", "requirements"],
        how: "uv lock",
        asks: python,
    },
    Manifest { file: "Pipfile", formats: &["pipfile"], how: "pipenv lock", asks: pipfile },
    Manifest { file: "Gemfile", formats: &["gemfile"], how: "bundle lock", asks: gemfile },
    Manifest { file: "composer.json", formats: &["composer"], how: "composer update --no-install", asks: composer },
];

/// The kind of a file of this name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Manifest> {
    ALL.iter().find(|manifest| manifest.file == name)
}

impl Manifest {
    /// Whether a lockfile of this name says what it amounts to.
    #[must_use]
    pub fn is_pinned_by(&self, path: &str) -> bool {
        lockfile::by_name(path).is_some_and(|format| self.formats.contains(&format.name))
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
    let targets = table.get("target").and_then(toml::Value::as_table).into_iter().flat_map(Table::values);
    let workspace = table.get("workspace").and_then(toml::Value::as_table);
    let any_target = targets.filter_map(toml::Value::as_table).any(any);
    Some(any(&table) || any_target || workspace.is_some_and(any))
}

fn has_entries(value: Option<&toml::Value>) -> bool {
    match value {
        Some(toml::Value::Table(table)) => !table.is_empty(),
        Some(toml::Value::Array(list)) => !list.is_empty(),
        _ => false,
    }
}

fn node(text: &str) -> Option<bool> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    let kinds = ["dependencies", "devDependencies", "optionalDependencies"];
    Some(kinds.iter().any(|kind| value[kind].as_object().is_some_and(|entries| !entries.is_empty())))
}

fn python(text: &str) -> Option<bool> {
    let table: Table = toml::from_str(text).ok()?;
    let at = |path: &[&str]| {
        let first = table.get(path[0]);
        path[1..].iter().fold(first, |value, key| value?.get(key))
    };
    let lists = [&["project", "dependencies"][..], &["project", "optional-dependencies"], &["dependency-groups"]];
    let poetry = at(&["tool", "poetry", "dependencies"]).and_then(toml::Value::as_table);
    let of_poetry = poetry.is_some_and(|entries| entries.keys().any(|name| name != "python"));
    let groups = at(&["tool", "poetry", "group"]).is_some() || at(&["tool", "poetry", "dev-dependencies"]).is_some();
    Some(lists.iter().any(|path| has_entries(at(path))) || of_poetry || groups)
}

fn pipfile(text: &str) -> Option<bool> {
    let table: Table = toml::from_str(text).ok()?;
    Some(["packages", "dev-packages"].iter().any(|kind| has_entries(table.get(*kind))))
}

#[expect(clippy::unnecessary_wraps, reason = "the others may be unreadable")]
fn gemfile(text: &str) -> Option<bool> {
    Some(text.lines().any(|line| {
        let line = line.trim_start();
        line == "gemspec" || line.starts_with("gem ") || line.starts_with("gem(")
    }))
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
            ("composer.json", r#"{"require-dev": {"a/b": "1"}}"#, r#"{"require": {"php": "8", "ext-json": "*"}}"#),
        ] {
            let manifest = by_name(name).unwrap();
            assert!(manifest.asks(asks), "{asks}");
            assert!(!manifest.asks(does_not), "{does_not}");
        }
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
}
