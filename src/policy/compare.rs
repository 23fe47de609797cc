//! Compares tests with those of the base, by name. Cases that share a name are told apart by their number only.

use std::collections::BTreeMap;

use crate::model::baseline::GateBaseline;
use crate::model::report::TestsCompared;
use crate::model::tests::{CaseName, Share, Tests};

/// How these tests compare with the base's; `None` where it had none.
#[must_use]
pub fn compare(tests: &Tests, base: &GateBaseline) -> Option<TestsCompared> {
    let before = base.tests.as_ref()?;
    let now = tests.by_name();
    let mut compared = TestsCompared { older: base.older, ..TestsCompared::default() };
    for (name, share) in &now {
        let old = before.get(name).copied().unwrap_or_default();
        match (old, share) {
            _ if share.broken > old.broken => compared.new_failures.push(name.clone()),
            _ if share.broken > 0 => compared.still_failing.push(name.clone()),
            _ if share.ran == 0 && old.ran > 0 => compared.newly_skipped.push(name.clone()),
            _ if old.broken > 0 => compared.fixed.push(name.clone()),
            _ => {}
        }
    }
    compared.removed = removed(before, &now);
    Some(compared)
}

fn removed(before: &BTreeMap<CaseName, Share>, now: &BTreeMap<CaseName, Share>) -> Vec<CaseName> {
    let left = |name: &CaseName| now.get(name).map_or(0, |share| share.total);
    before.iter().filter(|(name, old)| left(name) < old.total).map(|(name, _)| name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::outcome::Outcome;
    use crate::model::report::GateReport;
    use crate::policy::tests::{claimed, tests};

    fn compared(before: &str, now: &str) -> String {
        let base = GateBaseline::from(GateReport { tests: Some(tests(before)), ..claimed("test", Outcome::Pass) });
        let compared = compare(&tests(now), &base).unwrap();
        let lists = [
            ("new", compared.new_failures),
            ("still", compared.still_failing),
            ("skipped", compared.newly_skipped),
            ("fixed", compared.fixed),
            ("removed", compared.removed),
        ];
        lists.into_iter().flat_map(|(word, names)| vec![word; names.len()]).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_test_is_compared_with_itself_in_the_base() {
        for (before, now, expected) in [
            ("p", "p", ""),
            ("p", "f", "new"),
            ("p", "e", "new"),
            ("s", "f", "new"),
            ("", "f", "new"),
            ("f", "f", "still"),
            ("f", "e", "still"),
            ("p", "s", "skipped"),
            ("f", "s", "skipped"),
            ("s", "s", ""),
            ("", "s", ""),
            ("", "p", ""),
            ("f", "p", "fixed"),
            ("s", "p", ""),
            ("pp", "p", "removed"),
            ("pfs", "", "removed removed removed"),
            ("pf", "fp", "new fixed"),
        ] {
            assert_eq!(compared(before, now), expected, "{before:?} {now:?}");
        }
        assert_eq!(compare(&tests("p"), &GateBaseline::from(claimed("test", Outcome::Pass))), None);
    }
}
