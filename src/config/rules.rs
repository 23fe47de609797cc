//! What makes a path, a pattern, an event or a name in the configuration a good one. What could never match
//! anything is refused: a gate that is silently skipped would be greener than its evidence.

use globset::Glob;

use super::nearest::{advice, listed};
use super::values::Rule;
use crate::model::notice::EVENTS;
use crate::model::path::RepoPath;
use crate::model::settings::OUTPUT;

/// A glob relative to some folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern;

impl Rule for Pattern {
    const PATTERN: &'static str =
        r"^(?![/!\s]|.:)(?!.*(\\|//))(?!.*(^|/)\.\.?(/|$))(?!.*(^|[^\[])\{(,|\}|[^{}]*,(,|\}))).*[^/\s]$";

    fn check(text: &str) -> Result<(), String> {
        if text.is_empty() {
            return Err("the pattern is empty and matches nothing".to_owned());
        }
        if let Some(positive) = text.strip_prefix('!') {
            return Err(format!(
                "{text:?} would exclude: only patterns that include are read; name what {positive:?} leaves"
            ));
        }
        if text.contains('\\') {
            return Err(format!("{text:?} has a `\\`: folders are separated by `/`, and `[*]` stands for a real star"));
        }
        if text.starts_with('/') || text.as_bytes().get(1) == Some(&b':') {
            return Err(format!("{text:?} is absolute: write it relative to the folder it is looked for in"));
        }
        if text.split('/').any(|part| part == "..") {
            return Err(format!("{text:?} leads out of its folder by `..`"));
        }
        if let Some(rest) = text.strip_prefix("./") {
            return Err(format!("{text:?} matches nothing, as no path starts with `./`: write {rest:?}"));
        }
        if let Some(folder) = text.strip_suffix('/') {
            return Err(format!(
                "{text:?} matches no file: write {:?} for all below the folder",
                format!("{folder}/**")
            ));
        }
        if text.contains("//") || text.trim() != text {
            return Err(format!("{text:?} matches nothing: no path has `//`, or a space there at its ends"));
        }
        if text.split('/').any(|part| part == ".") {
            return Err(format!(
                "{text:?} matches nothing, as no path has a part `.`: `**` stands for all below a folder"
            ));
        }
        if has_empty_alternative(text) {
            return Err(format!(
                "{text:?} has an empty alternative in its `{{}}`, which matches nothing: name each, or leave it out"
            ));
        }
        Glob::new(text).map(|_| ()).map_err(|error| format!("{text:?} is no pattern: {}", error.kind()))
    }
}

/// Whether there is nothing between `{`, `,` and `}` somewhere; in `[…]` they are characters like others.
fn has_empty_alternative(text: &str) -> bool {
    let (mut depth, mut last, mut chars) = (0_usize, ' ', text.chars());
    while let Some(c) = chars.next() {
        match c {
            '[' => drop(chars.by_ref().skip(1).find(|c| *c == ']')),
            ',' | '}' if depth > 0 && matches!(last, '{' | ',') => return true,
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        last = c;
    }
    false
}

/// A glob of report files, relative to the gate's folder or to its output folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report;

impl Rule for Report {
    const PATTERN: &'static str = Pattern::PATTERN;

    fn check(text: &str) -> Result<(), String> {
        Pattern::check(text.strip_prefix(OUTPUT).unwrap_or(text))
    }
}

/// A folder of the repository; `.` is its root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder;

impl Rule for Folder {
    // Of a way up further in, only the reader sees how far it leads.
    const PATTERN: &'static str = r"^(?!/|\\|[A-Za-z]:)(?!(\./)*\.\.([/\\]|$))(?![^/]+/\.\./?$)[^\x00-\x1f\x7f-\x9f]*$";

    fn check(text: &str) -> Result<(), String> {
        if matches!(text, "" | "." | "./") {
            return Ok(());
        }
        RepoPath::parse(text)
            .map(|_| ())
            .map_err(|error| format!("{error}: write a folder relative to the repository's root"))
    }
}

/// An event, perhaps with a branch: `push:release/*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event;

impl Event {
    /// Every event a run can have: GitHub's names, and `local` outside Actions.
    pub const NAMES: &'static [&'static str] =
        &["pull_request", "push", "merge_group", "workflow_dispatch", "schedule", "issue_comment", "release", "local"];
    /// Those that have a branch.
    pub const WITH_BRANCH: &'static [&'static str] = &["pull_request", "push"];
}

impl Rule for Event {
    const PATTERN: &'static str = r"^(merge_group|workflow_dispatch|schedule|issue_comment|release|local|(pull_request|push)(:(?!refs/)([^*\s]+\*?|\*))?)$";

    fn check(text: &str) -> Result<(), String> {
        let (event, branch) = text.split_once(':').map_or((text, None), |(event, branch)| (event, Some(branch)));
        match event {
            "workflow_call" => {
                return Err("`workflow_call` is never a run's event: a called workflow has its caller's".to_owned());
            }
            "pull_request_target" | "workflow_run" => {
                return Err(format!("`{event}` runs with secrets: gatepost runs no gate there; use `pull_request`"));
            }
            _ if !Self::NAMES.contains(&event) => {
                return Err(format!("unknown event `{event}`: {}", advice(event, Self::NAMES)));
            }
            _ => {}
        }
        let Some(branch) = branch else { return Ok(()) };
        if !Self::WITH_BRANCH.contains(&event) {
            return Err(format!("`{event}` has no branch to compare: only {} have", listed(Self::WITH_BRANCH)));
        }
        if branch.is_empty() {
            return Err(format!("`{text}` names no branch: write `{event}:main`, or `{event}` for every branch"));
        }
        if let Some(short) = branch.strip_prefix("refs/heads/") {
            return Err(format!("`{text}` matches nothing: write the branch without `refs/heads/`, `{event}:{short}`"));
        }
        if branch.starts_with("refs/") || branch.contains(char::is_whitespace) {
            return Err(format!("`{text}` names no branch: write its short name, as in `{event}:main`"));
        }
        match branch.find('*') {
            Some(at) if at + 1 < branch.len() => Err(format!(
                "`{text}` has a `*` before its end: it stands for any ending only, as in `{event}:release/*`"
            )),
            _ => Ok(()),
        }
    }
}

/// A branch or tag, perhaps with a `*` at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch;

impl Rule for Branch {
    const PATTERN: &'static str = r"^[^*\s]*\*?$";

    fn check(text: &str) -> Result<(), String> {
        let stem = text.strip_suffix('*').unwrap_or(text);
        if text.is_empty() || stem.contains('*') || stem.contains(char::is_whitespace) {
            return Err(format!("{text:?} names no branch or tag: a `*` may stand at its end, as in `release/*`"));
        }
        Ok(())
    }
}

/// Where something answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address;

impl Rule for Address {
    const PATTERN: &'static str = "^https?://";

    fn check(text: &str) -> Result<(), String> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        match rest {
            Some(rest) if !rest.is_empty() && !rest.starts_with('/') && !rest.contains(['@', ' ']) => Ok(()),
            _ => Err(format!("{text:?} is no address: write https://host, without a user")),
        }
    }
}

/// The name of an environment variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable;

impl Rule for Variable {
    const PATTERN: &'static str = "^[A-Za-z_][A-Za-z0-9_]*$";

    fn check(text: &str) -> Result<(), String> {
        let good = !text.is_empty()
            && !text.as_bytes()[0].is_ascii_digit()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if good {
            Ok(())
        } else {
            Err(format!("{text:?} is no variable's name: letters, digits and `_`, without a value"))
        }
    }
}

/// Where a secret is found: `env:NAME`. It never stands in the file itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FromEnv;

impl Rule for FromEnv {
    const PATTERN: &'static str = "^env:[A-Za-z_][A-Za-z0-9_]*$";

    fn check(text: &str) -> Result<(), String> {
        match text.strip_prefix("env:") {
            Some(name) => Variable::check(name),
            // What stands there may be the secret: it is not repeated.
            None => {
                Err("a secret does not stand in the configuration: name a variable that holds it, as in \"env:NAME\""
                    .to_owned())
            }
        }
    }
}

/// An event that notifiers tell, or the first word of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeName;

impl NoticeName {
    /// Every word that may be written: the events, but for the test that every route gets, and their groups.
    pub fn words() -> Vec<&'static str> {
        let names = EVENTS.iter().map(|event| event.name).filter(|name| *name != "test");
        let mut words: Vec<&str> = names.flat_map(|name| [name.split('.').next().unwrap_or(name), name]).collect();
        words.sort_unstable();
        words.dedup();
        words
    }
}

impl Rule for NoticeName {
    const PATTERN: &'static str = r"^[a-z]+(\.[a-z]+)?$";

    fn check(text: &str) -> Result<(), String> {
        let words = Self::words();
        if words.contains(&text) {
            return Ok(());
        }
        Err(format!("there is no event `{}`: {}", crate::model::text::one_line(text, 60), advice(text, &words)))
    }
}

/// A branch, tag or commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision;

impl Rule for Revision {
    const PATTERN: &'static str = r"^[^-\s][^\s]*$";

    fn check(text: &str) -> Result<(), String> {
        let good =
            !text.is_empty() && !text.starts_with('-') && !text.contains(|c: char| c.is_whitespace() || c.is_control());
        if good { Ok(()) } else { Err(format!("{text:?} names no branch, tag or commit, as `origin/main` does")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matches_nothing_is_refused() {
        for good in [
            "src/**",
            "**/*.{js,ts}",
            "a",
            "[ab].rs",
            "out/*.sarif",
            "a,,b",
            "[{}]x",
            "[,{]{a,b}",
            ".github/**",
            "a.b/c.",
        ] {
            assert_eq!(Pattern::check(good), Ok(()));
        }
        for bad in
            ["src//a", " src/**", "src/** ", ".", "src/./**", "src/.", "{}", "{a,}", "src{,/x}/**", "{a,,b}", "{{}}"]
        {
            assert!(Pattern::check(bad).is_err(), "{bad}");
        }
        for bad in ["", "/src", "!x", "../x", "a/../b", "./src/**", "src/", "a[", "{a", "src\\*.rs", "C:x"] {
            assert!(Pattern::check(bad).is_err(), "{bad}");
        }
        assert_eq!(Report::check("$GATEPOST_OUTPUT/junit.xml"), Ok(()));
        assert!(Report::check("$GATEPOST_OUTPUT/../junit.xml").is_err());
        for good in ["push", "push:main", "pull_request:release/*", "push:*", "local"] {
            assert_eq!(Event::check(good), Ok(()));
        }
        for bad in [
            "",
            "pushh",
            "push:",
            "push:*/x",
            "push:a**",
            "schedule:main",
            "workflow_call",
            "pull_request_target",
            "push:a*b*",
            "push:refs/heads/main",
            "push:refs/tags/v1",
            "push:main ",
        ] {
            assert!(Event::check(bad).is_err(), "{bad}");
        }
        for (good, bad) in [("NPM_TOKEN", "A=1"), ("_x9", "9x"), ("a", "")] {
            assert!(Variable::check(good).is_ok() && Variable::check(bad).is_err());
        }
        for (good, bad) in [("env:HOOK", "https://hooks.example/x"), ("env:_a", "env:"), ("env:A1", "env:A=1")] {
            assert!(FromEnv::check(good).is_ok() && FromEnv::check(bad).is_err());
        }
        for (good, bad) in [("deploy", "deploys"), ("rollback.failed", "rollback."), ("rollback", "test")] {
            assert!(NoticeName::check(good).is_ok() && NoticeName::check(bad).is_err());
        }
        for (good, bad) in [("origin/main", "--upload-pack=x"), ("HEAD~1", ""), ("v1", "a b")] {
            assert!(Revision::check(good).is_ok() && Revision::check(bad).is_err());
        }
        for (good, bad) in [(".", "/x"), ("a/b", "../b"), ("./a", "a/../../b")] {
            assert!(Folder::check(good).is_ok() && Folder::check(bad).is_err());
        }
    }
}
