//! Every lockfile in `fixtures/lockfiles/<format>/<case>/`: what is read of it stands in `expected.json` beside it
//! (`GATEPOST_BLESS=1` rewrites it), and no cut loses a package without an error.

use std::path::{Path, PathBuf};

use gatepost::advisory::lockfile::{self, Format, LockError, Lockfile};
use serde_json::json;

struct Case {
    format: &'static Format,
    /// `cargo/ripgrep`.
    name: String,
    folder: PathBuf,
    /// Its real name.
    file: String,
    bytes: Vec<u8>,
}

fn entries(path: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/lockfiles");
    let mut cases = Vec::new();
    for of_format in entries(&root).into_iter().filter(|path| path.is_dir()) {
        let name = file_name(&of_format);
        let format = lockfile::find(&name).unwrap_or_else(|| panic!("fixtures/lockfiles/{name} is no format's name"));
        for folder in entries(&of_format) {
            let file =
                entries(&folder).iter().map(|path| file_name(path)).find(|file| file != "expected.json").unwrap();
            let bytes = std::fs::read(folder.join(&file)).unwrap();
            cases.push(Case { format, name: format!("{name}/{}", file_name(&folder)), folder, file, bytes });
        }
    }
    cases
}

fn shown(read: &Result<Lockfile, LockError>) -> String {
    let lockfile = match read {
        Ok(lockfile) => lockfile,
        Err(error) => return format!("{:#}\n", json!({ "error": error.to_string() })),
    };
    let packages = lockfile.packages.iter().map(|package| {
        json!({
            "ecosystem": package.ecosystem.word(), "name": package.name, "version": package.version,
            "dev": package.dev, "direct": package.direct, "line": package.line, "path": package.path.join(" > "),
        })
        .to_string()
    });
    let passed_over = lockfile
        .passed_over
        .iter()
        .map(|entry| json!({ "name": entry.name, "line": entry.line, "why": entry.why.words() }).to_string());
    // One package a line: a change is read as one.
    let list = |rows: Vec<String>| {
        if rows.is_empty() { "[]".to_owned() } else { format!("[\n    {}\n  ]", rows.join(",\n    ")) }
    };
    format!(
        "{{\n  \"count\": {},\n  \"packages\": {},\n  \"passed_over\": {},\n  \"needs_nothing\": {},\n  \"notes\": {}\n}}\n",
        lockfile.packages.len(),
        list(packages.collect()),
        list(passed_over.collect()),
        lockfile.needs_nothing,
        list(lockfile.notes.iter().map(|note| json!(note).to_string()).collect()),
    )
}

#[test]
fn every_lockfile_is_read_as_expected() {
    let bless = std::env::var_os("GATEPOST_BLESS").is_some();
    let mut different = Vec::new();
    for case in cases() {
        let got = shown(&case.format.read(&case.bytes));
        let file = case.folder.join("expected.json");
        if bless {
            std::fs::write(&file, &got).unwrap();
        } else if std::fs::read_to_string(&file).unwrap_or_default() != got {
            different.push(format!("{}, now:\n{got}", case.name));
        }
    }
    assert!(different.is_empty(), "GATEPOST_BLESS=1 accepts what has changed in\n{}", different.join("\n"));
}

#[test]
fn every_lockfile_is_known_by_its_name_and_by_its_content() {
    for case in cases() {
        let by = [lockfile::by_name(&format!("a/{}", case.file)), lockfile::by_content(&case.bytes)];
        assert_eq!(by.map(|format| format.map(|format| format.name)), [Some(case.format.name); 2], "{}", case.name);
    }
}
