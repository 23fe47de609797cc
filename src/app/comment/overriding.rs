//! `/override`: a person who may decides that the pull request's head may stand although a gate is not green. It is recorded as a
//! check run of the gate's name that is neutral and says so: never a pass, and worth nothing for any other commit.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::app::comment::acts::Asked;
use crate::app::comment::desk::Desk;
use crate::model::answer::{Answer, Decision};
use crate::model::call::{CheckRun, ReceiptEnd};
use crate::model::check_id;
use crate::model::conversation::{Proposal, Written};
use crate::model::gate::GateName;
use crate::model::text::one_line;
use crate::publish::interpreter::{Interpreter, Options, Pace};
use crate::publish::proof;
use crate::render::links::Address;
use crate::render::markdown::{Untrusted, prose};
use crate::world::clock;
use crate::world::conversation::Stood;
use crate::world::github::GitHub;

/// How long posting may wait for retries and rate limits.
const PATIENCE: Duration = Duration::from_mins(1);
/// The most characters of a title (the API's limit).
const TITLE: usize = 255;

impl Desk<'_> {
    pub(super) async fn override_gate(&mut self, asked: Asked<'_>, gate: &GateName, reason: &str) -> Answer {
        let (proposal, written) = match (&self.proposal, &self.written) {
            (Some(proposal), Some(written)) => (proposal.clone(), written.clone()),
            (None, _) => return asked.refused("not_a_pull_request", "a gate is overridden for a pull request's head"),
            (Some(proposal), None) => {
                let says = format!(
                    "an override must stand in a comment, where a later deploy reads it again: write `/override {gate} REASON` \
                     as a comment on #{}",
                    proposal.number
                );
                return asked.refused("needs_comment", says);
            }
        };
        let gates = self.config.iter().flat_map(|(config, _)| &config.gates);
        let gates: Vec<&str> = gates.map(|one| one.common.name.as_str()).collect();
        if !gates.contains(&gate.as_str()) {
            let says =
                format!("there is no gate {:?}; {}", gate.as_str(), crate::config::advice(gate.as_str(), &gates));
            return asked.refused("unknown_gate", says);
        }
        if let Some(answer) = self.not_then(asked, &proposal, &written).await {
            return answer;
        }
        let mut judged = match self.talk.judged(&proposal.head).await {
            Ok(judged) => judged,
            Err(stop) => return asked.answer(Decision::Unavailable, "github_unavailable", stop.to_string()),
        };
        let place = self.config.as_ref().map_or("", |(_, place)| place);
        judged.retain(|one| one.gate == *gate && one.stands_at(&proof::of_place(place)));
        let other: BTreeSet<&str> =
            judged.iter().map(|one| one.conclusion.as_str()).filter(|word| *word != "success").collect();
        let was = match (judged.is_empty(), other.is_empty()) {
            (true, _) => "it did not run".to_owned(),
            (false, true) => {
                return asked.refused("already_green", format!("{gate} is green for {}", proposal.head.short()));
            }
            (false, false) => format!("it ended in {}", Vec::from_iter(other).join(" and ")),
        };
        let red = judged.iter().filter(|one| !one.is_green()).map(|one| one.name.clone());
        let mut names: BTreeSet<String> = red.collect();
        if names.is_empty() {
            names.insert(check_id::name(place, Some(gate.as_str()), None));
        }
        let mut end = Ok(());
        for name in names {
            let check = self.check(name, &proposal, &written, gate, reason, &was);
            end = end.and(self.post(&check).await.map(drop));
        }
        let says = format!("{gate} is overridden for {}, and is no pass: {was}", proposal.head.short());
        let done = |decision, code, says: String| Answer {
            sha: Some(proposal.head.clone()),
            ..asked.answer(decision, code, says)
        };
        match end {
            Ok(()) => done(Decision::Done, "overridden", says),
            Err(why) => done(Decision::Unavailable, "not_recorded", format!("it could not be recorded: {why}")),
        }
    }

    /// What is answered where the head is not surely what the comment's author saw.
    async fn not_then(&mut self, asked: Asked<'_>, proposal: &Proposal, written: &Written) -> Option<Answer> {
        let head = proposal.head.short();
        let why = match self.talk.stood_at(proposal, &written.created_at).await {
            Ok(Stood::Then) => return None,
            Ok(Stood::Later) => format!("{head} was not seen on this pull request before the comment was written"),
            Ok(Stood::Behind(other)) => {
                format!("when the comment was written this pull request was at {}, and not at {head}", other.short())
            }
            Ok(Stood::Again) => {
                format!("{head} was pushed again, or runs were started for it, after the comment was written")
            }
            Err(stop) => return Some(asked.answer(Decision::Unavailable, "head_unreadable", stop.to_string())),
        };
        Some(asked.refused("head_moved", format!("{why}: look at it, and write the comment again")))
    }

    fn check(
        &self,
        name: String,
        proposal: &Proposal,
        written: &Written,
        gate: &GateName,
        reason: &str,
        was: &str,
    ) -> CheckRun {
        let by = written.author.as_deref().unwrap_or_default();
        let (run, attempt) = self.occasion.generation;
        let place = self.config.as_ref().map_or("", |(_, place)| place);
        let page = Address::parse(&written.url);
        let link = page.as_ref().map_or_else(|| "a comment".to_owned(), |page| format!("[a comment]({page})"));
        let summary = format!(
            "**overridden, not passed**: {} in {link} by {}, for {} alone.\n\nThe reason given:\n\n{}",
            prose(was, 200),
            Untrusted(by).code(60),
            Untrusted(proposal.head.short()).code(10),
            Untrusted(reason).fence("text", 600),
        );
        let now = clock::now().to_string();
        CheckRun {
            name,
            head_sha: proposal.head.clone(),
            external_id: proof::override_id(&format!("{run}.{attempt}"), gate, written.id, place),
            already: false,
            stands_back: false,
            conclusion: "neutral",
            started_at: now.clone(),
            completed_at: now,
            title: one_line(&self.masker.mask(&format!("overridden by {by}: {reason}")), TITLE),
            summary: self.masker.mask(&summary).into_owned(),
            text: None,
            details_url: page.map(|page| page.to_string()),
            annotations: Vec::new(),
        }
    }

    async fn post(&self, check: &CheckRun) -> Result<ReceiptEnd, String> {
        let forge = GitHub::new(&self.remote.api, self.remote.token.clone()).map_err(|error| error.to_string())?;
        let options = Options {
            repository: self.remote.repository.clone(),
            patience: PATIENCE,
            dry_run: self.request.dry_run,
            pace: Pace::default(),
        };
        Interpreter::new(forge, &options).only_as_check_run(check).await.map_err(|stop| stop.to_string())
    }
}
