//! `gatepost migrations` on the command line.

use crate::app::Failure;
use crate::app::migrations::{self, Request};
use crate::cli::args::Migrations;
use crate::cli::{Place, runtime};
use crate::gate::migrations::Settings;
use crate::migration::{estimate, layout};
use crate::model::exit::ExitCode;
use crate::render::migrations_text;
use crate::render::migrations_v1::RunV1;
use crate::render::terminal::Dress;
use crate::{config, world::files};

/// Makes the dry run and prints it.
///
/// # Errors
/// As [`migrations::migrations`].
pub fn migrations(place: &Place<'_>, args: Migrations) -> Result<ExitCode, Failure> {
    if args.folder.as_deref() == Some("sizes".as_ref()) {
        place.text(estimate::QUERY);
        return Ok(ExitCode::Pass);
    }
    if let Some(name) = args.layout.as_deref().filter(|name| layout::find(name).is_none()) {
        let names: Vec<&str> = layout::ALL.iter().map(|layout| layout.name).collect();
        let known = config::advice(name, &names);
        return Err(Failure::usage(format!("--layout {name}: there is no such layout")).help(known));
    }
    let settings = Settings {
        database: args.database.map(Into::into),
        layout: args.layout,
        all: args.all,
        round_trip: !args.no_round_trip,
        database_url: args.database_url,
        allow_remote: args.allow_remote,
        ..Settings::default()
    };
    let request = Request { start: place.start.to_owned(), folder: args.folder, base: args.base, settings };
    let ran = runtime()?.block_on(migrations::migrations(&request, place.env, &|_| {}));
    let (gate, code) = ran?;
    let run = gate.migrations.clone().unwrap_or_default();
    if let Some(file) = &args.schema_out {
        files::write(&place.start.join(file), run.schema_diff.as_bytes())?;
    }
    if args.json {
        place.json(serde_json::to_string(&RunV1::new(&gate, &run)).unwrap_or_default() + "\n");
    } else {
        let dress = Dress { colour: place.screen.out_colour, width: place.screen.width };
        place.text(&migrations_text::write(&gate, &run, dress));
    }
    Ok(code)
}
