//! The change against its base.

use super::Place;

const T: &str =
    "CREATE TABLE t (id int PRIMARY KEY, v text);\nINSERT INTO t SELECT i, 'x' FROM generate_series(1, 50) i;\n";

#[test]
fn only_what_the_change_adds_is_judged() {
    let place = Place::of(&[
        ("migrations/20240101000000_t.sql", T),
        ("migrations/20240102000000_bad.sql", "ALTER TABLE t ALTER COLUMN v TYPE varchar(9);"),
    ]);
    place.commit();
    place.write(
        "migrations/20240103000000_new.sql",
        "CREATE TABLE n (id int PRIMARY KEY, v text);\nCREATE INDEX n_v ON n (v);\n",
    );
    let ran = place.migrations(&["--base", "HEAD"]);
    assert_eq!(ran.findings(), Vec::<String>::new(), "a table made in this change needs no CONCURRENTLY: {}", ran.out);
    assert_eq!(ran.json["migrations"].as_array().unwrap().len(), 1);
    assert_eq!(ran.code, Some(0));
    let all = place.migrations(&["--all"]);
    assert!(all.findings().contains(&"20240102000000_bad.sql:1 type-narrowed".to_owned()));
    place.write("migrations/20240104000000_index.sql", "SET lock_timeout = '1s';\nCREATE INDEX t_v ON t (v);\n");
    let ran = place.migrations(&["--base", "HEAD"]);
    assert_eq!(ran.findings(), ["20240104000000_index.sql:2 index-without-concurrently"]);
}

#[test]
fn versions_and_shipped_files() {
    let place = Place::of(&[
        ("migrations/20240101000000_t.sql", T),
        ("migrations/20240102000000_u.sql", "CREATE TABLE u (id int);"),
        ("migrations/20240103000000_v.sql", "CREATE TABLE v (id int);"),
    ]);
    place.commit();
    place.write("migrations/20240101000000_t.sql", &T.replace('\n', "\r\n"));
    let ran = place.migrations(&["--base", "HEAD"]);
    assert_eq!(ran.findings(), Vec::<String>::new(), "line ends do not count");
    assert_eq!(ran.verdict(), "0 skipped: the change adds no migration; the 3 of the base apply");
    place.write("migrations/20240101000000_t.sql", &T.replace("text", "varchar"));
    place.remove("migrations/20240102000000_u.sql");
    place.write("migrations/20240103000000_other.sql", "CREATE TABLE w (id int);");
    place.write("migrations/20240102120000_late.sql", "CREATE TABLE x (id int);");
    let ran = place.migrations(&["--base", "HEAD"]);
    assert_eq!(
        ran.findings(),
        [
            "20240102120000_late.sql:1 older-than-newest",
            "20240103000000_other.sql:1 duplicate-version",
            "20240101000000_t.sql:1 shipped-file-changed",
            "20240102000000_u.sql:null shipped-file-deleted",
        ],
        "{}",
        ran.out
    );
    assert_eq!(ran.code, Some(1));
}

#[test]
fn a_change_without_migrations_has_nothing_to_judge_whatever_the_base_is_made_of() {
    let toml = "[gates.db]\nkind = \"migrations\"\ndatabase = \"sqlite\"\nschema = \"dump.sql\"\n";
    let place = Place::of(&[
        ("gatepost.toml", toml),
        ("dump.sql", "create table t (id int);"),
        ("migrations/1_a.sql", "select 1;"),
    ]);
    place.commit();
    let gate = || {
        let ran = super::Ran::of(&place.command(&["run", "--base", "HEAD", "--json"]).output().unwrap());
        let word = |key: &str| ran.json["gates"][0][key].as_str().unwrap_or_else(|| panic!("{}", ran.out)).to_owned();
        (word("outcome"), word("reason"))
    };
    place.write("README", "changed");
    assert_eq!(gate(), ("skipped".to_owned(), "the change adds no migration; the schema dump.sql applies".to_owned()));
    place.write("migrations/2_b.sql", "insert into t values (1);");
    assert_eq!(gate().0, "pass");
}

#[test]
fn a_base_that_does_not_apply_is_an_error() {
    let place = Place::of(&[("migrations/1_bad.sql", "CREATE TABLE t (id nothing);")]);
    place.commit();
    place.write("migrations/2_good.sql", "CREATE TABLE u (id int);");
    let ran = place.migrations(&["--base", "HEAD"]);
    assert_eq!(ran.code, Some(4));
    assert!(
        ran.verdict().contains("the base's own migration migrations/1_bad.sql does not apply: line 1"),
        "{}",
        ran.verdict()
    );
}
