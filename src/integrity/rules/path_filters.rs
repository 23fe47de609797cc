//! GI114: path filters that leave files of the repository without any gate.

use regex::Regex;

use super::{Hits, Rule, with_help};
use crate::integrity::ground::Ground;
use crate::integrity::workflow::Workflow;
use crate::model::finding::Level;
use crate::model::yaml::Node;

pub(super) static GI114: Rule = Rule {
    id: "GI114",
    title: "path filters under which a change to code, a manifest or a workflow runs no gate",
    level: Level::Warning,
    why: "A change to such a file alone starts no gate at all: a lock file, a build script or the workflow itself can be changed unseen.",
    safe: "Filter only what no gate reads: `paths-ignore: ['**.md', 'docs/**']`. In a list of `paths`, name manifests, lock files, build scripts and \
           the workflow itself.",
    false_positives: "Left alone: documentation, pictures, licences, what belongs to editors and to other services, and files for which some other \
                      workflow with a gate runs. Filters inside jobs are not read.",
    check,
};

/// Endings and names of files that gates are for.
const CODE: &[&str] = &[
    ".rs", ".go", ".py", ".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".java", ".kt", ".scala", ".c", ".cc", ".cpp",
    ".h", ".hpp", ".cs", ".rb", ".php", ".swift", ".ex", ".exs", ".zig", ".sql", ".vue", ".svelte",
];
const MANIFESTS: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "package.json",
    "package-lock.json",
    "pnpm-lock.yaml",
    "yarn.lock",
    "go.mod",
    "go.sum",
    "pyproject.toml",
    "poetry.lock",
    "uv.lock",
    "requirements.txt",
    "setup.py",
    "setup.cfg",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "Gemfile",
    "Gemfile.lock",
    "composer.json",
    "composer.lock",
    "Makefile",
    "CMakeLists.txt",
    "rust-toolchain.toml",
    "tsconfig.json",
];
/// Folders whose code nobody ships.
const ASIDE: &[&str] = &[
    "docs/",
    "doc/",
    "examples/",
    "example/",
    "website/",
    "site/",
    "benches/",
    "benchmark/",
    "benchmarks/",
    ".vscode/",
    "scripts/",
    "tools/",
    "vendor/",
    "third_party/",
];

fn check(ground: &Ground, hits: &mut Hits<'_>) {
    let event = ["pull_request", "push"].into_iter().find(|event| gated(ground, event).next().is_some());
    let Some(event) = event else { return };
    let filters: Vec<Option<Filter>> = gated(ground, event).map(|workflow| Filter::of(workflow, event)).collect();
    // One gate without a filter sees every change; one with a filter that is not understood might.
    if filters.is_empty() || filters.iter().any(|filter| filter.as_ref().is_none_or(|filter| !filter.understood)) {
        return;
    }
    let filters: Vec<Filter> = filters.into_iter().flatten().collect();
    let unseen: Vec<&str> = ground
        .paths
        .iter()
        .map(String::as_str)
        .filter(|path| matters(ground, path) && !filters.iter().any(|filter| filter.lets_through(path)))
        .collect();
    let Some(first) = gated(ground, event).next() else { return };
    let Some((_, value)) = entry(first, event) else { return };
    if unseen.is_empty() {
        return;
    }
    let shown: Vec<String> =
        unseen.iter().take(3).map(|path| format!("`{}`", crate::model::text::one_line(path, 80))).collect();
    let more =
        if unseen.len() > shown.len() { format!(" and {} more", unseen.len() - shown.len()) } else { String::new() };
    let what = format!("a change to {}{more} alone runs no gate", shown.join(", "));
    let help = "add such files to `paths`, or take them out of `paths-ignore`";
    if let Some(job) = first.jobs.first() {
        hits.in_job((first, job), value.entry_span(), true, with_help(&what, help), None);
    }
}

fn matters(ground: &Ground, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let in_workflows = ground.workflows.iter().any(|workflow| {
        let has_gate = || workflow.jobs.iter().any(|job| ground.gate_of_job(job).is_some_and(|gate| gate.sure));
        ground.sources[workflow.file].path == path && !workflow.action && workflow.judges_changes() && has_gate()
    });
    let aside = ASIDE.iter().any(|folder| path.starts_with(folder) || path.contains(&format!("/{folder}")));
    in_workflows
        || (!aside
            && !path.starts_with('.')
            && (CODE.iter().any(|ending| name.ends_with(ending)) || MANIFESTS.contains(&name)))
}

/// Workflows that run on an event and have a gate.
fn gated<'a>(ground: &'a Ground, event: &'a str) -> impl Iterator<Item = &'a Workflow> {
    ground.workflows.iter().filter(move |workflow| {
        workflow.wakes_on(event)
            && workflow.jobs.iter().any(|job| ground.gate_of_job(job).is_some_and(|gate| gate.sure))
    })
}

/// The filter of an event, and whether it says what to ignore.
fn entry<'a>(workflow: &'a Workflow, event: &str) -> Option<(bool, &'a Node)> {
    let (_, settings) = workflow.events.iter().find(|(name, _)| name == event)?;
    let settings = settings.as_ref()?;
    settings.get("paths").map(|list| (false, list)).or_else(|| settings.get("paths-ignore").map(|list| (true, list)))
}

/// `paths` or `paths-ignore`, with patterns as
/// <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet> has them.
struct Filter {
    ignoring: bool,
    /// The pattern, and whether it takes away.
    patterns: Vec<(Regex, bool)>,
    understood: bool,
}

impl Filter {
    fn of(workflow: &Workflow, event: &str) -> Option<Self> {
        let (ignoring, value) = entry(workflow, event)?;
        let mut filter = Self { ignoring, patterns: Vec::new(), understood: true };
        for pattern in value.texts() {
            let (negative, pattern) = pattern.strip_prefix('!').map_or((false, pattern), |pattern| (true, pattern));
            match Regex::new(&as_regex(pattern)) {
                Ok(regex) => filter.patterns.push((regex, negative)),
                Err(_) => filter.understood = false,
            }
        }
        Some(filter)
    }

    /// Whether a change to this file alone starts the workflow.
    fn lets_through(&self, path: &str) -> bool {
        let matched = self.patterns.iter().fold(
            false,
            |matched, (pattern, negative)| {
                if pattern.is_match(path) { !negative } else { matched }
            },
        );
        matched != self.ignoring
    }
}

fn as_regex(pattern: &str) -> String {
    let chars: Vec<char> = pattern.chars().collect();
    let mut out = String::from("^");
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        at += 1;
        match c {
            '*' if chars.get(at) == Some(&'*') => {
                at += 1;
                if chars.get(at) == Some(&'/') {
                    at += 1;
                    out += "(?:.*/)?";
                } else {
                    out += ".*";
                }
            }
            '*' => out += "[^/]*",
            '?' | '+' | '[' | ']' => out.push(c),
            other => out += &regex::escape(&other.to_string()),
        }
    }
    out + "$"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_on_github() {
        for (pattern, path, matches) in [
            ("**.md", "docs/a.md", true),
            ("*.md", "docs/a.md", false),
            ("docs/**", "docs/a/b.txt", true),
            ("**/README.md", "README.md", true),
            ("src/**/*.rs", "src/a.rs", true),
            ("*.jsx?", "page.js", true),
            ("[CB]at", "Cat", true),
        ] {
            assert_eq!(Regex::new(&as_regex(pattern)).unwrap().is_match(path), matches, "{pattern} {path}");
        }
    }
}
