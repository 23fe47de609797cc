//! What a gate is judged by: lines, files, folders, events.

use super::*;

/// Lines 5 and 6 of `src/a.rs`, of which 6 is new on `topic`, and a line of another file.
const LINT: &str = r#"
[gates.lint]
kind = "lint"
command = "printf 'src/a.rs:%s:1: warning: w\n' 5 6; echo other.rs:1:1: warning: w"
format = "gcc"
"#;

fn with_other(project: Project) -> Project {
    project.tree.git(&["checkout", "--quiet", "main"]);
    project.tree.write("other.rs", "x\n").commit("other");
    project.tree.git(&["checkout", "--quiet", "topic"]);
    project.tree.git(&["rebase", "--quiet", "main"]);
    project
}

#[test]
fn on_a_branch_changed_lines_count() {
    let project = with_other(Project::new(LINT));
    let ran = project.run(&[]);
    assert_eq!((ran.code, ran.gates()), (Some(1), vec!["lint: fail, 1 warning on changed lines".to_owned()]));
    assert_eq!(ran.findings(), ["src/a.rs:5 changed_file", "src/a.rs:6 changed_line !", "other.rs:1 outside"]);
    let subject = &ran.report["subject"];
    assert_eq!(subject["base"], project.tree.sha("main").as_str());
    assert_eq!(subject["head"], project.tree.sha("topic").as_str());
    assert_eq!((&subject["event"], &subject["dirty"]), (&json!("local"), &json!(false)));
    assert_eq!(ran.notes(), [""; 0]);
    assert!(ran.out.contains("judging 1 file changed since "), "{}", ran.out);
}

/// A change names the file; a tool may name it by a link.
#[test]
#[cfg(unix)]
fn a_file_is_the_same_behind_a_link() {
    let beside = tempfile::tempdir().unwrap();
    let away = beside.path().join("away");
    let places =
        ["linked/a.rs:6", "alias.rs:6", "out/hosts:1", &format!("{}/src/a.rs:6", away.display()), "/etc/hosts:1"];
    let command = format!("printf '%s:1: error: it\\n' {}; exit 1", places.join(" "));
    let project =
        Project::new(&format!("[gates.lint]\nkind = \"lint\"\nformat = \"gcc\"\ncommand = '''{command}'''\n"));
    std::os::unix::fs::symlink(&project.tree.dir, away).unwrap();
    for (link, to) in [("linked", "src"), ("alias.rs", "src/a.rs"), ("out", "/etc")] {
        std::os::unix::fs::symlink(to, project.path(link)).unwrap();
    }
    let ran = project.run(&[]);
    let changed = "src/a.rs:6 changed_line !";
    assert_eq!(ran.findings(), [changed, changed, "out/hosts:1 unplaced !", changed, "/etc/hosts:1 outside"]);
}

/// As `make` and `ninja` print it; the base has a file of the same name in the root.
#[test]
fn a_path_is_of_the_folder_that_make_entered() {
    let lint = "[gates.lint]\nkind = \"lint\"\nformat = \"gcc\"\ncommand = \"cat said\"\n";
    let project = Project::new(lint);
    project.tree.git(&["checkout", "--quiet", "main"]);
    project.tree.write("a.rs", "1\n2\n3\n4\n5\n6\n").write("other/b.rs", "1\n").write(".gitignore", "said\n");
    project.tree.commit("other");
    project.tree.git(&["checkout", "--quiet", "topic"]);
    project.tree.git(&["rebase", "--quiet", "main"]);
    let root = project.tree.dir.display();
    let (src, other) = (format!("directory '{root}/src'"), format!("directory '{root}/other'"));
    let found = |said: &str| {
        project.tree.write("said", said);
        let ran = project.run(&[]);
        assert!(!ran.out.contains("not understood"), "{}", ran.out);
        ran.findings()
    };
    let warned = "a.rs:6:1: warning: w\n";
    assert_eq!(found(warned), ["a.rs:6 outside"]);
    let one = format!("make[1]: Entering {src}\n{warned}make[1]: Leaving {src}\n");
    assert_eq!(found(&one), ["src/a.rs:6 changed_line !"]);
    assert_eq!(found(&format!("{one}{warned}")), ["src/a.rs:6 changed_line !", "a.rs:6 outside"], "said of two files");
    let at_once = format!("make[1]: Entering {src}\nmake[1]: Entering {other}\n{warned}b.rs:1:1: warning: w\n");
    assert_eq!(found(&at_once), ["src/a.rs:6 changed_line !", "other/b.rs:1 outside"]);
    let ninja = "ninja: Entering directory `other'\n../src/a.rs:6:1: warning: w\n";
    assert_eq!(found(ninja), ["src/a.rs:6 changed_line !"]);
    let of_both = format!(
        "make[1]: Entering {src}\n../src/a.rs:6:1: warning: w\nmake[1]: Leaving {src}\n\
         make[1]: Entering {other}\n../src/./a.rs:6:1: warning: w\n"
    );
    assert_eq!(found(&of_both), ["src/a.rs:6 changed_line !"], "one file, said from two folders");
}

/// As package managers print it; the base has a file of the same name in the root.
#[test]
fn a_path_is_of_the_package_whose_script_runs() {
    let lint = "[gates.lint]\nkind = \"lint\"\nformat = \"tsc\"\ncommand = \"cat said\"\n";
    let project = Project::new(lint);
    project.tree.git(&["checkout", "--quiet", "main"]);
    project.tree.write("a.rs", "1\n2\n3\n4\n5\n6\n").write("other/a.rs", "1\n2\n3\n4\n5\n6\n");
    project.tree.write(".gitignore", "said\nnode_modules\n").commit("other");
    project.tree.git(&["checkout", "--quiet", "topic"]);
    project.tree.git(&["rebase", "--quiet", "main"]);
    let found = |said: &str| {
        project.tree.write("said", said);
        let ran = project.run(&[]);
        assert!(!ran.out.contains("not understood"), "{}", ran.out);
        ran.findings()
    };
    let wrong = "a.rs(6,1): error TS2322: it is wrong.\n";
    let npm = |of: &str| format!("\n> {of}lint\n> tsc\n\n{wrong}");
    assert_eq!(found(wrong), ["a.rs:6 outside"]);
    let changed = "src/a.rs:6 changed_line !";
    for package in ["", "@x/src@1.0.0 "] {
        assert_eq!(found(&npm(package)), [changed], "nothing is linked: {package}");
    }
    let links = project.path("node_modules/@x");
    std::fs::create_dir_all(&links).unwrap();
    for package in ["src", "other"] {
        std::os::unix::fs::symlink(format!("../../{package}"), links.join(package)).unwrap();
    }
    let both = npm("@x/other@1.0.0 ") + &npm("@x/src@1.0.0 ");
    assert_eq!(found(&both), ["other/a.rs:6 outside", changed]);
    assert_eq!(found(&format!("> @x/src\nyarn run v1.22.22\n{wrong}")), [changed]);
    let pnpm = format!("> @ lint {}\n> tsc\n\n{wrong}", project.path("src").display());
    assert_eq!(found(&pnpm), [changed]);
    for prefix in ["src lint: ", "@x/src:lint: ", "@x/src: ", "[@x/src]: "] {
        assert_eq!(found(&format!("{prefix}{wrong}")), [changed], "{prefix}");
    }
}

/// What says nothing of the folder that it works in; the base has a file of the same name in the root.
#[test]
fn a_path_from_an_unknown_folder_may_be_that_of_the_change() {
    let lint = "[gates.lint]\nkind = \"lint\"\nformat = \"gcc\"\ncommand = \"cd src && cat said\"\n";
    let project = Project::new(lint);
    project.tree.git(&["checkout", "--quiet", "main"]);
    project.tree.write("a.rs", "1\n2\n3\n4\n5\n6\n").write(".gitignore", "said\n.venv\n").commit("other");
    project.tree.git(&["checkout", "--quiet", "topic"]);
    project.tree.git(&["rebase", "--quiet", "main"]);
    let ran = |said: &str| {
        project.tree.write("src/said", said);
        project.run(&[])
    };
    let changed = "src/a.rs:6 changed_line !";
    let found = ran("a.rs:6:1: warning: w\n");
    assert_eq!((found.code, found.findings()), (Some(1), vec![changed.to_owned()]));
    assert!(found.out.contains("1 finding is taken to be in a file of the change"), "{}", found.out);
    assert_eq!(ran("a.rs:5:1: warning: w\n").findings(), ["a.rs:5 outside"], "on no line of the change");
    let copy = ".venv/lib/python3/site-packages/src/a.rs";
    project.tree.write(copy, "1\n2\n3\n4\n5\n6\n");
    assert_eq!(ran(&format!("{copy}:6:1: warning: w\n")).findings(), [changed], "installed there");
    // One that stays is believed, unless it speaks of a line that is not there.
    project.tree.write("gatepost.toml", lint.replace("cd src && cat said", "cat src/said"));
    assert_eq!(ran("a.rs:6:1: warning: w\n").findings(), ["a.rs:6 outside"]);
    project.tree.write("a.rs", "1\n2\n").commit("shorter");
    assert_eq!(ran("a.rs:6:1: warning: w\n").findings(), [changed]);
}

/// `cd py && flake8 .`, and whatever else runs in a folder that gatepost is not told of.
#[test]
fn a_path_that_leads_nowhere_may_be_that_of_an_old_file() {
    let lint = "[gates.lint]\nkind = \"lint\"\nformat = \"gcc\"\ncommand = \"cat said\"\n";
    let project = Project::on_main(lint);
    for file in ["py/old.py", "py/deep/twin.py", "py/other/twin.py", "py/both.py", "js/both.py"] {
        project.tree.write(file, numbered(3));
    }
    let lines = ["old.py", "./deep/twin.py", "twin.py", "both.py", "none.py", "../old.py", "old.py.orig", "ld.py"];
    project.tree.write("said", lines.map(|path| format!("{path}:2:1: warning: w\n")).concat()).commit("old");
    project.tree.git(&["checkout", "--quiet", "-b", "topic"]);
    project.tree.write("js/both.py", numbered(4)).commit("new");
    let expected = [
        "py/old.py:2 outside",
        "py/deep/twin.py:2 outside",
        "twin.py:2 outside",
        "both.py:2 unplaced !",
        "none.py:2 unplaced !",
        "../old.py:2 unplaced !",
        "old.py.orig:2 unplaced !",
        "ld.py:2 unplaced !",
    ];
    assert_eq!(project.run(&[]).findings(), expected);
}

#[test]
fn what_a_moved_submodule_brings_counts() {
    let library = Tree::new();
    library.write("lib.rs", "1\n").commit("one");
    let lint = "[gates.lint]\nkind = \"lint\"\nformat = \"gcc\"\npaths = [\"ext/lib/*.rs\"]\n\
                command = \"echo ext/lib/lib.rs:1:1: warning: w; echo src/a.rs:1:1: warning: w\"\n";
    let project = Project::on_main(lint);
    project.tree.git(&["submodule", "--quiet", "add", &library.url(), "ext/lib"]);
    project.tree.commit("with a submodule");
    project.tree.git(&["checkout", "--quiet", "-b", "topic"]);
    project.tree.write("src/b.rs", "x\n").commit("beside it");
    let beside = project.run(&[]);
    assert_eq!(beside.gates(), ["lint: skipped, no changed file matches `ext/lib/*.rs`"]);

    library.write("lib.rs", "2\n").commit("two");
    let inner = project.path("ext/lib");
    crate::repo::git_in(&inner, &["pull", "--quiet"]);
    project.tree.commit("move it");
    let moved = project.run(&[]);
    assert_eq!(moved.gates(), ["lint: fail, 1 warning"]);
    assert_eq!(moved.findings(), ["ext/lib/lib.rs:1 unplaced !", "src/a.rs:1 outside"]);
}

/// Where a tool and git may count lines differently, a finding is not passed over for its line.
#[test]
fn a_line_that_git_may_number_otherwise_counts_wherever_the_file_changed() {
    let lint = "[gates.fmt]\nkind = \"command\"\ncommand = \"printf '0\\n0\\n' | cat - made.c > m && mv m made.c\"\n\
                [gates.lint]\nkind = \"lint\"\nformat = \"gcc\"\nneeds = [\"fmt\"]\n\
                command = \"printf '%s:2:1: warning: w\\n' plain.c lone.c parted.js book.ipynb made.c other.c; \
                printf 'plain.c:%s:1: warning: w\\n' 5 6\"\n";
    let project = Project::new(lint);
    project.tree.git(&["checkout", "--quiet", "main"]);
    let files = ["plain.c", "lone.c", "parted.js", "book.ipynb", "made.c", "other.c"];
    for (file, before) in files.iter().zip(["a\n", "a\r\r\n", "a\u{2028}\n", "a\n", "a\n", "\r\r\n"]) {
        project.tree.write(file, before.to_owned() + "b\nc\n");
    }
    project.tree.commit("files");
    project.tree.git(&["checkout", "--quiet", "topic"]);
    project.tree.git(&["rebase", "--quiet", "main"]);
    for file in &files[..5] {
        project.tree.write(file, project.text(file) + "d\n");
    }
    project.tree.commit("more");
    let ran = project.run(&[]);
    let lines = files.map(|file| match file {
        "plain.c" => "plain.c:2 changed_file".to_owned(),
        "other.c" => "other.c:2 outside".to_owned(),
        file => format!("{file}:2 changed_file !"),
    });
    // The end of a file is a line to some tools, due to the last one; what is behind that is a line of something else.
    let behind = ["plain.c:5 changed_line !", "plain.c:6 changed_file !"].map(str::to_owned);
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    let lint = ran.report["gates"].as_array().unwrap().iter().find(|gate| gate["name"] == "lint").unwrap();
    let found = lint["findings"].as_array().unwrap().iter().map(|finding| {
        let mark = if finding["blocking"] == true { " !" } else { "" };
        let relevance = finding["relevance"].as_str().unwrap();
        format!("{}:{} {relevance}{mark}", finding["path"].as_str().unwrap(), finding["line"])
    });
    assert_eq!(found.collect::<Vec<_>>(), [&lines[..], &behind].concat());
    let note = strings(&lint["notes"])[0];
    assert!(
        note.starts_with("5 findings in changed files where a line of the tool may be another one of git"),
        "{note}"
    );
}

/// Tools name files from the folder they run in or from the top one, as Cargo does.
#[test]
fn of_two_files_that_a_path_may_mean_the_one_of_the_change_counts() {
    let lint = "[gates.lint]\nkind = \"lint\"\nformat = \"gcc\"\ndir = \"member\"\n\
                command = \"for l in 5 6; do echo src/a.rs:$l:1: warning: w; done; echo src/b.rs:1:1: warning: w\"\n";
    let project = Project::new(lint);
    project.tree.git(&["checkout", "--quiet", "main"]);
    project.tree.write("member/src/a.rs", "1\n".repeat(9)).write("member/src/b.rs", "1\n").write("src/b.rs", "1\n");
    project.tree.commit("member");
    project.tree.git(&["checkout", "--quiet", "topic"]);
    project.tree.git(&["rebase", "--quiet", "main"]);
    let ran = project.run(&[]);
    let found = ["src/a.rs:5 changed_file", "src/a.rs:6 changed_line !", "member/src/b.rs:1 outside"];
    assert_eq!(ran.findings(), found);
}

#[test]
fn only_says_otherwise() {
    for (only, expected) in [
        ("changed-lines", "1 warning on changed lines"),
        ("changed-files", "2 warnings in changed files"),
        ("new", "3 new warnings"),
        ("all", "3 warnings"),
    ] {
        let project = with_other(Project::new(&format!("{LINT}only = \"{only}\"\n")));
        assert_eq!(project.ends(&[]), (1, vec![format!("lint: fail, {expected}")]), "{only}");
    }
    let command = with_other(Project::new(&LINT.replace("\"lint\"", "\"command\"")));
    assert_eq!(command.ends(&[]).1, ["lint: fail, 3 warnings"], "other kinds judge everything");
}

#[test]
fn without_a_change_everything_counts() {
    let project = with_other(Project::new(LINT));
    let flag = project.run(&["--all-files"]);
    assert_eq!((flag.code, flag.gates()), (Some(1), vec!["lint: fail, 3 warnings".to_owned()]));
    assert_eq!(flag.findings()[0], "src/a.rs:5 - !");
    assert_eq!(flag.notes(), ["everything was judged: --all-files"]);
    assert_eq!(flag.report["subject"]["base"], Value::Null);

    project.tree.git(&["checkout", "--quiet", "main"]);
    let main = project.run(&[]);
    assert_eq!(main.gates(), ["lint: fail, 3 warnings"]);
    assert_eq!(main.notes(), ["everything was judged: nothing differs from main: there is no change"]);
}

#[test]
fn what_is_not_committed_is_judged_too() {
    let project = with_other(Project::new(LINT));
    project.tree.git(&["checkout", "--quiet", "main"]);
    let fresh = |ran: &Ran| (ran.report["subject"]["dirty"].clone(), ran.findings());
    project.tree.write("src/a.rs", numbered(6));
    let unstaged = fresh(&project.run(&[]));
    let expected = ["src/a.rs:5 changed_file", "src/a.rs:6 changed_line !", "other.rs:1 outside"];
    assert_eq!(unstaged, (json!(true), expected.map(str::to_owned).to_vec()));
    project.tree.git(&["add", "."]);
    assert_eq!(fresh(&project.run(&[])), unstaged, "staged");
    project.tree.git(&["reset", "--quiet", "--hard"]);
    project.tree.git(&["rm", "--quiet", "--cached", "other.rs"]);
    project.tree.git(&["commit", "--quiet", "-m", "untracked"]);
    project.tree.git(&["checkout", "--quiet", "-b", "next"]);
    let untracked = project.run(&[]).findings();
    assert_eq!(untracked[2], "other.rs:1 changed_line !", "untracked");
}

/// What is left of a commit that a gate has mended is not the commit.
#[test]
#[cfg(unix)]
fn in_the_hook_of_a_commit_the_work_tree_must_be_what_is_committed() {
    use std::os::unix::fs::PermissionsExt as _;
    let project = Project::new("[gates.g]\nkind = \"command\"\ncommand = \"! grep -r wrong src\"\n");
    let hook = project.path(".git/hooks/pre-commit");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    let gatepost = env!("CARGO_BIN_EXE_gatepost");
    std::fs::write(&hook, format!("#!/bin/sh\n'{gatepost}' run > .git/said 2>&1; echo $? >> .git/said\n")).unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    let committing = |arguments: &[&str]| {
        let ended = crate::repo::git_ended(&project.tree.dir, &[&["commit", "--quiet", "-m", "m"], arguments].concat());
        assert!(ended.status.success(), "{ended:?}");
        let said = project.text(".git/said");
        let code = said.trim_end().rsplit('\n').next().unwrap().to_owned();
        (code, said)
    };
    project.tree.write("src/b.rs", "wrong\n").git(&["add", "."]);
    project.tree.write("src/b.rs", "mended, and not staged\n");
    let (code, said) = committing(&[]);
    assert_eq!(code, "4", "what would be committed was not seen: {said}");
    assert!(said.contains("src/b.rs in the work tree is not what is staged"), "{said}");
    project.tree.write("src/b.rs", "good\n");
    assert_eq!(committing(&["--all"]).0, "0");
    project.tree.write("src/b.rs", "wrong\n").git(&["add", "."]);
    assert_eq!(committing(&[]).0, "1");
    project.tree.write("src/b.rs", "good\n").write("src/c.rs", "other\n").git(&["add", "src/c.rs"]);
    project.tree.write("src/new.rs", "untracked\n");
    assert_eq!(committing(&["src/b.rs"]).0, "0", "the commit of a path has an index of its own");
    assert_eq!(project.run(&[]).code, Some(0), "elsewhere the work tree is what is judged");
}

#[test]
fn files_that_change_during_the_run_are_said() {
    let gates = |fmt: &str| {
        format!("[gates.fmt]\nkind = \"command\"\ncommand = \"{fmt}\"\n")
            + "[gates.test]\nkind = \"command\"\ncommand = \"true\"\nneeds = [\"fmt\"]\n"
    };
    for (fmt, note) in [
        ("touch made; cat src/a.rs", None),
        ("echo one >> src/a.rs; echo >> gatepost.toml", Some("gatepost.toml and 1 more changed during the run")),
        ("git -c user.name=a -c user.email=a@b commit -q --allow-empty -m other", Some("HEAD moved from ")),
    ] {
        let project = Project::on_main(&gates(fmt));
        let ran = project.run(&["--all-files"]);
        assert_eq!(ran.code, Some(0), "{}", ran.out);
        assert_eq!(ran.report["subject"]["dirty"], note.is_some(), "{fmt}: {}", ran.out);
        let said = ran.out.contains("this is not the verdict on the commit alone");
        assert!(said == note.is_some() && note.is_none_or(|note| ran.out.contains(note)), "{fmt}: {}", ran.out);
    }
}

#[test]
fn the_base_is_asked_for_or_configured() {
    let project = Project::new(LINT);
    project.tree.write("src/a.rs", numbered(7)).commit("another");
    let counted = |arguments: &[&str]| project.run(arguments).findings();
    assert_eq!(counted(&[])[1], "src/a.rs:6 changed_line !");
    assert_eq!(counted(&["--base", "HEAD~1"])[1], "src/a.rs:6 changed_file");
    project.tree.write("gatepost.toml", format!("[run]\nbase = \"HEAD~2\"\n{LINT}")).commit("configured");
    assert_eq!(counted(&[])[1], "src/a.rs:6 changed_file");
    assert_eq!(counted(&["--base", "main"])[1], "src/a.rs:6 changed_line !", "the flag goes before the file");

    let unknown = project.run(&["--base", "nope"]);
    assert_eq!(unknown.code, Some(2));
    expect("unknown-base", &unknown.seen(&project.tree.dir));
    let both = project.run(&["--base", "main", "--all-files"]);
    assert_eq!(both.code, Some(2));
}

#[test]
fn paths_skip_a_gate_and_say_why() {
    let gate = |paths: &str| format!("[gates.g]\nkind = \"command\"\ncommand = \"true\"\npaths = {paths}\n");
    for (paths, expected) in [
        (r#"["docs/**"]"#, "g: skipped, no changed file matches `docs/**`"),
        (r#"["docs/**", "src/*.rs"]"#, "g: pass, exit status 0"),
        (r#"["src"]"#, "g: pass, exit status 0"),
    ] {
        assert_eq!(Project::new(&gate(paths)).ends(&[]), (0, vec![expected.to_owned()]));
    }
    let project = Project::new(&gate(r#"["docs/**"]"#));
    let skipped = project.run(&[]);
    assert_eq!((&skipped.report["verdict"], &skipped.gate()["attempts"]), (&json!("skipped"), &json!(0)));
    assert!(!project.path(".gatepost/logs/g.txt").exists());
    assert_eq!(project.ends(&["--all-files"]).1, ["g: pass, exit status 0"], "everything is judged");
    project.tree.write("docs/a.md", "text\n").commit("docs");
    project.tree.git(&["mv", "docs/a.md", "a.md"]);
    project.tree.git(&["commit", "--quiet", "-m", "moved"]);
    assert_eq!(project.ends(&["--base", "HEAD~1"]).1, ["g: pass, exit status 0"], "it was there");
}

#[test]
fn when_names_the_events() {
    let gate = |when: &str| format!("[gates.g]\nkind = \"command\"\ncommand = \"true\"\nwhen = {when}\n");
    for (when, local, pushed) in [
        (r#"["push"]"#, "skipped, `when` has `push`, this is local", "pass, exit status 0"),
        (r#"["push:main"]"#, "skipped, `when` has `push:main`, this is local", "pass, exit status 0"),
        (
            r#"["push:next", "pull_request"]"#,
            "skipped, `when` has `push:next`, `pull_request`, this is local",
            "skipped, `when` has `push:next`, `pull_request`, this is push:main",
        ),
        (r#"["local"]"#, "pass, exit status 0", "skipped, `when` has `local`, this is push:main"),
    ] {
        let project = Project::new(&gate(when));
        assert_eq!(project.ends(&[]), (0, vec![format!("g: {local}")]));
        assert_eq!(project.pushed().ends(&[]), (0, vec![format!("g: {pushed}")]));
    }
}

#[test]
fn dir_is_where_it_runs_and_what_its_paths_are_relative_to() {
    let project = Project::new(
        r#"
[gates.lint]
kind = "lint"
dir = "packages/web"
command = "pwd; echo src/a.js:1:1: warning: rebased; echo packages/web/src/a.js:1:2: warning: of the root; echo ../api/b.js:1:1: warning: beside"
format = "gcc"
"#,
    );
    project.tree.write("packages/web/src/a.js", "x\n").write("packages/api/b.js", "y\n").commit("web");
    let ran = project.run(&[]);
    assert_eq!(
        ran.findings(),
        [
            "packages/web/src/a.js:1 changed_line !",
            "packages/web/src/a.js:1 changed_line !",
            "packages/api/b.js:1 changed_line !"
        ]
    );
    let log = project.text(".gatepost/logs/lint.txt");
    assert!(log.lines().next().unwrap().ends_with("shop/packages/web"), "{log}");
}

#[test]
#[cfg(unix)]
fn a_configuration_behind_a_link_speaks_of_the_folder_of_the_link() {
    let project = Project::new("");
    std::fs::remove_file(project.path("gatepost.toml")).unwrap();
    project.tree.write("ci/gates.toml", LINT.to_owned() + "paths = [\"src/**\"]\n");
    std::os::unix::fs::symlink("ci/gates.toml", project.path("gatepost.toml")).unwrap();
    project.tree.commit("linked");
    for arguments in [&[][..], &["--config", "gatepost.toml"]] {
        assert_eq!(project.ends(arguments), (1, vec!["lint: fail, 2 warnings".to_owned()]), "{arguments:?}");
    }
}

#[test]
fn a_configuration_in_a_folder_speaks_of_that_folder() {
    let project = Project::new(LINT);
    let config = r#"
[gates.web]
kind = "lint"
command = "echo src/a.js:1:1: warning: w; pwd"
format = "gcc"
paths = ["src/**"]
"#;
    // The folder's own name is no pattern.
    project.tree.write("we[b]/gatepost.toml", config).write("we[b]/src/a.js", "x\n").commit("web");
    let ran = ended(&mut gatepost(&project.path("we[b]/src"), &["run"]));
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    let report: Value = serde_json::from_str(&project.text("we[b]/.gatepost/report.json")).unwrap();
    let ran = Ran { report, ..ran };
    assert_eq!(ran.gates(), ["web: fail, 1 warning on changed lines"]);
    assert_eq!(ran.findings(), ["we[b]/src/a.js:1 changed_line !"]);
    assert!(project.text("we[b]/.gatepost/logs/web.txt").ends_with("shop/we[b]\n"));

    let matcher = r#"{"problemMatcher":[{"owner":"m","pattern":[{"regexp":"^(\\S+) (\\d+) (.*)$","file":1,"line":2,"message":3}]}]}"#;
    let with = config.replace("gcc", "matcher:m.json").replace("src/a.js:1:1: warning: w", "src/a.js 1 w");
    project.tree.write("we[b]/m.json", matcher).write("we[b]/gatepost.toml", with);
    let by_matcher = project.run(&["-C", "we[b]"]);
    assert!(by_matcher.out.contains("✗ web fail: 1 error on changed lines"), "{}{}", by_matcher.out, by_matcher.err);
    project.tree.commit("matcher");

    project.tree.write("src/a.js", "x\n").commit("not web");
    let named = project.run(&["--config", "we[b]/gatepost.toml", "--base", "HEAD~1"]);
    assert!(named.out.contains("- web skipped: "), "{}{}", named.out, named.err);
}

#[test]
fn a_gate_whose_paths_match_no_file_is_named() {
    let project = Project::new(LINT);
    let config = |paths: &str| format!("[gates.web]\nkind = \"command\"\ncommand = \"false\"\npaths = [{paths}]\n");
    let said = |paths: &str| {
        project.tree.write("web/gatepost.toml", config(paths)).write("web/a.js", "x\n").commit("web");
        ["run", "plan", "doctor"].map(|command| {
            let ran = ended(&mut gatepost(&project.path("web"), &[command]));
            ran.out + &ran.err
        })
    };
    let why = "no file of the repository matches the `paths` of the gate web, which count from `web`, the folder of its \
               configuration: `web/web/**`";
    for out in said("\"web/**\"") {
        let words: Vec<&str> = out.split_whitespace().collect();
        assert!(words.join(" ").contains(why), "{out}");
    }
    for paths in ["\"*.js\"", "\"web/**\", \"**/*.ts\"", "\"web/**\", \"a.js\""] {
        for out in said(paths) {
            assert!(!out.contains("no file of the"), "{paths}: {out}");
        }
    }
}
