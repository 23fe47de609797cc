//! What a report of the base already had, by gate: fingerprints of findings, and how its tests ended.

use std::collections::{BTreeMap, HashSet};

use crate::model::gate::GateName;
use crate::model::report::GateReport;
use crate::model::sha::Sha;
use crate::model::tests::{CaseName, Share};

/// A report of the base, as far as comparing needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline {
    /// The commit it was made of.
    pub head: Option<Sha>,
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

impl From<GateReport> for GateBaseline {
    fn from(gate: GateReport) -> Self {
        let prints = gate.findings.into_iter().map(|judged| judged.fingerprint).filter(|print| !print.is_empty());
        Self {
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
