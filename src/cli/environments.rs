//! `gatepost status`, `adopt`, `lock`, `unlock` and `verify` on the command line.

use std::time::Duration;

use crate::app::{Failure, adopt, locks, secrets, status, verify};
use crate::cli::Place;
use crate::cli::args;
use crate::cli::deploy::start;
use crate::cli::stages::Stages;
use crate::model::call::Receipt;
use crate::model::environments::Pacing;
use crate::model::exit::ExitCode;
use crate::render;
use crate::render::environments::{self, Said, Shown};

/// Shows the environments.
///
/// # Errors
/// As [`status::status`].
pub fn status(place: &Place<'_>, args: &args::Status) -> Result<ExitCode, Failure> {
    let start = start(place, &args.on);
    let only = args.environment.as_deref();
    let rows = super::runtime()?.block_on(status::status(&start, only, place.env))?;
    let shown: Vec<Shown<'_>> = rows.iter().map(status::Row::shown).collect();
    let masker = secrets::masker(place.env, &[]);
    if args.on.json {
        place.json(masker.mask(&environments::json(&shown)));
    } else {
        place.text(&masker.mask(&environments::text(&shown)));
    }
    Ok(ExitCode::Pass)
}

/// Records what is live.
///
/// # Errors
/// As [`adopt::adopt`].
pub fn adopt(place: &Place<'_>, args: &args::Adopt) -> Result<ExitCode, Failure> {
    let stages = Stages::new(place, args.on.json);
    let start = start(place, &args.on);
    let adopting = adopt::adopt(&start, &args.environment, &args.sha, place.env, &stages);
    let adopted = done(place, args.on.json, super::runtime()?.block_on(adopting))?;
    let (sha, name) = (adopted.sha.short(), &args.environment);
    let (outcome, says) = if adopted.dry_run {
        ("nothing", format!("a dry run: nothing was done; {sha} would be recorded as live in {name}"))
    } else {
        ("adopted", format!("{sha} is live in {name} as deployment {}", adopted.id))
    };
    say(place, args.on.json, outcome, &format!("{says}; {}", adopted.says), &adopted.told);
    Ok(ExitCode::Pass)
}

/// Locks.
///
/// # Errors
/// As [`locks::lock`].
pub fn lock(place: &Place<'_>, args: &args::Lock) -> Result<ExitCode, Failure> {
    let start = start(place, &args.on);
    let locking = locks::lock(&start, &args.environment, args.reason.as_deref(), place.env);
    let locked = done(place, args.on.json, super::runtime()?.block_on(locking))?;
    say(place, args.on.json, "locked", &locked.says, &locked.told);
    Ok(ExitCode::Pass)
}

/// Unlocks.
///
/// # Errors
/// As [`locks::unlock`].
pub fn unlock(place: &Place<'_>, args: &args::Unlock) -> Result<ExitCode, Failure> {
    let start = start(place, &args.on);
    let unlocking = locks::unlock(&start, &args.environment, args.force, place.env);
    let unlocked = done(place, args.on.json, super::runtime()?.block_on(unlocking))?;
    say(place, args.on.json, "unlocked", &unlocked.says, &unlocked.told);
    Ok(ExitCode::Pass)
}

/// Looks at addresses.
///
/// # Errors
/// As [`verify::verify`], and when a time is none.
pub fn verify(place: &Place<'_>, args: args::Verify) -> Result<ExitCode, Failure> {
    let time = |seconds: f64, name: &str| {
        let wrong = |_| Failure::usage(format!("--{name} {seconds} is no time in seconds"));
        Duration::try_from_secs_f64(seconds).map_err(wrong)
    };
    let pacing = Pacing {
        interval: time(args.interval, "interval")?,
        successes: args.successes,
        timeout: time(args.timeout, "timeout")?,
        grace: time(args.grace, "grace")?,
        deadline: time(args.deadline, "deadline")?,
        watch: time(args.watch, "watch")?,
    };
    let request = verify::Request { urls: args.urls, status: args.status, body: args.body, pacing };
    let stages = Stages::new(place, args.json);
    let (good, says) = super::runtime()?.block_on(verify::verify(&request, place.env, &stages))?;
    say(place, args.json, if good { "healthy" } else { "unhealthy" }, &says, &[]);
    Ok(if good { ExitCode::Pass } else { ExitCode::Fail })
}

/// What was not done is told to programs too.
fn done<T>(place: &Place<'_>, json: bool, done: Result<T, Failure>) -> Result<T, Failure> {
    done.inspect_err(|failure| {
        if json {
            let (reason, says) = (Some(failure.word()), failure.what.as_str());
            let said = environments::said(&Said { outcome: "refused", reason, says, told: &[] });
            place.json(secrets::masker(place.env, &[]).mask(&said));
        }
    })
}

fn say(place: &Place<'_>, json: bool, outcome: &str, says: &str, told: &[Receipt]) {
    let masker = secrets::masker(place.env, &[]);
    if json {
        place.json(masker.mask(&environments::said(&Said { outcome, reason: None, says, told })));
    } else {
        let told = render::notify::told(told, place.global.verbose > 0);
        place.text(&masker.mask(&format!("{says}\n{told}")));
    }
}
