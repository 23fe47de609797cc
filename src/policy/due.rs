//! Whether a gate has anything to judge here, before it is started.

use std::fmt;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::model::change::Scope;
use crate::model::event::Occasion;
use crate::model::gate::Only;
use crate::model::path::RepoPath;
use crate::model::settings::Common;

/// Whether a gate is to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// It is, and why.
    Run(String),
    /// It has nothing to judge, and why.
    Skip(String),
}

/// Decides by `when` and `paths`. Changed paths that no report can name match every pattern, and a submodule that was moved or
/// a link that was turned matches every one that could match below it: it cannot be said that they do not.
///
/// # Errors
/// When a pattern of `paths` is no glob; the text says which and why.
pub fn due(common: &Common, occasion: &Occasion, scope: &Scope) -> Result<Due, String> {
    if !common.when.is_empty() && !common.when.iter().any(|when| occasion.fits(when)) {
        return Ok(Due::Skip(format!("`when` has {}, this is {}", quoted(&common.when), occasion_words(occasion))));
    }
    if common.paths.is_empty() {
        return Ok(Due::Run("every path".to_owned()));
    }
    let Some(change) = scope.change() else {
        return Ok(Due::Run("everything is judged".to_owned()));
    };
    if let Some(path) = change.unnameable.first() {
        return Ok(Due::Run(format!("{path} changed, and may match")));
    }
    let globs = globs(&common.paths)?;
    let matched = change
        .files
        .iter()
        .find(|(path, file)| {
            globs.is_match(path.as_str()) || file.old_path.as_ref().is_some_and(|old| globs.is_match(old.as_str()))
        })
        .map(|(path, _)| path);
    let may_match = |path: &&RepoPath| common.paths.iter().any(|pattern| may_match_below(pattern, path));
    let (moved, turned) = (change.submodules().find(may_match), change.links().find(may_match));
    Ok(match (matched, moved, turned) {
        (Some(path), ..) => Due::Run(format!("{path} changed")),
        (None, Some(path), _) => Due::Run(format!("{path} was moved to another commit, and files in it may match")),
        (None, None, Some(path)) => Due::Run(format!("the link {path} changed, and files behind it may match")),
        (None, None, None) => Due::Skip(format!("no changed file matches {}", quoted(&common.paths))),
    })
}

/// Whether nothing is there for `paths`: no pattern matches one of these files, or could match below one of these folders.
#[must_use]
pub fn matches_none(common: &Common, files: &[String]) -> bool {
    let Ok(globs) = globs(&common.paths) else { return false };
    let may = |path: &String| globs.is_match(path) || common.paths.iter().any(|pattern| may_match_below(pattern, path));
    !common.paths.is_empty() && !files.iter().any(may)
}

/// The first file of the change that is not on the disk although a gate is there for it.
#[must_use]
pub fn unseen<'a>(common: &Common, scope: &'a Scope) -> Option<&'a RepoPath> {
    let globs = globs(&common.paths).ok()?;
    let absent = &scope.change()?.absent;
    absent.iter().find(|path| common.paths.is_empty() || globs.is_match(path.as_str()))
}

/// Which findings count where the configuration leaves it open: for a kind that has less than all for a change `new` with
/// a baseline, else that, on a pull request, in a merge queue or on a laptop; for all others, tests too, all.
#[must_use]
pub fn default_only(kind_of_a_change: Only, occasion: &Occasion, has_baseline: bool) -> Only {
    let of_a_change =
        matches!(occasion.event.as_str(), "pull_request" | "pull_request_target" | "merge_group" | "local");
    match (kind_of_a_change, has_baseline) {
        (Only::All, _) => Only::All,
        (_, true) => Only::New,
        (only, false) if of_a_change => only,
        _ => Only::All,
    }
}

/// Patterns as `paths` has them: `*` stays within a folder, `**` does not, and what names a folder takes all below it:
/// a gate that no path could ever match would be skipped for good. So does one with brackets of which a folder has its name
/// (`app/[slug]/**`): they are taken for those too.
///
/// # Errors
/// When one is no glob.
fn globs(patterns: &[String]) -> Result<GlobSet, String> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let brackets = |c: char| if matches!(c, '[' | ']') { format!("[{c}]") } else { c.to_string() };
        let literal = pattern.contains('[').then(|| pattern.chars().map(brackets).collect());
        for pattern in std::iter::once(pattern.clone()).chain(literal) {
            for pattern in [pattern.clone(), format!("{pattern}/**")] {
                let glob = GlobBuilder::new(&pattern).literal_separator(true).build();
                set.add(glob.map_err(|error| format!("{pattern:?} is no path pattern: {error}"))?);
            }
        }
    }
    set.build().map_err(|error| format!("path patterns do not combine: {error}"))
}

/// Whether a pattern could match a path in this folder, by what stands before its first wildcard.
fn may_match_below(pattern: &str, folder: &impl fmt::Display) -> bool {
    let start = pattern.split(['*', '?', '[', '{', '\\']).next().unwrap_or_default();
    let folder = format!("{folder}/");
    start.starts_with(&folder) || folder.starts_with(start)
}

fn occasion_words(occasion: &Occasion) -> String {
    match &occasion.branch {
        Some(branch) => format!("{}:{branch}", occasion.event),
        None => occasion.event.clone(),
    }
}

fn quoted(words: &[String]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::change::{ChangeKind, ChangeSet, FileChange};
    use crate::model::gate::{Flaky, GateName, Mode};

    fn common(paths: &[&str], when: &[&str]) -> Common {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        Common {
            name: GateName::parse("g").unwrap(),
            kind: "lint".to_owned(),
            command: None,
            format: None,
            reports: Vec::new(),
            dir: String::new(),
            paths: words(paths),
            when: words(when),
            needs: Vec::new(),
            only: None,
            max_findings: 0,
            mode: Mode::Block,
            timeout: std::time::Duration::ZERO,
            grace: std::time::Duration::ZERO,
            retries: 0,
            flaky: Flaky::Warn,
            label: None,
        }
    }

    /// `path`, or `old -> path`.
    fn change(files: &[&str]) -> ChangeSet {
        let path = |text: &str| RepoPath::parse(text).unwrap();
        let file = |text: &&str| {
            let (old, new) = text.split_once(" -> ").map_or((None, *text), |(old, new)| (Some(path(old)), new));
            let change = FileChange {
                kind: ChangeKind::Modified,
                old_path: old,
                binary: false,
                link: false,
                added: Vec::new(),
                gone: BTreeSet::new(),
            };
            (path(new), change)
        };
        ChangeSet { files: files.iter().map(file).collect(), ..ChangeSet::default() }
    }

    fn said(common: &Common, event: &str, branch: Option<&str>, scope: &Scope) -> String {
        let occasion = Occasion { event: event.to_owned(), branch: branch.map(str::to_owned), ..Occasion::local() };
        match due(common, &occasion, scope) {
            Ok(Due::Run(why)) => format!("run: {why}"),
            Ok(Due::Skip(why)) => format!("skip: {why}"),
            Err(why) => format!("wrong: {why}"),
        }
    }

    #[test]
    fn paths_decide_where_a_change_is_known() {
        for (paths, files, expected) in [
            (&[][..], &["a.rs"][..], "run: every path"),
            (&["**/*.rs"], &["README.md", "src/a.rs"], "run: src/a.rs changed"),
            (&["*.rs"], &["src/a.rs"], "skip: no changed file matches `*.rs`"),
            (&["docs/**", "*.md"], &["a.rs", "b.rs"], "skip: no changed file matches `docs/**`, `*.md`"),
            (&["docs/**"], &["docs/a.md -> src/a.md"], "run: src/a.md changed"),
            (&["src"], &["src/deep/a.rs"], "run: src/deep/a.rs changed"),
            (&["app/[slug]/**"], &["app/[slug]/page.tsx"], "run: app/[slug]/page.tsx changed"),
            (&["app/[ab]/*.ts"], &["app/b/page.ts"], "run: app/b/page.ts changed"),
            (&["sr"], &["src/deep/a.rs"], "skip: no changed file matches `sr`"),
            (
                &["a["],
                &["a"],
                "wrong: \"a[\" is no path pattern: error parsing glob 'a[': unclosed character class; missing ']'",
            ),
        ] {
            let scope = Scope::Change(change(files));
            assert_eq!(said(&common(paths, &[]), "local", None, &scope), expected, "{paths:?} {files:?}");
        }
        let scope = Scope::Change(ChangeSet { unnameable: vec!["\\xff.js".to_owned()], ..change(&["a.md"]) });
        assert_eq!(said(&common(&["*.rs"], &[]), "local", None, &scope), "run: \\xff.js changed, and may match");
        let scope = Scope::Everything { why: "no base".to_owned() };
        assert_eq!(said(&common(&["*.rs"], &[]), "local", None, &scope), "run: everything is judged");
    }

    #[test]
    fn a_submodule_that_moved_may_hold_what_matches() {
        let mut moved = change(&["a.md", "ext/lib"]);
        moved.files.values_mut().for_each(|file| file.kind = ChangeKind::Submodule);
        moved.files.get_mut(&RepoPath::parse("a.md").unwrap()).unwrap().kind = ChangeKind::Modified;
        let scope = Scope::Change(moved);
        for (pattern, runs) in [
            ("ext/lib/src/**", true),
            ("ext/*/src/a.c", true),
            ("**/*.c", true),
            ("ext/library/**", false),
            ("src/**", false),
            ("a.md/x", false),
        ] {
            let said = said(&common(&[pattern], &[]), "local", None, &scope);
            let run = "run: ext/lib was moved to another commit, and files in it may match";
            assert_eq!(said == run, runs, "{pattern}: {said}");
        }
    }

    #[test]
    fn a_link_that_changed_may_lead_to_what_matches() {
        let mut turned = change(&["web"]);
        turned.files.values_mut().for_each(|file| file.link = true);
        let scope = Scope::Change(turned);
        let said = said(&common(&["web/**"], &[]), "local", None, &scope);
        assert_eq!(said, "run: the link web changed, and files behind it may match");
    }

    #[test]
    fn what_the_disk_lacks_concerns_the_gates_of_its_paths() {
        let path = RepoPath::parse("src/a.sh").unwrap();
        let scope = Scope::Change(ChangeSet { absent: vec![path.clone()], ..ChangeSet::default() });
        let unseen = |paths: &[&str]| unseen(&common(paths, &[]), &scope).cloned();
        assert_eq!([&["src/**"][..], &[], &["docs/**"]].map(unseen), [Some(path.clone()), Some(path), None]);
    }

    #[test]
    fn when_goes_before_paths() {
        let scope = Scope::Everything { why: "no base".to_owned() };
        for (when, event, branch, expected) in [
            (&[][..], "push", Some("main"), "run: every path"),
            (&["push"], "push", Some("main"), "run: every path"),
            (&["local", "push:main"], "push", Some("main"), "run: every path"),
            (&["pull_request:main"], "pull_request", Some("main"), "run: every path"),
            (
                &["pull_request:main"],
                "pull_request",
                Some("next"),
                "skip: `when` has `pull_request:main`, this is pull_request:next",
            ),
            (&["push:main", "schedule"], "push", Some("x"), "skip: `when` has `push:main`, `schedule`, this is push:x"),
            (&["push:main"], "push", None, "skip: `when` has `push:main`, this is push"),
            (&["push"], "local", None, "skip: `when` has `push`, this is local"),
        ] {
            assert_eq!(said(&common(&[], when), event, branch, &scope), expected, "{when:?} {event}");
        }
    }

    #[test]
    fn what_counts_where_nothing_is_configured() {
        for (event, of_a_lint) in [
            ("pull_request", Only::ChangedLines),
            ("pull_request_target", Only::ChangedLines),
            ("merge_group", Only::ChangedLines),
            ("local", Only::ChangedLines),
            ("push", Only::All),
            ("schedule", Only::All),
            ("workflow_dispatch", Only::All),
        ] {
            let occasion = Occasion { event: event.to_owned(), ..Occasion::local() };
            assert_eq!(default_only(Only::ChangedLines, &occasion, false), of_a_lint, "{event}");
            assert_eq!(default_only(Only::All, &occasion, false), Only::All, "{event}");
            assert_eq!(default_only(Only::ChangedLines, &occasion, true), Only::New, "{event}");
            assert_eq!(default_only(Only::All, &occasion, true), Only::All, "{event}");
        }
    }

    #[test]
    fn a_path_without_a_name_may_match() {
        let unnameable = ["a\u{fffd}", "b\u{fffd}"].map(str::to_owned).to_vec();
        let scope = Scope::Change(ChangeSet { unnameable, ..change(&[]) });
        let due = due(&common(&["*.rs"], &[]), &Occasion::local(), &scope).unwrap();
        assert_eq!(due, Due::Run("a\u{fffd} changed, and may match".to_owned()));
    }
}
