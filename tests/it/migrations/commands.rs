//! Tools whose migrations are code: what their own command did to the database that it was given.

use serde_json::Value;

use super::{Place, Ran};

/// The gate, whose command is a script of psql that starts from a dump of the schema.
fn ran(schema: &str, change: &str) -> (Value, String) {
    let toml = "[gates.db]\nkind = \"migrations\"\nschema = \"dump.sql\"\n\
                command = [\"psql\", \"-qv\", \"ON_ERROR_STOP=1\", \"-f\", \"change.sql\"]\n";
    let place = Place::of(&[("gatepost.toml", toml), ("dump.sql", schema), ("change.sql", change)]);
    place.commit();
    let ran = Ran::of(&place.command(&["run", "--all-files", "--json"]).output().unwrap());
    place.nothing_is_left();
    (ran.json["gates"][0].clone(), ran.out + &ran.err)
}

const GUARDED: &str =
    "\\restrict aB3\n\ncreate table t (id int, v text);\ncopy t (id, v) from stdin;\n1\tx\n\\.\n\n\\unrestrict aB3\n";

#[test]
fn a_dump_of_a_newer_pg_dump_is_read_and_no_command_in_it_is_lost() {
    let (gate, out) = ran(GUARDED, "create table u (id int);\n");
    assert_eq!(gate["outcome"], "pass", "{out}");
    let (gate, out) = ran(&format!("{GUARDED}\\i tables.sql\n"), "create table u (id int);\n");
    assert_eq!(gate["outcome"], "error", "{out}");
    let reason = gate["reason"].as_str().unwrap();
    assert!(reason.contains("dump.sql:9: \\i tables.sql was not run: it is a command of the"), "{reason}");
}

#[test]
fn so_is_one_that_stands_in_for_the_base() {
    let toml = "[gates.db]\nkind = \"migrations\"\nschema = \"dump.sql\"\n";
    let place = Place::of(&[("gatepost.toml", toml), ("dump.sql", GUARDED), ("migrations/1_a.sql", "select 1;\n")]);
    place.commit();
    place.write("migrations/2_b.sql", "alter table t add column w int;\n");
    let run = || Ran::of(&place.command(&["run", "--base", "HEAD", "--json"]).output().unwrap());
    let ran = run();
    let statement = &ran.json["gates"][0]["migrations"]["migrations"][0]["statements"][0];
    assert_eq!(statement["changes"][0], "+ column public.t.w integer", "{}{}", ran.out, ran.err);
    assert_ne!(ran.json["gates"][0]["outcome"], "error", "{}", ran.out);
    // Its tool would send it, and a server refuse it.
    place.write("migrations/2_b.sql", "\\restrict aB3\nalter table t add column w int;\n");
    assert_eq!(run().json["gates"][0]["outcome"], "error");
}

/// `rule table` of each finding that counts.
fn told(gate: &Value) -> Vec<String> {
    let findings = gate["findings"].as_array().unwrap().iter().filter(|finding| finding["level"] != "note");
    let one = |finding: &Value| {
        let message = finding["message"].as_str().unwrap();
        let table = message.split([' ', '.']).find(|word| ["t", "u", "w"].contains(word)).unwrap_or("-");
        format!("{} {table}", finding["rule"].as_str().unwrap())
    };
    findings.map(one).collect()
}

const TABLES: &str = "create table t (id int primary key, v text);\ncreate table u (id int, t_id int);\n\
                      create table w (id int);\ncreate index on u (t_id);\ninsert into u values (1, 1);\ninsert into t values (1);\n";

#[test]
fn what_tables_tell_of_a_command_is_judged() {
    let seen = |change: &str, found: &[&str]| {
        let (gate, out) = ran(TABLES, change);
        assert_eq!(told(&gate), found, "{change}: {out}");
        let notes = gate["notes"].to_string();
        assert!(notes.contains("the command's statements are not watched: of locks, scans and rows"), "{notes}");
    };
    seen("alter table u alter id type bigint;\n", &["table-rewrite u"]);
    seen("create index on t (v);\n", &["index-without-concurrently t"]);
    seen("create index concurrently on t (v);\n", &[]);
    seen("alter table t add constraint v unique (v);\n", &["scan-under-lock t"]);
    seen("create unique index concurrently v on t (v);\nalter table t add constraint v unique using index v;\n", &[]);
    seen("alter table u add foreign key (t_id) references t (id);\n", &["scan-under-lock u"]);
    let later = "alter table u add constraint c check (id > 0) not valid;\nalter table u validate constraint c;\n";
    seen(later, &[]);
    seen("begin;\nsavepoint a;\nalter table u add check (id > 0);\nrelease a;\ncommit;\n", &["scan-under-lock u"]);
    seen("delete from u;\ncreate table x (id int);\n", &["delete-all-rows u"]);
    seen("truncate w;\ncreate table x (id int);\n", &["delete-all-rows w"]);
    seen("create table x (id int primary key);\ncreate index on x (id);\ninsert into w values (1);\n", &[]);
}
