//! Bad surroundings: each with its message and exit code, and nothing lost that was known.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::repo::git_in;

const GATE: &str = "[gates.g]\nkind = \"command\"\ncommand = \"echo fine\"\n";
const LINT: &str = "[gates.lint]\nkind = \"lint\"\ncommand = \"echo src/a.rs:6:1: warning: w\"\nformat = \"gcc\"\n";

/// Runs, and compares what is seen with the case's file.
fn refused(name: &str, project: &Project, arguments: &[&str]) {
    let ran = project.run(arguments);
    expect(name, &ran.seen(&project.tree.dir));
}

#[test]
fn no_configuration_and_nothing_detected() {
    let project = Project::on_main(GATE);
    project.tree.git(&["rm", "--quiet", "gatepost.toml"]);
    refused("nothing-detected", &project, &[]);
    refused("config-missing", &project, &["--config", "gatepost.toml"]);
}

#[test]
fn a_configuration_in_the_github_folder_speaks_of_the_folder_that_has_it() {
    let gate = "[gates.g]\nkind = \"command\"\ncommand = \"test -f a\"\npaths = [\"src/**\"]\ndir = \"src\"\n";
    let project = Project::on_main("");
    project.tree.git(&["rm", "--quiet", "gatepost.toml"]);
    project
        .tree
        .write(".github/gatepost.toml", gate)
        .write(".github/workflows/x", "")
        .write("src/a", "")
        .commit("github");
    project.tree.write("web/.github/gatepost.toml", gate).write("web/src/a", "").commit("web");
    for arguments in [
        &["-C", ".github"] as &[&str],
        &["-C", ".github/workflows"],
        &["-C", "src"],
        &["-C", "web/.github"],
        &["-C", "web"],
        &["--config", "web/.github/gatepost.toml"],
        &["--config", ".github/gatepost.toml"],
    ] {
        let ran = project.run(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {}{}", ran.out, ran.err);
        let plan = project.call(&[&["plan"], arguments].concat()).out;
        let folder = if arguments[1].starts_with("web") { "web/src" } else { "src" };
        assert!(plan.contains(&format!("in {folder}\n")), "{arguments:?}: {plan}");
    }
}

#[test]
fn gates_of_a_folder_that_cannot_be_named_run_nowhere() {
    use std::os::unix::ffi::OsStrExt as _;

    let project = Project::on_main(GATE);
    for name in [b"caf\xe9".as_slice(), br"a\b"] {
        let folder = project.tree.dir.join(std::ffi::OsStr::from_bytes(name));
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("gatepost.toml"), GATE).unwrap();
        let ran = ended(project.command(&["run"]).arg("-C").arg(&folder));
        assert_eq!(ran.code, Some(2), "{}{}", ran.out, ran.err);
        assert!(ran.err.contains("is no folder that gates could run in"), "{}", ran.err);
    }
}

#[test]
fn nothing_stands_in_for_a_configuration_that_cannot_be_used() {
    let project = Project::on_main(GATE);
    project.tree.write(".github/gatepost.toml", GATE).commit("second");
    let unread = ".github/gatepost.toml is not read: gatepost.toml is used";
    assert!(project.run(&[]).notes().contains(&unread));
    assert!(project.call(&["plan"]).out.contains(unread));
    assert!(!project.run(&["--config", "gatepost.toml"]).notes().contains(&unread), "it was named");
    let file = project.path("gatepost.toml");
    let expect = |what: &str, arguments: &[&str]| {
        let ran = project.run(arguments);
        assert_eq!(ran.code, Some(2), "{what}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains(&format!("error: gatepost.toml is {what}")), "{what}: {}", ran.err);
    };
    for target in ["nowhere", "gatepost.toml"] {
        std::fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink(target, &file).unwrap();
        expect("a link to nothing", &[]);
    }
    std::fs::remove_file(&file).unwrap();
    nix::unistd::mkfifo(&file, nix::sys::stat::Mode::S_IRWXU).unwrap();
    expect("no plain file", &[]);
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    expect("a folder", &[]);
    expect("a folder", &["-C", "src"]);
    std::fs::remove_dir(&file).unwrap();

    let ran = project.run(&[]);
    assert_eq!(
        (ran.code, ran.notes()),
        (Some(0), vec!["gatepost.toml is in HEAD and deleted here: .github/gatepost.toml is used"])
    );
    let plan = project.call(&["plan"]).out;
    assert!(plan.contains("gatepost.toml is in HEAD and deleted here"), "{plan}");
    let ran = ended(project.command(&["run", "--publish", "never"]).envs([
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", "workflow_dispatch"),
        ("GITHUB_REPOSITORY", "octo/shop"),
        ("GITHUB_SHA", project.tree.sha("HEAD").as_str()),
        (
            "GITHUB_EVENT_PATH",
            project.tree.write("../event.json", "{}").dir.with_file_name("event.json").to_str().unwrap(),
        ),
    ]));
    assert_eq!(ran.code, Some(2), "an earlier step deleted what the commit is judged by: {}", ran.err);
    project.tree.git(&["update-index", "--skip-worktree", "gatepost.toml"]);
    expect("in HEAD but not in the work tree (a sparse checkout?)", &[]);
    expect("in HEAD but not in the work tree (a sparse checkout?)", &["-C", "src"]);
    assert_eq!(project.run(&["--config", ".github/gatepost.toml"]).code, Some(0));
}

#[test]
fn without_a_configuration_the_nearest_folder_with_gates_counts() {
    let project = Project::on_main(GATE);
    project.tree.git(&["rm", "--quiet", "gatepost.toml"]);
    let planned = || project.call(&["plan", "-C", "src/deep"]).out;
    project.tree.write("package.json", r#"{"scripts": {"lint": "test -n x"}}"#).write("src/deep/a.js", "x\n");
    let plan = planned();
    assert!(plan.contains("from package.json with the script `lint`") && !plan.contains("\ntest "), "{plan}");
    project.tree.write("src/package.json", r#"{"scripts": {"test": "test -n x"}}"#);
    let plan = planned();
    assert!(plan.contains("\n      in src\n") && !plan.contains("\nlint "), "{plan}");
}

#[test]
fn a_broken_configuration() {
    for (name, config) in [
        ("toml-broken", "[gates.g]\nkind = \"command\ncommand = \"true\"\n"),
        (
            "config-key",
            "[gates.lint]\nkind = \"lint\"\ncomand = \"x\"\nformat = \"eslnt\"\n\n[pubish]\nchecks = \"of\"\n",
        ),
        (
            "config-cycle",
            "[gates.a]\nkind = \"command\"\ncommand = \"x\"\nneeds = [\"b\"]\n[gates.b]\nkind = \"command\"\ncommand = \"x\"\nneeds = [\"a\"]\n",
        ),
        (
            "config-need",
            "[gates.a]\nkind = \"command\"\ncommand = \"x\"\nneeds = [\"bb\"]\n[gates.b]\nkind = \"command\"\ncommand = \"x\"\n",
        ),
        ("config-empty", "[run]\njobs = 1\n"),
        ("config-bytes", "\u{0}\u{1}"),
    ] {
        refused(name, &Project::on_main(config), &[]);
    }
    let project = Project::on_main(GATE);
    project.tree.write("gatepost.toml", b"[gates.g]\nkind = \"\xff\"\n");
    refused("config-not-utf8", &project, &[]);
}

#[test]
fn an_unknown_gate() {
    refused("gate-unknown", &Project::on_main(&(GATE.to_owned() + LINT)), &["g", "lnit"]);
}

#[test]
fn no_repository_or_a_bare_one() {
    let temp = tempfile::tempdir().unwrap();
    let bare = temp.path().join("bare.git");
    std::fs::create_dir(&bare).unwrap();
    git_in(&bare, &["init", "--quiet", "--bare", "."]);
    let plain = temp.path().join("plain");
    std::fs::create_dir(&plain).unwrap();
    for (name, dir) in [("repository-none", plain), ("repository-bare", bare)] {
        let ran = ended(&mut gatepost(&dir, &["run"]));
        expect(name, &ran.seen(&dir));
    }
    let ran = ended(&mut gatepost(temp.path(), &["run", "-C", "none"]));
    expect("directory-missing", &ran.seen(&temp.path().join("plain")));
}

#[test]
fn a_repository_without_a_commit() {
    let tree = Tree::new();
    tree.write("gatepost.toml", LINT).write("src/a.rs", numbered(6));
    let project = Project { tree, env: Vec::new() };
    let ran = project.run(&[]);
    assert_eq!(ran.gates(), ["lint: fail, 1 warning on changed lines"]);
    assert_eq!((&ran.report["subject"]["head"], &ran.report["subject"]["base"]), (&Value::Null, &Value::Null));
    let ran = project.run(&["--all-files"]);
    assert_eq!(ran.gates(), ["lint: fail, 1 warning"]);
    assert_eq!(ran.report["subject"]["head"], Value::Null);
}

#[test]
fn a_detached_head_a_work_tree_and_a_submodule_are_judged_as_a_clone_is() {
    let project = Project::new(LINT);
    let judged = |dir: &Path| {
        let ran = ended(&mut gatepost(dir, &["run", "--json"]));
        let report = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err));
        Ran { report, ..ran }.gates().concat()
    };
    let expected = "lint: fail, 1 warning on changed lines";
    project.tree.git(&["checkout", "--quiet", "--detach"]);
    assert_eq!(judged(&project.tree.dir), expected, "a detached head");
    let linked = project.tree.beside("linked", &["worktree", "add", "--quiet", "-b", "other"]);
    assert_eq!(judged(&linked.dir), expected, "a work tree");

    let outer = Tree::new();
    outer.git(&["submodule", "--quiet", "add", &project.tree.url(), "shop"]);
    outer.commit("with submodule");
    let inner = outer.dir.join("shop");
    git_in(&inner, &["fetch", "--quiet", "origin", "main:main"]);
    git_in(&inner, &["remote", "remove", "origin"]);
    assert_eq!(judged(&inner), expected, "a submodule");
}

#[test]
fn a_shallow_clone_judges_everything_and_says_so() {
    let project = Project::new(LINT);
    let clone =
        project.tree.beside("shallow", &["clone", "--quiet", "--depth=1", "--no-single-branch", &project.tree.url()]);
    let shallow = Project { tree: clone, env: Vec::new() };
    let ran = shallow.run(&["--base", "origin/main"]);
    assert_eq!(ran.gates(), ["lint: fail, 1 warning"]);
    assert_eq!(
        ran.notes(),
        ["everything was judged: origin/main and HEAD have no common history in this shallow clone"]
    );
}

#[test]
fn a_partial_clone_fetches_what_it_lacks() {
    let project = Project::new(LINT);
    project.tree.git(&["config", "uploadpack.allowFilter", "true"]);
    let clone = project.tree.beside("partial", &["clone", "--quiet", "--filter=blob:none", &project.tree.url()]);
    clone.git(&["remote", "set-head", "origin", "main"]);
    let ran = Project { tree: clone, env: Vec::new() }.run(&[]);
    assert_eq!(
        (ran.code, ran.gates()),
        (Some(1), vec!["lint: fail, 1 warning on changed lines".to_owned()]),
        "{}",
        ran.err
    );
}

#[test]
fn a_damaged_repository() {
    let project = Project::new(GATE);
    project.tree.write(".git/index", b"this is no index, though long enough to be one");
    let ran = project.run(&[]);
    assert_eq!(ran.code, Some(4));
    expect("index-corrupt", &ran.seen(&project.tree.dir));
    let project = Project::new(GATE);
    project.tree.write(".git/HEAD", "rubbish\n");
    let ran = project.run(&[]);
    assert_eq!(ran.code, Some(4), "{}", ran.err);
    expect("head-corrupt", &ran.seen(&project.tree.dir));
}

// The file systems of macOS have no such names.
#[cfg(not(target_os = "macos"))]
#[test]
fn paths_that_are_not_utf_8() {
    use std::os::unix::ffi::OsStrExt as _;

    let config = format!("{LINT}paths = [\"docs/**\"]\n");
    let project = Project::new(&config);
    std::fs::write(project.path("src").join(std::ffi::OsStr::from_bytes(b"\xff.rs")), "x\n").unwrap();
    project.tree.commit("not utf-8");
    let ran = project.run(&[]);
    assert_eq!(ran.gates(), ["lint: fail, 1 warning on changed lines"], "it cannot be said that it does not match");
    assert_eq!(project.text(".gatepost/changed-files.txt"), "src/a.rs\n");
    expect("path-not-utf8", &ran.seen(&project.tree.dir));
}

/// Root may read everything: then the file is judged as any other.
#[test]
fn an_unreadable_file_is_said_and_counts_whole() {
    let project = Project::new(LINT);
    project.tree.write("secret.rs", "x\n");
    let secret = project.path("secret.rs");
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o000)).unwrap();
    let ran = project.run(&[]);
    assert_eq!(ran.gates(), ["lint: fail, 1 warning on changed lines"]);
    let readable = std::fs::read(&secret).is_ok();
    assert!(readable || ran.notes().iter().any(|note| note.contains("secret.rs")), "{:?}", ran.notes());
}

#[test]
fn an_output_folder_that_cannot_be_one() {
    let project = Project::on_main(GATE);
    project.tree.write("file", "x");
    let mut folders = vec![("output-a-file", "file"), ("output-below-a-file", "file/deep")];
    if cfg!(target_os = "linux") {
        folders.push(("output-read-only", "/proc/gatepost"));
    }
    for (name, folder) in folders {
        let ran = project.run(&["--output", folder]);
        assert_eq!(ran.code, Some(4));
        expect(name, &ran.seen(&project.tree.dir));
    }
}

#[test]
fn no_space_for_logs() {
    // A file larger than 64 KiB cannot be written: as on a full disk, the gate's output is lost, and with it the verdict
    // of a gate that is read.
    let gates = "[gates.read]\nkind = \"lint\"\ncommand = \"head -c 1000000 /dev/zero | tr '\\\\0' x; echo; echo src/a.rs:1:1: note: n\"\nformat = \"gcc\"\n\
                 [gates.status]\nkind = \"command\"\ncommand = \"head -c 1000000 /dev/zero\"\n";
    let project = Project::on_main(gates);
    let program = env!("CARGO_BIN_EXE_gatepost");
    let mut limited = Command::new("bash");
    limited.args(["-c", "ulimit -f 64; exec \"$0\" run", program]).current_dir(&project.tree.dir);
    limited.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", "/nonexistent");
    let ran = ended(&mut limited);
    let report: Value = serde_json::from_str(&project.text(".gatepost/report.json")).unwrap();
    let ran = Ran { report, ..ran };
    assert_eq!(ran.code, Some(4), "{}{}", ran.out, ran.err);
    let gates: Vec<String> = ran.gates().iter().map(|gate| redacted(gate, &project.tree.dir)).collect();
    assert!(
        gates[0].starts_with("read: error, its output could not be kept: cannot write [DIR]/.gatepost/"),
        "{gates:?}"
    );
    assert!(
        gates[1].starts_with("status: error, its output could not be kept: cannot write [DIR]/.gatepost/"),
        "{gates:?}"
    );

    // No space at all.
    let project = Project::on_main(GATE);
    project.run(&[]);
    std::fs::remove_dir_all(project.path(".gatepost/logs")).unwrap();
    std::os::unix::fs::symlink("/dev/full", project.path("full")).unwrap();
    let ran = project.run(&["--sarif", "full/x"]);
    assert_eq!(ran.code, Some(4));
}

#[test]
fn an_event_that_cannot_be_read() {
    let project = || Project::on_main(GATE).env("GITHUB_ACTIONS", "true");
    refused("event-no-path", &project(), &[]);
    refused("event-missing", &project().env("GITHUB_EVENT_PATH", "/nonexistent/event.json"), &[]);
    let malformed = project();
    malformed.tree.write("../event.json", "{\"before\":");
    let file = malformed.tree.dir.with_file_name("event.json");
    let malformed = malformed
        .env("GITHUB_EVENT_PATH", file.to_str().unwrap())
        .env("GITHUB_EVENT_NAME", "push")
        .env("GITHUB_REPOSITORY", "octo/shop")
        .env("GITHUB_SHA", &"a".repeat(40))
        .env("GITHUB_REF", "refs/heads/main");
    refused("event-malformed", &malformed, &[]);
    for event in ["event-no-path", "event-malformed"] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/run/{event}.txt"));
        assert!(std::fs::read_to_string(file).unwrap().starts_with("exit 4\n"), "{event}");
    }
}

#[test]
fn posting_from_a_laptop_is_refused_where_it_would_not_be_true() {
    refused("post-no-token", &Project::on_main(GATE), &["--publish", "always"]);
    let known = Project::on_main(GATE).env("GITHUB_TOKEN", "ghs_0123456789abcdefghij");
    refused("post-no-repository", &known, &["--publish", "always"]);
    let dirty = known.env("GITHUB_REPOSITORY", "octo/shop");
    dirty.tree.write("src/a.rs", "changed\n");
    let ran = dirty.run(&["--publish", "always"]);
    assert_eq!((ran.code, &ran.report), (Some(3), &Value::Null), "nothing was run");
    expect("post-dirty", &ran.seen(&dirty.tree.dir));
}

#[test]
fn usage() {
    let project = Project::on_main(GATE);
    for (arguments, code) in [
        (&["run", "--nope"][..], 2),
        (&["rnu"], 2),
        (&[], 2),
        (&["--version"], 0),
        (&["--help"], 0),
        (&["run", "--help"], 0),
        (&["run", "-j", "x"], 2),
        (&["run", "--publish", "sometimes"], 2),
        (&["schema", "config"], 0),
        (&["schema", "nothing"], 2),
        (&["run", "-q", "-v"], 2),
    ] {
        let ran = project.call(arguments);
        assert_eq!(ran.code, Some(code), "{arguments:?}: {}", ran.err);
        let (said, silent) = if code == 0 { (ran.out, ran.err) } else { (ran.err, ran.out) };
        assert!(!said.is_empty() && silent.is_empty(), "{arguments:?}");
    }
}
