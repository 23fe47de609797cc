//! Cargo: clippy where it is installed, else the compiler; and the tests.

use super::gate::DetectedGate;
use super::{DetectError, Found, Look, inside, toml_manifest};
use crate::model::settings::CommandLine;

/// Looks for Cargo.toml. Members of a workspace are covered by its root.
pub(super) fn detect(look: &dyn Look, dir: &str) -> Result<Option<Found>, DetectError> {
    let path = inside(dir, "Cargo.toml");
    let Some(manifest) = toml_manifest(look, &path)? else { return Ok(None) };
    let workspace = manifest.get("workspace").and_then(toml::Value::as_table);
    // A workspace that names its default members means a plain `cargo test` to be those.
    let all = workspace.is_some_and(|workspace| !workspace.contains_key("default-members"));
    let cargo = |words: &[&str]| {
        let whole: &[&str] = if all { &["--workspace"] } else { &[] };
        let argv = ["cargo"].iter().chain(&words[..1]).chain(whole).chain(&words[1..]);
        CommandLine::Argv(argv.map(|word| (*word).to_owned()).collect())
    };
    let clippy = look.answers(dir, &["cargo", "clippy", "--version"]);
    let (tool, seen) = if clippy { ("clippy", "clippy is installed") } else { ("check", "clippy is not installed") };
    let lint = cargo(&[tool, "--message-format=json"]);
    let test = cargo(&["test", "--no-fail-fast"]);
    let gates = vec![
        DetectedGate::lint(dir, lint, "cargo", format!("{path}; {seen}")).errors_block(),
        DetectedGate::test(dir, test, "libtest", path),
    ];
    Ok(Some(Found { gates, notes: Vec::new() }))
}
