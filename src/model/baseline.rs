//! What a report of the base already had, by gate and fingerprint.

use std::collections::{BTreeMap, HashSet};

use crate::model::gate::GateName;
use crate::model::sha::Sha;

/// A report of the base, as far as comparing needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline {
    /// The commit it was made of.
    pub head: Option<Sha>,
    /// By gate. A gate that could not be judged there is left out: it says nothing.
    pub gates: BTreeMap<GateName, GateBaseline>,
}

/// One gate's findings in the base.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GateBaseline {
    fingerprints: HashSet<String>,
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

impl FromIterator<String> for GateBaseline {
    fn from_iter<I: IntoIterator<Item = String>>(fingerprints: I) -> Self {
        Self { fingerprints: fingerprints.into_iter().collect() }
    }
}
