//! Which gates must be in the reports, and what the configuration says of them.

use std::path::Path;

use crate::app::Failure;
use crate::app::project::{self, Project, Source, Wrong};
use crate::app::scope::Judged;
use crate::app::work;
use crate::config;
use crate::gate::Gate;
use crate::model::change::Scope;
use crate::model::event::Occasion;
use crate::model::gate::GateName;
use crate::model::path::RepoPath;
use crate::policy::{self, Configured, Due, Expected, Part};

/// What is known of the change when it is asked which gates are due.
#[derive(Debug, Clone, Copy)]
pub enum Known<'a> {
    /// The files that it touches.
    Change(&'a Judged),
    /// Nothing: `paths` may leave any gate out, `when` may not.
    Nothing,
}

/// The gates of a configuration.
///
/// # Errors
/// When a pattern of `paths` is no glob.
pub fn configured(gates: &[Box<dyn Gate>], occasion: &Occasion, known: Known<'_>) -> Result<Vec<Expected>, Failure> {
    let everything = Scope::Everything { why: "the change is not known here".to_owned() };
    let of = |gate: &dyn Gate| {
        let common = gate.common();
        let due = match known {
            Known::Change(judged) => work::decide(gate, occasion, judged, None)?.1,
            Known::Nothing => policy::due(common, occasion, &everything).map_err(Failure::usage)?,
        };
        Ok(Expected {
            name: common.name.clone(),
            kind: common.kind.clone(),
            configured: Some(Configured { rules: gate.rules(), only: common.only }),
            due: match due {
                Due::Run(why) => Some(why),
                Due::Skip(_) => None,
            },
            never_skipped: common.paths.is_empty() || matches!(known, Known::Change(_)),
        })
    };
    gates.iter().map(|gate| of(&**gate)).collect()
}

/// Judges the audits of reports as the configuration has it, and not the one that their jobs ran under.
pub fn decide_anew(gates: &[Box<dyn Gate>], parts: &mut [Part]) {
    for report in parts.iter_mut().flat_map(|part| &mut part.report.gates) {
        let gate = gates.iter().find(|gate| gate.common().name == report.name);
        if let (Some(gate), Some(audit)) = (gate, &mut report.audit) {
            gate.decide_anew(audit);
        }
    }
}

/// What was asked for by name stands in place of what is due.
///
/// # Errors
/// With exit code 2 when a name is none, or not one of the configuration's.
pub fn named(names: &[String], mut gates: Vec<Expected>) -> Result<Vec<Expected>, Failure> {
    if names.is_empty() {
        return Ok(gates);
    }
    for gate in &mut gates {
        (gate.due, gate.never_skipped) = (None, false);
    }
    let all: Vec<String> = gates.iter().map(|gate| gate.name.to_string()).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    for text in names {
        let name = GateName::parse(text).map_err(|error| Failure::usage(format!("--expect: {error}")))?;
        let due = Some("--expect".to_owned());
        match gates.iter_mut().find(|gate| gate.name == name) {
            Some(gate) => gate.due = due,
            None if all.is_empty() => {
                gates.push(Expected { name, kind: String::new(), configured: None, due, never_skipped: false });
            }
            None => {
                let help = config::advice(text, &all);
                return Err(Failure::usage(format!("--expect: there is no gate named {text:?}")).help(help));
            }
        }
    }
    Ok(gates)
}

/// The configuration's places in a repository that is not here: the one that was named, or the usual ones.
///
/// # Errors
/// With exit code 2 when the one that was named leads out of the repository.
pub fn places(asked: Option<&Path>) -> Result<Vec<String>, Failure> {
    let Some(asked) = asked else { return Ok(project::NAMES.map(str::to_owned).to_vec()) };
    let path = RepoPath::parse(&asked.to_string_lossy());
    let path = path.map_err(|error| Failure::usage(format!("--config: {error}")))?;
    Ok(vec![path.to_string()])
}

/// The project of a configuration's text that came from elsewhere.
///
/// # Errors
/// With exit code 2 when it is wrong.
pub fn project(text: &[u8], path: &str, colour: bool) -> Result<Project, Failure> {
    let folder = Path::new(path).parent().filter(|folder| !folder.ends_with(".github"));
    let folder = folder.map(|folder| folder.display().to_string()).unwrap_or_default();
    let built = project::build(text, folder, Source::File(path.to_owned()), &|_| None);
    built.map(|project| Project { place: path.to_owned(), ..project }).map_err(|wrong| match wrong {
        Wrong::Text(problems) => Failure::usage(problems.render(path, colour)).rendered(),
        Wrong::NoGates => Failure::usage(format!("{path}: {}", config::NO_GATES)),
    })
}
