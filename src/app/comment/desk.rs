//! Where a comment is answered: what it says by now, who asks and what they may do, the pull request, and the one reply.

use crate::app::comment::{Carried, Request};
use crate::app::{Failure, project, remote, run, secrets};
use crate::chat::Woken;
use crate::config::Config;
use crate::deploy::Remote;
use crate::deploy::engine::Watch;
use crate::mask::Masker;
use crate::model::answer::{Answer, Decision, whole};
use crate::model::conversation::{Proposal, Role, Written};
use crate::model::event::Occasion;
use crate::model::exit::ExitCode;
use crate::render::chat::{View, markdown};
use crate::world::env::Env;
use crate::world::line::answer::Stop;
use crate::world::talk::{Claim, Claimed, Reply, Talk};
use crate::world::{files, occasion};

/// See the module.
pub(super) struct Desk<'a> {
    pub(super) request: &'a Request,
    pub(super) env: &'a Env,
    pub(super) watch: &'a dyn Watch,
    pub(super) occasion: Occasion,
    pub(super) remote: Remote,
    pub(super) talk: Talk,
    /// What is configured where it was started, if anything, and the file's place in the repository.
    pub(super) config: Option<(Config, String)>,
    pub(super) masker: Masker,
    /// Names what was asked, once and for all.
    pub(super) key: String,
    pub(super) written: Option<Written>,
    pub(super) issue: Option<u64>,
    pub(super) role: Role,
    pub(super) proposal: Option<Proposal>,
    pub(super) reply: Option<Reply>,
}

/// Whether there is anything to answer.
pub(super) enum Opened<'a> {
    /// There is.
    Desk(Box<Desk<'a>>),
    /// There is not: why, in one word and in a sentence.
    Not(&'static str, String),
}

/// Why nothing that a comment asks for may be done.
pub(super) struct Bar {
    pub(super) decision: Decision,
    pub(super) code: &'static str,
    pub(super) says: String,
}

/// Shows that the comment was seen, and makes the reply, unless it was answered already.
///
/// # Errors
/// When GitHub cannot be asked, or no reply can be made: what is done must be known to whoever comes next.
pub(super) async fn open<'a>(
    request: &'a Request,
    env: &'a Env,
    watch: &'a dyn Watch,
    woken: &Woken,
) -> Result<Opened<'a>, Failure> {
    let occasion = occasion::read(env).map_err(|error| Failure::outside(error.to_string()).help(error.help()))?;
    let (remote, config) = surroundings(request, env, &occasion)?;
    let mut talk = Talk::open(&remote.api, remote.token.clone(), &remote.repository, request.dry_run)
        .map_err(|error| Failure::usage(error.to_string()))?;
    let masker = config.as_ref().map_or_else(|| secrets::masker(env, &[]), |(config, _)| project::masker(env, config));
    let (key, issue, written) = match woken {
        Woken::Comment { id, issue, .. } => {
            // At once; that it could not be shown is no reason not to go on.
            let _ = talk.react(*id, "eyes").await;
            match talk.comment(*id).await.map_err(|stop| untold(&stop))? {
                None => return Ok(Opened::Not("deleted", "the comment is gone".to_owned())),
                Some(written) if written.by_bot => {
                    return Ok(Opened::Not("bot", "programs give no commands".to_owned()));
                }
                Some(written) if written.issue != *issue => {
                    return Ok(Opened::Not(
                        "elsewhere",
                        "the comment is on another issue than its event says".to_owned(),
                    ));
                }
                Some(written) => (id.to_string(), Some(*issue), Some(written)),
            }
        }
        Woken::ByHand { issue, .. } => (format!("run-{}", occasion.generation.0), *issue, None),
        Woken::Nothing(why) => return Ok(Opened::Not("not_created", (*why).to_owned())),
    };
    let mut desk = Desk {
        request,
        env,
        watch,
        occasion,
        remote,
        talk,
        config,
        masker,
        key,
        written,
        issue,
        role: Role::Reader,
        proposal: None,
        reply: None,
    };
    match desk.claim().await.map_err(|stop| untold(&stop))? {
        None => Ok(Opened::Desk(Box::new(desk))),
        Some((code, why)) => Ok(Opened::Not(code, why)),
    }
}

fn surroundings(
    request: &Request,
    env: &Env,
    occasion: &Occasion,
) -> Result<(Remote, Option<(Config, String)>), Failure> {
    let Ok(repo) = run::discover(&request.start, env) else {
        let what = "there is no repository here: a comment is answered where the default branch is checked out";
        return Err(Failure::usage(what).help("add actions/checkout, without `ref`"));
    };
    let remote = remote::of(env, occasion, &repo)?.ok_or_else(|| {
        Failure::usage("a comment is answered on GitHub, and there is no token or no repository")
            .help("set GITHUB_TOKEN to one that may write pull requests (the action does)")
    })?;
    let root = files::real_path(repo.root()).unwrap_or_else(|| repo.root().to_owned());
    let start = files::real_path(&request.start).unwrap_or_else(|| request.start.clone());
    let place = project::Place { root: &root, start: &start, file: request.config.as_deref(), colour: request.colour };
    Ok((remote, project::read(&place)?.map(|(config, place, _)| (config, place))))
}

fn untold(stop: &Stop) -> Failure {
    Failure::outside(format!("the comment could not be answered, and nothing was done: {stop}"))
        .help("run this job again; the token needs `pull-requests: write` and `issues: write`")
}

impl Desk<'_> {
    /// Makes the reply; why it is not ours to make.
    async fn claim(&mut self) -> Result<Option<(&'static str, String)>, Stop> {
        let Some(issue) = self.issue else { return Ok(None) };
        let since = self.written.as_ref().map(|written| written.created_at.clone()).unwrap_or_default();
        let claim = Claim { key: self.key.clone(), issue, since, generation: self.occasion.generation };
        let body = self.body(&[], None);
        Ok(match self.talk.claim(&claim, &body).await? {
            Claimed::Ours(reply) => {
                self.reply = Some(reply);
                None
            }
            Claimed::Ended(page) => {
                let page = page.map(|page| format!(": {page}")).unwrap_or_default();
                Some(("answered", format!("it was answered already{page}")))
            }
            Claimed::Busy(run) => Some(("busy", format!("run {run} is at it"))),
        })
    }

    pub(super) fn body(&self, answers: &[Answer], going: Option<(&str, &[String])>) -> String {
        let view = View { answers, going, run: self.occasion.run_url.as_deref() };
        self.masker.mask(&markdown(&view)).into_owned()
    }

    /// What whoever asks may do, the least of all who had a hand in it; and it still stands as it was read.
    ///
    /// # Errors
    /// Why nothing may be done.
    pub(super) async fn standing(&mut self, body: &str) -> Result<Role, Bar> {
        let refuse = |code, says: &str| Bar { decision: Decision::Refused, code, says: says.to_owned() };
        let mut actors: Vec<String> = Vec::new();
        if let Some(written) = &self.written {
            if written.is_edited || written.body != body {
                return Err(refuse("edited", "the comment was changed after it was written: write a new one"));
            }
            let author = written.author.clone();
            actors.push(author.ok_or_else(|| refuse("no_author", "nobody is named as the comment's author"))?);
        }
        // A job that is run again keeps the rights of who caused it first, whoever runs it again.
        let woke = ["GITHUB_ACTOR", "GITHUB_TRIGGERING_ACTOR"].map(|name| self.env.get(name).map(str::to_owned));
        let [Some(actor), Some(again)] = woke else {
            return Err(refuse("no_author", "GITHUB_ACTOR or GITHUB_TRIGGERING_ACTOR is not set"));
        };
        actors.extend([actor, again]);
        let unavailable = |code, what: &str, stop: &Stop| {
            let says = format!("{what} could not be read, so that nothing is done: {stop}");
            Bar { decision: Decision::Unavailable, code, says }
        };
        let mut role = Role::Maintainer;
        let mut asked: Vec<String> = Vec::new();
        for login in actors {
            if asked.iter().any(|known| known.eq_ignore_ascii_case(&login)) {
                continue;
            }
            let may = self.talk.role(&login).await;
            role = role.min(may.map_err(|stop| unavailable("permission_unreadable", "what its author may do", &stop))?);
            asked.push(login);
        }
        self.role = role;
        if let Some(issue) = self.issue {
            let found = self.talk.proposal(issue).await;
            self.proposal = found.map_err(|stop| unavailable("head_unreadable", "the pull request's head", &stop))?;
            if self.proposal.is_none() && self.occasion.pull_request.is_some() {
                let stop = Stop::Failed("GitHub shows no such pull request".to_owned());
                return Err(unavailable("head_unreadable", "the pull request's head", &stop));
            }
        }
        Ok(role)
    }

    /// Says it all in the reply, for good unless something could not be found out.
    pub(super) async fn close(mut self: Box<Self>, answers: Vec<Answer>) -> Carried {
        let standing = whole(&answers);
        let mut code = standing.map_or(ExitCode::Pass, |answer| answer.exit);
        let decision = standing.map_or(Decision::Ignored, |answer| answer.decision);
        let mut notes = Vec::new();
        if let Some(reply) = &self.reply {
            let body = self.body(&answers, None);
            if let Err(stop) = self.talk.amend(reply, &body, decision != Decision::Unavailable).await {
                notes.push(format!("the answer could not be posted: {stop}"));
                code = if code == ExitCode::Pass { ExitCode::CouldNotJudge } else { code };
            }
        }
        let reaction = match decision {
            Decision::Done => Some("rocket"),
            Decision::Refused => Some("-1"),
            Decision::Failed | Decision::Unavailable => Some("confused"),
            Decision::Confirm | Decision::Ignored | Decision::Skipped => None,
        };
        if let (Some(written), Some(reaction)) = (&self.written, reaction) {
            let _ = self.talk.react(written.id, reaction).await;
        }
        notes.extend(self.talk.take_planned().into_iter().map(|call| format!("would send: {call}")));
        Carried {
            ignored: None,
            comment: self.written.as_ref().map(|written| written.id),
            issue: self.issue,
            author: self.written.and_then(|written| written.author),
            head: self.proposal.map(|proposal| proposal.head),
            reply: self.reply.and_then(|reply| reply.url),
            notes,
            code,
            masker: self.masker,
            answers,
        }
    }
}
