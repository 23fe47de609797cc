//! Roles that migrations name and production has: a scratch server is given them, and it is said.

use super::Place;

const MADE: &str = "made on the scratch server: it is taken to exist in production";

const PROFILES: &str = "create table public.profiles (id uuid primary key references auth.users, name text);
alter table public.profiles enable row level security;
create policy \"own\" on public.profiles for select to authenticated using (auth.uid() = id);
grant select on public.profiles to anon, authenticated, service_role;
alter default privileges for role app_owner in schema public grant select on tables to anon;
insert into auth.users (id) select gen_random_uuid() from generate_series(1, 3);
insert into public.profiles select id, 'x' from auth.users;
";

fn notes(ran: &super::Ran) -> Vec<String> {
    let notes = ran.json["notes"].as_array().unwrap_or_else(|| panic!("{}{}", ran.out, ran.err));
    notes.iter().map(|note| note.as_str().unwrap().to_owned()).filter(|note| note.contains(MADE)).collect()
}

#[test]
fn roles_of_production_are_made_where_they_are_named() {
    let more = "alter table profiles owner to \"Team Owner\";\nset role service_role;\nreset role;\n";
    let place = Place::of(&[
        ("supabase/migrations/20240101000000_profiles.sql", PROFILES),
        ("supabase/migrations/20240102000000_more.sql", more),
    ]);
    let ran = place.migrations(&["supabase/migrations"]);
    assert_eq!(ran.migration(0)["outcome"], "ok", "{}", ran.out);
    assert_eq!(ran.migration(1)["outcome"], "ok", "{}", ran.out);
    let roles = ["authenticated", "anon", "service_role", "app_owner", "Team Owner"];
    assert_eq!(notes(&ran), roles.map(|role| format!("role {role} {MADE}")));
    assert!(ran.statement(0, 3)["changes"].to_string().contains("service_role=r"), "{}", ran.out);
    assert_eq!(ran.statement(0, 6)["rows"], 3);
    let stood_in = "what Supabase brings with a database";
    assert!(ran.json["notes"].to_string().contains(stood_in), "{}", ran.out);
    assert!(
        !ran.json["schema_diff"].as_str().unwrap().contains("CREATE TABLE auth."),
        "it is no part of the change: {}",
        ran.out
    );
    place.commit();
    let last = "alter table profiles add column note text;\n";
    place.write("supabase/migrations/20240103000000_last.sql", last);
    let ran = place.migrations(&["supabase/migrations", "--base", "HEAD"]);
    assert_eq!(ran.json["migrations"].as_array().unwrap().len(), 1, "{}", ran.out);
    assert_eq!(ran.statement(0, 0)["changes"][0], "+ column public.profiles.note text", "the base applies as a whole");
    assert_eq!(notes(&ran).len(), 5, "{}", ran.out);
    assert_ne!(ran.json["outcome"], "error", "{}", ran.out);
}

#[test]
fn a_role_that_migrations_dropped_is_missing_as_in_production() {
    let place = Place::of(&[
        ("migrations/1_a.sql", "create table a (id int);\ncreate role helper;\ngrant select on a to helper;\n"),
        ("migrations/2_b.sql", "revoke all on a from helper;\ndrop role helper;\ngrant select on a to helper;\n"),
        ("migrations/3_c.sql", "do $$ begin raise exception 'role \"x\" does not exist'; end $$;\n"),
    ]);
    let ran = place.migrations(&[]);
    assert_eq!(ran.findings(), ["2_b.sql:3 failed-statement", "3_c.sql:1 failed-statement"]);
    assert_eq!(notes(&ran), Vec::<String>::new());
    let base = "migrations/1_a.sql";
    place.write(base, "create table a (id int);\ncreate role helper;\ndrop role helper;\n");
    place.remove("migrations/2_b.sql");
    place.remove("migrations/3_c.sql");
    place.commit();
    place.write("migrations/2_b.sql", "grant select on a to helper;\n");
    let ran = place.migrations(&["--base", "HEAD"]);
    assert_eq!(ran.findings(), ["2_b.sql:1 failed-statement"], "nobody looked at the drop");
}
