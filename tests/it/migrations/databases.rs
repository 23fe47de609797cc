//! SQLite, MariaDB, and a server that was named.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Place, Ran};

/// A server that is not ours: the scratch server of another run, which sleeps meanwhile.
struct Other {
    place: Place,
    run: Child,
    /// Where its socket is.
    folder: PathBuf,
}

impl Other {
    fn start(database: &str, sleep: &str, socket: &str) -> Self {
        let place = Place::of(&[("migrations/1_a.sql", sleep)]);
        let mut command = place.command(&["migrations", "--json", "--database", database]);
        let run = command.stdout(Stdio::null()).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_mins(1);
        let folder = loop {
            let folders = place.folders().into_iter().filter(|name| !name.starts_with('.'));
            if let Some(found) = folders.map(|name| place.temp.join(name)).find(|path| path.join(socket).exists()) {
                break found;
            }
            assert!(Instant::now() < deadline);
            std::thread::sleep(Duration::from_millis(50));
        };
        let other = Self { place, run, folder };
        // Until then it makes and renames databases, which all of its server share.
        while database == "postgres" && !other.sleeps() {
            assert!(Instant::now() < deadline);
            std::thread::sleep(Duration::from_millis(50));
        }
        other
    }

    fn sleeps(&self) -> bool {
        let asked = Command::new("psql")
            .args(["-h", self.folder.to_str().unwrap(), "-U", "postgres", "-d", "template1", "-Atc"])
            .arg("select 1 from pg_stat_activity where query like 'select pg_sleep%' and state = 'active'")
            .output();
        asked.is_ok_and(|output| output.stdout == b"1\n")
    }

    fn end(mut self) {
        self.interrupt();
        self.place.nothing_is_left();
    }

    fn interrupt(&mut self) {
        let _ = Command::new("kill").args(["-INT", &self.run.id().to_string()]).status();
        let _ = self.run.wait();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        self.interrupt();
    }
}

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
    let other = Other::start("postgres", "select pg_sleep(600);\n", ".s.PGSQL.5432");
    let socket = &other.folder;
    let url = format!("postgres://postgres@localhost/template1?host={}", socket.display());
    let place = Place::of(&[
        ("migrations/1_a.sql", "create table a (id int);\n"),
        (
            "migrations/2_b.sql",
            "create role somebody;\ndo $$ begin execute 'create role hidden'; end $$;\ncreate table b (id int);\ngrant select on b to nobody_here;\n",
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
    let hint = ran.statement(1, 3)["error"]["hint"].as_str().unwrap_or_else(|| panic!("{}", ran.out));
    assert!(hint.contains("gatepost makes no role on a server that was named"), "{hint}");
    let left = Command::new("psql")
        .args(["-h", socket.to_str().unwrap(), "-U", "postgres", "-d", "template1", "-Atc"])
        .arg("select datname from pg_database where datname like 'gatepost\\_%' union all select rolname::text from pg_roles where rolname in ('somebody', 'hidden', 'nobody_here')")
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&left.stdout), "", "{}", String::from_utf8_lossy(&left.stderr));
    other.end();
    let away = Ran::of(
        &place
            .command(&["migrations", "--json", "--database-url", "postgres://u:secret@db.example.com/x"])
            .output()
            .unwrap(),
    );
    assert!(away.verdict().contains("db.example.com is another machine"), "{}", away.verdict());
    assert!(!away.out.contains("secret"));
}

/// The tool's own client reads the address, and nobody else reads the password in it.
#[test]
fn a_command_is_given_the_database_on_a_named_server() {
    let other = Other::start("postgres", "select pg_sleep(600);\n", ".s.PGSQL.5432");
    let url = format!("postgres://postgres:correcthorse@localhost/template1?host={}", other.folder.display());
    let toml = "[run]\npass-env = [\"DATABASE_URL\"]\n[gates.db]\nkind = \"migrations\"\ndatabase-url = \"env:DATABASE_URL\"\n\
                command = \"echo $DATABASE_URL; psql -q $DATABASE_URL -c 'create table b (id int)'; echo $DATABASE_URL; false\"\n";
    let place = Place::of(&[("gatepost.toml", toml), ("migrations/0001_a.py", "pass\n")]);
    place.commit();
    let ran = Ran::of(&place.command(&["run", "--all-files", "--json"]).env("DATABASE_URL", &url).output().unwrap());
    let changes = &ran.json["gates"][0]["migrations"]["migrations"][0]["statements"][0]["changes"];
    assert_eq!(
        *changes,
        serde_json::json!(["+ table public.b", "+ column public.b.id integer"]),
        "{}{}",
        ran.out,
        ran.err
    );
    assert!(ran.out.contains("postgres://***localhost/gatepost_"), "{}", ran.out);
    assert!(!ran.out.contains("correcthorse"), "{}", ran.out);
    other.end();
}

#[test]
fn a_named_mysql_server_is_written_to_in_one_database_alone() {
    let other = Other::start("mysql", "select sleep(600);\n", "s");
    let socket = other.folder.join("s");
    let client = |sql: &str| {
        let output = Command::new("mariadb")
            .args(["--no-defaults", "-uroot", "-N", "-e", sql, "-S"])
            .arg(&socket)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    client("create database shop; create table shop.orders (id int); create database gatepost_0123abcd");
    let place = Place::of(&[
        ("migrations/1_a.sql", "create table a (id int primary key);\n"),
        (
            "migrations/2_b.sql",
            "create user somebody;\ndrop table shop.orders;\nset global max_connections = 5;\ncreate table b (id int);\n",
        ),
    ]);
    let url = format!("mysql://root@localhost/mysql?socket={}", socket.display());
    let ran = place.migrations(&["--database", "mysql", "--database-url", &url]);
    assert_eq!(ran.code, Some(4), "{}{}", ran.out, ran.err);
    assert!(
        ran.verdict().contains("2_b.sql:1: not run: it is for more than this database (an account)"),
        "{}",
        ran.verdict()
    );
    let why = |number: usize| ran.statement(1, number)["not_run"].as_str().unwrap_or_default().to_owned();
    assert!(why(1).contains("command denied"), "{}", ran.out);
    assert!(why(2).contains("settings"), "{}", ran.out);
    assert_eq!(ran.statement(1, 3)["changes"].as_array().unwrap().len(), 2);
    assert_eq!(client("show tables from shop"), "orders\n");
    let left = client(
        "select schema_name from information_schema.schemata where schema_name like 'gatepost\\_%' union all select user from mysql.user where user like 'gatepost%' or user = 'somebody'",
    );
    assert_eq!(left, "", "also what a killed run had left is dropped");
    let away = ["--database", "mysql", "--database-url", "mysql://u:secret@db.example.com/x"];
    let away = place.migrations(&away);
    assert!(away.verdict().contains("db.example.com is another machine"), "{}", away.verdict());
    assert!(!away.out.contains("secret"));
    other.end();
}

#[test]
fn on_a_named_server_nothing_reaches_beyond_its_database() {
    let other = Other::start("postgres", "select pg_sleep(600);\n", ".s.PGSQL.5432");
    let socket = &other.folder;
    let url = format!("postgres://postgres@localhost/template1?host={}", socket.display());
    let change = format!(
        "select pg_create_physical_replication_slot('one');\ncomment on database template1 is 'ours';\n\
         copy (select 1) to '{0}/copied';\ncopy (select 1) to program 'cat > {0}/piped';\n\
         select dblink_exec('dbname=template1', 'create table far (id int)');\n\
         do $$ begin execute 'comment on' || ' database template1 is ''theirs'''; end $$;\n\
         do $$ begin execute 'select pg_create_physical_' || 'replication_slot(''two'')'; end $$;\n",
        socket.display()
    );
    let place = Place::of(&[("migrations/1_a.sql", "create table a (id int);\n"), ("migrations/2_b.sql", &change)]);
    let ran = place.migrations(&["--database-url", &url]);
    assert_eq!(ran.code, Some(4), "{}{}", ran.out, ran.err);
    let why = |number: usize| ran.statement(1, number)["not_run"].as_str().unwrap_or_else(|| panic!("{}", ran.out));
    for (number, says) in [
        (0, "it reaches a replication slot"),
        (1, "it changes a comment that all databases"),
        (2, "it reaches files or programs"),
        (3, "it reaches files or programs"),
        (4, "it reaches another database"),
        (5, "it changes something that all databases"),
        (6, "it changes something, unless another did so meanwhile, that"),
    ] {
        assert!(why(number).starts_with(says), "{number}: {}", why(number));
    }
    let left = Command::new("psql")
        .args(["-h", socket.to_str().unwrap(), "-U", "postgres", "-d", "template1", "-Atc"])
        .arg("select slot_name::text from pg_replication_slots union all select description from pg_shdescription order by 1")
        .output()
        .unwrap();
    let left = String::from_utf8_lossy(&left.stdout).into_owned();
    assert!(left.lines().all(|line| line == "two" || !["one", "ours", "theirs"].contains(&line)), "{left}");
    assert!(!socket.join("copied").exists() && !socket.join("piped").exists());
    other.end();
}

#[test]
fn a_version_of_mysql_that_is_not_there_is_named() {
    let toml = "[gates.db]\nkind = \"migrations\"\ndatabase = \"mysql\"\nversion = \"4.1\"\n";
    let place = Place::of(&[("gatepost.toml", toml), ("migrations/1_a.sql", "create table a (id int);\n")]);
    place.commit();
    let run = || Ran::of(&place.command(&["run", "--all-files", "--json"]).output().unwrap());
    let reason = run().json["gates"][0]["reason"].as_str().unwrap().to_owned();
    assert!(reason.starts_with("version 4.1 of mysql was asked for, and there is m"), "{reason}");
    // Which one there is, it says itself: `mariadb 10.11.14`.
    let (_, there) = reason.split_once(" there is ").unwrap();
    let major = there.split_whitespace().nth(1).unwrap().split('.').next().unwrap();
    place.write("gatepost.toml", &toml.replace("4.1", major));
    let ran = run();
    assert_eq!(ran.json["gates"][0]["outcome"], "pass", "{}", ran.out);
}

/// A server that starts removes the temporary tables that it finds, whoever's they are.
#[test]
fn servers_at_once_leave_each_other_alone() {
    let places: Vec<Place> =
        (0..6).map(|_| Place::of(&[("migrations/1_a.sql", "create table a (id int);\n")])).collect();
    let start = |place: &Place| {
        let mut command = place.command(&["migrations", "--json", "--database", "mysql"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let running: Vec<Child> = places.iter().map(start).collect();
    for child in running {
        let ran = Ran::of(&child.wait_with_output().unwrap());
        assert_eq!(ran.code, Some(0), "{}", ran.out);
    }
}

#[test]
fn a_tool_is_given_a_file_of_sqlite() {
    let script = "import os, sqlite3\nurl = os.environ['DATABASE_URL']\nassert url == 'sqlite:///' + os.environ['DATABASE_PATH']\n\
                  base = sqlite3.connect(os.environ['DATABASE_PATH'])\n\
                  base.execute('alter table a add column w text')\nbase.execute('create table b (id integer)')\nbase.commit()\n";
    let toml = "[gates.db]\nkind = \"migrations\"\ndatabase = \"sqlite\"\ncommand = [\"python3\", \"migrate.py\"]\nschema = \"dump.sql\"\n";
    let place = Place::of(&[
        ("gatepost.toml", toml),
        ("migrate.py", script),
        ("dump.sql", "create table a (id integer primary key, v text);\n"),
        ("migrations/0001_a.py", "pass\n"),
    ]);
    place.commit();
    let ran = Ran::of(&place.command(&["run", "--all-files", "--json"]).output().unwrap());
    let gate = &ran.json["gates"][0];
    assert_eq!(gate["outcome"], "pass", "{}{}", ran.out, ran.err);
    let changes = &gate["migrations"]["migrations"][0]["statements"][0]["changes"];
    assert_eq!(*changes, serde_json::json!(["+ table b", "+ column a.w TEXT", "+ column b.id INTEGER"]), "{}", ran.out);
    place.nothing_is_left();
}

#[test]
fn mariadb_shows_what_is_no_column() {
    let place = Place::of(&[
        (
            "migrations/1_a.sql",
            "create table a (id int primary key, v varchar(10), check (id > 0));\ncreate table b (id int);\n",
        ),
        (
            "migrations/2_b.sql",
            "alter table a drop constraint CONSTRAINT_1;\nalter table a comment 'x';\nalter table a modify v varchar(10) comment 'y';\n\
             alter table a modify v varchar(10) collate utf8mb4_bin;\ncreate fulltext index f on a (v);\n\
             alter table b partition by range (id) (partition p0 values less than (9));\n\
             create event e on schedule every 1 day do select 1;\nalter table a add w int as (id + 1);\n",
        ),
    ]);
    let ran = place.migrations(&["--database", "mysql"]);
    let change = |number: usize| ran.statement(1, number)["changes"].to_string();
    for (number, part) in [
        (0, "- constraint a.CONSTRAINT_1 CHECK ("),
        (1, "COMMENT 'x'"),
        (2, "COMMENT 'y'"),
        (3, "COLLATE utf8mb4_bin"),
        (4, "+ index a.f FULLTEXT INDEX (v)"),
        (5, "RANGE `id` p0 9"),
        (6, "+ object event.e ENABLED 1 DAY"),
        (7, "AS (`id` + 1)"),
    ] {
        assert!(change(number).contains(part), "{number}: {part}: {}", change(number));
    }
}

#[test]
fn mariadb_narrows_by_signs_and_character_sets() {
    let base = "create table t (id int unsigned not null, c int, a varchar(20), b varchar(20));\n";
    let change = "alter table t modify id int not null;\nalter table t modify c int unsigned;\n\
                  alter table t modify a varchar(20) character set latin1;\nalter table t convert to character set ascii;\n\
                  alter table t default character set utf8mb4;\nalter table t modify b varchar(20) character set ascii collate ascii_bin;\n";
    let elsewhere = "use mysql;\ncreate table zz (a int);\n";
    let files = [("migrations/1_a.sql", base), ("migrations/2_b.sql", change), ("migrations/3_c.sql", elsewhere)];
    let place = Place::of(&files);
    let ran = place.migrations(&["--database", "mysql"]);
    assert_eq!(
        ran.findings(),
        [
            "2_b.sql:1 type-narrowed",
            "2_b.sql:2 type-narrowed",
            "2_b.sql:3 type-changed",
            "2_b.sql:4 type-changed",
            "2_b.sql:4 type-changed",
            "3_c.sql:1 failed-statement",
        ],
        "{}",
        ran.out
    );
    assert!(ran.out.contains("the character set of t.a changes from the database's own to latin1"), "{}", ran.out);
}
