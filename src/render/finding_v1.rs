//! A finding as `report.json` and the `--json` of the direct commands show it: frozen, additive until 1.0.
//! It borrows, so that writing 50,000 of them copies nothing.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::finding::{Finding, Fix, Level};
use crate::model::report::{Judged, Relevance, Status};

/// One finding. Lines and columns are 1-based, columns count Unicode scalar values, `end_column` is exclusive;
/// `null` where the tool gave none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Finding")]
pub struct FindingV1<'a> {
    /// The tool's name for the rule.
    pub rule: Option<Cow<'a, str>>,
    /// Severity as the tool gave it.
    pub level: Level,
    /// What the tool said.
    pub message: Cow<'a, str>,
    /// Relative to the repository's root, with `/`; as the tool spelt it where it leads nowhere in there.
    pub path: Option<Cow<'a, str>>,
    /// First line.
    pub line: Option<u32>,
    /// First column.
    pub column: Option<u32>,
    /// Last line, inclusive.
    pub end_line: Option<u32>,
    /// Column just after the last character.
    pub end_column: Option<u32>,
    /// Its first line in `subject.head`, which receives annotations: another than `line` where a merge commit was judged.
    /// Absent where it has no counterpart there, and where the finding was parsed and not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_line: Option<u32>,
    /// How it lies to the change; `null` where everything is judged.
    pub relevance: Option<Relevance>,
    /// How it compares with the baseline; `null` without one.
    pub status: Option<Status>,
    /// Identity over line shifts; `null` where the finding was parsed and not judged.
    pub fingerprint: Option<Cow<'a, str>>,
    /// A page that explains the rule.
    pub help: Option<Cow<'a, str>>,
    /// A change that mends it.
    pub fix: Option<Cow<'a, Fix>>,
    /// Whether it counts against the gate.
    pub blocking: bool,
}

impl<'a> FindingV1<'a> {
    /// A finding that was only parsed: its path stays as given and everything from warning up counts.
    #[must_use]
    pub fn parsed(finding: &'a Finding) -> Self {
        Self {
            rule: finding.rule.as_deref().map(Cow::Borrowed),
            level: finding.level,
            message: Cow::Borrowed(&finding.message),
            path: finding.path.as_deref().map(Cow::Borrowed),
            line: finding.line,
            column: finding.column,
            end_line: finding.end_line,
            end_column: finding.end_column,
            head_line: None,
            relevance: None,
            status: None,
            fingerprint: None,
            help: finding.help.as_deref().map(Cow::Borrowed),
            fix: finding.fix.as_ref().map(Cow::Borrowed),
            blocking: finding.level >= Level::Warning,
        }
    }

    /// A finding with everything that was decided about it.
    #[must_use]
    pub fn judged(judged: &'a Judged) -> Self {
        let parsed = Self::parsed(&judged.finding);
        Self {
            path: judged.path.as_ref().map(|path| Cow::Borrowed(path.as_str())).or(parsed.path),
            head_line: judged.head_line.filter(|_| judged.path.is_some()),
            relevance: judged.relevance,
            status: judged.status,
            fingerprint: Some(Cow::Borrowed(&judged.fingerprint)),
            blocking: judged.blocking,
            ..parsed
        }
    }
}
