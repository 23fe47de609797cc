//! The one line to GitHub: sends requests one at a time, waits where GitHub asks for it, tries again what may be
//! tried again, and looks up what a lost reply left open. It knows nothing of what is posted.

pub mod answer;
pub mod author;
pub mod pace;

use std::fmt::Write as _;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;

use crate::model::text::shorten;
use crate::render::figures::count;
use crate::world::forge::{Forge, ForgeError, Reply, Request};
use crate::world::line::answer::{Answer, Limit, Stop};
use crate::world::line::pace::{Pace, jittered};
use crate::world::{clock, crashpoint};

/// More pages than any list that we read can have.
const MOST_PAGES: usize = 500;
/// A limit that lasts longer is as good as one without an end.
const LONGEST_LIMIT: Duration = Duration::from_hours(24);
/// How long requests may go without any answer, one after the other; in all it may be twice as long.
const LONGEST_SILENCE: Duration = Duration::from_secs(75);
/// A longer wait is said.
const WORTH_SAYING: Duration = Duration::from_secs(3);

/// What a request does to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing: it is sent in a dry run too.
    Read,
    /// It writes.
    Write,
    /// It writes and notifies people.
    Loud,
}

/// What 404 means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// It is not there.
    Gone,
    /// This run made it: GitHub does not show it everywhere yet.
    NotYet,
}

/// A thing to be created, that can be found again by a key of its own when the reply is lost.
pub trait Creation {
    /// What GitHub answers with.
    type Made: DeserializeOwned + Default;

    /// The request that creates it, below `root` (`/repos/o/r`).
    fn request(&self, root: &str) -> Request;

    /// Whether its birth notifies people.
    fn kind(&self) -> Kind;

    /// Looks for it.
    fn find<F: Forge>(&self, line: &mut Line<F>) -> impl Future<Output = Result<Option<Self::Made>, Stop>> + Send;
}

/// See the module.
#[derive(Debug)]
pub struct Line<F> {
    forge: F,
    root: String,
    pace: Pace,
    dry: bool,
    /// What a dry run would have written since the last [`Line::take_planned`].
    planned: Vec<String>,
    /// How long the call at hand may bring `waited` to.
    patience: Duration,
    waited: Duration,
    writes: u32,
    last_write: Option<Instant>,
    /// A rate limit: until when, and its story.
    closed: Option<(Instant, String)>,
    next_pause: Duration,
    /// The last request failed through all its tries: the next one gets a single try.
    down: bool,
    /// How long requests have gone without any answer: in a row, and in all.
    silence: (Duration, Duration),
}

impl<F: Forge> Line<F> {
    /// A line about `repository` (`owner/name`).
    pub fn new(forge: F, repository: &str, pace: Pace, dry: bool) -> Self {
        let root = repository.split('/').fold("/repos".to_owned(), |path, part| format!("{path}/{}", segment(part)));
        Self {
            forge,
            root,
            pace,
            dry,
            planned: Vec::new(),
            patience: Duration::ZERO,
            waited: Duration::ZERO,
            writes: 0,
            last_write: None,
            closed: None,
            next_pause: pace.pause,
            down: false,
            silence: Default::default(),
        }
    }

    /// `/repos/o/r` and what follows.
    #[must_use]
    pub fn path(&self, rest: &str) -> String {
        format!("{}{rest}", self.root)
    }

    /// Whether nothing is written.
    #[must_use]
    pub const fn is_dry(&self) -> bool {
        self.dry
    }

    /// What a dry run would have written.
    pub fn take_planned(&mut self) -> Vec<String> {
        std::mem::take(&mut self.planned)
    }

    /// From here on, all waiting of this line together may last this long.
    pub const fn allow(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// From here on, all further waiting of this line may last this long.
    pub fn allow_more(&mut self, patience: Duration) {
        self.silence = Default::default();
        self.patience = self.waited + patience;
    }

    /// Waits between the looks for something that does not show yet; `None` when it has been looked for long enough.
    pub async fn look_again(&mut self, looks: &mut usize) -> Option<()> {
        let wait = *self.pace.looks.get(*looks)?;
        *looks += 1;
        self.wait(wait).await
    }

    /// Reads a thing.
    ///
    /// # Errors
    /// When it was not got, or is not what it should be.
    pub async fn read<T: DeserializeOwned>(&mut self, path: String) -> Result<T, Stop> {
        let request = Request::get(path);
        let reply = self.repeat(&request, Kind::Read, Missing::Gone).await?;
        parse(&request, &reply)
    }

    /// Reads all pages of a list.
    ///
    /// # Errors
    /// When one was not got, or is not what it should be: a list is whole or none.
    pub async fn pages<T: DeserializeOwned>(&mut self, path: String) -> Result<Vec<T>, Stop> {
        let mut pages = Vec::new();
        let mut request = Request::get(path);
        while pages.len() < MOST_PAGES {
            let reply = self.repeat(&request, Kind::Read, Missing::Gone).await?;
            pages.push(parse(&request, &reply)?);
            match reply.next {
                None => return Ok(pages),
                Some(next) => request = Request::get(next),
            }
        }
        Err(Stop::Failed(format!("{} has more than {MOST_PAGES} pages", request.path)))
    }

    /// Downloads a file of at most `most` bytes.
    ///
    /// # Errors
    /// When it was not got whole.
    pub async fn download(&mut self, path: &str, most: usize) -> Result<Vec<u8>, Stop> {
        let mut tries = 0;
        loop {
            let error = match self.forge.download(path, most).await {
                Ok(bytes) => return Ok(bytes),
                Err(error @ ForgeError::TooLarge { .. }) => return Err(Stop::Failed(error.to_string())),
                Err(error) => error,
            };
            match answer::read_error(&format!("GET {path}"), &error) {
                Answer::Stopped(stop) => return Err(stop),
                Answer::Done(_) => return Err(Stop::Failed(error.to_string())),
                Answer::NotSent(why) | Answer::Unknown(why) => self.back_off(&mut tries, why).await?,
            }
        }
    }

    /// Sends a request that may be carried out twice without harm, until it is done.
    ///
    /// # Errors
    /// When it is refused, limited for too long, or out of tries.
    pub async fn repeat(&mut self, request: &Request, kind: Kind, missing: Missing) -> Result<Reply, Stop> {
        let mut tries = 0;
        loop {
            let why = match self.attempt(request, kind, missing).await? {
                Answer::Done(reply) => return Ok(reply),
                Answer::Stopped(stop) => return Err(stop),
                Answer::NotSent(why) | Answer::Unknown(why) => why,
            };
            self.back_off(&mut tries, why).await?;
        }
    }

    /// Creates a thing so that there is one of it at most, whatever is lost on the way.
    ///
    /// # Errors
    /// When it is refused, limited for too long, out of tries, or when it cannot be told whether it is there.
    pub async fn create<C: Creation>(&mut self, creation: &C) -> Result<C::Made, Stop> {
        let request = creation.request(&self.root);
        let mut tries = 0;
        loop {
            let why = match self.attempt(&request, creation.kind(), Missing::Gone).await? {
                Answer::Done(_) if self.dry => return Ok(C::Made::default()),
                Answer::Done(reply) => match parse(&request, &reply) {
                    Ok(made) => return Ok(made),
                    Err(stop) => stop.to_string(),
                },
                Answer::Stopped(stop) => return Err(stop),
                Answer::NotSent(why) => {
                    self.back_off(&mut tries, why).await?;
                    continue;
                }
                Answer::Unknown(why) => why,
            };
            if let Some(made) = self.look_for(creation, &why).await? {
                return Ok(made);
            }
            tries += 1;
            if tries > self.pace.retries.len() {
                return Err(Stop::Failed(format!("{why} (tried {tries} times, and it is not there)")));
            }
        }
    }

    /// `None` once it is sure that it was not created.
    async fn look_for<C: Creation>(&mut self, creation: &C, why: &str) -> Result<Option<C::Made>, Stop> {
        tracing::debug!(why, "looking whether it was created");
        let unsure = |what: &str| Stop::Failed(format!("{why}; whether it was carried out is not known: {what}"));
        let mut looks = 0;
        while looks < self.pace.looks.len() {
            self.look_again(&mut looks).await.ok_or_else(|| unsure("there is no time left to look"))?;
            match creation.find(self).await {
                Ok(None) => {}
                Ok(found) => return Ok(found),
                Err(stop) => return Err(unsure(&stop.to_string())),
            }
        }
        Ok(None)
    }

    /// Sends a request once, when its turn has come; rate limits and a 404 that means "not yet" are sat out.
    ///
    /// # Errors
    /// When a rate limit lasts longer than the line may wait.
    pub async fn attempt(&mut self, request: &Request, kind: Kind, missing: Missing) -> Result<Answer, Stop> {
        if self.dry && kind != Kind::Read {
            self.planned.push(describe(request));
            return Ok(Answer::Done(Reply::default()));
        }
        let mut looks = 0;
        loop {
            self.still_answers()?;
            self.wait_until_open().await?;
            self.keep_gap(kind).await;
            let asked = Instant::now();
            let sent = match kind {
                Kind::Read => self.forge.send(request).await,
                Kind::Write | Kind::Loud => crashpoint::around(self.forge.send(request)).await,
            };
            self.hear(asked.elapsed(), sent.is_ok());
            let answer = match answer::read(request, sent) {
                Ok(answer) => answer,
                Err(limit) => {
                    self.close(limit);
                    continue;
                }
            };
            match &answer {
                Answer::Done(_) => (self.down, self.next_pause) = (false, self.pace.pause),
                Answer::Stopped(_) => self.down = false,
                Answer::NotSent(why) | Answer::Unknown(why) if asked.elapsed() > WORTH_SAYING => {
                    tracing::warn!("no answer after {} s: {why}", asked.elapsed().as_secs());
                }
                Answer::NotSent(why) | Answer::Unknown(why) => tracing::debug!(why, "no answer"),
            }
            let not_yet = matches!(&answer, Answer::Stopped(stop) if stop.refused_with(404).is_some());
            if not_yet && missing == Missing::NotYet && self.look_again(&mut looks).await.is_some() {
                continue;
            }
            return Ok(answer);
        }
    }

    /// Takes in how long a request took, and whether any answer came.
    fn hear(&mut self, took: Duration, answered: bool) {
        let (in_a_row, in_all) = self.silence;
        self.silence = if answered { (Duration::ZERO, in_all) } else { (in_a_row + took, in_all + took) };
    }

    /// Whoever has not answered for long is not asked any more, however much there is to say: the next call would wait as long.
    fn still_answers(&self) -> Result<(), Stop> {
        let (in_a_row, in_all) = self.silence;
        if in_a_row < LONGEST_SILENCE && in_all < LONGEST_SILENCE * 2 {
            return Ok(());
        }
        let seconds = in_all.as_secs();
        Err(Stop::Failed(format!("GitHub was waited for without an answer for {seconds} s, and is not asked any more")))
    }

    /// Waits before the next try.
    ///
    /// # Errors
    /// `why`, when there is no try left.
    pub async fn back_off(&mut self, tries: &mut usize, why: String) -> Result<(), Stop> {
        let left = if self.down { None } else { self.pace.retries.get(*tries).copied() };
        *tries += 1;
        let waited = match left {
            Some(wait) => self.wait(jittered(wait)).await,
            None => None,
        };
        waited.ok_or_else(|| {
            self.down = true;
            Stop::Failed(if *tries > 1 { format!("{why} (tried {tries} times)") } else { why })
        })
    }

    async fn wait(&mut self, time: Duration) -> Option<()> {
        if self.waited + time > self.patience {
            return None;
        }
        self.waited += time;
        tokio::time::sleep(time).await;
        Some(())
    }

    async fn keep_gap(&mut self, kind: Kind) {
        let gap = match kind {
            Kind::Read => return,
            Kind::Write => self.pace.gap,
            Kind::Loud => self.pace.loud_gap,
        };
        if let (true, Some(last)) = (self.writes >= self.pace.burst, self.last_write) {
            tokio::time::sleep_until(last + gap).await;
        }
        self.writes += 1;
        self.last_write = Some(Instant::now());
    }

    async fn wait_until_open(&mut self) -> Result<(), Stop> {
        let Some((until, story)) = self.closed.clone() else { return Ok(()) };
        let left = until.saturating_duration_since(Instant::now());
        if left > WORTH_SAYING && self.waited + left <= self.patience {
            tracing::warn!("{story}: waiting for {} s", left.as_secs() + 1);
        }
        if self.wait(left).await.is_none() {
            return Err(Stop::Limited(format!("{story}, which is longer than posting may still wait")));
        }
        self.closed = None;
        Ok(())
    }

    fn close(&mut self, limit: Limit) {
        let (pause, story) = match limit {
            Limit::Secondary(asked) => {
                let pause = asked.unwrap_or(self.next_pause);
                if asked.is_none() {
                    self.next_pause = (self.next_pause * 2).min(self.pace.longest_pause);
                }
                (pause, format!("GitHub's secondary rate limit closes this token for {} s", pause.as_secs()))
            }
            Limit::Primary { reset, now } => {
                let now = now.unwrap_or_else(|| clock::now().as_second());
                let left = u64::try_from(reset.saturating_sub(now)).unwrap_or_default();
                let time =
                    jiff::Timestamp::from_second(reset).map_or_else(|_| reset.to_string(), |time| time.to_string());
                (Duration::from_secs(left), format!("GitHub's rate limit closes this token until {time}"))
            }
        };
        tracing::debug!(story, "rate limit");
        // A limit that is already over must not be asked again without any pause; one without an end is a day to us.
        let pause = pause.clamp(Duration::from_secs(1), LONGEST_LIMIT);
        self.closed = Some((Instant::now() + pause, story));
    }
}

fn parse<T: DeserializeOwned>(request: &Request, reply: &Reply) -> Result<T, Stop> {
    serde_json::from_slice(&reply.body).map_err(|error| {
        let start = shorten(&String::from_utf8_lossy(&reply.body), 512);
        let name = format!("{} {}", request.method.word(), request.path);
        Stop::Failed(format!("{name} was answered {} with something unexpected ({error}): {start}", reply.status))
    })
}

/// One part of a path or one value of a query.
#[must_use]
pub fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => _ = write!(out, "%{byte:02X}"),
        }
    }
    out
}

fn describe(request: &Request) -> String {
    let name = format!("{} {}", request.method.word(), request.path);
    request.body.as_ref().map_or_else(|| name.clone(), |body| format!("{name} {}", brief(body)))
}

/// The body with its texts shortened and its lists counted.
fn brief(body: &Value) -> Value {
    match body {
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), brief(value))).collect(),
        Value::Array(items) => Value::String(count(items.len(), "item")),
        Value::String(text) => Value::String(shorten(text, 60)),
        other => other.clone(),
    }
}
