//! With what the change is compared, in every situation, and what must be asked of the forge.

use gatepost::model::change::LineRange;
use gatepost::model::event::Occasion;
use gatepost::model::path::RepoPath;
use gatepost::model::sha::Sha;
use gatepost::world::repo::{BaseAnswer, BaseRequest, Checkout, RepoError};

use super::{Tree, event, numbered, show};

fn sha(answer: &BaseAnswer) -> Option<&Sha> {
    match answer {
        BaseAnswer::Commit { sha, .. } => Some(sha),
        _ => None,
    }
}

fn why(answer: &BaseAnswer) -> &str {
    match answer {
        BaseAnswer::Everything { why, .. } => why,
        other => panic!("{other:?}"),
    }
}

/// A server with a pull request: `main` moved on after the branch `fix` left it, GitHub merged the two for tests.
struct Pull {
    server: Tree,
    fork_point: Sha,
    main: Sha,
    head: Sha,
    merge: Sha,
}

fn pull() -> Pull {
    let server = Tree::new();
    let fork_point = server.write("a.rs", numbered(10)).commit("fork point");
    server.git(&["checkout", "--quiet", "-b", "fix"]);
    let head = server.write("a.rs", numbered(10) + "added by fix\n").commit("fix");
    server.git(&["checkout", "--quiet", "main"]);
    let main = server.write("a.rs", "added by main\n".to_owned() + &numbered(10)).write("b.rs", "b\n").commit("main");
    server.git(&["merge", "--quiet", "--no-ff", "-m", "merge", "fix"]);
    let merge = server.sha("HEAD");
    server.git(&["update-ref", "refs/pull/7/merge", merge.as_str()]);
    server.git(&["reset", "--quiet", "--hard", main.as_str()]);
    Pull { server, fork_point, main, head, merge }
}

impl Pull {
    /// As actions/checkout does it: one commit, its history cut.
    fn shallow(&self, name: &str, commit: &Sha) -> Tree {
        let clone = self.server.beside(name, &["init", "--quiet"]);
        clone.git(&["remote", "add", "origin", &self.server.url()]);
        let to = if *commit == self.merge { "pull/7/merge" } else { "origin/fix" };
        clone.git(&["fetch", "--quiet", "--no-tags", "--depth=1", "origin", &format!("+{commit}:refs/remotes/{to}")]);
        clone.git(&["checkout", "--quiet", "--detach", commit.as_str()]);
        clone
    }

    fn full(&self, name: &str, commit: &Sha) -> Tree {
        let clone = self.server.beside(name, &["clone", "--quiet", &self.server.url()]);
        clone.git(&["fetch", "--quiet", "origin", "+refs/pull/*:refs/remotes/pull/*"]);
        clone.git(&["checkout", "--quiet", "--detach", commit.as_str()]);
        clone
    }
}

#[test]
fn a_merge_commit_is_compared_with_its_first_parent_though_the_clone_hides_it() {
    let pull = pull();
    let occasion = event("pull_request", &pull.head, Some(&pull.fork_point));
    for clone in [pull.shallow("shallow", &pull.merge), pull.full("full", &pull.merge)] {
        let repo = clone.open();
        assert_eq!(repo.checkout(&occasion).unwrap(), Checkout::Merge { first_parent: pull.main.clone() });
        assert_eq!(sha(&clone.base(&occasion, None)), Some(&pull.main));
        let change = clone.change(Some(&pull.main), &occasion);
        // Only what the pull request does, in the lines of the merge…
        assert_eq!(show(&change.set), ["Modified a.rs [12]"]);
        // …and where those are in the head.
        let path = RepoPath::parse("a.rs").unwrap();
        assert_eq!(change.set.head_line(&path, 12), Some(11));
        assert_eq!(change.set.head_line(&path, 1), None);
        assert_eq!(change.set.head_line(&RepoPath::parse("b.rs").unwrap(), 1), None);
        assert_eq!(change.notes, Vec::<String>::new());
    }
}

#[test]
fn a_merge_that_github_did_not_make_is_not_the_pull_request() {
    let pull = pull();
    let clone = pull.full("full", &pull.merge);
    let github = Occasion { merges: vec![pull.merge.clone()], ..event("pull_request", &pull.head, Some(&pull.main)) };
    clone.git(&["update-ref", "-d", "refs/remotes/pull/7/merge"]);
    assert_eq!(clone.open().checkout(&github).unwrap(), Checkout::Merge { first_parent: pull.main.clone() });
    let unnamed = Occasion { merges: Vec::new(), ..github.clone() };
    assert_eq!(clone.open().checkout(&unnamed).unwrap(), Checkout::Other);
    // An earlier step's merge, which leaves out all that the pull request brings.
    clone.git(&["checkout", "--quiet", "--detach", pull.main.as_str()]);
    clone.git(&["merge", "--quiet", "--strategy=ours", "--message=merge", pull.head.as_str()]);
    assert_eq!(clone.open().checkout(&github).unwrap(), Checkout::Other);
    assert!(why(&clone.base(&github, None)).starts_with("the commit checked out, "));
}

#[test]
fn a_merge_commit_with_its_parents_needs_no_fetch() {
    let pull = pull();
    let clone = pull.shallow("two-deep", &pull.merge);
    clone.git(&["fetch", "--quiet", "--no-tags", "--depth=2", "origin", pull.merge.as_str()]);
    clone.git(&["remote", "set-url", "origin", "file:///nonexistent/shop"]);
    let occasion = event("pull_request", &pull.head, Some(&pull.fork_point));
    assert_eq!(sha(&clone.base(&occasion, None)), Some(&pull.main));
    let change = clone.change(Some(&pull.main), &occasion);
    assert_eq!((show(&change.set), change.notes), (vec!["Modified a.rs [12]".to_owned()], Vec::new()));
}

#[test]
fn a_shallow_merge_commit_whose_parents_cannot_be_fetched_judges_everything() {
    let pull = pull();
    let occasion = event("pull_request", &pull.head, Some(&pull.fork_point));
    let clone = pull.shallow("alone", &pull.merge);
    clone.git(&["remote", "set-url", "origin", "file:///nonexistent/shop"]);
    let answer = clone.base(&occasion, None);
    let expected = format!("no base: cannot fetch the commit {}: git fetch ended with status 128", pull.main.short());
    assert!(why(&answer).starts_with(&expected), "{answer:?}");
    // With the base but without the head, lines cannot be mapped: said.
    let clone = pull.shallow("half", &pull.merge);
    assert!(sha(&clone.base(&occasion, None)).is_some());
    clone.git(&["remote", "set-url", "origin", "ext::sh -c touch% hacked"]);
    clone.git(&["config", "protocol.ext.allow", "always"]);
    let change = clone.open().change(Some(&pull.main), &occasion).unwrap();
    assert_eq!(show(&change.set), ["Modified a.rs [12]"]);
    assert!(change.notes[0].starts_with("annotations may be some lines off"), "{:?}", change.notes);
    assert!(change.notes[0].contains("transport 'ext' not allowed"), "{:?}", change.notes);
    assert!(!clone.dir.join("hacked").exists());
}

#[test]
fn a_head_is_compared_with_the_merge_base() {
    let pull = pull();
    let occasion = event("pull_request", &pull.head, Some(&pull.main));
    let full = pull.full("full", &pull.head);
    assert_eq!(sha(&full.base(&occasion, None)), Some(&pull.fork_point));
    assert_eq!(show(&full.change(Some(&pull.fork_point), &occasion).set), ["Modified a.rs [11]"]);

    // A shallow clone has no merge base: the forge is asked, and what it answers is fetched.
    let shallow = pull.shallow("shallow", &pull.head);
    let ask = BaseAnswer::AskForge { base: pull.main.clone(), head: pull.head.clone() };
    assert_eq!(shallow.base(&occasion, None), ask);
    let told = BaseRequest { occasion: &occasion, asked: None, merge_base: Some(&pull.fork_point) };
    assert_eq!(sha(&shallow.open().base(&told).unwrap()), Some(&pull.fork_point));
    let change = shallow.change(Some(&pull.fork_point), &occasion);
    assert_eq!(show(&change.set), ["Modified a.rs [11]"]);
    assert!(change.set.to_head.is_empty());
}

#[test]
fn a_base_newer_than_the_clone_is_fetched() {
    let pull = pull();
    let clone = pull.full("full", &pull.head);
    let newer = pull.server.write("c.rs", "c\n").commit("newer");
    let occasion = event("pull_request", &pull.head, Some(&newer));
    assert_eq!(sha(&clone.base(&occasion, None)), Some(&pull.fork_point));
    let newest = pull.server.write("d.rs", "d\n").commit("newest");
    let queued = event("merge_group", &pull.head, Some(&newest));
    assert_eq!(sha(&clone.base(&queued, None)), Some(&newest));
    assert!(!clone.dir.join(".git/shallow").exists(), "a whole clone stays whole");
}

#[test]
fn another_commit_than_the_events_is_not_taken_for_it() {
    let pull = pull();
    let clone = pull.full("full", &pull.main);
    for name in ["pull_request_target", "pull_request", "push"] {
        let occasion = event(name, &pull.head, Some(&pull.fork_point));
        assert_eq!(clone.open().checkout(&occasion).unwrap(), Checkout::Other);
        assert!(why(&clone.base(&occasion, None)).starts_with("the commit checked out, "), "{name}");
    }
    // A merge, but of an older state of the branch.
    let stale = pull.full("stale", &pull.merge);
    let occasion = event("pull_request", &pull.fork_point, Some(&pull.main));
    assert_eq!(stale.open().checkout(&occasion).unwrap(), Checkout::Other);
    // The author's own merge of main into the branch is the head, not GitHub's merge of the head.
    let own = pull.full("own", &pull.merge);
    let occasion = event("pull_request", &pull.merge, Some(&pull.main));
    assert_eq!(own.open().checkout(&occasion).unwrap(), Checkout::Head);
}

#[test]
fn pushes_queues_and_the_events_without_a_change() {
    let pull = pull();
    let clone = pull.full("full", &pull.head);
    let base = |name: &str, base: Option<&Sha>| clone.base(&event(name, &pull.head, base), None);
    assert_eq!(sha(&base("push", Some(&pull.fork_point))), Some(&pull.fork_point));
    assert_eq!(sha(&base("merge_group", Some(&pull.fork_point))), Some(&pull.fork_point));
    assert!(why(&base("push", None)).starts_with("a push that makes a branch or tag has no base"));
    for name in ["schedule", "workflow_dispatch", "issue_comment"] {
        assert_eq!(why(&base(name, None)), format!("{name} has no base to compare with"));
    }
    let shallow = pull.shallow("shallow", &pull.head);
    let queued = event("merge_group", &pull.head, Some(&pull.fork_point));
    assert_eq!(sha(&shallow.base(&queued, None)), Some(&pull.fork_point));
    let pushed = event("push", &pull.head, Some(&pull.fork_point));
    assert!(matches!(shallow.base(&pushed, None), BaseAnswer::AskForge { .. }));
}

#[test]
fn a_base_asked_for_by_name() {
    let pull = pull();
    let occasion = event("schedule", &pull.head, None);
    let full = pull.full("full", &pull.head);
    for name in ["origin/main", "HEAD~1", pull.fork_point.as_str()] {
        assert_eq!(sha(&full.base(&occasion, Some(name))), Some(&pull.fork_point), "{name}");
        assert_eq!(sha(&full.base(&Occasion::local(), Some(name))), Some(&pull.fork_point), "{name}");
    }
    // One commit is here and no branch: origin is asked where main is.
    let shallow = pull.shallow("shallow", &pull.head);
    let ask = BaseAnswer::AskForge { base: pull.main.clone(), head: pull.head.clone() };
    assert_eq!(shallow.base(&occasion, Some("origin/main")), ask);
    for (occasion, name) in [
        (&occasion, "origin/nope"),
        (&occasion, "ffffffffffffffffffffffffffffffffffffffff"),
        (&occasion, "--upload-pack=touch hacked"),
        (&Occasion::local(), "nope"),
        (&Occasion::local(), "main..HEAD"),
        (&Occasion::local(), "-h"),
    ] {
        for repo in [shallow.open(), shallow.open_by_program()] {
            let request = BaseRequest { occasion, asked: Some(name), merge_base: None };
            let error = repo.base(&request).unwrap_err();
            assert!(matches!(&error, RepoError::UnknownBase { name: told, .. } if told == name), "{error}");
        }
        shallow.git(&["config", "--unset", "extensions.partialClone"]);
    }
    assert!(!shallow.dir.join("hacked").exists());
}

#[test]
fn at_a_laptop_the_base_is_the_default_branch() {
    let pull = pull();
    let local = Occasion::local();
    let clone = pull.full("laptop", &pull.head);
    let found = clone.base(&local, None);
    assert_eq!(sha(&found), Some(&pull.fork_point));
    assert!(matches!(&found, BaseAnswer::Commit { what, .. } if what.ends_with("the merge base with origin/HEAD")));
    clone.git(&["remote", "set-head", "origin", "--delete"]);
    let found = clone.base(&local, None);
    assert!(matches!(&found, BaseAnswer::Commit { what, .. } if what.ends_with("the merge base with origin/main")));

    // On the default branch: what is not pushed and not committed; with nothing of that, everything.
    clone.git(&["checkout", "--quiet", "main"]);
    assert_eq!(why(&clone.base(&local, None)), "nothing differs from origin/main: there is no change");
    clone.write("new.rs", "x\n");
    assert_eq!(sha(&clone.base(&local, None)), Some(&pull.main));
    assert_eq!(show(&clone.change(Some(&pull.main), &local).set), ["Added new.rs [1]"]);
    clone.git(&["config", "--unset", "extensions.partialClone"]);
    clone.commit("not pushed");
    assert_eq!(sha(&clone.base(&local, None)), Some(&pull.main));
}

#[test]
fn what_a_merge_brings_from_the_base_is_no_change() {
    let Pull { server, fork_point, main, head, .. } = pull();
    server.git(&["checkout", "--quiet", "-B", "fix", head.as_str()]);
    let local = Occasion::local();
    server.git(&["merge", "--quiet", "--no-commit", "--no-ff", "main"]);
    assert_eq!(sha(&server.base(&local, None)), Some(&main));
    assert_eq!(show(&server.change(Some(&main), &local).set), ["Modified a.rs [12]"]);
    server.git(&["config", "--unset", "extensions.partialClone"]);
    server.git(&["merge", "--abort"]);
    // What is merged from elsewhere is part of the change.
    server.git(&["checkout", "--quiet", "-b", "other", fork_point.as_str()]);
    server.write("other.rs", "x\n").commit("other");
    server.git(&["checkout", "--quiet", "fix"]);
    server.git(&["merge", "--quiet", "--no-commit", "--no-ff", "other"]);
    assert_eq!(sha(&server.base(&local, None)), Some(&fork_point));
}

#[test]
fn at_a_laptop_without_a_base_everything_is_judged() {
    let tree = Tree::new();
    let local = Occasion::local();
    assert_eq!(tree.base(&local, None), BaseAnswer::Unborn);
    tree.write("staged.rs", "a\nb\n").git(&["add", "staged.rs"]);
    tree.write("untracked.rs", "c\n");
    assert_eq!(show(&tree.change(None, &local).set), ["Added staged.rs [1-2]", "Added untracked.rs [1]"]);
    assert_eq!(tree.open_by_program().head().unwrap(), None);
    tree.git(&["config", "--unset", "extensions.partialClone"]);

    tree.commit("first");
    tree.git(&["branch", "--move", "trunk"]);
    tree.write("more.rs", "d\n");
    assert!(why(&tree.base(&local, None)).starts_with("no base: none of origin/HEAD, origin/main"));
    tree.git(&["checkout", "--quiet", "--orphan", "main"]);
    tree.commit("unrelated");
    tree.git(&["checkout", "--quiet", "trunk"]);
    assert_eq!(why(&tree.base(&local, None)), "main and HEAD have no common history");
}

#[test]
fn a_whole_file_counts_for_any_line() {
    let tree = Tree::new();
    let base = tree.write("a.bin", b"a\0b").commit("base");
    tree.write("a.bin", b"a\0c\n");
    let set = tree.change(Some(&base), &Occasion::local()).set;
    let path = RepoPath::parse("a.bin").unwrap();
    assert!(set.touches(&path, LineRange { start: 900, end: 900 }));
}

/// Git takes the name of a branch for a pattern.
#[test]
fn a_base_asked_of_origin_is_the_branch_of_that_very_name() {
    let pull = pull();
    pull.server.git(&["branch", "a/refs/heads/main", pull.head.as_str()]);
    let clone = pull.server.beside("bare", &["init", "--quiet"]);
    clone.git(&["remote", "add", "origin", &pull.server.url()]);
    clone.git(&["fetch", "--quiet", "origin", pull.head.as_str()]);
    clone.git(&["checkout", "--quiet", "--detach", pull.head.as_str()]);
    let occasion = event("workflow_dispatch", &pull.head, None);
    let answer = clone.base(&occasion, Some("main"));
    assert_eq!(sha(&answer), Some(&pull.fork_point), "{answer:?}");
    pull.server.git(&["branch", "--move", "main", "trunk"]);
    for name in ["main", "trun?"] {
        let asked = BaseRequest { occasion: &occasion, asked: Some(name), merge_base: None };
        let error = clone.open().base(&asked).unwrap_err();
        assert!(matches!(&error, RepoError::UnknownBase { .. }), "{name}: {error}");
    }
}
