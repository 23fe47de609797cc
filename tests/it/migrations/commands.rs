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
