//! What a check run tells a later deploy about itself, in its external id: the run, the gate, and how much was judged.
//! People are told in words elsewhere.

use crate::model::gate::GateName;
use crate::model::report::{GateReport, Subject};

/// The external id of a gate's check run: `gatepost:RUN.ATTEMPT:GATE:SCOPE:BASE:CONFIG`, where the scope is `all`,
/// `change` or `report`, and the base the commit that was compared with, or `-`.
#[must_use]
pub fn external_id(run: &str, gate: &GateReport, subject: &Subject, config: &str) -> String {
    let scope = match () {
        () if gate.not_enforced() || subject.dirty => "report",
        () if gate.judged_everything() => "all",
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::gate::GateName;
    use crate::model::migration::Migrations;
    use crate::model::outcome::Outcome;

    #[test]
    fn migrations_that_were_only_applied_were_not_judged() {
        let name = GateName::parse("db").unwrap();
        let gate = |of_the_base| GateReport {
            outcome: Outcome::Pass,
            only: "all".to_owned(),
            migrations: Some(Migrations { of_the_base, ..Migrations::default() }),
            ..GateReport::unjudged(name.clone(), "migrations".to_owned())
        };
        let scope = |of_the_base| external_id("7.1", &gate(of_the_base), &Subject::default(), "c");
        assert_eq!(scope(0), "gatepost:7.1:db:all:-:c");
        assert_eq!(scope(3), "gatepost:7.1:db:change:-:c");
    }
}
