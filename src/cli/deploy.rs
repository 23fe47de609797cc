//! `gatepost deploy`, `rollback`, `promote` and `recover` on the command line.

use crate::app::drive::{self, Deployed};
use crate::app::site::{Choice, Start};
use crate::app::{Failure, deploy, promote, recover, rollback, secrets};
use crate::cli::Place;
use crate::cli::args::{self, LedgerOf, OnLedger};
use crate::cli::stages::Stages;
use crate::model::exit::ExitCode;
use crate::model::story::{Deed, Story};
use crate::render::{self, deployment};

/// Where and how a command about environments works.
pub fn start(place: &Place<'_>, on: &OnLedger) -> Start {
    Start {
        start: place.start.to_owned(),
        config: place.config(),
        ledger: match on.ledger {
            None => Choice::Auto,
            Some(LedgerOf::Github) => Choice::GitHub,
            Some(LedgerOf::Local) => Choice::Local,
        },
        dry_run: on.dry_run,
        colour: place.screen.err_colour,
        by_comment: false,
    }
}

/// Deploys.
///
/// # Errors
/// As [`deploy::deploy`].
pub fn deploy(place: &Place<'_>, args: args::Deploy) -> Result<ExitCode, Failure> {
    if args.go_on {
        let (start, stages) = (start(place, &args.on), Stages::new(place, args.on.json));
        let going = deploy::go_on(&start, &args.environment, place.env, &stages);
        let done = super::runtime()?.block_on(going);
        return show(place, &stages, (Deed::Deploy, &args.environment), args.on.json, done);
    }
    let request = deploy::Request {
        start: start(place, &args.on),
        environment: args.environment,
        reference: (args.reference != "HEAD").then_some(args.reference),
        force: args.anyway.reason,
        allow_irreversible: args.anyway.allow_irreversible,
        order: deploy::Order::default(),
    };
    let stages = Stages::new(place, args.on.json);
    let done = super::runtime()?.block_on(deploy::deploy(&request, place.env, &stages));
    show(place, &stages, (Deed::Deploy, &request.environment), args.on.json, done)
}

/// Rolls back.
///
/// # Errors
/// As [`rollback::rollback`].
pub fn rollback(place: &Place<'_>, args: args::Rollback) -> Result<ExitCode, Failure> {
    let request = rollback::Request {
        start: start(place, &args.on),
        environment: args.environment,
        to: args.to,
        allow_irreversible: args.allow_irreversible,
        intent: None,
    };
    let stages = Stages::new(place, args.on.json);
    let done = super::runtime()?.block_on(rollback::rollback(&request, place.env, &stages));
    show(place, &stages, (Deed::Rollback, &request.environment), args.on.json, done)
}

/// Promotes.
///
/// # Errors
/// As [`promote::promote`].
pub fn promote(place: &Place<'_>, args: args::Promote) -> Result<ExitCode, Failure> {
    let request = promote::Request {
        start: start(place, &args.on),
        from: args.from,
        to: args.to,
        force: args.anyway.reason,
        allow_irreversible: args.anyway.allow_irreversible,
        intent: None,
    };
    let stages = Stages::new(place, args.on.json);
    let done = super::runtime()?.block_on(promote::promote(&request, place.env, &stages));
    show(place, &stages, (Deed::Deploy, &request.to), args.on.json, done)
}

/// Recovers.
///
/// # Errors
/// As [`recover::recover`].
pub fn recover(place: &Place<'_>, args: &args::Recover) -> Result<ExitCode, Failure> {
    let stages = Stages::new(place, args.on.json);
    let start = start(place, &args.on);
    let done = super::runtime()?.block_on(recover::recover(&start, &args.environment, place.env, &stages));
    show(place, &stages, (Deed::Recovery, &args.environment), args.on.json, done)
}

/// Shows how it ended. Programs are told of what was not begun too; people are told that by what is returned.
fn show(
    place: &Place<'_>,
    stages: &Stages,
    (deed, environment): (Deed, &str),
    json: bool,
    done: Result<Deployed, Failure>,
) -> Result<ExitCode, Failure> {
    let done = done.inspect_err(|failure| {
        let mut story = Story::new(deed, environment);
        drive::not_begun(&mut story, failure);
        if json {
            place.json(secrets::masker(place.env, &[]).mask(&deployment::json(&story, &[])));
        }
    })?;
    let (story, told) = (&done.story, &done.told);
    if json {
        place.json(done.masker.mask(&deployment::json(story, told)));
    }
    let rest = stages.rest().filter(|_| done.code != ExitCode::Pass).unwrap_or_default();
    let ended = if done.failure.is_none() { deployment::text(story) } else { String::new() };
    let text = done.masker.mask(&(rest + &ended + &render::notify::told(told, place.global.verbose > 0))).into_owned();
    if json {
        place.aside(&text);
    } else {
        place.text(&text);
    }
    done.failure.map_or(Ok(done.code), Err)
}
