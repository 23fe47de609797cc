//! `gatepost run` on the command line.

use std::path::PathBuf;
use std::rc::Rc;

use crate::app::Failure;
use crate::app::run::{self, Request};
use crate::cli::Place;
use crate::cli::args::Run;
use crate::cli::printer::Plain;
use crate::cli::rows::Rows;
use crate::model::exit::ExitCode;
use crate::model::progress::Watch;
use crate::render::terminal;

/// Runs the gates and prints what came of it.
///
/// # Errors
/// As [`run::run`].
pub fn run(place: &Place<'_>, args: Run) -> Result<ExitCode, Failure> {
    let json = args.json;
    let printer = super::printer(place, json);
    let again = again(place, &args);
    let request = Request {
        start: place.start.to_owned(),
        here: place.here.clone(),
        config: place.config(),
        gates: args.gates,
        base: args.against.base,
        all_files: args.against.all_files || args.save_baseline.is_some(),
        baseline: args.against.baseline,
        jobs: args.jobs.map(usize::from),
        fail_fast: args.fail_fast,
        output: args.output,
        publish: args.publish.into(),
        sarif: args.sarif,
        junit: args.junit,
        save_baseline: args.save_baseline,
        dry_run: args.dry_run,
        colour: place.screen.err_colour,
        again,
    };
    let rows = place.screen.rows && !printer.quiet;
    let watch: Rc<dyn Watch> =
        if rows { Rc::new(Rows::new(printer.clone())) } else { Rc::new(Plain::new(printer.clone())) };
    let ran = super::runtime()?.block_on(run::run(&request, place.env, watch))?;
    printer.report(&ran.report, &ran.output, &ran.folder, |gate| rows && printer.at_once(gate));
    printer.said(&ran.said, &ran.unwritten);
    if json {
        place.json(ran.text.map_err(Failure::bug)?);
    }
    Ok(ran.code)
}

/// The flags that decide what is judged, as they were given.
fn again(place: &Place<'_>, args: &Run) -> String {
    let global = place.global;
    let path = |path: &PathBuf| path.display().to_string();
    let given = [
        ("-C", global.directory.as_ref().map(path)),
        ("--config", global.config.as_ref().map(path)),
        ("--base", args.against.base.clone()),
        ("--baseline", args.against.baseline.as_ref().map(path)),
    ];
    let mut flags: String = given
        .into_iter()
        .filter_map(|(flag, value)| Some(format!(" {flag} {}", terminal::shell_word(&value?))))
        .collect();
    if args.against.all_files || args.save_baseline.is_some() {
        flags += " --all-files";
    }
    flags
}
