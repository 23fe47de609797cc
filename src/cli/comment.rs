//! `gatepost comment` on the command line.

use crate::app::Failure;
use crate::app::comment;
use crate::cli::Place;
use crate::cli::args;
use crate::cli::stages::Stages;
use crate::model::exit::ExitCode;
use crate::render::chat::{About, View, json, text};

/// Carries out what the comment asks for that woke this.
///
/// # Errors
/// As [`comment::comment`].
pub fn comment(place: &Place<'_>, args: &args::Comment) -> Result<ExitCode, Failure> {
    let request = comment::Request {
        start: place.start.to_owned(),
        config: place.config(),
        dry_run: args.dry_run,
        colour: place.screen.err_colour,
    };
    let stages = Stages::new(place, args.json);
    let carried = super::runtime()?.block_on(comment::comment(&request, place.env, &stages))?;
    if args.json {
        let about = About {
            comment: carried.comment,
            issue: carried.issue,
            author: carried.author.as_deref(),
            head: carried.head.as_ref(),
            reply: carried.reply.as_deref(),
            ignored: carried.ignored.as_ref().map(|(code, _)| *code),
        };
        place.json(carried.masker.mask(&json(&carried.answers, &about)));
        return Ok(carried.code);
    }
    let mut shown = text(&View { answers: &carried.answers, going: None, run: None });
    if let Some((code, why)) = &carried.ignored {
        shown = format!("nothing to do: {why} ({code})\n");
    }
    shown.extend(carried.notes.iter().map(|note| format!("{note}\n")));
    place.text(&carried.masker.mask(&shown));
    Ok(carried.code)
}
