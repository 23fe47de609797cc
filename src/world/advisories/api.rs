//! The service of osv.dev: which records are about the packages at hand (<https://google.github.io/osv.dev/post-v1-querybatch/>),
//! then each of those records. What it says is matched here once more; what it does not answer is an error.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::{AdvisoryError, Asked, Part, Wanted};
use crate::advisory::index::Builder;
use crate::advisory::osv;
use crate::advisory::record::normal_name;
use crate::advisory::version::Version;
use crate::model::package::Ecosystem;
use crate::model::text::one_line;
use crate::world::files;
use crate::world::http::{Http, Request};

/// The most queries of one request, which the service sets.
const BATCH: usize = 1000;
/// The most pages of answers to one query.
const MOST_PAGES: usize = 100;
/// Requests at a time.
const AT_A_TIME: usize = 10;
/// The most bytes of a reply, and of a record.
const LARGEST_REPLY: u64 = 64 << 20;
const LARGEST_RECORD: u64 = 20 << 20;

#[derive(Debug, Clone, Serialize)]
struct Query {
    #[serde(skip)]
    asked: Asked,
    package: Package,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    page_token: Option<String>,
    #[serde(skip)]
    page: usize,
}

#[derive(Debug, Clone, Serialize)]
struct Package {
    name: String,
    ecosystem: &'static str,
}

#[derive(Serialize)]
struct Queries<'a> {
    queries: &'a [Query],
}

#[derive(Deserialize)]
struct Results {
    results: Vec<Answer>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    vulns: Vec<Named>,
    next_page_token: Option<String>,
    /// What stands in the place of an answer, such as `code` and `message` of an error.
    #[serde(flatten)]
    others: BTreeMap<String, serde_json::Value>,
}

impl Answer {
    /// Why it is none, or not the whole.
    fn wrong(&self) -> Option<String> {
        let errors = ["code", "error", "errors", "message", "status"];
        let is_none = |key: &str| self.vulns.is_empty() || errors.contains(&key);
        let (key, value) = self.others.iter().find(|(key, _)| is_none(key))?;
        let said = self.others.get("message").map_or_else(|| format!("{key} {value}"), ToString::to_string);
        Some(one_line(&said, 200))
    }
}

#[derive(Deserialize)]
struct Named {
    id: String,
    #[serde(default)]
    modified: String,
}

/// What the service says of a record without giving it.
#[derive(Default)]
struct Hit {
    /// When it last changed.
    modified: String,
    /// What it was named for.
    packages: Vec<Asked>,
}

/// Asks for the packages, but for those under `private`.
pub(super) async fn load(wanted: &Wanted, packages: &BTreeSet<Asked>) -> Result<Part, AdvisoryError> {
    let host = wanted.network.service.split("://").last().unwrap_or_default().to_owned();
    if wanted.offline {
        return Err(AdvisoryError(format!("{host} is a service, and nothing is asked over the network: name a dump")));
    }
    let client = wanted.network.client()?;
    // By what stands in the lockfile, and by what may be sent in its place.
    let is_private = |(ecosystem, name, _): &Asked| {
        wanted.private.is_match(name) || wanted.private.is_match(normal_name(*ecosystem, name))
    };
    let (kept, sent): (Vec<&Asked>, Vec<&Asked>) = packages.iter().partition(|asked| is_private(asked));
    let named = ask(&client, &wanted.network.service, &sent).await?;
    let mut builder = Builder::default();
    let mut hasher = blake3::Hasher::new();
    let private: BTreeSet<&str> = kept.iter().map(|(_, name, _)| name.as_str()).collect();
    let mut notes = Vec::new();
    if !private.is_empty() {
        let plural = if private.len() == 1 { " is" } else { "s are" };
        notes.push(format!("{} package{plural} private and {host} was not asked about it", private.len()));
    }
    for (id, bytes) in fetch(&client, wanted, &named).await? {
        hasher.update(&bytes);
        let record = match osv::read(&bytes) {
            Ok(record) if record.id == id => record,
            Ok(record) => return Err(AdvisoryError(format!("{host} gave {} for {id}", record.id))),
            // It is about packages at hand, unlike one of a dump: to pass it over would call them clean.
            Err(error) => {
                let packages = named.get(&id).map(|hit| &hit.packages[..]).unwrap_or_default();
                let Some(record) = osv::unread(&bytes, &id, packages) else {
                    return Err(AdvisoryError(format!("what {host} gave for {id} {error}")));
                };
                notes.push(format!("{host}: {id} {error}: what it was named for is left undecided"));
                record
            }
        };
        builder.add(record, &wanted.now.to_string());
    }
    let index = builder.finish(String::new(), hasher.finalize().to_hex().to_string());
    let date = wanted.now.to_string();
    Ok(Part { index, name: host, date, asked: true, notes })
}

/// The names of the records about the packages.
async fn ask(client: &Http, service: &str, packages: &[&Asked]) -> Result<BTreeMap<String, Hit>, AdvisoryError> {
    let url = format!("{service}/v1/querybatch");
    let failed = |why: String| AdvisoryError(format!("{url}: {why}"));
    let mut waiting: VecDeque<Query> = packages.iter().map(|asked| query(asked)).collect();
    let mut named: BTreeMap<String, Hit> = BTreeMap::new();
    while !waiting.is_empty() {
        let batch: Vec<Query> = waiting.drain(..waiting.len().min(BATCH)).collect();
        let json = serde_json::to_vec(&Queries { queries: &batch }).map_err(|error| failed(error.to_string()))?;
        let request = Request { url: url.clone(), json: Some(json), etag: None };
        let reply = client.get(&request, LARGEST_REPLY).await.map_err(|error| AdvisoryError(error.to_string()))?;
        let Results { results } = serde_json::from_slice(&reply)
            .map_err(|error| failed(format!("the reply is not what the service answers: {error}")))?;
        if results.len() != batch.len() {
            return Err(failed(format!("{} answers to {} questions", results.len(), batch.len())));
        }
        for (query, answer) in batch.into_iter().zip(results) {
            if let Some(said) = answer.wrong() {
                return Err(failed(format!("no answer about {}: {said}", query.package.name)));
            }
            for one in answer.vulns {
                let hit = named.entry(one.id).or_default();
                hit.modified = one.modified;
                hit.packages.push(query.asked.clone());
            }
            let Some(token) = answer.next_page_token.filter(|token| !token.is_empty()) else { continue };
            if query.page == MOST_PAGES {
                return Err(failed(format!("more than {MOST_PAGES} pages about {}", query.package.name)));
            }
            waiting.push_back(Query { page_token: Some(token), page: query.page + 1, ..query });
        }
    }
    Ok(named)
}

fn query(asked: &Asked) -> Query {
    let (ecosystem, _, version) = asked;
    // All records of a package are asked for where its version has no order, and where it is a build of a release: what the
    // service makes of that it does not say, and records are matched here.
    let is_build = *ecosystem == Ecosystem::PyPi && version.contains('+');
    let version = Version::parse(*ecosystem, version).filter(|_| !is_build).map(|_| version.clone());
    let package = Package { name: sent_name(asked), ecosystem: ecosystem.word() };
    Query { asked: asked.clone(), package, version, page_token: None, page: 1 }
}

/// The name that a package is asked for by: that of the records, where case and signs do not count; others by the name
/// that their registry has.
fn sent_name((ecosystem, name, _): &Asked) -> String {
    match ecosystem {
        Ecosystem::PyPi | Ecosystem::Packagist => normal_name(*ecosystem, name),
        Ecosystem::CratesIo | Ecosystem::Go | Ecosystem::Npm | Ecosystem::RubyGems => name.clone(),
    }
}

/// The records themselves, by name; those that have not changed come from the cache.
async fn fetch(
    client: &Http,
    wanted: &Wanted,
    named: &BTreeMap<String, Hit>,
) -> Result<BTreeMap<String, Vec<u8>>, AdvisoryError> {
    let mut records = BTreeMap::new();
    let mut missing = Vec::new();
    let cached = |id: &str, modified: &str| wanted.cache.file(&format!("record {id} {modified}"), "record");
    for (id, Hit { modified, .. }) in named {
        let id = id.clone();
        let is_name = !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:".contains(c));
        if !is_name {
            return Err(AdvisoryError(format!("the service names a record {id:?}, which is no name")));
        }
        let kept = cached(&id, modified).filter(|_| !modified.is_empty());
        match kept.as_ref().and_then(|file| files::read_capped(file, LARGEST_RECORD)) {
            Some(bytes) if osv::read(&bytes).is_ok_and(|record| record.id == id) => {
                records.insert(id, bytes);
            }
            _ => missing.push((id, kept)),
        }
    }
    let can_keep = !missing.is_empty() && wanted.cache.ready().is_ok();
    let mut running = JoinSet::new();
    let mut waiting = missing.into_iter();
    loop {
        while running.len() < AT_A_TIME
            && let Some((id, kept)) = waiting.next()
        {
            let (client, url) = (client.clone(), format!("{}/v1/vulns/{id}", wanted.network.service));
            running.spawn(async move {
                let request = Request { url, ..Request::default() };
                client.get(&request, LARGEST_RECORD).await.map(|bytes| (id, kept, bytes))
            });
        }
        let Some(done) = running.join_next().await else { return Ok(records) };
        let (id, kept, bytes) = done
            .map_err(|error| AdvisoryError(format!("a record could not be fetched: {error}")))?
            .map_err(|error| AdvisoryError(error.to_string()))?;
        if let Some(file) = kept.filter(|_| can_keep)
            && let Err(error) = files::write(&file, &bytes)
        {
            tracing::info!("{id} is not kept: {error}");
        }
        records.insert(id, bytes);
    }
}
