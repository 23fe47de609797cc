//! Locks: who may take one from whom, and how one is kept. A dead holder's command is ended before anything else is
//! done in its place.

use std::time::Duration;

use jiff::Timestamp;

use crate::deploy::Group;
use crate::model::deployment::{Hindrance, Holder, HookGroup, Phase, RunPlace, started};
use crate::model::environments::EnvironmentName;
use crate::model::rollout::Traffic;
use crate::model::text::to_the_second;
use crate::world::ledger::{Held, Ledger, LedgerError, Step};
use crate::world::process::Seen;
use crate::world::{clock, process};

/// Clocks of two machines differ.
const SLACK: u64 = 30;
/// A lock that was given back and did not vanish may be taken after this many seconds.
const RELEASED: u64 = 60;
/// From TERM to KILL of what a dead holder left.
const GRACE: Duration = Duration::from_secs(5);
/// How often a lock that was given back is looked at again, and after how long each time.
const VANISHING: usize = 40;
const VANISHES: Duration = Duration::from_secs(2);
/// How often it is tried when others are quicker.
const TRIES: usize = 5;
/// How often one looks whether a holder elsewhere has ended its deploy, as it was asked to.
const ASKS: Duration = Duration::from_secs(1);
/// So many of its own looks a holder may need for that, beside its command's grace.
const ENDS: u32 = 4;

/// Who takes locks here.
#[derive(Debug, Clone, Default)]
pub struct Me {
    /// A person, or a workflow and its actor.
    pub owner: String,
    /// The path of the configuration in the repository.
    pub place: String,
    /// A link to the run.
    pub link: Option<String>,
    /// The machine.
    pub machine: String,
    /// This process.
    pub process: i32,
    /// When it was started.
    pub started: String,
    /// GitHub's run.
    pub run: Option<RunPlace>,
    /// How long the lock holds without a word, in seconds.
    pub lease: u64,
}

impl Me {
    /// Whether the holder is on this machine.
    fn is_beside(&self, holder: &Holder) -> bool {
        !self.machine.is_empty() && self.machine == holder.machine
    }

    /// A holder that takes a lock now.
    #[must_use]
    pub fn holder(&self, reason: &str, sticky: bool) -> Holder {
        let now = clock::now().to_string();
        Holder {
            nonce: nonce(),
            owner: self.owner.clone(),
            reason: reason.to_owned(),
            link: self.link.clone(),
            sticky,
            paused: None,
            asked: None,
            machine: self.machine.clone(),
            process: self.process,
            started: self.started.clone(),
            run: self.run.clone(),
            hook: None,
            mark: None,
            cut_off: Vec::new(),
            since: now.clone(),
            heard: now,
            lease: self.lease,
            released: false,
        }
    }
}

/// A word that nobody else has.
#[must_use]
pub fn nonce() -> String {
    let mut random = [0_u8; 16];
    // Without randomness the time alone tells two of them apart.
    let _ = getrandom::fill(&mut random);
    format!("{:032x}", u128::from_le_bytes(random) ^ clock::now().as_nanosecond().unsigned_abs())
}

/// How a lock stands to who wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It may be taken, and why.
    Free(String),
    /// A live holder has it, on this machine or elsewhere.
    Live {
        /// Why it is taken for alive.
        why: String,
        /// On this machine.
        here: bool,
    },
    /// A person holds it until it is given back.
    Sticky,
}

/// What is known of a holder beside what it says itself.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// What is seen of its process, which is hidden where it was on another machine.
    pub process: Seen,
    /// Whether its job has ended, where that could be asked.
    pub over: Option<bool>,
}

/// Whether a lock may be taken.
#[must_use]
pub fn standing(holder: &Holder, known: &Known, now: Timestamp) -> Standing {
    let heard = holder.heard.parse::<Timestamp>().unwrap_or(Timestamp::UNIX_EPOCH);
    let age = u64::try_from(now.as_second() - heard.as_second()).unwrap_or_default();
    let here = known.process != Seen::Hidden;
    let lives = matches!(&known.process, Seen::Since(started) if *started == holder.started);
    if holder.released {
        // Who gave it back may be about to take it away, unless that one is known to be gone.
        let is_gone = if here { !lives } else { known.over == Some(true) };
        let why = "it was given back a moment ago and is about to vanish".to_owned();
        let free = is_gone || age > RELEASED;
        return if free { Standing::Free("it was given back".to_owned()) } else { Standing::Live { why, here: false } };
    }
    if holder.sticky {
        return Standing::Sticky;
    }
    if here {
        let id = holder.process;
        return if lives {
            Standing::Live { why: format!("its process {id} runs on this machine"), here }
        } else {
            Standing::Free(format!("its process {id} on this machine is gone"))
        };
    }
    match known.over {
        Some(true) => Standing::Free("its run has ended".to_owned()),
        Some(false) => Standing::Live { why: "its run is going on".to_owned(), here },
        None if age > holder.lease + SLACK => Standing::Free(format!("it was last heard of {age} s ago")),
        None => Standing::Live { why: format!("it was heard of {age} s ago, and holds for {} s", holder.lease), here },
    }
}

/// In one line: who holds it, what for, since when.
#[must_use]
pub fn words(holder: &Holder) -> String {
    let reason = if holder.reason.is_empty() { String::new() } else { format!(" ({})", holder.reason) };
    let link = holder.link.as_ref().map_or_else(String::new, |link| format!(", {link}"));
    let how = match hindrance(holder) {
        Hindrance::Paused => "paused",
        Hindrance::Stuck => "kept locked",
        Hindrance::Locked => "locked",
        _ => "held",
    };
    format!("{how} by {}{reason} since {}{link}", holder.owner, to_the_second(&holder.since))
}

/// How a holder that does not give way hinders others.
#[must_use]
pub fn hindrance(holder: &Holder) -> Hindrance {
    match &holder.paused {
        Some(_) if is_attended(holder) => Hindrance::Paused,
        Some(_) => Hindrance::Stuck,
        None if holder.sticky => Hindrance::Locked,
        None => Hindrance::Held,
    }
}

/// Looks at a holder.
pub async fn look(ledger: &mut Ledger, holder: &Holder, me: &Me) -> Standing {
    let process = if me.is_beside(holder) { process::seen(holder.process) } else { Seen::Hidden };
    let over = match &holder.run {
        Some(run) if process == Seen::Hidden && !holder.sticky => ledger.is_over(run).await,
        _ => None,
    };
    standing(holder, &Known { process, over }, clock::now())
}

/// What became of taking a lock.
#[derive(Debug)]
pub enum Taken {
    /// It is held; and whose it was, where it was taken over.
    Held(Box<Held>, Option<String>),
    /// It is not to be had.
    Refused {
        /// Who has it, where that is known.
        by: Option<Box<Holder>>,
        /// Why.
        why: String,
    },
}

/// Whether a holder that does not give way sees to what is there: its deploy goes on, or waits for a person. A lock that
/// a person took, and one that is kept because traffic could not be moved back, are another matter.
#[must_use]
pub fn is_attended(holder: &Holder) -> bool {
    match holder.paused {
        Some(_) => matches!(Traffic::of(&holder.reason), Some(Traffic::Paused(_))),
        None => !holder.sticky,
    }
}

/// What a lock is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Something of its own.
    Own,
    /// To undo what goes on or waits there. A live deploy on this machine is ended; one elsewhere is asked to end, which
    /// what it runs may delay by so much.
    Undo(Duration),
    /// To go on with what waits there.
    Continue,
}

/// Takes an environment's lock.
///
/// # Errors
/// When it is not known who has it.
pub async fn take(
    ledger: &mut Ledger,
    environment: &EnvironmentName,
    me: &Me,
    holder: Holder,
    claim: Claim,
) -> Result<Taken, LedgerError> {
    let (mut tries, mut looks) = (0, 0);
    let mut asked: Option<tokio::time::Instant> = None;
    while tries < TRIES {
        let Some(held) = ledger.lock(environment).await? else {
            tries += 1;
            match ledger.swap(environment, None, &holder).await? {
                Some(held) => return Ok(Taken::Held(Box::new(held), asked.map(|_| "it was asked for".to_owned()))),
                None => continue,
            }
        };
        let why = match (look(ledger, &held.holder, me).await, claim) {
            (Standing::Free(why), _) => why,
            // It vanishes, or may be taken soon.
            (Standing::Live { .. }, _) if held.holder.released && looks < VANISHING => {
                looks += 1;
                tokio::time::sleep(if asked.is_some() { ASKS } else { VANISHES }).await;
                continue;
            }
            (Standing::Live { here: true, .. }, Claim::Undo(_)) => "its deploy is undone".to_owned(),
            (Standing::Live { .. }, Claim::Undo(_)) if ledger.is_dry() => "it would be asked to end".to_owned(),
            (Standing::Live { why, here: false }, Claim::Undo(grace)) if !held.holder.released => {
                let since = *asked.get_or_insert_with(tokio::time::Instant::now);
                let patience = ledger.look() * ENDS + grace;
                if since.elapsed() > patience {
                    let waited = patience.as_secs();
                    let words = words(&held.holder);
                    let why = format!("{words}: {why}; asked to end, it did not within {waited} s");
                    return Ok(Taken::Refused { by: Some(Box::new(held.holder)), why });
                }
                if held.holder.asked.is_none() {
                    let asks = Holder { asked: Some(me.owner.clone()), ..held.holder.clone() };
                    ledger.swap(environment, Some(&held), &asks).await?;
                }
                tokio::time::sleep(ASKS.min(ledger.look())).await;
                continue;
            }
            (Standing::Live { why, .. }, _) => {
                let why = format!("{}: {why}", words(&held.holder));
                return Ok(Taken::Refused { by: Some(Box::new(held.holder)), why });
            }
            (Standing::Sticky, Claim::Undo(_) | Claim::Continue) if held.holder.paused.is_some() => {
                "it waited for this".to_owned()
            }
            (Standing::Sticky, _) => {
                let why = words(&held.holder);
                return Ok(Taken::Refused { by: Some(Box::new(held.holder)), why });
            }
        };
        tries += 1;
        if let Some(taken) = take_over(ledger, environment, me, &holder, &held, &why).await? {
            return Ok(taken);
        }
    }
    Ok(Taken::Refused { by: None, why: "taken by others, who were quicker several times".to_owned() })
}

/// `None` when another was quicker.
async fn take_over(
    ledger: &mut Ledger,
    environment: &EnvironmentName,
    me: &Me,
    holder: &Holder,
    held: &Held,
    why: &str,
) -> Result<Option<Taken>, LedgerError> {
    let cut_off = held.holder.cut_off.iter().chain(&held.holder.mark).cloned().collect();
    let holder = &Holder { cut_off, ..holder.clone() };
    // Until it was ended, whoever comes after us must know of it too.
    let (hook, mark) = (held.holder.hook.clone(), held.holder.mark.clone());
    let both = Holder { hook, mark, ..holder.clone() };
    let Some(mut ours) = ledger.swap(environment, Some(held), &both).await? else { return Ok(None) };
    if ledger.is_dry() {
        ledger.plan(format!("would take over {environment}, {}, and end what it runs here", words(&held.holder)));
    } else if me.is_beside(&held.holder) {
        let survivors = end_remains(&held.holder).await;
        if survivors > 0 {
            // The lock stays, and says what they are known by: whoever comes next tries to end them first, too.
            return Ok(Some(Taken::Refused { by: None, why: not_ended(survivors, &held.holder) }));
        }
    }
    if held.holder.mark.is_some() {
        let Some(cleared) = renew(ledger, environment, &ours, holder).await? else { return Ok(None) };
        ours = cleared;
    }
    Ok(Some(Taken::Held(Box::new(ours), Some(format!("taken over, {}: {why}", words(&held.holder))))))
}

/// What it means that processes outlive their end.
#[must_use]
pub fn not_ended(survivors: usize, holder: &Holder) -> String {
    let (words, processes) = (words(holder), if survivors == 1 { "process" } else { "processes" });
    format!("{words}: {survivors} {processes} of it could not be ended (another user's?); end them, and try again")
}

/// Ends what a holder has running, where it is on this machine; how much of it could not be ended.
pub async fn end(holder: &Holder, me: &Me) -> usize {
    if me.is_beside(holder) { end_remains(holder).await } else { 0 }
}

async fn end_remains(holder: &Holder) -> usize {
    let group = holder.hook.as_ref().map(|hook| (hook.leader, hook.started.as_str()));
    process::end_remains(group, holder.mark.as_deref().map(std::ffi::OsStr::new), GRACE).await
}

async fn renew(
    ledger: &mut Ledger,
    environment: &EnvironmentName,
    held: &Held,
    holder: &Holder,
) -> Result<Option<Held>, LedgerError> {
    let holder = Holder { heard: clock::now().to_string(), ..holder.clone() };
    ledger.swap(environment, Some(held), &holder).await
}

/// Why what was done under a lock must end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parted {
    /// The lock is not ours any more.
    Lost(String),
    /// Somebody asks for the end, to undo it.
    Asked(String),
}

/// Says that the holder lives, with what its command is.
///
/// # Errors
/// When the lock is someone else's by now, has not been ours for longer than its lease, or is asked for.
pub async fn say(
    ledger: &mut Ledger,
    environment: &EnvironmentName,
    held: &mut Held,
    hook: Option<HookGroup>,
    mark: Option<String>,
) -> Result<(), Parted> {
    let holder = Holder { hook, mark, ..held.holder.clone() };
    match renew(ledger, environment, held, &holder).await {
        Ok(Some(now)) => *held = now,
        Ok(None) => check(ledger, environment, held).await?,
        Err(error) => {
            held.holder.hook = holder.hook;
            held.holder.mark = holder.mark;
            return in_lease(held, &error);
        }
    }
    Ok(())
}

/// Whether the lock is still ours, and nobody asks for it.
///
/// # Errors
/// As [`say`].
pub async fn check(ledger: &mut Ledger, environment: &EnvironmentName, held: &mut Held) -> Result<(), Parted> {
    match ledger.lock(environment).await {
        Ok(Some(now)) if now.version == held.version => Ok(()),
        Ok(Some(now)) if now.holder.nonce == held.holder.nonce => {
            // What was asked for was put on top of our own word: from here on that is ours.
            let asked = now.holder.asked.clone().filter(|_| held.holder.asked.is_none());
            *held = now;
            asked.map_or(Ok(()), |who| Err(Parted::Asked(format!("{who} asks for its end, to undo it"))))
        }
        Ok(Some(now)) => Err(Parted::Lost(format!("the lock was taken over: now {}", words(&now.holder)))),
        Ok(None) => Err(Parted::Lost("the lock was taken away".to_owned())),
        Err(error) => in_lease(held, &error),
    }
}

fn in_lease(held: &Held, error: &LedgerError) -> Result<(), Parted> {
    let heard = held.holder.heard.parse::<Timestamp>().unwrap_or(Timestamp::UNIX_EPOCH);
    let age = u64::try_from(clock::now().as_second() - heard.as_second()).unwrap_or_default();
    if age < held.holder.lease { Ok(()) } else { Err(Parted::Lost(format!("the lock could not be kept: {error}"))) }
}

/// Gives a lock back, whatever was put on top of our own word.
///
/// # Errors
/// When it is not known whether that is done.
pub async fn give_back(ledger: &mut Ledger, environment: &EnvironmentName, mut held: Held) -> Result<(), LedgerError> {
    for _ in 0..TRIES {
        if ledger.free(environment, &held).await? {
            break;
        }
        match ledger.lock(environment).await? {
            Some(now) if now.holder.nonce == held.holder.nonce => held = now,
            _ => break,
        }
    }
    Ok(())
}

/// Keeps an environment locked from here on, whatever was put on top of our own word; whether it was still ours.
///
/// # Errors
/// When that is not known.
pub async fn freeze(
    ledger: &mut Ledger,
    environment: &EnvironmentName,
    mut held: Held,
    holder: &Holder,
) -> Result<bool, LedgerError> {
    for _ in 0..TRIES {
        if ledger.swap(environment, Some(&held), holder).await?.is_some() {
            return Ok(true);
        }
        match ledger.lock(environment).await? {
            Some(now) if now.holder.nonce == held.holder.nonce => held = now,
            _ => break,
        }
    }
    Ok(false)
}

/// Keeps the lock while `work` goes on. When it is lost or asked for, `work` is dropped, and its command with it.
///
/// # Errors
/// Why `work` was dropped.
pub async fn keep<T>(
    ledger: &mut Ledger,
    environment: &EnvironmentName,
    held: &mut Held,
    group: &Group,
    work: impl Future<Output = T>,
) -> Result<T, Parted> {
    tokio::pin!(work);
    let look = ledger.look();
    let third = Duration::from_secs(held.holder.lease / 3);
    let mut said = tokio::time::Instant::now();
    loop {
        let is_known = tokio::select! {
            biased;
            done = &mut work => return Ok(done),
            () = group.known.notified() => true,
            () = tokio::time::sleep(look) => false,
        };
        let due = is_known || said.elapsed() >= third;
        let kept = async {
            record(ledger, group).await;
            if !due {
                return check(ledger, environment, held).await;
            }
            let leader = group.leader.get().filter(|_| is_known);
            let started = |leader| process::started(leader).map(|started| HookGroup { leader, started });
            let hook = if is_known { leader.and_then(started) } else { held.holder.hook.clone() };
            let mark = held.holder.mark.clone();
            say(ledger, environment, held, hook, mark).await
        };
        tokio::pin!(kept);
        // A ledger that takes its time must keep neither a timeout nor a signal from what goes on.
        tokio::select! {
            biased;
            kept = &mut kept => kept?,
            done = &mut work => {
                // What it was about to write is written: half of it would be nobody's.
                let _ = kept.await;
                return Ok(done);
            }
        }
        if due {
            said = tokio::time::Instant::now();
        }
    }
}

/// Records the run of a workflow that was started. Where that does not work it is tried again at the next look.
async fn record(ledger: &mut Ledger, group: &Group) {
    let Some(run) = group.run.get().filter(|_| !group.recorded.get()) else { return };
    let step = Step { phase: Phase::InProgress, says: started(run), url: None, log: None };
    group.recorded.set(ledger.mark(&group.deployment, &step).await.is_ok());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder() -> Holder {
        let me = Me { owner: "ana".to_owned(), machine: "m".to_owned(), process: 7, lease: 300, ..Me::default() };
        Holder { started: "then".to_owned(), heard: "2026-01-01T00:00:00Z".to_owned(), ..me.holder("x", false) }
    }

    fn stands(holder: &Holder, process: &Seen, over: Option<bool>, after: i64) -> bool {
        let known = Known { process: process.clone(), over };
        let now = Timestamp::from_second(holder.heard.parse::<Timestamp>().unwrap().as_second() + after).unwrap();
        matches!(standing(holder, &known, now), Standing::Free(_))
    }

    #[test]
    fn only_a_dead_holders_lock_is_free() {
        let held = holder();
        let since = |started: &str| Seen::Since(started.to_owned());
        let (then, gone, hidden) = (since("then"), Seen::Gone, Seen::Hidden);
        assert!(!stands(&held, &then, None, 100_000), "it runs here, however long ago it spoke");
        assert!(stands(&held, &since("later"), None, 1), "another process has its number");
        assert!(stands(&held, &gone, None, 1));
        let nobody = Me::default();
        let nameless = Holder { machine: String::new(), ..holder() };
        assert!(!nobody.is_beside(&nameless) && !nobody.is_beside(&held), "nothing tells them apart: they are not one");
        assert!(!stands(&held, &hidden, None, 329), "that it is not seen is no proof that it is gone");
        assert!(stands(&held, &hidden, None, 331));
        assert!(stands(&held, &hidden, Some(true), 1), "its run has ended");
        assert!(!stands(&held, &hidden, Some(false), 100_000), "its run goes on");
        let sticky = Holder { sticky: true, ..holder() };
        assert!(!stands(&sticky, &gone, Some(true), 100_000));
        let released = Holder { released: true, ..holder() };
        assert!(!stands(&released, &hidden, None, 60) && stands(&released, &hidden, None, 61));
        assert!(!stands(&released, &then, None, 1), "it is about to take it away");
        assert!(stands(&released, &gone, None, 1) && stands(&released, &hidden, Some(true), 1));
    }
}
