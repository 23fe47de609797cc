//! Decisions not to act on an advisory: what they must say, what they cover, and when they end.

use serde_json::Value;

use super::{Place, Ran, cargo_lock, critical, osv};

fn place(gate: &str) -> Place {
    let place = Place::new();
    for (name, alias) in [("time", "CVE-1"), ("old", "CVE-2")] {
        let mut record = osv(&format!("A-{name}"), "crates.io", name, "9.0.0", &critical());
        record["aliases"] = serde_json::json!([alias]);
        place.record(&record);
    }
    place.tree.write("Cargo.lock", cargo_lock(&[("time", "0.1.40"), ("old", "1.0.0")]));
    place.tree.write("gatepost.toml", format!("[gates.audit]\nkind = \"audit\"\ndatabase = [\"../db\"]\n{gate}"));
    place.tree.commit("first");
    place
}

fn ran(gate: &str) -> (Ran, Value) {
    let place = place(gate);
    let ran = place.call(&["run", "--json"]);
    let report = serde_json::from_str(&ran.out).unwrap_or_default();
    (ran, report)
}

fn entry(lines: &str) -> String {
    format!("[[gates.audit.ignore]]\n{lines}\n")
}

fn day(days: i64) -> String {
    let then = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
    then.to_string().chars().take(10).collect()
}

#[test]
fn an_entry_needs_a_reason_and_an_end() {
    for (lines, says) in [
        ("id = \"CVE-1\"", "missing field `reason`"),
        ("reason = \"x\"\npermanent = true", "missing field `id`"),
        ("id = \"CVE-1\"\nreason = \" \"\npermanent = true", "has no `reason`"),
        ("id = \"CVE-1\"\nreason = \"x\"", "needs `expires` with a day, or `permanent = true`"),
        ("id = \"CVE-1\"\nreason = \"x\"\nexpires = 2030-01-01\npermanent = true", "both expires and is permanent"),
        ("id = \"*\"\nreason = \"x\"\npermanent = true", "names no advisory"),
        ("id = \"CVE-1\"\nreason = \"x\"\npermanent = true\npackge = \"a\"", "unknown key `packge` in `ignore`"),
        ("id = \"CVE-1\"\nreason = \"x\"\npermanent = true\npath = \"a[\"", "is no pattern"),
        ("id = \"CVE-1\"\nreason = \"x\"\npermanent = true\nversion = \"1 2\"", "is no range of versions"),
        ("id = \"CVE-1\"\nreason = \"x\"\nexpires = \"soon\"", "`ignore`: "),
    ] {
        let (ran, _) = ran(&entry(lines));
        assert_eq!(ran.code, Some(2), "{lines}: {ran:?}");
        assert!(ran.err.contains(says), "{lines}: {}", ran.err);
    }
}

#[test]
fn entries_cover_by_any_name_until_they_end() {
    let lines = |id: &str, expires: String| format!("id = \"{id}\"\nreason = \"not reached\"\nexpires = {expires}");
    let gate = entry(&lines("CVE-1", day(100))) + &entry(&lines("A-old", day(3)));
    let (ran, report) = ran(&gate);
    assert_eq!(ran.code, Some(0), "{report:#}");
    let gate = &report["gates"][0];
    assert_eq!(gate["audit"]["findings"][0]["ignored"]["reason"], "not reached");
    let notes = gate["notes"].to_string();
    assert!(notes.contains(&format!("the ignore of A-old runs out on {}, in 3 days", day(3))), "{notes}");
    assert!(!notes.contains("CVE-1"), "{notes}");
}

#[test]
fn an_entry_that_ended_counts_again_and_an_unused_one_is_told() {
    let ended = day(-1);
    let gate = entry(&format!("id = \"CVE-1\"\nreason = \"x\"\nexpires = {ended}"))
        + &entry("id = \"A-old\"\nreason = \"x\"\npermanent = true")
        + &entry("id = \"CVE-9\"\nreason = \"x\"\npermanent = true");
    let (ran, report) = ran(&gate);
    assert_eq!(ran.code, Some(1));
    let gate = &report["gates"][0];
    let time = gate["audit"]["findings"].as_array().unwrap().iter().find(|found| found["package"] == "time").unwrap();
    assert_eq!((time["blocking"].as_bool(), time["expired"].as_str()), (Some(true), Some(ended.as_str())));
    let notes = gate["notes"].to_string();
    for says in [
        format!("the ignore of CVE-1 ran out on {ended}: what it covered counts"),
        "the ignore of CVE-9 covers nothing: remove it".to_owned(),
    ] {
        assert!(notes.contains(&says), "{notes}");
    }
    assert!(gate["findings"].to_string().contains(&format!("it was ignored until {ended}")));
}

#[test]
fn an_entry_that_ended_blocks_no_change_that_does_not_touch_the_package() {
    let place = place(&entry(&format!("id = \"CVE-1\"\nreason = \"x\"\nexpires = {}", day(-1))));
    place.tree.git(&["checkout", "--quiet", "-b", "topic"]);
    place.tree.write("README.md", "changed").commit("change");
    let ran = place.call(&["run"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

#[test]
fn lists_of_other_tools_are_taken_in_with_an_end() {
    let import = |since: &str| format!("import = [{{ file = \"deny.toml\", since = {since} }}]\n");
    let place = place(&import(&day(-10)));
    let run = || place.call(&["run", "--json"]);
    assert_eq!(run().code, Some(4), "what it would cover is not known");
    assert!(run().out.contains("the ignore list deny.toml cannot be read"), "{}", run().out);
    place
        .tree
        .write("deny.toml", "[advisories]\nignore = [\"A-time\", { id = \"CVE-2\", reason = \"known\" }]\n")
        .commit("list");
    let ran = run();
    assert_eq!(ran.code, Some(1), "RUSTSEC-, GHSA- and CVE- names alone are advisories there: {}", ran.out);
    place
        .tree
        .write("deny.toml", "[advisories]\nignore = [\"CVE-1\", { id = \"CVE-2\", reason = \"known\" }]\n")
        .commit("list");
    assert_eq!(run().code, Some(0), "{}", run().out);
    place
        .tree
        .write(
            "gatepost.toml",
            format!("[gates.audit]\nkind = \"audit\"\ndatabase = [\"../db\"]\n{}", import(&day(-91))),
        )
        .commit("old");
    let ran = run();
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    assert!(ran.out.contains(&format!("the ignore of CVE-1 in deny.toml ran out on {}", day(-1))), "{}", ran.out);
}
