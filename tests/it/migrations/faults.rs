//! Never greener than the evidence, and nothing left behind: whatever a migration, the server or the system does.

use std::time::{Duration, Instant};

use gatepost::model::migration::DatabaseKind;
use gatepost::world::database::found;
use gatepost::world::database::programs::Surroundings;

use super::{Place, Ran};

#[test]
fn bad_sql_has_its_place() {
    let place = Place::of(&[
        ("migrations/1_a.sql", "create table a (id int);\n\nselect id\n  from nowhere;\ncreate table b (id int);\n"),
        ("migrations/2_b.sql", "crate table c (id int);\n"),
    ]);
    let ran = place.migrations(&[]);
    assert_eq!(ran.findings(), ["1_a.sql:4 failed-statement", "2_b.sql:1 failed-statement"]);
    let error = &ran.statement(0, 1)["error"];
    assert_eq!(
        (error["line"].as_u64(), error["column"].as_u64(), error["code"].as_str()),
        (Some(4), Some(8), Some("42P01"))
    );
    assert_eq!(ran.statement(0, 2)["changes"].as_array().unwrap().len(), 2, "the report goes on");
    assert_eq!(ran.verdict(), "1 fail: 2 errors");
}

#[test]
fn a_migration_that_kills_its_backend_is_an_error_and_the_rest_is_not_run() {
    let place = Place::of(&[
        (
            "migrations/1_a.sql",
            "create table a (id int);\nselect pg_terminate_backend(pg_backend_pid());\ncreate table b (id int);\n",
        ),
        ("migrations/2_b.sql", "create table c (id int);\n"),
    ]);
    let ran = place.migrations(&[]);
    assert_eq!(ran.code, Some(4));
    assert!(ran.verdict().contains("migrations/1_a.sql: line 2"), "{}", ran.verdict());
    assert_eq!(
        (ran.migration(0)["outcome"].as_str(), ran.migration(1)["outcome"].as_str()),
        (Some("error"), Some("not_run"))
    );
}

#[test]
fn what_sleeps_beyond_the_timeout_is_ended_with_its_place() {
    let toml = "[gates.db]\nkind = \"migrations\"\ntimeout = \"6s\"\n";
    let place = Place::of(&[
        ("gatepost.toml", toml),
        ("migrations/1_a.sql", "create table a (id int);\n\nselect pg_sleep(600);\n"),
    ]);
    place.commit();
    let begun = Instant::now();
    let ran = Ran::of(&place.command(&["run", "--all-files", "--json"]).output().unwrap());
    assert!(begun.elapsed() < Duration::from_mins(1));
    let gate = &ran.json["gates"][0];
    assert_eq!((gate["outcome"].as_str(), ran.code), (Some("error"), Some(4)), "{}", ran.err);
    assert_eq!(gate["reason"], "ran longer than its timeout of 6s and was ended at migrations/1_a.sql:3");
    place.nothing_is_left();
}

#[test]
fn steps_that_nothing_here_can_run_are_named() {
    let place = Place::of(&[
        ("migrations/00001_a.sql", "-- +goose Up\ncreate table a (id int);\n"),
        ("migrations/00002_b.go", "package migrations\n"),
        ("migrations/00003_c.sql", "-- +goose Up\ncreate table c (id int);\n"),
    ]);
    let ran = place.migrations(&[]);
    assert_eq!(ran.code, Some(4));
    assert!(ran.verdict().contains("migrations/00002_b.go was not run: it is code"), "{}", ran.verdict());
    let outcomes: Vec<&str> =
        ran.json["migrations"].as_array().unwrap().iter().map(|it| it["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["ok", "ok", "not_run"], "the rest still runs");
    let place = Place::of(&[("migrations/1_a.sql", "create table a (id int);\n\\set x 1\ncreate table b (id int);\n")]);
    let ran = place.migrations(&[]);
    assert_eq!((ran.code, ran.migration(0)["outcome"].as_str()), (Some(4), Some("not_run")));
    assert!(ran.verdict().contains("migrations/1_a.sql:2: \\set x 1 was not run"), "{}", ran.verdict());
}

#[test]
fn a_step_that_is_a_class_is_named() {
    let place = Place::of(&[
        ("src/main/resources/db/migration/V1__a.sql", "create table a (id int);\n"),
        ("src/main/java/db/migration/V2__Drop.java", "class V2__Drop {}\n"),
    ]);
    let ran = place.migrations(&["src/main/resources/db/migration", "--database", "sqlite"]);
    assert_eq!(ran.code, Some(4), "{}", ran.out);
    assert!(ran.verdict().contains("src/main/java/db/migration/V2__Drop.java was not run: it is code"), "{}", ran.out);
}

#[test]
fn a_folder_without_migrations_is_an_error() {
    let place = Place::of(&[("migrations/README.md", "none yet")]);
    let ran = place.migrations(&[]);
    assert!(
        ran.verdict().starts_with("4 error: migrations has no file that looks like a migration"),
        "{}",
        ran.verdict()
    );
    assert_eq!(place.migrations(&["nowhere"]).code, Some(2));
    assert_eq!(place.migrations(&["--layout", "dieesel"]).code, Some(2));
}

#[test]
fn a_missing_extension_is_named_before_the_first_statement() {
    let place = Place::of(&[
        ("migrations/1_a.sql", "create table a (id int);\n"),
        ("migrations/2_b.sql", "\ncreate extension if not exists \"no_such_thing\";\n"),
    ]);
    let ran = place.migrations(&[]);
    assert_eq!(ran.code, Some(4));
    assert!(
        ran.verdict().contains("no extension no_such_thing, which migrations/2_b.sql:2 needs"),
        "{}",
        ran.verdict()
    );
    assert_eq!(ran.migration(0)["outcome"], "not_run");
}

#[test]
fn without_the_server_it_says_how_to_get_one() {
    let place = Place::of(&[("migrations/1_a.sql", "create table a (id int);\n")]);
    let toml = "[gates.db]\nkind = \"migrations\"\nversion = \"7\"\n";
    place.write("gatepost.toml", toml);
    place.commit();
    let ran = Ran::of(&place.command(&["run", "--all-files", "--json"]).output().unwrap());
    let reason = ran.json["gates"][0]["reason"].as_str().unwrap();
    let how = if cfg!(target_os = "macos") { "brew install postgresql@7" } else { "services: postgres" };
    assert!(reason.contains("version 7 of postgres was asked for") && reason.contains(how), "{reason}");
    assert_eq!(ran.code, Some(4));
}

/// On macOS a server that is told no locale asks the system for it, by a thread, and then refuses to start.
#[test]
fn a_server_is_told_its_locale() {
    use std::os::unix::fs::PermissionsExt as _;

    let place = Place::of(&[("migrations/1_a.sql", "create table a (id int);\n")]);
    let here: Vec<_> = std::env::vars_os().collect();
    let server = found::servers(Surroundings(&here), DatabaseKind::Postgres).remove(0).program;
    for name in ["initdb", "postgres"] {
        let refuses = "[ -n \"${LC_ALL:-}\" ] || { echo 'postmaster became multithreaded during startup'; exit 1; }";
        let script = format!("#!/bin/sh\n{refuses}\nexec {} \"$@\"\n", server.with_file_name(name).display());
        place.write(&format!("bin/{name}"), &script);
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(place.work().join("bin").join(name), executable).unwrap();
    }
    let path = [place.work().join("bin")].into_iter().chain(Surroundings(&here).path());
    let mut command = place.command(&["migrations", "--json"]);
    command.env("PATH", std::env::join_paths(path).unwrap()).env_remove("HOME");
    let ran = Ran::of(&command.output().unwrap());
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
}

/// Runs until the server sleeps in a migration.
fn sleeping(place: &Place) -> std::process::Child {
    let child = place.command(&["migrations", "--json"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_mins(1);
    while asleep(place).is_none() {
        assert!(Instant::now() < deadline, "it never came to sleep");
        std::thread::sleep(Duration::from_millis(50));
    }
    child
}

/// The server's process that runs the migration, by a kind of statement that gatepost itself never asks with.
fn asleep(place: &Place) -> Option<i32> {
    let output = std::process::Command::new("ps").args(["-A", "-ww", "-o", "ppid=,pid=,command="]).output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let servers = place.servers();
    lines.lines().find_map(|line| {
        let mut words = line.split_whitespace().map_while(|word| word.parse::<i32>().ok());
        let (parent, pid) = (words.next()?, words.next()?);
        (line.contains("gatepost [local] DO") && servers.contains(&parent)).then_some(pid)
    })
}

const SLEEPS: &[(&str, &str)] =
    &[("migrations/1_a.sql", "create table a (id int);\ndo 'begin perform pg_sleep(600); end';\n")];

#[test]
fn a_server_that_dies_is_an_error() {
    let place = Place::of(SLEEPS);
    // The whole server, then only the process that runs the migration.
    for whole in [true, false] {
        let child = sleeping(&place);
        let segment = segment(&place);
        assert!(is_there(&segment) || !cfg!(target_os = "linux"), "{segment:?}");
        for pid in if whole { place.servers() } else { Vec::from_iter(asleep(&place)) } {
            let _ = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status();
        }
        let ran = Ran::of(&child.wait_with_output().unwrap());
        assert_eq!(ran.code, Some(4), "{}", ran.out);
        assert!(ran.verdict().contains("migrations/1_a.sql: line 2"), "{}", ran.verdict());
        place.nothing_is_left();
        assert!(!is_there(&segment), "{segment:?}");
    }
}

/// The numbers of the shared memory that the server made.
fn segment(place: &Place) -> Vec<String> {
    let file = place.temp.join(&place.folders()[0]).join("data/postmaster.pid");
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().nth(6).unwrap().split_whitespace().map(str::to_owned).collect()
}

fn is_there(segment: &[String]) -> bool {
    let all = std::fs::read_to_string("/proc/sysvipc/shm").unwrap_or_default();
    all.lines().any(|line| line.split_whitespace().take(2).eq(segment.iter().map(String::as_str)))
}

#[test]
fn what_a_killed_gatepost_leaves_the_next_one_sweeps() {
    let place = Place::of(SLEEPS);
    let mut child = sleeping(&place);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!place.servers().is_empty() && place.folders().len() == 1, "there is something to sweep");
    place.write("migrations/1_a.sql", "create table a (id int);\n");
    assert_eq!(place.migrations(&[]).code, Some(0));
}

#[test]
fn an_interrupt_stops_the_server() {
    let place = Place::of(SLEEPS);
    let child = sleeping(&place);
    let _ = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    let ran = Ran::of(&child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(130), "{}", ran.out);
    assert_eq!(ran.verdict(), "130 error: cancelled by SIGINT at migrations/1_a.sql:2");
    place.nothing_is_left();
}

#[test]
fn a_disk_that_is_full_is_an_error() {
    let fill = "create table a (v text);\ninsert into a select repeat(md5(i::text), 100) from generate_series(1, 30000) i;\nalter table a alter v set storage external;\nupdate a set v = v || v;\n";
    let place = Place::of(&[("migrations/1_a.sql", fill)]);
    let gatepost = place.command(&["migrations", "--json"]);
    let mut limited = std::process::Command::new("bash");
    limited.args(["-c", "ulimit -f 12000; exec \"$0\" migrations --json", env!("CARGO_BIN_EXE_gatepost")]);
    limited.current_dir(place.work()).env_clear();
    limited.envs(gatepost.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let ran = Ran::of(&limited.output().unwrap());
    assert_eq!(ran.code, Some(4), "{}{}", ran.out, ran.err);
    assert!(ran.verdict().contains("migrations/1_a.sql:4: the server could not go on"), "{}", ran.verdict());
    place.nothing_is_left();
}

#[test]
fn a_file_that_ends_its_transaction_is_seen_to() {
    let place = Place::of(&[(
        "migrations/1_a.sql",
        "begin;\ncreate table a (id int);\ncommit;\ncreate table b (id int);\nvacuum;\ndrop table a;\n",
    )]);
    let ran = place.migrations(&[]);
    assert_eq!(ran.migration(0)["outcome"], "ok", "{}", ran.out);
    assert_eq!(ran.statement(0, 3)["changes"].as_array().unwrap().len(), 2);
    assert_eq!(ran.statement(0, 5)["changes"][0], "- table public.a");
}

#[test]
fn settings_of_a_migration_do_not_blind_the_watcher() {
    let text = "set search_path = nowhere;\nset statement_timeout = '5s';\ncreate role app;\nset role app;\nset default_transaction_read_only = on;\nreset role;\nset transaction read write;\ncreate table public.a (id int);\ndiscard all;\n";
    let place = Place::of(&[("migrations/1_a.sql", text), ("migrations/2_b.sql", "create table b (id int);\n")]);
    let ran = place.migrations(&[]);
    assert_eq!(ran.statement(0, 7)["changes"][0], "+ table public.a", "{}", ran.out);
    assert_eq!(ran.migration(1)["outcome"], "ok", "{}", ran.out);
}

#[test]
fn what_was_half_kept_is_made_again() {
    for database in ["postgres", "mysql"] {
        let place = Place::of(&[("migrations/1_a.sql", "create table a (id int);\n")]);
        let cache = place.work().join("cache/gatepost/databases");
        std::fs::create_dir_all(&cache).unwrap();
        std::fs::write(cache.join("making"), "half").unwrap();
        let run = || {
            let mut command = place.command(&["migrations", "--json", "--database", database]);
            let output = command.env("XDG_CACHE_HOME", place.work().join("cache")).output();
            assert_eq!(Ran::of(&output.unwrap()).code, Some(0), "{database}");
            let entries = std::fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().path());
            entries.filter(|path| !path.ends_with("lock")).collect::<Vec<_>>()
        };
        let kept = run();
        assert_eq!(kept.len(), 1, "{kept:?}");
        // One that was cut short, or that no server starts from, is thrown away, and made again.
        for broken in ["half", "\0\0\0\0\0\0\0\0"] {
            std::fs::write(&kept[0], broken).unwrap();
            assert_eq!(run(), kept, "{database}");
            assert!(std::fs::metadata(&kept[0]).unwrap().len() > 8, "{database}");
        }
        place.nothing_is_left();
    }
}

#[test]
fn what_a_failed_statement_wrote_is_not_the_next_ones() {
    let fails = "insert into a select i from generate_series(1, 100) i union all select 1;\n";
    let text = format!(
        "create table a (id int primary key);\n{fails}insert into a values (1), (2);\ndeallocate all;\ncreate table b (id int);\n"
    );
    let place = Place::of(&[("migrations/1_a.sql", &text)]);
    let ran = place.migrations(&[]);
    assert_eq!((&ran.statement(0, 1)["rows"], &ran.statement(0, 2)["rows"]), (&0.into(), &2.into()), "{}", ran.out);
    assert_eq!(ran.statement(0, 4)["changes"].as_array().unwrap().len(), 2, "{}", ran.out);
}
