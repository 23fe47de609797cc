//! `gatepost comment`: carries out the commands of the comment that woke it. Who wrote it, whether it still says so and what
//! its author may do is asked of GitHub first; whatever is not known refuses, and nothing is done twice.

mod acts;
mod desk;
mod overriding;
mod rerun;
mod telling;

use std::path::PathBuf;

use crate::app::{Failure, posting, secrets};
use crate::chat::{self, Act, Read, Woken};
use crate::deploy::engine::Watch;
use crate::mask::Masker;
use crate::model::answer::{Answer, Decision, whole};
use crate::model::conversation::Role;
use crate::model::exit::ExitCode;
use crate::model::sha::Sha;
use crate::publish::outputs;
use crate::render::chat::{View, markdown};
use crate::world::env::Env;
use crate::world::{files, occasion};

use desk::{Desk, Opened};

/// What `gatepost comment` was asked for; the rest stands in the event.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where it was started, absolute.
    pub start: PathBuf,
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--dry-run`.
    pub dry_run: bool,
    /// Whether problems of the configuration are shown in colour.
    pub colour: bool,
}

/// What became of a comment.
#[derive(Debug)]
pub struct Carried {
    /// One for each of its lines that is or looks like a command, in their order.
    pub answers: Vec<Answer>,
    /// Why nothing was looked at, where that is so: in one word, and in a sentence.
    pub ignored: Option<(&'static str, String)>,
    /// The comment's number.
    pub comment: Option<u64>,
    /// The issue or pull request.
    pub issue: Option<u64>,
    /// Who wrote it.
    pub author: Option<String>,
    /// The pull request's head.
    pub head: Option<Sha>,
    /// The reply's page.
    pub reply: Option<String>,
    /// What went wrong beside.
    pub notes: Vec<String>,
    /// What the process ends with.
    pub code: ExitCode,
    /// Takes secrets out of what is shown of it.
    pub masker: Masker,
}

/// Carries out what a comment asks for.
///
/// # Errors
/// When no comment woke it, GitHub cannot be reached, or the comment could not be answered: then nothing was done.
pub async fn comment(request: &Request, env: &Env, watch: &dyn Watch) -> Result<Carried, Failure> {
    let event = occasion::payload(env).map_err(|error| Failure::outside(error.to_string()).help(error.help()))?;
    let (event, payload) = event.ok_or_else(|| {
        Failure::usage("no comment woke this: it acts on GitHub Actions alone")
            .help("copy docs/workflows/comment.yml; by hand there are gatepost deploy, rollback, lock and the others")
    })?;
    let woken = chat::woken(&event, &payload).map_err(|error| {
        Failure::usage(format!("the event cannot be acted on: {error}"))
            .help("it is woken by `issue_comment`, or by `workflow_dispatch` with the input `command`")
    })?;
    let body = match &woken {
        Woken::Nothing(why) => return Ok(told(env, "not_created", why)),
        Woken::Comment { by_bot: true, .. } => return Ok(told(env, "bot", "programs give no commands")),
        Woken::Comment { body, .. } | Woken::ByHand { body, .. } => body.clone(),
    };
    let read = chat::read(&body);
    if read.is_nothing() {
        return Ok(told(env, "no_command", "the comment has no command"));
    }
    let mut carried = match desk::open(request, env, watch, &woken).await? {
        Opened::Not(code, why) => Carried::ignored(code, &why, env),
        Opened::Desk(mut desk) => {
            let answers = answer(&mut desk, &body, &read).await;
            desk.close(answers).await
        }
    };
    tell(env, &mut carried);
    Ok(carried)
}

/// Answers every line, in their order.
async fn answer(desk: &mut Desk<'_>, body: &str, read: &Read) -> Vec<Answer> {
    if let Some(refused) = refused(desk, body, read).await {
        return refused;
    }
    let mut answers: Vec<Answer> = Vec::new();
    for command in &read.commands {
        let said = words(body, command.line);
        let before = answers.iter().find(|answer| !answer.goes_on()).map(|answer| answer.line);
        if let Some(before) = before {
            let says = format!("line {before} did not come to a good end");
            answers.push(Answer::new(command.line, &said, Decision::Skipped, "earlier_line", says));
            continue;
        }
        let answer = desk.carry_out(command, &said, &answers).await;
        answers.push(Answer { command: Some(command.act.word()), ..answer });
    }
    answers
}

/// A comment is acted on as a whole or not at all: every line must be understood, and its author may do all of it.
async fn refused(desk: &mut Desk<'_>, body: &str, read: &Read) -> Option<Vec<Answer>> {
    let mut answers: Vec<Answer> = Vec::new();
    for refusal in &read.refusals {
        let answer = Answer::new(refusal.line, &refusal.said, Decision::Refused, refusal.code.word(), &*refusal.why);
        answers.push(Answer { exit: ExitCode::Usage, ..answer });
    }
    let standing = if answers.is_empty() { desk.standing(body).await } else { Ok(Role::Maintainer) };
    for command in &read.commands {
        let said = words(body, command.line);
        let answer = |decision, code, says: String| Answer::new(command.line, &said, decision, code, says);
        let needed = command.act.needs();
        let why = match &standing {
            Err(why) => Some(answer(why.decision, why.code, why.says.clone())),
            Ok(role) if *role < needed => {
                Some(answer(Decision::Refused, "no_permission", may_not(&command.act, *role)))
            }
            Ok(_) => None,
        };
        answers.extend(why);
    }
    if answers.is_empty() {
        return None;
    }
    for command in &read.commands {
        if answers.iter().all(|answer| answer.line != command.line) {
            let says = "another line of the comment was refused";
            let said = words(body, command.line);
            answers.push(Answer::new(command.line, &said, Decision::Skipped, "other_line", says));
        }
    }
    answers.sort_by_key(|answer| answer.line);
    Some(answers)
}

fn may_not(act: &Act, role: Role) -> String {
    let (needed, has) = (act.needs().word(), role.word());
    format!("/{} needs the permission {needed} in this repository, and whoever asks has {has}", act.word())
}

/// What a line says.
fn words(body: &str, line: usize) -> String {
    let unix = body.replace("\r\n", "\n").replace('\r', "\n");
    let found = unix.split('\n').nth(line.saturating_sub(1)).unwrap_or_default();
    crate::model::text::one_line(found, 200)
}

/// Nothing was looked at.
fn told(env: &Env, code: &'static str, why: &str) -> Carried {
    let mut carried = Carried::ignored(code, why, env);
    tell(env, &mut carried);
    carried
}

/// Tells the later steps of the workflow, and whoever looks at the run.
fn tell(env: &Env, carried: &mut Carried) {
    let (decision, code) = carried.decision();
    let outputs = outputs::answer(decision.word(), code, &posting::delimiter());
    let view = View { answers: &carried.answers, going: None, run: None };
    let summary = carried.masker.mask(&markdown(&view)).into_owned();
    let summary = if carried.answers.is_empty() { String::new() } else { summary };
    for (name, text) in [("GITHUB_OUTPUT", outputs), ("GITHUB_STEP_SUMMARY", summary)] {
        if let Some(path) = env.os(name).filter(|path| !path.is_empty() && !text.is_empty())
            && let Err(error) = files::append(path.as_ref(), text.as_bytes())
        {
            carried.notes.push(error.to_string());
        }
    }
}

impl Carried {
    fn ignored(code: &'static str, why: &str, env: &Env) -> Self {
        Self {
            answers: Vec::new(),
            ignored: Some((code, why.to_owned())),
            comment: None,
            issue: None,
            author: None,
            head: None,
            reply: None,
            notes: Vec::new(),
            code: ExitCode::Pass,
            masker: secrets::masker(env, &[]),
        }
    }

    /// What was decided of all of it, and why in one word.
    #[must_use]
    pub fn decision(&self) -> (Decision, &'static str) {
        let ignored = self.ignored.as_ref().map_or("no_command", |(code, _)| *code);
        whole(&self.answers).map_or((Decision::Ignored, ignored), |answer| (answer.decision, answer.code))
    }
}
