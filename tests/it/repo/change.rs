//! Every sort of change, between commits and in the work tree.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use gatepost::model::event::Occasion;
use gatepost::model::path::RepoPath;

use super::{Tree, event, git_in, numbered, show};

fn chmod_x(tree: &Tree, path: &str) {
    std::fs::set_permissions(tree.dir.join(path), std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A base with one file for each sort of change.
fn base() -> Tree {
    let tree = Tree::new();
    tree.write("edited.rs", numbered(10))
        .write("moved/old name.rs", numbered(20))
        .write("pure.rs", "stays\nas\nit is\n")
        .write("run.sh", "#!/bin/sh\n")
        .write("both.sh", "#!/bin/sh\necho 1\n")
        .write("logo.png", b"\x89PNG\0\x01")
        .write("gone.rs", "gone\n")
        .write("crlf.txt", "a\r\nb\r\nc\r\n")
        .write("noeol.txt", "a\nb")
        .write("same.rs", "same\n");
    symlink("edited.rs", tree.dir.join("link")).unwrap();
    tree.commit("base");
    tree
}

fn edit(tree: &Tree) {
    let edited = numbered(10).replace("line 3\n", "").replace("line 7\n", "line 7!\nline 7b\n");
    tree.write("edited.rs", edited + "line 11\n");
    tree.git(&["mv", "moved/old name.rs", "moved/new \"ä\".rs"]);
    tree.write("moved/new \"ä\".rs", numbered(20).replace("line 9\n", "line nine\n"));
    tree.git(&["mv", "pure.rs", "renamed.rs"]);
    chmod_x(tree, "run.sh");
    chmod_x(tree, "both.sh");
    tree.write("both.sh", "#!/bin/sh\necho 2\n");
    tree.write("logo.png", b"\x89PNG\0\x02");
    tree.git(&["rm", "--quiet", "gone.rs"]);
    tree.write("crlf.txt", "a\r\nB\r\nc\r\n");
    tree.write("noeol.txt", "a\nb\n");
    std::fs::remove_file(tree.dir.join("link")).unwrap();
    tree.write("link", "now\na file\n");
    tree.write("added.rs", "one\ntwo\n");
    tree.write("empty.rs", "");
}

const EDITED: &[&str] = &[
    "Added added.rs [1-2]",
    "Modified both.sh [2]",
    "Modified crlf.txt [2]",
    "Modified edited.rs [6-7 11]",
    "Added empty.rs []",
    "Deleted gone.rs []",
    "Type link [whole]",
    "Modified logo.png binary [whole]",
    "Renamed moved/new \"ä\".rs from moved/old name.rs [9]",
    "Modified noeol.txt [2]",
    "Renamed renamed.rs from pure.rs []",
    "Mode run.sh []",
];

#[test]
fn every_sort_of_change_between_commits() {
    let tree = base();
    let from = tree.sha("HEAD");
    edit(&tree);
    let head = tree.commit("head");
    let change = tree.change(Some(&from), &event("push", &head, Some(&from)));
    assert_eq!(show(&change.set), EDITED);
    assert_eq!(change.set.base, Some(from));
    assert_eq!(change.notes, Vec::<String>::new());
}

#[test]
fn the_work_tree_counts_on_a_laptop_staged_or_not() {
    let tree = base();
    let from = tree.sha("HEAD");
    edit(&tree);
    tree.git(&["add", "--all"]);
    assert_eq!(show(&tree.change(Some(&from), &Occasion::local()).set), EDITED);
    // Half staged, half not, some untracked: the same files, so the same change.
    tree.git(&["restore", "--staged", "edited.rs", "added.rs", "empty.rs", "logo.png", "run.sh"]);
    assert_eq!(show(&tree.change(Some(&from), &Occasion::local()).set), EDITED);
}

#[test]
fn a_file_moved_without_git_is_followed() {
    let tree = base();
    let from = tree.sha("HEAD");
    std::fs::rename(tree.dir.join("moved"), tree.dir.join("elsewhere")).unwrap();
    tree.write("elsewhere/old name.rs", numbered(21));
    let set = tree.open().change(Some(&from), &Occasion::local()).unwrap().set;
    assert_eq!(show(&set), ["Renamed elsewhere/old name.rs from moved/old name.rs [21]"]);
}

#[test]
fn what_was_staged_and_undone_is_no_change() {
    let tree = base();
    let from = tree.sha("HEAD");
    tree.write("same.rs", "other\n").git(&["add", "same.rs"]);
    tree.write("same.rs", "same\n");
    assert_eq!(show(&tree.change(Some(&from), &Occasion::local()).set), Vec::<String>::new());
}

#[test]
fn committed_and_uncommitted_edits_add_up_and_ignored_files_do_not_count() {
    let tree = base();
    let from = tree.sha("HEAD");
    tree.write("edited.rs", "first\n".to_owned() + &numbered(10)).write(".gitignore", "out/\n").commit("one");
    tree.write("edited.rs", "first\n".to_owned() + &numbered(10) + "last\n");
    tree.write("out/built.js", "x\n").write("new/file.rs", "a\nb");
    symlink("nowhere", tree.dir.join("new/link")).unwrap();
    let set = tree.change(Some(&from), &Occasion::local()).set;
    let files = ["Added .gitignore [1]", "Modified edited.rs [1 12]", "Added new/file.rs [1-2]", "Added new/link [1]"];
    assert_eq!(show(&set), files);
}

#[test]
fn what_git_is_told_not_to_look_at_is_judged_as_it_lies_on_the_disk() {
    let tree = base();
    let from = tree.sha("HEAD");
    tree.write("edited.rs", numbered(9)).commit("one");
    tree.git(&["update-index", "--assume-unchanged", "edited.rs", "gone.rs"]);
    tree.git(&["update-index", "--skip-worktree", "same.rs", "noeol.txt"]);
    std::fs::remove_file(tree.dir.join("gone.rs")).unwrap();
    let repo = tree.open();
    assert_eq!(repo.edited().unwrap(), ["gone.rs"], "a file that is not there");
    tree.git(&["update-index", "--no-assume-unchanged", "gone.rs"]);
    tree.git(&["update-index", "--skip-worktree", "gone.rs"]);
    assert!(!repo.is_dirty().unwrap(), "left out by a sparse checkout");
    tree.git(&["update-index", "--no-skip-worktree", "gone.rs"]);
    tree.git(&["update-index", "--assume-unchanged", "gone.rs"]);
    tree.write("edited.rs", numbered(9) + "more\n").write("same.rs", "same\nbut more\n");
    std::fs::remove_file(tree.dir.join("noeol.txt")).unwrap();
    symlink("same.rs", tree.dir.join("noeol.txt")).unwrap();
    assert_eq!(tree.git(&["status", "--porcelain"]), "");
    assert!(repo.is_dirty().unwrap());
    let unlike = ["edited.rs", "gone.rs", "noeol.txt", "same.rs"];
    // What is staged is what the hook of a commit has.
    let mut unstaged = repo.unstaged(Path::new(".git/index")).unwrap();
    unstaged.sort();
    assert_eq!(unstaged, unlike);
    let change = tree.change(Some(&from), &Occasion::local());
    let files = ["Modified edited.rs [10]", "Deleted gone.rs []", "Modified noeol.txt [1]", "Modified same.rs [2]"];
    assert_eq!(show(&change.set), files);
    let why = "4 paths marked assume-unchanged or skip-worktree and judged as on the disk, which git does not show";
    assert_eq!(change.notes, [format!("{why}: edited.rs, gone.rs, noeol.txt, …")]);
}

#[test]
fn a_link_that_leads_nowhere_is_no_file_that_was_left_out() {
    let tree = base();
    let from = tree.sha("HEAD");
    symlink("nowhere", tree.dir.join("adrift")).unwrap();
    let head = tree.commit("link");
    for occasion in [Occasion::local(), event("push", &head, Some(&from))] {
        assert_eq!(tree.change(Some(&from), &occasion).notes, [""; 0]);
    }
}

#[test]
fn an_untracked_file_where_the_base_has_one_is_compared_with_it() {
    let tree = base();
    let from = tree.sha("HEAD");
    tree.git(&["mv", "edited.rs", "moved.rs"]);
    tree.git(&["rm", "--quiet", "--cached", "same.rs", "crlf.txt"]);
    tree.git(&["rm", "--quiet", "gone.rs"]);
    tree.write(".gitignore", "crlf.txt\n").write("edited.rs", "pub use moved::*;\n");
    tree.write("same.rs", "same\nbut more\n").write("crlf.txt", "mine\n").write("gone.rs", "back\n");
    let wanted = [
        "Added .gitignore [1]",
        "Deleted crlf.txt []",
        "Modified edited.rs [1]",
        "Modified gone.rs [1]",
        "Renamed moved.rs from edited.rs []",
        "Modified same.rs [2]",
    ];
    assert_eq!(show(&tree.change(Some(&from), &Occasion::local()).set), wanted);
    tree.git(&["commit", "--quiet", "--message", "moved"]);
    assert_eq!(show(&tree.change(Some(&from), &Occasion::local()).set), wanted);
}

/// As Git LFS stores a pointer: here the letters in other cases.
#[test]
fn what_a_filter_converts_counts_whole_where_git_says_that_it_changed() {
    let tree = base();
    for side in ["clean", "smudge"] {
        tree.git(&["config", &format!("filter.turn.{side}"), "tr a-zA-Z A-Za-z"]);
    }
    tree.write(".gitattributes", "*.rs filter=turn\n");
    let from = tree.git(&["add", "--renormalize", "."]).is_empty().then(|| tree.commit("turned")).unwrap();
    tree.write("same.rs", "same\n");
    let change = tree.change(Some(&from), &Occasion::local());
    assert_eq!((show(&change.set), change.notes), (Vec::new(), Vec::new()));
    let head = tree.write("edited.rs", numbered(10).replace("line 3\n", "line three\n")).commit("one");
    for occasion in [Occasion::local(), event("push", &head, None)] {
        let change = tree.change(Some(&from), &occasion);
        assert_eq!(show(&change.set), ["Modified edited.rs [whole]"]);
        assert!(change.notes[0].starts_with("1 path converted by a filter"), "{:?}", change.notes);
    }
    // An empty value converts nothing, and hides nothing behind it.
    tree.write(".gitattributes", "*.rs filter=turn\naaa.txt filter=\n").write("aaa.txt", "one\n");
    for at in 0..60 {
        tree.write(&format!("many/{at}.txt"), "one\n");
    }
    let many = tree.change(Some(&from), &Occasion::local());
    assert_eq!(show(&many.set).iter().filter(|file| file.ends_with(".txt [1]")).count(), 61);
    assert!(show(&many.set).contains(&"Modified edited.rs [whole]".to_owned()), "{:?}", many.set);
    assert!(many.notes[0].starts_with("1 path converted by a filter"), "{:?}", many.notes);
    std::fs::remove_dir_all(tree.dir.join("many")).unwrap();
    std::fs::remove_file(tree.dir.join("aaa.txt")).unwrap();
    tree.write(".gitattributes", "*.rs filter=turn\n");
    tree.write("new.rs", "1\n");
    assert_eq!(show(&tree.change(Some(&head), &Occasion::local()).set), ["Added new.rs [whole]"]);
    std::fs::remove_file(tree.dir.join("new.rs")).unwrap();
    // Git tells nothing of a path that it does not track, or is told not to look at.
    std::fs::rename(tree.dir.join("same.rs"), tree.dir.join("moved.rs")).unwrap();
    tree.write("moved.rs", "same\nand more\n");
    assert!(
        show(&tree.change(Some(&head), &Occasion::local()).set).iter().any(|file| file.contains(" moved.rs [whole]"))
    );
    for mark in ["assume-unchanged", "skip-worktree"] {
        tree.git(&["update-index", &format!("--{mark}"), "edited.rs"]);
        tree.write("edited.rs", "other\n");
        let seen = show(&tree.change(Some(&head), &Occasion::local()).set);
        assert!(seen.contains(&"Modified edited.rs [whole]".to_owned()), "{mark}: {seen:?}");
        tree.git(&["update-index", &format!("--no-{mark}"), "edited.rs"]);
    }
}

#[test]
fn what_the_change_has_and_the_disk_has_not_is_said() {
    let tree = base();
    let from = tree.write("docs/d.md", "d\n").commit("docs");
    let head = tree.write("edited.rs", "new\n").write("docs/d.md", "e\n").commit("head");
    tree.git(&["sparse-checkout", "set", "--no-cone", "docs"]);
    for occasion in [Occasion::local(), event("push", &head, Some(&from))] {
        let notes = tree.change(Some(&from), &occasion).notes;
        let said = "1 path of the change left out of the work tree (a sparse checkout, a submodule that is not checked out): \
                    edited.rs: no gate saw them";
        assert!(notes.iter().any(|note| note == said), "{notes:?}");
    }
    tree.git(&["sparse-checkout", "disable"]);
    assert_eq!(tree.change(Some(&from), &Occasion::local()).notes, [""; 0]);
}

#[test]
fn on_actions_the_commit_is_judged_and_files_an_earlier_step_wrote_count_whole() {
    let tree = base();
    let from = tree.sha("HEAD");
    let head = tree.write("edited.rs", numbered(11)).write("same.rs", "same\nbut more\n").commit("head");
    tree.write("edited.rs", "// generated\n".to_owned() + &numbered(11));
    tree.write("noeol.txt", "rewritten").write("built/output.js", "x\n");
    let change = tree.change(Some(&from), &event("push", &head, Some(&from)));
    assert_eq!(show(&change.set), ["Modified edited.rs [whole]", "Modified same.rs [2]"]);
    assert_eq!(change.notes.len(), 1);
    assert!(change.notes[0].starts_with("2 paths differ from the commit checked out"), "{}", change.notes[0]);
}

#[test]
fn an_attribute_does_not_hide_lines() {
    let tree = base();
    let from = tree.sha("HEAD");
    tree.write(".gitattributes", "*.rs -diff\n*.txt binary\n");
    tree.write("edited.rs", numbered(10) + "new\n").write("crlf.txt", "a\r\nB\r\nc\r\n").write("more.rs", "a\nb\n");
    let wanted =
        ["Added .gitattributes [1-2]", "Modified crlf.txt [2]", "Modified edited.rs [11]", "Added more.rs [1-2]"];
    assert_eq!(show(&tree.change(Some(&from), &Occasion::local()).set), wanted);
    let head = tree.commit("head");
    assert_eq!(show(&tree.change(Some(&from), &event("push", &head, None)).set), wanted);
}

#[test]
fn line_ends_converted_at_checkout_are_no_change() {
    let tree = Tree::new();
    tree.write(".gitattributes", "*.txt text eol=crlf\n").write("a.txt", "a\nb\nc\n");
    let from = tree.commit("base");
    std::fs::remove_file(tree.dir.join("a.txt")).unwrap();
    tree.git(&["checkout", "--", "a.txt"]);
    assert_eq!(std::fs::read(tree.dir.join("a.txt")).unwrap(), b"a\r\nb\r\nc\r\n");
    tree.write("a.txt", "a\r\nb\r\nc\r\nd\r\n");
    assert_eq!(show(&tree.change(Some(&from), &Occasion::local()).set), ["Modified a.txt [4]"]);
}

#[test]
fn paths_that_no_report_can_name_are_said() {
    let tree = base();
    let from = tree.sha("HEAD");
    let mut odd = vec![(b"back\\slash.rs".as_slice(), "back\\\\slash.rs"), (b"new\nline.rs", "new\\nline.rs")];
    // The file systems of macOS have no such names.
    if !cfg!(target_os = "macos") {
        odd.insert(1, (b"caf\xe9.rs", "caf\\xe9.rs"));
    }
    for (name, _) in &odd {
        std::fs::write(tree.dir.join(OsStr::from_bytes(name)), "x\n").unwrap();
    }
    let at_laptop = tree.change(Some(&from), &Occasion::local());
    let head = tree.commit("head");
    let on_actions = tree.change(Some(&from), &event("push", &head, None));
    for change in [at_laptop, on_actions] {
        let mut names = change.set.unnameable;
        names.sort();
        assert!(names.iter().eq(odd.iter().map(|(_, said)| said)), "{names:?}");
        assert!(change.set.files.is_empty());
        let note = format!("{} paths cannot be named", odd.len());
        assert!(change.notes[0].starts_with(&note), "{:?}", change.notes);
    }
}

#[test]
fn a_submodule_that_points_elsewhere() {
    let library = Tree::new();
    library.write("lib.rs", "1\n").commit("one");
    let tree = base();
    tree.git(&["submodule", "--quiet", "add", &library.url(), "vendor/lib"]);
    let from = tree.commit("with submodule");
    library.write("lib.rs", "2\n").commit("two");
    let inner = tree.dir.join("vendor/lib");
    git_in(&inner, &["fetch", "--quiet"]);
    git_in(&inner, &["checkout", "--quiet", "origin/main"]);
    // The pull request may try to hide it.
    let hidden = std::fs::read_to_string(tree.dir.join(".gitmodules")).unwrap() + "\tignore = all\n";
    tree.write(".gitmodules", hidden);
    let wanted = ["Modified .gitmodules [4]", "Submodule vendor/lib []"];
    assert_eq!(show(&tree.change(Some(&from), &Occasion::local()).set), wanted);
    tree.git(&["add", "--force", "vendor/lib"]);
    let head = tree.commit("bump");
    let set = tree.change(Some(&from), &event("push", &head, None)).set;
    assert_eq!(show(&set), wanted);
    std::fs::write(inner.join("lib.rs"), "3\n").unwrap();
    assert_eq!(show(&tree.change(Some(&head), &Occasion::local()).set), ["Submodule vendor/lib []"]);
}

#[test]
fn a_repository_inside_the_work_tree_is_said() {
    let tree = base();
    let from = tree.sha("HEAD");
    git_in(&tree.dir, &["init", "--quiet", "nested"]);
    tree.write("nested/a.rs", "a\n");
    git_in(&tree.dir.join("nested"), &["add", "a.rs"]);
    git_in(&tree.dir.join("nested"), &["commit", "--quiet", "-m", "inner"]);
    let change = tree.change(Some(&from), &Occasion::local());
    assert!(change.set.files.is_empty());
    assert_eq!(change.notes, ["nested/ is a repository of its own: its files are not part of the change"]);
}

#[test]
fn a_file_becomes_a_folder() {
    let tree = base();
    let from = tree.sha("HEAD");
    std::fs::remove_file(tree.dir.join("same.rs")).unwrap();
    tree.write("same.rs/inner.rs", "other\n");
    let wanted = ["Deleted same.rs []", "Added same.rs/inner.rs [1]"];
    assert_eq!(show(&tree.change(Some(&from), &Occasion::local()).set), wanted);
    let head = tree.commit("head");
    assert_eq!(show(&tree.change(Some(&from), &event("push", &head, None)).set), wanted);
}

#[test]
fn lines_in_conflict_are_part_of_the_change() {
    let tree = base();
    let from = tree.sha("HEAD");
    tree.git(&["checkout", "--quiet", "-b", "theirs"]);
    tree.write("same.rs", "theirs\n").commit("theirs");
    tree.git(&["checkout", "--quiet", "main"]);
    tree.write("same.rs", "ours\n").commit("ours");
    assert!(std::panic::catch_unwind(|| tree.git(&["merge", "--quiet", "theirs"])).is_err());
    for repo in [tree.open(), tree.open_by_program()] {
        let set = repo.change(Some(&from), &Occasion::local()).unwrap().set;
        let path = RepoPath::parse("same.rs").unwrap();
        let all = gatepost::model::change::LineRange { start: 2, end: 2 };
        assert!(set.touches(&path, all), "{:?}", show(&set));
    }
}

#[test]
fn ten_thousand_files() {
    let tree = Tree::new();
    for index in 0..5000 {
        tree.write(&format!("old/{}/{index}.txt", index % 50), format!("{index}\n"));
    }
    let from = tree.commit("base");
    std::fs::rename(tree.dir.join("old"), tree.dir.join("new")).unwrap();
    tree.write("new/0/0.txt", "0 edited\nmore\n");
    let head = tree.commit("moved");
    let started = std::time::Instant::now();
    let repo = tree.open();
    let change = repo.change(Some(&from), &event("push", &head, None)).unwrap();
    println!("{:?}", started.elapsed());
    // Exact moves are found; the one edited file is too much among so many: it counts as new.
    assert_eq!(change.set.files.len(), 5001);
    let shown = show(&change.set);
    assert!(shown.contains(&"Added new/0/0.txt [1-2]".to_owned()));
    assert!(shown.contains(&"Renamed new/1/4951.txt from old/1/4951.txt []".to_owned()));
    assert_eq!(change.notes.len(), 1);
    assert!(change.notes[0].starts_with("5000 removed and 5000 new files are too many"), "{}", change.notes[0]);
}
