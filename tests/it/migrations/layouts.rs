//! Each tool's folder: which it is, in what order it runs, what goes up and what goes down.

use gatepost::migration::layout::{self, Folder};
use gatepost::migration::rules;
use gatepost::migration::split::split;
use gatepost::model::migration::{DatabaseKind, Script, Transaction};

fn folder(path: &str, files: &[(&str, &str)], around: &[&str]) -> Folder {
    Folder {
        path: path.to_owned(),
        files: files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect(),
        around: around.iter().map(|name| (*name).to_owned()).collect(),
        ..Folder::default()
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
        &["00001 a: 2:a, 4:b, 4:c, 6:d | 8:e", "00010 b: 2:f |"],
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
            // A merge left a number twice, and the later one first: the journal's order is the tool's.
            (
                "meta/_journal.json",
                r#"{"entries":[{"idx":0,"tag":"0000_z"},{"idx":1,"tag":"0002_b"},{"idx":1,"tag":"0001_c"}]}"#,
            ),
            ("0000_z.sql", "a;--> statement-breakpoint\nb;\n--> statement-breakpoint\nc;"),
            ("0001_c.sql", "d"),
            ("0002_b.sql", "e"),
        ],
        &[],
        "drizzle",
        &["0000 z: 1:a, 2:b, 4:c |", "0002 b: 1:e |", "0001 c: 1:d |"],
    ),
    (
        "drizzle",
        &[
            ("20250102000000_b/migration.sql", "b"),
            ("20250102000000_b/snapshot.json", "{}"),
            ("20250101000000_a/migration.sql", "a"),
        ],
        &[],
        "drizzle",
        &["20250101000000 a: 1:a |", "20250102000000 b: 1:b |"],
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
    assert_eq!(how(&[("1_a/up.sql", "a"), ("1_a/metadata.toml", "run_in_transaction = false")]), Transaction::OneText);
    assert_eq!(how(&[("20240101000000_a.sql", "-- no-transaction\na")]), Transaction::OneText);
    assert_eq!(how(&[("1_a.sql", "-- migrate:up transaction:false\na")]), Transaction::OneText);
    assert_eq!(how(&[("1_a.sql", "-- +goose NO TRANSACTION\n-- +goose Up\na;")]), Transaction::None);
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
    assert_eq!(problems, ["m/1_a.sql:1: a statement before `-- migrate:up`: dbmate would refuse it"]);
    let (problems, ..) = told(&[("meta/_journal.json", r#"{"entries":[{"idx":0,"tag":"x"}]}"#)], "drizzle");
    assert_eq!(problems, ["m/meta/_journal.json names x, and there is no m/x.sql"]);
    let (_, notes, code) =
        told(&[("1_a.sql", "a"), ("seed.sql", "b"), ("00002_c.go", "c"), ("embed.go", "d")], "golang-migrate");
    assert_eq!(notes, ["m/seed.sql is passed over: its name has no version"]);
    assert_eq!(code, ["m/00002_c.go"], "a file that only embeds the others is no step");
}

/// Each statement's line, and its first word or two.
fn cut(files: &[(&str, &str)], database: DatabaseKind) -> Vec<String> {
    let folder = folder("m", files, &[]);
    let plan = layout::detect(&folder).unwrap().read(&folder);
    let sources = split(plan.migrations[0].up.as_ref().unwrap(), database);
    sources.iter().map(|source| format!("{}:{}", source.line, source.sql)).collect()
}

#[test]
fn drizzle_cuts_at_its_breakpoints() {
    let journal = ("meta/_journal.json", r#"{"entries":[{"idx":0,"tag":"0000_a"}]}"#);
    let sql = ("0000_a.sql", "a;--> statement-breakpoint\nb;\n--> statement-breakpoint\nc; d;");
    assert_eq!(
        cut(&[journal, sql], DatabaseKind::Mysql),
        ["1:a", "2:b", "4:c; d"],
        "MySQL takes one statement of a text"
    );
    assert_eq!(cut(&[journal, sql], DatabaseKind::Postgres), ["1:a", "2:b", "4:c", "4:d"]);
}

#[test]
fn goose_ends_statements_at_the_ends_of_lines() {
    let file = |text| [("1_a.sql", text)];
    let body = "-- +goose Up\n-- one\nselect $$\na;\nb $$; -- two\n/* three */ c; d;\n-- +goose Down\ne\n";
    let folder = folder("m", &file(body), &[]);
    let plan = layout::detect(&folder).unwrap().read(&folder);
    assert_eq!(statements(plan.migrations[0].up.as_ref()), ["3:select $$\na;", "5:b $$; -- two", "6:c", "6:d"]);
    assert_eq!(
        plan.notes,
        [
            "m/1_a.sql:8: no line of the statement ends with `;`: goose would refuse it; end it with `;`, or put it between \
          `-- +goose StatementBegin` and `-- +goose StatementEnd`"
        ]
    );
    let outside = "-- +goose NO TRANSACTION\n-- +goose Up\n-- +goose StatementBegin\na; b;\n-- +goose StatementEnd\n";
    assert_eq!(cut(&file(outside), DatabaseKind::Postgres), ["4:a; b"], "one text, which is one transaction");
    let block = "-- +goose Up\n-- +goose StatementBegin\na;\n\n-- two\nb;\n-- +goose StatementEnd\n";
    assert_eq!(cut(&file(block), DatabaseKind::Sqlite), ["3:a", "6:b"], "each is seen by itself");
    assert_eq!(cut(&file(block), DatabaseKind::Mysql), ["3:a;\n\n-- two\nb"], "which takes no more than one");
}

#[test]
fn what_dbmate_refuses_is_told() {
    let problem = |text: &str| {
        let plan = layout::find("dbmate").unwrap().read(&folder("m", &[("1_a.sql", text)], &[]));
        assert_eq!(plan.migrations.len() + plan.problems.len(), 1);
        plan.problems.into_iter().next().unwrap_or_default()
    };
    let [up, down] = ["-- migrate:up\na;\n", "-- migrate:down\nb;\n"];
    assert_eq!(problem(&format!("\n-- a note\n{up}{down}")), "");
    for (text, told) in [
        (format!("{up}{up}{down}"), "m/1_a.sql:3: a second way up: dbmate would"),
        (format!("{up}{down}{down}"), "m/1_a.sql:5: a second way down: dbmate would"),
        (format!("{down}{up}"), "m/1_a.sql:1: the way down stands before the way up: dbmate would"),
        (format!("a;\n{up}{down}"), "m/1_a.sql:1: a statement before `-- migrate:up`: dbmate would refuse it"),
    ] {
        assert!(problem(&text).starts_with(told), "{}", problem(&text));
    }
}

#[test]
fn what_goose_refuses_is_told() {
    let problem = |text: &str| {
        let plan = layout::find("goose").unwrap().read(&folder("m", &[("1_a.sql", text)], &[]));
        plan.problems.into_iter().next().unwrap_or_default()
    };
    assert!(
        problem("-- +goose Up\na;\nb\n-- +goose Down\nc;").starts_with("m/1_a.sql:3: no line of the statement ends")
    );
    for (text, told) in [
        ("-- +goose Up\na;\n-- +goose Up\nb;", "m/1_a.sql:3: a second way up"),
        ("-- +goose Up\na;\n-- +goose Down\nb;\n-- +goose Down\nc;", "m/1_a.sql:5: a second way down"),
        ("-- +goose Down\na;\n-- +goose Up\nb;", "m/1_a.sql:1: the way down stands before the way up"),
        ("a;\n-- +goose Up\nb;", "m/1_a.sql:1: a statement before `-- +goose Up`"),
    ] {
        assert_eq!(problem(text), format!("{told}: goose would refuse it"));
    }
    assert!(problem("-- +goose Up\n-- +goose StatementBegin\na;\n").contains("StatementEnd` is missing"));
    let asked = "-- +goose Up\n-- +goose ENVSUB ON\n-- $A\na ${B:-c} $$ ${D};\n";
    assert!(problem(asked).starts_with("m/1_a.sql:4: $D is taken from the environment"), "{}", problem(asked));
    let given = "-- +goose Up\n-- +goose ENVSUB ON\na ${B:-c} ${D-};\n-- +goose ENVSUB OFF\n$E;\n";
    assert_eq!(cut(&[("1_a.sql", given)], DatabaseKind::Postgres), ["3:a c", "5:$E"]);
    assert_eq!(problem(given), "");
}

#[test]
fn what_drizzle_would_pass_over_is_told() {
    let read = |entries: &str| {
        let journal = format!(r#"{{"entries":[{{"tag":"0000_a","when":20}}{entries}]}}"#);
        let files = [("meta/_journal.json", journal.as_str()), ("0000_a.sql", "a"), ("0001_b.sql", "b")];
        layout::find("drizzle").unwrap().read(&folder("m", &files, &[])).migrations
    };
    let base = read("");
    let found = |entries: &str| {
        rules::against(&read(entries), &base, false).into_iter().map(|it| it.message).collect::<Vec<_>>()
    };
    assert_eq!(found(r#",{"tag":"0001_b","when":21}"#), Vec::<String>::new());
    let late = found(r#",{"tag":"0001_b","when":20}"#);
    assert!(
        late[0].starts_with("its date (20) is not after that of m/0000_a.sql (20): databases that ran"),
        "{late:?}"
    );
    assert_eq!(late.len(), 1);
}

#[test]
fn tests_of_go_are_no_steps() {
    let files = [("1_a.sql", "-- +goose Up\na;"), ("2_b.go", ""), ("2_b_test.go", "")];
    assert_eq!(layout::find("goose").unwrap().read(&folder("m", &files, &[])).code, ["m/2_b.go"]);
}

#[test]
fn flyway_puts_values_into_files() {
    let read = |files: &[(&str, &str)], near: &[(&str, &str)]| {
        let near = near.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        let folder = Folder { near, ..folder("db/migration", files, &[]) };
        let plan = layout::find("flyway").unwrap().read(&folder);
        let ups: Vec<String> = plan.migrations.iter().flat_map(|planned| statements(planned.up.as_ref())).collect();
        (ups, plan.problems)
    };
    let sql = [("V1__a.sql", "a ${owner};\n-- x\nb ${Flyway:defaultSchema}.t ${flyway:filename}")];
    for (path, text) in [
        ("db/flyway.conf", "# c\nflyway.placeholders.owner=app"),
        ("flyway.toml", "[flyway.placeholders]\nowner = \"app\""),
        ("application.properties", "spring.flyway.placeholders.OWNER = app"),
        ("application.yml", "spring:\n  flyway:\n    placeholders:\n      owner: ${DB_OWNER:app}\n"),
    ] {
        let (ups, problems) = read(&sql, &[(path, text)]);
        assert_eq!(ups, ["1:a app", "3:b public.t V1__a.sql"], "{path}");
        assert_eq!(problems, Vec::<String>::new());
    }
    let (_, problems) =
        read(&sql, &[("application.yml", "spring:\n  flyway:\n    placeholders:\n      owner: ${DB_OWNER}\n")]);
    assert!(problems[0].starts_with("db/migration/V1__a.sql:1: ${owner} is a placeholder of Flyway"), "{problems:?}");
    for (path, text) in
        [("flyway.conf", "flyway.placeholderReplacement=false"), ("Cargo.toml", "[dependencies]\nrefinery = \"0\"")]
    {
        assert_eq!(
            read(&[("V1__a.sql", "a ${b}")], &[(path, text)]),
            (vec!["1:a ${b}".to_owned()], Vec::new()),
            "{path}"
        );
    }
    let own = [("V1__a.sql", "a #[b] ${c}"), ("V2__b.sql", "${d}"), ("V2__b.sql.conf", "placeholderReplacement=false")];
    let conf = "flyway.placeholderPrefix=#[\nflyway.placeholderSuffix=]\nflyway.placeholders.b=1";
    assert_eq!(read(&own, &[("flyway.conf", conf)]).0, ["1:a 1 ${c}", "1:${d}"]);
}

#[test]
fn flyway_decides_by_the_statements() {
    let how = |files: &[(&str, &str)]| {
        layout::find("flyway").unwrap().read(&folder("m", files, &[])).migrations[0].up.as_ref().unwrap().transaction
    };
    let index = "CREATE INDEX CONCURRENTLY i ON t (a);\n";
    assert_eq!(how(&[("V1__a.sql", &index.repeat(2))]), Transaction::None);
    assert_eq!(how(&[("V1__a.sql", &format!("{index}SELECT 1;"))]), Transaction::WhereAllowed);
    assert_eq!(how(&[("V1__a.sql", "a; b;"), ("V1__a.sql.conf", "executeInTransaction=false")]), Transaction::None);
    let plan = layout::find("flyway").unwrap().read(&folder("m", &[("afterMigrate__grants.sql", "")], &[]));
    assert_eq!(
        plan.notes,
        ["m/afterMigrate__grants.sql is not run: it is a callback, which Flyway runs beside migrations"]
    );
}

#[test]
fn to_refinery_both_letters_lead_on() {
    let files = [("V1__init.sql", "a"), ("U2__drop.sql", "b"), ("U3__c.sql", "c")];
    let read = |near: &[(&str, &str)]| {
        let near = near.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        let folder = Folder { near, ..folder("migrations", &files, &[]) };
        let plan = layout::detect(&folder).unwrap().read(&folder);
        let versions: Vec<String> = plan.migrations.iter().map(|planned| planned.version.clone()).collect();
        (versions.join(" "), plan.notes)
    };
    assert_eq!(read(&[("Cargo.toml", "[dependencies]\nrefinery = \"0.8\"")]), ("1 2 3".to_owned(), Vec::new()));
    let (versions, notes) = read(&[]);
    assert_eq!(versions, "1");
    assert_eq!(
        notes,
        [
            "migrations/U2__drop.sql is passed over: it takes back a version that is not here",
            "migrations/U3__c.sql is passed over: it takes back a version that is not here"
        ]
    );
    let only = folder("migrations", &files[1..], &[]);
    assert_eq!(layout::detect(&only).map(|layout| layout.name), Some("flyway"));
}

#[test]
fn flyway_remembers_what_a_migration_is_called() {
    let read = |name: &str| layout::find("flyway").unwrap().read(&folder("m", &[(name, "a")], &[])).migrations;
    let found = |names: bool| {
        let found = rules::against(&read("V2__users.sql"), &read("V2__u.sql"), names);
        found.into_iter().map(|it| it.message.lines().next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found(true), ["m/V2__u.sql is shipped, and is called m/V2__users.sql now"]);
    assert_eq!(found(false), Vec::<String>::new());
    assert!(rules::against(&read("sub/V2__u.sql"), &read("V2__u.sql"), true).is_empty(), "moved, and called the same");
    assert!(layout::ALL.iter().all(|layout| layout.remembers_names() == (layout.name == "flyway")));
}

#[test]
fn steps_in_other_languages_are_named() {
    let read = |layout: &str, files: &[(&str, &str)]| {
        let plan = layout::find(layout).unwrap().read(&folder("m", files, &[]));
        (plan.code.join(" "), plan.notes.join("; "))
    };
    let passed = |name: &str| format!("m/{name} is passed over: only SQL is run here");
    let scripts = [("V1__a.sql", "a"), ("V1__a.sql.conf", ""), ("V2__drop.sh", "psql"), ("V3__x.sql.bak", "")];
    assert_eq!(read("flyway", &scripts), ("m/V2__drop.sh".to_owned(), passed("V3__x.sql.bak")));
    let sets = "<databaseChangeLog><changeSet/></databaseChangeLog>";
    let mixed =
        [("001_a.sql", "a"), ("002-drop.xml", sets), ("003_drop.sh", ""), ("004_drop.yaml", "up:"), ("5.md", "")];
    let code = "m/002-drop.xml m/003_drop.sh".to_owned();
    assert_eq!(read("numbered", &mixed), (code.clone(), passed("004_drop.yaml")));
    let sqlx = [("1_a.sql", "a"), ("2_b.sh", ""), ("3_c.json", "")];
    assert_eq!(read("sqlx", &sqlx), ("m/2_b.sh".to_owned(), passed("3_c.json")));
    let goose = [("1_a.sql", "-- +goose Up\na;"), ("2_b.sh", ""), ("3_c.txt", "")];
    assert_eq!(read("goose", &goose), ("m/2_b.sh".to_owned(), String::new()));
    let sources = vec!["src/main/java/db/V2__Drop.java".to_owned(), "src/main/java/db/Help.java".to_owned()];
    let classes = Folder { sources, ..folder("src/main/resources/db", &[("V1__a.sql", "a")], &[]) };
    assert_eq!(layout::find("flyway").unwrap().read(&classes).code, ["src/main/java/db/V2__Drop.java"]);
}
