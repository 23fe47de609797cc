//! What a repository without a configuration file should be gated by. It decides from manifests and from which tools
//! are installed, through [`Look`]; it runs no gate. The result is the text of a gatepost.toml, read like any other.
//!
//! A detected gate holds the repository to the standard of its own tools and to no stricter one: what makes the tool
//! exit non-zero blocks, wherever it lies, and warnings are shown. So a healthy repository is green at once, with and
//! without a base to compare with, and an unhealthy one is not made to look green by judging changed lines alone.

mod fresh;
mod gate;
mod go;
mod migrations;
mod node;
mod prepare;
mod python;
pub mod reviewdog;
mod rust;
mod unrun;

use std::collections::BTreeSet;

use crate::model::gate::{GateName, Lost};
use crate::model::migration::MigrationsFolder;
use crate::model::path::RepoPath;
use crate::model::text;

pub use fresh::Fresh;
pub use gate::DetectedGate;
pub use node::SCRIPTS;
pub use prepare::{Missing, Used, missing, prepare};

/// What detection may ask. Paths are relative to the root, with `/`; `""` is the root.
pub trait Look {
    /// The text of a file; `None` when there is none.
    ///
    /// # Errors
    /// When it is there and cannot be read as text.
    fn read(&self, path: &str) -> Result<Option<String>, String>;

    /// Whether a file or folder is there.
    fn has(&self, path: &str) -> bool;

    /// The names of the folders in a folder, sorted.
    fn folders(&self, dir: &str) -> Vec<String>;

    /// The names of the files in a folder, sorted.
    fn files(&self, dir: &str) -> Vec<String>;

    /// The folders of migrations, each with whether it could be tried here.
    fn migrations(&self) -> Vec<MigrationsFolder>;

    /// How a script of the package.json in `dir`, one of [`SCRIPTS`], loses failures, where it does.
    fn lost(&self, dir: &str, script: &str) -> Option<Lost>;

    /// Whether a program, started in `dir` with a harmless argument such as `--version`, ends well.
    fn answers(&self, dir: &str, argv: &[&str]) -> bool;
}

/// What was detected; there is at least one gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    /// The gates, in the order they are written.
    pub gates: Vec<DetectedGate>,
    /// What was seen and makes no gate, or will keep one from being judged.
    pub notes: Vec<String>,
}

impl Detected {
    /// The same as the text of a gatepost.toml, each gate under a comment that says what it was made from.
    #[must_use]
    pub fn to_toml(&self) -> String {
        self.gates.iter().map(DetectedGate::to_toml).collect::<Vec<_>>().join("\n")
    }
}

/// What another tool's configuration makes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Adopted {
    /// The gates, in file order.
    pub gates: Vec<DetectedGate>,
    /// Files that the gates need: path relative to the root, and text.
    pub files: Vec<(String, String)>,
    /// What makes no gate.
    pub left: Vec<Left>,
    /// What is carried over in part.
    pub notes: Vec<String>,
}

/// Something that is not carried over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// What it is called there.
    pub name: String,
    /// What it runs.
    pub what: String,
    /// Why it is left.
    pub why: String,
}

impl Adopted {
    /// The text of a gatepost.toml; what is left stands in it as comments.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let gates = self.gates.iter().map(DetectedGate::to_toml);
        let left = self.left.iter().map(|left| {
            let what: Vec<String> = left.what.lines().map(|line| format!("#   {}\n", text::clean(line))).collect();
            format!("# Not carried over: {}, as {}.\n{}", left.name, text::one_line(&left.why, 300), what.concat())
        });
        gates.chain(left).collect::<Vec<_>>().join("\n")
    }
}

/// Why nothing was detected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DetectError {
    /// There is nothing to go by.
    #[error("there is no gatepost.toml, and nothing to gate was detected")]
    Nothing {
        /// What was seen and makes no gate.
        notes: Vec<String>,
    },
    /// A manifest is there and says nothing that can be understood. What it asks for is not known, so it is not left out.
    #[error("cannot detect gates: {path} {what}; mend it, or write a gatepost.toml")]
    Manifest {
        /// The file.
        path: String,
        /// What is wrong with it.
        what: String,
    },
}

impl DetectError {
    /// What was looked for and what to do next, in lines of their own.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let Self::Nothing { notes } = self else { return None };
        let seen = notes.iter().map(|note| format!("- {}\n", text::one_line(note, 300)));
        Some(format!("{LOOKED_FOR}{}{SKELETON}", seen.collect::<String>()))
    }
}

const LOOKED_FOR: &str = "\
looked in the root and the folders in it for Cargo.toml, package.json with a script
`lint` or `test`, ruff or pytest in a Python project, go.mod, go.work and folders of
migrations
";
const SKELETON: &str = "\
a gatepost.toml needs no more than this:
[gates.test]
kind = \"command\"       # judged by its exit status
command = \"make test\"";

/// What one stack made of one folder.
#[derive(Debug, Default)]
struct Found {
    gates: Vec<DetectedGate>,
    notes: Vec<String>,
}

/// Looks at one folder for one language's manifest; `None` when it has none.
type Stack = fn(&dyn Look, &str) -> Result<Option<Found>, DetectError>;

const STACKS: [(&str, Stack); 4] =
    [("rust", rust::detect), ("node", node::detect), ("python", python::detect), ("go", go::detect)];

/// Folders in the root that hold other people's code, samples or output.
const PASSED_OVER: &[&str] = &[
    "build",
    "dist",
    "docs",
    "examples",
    "fixtures",
    "node_modules",
    "target",
    "testdata",
    "tests",
    "third_party",
    "vendor",
];

/// Whether a folder of the root holds other people's code, samples or output, or cannot be named.
#[must_use]
pub fn is_passed_over(folder: &str) -> bool {
    !clean(folder) || folder.starts_with('.') || PASSED_OVER.contains(&folder)
}

/// Detects the gates of a repository. A language that has no gate in the root is looked for one folder down.
///
/// # Errors
/// When there is nothing to go by, or a manifest cannot be understood.
pub fn detect(look: &dyn Look) -> Result<Detected, DetectError> {
    let mut stacks: Vec<(&str, Vec<Found>)> = Vec::new();
    for (stack, detect) in STACKS {
        let mut found: Vec<Found> = detect(look, "")?.into_iter().collect();
        if found.iter().all(|found| found.gates.is_empty()) {
            for folder in look.folders("") {
                if !is_passed_over(&folder) {
                    found.extend(detect(look, &folder)?);
                }
            }
        }
        stacks.push((stack, found));
    }
    let mut notes: Vec<String> =
        stacks.iter().flat_map(|(_, found)| found).flat_map(|found| found.notes.clone()).collect();
    stacks.retain(|(_, found)| found.iter().any(|found| !found.gates.is_empty()));
    let several = stacks.len() > 1;
    let mut gates: Vec<DetectedGate> = Vec::new();
    for (stack, found) in stacks {
        for mut gate in found.into_iter().flat_map(|found| found.gates) {
            let stem = if several { format!("{stack}-{}", gate.name) } else { gate.name.clone() };
            gate.name = free_name(&stem, &gate.dir, &gates);
            gates.push(gate);
        }
    }
    let (of_migrations, further) = migrations::detect(look);
    for mut gate in of_migrations {
        gate.name = free_name(&gate.name, &migrations::of(&gate), &gates);
        gates.push(gate);
    }
    notes.extend(further);
    // A member of a workspace may be looked at once more as a folder of the root.
    let mut seen = BTreeSet::new();
    notes.retain(|note| seen.insert(note.clone()));
    if gates.is_empty() { Err(DetectError::Nothing { notes }) } else { Ok(Detected { gates, notes }) }
}

/// `test`, or for a folder `test-api`, numbered where it is taken.
fn free_name(stem: &str, dir: &str, taken: &[DetectedGate]) -> String {
    let folder = dir.rsplit('/').next().unwrap_or_default();
    let folder: String = folder
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-') { c } else { '-' })
        .take(32)
        .collect();
    let name = if folder.is_empty() { stem.to_owned() } else { format!("{stem}-{folder}") };
    let free =
        |name: &String| GateName::parse(name).is_ok() && !taken.iter().any(|gate| gate.name.eq_ignore_ascii_case(name));
    let mut names = std::iter::once(name.clone()).chain((2..).map(|number| format!("{name}-{number}")));
    names.find(free).unwrap_or(name)
}

/// Whether a folder can be written as `dir`: relative, inside, without control characters.
fn clean(folder: &str) -> bool {
    RepoPath::parse(folder).is_ok_and(|path| path.as_str() == folder)
}

/// A path in a folder.
fn inside(dir: &str, name: &str) -> String {
    if dir.is_empty() { name.to_owned() } else { format!("{dir}/{name}") }
}

/// The text of a manifest.
fn manifest(look: &dyn Look, path: &str) -> Result<Option<String>, DetectError> {
    look.read(path).map_err(|what| DetectError::Manifest { path: path.to_owned(), what })
}

/// A TOML manifest.
fn toml_manifest(look: &dyn Look, path: &str) -> Result<Option<toml::Table>, DetectError> {
    let Some(text) = manifest(look, path)? else { return Ok(None) };
    // The message alone: the error's own text quotes the file.
    let wrong = |error: toml::de::Error| DetectError::Manifest {
        path: path.to_owned(),
        what: format!("is not TOML: {}", error.message()),
    };
    toml::from_str(&text).map(Some).map_err(wrong)
}
