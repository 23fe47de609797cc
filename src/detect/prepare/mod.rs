//! What a fresh checkout on GitHub's `ubuntu-latest` needs before its gates can run: the packages of the folders they run
//! in, by the manager they use. What only this machine has is not counted on: it is asked through [`Fresh`](super::Fresh).

mod node;
mod python;

use std::collections::{BTreeMap, BTreeSet};

use super::{Look, clean};
use crate::model::install::Install;

pub(super) use node::brings;

/// Programs that need no packages of Node or Python, however they are called.
const ALONE: &[&str] =
    &["cargo", "cargo-clippy", "cargo-fmt", "cargo-nextest", "go", "gofmt", "golangci-lint", "rustc", "rustfmt"];

/// A folder that a gate runs in, and the programs that the gate starts there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// Relative to the configuration's folder; `""` is that folder.
    pub dir: String,
    /// Names, or paths from that folder.
    pub programs: Vec<String>,
}

/// Programs by the folder whose packages they need.
type Wanted = BTreeMap<String, BTreeSet<String>>;

/// The steps, folder by folder.
#[must_use]
pub fn prepare(look: &dyn Look, used: &[Used]) -> Vec<Install> {
    let mut of_node = Wanted::new();
    let mut of_python = Wanted::new();
    // An expression of a workflow in a folder's name would be evaluated.
    for one in used.iter().filter(|one| (one.dir.is_empty() || clean(&one.dir)) && !one.dir.contains("${{")) {
        let names: BTreeSet<String> = one.programs.iter().map(|path| name(path).to_owned()).collect();
        let node = one.programs.iter().any(|path| node::is_of(path));
        let python = one.programs.iter().any(|path| python::is_of(path));
        // Of `make test` and the like it is not known what they need: what has a lock file can be installed for certain.
        let open = !node && !python && names.iter().any(|name| !ALONE.contains(&name.as_str()));
        for (wanted, sure, root, locked) in [
            (&mut of_node, node, node::root(look, &one.dir), node::is_locked as fn(&dyn Look, &str) -> bool),
            (&mut of_python, python, python::root(look, &one.dir), python::is_locked),
        ] {
            if let Some(root) = root
                && (sure || open && locked(look, &root))
            {
                wanted.entry(root).or_default().extend(names.clone());
            }
        }
    }
    let node = of_node.iter().filter_map(|(dir, programs)| node::install(look, dir, programs));
    let python = of_python.iter().filter_map(|(dir, programs)| python::install(look, dir, programs));
    let mut steps: Vec<Install> = node.chain(python).collect();
    steps.sort_by(|one, other| one.dir.cmp(&other.dir));
    steps
}

/// Packages that a folder asks for and does not have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// The folder that they would be in.
    pub folder: String,
    /// What asks for them.
    pub manifest: String,
    /// What installs them.
    pub command: String,
}

/// Packages of Node that a gate's scripts may need, where no folder for them is here at all.
#[must_use]
pub fn missing(look: &dyn Look, used: &Used) -> Option<Missing> {
    let started = used.programs.iter().any(|program| node::is_manager(program));
    if started { node::missing(look, &used.dir) } else { None }
}

/// Whether a file counts only where git has it: what tools write, and what `prepare` installs from by name.
pub(super) fn is_counted_when_tracked(path: &str) -> bool {
    let name = name(path);
    node::is_lock(name) || python::is_lock(name) || name.strip_suffix(".txt").is_some()
}

/// Whether `prepare` installs a program, where its folder asks for it.
pub(super) fn is_installed(look: &dyn Look, dir: &str, program: &str) -> bool {
    node::is_manager(program) || python::is_installed(look, dir, program)
}

/// The lock files of a folder, as their tools call them.
pub(super) fn locks() -> impl Iterator<Item = &'static str> {
    node::locks().chain(python::locks())
}

/// A program without its folder.
fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A folder and those above it, up to the configuration's.
fn upward(dir: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(dir), |dir| {
        (!dir.is_empty()).then(|| dir.rsplit_once('/').map_or("", |(above, _)| above))
    })
}
