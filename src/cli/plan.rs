//! `gatepost plan` on the command line.

use crate::app::Failure;
use crate::app::plan::{self, Request};
use crate::app::project;
use crate::cli::Place;
use crate::cli::args::Plan;
use crate::model::exit::ExitCode;
use crate::policy::Due;
use crate::render::plan::{PlanView, Planned, Source, json, text};
use crate::render::terminal::Dress;

/// Prints the plan.
///
/// # Errors
/// As [`plan::plan`].
pub fn plan(place: &Place<'_>, args: Plan) -> Result<ExitCode, Failure> {
    let request = Request {
        start: place.start.to_owned(),
        config: place.config(),
        gate: args.gate,
        base: args.against.base,
        all_files: args.against.all_files,
        baseline: args.against.baseline,
        colour: place.screen.err_colour,
    };
    let plan = super::runtime()?.block_on(plan::plan(&request, place.env))?;
    let found = |name: &str| match &plan.source {
        project::Source::File(_) => None,
        project::Source::Detected { evidence, .. } => evidence.get(name).map(String::as_str),
    };
    let gates: Vec<Planned<'_>> = plan
        .gates
        .iter()
        .map(|gate| {
            let (runs, why) = match &gate.due {
                Due::Run(why) => (true, why),
                Due::Skip(why) => (false, why),
            };
            Planned { common: &gate.common, rules: &gate.rules, runs, why, found: found(gate.common.name.as_str()) }
        })
        .collect();
    let source = match &plan.source {
        project::Source::File(file) => Source::File(file),
        project::Source::Detected { toml, .. } => Source::Detected { toml: Some(toml) },
    };
    let view = PlanView { source, occasion: &plan.occasion, scope: &plan.scope, gates: &gates, notes: &plan.notes };
    if args.json {
        let shown = json(&view).map_err(Failure::bug)?;
        place.json(plan.masker.mask(&shown));
    } else {
        let shown = text(&view, Dress { colour: place.screen.out_colour, width: place.screen.width });
        place.text(&plan.masker.mask(&shown));
    }
    Ok(ExitCode::Pass)
}
