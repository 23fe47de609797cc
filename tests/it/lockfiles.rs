//! Every lockfile in `fixtures/lockfiles/<format>/<case>/`: what is read of it stands in `expected.json` beside it
//! (`GATEPOST_BLESS=1` rewrites it). No cut loses a package unseen, no bytes make a reader panic.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use gatepost::advisory::lockfile::{self, Format, LockError, Lockfile};
use proptest::prelude::*;
use serde_json::json;

use crate::bless;

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
            "dev": package.dev, "direct": package.direct, "line": package.line, "path": package.path.names().join(" > "),
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
    let found = |case: Case| {
        let got = shown(&case.format.read(&case.bytes));
        (case.name, case.folder.join("expected.json"), got)
    };
    bless::compare_all(cases().into_iter().map(found));
}

#[test]
fn every_lockfile_is_known_by_its_name_and_by_its_content() {
    for case in cases() {
        let by = [lockfile::by_name(&format!("a/{}", case.file)), lockfile::by_content(&case.bytes)];
        // go.sum is read where it is asked for, and never found beside a go.mod.
        let named = (case.format.name != "go.sum").then_some(case.format.name);
        assert_eq!(by.map(|format| format.map(|format| format.name)), [named, Some(case.format.name)], "{}", case.name);
    }
}

/// Formats that do not say where they end: cut behind a whole line, a file that has fewer packages can look whole.
const WITHOUT_AN_END: &[&str] = &["go.mod", "go.sum", "requirements", "pdm", "pylock", "yarn"];

/// Where to cut: 20 offsets spread over the bytes, and behind each of 20 lines spread over the lines.
fn offsets(bytes: &[u8]) -> Vec<usize> {
    let spread = |count: usize| (1..=20).map(move |part| count * part / 21);
    let ends: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at] == b'\n').collect();
    spread(bytes.len()).chain(spread(ends.len()).filter_map(|at| ends.get(at).map(|end| end + 1))).collect()
}

#[test]
fn no_cut_loses_a_package_unseen() {
    let mut seen = 0;
    for case in cases() {
        let Ok(whole) = case.format.read(&case.bytes) else { continue };
        for offset in offsets(&case.bytes) {
            let left = &case.bytes[..offset];
            let Ok(cut) = case.format.read(left) else {
                seen += 1;
                continue;
            };
            let has = |name: &str, version: &str| {
                cut.packages.iter().any(|package| (package.name.as_str(), package.version.as_str()) == (name, version))
            };
            let lost = whole.packages.iter().find(|package| !has(&package.name, &package.version));
            let noted = cut.notes.iter().any(|note| !whole.notes.contains(note));
            let unseen = left.ends_with(b"\n") && WITHOUT_AN_END.contains(&case.format.name);
            assert!(noted || unseen || lost.is_none(), "{} cut at {offset} has lost {lost:?}", case.name);
        }
    }
    assert!(seen > 500, "only {seen} cuts were seen");
}

/// What can be put into a lockfile to break it, or to make much of it.
fn odd_text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("{".to_owned()),
        Just("[[package]]\n".to_owned()),
        Just("\"".to_owned()),
        Just("- *a\n".to_owned()),
        Just("\n  ".to_owned()),
        Just("@".to_owned()),
        Just("/".to_owned()),
        Just("(".to_owned()),
        "\\PC{0,8}",
    ];
    proptest::collection::vec(word, 0..4).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        for format in lockfile::ALL {
            let _ = format.read(&bytes);
        }
        let _ = lockfile::by_content(&bytes);
    }

    #[test]
    fn no_change_makes_a_reader_panic(
        case in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        length in 0_usize..80,
        text in odd_text(),
    ) {
        static CASES: LazyLock<Vec<Case>> = LazyLock::new(cases);
        let case = case.get(&CASES);
        let from = at.index(case.bytes.len());
        let mut bytes = case.bytes.clone();
        bytes.splice(from..(from + length).min(case.bytes.len()), text.bytes());
        let _ = case.format.read(&bytes);
        let _ = lockfile::by_content(&bytes);
    }
}

#[test]
fn no_lost_word_makes_a_reader_panic() {
    for case in cases() {
        let text = String::from_utf8(case.bytes).unwrap();
        for word in text.split_ascii_whitespace().take(400) {
            let from = word.as_ptr().addr() - text.as_ptr().addr();
            let _ = case.format.read(format!("{}{}", &text[..from], &text[from + word.len()..]).as_bytes());
        }
    }
}

#[test]
fn depth_and_size_are_bounded() {
    let texts = [
        "[".repeat(1 << 18),
        "{\"a\":".repeat(1 << 16),
        "a:\n- ".repeat(1 << 10),
        format!("a = {}", "[".repeat(1 << 18)),
        format!("a = {}\n", "{ a = ".repeat(1 << 15)),
        format!("a{} = 1\n", ".a".repeat(1 << 18)),
        format!("[a{}]\n", ". \"a\"".repeat(1 << 18)),
        "(".repeat(1 << 20),
        "a==1 \\\n".repeat(1 << 14),
    ];
    for text in &texts {
        let start = Instant::now();
        let _ = lockfile::by_content(text.as_bytes());
        for format in lockfile::ALL {
            assert!(format.read(text.as_bytes()).is_err(), "{} reads {:?}", format.name, &text[..20]);
        }
        assert!(start.elapsed() < Duration::from_secs(5), "{:?} took {:?}", &text[..20], start.elapsed());
    }
    let huge = vec![b' '; (64 << 20) + 1];
    assert!(lockfile::ALL.iter().all(|format| format.read(&huge) == Err(LockError::TooLarge)));
}
