//! Test cases as `report.json` and the `--json` of the direct commands show them: frozen, additive until 1.0.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::report::TestsCompared;
use crate::model::tests::{Case, CaseName, CaseOutcome, Tests};

/// The cases of a run and their counts: `total = passed + failed + errored + skipped`; `flaky` are among the passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Tests")]
pub struct TestsV1<'a> {
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
    /// Wall time in milliseconds as the report states it.
    pub took_ms: Option<u64>,
    /// Every case, in report order.
    pub cases: Vec<CaseV1<'a>>,
}

/// One test case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Case")]
pub struct CaseV1<'a> {
    /// The suite or binary it belongs to.
    pub suite: Option<Cow<'a, str>>,
    /// The class or module, where the report gives one.
    pub class: Option<Cow<'a, str>>,
    /// The case's own name.
    pub name: Cow<'a, str>,
    /// The file as the tool spelt it.
    pub file: Option<Cow<'a, str>>,
    /// First line, from 1.
    pub line: Option<u32>,
    /// Its line in `subject.head`, which receives annotations: another than `line` where a merge commit was judged.
    /// Absent where it has no counterpart there, where the file is none of the repository, and where it was only parsed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_line: Option<u32>,
    /// How it ended.
    pub outcome: CaseOutcome,
    /// Passed only after failing at least once in the same run.
    #[serde(default)]
    pub flaky: bool,
    /// Wall time in milliseconds.
    pub took_ms: Option<u64>,
    /// Why it failed or was skipped.
    pub message: Option<Cow<'a, str>>,
}

/// Names of tests, compared with those of the baseline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Compared")]
pub struct ComparedV1<'a> {
    /// Failing, and not, or not as often, in the base.
    pub new_failures: Cow<'a, [CaseName]>,
    /// Failing, as in the base.
    pub still_failing: Cow<'a, [CaseName]>,
    /// Failing in the base, and holding now.
    pub fixed: Cow<'a, [CaseName]>,
    /// In the base, and no longer there, or not as often.
    pub removed: Cow<'a, [CaseName]>,
    /// Ran in the base, and skipped now.
    pub newly_skipped: Cow<'a, [CaseName]>,
    /// The baseline is of another commit than the base: it does not excuse what still fails.
    pub older: bool,
}

impl<'a> From<&'a TestsCompared> for ComparedV1<'a> {
    fn from(compared: &'a TestsCompared) -> Self {
        Self {
            new_failures: Cow::Borrowed(&compared.new_failures),
            still_failing: Cow::Borrowed(&compared.still_failing),
            fixed: Cow::Borrowed(&compared.fixed),
            removed: Cow::Borrowed(&compared.removed),
            newly_skipped: Cow::Borrowed(&compared.newly_skipped),
            older: compared.older,
        }
    }
}

impl<'a> From<&'a Tests> for TestsV1<'a> {
    fn from(tests: &'a Tests) -> Self {
        let counts = tests.counts();
        Self {
            total: counts.total,
            passed: counts.passed,
            failed: counts.failed,
            errored: counts.errored,
            skipped: counts.skipped,
            flaky: counts.flaky,
            took_ms: tests.took_ms,
            cases: tests.cases.iter().map(CaseV1::from).collect(),
        }
    }
}

impl<'a> From<&'a Case> for CaseV1<'a> {
    fn from(case: &'a Case) -> Self {
        Self {
            suite: case.suite.as_deref().map(Cow::Borrowed),
            class: case.class.as_deref().map(Cow::Borrowed),
            name: Cow::Borrowed(&case.name),
            file: case.file.as_deref().map(Cow::Borrowed),
            line: case.line,
            head_line: case.head_line,
            outcome: case.outcome,
            flaky: case.flaky,
            took_ms: case.took_ms,
            message: case.message.as_deref().map(Cow::Borrowed),
        }
    }
}
