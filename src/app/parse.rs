//! `gatepost parse`: any tool's output into findings, without a configuration or a repository.

use std::path::{Path, PathBuf};

use crate::app::{Failure, secrets};
use crate::config;
use crate::gate::ground::Ground;
use crate::gate::locate::locate;
use crate::gate::read::{Choice, ReadError};
use crate::mask::Masker;
use crate::model::evidence::{Breakdowns, Parsed};
use crate::model::finding::ColumnUnit;
use crate::parse;
use crate::world::env::Env;
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

/// One input, understood, without secrets.
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
pub fn parse(request: &Request, env: &Env) -> Result<Vec<Understood>, Failure> {
    let choice = Choice::of(&request.from, &request.start).map_err(|error| unusable(&error))?;
    let stdin = [PathBuf::from("-")];
    let inputs = if request.files.is_empty() { &stdin[..] } else { &request.files };
    let masker = secrets::masker(env, &[]);
    inputs.iter().map(|input| one(&choice, input, &request.start, &masker)).collect()
}

fn one(choice: &Choice, input: &Path, start: &Path, masker: &Masker) -> Result<Understood, Failure> {
    let is_stdin = input == Path::new("-");
    let name = if is_stdin { "standard input".to_owned() } else { input.display().to_string() };
    let file = if is_stdin { Ok(files::spool_stdin()?) } else { files::open_twice(&start.join(input)) };
    let result = file.map_err(ReadError::File).and_then(|file| choice.read(&file, true));
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
    let shown = |line: Option<String>| line.map(|line| masker.text(&line));
    let placed_findings = placed.findings.into_iter();
    let (findings, lines) = placed_findings.map(|located| (located.finding, shown(located.line_text))).unzip();
    let parsed = Parsed {
        findings,
        tests: placed.tests,
        columns: ColumnUnit::Scalars,
        notes,
        not_understood: placed.not_understood,
        unexplained_exit: placed.unexplained_exit,
        breakdowns: Breakdowns::default(),
        nothing: None,
    };
    Ok(Understood { name: masker.text(&name), format, parsed: masker.parsed(&parsed), lines })
}

fn unusable(error: &ReadError) -> Failure {
    let formats: Vec<&str> = parse::ALL.iter().map(|format| format.name).chain(["auto"]).collect();
    match error {
        ReadError::UnknownFormat(name) => Failure::usage(error.to_string()).help(config::advice(name, &formats)),
        _ => Failure::usage(error.to_string()),
    }
}
