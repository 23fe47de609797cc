//! The commands about environments, each by what carries it out on the command line too.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;

use tokio::sync::Mutex;

use crate::app::comment::desk::Desk;
use crate::app::comment::telling::Telling;
use crate::app::deploy::{self, Head, Order};
use crate::app::drive::{self, Deployed};
use crate::app::site::{Choice, Site, Start};
use crate::app::{Failure, locks, promote, rollback, status};
use crate::chat::{self, Act, Command, Parameters};
use crate::deploy::engine::Consent;
use crate::model::answer::{Answer, Decision, of_ending};
use crate::model::conversation::{Proposal, Role};
use crate::model::exit::ExitCode;
use crate::model::sha::Sha;
use crate::render::environments;
use crate::render::notify::told;
use crate::world::talk::Talk;

/// What to do next in a comment where gates are not green.
const NOT_GREEN: &str = "run them again by `/rerun failed`, or let one of them stand by `/override GATE REASON`";

/// One command, and what was answered before it.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) line: usize,
    pub(super) said: &'a str,
    pub(super) before: &'a [Answer],
}

impl Asked<'_> {
    pub(super) fn answer(&self, decision: Decision, code: &'static str, says: impl Into<String>) -> Answer {
        Answer::new(self.line, self.said, decision, code, says)
    }

    pub(super) fn refused(&self, code: &'static str, says: impl Into<String>) -> Answer {
        self.answer(Decision::Refused, code, says)
    }

    /// What could not be begun.
    pub(super) fn failed(&self, failure: Failure) -> Answer {
        let decision = match failure.code {
            ExitCode::Usage | ExitCode::Refused => Decision::Refused,
            ExitCode::Interrupted(_) => Decision::Failed,
            _ => Decision::Unavailable,
        };
        let code = failure.word();
        let help = match failure.reason {
            Some(deploy::NOT_GREEN) => Some(NOT_GREEN.to_owned()),
            _ => failure.help,
        };
        let says = help.map_or_else(|| failure.what.clone(), |help| format!("{}; {help}", failure.what));
        Answer { exit: failure.code, ..self.answer(decision, code, says) }
    }

    /// What came to an end, or was not begun.
    fn ended(&self, done: Result<Deployed, Failure>, mut lines: Vec<String>) -> Answer {
        let mut done = match done {
            Ok(done) => done,
            Err(failure) => return self.failed(failure),
        };
        lines.extend(told(&done.told, false).lines().map(str::to_owned));
        let more = (!lines.is_empty()).then(|| lines.join("\n"));
        if let Some(failure) = done.failure.take() {
            return Answer { more, ..self.failed(failure) };
        }
        let (decision, code) = match (done.story.ending.as_ref().map(of_ending), done.story.reason) {
            (_, Some(drive::DONE_ALREADY)) => (Decision::Ignored, drive::DONE_ALREADY),
            (Some((decision, code)), reason) => (decision, reason.unwrap_or(code)),
            (None, _) => (Decision::Failed, "bug"),
        };
        let next = done.story.next.as_ref().map_or_else(String::new, |next| format!("; next: `{next}`"));
        let ending = done.story.ending.as_ref().map_or_else(String::new, ToString::to_string);
        Answer {
            sha: done.story.sha.clone(),
            more,
            deployments: done.story.deployments.clone(),
            exit: if decision == Decision::Ignored { ExitCode::Pass } else { done.code },
            ..self.answer(decision, code, format!("{ending}{next}"))
        }
    }
}

impl Desk<'_> {
    /// Carries out one command.
    pub(super) async fn carry_out(&mut self, command: &Command, said: &str, before: &[Answer]) -> Answer {
        let asked = Asked { line: command.line, said, before };
        let answer = match &command.act {
            Act::Rerun(which) => self.rerun(asked, which).await,
            Act::Override { gate, reason } => self.override_gate(asked, gate, reason).await,
            Act::Deploy { environment, sha, parameters } => {
                self.deploy(asked, environment, sha.as_ref(), parameters).await
            }
            Act::Rollback { environment, to, parameters } => {
                self.rollback(asked, environment, to.as_ref(), parameters).await
            }
            Act::Promote { from, to, parameters } => self.promote(asked, from, to, parameters).await,
            Act::Lock { environment, reason } => {
                let done = locks::lock(&self.start(), environment, reason.as_deref(), self.env).await;
                spoken(asked, "locked", done.map(|done| done.says))
            }
            Act::Unlock { environment, parameters } => match known(parameters, &["force"]) {
                Ok(force) => {
                    let done = locks::unlock(&self.start(), environment, force, self.env).await;
                    spoken(asked, "unlocked", done.map(|done| done.says))
                }
                Err(why) => asked.refused("bad_argument", why),
            },
            Act::Status { environment } => self.status(asked, environment.as_deref()).await,
            Act::Help { command } => {
                let more = Some(chat::help(*command).replace('`', ""));
                Answer { more, ..asked.answer(Decision::Done, "help", "") }
            }
        };
        Answer { environment: command.act.environment().map(str::to_owned), ..answer }
    }

    fn start(&self) -> Start {
        Start {
            start: self.request.start.clone(),
            config: self.request.config.clone(),
            ledger: Choice::GitHub,
            dry_run: self.request.dry_run,
            colour: false,
            by_comment: true,
        }
    }

    /// The key of what a line asks for.
    fn intent(&self, asked: Asked<'_>, environment: &str, sha: Option<&Sha>) -> String {
        let sha = sha.map_or("-", Sha::as_str);
        format!("comment/{}/{}/{}/{environment}/{sha}", self.remote.repository, self.key, asked.line)
    }

    async fn deploy(
        &mut self,
        asked: Asked<'_>,
        environment: &str,
        sha: Option<&Sha>,
        parameters: &Parameters,
    ) -> Answer {
        if let Err(why) = known(parameters, &[]) {
            return asked.refused("bad_argument", why);
        }
        if let Some(closed) = self.proposal.as_ref().filter(|proposal| !proposal.is_open) {
            let says = format!("pull request #{} is closed", closed.number);
            return asked.refused("closed_pull_request", says);
        }
        let Some(sha) = sha else { return self.ask_back(asked, environment).await };
        let head = match &self.proposal {
            Some(proposal) if proposal.head != *sha => return moved(asked, environment, sha, &proposal.head),
            Some(proposal) if proposal.is_fork && self.role < Role::Maintainer => {
                let says = "the head of a fork is deployed only for who has the permission maintain";
                return asked.refused("no_permission", says);
            }
            Some(proposal) if proposal.is_fork => Some(Head::Fork),
            Some(proposal) => Some(Head::Own(proposal.branch.clone())),
            None => None,
        };
        let consent = match self.proposal.clone().map(|proposal| self.consent(proposal)).transpose() {
            Ok(consent) => consent,
            Err(failure) => return asked.failed(failure),
        };
        let order = Order {
            intent: Some(self.intent(asked, environment, Some(sha))),
            consent: consent.clone().map(|consent| consent as Rc<dyn Consent>),
            head,
        };
        let request = deploy::Request {
            start: self.start(),
            environment: environment.to_owned(),
            reference: Some(sha.to_string()),
            force: None,
            allow_irreversible: false,
            order,
        };
        let telling = Telling::new(self.watch);
        let work = Box::pin(deploy::deploy(&request, self.env, &telling));
        let done = self.told(asked.said, asked.before, &telling, work).await;
        let answer = asked.ended(done, telling.lines());
        let has_moved = consent.is_some_and(|consent| consent.objected.get());
        let code = if has_moved && answer.decision == Decision::Refused { "head_moved" } else { answer.code };
        Answer { sha: Some(sha.clone()), code, ..answer }
    }

    /// Shows what would be deployed, and how that is confirmed.
    async fn ask_back(&mut self, asked: Asked<'_>, environment: &str) -> Answer {
        if let Err(failure) = Site::open(&self.start(), self.env).await.and_then(|site| site.environment(environment)) {
            return asked.failed(failure);
        }
        let (sha, what) = match &self.proposal {
            Some(proposal) if proposal.is_fork => {
                (Ok(proposal.head.clone()), "the head of this pull request, which is a fork's")
            }
            Some(proposal) => (Ok(proposal.head.clone()), "the head of this pull request"),
            None => (self.talk.default_head().await, "the head of the default branch"),
        };
        match sha {
            Ok(sha) => Answer {
                confirm: Some(format!("/deploy {environment} {sha}")),
                sha: Some(sha.clone()),
                ..asked.answer(Decision::Confirm, "needs_confirmation", format!("this would deploy {what}, {sha}"))
            },
            Err(stop) => asked.answer(Decision::Unavailable, "head_unreadable", stop.to_string()),
        }
    }

    fn consent(&self, proposal: Proposal) -> Result<Rc<HeadStays>, Failure> {
        let remote = &self.remote;
        let talk = Talk::open(&remote.api, remote.token.clone(), &remote.repository, true);
        let talk = talk.map_err(|error| Failure::usage(error.to_string()))?;
        Ok(Rc::new(HeadStays { talk: Mutex::new(talk), proposal, objected: Cell::new(false) }))
    }

    async fn rollback(
        &mut self,
        asked: Asked<'_>,
        environment: &str,
        to: Option<&Sha>,
        parameters: &Parameters,
    ) -> Answer {
        let allow_irreversible = match known(parameters, &["allow-irreversible"]) {
            Ok(allow) => allow,
            Err(why) => return asked.refused("bad_argument", why),
        };
        if let Some(to) = to
            && let Err(failure) = self.was_here(environment, to).await
        {
            return asked.failed(failure);
        }
        let request = rollback::Request {
            start: self.start(),
            environment: environment.to_owned(),
            to: to.map(Sha::to_string),
            allow_irreversible,
            intent: Some(self.intent(asked, environment, to)),
        };
        let telling = Telling::new(self.watch);
        let work = Box::pin(rollback::rollback(&request, self.env, &telling));
        let done = self.told(asked.said, asked.before, &telling, work).await;
        asked.ended(done, telling.lines())
    }

    /// What is gone back to runs its own commands, and is asked for no gates: whoever may write a comment may only name what
    /// was live there before.
    async fn was_here(&self, environment: &str, to: &Sha) -> Result<(), Failure> {
        let mut site = Site::open(&self.start(), self.env).await?;
        let name = site.environment(environment)?.settings.name;
        let records = site.ledger.of_commit(&name, to).await?;
        if records.iter().any(|record| record.payload.is_some() && record.was_live()) {
            return Ok(());
        }
        let why = format!("{} was never live in {name}", to.short());
        Err(Failure::refused(why).because("never_live").help(format!("deploy it: /deploy {name} {to}")))
    }

    async fn promote(&mut self, asked: Asked<'_>, from: &str, to: &str, parameters: &Parameters) -> Answer {
        if let Err(why) = known(parameters, &[]) {
            return asked.refused("bad_argument", why);
        }
        let request = promote::Request {
            start: self.start(),
            from: from.to_owned(),
            to: to.to_owned(),
            force: None,
            allow_irreversible: false,
            intent: Some(self.intent(asked, to, None)),
        };
        let telling = Telling::new(self.watch);
        let work = Box::pin(promote::promote(&request, self.env, &telling));
        let done = self.told(asked.said, asked.before, &telling, work).await;
        asked.ended(done, telling.lines())
    }

    async fn status(&self, asked: Asked<'_>, only: Option<&str>) -> Answer {
        match status::status(&self.start(), only, self.env).await {
            Ok(rows) => {
                let shown: Vec<_> = rows.iter().map(status::Row::shown).collect();
                Answer { more: Some(environments::text(&shown)), ..asked.answer(Decision::Done, "status", "") }
            }
            Err(failure) => asked.failed(failure),
        }
    }
}

fn spoken(asked: Asked<'_>, code: &'static str, done: Result<String, Failure>) -> Answer {
    match done {
        Ok(says) => asked.answer(Decision::Done, code, says),
        Err(failure) => asked.failed(failure),
    }
}

fn moved(asked: Asked<'_>, environment: &str, asked_for: &Sha, head: &Sha) -> Answer {
    let says = format!("{} is not the head of this pull request, which is at {head}", asked_for.short());
    Answer { confirm: Some(format!("/deploy {environment} {head}")), ..asked.refused("head_moved", says) }
}

/// Whether the one parameter that is known says so. What is not known may have been meant to hold something back.
fn known(parameters: &Parameters, names: &[&str]) -> Result<bool, String> {
    let mut given = false;
    for (key, value) in parameters {
        if key == "force" && !names.contains(&"force") {
            return Err(format!("{key}={value} is not understood here. {}", chat::FORCE));
        }
        if !names.contains(&key.as_str()) {
            let known = if names.is_empty() {
                "it takes none".to_owned()
            } else {
                format!("there is {}=true", names.join("=true, "))
            };
            return Err(format!("{key}={value} is not understood here: {known}"));
        }
        match value.as_str() {
            "true" => given = true,
            "false" => {}
            _ => return Err(format!("{key}={value} is neither {key}=true nor {key}=false")),
        }
    }
    Ok(given)
}

/// What a pull request's deploy hangs on: that its head is still the commit that was named.
struct HeadStays {
    talk: Mutex<Talk>,
    proposal: Proposal,
    objected: Cell<bool>,
}

impl Consent for HeadStays {
    fn objection(&self) -> Pin<Box<dyn Future<Output = Option<String>> + '_>> {
        Box::pin(async move {
            let found = self.talk.lock().await.proposal(self.proposal.number).await;
            let why = match found {
                Ok(Some(now))
                    if now.head == self.proposal.head && now.is_open && now.is_fork == self.proposal.is_fork =>
                {
                    None
                }
                Ok(Some(now)) if now.head == self.proposal.head => {
                    Some("the pull request was closed, or its branch is another one".to_owned())
                }
                Ok(Some(now)) => Some(format!("the pull request has moved on to {}: confirm that one", now.head)),
                Ok(None) => Some("the pull request is gone".to_owned()),
                Err(stop) => Some(format!("where the pull request's head is could not be read: {stop}")),
            };
            self.objected.set(self.objected.get() || why.is_some());
            why
        })
    }
}
