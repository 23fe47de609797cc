//! The cases a test run reported. Counts are always taken from the cases, never from a report's own totals.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::text;

/// How one test case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaseOutcome {
    /// It ran and held.
    Passed,
    /// It ran and did not hold.
    Failed,
    /// It could not be run to its end.
    Errored,
    /// It did not run.
    Skipped,
}

impl CaseOutcome {
    /// Whether the case did not hold.
    #[must_use]
    pub const fn is_broken(self) -> bool {
        matches!(self, Self::Failed | Self::Errored)
    }
}

/// One test case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Case {
    /// The suite or binary it belongs to.
    pub suite: Option<String>,
    /// The class or module, where the report gives one.
    pub class: Option<String>,
    /// The case's own name. Untrusted.
    pub name: String,
    /// The file as the tool spelt it.
    pub file: Option<String>,
    /// First line, from 1.
    pub line: Option<u32>,
    /// The line of the head commit, which receives annotations; `None` where that has none, or the file is not known.
    #[serde(default)]
    pub head_line: Option<u32>,
    /// How it ended.
    pub outcome: CaseOutcome,
    /// Passed only after failing at least once in the same run. Such a case counts as passed *and* as flaky.
    #[serde(default)]
    pub flaky: bool,
    /// Wall time in milliseconds, where given.
    pub took_ms: Option<u64>,
    /// Why it failed or was skipped. Untrusted.
    pub message: Option<String>,
}

/// What names a case from run to run. Several cases of a run may share it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CaseName {
    /// The suite or binary it belongs to.
    pub suite: Option<String>,
    /// The class or module, where the report gives one.
    pub class: Option<String>,
    /// The case's own name. Untrusted.
    pub name: String,
}

impl Case {
    /// Its name in other runs, as a report shows it: without what nobody sees.
    #[must_use]
    pub fn named(&self) -> CaseName {
        let shown = |text: &Option<String>| text.as_deref().map(text::clean);
        CaseName { suite: shown(&self.suite), class: shown(&self.class), name: text::clean(&self.name) }
    }
}

/// What a test stands in, from the outside: vitest and `PHPUnit` call suite and class the same.
pub fn groups<'a>(suite: &'a Option<String>, class: &'a Option<String>) -> impl Iterator<Item = &'a String> {
    suite.iter().chain(class.iter().filter(move |class| suite.as_ref() != Some(*class)))
}

impl fmt::Display for CaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in groups(&self.suite, &self.class) {
            write!(f, "{part} › ")?;
        }
        f.write_str(&self.name)
    }
}

/// How often a name stands among the cases of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// All cases of the name.
    pub total: usize,
    /// Those that ran.
    pub ran: usize,
    /// Those that failed or could not be run to their end.
    pub broken: usize,
}

impl Share {
    /// Adds a case.
    pub fn count(&mut self, outcome: CaseOutcome) {
        self.total += 1;
        self.ran += usize::from(outcome != CaseOutcome::Skipped);
        self.broken += usize::from(outcome.is_broken());
    }
}

/// All cases of a run, in report order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tests {
    /// Every case, skipped ones included.
    pub cases: Vec<Case>,
    /// Wall time in milliseconds as the report states it.
    pub took_ms: Option<u64>,
}

/// The counts of a [`Tests`]: `total = passed + failed + errored + skipped`; `flaky` are among the passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// All cases.
    pub total: usize,
    /// Ran and held.
    pub passed: usize,
    /// Ran and did not hold.
    pub failed: usize,
    /// Could not be run to their end.
    pub errored: usize,
    /// Did not run.
    pub skipped: usize,
    /// Passed only on a retry.
    pub flaky: usize,
}

impl Counts {
    /// Cases that really ran.
    #[must_use]
    pub const fn ran(&self) -> usize {
        self.passed + self.failed + self.errored
    }
}

impl Tests {
    /// The cases by name.
    #[must_use]
    pub fn by_name(&self) -> BTreeMap<CaseName, Share> {
        let mut shares: BTreeMap<CaseName, Share> = BTreeMap::new();
        for case in &self.cases {
            shares.entry(case.named()).or_default().count(case.outcome);
        }
        shares
    }

    /// Counts the cases.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts { total: self.cases.len(), ..Counts::default() };
        for case in &self.cases {
            match case.outcome {
                CaseOutcome::Passed => counts.passed += 1,
                CaseOutcome::Failed => counts.failed += 1,
                CaseOutcome::Errored => counts.errored += 1,
                CaseOutcome::Skipped => counts.skipped += 1,
            }
            counts.flaky += usize::from(case.flaky);
        }
        counts
    }
}
