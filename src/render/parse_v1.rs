//! The frozen JSON of `gatepost parse --json`, schema `gatepost.parse/v1`: additive until 1.0.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::evidence::Parsed;
use crate::render::finding_v1::FindingV1;
use crate::render::tests_v1::TestsV1;

/// What one tool's output was understood to say. A part that the format does not have is `null`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Parse")]
pub struct ParseV1<'a> {
    /// `gatepost.parse/v1`.
    pub schema: Cow<'a, str>,
    /// The format it was read as.
    pub format: Cow<'a, str>,
    /// What the tool complained about; `null` for a format of tests.
    pub findings: Option<Vec<FindingV1<'a>>>,
    /// The test cases; `null` for a format of findings.
    pub tests: Option<TestsV1<'a>>,
    /// No format of coverage is read yet.
    pub coverage: Option<()>,
    /// No format of load tests is read yet.
    pub load: Option<()>,
    /// What was not understood, or was put right while reading.
    pub notes: Vec<Cow<'a, str>>,
}

impl<'a> ParseV1<'a> {
    /// Everything as parsed: paths stay as given, nothing was compared, everything from warning up counts.
    #[must_use]
    pub fn new(format: &'a str, parsed: &'a Parsed) -> Self {
        let findings: Vec<_> = parsed.findings.iter().map(FindingV1::parsed).collect();
        Self {
            schema: Cow::Borrowed("gatepost.parse/v1"),
            format: Cow::Borrowed(format),
            findings: (parsed.tests.is_none() || !findings.is_empty()).then_some(findings),
            tests: parsed.tests.as_ref().map(TestsV1::from),
            coverage: None,
            load: None,
            notes: parsed.notes.iter().chain(&parsed.unexplained_exit).map(|note| Cow::from(note.as_str())).collect(),
        }
    }
}
