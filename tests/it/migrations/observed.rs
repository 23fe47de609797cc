//! What a statement did to PostgreSQL is seen, not guessed.

use serde_json::json;

use super::{Place, locks};

const ORDERS: &str = "CREATE TABLE customers (id bigint PRIMARY KEY, email text);
CREATE TABLE orders (id bigint PRIMARY KEY, customer bigint NOT NULL, total integer, note text);
INSERT INTO customers SELECT i, 'c' || i FROM generate_series(1, 100) i;
INSERT INTO orders (id, customer, total) SELECT i, 1 + i % 100, i FROM generate_series(1, 1000) i;
";

#[test]
fn locks_rewrites_scans_rows_and_changes() {
    let change = "ALTER TABLE orders ALTER COLUMN total TYPE bigint;
ALTER TABLE orders ALTER COLUMN total SET NOT NULL;
DO $$ BEGIN EXECUTE format('ALTER TABLE %I ALTER COLUMN email TYPE varchar(50)', 'customers'); END $$;
UPDATE orders SET note = 'x' WHERE id <= 99;
ALTER TABLE orders RENAME COLUMN note TO remark;
CREATE TABLE fresh (id int);
TRUNCATE customers;
";
    let place = Place::of(&[("migrations/1_base.sql", ORDERS), ("migrations/2_change.sql", change)]);
    let ran = place.migrations(&[]);
    assert_eq!(ran.json["layout"], "numbered");
    assert!(ran.json["database"].as_str().unwrap().starts_with("postgres 1"), "{}", ran.out);
    assert_eq!(ran.statement(0, 0)["locks"], json!([]), "what the file makes is nobody's yet");
    assert_eq!(ran.statement(0, 3)["rows"], 1000);
    let widen = ran.statement(1, 0);
    assert!(locks(&widen["locks"]).contains(&"public.orders AccessExclusiveLock".to_owned()), "{widen}");
    assert_eq!(widen["rewrites"], json!(["public.orders"]));
    assert_eq!(widen["changes"], json!(["~ column public.orders.total: integer -> bigint"]));
    let required = ran.statement(1, 1);
    assert_eq!((&required["scans"], &required["locks"]), (&json!(["public.orders"]), &json!([])));
    let hidden = ran.statement(1, 2);
    assert!(locks(&hidden["locks"]).contains(&"public.customers AccessExclusiveLock".to_owned()), "{hidden}");
    assert_eq!(hidden["rewrites"], json!(["public.customers"]));
    assert!(locks(&hidden["held"]).contains(&"public.orders AccessExclusiveLock".to_owned()), "until the commit");
    let update = ran.statement(1, 3);
    assert_eq!(update["rows"], 99);
    assert!(update["wal_bytes"].as_u64().unwrap() > 1000);
    assert_eq!(ran.statement(1, 4)["changes"], json!(["~ column public.orders.note renamed to public.orders.remark"]));
    assert_eq!(ran.statement(1, 5)["locks"], json!([]));
    assert_eq!(ran.statement(1, 6)["changes"], json!(["- every row of table public.customers"]));
    assert_eq!(ran.statement(1, 6)["rewrites"], json!([]), "it is emptied, not written anew");
    for (line, rule) in [
        (1, "table-rewrite"),
        (1, "lock-without-timeout"),
        (2, "scan-under-lock"),
        (2, "required-column"),
        (3, "table-rewrite"),
        (3, "type-narrowed"),
        (3, "lock-held-over-work"),
        (5, "rename-column"),
        (7, "delete-all-rows"),
    ] {
        assert!(ran.findings().contains(&format!("2_change.sql:{line} {rule}")), "{rule}: {:?}", ran.findings());
    }
    assert_eq!(ran.code, Some(1));
}

#[test]
fn a_lock_is_new_once_and_again_when_it_is_stronger() {
    let change = "SET lock_timeout = '2s';
SELECT 1 FROM orders WHERE id = 1 FOR UPDATE;
CREATE INDEX orders_total ON orders (total);
ALTER TABLE orders ADD COLUMN a int;
ALTER TABLE orders ADD COLUMN b int;
";
    let place = Place::of(&[("migrations/1_base.sql", ORDERS), ("migrations/2_change.sql", change)]);
    let ran = place.migrations(&[]);
    let of_orders = |number: usize| {
        let all = locks(&ran.statement(1, number)["locks"]);
        all.into_iter().filter_map(|lock| lock.strip_prefix("public.orders ").map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(of_orders(1), ["RowShareLock"]);
    assert_eq!(of_orders(2), ["ShareLock"]);
    assert_eq!(of_orders(3), ["AccessExclusiveLock"]);
    assert_eq!(of_orders(4), Vec::<String>::new());
    assert_eq!(ran.findings(), ["2_change.sql:3 index-without-concurrently"], "the timeout is in force");
    let fix = &ran.json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["line"] == 3 && it["level"] != "note")
        .unwrap()["fix"];
    assert_eq!(fix["edits"][0]["text"].as_str().unwrap().trim(), "concurrently", "the linter's fix is kept");
}

#[test]
fn what_refuses_transactions_runs_by_itself_where_the_tool_lets_it() {
    let concurrently = "CREATE INDEX CONCURRENTLY orders_total ON orders (total);\n";
    let place = Place::of(&[
        ("migrations/2024-01-01-000000_base/up.sql", ORDERS),
        ("migrations/2024-02-01-000000_free/up.sql", concurrently),
        ("migrations/2024-02-01-000000_free/metadata.toml", "run_in_transaction = false\n"),
        ("migrations/2024-03-01-000000_bound/up.sql", "CREATE INDEX CONCURRENTLY orders_note ON orders (note);\n"),
    ]);
    let ran = place.migrations(&[]);
    assert_eq!(ran.json["layout"], "diesel");
    let free = ran.migration(1);
    assert_eq!((&free["outcome"], &free["transactional"]), (&json!("ok"), &json!(false)), "{}", ran.out);
    assert_eq!(locks(&ran.statement(1, 0)["locks"]), ["public.orders ShareUpdateExclusiveLock"]);
    assert_eq!(ran.statement(1, 0)["changes"].as_array().unwrap().len(), 1);
    assert_eq!(ran.migration(2)["outcome"], "error", "Diesel runs it in a transaction, and so it fails there");
    assert_eq!(ran.findings(), ["up.sql:1 failed-statement"]);
    assert_eq!(ran.verdict(), "1 fail: 1 error");
}

#[test]
fn the_schema_that_comes_of_it_is_written() {
    let change =
        "ALTER TABLE orders DROP COLUMN note; CREATE VIEW v AS SELECT id FROM orders; CREATE TYPE mood AS ENUM ('a');
CREATE TABLE t (id int PRIMARY KEY, o bigint REFERENCES orders);
CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END;\n";
    let place = Place::of(&[("migrations/1_base.sql", ORDERS)]);
    place.commit();
    place.write("migrations/2_change.sql", change);
    let ran = place.migrations(&["--base", "HEAD", "--schema-out", "diff.sql"]);
    let diff = ran.json["schema_diff"].as_str().unwrap();
    for part in [
        "ALTER TABLE public.orders DROP COLUMN note;",
        "CREATE TYPE public.mood AS ENUM ('a');",
        "CREATE TABLE public.t (\n  id integer NOT NULL,\n  o bigint,\n",
        "CREATE VIEW public.v AS",
        "CREATE OR REPLACE FUNCTION public.f()",
    ] {
        assert!(diff.contains(part), "{part} in {diff}");
    }
    assert_eq!(std::fs::read_to_string(place.work().join("diff.sql")).unwrap(), diff);
    assert!(ran.findings().contains(&"2_change.sql:2 foreign-key-without-index".to_owned()));
}

#[test]
fn what_runs_outside_a_transaction_shows_its_locks_and_rewrites() {
    // Flyway sends each statement by itself.
    let alone = "\
VACUUM FULL orders;
REINDEX TABLE CONCURRENTLY orders;
CREATE INDEX CONCURRENTLY orders_total ON orders (total);
DROP INDEX CONCURRENTLY orders_total;
ALTER TABLE parts DETACH PARTITION parts_1 CONCURRENTLY;
VACUUM orders;
";
    let parts = "CREATE TABLE parts (id int) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (9);
";
    let place = Place::of(&[
        ("migrations/V1__base.sql", ORDERS),
        ("migrations/V2__parts.sql", parts),
        ("migrations/V3__alone.sql", alone),
        ("migrations/V3__alone.sql.conf", "executeInTransaction=false"),
    ]);
    let ran = place.migrations(&[]);
    let told = |number: usize| locks(&ran.statement(2, number)["locks"]);
    let has =
        |number: usize, lock: &str| assert!(told(number).contains(&lock.to_owned()), "{number}: {:?}", told(number));
    has(0, "public.orders AccessExclusiveLock");
    assert_eq!(ran.statement(2, 0)["rewrites"], json!(["public.orders"]), "{}", ran.out);
    assert!(ran.statement(2, 0)["wal_bytes"].as_u64().unwrap() > 0);
    has(1, "public.orders ShareUpdateExclusiveLock");
    has(2, "public.orders ShareUpdateExclusiveLock");
    has(3, "public.orders ShareUpdateExclusiveLock");
    has(4, "public.parts ShareUpdateExclusiveLock");
    has(4, "public.parts_1 AccessExclusiveLock");
    assert_eq!(ran.statement(2, 2)["rewrites"], json!([]));
    assert!(ran.findings().contains(&"V3__alone.sql:1 table-rewrite".to_owned()), "{:?}", ran.findings());
    assert!(ran.findings().contains(&"V3__alone.sql:1 lock-without-timeout".to_owned()));
    assert!(!ran.findings().iter().any(|finding| finding.contains("alone.sql:3")), "{:?}", ran.findings());
}

#[test]
fn what_changes_in_relations_that_nobody_locked_is_seen() {
    let base =
        format!("{ORDERS}CREATE SCHEMA old;\nCREATE TYPE old.mood AS ENUM ('a');\nCREATE TABLE old.t (m old.mood);\n");
    let change =
        "GRANT SELECT ON orders TO PUBLIC;\nALTER SCHEMA old RENAME TO new;\nALTER TYPE new.mood RENAME TO humour;\n";
    let place = Place::of(&[("migrations/1_base.sql", &base), ("migrations/2_change.sql", change)]);
    let ran = place.migrations(&[]);
    let changes = |number: usize| ran.statement(1, number)["changes"].to_string();
    assert!(changes(0).contains("privileges public.orders"), "{}", changes(0));
    assert!(changes(1).contains("~ table old.t renamed to new.t"), "{}", changes(1));
    assert!(changes(2).contains("~ column new.t.m: new.mood -> new.humour"), "{}", changes(2));
}

#[test]
fn what_switches_counters_off_hides_nothing() {
    let base = format!("{ORDERS}CREATE TYPE mood AS ENUM ('a');\n");
    let blind = "SET LOCAL track_counts = off;
ALTER TYPE mood RENAME VALUE 'a' TO 'b';
GRANT SELECT ON customers TO PUBLIC;
ALTER TABLE orders ALTER COLUMN total SET NOT NULL;
DO $$ BEGIN SET LOCAL track_counts = off; ALTER TABLE orders ALTER COLUMN id TYPE int; GRANT SELECT ON orders TO PUBLIC; END $$;
DO $$ BEGIN SET LOCAL track_counts = off; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; RESET track_counts; END $$;
DO $$ BEGIN SET LOCAL Track_Counts = off; ALTER TABLE customers ALTER COLUMN email SET NOT NULL; SET LOCAL track_counts = on; END $$;
";
    let place = Place::of(&[("migrations/1_base.sql", &base), ("migrations/2_change.sql", blind)]);
    let ran = place.migrations(&[]);
    assert!(ran.findings().contains(&"2_change.sql:7 failed-statement".to_owned()), "on again: {:?}", ran.findings());
    let changes = |number: usize| ran.statement(1, number)["changes"].to_string();
    assert!(changes(1).contains("ENUM ('a') -> ENUM ('b')"), "{}", changes(1));
    assert!(changes(2).contains("privileges public.customers"), "{}", changes(2));
    assert_eq!(ran.statement(1, 3)["scans"], json!(["public.orders"]), "they are switched on again");
    assert!(changes(4).contains("integer") && changes(4).contains("privileges public.orders"), "{}", changes(4));
    assert!(changes(5).contains("+ function public.f()"), "{}", changes(5));
    assert!(ran.findings().contains(&"2_change.sql:5 failed-statement".to_owned()), "{:?}", ran.findings());
    assert!(ran.message("failed-statement").contains("track_counts is off"), "{}", ran.out);
}

#[test]
fn privileges_given_while_another_table_is_locked_are_seen() {
    let change = "ALTER TABLE orders ADD COLUMN x int;\nGRANT SELECT ON customers TO PUBLIC;\n";
    let place = Place::of(&[("migrations/1_base.sql", ORDERS), ("migrations/2_change.sql", change)]);
    let ran = place.migrations(&[]);
    let changes = ran.statement(1, 1)["changes"].to_string();
    assert!(changes.contains("privileges public.customers"), "{changes}");
}

#[test]
fn emptied_and_written_anew_are_told_apart() {
    let table = |name: &str| {
        format!(
            "CREATE TABLE {name} (id serial PRIMARY KEY, n int, x int4range, EXCLUDE USING gist (x WITH &&));
INSERT INTO {name} (n) SELECT i FROM generate_series(1, 100) i;
"
        )
    };
    let base = ["a", "b", "c", "d", "e"].map(table).concat() + "CREATE MATERIALIZED VIEW v AS SELECT n FROM e;\n";
    let place = Place::of(&[
        ("migrations/1_base.sql", &base),
        ("migrations/2_a.sql", "TRUNCATE a RESTART IDENTITY;\nALTER TABLE a ALTER n TYPE bigint;\n"),
        ("migrations/3_b.sql", "DO $$ BEGIN TRUNCATE b; ALTER TABLE b ALTER n TYPE bigint; END $$;\n"),
        ("migrations/4_c.sql", "DO $$ BEGIN TRUNCATE c; INSERT INTO c (n) VALUES (1); END $$;\n"),
        ("migrations/5_d.sql", "CLUSTER d USING d_pkey;\n"),
        ("migrations/6_v.sql", "REFRESH MATERIALIZED VIEW v;\n"),
    ]);
    let ran = place.migrations(&[]);
    let told = |migration: usize, number: usize| {
        let statement = ran.statement(migration, number);
        let emptied = statement["changes"].to_string().contains("every row of");
        (statement["rewrites"].to_string(), emptied)
    };
    assert_eq!(told(1, 0), ("[]".to_owned(), true), "{}", ran.out);
    assert_eq!(told(1, 1), ("[\"public.a\"]".to_owned(), false));
    assert_eq!(told(2, 0), ("[\"public.b\"]".to_owned(), true));
    assert_eq!(told(3, 0), ("[]".to_owned(), true));
    assert_eq!(told(4, 0), ("[\"public.d\"]".to_owned(), false));
    assert_eq!(told(5, 0), ("[\"public.v\"]".to_owned(), false));
}

#[test]
fn a_table_of_dead_rows_is_written_anew_and_not_emptied() {
    let sql = "CREATE TABLE a (v bytea);\nINSERT INTO a VALUES ('x');\nDELETE FROM a;\n";
    let change = "ALTER TABLE a ALTER COLUMN v TYPE text USING 'x';\nTRUNCATE a;\n";
    let place = Place::of(&[("migrations/1_a.sql", sql), ("migrations/2_change.sql", change)]);
    let ran = place.migrations(&[]);
    let rewrite = ran.statement(1, 0);
    assert_eq!(rewrite["rewrites"], json!(["public.a"]));
    assert_eq!(rewrite["changes"], json!(["~ column public.a.v: bytea -> text"]));
    assert_eq!(ran.statement(1, 1)["changes"], json!(["- every row of table public.a"]));
}

#[test]
fn what_changes_among_many_tables_is_seen() {
    let tables = (0..40).fold(String::new(), |all, at| {
        format!("{all}CREATE TABLE t{at} (id bigint PRIMARY KEY, n int CONSTRAINT c CHECK (n > 0), s serial);\n")
    });
    let changes: &[(&str, &str)] = &[
        ("ALTER TABLE t1 ADD COLUMN m int", "+ column public.t1.m"),
        ("ALTER TABLE t1 ALTER COLUMN m SET DEFAULT 1", "DEFAULT 1"),
        ("ALTER TABLE t1 ALTER COLUMN m SET DEFAULT 2", "DEFAULT 2"),
        ("ALTER TABLE t2 DROP CONSTRAINT c", "- constraint public.t2.c"),
        ("CREATE INDEX i ON t3 (n)", "+ index public.t3.i"),
        ("ALTER INDEX i RENAME TO j", "renamed to public.t3.j"),
        ("DROP INDEX j", "- index public.t3.j"),
        ("CREATE POLICY p ON t4", "+ policy public.t4.p"),
        ("DROP POLICY p ON t4", "- policy public.t4.p"),
        ("CREATE RULE r AS ON DELETE TO t5 DO INSTEAD NOTHING", "+ rule public.t5.r"),
        ("DROP RULE r ON t5", "- rule public.t5.r"),
        ("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'", "+ function public.f()"),
        ("CREATE TRIGGER g BEFORE INSERT ON t6 FOR EACH ROW EXECUTE FUNCTION f()", "+ trigger public.t6.g"),
        ("DROP TRIGGER g ON t6", "- trigger public.t6.g"),
        ("ALTER TABLE t7 ADD FOREIGN KEY (id) REFERENCES t8", "+ constraint public.t7."),
        ("ALTER TABLE t7 DROP CONSTRAINT t7_id_fkey", "- constraint public.t7."),
        ("ALTER SEQUENCE t9_s_seq INCREMENT 5", "INCREMENT 5"),
        ("GRANT SELECT ON t10 TO PUBLIC", "privileges public.t10"),
        ("GRANT SELECT ON old TO PUBLIC", "privileges public.old"),
        ("ALTER TABLE t11 INHERIT t12", "INHERITS"),
        ("ALTER TABLE t11 NO INHERIT t12", "INHERITS"),
        ("DROP TABLE t13", "- table public.t13"),
        ("ALTER TABLE t14 RENAME TO u14", "renamed to public.u14"),
    ];
    let text = changes.iter().fold(tables, |all, (sql, _)| format!("{all}{sql};\n"));
    let place = Place::of(&[("migrations/1_a.sql", "CREATE TABLE old (id int);\n"), ("migrations/2_b.sql", &text)]);
    let ran = place.migrations(&[]);
    for (at, (sql, expected)) in changes.iter().enumerate() {
        let statement = ran.statement(1, 40 + at);
        assert_eq!(statement["error"], json!(null), "{sql}");
        let told = statement["changes"].as_array().unwrap();
        let of_it = told.iter().filter(|change| change.as_str().unwrap().contains(expected)).count();
        assert!(of_it == 1 && told.len() < 4, "{sql}: {}", statement["changes"]);
    }
}
