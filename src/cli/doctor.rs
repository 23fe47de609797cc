//! `gatepost doctor` on the command line.

use crate::app::Failure;
use crate::app::doctor::{self, Request};
use crate::cli::Place;
use crate::cli::args::Doctor;
use crate::model::diagnosis::outcome;
use crate::model::exit::ExitCode;
use crate::render::doctor::{DoctorView, json, text};
use crate::render::terminal::Dress;
use crate::setup::permissions::block;

/// Prints what was found. It ends as a run does: 1 with a problem, else 4 where something could not be told, else 0.
///
/// # Errors
/// As [`doctor::doctor`].
pub fn doctor(place: &Place<'_>, args: &Doctor) -> Result<ExitCode, Failure> {
    let request = Request { start: place.start.to_owned(), config: place.config(), colour: place.screen.err_colour };
    let found = super::runtime()?.block_on(doctor::doctor(&request, place.env))?;
    let granted: Vec<_> = found.permissions.iter().map(|one| (one.name, one.level())).collect();
    let permissions = block(&found.permissions, 0);
    let view = DoctorView { rows: &found.rows, permissions: &permissions, granted: &granted };
    if args.json {
        let shown = json(&view).map_err(Failure::bug)?;
        place.json(found.masker.mask(&shown));
    } else {
        let shown = text(&view, Dress { colour: place.screen.out_colour, width: place.screen.width });
        place.text(&found.masker.mask(&shown));
    }
    Ok(ExitCode::from(outcome(&found.rows)))
}
