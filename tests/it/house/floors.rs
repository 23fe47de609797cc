//! The floors of the house: what a file may import.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::source::{Source, none, of_the_program, root};
use crate::bless;

/// From the ground up. `main.rs` stands on top of all, and `lib.rs` only names the rooms.
const FLOORS: &[(&str, &[&str])] = &[
    ("0", &["model"]),
    (
        "1",
        &[
            "advisory",
            "chat",
            "config",
            "detect",
            "diff",
            "environment",
            "event",
            "integrity",
            "mask",
            "migration",
            "parse",
            "policy",
            "render",
            "setup",
        ],
    ),
    ("2", &["world"]),
    ("3", &["deploy", "gate", "notify", "publish"]),
    ("3½", &["schedule"]),
    ("4", &["app"]),
    ("5", &["cli"]),
];

/// How many floors from the ground up only compute.
const PURE: usize = 2;

fn height(room: &str) -> Option<usize> {
    FLOORS.iter().position(|(_, rooms)| rooms.contains(&room))
}

fn floor(room: &str) -> &'static str {
    height(room).map_or("no", |height| FLOORS[height].0)
}

/// Every path that leaves its room for one that is not below it.
fn upward(file: &Source) -> Vec<String> {
    let Some(here) = file.module.first() else { return Vec::new() };
    let Some(height_here) = height(here) else {
        return vec![format!("{}: `{here}` is on no floor: give it one in tests/it/house/floors.rs", file.path)];
    };
    let below: Vec<&str> = FLOORS[..height_here].iter().flat_map(|(_, rooms)| rooms.iter().copied()).collect();
    let mut broken = Vec::new();
    for named in file.names(&[]) {
        let there = named.segments.first().map_or("the crate's root", String::as_str);
        if there != here && !below.contains(&there) {
            broken.push(format!(
                "{}:{}: names crate::{}, on floor {}; {here} is on floor {} and may import from {}",
                file.path,
                named.line,
                named.segments.join("::"),
                floor(there),
                floor(here),
                if below.is_empty() { "itself".to_owned() } else { format!("itself and {}", below.join(", ")) }
            ));
        }
    }
    broken
}

#[test]
fn a_file_imports_from_its_own_room_and_the_floors_below() {
    let below_main = of_the_program().filter(|file| file.path != "src/main.rs");
    let broken: Vec<String> = below_main.flat_map(upward).collect();
    none("a file imports only from floors below its own, or from its own room:", &broken);
}

#[test]
fn an_import_from_above_or_beside_is_seen() {
    for (path, text, seen) in [
        ("src/parse/x.rs", "use crate::model::finding::Finding;", 0),
        ("src/parse/x.rs", "use crate::parse::json;", 0),
        ("src/parse/x.rs", "use crate::{model::text, render::links};", 1),
        ("src/parse/mod.rs", "use super::world::files;", 1),
        ("src/gate/lint.rs", "fn f() { crate::publish::on_end() }", 1),
        ("src/event.rs", "mod inner { use super::super::mask; }", 1),
        ("src/event.rs", "mod inner { use super::read; }", 0),
        ("src/world/files.rs", "use crate::diff::patch;", 0),
        ("src/attic/x.rs", "", 1),
    ] {
        assert_eq!(upward(&Source::of(path, text)).len(), seen, "{path}: {text}");
    }
}

/// In each folder: which of its entries (files and folders) name which others. The folder's own `mod.rs` is its face:
/// it names its entries and they name it.
type Neighbours = BTreeMap<Vec<String>, BTreeMap<String, BTreeMap<String, String>>>;

fn neighbours(files: &[&Source]) -> Neighbours {
    let modules: BTreeSet<&[String]> = files.iter().map(|file| file.module.as_slice()).collect();
    let mut all = Neighbours::new();
    for file in files {
        for named in file.names(&[]).iter().filter(|named| !named.test) {
            let depth = (0..=named.segments.len()).rfind(|&depth| modules.contains(&named.segments[..depth]));
            let target = &named.segments[..depth.unwrap_or(0)];
            let shared = file.module.iter().zip(target).take_while(|(a, b)| a == b).count();
            if let (Some(here), Some(there)) = (file.module.get(shared), target.get(shared)) {
                let entries = all.entry(file.module[..shared].to_vec()).or_default();
                let place = format!("{}:{}", file.path, named.line);
                entries.entry(here.clone()).or_default().entry(there.clone()).or_insert(place);
            }
        }
    }
    all
}

/// A way from an entry back to itself: the places of its steps.
fn circle(names: &BTreeMap<String, BTreeMap<String, String>>) -> Option<Vec<String>> {
    fn from<'a>(
        at: &'a str,
        names: &'a BTreeMap<String, BTreeMap<String, String>>,
        way: &mut Vec<(&'a str, String)>,
        done: &mut BTreeSet<&'a str>,
    ) -> bool {
        for (next, place) in names.get(at).into_iter().flatten() {
            way.push((at, format!("{place} names {next}")));
            if way.iter().any(|(passed, _)| passed == next) {
                way.drain(..way.iter().position(|(passed, _)| passed == next).unwrap_or(0));
                return true;
            }
            if !done.contains(next.as_str()) && from(next, names, way, done) {
                return true;
            }
            way.pop();
        }
        done.insert(at);
        false
    }
    let mut done = BTreeSet::new();
    names.keys().find_map(|start| {
        let mut way = Vec::new();
        from(start, names, &mut way, &mut done).then(|| way.into_iter().map(|(_, step)| step).collect())
    })
}

#[test]
fn the_entries_of_a_folder_do_not_import_in_a_circle() {
    let found = neighbours(&of_the_program().collect::<Vec<_>>());
    let circles = found.iter().filter_map(|(folder, names)| Some((folder, circle(names)?)));
    let broken: Vec<String> =
        circles.map(|(folder, way)| format!("in src/{}: {}", folder.join("/"), way.join("; "))).collect();
    none("the entries of one folder do not import one another in a circle:", &broken);
}

#[test]
fn a_circle_is_seen() {
    let file = |path, text| Source::of(path, text);
    let face = file("src/gate/mod.rs", "use self::lint::L; use self::test::T; pub struct Gate;");
    let lint = file("src/gate/lint.rs", "use crate::gate::Gate; use super::test::T;");
    let open = neighbours(&[&face, &lint, &file("src/gate/test.rs", "use super::Gate;")]);
    assert!(open.values().all(|names| circle(names).is_none()));

    let lint = file("src/gate/lint.rs", "use super::test::deep::T;");
    let test = file("src/gate/test/deep.rs", "fn f() { crate::gate::lint::g() }");
    let closed = neighbours(&[&file("src/gate/mod.rs", ""), &file("src/gate/test/mod.rs", ""), &lint, &test]);
    let way = circle(&closed[&vec!["gate".to_owned()]]).unwrap();
    assert_eq!(way, ["src/gate/lint.rs:1 names test", "src/gate/test/deep.rs:1 names lint"]);
}

/// What waits, or touches the outside. clippy.toml forbids the single functions; here the whole subject is.
const OUTSIDE: &[&str] =
    &["std::fs", "std::net", "std::process", "std::env", "std::thread", "tokio", "octocrab", "git2"];

fn impure(file: &Source) -> Vec<String> {
    if file.module.first().and_then(|room| height(room)).is_none_or(|height| height >= PURE) {
        return Vec::new();
    }
    let crates = ["std", "tokio", "octocrab", "git2"];
    let mut broken = Vec::new();
    for named in file.names(&crates).iter().filter(|named| !named.test && named.segments[0] == "::") {
        let path = named.segments[1..].join("::");
        if OUTSIDE.iter().any(|outside| path == *outside || path.starts_with(&format!("{outside}::"))) {
            broken.push(format!("{}:{}: names {path}", file.path, named.line));
        }
    }
    for token in file.tokens.iter().filter(|token| !token.test && matches!(token.text.as_str(), "async" | "await")) {
        broken.push(format!("{}:{}: {}", file.path, token.lines.0, token.text));
    }
    broken
}

#[test]
fn the_lower_floors_only_compute() {
    let broken: Vec<String> = of_the_program().flat_map(impure).collect();
    none("floors 0 and 1 neither wait nor touch the outside; pass what they need in, from world/:", &broken);
    let text = "use std::{fmt, fs::File}; async fn f() { tokio::time::sleep(d).await }";
    assert_eq!(impure(&Source::of("src/parse/x.rs", text)).len(), 4);
    assert_eq!(impure(&Source::of("src/world/x.rs", text)).len(), 0);
}

/// The first sentence of a room's own words.
fn purpose(room: &str) -> String {
    let folder = root().join("src").join(room).join("mod.rs");
    let file = if folder.is_file() { folder } else { root().join(format!("src/{room}.rs")) };
    let text = std::fs::read_to_string(file).unwrap();
    let words: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect();
    let words = words.join(" ").replace("[`", "`").replace("`]", "`").replace('|', "\\|");
    let first = words.split_inclusive(". ").next().unwrap_or_default().trim();
    // "Floor 2: …": the table has a column for that.
    first.strip_prefix("Floor ").and_then(|rest| rest.split_once(": ")).map_or(first, |(_, rest)| rest).to_owned()
}

#[test]
fn the_architecture_shows_the_floors() {
    let mut table =
        "| floor | room | what it is for |\n|---|---|---|\n| 6 | `main` | The program: parse, dispatch, exit code. |\n"
            .to_owned();
    for (number, rooms) in FLOORS.iter().rev() {
        for room in *rooms {
            let _ = writeln!(table, "| {number} | `{room}` | {} |", purpose(room));
        }
    }
    bless::sections(&root().join("ARCHITECTURE.md"), &[("floors", table)]);
}
