//! What a check run tells a later deploy about itself, in its external id: who made it, the gate, and how much was judged.
//! People are told in words elsewhere.

use crate::model::check_id::{CheckId, EDITED, OVERRIDE, digits};
use crate::model::gate::GateName;
use crate::model::report::{GateReport, Subject};

pub use crate::model::check_id::job;

/// The process that posts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maker {
    /// Run id and attempt.
    pub run: String,
    /// Its job, as [`job`] names it.
    pub job: String,
    /// A random word of its own.
    pub made: String,
}

/// The external id of a gate's check run. See [`CheckId::scope`].
#[must_use]
pub fn external_id(by: &Maker, gate: &GateReport, subject: &Subject) -> String {
    let scope = match () {
        () if gate.not_enforced() => "report",
        () if subject.dirty => EDITED,
        () if gate.judged_everything() => "all",
        () => "change",
    };
    let base = subject.base.as_ref().map_or("-", |base| base.as_str());
    let config = subject.config.as_deref().unwrap_or("-");
    let tree = subject.tree.as_ref().map_or("-", |tree| tree.as_str());
    let event = if subject.event.is_empty() { "-" } else { &subject.event };
    let Maker { run, job, made } = by;
    CheckId { run, gate: gate.name.as_str(), scope, base, config, job, made, tree, event }.to_string()
}

/// The external id of a check run that says that its gate was overridden: it leads to the comment that did, and is the same
/// however often it is asked for. It holds for the gate of the configuration at that place alone.
#[must_use]
pub fn override_id(run: &str, gate: &GateName, comment: u64, place: &str) -> String {
    let (comment, config) = (comment.to_string(), of_place(place));
    let (gate, base, config) = (gate.as_str(), comment.as_str(), config.as_str());
    CheckId { run, gate, scope: OVERRIDE, base, config, job: "-", made: "-", tree: "-", event: "-" }.to_string()
}

/// Whatever stands at a place in the repository: as [`digest`], without a text.
#[must_use]
pub fn of_place(place: &str) -> String {
    format!("{}.-", digits(place, 8))
}

/// A configuration: its place in the repository in 8 digits, its text in 16. Two that differ have other ones.
#[must_use]
pub fn digest(place: &str, text: &str) -> String {
    format!("{}.{}", digits(place, 8), digits(text, 16))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::gate::GateName;
    use crate::model::migration::Migrations;
    use crate::model::outcome::Outcome;
    use crate::model::report::Report;

    #[test]
    fn migrations_that_were_only_applied_were_not_judged() {
        let name = GateName::parse("db").unwrap();
        let gate = |of_the_base| GateReport {
            outcome: Outcome::Pass,
            only: "all".to_owned(),
            migrations: Some(Migrations { of_the_base, ..Migrations::default() }),
            ..GateReport::unjudged(name.clone(), "migrations".to_owned())
        };
        let by = Maker { run: "7.1".to_owned(), job: "-".to_owned(), made: "ab".to_owned() };
        let scope = |of_the_base| external_id(&by, &gate(of_the_base), &Subject::default());
        assert_eq!(scope(Some(0)), "gatepost:7.1:db:all:-:-:-:ab:-:-");
        assert_eq!(scope(Some(3)), "gatepost:7.1:db:change:-:-:-:ab:-:-");
        assert_eq!(scope(None), "gatepost:7.1:db:change:-:-:-:ab:-:-", "an older version's report does not say");
        for of_the_base in [None, Some(0), Some(3)] {
            let report = Report { gates: vec![gate(of_the_base)], ..crate::publish::sample::report() };
            let text = crate::render::json_v1::write(&report).unwrap();
            let read = crate::parse::report::read(text.as_bytes()).unwrap();
            assert_eq!(external_id(&by, &read.gates[0], &Subject::default()), scope(of_the_base), "read back");
        }
    }
}
