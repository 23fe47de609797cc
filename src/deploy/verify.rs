//! Looks at a service: its health, and which commit answers. What the rounds come to is the tally's.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::deploy::tally::{Round, Tally, Verdict};
use crate::model::environments::{Pacing, Probe, VersionPlace, VersionProbe};
use crate::model::sha::Sha;
use crate::model::text::one_line;
use crate::world::env::Env;
use crate::world::http::{Answered, Exchange, Http, HttpError};

/// The most bytes of an answer: a health page has no more.
const LIMIT: u64 = 1 << 20;

/// The fewest digits of a commit id that name it.
const SHORT: usize = 7;

/// Words of a JSON body's `status` that say it is not well, whatever the HTTP status says.
const SICK: &[&str] = &["down", "error", "fail", "failed", "failing", "unhealthy", "critical", "out_of_service"];

/// What is looked at.
#[derive(Clone)]
pub struct Sight<'a> {
    /// What paths are relative to.
    pub url: Option<&'a str>,
    /// All of these must be good.
    pub health: &'a [Probe],
    /// Which commit must answer, and where that is told.
    pub version: Option<(&'a VersionProbe, &'a Sha)>,
    /// Waits and limits.
    pub pacing: Pacing,
    /// Where secrets in headers are looked up.
    pub env: &'a Env,
}

impl Sight<'_> {
    /// Looks until there is a verdict. `told` is given every round that is not a good one.
    pub async fn judge(&self, http: &Http, told: &dyn Fn(&str)) -> Verdict {
        let begun = Instant::now();
        let mut tally = Tally::new(self.pacing);
        loop {
            let round = self.round(http).await;
            if let Round::Waiting(why) | Round::Bad(why) | Round::Error(why) = &round {
                told(why);
            }
            if let Some(verdict) = tally.see(round, begun.elapsed()) {
                return verdict;
            }
            tokio::time::sleep(self.pacing.interval).await;
        }
    }

    /// Looks for the time of the watch, at what was healthy, and on until a round tells how it ends; `None` when it
    /// stayed so.
    pub async fn watch(&self, http: &Http) -> Option<Verdict> {
        let Pacing { watch, interval, .. } = self.pacing;
        let begun = Instant::now();
        let mut tally = Tally::new(self.pacing);
        let mut is_good = true;
        // After a last round that was not a good one nobody knows how it is; a few more are good, or too many.
        while begun.elapsed() < watch || !is_good {
            tokio::time::sleep(interval.min(watch)).await;
            let round = self.round(http).await;
            is_good = round == Round::Good;
            if let Some(verdict) = tally.watch(round) {
                return Some(verdict);
            }
        }
        None
    }

    /// One look at everything.
    pub async fn round(&self, http: &Http) -> Round {
        let mut waiting = None;
        if let Some((probe, sha)) = self.version {
            match self.version_round(http, probe, sha).await {
                Round::Good => {}
                // Health is looked at all the same: what is sick is no old version.
                Round::Waiting(why) => waiting = Some(why),
                other => return other,
            }
        }
        for probe in self.health {
            match self.health_round(http, probe).await {
                Round::Good => {}
                other => return other,
            }
        }
        waiting.map_or(Round::Good, Round::Waiting)
    }

    fn address(&self, path: &str) -> String {
        if path.starts_with("http://") || path.starts_with("https://") {
            return path.to_owned();
        }
        let base = self.url.unwrap_or_default().trim_end_matches('/');
        format!("{base}/{}", path.trim_start_matches('/'))
    }

    async fn ask(&self, http: &Http, probe: &Probe, url: &str) -> Result<Answered, HttpError> {
        let value = |value: &String| match value.strip_prefix("env:") {
            Some(name) => self.env.get(name).unwrap_or_default().to_owned(),
            None => value.clone(),
        };
        // A connection that was kept may lead to the instance from before.
        let own = std::iter::once(("connection".to_owned(), "close".to_owned()));
        let headers: Vec<(String, String)> =
            own.chain(probe.headers.iter().map(|(name, given)| (name.clone(), value(given)))).collect();
        let method = if probe.method.is_empty() { "GET" } else { &probe.method };
        let timeout = self.pacing.timeout;
        http.exchange(&Exchange { method, url, headers: &headers, body: None, timeout, limit: LIMIT }).await
    }

    async fn health_round(&self, http: &Http, probe: &Probe) -> Round {
        let url = self.address(&probe.path);
        let begun = Instant::now();
        let answered = match self.ask(http, probe, &url).await {
            Ok(answered) => answered,
            Err(HttpError::TooLarge { limit, .. }) => {
                return Round::Bad(format!("{url} sent more than {limit} bytes"));
            }
            Err(error) => return Round::Error(error.to_string()),
        };
        match objection(probe, &answered, begun.elapsed()) {
            None => Round::Good,
            Some(why) => Round::Bad(format!("{url} {why}")),
        }
    }

    async fn version_round(&self, http: &Http, probe: &VersionProbe, sha: &Sha) -> Round {
        let url = self.address(&probe.path);
        let answered = match self.ask(http, &Probe::default(), &url).await {
            Ok(answered) => answered,
            Err(error) => return Round::Error(error.to_string()),
        };
        if !(200..300).contains(&answered.status) {
            return Round::Bad(format!("{url} {}", status_words(&answered)));
        }
        match told_version(probe, &answered) {
            None => Round::Bad(format!("{url} does not tell its version")),
            Some(told) if is(sha, &told) => Round::Good,
            Some(told) => Round::Waiting(format!("{url} answers as {}, not {}", one_line(&told, 40), sha.short())),
        }
    }
}

/// Whether an answered version is this commit: its id, or at least 7 digits of it.
fn is(sha: &Sha, told: &str) -> bool {
    let told = told.trim().to_ascii_lowercase();
    told.len() >= SHORT && sha.as_str().starts_with(&told)
}

fn told_version(probe: &VersionProbe, answered: &Answered) -> Option<String> {
    match &probe.place {
        VersionPlace::Header(name) => answered.header(name).map(str::to_owned),
        VersionPlace::Body => Some(String::from_utf8_lossy(&answered.body).trim().to_owned()),
        VersionPlace::Json(path) => path.text_of(&serde_json::from_slice(&answered.body).ok()?),
    }
}

fn status_words(answered: &Answered) -> String {
    match (answered.status, answered.header("location")) {
        (status @ 300..400, Some(to)) => format!("answered {status}, a redirect to {}", one_line(to, 120)),
        (status, _) => format!("answered {status}"),
    }
}

/// Why an answer is not a good one.
fn objection(probe: &Probe, answered: &Answered, took: Duration) -> Option<String> {
    let as_wanted = probe.status.map_or((200..300).contains(&answered.status), |wanted| answered.status == wanted);
    if !as_wanted {
        return Some(status_words(answered));
    }
    if let Some(most) = probe.latency.filter(|most| took > *most) {
        return Some(format!("took {} ms, more than {} ms", took.as_millis(), most.as_millis()));
    }
    if let Some(wanted) = &probe.body
        && !String::from_utf8_lossy(&answered.body).contains(wanted.as_str())
    {
        return Some(format!("answered {} without {wanted:?} in its body", answered.status));
    }
    let document = serde_json::from_slice::<Value>(&answered.body).ok();
    for (path, wanted) in &probe.json {
        let found = document.as_ref().and_then(|document| path.text_of(document));
        if found.as_deref() != Some(wanted) {
            let found = found.map_or_else(|| "nothing".to_owned(), |found| format!("{:?}", one_line(&found, 80)));
            return Some(format!("has {found} at {}, not {wanted:?}", path.as_str()));
        }
    }
    let said = document.as_ref().and_then(|document| document.get("status")?.as_str()).unwrap_or_default();
    // A probe that says what it wants is taken at its word.
    let is_said_sick = probe.json.is_empty() && probe.body.is_none() && probe.status.is_none();
    let is_sick = is_said_sick && SICK.contains(&said.to_ascii_lowercase().as_str());
    is_sick.then(|| format!("answered {}, and says its status is {said:?}", answered.status))
}
