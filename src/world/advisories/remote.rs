//! Dumps at an address: fetched where they have changed, and kept. A copy that is young enough stands in where the
//! address cannot be reached, and that is said.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{AdvisoryError, Part, Wanted, age, day, dump};
use crate::world::files;
use crate::world::http::{Reply, Request};

/// The largest dump, in bytes.
const LARGEST: u64 = 1 << 30;

/// What is known of a copy.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Copy {
    url: String,
    etag: Option<String>,
    /// When the address last said that this is what it has, RFC 3339.
    checked: String,
    /// When that was put there, as the address says.
    #[serde(default)]
    modified: Option<String>,
}

struct Remote<'a> {
    url: &'a str,
    name: &'a str,
    wanted: &'a Wanted,
    /// The copy.
    dump: PathBuf,
    /// What is known of it.
    about: PathBuf,
}

/// Loads the dump at `url`, which a person calls `name`. Where it is the publisher's own there is no newer one, and it is as
/// young as the publisher's word for that; another place may have stood still, and is as old as what it has.
pub(super) async fn load(url: &str, name: &str, is_publisher: bool, wanted: &Wanted) -> Result<Part, AdvisoryError> {
    let failed = |why: String| AdvisoryError(format!("{name}: {why}"));
    wanted.cache.ready().map_err(failed)?;
    let file = |ending: &str| wanted.cache.file(url, ending).unwrap_or_default();
    let remote = Remote { url, name, wanted, dump: file("dump"), about: file("json") };
    let known = remote.copy();
    let mut notes = Vec::new();
    let copy = if wanted.offline {
        known.ok_or_else(|| failed("there is no copy of it here, and nothing is asked over the network".to_owned()))?
    } else {
        match (remote.refresh(known.as_ref()).await, known) {
            (Ok(copy), _) => copy,
            (Err(why), Some(copy)) if remote.is_young(&copy) => {
                notes.push(format!(
                    "{name} could not be refreshed ({why}): the copy of {} was used",
                    day(&copy.checked)
                ));
                copy
            }
            (Err(why), Some(copy)) => {
                let of = day(&copy.checked);
                return Err(failed(format!(
                    "could not be refreshed ({why}), and the copy of {of} is too old (`max-age`)"
                )));
            }
            (Err(why), None) => return Err(failed(why)),
        }
    };
    let part = dump::load(&remote.dump, name, wanted).await?;
    let date = if is_publisher { copy.checked } else { copy.modified.unwrap_or(part.date) };
    Ok(Part { date, notes, ..part })
}

impl Remote<'_> {
    fn copy(&self) -> Option<Copy> {
        let about = files::read_capped(&self.about, 1 << 16)?;
        let copy: Copy = serde_json::from_slice(&about).ok()?;
        (copy.url == self.url && files::is_file(&self.dump)).then_some(copy)
    }

    fn is_young(&self, copy: &Copy) -> bool {
        let Some(most) = self.wanted.max_age else { return true };
        age(&copy.checked, self.wanted.now).is_some_and(|age| age <= most)
    }

    /// Fetches it where it has changed. What came is believed only when it is a dump.
    async fn refresh(&self, known: Option<&Copy>) -> Result<Copy, String> {
        let client = self.wanted.network.client().map_err(|error| error.to_string())?;
        let part = self.dump.with_extension(format!("{}.part", std::process::id()));
        let request = Request { url: self.url.to_owned(), json: None, etag: known.and_then(|copy| copy.etag.clone()) };
        let mut file = files::create(&part).map_err(|error| error.to_string())?;
        let fetched = client.fetch(&request, LARGEST, &mut file).await;
        drop(file);
        let copy = match fetched {
            Ok(Reply::Unchanged) => known.cloned().ok_or_else(|| "answered as if we had a copy".to_owned()),
            Ok(Reply::Content { etag, modified }) => {
                let modified = modified.as_deref().and_then(|time| self.time(time));
                self.accept(&part).await.map(|()| Copy { etag, modified, ..Copy::default() })
            }
            Err(error) => Err(error.to_string()),
        };
        let kept = copy.and_then(|copy| {
            let copy = Copy { url: self.url.to_owned(), checked: self.wanted.now.to_string(), ..copy };
            let about = serde_json::to_vec(&copy).map_err(|error| error.to_string())?;
            files::write(&self.about, &about).map_err(|error| error.to_string())?;
            Ok(copy)
        });
        let removed = files::remove(&part);
        kept.and_then(|copy| removed.map(|()| copy).map_err(|error| error.to_string()))
    }

    /// A time of HTTP, unless it is still to come (<https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7>).
    fn time(&self, text: &str) -> Option<String> {
        let time = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
        (time <= self.wanted.now).then(|| time.to_string())
    }

    /// Puts what was fetched in the place of the copy.
    async fn accept(&self, part: &std::path::Path) -> Result<(), String> {
        let (part, dump, cache, now) = (part.to_owned(), self.dump.clone(), self.wanted.cache.clone(), self.wanted.now);
        let name = self.name.to_owned();
        let accept = move || {
            let bytes = files::read(&part).map_err(|error| error.to_string())?;
            let digest = blake3::hash(&bytes).to_hex().to_string();
            let index = dump::of_file(&name, &bytes, digest, now)?;
            if index.meta.records == 0 {
                return Err("what came holds no advisory".to_owned());
            }
            files::write(&dump, &bytes).map_err(|error| error.to_string())?;
            let whole = files::real_path(&dump).unwrap_or(dump);
            cache.keep(&whole.to_string_lossy(), &index);
            Ok(())
        };
        tokio::task::spawn_blocking(accept).await.map_err(|error| error.to_string())?
    }
}
