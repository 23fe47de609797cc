//! What deployers of hosts share: JSON over HTTP with a token, and following something until it has ended.

use std::pin::Pin;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::deploy::{Deployer, Ground, Job, Ran};
use crate::model::deployment::Role;
use crate::model::environments::Environment;
use crate::model::text::{clean, one_line, shorten};
use crate::world::http::Exchange;

/// The most bytes of an answer.
const LIMIT: u64 = 4 << 20;
/// Of one request.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Before further tries of what may be asked twice.
const AGAIN: [u64; 3] = [1, 3, 9];
/// Between two looks, from the first on; the last one from then on.
const LOOKS: [u64; 5] = [1, 2, 3, 5, 10];
/// So many times the environment's `grace`, which is what a command gets, may take to end what is cancelled elsewhere: it
/// has steps of its own to end first.
pub(super) const ENDS: u32 = 12;

/// A host that deploys by itself when its API is asked to.
pub(super) trait Host {
    /// The token, as `env:NAME`.
    fn token(&self) -> &str;

    /// Deploys the commit.
    async fn create(&self, job: &Job<'_>, token: &str) -> Result<Ran, Undone>;

    /// Goes back to what the host still has of the commit.
    async fn roll_back(&self, job: &Job<'_>, token: &str) -> Result<Ran, Undone>;
}

/// Why something was not seen to be done.
#[derive(Debug)]
pub(super) struct Undone {
    why: String,
    /// It may be done all the same: the answer was lost.
    pub(super) perhaps: bool,
}

impl Undone {
    fn perhaps(why: String) -> Self {
        Self { why, perhaps: true }
    }

    fn ran(self) -> Ran {
        let Self { why, perhaps } = self;
        if perhaps {
            Ran::Unended(format!("{why}; whether it was heard is not known: it may go live yet"))
        } else {
            Ran::Failed(why)
        }
    }
}

impl From<String> for Undone {
    fn from(why: String) -> Self {
        Self { why, perhaps: false }
    }
}

impl<H: Host> Deployer for H {
    fn ground(&self) -> Ground {
        Ground::None
    }

    fn secrets(&self) -> Vec<String> {
        variable(self.token()).map(str::to_owned).into_iter().collect()
    }

    fn ends_within(&self, grace: Duration) -> Duration {
        grace * ENDS
    }

    fn deploy<'a>(&'a self, job: Job<'a>) -> Pin<Box<dyn Future<Output = Ran> + 'a>> {
        Box::pin(async move {
            let token = match secret(&job, self.token()) {
                Ok(token) => token,
                Err(why) => return Ran::Failed(why),
            };
            let done = match job.role {
                Role::Rollback => self.roll_back(&job, &token).await,
                Role::Deploy | Role::Adopt => self.create(&job, &token).await,
            };
            done.unwrap_or_else(Undone::ran)
        })
    }
}

/// What is asked of a host.
pub(super) struct Ask<'a> {
    pub(super) method: &'a str,
    pub(super) url: &'a str,
    pub(super) token: &'a str,
    pub(super) body: Option<&'a Value>,
}

/// Asks a host; what it cannot answer just now is asked again, if that may be done twice.
pub(super) async fn ask(job: &Job<'_>, ask: &Ask<'_>) -> Result<Value, String> {
    send(job, ask).await.map_err(|undone| undone.why)
}

/// The same of what makes something go live.
pub(super) async fn send(job: &Job<'_>, ask: &Ask<'_>) -> Result<Value, Undone> {
    let twice = ask.method == "GET" || ask.method == "PATCH";
    let mut waits = AGAIN.iter().take(if twice { AGAIN.len() } else { 0 });
    loop {
        let (may_pass, undone) = match once(job, ask).await {
            Ok(value) => return Ok(value),
            Err(failed) => failed,
        };
        let Some(wait) = waits.next().filter(|_| may_pass) else { return Err(undone) };
        (job.on_line)(&format!("{}; trying again", undone.why));
        tokio::time::sleep(Duration::from_secs(*wait)).await;
    }
}

/// Asks for a deployment, and gives its id; where the answer was lost, that of the one that `find` finds.
pub(super) async fn make(
    job: &Job<'_>,
    ask: &Ask<'_>,
    find: impl AsyncFn() -> Result<Option<String>, String>,
) -> Result<String, Undone> {
    let lost = match send(job, ask).await {
        Ok(made) => match made["id"].as_str() {
            Some(id) => return Ok(id.to_owned()),
            None => Undone::perhaps(format!("{} {} was answered without an id", ask.method, ask.url)),
        },
        Err(undone) if !undone.perhaps => return Err(undone),
        Err(undone) => undone,
    };
    (job.on_line)(&format!("{}; looking whether it was heard", lost.why));
    for wait in AGAIN {
        tokio::time::sleep(Duration::from_secs(wait)).await;
        match find().await {
            Ok(Some(id)) => return Ok(id),
            Ok(None) => {}
            Err(why) => (job.on_line)(&why),
        }
    }
    Err(lost)
}

/// The error says whether it may pass.
async fn once(job: &Job<'_>, ask: &Ask<'_>) -> Result<Value, (bool, Undone)> {
    let mut headers = vec![
        ("authorization".to_owned(), format!("Bearer {}", ask.token)),
        ("accept".to_owned(), "application/json".to_owned()),
    ];
    headers.extend(ask.body.map(|_| ("content-type".to_owned(), "application/json".to_owned())));
    let body = ask.body.map(|body| body.to_string().into_bytes());
    let (method, url) = (ask.method, ask.url);
    let exchange = Exchange { method, url, headers: &headers, body, timeout: TIMEOUT, limit: LIMIT };
    let answered = job.http.exchange(&exchange).await.map_err(|error| {
        let perhaps = error.may_have_been_heard();
        (true, Undone { why: error.to_string(), perhaps })
    })?;
    let said = String::from_utf8_lossy(&answered.body);
    match answered.status {
        200..=299 if answered.body.is_empty() => Ok(Value::Null),
        200..=299 => serde_json::from_slice(&answered.body).map_err(|_| {
            (false, Undone::perhaps(format!("{method} {url} was answered without JSON: {}", one_line(&said, 200))))
        }),
        status => {
            let may_pass = matches!(status, 408 | 425 | 429 | 500..=599);
            let why = format!("{method} {url} was answered {status}: {}", shorten(&clean(&said), 300));
            // What stands between may have lost the host's own answer.
            Err((may_pass, Undone { why, perhaps: matches!(status, 408 | 500..=599) }))
        }
    }
}

/// How something stands that is being followed.
pub(super) enum Look {
    /// It goes on; in one word.
    Going(String),
    /// It has ended well.
    Done,
    /// It has ended otherwise.
    Failed(String),
}

/// Looks until it has ended, the time is up, or a signal came: in the last two cases it goes on.
pub(super) async fn follow(job: &Job<'_>, mut look: impl AsyncFnMut() -> Result<Look, String>) -> Ran {
    let begun = Instant::now();
    let limit = job.environment.timeout;
    let mut said = String::new();
    for wait in waits() {
        match look().await {
            Ok(Look::Done) => return Ran::Done,
            Ok(Look::Failed(why)) => return Ran::Failed(why),
            Ok(Look::Going(word)) if word != said => {
                (job.on_line)(&word);
                said = word;
            }
            Ok(Look::Going(_)) => {}
            Err(why) => {
                (job.on_line)(&why);
                said = why;
            }
        }
        if begun.elapsed() >= limit {
            break;
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            by = job.cancel.cancelled() => return Ran::Interrupted(by.to_string()),
        }
    }
    Ran::Unended(format!("it had not ended after {} s; last: {said}", limit.as_secs()))
}

/// What becomes of a deployment that was followed, once what goes on has been ended: it might go live after whatever is done
/// in its place.
pub(super) async fn settled(ran: Ran, end: impl AsyncFnOnce() -> Result<(), String>) -> Ran {
    match ran {
        Ran::Unended(why) => match end().await {
            Ok(()) => Ran::Failed(why),
            Err(goes_on) => Ran::Unended(format!("{why}; {goes_on}")),
        },
        Ran::Interrupted(why) => match end().await {
            Ok(()) => Ran::Interrupted(why),
            Err(goes_on) => Ran::Unended(format!("interrupted: {why}; {goes_on}")),
        },
        ran => ran,
    }
}

/// Looks until something that was cancelled has ended; `stands` tells how it stands until then.
///
/// # Errors
/// When that was not seen in time: how it stood last, and within which time.
pub(super) async fn until_ended(
    environment: &Environment,
    mut stands: impl AsyncFnMut() -> Option<String>,
) -> Result<(), String> {
    let (begun, limit) = (Instant::now(), environment.grace * ENDS);
    let mut last = String::new();
    for wait in waits() {
        let Some(word) = stands().await else { return Ok(()) };
        last = word;
        let left = limit.saturating_sub(begun.elapsed());
        if left.is_zero() {
            break;
        }
        tokio::time::sleep(left.min(wait)).await;
    }
    Err(format!("was not seen to end within {} s ({last}): it may go live yet", limit.as_secs()))
}

/// How asking for it went.
pub(super) fn cancelling(is_done: bool) -> &'static str {
    if is_done { "was cancelled" } else { "could not be cancelled" }
}

/// Between two looks, without an end.
fn waits() -> impl Iterator<Item = Duration> {
    LOOKS.iter().chain(std::iter::repeat(&LOOKS[LOOKS.len() - 1])).map(|wait| Duration::from_secs(*wait))
}

/// Follows what a host is asked to cancel where it is not waited for any longer.
pub(super) async fn follow_or_cancel(
    job: &Job<'_>,
    cancel: &Ask<'_>,
    mut look: impl AsyncFnMut() -> Result<Look, String>,
) -> Ran {
    let ran = follow(job, &mut look).await;
    settled(ran, async || {
        let mut cancelled = false;
        let ended = until_ended(job.environment, async || {
            let stands = match look().await {
                Ok(Look::Done | Look::Failed(_)) => return None,
                Ok(Look::Going(word)) | Err(word) => word,
            };
            if !cancelled {
                let asked = ask(job, cancel).await;
                cancelled = asked.is_ok();
                (job.on_line)(&asked.map_or_else(|why| why, |_| "it is cancelled".to_owned()));
            }
            Some(stands)
        });
        let ended = ended.await;
        ended.map_err(|why| format!("it {}, and {why}", cancelling(cancelled)))
    })
    .await
}

/// A name that is written `env:NAME`.
pub(super) fn variable(reference: &str) -> Option<&str> {
    reference.strip_prefix("env:")
}

/// The value of `env:NAME`.
pub(super) fn secret(job: &Job<'_>, reference: &str) -> Result<String, String> {
    let name = variable(reference).ok_or_else(|| "a secret is only ever written as env:NAME".to_owned())?;
    let found = job.variables.iter().find(|(known, _)| known == name).and_then(|(_, value)| value.to_str());
    found.filter(|value| !value.is_empty()).map(str::to_owned).ok_or_else(|| format!("{name} is not set"))
}
