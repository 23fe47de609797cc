//! A project without a configuration: what is detected is written as the text of a gatepost.toml and read like any other.

use std::ffi::OsStr;
use std::path::Path;

use crate::app::Failure;
use crate::app::project::{self, Place, Project, Source, Wrong};
use crate::detect::{self, DetectError};
use crate::environment::{Filter, Told};
use crate::world::env::Env;
use crate::world::survey::Survey;

/// Looks at a folder with the environment that gates have.
pub fn survey(folder: &Path, env: &Env) -> Survey {
    let environment = Filter::default().apply(env.iter(), &Told::default());
    Survey::new(folder.to_owned(), environment.of_gate(OsStr::new(".")).iter().cloned().collect())
}

impl From<DetectError> for Failure {
    fn from(error: DetectError) -> Self {
        Self { help: error.help(), ..Self::usage(error.to_string()) }
    }
}

/// Detects the gates of the place a command was started in: as a configuration is found, those of the nearest folder up to
/// the root that has any.
///
/// # Errors
/// With exit code 2 when nothing is detected, or a manifest says nothing that can be understood.
pub fn project(place: &Place<'_>, env: &Env) -> Result<Project, Failure> {
    let mut folder = place.start;
    let detected = loop {
        match (detect::detect(&survey(folder, env)), folder.parent()) {
            (Err(DetectError::Nothing { .. }), Some(parent)) if folder != place.root => folder = parent,
            (detected, _) => break detected?,
        }
    };
    let folder = project::folder(place.root, folder)?;
    let evidence = detected.gates.iter().map(|gate| (gate.name.clone(), gate.why.clone())).collect();
    let labels: Vec<_> = detected.gates.iter().map(|gate| (gate.name.clone(), gate.label.clone())).collect();
    let label = move |name: &str| labels.iter().find(|(other, _)| other == name).and_then(|(_, label)| label.clone());
    let toml = detected.to_toml();
    let source = Source::Detected { evidence, notes: detected.notes, toml: toml.clone() };
    project::build(toml.as_bytes(), folder, source, &label).map_err(|wrong| match wrong {
        Wrong::Text(problems) => Failure::bug(problems.render("what was detected", place.colour))
            .rendered()
            .help("this is a bug in gatepost's detection; a gatepost.toml of your own avoids it"),
        Wrong::NoGates => Failure::usage("nothing was detected"),
    })
}
