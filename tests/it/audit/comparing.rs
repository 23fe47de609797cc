//! Only what a change adds: against the merge base, over bumps, moves and renames of the lockfile.

use serde_json::{Value, json};

use super::{Place, cargo_lock, critical, found, osv};

/// On `main`, `time` and `old` are affected; a branch leads away from there.
fn place() -> Place {
    let place = Place::new();
    for name in ["time", "old", "new"] {
        place.record(&osv(&format!("A-{name}"), "crates.io", name, "9.0.0", &critical()));
    }
    place.tree.write("Cargo.lock", cargo_lock(&[("time", "0.1.40"), ("old", "1.0.0")])).commit("first");
    place.tree.git(&["checkout", "--quiet", "-b", "topic"]);
    place
}

fn compared(place: &Place) -> Vec<String> {
    found(&place.json(&["--base", "main"]))
}

#[test]
fn old_findings_do_not_count_and_new_ones_do() {
    let place = place();
    place.tree.write("Cargo.lock", cargo_lock(&[("time", "0.1.41"), ("new", "1.0.0")])).commit("change");
    // Something that main has got in the meantime is none of the branch's doing.
    place.tree.git(&["checkout", "--quiet", "main"]);
    place.tree.write("Cargo.lock", cargo_lock(&[("time", "9.0.0")])).commit("meanwhile");
    place.tree.git(&["checkout", "--quiet", "topic"]);
    assert_eq!(compared(&place), ["A-new new 1.0.0 new !", "A-time time 0.1.41 unchanged", "A-old old 1.0.0 fixed"]);
    let ran = place.audit(&["--base", "main"]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.out.contains("1 new advisory: A-new in new 1.0.0 (critical 9.8); 2 packages in 1 lockfile"),
        "{}",
        ran.out
    );
    let everything = place.json(&[]);
    assert_eq!(found(&everything), ["A-new new 1.0.0 - !", "A-time time 0.1.41 - !"]);
    assert_eq!(everything["findings"][0]["status"], Value::Null);
}

#[test]
fn what_stands_in_the_base_alone_passes() {
    let place = place();
    place
        .tree
        .write("Cargo.lock", cargo_lock(&[("time", "0.1.41"), ("old", "1.0.0"), ("good", "1.0.0")]))
        .commit("change");
    let ran = place.audit(&["--base", "main"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("3 packages in 1 lockfile against 3 records"), "{}", ran.out);
    assert_eq!(compared(&place), ["A-old old 1.0.0 unchanged", "A-time time 0.1.41 unchanged"]);
}

#[test]
fn a_lockfile_keeps_its_findings_where_it_goes() {
    let place = place();
    place.tree.git(&["rm", "--quiet", "Cargo.lock"]);
    place.tree.write("backend/Cargo.lock", cargo_lock(&[("time", "0.1.40"), ("old", "1.0.0")])).commit("moved");
    assert_eq!(compared(&place), ["A-old old 1.0.0 unchanged", "A-time time 0.1.40 unchanged"]);
    // Too different for git to call it the same file.
    let many: Vec<(String, String)> = (0..80).map(|at| (format!("crate-{at}"), "1.0.0".to_owned())).collect();
    let mut packages: Vec<(&str, &str)> =
        many.iter().map(|(name, version)| (name.as_str(), version.as_str())).collect();
    packages.push(("time", "0.1.40"));
    place.tree.write("backend/Cargo.lock", cargo_lock(&packages)).commit("and changed");
    assert_eq!(compared(&place), ["A-time time 0.1.40 unchanged", "A-old old 1.0.0 fixed"]);
}

/// What the base's own audit did not take in is no excuse.
#[test]
fn what_comes_from_where_nobody_audits_is_new() {
    let lock = || cargo_lock(&[("time", "0.1.40")]);
    for (from, arguments) in [
        ("fixtures/app/Cargo.lock", &[][..]),
        ("vendor/app/Cargo.lock", &[]),
        ("notes.txt", &[]),
        ("legacy/Cargo.lock", &["--lockfile", "web/Cargo.lock"]),
    ] {
        let place = Place::new();
        place.record(&osv("A-time", "crates.io", "time", "9.0.0", &critical()));
        place.tree.write(from, lock()).commit("first");
        place.tree.git(&["checkout", "--quiet", "-b", "topic"]);
        place.tree.git(&["rm", "--quiet", from]);
        place.tree.write("web/Cargo.lock", lock()).commit("moved");
        let report = place.json(&[&["--base", "main"], arguments].concat());
        assert_eq!(found(&report), ["A-time time 0.1.40 new !"], "{from}");
        place.tree.write("web/Cargo.lock", lock() + "# changed\n").write("other/Cargo.lock", lock());
        let report = place.json(&["--base", "topic"]);
        assert!(found(&report).contains(&"A-time time 0.1.40 unchanged".to_owned()), "{from}");
    }
}

#[test]
fn of_a_folder_what_comes_from_beside_it_is_new() {
    let place = Place::new();
    place.record(&osv("A-time", "crates.io", "time", "9.0.0", &critical()));
    let gate = "[gates.audit]\nkind = \"audit\"\ndatabase = [\"../../db\"]\ndir = \"web\"\n";
    place.tree.write("gatepost.toml", gate).write("web/README", "");
    place.tree.write("legacy/Cargo.lock", cargo_lock(&[("time", "0.1.40")])).commit("first");
    place.tree.git(&["checkout", "--quiet", "-b", "topic"]);
    place.tree.git(&["mv", "legacy/Cargo.lock", "web/Cargo.lock"]);
    place.tree.commit("moved");
    let ran = place.call(&["run", "--json", "--base", "main"]);
    let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    let finding = &report["gates"][0]["audit"]["findings"][0];
    assert_eq!((&finding["status"], ran.code), (&json!("new"), Some(1)), "{}", ran.out);
}

#[test]
fn a_second_lockfile_has_findings_of_its_own() {
    let place = place();
    place.tree.write("tools/Cargo.lock", cargo_lock(&[("time", "0.1.40")])).commit("another");
    assert_eq!(
        compared(&place),
        ["A-old old 1.0.0 unchanged", "A-time time 0.1.40 unchanged", "A-time time 0.1.40 new !"]
    );
}

#[test]
fn a_worse_severity_is_worse_and_a_broken_base_is_no_excuse() {
    let place = place();
    place
        .tree
        .write("Cargo.lock", cargo_lock(&[("time", "0.1.40"), ("time", "0.2.0"), ("old", "1.0.0")]))
        .commit("twice");
    assert_eq!(
        compared(&place),
        ["A-old old 1.0.0 unchanged", "A-time time 0.1.40 unchanged", "A-time time 0.2.0 worsened !"]
    );
    place.tree.git(&["checkout", "--quiet", "main"]);
    place.tree.write("Cargo.lock", "<<<<<<< broken\n").commit("broken");
    place.tree.git(&["checkout", "--quiet", "-b", "mended"]);
    place.tree.write("Cargo.lock", cargo_lock(&[("time", "0.1.40")])).commit("mended");
    assert_eq!(compared(&place), ["A-time time 0.1.40 new !"]);
    let ran = place.audit(&["--base", "main"]);
    assert!(ran.out.contains("Cargo.lock of the base cannot be compared with, all of it counts as new"), "{}", ran.out);
}

#[test]
fn as_a_gate_it_blocks_what_is_new_and_everything_after_a_push() {
    let place = place();
    place.tree.write("gatepost.toml", "[gates.audit]\nkind = \"audit\"\ndatabase = [\"../db\"]\n");
    place.tree.git(&["checkout", "--quiet", "main"]);
    place.tree.commit("configured");
    place.tree.git(&["checkout", "--quiet", "-b", "other"]);
    place.tree.write("README.md", "changed").commit("nothing of the lockfile");
    let report = |arguments: &[&str]| -> Value {
        let ran = place.call(&[&["run", "--json"], arguments].concat());
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
    };
    let gate = &report(&[])["gates"][0];
    assert_eq!((&gate["outcome"], &gate["only"]), (&json!("pass"), &json!("new")), "{gate}");
    assert_eq!(gate["findings"].as_array().unwrap().len(), 2);
    assert_eq!(gate["findings"][0]["status"], "existing");
    let gate = &report(&["--all-files"])["gates"][0];
    assert_eq!((&gate["outcome"], &gate["only"]), (&json!("fail"), &json!("all")));
    let finding = &gate["findings"][0];
    assert_eq!(
        (&finding["rule"], &finding["path"], &finding["level"]),
        (&json!("A-old"), &json!("Cargo.lock"), &json!("error"))
    );
    let [line, at] = [&finding["line"], &gate["audit"]["findings"][0]["line"]];
    assert!(line == at && line.as_u64().unwrap() > 1, "{line} {at}");
    assert_eq!(gate["audit"]["lockfiles"][0]["packages"].as_array().unwrap().len(), 2);
    let before = finding["fingerprint"].clone();
    place.tree.write("Cargo.lock", cargo_lock(&[("another", "1.0.0"), ("time", "0.1.41"), ("old", "1.2.0")]));
    let gate = &report(&["--all-files"])["gates"][0];
    assert_eq!(gate["findings"][0]["fingerprint"], before, "a bump and a move within the lockfile change no identity");
}
