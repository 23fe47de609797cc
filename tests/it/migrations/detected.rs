//! Without a configuration: a folder of migrations that can be judged makes a gate, and a healthy one is green at once.

use super::{Place, Ran};

fn run(place: &Place, arguments: &[&str]) -> Ran {
    let ran = Ran::of(&place.command(arguments).output().unwrap());
    place.nothing_is_left();
    ran
}

#[test]
fn a_healthy_folder_is_green_at_once() {
    let place = Place::of(&[
        (
            "db/migrations/20240101000000_a.up.sql",
            "create table a (id bigserial primary key, v text);\ninsert into a (v) values ('1');\n",
        ),
        ("db/migrations/20240101000000_a.down.sql", "drop table a;\n"),
        // What was dangerous once is no reason to stop today.
        ("db/migrations/20240102000000_b.up.sql", "alter table a alter column v type int using v::int;\n"),
        ("db/migrations/20240102000000_b.down.sql", "drop table nowhere;\n"),
    ]);
    place.commit();
    let ran = run(&place, &["run", "--json"]);
    let gate = &ran.json["gates"][0];
    assert_eq!((gate["name"].as_str(), gate["outcome"].as_str()), (Some("migrations"), Some("pass")), "{}", ran.out);
    assert_eq!(ran.code, Some(0));
    let rules: Vec<&str> = gate["findings"].as_array().unwrap().iter().filter_map(|it| it["rule"].as_str()).collect();
    assert!(rules.contains(&"table-rewrite") && rules.contains(&"down-failed"), "{rules:?}");
    let plan = run(&place, &["plan"]);
    assert!(plan.out.contains("db/migrations: sqlx, for postgres by its SQL"), "{}", plan.out);
    place.write("db/migrations/20240103000000_c.up.sql", "create table b (id nothing);\n");
    assert_eq!(run(&place, &["run", "--json"]).code, Some(1), "what the database refuses blocks");
}

#[test]
fn what_cannot_be_judged_makes_no_gate_and_is_told() {
    let place = Place::of(&[
        ("go.mod", "module example.com/shop\n\ngo 1.22\n"),
        ("migrations/1_a.sql", "create table a (id integer primary key);\n"),
        ("prisma/migrations/20240101000000_a/migration.sql", "CREATE EXTENSION no_such_thing;\n"),
        ("prisma/schema.prisma", "datasource db {\n  provider = \"postgresql\"\n}\n"),
    ]);
    place.commit();
    let plan = run(&place, &["plan"]);
    assert_eq!(plan.code, Some(0), "{}{}", plan.out, plan.err);
    let flat = plan.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        flat.contains("migrations: no gate for its migrations (numbered): it is not told which database"),
        "{flat}"
    );
    assert!(flat.contains("has no extension no_such_thing, which prisma/migrations"), "{flat}");
    assert!(!plan.out.contains("kind = \"migrations\""), "{}", plan.out);
}

#[test]
fn init_writes_the_gate_down() {
    let place = Place::of(&[("migrations/1_a.sql", "create table a (id integer primary key autoincrement);\n")]);
    place.commit();
    let init = run(&place, &["init", "--workflow", "none"]);
    assert!(init.out.contains("[gates.migrations]"), "{}{}", init.out, init.err);
    let yes = run(&place, &["init", "--workflow", "none", "--yes"]);
    assert_eq!(yes.code, Some(0), "{}{}", yes.out, yes.err);
    let ran = run(&place, &["run", "migrations", "--json"]);
    assert_eq!(ran.json["gates"][0]["reason"], "the change adds no migration; the 1 of the base apply", "{}", ran.out);
}
