//! Go: vet and test, for one module or the modules of a workspace.

use super::gate::DetectedGate;
use super::{DetectError, Found, Look, inside, manifest};
use crate::model::settings::CommandLine;

/// Looks for go.work and go.mod.
pub(super) fn detect(look: &dyn Look, dir: &str) -> Result<Option<Found>, DetectError> {
    let workspace = inside(dir, "go.work");
    let (path, packages) = match manifest(look, &workspace)? {
        Some(text) => (workspace, modules(&text)),
        None if look.has(&inside(dir, "go.mod")) => (inside(dir, "go.mod"), vec!["./...".to_owned()]),
        None => return Ok(None),
    };
    if packages.is_empty() {
        let notes = vec![format!("{path} uses no module")];
        return Ok(Some(Found { gates: Vec::new(), notes }));
    }
    let go = |tool: &[&str]| {
        let words = std::iter::once("go").chain(tool.iter().copied()).map(str::to_owned);
        CommandLine::Argv(words.chain(packages.clone()).collect())
    };
    let gates = vec![
        DetectedGate::lint(dir, go(&["vet"]), "gcc", path.clone()),
        DetectedGate::test(dir, go(&["test", "-json"]), "gotest", path),
    ];
    Ok(Some(Found { gates, notes: Vec::new() }))
}

/// The package patterns of a workspace's modules: `use ./a`, or `use ( ./a … )` over lines
/// (<https://go.dev/ref/mod#go-work-file>).
fn modules(text: &str) -> Vec<String> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in text.lines() {
        let line = line.split("//").next().unwrap_or_default().trim();
        let module = match line.strip_prefix("use") {
            Some(rest) if rest.trim_start().starts_with('(') => {
                inside = true;
                continue;
            }
            Some(rest) if rest.starts_with([' ', '\t']) => rest.trim(),
            _ if line == ")" => {
                inside = false;
                continue;
            }
            _ if inside => line,
            _ => continue,
        };
        let module = module.trim_matches('"').trim_start_matches("./").trim_end_matches('/');
        match module {
            "" => {}
            "." => found.push("./...".to_owned()),
            module => found.push(format!("./{module}/...")),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workspaces_name_their_modules() {
        let text = "go 1.22\n\nuse . // the root\nuse (\n\t./api\n\t\"./web/\"\n)\nreplace (\n\t./x => ./y\n)\n";
        assert_eq!(modules(text), ["./...", "./api/...", "./web/..."]);
        assert!(modules("go 1.22\n").is_empty());
    }
}
