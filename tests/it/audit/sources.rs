//! Databases on the disk: what is taken for one, and what is not.

use serde_json::{Value, json};

use super::{Place, cargo_lock, critical, found, osv, today};
use crate::archive::{Entry, archive};

fn place() -> Place {
    let place = Place::new();
    place.tree.write("Cargo.lock", cargo_lock(&[("time", "0.1.40"), ("serde", "1.0.0")]));
    place
}

const RUSTSEC: &str = "```toml\n[advisory]\nid = \"RUSTSEC-2020-0071\"\npackage = \"time\"\ndate = \"DAY\"\n\
    aliases = [\"CVE-2020-26235\"]\ncvss = \"CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H\"\n[versions]\n\
    patched = [\">= 0.2.23\"]\n```\n\n# Segfault in time\n";

#[test]
fn every_shape_of_a_dump_says_the_same() {
    let place = place();
    let record = osv("RUSTSEC-2020-0071", "crates.io", "time", "0.2.23", &critical());
    place.record(&record);
    place.tree.write("../one.json", record.to_string());
    place.tree.write("../all.zip", archive(&[Entry::new("RUSTSEC-2020-0071.json", record.to_string())]));
    place.tree.write("../many/crates.io/all.zip", archive(&[Entry::new("a/b.json", record.to_string())]));
    place.tree.write("../rustsec/crates/time/RUSTSEC-2020-0071.md", RUSTSEC.replace("DAY", &today()));
    place.tree.write("../rustsec/README.md", "# not a record\n");
    place.tree.write("../rustsec/.github/x.json", "{");
    for db in ["../db", "../one.json", "../all.zip", "../many", "../rustsec"] {
        let ran = place.call(&["audit", "--db", db, "--fail-on", "medium", "--json"]);
        let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(found(&report), ["RUSTSEC-2020-0071 time 0.1.40 - !"], "{db}");
        assert_eq!(
            (ran.code, &report["database"]["records"], &report["database"]["skipped"]),
            (Some(1), &json!(1), &json!(0)),
            "{db}"
        );
        assert_eq!(report["database"]["date"], json!(today()), "{db}");
    }
    let both = place.call(&["audit", "--db", "../db", "--db", "../rustsec", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&both.out).unwrap();
    assert_eq!(found(&report), ["RUSTSEC-2020-0071 time 0.1.40 - !"], "one advisory of two databases is one finding");
    assert_eq!(report["database"]["records"], 2);
}

#[test]
fn what_is_no_database_is_never_clean() {
    let place = place();
    place.tree.write("../empty/README.txt", "nothing here");
    place.tree.write("../none.zip", archive(&[]));
    place.tree.write("../page.html", "<html>404 Not Found</html>");
    place.tree.write("../cut.zip", &archive(&[Entry::new("a.json", "{}".repeat(500))])[..60]);
    let npm = osv("GHSA-1", "npm", "left-pad", "2.0.0", &critical());
    place.tree.write("../npm/a.json", npm.to_string());
    let mut old = osv("RUSTSEC-1", "crates.io", "time", "9.0.0", &critical());
    old["modified"] = json!("2020-01-01T00:00:00Z");
    place.tree.write("../old/a.json", old.to_string());
    old.as_object_mut().unwrap().remove("modified");
    place.tree.write("../undated/a.json", old.to_string());
    for (db, says) in [
        ("../nowhere", "../nowhere: cannot be read"),
        ("../empty", "../empty holds no advisory"),
        ("../none.zip", "../none.zip holds no advisory"),
        ("../page.html", "../page.html holds no advisory"),
        ("../cut.zip", "is no whole ZIP archive"),
        ("../npm", "no database has a record of crates.io: Cargo.lock cannot be judged"),
        ("../old", "../old is of 2020-01-01"),
        ("../undated", "does not say when it was last changed"),
    ] {
        let ran = place.call(&["audit", "--db", db]);
        assert_eq!(ran.code, Some(4), "{db}: {ran:?}");
        assert!(ran.out.contains(says), "{db}: {}", ran.out);
    }
    assert_eq!(place.call(&["audit", "--db", "../old", "--max-age", "off"]).code, Some(1));
    assert_eq!(place.call(&["audit", "--db", "../undated", "--max-age", "off"]).code, Some(1));
    assert_eq!(place.call(&["audit", "--db", "../old", "--max-age", "soon"]).code, Some(2));
}

#[test]
fn malformed_records_are_counted_and_shown() {
    let place = place();
    place.record(&osv("RUSTSEC-1", "crates.io", "serde", "0.9.0", &json!({})));
    for number in 0..21 {
        place.tree.write(&format!("../db/bad-{number:02}.json"), "{ not json");
    }
    let ran = place.audit(&[]);
    assert_eq!(ran.code, Some(4));
    assert!(ran.out.contains("21 records are malformed, more than the 20 that may be"), "{}", ran.out);
    std::fs::remove_file(place.beside("db").join("bad-00.json")).unwrap();
    let ran = place.audit(&[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("20 malformed records were passed over: bad-01.json is no OSV record"), "{}", ran.out);
    assert_eq!(place.json(&[])["database"]["skipped"], 20);
}

#[test]
fn an_index_is_kept_and_made_anew_when_the_dump_changes() {
    let place = place();
    place.tree.write(
        "../db.zip",
        archive(&[Entry::new("a.json", osv("RUSTSEC-1", "crates.io", "time", "0.2.0", &critical()).to_string())]),
    );
    let run = || {
        let ran = place.call(&["audit", "--db", "../db.zip", "--json"]);
        found(&serde_json::from_str(&ran.out).unwrap())
    };
    assert_eq!(run(), ["RUSTSEC-1 time 0.1.40 - !"]);
    let kept: Vec<_> =
        std::fs::read_dir(place.beside("cache/advisories")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!(run(), ["RUSTSEC-1 time 0.1.40 - !"]);
    place.tree.write(
        "../db.zip",
        archive(&[Entry::new("a.json", osv("RUSTSEC-2", "crates.io", "serde", "2.0.0", &critical()).to_string())]),
    );
    assert_eq!(run(), ["RUSTSEC-2 serde 1.0.0 - !"]);
    // One that was cut or changed is made anew.
    std::fs::write(&kept[0], b"{}").unwrap();
    assert_eq!(run(), ["RUSTSEC-2 serde 1.0.0 - !"]);
    // A cache that cannot be written costs time, no verdict.
    std::fs::remove_dir_all(place.beside("cache")).unwrap();
    std::fs::write(place.beside("cache"), "a file").unwrap();
    assert_eq!(run(), ["RUSTSEC-2 serde 1.0.0 - !"]);
}

#[test]
fn the_terminal_says_what_was_audited() {
    let place = place();
    place.record(&osv("RUSTSEC-2020-0071", "crates.io", "time", "0.1.45", &critical()));
    let ran = place.audit(&[]);
    let expected = format!(
        "package  version  advisory           severity      status  fixed in\n\
         time     0.1.40   RUSTSEC-2020-0071  critical 9.8  –       0.1.45\n  \
         time is bad\n  \
         to do: cargo update -p time@0.1.40 --precise 0.1.45\n\n\
         ✗ audit fail: 1 advisory: RUSTSEC-2020-0071 in time 0.1.40 (critical 9.8); \
         2 packages in 1 lockfile against 1 record of {}\n",
        today()
    );
    assert_eq!(ran.out, expected);
    let listed = place.call(&["audit", "--packages-only"]);
    assert_eq!(
        (listed.code, listed.out.as_str()),
        (
            Some(0),
            "Cargo.lock: 2 packages\n  time 0.1.40 (crates.io, direct)\n  serde 1.0.0 (crates.io, direct)\n✓ audit pass: 2 packages in 1 lockfile\n"
        )
    );
}

#[test]
fn a_manifest_without_a_lockfile_and_an_unknown_format_are_errors() {
    let place = Place::new();
    place.record(&osv("RUSTSEC-1", "crates.io", "time", "0.2.0", &critical()));
    let says = |arguments: &[&str], code: i32, words: &str| {
        let ran = place.audit(arguments);
        assert_eq!(ran.code, Some(code), "{ran:?}");
        assert!(ran.out.contains(words), "{}", ran.out);
    };
    says(&[], 0, "audit skipped: there is nothing to audit");
    place.tree.write("web/package.json", r#"{"dependencies": {"a": "1"}}"#);
    says(&[], 4, "web/package.json has no lockfile (package-lock.json, ");
    place.tree.write("web/package.json", r#"{"type": "module"}"#);
    place.tree.write("Cargo.toml", "[dependencies]\ntime = \"0.1\"");
    place.tree.write("Cargo.lock", cargo_lock(&[("time", "0.2.1")]));
    place.tree.write("crates/a/Cargo.toml", "[package]\nname = \"app\"\n[dependencies]\ntime = \"0.1\"");
    place.tree.write("fixtures/old/Cargo.lock", cargo_lock(&[("time", "0.1.0")]));
    place.tree.write("node_modules/b/package.json", r#"{"dependencies": {"a": "1"}}"#);
    says(&[], 0, "1 lockfile in folders of samples is not audited: fixtures/old/Cargo.lock");
    says(&["--lockfile", "fixtures/old/Cargo.lock"], 1, "RUSTSEC-1 in time 0.1.0");
    place.tree.write("what.txt", "hello\nworld\n");
    says(&["--lockfile", "what.txt"], 4, "what.txt is of no known format");
    says(&["--lockfile", "nowhere.lock"], 4, "there is no lockfile nowhere.lock");
    place.tree.write("renamed.txt", cargo_lock(&[("time", "0.1.0")]));
    says(&["--lockfile", "renamed.txt"], 1, "1 package in 1 lockfile");
    says(&["--lockfile", "cargo:renamed.txt"], 1, "1 package in 1 lockfile");
    place.tree.write("Cargo.lock", "version = 4\n");
    says(&[], 4, "Cargo.lock cannot be audited");
}

#[test]
fn of_two_lockfiles_that_say_the_same_one_is_read() {
    let place = Place::new();
    place.record(&osv("GO-1", "Go", "golang.org/x/text", "0.3.8", &critical()));
    let sum = "golang.org/x/text v0.3.5 h1:i6eZZ+zk0SOf0xgBpEpPD18qWcJda6q1sxt3S0kzyUQ=\n\
               golang.org/x/text v0.3.5/go.mod h1:5Zoc/QRtKVWzQhOtBMvqHzDpF6irO9z98xDceosuGiQ=\n";
    let audited = || {
        let report = place.json(&[]);
        let files = report["lockfiles"].as_array().unwrap();
        files.iter().map(|file| file["path"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    place.tree.write("go.sum", sum);
    place.tree.write("go.mod", "module a\n\ngo 1.21.0\n\nrequire golang.org/x/text v0.3.5\n");
    assert_eq!(audited(), ["go.mod"]);
    place.tree.write("go.mod", "module a\n\ngo 1.13\n\nrequire golang.org/x/text v0.3.5\n");
    assert_eq!(audited(), ["go.sum"], "before Go 1.17 go.mod names only what is asked for");
    let lock =
        |name: &str| json!({"name": name, "lockfileVersion": 3, "packages": {"": {"name": name}}}).to_string() + "\n";
    place.tree.write("package-lock.json", lock("a")).write("npm-shrinkwrap.json", lock("a"));
    assert_eq!(audited(), ["go.sum", "npm-shrinkwrap.json"]);
}

/// A package-lock.json of version 3 whose packages stand in these folders.
fn npm_lock(folders: &[(&str, Value)]) -> String {
    let packages: serde_json::Map<String, Value> =
        folders.iter().map(|(folder, package)| ((*folder).to_owned(), package.clone())).collect();
    json!({"name": "shop", "lockfileVersion": 3, "packages": packages}).to_string() + "\n"
}

#[test]
fn a_lockfile_above_pins_only_what_it_names() {
    let place = Place::new();
    place.record(&osv("GHSA-1", "npm", "ms", "1.0.0", &critical()));
    place.record(&osv("RUSTSEC-1", "crates.io", "time", "0.1.0", &critical()));
    place.record(&osv("PYSEC-1", "PyPI", "flask", "0.1", &critical()));
    let says = |code: i32, words: &str| {
        let ran = place.audit(&[]);
        assert_eq!(ran.code, Some(code), "{ran:?}");
        assert!(ran.out.contains(words), "{}", ran.out);
    };
    let asks = r#"{"name": "shop", "dependencies": {"ms": "2"}}"#;
    let [root, ms] = [json!({"dependencies": {"ms": "2"}}), json!({"version": "2.0.0"})];
    place.tree.write("package.json", asks).write("functions/package.json", asks);
    place.tree.write("package-lock.json", npm_lock(&[("", root.clone()), ("node_modules/ms", ms.clone())]));
    says(4, "functions/package.json has no lockfile");
    let member = json!({"name": "functions", "dependencies": {"ms": "2"}});
    let packages = [("", root), ("functions", member), ("node_modules/ms", ms)];
    place.tree.write("package-lock.json", npm_lock(&packages));
    says(0, "1 package in 1 lockfile");
    place.tree.write("Cargo.toml", "[package]\nname = \"app\"\n[dependencies]\ntime = \"0.1\"");
    place.tree.write("Cargo.lock", cargo_lock(&[("time", "0.1.0")]));
    place.tree.write("fuzz/Cargo.toml", "[package]\nname = \"app-fuzz\"\n[dependencies]\nlibc = \"0.2\"\n[workspace]");
    says(4, "fuzz/Cargo.toml has no lockfile");
    std::fs::remove_dir_all(place.tree.dir.join("fuzz")).unwrap();
    place.tree.write("py/pyproject.toml", "[project]\nname = \"shop\"\ndependencies = [\"flask\"]");
    place.tree.write("py/requirements-dev.txt", "colorama==0.4.6\n");
    says(4, "py/pyproject.toml has no lockfile");
    place.tree.write("py/requirements.txt", "Flask==3.0\n");
    says(0, "4 packages in 4 lockfiles");
    place.tree.write(
        "py/pyproject.toml",
        "[project]\nname = \"shop\"\ndependencies = [\"flask\", \"shop[doc]\"]\noptional-dependencies.doc = [\"sphinx\"]",
    );
    says(0, "py/pyproject.toml asks for what no lockfile pins, and is not audited: sphinx");
}

#[test]
fn the_workspace_of_yarn_1_is_told_by_its_package() {
    let place = Place::new();
    place.record(&osv("GHSA-1", "npm", "ms", "1.0.0", &critical()));
    let address = "https://registry.yarnpkg.com/ms/-/ms-2.0.0.tgz#00";
    place.tree.write(
        "yarn.lock",
        format!("# yarn lockfile v1\n\n\nms@2.0.0:\n  version \"2.0.0\"\n  resolved \"{address}\"\n"),
    );
    place.tree.write("package.json", r#"{"private": true, "workspaces": ["packages/*"]}"#);
    place.tree.write("packages/cart/package.json", r#"{"dependencies": {"ms": "2.0.0"}}"#);
    assert_eq!(place.audit(&[]).code, Some(0));
    place.tree.write("functions/package.json", r#"{"dependencies": {"ms": "2.0.0"}}"#);
    let ran = place.audit(&[]);
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.out.contains("functions/package.json has no lockfile"), "{}", ran.out);
}

#[test]
fn what_git_tracks_is_audited_wherever_it_lies() {
    let place = place();
    place.record(&osv("RUSTSEC-1", "crates.io", "time", "0.2.0", &critical()));
    place.tree.write("Cargo.lock", cargo_lock(&[("time", "0.2.1")])).write(".gitignore", "/lib\n");
    let bad = cargo_lock(&[("time", "0.1.0")]);
    let hidden = ["build/Cargo.lock", "packages/dist/Cargo.lock", ".github/actions/label/Cargo.lock", "lib/Cargo.lock"];
    for path in hidden.iter().chain(&["vendor/a/Cargo.lock"]) {
        place.tree.write(path, bad.clone());
    }
    place.tree.write("dist/package.json", r#"{"dependencies": {"ms": "2"}}"#);
    let audited = || {
        let report = place.json(&[]);
        let files = report["lockfiles"].as_array().unwrap();
        files.iter().map(|file| file["path"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(audited(), ["Cargo.lock"], "what nobody keeps is output");
    place.tree.git(&["add", "--force", "."]);
    let mut all = hidden.map(str::to_owned).to_vec();
    all.push("Cargo.lock".to_owned());
    all.sort();
    assert_eq!(audited(), all);
    assert_eq!(place.audit(&[]).code, Some(1));
}

#[cfg(unix)]
#[test]
fn a_lockfile_is_read_through_a_link() {
    let place = Place::new();
    place.record(&osv("PYSEC-1", "PyPI", "flask", "1.0", &critical()));
    place.tree.write("locks/linux.txt", "flask==0.5\n");
    std::os::unix::fs::symlink("locks/linux.txt", place.tree.dir.join("requirements.txt")).unwrap();
    let report = place.json(&[]);
    assert_eq!(found(&report), ["PYSEC-1 flask 0.5 - !"]);
    assert_eq!(report["lockfiles"][0]["path"], "locks/linux.txt");
    place.tree.write("../outside.txt", "flask==0.5\n");
    std::os::unix::fs::symlink("../../outside.txt", place.tree.dir.join("locks/requirements.txt")).unwrap();
    let ran = place.audit(&[]);
    assert!(ran.out.contains("1 link to what is not here is not audited: locks/requirements.txt"), "{}", ran.out);
    assert_eq!(ran.code, Some(4), "{ran:?}");
    let nothing = Place::new();
    std::os::unix::fs::symlink("gone.txt", nothing.tree.dir.join("requirements.txt")).unwrap();
    let ran = nothing.call(&["audit"]);
    assert_eq!(ran.code, Some(4), "what it leads to may ask for packages: {ran:?}");
}

#[test]
fn package_managers_that_are_not_read_are_named() {
    let place = place();
    place.record(&osv("RUSTSEC-1", "crates.io", "time", "0.1.0", &critical()));
    place.tree.write("pom.xml", "<project/>").write("app/pubspec.lock", "packages: {}\n");
    let ran = place.audit(&[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.out.contains("2 files of other package managers are not audited: app/pubspec.lock, pom.xml"),
        "{}",
        ran.out
    );
    std::fs::remove_file(place.tree.dir.join("Cargo.lock")).unwrap();
    let ran = place.audit(&[]);
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.out.contains("there is what asks for packages: app/pubspec.lock, pom.xml"), "{}", ran.out);
    let place = Place::new();
    place.tree.write("setup.py", "setup(install_requires=['flask'])");
    let ran = place.call(&["audit"]);
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.out.contains("setup.py has no lockfile"), "{}", ran.out);
}

#[test]
fn an_archive_on_the_disk_is_no_package_of_the_projects_own() {
    let place = Place::new();
    place.record(&osv("GHSA-1", "npm", "lodash", "4.17.21", &critical()));
    let archive =
        json!({"version": "4.17.20", "resolved": "file:vendor-tgz/lodash-4.17.20.tgz", "integrity": "sha512-00"});
    let root = json!({"dependencies": {"lodash": "file:vendor-tgz/lodash-4.17.20.tgz"}});
    place.tree.write("package-lock.json", npm_lock(&[("", root), ("node_modules/lodash", archive)]));
    assert_eq!(found(&place.json(&[])), ["GHSA-1 lodash 4.17.20 - !"]);
}
