//! What a check run tells a later deploy about itself, in its external id: the run, the gate, and how much was judged.
//! People are told in words elsewhere.

use crate::model::gate::GateName;
use crate::model::outcome::Outcome;
use crate::model::report::{GateReport, Subject};

/// The external id of a gate's check run: `gatepost:RUN.ATTEMPT:GATE:SCOPE:BASE:CONFIG`, where the scope is `all`,
/// `change` or `report`, and the base the commit that was compared with, or `-`.
#[must_use]
pub fn external_id(run: &str, gate: &GateReport, subject: &Subject, config: &str) -> String {
    let scope = match () {
        () if gate.not_enforced() || subject.dirty => "report",
        () if gate.only == "all" && gate.outcome != Outcome::Skipped => "all",
        () => "change",
    };
    let base = subject.base.as_ref().map_or("-", |base| base.as_str());
    format!("gatepost:{run}:{}:{scope}:{base}:{config}", gate.name)
}

/// The external id of a check run that says that its gate was overridden: it leads to the comment that did.
#[must_use]
pub fn override_id(run: &str, gate: &GateName, comment: u64) -> String {
    format!("gatepost:{run}:{gate}:override:{comment}:-")
}

/// A configuration in 16 digits: two that differ have other ones.
#[must_use]
pub fn digest(config: &str) -> String {
    blake3::hash(config.as_bytes()).to_hex().as_str()[..16].to_owned()
}
