//! What a session keeps for itself: what the base's migrations left there, and what each tool's own driver makes of it.

use super::{Place, Ran};

/// A base and a change to it, on a database, in a tool's layout.
fn changed(database: &str, layout: &str, base: &str, change: &str) -> Ran {
    let place = Place::of(&[("migrations/0001_a.sql", base)]);
    place.commit();
    place.write("migrations/0002_b.sql", change);
    place.migrations(&["--base", "HEAD", "--database", database, "--layout", layout])
}

#[test]
fn what_the_base_left_in_its_session_helps_no_change() {
    for (database, base, change) in [
        ("postgres", "create temp table t (id int);", "insert into t values (1);"),
        ("sqlite", "create temp table t (id int);", "insert into t values (1);"),
        (
            "sqlite",
            "create table a (id integer check (id > 0));\nPRAGMA ignore_check_constraints = ON;",
            "insert into a values (-1);",
        ),
        (
            "mysql",
            "create table a (id int primary key);\nset foreign_key_checks = 0;",
            "alter table a add foreign key (id) references nowhere (id);",
        ),
        ("mysql", "create temporary table t (id int);", "insert into t values (1);"),
    ] {
        let ran = changed(database, "numbered", base, change);
        assert_eq!(ran.findings(), ["0002_b.sql:1 failed-statement"], "{database}: {base}: {}{}", ran.out, ran.err);
    }
}

#[test]
fn texts_are_joined_by_pipes_where_the_tools_own_driver_has_it_so() {
    let base = "create table u (f varchar(9), n varchar(20));\ninsert into u values ('Ana', '');\n";
    let change = "update u set n = f || '!';\n";
    assert_eq!(changed("mysql", "numbered", base, change).findings(), ["0002_b.sql:1 failed-statement"]);
    let of_sqlx = changed("mysql", "sqlx", base, change);
    assert_eq!((of_sqlx.findings(), of_sqlx.code), (Vec::new(), Some(0)), "{}", of_sqlx.out);
}

/// What databases ran already is not refused.
#[test]
fn several_statements_in_one_text_are_refused_where_the_driver_takes_one() {
    let goose = |body: &str| format!("-- +goose Up\n-- +goose StatementBegin\n{body}\n-- +goose StatementEnd\n");
    let two = |end: &str| format!("create table b{end} (id int);\ncreate table c{end} (id int);");
    let body = "create procedure p() begin select 1; select 2; end;";
    for (database, change, expected) in [
        ("mysql", two(""), vec!["0002_b.sql:3 failed-statement"]),
        ("mysql", body.to_owned(), Vec::new()),
        ("sqlite", two(""), Vec::new()),
    ] {
        let ran = changed(database, "goose", &goose(&two("0")), &goose(&change));
        assert_eq!(ran.findings(), expected, "{database}: {}{}", ran.out, ran.err);
    }
    for (change, expected) in [
        (two(""), vec!["0002_b.sql:1 failed-statement"]),
        (two("").replacen('\n', "--> statement-breakpoint\n", 1), Vec::new()),
    ] {
        let journal = |tags: &[&str]| {
            let entry = |tag: &&str| serde_json::json!({"tag": tag});
            serde_json::json!({"entries": tags.iter().map(entry).collect::<Vec<_>>()}).to_string()
        };
        let place =
            Place::of(&[("drizzle/0001_a.sql", &two("0")), ("drizzle/meta/_journal.json", &journal(&["0001_a"]))]);
        place.commit();
        place.write("drizzle/0002_b.sql", &change);
        place.write("drizzle/meta/_journal.json", &journal(&["0001_a", "0002_b"]));
        let ran = place.migrations(&["drizzle", "--base", "HEAD", "--database", "sqlite"]);
        assert_eq!(ran.findings(), expected, "{change}: {}{}", ran.out, ran.err);
    }
}
