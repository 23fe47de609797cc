//! What a report of the base already had, by gate: fingerprints of findings, and how its tests ended.

use std::collections::{BTreeMap, HashSet};

use crate::model::finding::Finding;
use crate::model::gate::GateName;
use crate::model::path::RepoPath;
use crate::model::report::{GateReport, Judged};
use crate::model::sha::Sha;
use crate::model::tests::{CaseName, Share};
use crate::model::text::{fold_digits, fold_space};

/// A report of the base, as far as comparing needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline {
    /// The commit it was made of.
    pub head: Option<Sha>,
    /// The tree that was judged, where the report says it: a pull request's is that of its merge.
    pub tree: Option<Sha>,
    /// `owner/name`, where the report says it.
    pub repository: Option<String>,
    /// GitHub's event name, or `local`.
    pub event: String,
    /// The version of gatepost that wrote it.
    pub version: String,
    /// It was made of a work tree that differed from `head`.
    pub dirty: bool,
    /// By gate. A gate that could not be judged there is left out: it says nothing.
    pub gates: BTreeMap<GateName, GateBaseline>,
}

impl Baseline {
    /// Marks it as one of another commit than the base: what it has is known to be old only where the change has not
    /// touched it.
    #[must_use]
    pub fn of_another_commit(mut self) -> Self {
        self.gates.values_mut().for_each(|gate| gate.older = true);
        self
    }
}

/// One gate in the base.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GateBaseline {
    fingerprints: HashSet<String>,
    /// What its findings say; nothing where that is not known.
    words: HashSet<Words>,
    /// Its kind; empty where it is not known.
    pub kind: String,
    /// What was executed, argv; empty where it is not known.
    pub command: Vec<String>,
    /// Its tests; `None` where it had none.
    pub tests: Option<BTreeMap<CaseName, Share>>,
    /// It is of another commit than the base.
    pub older: bool,
}

impl GateBaseline {
    /// Whether the base had it.
    #[must_use]
    pub fn has(&self, fingerprint: &str) -> bool {
        self.fingerprints.contains(fingerprint)
    }

    /// Whether a finding of the base said the same.
    #[must_use]
    pub fn says(&self, words: &Words) -> bool {
        self.words.is_empty() || self.words.contains(words)
    }

    /// How many findings the base had.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fingerprints.len()
    }

    /// Whether the base had none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fingerprints.is_empty()
    }
}

/// What a finding says, by which rule and in which file, without spacing and numbers, which tools count anew.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Words {
    rule: Option<String>,
    path: Option<String>,
    message: String,
}

impl Words {
    /// Of a finding at a path as the base has it.
    #[must_use]
    pub fn of(finding: &Finding, path: Option<&str>) -> Self {
        let message = fold_digits(&fold_space(&finding.message));
        Self { rule: finding.rule.clone(), path: path.map(str::to_owned), message }
    }
}

impl From<GateReport> for GateBaseline {
    fn from(gate: GateReport) -> Self {
        let words = |judged: &Judged| {
            Words::of(&judged.finding, judged.path.as_ref().map(RepoPath::as_str).or(judged.finding.path.as_deref()))
        };
        let words = gate.findings.iter().map(words).collect();
        let prints = gate.findings.into_iter().map(|judged| judged.fingerprint).filter(|print| !print.is_empty());
        Self {
            words,
            kind: gate.kind,
            command: gate.command,
            tests: gate.tests.map(|tests| tests.by_name()),
            ..prints.collect()
        }
    }
}

impl FromIterator<String> for GateBaseline {
    fn from_iter<I: IntoIterator<Item = String>>(fingerprints: I) -> Self {
        Self { fingerprints: fingerprints.into_iter().collect(), ..Self::default() }
    }
}
