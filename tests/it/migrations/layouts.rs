//! Each tool's folder: which it is, in what order it runs, what goes up and what goes down.

use gatepost::migration::layout::{self, Folder};
use gatepost::migration::split::split;
use gatepost::model::migration::{DatabaseKind, Script, Transaction};

fn folder(path: &str, files: &[(&str, &str)], around: &[&str]) -> Folder {
    Folder {
        path: path.to_owned(),
        files: files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect(),
        around: around.iter().map(|name| (*name).to_owned()).collect(),
        near: Vec::new(),
    }
}

fn statements(script: Option<&Script>) -> Vec<String> {
    let found = script.map(|script| split(script, DatabaseKind::Postgres)).unwrap_or_default();
    found.into_iter().map(|statement| format!("{}:{}", statement.line, statement.sql)).collect()
}

/// The layout's name, then `version name: up | down` in order.
fn seen(folder: &Folder) -> (String, Vec<String>) {
    let Some(layout) = layout::detect(folder) else { return ("none".to_owned(), Vec::new()) };
    let plan = layout.read(folder);
    assert_eq!(plan.problems, Vec::<String>::new());
    let lines = plan.migrations.iter().map(|planned| {
        let (up, down) = (statements(planned.up.as_ref()).join(", "), statements(planned.down.as_ref()).join(", "));
        format!("{} {}: {up} | {down}", planned.version, planned.name).trim_end().to_owned()
    });
    (layout.name.to_owned(), lines.collect())
}

/// A folder's path, its files, what lies around it, its layout, and what that makes of it.
type Case = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static [&'static str],
    &'static str,
    &'static [&'static str],
);

const CASES: &[Case] = &[
    (
        "migrations",
        &[
            ("2024-01-02-000000_b/up.sql", "b"),
            ("00000000000000_setup/up.sql", "a"),
            ("20240101000000_c/up.sql", "c"),
            ("20240101000000_c/down.sql", "d"),
        ],
        &[],
        "diesel",
        &["00000000000000 setup: 1:a |", "20240101000000 c: 1:c | 1:d", "20240102000000 b: 1:b |"],
    ),
    (
        "m",
        &[("20240101000000_a.sql", "a"), ("20240102000000_b.up.sql", "b"), ("20240102000000_b.down.sql", "c")],
        &[],
        "sqlx",
        &["20240101000000 a: 1:a |", "20240102000000 b: 1:b | 1:c"],
    ),
    (
        "m",
        &[("1_a.sql", "a"), ("10_c.sql", "c"), ("2_b.sql", "b")],
        &["sqlx.toml"],
        "sqlx",
        &["1 a: 1:a |", "2 b: 1:b |", "10 c: 1:c |"],
    ),
    (
        "db/migrations",
        &[("20240101_a.sql", "-- migrate:up\na;\n\n-- migrate:down\nb;\n")],
        &[],
        "dbmate",
        &["20240101 a: 2:a | 5:b"],
    ),
    (
        "m",
        &[
            (
                "00001_a.sql",
                "-- +goose Up\na;\n-- +goose StatementBegin\nb; c;\n-- +goose StatementEnd\nd;\n-- +goose Down\ne;\n",
            ),
            ("00010_b.sql", "-- +goose Up\nf;"),
        ],
        &[],
        "goose",
        &["00001 a: 2:a, 4:b; c, 6:d | 8:e", "00010 b: 2:f |"],
    ),
    (
        "m",
        &[("1_a.up.sql", "a"), ("1_a.down.sql", "b"), ("000012_c.up.sql", "c")],
        &[],
        "golang-migrate",
        &["1 a: 1:a | 1:b", "000012 c: 1:c |"],
    ),
    (
        "m",
        &[
            ("V1__a.sql", "a"),
            ("V1_10__c.sql", "c"),
            ("V1.2__b.sql", "b"),
            ("U1_10__c.sql", "u"),
            ("R__view.sql", "r"),
            ("sub/V2__d.sql", "d"),
        ],
        &[],
        "flyway",
        &["1 a: 1:a |", "1.2 b: 1:b |", "1.10 c: 1:c | 1:u", "2 d: 1:d |", " view: 1:r |"],
    ),
    (
        "prisma/migrations",
        &[("migration_lock.toml", ""), ("20240102_b/migration.sql", "b"), ("20240101_a/migration.sql", "a")],
        &[],
        "prisma",
        &["20240101 a: 1:a |", "20240102 b: 1:b |"],
    ),
    (
        "drizzle",
        &[
            ("meta/_journal.json", r#"{"entries":[{"idx":1,"tag":"0001_b"},{"idx":0,"tag":"0000_z"}]}"#),
            ("0000_z.sql", "a;--> statement-breakpoint\nb;"),
            ("0001_b.sql", "c"),
        ],
        &[],
        "drizzle",
        &["0000 z: 1:a, 2:b |", "0001 b: 1:c |"],
    ),
    ("supabase/migrations", &[("20240101000000_a.sql", "a")], &[], "supabase", &["20240101000000 a: 1:a |"]),
    (
        "m",
        &[("1.sql", "a"), ("002-b.sql", "b"), ("10_c.sql", "c")],
        &[],
        "numbered",
        &["1 : 1:a |", "002 b: 1:b |", "10 c: 1:c |"],
    ),
    ("m", &[("readme.md", "a")], &["diesel.toml"], "none", &[]),
];

#[test]
fn every_tool_is_known_by_its_folder() {
    for (path, files, around, layout, expected) in CASES {
        let found = seen(&folder(path, files, around));
        let expected = expected.iter().map(|line| (*line).to_owned()).collect();
        assert_eq!((found.0.as_str(), found.1), (*layout, expected), "{files:?}");
    }
}

#[test]
fn transactions_are_the_tools_own() {
    let how = |files: &[(&str, &str)]| {
        let folder = folder("m", files, &[]);
        layout::detect(&folder).unwrap().read(&folder).migrations[0].up.as_ref().unwrap().transaction
    };
    assert_eq!(how(&[("1_a/up.sql", "a")]), Transaction::Whole);
    assert_eq!(how(&[("1_a/up.sql", "a"), ("1_a/metadata.toml", "run_in_transaction = false")]), Transaction::None);
    assert_eq!(how(&[("20240101000000_a.sql", "-- no-transaction\na")]), Transaction::None);
    assert_eq!(how(&[("1_a.sql", "-- migrate:up transaction:false\na")]), Transaction::None);
    assert_eq!(how(&[("1_a.sql", "-- +goose NO TRANSACTION\n-- +goose Up\na")]), Transaction::None);
    assert_eq!(how(&[("1_a.up.sql", "a")]), Transaction::WhereAllowed);
}

#[test]
fn what_cannot_be_placed_is_told() {
    let told = |files: &[(&str, &str)], name: &str| {
        let plan = layout::find(name).unwrap().read(&folder("m", files, &[]));
        (plan.problems, plan.notes, plan.code)
    };
    let (problems, ..) = told(&[("1_a.down.sql", "a")], "sqlx");
    assert_eq!(problems, ["m/1_a.down.sql has no up beside it"]);
    let (problems, ..) = told(&[("1_a.sql", "a"), ("1_a.up.sql", "b")], "sqlx");
    assert_eq!(problems, ["m/1_a.sql and m/1_a.up.sql are the same step"]);
    let (problems, ..) = told(&[("1_a.sql", "a")], "dbmate");
    assert_eq!(problems, ["m/1_a.sql has no `-- migrate:up`: dbmate would refuse it"]);
    let (problems, ..) = told(&[("meta/_journal.json", r#"{"entries":[{"idx":0,"tag":"x"}]}"#)], "drizzle");
    assert_eq!(problems, ["m/meta/_journal.json names x, and there is no m/x.sql"]);
    let (_, notes, code) =
        told(&[("1_a.sql", "a"), ("seed.sql", "b"), ("00002_c.go", "c"), ("embed.go", "d")], "golang-migrate");
    assert_eq!(notes, ["m/seed.sql is passed over: its name has no version"]);
    assert_eq!(code, ["m/00002_c.go"], "a file that only embeds the others is no step");
}
