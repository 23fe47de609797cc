//! What the gates said of a commit, from the check runs that our own app has made: every page, of the newest run of each gate
//! the worst that any of its jobs said last, and only from runs of a workflow that is the default branch's.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Deserialize;

use super::overrides::{self, Claim};
use super::runs::Runs;
use super::{Hub, PATIENCE};
use crate::model::check_id::{self, CheckId, EDITED, OVERRIDE};
use crate::model::deployment::RunPlace;
use crate::model::gate::GateName;
use crate::model::gate_result::{GateResult, Overridden};
use crate::model::outcome::Outcome;
use crate::model::sha::Sha;
use crate::policy::unheard::Posted;
use crate::world::github::GitHub;
use crate::world::line::Line;
use crate::world::line::answer::Stop;

#[derive(Debug, Deserialize)]
struct Page {
    check_runs: Vec<Check>,
}

/// A check run. What is always there is demanded: a page without it is malformed.
#[derive(Debug, Deserialize)]
struct Check {
    id: u64,
    name: String,
    head_sha: Sha,
    status: String,
    conclusion: Option<String>,
    completed_at: Option<String>,
    external_id: Option<String>,
    app: Option<App>,
}

#[derive(Debug, Deserialize)]
struct App {
    id: u64,
}

#[derive(Debug, Deserialize)]
struct Pull {
    head: Head,
}

#[derive(Debug, Deserialize)]
struct Head {
    sha: Sha,
}

#[derive(Debug, Deserialize)]
struct Commit {
    tree: Tree,
}

#[derive(Debug, Deserialize)]
struct Tree {
    sha: Sha,
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Of this commit.
    pub sha: &'a Sha,
    /// Its tree, where it is known here: GitHub tells it otherwise.
    pub tree: Option<&'a Sha>,
    /// Whose check runs are believed.
    pub app: u64,
    /// The digest of the configuration.
    pub config: &'a str,
    /// The job that asks.
    pub me: Option<&'a RunPlace>,
}

/// The check runs of a commit, and which files they are to be of.
#[derive(Clone, Copy)]
struct On<'a> {
    /// Where they stand.
    head: &'a Sha,
    /// Runs that judged none of these files are left out, the red ones too: it is the head of a pull request.
    strictly: bool,
    /// The tree that is asked about.
    tree: &'a Sha,
}

fn said<'a>(check: &'a Check, gate: &GateName) -> Option<CheckId<'a>> {
    let said = CheckId::parse(check.external_id.as_deref()?)?;
    (said.gate == gate.as_str() && said.generation().is_some()).then_some(said)
}

fn generation(check: &Check, gate: &GateName) -> Option<(u64, u64)> {
    said(check, gate)?.generation()
}

fn is_override(check: &Check, gate: &GateName) -> bool {
    said(check, gate).is_some_and(|said| said.scope == OVERRIDE)
}

impl Hub {
    /// The results of the gates for a commit, by the configuration at the place of `config`: another one's are no results.
    /// Where it has none, those of a pull request that judged the same files by the same configuration, as squash merges
    /// leave them.
    ///
    /// # Errors
    /// When anything of it could not be read, or is malformed: what is not known is no evidence.
    pub async fn results(&mut self, wanted: Wanted<'_>) -> Result<Vec<GateResult>, Stop> {
        self.line.allow_more(PATIENCE);
        let line = &mut self.line;
        let sha = wanted.sha;
        let tree = match wanted.tree {
            Some(tree) => tree.clone(),
            None => line.read::<Commit>(line.path(&format!("/git/commits/{sha}"))).await?.tree.sha,
        };
        let own = of_commit(line, wanted, On { head: sha, strictly: false, tree: &tree }).await?;
        if !own.is_empty() {
            return Ok(own.into_iter().map(|decided| decided.result).collect());
        }
        let path = line.path(&format!("/commits/{sha}/pulls?per_page=100"));
        let pulls: Vec<Pull> = line.pages::<Vec<Pull>>(path).await?.into_iter().flatten().collect();
        let mut all = Vec::new();
        for head in pulls.into_iter().map(|pull| pull.head.sha).filter(|head| head != sha) {
            let on = On { head: &head, strictly: true, tree: &tree };
            let results = of_commit(line, wanted, on).await?.into_iter();
            let same = results.filter(|decided| decided.config == wanted.config).map(
                |Decided { result, elsewhere, .. }| {
                    let files = if elsewhere { "" } else { " with the same files" };
                    GateResult { source: format!("{}, of {}{files}", result.source, head.short()), ..result }
                },
            );
            all.extend(same);
        }
        Ok(all)
    }
}

/// What decides for each gate.
async fn of_commit(line: &mut Line<GitHub>, wanted: Wanted<'_>, on: On<'_>) -> Result<Vec<Decided>, Stop> {
    let Wanted { app, config, me, .. } = wanted;
    let mut all: BTreeMap<GateName, Vec<Check>> = BTreeMap::new();
    let mut overridden: BTreeMap<GateName, Check> = BTreeMap::new();
    let ours = ours(line, on.head, app).await?;
    let mut runs =
        Runs::new(on.head, wanted.sha, me, ours.iter().filter_map(|(gate, check)| posted(check, gate)).collect());
    for (gate, check) in ours {
        if is_override(&check, &gate) {
            keep_newest(&mut overridden, gate, check, config);
        } else if said(&check, &gate).is_none_or(|said| said.config == "-" || said.is_configured_where(config)) {
            all.entry(gate).or_default().push(check);
        }
    }
    let mut results = Vec::new();
    for (gate, mut checks) in all {
        if on.strictly {
            keep_runs_of(&mut checks, &gate, on.tree);
        }
        let mut stands = None;
        while let Some(check) = deciding(&checks, &gate, on.tree) {
            let (decided, scheduled) = weighed(line, &mut runs, check, &gate, on.tree).await?;
            if !(scheduled || decided.elsewhere) || !decided.result.outcome.is_green() {
                stands = Some(decided);
                break;
            }
            // A pass that is no evidence hides none.
            if decided.elsewhere {
                stands = stands.or(Some(decided));
            }
            let run = |check: &Check| generation(check, &gate).map(|(run, _)| run);
            let passed = run(check);
            checks.retain(|other| run(other) != passed);
        }
        results.extend(stands);
    }
    for (gate, check) in overridden {
        // On the head of a pull request it is about the head's own files.
        let is_about = |decided: &Decided| decided.result.gate == gate && !decided.elsewhere;
        if !on.strictly || results.iter().any(is_about) {
            take_override(line, &mut results, gate, &check).await?;
        }
    }
    Ok(results)
}

/// Keeps the check runs of runs of which a leg judged these files: another leg of such a run may have judged others.
fn keep_runs_of(checks: &mut Vec<Check>, gate: &GateName, tree: &Sha) {
    let run = |check: &Check| generation(check, gate).map(|(run, _)| run);
    let is_of_files = |check: &&Check| said(check, gate).is_some_and(|said| said.tree == tree.as_str());
    let kept: BTreeSet<u64> = checks.iter().filter(is_of_files).filter_map(run).collect();
    checks.retain(|check| run(check).is_none_or(|run| kept.contains(&run)));
}

/// What decides for a gate.
struct Decided {
    result: GateResult,
    /// The digest of its configuration.
    config: String,
    /// It is of other files than those that are asked about.
    elsewhere: bool,
}

/// What a check run is worth, and whether a scheduled run made it.
async fn weighed(
    line: &mut Line<GitHub>,
    runs: &mut Runs<'_>,
    check: &Check,
    gate: &GateName,
    tree: &Sha,
) -> Result<(Decided, bool), Stop> {
    let doubt = |why: &str| {
        let result = result(gate.clone(), check, None, Some(why.to_owned()));
        Ok((Decided { result, config: String::new(), elsewhere: false }, false))
    };
    let Some((said, (run, _))) = said(check, gate).and_then(|said| Some((said, said.generation()?))) else {
        return doubt("its check run does not say what was judged");
    };
    if said.config == "-" {
        return doubt("its check run does not say by which configuration it was judged");
    }
    let believed = runs.believed(line, run).await?;
    let mut result = result(gate.clone(), check, Some(&said), believed.doubt.clone());
    let elsewhere = said.tree != tree.as_str();
    if result.outcome.is_green() && result.doubt.is_none() {
        // What is red is so whatever else its run has to say.
        result.doubt = believed.unheard.clone().or_else(|| of_other_files(&said, tree));
    }
    Ok((Decided { result, config: said.config.to_owned(), elsewhere }, believed.scheduled))
}

fn of_other_files(said: &CheckId<'_>, tree: &Sha) -> Option<String> {
    let what = match said.tree {
        _ if said.scope == EDITED => "files were edited before it ended: it may have judged what is no commit's",
        "-" => "its check run does not say which files were judged",
        of if of == tree.as_str() => return None,
        _ => "it judged other files than the commit has, those of its merge with the base as that was then",
    };
    Some(what.to_owned())
}

/// What a check run tells of the job that made it, and the run.
fn posted(check: &Check, gate: &GateName) -> Option<(u64, Posted)> {
    let said = said(check, gate).filter(|said| said.scope != OVERRIDE)?;
    let (run, attempt) = said.generation()?;
    let red = !result(gate.clone(), check, Some(&said), None).outcome.is_green();
    Some((run, Posted { job: said.job.to_owned(), made: said.made.to_owned(), attempt, red }))
}

/// The check runs of gates that our app has made.
async fn ours(line: &mut Line<GitHub>, sha: &Sha, app: u64) -> Result<Vec<(GateName, Check)>, Stop> {
    let path = line.path(&format!("/commits/{sha}/check-runs?filter=all&per_page=100"));
    let checks = line.pages::<Page>(path).await?.into_iter().flat_map(|page| page.check_runs);
    let ours = checks.filter(|check| check.app.as_ref().is_some_and(|by| by.id == app) && check.head_sha == *sha);
    let named = ours.filter_map(|check| Some((check_id::gate(&check.name)?, check)));
    Ok(named.collect())
}

/// Keeps an override that is of a gate of the configuration at the place of `config`, if it is the newest: that of another one
/// is about another gate, and one that does not say so is about none.
fn keep_newest(kept: &mut BTreeMap<GateName, Check>, gate: GateName, check: Check, config: &str) {
    let is_here = said(&check, &gate).is_some_and(|said| said.is_configured_where(config));
    if is_here && kept.get(&gate).is_none_or(|known| known.id < check.id) {
        kept.insert(gate, check);
    }
}

/// Which of a gate's check runs decides: of the newest run the worst that stands. The legs of a matrix each make one. What a
/// job says in a later attempt stands for as many of its earlier ones, the worst first, as failed jobs are run again: one that
/// failed and was not repeated still stands.
fn deciding<'c>(checks: &'c [Check], gate: &GateName, tree: &Sha) -> Option<&'c Check> {
    // A later one has a greater number.
    let mut checks: Vec<&Check> = checks.iter().collect();
    checks.sort_by_key(|check| check.id);
    let Some((newest, _)) = generation(checks.last()?, gate) else { return checks.pop() };
    let mut jobs: BTreeMap<String, BTreeMap<u64, Vec<&Check>>> = BTreeMap::new();
    for check in checks {
        let Some(said) = said(check, gate) else { continue };
        if let Some((_, attempt)) = said.generation().filter(|(run, _)| *run == newest) {
            let job = said.job.to_owned();
            jobs.entry(job).or_default().entry(attempt).or_default().push(check);
        }
    }
    let standing = jobs.into_values().flat_map(|attempts| {
        attempts.into_values().fold(Vec::new(), |mut before: Vec<&Check>, again| {
            before.sort_by_key(|check| Reverse(badness(check, gate, tree)));
            before.drain(..again.len().min(before.len()));
            before.extend(again);
            before
        })
    });
    standing.max_by_key(|check| (badness(check, gate, tree), check.id))
}

/// How little a check run is worth as evidence.
fn badness(check: &Check, gate: &GateName, tree: &Sha) -> (bool, bool, bool, bool) {
    let said = said(check, gate);
    let unsure = said.is_none_or(|said| said.config == "-" || said.scope == EDITED || said.tree != tree.as_str());
    let result = result(gate.clone(), check, said.as_ref(), None);
    let narrow = result.limited || result.outcome != Outcome::Pass;
    (!result.outcome.is_green(), unsure, !result.enforced, narrow)
}

impl Hub {
    /// The gates of the configuration at the place of `config` that were overridden for a commit, by whom and why; and why
    /// others that say so are not believed.
    ///
    /// # Errors
    /// When anything of it could not be read.
    pub async fn overridden(
        &mut self,
        sha: &Sha,
        app: u64,
        config: &str,
    ) -> Result<Vec<(GateName, Result<Overridden, String>)>, Stop> {
        // Gates wait for it.
        self.line.allow_more(Duration::from_secs(10));
        let line = &mut self.line;
        let mut newest: BTreeMap<GateName, Check> = BTreeMap::new();
        for (gate, check) in ours(line, sha, app).await? {
            if is_override(&check, &gate) {
                keep_newest(&mut newest, gate, check, config);
            }
        }
        let mut found = Vec::new();
        for (gate, check) in newest {
            let Some(said) = said(&check, &gate) else { continue };
            let believed = overrides::believed(line, &claim(&check, &gate, &said)).await?;
            found.push((gate, believed));
        }
        Ok(found)
    }
}

fn claim<'a>(check: &'a Check, gate: &'a GateName, said: &CheckId<'a>) -> Claim<'a> {
    let run = said.generation().unwrap_or_default().0;
    Claim { check: check.id, gate, sha: &check.head_sha, run, comment: said.base, at: completed(check) }
}

/// Adds to a gate's result that it was overridden, or why that does not count.
async fn take_override(
    line: &mut Line<GitHub>,
    results: &mut Vec<Decided>,
    gate: GateName,
    check: &Check,
) -> Result<(), Stop> {
    let Some(said) = said(check, &gate) else { return Ok(()) };
    let known = results.iter().position(|decided| decided.result.gate == gate);
    let at = known.unwrap_or_else(|| {
        let none = result(gate.clone(), check, None, Some("it was never judged".to_owned()));
        let result = GateResult { outcome: Outcome::Error, ..none };
        results.push(Decided { result, config: said.config.to_owned(), elsewhere: false });
        results.len() - 1
    });
    let result = &mut results[at].result;
    if result.outcome.is_green() && result.enforced && result.doubt.is_none() {
        return Ok(());
    }
    match overrides::believed(line, &claim(check, &gate, &said)).await? {
        Ok(overridden) => result.overridden = Some(overridden),
        Err(why) => result.source = format!("{}; its override does not count: {why}", result.source),
    }
    Ok(())
}

fn result(gate: GateName, check: &Check, said: Option<&CheckId<'_>>, doubt: Option<String>) -> GateResult {
    let outcome = match (check.status.as_str(), check.conclusion.as_deref()) {
        ("completed", Some("success" | "neutral")) => Outcome::Pass,
        ("completed", Some("skipped")) => Outcome::Skipped,
        ("completed", Some("failure")) => Outcome::Fail,
        _ => Outcome::Error,
    };
    GateResult {
        gate,
        outcome,
        enforced: check.conclusion.as_deref() != Some("neutral") && said.is_none_or(|said| said.scope != "report"),
        limited: said.is_none_or(|said| said.scope != "all"),
        base: said.and_then(|said| Sha::parse(said.base).ok()),
        posted: true,
        at: completed(check),
        source: format!("check run {}", check.id),
        doubt,
        overridden: None,
    }
}

/// In seconds since 1970.
fn completed(check: &Check) -> i64 {
    let at = check.completed_at.as_deref().and_then(|at| at.parse::<jiff::Timestamp>().ok());
    at.map_or(0, jiff::Timestamp::as_second)
}
