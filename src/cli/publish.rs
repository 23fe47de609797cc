//! `gatepost publish` on the command line.

use crate::app::Failure;
use crate::app::publish::{self, Request};
use crate::cli::Place;
use crate::cli::args::Publish;
use crate::model::exit::ExitCode;
use crate::render::json_v1;

/// Joins and posts reports, and prints what came of it.
///
/// # Errors
/// As [`publish::publish`].
pub fn publish(place: &Place<'_>, args: Publish) -> Result<ExitCode, Failure> {
    let printer = super::printer(place, args.json);
    let request = Request {
        start: place.start.to_owned(),
        config: place.config(),
        reports: args.reports,
        expect: args.expect,
        run: args.run,
        dry_run: args.dry_run,
        colour: place.screen.err_colour,
    };
    let published = super::runtime()?.block_on(publish::publish(&request, place.env))?;
    // What is wrong in full is in the logs of the jobs, and in the summary.
    printer.closing(&published.report);
    printer.said(&published.said, &[]);
    if args.json {
        place.json(json_v1::write(&published.report).map_err(Failure::bug)?);
    }
    Ok(published.code)
}
