//! Databases of advisories: dumps on the disk, dumps by address, and the service of osv.dev. What could not be had is an
//! error, never an empty database.

mod api;
mod cache;
mod dump;
mod remote;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use globset::GlobSet;
use jiff::Timestamp;

use crate::advisory::index::Index;
use crate::model::audit::Database;
use crate::model::package::Ecosystem;
use crate::world::env::Env;
use crate::world::http::Http;

pub use cache::Cache;

/// Where the dumps of osv.dev are (<https://google.github.io/osv.dev/data/#data-dumps>).
const DUMPS: &str = "https://osv-vulnerabilities.storage.googleapis.com";
/// The service of osv.dev (<https://google.github.io/osv.dev/api/>).
const SERVICE: &str = "https://api.osv.dev";

/// Where advisories come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A folder of records, of archives of them, or in RustSec's layout; or one archive or record.
    Path {
        /// Where it is.
        path: PathBuf,
        /// As a person wrote it.
        shown: String,
    },
    /// An archive at an address.
    Url(String),
    /// The dumps that osv.dev publishes of the ecosystems at hand.
    Dumps,
    /// The service of osv.dev, asked for the packages at hand.
    Service,
}

impl Source {
    /// Reads what stands in the configuration or on the command line; paths are relative to `root`.
    #[must_use]
    pub fn read(word: &str, root: &Path) -> Self {
        match word {
            "osv.dev" => Self::Dumps,
            "api.osv.dev" => Self::Service,
            url if url.starts_with("https://") || url.starts_with("http://") => Self::Url(without_login(url)),
            path => Self::Path { path: root.join(path), shown: path.to_owned() },
        }
    }
}

/// A package as a service is asked for it.
pub type Asked = (Ecosystem, String, String);

/// What is wanted of the databases.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Where from; all of them together.
    pub sources: Vec<Source>,
    /// Nothing is asked over the network.
    pub offline: bool,
    /// How old a database may be; `None`: of any age.
    pub max_age: Option<Duration>,
    /// How many malformed records are passed over.
    pub max_bad: usize,
    /// Names of packages that are sent to nobody.
    pub private: GlobSet,
    /// Now.
    pub now: Timestamp,
    /// Where downloads and indexes are kept.
    pub cache: Cache,
    /// How the network is used.
    pub network: Network,
}

/// How the network is used.
#[derive(Debug, Clone)]
pub struct Network {
    /// Where the dumps of osv.dev are: below it is a folder for each ecosystem.
    pub dumps: String,
    /// Where the service of osv.dev is.
    pub service: String,
    /// How long is waited for the next piece of a reply.
    pub patience: Duration,
    /// How long is waited before the second try; twice as long before the third.
    pub pause: Duration,
}

impl Network {
    /// osv.dev itself, or the mirrors that `GATEPOST_OSV_DUMPS` and `GATEPOST_OSV_API` name.
    #[must_use]
    pub fn of(env: &Env) -> Self {
        let address = |name: &str, default: &str| without_login(env.get(name).unwrap_or(default).trim_end_matches('/'));
        Self {
            dumps: address("GATEPOST_OSV_DUMPS", DUMPS),
            service: address("GATEPOST_OSV_API", SERVICE),
            patience: Duration::from_secs(30),
            pause: Duration::from_secs(1),
        }
    }

    fn client(&self) -> Result<Http, AdvisoryError> {
        Http::new(self.patience, self.pause).map_err(|error| AdvisoryError(error.to_string()))
    }
}

/// An address without a user and a password in it: they are not sent, and are not to be shown.
fn without_login(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (place, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    format!("{scheme}://{}{path}", place.rsplit('@').next().unwrap_or_default())
}

/// Databases that can be asked.
#[derive(Debug, Default)]
pub struct Loaded {
    /// One for each source.
    pub indexes: Vec<Index>,
    /// What is said of all of them.
    pub database: Database,
    /// Whether a source was asked for the very packages, so that its silence is an answer.
    pub is_asked: bool,
    /// Worth saying.
    pub notes: Vec<String>,
}

/// One source's records.
#[derive(Debug)]
struct Part {
    index: Index,
    /// As a person would name it.
    name: String,
    /// The day of it, or the time; what its age is told by.
    date: String,
    /// It was asked for the packages at hand.
    asked: bool,
    notes: Vec<String>,
}

/// Why advisories could not be had. The text says what was tried and what happened.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct AdvisoryError(String);

/// Loads every source.
///
/// # Errors
/// When one of them cannot be had, is empty, older than allowed, or has too many malformed records.
pub async fn load(wanted: &Wanted, packages: &BTreeSet<Asked>) -> Result<Loaded, AdvisoryError> {
    let mut parts = Vec::new();
    for source in &wanted.sources {
        match source {
            Source::Path { path, shown } => parts.push(dump::load(path, shown, wanted).await?),
            Source::Url(url) => parts.push(remote::load(url, url, false, wanted).await?),
            Source::Dumps => {
                let ecosystems: BTreeSet<Ecosystem> = packages.iter().map(|(ecosystem, ..)| *ecosystem).collect();
                for ecosystem in ecosystems {
                    let url = format!("{}/{ecosystem}/all.zip", wanted.network.dumps);
                    let name = format!("osv.dev's dump of {ecosystem}");
                    parts.push(remote::load(&url, &name, wanted.network.dumps == DUMPS, wanted).await?);
                }
            }
            Source::Service => parts.push(api::load(wanted, packages).await?),
        }
    }
    let mut loaded = Loaded::default();
    for part in &parts {
        check(part, wanted)?;
    }
    loaded.database = describe(&parts);
    loaded.is_asked = parts.iter().any(|part| part.asked);
    for part in parts {
        loaded.notes.extend(part.notes);
        loaded.notes.extend(malformed(&part.name, &part.index));
        loaded.indexes.push(part.index);
    }
    Ok(loaded)
}

/// An empty or stale database, and one with much that cannot be read, is none.
fn check(part: &Part, wanted: &Wanted) -> Result<(), AdvisoryError> {
    let (meta, name) = (&part.index.meta, &part.name);
    if meta.skipped > wanted.max_bad {
        return Err(AdvisoryError(format!(
            "{name}: {} records are malformed, more than the {} that may be (`max-bad`): {}",
            meta.skipped,
            wanted.max_bad,
            meta.named.join("; ")
        )));
    }
    if part.asked {
        return Ok(());
    }
    if meta.records == 0 {
        return Err(AdvisoryError(format!("{name} holds no advisory: nothing can be held against it")));
    }
    let Some(most) = wanted.max_age else { return Ok(()) };
    let Some(age) = age(&part.date, wanted.now) else {
        return Err(AdvisoryError(format!(
            "{name} does not say when it was last changed; `max-age` off takes it as it is"
        )));
    };
    if age > most {
        return Err(AdvisoryError(format!(
            "{name} is of {}, {} old, and may be {} old (`max-age`): fetch it anew",
            day(&part.date),
            days(age),
            days(most)
        )));
    }
    Ok(())
}

fn describe(parts: &[Part]) -> Database {
    let mut digest = blake3::Hasher::new();
    for part in parts {
        digest.update(part.index.meta.digest.as_bytes());
    }
    Database {
        records: parts.iter().map(|part| part.index.meta.records).sum(),
        skipped: parts.iter().map(|part| part.index.meta.skipped).sum(),
        // The oldest: no part is made to look fresher by another.
        date: parts.iter().map(|part| day(&part.date)).filter(|day| !day.is_empty()).min(),
        digest: format!("blake3:{}", digest.finalize().to_hex()),
        sources: parts.iter().map(|part| part.name.clone()).collect(),
        asked: !parts.is_empty() && parts.iter().all(|part| part.asked),
    }
}

fn malformed(name: &str, index: &Index) -> Option<String> {
    let meta = &index.meta;
    let more = meta.skipped.saturating_sub(meta.named.len());
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    (meta.skipped > 0).then(|| {
        let plural = if meta.skipped == 1 { " was" } else { "s were" };
        format!("{name}: {} malformed record{plural} passed over: {}{more}", meta.skipped, meta.named.join("; "))
    })
}

/// How long ago a time or a day was; a day ends at its midnight.
fn age(date: &str, now: Timestamp) -> Option<Duration> {
    let then = date.parse::<Timestamp>().ok().or_else(|| {
        let day: jiff::civil::Date = date.parse().ok()?;
        Some(day.tomorrow().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    })?;
    Some(Duration::try_from(now.duration_since(then)).unwrap_or_default())
}

fn day(date: &str) -> String {
    date.chars().take(10).collect()
}

fn days(time: Duration) -> String {
    let hours = time.as_secs() / 3600;
    let (number, unit) = if hours < 48 { (hours, "hour") } else { (hours / 24, "day") };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}
