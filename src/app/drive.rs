//! What deploys, rollbacks and recoveries share: the machine does what was asked for while others are told, and its end
//! becomes an exit code and what to do next.

use tokio::sync::Notify;

use crate::app::herald::{self, Herald};
use crate::app::site::Site;
use crate::app::{Failure, outage, way_back};
use crate::config::Environment;
use crate::deploy::engine::{Engine, Outcome, Watch, Wish};
use crate::deploy::machine::{Ask, News};
use crate::mask::Masker;
use crate::model::call::Receipt;
use crate::model::deployment::{Ending, Hindrance};
use crate::model::exit::ExitCode;
use crate::model::sha::Sha;
use crate::model::story::{Deed, Story};

/// Why a refusal is one, in a word, where the same was done already.
pub const DONE_ALREADY: &str = "done_already";

/// A deployment that came to an end.
#[derive(Debug)]
pub struct Deployed {
    /// All that is told of it; it has its end.
    pub story: Story,
    /// Whom it was told, and what became of that.
    pub told: Vec<Receipt>,
    /// What the process ends with: whatever became of the telling.
    pub code: ExitCode,
    /// Takes secrets out of what is shown of it.
    pub masker: Masker,
    /// Why it was not begun, where that is so; the story says so too.
    pub failure: Option<Failure>,
}

/// What is known of a story before it begins.
#[must_use]
pub fn story(site: &Site, environment: &Environment, deed: Deed, sha: Option<&Sha>, reference: &str) -> Story {
    let me = site.me(environment.settings.lease);
    Story {
        sha: sha.cloned(),
        reference: Some(reference.to_owned()).filter(|name| !name.is_empty()),
        by: me.owner,
        run: me.link,
        url: environment.settings.url.clone(),
        ..Story::new(deed, environment.settings.name.as_str())
    }
}

/// Tells that something was not begun, and why.
pub async fn refused(site: &Site, story: Story, failure: Failure, watch: &dyn Watch) -> Deployed {
    let (herald, letters) = Herald::new(site, story, watch);
    herald.news(&News::Ended(Ending::Refused(failure.what.clone())));
    let story = herald.end(|story| not_begun(story, &failure));
    let mut told = letters.send(std::future::ready(())).await;
    told.extend(herald::leave_with_the_runner(site, &story, &told));
    Deployed { story, told, code: failure.code, masker: site.masker.clone(), failure: Some(failure) }
}

/// The end of what was not begun.
pub fn not_begun(story: &mut Story, failure: &Failure) {
    story.ending = Some(Ending::Refused(failure.what.clone()));
    (story.reason, story.next) = (Some(failure.word()), failure.help.clone());
}

/// Has the machine do what was asked for.
///
/// # Errors
/// When the environment's settings do not hold.
pub async fn drive(
    site: &mut Site,
    environment: &Environment,
    story: Story,
    wish: Wish,
    allow_irreversible: bool,
    watch: &dyn Watch,
) -> Result<Deployed, Failure> {
    let ask = match story.deed {
        // Only what was recorded by another run has no commit of its own.
        Deed::Deploy if wish.sha.is_none() => Ask::Continue,
        Deed::Deploy => Ask::Deploy,
        Deed::Rollback => Ask::Rollback,
        Deed::Recovery => Ask::Recover,
    };
    let (herald, letters) = Herald::new(site, story, watch);
    let over = Notify::new();
    let work = async {
        let outcome = Box::pin(engine(site, environment, ask, wish, allow_irreversible, &herald)).await;
        if let Ok(outcome) = &outcome {
            outage::keep(site, &environment.settings.name, &outcome.records).await;
        }
        let story = outcome.map(|outcome| {
            let name = environment.settings.name.as_str();
            let (reason, next) = next(name, &outcome.ending, outcome.hindrance);
            herald.end(|story| {
                story.previous = outcome.previous.or_else(|| story.previous.take());
                (story.ending, story.reason, story.next) = (Some(outcome.ending), reason, next);
                story.rollback_took = outcome.rollback_took;
            })
        });
        herald.end(|_| {});
        over.notify_one();
        story
    };
    let (story, mut told) = tokio::join!(work, letters.send(over.notified()));
    let story = story?;
    told.extend(herald::leave_with_the_runner(site, &story, &told));
    let code = story.ending.as_ref().map_or(ExitCode::Bug, |ending| code(ending, ask));
    let code = site.signals.caught().map_or(code, |signal| ExitCode::Interrupted(signal.number()));
    Ok(Deployed { story, told, code, masker: site.masker.clone(), failure: None })
}

async fn engine(
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
    let (repo, places) = (&site.repo, way_back::Places::of(site, &environment.settings));
    let objection = |to: &Sha, from: &Sha| {
        if allow_irreversible { None } else { way_back::objection(repo, &places, to, from) }
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

const fn code(ending: &Ending, ask: Ask) -> ExitCode {
    match (ending, ask) {
        (Ending::Live { .. } | Ending::Nothing(_), _) | (Ending::RolledBack { .. }, Ask::Recover) => ExitCode::Pass,
        (Ending::Failed(_), _) => ExitCode::Fail,
        (Ending::RolledBack { .. }, _) => ExitCode::RolledBack,
        (Ending::RollbackFailed { .. }, _) => ExitCode::RollbackFailed,
        (Ending::Refused(_), _) => ExitCode::Refused,
        (Ending::Inconclusive(_) | Ending::Paused(_) | Ending::Interrupted(_) | Ending::Unsettled(_), _) => {
            ExitCode::CouldNotJudge
        }
    }
}

/// Why it was refused in one word, where it was, and what to do next.
fn next(name: &str, ending: &Ending, hindrance: Option<Hindrance>) -> (Option<&'static str>, Option<String>) {
    let next = match (ending, hindrance) {
        (Ending::Paused(_), _) | (Ending::Nothing(_), Some(Hindrance::Paused)) => on_or_back(name),
        (Ending::Live { .. } | Ending::Nothing(_) | Ending::RolledBack { .. }, _) => return (None, None),
        // What stopped the rollback would stop it again.
        (Ending::Failed(_), Some(Hindrance::Irreversible)) => format!("gatepost rollback {name} --allow-irreversible"),
        (Ending::Failed(_) | Ending::RollbackFailed { .. }, _) => format!("gatepost rollback {name} --to REF"),
        // Going back works by what was seen last, too: what failed is not left until GitHub is there again.
        (Ending::Inconclusive(_), _) | (Ending::Unsettled(_), Some(Hindrance::Unrecorded)) => {
            format!("gatepost rollback {name}")
        }
        (Ending::Refused(_), _) => {
            let (reason, next) = after_refusal(name, hindrance);
            return (Some(reason), Some(next));
        }
        (Ending::Interrupted(_) | Ending::Unsettled(_), _) => format!("gatepost recover {name}"),
    };
    (None, Some(next))
}

fn on_or_back(name: &str) -> String {
    format!("gatepost deploy {name} --continue, or gatepost rollback {name}")
}

/// Every refusal ends with the exact next command.
fn after_refusal(name: &str, hindrance: Option<Hindrance>) -> (&'static str, String) {
    let status = format!("gatepost status {name}");
    match hindrance {
        Some(Hindrance::Done) => (DONE_ALREADY, status),
        Some(Hindrance::Paused) => ("paused", on_or_back(name)),
        Some(Hindrance::Stuck) => ("locked", format!("gatepost rollback {name}")),
        Some(Hindrance::Locked) => ("locked", format!("gatepost unlock {name}")),
        Some(Hindrance::Held) => ("locked", status),
        Some(Hindrance::Irreversible) => ("irreversible", format!("gatepost rollback {name} --allow-irreversible")),
        Some(Hindrance::NothingBefore) => ("nothing_to_go_back_to", format!("gatepost rollback {name} --to REF")),
        Some(Hindrance::Unrecorded) | None => ("refused", status),
    }
}
