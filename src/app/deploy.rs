//! `gatepost deploy`: on evidence, in order, at the right time; then what the machine says, to a recorded end.

use std::rc::Rc;
use std::time::Duration;

use crate::app::drive::{self, Deployed};
use crate::app::evidence::{self, Evidence};
use crate::app::site::{Site, Start};
use crate::app::{Failure, outage};
use crate::config::Environment;
use crate::deploy::engine::{Consent, Watch, Wish};
use crate::deploy::tally::Verdict;
use crate::deploy::verify::Sight;
use crate::deploy::{Deployer, Ground};
use crate::model::deployment::surely_live;
use crate::model::sha::Sha;
use crate::model::story::{Deed, Proofs};
use crate::policy::{self, window};
use crate::world::clock;
use crate::world::env::Env;
use crate::world::ledger::Pattern;
use crate::world::line::answer::Stop;
use crate::world::repo::Names;

/// Why a deploy is refused, for programs.
pub const NOT_GREEN: &str = "gates_not_green";
const RULES: &str = "protection_rules";

/// What `gatepost deploy` was asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where and how.
    pub start: Start,
    /// The environment.
    pub environment: String,
    /// The branch, tag or commit; `None`: HEAD.
    pub reference: Option<String>,
    /// `--force --reason TEXT`.
    pub force: Option<String>,
    /// `--allow-irreversible`.
    pub allow_irreversible: bool,
    /// How it was ordered, where that was not on the command line.
    pub order: Order,
}

/// What an order that somebody wrote on GitHub comes with.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// Its key: asked for again it is not done again.
    pub intent: Option<String>,
    /// Whom to ask whether it still stands.
    pub consent: Option<Rc<dyn Consent>>,
    /// Whose the commit is, as GitHub states it.
    pub head: Option<Head>,
}

/// Whose the head of a pull request is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// This branch of the repository is at it.
    Own(String),
    /// It is a stranger's. Someone who may has named it, and its code must not run here.
    Fork,
}

/// Deploys a commit.
///
/// # Errors
/// When there is no such environment or commit. Whatever else becomes of it, a refusal too, is in [`Deployed`].
pub async fn deploy(request: &Request, env: &Env, watch: &dyn Watch) -> Result<Deployed, Failure> {
    let mut site = Site::open(&request.start, env).await?;
    let environment = site.environment(&request.environment)?;
    let sha = site.commit(request.reference.as_deref())?;
    // What is counted from HEAD is another commit tomorrow.
    let named = request.reference.clone().filter(|name| !name.starts_with("HEAD") && !name.contains(['~', '^', '@']));
    let reference = named.unwrap_or_else(|| sha.to_string());
    let mut story = drive::story(&site, &environment, Deed::Deploy, Some(&sha), &reference);
    if let Err(failure) = ready(&mut site, &environment, &sha, request, &mut story.evidence, watch).await {
        return Ok(drive::refused(&site, story, failure, watch).await);
    }
    let forced = story.evidence.forced.clone();
    let reason = format!("deploy of {}", sha.short());
    let (intent, consent) = (request.order.intent.clone(), request.order.consent.clone());
    let overridden = story.evidence.overridden.clone();
    let wish = Wish { sha: Some(sha), reference, forced, reason, intent, consent, overridden };
    drive::drive(&mut site, &environment, story, wish, request.allow_irreversible, watch).await
}

/// What it stands on, before anything is touched.
async fn ready(
    site: &mut Site,
    environment: &Environment,
    sha: &Sha,
    request: &Request,
    proofs: &mut Proofs,
    watch: &dyn Watch,
) -> Result<(), Failure> {
    if site.repo.is_dirty()? {
        return Err(Failure::refused("the work tree has changes: what would be deployed is not what was judged")
            .because("dirty")
            .help("commit or stash them, then run the same command"));
    }
    outage::meet(site, &environment.settings, watch).await?;
    allowed(site, environment, sha, request).await?;
    judged(site, environment, sha, request, proofs, watch).await
}

/// Goes on with a deploy that waits for a person. What it needed to begin it had: its commit is the recorded one.
///
/// # Errors
/// As [`deploy`].
pub async fn go_on(start: &Start, name: &str, env: &Env, watch: &dyn Watch) -> Result<Deployed, Failure> {
    let mut site = Site::open(start, env).await?;
    let environment = site.environment(name)?;
    let (deployer, _) = site.deployers(&environment)?;
    site.demand_secrets(&environment, &[&*deployer])?;
    outage::meet(&mut site, &environment.settings, watch).await?;
    let wish = Wish { reason: "going on".to_owned(), ..Wish::default() };
    let story = drive::story(&site, &environment, Deed::Deploy, None, "");
    drive::drive(&mut site, &environment, story, wish, false, watch).await
}

/// Everything that may refuse, whatever the gates said.
async fn allowed(site: &mut Site, environment: &Environment, sha: &Sha, request: &Request) -> Result<(), Failure> {
    let settings = &environment.settings;
    let name = &settings.name;
    let (deployer, rollback) = site.deployers(environment)?;
    site.demand_secrets(environment, &[&*deployer, &*rollback])?;
    let names = names(site, sha, request.order.head.as_ref(), &[&*deployer, &*rollback])?;
    if let Some(why) = window::foreign(settings, &names.branches, &names.tags) {
        return Err(Failure::refused(format!("{} must not go to {name}: {why}", sha.short()))
            .because("branch_not_allowed")
            .help("merge it first, or change `branches` and `tags` of the environment"));
    }
    if let Some(why) = settings.zones().find_map(|zone| clock::local(zone).err()) {
        return Err(Failure::refused(format!("{name} is closed: {why}"))
            .because("closed")
            .help("correct the zone under `hours` or `freezes` of the environment"));
    }
    if let Some(why) = window::closed(settings, &clock::local) {
        return Err(Failure::refused(format!("{name} is closed: {why}"))
            .because("closed")
            .help(format!("wait; a rollback is always possible: gatepost rollback {name}")));
    }
    githubs_rules(site, environment, &names).await?;
    if let Some(before) = &settings.after {
        is_live_before(site, before.as_str(), name.as_str(), sha).await?;
    }
    Ok(())
}

/// Whether its gates are green; what is known of them is in `proofs` even where they are not.
async fn judged(
    site: &mut Site,
    environment: &Environment,
    sha: &Sha,
    request: &Request,
    proofs: &mut Proofs,
    watch: &dyn Watch,
) -> Result<(), Failure> {
    let settings = &environment.settings;
    let name = &settings.name;
    proofs.missing = match evidence::of(site, settings, sha).await? {
        Evidence::Green(green) => {
            watch.say(Duration::ZERO, &evidence::words(&green));
            *proofs = green;
            return Ok(());
        }
        Evidence::Missing(missing) => missing,
    };
    let list = format!("the gates are not green for {}:\n  {}", sha.short(), proofs.missing.join("\n  "));
    let help = match (&request.force, settings.allow_force) {
        (Some(reason), true) => {
            watch.say(Duration::ZERO, &format!("by force ({reason}), although {list}"));
            proofs.forced = Some(reason.clone());
            return Ok(());
        }
        (Some(_), false) => format!("{name} does not allow --force: allow-force = true in its section would"),
        (None, _) => {
            let gates = settings.requires.iter().flatten().flat_map(|gate| [" ", gate.as_str()]).collect::<String>();
            let is_here = site.repo.head()?.as_ref() == Some(sha);
            let go_there = if is_here { String::new() } else { format!("git checkout {} && ", sha.short()) };
            let again = format!("{go_there}gatepost run --all-files{gates} && gatepost deploy {name}");
            let there = if site.ledger.is_on_github() { "; what is red on GitHub is judged again there" } else { "" };
            format!("run them on this commit: {again}{there}")
        }
    };
    Err(Failure::refused(list).because(NOT_GREEN).help(help))
}

/// The branches and tags that a commit is on. What may be a stranger's is not run where the repository's secrets are.
fn names(site: &Site, sha: &Sha, head: Option<&Head>, deployers: &[&dyn Deployer]) -> Result<Names, Failure> {
    let mut names = site.repo.names_of(sha)?;
    match head {
        Some(Head::Own(branch)) => {
            for known in [&mut names.branches, &mut names.of_origin] {
                known.extend((!known.contains(branch)).then(|| branch.clone()));
            }
        }
        Some(Head::Fork) if deployers.iter().any(|deployer| deployer.ground() == Ground::Commit) => {
            let why = format!("{} is a fork's, and its own code would run with the secrets of this job", sha.short());
            return Err(Failure::refused(why).because("fork_code").help(
                "deploy it by what runs none of its code here: checkout = false, a workflow, a webhook, a host; or merge it first",
            ));
        }
        // A branch that only this clone has may have been fetched from a fork.
        None if policy::brings_secrets(&site.occasion) && names.of_origin.is_empty() && names.tags.is_empty() => {
            let why = format!("{} is on no branch of this repository: it may be a stranger's", sha.short());
            return Err(Failure::refused(why)
                .because("not_ours")
                .help("deploy what was merged, or start the workflow by hand for a commit that you have read"));
        }
        _ => {}
    }
    Ok(names)
}

/// GitHub's own rules bind jobs that name the environment, and not us: what only such a job can satisfy is left to one.
async fn githubs_rules(site: &mut Site, environment: &Environment, names: &Names) -> Result<(), Failure> {
    let settings = &environment.settings;
    let name = &settings.name;
    let Some(hub) = site.ledger.hub() else { return Ok(()) };
    let rules = hub.rules(name).await.map_err(|stop| {
        let what = format!("GitHub's rules for {name} could not be read, so that nothing is deployed: {stop}");
        match stop {
            Stop::Refused { .. } => Failure::refused(what).because(RULES).help("the token needs `actions: read`"),
            Stop::Limited(_) | Stop::Failed(_) => {
                Failure::outside(what).because(RULES).help("run the same command again")
            }
        }
    })?;
    if let Some(patterns) = rules.refs.as_ref().filter(|patterns| !patterns.iter().any(|one| fits(one, names))) {
        let kind = |pattern: &Pattern| if pattern.is_tag { "tags" } else { "branches" };
        let listed: Vec<String> = patterns.iter().map(|one| format!("{} {}", kind(one), one.name)).collect();
        let of = if listed.is_empty() { "nothing".to_owned() } else { format!("the {}", listed.join(", the ")) };
        return Err(Failure::refused(format!("GitHub lets only {of} deploy to {name}")).because(RULES).help(
            "deploy a commit that `origin` has on such a branch, or that such a tag is at, or change the environment's rules on GitHub",
        ));
    }
    let kept_by_a_job = environment.deploy.name == "workflow" || (settings.in_job && site.occasion.on_actions);
    if rules.waits_for.is_empty() || kept_by_a_job {
        return Ok(());
    }
    Err(Failure::refused(format!("GitHub asks for {} before anything goes to {name}", rules.waits_for.join(" and ")))
        .because(RULES)
        .help(format!(
            "deploy from a job with `environment: {name}` and say in-job = true, or by deploy = {{ workflow = \"…\" }} with such a job"
        )))
}

/// Whether a name of a commit fits a pattern of GitHub's. A branch that only this clone has is none of GitHub's, and a branch
/// that is named like a tag is no tag.
fn fits(pattern: &Pattern, names: &Names) -> bool {
    let Ok(glob) = globset::GlobBuilder::new(&pattern.name).literal_separator(true).build() else { return false };
    let glob = glob.compile_matcher();
    let all = if pattern.is_tag { &names.tags } else { &names.of_origin };
    all.iter().any(|name| glob.is_match(name))
}

/// `after`: the same files must be live and healthy in the environment before.
async fn is_live_before(site: &mut Site, before: &str, name: &str, sha: &Sha) -> Result<(), Failure> {
    let earlier = site.environment(before)?;
    let records = site.ledger.records(&earlier.settings.name).await?;
    let refuse = |what: String| {
        Err(Failure::refused(format!("{name} takes only what is live and healthy in {before}: {what}"))
            .because("not_live_before")
            .help(format!("deploy it there first: gatepost deploy {before} {}", sha.short())))
    };
    let record = match surely_live(&records) {
        Ok(record) => record,
        Err(why) => return refuse(why),
    };
    let same = record.sha == *sha || site.repo.tree(&record.sha)? == site.repo.tree(sha)?;
    if !same {
        return refuse(format!("{} is live there", record.sha.short()));
    }
    if !record.was_verified() {
        return refuse(format!("{} is live there, but was never verified", record.sha.short()));
    }
    let verify = &earlier.settings.verify;
    if verify.health.is_empty() && verify.version.is_none() {
        return Ok(());
    }
    let sight = Sight::of(&earlier.settings, Some(&record.sha), &site.env);
    let verdict = tokio::select! {
        verdict = sight.judge(&site.http, &|_| {}) => verdict,
        by = site.cancel.cancelled() => return Err(site.interrupted(&by)),
    };
    match verdict {
        Verdict::Healthy(_) => Ok(()),
        Verdict::Unhealthy(why) => refuse(format!("it is not healthy there: {why}")),
    }
}
