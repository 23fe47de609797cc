//! Repositories that are not a plain clone, and broken ones.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use gatepost::model::event::Occasion;
use gatepost::model::path::RepoPath;
use gatepost::world::repo::{Repo, RepoError};

use super::{Tree, as_nobody, event, git_in, numbered, show};

fn refused(start: &Path, trusted: Option<&Path>) -> RepoError {
    match Repo::discover(start, trusted) {
        Ok(repo) => panic!("opened {}", repo.root().display()),
        Err(error) => error,
    }
}

fn real(path: &Path) -> std::path::PathBuf {
    path.canonicalize().unwrap()
}

#[test]
fn from_a_folder_inside() {
    let tree = Tree::new();
    let head = tree.write("packages/web/a.js", "a\n").write(".gitignore", "out\n").commit("one");
    tree.git(&["remote", "add", "origin", "https://me:s3cret@github.com/octo/shop.git"]);
    for repo in [Repo::discover(&tree.dir.join("packages/web"), None).unwrap(), tree.open_by_program()] {
        assert_eq!(real(repo.root()), real(&tree.dir));
        assert_eq!(repo.head().unwrap(), Some(head.clone()));
        assert_eq!(repo.origin_url().unwrap().as_deref(), Some("https://github.com/octo/shop.git"));
        assert_eq!(repo.origin_repository().unwrap().as_deref(), Some("octo/shop"));
        assert!(!repo.is_dirty().unwrap());
        let path = |text| RepoPath::parse(text).unwrap();
        assert_eq!(repo.read_blob(&head, &path("packages/web/a.js")).unwrap().as_deref(), Some(b"a\n".as_slice()));
        assert_eq!(repo.read_blob(&head, &path("packages/web")).unwrap(), None);
        assert_eq!(repo.read_blob(&head, &path("nope")).unwrap(), None);
    }
    for dirt in ["new.js", "packages/web/a.js"] {
        tree.write(dirt, "dirt\n");
        assert!(tree.open().is_dirty().unwrap(), "{dirt}");
        tree.git(&["add", "--all"]);
        assert!(tree.open().is_dirty().unwrap(), "{dirt} staged");
        tree.git(&["reset", "--quiet", "--hard"]);
    }
}

#[test]
fn no_repository_and_a_bare_one() {
    let temp = tempfile::tempdir().unwrap();
    let error = refused(temp.path(), None);
    assert!(matches!(error, RepoError::NotARepository { .. }), "{error}");
    assert!(error.help().contains("actions/checkout"));
    std::fs::create_dir_all(temp.path().join("moved/src")).unwrap();
    std::fs::write(temp.path().join("moved/.git"), "gitdir: /nonexistent/worktrees/moved\n").unwrap();
    let error = refused(&temp.path().join("moved/src"), None);
    assert!(error.to_string().ends_with("moved/.git leads to no repository"), "{error}");
    git_in(temp.path(), &["init", "--quiet", "--bare", "bare.git"]);
    let error = refused(&temp.path().join("bare.git"), None);
    assert!(matches!(error, RepoError::Bare { .. }), "{error}");
    git_in(&temp.path().join("bare.git"), &["config", "core.repositoryformatversion", "1"]);
    git_in(&temp.path().join("bare.git"), &["config", "extensions.partialClone", "nowhere"]);
    let error = refused(&temp.path().join("bare.git"), None);
    assert!(matches!(error, RepoError::Bare { .. }), "{error}");
}

#[test]
fn a_linked_work_tree() {
    let tree = Tree::new();
    let base = tree.write("a.rs", "a\n").commit("one");
    let linked = tree.beside("linked", &["worktree", "add", "--quiet", "-b", "other"]);
    linked.write("a.rs", "a\nb\n");
    assert_eq!(real(linked.open().root()), real(&linked.dir));
    assert_eq!(show(&linked.change(Some(&base), &Occasion::local()).set), ["Modified a.rs [2]"]);
    assert!(!tree.open().is_dirty().unwrap());
}

#[test]
fn a_submodules_checkout() {
    let library = Tree::new();
    let base = library.write("lib.rs", "1\n").commit("one");
    let tree = Tree::new();
    tree.git(&["submodule", "--quiet", "add", &library.url(), "lib"]);
    tree.commit("with submodule");
    let inner = tree.dir.join("lib");
    std::fs::write(inner.join("lib.rs"), "1\n2\n").unwrap();
    let repo = Repo::discover(&inner, None).unwrap();
    assert_eq!(real(repo.root()), real(&inner));
    assert_eq!(repo.head().unwrap(), Some(base.clone()));
    assert_eq!(show(&repo.change(Some(&base), &Occasion::local()).unwrap().set), ["Modified lib.rs [2]"]);
    assert!(tree.open().is_dirty().unwrap(), "the outer repository's submodule differs");
}

#[test]
fn a_partial_clone_fetches_what_it_lacks() {
    let server = Tree::new();
    server.git(&["config", "uploadpack.allowFilter", "true"]);
    let base = server.write("a.rs", numbered(5)).write("moved.rs", numbered(30)).commit("one");
    server.git(&["mv", "moved.rs", "new.rs"]);
    let head = server.write("a.rs", numbered(6)).write("new.rs", numbered(31)).commit("two");
    let clone = server.beside("partial", &["clone", "--quiet", "--filter=blob:none", &server.url()]);
    let lacks = clone.git(&["rev-list", "--objects", "--missing=print", "--no-object-names", "HEAD"]);
    assert!(lacks.contains('?'), "{lacks}");
    let repo = clone.open();
    let change = repo.change(Some(&base), &event("push", &head, Some(&base))).unwrap();
    assert_eq!(show(&change.set), ["Modified a.rs [6]", "Renamed new.rs from moved.rs [31]"]);
    let path = RepoPath::parse("a.rs").unwrap();
    assert_eq!(repo.read_blob(&base, &path).unwrap(), Some(numbered(5).into_bytes()));
}

#[test]
fn sha_256_and_a_sparse_checkout_are_read_by_the_git_program() {
    let temp = tempfile::tempdir().unwrap();
    git_in(temp.path(), &["init", "--quiet", "--object-format=sha256", "--initial-branch=main", "long"]);
    let long = Tree { dir: temp.path().join("long"), _keeps: None };
    let base = long.write("a.rs", "a\n").commit("one");
    assert_eq!(base.as_str().len(), 64);
    long.write("a.rs", "a\nb\n");
    assert_eq!(show(&long.open().change(Some(&base), &Occasion::local()).unwrap().set), ["Modified a.rs [2]"]);

    let tree = Tree::new();
    let base = tree.write("in/a.rs", "a\n").write("out/b.rs", "b\n").commit("one");
    tree.git(&["sparse-checkout", "set", "in"]);
    assert!(!tree.dir.join("out/b.rs").exists());
    tree.write("in/a.rs", "a\nb\n");
    assert_eq!(show(&tree.change(Some(&base), &Occasion::local()).set), ["Modified in/a.rs [2]"]);
    tree.git(&["checkout", "--quiet", "--", "in/a.rs"]);
    assert!(!tree.open().is_dirty().unwrap());
}

#[test]
fn a_corrupt_index_head_or_object_is_said() {
    let broken = |path: &str, content: &[u8]| {
        let tree = Tree::new();
        let base = tree.write("a.rs", "a\n").commit("one");
        tree.write(path, content);
        let repo = tree.open();
        repo.head().and_then(|_| repo.change(Some(&base), &Occasion::local())).unwrap_err()
    };
    let index = broken(".git/index", b"this is no index, though long enough to be one");
    assert!(matches!(&index, RepoError::Damaged { .. }), "{index}");
    assert!(index.to_string().contains("index"), "{index}");
    assert!(index.help().contains("git reset"), "{}", index.help());
    let head = broken(".git/refs/heads/main", b"rubbish\n");
    assert!(head.to_string().starts_with("cannot read HEAD, the repository is damaged"), "{head}");

    let tree = Tree::new();
    let base = tree.write("a.rs", "a\n").commit("one");
    let id = tree.git(&["rev-parse", "HEAD^{tree}"]);
    let object = tree.dir.join(".git/objects").join(&id[..2]).join(id[2..].trim());
    std::fs::remove_file(object).unwrap();
    let error = tree.open().change(Some(&base), &Occasion::local()).unwrap_err();
    assert!(matches!(error, RepoError::Damaged { .. }), "{error}");
}

/// Only root can give a folder away; others meet the same when they run in root's folders.
#[test]
fn a_folder_of_another_user_is_trusted_only_as_the_workspace() {
    let tree = Tree::new();
    let base = tree.write("a.rs", "a\n").commit("one");
    tree.write("a.rs", "a\nb\n");
    let owner = std::os::unix::fs::chown(&tree.dir, Some(12345), None)
        .and_then(|()| std::os::unix::fs::chown(tree.dir.join(".git"), Some(12345), None));
    if owner.is_err() {
        assert!(tree.open().is_dirty().unwrap(), "one's own folder needs no trust");
        return;
    }
    let error = refused(&tree.dir, None);
    assert!(matches!(error, RepoError::Ownership { .. }), "{error}");
    let trust = format!("git config --global --add safe.directory {}", tree.dir.canonicalize().unwrap().display());
    assert!(error.help().ends_with(&trust), "{}", error.help());
    let elsewhere = tempfile::tempdir().unwrap();
    assert!(matches!(refused(&tree.dir, Some(elsewhere.path())), RepoError::Ownership { .. }));
    // The workspace is a folder inside: the repository above it is not the workspace's.
    std::fs::create_dir(tree.dir.join("inner")).unwrap();
    let inner = tree.dir.join("inner");
    assert!(matches!(refused(&inner, Some(&inner)), RepoError::Ownership { .. }));
    assert!(refused(&inner, None).help().ends_with(&trust), "trust is the whole repository's");
    let repo = Repo::discover(&tree.dir, Some(&tree.dir)).unwrap();
    assert!(repo.is_dirty().unwrap());
    assert_eq!(show(&repo.change(Some(&base), &Occasion::local()).unwrap().set), ["Modified a.rs [2]"]);
}

#[test]
fn an_unreadable_file_is_said() {
    if !as_nobody("repo::surroundings::an_unreadable_file_is_said") {
        return;
    }
    let tree = Tree::new();
    let base = tree.write("a.rs", "a\n").write("moved.rs", numbered(9)).commit("one");
    std::fs::remove_file(tree.dir.join("moved.rs")).unwrap();
    tree.write("secret.rs", "b\n");
    let forbid = |path: &str| {
        std::fs::set_permissions(tree.dir.join(path), std::fs::Permissions::from_mode(0o000)).unwrap();
    };
    forbid("secret.rs");
    for repo in [tree.open(), tree.open_by_program()] {
        let change = repo.change(Some(&base), &Occasion::local()).unwrap();
        assert_eq!(show(&change.set), ["Deleted moved.rs []", "Added secret.rs [whole]"]);
        assert_ne!(change.notes, [""; 0]);
    }
    tree.git(&["config", "--unset", "extensions.partialClone"]);

    // A tracked one that cannot be compared counts whole too.
    tree.write("a.rs", "other\n");
    forbid("a.rs");
    let change = tree.open().change(Some(&base), &Occasion::local()).unwrap();
    assert_eq!(show(&change.set)[0], "Modified a.rs [whole]");
    assert!(change.notes.iter().any(|note| note.starts_with("a.rs cannot be read")), "{:?}", change.notes);
}

#[test]
fn a_work_tree_out_of_sight_is_left_alone() {
    let tree = Tree::new();
    let base = tree.write("a.rs", "a\n").commit("one");
    let (linked, away) = (tree.beside("linked", &["worktree", "add", "--quiet", "--detach"]), tree.dir.join("away"));
    linked.write("a.rs", "staged\n").git(&["add", "a.rs"]);
    std::fs::rename(&linked.dir, &away).unwrap();
    let repo = tree.open();
    for _ in 0..2 {
        let place = tree.dir.with_file_name("deploy");
        let files = repo.check_out(&base, &place).unwrap();
        assert_eq!(std::fs::read(place.join("a.rs")).unwrap(), b"a\n");
        // However it comes that its folder is gone.
        std::fs::remove_dir_all(files.folder()).unwrap();
        drop(files);
    }
    assert!(!tree.git(&["worktree", "list"]).contains("deploy"));
    std::fs::rename(&away, &linked.dir).unwrap();
    assert_eq!(linked.git(&["diff", "--cached", "--name-only"]), "a.rs\n");
}
