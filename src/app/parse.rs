//! `gatepost parse`: any tool's output into findings, without a configuration or a repository.

use std::path::{Path, PathBuf};

use crate::app::Failure;
use crate::config;
use crate::gate::locate::{Ground, locate};
use crate::gate::read::{Choice, ReadError};
use crate::model::evidence::Parsed;
use crate::model::finding::ColumnUnit;
use crate::parse;
use crate::world::files;

/// What is read, and as what.
#[derive(Debug, Clone)]
pub struct Request {
    /// What relative paths are taken from.
    pub start: PathBuf,
    /// `--from`.
    pub from: String,
    /// Files; empty, or `-`: standard input.
    pub files: Vec<PathBuf>,
}

/// One input, understood.
#[derive(Debug)]
pub struct Understood {
    /// As named on the command line, or `standard input`.
    pub name: String,
    /// The format it was read as.
    pub format: &'static str,
    /// What was understood; columns are Unicode scalar values where the files were found.
    pub parsed: Parsed,
    /// The text of each finding's line, where its file was found.
    pub lines: Vec<Option<String>>,
}

/// Reads every input.
///
/// # Errors
/// With exit code 2 for an unknown format, 4 for an input that cannot be understood.
pub fn parse(request: &Request) -> Result<Vec<Understood>, Failure> {
    let choice = Choice::of(&request.from, &request.start).map_err(|error| unusable(&error))?;
    let stdin = [PathBuf::from("-")];
    let inputs = if request.files.is_empty() { &stdin[..] } else { &request.files };
    inputs.iter().map(|input| one(&choice, input, &request.start)).collect()
}

fn one(choice: &Choice, input: &Path, start: &Path) -> Result<Understood, Failure> {
    let is_stdin = input == Path::new("-");
    let name = if is_stdin { "standard input".to_owned() } else { input.display().to_string() };
    let result = if is_stdin {
        let spooled = files::spool_stdin()?;
        choice.read(&spooled.path, true)
    } else {
        choice.read(&start.join(input), true)
    };
    let (mut parsed, format) = result.map_err(|error| {
        let failure = Failure::outside(format!("{name} {error}"));
        match error {
            ReadError::Unrecognised(_) | ReadError::EmptyAndUnnamed => {
                failure.help("name it: --from FORMAT, or --from matcher:FILE")
            }
            _ => failure,
        }
    })?;
    let notes = std::mem::take(&mut parsed.notes);
    let placed = locate(parsed, &Ground::new(start, ""));
    let (findings, lines) = placed.findings.into_iter().map(|located| (located.finding, located.line_text)).unzip();
    let parsed = Parsed {
        findings,
        tests: placed.tests,
        columns: ColumnUnit::Scalars,
        notes,
        unexplained_exit: placed.unexplained_exit,
        breakdowns: &[],
    };
    Ok(Understood { name, format, parsed, lines })
}

fn unusable(error: &ReadError) -> Failure {
    let formats: Vec<&str> = parse::ALL.iter().map(|format| format.name).chain(["auto"]).collect();
    match error {
        ReadError::UnknownFormat(name) => Failure::usage(error.to_string()).help(config::advice(name, &formats)),
        _ => Failure::usage(error.to_string()),
    }
}
