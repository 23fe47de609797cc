//! `/rerun`: the workflow runs that judged the pull request's head are started again on GitHub, where they ran before and with
//! the rights they had. Nothing of the pull request runs here.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::app::comment::acts::Asked;
use crate::app::comment::desk::Desk;
use crate::chat::Rerun;
use crate::model::answer::{Answer, Decision};
use crate::model::conversation::Proposal;
use crate::model::gate::GateName;
use crate::world::line::answer::Stop;
use crate::world::talk::{Judged, Run, Started};

/// What wakes runs that judge a change; nothing else is started again, whatever a check run names.
const JUDGING: &[&str] = &["pull_request", "push", "merge_group", "workflow_dispatch"];

/// What came of one run.
enum Told {
    Started(String),
    Not(String),
}

impl Desk<'_> {
    pub(super) async fn rerun(&mut self, asked: Asked<'_>, which: &Rerun) -> Answer {
        let Some(proposal) = self.proposal.clone() else {
            return asked.refused("not_a_pull_request", "gates are run again for a pull request");
        };
        let unavailable = |stop: Stop| asked.answer(Decision::Unavailable, "github_unavailable", stop.to_string());
        let judged = match self.talk.judged(&proposal.head).await {
            Ok(judged) => judged,
            Err(stop) => return unavailable(stop),
        };
        let runs = match chosen(&judged, which) {
            Ok(runs) => runs,
            Err((decision, code, says)) => return asked.answer(decision, code, says),
        };
        let mut told = Vec::new();
        for (id, gates) in runs {
            let named = matches!(which, Rerun::Gates(_)).then_some(&gates);
            match self.again(&proposal, id, named, *which == Rerun::Failed).await {
                Ok(one) => told.push(one),
                Err(stop) => return unavailable(stop),
            }
        }
        let started: Vec<&str> = told
            .iter()
            .filter_map(|one| if let Told::Started(what) = one { Some(what.as_str()) } else { None })
            .collect();
        let not: Vec<&str> =
            told.iter().filter_map(|one| if let Told::Not(why) = one { Some(why.as_str()) } else { None }).collect();
        let says = [started.clone(), not.clone()].concat().join("; ");
        if started.is_empty() {
            let running = not.iter().any(|why| why.contains("already running"));
            return asked.refused(if running { "still_running" } else { "not_started" }, says);
        }
        Answer { sha: Some(proposal.head), ..asked.answer(Decision::Done, "started", says) }
    }

    async fn again(
        &mut self,
        proposal: &Proposal,
        id: u64,
        gates: Option<&BTreeSet<GateName>>,
        failed_only: bool,
    ) -> Result<Told, Stop> {
        let run = self.talk.run(id).await?;
        if run.head != proposal.head || !JUDGING.contains(&run.event.as_str()) {
            return Ok(Told::Not(format!("run {id} is no run of gates of {}", proposal.head.short())));
        }
        let mut why = String::new();
        if let Some(gates) = gates {
            match self.only(proposal, &run, gates).await? {
                Told::Started(what) => return Ok(Told::Started(what)),
                // Then all of them.
                Told::Not(words) => why = format!(", with all its gates: {words}"),
            }
        }
        let jobs = if failed_only { "the failed jobs of run" } else { "run" };
        Ok(match self.talk.rerun(&run, failed_only).await? {
            Started::Yes => Told::Started(format!("{jobs} {id} again{why}")),
            Started::No(words) => Told::Not(format!("run {id} was not started again: {words}")),
        })
    }

    /// Some gates alone: the workflow is started by hand on the pull request's branch, with its input `gates`.
    async fn only(&mut self, proposal: &Proposal, run: &Run, gates: &BTreeSet<GateName>) -> Result<Told, Stop> {
        let Some(file) = run.file.as_ref().filter(|_| !proposal.is_fork) else {
            return Ok(Told::Not("a fork's workflow cannot be started by hand".to_owned()));
        };
        let names: Vec<&str> = gates.iter().map(GateName::as_str).collect();
        let inputs = json!({ "gates": names.join(" ") });
        Ok(match self.talk.dispatch(file, &proposal.branch, inputs).await? {
            Started::Yes => Told::Started(format!("{} in a new run of {file}", names.join(", "))),
            Started::No(words) => Told::Not(format!("{file} cannot be started for some gates alone ({words})")),
        })
    }
}

type Refused = (Decision, &'static str, String);

/// The runs that are started again, with the gates that each is wanted for.
fn chosen(judged: &[Judged], which: &Rerun) -> Result<BTreeMap<u64, BTreeSet<GateName>>, Refused> {
    let refuse = |code, says: String| Err((Decision::Refused, code, says));
    if judged.is_empty() {
        let says = "no gate has ended for this commit yet, so that no run is known: start the workflow by hand";
        return refuse("nothing_ran", says.to_owned());
    }
    let wanted: Vec<&Judged> = match which {
        Rerun::All => judged.iter().collect(),
        Rerun::Failed => judged.iter().filter(|one| !one.is_green()).collect(),
        Rerun::Gates(names) => {
            if let Some(unknown) = names.iter().find(|name| judged.iter().all(|one| one.gate != **name)) {
                let known: BTreeSet<&str> = judged.iter().map(|one| one.gate.as_str()).collect();
                let known = Vec::from_iter(known).join(", ");
                return refuse("unknown_gate", format!("{unknown} did not run for this commit; there are {known}"));
            }
            judged.iter().filter(|one| names.contains(&one.gate)).collect()
        }
    };
    if wanted.is_empty() {
        return Err((Decision::Done, "nothing_failed", "no gate has failed for this commit".to_owned()));
    }
    let mut runs: BTreeMap<u64, BTreeSet<GateName>> = BTreeMap::new();
    for one in wanted {
        runs.entry(one.run).or_default().insert(one.gate.clone());
    }
    Ok(runs)
}
