//! Rules, levels, ignores and sizes, in gates of kind `migrations` too.

use serde_json::Value;

use super::{Place, Ran};

const T: &str =
    "CREATE TABLE t (id int PRIMARY KEY, v text);\nINSERT INTO t SELECT i, 'x' FROM generate_series(1, 50) i;\n";

/// A gate over migrations of which the base has the first.
fn gate(keys: &str, change: &str) -> (Place, Ran, Value) {
    let place = Place::of(&[
        ("db/1_t.sql", T),
        ("gatepost.toml", &format!("[gates.db]\nkind = \"migrations\"\npath = \"db\"\n{keys}")),
    ]);
    place.write("sizes.csv", "table,rows,bytes\npublic.t,90000000,6000000000\n");
    place.commit();
    place.write("db/2_change.sql", change);
    let ran = Ran::of(&place.command(&["run", "--base", "HEAD", "--json"]).output().unwrap());
    place.nothing_is_left();
    let gate = ran.json["gates"][0].clone();
    (place, ran, gate)
}

fn rules(gate: &Value) -> Vec<String> {
    let findings = gate["findings"].as_array().unwrap_or_else(|| panic!("{gate}"));
    let told = findings.iter().filter(|finding| finding["level"] != "note");
    told.map(|it| {
        format!(
            "{}:{} {} {}",
            it["path"].as_str().unwrap(),
            it["line"],
            it["rule"].as_str().unwrap(),
            it["level"].as_str().unwrap()
        )
    })
    .collect()
}

#[test]
fn a_gate_tells_what_a_change_would_do() {
    let (_place, ran, gate) = gate("", "ALTER TABLE t DROP COLUMN v;\n");
    assert_eq!(
        (ran.code, gate["outcome"].as_str(), gate["kind"].as_str()),
        (Some(1), Some("fail"), Some("migrations")),
        "{}",
        ran.err
    );
    assert_eq!(
        rules(&gate),
        ["db/2_change.sql:1 lock-without-timeout warning", "db/2_change.sql:1 drop-column warning"]
    );
    assert_eq!(gate["reason"], "2 warnings");
    assert_eq!(gate["migrations"]["migrations"][0]["statements"][0]["changes"][0], "- column public.t.v text");
}

#[test]
fn each_file_gets_its_own_fix() {
    let change = "ALTER TABLE t ADD COLUMN w text;\n";
    let place = Place::of(&[("db/1_t.sql", T), ("db/2_w.sql", change), ("db/3_w.sql", &change.replace('w', "x"))]);
    let ran = place.migrations(&["db"]);
    let findings = ran.json["findings"].as_array().unwrap();
    let of_locks: Vec<_> = findings.iter().filter(|it| it["rule"] == "lock-without-timeout").collect();
    assert_eq!(of_locks.len(), 2, "{}", ran.out);
    assert!(of_locks.iter().all(|it| it["fix"]["edits"][0]["text"] == "set lock_timeout = '1s';\n"), "{of_locks:?}");
}

#[test]
fn levels_are_configured_and_unknown_rules_are_refused() {
    let keys = "[gates.db.rules]\ndrop-column = \"note\"\nlock-without-timeout = \"off\"\n";
    let (_place, ran, gate) = gate(keys, "ALTER TABLE t DROP COLUMN v;\n");
    assert_eq!((ran.code, rules(&gate)), (Some(0), Vec::new()), "{}", ran.out);
    let place = Place::of(&[
        ("db/1.sql", T),
        ("gatepost.toml", "[gates.db]\nkind = \"migrations\"\npath = \"db\"\nrules = { drop-colum = \"note\" }\n"),
    ]);
    place.commit();
    let ran = Ran::of(&place.command(&["run"]).output().unwrap());
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.contains("drop-colum") && ran.err.contains("drop-column"), "{}", ran.err);
}

#[test]
fn an_ignore_needs_a_reason_and_silences_one_statement() {
    let change = "SET lock_timeout = '1s';
-- gatepost-ignore drop-column: nobody reads it since March
ALTER TABLE t DROP COLUMN v;
-- gatepost-ignore table-rewrite
ALTER TABLE t ALTER COLUMN id TYPE bigint;
-- squawk-ignore renaming-table
ALTER TABLE t RENAME TO u;
";
    let (_place, _, gate) = gate("", change);
    assert_eq!(rules(&gate), ["db/2_change.sql:5 table-rewrite error"]);
    let told: Vec<&str> = gate["findings"].as_array().unwrap().iter().filter_map(|it| it["message"].as_str()).collect();
    assert!(told.iter().any(|text| text.starts_with("ignored (nobody reads it since March): the column")), "{told:?}");
    assert!(gate["notes"].to_string().contains("db/2_change.sql:4: an ignore without a reason"), "{}", gate["notes"]);
}

#[test]
fn an_ignore_holds_whatever_level_the_rule_has() {
    let change =
        "SET lock_timeout = '1s';\n-- gatepost-ignore drop-column: nobody reads it\nALTER TABLE t DROP COLUMN v;\n";
    let (_place, ran, gate) = gate("[gates.db.rules]\ndrop-column = \"error\"\n", change);
    assert_eq!((ran.code, rules(&gate)), (Some(0), Vec::new()), "{}", ran.out);
}

#[test]
fn an_ignore_below_the_last_statement_silences_nothing() {
    let change = "SET lock_timeout = '1s';
ALTER TABLE t DROP COLUMN v;
-- gatepost-ignore drop-column: nobody reads it since March
-- ALTER TABLE t DROP COLUMN id;
";
    let (_place, _, gate) = gate("", change);
    assert_eq!(rules(&gate), ["db/2_change.sql:2 drop-column warning"]);
    let notes = gate["notes"].to_string();
    assert!(notes.contains("db/2_change.sql:3: the ignore of drop-column silences nothing"), "{notes}");
}

/// Nor is it of squawk what it has no rule for.
#[test]
fn what_the_server_refuses_passes_by_no_ignore_and_no_allowance() {
    let wrong = "SET lock_timeout = '1s';\n-- squawk-ignore\nALTER TABLE t DROP COLUMN nothing;\n";
    let (_place, ran, gate) = gate("", wrong);
    assert_eq!((ran.code, rules(&gate)), (Some(1), vec!["db/2_change.sql:3 failed-statement error".to_owned()]));
    let (_place, ran, gate) = self::gate("max-findings = 9\n", wrong);
    assert_eq!((ran.code, gate["reason"].as_str().unwrap()), (Some(1), "1 migration failed"), "{gate}");
    let ignored = wrong.replace("squawk-ignore", "gatepost-ignore failed-statement, ban-drop-column: it is of no use");
    let (_place, ran, gate) = self::gate("", &ignored);
    assert_eq!((ran.code, gate["reason"].as_str().unwrap()), (Some(1), "1 migration failed"), "{gate}");
    let (_place, ran, gate) = self::gate("", "-- squawk-ignore-file\nSET lock_timeout = '1s';\nDELETE FROM t;\n");
    assert_eq!((ran.code, rules(&gate)), (Some(1), vec!["db/2_change.sql:3 delete-all-rows warning".to_owned()]));
}

#[test]
fn the_size_of_production_makes_seconds_of_it() {
    let change = "SET lock_timeout = '1s';\nALTER TABLE t ADD CONSTRAINT c CHECK (v <> '');\n";
    let (_place, _, gate) = gate("sizes = \"sizes.csv\"\n", change);
    assert_eq!(rules(&gate), ["db/2_change.sql:2 scan-under-lock error"], "{gate}");
    let message = gate["findings"].as_array().unwrap().iter().find(|it| it["level"] == "error").unwrap()["message"]
        .as_str()
        .unwrap();
    assert!(message.starts_with("public.t is read from end to end under ACCESS EXCLUSIVE, which blocks every read and write, about 40 s on public.t"), "{message}");
}

#[test]
fn the_settings_of_squawk_are_heard() {
    let place = Place::of(&[("migrations/1_t.sql", T), (".squawk.toml", "excluded_rules = [\"ban-drop-column\"]\n")]);
    place.commit();
    place.write(
        "migrations/2_change.sql",
        "SET lock_timeout = '1s';\nALTER TABLE t DROP COLUMN v;\nDROP INDEX IF EXISTS x;\n",
    );
    let ran = place.migrations(&["--base", "HEAD"]);
    assert_eq!(ran.findings(), Vec::<String>::new());
}

#[test]
fn a_dump_and_rows_may_stand_for_the_base() {
    let dump = "SET search_path = '';\nCREATE TABLE public.d (id int PRIMARY KEY, v text);\nCOPY public.d (id, v) FROM stdin;\n1\ta;\n\\.\n";
    let toml = "[gates.db]\nkind = \"migrations\"\npath = \"db\"\nschema = \"dump.sql\"\nseed = \"seed.sql\"\n";
    let place =
        Place::of(&[("gatepost.toml", toml), ("dump.sql", dump), ("db/1_old.sql", "CREATE TABLE nowhere.x (id int);")]);
    place.write("seed.sql", "INSERT INTO d SELECT i, 'x' FROM generate_series(2, 500) i;\n");
    place.commit();
    place.write(
        "db/2_new.sql",
        "SET lock_timeout = '1s';\nUPDATE d SET v = 'y';\nALTER TABLE d ALTER v SET NOT NULL;\n",
    );
    let ran = Ran::of(&place.command(&["run", "--base", "HEAD", "--json"]).output().unwrap());
    place.nothing_is_left();
    let gate = &ran.json["gates"][0];
    assert_eq!(
        rules(gate),
        ["db/2_new.sql:3 scan-under-lock warning", "db/2_new.sql:3 required-column warning"],
        "{}",
        ran.out
    );
    assert_eq!(gate["migrations"]["migrations"][0]["statements"][1]["rows"], 500);
    assert_eq!(gate["migrations"]["migrations"].as_array().unwrap().len(), 1);
}

#[test]
fn a_tool_is_given_the_database() {
    let place = Place::of(&[
        ("schema.sql", T),
        (
            "gatepost.toml",
            "[gates.db]\nkind = \"migrations\"\nschema = \"schema.sql\"\ncommand = '''psql -q \"$DATABASE_URL\" -c 'alter table t drop column v' && psql -q -d postgres -c 'create database shadow' '''\n",
        ),
    ]);
    place.commit();
    place.write("x", "");
    let ran = Ran::of(&place.command(&["run", "--base", "HEAD", "--json"]).output().unwrap());
    place.nothing_is_left();
    let gate = &ran.json["gates"][0];
    assert_eq!(gate["outcome"], "fail", "{}{}", ran.out, ran.err);
    assert_eq!(gate["findings"][0]["rule"], "drop-column");
    for (command, why) in [("true", "the command changed nothing"), ("exit 127", "exit status 127")] {
        place.write("gatepost.toml", &format!("[gates.db]\nkind = \"migrations\"\ncommand = \"{command}\"\n"));
        let ran = Ran::of(&place.command(&["run", "--base", "HEAD", "--json"]).output().unwrap());
        let gate = &ran.json["gates"][0];
        assert_eq!((gate["outcome"].as_str(), ran.code), (Some("error"), Some(4)), "{command}");
        assert!(gate["reason"].as_str().unwrap().contains(why), "{gate}");
    }
}

#[test]
fn what_is_made_again_is_not_dropped_and_no_code_names_an_index() {
    let base = "CREATE TABLE t (id int PRIMARY KEY, v text);
CREATE INDEX t_v ON t (v);
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1';
";
    let change = "SET lock_timeout = '2s';
DROP FUNCTION f;
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2';
DROP FUNCTION g;
ALTER INDEX t_v RENAME TO t_text;
";
    let place = Place::of(&[("migrations/1_base.sql", base)]);
    place.commit();
    place.write("migrations/2_change.sql", change);
    let ran = place.migrations(&["--base", "HEAD"]);
    assert_eq!(ran.findings(), ["2_change.sql:4 drop-object"], "{}", ran.out);
}

#[test]
fn what_a_tool_said_at_last_is_told_when_it_fails() {
    let toml = "[gates.db]\nkind = \"migrations\"\ndatabase = \"postgres\"\ncommand = \"echo starting; echo no such revision; echo; exit 3\"\n";
    let place = Place::of(&[("gatepost.toml", toml)]);
    place.commit();
    let ran = Ran::of(&place.command(&["run", "--all-files", "--json"]).output().unwrap());
    let message = ran.json["gates"][0]["findings"][0]["message"].as_str().unwrap_or_else(|| panic!("{}", ran.out));
    assert!(message.starts_with("the command ended with exit status 3 (no such revision);"), "{message}");
}

#[test]
fn one_text_is_one_transaction() {
    let two = "CREATE INDEX CONCURRENTLY a_v ON a (v);\nCREATE INDEX CONCURRENTLY a_w ON a (w);\n";
    let outside = format!("-- migrate:up transaction:false\n{two}-- migrate:down\n");
    let place = Place::of(&[
        ("dbmate/1_a.sql", "-- migrate:up\nCREATE TABLE a (v int, w int);\n-- migrate:down\nDROP TABLE a;\n"),
        ("dbmate/2_b.sql", &outside),
        ("goose/1_a.sql", "-- +goose Up\nCREATE TABLE a (v int, w int);\n"),
        ("goose/2_b.sql", &format!("-- +goose NO TRANSACTION\n-- +goose Up\n{two}")),
        ("flyway/V1__a.sql", "CREATE TABLE a (v int, w int);\n"),
        ("flyway/V2__b.sql", two),
        ("diesel/1_a/up.sql", "CREATE TABLE a (v int, w int);\n"),
        ("diesel/2_b/up.sql", "CREATE INDEX CONCURRENTLY a_v ON a (v);\n"),
    ]);
    let ran = place.migrations(&["dbmate", "--all", "--no-round-trip"]);
    assert_eq!(ran.findings(), ["2_b.sql:2 failed-statement", "2_b.sql:3 failed-statement"], "{}", ran.out);
    let message = ran.message("failed-statement");
    assert!(
        message.contains("several statements of a file are one transaction: put it into a file of its own"),
        "{message}"
    );
    for folder in ["goose", "flyway"] {
        assert_eq!(
            place.migrations(&[folder, "--all"]).findings(),
            Vec::<String>::new(),
            "{folder} sends each by itself"
        );
    }
    let message = place.migrations(&["diesel", "--all"]).message("failed-statement").to_owned();
    assert!(
        message.contains("`run_in_transaction = false` in metadata.toml beside it makes diesel run it outside"),
        "{message}"
    );
}

#[test]
fn what_a_migration_makes_is_nobodys_yet() {
    let place = Place::of(&[(
        "m/1_a.sql",
        "CREATE TABLE a (v int);\nCREATE TABLE b (v int);\nCREATE VIEW w AS SELECT v FROM b;\n",
    )]);
    place.commit();
    let change = "SET lock_timeout = '2s';
DROP VIEW w;
DROP TABLE a;
CREATE TABLE a (id int, v int);
ALTER TABLE a ADD PRIMARY KEY (id);
CREATE INDEX a_v ON a (v);
ALTER TABLE b RENAME TO c;
CREATE INDEX c_v ON c (v);
CREATE VIEW w AS SELECT v FROM c;
";
    place.write("m/2_b.sql", change);
    place.write("m/3_c.sql", "DROP VIEW w;\n");
    let renamed = ["2_b.sql:8 scan-under-lock", "2_b.sql:8 require-concurrent-index-creation"];
    let expected = [&["2_b.sql:3 drop-table", "2_b.sql:7 rename-table"], renamed.as_slice()].concat();
    let ran = place.migrations(&["m", "--base", "HEAD"]);
    let of_two = |ran: &Ran| ran.findings().into_iter().filter(|it| it.starts_with("2_b")).collect::<Vec<_>>();
    assert_eq!(of_two(&ran)[0], "2_b.sql:2 drop-object", "the change as a whole leaves it dropped: {}", ran.out);
    let ran = place.migrations(&["m", "--all"]);
    assert_eq!(of_two(&ran), expected, "made again by the same migration: {}", ran.out);
}

#[test]
fn what_is_not_told_and_what_no_file_makes_is_said() {
    let place = Place::of(&[("m/1_a.sql", "CREATE TABLE shop.a (v int);\n")]);
    place.commit();
    place.write("m/2_b.sql", "CREATE TABLE shop.b (v int);\n");
    let ran = place.migrations(&["m", "--base", "HEAD"]);
    assert!(
        ran.message("failed-statement").contains("`schema = \"dump.sql\"` in the gate's settings makes it"),
        "{}",
        ran.out
    );
    assert!(
        ran.verdict().contains("does not exist (where databases have it before the first migration"),
        "{}",
        ran.verdict()
    );
    assert!(ran.out.contains("nothing tells which database m is written for: postgres was taken"), "{}", ran.out);
    let told = place.migrations(&["m", "--all", "--database", "postgres"]);
    assert!(!told.out.contains("nothing tells which database"), "{}", told.out);
}

#[test]
fn what_has_another_name_is_told_whatever_it_is() {
    let base =
        "CREATE SCHEMA shop;\nCREATE TYPE mood AS ENUM ('sad', 'ok');\nCREATE SEQUENCE sq;\nCREATE SEQUENCE gone;
CREATE TABLE t (id serial PRIMARY KEY, v text);
CREATE VIEW v AS SELECT v FROM t;
CREATE MATERIALIZED VIEW mv AS SELECT v FROM t;
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
";
    let change = "SET lock_timeout = '2s';
DO $$ BEGIN EXECUTE 'ALTER VIEW v RENAME TO v2'; END $$;
DO $$ BEGIN EXECUTE 'ALTER MATERIALIZED VIEW mv RENAME TO mv2'; END $$;
DO $$ BEGIN EXECUTE 'ALTER FUNCTION f() RENAME TO g'; END $$;
DO $$ BEGIN EXECUTE 'ALTER SCHEMA shop RENAME TO shop2'; END $$;
DO $$ BEGIN EXECUTE 'ALTER SEQUENCE sq RENAME TO sq2'; END $$;
DO $$ BEGIN EXECUTE $q$ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'$q$; END $$;
DO $$ BEGIN EXECUTE 'DROP SEQUENCE gone'; END $$;
DO $$ BEGIN EXECUTE 'DROP TABLE t CASCADE'; END $$;
";
    let place = Place::of(&[("migrations/1_base.sql", base)]);
    place.commit();
    place.write("migrations/2_change.sql", change);
    let ran = place.migrations(&["--base", "HEAD"]);
    let own = ["rename-object", "rename-object", "rename-object", "rename-object", "rename-object", "type-narrowed"];
    let own = own.iter().zip(2..).map(|(rule, line)| format!("2_change.sql:{line} {rule}"));
    let gone = ["8 drop-object", "9 drop-table"].map(|it| format!("2_change.sql:{it}"));
    let found: Vec<String> = ran.findings();
    for expected in own.chain(gone) {
        assert!(found.contains(&expected), "{expected}: {}", ran.out);
    }
    assert!(ran.out.contains("the type public.mood has 'sad' no more"), "{}", ran.out);
    assert!(!ran.out.contains("t_id_seq is dropped"), "it goes with its table: {}", ran.out);
}

#[test]
fn deleting_every_row_is_told() {
    let base = "CREATE TABLE t (id int PRIMARY KEY);\nINSERT INTO t SELECT generate_series(1, 500);
CREATE TABLE few (id int PRIMARY KEY);\nINSERT INTO few SELECT generate_series(1, 500);
CREATE TABLE bare (id int PRIMARY KEY);\nCREATE TABLE u (id int PRIMARY KEY);\nINSERT INTO u VALUES (1);
";
    let change = "SET lock_timeout = '2s';
DO $$ BEGIN EXECUTE 'DELETE FROM t'; END $$;
DELETE FROM few WHERE id < 500;
DELETE FROM bare;
TRUNCATE u;
";
    let place = Place::of(&[("migrations/1_base.sql", base)]);
    place.commit();
    place.write("migrations/2_change.sql", change);
    let ran = place.migrations(&["--base", "HEAD"]);
    let found: Vec<String> = ran.findings().into_iter().filter(|it| !it.contains("timeout")).collect();
    let expected = [2, 4, 5].map(|line| format!("2_change.sql:{line} delete-all-rows"));
    assert_eq!(found, expected, "{}", ran.out);
    let place = Place::of(&[("migrations/1_a.sql", "CREATE TABLE a (id int);\n")]);
    place.commit();
    place.write("migrations/2_b.sql", "DELETE FROM a;\n");
    let ran = place.migrations(&["--base", "HEAD", "--database", "sqlite"]);
    assert_eq!(ran.findings(), ["2_b.sql:1 delete-all-rows"], "{}", ran.out);
}
