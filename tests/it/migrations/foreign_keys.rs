//! Foreign keys of SQLite, which are heeded only on connections that ask for it: each tool's migrations meet them as its
//! own driver would have it.

use super::Place;

const TABLES: &str = "create table users (id integer primary key, name text);\n\
                      create table posts (id integer primary key, user_id integer not null references users (id) on delete cascade);\n\
                      create table likes (id integer primary key, post_id integer references POSTS (id) on delete cascade);\n\
                      create table visits (id integer primary key, user_id integer references users (id));\n";
const REBUILD: &str = "create table users_new (id integer primary key, name text not null);\n\
                       insert into users_new select * from users;\n\
                       drop table users;\n\
                       alter table users_new rename to users;\n";

/// What is found in the file that comes after the tables, with sqlx's names for files, or golang-migrate's.
fn found(ending: &str, up: &str) -> (Vec<String>, String) {
    let [one, two] = [format!("migrations/1_a{ending}"), format!("migrations/2_b{ending}")];
    let place = Place::of(&[(&one, TABLES), (&two, up)]);
    let layout = if ending == ".sql" { "sqlx" } else { "golang-migrate" };
    let ran = place.migrations(&["--database", "sqlite", "--layout", layout]);
    assert_eq!(ran.json["layout"], layout, "{}{}", ran.out, ran.err);
    (ran.findings().into_iter().filter(|finding| finding.starts_with("2_b")).collect(), ran.out)
}

#[test]
fn a_row_without_its_parent_is_refused_where_the_tool_has_keys_on() {
    let insert = "insert into posts values (7, 999);\n";
    let (findings, out) = found(".sql", insert);
    assert_eq!(findings, ["2_b.sql:1 failed-statement"], "{out}");
    assert!(out.contains("FOREIGN KEY constraint failed [787]"), "{out}");
    assert_eq!(found(".up.sql", insert).0, Vec::<String>::new());
    let deferred = "create table late (user_id integer references users (id) deferrable initially deferred);\n\
                    insert into late values (999);\n";
    let (findings, out) = found(".sql", deferred);
    assert_eq!(findings, ["2_b.sql:2 failed-statement"], "it is the commit that is refused: {out}");
}

#[test]
fn what_goes_with_a_table_that_is_made_anew_is_told() {
    let (findings, out) = found(".sql", REBUILD);
    let told = ["2_b.sql:3 drop-table", "2_b.sql:3 delete-all-rows", "2_b.sql:3 delete-all-rows"];
    assert_eq!(findings, told, "{out}");
    assert!(out.contains("every row of posts") && out.contains("every row of likes"), "{out}");
    assert!(out.contains("the foreign key user_id has no index on posts (user_id)"), "{out}");
    let off = |body: &str| format!("PRAGMA foreign_keys = OFF;\n{body}PRAGMA foreign_keys = ON;\n");
    assert_eq!(found(".sql", &off(REBUILD)).0.len(), 3, "in a transaction the pragma does nothing");
    let outside = off(REBUILD).replacen("PRAGMA", "-- no-transaction\nPRAGMA", 1);
    assert_eq!(found(".sql", &outside).0, ["2_b.sql:5 drop-table"]);
    assert_eq!(found(".up.sql", REBUILD).0, ["2_b.up.sql:3 drop-table"]);
}

#[test]
fn rows_that_go_with_others_are_told_where_there_are_any() {
    let seed = "insert into users values (1, 'a'), (2, 'b');\ninsert into posts values (7, 1);\n";
    let toml = "[gates.db]\nkind = \"migrations\"\ndatabase = \"sqlite\"\nlayout = \"sqlx\"\nseed = \"seed.sql\"\n";
    let place = Place::of(&[("gatepost.toml", toml), ("seed.sql", seed), ("migrations/1_a.sql", TABLES)]);
    place.commit();
    place.write("migrations/2_b.sql", "delete from users where id < 2;\n");
    place.write("migrations/3_c.sql", "delete from users where id = 2;\n");
    let ran = super::Ran::of(&place.command(&["run", "--base", "HEAD", "--json"]).output().unwrap());
    let gate = &ran.json["gates"][0];
    let findings: Vec<&str> =
        gate["findings"].as_array().unwrap().iter().map(|finding| finding["message"].as_str().unwrap()).collect();
    assert_eq!(findings.len(), 1, "{}{}", ran.out, ran.err);
    assert!(findings[0].contains("every row of posts"), "{findings:?}");
}
