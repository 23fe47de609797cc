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
