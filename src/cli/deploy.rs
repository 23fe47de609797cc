//! `gatepost deploy`, `rollback`, `promote` and `recover` on the command line.

use crate::app::deploy;
use crate::app::drive::Deployed;
use crate::app::site::{Choice, Start};
use crate::app::{Failure, promote, recover, rollback};
use crate::cli::Place;
use crate::cli::args::{self, LedgerOf, OnLedger};
use crate::cli::stages::Stages;
use crate::model::exit::ExitCode;
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
        return Ok(show(place, &super::runtime()?.block_on(going)?, args.on.json));
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
    let done = super::runtime()?.block_on(deploy::deploy(&request, place.env, &stages))?;
    Ok(show(place, &done, args.on.json))
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
    let done = super::runtime()?.block_on(rollback::rollback(&request, place.env, &stages))?;
    Ok(show(place, &done, args.on.json))
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
    let done = super::runtime()?.block_on(promote::promote(&request, place.env, &stages))?;
    Ok(show(place, &done, args.on.json))
}

/// Recovers.
///
/// # Errors
/// As [`recover::recover`].
pub fn recover(place: &Place<'_>, args: &args::Recover) -> Result<ExitCode, Failure> {
    let stages = Stages::new(place, args.on.json);
    let start = start(place, &args.on);
    let done = super::runtime()?.block_on(recover::recover(&start, &args.environment, place.env, &stages))?;
    Ok(show(place, &done, args.on.json))
}

fn show(place: &Place<'_>, done: &Deployed, json: bool) -> ExitCode {
    let (story, told) = (&done.story, &done.told);
    if json {
        place.json(&done.masker.mask(&deployment::json(story, told)));
    } else {
        let text = deployment::text(story) + &render::notify::told(told, place.global.verbose > 0);
        place.text(&done.masker.mask(&text));
    }
    done.code
}
