//! gatepost.toml: its text into settings that are valid, or everything that is wrong with it at once. It reads no file
//! and knows no kind or format but those it is given.

mod environments;
mod gates;
mod kind;
mod nearest;
mod notify;
mod probes;
mod problems;
mod reading;
mod reference;
pub mod reviewdog;
mod rollout;
mod rules;
mod schema;
mod sections;
mod times;
mod values;

use std::ops::Range;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use crate::model::settings::{Common, PublishSettings, RunSettings};

pub use environments::{Environment, Means};
pub use kind::{Bare, DeployerRow, KindRow, Own};
pub use nearest::{advice, nearest};
pub use notify::{NotifierRow, NotifyRoute};
pub use problems::{Problem, Problems};
pub use reference::reference;
pub use rules::FromEnv;
pub use schema::schema;

pub use values::{Command, Text, Whole, show_time};

/// The kinds and formats that exist.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// Kinds of gate.
    pub kinds: &'a [KindRow],
    /// Notifiers.
    pub notifiers: &'a [NotifierRow],
    /// Deployers.
    pub deployers: &'a [DeployerRow],
    /// Names of formats, without `auto` and `matcher:FILE`.
    pub formats: &'a [&'a str],
}

/// A configuration that holds.
#[derive(Debug, Clone)]
pub struct Config {
    /// `[run]`.
    pub run: RunSettings,
    /// `[gates.*]`, in file order; may be empty, see [`NO_GATES`].
    pub gates: Vec<Gate>,
    /// `[environments.*]`, in file order.
    pub environments: Vec<Environment>,
    /// `[publish]`.
    pub publish: PublishSettings,
    /// `[notify.*]`, in the order of the rows.
    pub notify: Vec<NotifyRoute>,
    /// The variables that are named as `env:NAME`: they hold secrets.
    pub secrets: Vec<String>,
    /// The text, for [`Problems`] that show only later, such as a cycle in `needs`.
    pub source: Arc<str>,
}

/// One gate.
#[derive(Debug, Clone)]
pub struct Gate {
    /// What every gate has.
    pub common: Common,
    /// What its kind adds.
    pub own: Own,
    /// Where its `needs` stand, else its name.
    pub needs_at: Range<usize>,
}

/// What to say when a run finds a file that configures no gate.
pub const NO_GATES: &str = "the configuration has no gate, so nothing would be judged: add a section such as [gates.test] with kind and \
                            command, or remove the file and let gatepost detect what the repository has";

/// Reads the bytes of a configuration file.
///
/// # Errors
/// Everything that is wrong with it. A file that is not UTF-8, or not TOML, is judged no further than that.
pub fn read(bytes: &[u8], known: &Known<'_>) -> Result<Config, Problems> {
    let lossy = String::from_utf8_lossy(bytes);
    let source: Arc<str> = Arc::from(lossy.strip_prefix('\u{feff}').unwrap_or(&lossy));
    if std::str::from_utf8(bytes).is_err() {
        let at = source.find(char::REPLACEMENT_CHARACTER).unwrap_or_default();
        let problem = Problem::new(at..at + 1, "the file is not UTF-8 from here on").help("save it as UTF-8");
        return Err(Problems::new(source, vec![problem]));
    }
    let (document, errors) = DeTable::parse_recoverable(&source);
    if !errors.is_empty() {
        let told = errors.iter().map(|error| Problem::new(error.span().unwrap_or_default(), error.message()));
        return Err(Problems::new(Arc::clone(&source), told.collect()));
    }
    let (config, problems) = sections(document.get_ref(), &source, known);
    if problems.is_empty() { Ok(config) } else { Err(Problems::new(Arc::clone(&source), problems)) }
}

fn sections(document: &DeTable<'_>, source: &Arc<str>, known: &Known<'_>) -> (Config, Vec<Problem>) {
    let mut config = Config {
        run: RunSettings::default(),
        gates: Vec::new(),
        environments: Vec::new(),
        publish: PublishSettings::default(),
        notify: Vec::new(),
        secrets: Vec::new(),
        source: Arc::clone(source),
    };
    let mut problems = Vec::new();
    for (key, value) in document {
        let name = key.get_ref().as_ref();
        notify::secrets(value.get_ref(), &mut config.secrets);
        let found = match (name, value.get_ref()) {
            ("run", DeValue::Table(table)) => run(table, &mut config.run),
            ("publish", DeValue::Table(table)) => publish(table, &mut config.publish),
            ("gates", DeValue::Table(table)) => gates::read(table, known, &mut config.gates),
            ("notify", DeValue::Table(table)) => {
                notify::read(table, known, &names_in(document, "environments"), &mut config.notify)
            }
            ("environments", DeValue::Table(table)) => {
                environments::read(table, known, &names_in(document, "gates"), &mut config.environments)
            }
            ("run" | "publish" | "gates" | "environments" | "notify", _) => {
                vec![Problem::new(value.span(), format!("`{name}` is a section: expected a table"))]
            }
            _ => {
                let sections = &["run", "gates", "environments", "publish", "notify"];
                vec![reading::unknown_key(name, key.span(), "the file", sections)]
            }
        };
        problems.extend(found);
    }
    (config, problems)
}

/// What a section names, good or not: what refers to it may stand before it in the file.
fn names_in<'d>(document: &'d DeTable<'_>, section: &str) -> Vec<&'d str> {
    match document.get(section).map(toml::Spanned::get_ref) {
        Some(DeValue::Table(named)) => named.keys().map(|key| key.get_ref().as_ref()).collect(),
        _ => Vec::new(),
    }
}

fn run(table: &DeTable<'_>, into: &mut RunSettings) -> Vec<Problem> {
    let (run, problems) = section::<sections::Run>(table, "[run]");
    *into = RunSettings {
        jobs: usize::try_from(run.jobs.0).ok().filter(|jobs| *jobs > 0),
        base: run.base.map(|base| base.0),
        pass_env: run.pass_env.into_iter().map(|name| name.0).collect(),
    };
    problems
}

fn publish(table: &DeTable<'_>, into: &mut PublishSettings) -> Vec<Problem> {
    let (publish, problems) = section::<sections::Publish>(table, "[publish]");
    *into = PublishSettings {
        checks: publish.checks,
        comment: publish.comment,
        annotations: publish.annotations,
        suggestions: publish.suggestions,
        max_annotations: usize::try_from(publish.max_annotations.0).unwrap_or(usize::MAX),
    };
    problems
}

/// A section that has no keys but those of `T`.
fn section<T>(table: &DeTable<'_>, name: &str) -> (T, Vec<Problem>)
where
    T: serde::de::DeserializeOwned + schemars::JsonSchema + Default,
{
    let keys = reading::keys_of::<T>();
    let unknown = table.keys().filter(|key| !keys.contains(&key.get_ref().as_ref()));
    let mut problems: Vec<Problem> =
        unknown.map(|key| reading::unknown_key(key.get_ref(), key.span(), name, keys)).collect();
    let (read, wrong) = reading::read(table);
    problems.extend(wrong);
    (read, problems)
}
