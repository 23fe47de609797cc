//! `gatepost parse` on the command line.

use crate::app::Failure;
use crate::app::parse::{self, Request, Understood};
use crate::cli::Place;
use crate::cli::args::{Parse, Shape};
use crate::model::evidence::Parsed;
use crate::model::exit::ExitCode;
use crate::render::parse_v1::ParseV1;
use crate::render::terminal::Dress;
use crate::render::{junit, parsed_text, sarif};

/// Reads the inputs and prints them in the shape that was asked for.
///
/// # Errors
/// As [`parse::parse`].
pub fn parse(place: &Place<'_>, args: Parse) -> Result<ExitCode, Failure> {
    let shape = if args.json { Shape::Json } else { args.to };
    let request = Request { start: place.start.to_owned(), from: args.from, files: args.files };
    let understood = parse::parse(&request, place.env)?;
    let whole = join(understood);
    let report = || parsed_text::as_report(&whole.format, &whole.parsed, &whole.lines).map_err(Failure::bug);
    let dress = Dress { colour: place.screen.out_colour, width: place.screen.width };
    match shape {
        Shape::Text => place.text(&parsed_text::write(&report()?, dress)),
        Shape::Json => {
            let parsed = ParseV1::new(&whole.format, &whole.parsed);
            place.json(serde_json::to_string(&parsed).unwrap_or_default() + "\n");
        }
        Shape::Sarif => place.json(sarif::write(&report()?) + "\n"),
        Shape::Junit => place.xml(junit::write(&report()?)),
    }
    Ok(ExitCode::Pass)
}

#[derive(Default)]
struct Whole {
    format: String,
    parsed: Parsed,
    lines: Vec<Option<String>>,
}

/// All inputs as one: findings and cases one after the other.
fn join(inputs: Vec<Understood>) -> Whole {
    let mut whole = Whole::default();
    let mut formats: Vec<&str> = Vec::new();
    let many = inputs.len() > 1;
    for Understood { name, format, parsed, lines } in inputs {
        if !formats.contains(&format) {
            formats.push(format);
        }
        whole.lines.extend(lines);
        let all = &mut whole.parsed;
        all.findings.extend(parsed.findings);
        all.notes.extend(parsed.notes.into_iter().map(|note| if many { format!("{name}: {note}") } else { note }));
        all.unexplained_exit = all.unexplained_exit.take().or(parsed.unexplained_exit);
        if let Some(mut tests) = parsed.tests {
            let known = all.tests.get_or_insert_default();
            known.cases.append(&mut tests.cases);
            known.took_ms = known.took_ms.or(tests.took_ms);
        }
    }
    // A gate's name, for the writers that want one: `+` has no place in it.
    whole.format = formats.join("-");
    whole
}
