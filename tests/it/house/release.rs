//! What a release must have: found out here and not when it is published.

use std::collections::BTreeSet;
use std::process::Command;

use super::source::root;

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn package() -> toml::Table {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    manifest["package"].as_table().unwrap().clone()
}

fn text<'a>(package: &'a toml::Table, key: &str) -> &'a str {
    package.get(key).and_then(toml::Value::as_str).unwrap_or_else(|| panic!("Cargo.toml: no text in {key}"))
}

#[test]
fn the_manifest_says_what_a_registry_shows() {
    let package = package();
    let description = text(&package, "description");
    assert!((20..=100).contains(&description.len()) && !description.ends_with('.'), "{description}");
    assert_eq!(text(&package, "license"), "MIT OR Apache-2.0");
    assert_eq!(text(&package, "readme"), "README.md");
    // crates.io refuses more than five of either, and keywords of more than 20 characters.
    for key in ["keywords", "categories"] {
        let words: Vec<&str> = package[key].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        assert!((1..=5).contains(&words.len()), "{key}");
        assert!(key == "categories" || words.iter().all(|word| word.len() <= 20), "{key}");
    }
}

#[test]
fn the_licences_are_whole() {
    let mit = read("LICENSE-MIT");
    assert!(mit.contains("Permission is hereby granted, free of charge") && mit.contains("THE SOFTWARE IS PROVIDED"));
    let apache = read("LICENSE-APACHE");
    assert!(apache.contains("Version 2.0, January 2004") && apache.contains("END OF TERMS AND CONDITIONS"));
}

#[test]
fn the_changelog_knows_this_version() {
    let package = package();
    let version = text(&package, "version");
    let changelog = read("CHANGELOG.md");
    assert!(changelog.lines().any(|line| line.starts_with("## [") && line.contains(version)), "{version}");
}

#[test]
fn the_package_has_what_builds_and_nothing_else() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let list = Command::new(cargo)
        .args(["package", "--list", "--allow-dirty", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(list.status.success(), "{}", String::from_utf8_lossy(&list.stderr));
    let list = String::from_utf8(list.stdout).unwrap();
    let files: BTreeSet<&str> = list.lines().collect();
    for needed in
        ["Cargo.lock", "LICENSE-APACHE", "LICENSE-MIT", "README.md", "CHANGELOG.md", "src/main.rs", "src/lib.rs"]
    {
        assert!(files.contains(needed), "{needed} is not in the package");
    }
    let folders: BTreeSet<&str> = files.iter().filter_map(|file| Some(file.split_once('/')?.0)).collect();
    assert_eq!(Vec::from_iter(folders), ["examples", "src"]);
    let hidden: Vec<&&str> =
        files.iter().filter(|file| file.starts_with('.') && **file != ".cargo_vcs_info.json").collect();
    assert_eq!(hidden, [&""; 0]);
}

#[test]
fn the_workflows_use_the_oldest_supported_rust() {
    let package = package();
    let wanted = format!("RUSTUP_TOOLCHAIN: \"{}\"", text(&package, "rust-version"));
    for workflow in ["ci.yml", "gates.yml", "release.yml"] {
        let text = read(&format!(".github/workflows/{workflow}"));
        assert!(text.contains(&wanted), "{workflow}: {wanted}");
    }
    for workflow in ["ci.yml", "release.yml"] {
        assert!(read(&format!(".github/workflows/{workflow}")).contains("- run: ./.ci/run\n"), "{workflow}");
    }
}

#[cfg(unix)]
#[test]
fn the_commands_of_the_project_stop_at_the_first_failure() {
    use std::os::unix::fs::PermissionsExt as _;
    for script in [".ci/archive", ".ci/run", ".ci/smoke", "action/lock.sh", "tests/run", "tests/workflows"] {
        let mode = std::fs::metadata(root().join(script)).unwrap().permissions().mode();
        assert_eq!(mode & 0o111, 0o111, "{script} is not executable");
        let text = read(script);
        assert!(text.lines().any(|line| line == "set -euo pipefail"), "{script}");
        assert!(!text.contains("|| true") && !text.contains("|| :"), "{script} swallows a failure");
    }
}
