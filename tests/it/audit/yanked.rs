//! Releases that their authors took back, by cargo's index on this machine.

use super::{Place, Ran, cargo_lock, found};

/// `a` 1.1.0 was taken back, `b` is not known to cargo here.
fn place(gate: &str, packages: &[(&str, &str)]) -> Place {
    let place = Place::new();
    place.record(&super::osv("A-other", "crates.io", "other", "9.0.0", &super::critical()));
    let releases = [("1.0.0", false), ("1.1.0", true), ("1.2.0", false)].map(|(version, yanked)| {
        format!("{version}\0{{\"name\":\"a\",\"vers\":\"{version}\",\"deps\":[],\"cksum\":\"\",\"yanked\":{yanked}}}\0")
    });
    let file = format!("\x03\x02\0\0\0etag: 1\0{}", releases.concat());
    place.tree.write("../cargo/registry/index/some-1949cf8c6b5b557f/.cache/1/a", file);
    place.tree.write("Cargo.lock", cargo_lock(packages));
    place.tree.write("gatepost.toml", format!("[gates.audit]\nkind = \"audit\"\ndatabase = [\"../db\"]\n{gate}"));
    place.tree.commit("first");
    place
}

fn run(place: &Place) -> Ran {
    super::ended(place.command(&["run", "--all-files"]).env("CARGO_HOME", place.beside("cargo")))
}

#[test]
fn a_release_that_was_taken_back_is_shown_and_blocks_where_it_shall() {
    let shown = place("", &[("a", "1.1.0"), ("b", "1.0.0")]);
    let ran = run(&shown);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let mut command = shown.command(&["audit", "--db", "../db", "--json"]);
    let report = super::ended(command.env("CARGO_HOME", shown.beside("cargo"))).out;
    let report = serde_json::from_str(&report).unwrap();
    assert_eq!(found(&report), ["yanked a 1.1.0 -"]);
    assert_eq!(
        (report["findings"][0]["kind"].as_str(), report["findings"][0]["fixed_in"].as_str()),
        (Some("yanked"), Some("1.2.0"))
    );

    let ran = run(&place("yanked = \"fail\"", &[("a", "1.1.0")]));
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.out.contains("cargo update -p a@1.1.0 --precise 1.2.0"), "{ran:?}");
    assert_eq!(run(&place("yanked = \"fail\"", &[("a", "1.2.0")])).code, Some(0));
    let ignore =
        "yanked = \"fail\"\n[[gates.audit.ignore]]\nid = \"yanked\"\npackage = \"a\"\nreason = \"r\"\npermanent = true";
    assert_eq!(run(&place(ignore, &[("a", "1.1.0")])).code, Some(0));
}

#[test]
fn where_it_blocks_what_cargo_does_not_know_cannot_be_judged() {
    let ran = run(&place("yanked = \"fail\"", &[("a", "1.2.0"), ("b", "1.0.0")]));
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.out.contains("does not tell whether b 1.0.0 was yanked"), "{ran:?}");
    assert!(ran.out.contains("cargo fetch"), "{ran:?}");
}
