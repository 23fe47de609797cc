//! The identity of a finding: rule, path, normalised text of its line and the number of its occurrence.
//! Never the line number, so that a finding keeps its identity when lines above it come and go.

use std::collections::HashMap;

use crate::model::finding::Finding;
use crate::model::path::RepoPath;
use crate::model::text::{fold_digits, fold_space};

/// Numbers the occurrences of equal findings within one gate, in report order.
#[derive(Debug, Default)]
pub struct Fingerprints {
    seen: HashMap<[u8; 16], u32>,
}

/// The identity of one finding, here and as the base would have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// 32 hexadecimal digits.
    pub here: String,
    /// The same under the path the file had in the base; equal to `here` unless the file was renamed.
    pub in_base: String,
}

impl Fingerprints {
    /// The identity of the next finding. Without a rule, or without the line's text, the message takes part,
    /// with runs of digits folded.
    pub fn next(
        &mut self,
        finding: &Finding,
        path: Option<&RepoPath>,
        old_path: Option<&RepoPath>,
        line_text: Option<&str>,
    ) -> Fingerprint {
        let hash = |path: Option<&RepoPath>| {
            let mut hasher = blake3::Hasher::new();
            let place = path.map(RepoPath::as_str).or(finding.path.as_deref()).unwrap_or_default();
            let text = line_text.map(fold_space).unwrap_or_default();
            let message = match (&finding.rule, line_text) {
                (Some(_), Some(_)) => String::new(),
                _ => fold_digits(&fold_space(&finding.message)),
            };
            for part in [finding.rule.as_deref().unwrap_or_default(), place, &text, &message] {
                hasher.update(&(part.len() as u64).to_le_bytes());
                hasher.update(part.as_bytes());
            }
            hasher
        };
        let here = hash(path);
        let mut key = [0; 16];
        key.copy_from_slice(&here.finalize().as_bytes()[..16]);
        let occurrence = self.seen.entry(key).and_modify(|n| *n += 1).or_insert(0);
        let finish = |mut hasher: blake3::Hasher| {
            hasher.update(&occurrence.to_le_bytes());
            hasher.finalize().to_hex()[..32].to_owned()
        };
        let in_base = old_path.map(|old| finish(hash(Some(old))));
        let here = finish(here);
        Fingerprint { in_base: in_base.unwrap_or_else(|| here.clone()), here }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(rule: &str, message: &str) -> Finding {
        Finding { rule: Some(rule.to_owned()), message: message.to_owned(), ..Finding::default() }
    }

    #[test]
    fn identity_is_rule_path_and_line_text() {
        let path = RepoPath::parse("src/a.js").unwrap();
        let mut prints = Fingerprints::default();
        let first = prints.next(&finding("r", "m 1"), Some(&path), None, Some("let  x = 1"));
        let again = Fingerprints::default().next(&finding("r", "m 2"), Some(&path), None, Some(" let x = 1 "));
        assert_eq!(first, again, "spacing and message do not matter where rule and text are known");
        let second = prints.next(&finding("r", "m 1"), Some(&path), None, Some("let x = 1"));
        assert_ne!(first, second, "a second occurrence is another finding");
        assert_ne!(first, Fingerprints::default().next(&finding("q", "m 1"), Some(&path), None, Some("let x = 1")));
        assert_ne!(first, Fingerprints::default().next(&finding("r", "m 1"), Some(&path), None, Some("let y = 1")));
        let other = RepoPath::parse("src/b.js").unwrap();
        assert_ne!(first, Fingerprints::default().next(&finding("r", "m 1"), Some(&other), None, Some("let x = 1")));
    }

    #[test]
    fn a_renamed_file_keeps_its_findings() {
        let old = RepoPath::parse("old.js").unwrap();
        let new = RepoPath::parse("new.js").unwrap();
        let before = Fingerprints::default().next(&finding("r", "m"), Some(&old), None, Some("x"));
        let after = Fingerprints::default().next(&finding("r", "m"), Some(&new), Some(&old), Some("x"));
        assert_eq!(before.here, after.in_base);
        assert_ne!(after.here, after.in_base);
    }

    #[test]
    fn without_a_rule_the_message_tells_findings_apart() {
        let plain = |message: &str| {
            let finding = Finding { message: message.to_owned(), ..Finding::default() };
            Fingerprints::default().next(&finding, None, None, Some("x")).here
        };
        assert_eq!(plain("line 10 is wrong"), plain("line 7 is wrong"));
        assert_ne!(plain("unused variable"), plain("missing return"));
    }

    #[test]
    fn without_a_line_the_message_and_the_spelt_path_tell_findings_apart() {
        let print = |message: &str, raw: &str| {
            let finding = Finding { path: Some(raw.to_owned()), ..finding("r", message) };
            Fingerprints::default().next(&finding, None, None, None)
        };
        assert_eq!(print("took 12.5 s  at 7", "/x"), print("took 3.25 s at 10", "/x"));
        assert_ne!(print("a1b", "/x"), print("ab", "/x"));
        assert_ne!(print("CVE-2016-1000027", "/x"), print("CVE-2022-22965", "/x"));
        assert_ne!(print("m", "/x"), print("n", "/x"));
        assert_ne!(print("m", "/x"), print("m", "/y"));
        assert_eq!(print("m", "/x").here, print("m", "/x").in_base, "nothing was renamed");
        let known = RepoPath::parse("a.rs").unwrap();
        let placed = |raw: &str| {
            let finding = Finding { path: Some(raw.to_owned()), ..finding("r", "m") };
            Fingerprints::default().next(&finding, Some(&known), None, None)
        };
        assert_eq!(placed("/x/a.rs"), placed("./a.rs"), "the real path goes before its spelling");
    }

    /// Baselines are kept: another value makes every known finding a new one.
    #[test]
    fn identities_stay_what_they_are() {
        let path = RepoPath::parse("src/a.js").unwrap();
        let mut prints = Fingerprints::default();
        let with_rule = finding("no-unused-vars", "'x' is unused");
        let without = Finding { message: " 12 errors in  3 files".to_owned(), ..Finding::default() };
        let here = [
            prints.next(&with_rule, Some(&path), None, Some("  let x = 1;")).here,
            prints.next(&with_rule, Some(&path), None, Some("  let x = 1;")).here,
            prints.next(&without, None, None, None).here,
        ];
        assert_eq!(
            here,
            [
                "892d46cdd9a9c573c87952f551d80a66",
                "5997aa64bfb55f72b35ce2d8d960465b",
                "7e1455f3f2a9eb22c2c27590af19b658"
            ]
        );
    }

    #[test]
    fn the_parts_do_not_run_into_each_other() {
        let path = |text| RepoPath::parse(text).unwrap();
        let print =
            |rule, file, text| Fingerprints::default().next(&finding(rule, "m"), Some(&path(file)), None, Some(text));
        assert_ne!(print("ra", "b", "c"), print("r", "ab", "c"));
        assert_ne!(print("r", "ab", "c"), print("r", "a", "bc"));
    }

    #[test]
    fn every_occurrence_has_its_own_number_in_both_names() {
        let (old, new) = (RepoPath::parse("old.js").unwrap(), RepoPath::parse("new.js").unwrap());
        let (mut before, mut after) = (Fingerprints::default(), Fingerprints::default());
        let mut seen = Vec::new();
        for _ in 0..3 {
            let base = before.next(&finding("r", "m"), Some(&old), None, Some("x")).here;
            assert_eq!(after.next(&finding("r", "m"), Some(&new), Some(&old), Some("x")).in_base, base);
            assert!(!seen.contains(&base));
            seen.push(base);
        }
    }
}
