//! Whether the gates are green for a commit that is to be deployed: collects what is known of it and of its bases, and has
//! the policy look at it.

use std::path::{Path, PathBuf};

use crate::app::Failure;
use crate::app::remembered::{has_files, judged, read};
use crate::app::site::Site;
use crate::model::check_id::is_same_place;
use crate::model::environments::Environment;
use crate::model::gate::{GateName, Mode};
use crate::model::gate_result::GateResult;
use crate::model::report::Report;
use crate::model::sha::Sha;
use crate::model::story::Proofs;
use crate::parse;
use crate::policy::proof::{Demand, Known, Proof, Stands, prove};
use crate::publish::proof;
use crate::world::ledger::Wanted;
use crate::world::repo::RepoError;
use crate::world::{clock, files};

/// What stands for a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// Every gate that is required is green, or was overridden, and where that stands.
    Green(Proofs),
    /// What is missing.
    Missing(Vec<String>),
}

/// Looks for the evidence of a commit.
///
/// # Errors
/// When no gate could be required.
pub async fn of(site: &mut Site, environment: &Environment, sha: &Sha) -> Result<Evidence, Failure> {
    let gates = required(site, environment)?;
    if gates.is_empty() {
        return Ok(Evidence::Green(Proofs::default()));
    }
    let mut known = Known::new();
    let now = clock::now().as_second();
    loop {
        let demand = Demand { gates: &gates, sha, now, max_age: environment.max_age };
        match prove(demand, &known) {
            Proof::Green(stands) => return Ok(Evidence::Green(proofs(&stands))),
            Proof::Refused(missing) => return Ok(Evidence::Missing(missing)),
            Proof::Ask(asked) => {
                let results = results(site, environment, &asked, asked != *sha).await;
                known.insert(asked, results);
            }
        }
    }
}

/// In one line. What was overridden is never called green.
#[must_use]
pub fn words(proofs: &Proofs) -> String {
    let green = proofs.green.iter().map(|(gate, source)| format!("{gate} ({source})")).collect::<Vec<_>>();
    let parts = [("green", &green), ("overridden, not green", &proofs.overridden)];
    let parts = parts.iter().filter(|(_, all)| !all.is_empty());
    let says = parts.map(|(what, all)| format!("{what}: {}", all.join(", "))).collect::<Vec<_>>().join("; ");
    if says.is_empty() { "no gate is required".to_owned() } else { says }
}

fn proofs(stands: &[Stands]) -> Proofs {
    let green = stands.iter().filter(|one| one.overridden.is_none());
    let overridden = stands.iter().filter_map(|one| Some((one, one.overridden.as_ref()?)));
    Proofs {
        green: green.map(|one| (one.gate.to_string(), one.source.clone())).collect(),
        overridden: overridden.map(|(one, by)| format!("{} {by}", one.gate)).collect(),
        ..Proofs::default()
    }
}

/// The gates that must be green: those of `requires`, else every one that can block.
fn required(site: &Site, environment: &Environment) -> Result<Vec<GateName>, Failure> {
    if let Some(gates) = &environment.requires {
        return Ok(gates.clone());
    }
    let gates = site.config.gates.iter().filter(|gate| gate.common.mode == Mode::Block);
    let gates: Vec<GateName> = gates.map(|gate| gate.common.name.clone()).collect();
    if gates.is_empty() {
        return Err(Failure::refused("no gate is configured, so that nothing says the commit is good")
            .help("add a section such as [gates.test], or say requires = [] in the environment"));
    }
    Ok(gates)
}

/// What is known of a commit, or of one with the same files. A base had perhaps another text of the same configuration.
async fn results(
    site: &mut Site,
    environment: &Environment,
    sha: &Sha,
    is_base: bool,
) -> Result<Vec<GateResult>, String> {
    let config = proof::digest(&site.config_place, &site.config.source);
    let counts = |by: &str| *by == config || (is_base && is_same_place(by, &config));
    let mut all = of_report(site, sha, is_base, &counts).await?;
    let me = site.job();
    if let Some(hub) = site.ledger.hub() {
        let tree = site.repo.tree(sha).ok();
        let wanted = Wanted { sha, tree: tree.as_ref(), app: environment.app_id, config: &config, me: me.as_ref() };
        let found = hub.results(wanted).await;
        all.extend(found.map_err(|error| error.to_string())?);
    }
    if let Some(local) = site.ledger.file() {
        let kept = local.results(sha).await.map_err(|error| error.to_string())?;
        all.extend(kept.into_iter().filter(|(by, _)| counts(by)).map(|(_, result)| result));
    }
    Ok(all)
}

/// What the report of a run in this work tree says of a commit. What is believed of it stays known where the ledger is this
/// repository's own.
async fn of_report(
    site: &mut Site,
    sha: &Sha,
    is_base: bool,
    counts: &impl Fn(&str) -> bool,
) -> Result<Vec<GateResult>, String> {
    // GitHub knows what was judged there: a base is not what lies here.
    if is_base && site.ledger.is_on_github() {
        return Ok(Vec::new());
    }
    let Some(report) = report(site)? else { return Ok(Vec::new()) };
    let unsaid = report.subject.tree.is_none() && !report.subject.dirty && report.subject.head.as_ref() == Some(sha);
    if !unsaid && !has_files(&site.repo, sha, &report) {
        return Ok(Vec::new());
    }
    let (by, found) = (report.subject.config.as_deref(), read(&report));
    let doubt = match by {
        _ if unsaid => Some("its report does not say which files it judged".to_owned()),
        Some(by) if counts(by) => None,
        Some(_) => Some("another configuration judged it".to_owned()),
        None => Some("its report does not say by which configuration it was judged".to_owned()),
    };
    if let (false, None, Some(by)) = (site.dry_run, &doubt, by)
        && let (Some(local), Some(of)) = (site.ledger.file(), judged(&site.repo, &report))
    {
        local.remember(of, by, &found).await.map_err(|error| error.to_string())?;
    }
    Ok(found.into_iter().map(|result| GateResult { doubt: doubt.clone(), ..result }).collect())
}

/// The report of a run in this work tree. One that is there and cannot be read may be a red one; one that git tracks was
/// written by who made the commit.
fn report(site: &Site) -> Result<Option<Report>, String> {
    let path = site.below_config(".gatepost/report.json");
    let bytes = match files::read_at_most(&path, parse::report::LARGEST) {
        Ok(bytes) => bytes,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    if let Some(tracked) = tracked(site, &path).map_err(|error| error.to_string())? {
        return Err(format!(
            "git tracks {tracked}: it came with the commit, and is no run's report; take it out of git (git rm --cached)"
        ));
    }
    parse::report::read(&bytes).map(Some).map_err(|error| format!("{} {error}", path.display()))
}

/// What of a path git tracks: the file itself, by whichever name, or a link on the way to it. The index is HEAD's, as a work
/// tree with changes deploys nothing.
fn tracked(site: &Site, path: &Path) -> Result<Option<String>, RepoError> {
    let names = [Some(path.to_owned()), files::real_path(path)];
    let below = |path: &PathBuf| path.strip_prefix(&site.root).ok().map(Path::to_owned);
    let names: Vec<PathBuf> = names.iter().flatten().filter_map(below).collect();
    let tracked = site.repo.tracked()?;
    Ok(tracked.into_iter().find(|tracked| names.iter().any(|name| name.starts_with(tracked))))
}
