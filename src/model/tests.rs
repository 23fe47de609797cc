//! The cases a test run reported. Counts are always taken from the cases, never from a report's own totals.

use serde::{Deserialize, Serialize};

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
