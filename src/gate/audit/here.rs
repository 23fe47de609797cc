//! What there is to audit in the judged tree: lockfiles are found and read, and manifests that none of them pins are told
//! of.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Ground;
use super::settings::{LockfileSetting, Options, below};
use crate::advisory::lockfile::{self, Format, Lockfile, Why};
use crate::advisory::manifest::{self, Manifest};
use crate::advisory::record::normal_name;
use crate::model::package::Ecosystem;
use crate::world::lockfiles::Found;
use crate::world::{files, find, lockfiles};

/// The largest lockfile, in bytes.
const LARGEST: u64 = 256 << 20;
/// How many things a note names.
const NAMED: usize = 5;

/// A lockfile of the judged tree.
pub(super) struct Read {
    /// Relative to the root where it is below it.
    pub path: String,
    pub format: &'static Format,
    pub lockfile: Lockfile,
}

/// Everything that was read before the database was asked.
#[derive(Default)]
pub(super) struct Here {
    pub read: Vec<Read>,
    pub problems: Vec<String>,
    pub notes: Vec<String>,
    /// There is nothing to audit, and why.
    pub nothing: Option<String>,
}

/// A lockfile that is to be read.
struct Place {
    path: PathBuf,
    /// Where content and name do not decide.
    format: Option<&'static Format>,
    /// By which name it was found, relative to the folder; none where the settings name it.
    stands: String,
}

/// Reads the lockfiles that the settings name, or else those that there are.
pub(super) fn read_here(options: &Options, ground: Ground<'_>) -> Here {
    let mut here = Here::default();
    let folder = below(ground.root, ground.dir, "");
    let mut manifests = Vec::new();
    let places = if options.lockfiles.is_empty() {
        let found = here.find(&folder, ground);
        manifests.clone_from(&found.manifests);
        places(&found, &folder)
    } else {
        here.named(options, &folder)
    };
    let mut seen = BTreeSet::new();
    for place in &places {
        if seen.insert(&place.path) {
            here.read(&place.path, place.format, ground.root);
        }
    }
    for path in &manifests {
        here.manifest(path, &places, &folder, ground.root);
    }
    here
}

impl Here {
    /// The lockfiles that the settings name.
    fn named(&mut self, options: &Options, folder: &Path) -> Vec<Place> {
        let mut places = Vec::new();
        let named = |path: PathBuf, format| Place { path, format, stands: String::new() };
        for LockfileSetting { format, path } in &options.lockfiles {
            let plain = folder.join(path);
            if files::is_file(&plain) {
                places.push(named(plain, *format));
                continue;
            }
            match find::find(folder, path) {
                Ok(found) if !found.is_empty() => {
                    places.extend(found.into_iter().map(|found| named(found.path, *format)));
                }
                Ok(_) => self.problems.push(format!("there is no lockfile {path}")),
                Err(why) => self.problems.push(why),
            }
        }
        places
    }

    /// What there is, and notes of what of it is not audited.
    fn find(&mut self, folder: &Path, ground: Ground<'_>) -> Found {
        let repo = ground.repo.map(|repo| (repo, ground.dir));
        let found = match lockfiles::find(folder, ground.root, repo) {
            Ok(found) => found,
            Err(why) => {
                self.problems.push(why);
                return Found::default();
            }
        };
        let not_audited = |what: &str, place: &str, names: &[String]| {
            let (plural, are) = if names.len() == 1 { ("", "is") } else { ("s", "are") };
            format!("{} {what}{plural} {place} {are} not audited: {}", names.len(), list(names))
        };
        if !found.samples.is_empty() {
            self.notes.push(not_audited("lockfile", "in folders of samples", &found.samples));
        }
        if !found.astray.is_empty() {
            self.problems.push(not_audited("link", "to what is not here", &found.astray));
        }
        self.problems.extend(found.unread.iter().cloned());
        let none = found.lockfiles.is_empty() && found.links.is_empty();
        match (none, found.foreign.is_empty()) {
            (true, true) if !found.unread.is_empty() => {}
            (true, true) => {
                let place = if ground.dir.is_empty() { "here" } else { ground.dir };
                self.nothing = Some(format!(
                    "there is nothing to audit: no lockfile, and no manifest that asks for packages, is {place}"
                ));
            }
            (true, false) => self.problems.push(format!(
                "no lockfile that can be read is here, but there is what asks for packages: {}",
                list(&found.foreign)
            )),
            (false, false) => self.notes.push(not_audited("file", "of other package managers", &found.foreign)),
            (false, true) => {}
        }
        found
    }

    /// A manifest whose packages no lockfile pins is a problem.
    fn manifest(&mut self, path: &str, places: &[Place], folder: &Path, root: &Path) {
        let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
        let Some(manifest) = manifest::by_name(name) else { return };
        let Ok(bytes) = files::read(&folder.join(path)) else {
            return self.problems.push(format!("{path} cannot be read, so that what it asks for is not known"));
        };
        let text = String::from_utf8_lossy(&bytes);
        if !manifest.asks(&text) {
            return;
        }
        let near = places.iter().filter(|place| manifest.is_pinned_by(&place.stands));
        let near = near.filter_map(|place| Some((place, way(&place.stands, dir)?)));
        match self.unpinned(manifest, &text, near, root) {
            Some(left) if left.is_empty() => {}
            Some(left) => {
                self.notes.push(format!("{path} asks for what no lockfile pins, and is not audited: {}", list(&left)));
            }
            None => self.problems.push(format!(
                "{path} has no lockfile ({}), so that its packages are not known: {}",
                manifest.lockfiles(),
                manifest.how
            )),
        }
    }

    /// What of a manifest none of the lockfiles beside or above it pins; `None`: nothing of it is pinned.
    fn unpinned<'p>(
        &self,
        manifest: &Manifest,
        text: &str,
        near: impl Iterator<Item = (&'p Place, &'p str)>,
        root: &Path,
    ) -> Option<Vec<String>> {
        let mut left = manifest.names(text);
        let names = left.len();
        let mut by_requirements = false;
        for (place, way) in near {
            let path = shown(&place.path, root);
            // What could not be read is a problem already.
            let Some(read) = self.read.iter().find(|read| read.path == path) else { return Some(Vec::new()) };
            if read.format.name == "requirements" {
                left.retain(|name| !holds(&read.lockfile, name));
                by_requirements |= names == 0 && way.is_empty();
            } else if manifest.is_of(text, way, &read.lockfile) || is_workspace(read, &place.path, way) {
                return Some(Vec::new());
            }
        }
        (by_requirements || left.len() < names).then(|| left.into_iter().collect())
    }

    fn read(&mut self, path: &Path, format: Option<&'static Format>, root: &Path) {
        let shown = shown(path, root);
        let Some(bytes) = files::read_capped(path, LARGEST) else {
            self.problems.push(format!("{shown} is larger than {} MiB, or cannot be read", LARGEST >> 20));
            return;
        };
        let known = format.or_else(|| lockfile::by_name(&shown)).or_else(|| lockfile::by_content(&bytes));
        let Some(format) = known else {
            let names: Vec<&str> = lockfile::ALL.iter().map(|format| format.name).collect();
            let names = names.join(", ");
            self.problems.push(format!("{shown} is of no known format: write FORMAT:{shown} with one of {names}"));
            return;
        };
        match format.read(&bytes) {
            Ok(lockfile) => {
                self.notes.extend(lockfile.notes.iter().map(|note| format!("{shown}: {note}")));
                self.notes.extend(passed_over(&shown, &lockfile));
                self.read.push(Read { path: shown, format, lockfile });
            }
            Err(error) => self.problems.push(format!("{shown} cannot be audited: {error}")),
        }
    }
}

/// The lockfiles to be read.
fn places(found: &Found, folder: &Path) -> Vec<Place> {
    let chosen = found.lockfiles.iter().filter(|path| !is_doubled(path, &found.lockfiles));
    let linked = found.links.iter().map(|(stands, path)| Place {
        path: path.clone(),
        format: lockfile::by_name(stands),
        stands: stands.clone(),
    });
    chosen.map(|stands| place(folder.join(stands), stands.clone())).chain(linked).collect()
}

fn shown(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string().replace('\\', "/")
}

/// The folder of a manifest relative to that of a lockfile beside or above it.
fn way<'d>(lockfile: &str, dir: &'d str) -> Option<&'d str> {
    let above = lockfile.rsplit_once('/').map_or("", |(above, _)| above);
    let rest = dir.strip_prefix(above)?;
    if above.is_empty() || rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

fn holds(lockfile: &Lockfile, name: &str) -> bool {
    let others = lockfile.passed_over.iter().map(|entry| &entry.name);
    let mut names = lockfile.packages.iter().map(|package| &package.name).chain(others);
    names.any(|held| normal_name(Ecosystem::PyPi, held) == name)
}

/// A lockfile of Yarn 1 does not name the projects of its workspace: the package.json beside it does.
fn is_workspace(read: &Read, path: &Path, way: &str) -> bool {
    read.format.name == "yarn"
        && read.lockfile.folders.is_empty()
        && files::read(&path.with_file_name("package.json"))
            .is_ok_and(|bytes| manifest::has_workspace(&String::from_utf8_lossy(&bytes), way))
}

/// Of two lockfiles in one folder the one that npm does not go by
/// (<https://docs.npmjs.com/cli/configuring-npm/npm-shrinkwrap-json>).
fn is_doubled(path: &str, all: &[String]) -> bool {
    let shrinkwrap = path.strip_suffix("package-lock.json").map(|dir| format!("{dir}npm-shrinkwrap.json"));
    shrinkwrap.is_some_and(|shrinkwrap| all.contains(&shrinkwrap))
}

/// Content decides only before Go 1.17: there go.sum alone has all modules.
fn place(path: PathBuf, stands: String) -> Place {
    let is_incomplete = || {
        let format = lockfile::by_name("go.mod")?;
        let bytes = files::read_capped(&path, LARGEST)?;
        matches!(format.read(&bytes), Err(lockfile::LockError::Incomplete { .. })).then_some(())
    };
    let sum = path.with_file_name("go.sum");
    if path.ends_with("go.mod") && files::is_file(&sum) && is_incomplete().is_some() {
        Place { path: sum, format: lockfile::find("go.sum"), stands }
    } else {
        Place { path, format: None, stands }
    }
}

/// What no advisory can be looked up for, but for the project's own packages.
fn passed_over(path: &str, lockfile: &Lockfile) -> Option<String> {
    let others: Vec<String> = lockfile
        .passed_over
        .iter()
        .filter(|entry| entry.why != Why::Own)
        .map(|entry| format!("{} is {}", entry.name, entry.why.words()))
        .collect();
    let number = others.len();
    let plural = if number == 1 { "entry" } else { "entries" };
    (number > 0).then(|| format!("{path}: {number} {plural} could not be looked up: {}", list(&others)))
}

pub(super) fn list(names: &[String]) -> String {
    let more = if names.len() > NAMED { format!(" and {} more", names.len() - NAMED) } else { String::new() };
    format!("{}{more}", names[..names.len().min(NAMED)].join(", "))
}
