//! `gatepost init` on the command line.

use crate::app::Failure;
use crate::app::init::{self, Setup, Standing};
use crate::cli::Place;
use crate::cli::args::{Init, InitFrom, InitMode, InitWorkflow};
use crate::model::exit::ExitCode;
use crate::model::gate::Mode;
use crate::render::init::{FileV1, InitV1, LeftV1, json, text};
use crate::render::terminal::Dress;
use crate::setup::template::Shape;
use crate::world::screen;

/// Shows what would be written, and writes it when it is told to.
///
/// # Errors
/// As [`init::setup`] and [`init::write`].
pub fn init(place: &Place<'_>, args: &Init) -> Result<ExitCode, Failure> {
    let request = init::Request {
        start: place.start.to_owned(),
        config: place.config(),
        from: match args.from {
            InitFrom::Detection => init::From::Detection,
            InitFrom::Reviewdog => init::From::Reviewdog,
        },
        workflow: match args.workflow {
            InitWorkflow::OneJob => Some(Shape::OneJob),
            InitWorkflow::SeveralJobs => Some(Shape::SeveralJobs),
            InitWorkflow::Forks => Some(Shape::Forks),
            InitWorkflow::None => None,
        },
        mode: match args.mode {
            InitMode::Block => Mode::Block,
            InitMode::Report => Mode::Report,
        },
        action: args.action.clone(),
        force: args.force,
        colour: place.screen.err_colour,
    };
    let setup = init::setup(&request, place.env)?;
    let to_write = setup.files.iter().filter(|file| file.standing.is_written()).count();
    if args.json {
        let write = args.yes && !args.dry_run;
        if write {
            init::write(&setup)?;
        }
        let shown = json(&view(&setup, write)).map_err(Failure::bug)?;
        place.json(setup.masker.mask(&shown));
        return Ok(ExitCode::Pass);
    }
    let dress = Dress { colour: place.screen.out_colour, width: place.screen.width };
    place.text(&setup.masker.mask(&text(&view(&setup, false), dress)));
    if to_write == 0 {
        place.text("nothing to write\n");
        return Ok(ExitCode::Pass);
    }
    let files = if to_write == 1 { "this file".to_owned() } else { format!("these {to_write} files") };
    let asked = || place.screen.can_ask && screen::ask(&format!("Write {files}? [y/N] "));
    if args.dry_run || !(args.yes || asked()) {
        place.text(&format!("nothing was written; `gatepost init --yes` writes {files}\n"));
        return Ok(ExitCode::Pass);
    }
    for name in init::write(&setup)? {
        place.text(&format!("wrote {name}\n"));
    }
    place.text("next: `gatepost plan`, then `gatepost doctor`\n");
    Ok(ExitCode::Pass)
}

fn view(setup: &Setup, written: bool) -> InitV1<'_> {
    let file = |file: &init::File| match file.standing {
        Standing::New => "new",
        Standing::Same => "same",
        Standing::Kept => "kept",
        Standing::Replaced => "replaced",
    };
    InitV1 {
        schema: "gatepost.init/v1",
        written,
        files: setup.files.iter().map(|one| FileV1 { path: &one.shown, state: file(one), text: &one.text }).collect(),
        left: setup.left.iter().map(|left| LeftV1 { name: &left.name, what: &left.what, why: &left.why }).collect(),
        notes: &setup.notes,
    }
}
