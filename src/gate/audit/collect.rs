//! Makes the audit: the lockfiles, here and in the base, are held against one database. What could not be audited is a
//! problem, by name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::tz::TimeZone;

use super::compared::{Base, Compared};
use super::here::{Here, Read, list, read_here};
use super::settings::{Options, below};
use super::{ignores, shown};
use crate::advisory::audit::hold;
use crate::advisory::compare::compare;
use crate::advisory::ignore;
use crate::advisory::index::Index;
use crate::advisory::yanked::{self, Releases};
use crate::gate::ground::Ground as Places;
use crate::gate::locate::locate;
use crate::model::audit::{Audit, AuditFinding, Audited, Standing, Weight};
use crate::model::evidence::{Evidence, Parsed, Problem, ProblemKind};
use crate::model::package::{Ecosystem, Package};
use crate::world::advisories::{self, Asked, Cache, Network, Source, Wanted};
use crate::world::cargo_index::CargoIndex;
use crate::world::clock;
use crate::world::env::Env;
use crate::world::repo::Repo;

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

/// Makes the audit.
pub async fn collect(options: &Options, ground: Ground<'_>) -> Evidence {
    let here = read_here(options, ground);
    let mut audit =
        Audit { bar: options.bar, lockfiles: audited(&here.read), scheduled: ground.scheduled, ..Audit::default() };
    let Here { read, mut problems, mut notes, nothing, .. } = here;
    if read.is_empty() {
        let nothing = if problems.is_empty() { nothing } else { None };
        return evidence(ground, audit, problems, notes, nothing);
    }
    let now: Vec<_> = read.iter().map(|read| (read.path.clone(), Some(read.format))).collect();
    let base =
        ground.compared.map(|compared| compared.read(&now, &|path| options.audits(path, ground.dir))).transpose();
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
    problems.extend(uncovered(&read, &records.indexes, loaded.is_asked));
    if options.bar.yanked == Weight::Fail {
        problems.extend(read.iter().filter_map(|read| records.unknown(read)));
    }
    audit.findings = findings(&read, base.as_ref(), &records);
    audit.database = Some(loaded.database);
    notes.extend(base.into_iter().flat_map(|base| base.notes));
    notes.extend(loaded.notes);
    let today = wanted.now.to_zoned(TimeZone::UTC).date();
    notes.extend(ignore::apply(&mut audit.findings, &entries, today, options.warn_before));
    evidence(ground, audit, problems, notes, None)
}

/// Reads the lockfiles alone, without a database.
#[must_use]
pub fn packages(options: &Options, ground: Ground<'_>) -> Evidence {
    let Here { read, problems, notes, nothing, .. } = read_here(options, ground);
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
    let mut understood = locate(parsed, &Places::new(ground.root, ""));
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
