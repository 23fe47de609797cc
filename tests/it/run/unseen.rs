//! What of a change no tool may have looked at, or looks at anew without a line of it.

use super::*;

/// Whoever follows it sees other files than before.
#[test]
#[cfg(unix)]
fn what_lies_behind_a_link_that_was_turned_counts() {
    let lint = |path: &str| {
        let command = format!("echo {path}:1: error: it; exit 1");
        format!("[gates.lint]\nkind = \"lint\"\nformat = \"gcc\"\npaths = [\"web/**\"]\ncommand = \"{command}\"\n")
    };
    let turn = |project: &Project, to: &str| {
        _ = std::fs::remove_file(project.path("web"));
        std::os::unix::fs::symlink(to, project.path("web")).unwrap();
    };
    for (spelt, place) in [("web/x.js", "web/x.js:1 unplaced !"), ("v2/x.js", "v2/x.js:1 outside")] {
        let project = Project::on_main(&lint(spelt));
        turn(&project, "v1");
        project.tree.write("v1/x.js", "1\n").write("v2/x.js", "2\n").commit("both");
        project.tree.git(&["checkout", "--quiet", "-b", "topic"]);
        turn(&project, "v2");
        project.tree.git(&["add", "-A"]);
        project.tree.git(&["commit", "--quiet", "-m", "turned"]);
        assert_eq!(project.run(&[]).findings(), [place], "it is due too");
    }
}

/// By a step before the gates, from what the change has.
#[test]
fn what_was_made_of_the_change_counts_though_git_does_not_know_it() {
    let command =
        "for d in gen out node_modules; do mkdir -p $d && touch $d/a.c; echo $d/a.c:1: error: it; done; exit 1";
    let project = Project::new(&format!("[gates.cc]\nkind = \"lint\"\nformat = \"gcc\"\ncommand = \"{command}\"\n"));
    project.tree.write(".gitignore", "/out/\n").commit("ignored");
    let ran = project.run(&[]);
    assert_eq!(ran.findings(), ["gen/a.c:1 unplaced !", "out/a.c:1 outside", "node_modules/a.c:1 outside"]);
}

#[test]
fn a_file_of_the_change_that_is_not_on_the_disk_was_looked_at_by_nothing() {
    let gate = |paths: &str| format!("[gates.g]\nkind = \"command\"\ncommand = \"true\"\npaths = {paths}\n");
    let ends = |paths: &str| {
        let project = Project::new(&gate(paths));
        project.tree.write("docs/a.md", "text\n").commit("docs");
        project.tree.git(&["sparse-checkout", "set", "docs"]);
        project.ends(&[])
    };
    let why = "g: error, src/a.rs is of the change and not on the disk (a sparse checkout, or an earlier step took it away): \
               nothing could look at it";
    assert_eq!(ends("[]"), (4, vec![why.to_owned()]));
    assert_eq!(ends("[\"docs/**\"]"), (0, vec!["g: pass, exit status 0".to_owned()]));
}

#[test]
fn the_list_of_what_changed_has_what_is_there() {
    let project = Project::new("[gates.g]\nkind = \"command\"\ncommand = 'cat \"$GATEPOST_CHANGED_FILES\" > list'\n");
    project.tree.write("docs/a.md", "text\n").commit("docs");
    project.tree.git(&["rm", "--quiet", "src/a.rs"]);
    assert_eq!(project.ends(&[]).0, 0);
    assert_eq!(project.text("list"), "docs/a.md\n");
    project.tree.write("a\\b.sh", "exit\n");
    let why = "g: error, a\\\\b.sh is of the change and has a name that GATEPOST_CHANGED_FILES cannot have";
    assert_eq!(project.ends(&[]), (4, vec![why.to_owned()]));
}
