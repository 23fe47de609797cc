//! What is looked for in the work tree, for reports, `integrity`, audits and migrations: nothing is passed over unseen.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use gatepost::integrity::{self, Checked, Tree as _};
use gatepost::model::migration::MigrationsFolder;
use gatepost::world::tree::Folder;
use gatepost::world::{files, find, lockfiles, migrations};

use super::{Tree, as_nobody};

const SOFT: &str = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: npm test || true\n";
const LOCK: &str = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n";

fn found(dir: &Path, pattern: &str) -> Result<Vec<String>, String> {
    let name = |one: find::Found| one.path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
    Ok(find::find(dir, pattern)?.into_iter().map(name).collect())
}

fn link(tree: &Tree, target: impl AsRef<Path>, path: &str) {
    symlink(target, tree.dir.join(path)).unwrap();
}

fn check(tree: &Tree) -> Checked {
    integrity::check(&Folder::new(&tree.dir), "2026-11-30".parse().unwrap())
}

fn said(checked: &Checked) -> Vec<String> {
    checked.problems.iter().map(ToString::to_string).collect()
}

fn hits(checked: &Checked) -> Vec<&str> {
    checked.findings.iter().map(|finding| finding.path.as_deref().unwrap()).collect()
}

#[test]
fn a_folder_behind_a_link_counts_wherever_it_is() {
    let (tree, elsewhere) = (Tree::new(), Tree::new());
    tree.write("a/run-1/junit.xml", "").write("b/latest/junit.xml", "");
    link(&tree, "run-1", "a/latest");
    assert_eq!(found(&tree.dir, "*/latest/junit.xml").unwrap(), ["a/latest/junit.xml", "b/latest/junit.xml"]);
    elsewhere.write("deep/two.xml", "");
    tree.write("out/one/one.xml", "");
    link(&tree, &elsewhere.dir, "out/two");
    for pattern in ["out/**/*.xml", "out/{one,two/deep}/*.xml", "{out,gone}/**/*o*.xml"] {
        let all = found(&tree.dir, pattern).unwrap();
        assert_eq!(all, ["out/one/one.xml", "out/two/deep/two.xml"], "{pattern}");
    }
    assert_eq!(found(&tree.dir, "out/two/*/two.xml").unwrap(), ["out/two/deep/two.xml"]);
    // A link that nothing may match behind is no matter, nor is one to nowhere that does not match itself.
    link(&tree, "nowhere", "out/three");
    assert_eq!(found(&tree.dir, "out/one/*.xml").unwrap(), ["out/one/one.xml"]);
    assert_eq!(found(&tree.dir, "out/*/*.xml").unwrap(), ["out/one/one.xml"]);
}

#[test]
fn circles_end_and_many_names_of_one_folder_are_looked_through_once() {
    let tree = Tree::new();
    tree.write("p/p0/x.xml", "");
    // Packages that each have links to all before them, as in a workspace: more ways than anybody can go.
    for number in 0..40 {
        tree.write(&format!("p/p{number}/own"), "");
        for other in 0..number {
            link(&tree, format!("../p{other}"), &format!("p/p{number}/to{other}"));
        }
    }
    link(&tree, "..", "p/p0/up");
    link(&tree, "itself", "p/itself");
    assert_eq!(found(&tree.dir, "**/x.xml").unwrap(), ["p/p0/x.xml"]);
    assert_eq!(found(&tree.dir, "p/p1/*/x.xml").unwrap(), ["p/p1/to0/x.xml"]);
    assert!(found(&tree.dir, "p/**/up/*/x.xml").unwrap().contains(&"p/p0/up/p0/x.xml".to_owned()));
}

#[test]
fn a_folder_that_cannot_be_looked_through_is_said() {
    if !as_nobody("repo::walks::a_folder_that_cannot_be_looked_through_is_said") {
        return;
    }
    let tree = Tree::new();
    tree.write("out/a.xml", "").write("out/b/j.xml", "").write("c/d/j.xml", "");
    link(&tree, "../c/d", "out/c");
    let set = |path: &str, mode| {
        std::fs::set_permissions(tree.dir.join(path), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    for (path, mode) in [("out/b", 0o444), ("out/b", 0o000), ("c", 0o000), ("c/d", 0o444)] {
        set(path, mode);
        let why = found(&tree.dir, "out/**/*.xml").unwrap_err();
        assert!(why.starts_with("cannot look ") && why.contains("ermission denied"), "{path}: {why}");
        assert!(found(&tree.dir, "out/*.xml").is_ok(), "{path} cannot hold such a file");
        set(path, 0o755);
    }
    set("out", 0o000);
    assert!(found(&tree.dir, "out/b/*.xml").is_err());
    assert!(found(&tree.dir, "out/a.xml").is_err());
    set("out", 0o755);
    assert_eq!(found(&tree.dir, "out/a.xml/*").unwrap(), [""; 0]);
}

#[test]
fn what_git_tracks_is_judged_whatever_the_ignore_rules_say() {
    let tree = Tree::new();
    tree.write(".github/workflows/ci.yml", SOFT).write("web/package.json", "{}").write("kept/Makefile", "a:\n\tb\n");
    tree.git(&["add", "--force", ".github", "kept"]);
    tree.write(".gitignore", ".*\n/web\nkept\n*.log\n").write("logs/a.log", "").write("kept/mine/Makefile", "x");
    tree.write("new/Makefile", "test:\n\tpytest || true\n");
    for by_library in [true, false] {
        if !by_library {
            drop(tree.open_by_program());
        }
        let checked = check(&tree);
        assert_eq!((hits(&checked), said(&checked)), (vec![".github/workflows/ci.yml", "new/Makefile"], vec![]));
        let paths = Folder::new(&tree.dir).list().paths;
        assert_eq!(paths, [".github/workflows/ci.yml", "kept/Makefile", "new/Makefile"]);
        let within = integrity::check(&Folder::new(&tree.dir.join("kept")), "2026-11-30".parse().unwrap());
        assert_eq!(within.files, 1, "what is ignored in it is passed over from there too");
        let ignored = tree.open().ignored().unwrap();
        assert!(ignored.has(b"web/package.json") && ignored.has(b"logs/a.log") && ignored.has(b"kept/mine"));
        assert!(!ignored.has(b"kept") && !ignored.has(b"new/Makefile"));
    }
    // The folder itself is none of the repository around it.
    assert_eq!(integrity::check(&Folder::new(&tree.dir.join("web")), "2026-11-30".parse().unwrap()).files, 1);
}

#[test]
fn a_name_that_no_report_can_have_is_a_problem_where_it_would_be_judged() {
    let tree = Tree::new();
    tree.write("package.json", "{}").write("odd\tname", "").write(".github/workflows/c\ti.yml", SOFT);
    let why = "has a name that no report can have (a control character, a backslash or a drive)";
    assert_eq!(said(&check(&tree)), [format!(".github/workflows/c\ti.yml: {why}")]);
}

#[test]
fn what_a_sparse_checkout_left_out_is_a_problem() {
    let tree = Tree::new();
    tree.write("in/Makefile", "test:\n\tpytest\n").write("Cargo.lock", LOCK).write("out/Cargo.lock", LOCK);
    tree.write("out/Cargo.toml", "[package]\n").write("out/text", "").write("out/examples/Cargo.lock", LOCK);
    tree.write(".github/workflows/ci.yml", SOFT).commit("all");
    tree.git(&["sparse-checkout", "set", "in"]);
    let why = "is left out by a sparse checkout: check it out too (git sparse-checkout add)";
    assert_eq!(said(&check(&tree)), [format!(".github/workflows/ci.yml: {why}")]);
    let repo = tree.open();
    let locks = lockfiles::find(&tree.dir, &tree.dir, Some((&repo, ""))).unwrap();
    assert_eq!(locks.unread, [format!("out/Cargo.lock {why}"), format!("out/Cargo.toml {why}")]);
    assert_eq!((locks.lockfiles, locks.manifests), (vec!["Cargo.lock".to_owned()], vec![]));
    let within = lockfiles::find(&tree.dir.join("in"), &tree.dir, Some((&repo, "in"))).unwrap();
    assert_eq!(within.unread, [""; 0]);
    // Gone is gone.
    tree.git(&["sparse-checkout", "disable"]);
    std::fs::remove_file(tree.dir.join("out/Cargo.lock")).unwrap();
    let locks = lockfiles::find(&tree.dir, &tree.dir, Some((&tree.open(), ""))).unwrap();
    assert_eq!(locks.unread, [""; 0]);
}

#[test]
fn a_name_that_is_not_utf_8_is_said() {
    let tree = Tree::new();
    let name = |name: &[u8]| tree.dir.join(OsStr::from_bytes(name));
    tree.write("db/migrations/0001_a.sql", "create table a (id int);\n").write("Cargo.lock", LOCK);
    let one = tree.commit("one");
    std::fs::write(name(b"db/migrations/0002_\xe9.sql"), "no sql\n").unwrap();
    std::fs::write(name(b"requirements-\xe9.txt"), "a==1\n").unwrap();
    std::fs::write(name(b"text\xe9"), "").unwrap();
    std::fs::create_dir(name(b"caf\xe9")).unwrap();
    std::fs::write(name(b"caf\xe9/Cargo.lock"), LOCK).unwrap();
    let two = tree.commit("two");
    let locks = lockfiles::find(&tree.dir, &tree.dir, Some((&tree.open(), ""))).unwrap();
    let wanted = [
        "caf\u{fffd}/Cargo.lock has a name that is not UTF-8, and is not read",
        "requirements-\u{fffd}.txt has a name that is not UTF-8, and is not read",
        "the folder caf\u{fffd} has a name that is not UTF-8: what is in it is not known",
    ];
    assert_eq!(locks.unread, wanted);
    let why = migrations::of_work_tree(&tree.dir, "db/migrations").unwrap_err();
    assert!(why.contains("which is not UTF-8"), "{why}");
    for repo in [tree.open(), tree.open_by_program()] {
        assert_eq!(migrations::of_commit(&repo, &one, "db/migrations").unwrap().files.len(), 1);
        for folder in ["db/migrations", ""] {
            let why = migrations::of_commit(&repo, &two, folder).unwrap_err();
            assert!(why.contains("which is not UTF-8"), "{why}");
        }
    }
}

#[test]
fn a_link_among_migrations_is_what_it_leads_to_here_and_in_the_base() {
    let tree = Tree::new();
    tree.write("m/0001.sql", "one\n").write("shared/0002.sql", "two\n").write("shared/more/0003.sql", "three\n");
    link(&tree, "../shared/0002.sql", "m/0002.sql");
    link(&tree, "0002.sql", "m/0004.sql");
    link(&tree, "../shared/more", "m/more");
    link(&tree, ".", "m/again");
    let one = tree.commit("one");
    let here = migrations::of_work_tree(&tree.dir, "m").unwrap();
    for repo in [tree.open(), tree.open_by_program()] {
        assert_eq!(migrations::of_commit(&repo, &one, "m").unwrap().files, here.files);
        assert_eq!(migrations::of_commit(&repo, &one, "m/0001.sql").unwrap().files.len(), 0);
    }
    assert_eq!(here.files.keys().collect::<Vec<_>>(), ["0001.sql", "0002.sql", "0004.sql", "more/0003.sql"]);
    // A folder elsewhere is looked through here; the commit does not have it.
    let elsewhere = Tree::new();
    elsewhere.write("0005.sql", "five\n");
    link(&tree, &elsewhere.dir, "m/elsewhere");
    let two = tree.commit("two");
    assert!(migrations::of_work_tree(&tree.dir, "m").unwrap().files.contains_key("elsewhere/0005.sql"));
    for repo in [tree.open(), tree.open_by_program()] {
        let why = migrations::of_commit(&repo, &two, "m").unwrap_err();
        assert!(why.starts_with("m/elsewhere of ") && why.ends_with("which that commit does not have"), "{why}");
    }
}

#[test]
fn migrations_that_cannot_be_read_are_said_where_gates_are_detected() {
    let tree = Tree::new();
    tree.write("migrations/0001_a.up.sql", "create table a (id int);\n");
    let large = std::fs::File::create(tree.dir.join("migrations/seed.csv")).unwrap();
    large.set_len(70 << 20).unwrap();
    let all = migrations::all(&tree.dir, &|_| Vec::new());
    let [MigrationsFolder { path, hindrance: Some(why), .. }] = &all[..] else { panic!("{all:?}") };
    assert!(path == "migrations" && why.contains("seed.csv: it has more than 67108864 bytes"), "{why}");
}

#[test]
fn what_has_no_end_is_not_read() {
    let tree = Tree::new();
    link(&tree, "/dev/zero", "package.json");
    assert_eq!(files::read_capped(&tree.dir.join("package.json"), 1 << 20), None);
    let pipe = tree.dir.join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert_eq!(files::read_capped(&pipe, 1 << 20), None);
    assert_eq!(files::read_text(&pipe, 1 << 20), Err("is no file".to_owned()));
    assert!(files::read_at_most(&pipe, 1 << 20).is_err());
}
