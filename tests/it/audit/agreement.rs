//! On a Cargo.lock the audit says what the crate `rustsec` says, which is the engine of cargo-audit, of the same database.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use gatepost::advisory::matching::{Affected, affects};
use gatepost::advisory::rustsec as ours;
use gatepost::advisory::version::Version;
use gatepost::model::package::Ecosystem;
use proptest::prelude::*;
use rustsec::database::Query;
use serde_json::Value;

use super::{Place, today};

/// The shapes that `patched` and `unaffected` have in the real database, around a version: `patched; unaffected`.
const SHAPES: &[&str] = &[
    "; ",
    ">= {next}; ",
    ">= {this}; ",
    "> {this}; < {this}",
    ">= {this}, < {next}; ",
    ">= 999.0.0; < {this}",
    "; <= {this}",
    "; > {this}",
    "= {this}; ",
    "~{major}.{minor}; ",
    "~{major}.{minor} | >= 999; ",
    "^{major} | >= 999; ",
    ">= {this}-0; ",
    "> {this}-rc.1; < 0.0.0",
    ">= {next}; < {this}-alpha",
];

fn lockfiles() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(root.join("fixtures/audit/lockfiles")).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.push(root.join("Cargo.lock"));
    found.sort();
    found
}

/// A record about a package; `number` decides about its shape.
fn record(number: usize, name: &str, version: &semver::Version) -> String {
    let next = semver::Version::new(version.major, version.minor, version.patch + 1);
    let plain = semver::Version::new(version.major, version.minor, version.patch);
    let shape = SHAPES[number % SHAPES.len()]
        .replace("{next}", &next.to_string())
        .replace("{this}-", &format!("{plain}-"))
        .replace("{this}", &version.to_string())
        .replace("{major}", &version.major.to_string())
        .replace("{minor}", &version.minor.to_string());
    let (patched, unaffected) = shape.split_once(';').unwrap();
    let list = |text: &str| {
        let each: Vec<String> =
            text.split('|').map(str::trim).filter(|one| !one.is_empty()).map(|one| format!("\"{one}\"")).collect();
        each.join(", ")
    };
    let withdrawn = if number % 17 == 3 { "withdrawn = \"2026-01-02\"\n" } else { "" };
    let informational = if number % 11 == 5 { "informational = \"unmaintained\"\n" } else { "" };
    format!(
        "```toml\n[advisory]\nid = \"RUSTSEC-2026-{number:04}\"\npackage = \"{name}\"\ndate = \"{}\"\n{withdrawn}{informational}\n\
         [versions]\npatched = [{}]\nunaffected = [{}]\n```\n\n# Advisory {number}\n\nWords.\n",
        today(),
        list(patched),
        list(unaffected),
    )
}

#[test]
fn on_real_lockfiles_the_same_advisories_are_found() {
    let place = Place::new();
    let mut packages = BTreeSet::new();
    for file in lockfiles() {
        let lockfile = rustsec::Lockfile::load(&file).unwrap();
        let known = lockfile.packages.into_iter().filter(|package| package.source.is_some());
        packages.extend(known.map(|package| (package.name.to_string(), package.version)));
    }
    assert!(packages.len() > 500, "{}", packages.len());
    for (number, (name, version)) in packages.iter().enumerate().map(|(at, package)| (at + 1, package)) {
        let path = format!("../db/crates/{name}/RUSTSEC-2026-{number:04}.md");
        place.tree.write(&path, record(number, name, version));
    }
    let database = rustsec::Database::open(&place.beside("db")).unwrap();
    let mut all = 0;
    for file in lockfiles() {
        let lockfile = rustsec::Lockfile::load(&file).unwrap();
        let mut theirs = BTreeSet::new();
        for query in [Query::crate_scope(), Query::crate_scope().informational(true)] {
            let found = database.query_vulnerabilities(&lockfile, &query);
            theirs.extend(found.into_iter().map(|found| {
                (found.advisory.id.to_string(), found.package.name.to_string(), found.package.version.to_string())
            }));
        }
        let report = place.json(&["--lockfile", &format!("cargo:{}", file.display())]);
        assert_eq!(report["database"]["skipped"], 0, "{}", report["notes"]);
        let word = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
        let ours: BTreeSet<(String, String, String)> = report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|finding| (word(finding, "advisory"), word(finding, "package"), word(finding, "version")))
            .collect();
        assert_eq!(ours, theirs, "{}", file.display());
        all += ours.len();
    }
    assert!(all > 500, "{all} findings in all");
}

fn requirement() -> impl Strategy<Value = String> {
    let version = r"[0-3](\.[0-3](\.[0-3](-(0|1|alpha|rc\.1))?)?)?";
    let one = (prop_oneof![Just(">="), Just("<"), Just("<="), Just("="), Just("^"), Just("~")], version)
        .prop_map(|(sign, version)| format!("{sign} {version}"));
    // Of a version with parts left out `>` is read in two ways, and here in the one that calls less good.
    let one = prop_oneof![6 => one, 1 => r"> [0-3]\.[0-3]\.[0-3](-(0|1|alpha|rc\.1))?"];
    prop_oneof![one.clone(), (one.clone(), one).prop_map(|(one, two)| format!("{one}, {two}"))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever requirements `rustsec` takes, a version is affected here where it is affected there.
    #[test]
    fn every_requirement_means_the_same(
        patched in proptest::collection::vec(requirement(), 0..3),
        unaffected in proptest::collection::vec(requirement(), 0..2),
        versions in proptest::collection::vec(r"[0-3]\.[0-3]\.[0-4](-(0|1|alpha|alpha\.1|beta|rc\.1|rc\.1\.0))?", 8),
    ) {
        let parse = |all: &[String]| all.iter().map(|one| one.parse::<rustsec::VersionReq>()).collect::<Result<Vec<_>, _>>();
        let (Ok(good), Ok(never)) = (parse(&patched), parse(&unaffected)) else { return Ok(()) };
        // Of two ranges that begin at one version it takes some for overlapping, and panics at others.
        let theirs = std::panic::catch_unwind(|| rustsec::advisory::Versions::new(good, never));
        let Ok(Ok(theirs)) = theirs else { return Ok(()) };
        let record = format!(
            "```toml\n[advisory]\nid = \"RUSTSEC-2026-0001\"\npackage = \"a\"\ndate = \"2026-01-01\"\n[versions]\n\
             patched = {patched:?}\nunaffected = {unaffected:?}\n```\n"
        );
        let record = ours::read(record.as_bytes(), false).map_err(|error| TestCaseError::fail(error.to_string()))?;
        for text in versions {
            let version: semver::Version = text.parse().unwrap();
            let here = affects(&record.packages[0].2, Ecosystem::CratesIo, &text, Version::parse(Ecosystem::CratesIo, &text).as_ref());
            prop_assert_eq!(here == Affected::Yes, theirs.is_vulnerable(&version), "{} by {:?} {:?}", text, patched, unaffected);
        }
    }
}
