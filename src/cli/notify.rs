//! `gatepost notify` on the command line.

use crate::app::Failure;
use crate::app::notify::{self, Request};
use crate::cli::Place;
use crate::cli::args::Notify;
use crate::model::exit::ExitCode;
use crate::render::notify::{NotifyView, json, text};

/// Tells an event, and prints what became of it.
///
/// # Errors
/// As [`notify::notify`].
pub fn notify(place: &Place<'_>, args: Notify) -> Result<ExitCode, Failure> {
    let request = Request {
        start: place.start.to_owned(),
        config: place.config(),
        event: args.event,
        environment: args.environment,
        sha: args.sha,
        reason: args.reason,
        url: args.url,
        story: args.story,
        dry_run: args.dry_run,
        colour: place.screen.err_colour,
    };
    let told = super::runtime()?.block_on(notify::notify(&request, place.env))?;
    let view = NotifyView { event: told.event, routes: told.routes, receipts: &told.receipts };
    if args.json {
        place.json(told.masker.mask(&json(&view).map_err(Failure::bug)?));
    } else {
        place.text(&told.masker.mask(&text(&view)));
    }
    Ok(told.code)
}
