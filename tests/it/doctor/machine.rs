//! What is here: the configuration, the programs, the base.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::*;

#[test]
fn a_configuration_that_cannot_be_used_is_an_error_of_its_own() {
    let scene = Scene::new();
    scene.tree.write("gatepost.toml", "[gates.lint]\nkind = \"lnt\"\n");
    let said = scene.call(&["doctor"]);
    assert_eq!(said.code, 2);
    assert!(said.out.contains("lint") && !said.out.contains("doctor:"), "{}", said.out);
}

#[test]
fn without_a_file_the_gates_are_detected() {
    let scene = Scene::new();
    std::fs::remove_file(scene.tree.dir.join("gatepost.toml")).unwrap();
    scene.tree.write("package.json", r#"{"scripts": {"test": "node --test"}}"#);
    let said = scene.call(&["doctor"]);
    assert!(said.out.contains("no gatepost.toml: 1 gate detected"), "{}", said.out);
    assert!(said.out.contains("→ `gatepost init` writes them down"), "{}", said.out);
}

#[test]
fn packages_that_scripts_need_are_missed() {
    let scene = Scene::new();
    let gate = "[gates.web]\nkind = \"command\"\ncommand = [\"npm\", \"run\", \"test\"]\ndir = \"web\"\n";
    scene.tree.write("gatepost.toml", gate).write("web/package.json", r#"{"devDependencies": {"mocha": "^11"}}"#);
    let lacks = "web/node_modules is missing, and web/package.json asks for packages (for web)";
    let said = scene.call(&["doctor"]);
    assert!(said.out.contains(lacks) && said.out.contains("→ run `npm install`"), "{}", said.out);
    scene.tree.write("web/node_modules/mocha/package.json", "{}");
    let said = scene.call(&["doctor"]);
    assert!(!said.out.contains("is missing"), "{}", said.out);
}

#[test]
fn what_gates_start_is_looked_for() {
    let gate = |command: &str| format!("[gates.one]\nkind = \"command\"\ncommand = {command}\n");
    for (command, start, todo) in [
        (r#"["frobnicate", "x"]"#, "tool fail: frobnicate is not on PATH (for one)", "install frobnicate"),
        (r#"["./scripts/check"]"#, "tool fail: ./scripts/check is not there", "`command` or `dir`"),
        (
            r#"["npx", "eslint"]"#,
            "tool fail: eslint is neither in node_modules nor on PATH",
            "npx would download whatever is the newest",
        ),
        ("\"cat <<E\\nE\"", "tool error: gate one: only the first program of its script was looked for", "a file"),
    ] {
        let scene = Scene::new();
        scene.tree.write("gatepost.toml", gate(command));
        let bin = programs(&scene, &[("npx", "echo 1")]);
        let path = format!("{bin}:/usr/bin:/bin");
        let mut scene = scene;
        scene.set("PATH", &path).complains(start, &[todo]);
    }
}

/// A folder for `PATH` with these scripts.
fn programs(scene: &Scene, scripts: &[(&str, &str)]) -> String {
    let bin = scene.tree.dir.with_file_name("bin");
    std::fs::create_dir_all(&bin).unwrap();
    for (name, script) in scripts {
        executable(&bin.join(name), script);
    }
    bin.display().to_string()
}

fn executable(path: &Path, script: &str) {
    std::fs::write(path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn only_programs_that_are_known_are_started() {
    let mut scene = Scene::new();
    scene.tree.write(
        "gatepost.toml",
        "[gates.a]\nkind = \"command\"\ncommand = [\"mypy\", \".\"]\n\n[gates.b]\nkind = \"command\"\ncommand = [\"deploy\", \"now\"]\n",
    );
    let bin = programs(&scene, &[("mypy", "echo \"mypy 1.2 $*\""), ("deploy", "touch ../deployed")]);
    scene.set("PATH", &format!("{bin}:/usr/bin:/bin"));
    let said = scene.call(&["doctor"]);
    assert!(said.out.contains("mypy (for a): mypy 1.2 --version"), "{}", said.out);
    assert!(said.out.contains("deploy is there (for b)"), "{}", said.out);
    assert!(!scene.tree.dir.with_file_name("deployed").exists());
    // A shim that stands for what is not installed.
    programs(&scene, &[("mypy", "echo 'no version is set' >&2; exit 1")]);
    scene.complains("tool fail:", &["`mypy --version` does not end well (for a)", "a stand-in for mypy"]);
}

#[test]
fn the_base_is_found_or_the_depth_is_said() {
    let scene = Scene::new();
    let said = scene.call(&["doctor"]);
    assert!(flat(&said).contains("nothing differs from origin/HEAD: there is no change (the whole history is here)"));
    scene.tree.git(&["symbolic-ref", "-d", "refs/remotes/origin/HEAD"]);
    scene.tree.git(&["update-ref", "-d", "refs/remotes/origin/main"]);
    scene.tree.git(&["checkout", "-q", "--detach"]);
    scene.tree.git(&["branch", "-D", "main"]);
    scene.complains("base fail: everything would be judged", &["`base` under [run]"]);
}

/// A run of a pull request, on a clone that has its head alone.
#[test]
fn a_shallow_clone_asks_github_for_the_merge_base() {
    let mut scene = Scene::new();
    let base = scene.tree.sha("HEAD");
    scene.tree.git(&["checkout", "-q", "-b", "feature"]);
    scene.tree.write("new.txt", "new\n").commit("second");
    let head = scene.tree.commit("third");
    let url = scene.tree.url();
    scene.tree.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
    let clone = scene.tree.beside("clone", &["clone", "-q", "--depth=1", "--branch=feature", &url]);
    let event = scene.tree.dir.with_file_name("event.json");
    let side =
        |sha: &str, name: &str| format!(r#"{{"sha": "{sha}", "ref": "{name}", "repo": {{"full_name": "octo/shop"}}}}"#);
    let pull = format!(
        r#"{{"number": 7, "pull_request": {{"number": 7, "head": {}, "base": {}}}}}"#,
        side(head.as_str(), "feature"),
        side(base.as_str(), "main")
    );
    std::fs::write(&event, pull).unwrap();
    scene.set("GITHUB_ACTIONS", "true").set("GITHUB_EVENT_NAME", "pull_request").set("GITHUB_SHA", head.as_str());
    scene.set("GITHUB_EVENT_PATH", event.to_str().unwrap()).set("GITHUB_REF", "refs/pull/7/merge");
    let _origin = std::mem::replace(&mut scene.tree, clone);
    scene.fake.with(|github| {
        github.repo("octo/shop").commit(head.as_str(), &[base.as_str()]);
    });
    let said = scene.call(&["doctor"]);
    let compared =
        format!("compared with the merge base {} as the forge knows it (a shallow clone)", &base.as_str()[..7]);
    assert!(flat(&said).contains(&compared), "{}", said.out);
    assert_eq!(scene.fake.requests("repos/compare-commits-with-basehead").len(), 1);

    scene.unset("GITHUB_TOKEN");
    let clone = scene.tree.beside("clone-2", &["clone", "-q", "--depth=1", "--branch=feature", &url]);
    scene.tree = clone;
    let complaints = scene.complaints();
    let shallow =
        |one: &String| one.starts_with("base fail: the clone is too shallow") && one.contains("fetch-depth: 0");
    assert!(complaints.iter().any(shallow), "{complaints:#?}");
}

#[test]
fn the_servers_that_migrations_need_are_looked_for() {
    let gate = |more: &str| format!("[gates.db]\nkind = \"migrations\"\n{more}\n");
    let scene = |more: &str, sql: &str| {
        let scene = Scene::new();
        scene.tree.write("gatepost.toml", gate(more)).write("migrations/1_a.sql", sql);
        scene
    };
    let good = scene("", "create table a (id bigserial);\n");
    good.is_well();
    let said = flat(&good.call(&["doctor"]));
    assert!(said.contains("databases db: postgres 1"), "{said}");
    let said = flat(&scene("database = \"sqlite\"", "create table a (id int);\n").call(&["doctor"]));
    assert!(said.contains("databases db: SQLite, in gatepost itself"), "{said}");
    let said = flat(&scene("", "create table a (id int) engine=innodb;\n").call(&["doctor"]));
    assert!(said.contains("databases db: mariadb 1") || said.contains("databases db: mysql "), "{said}");
    let how = if cfg!(target_os = "macos") { "brew install postgresql@9.4" } else { "apt-get install postgresql-9.4" };
    scene("version = \"9.4\"", "create table a (id bigserial);\n")
        .complains("databases fail: db needs postgres 9.4, and there is postgres 1", &[how]);
    scene("", "create table a (id bigserial);\ncreate extension if not exists no_such_thing;\n").complains(
        "databases fail: db: postgres 1",
        &["no extension no_such_thing, which migrations/1_a.sql:2 needs", "`services:`"],
    );
    scene("path = \"nowhere\"", "").complains("databases fail: db: nowhere: there is no folder", &["`path`"]);
    scene("database-url = \"env:DB_URL\"", "select 1;\n")
        .complains("databases error: db: database-url names DB_URL, which is not set", &["set it"]);
    let mut closed = scene("database-url = \"env:DB_URL\"", "select 1;\n");
    closed.set("DB_URL", "postgres://u:secret@127.0.0.1:1/x").complains("databases fail: db: ", &["mend DB_URL"]);
    assert!(!closed.call(&["doctor"]).out.contains("secret"));
}
