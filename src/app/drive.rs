//! What deploys, rollbacks and recoveries share: the machine does what was asked for, and its end becomes an exit code and
//! what to do next.

use crate::app::site::Site;
use crate::app::{Failure, way_back};
use crate::config::Environment;
use crate::deploy::engine::{Engine, Outcome, Watch, Wish};
use crate::deploy::machine::Ask;
use crate::model::deployment::Ending;
use crate::model::exit::ExitCode;
use crate::model::sha::Sha;

/// A deployment that came to an end.
#[derive(Debug)]
pub struct Deployed {
    /// Where.
    pub environment: String,
    /// What was asked for.
    pub sha: Option<Sha>,
    /// How it ended.
    pub outcome: Outcome,
    /// What the process ends with.
    pub code: ExitCode,
    /// What to do next, where there is something.
    pub next: Option<String>,
}

/// Has the machine do what was asked for.
///
/// # Errors
/// When the environment's settings do not hold.
pub async fn drive(
    site: &mut Site,
    environment: &Environment,
    ask: Ask,
    wish: Wish,
    allow_irreversible: bool,
    watch: &dyn Watch,
) -> Result<Outcome, Failure> {
    let (deployer, back) = site.deployers(environment)?;
    let me = site.me(environment.settings.lease);
    let logs = site.logs();
    let (repo, folder) = (&site.repo, environment.settings.migrations.clone());
    let objection = |to: &Sha, from: &Sha| {
        if allow_irreversible { None } else { way_back::objection(repo, folder.as_deref(), to, from) }
    };
    let mut engine = Engine {
        ledger: &mut site.ledger,
        repo: &site.repo,
        root: &site.root,
        folder: &logs,
        environment: &environment.settings,
        deployer: &*deployer,
        rollback: &*back,
        me: &me,
        wish,
        objection: &objection,
        env: &site.env,
        masker: &site.masker,
        cancel: &site.cancel,
        http: &site.http,
        remote: site.remote.as_ref(),
        watch,
        dry_run: site.dry_run,
    };
    Ok(engine.drive(ask).await)
}

/// The exit code, and what to do next.
#[must_use]
pub fn ended(site: &Site, environment: &Environment, sha: Option<Sha>, outcome: Outcome, ask: Ask) -> Deployed {
    let name = &environment.settings.name;
    let recover = || Some(format!("gatepost recover {name}"));
    let (code, next) = match &outcome.ending {
        Ending::Live { .. } | Ending::Nothing(_) => (ExitCode::Pass, None),
        Ending::Failed(_) => (ExitCode::Fail, Some(format!("gatepost rollback {name} --to REF"))),
        Ending::Inconclusive(_) => (ExitCode::CouldNotJudge, Some(format!("gatepost rollback {name}"))),
        Ending::Paused(_) => {
            (ExitCode::CouldNotJudge, Some(format!("gatepost deploy {name} --continue, or gatepost rollback {name}")))
        }
        Ending::RolledBack { .. } if ask == Ask::Recover => (ExitCode::Pass, None),
        Ending::RolledBack { .. } => (ExitCode::RolledBack, None),
        Ending::RollbackFailed { .. } => (ExitCode::RollbackFailed, Some(format!("gatepost rollback {name} --to REF"))),
        Ending::Refused(why) => (ExitCode::Refused, Some(after_refusal(name.as_str(), why, ask))),
        Ending::Interrupted(_) | Ending::Unsettled(_) => (ExitCode::CouldNotJudge, recover()),
    };
    let code = site.signals.caught().map_or(code, |signal| ExitCode::Interrupted(signal.number()));
    Deployed { environment: name.to_string(), sha, outcome, code, next }
}

/// Every refusal ends with the exact next command.
fn after_refusal(name: &str, why: &str, ask: Ask) -> String {
    match ask {
        _ if why.contains("paused by") => format!("gatepost deploy {name} --continue, or gatepost rollback {name}"),
        _ if why.contains("locked by") => format!("gatepost unlock {name}"),
        Ask::Rollback if why.contains("migration") => format!("gatepost rollback {name} --allow-irreversible"),
        Ask::Rollback if why.contains("verified") || why.contains("deployed") => {
            format!("gatepost rollback {name} --to REF")
        }
        _ => format!("gatepost status {name}"),
    }
}
