//! SQLite, MariaDB, and a server that was named.

use super::{Place, Ran};

#[test]
fn sqlite_runs_in_this_process_and_touches_no_file() {
    let place = Place::of(&[
        (
            "migrations/1_a.sql",
            "-- migrate:up\ncreate table a (id integer primary key, v text not null check (v <> ''));\n-- migrate:down\ndrop table a;\n",
        ),
        (
            "migrations/2_b.sql",
            "-- migrate:up\nalter table a rename column v to w;\n-- migrate:down\nalter table a rename column w to v;\n",
        ),
        ("migrations/3_c.sql", "-- migrate:up\nalter table a add column x int;\n-- migrate:down\nselect 1;\n"),
    ]);
    let ran = place.migrations(&["--database", "sqlite"]);
    assert_eq!(ran.json["layout"], "dbmate");
    assert!(ran.json["database"].as_str().unwrap().starts_with("sqlite 3"));
    assert_eq!(ran.round_trips(), ["exact", "exact", "reup_error"], "{}", ran.out);
    assert_eq!(ran.findings(), ["2_b.sql:2 rename-column", "3_c.sql:1 up-again-failed"]);
    place.write("migrations/4_d.sql", "-- migrate:up\nattach 'x.db' as y;\n");
    let ran = place.migrations(&["--database", "sqlite"]);
    assert_eq!(ran.code, Some(4));
    assert!(ran.verdict().contains("migrations/4_d.sql:2: not run: ATTACH would touch a file"), "{}", ran.verdict());
    assert!(!place.work().join("x.db").exists());
}

#[test]
fn mariadb_is_applied_and_compared() {
    let place = Place::of(&[
        (
            "migrations/1_a.sql",
            "create table a (id int primary key auto_increment, v varchar(10) not null default 'x');\n",
        ),
        (
            "migrations/2_b.sql",
            "alter table a modify v varchar(5) not null;\nDELIMITER //\ncreate procedure p() begin select 1; select 2; end//\nDELIMITER ;\nselect * from nowhere;\n",
        ),
    ]);
    let ran = place.migrations(&["--database", "mysql"]);
    let server = ran.json["database"].as_str().unwrap_or_else(|| panic!("{}", ran.out));
    assert!(server.starts_with("mariadb ") || server.starts_with("mysql "), "{server}");
    assert_eq!(
        ran.statement(1, 0)["changes"][0],
        "~ column a.v: varchar(10) NOT NULL DEFAULT 'x' -> varchar(5) NOT NULL"
    );
    assert!(ran.statement(1, 1)["changes"][0].as_str().unwrap().starts_with("+ function p PROCEDURE"));
    assert_eq!(ran.findings(), ["2_b.sql:1 type-narrowed", "2_b.sql:5 failed-statement"]);
}

#[test]
fn a_named_server_gets_a_database_of_its_own_and_keeps_its_roles() {
    // The server is a scratch server of another run, which sleeps meanwhile.
    let other = Place::of(&[("migrations/1_a.sql", "select pg_sleep(600);\n")]);
    let mut server = other.command(&["migrations", "--json"]).stdout(std::process::Stdio::null()).spawn().unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_mins(1);
    let socket = loop {
        let folders = other.folders();
        let found = folders.iter().map(|name| other.temp.join(name)).find(|path| path.join(".s.PGSQL.5432").exists());
        if let Some(found) = found.filter(|path| !path.file_name().unwrap().to_str().unwrap().starts_with('.')) {
            break found;
        }
        assert!(std::time::Instant::now() < deadline);
        std::thread::sleep(std::time::Duration::from_millis(50));
    };
    let url = format!("postgres://postgres@localhost/postgres?host={}", socket.display());
    let place = Place::of(&[
        ("migrations/1_a.sql", "create table a (id int);\n"),
        (
            "migrations/2_b.sql",
            "create role somebody;\ndo $$ begin execute 'create role hidden'; end $$;\ncreate table b (id int);\n",
        ),
    ]);
    let ran = place.migrations(&["--database-url", &url]);
    assert_eq!(ran.code, Some(4), "{}{}", ran.out, ran.err);
    assert!(ran.verdict().contains("migrations/2_b.sql:1: not run: it changes a role"), "{}", ran.verdict());
    assert!(
        ran.statement(1, 1)["not_run"].as_str().unwrap().contains("all databases of the server share"),
        "{}",
        ran.out
    );
    assert_eq!(ran.statement(1, 2)["changes"].as_array().unwrap().len(), 2);
    let left = std::process::Command::new("psql")
        .args(["-h", socket.to_str().unwrap(), "-U", "postgres", "-Atc"])
        .arg("select datname from pg_database where datname like 'gatepost\\_%' union all select rolname::text from pg_roles where rolname in ('somebody', 'hidden')")
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&left.stdout), "", "{}", String::from_utf8_lossy(&left.stderr));
    let _ = std::process::Command::new("kill").args(["-INT", &server.id().to_string()]).status();
    server.wait().unwrap();
    other.nothing_is_left();
    let away = Ran::of(
        &place
            .command(&["migrations", "--json", "--database-url", "postgres://u:secret@db.example.com/x"])
            .output()
            .unwrap(),
    );
    assert!(away.verdict().contains("db.example.com is another machine"), "{}", away.verdict());
    assert!(!away.out.contains("secret"));
}
