//! Dumps by address and the service of osv.dev, on a server that fails in every way: what did not come is never clean.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatepost::model::package::Ecosystem;
use gatepost::world::advisories::{self, Asked as Package, Cache, Loaded, Network, Source, Wanted};
use globset::{Glob, GlobSet};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::server::{Answer, Asked, Server};
use super::{Place, cargo_lock, critical, osv};
use crate::archive::{Entry, archive};

const WEEK: Duration = Duration::from_hours(7 * 24);

fn wanted(server: &Server, cache: PathBuf, sources: Vec<Source>) -> Wanted {
    Wanted {
        sources,
        offline: false,
        max_age: Some(WEEK),
        max_bad: 0,
        private: GlobSet::empty(),
        now: Timestamp::now(),
        cache: Cache::at(cache),
        network: Network {
            dumps: server.url(),
            service: server.url(),
            patience: Duration::from_millis(300),
            pause: Duration::from_millis(5),
        },
    }
}

fn packages(names: &[(&str, &str)]) -> BTreeSet<Package> {
    names.iter().map(|(name, version)| (Ecosystem::Npm, (*name).to_owned(), (*version).to_owned())).collect()
}

fn load(wanted: &Wanted, packages: &BTreeSet<Package>) -> Result<Loaded, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(advisories::load(wanted, packages)).map_err(|error| error.to_string())
}

fn dump(ids: &[&str]) -> Vec<u8> {
    let entry = |id: &&str| Entry::new(&format!("{id}.json"), osv(id, "npm", "a", "9.0.0", &critical()).to_string());
    archive(&ids.iter().map(entry).collect::<Vec<_>>())
}

/// Everything but a good answer, and what is said of it.
fn failures(good: &[u8]) -> Vec<(Answer, &'static str)> {
    let redirect = vec![("location", "http://127.0.0.1:9/other".to_owned())];
    vec![
        (Answer::status(404), "answered 404"),
        (Answer::status(405), "answered 405"),
        (Answer::status(403), "answered 403"),
        (Answer::status(429), "answered 429"),
        (Answer::status(500), "answered 500"),
        (Answer::status(503), "answered 503"),
        (Answer::Plain(302, redirect, Vec::new()), "answered 302"),
        (Answer::status(204), "answered 204"),
        (Answer::status(304), "answered 304"),
        (Answer::ok(Vec::new()), ""),
        (Answer::ok("<html>log in first</html>"), ""),
        (Answer::ok("{}"), ""),
        (Answer::ok("[]"), ""),
        (Answer::ok("null"), ""),
        (Answer::Cut(10, good.to_vec()), "could not be asked"),
        (Answer::ok(&good[..good.len() / 2]), ""),
        (Answer::Closed, "could not be asked"),
        (Answer::Silence, "did not answer within"),
    ]
}

#[test]
fn a_dump_that_did_not_come_whole_is_an_error() {
    let good = dump(&["GHSA-1"]);
    for (answer, says) in failures(&good) {
        let shown = format!("{answer:?}");
        let server = Server::start(move |_| answer.clone());
        let folder = tempfile::tempdir().unwrap();
        let url = Source::Url(format!("{}/all.zip", server.url()));
        let failed = load(&wanted(&server, folder.path().to_owned(), vec![url]), &packages(&[])).unwrap_err();
        assert!(failed.contains(says), "{shown}: {failed}");
        let kept = std::fs::read_dir(folder.path().join("advisories")).unwrap().count();
        assert_eq!(kept, 0, "{shown}: nothing of it is kept");
    }
}

#[test]
fn a_dump_is_fetched_again_only_where_it_has_changed_and_a_copy_stands_in() {
    let state: Arc<Mutex<(u16, Vec<u8>, &str)>> = Arc::new(Mutex::new((200, dump(&["GHSA-1"]), "\"one\"")));
    let seen = Arc::clone(&state);
    let server = Server::start(move |asked: &Asked| {
        let (status, body, tag) = seen.lock().unwrap().clone();
        match status {
            200 if asked.header("if-none-match") == Some(tag) => Answer::status(304),
            200 => {
                let then = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&Timestamp::now());
                Answer::Plain(200, vec![("etag", tag.to_owned()), ("last-modified", then.unwrap())], body)
            }
            other => Answer::status(other),
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let source = vec![Source::Dumps];
    let run = |change: &dyn Fn(&mut Wanted)| {
        let mut wanted = wanted(&server, folder.path().to_owned(), source.clone());
        change(&mut wanted);
        load(&wanted, &packages(&[("a", "1.0.0")]))
    };
    let ids = |loaded: &Loaded| -> Vec<String> {
        let found = loaded.indexes[0].of_package(Ecosystem::Npm, "a");
        found.into_iter().map(|advisory| advisory.id).collect()
    };
    let first = run(&|_| {}).unwrap();
    assert_eq!((ids(&first), server.asked()[0].path.as_str()), (vec!["GHSA-1".to_owned()], "/npm/all.zip"));
    let second = run(&|_| {}).unwrap();
    assert_eq!((ids(&second), second.database.digest == first.database.digest), (vec!["GHSA-1".to_owned()], true));
    assert_eq!(server.asked()[1].header("if-none-match"), Some("\"one\""));
    *state.lock().unwrap() = (200, dump(&["GHSA-2"]), "\"two\"");
    let third = run(&|_| {}).unwrap();
    assert_eq!((ids(&third), third.database.digest == first.database.digest), (vec!["GHSA-2".to_owned()], false));
    // Down: the copy is used and that is said; one that is too old is not.
    state.lock().unwrap().0 = 503;
    let down = run(&|_| {}).unwrap();
    assert_eq!(ids(&down), ["GHSA-2"]);
    assert!(
        down.notes[0].contains("could not be refreshed") && down.notes[0].contains("answered 503"),
        "{:?}",
        down.notes
    );
    let late = run(&|wanted| wanted.now += jiff::SignedDuration::from_hours(8 * 24)).unwrap_err();
    assert!(late.contains("is too old (`max-age`)"), "{late}");
    assert_eq!(
        ids(&run(&|wanted| (wanted.now += jiff::SignedDuration::from_hours(8 * 24), wanted.max_age = None).0).unwrap()),
        ["GHSA-2"]
    );
    // A page in the place of the dump does not take the copy's place.
    *state.lock().unwrap() = (200, b"<html>maintenance</html>".to_vec(), "\"three\"");
    assert_eq!(ids(&run(&|_| {}).unwrap()), ["GHSA-2"]);
    let before = server.asked().len();
    let offline = run(&|wanted| wanted.offline = true).unwrap();
    assert_eq!((ids(&offline), server.asked().len()), (vec!["GHSA-2".to_owned()], before), "offline asks nobody");
    let empty = tempfile::tempdir().unwrap();
    let none = run(&|wanted| (wanted.offline, wanted.cache) = (true, Cache::at(empty.path().to_owned()))).unwrap_err();
    assert!(none.contains("there is no copy of it here"), "{none}");
}

/// Whoever keeps a mirror may have forgotten it: that it still has what it had says nothing of how old that is.
#[test]
fn a_dump_elsewhere_is_as_old_as_what_it_has() {
    let ran = |headers: Vec<(&'static str, String)>, record: Value| {
        let body = archive(&[Entry::new("GHSA-1.json", record.to_string())]);
        let server = Server::start(move |asked: &Asked| match asked.header("if-none-match") {
            Some(_) => Answer::status(304),
            None => Answer::Plain(200, [&[("etag", "\"one\"".to_owned())], &headers[..]].concat(), body.clone()),
        });
        let folder = tempfile::tempdir().unwrap();
        let url = format!("{}/all.zip", server.url().replace("://", "://ana:secret@"));
        let url = Source::read(&url, folder.path());
        let wanted = wanted(&server, folder.path().to_owned(), vec![url]);
        let first = load(&wanted, &packages(&[])).map(|_| ());
        assert_eq!(load(&wanted, &packages(&[])).map(|_| ()), first, "asked again it has not changed");
        first
    };
    let young = || osv("GHSA-1", "npm", "a", "9.0.0", &critical());
    let old = || {
        let mut record = young();
        record["modified"] = json!("2020-01-01T00:00:00Z");
        record
    };
    let modified = |time: &str| vec![("last-modified", time.to_owned())];
    assert_eq!(ran(Vec::new(), young()), Ok(()));
    let stale = ran(modified("Wed, 01 Jan 2020 00:00:00 GMT"), young()).unwrap_err();
    assert!(stale.contains("all.zip is of 2020-01-01") && !stale.contains("secret"), "{stale}");
    assert!(ran(Vec::new(), old()).is_err());
    assert!(ran(modified("Tue, 01 Jan 2199 00:00:00 GMT"), old()).is_err(), "a time to come is none");
}

/// The service, with these records and one name for each page of answers.
fn service(records: Vec<Value>) -> Server {
    let one = move |asked: &Asked| {
        if let Some(id) = asked.path.strip_prefix("/v1/vulns/") {
            let record = records.iter().find(|record| record["id"] == id);
            return record.map_or(Answer::status(404), |record| Answer::ok(record.to_string()));
        }
        let body: Value = serde_json::from_str(&asked.body).unwrap();
        let answer = |query: &Value| {
            let about = |record: &&Value| record["affected"][0]["package"]["name"] == query["package"]["name"];
            let ids: Vec<&str> = records.iter().filter(about).map(|record| record["id"].as_str().unwrap()).collect();
            let page: usize = query["page_token"].as_str().map_or(0, |token| token.parse().unwrap());
            let vulns: Vec<Value> =
                ids.iter().skip(page).take(1).map(|id| json!({"id": id, "modified": "2026-01-01T00:00:00Z"})).collect();
            match (vulns.is_empty(), page + 1 < ids.len()) {
                (true, _) => json!({}),
                (false, true) => json!({"vulns": vulns, "next_page_token": (page + 1).to_string()}),
                (false, false) => json!({"vulns": vulns}),
            }
        };
        let results: Vec<Value> = body["queries"].as_array().unwrap().iter().map(answer).collect();
        Answer::ok(json!({"results": results}).to_string())
    };
    Server::start(one)
}

#[test]
fn the_service_is_asked_page_by_page_and_its_records_are_kept() {
    let records = ["GHSA-1", "GHSA-2", "GHSA-3"].map(|id| osv(id, "npm", "a", "9.0.0", &critical()));
    let server = service(records.to_vec());
    let folder = tempfile::tempdir().unwrap();
    let mut wanted = wanted(&server, folder.path().to_owned(), vec![Source::Service]);
    let mut set = globset::GlobSetBuilder::new();
    set.add(Glob::new("@acme/*").unwrap());
    wanted.private = set.build().unwrap();
    let packages = packages(&[("a", "1.0.0"), ("b", "1.0.0"), ("@acme/secret", "1.0.0"), ("c", "git+ssh://x")]);
    let loaded = load(&wanted, &packages).unwrap();
    assert_eq!(loaded.indexes[0].of_package(Ecosystem::Npm, "a").len(), 3);
    assert_eq!((loaded.database.records, loaded.database.asked), (3, true));
    assert_eq!(loaded.notes.len(), 1);
    let asked = server.asked();
    assert!(asked.iter().all(|asked| !asked.body.contains("acme")), "private names are sent to nobody");
    let first: Value = serde_json::from_str(&asked[0].body).unwrap();
    assert_eq!(first["queries"][0], json!({"package": {"name": "a", "ecosystem": "npm"}, "version": "1.0.0"}));
    assert_eq!(first["queries"][2], json!({"package": {"name": "c", "ecosystem": "npm"}}), "no order: all versions");
    let posts = |asked: &[Asked]| asked.iter().filter(|asked| asked.method == "POST").count();
    assert_eq!((posts(&asked), asked.len()), (3, 6), "three pages, three records");
    load(&wanted, &packages).unwrap();
    assert_eq!((posts(&server.asked()), server.asked().len()), (6, 9), "records that have not changed are kept");
    wanted.offline = true;
    assert!(load(&wanted, &packages).unwrap_err().contains("nothing is asked over the network"));
}

#[test]
fn the_service_is_asked_for_what_records_are_about_and_for_nothing_private() {
    let server = service(Vec::new());
    let folder = tempfile::tempdir().unwrap();
    let mut wanted = wanted(&server, folder.path().to_owned(), vec![Source::Service]);
    let mut set = globset::GlobSetBuilder::new();
    set.add(Glob::new("acme-*").unwrap());
    wanted.private = set.build().unwrap();
    let asked = [
        (Ecosystem::PyPi, "Torch", "2.7.1+cu128"),
        (Ecosystem::PyPi, "acme_core", "1.0"),
        (Ecosystem::Packagist, "Symfony/HTTP", "1.0.0"),
        (Ecosystem::CratesIo, "acme_x", "1.0.0"),
    ];
    let packages = asked.map(|(ecosystem, name, version)| (ecosystem, name.to_owned(), version.to_owned()));
    load(&wanted, &packages.into()).unwrap();
    let body: Value = serde_json::from_str(&server.asked()[0].body).unwrap();
    let expected = [
        json!({"package": {"name": "torch", "ecosystem": "PyPI"}}),
        json!({"package": {"name": "symfony/http", "ecosystem": "Packagist"}, "version": "1.0.0"}),
    ];
    let queries = body["queries"].as_array().unwrap();
    assert!(queries.len() == expected.len() && expected.iter().all(|one| queries.contains(one)), "{body}");
}

#[test]
fn a_service_beside_a_dump_that_knows_nothing_of_an_ecosystem_answers_for_it() {
    let server = service(Vec::new());
    let place = Place::new();
    place.record(&osv("A-1", "crates.io", "time", "9.0.0", &critical()));
    let packages = json!({"node_modules/a": {"version": "1.0.0"}});
    let lock = json!({"name": "shop", "lockfileVersion": 3, "packages": packages});
    place.tree.write("package-lock.json", lock.to_string() + "\n");
    let mut command = place.command(&["audit", "--db", "../db", "--db", "api.osv.dev"]);
    let login = server.url().replace("://", "://ana:secret@");
    let ran = super::ended(command.env("GATEPOST_OSV_API", login));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(!format!("{ran:?}").contains("secret"), "{ran:?}");
}

#[test]
fn a_service_that_does_not_answer_is_an_error() {
    let good = json!({"results": [{"vulns": [{"id": "GHSA-1", "modified": "x"}]}]}).to_string();
    let strange = [
        json!({"results": []}).to_string(),
        json!({"results": [{"code": 13, "message": "deadline exceeded"}]}).to_string(),
        json!({"results": [{"vulns": [{"id": "GHSA-1"}], "error": "cut short"}]}).to_string(),
        json!({"results": [{}, {}]}).to_string(),
        json!({"results": [{"vulns": [{"id": "../../etc"}]}]}).to_string(),
        json!({"results": [{"vulns": [{"id": "GHSA-1"}], "next_page_token": "again"}]}).to_string(),
    ];
    let answers = failures(good.as_bytes()).into_iter().chain(strange.map(|text| (Answer::ok(text), "")));
    for (answer, says) in answers {
        let shown = format!("{answer:?}");
        let server =
            Server::start(move |asked| if asked.path == "/v1/querybatch" { answer.clone() } else { Answer::ok("{}") });
        let folder = tempfile::tempdir().unwrap();
        let wanted = wanted(&server, folder.path().to_owned(), vec![Source::Service]);
        let failed = load(&wanted, &packages(&[("a", "1.0.0")])).unwrap_err();
        assert!(failed.contains(says), "{shown}: {failed}");
    }
}

#[test]
fn a_record_that_cannot_be_had_is_an_error() {
    let good = osv("GHSA-1", "npm", "a", "9.0.0", &critical()).to_string();
    let other = osv("GHSA-2", "npm", "a", "9.0.0", &critical()).to_string();
    for (answer, says) in failures(good.as_bytes()).into_iter().chain([(Answer::ok(other), "gave GHSA-2 for GHSA-1")]) {
        let shown = format!("{answer:?}");
        let batch = json!({"results": [{"vulns": [{"id": "GHSA-1"}]}]}).to_string();
        let server = Server::start(move |asked| match asked.path.as_str() {
            "/v1/querybatch" => Answer::ok(batch.clone()),
            _ => answer.clone(),
        });
        let folder = tempfile::tempdir().unwrap();
        let wanted = wanted(&server, folder.path().to_owned(), vec![Source::Service]);
        let failed = load(&wanted, &packages(&[("a", "1.0.0")])).unwrap_err();
        assert!(failed.contains(says), "{shown}: {failed}");
    }
}

#[test]
fn what_may_work_a_moment_later_is_tried_again() {
    let tries = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&tries);
    let server = Server::start(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => Answer::Closed,
        1 => Answer::status(503),
        _ => Answer::ok(dump(&["GHSA-1"])),
    });
    let folder = tempfile::tempdir().unwrap();
    let url = Source::Url(format!("{}/all.zip", server.url()));
    assert!(load(&wanted(&server, folder.path().to_owned(), vec![url]), &packages(&[])).is_ok());
    assert_eq!(tries.load(Ordering::SeqCst), 3);
}

#[test]
fn the_program_asks_the_service_unless_told_otherwise() {
    let server = service(vec![osv("RUSTSEC-1", "crates.io", "time", "9.0.0", &critical())]);
    let place = Place::new();
    place.tree.write("Cargo.lock", cargo_lock(&[("time", "0.1.40"), ("serde", "1.0.0")]));
    let run = |arguments: &[&str]| {
        let mut command = place.command(&[&["audit"], arguments].concat());
        super::ended(command.env("GATEPOST_OSV_API", server.url()))
    };
    let ran = run(&[]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let host = server.url().replace("http://", "");
    assert!(ran.out.contains(&format!("2 packages in 1 lockfile against {host} of {}", super::today())), "{}", ran.out);
    place.tree.write("Cargo.lock", cargo_lock(&[("serde", "1.0.0")]));
    assert_eq!(run(&[]).code, Some(0), "no record at all is an answer of the service");
    let before = server.asked().len();
    let ran = run(&["--offline"]);
    assert_eq!((ran.code, server.asked().len()), (Some(4), before), "{ran:?}");
}

#[test]
fn a_record_of_the_service_that_cannot_be_read_leaves_its_package_undecided() {
    let mut record = osv("GHSA-1", "npm", "a", "4.17.21.1-sec", &critical());
    record["aliases"] = json!(["CVE-1"]);
    let server = Server::start(move |asked| {
        if asked.path.starts_with("/v1/vulns/") {
            return Answer::ok(record.to_string());
        }
        let body: Value = serde_json::from_str(&asked.body).unwrap();
        let is_about = |query: &Value| query["package"]["name"] == "a" && query["version"] == "4.17.20";
        let answer = |query: &Value| if is_about(query) { json!({"vulns": [{"id": "GHSA-1"}]}) } else { json!({}) };
        let results: Vec<Value> = body["queries"].as_array().unwrap().iter().map(answer).collect();
        Answer::ok(json!({"results": results}).to_string())
    });
    let audited = |version: &str| {
        let place = Place::new();
        let packages = json!({"node_modules/a": {"version": version}});
        let lock = json!({"name": "shop", "lockfileVersion": 3, "packages": packages});
        place.tree.write("package-lock.json", lock.to_string() + "\n");
        let mut command = place.command(&["audit", "--json"]);
        let ran = super::ended(command.env("GATEPOST_OSV_API", server.url()));
        (ran.code, serde_json::from_str::<Value>(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}")))
    };
    let (code, report) = audited("4.17.20");
    assert_eq!(code, Some(4), "{report:#}");
    assert_eq!(super::found(&report), ["GHSA-1 a 4.17.20 - !"]);
    assert_eq!(report["findings"][0]["undecided"], true);
    assert!(report["notes"].to_string().contains("GHSA-1 speaks of a \\\"4.17.21.1-sec\\\""), "{report:#}");
    let (code, report) = audited("4.17.21");
    assert_eq!(code, Some(0), "the service did not name it for another version: {report:#}");
}
