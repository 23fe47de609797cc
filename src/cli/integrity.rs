//! `gatepost integrity` on the command line.

use crate::app::Failure;
use crate::app::integrity::{self, Request};
use crate::cli::Place;
use crate::cli::args::Integrity;
use crate::model::exit::ExitCode;
use crate::render::integrity_v1::IntegrityV1;
use crate::render::parsed_text;
use crate::render::terminal::{self, Dress};

/// Checks, or explains a rule, and prints what came of it.
///
/// # Errors
/// As [`integrity::check`] and [`integrity::explain`].
pub fn integrity(place: &Place<'_>, args: Integrity) -> Result<ExitCode, Failure> {
    if let Some(id) = &args.explain {
        place.text(&integrity::explain(id)?);
        return Ok(ExitCode::Pass);
    }
    let request = Request { start: place.start.to_owned(), fail_on: args.fail_on.into(), sarif: args.sarif };
    let report = integrity::check(&request, place.env)?;
    let dress = Dress { colour: place.screen.out_colour, width: place.screen.width };
    for gate in &report.gates {
        if args.json {
            place.json(serde_json::to_string(&IntegrityV1::new(gate)).unwrap_or_default() + "\n");
        } else {
            place.text(&format!("{}{}\n", parsed_text::findings(gate, dress), terminal::headline(gate, dress)));
            if let Some(rule) = gate.findings.first().and_then(|judged| judged.finding.rule.as_deref()) {
                place.text(&format!("\ngatepost integrity --explain {rule} says why, and what to write instead\n"));
            }
        }
    }
    Ok(ExitCode::from(report.verdict))
}
