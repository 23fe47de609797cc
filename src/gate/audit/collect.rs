//! Makes the audit: lockfiles are found and read, here and in the base, and held against one database. What could not be
//! audited is a problem, by name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use super::compared::{Base, Compared};
use super::settings::{LockfileSetting, Options, below};
use super::{ignores, shown};
use crate::advisory::audit::hold;
use crate::advisory::compare::compare;
use crate::advisory::index::Index;
use crate::advisory::lockfile::{self, Format, Lockfile, Why};
use crate::advisory::manifest::{self, Manifest};
use crate::advisory::yanked::{self, Releases};
use crate::gate::locate::{self, locate};
use crate::model::audit::{Audit, AuditFinding, Audited, Standing, Weight};
use crate::model::evidence::{Evidence, Parsed, Problem, ProblemKind};
use crate::model::package::{Ecosystem, Package};
use crate::world::advisories::{self, Asked, Cache, Network, Source, Wanted};
use crate::world::cargo_index::CargoIndex;
use crate::world::env::Env;
use crate::world::repo::Repo;
use crate::world::{clock, files, find, lockfiles};

/// The largest lockfile, in bytes.
const LARGEST: u64 = 256 << 20;
/// How many things a note names.
const NAMED: usize = 5;

/// Where an audit takes place.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    /// What paths are relative to: the repository's root, or where the command was started.
    pub root: &'a Path,
    /// The folder that is audited, below it.
    pub dir: &'a str,
    /// Knows what git ignores; `None` outside of a repository.
    pub repo: Option<&'a Repo>,
    /// With what is compared; `None`: everything is judged.
    pub compared: Option<Compared<'a>>,
    /// Where the cache and mirrors are.
    pub env: &'a Env,
    /// What stands on the default branch is judged.
    pub scheduled: bool,
}

/// A lockfile of the judged tree.
struct Read {
    /// Relative to the root where it is below it.
    path: String,
    format: &'static Format,
    lockfile: Lockfile,
}

/// Everything that was read before the database was asked.
#[derive(Default)]
struct Here {
    read: Vec<Read>,
    problems: Vec<String>,
    notes: Vec<String>,
    /// There is nothing to audit, and why.
    nothing: Option<String>,
}

/// Makes the audit.
pub async fn collect(options: &Options, ground: Ground<'_>) -> Evidence {
    let here = read_here(options, ground);
    let mut audit =
        Audit { bar: options.bar, lockfiles: audited(&here.read), scheduled: ground.scheduled, ..Audit::default() };
    let Here { read, mut problems, mut notes, nothing } = here;
    if read.is_empty() {
        let nothing = if problems.is_empty() { nothing } else { None };
        return evidence(ground, audit, problems, notes, nothing);
    }
    let now: Vec<_> = read.iter().map(|read| (read.path.clone(), Some(read.format))).collect();
    let base = ground.compared.map(|compared| compared.read(&now, ground.dir)).transpose();
    let entries = ignores::read(options, ground.root, ground.dir);
    let (base, entries) = match (base, entries) {
        (Ok(base), Ok(entries)) => (base, entries),
        (base, entries) => {
            problems.extend(base.err());
            problems.extend(entries.err().into_iter().flatten());
            return evidence(ground, audit, problems, notes, None);
        }
    };
    let wanted = wanted(options, ground);
    let asked = asked(&read, base.as_ref());
    let loaded = match advisories::load(&wanted, &asked).await {
        Ok(loaded) => loaded,
        Err(error) => {
            problems.push(error.to_string());
            return evidence(ground, audit, problems, notes, None);
        }
    };
    let cargo = CargoIndex::of(ground.env);
    let crates = asked.iter().filter(|(ecosystem, ..)| *ecosystem == Ecosystem::CratesIo);
    let releases = crates.filter_map(|(_, name, _)| Some((name.clone(), cargo.releases(name)?))).collect();
    let records = Records { indexes: loaded.indexes, releases };
    problems.extend(uncovered(&read, &records.indexes, loaded.database.asked));
    if options.bar.yanked == Weight::Fail {
        problems.extend(read.iter().filter_map(|read| records.unknown(read)));
    }
    audit.findings = findings(&read, base.as_ref(), &records);
    audit.database = Some(loaded.database);
    notes.extend(base.into_iter().flat_map(|base| base.notes));
    notes.extend(loaded.notes);
    let today = wanted.now.to_zoned(TimeZone::UTC).date();
    notes.extend(ignores::apply(&mut audit.findings, &entries, today, options));
    evidence(ground, audit, problems, notes, None)
}

/// Reads the lockfiles alone, without a database.
#[must_use]
pub fn packages(options: &Options, ground: Ground<'_>) -> Evidence {
    let Here { read, problems, notes, nothing } = read_here(options, ground);
    let audit = Audit { lockfiles: audited(&read), packages_only: true, ..Audit::default() };
    let nothing = if problems.is_empty() { nothing } else { None };
    evidence(ground, audit, problems, notes, nothing)
}

fn evidence(
    ground: Ground<'_>,
    audit: Audit,
    problems: Vec<String>,
    notes: Vec<String>,
    nothing: Option<String>,
) -> Evidence {
    let parsed = Parsed { findings: audit.present().map(shown::finding).collect(), ..Parsed::default() };
    let mut understood = locate(parsed, &locate::Ground::new(ground.root, ""));
    understood.audit = Some(audit);
    let unreadable = |what| Problem { kind: ProblemKind::Unreadable, what };
    Evidence {
        understood: Some(understood),
        problems: problems.into_iter().map(unreadable).collect(),
        nothing,
        notes,
        ..Evidence::default()
    }
}

fn audited(read: &[Read]) -> Vec<Audited> {
    let one = |read: &Read| Audited { path: read.path.clone(), packages: read.lockfile.packages.clone() };
    read.iter().map(one).collect()
}

fn wanted(options: &Options, ground: Ground<'_>) -> Wanted {
    let folder = below(ground.root, ground.dir, "");
    let default = if options.offline { Source::Dumps } else { Source::Service };
    let mut sources: Vec<Source> = options.databases.iter().map(|word| Source::read(word, &folder)).collect();
    if sources.is_empty() {
        sources.push(default);
    }
    Wanted {
        sources,
        offline: options.offline,
        max_age: options.max_age.0,
        max_bad: options.max_bad,
        private: options.private.clone(),
        now: clock::now(),
        cache: Cache::of(ground.env),
        network: Network::of(ground.env),
    }
}

/// Both sides are held against the same records.
fn asked(read: &[Read], base: Option<&Base>) -> BTreeSet<Asked> {
    let base = base.into_iter().flat_map(|base| base.kept.values().chain(&base.gone)).map(|old| &old.lockfile);
    let all = read.iter().map(|read| &read.lockfile).chain(base).flat_map(|lockfile| &lockfile.packages);
    all.map(|package| (package.ecosystem, package.name.clone(), package.version.clone())).collect()
}

/// Packages of which no database knows anything: that nothing was found says nothing.
fn uncovered(read: &[Read], indexes: &[Index], asked: bool) -> Vec<String> {
    let is_known = |ecosystem: Ecosystem| {
        asked || indexes.iter().any(|index| index.meta.ecosystems.contains_key(ecosystem.word()))
    };
    let missing = |read: &Read| {
        let ecosystem = read.lockfile.packages.iter().map(|package| package.ecosystem).find(|one| !is_known(*one))?;
        Some(format!("no database has a record of {ecosystem}: {} cannot be judged", read.path))
    };
    read.iter().filter_map(missing).collect()
}

/// What both sides are held against.
struct Records {
    indexes: Vec<Index>,
    /// Of crates, by name.
    releases: BTreeMap<String, Releases>,
}

impl Records {
    fn hold(&self, path: &str, packages: &[Package]) -> Vec<AuditFinding> {
        let mut held = hold(path, packages, &self.indexes);
        held.extend(yanked::find(path, packages, &self.releases).findings);
        held
    }

    /// Crates of which cargo's index does not tell whether they were taken back, where that blocks.
    fn unknown(&self, read: &Read) -> Option<String> {
        let found = yanked::find(&read.path, &read.lockfile.packages, &self.releases);
        let names: Vec<_> =
            found.unknown.iter().map(|package| format!("{} {}", package.name, package.version)).collect();
        let were = if names.len() == 1 { "was" } else { "were" };
        (!names.is_empty()).then(|| {
            format!(
                "{}: cargo's index on this machine does not tell whether {} {were} yanked: run `cargo fetch` before, or \
                 leave `yanked = \"fail\"` out",
                read.path,
                list(&names)
            )
        })
    }
}

fn findings(read: &[Read], base: Option<&Base>, records: &Records) -> Vec<AuditFinding> {
    let held = |path: &str, packages: &[Package]| records.hold(path, packages);
    let (mut all, mut moved) = (Vec::new(), Vec::new());
    for read in read {
        let mut here = held(&read.path, &read.lockfile.packages);
        match base.map(|base| base.kept.get(&read.path)) {
            None => all.append(&mut here),
            Some(Some(old)) => {
                compare(&mut here, held(&read.path, &old.lockfile.packages));
                all.append(&mut here);
            }
            // It is new; perhaps it took the place of one that is gone.
            Some(None) => moved.append(&mut here),
        }
    }
    if let Some(base) = base {
        let gone = base.gone.iter().flat_map(|old| held(&old.path, &old.lockfile.packages)).collect();
        compare(&mut moved, gone);
        all.append(&mut moved);
    }
    // What only the base has comes last.
    all.sort_by_key(|finding| finding.standing == Some(Standing::Fixed));
    all
}

fn read_here(options: &Options, ground: Ground<'_>) -> Here {
    let mut here = Here::default();
    let folder = below(ground.root, ground.dir, "");
    let places = if options.lockfiles.is_empty() { here.find(&folder, ground) } else { here.named(options, &folder) };
    let mut seen = BTreeSet::new();
    for (path, format) in places {
        if seen.insert(path.clone()) {
            here.read(&path, format, ground.root);
        }
    }
    here
}

impl Here {
    /// The lockfiles that the settings name.
    fn named(&mut self, options: &Options, folder: &Path) -> Vec<(PathBuf, Option<&'static Format>)> {
        let mut places = Vec::new();
        for LockfileSetting { format, path } in &options.lockfiles {
            let plain = folder.join(path);
            if files::is_file(&plain) {
                places.push((plain, *format));
                continue;
            }
            match find::find(folder, path) {
                Ok(found) if !found.is_empty() => places.extend(found.into_iter().map(|found| (found.path, *format))),
                Ok(_) => self.problems.push(format!("there is no lockfile {path}")),
                Err(why) => self.problems.push(why),
            }
        }
        places
    }

    /// The lockfiles that there are, and manifests that have none.
    fn find(&mut self, folder: &Path, ground: Ground<'_>) -> Vec<(PathBuf, Option<&'static Format>)> {
        let repo = ground.repo.map(|repo| (repo, ground.dir));
        let found = match lockfiles::find(folder, repo) {
            Ok(found) => found,
            Err(why) => {
                self.problems.push(why);
                return Vec::new();
            }
        };
        for path in &found.manifests {
            self.problems.extend(Self::without_lockfile(path, &found.lockfiles, folder));
        }
        if !found.samples.is_empty() {
            let what = format!("lockfile{} in folders of samples", if found.samples.len() == 1 { "" } else { "s" });
            self.notes.push(format!(
                "{} {what} {} not audited: {}",
                found.samples.len(),
                is_or_are(found.samples.len()),
                list(&found.samples)
            ));
        }
        if found.lockfiles.is_empty() {
            let place = if ground.dir.is_empty() { "here" } else { ground.dir };
            self.nothing = Some(format!(
                "there is nothing to audit: no lockfile, and no manifest that asks for packages, is {place}"
            ));
        }
        let chosen = found.lockfiles.iter().filter(|path| !is_doubled(path, &found.lockfiles));
        chosen.map(|path| place(folder.join(path))).collect()
    }

    /// A manifest whose packages no lockfile beside or above it pins.
    fn without_lockfile(path: &str, lockfiles: &[String], folder: &Path) -> Option<String> {
        let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
        let manifest: &Manifest = manifest::by_name(name)?;
        let covers = |lockfile: &String| {
            let above = lockfile.rsplit_once('/').map_or("", |(above, _)| above);
            let is_above =
                above.is_empty() || dir == above || dir.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'));
            is_above && manifest.is_pinned_by(lockfile)
        };
        if lockfiles.iter().any(covers) {
            return None;
        }
        let asks =
            files::read(&folder.join(path)).map_or(true, |bytes| manifest.asks(&String::from_utf8_lossy(&bytes)));
        let wanted = manifest.lockfiles();
        asks.then(|| format!("{path} has no lockfile ({wanted}), so that its packages are not known: {}", manifest.how))
    }

    fn read(&mut self, path: &Path, format: Option<&'static Format>, root: &Path) {
        let shown = path.strip_prefix(root).unwrap_or(path).display().to_string().replace('\\', "/");
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

/// Of two lockfiles in one folder the one that npm does not go by
/// (<https://docs.npmjs.com/cli/configuring-npm/npm-shrinkwrap-json>).
fn is_doubled(path: &str, all: &[String]) -> bool {
    let shrinkwrap = path.strip_suffix("package-lock.json").map(|dir| format!("{dir}npm-shrinkwrap.json"));
    shrinkwrap.is_some_and(|shrinkwrap| all.contains(&shrinkwrap))
}

/// A lockfile with its format, where content decides only. Before Go 1.17 go.sum alone has all modules.
fn place(path: PathBuf) -> (PathBuf, Option<&'static Format>) {
    let is_incomplete = || {
        let format = lockfile::by_name("go.mod")?;
        let bytes = files::read_capped(&path, LARGEST)?;
        matches!(format.read(&bytes), Err(lockfile::LockError::Incomplete { .. })).then_some(())
    };
    let sum = path.with_file_name("go.sum");
    if path.ends_with("go.mod") && files::is_file(&sum) && is_incomplete().is_some() {
        (sum, lockfile::find("go.sum"))
    } else {
        (path, None)
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

fn list(names: &[String]) -> String {
    let more = if names.len() > NAMED { format!(" and {} more", names.len() - NAMED) } else { String::new() };
    format!("{}{more}", names[..names.len().min(NAMED)].join(", "))
}

const fn is_or_are(number: usize) -> &'static str {
    if number == 1 { "is" } else { "are" }
}
