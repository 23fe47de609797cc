//! Floor 5: arguments into requests, failures into text and exit codes. The only place that knows the terminal.

mod args;
mod audit;
mod comment;
mod deploy;
mod doctor;
mod environments;
mod init;
mod integrity;
mod migrations;
mod notify;
mod parse;
mod plan;
mod printer;
mod publish;
mod rows;
mod run;
mod stages;

use std::path::{Path, PathBuf};

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

use crate::app::Failure;
use crate::app::posting::Publish;
use crate::app::project;
use crate::app::secrets;
use crate::config;
use crate::model::exit::ExitCode;
use crate::render::terminal::Dress;
use crate::render::{json_v1, workflow};
use crate::world::env::{self, Env};
use crate::world::screen::{self, Screen};
use crate::world::signals;

use printer::Printer;

use args::{Cli, Command, Global, LogFormat, SchemaOf};

/// Runs the program: reads the command line, does what it asks for, and gives back what the process ends with.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            return match (error.print(), error.use_stderr()) {
                (_, true) => ExitCode::Usage,
                (Err(lost), false) if lost.kind() != std::io::ErrorKind::BrokenPipe => ExitCode::CouldNotJudge,
                (_, false) => ExitCode::Pass,
            };
        }
    };
    let env = Env::of_process();
    log(&cli.global, &env);
    let screen = Screen::look(cli.global.color.into(), &env);
    let fail = |failure: &Failure| {
        let text = failure_text(failure, screen.err_colour);
        // It quotes what was given, and the configuration.
        screen::err(for_people(&env, &secrets::masker(&env, &[]).mask(&text)));
        failure.code
    };
    let code = dispatch(cli, &env, screen).unwrap_or_else(|failure| fail(&failure));
    // All is done but for what a reader has not taken yet.
    signals::end_at_once();
    match screen::finish() {
        Ok(()) => code,
        Err(error) => {
            let lost = fail(&Failure::outside(format!("standard output could not be written: {error}")));
            // Who was to read it has not, though all is well.
            if code.number() == 0 { lost } else { code }
        }
    }
}

fn dispatch(cli: Cli, env: &Env, screen: Screen) -> Result<ExitCode, Failure> {
    let (here, start) = start(&cli.global)?;
    let place = Place { here, start: &start, global: &cli.global, env, screen };
    match cli.command {
        Command::Run(run) => run::run(&place, run),
        Command::Plan(plan) => plan::plan(&place, plan),
        Command::Parse(parse) => parse::parse(&place, parse),
        Command::Audit(audit) => audit::audit(&place, audit),
        Command::Publish(publish) => publish::publish(&place, publish),
        Command::Deploy(args) => deploy::deploy(&place, args),
        Command::Rollback(args) => deploy::rollback(&place, args),
        Command::Promote(args) => deploy::promote(&place, args),
        Command::Recover(args) => deploy::recover(&place, &args),
        Command::Status(args) => environments::status(&place, &args),
        Command::Adopt(args) => environments::adopt(&place, &args),
        Command::Lock(args) => environments::lock(&place, &args),
        Command::Unlock(args) => environments::unlock(&place, &args),
        Command::Verify(args) => environments::verify(&place, args),
        Command::Comment(args) => comment::comment(&place, &args),
        Command::Migrations(migrations) => migrations::migrations(&place, migrations),
        Command::Init(init) => init::init(&place, &init),
        Command::Doctor(doctor) => doctor::doctor(&place, &doctor),
        Command::Integrity(integrity) => integrity::integrity(&place, integrity),
        Command::Notify(args) => notify::notify(&place, args),
        Command::Schema { what } => {
            let schema = match what {
                SchemaOf::Config => project::with_known(config::schema),
                SchemaOf::Report => json_v1::schema().to_value(),
            };
            screen::out(format!("{schema:#}\n"));
            Ok(ExitCode::Pass)
        }
    }
}

/// Where a command was started, and how it talks.
struct Place<'a> {
    /// The folder of whoever started it.
    here: PathBuf,
    /// That, or the one that `-C` names.
    start: &'a Path,
    global: &'a Global,
    env: &'a Env,
    screen: Screen,
}

/// What prints a report: on standard output, or beside the JSON there.
fn printer(place: &Place<'_>, json: bool) -> Printer {
    let mut random = [0_u8; 16];
    // Without randomness the fence could be guessed; then nothing of a tool's is printed as it is anyway: every
    // line is made plain.
    let _ = getrandom::fill(&mut random);
    let colour = if json { place.screen.err_colour } else { place.screen.out_colour };
    Printer {
        to_out: !json,
        dress: Dress { colour, width: place.screen.width },
        on_actions: on_actions(place.env),
        quiet: place.global.quiet,
        verbose: place.global.verbose > 0,
        fence: format!("{:032x}", u128::from_le_bytes(random)),
    }
}

/// One thread: a run waits for processes and replies, it does not compute.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    screen::print_aside();
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::outside(format!("the asynchronous runtime could not be started: {error}")))
}

/// Lines for people that may hold anyone's text, a stranger's configuration for one.
fn for_people(env: &Env, text: &str) -> String {
    if on_actions(env) { workflow::plain_lines(text) } else { text.to_owned() }
}

fn on_actions(env: &Env) -> bool {
    env.get("GITHUB_ACTIONS") == Some("true")
}

impl Place<'_> {
    /// Prints for people, on standard output.
    fn text(&self, text: &str) {
        screen::out(for_people(self.env, text));
    }

    /// Prints for people, beside what programs read on standard output.
    fn aside(&self, text: &str) {
        screen::err(for_people(self.env, text));
    }

    /// Prints for programs, on standard output.
    fn json(&self, json: impl Into<String>) {
        let json = json.into();
        screen::out(if on_actions(self.env) { workflow::json(&json) } else { json });
    }

    /// Prints for programs, on standard output.
    fn xml(&self, xml: String) {
        screen::out(if on_actions(self.env) { workflow::xml(&xml) } else { xml });
    }

    fn config(&self) -> Option<PathBuf> {
        self.global.config.clone()
    }
}

fn start(global: &Global) -> Result<(PathBuf, PathBuf), Failure> {
    let here =
        env::current_dir().map_err(|error| Failure::outside(format!("the current directory is gone: {error}")))?;
    let start = global.directory.as_ref().map_or_else(|| here.clone(), |given| here.join(given));
    if start.is_dir() {
        Ok((here, start))
    } else {
        Err(Failure::usage(format!("-C {}: there is no such folder", start.display())))
    }
}

fn log(global: &Global, env: &Env) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        // What servers remark on a migration's statements is no trouble of gatepost's.
        (_, 0) => "warn,sqlx=error",
        (_, 1) => "gatepost=info,warn",
        (_, 2) => "gatepost=debug,info",
        (..) => "trace",
    };
    let filter = EnvFilter::try_new(env.get("GATEPOST_LOG").unwrap_or(level)).unwrap_or_else(|_| EnvFilter::new(level));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| screen::Log).with_ansi(false);
    let started = match global.log_format {
        LogFormat::Text => builder.without_time().try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    // Only a second subscriber in one process is refused, which tests may have.
    let _ = started;
}

fn failure_text(failure: &Failure, colour: bool) -> String {
    use annotate_snippets::{Level, Renderer};
    if failure.is_rendered {
        let help = failure.help.as_ref().map(|help| format!("help: {}\n", crate::model::text::clean(help)));
        return failure.what.clone() + &help.unwrap_or_default();
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let what = crate::model::text::clean(&failure.what);
    let mut group = annotate_snippets::Group::with_title(Level::ERROR.primary_title(what));
    if let Some(help) = &failure.help {
        group = group.element(Level::HELP.message(crate::model::text::clean(help)));
    }
    renderer.render(&[group]) + "\n"
}

impl From<args::When> for Publish {
    fn from(when: args::When) -> Self {
        match when {
            args::When::Auto => Self::Auto,
            args::When::Always => Self::Always,
            args::When::Never => Self::Never,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_rendered_keeps_its_escapes() {
        let hostile = "cannot read a\n --> b\u{1b}[2J";
        for failure in [Failure::usage(hostile), Failure::usage("x").help(hostile)] {
            assert!(!failure_text(&failure, false).contains('\u{1b}'));
        }
        let excerpt = "\u{1b}[31merror\u{1b}[0m\n --> gatepost.toml:1:1\n";
        let shown = failure_text(&Failure::usage(excerpt).rendered().help("correct it"), true);
        assert_eq!(shown, format!("{excerpt}help: correct it\n"));
    }
}
