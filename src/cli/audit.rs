//! `gatepost audit` on the command line.

use crate::app::Failure;
use crate::app::audit::{self, Request};
use crate::cli::Place;
use crate::cli::args::Audit;
use crate::model::exit::ExitCode;
use crate::render::audit_v1::AuditV1;
use crate::render::terminal::{self, Dress};

/// Audits, and prints what came of it.
///
/// # Errors
/// As [`audit::audit`].
pub fn audit(place: &Place<'_>, args: Audit) -> Result<ExitCode, Failure> {
    let request = Request {
        start: place.start.to_owned(),
        lockfiles: args.lockfile,
        base: args.base,
        databases: args.db,
        offline: args.offline,
        max_age: args.max_age,
        fail_on: args.fail_on.into(),
        packages_only: args.packages_only,
        sarif: args.sarif,
    };
    let report = super::runtime()?.block_on(audit::audit(&request, place.env))?;
    let dress = Dress { colour: place.screen.out_colour, width: place.screen.width };
    for gate in &report.gates {
        if args.json {
            place.json(serde_json::to_string(&AuditV1::new(gate)).unwrap_or_default() + "\n");
        } else {
            let listed =
                if request.packages_only { terminal::packages(gate) } else { terminal::advisories(gate, dress) };
            let notes: String = report.notes.iter().chain(&gate.notes).map(|note| terminal::note(note)).collect();
            place.text(&format!("{listed}{notes}{}\n", terminal::headline(gate, dress)));
        }
    }
    Ok(ExitCode::from(report.verdict))
}
