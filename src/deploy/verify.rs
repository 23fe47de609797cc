//! Looks at a service: its health, and which commit answers. What the rounds come to is the tally's.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::deploy::tally::{Round, Tally, Verdict};
use crate::model::environments::{Environment, Pacing, Probe, VersionPlace, VersionProbe};
use crate::model::sha::Sha;
use crate::model::text::one_line;
use crate::world::env::Env;
use crate::world::http::{Answered, Exchange, Http, HttpError};

/// The most bytes of an answer: a health page has no more.
const LIMIT: u64 = 1 << 20;

/// The fewest digits of a commit id that name it.
const SHORT: usize = 7;

/// Words of a JSON body's `status` that say it is not well, whatever the HTTP status says.
const SICK: &[&str] = &["down", "error", "fail", "failed", "failing", "unhealthy", "critical", "out_of_service", "red"];

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

impl<'a> Sight<'a> {
    /// Of an environment, in which `sha` must answer where that is told.
    #[must_use]
    pub fn of(environment: &'a Environment, sha: Option<&'a Sha>, env: &'a Env) -> Self {
        let verify = &environment.verify;
        let version = verify.version.as_ref().zip(sha);
        Self { url: environment.url.as_deref(), health: &verify.health, version, pacing: verify.pacing, env }
    }
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
        let own = [("connection", "close"), ("accept-encoding", "identity")];
        let own = own.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
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
        judged(probe, &url, &answered, begun.elapsed())
    }

    async fn version_round(&self, http: &Http, probe: &VersionProbe, sha: &Sha) -> Round {
        let url = self.address(&probe.path);
        let plain = Probe::default();
        let answered = match self.ask(http, &plain, &url).await {
            Ok(answered) => answered,
            Err(error) => return Round::Error(error.to_string()),
        };
        match judged(&plain, &url, &answered, Duration::ZERO) {
            Round::Good => {}
            other => return other,
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
        VersionPlace::Body => Some(String::from_utf8_lossy(body(answered)).trim().to_owned()),
        VersionPlace::Json(path) => path.text_of(&serde_json::from_slice(body(answered)).ok()?),
    }
}

fn status_words(answered: &Answered) -> String {
    match (answered.status, answered.header("location")) {
        (status @ 300..400, Some(to)) => format!("answered {status}, a redirect to {}", one_line(to, 120)),
        (status, _) => format!("answered {status}"),
    }
}

/// The body, without the mark of its byte order that some servers begin it with.
fn body(answered: &Answered) -> &[u8] {
    answered.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&answered.body)
}

/// What an answer comes to.
fn judged(probe: &Probe, url: &str, answered: &Answered, took: Duration) -> Round {
    let bad = |why: String| Round::Bad(format!("{url} {why}"));
    let as_wanted = probe.status.map_or((200..300).contains(&answered.status), |wanted| answered.status == wanted);
    if !as_wanted {
        return bad(status_words(answered));
    }
    if let Some(most) = probe.latency.filter(|most| took > *most) {
        return bad(format!("took {} ms, more than {} ms", took.as_millis(), most.as_millis()));
    }
    let asks = probe.body.is_some() || !probe.json.is_empty();
    // A probe that says what it wants is taken at its word.
    let may_say_sick = !asks && probe.status.is_none();
    let encoding = answered.header("content-encoding").unwrap_or("identity");
    if (asks || may_say_sick) && !encoding.trim().eq_ignore_ascii_case("identity") {
        let encoding = one_line(encoding, 40);
        return Round::Error(format!(
            "{url} sent its body as {encoding}, which is not read here and was not asked for"
        ));
    }
    if let Some(wanted) = &probe.body
        && !String::from_utf8_lossy(&answered.body).contains(wanted.as_str())
    {
        return bad(format!("answered {} without {wanted:?} in its body", answered.status));
    }
    let document = serde_json::from_slice::<Value>(body(answered)).ok();
    for (path, wanted) in &probe.json {
        let found = document.as_ref().and_then(|document| path.text_of(document));
        if found.as_deref() != Some(wanted) {
            let found = found.map_or_else(|| "nothing".to_owned(), |found| format!("{:?}", one_line(&found, 80)));
            return bad(format!("has {found} at {}, not {wanted:?}", path.as_str()));
        }
    }
    match document.as_ref().filter(|_| may_say_sick).and_then(sickness) {
        None => Round::Good,
        Some(said) => bad(format!("answered {}, and says its status is {said}", answered.status)),
    }
}

/// The `status` of a body that says it is not well.
fn sickness(document: &Value) -> Option<String> {
    let is_sick = |said: &&Value| match said {
        Value::String(word) => SICK.contains(&word.trim().to_ascii_lowercase().as_str()),
        Value::Bool(well) => !well,
        Value::Number(code) => code.as_u64().is_some_and(|code| (500..600).contains(&code)),
        _ => false,
    };
    let mut said = document.as_object()?.iter().filter(|(key, _)| key.eq_ignore_ascii_case("status"));
    said.find_map(|(_, said)| Some(said).filter(is_sick)).map(|said| one_line(&said.to_string(), 80))
}
