//! Up, down and up again, each migration for itself.

use super::Place;

#[test]
fn each_pair_is_told_for_itself() {
    let files = [
        ("1_good", "CREATE TABLE a (id int PRIMARY KEY, v text);", Some("DROP TABLE a;")),
        ("2_forgets", "ALTER TABLE a ADD COLUMN b int; CREATE TABLE c (id int);", Some("DROP TABLE c;")),
        ("3_good", "ALTER TABLE a ADD COLUMN d int;", Some("ALTER TABLE a DROP COLUMN d;")),
        ("4_broken", "CREATE TABLE e (id int);", Some("DROP TABLE nowhere;")),
        ("5_nothing", "CREATE TABLE f (id int);", Some("-- to do\n")),
        ("6_none", "CREATE TABLE g (id int);", None),
        ("7_half", "CREATE TABLE h (id int); CREATE TABLE i (id int);", Some("DROP TABLE i;")),
        ("8_again", "CREATE TYPE m AS ENUM ('x');", Some("DROP TYPE m; CREATE VIEW m AS SELECT 1;")),
        ("9_good", "CREATE INDEX CONCURRENTLY a_v ON a (v);", Some("DROP INDEX CONCURRENTLY a_v;")),
    ];
    let place = Place::new();
    for (name, up, down) in files {
        place.write(&format!("migrations/{name}.up.sql"), up);
        if let Some(down) = down {
            place.write(&format!("migrations/{name}.down.sql"), down);
        }
    }
    let ran = place.migrations(&[]);
    assert_eq!(ran.json["layout"], "golang-migrate");
    assert_eq!(
        ran.round_trips(),
        [
            "exact",
            "reup_error",
            "exact",
            "down_error",
            "empty_down",
            "missing_down",
            "reup_error",
            "reup_error",
            "exact"
        ],
        "{}",
        ran.out
    );
    assert_eq!(
        ran.json["migrations"].as_array().unwrap().iter().filter(|migration| migration["outcome"] == "ok").count(),
        9,
        "a bad pair harms none after it"
    );
    let quiet = place.migrations(&["--no-round-trip"]);
    assert!(quiet.round_trips().iter().all(|trip| *trip == "not_run"));
}

/// Rows are no part of a schema: only the second up itself tells.
#[test]
fn an_up_that_is_refused_the_second_time_is_told_where_the_schema_is_the_same() {
    for database in ["postgres", "sqlite"] {
        let place = Place::of(&[
            ("migrations/1_a.up.sql", "CREATE TABLE settings (id INTEGER PRIMARY KEY, name TEXT);"),
            ("migrations/1_a.down.sql", "DROP TABLE settings;"),
            ("migrations/2_b.up.sql", "INSERT INTO settings VALUES (1, 'x');"),
            ("migrations/2_b.down.sql", "SELECT 1;"),
        ]);
        let ran = place.migrations(&["--database", database]);
        assert_eq!(ran.round_trips(), ["exact", "reup_error"], "{}", ran.out);
        assert_eq!(ran.findings(), ["2_b.up.sql:1 up-again-failed"], "{}", ran.out);
    }
}

#[test]
fn what_the_down_forgets_is_named() {
    let place = Place::of(&[
        ("migrations/1_a.up.sql", "CREATE TABLE a (id int);"),
        ("migrations/1_a.down.sql", "DROP TABLE a;"),
        ("migrations/2_b.up.sql", "ALTER TABLE a ADD COLUMN IF NOT EXISTS b int;"),
        ("migrations/2_b.down.sql", "SELECT 1;"),
    ]);
    let ran = place.migrations(&[]);
    assert_eq!(ran.round_trips(), ["exact", "differs"]);
    assert!(ran.message("round-trip-differs").contains("+ column public.a.b integer"), "{}", ran.out);
    assert_eq!(ran.findings(), ["2_b.up.sql:1 lock-without-timeout", "2_b.up.sql:1 round-trip-differs"]);
}

#[test]
fn downs_are_expected_where_others_have_them() {
    let up = "CREATE TABLE a (id int);";
    let place = Place::of(&[("migrations/20240101000000_a.sql", up)]);
    assert_eq!(place.migrations(&[]).verdict(), "0 pass: 1 migration applied, 1 finding that does not count");
    place.write("migrations/20240102000000_b.up.sql", "CREATE TABLE b (id int);");
    place.write("migrations/20240102000000_b.down.sql", "DROP TABLE b;");
    let ran = place.migrations(&[]);
    assert_eq!(
        (ran.findings(), ran.json["layout"].as_str()),
        (vec!["20240101000000_a.sql:1 missing-down".to_owned()], Some("sqlx"))
    );
}

/// What no table, type or function is: none of it may be called exact when it is left behind.
#[test]
fn nothing_that_is_left_behind_is_called_exact() {
    let cases = [
        ("COMMENT ON TABLE a IS 'x';", "comment on public.a x"),
        ("COMMENT ON COLUMN a.v IS 'x';", "comment on public.a.v x"),
        ("GRANT SELECT (v) ON a TO PUBLIC;", "privileges public.a.v"),
        ("GRANT CREATE ON SCHEMA public TO PUBLIC;", "privileges public"),
        ("REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC;", "privileges public.f()"),
        ("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;", "object default acl"),
        ("CREATE STATISTICS s ON id, v FROM a;", "object statistics object public.s"),
        ("ALTER TABLE a ALTER id SET STATISTICS 7;", "object settings of column.public.a.id STATISTICS 7"),
        ("ALTER TABLE a ALTER v SET STORAGE EXTERNAL;", "object settings of column.public.a.v STORAGE e"),
        ("ALTER TABLE a REPLICA IDENTITY FULL;", "object settings of relation.public.a REPLICA IDENTITY f"),
        ("ALTER TABLE a CLUSTER ON a_pkey;", "object settings of index.public.a_pkey CLUSTERED"),
        ("ALTER VIEW w SET (security_barrier);", "object settings of relation.public.w security_barrier=true"),
        ("CREATE CAST (int AS text) WITH INOUT;", "object cast (integer AS pg_catalog.text)"),
        (
            "CREATE OPERATOR === (FUNCTION = int4eq, LEFTARG = int, RIGHTARG = int);",
            "object operator public.===(integer,integer)",
        ),
        ("CREATE COLLATION c (LOCALE = 'C');", "object collation public.c"),
        ("CREATE TEXT SEARCH CONFIGURATION t (COPY = simple);", "object text search configuration public.t"),
        ("CREATE PUBLICATION p FOR TABLE a;", "object publication p"),
        ("CREATE AGGREGATE g (int) (SFUNC = int4pl, STYPE = int);", "object aggregate public.g(integer)"),
        ("CREATE SEQUENCE q OWNED BY a.id;", "object sequence.public.q OWNED BY public.a.id"),
    ];
    let base = "CREATE TABLE a (id int PRIMARY KEY, v text); CREATE VIEW w AS SELECT 1;
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';\n";
    let place = Place::of(&[("migrations/0_base/up.sql", base)]);
    for (at, (up, _)) in (1..).zip(cases) {
        place.write(&format!("migrations/{at:02}_x/up.sql"), up);
        place.write(&format!("migrations/{at:02}_x/down.sql"), "SELECT 1;\n");
    }
    let ran = place.migrations(&[]);
    assert_eq!(ran.json["layout"], "diesel");
    for (at, (up, expected)) in (1..).zip(cases) {
        let migration = ran.migration(at);
        let detail = migration["round_trip_detail"].to_string();
        assert!(["differs", "reup_error"].contains(&migration["round_trip"].as_str().unwrap()), "{up}: {migration}");
        if migration["round_trip"] == "differs" {
            assert!(detail.contains(expected), "{up}: {detail}");
        }
    }
    let summary = ran.json["schema_summary"].to_string();
    for (up, expected) in cases {
        assert!(summary.contains(expected), "{up}: {expected}: {summary}");
    }
}
