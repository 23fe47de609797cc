//! The keys that an audit has: what is audited, against what, and what of it counts.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use toml::value::Datetime;

use crate::advisory::ignore::{Ignore, Versions};
use crate::advisory::lockfile::{self, Format};
use crate::config::Problem;
use crate::model::audit::{Bar, Severity, Weight};
use crate::model::gate::Only;
use crate::model::settings::Common;
use crate::world::lockfiles;

/// The keys that only this kind has.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Settings {
    /// The least severity that blocks. Malware always does.
    fail_on: Severity,
    /// What an advisory does that nobody has given a severity: `warn` shows it.
    unscored: Weight,
    /// What a package does that nobody looks after.
    unmaintained: Weight,
    /// What a package does whose safe code can break memory safety.
    unsound: Weight,
    /// What a version does that its authors took back.
    yanked: Weight,
    /// Lockfiles, by patterns relative to `dir`, perhaps with `FORMAT:` before them; default: those that are found.
    lockfiles: Vec<LockfileSetting>,
    /// Where advisories come from: paths relative to `dir`, addresses of dumps, `osv.dev` (its dumps), `api.osv.dev` (asked for the packages at hand).
    #[schemars(extend("default" = ["api.osv.dev"]))]
    database: Vec<String>,
    /// Nothing is asked over the network: dumps that were fetched before stand in for `osv.dev`.
    offline: bool,
    /// How old a database may be, `7d` or `off`.
    max_age: Age,
    /// How many malformed records of a dump are passed over.
    max_bad: usize,
    /// Patterns of names of packages that are sent to nobody.
    private: Vec<String>,
    /// Advisories that were decided about: `id` (or any alias) and `reason`, with `expires` or `permanent`; narrowed by `package`, `version`, `path`, `dev`.
    ignore: Vec<Entry>,
    /// How many days before it ends an entry of `ignore` is told of.
    warn_before: u16,
    /// Ignore lists of other tools: `file` relative to `dir`, and `since`, the day from which entries without an end hold 90 days.
    import: Vec<Import>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            fail_on: Severity::High,
            unscored: Weight::Warn,
            unmaintained: Weight::Warn,
            unsound: Weight::Warn,
            yanked: Weight::Warn,
            lockfiles: Vec::new(),
            database: Vec::new(),
            offline: false,
            max_age: Age::default(),
            max_bad: 20,
            private: Vec::new(),
            ignore: Vec::new(),
            warn_before: 14,
            import: Vec::new(),
        }
    }
}

/// What is audited, against what, and what of it counts.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// By what it is judged.
    pub bar: Bar,
    /// Empty: those that are found.
    pub lockfiles: Vec<LockfileSetting>,
    /// As written; empty: the service of osv.dev, or offline its dumps.
    pub databases: Vec<String>,
    /// Nothing is asked over the network.
    pub offline: bool,
    /// How old a database may be.
    pub max_age: Age,
    /// How many malformed records are passed over.
    pub max_bad: usize,
    /// Names that are sent to nobody.
    pub private: GlobSet,
    /// What was decided about.
    pub ignores: Vec<Ignore>,
    /// How many days before its end an entry of `ignores` is told of.
    pub warn_before: i32,
    /// Ignore lists of other tools, and from when on their entries hold.
    pub imports: Vec<(String, Date)>,
}

impl Options {
    /// Of `gatepost audit` without a configuration.
    #[must_use]
    pub fn plain() -> Self {
        let Settings { max_bad, warn_before, .. } = Settings::default();
        Self { max_bad, warn_before: i32::from(warn_before), ..Self::default() }
    }

    /// Whether an audit of the folder `dir` takes in a file of this path of the repository, where git tracks it.
    #[must_use]
    pub fn audits(&self, path: &str, dir: &str) -> bool {
        let below =
            if dir.is_empty() { Some(path) } else { path.strip_prefix(dir).and_then(|it| it.strip_prefix('/')) };
        below.is_some_and(|path| {
            if self.lockfiles.is_empty() {
                lockfiles::is_found(path)
            } else {
                self.lockfiles.iter().any(|named| named.names(path))
            }
        })
    }
}

impl Settings {
    /// What they amount to.
    pub(super) fn options(self, common: &Common) -> Result<Options, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut wrong = |what: String| problems.push(Problem::new(0..0, format!("gate `{}`: {what}", common.name)));
        if matches!(common.only, Some(Only::ChangedLines | Only::ChangedFiles)) {
            wrong(
                "`only` is `new` or `all` for kind `audit`: an advisory is about a package, not about a line"
                    .to_owned(),
            );
        }
        let mut private = GlobSetBuilder::new();
        for pattern in &self.private {
            match Glob::new(pattern) {
                Ok(glob) => _ = private.add(glob),
                Err(error) => wrong(format!("`private` has {pattern:?}, which is no pattern: {}", error.kind())),
            }
        }
        let private = private.build().unwrap_or_else(|error| {
            wrong(format!("`private` cannot be used, and nothing is to be sent without it: {error}"));
            GlobSet::empty()
        });
        let mut ignores = Vec::new();
        for entry in self.ignore {
            match entry.0.ignore(&common.dir) {
                Ok(ignore) => ignores.push(ignore),
                Err(why) => wrong(why),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Options {
            bar: Bar {
                fail_on: self.fail_on,
                unscored: self.unscored,
                unmaintained: self.unmaintained,
                unsound: self.unsound,
                yanked: self.yanked,
            },
            lockfiles: self.lockfiles,
            databases: self.database,
            offline: self.offline,
            max_age: self.max_age,
            max_bad: self.max_bad,
            private,
            ignores,
            warn_before: i32::from(self.warn_before),
            imports: self.import.into_iter().map(|import| (import.0.file, import.1)).collect(),
        })
    }
}

/// A lockfile or a pattern of them, perhaps with its format.
#[derive(Debug, Clone)]
pub struct LockfileSetting {
    /// What is before the colon.
    pub format: Option<&'static Format>,
    /// The path or pattern.
    pub path: String,
}

impl LockfileSetting {
    /// Reads `[FORMAT:]FILE`. A colon behind what is no format's name belongs to the path.
    ///
    /// # Errors
    /// When nothing is left of it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let known = text.split_once(':').and_then(|(name, path)| Some((lockfile::find(name)?, path)));
        let (format, path) = known.map_or((None, text), |(format, path)| (Some(format), path));
        if path.is_empty() { Err("names no lockfile".to_owned()) } else { Ok(Self { format, path: path.to_owned() }) }
    }

    fn names(&self, path: &str) -> bool {
        let pattern = self.path.trim_start_matches("./");
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        pattern == path || glob.is_ok_and(|glob| glob.compile_matcher().is_match(path))
    }
}

impl<'de> Deserialize<'de> for LockfileSetting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(|why| serde::de::Error::custom(format!("{text:?} {why}")))
    }
}

impl JsonSchema for LockfileSetting {
    fn schema_name() -> Cow<'static, str> {
        "LockfileSetting".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "minLength": 1})
    }
}

/// How old a database may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age(pub Option<Duration>);

impl Default for Age {
    fn default() -> Self {
        Self(Some(Duration::from_hours(7 * 24)))
    }
}

impl Age {
    /// Reads `7d`, `12h` or `off`.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self(None));
        }
        let wrong = || format!("{text:?} is no age: write it as \"7d\", \"12h\" or \"off\"");
        let hours = |(number, unit): (&str, u64)| number.parse::<u64>().ok()?.checked_mul(unit);
        let found = text.strip_suffix('d').map(|days| (days, 24)).or_else(|| Some((text.strip_suffix('h')?, 1)));
        let hours = found.and_then(hours).filter(|hours| (1..=24 * 3650).contains(hours)).ok_or_else(wrong)?;
        Ok(Self(Some(Duration::from_hours(hours))))
    }
}

impl<'de> Deserialize<'de> for Age {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Age {
    fn schema_name() -> Cow<'static, str> {
        "Age".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^(off|[0-9]+[dh])$", "default": "7d"})
    }
}

/// An entry of `ignore` as it is written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Written {
    /// The advisory, or any of its aliases.
    #[schemars(extend("pattern" = r"[^\s*]"))]
    id: String,
    /// Why it is not acted on.
    #[schemars(extend("pattern" = r"\S"))]
    reason: String,
    /// The last day on which it holds.
    #[schemars(with = "Option<String>")]
    expires: Option<Datetime>,
    /// It holds for good.
    #[serde(default)]
    permanent: bool,
    /// Only for this package.
    package: Option<String>,
    /// Only for these versions, as in `>= 1.0, < 1.5`.
    version: Option<String>,
    /// Only in lockfiles that match this pattern, relative to `dir`.
    path: Option<String>,
    /// Only where it is used to develop, or only where it is not.
    dev: Option<bool>,
}

/// A good one: what is missing is told at its place in the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Written")]
struct Entry(Written);

impl JsonSchema for Entry {
    fn schema_name() -> Cow<'static, str> {
        "Ignore".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Written::json_schema(generator)
    }
}

impl TryFrom<Written> for Entry {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        written.check()?;
        Ok(Self(written))
    }
}

impl Written {
    fn check(&self) -> Result<(), String> {
        let id = &self.id;
        if id.trim().is_empty() || id == "*" {
            return Err("an entry names no advisory: write its `id`".to_owned());
        }
        if self.reason.trim().is_empty() {
            return Err(format!("the entry of {id} has no `reason`"));
        }
        match (&self.expires, self.permanent) {
            (None, false) => {
                return Err(format!("the entry of {id} needs `expires` with a day, or `permanent = true`"));
            }
            (Some(_), true) => return Err(format!("the entry of {id} both expires and is permanent: choose one")),
            _ => {}
        }
        self.ignore("").map(|_| ())
    }

    fn ignore(&self, dir: &str) -> Result<Ignore, String> {
        let glob = |pattern: &String| {
            let below = if dir.is_empty() { pattern.clone() } else { format!("{}/{pattern}", globset::escape(dir)) };
            let glob = GlobBuilder::new(&below).literal_separator(true).build();
            glob.map(|glob| glob.compile_matcher())
                .map_err(|error| format!("{pattern:?} is no pattern: {}", error.kind()))
        };
        Ok(Ignore {
            id: self.id.clone(),
            reason: self.reason.clone(),
            until: self.expires.map(day).transpose()?,
            ecosystem: None,
            package: self.package.clone(),
            versions: self.version.as_deref().map(Versions::parse).transpose()?,
            path: self.path.as_ref().map(glob).transpose()?,
            dev: self.dev,
            origin: None,
        })
    }
}

fn day(time: Datetime) -> Result<Date, String> {
    let date = time.date.ok_or_else(|| format!("{time} has no day"))?;
    let number = |number: u8| i8::try_from(number).unwrap_or(0);
    Date::new(i16::try_from(date.year).unwrap_or(0), number(date.month), number(date.day))
        .map_err(|error| format!("{time} is no day: {error}"))
}

/// An ignore list of another tool as it is written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WrittenImport {
    /// `deny.toml`, `.cargo/audit.toml` or `osv-scanner.toml`.
    file: String,
    /// The day from which entries without an end hold 90 days.
    #[schemars(with = "String")]
    since: Datetime,
}

/// A good one.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "WrittenImport")]
struct Import(WrittenImport, Date);

impl JsonSchema for Import {
    fn schema_name() -> Cow<'static, str> {
        "Import".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        WrittenImport::json_schema(generator)
    }
}

impl TryFrom<WrittenImport> for Import {
    type Error = String;

    fn try_from(written: WrittenImport) -> Result<Self, String> {
        let since = day(written.since)?;
        Ok(Self(written, since))
    }
}

/// Where a path of the settings is: relative to `dir` below `root`.
pub(super) fn below(root: &Path, dir: &str, path: &str) -> PathBuf {
    if dir.is_empty() { root.join(path) } else { root.join(dir).join(path) }
}
