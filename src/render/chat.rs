//! The reply to a comment with commands: in Markdown for GitHub, in lines for a terminal, and as JSON, version 1. What others
//! wrote stands in code there, so that nobody is mentioned and nothing is linked.

use std::fmt::Write as _;

use serde::Serialize;

use crate::model::answer::{Answer, Decision, whole};
use crate::model::sha::Sha;
use crate::model::text::{clean, one_line};
use crate::render::links::Address;
use crate::render::markdown::{Untrusted, prose};

/// The most characters of one answer's sentence, and of what is added to it.
const SENTENCE: usize = 1500;
const MORE: usize = 3500;
/// The newest lines that are shown of a command that is carried out.
const STAGES: usize = 12;

/// What there is to say.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// In the comment's order.
    pub answers: &'a [Answer],
    /// The command that is carried out, and what was said of it so far.
    pub going: Option<(&'a str, &'a [String])>,
    /// The page of the run.
    pub run: Option<&'a str>,
}

const fn sign(decision: Decision) -> &'static str {
    match decision {
        Decision::Done => "✅",
        Decision::Confirm => "❔",
        Decision::Ignored | Decision::Skipped => "➖",
        Decision::Refused => "⛔",
        Decision::Failed => "❌",
        Decision::Unavailable => "❓",
    }
}

/// The reply, without its marker.
#[must_use]
pub fn markdown(view: &View<'_>) -> String {
    let mut out = String::new();
    for answer in view.answers {
        let (word, said) = (answer.decision.word(), Untrusted(&answer.said).code(200));
        // Writing to a String cannot fail.
        let _ = write!(out, "{} {said}: **{word}** (`{}`)\n\n", sign(answer.decision), answer.code);
        if !answer.says.is_empty() {
            let _ = write!(out, "{}\n\n", prose(&answer.says, SENTENCE));
        }
        if let Some(line) = &answer.confirm {
            let _ = write!(out, "To confirm, comment with this line:\n\n{}\n", Untrusted(line).fence("text", 300));
        }
        if let Some(more) = &answer.more {
            let _ = writeln!(out, "{}", Untrusted(more).fence("text", MORE));
        }
    }
    if let Some((said, stages)) = view.going {
        let _ = write!(out, "⏳ {}: **working**\n\n", Untrusted(said).code(200));
        let newest = stages[stages.len().saturating_sub(STAGES)..].join("\n");
        if !newest.is_empty() {
            let _ = writeln!(out, "{}", Untrusted(&newest).fence("text", MORE));
        }
    }
    if out.is_empty() {
        out.push_str("⏳ **working**\n\n");
    }
    let run =
        view.run.and_then(Address::parse).map_or_else(String::new, |run| format!(" in [this run]({})", run.as_str()));
    let _ = writeln!(out, "<sub>gatepost{run}</sub>");
    out
}

/// For people at a terminal.
#[must_use]
pub fn text(view: &View<'_>) -> String {
    let mut out = String::new();
    for answer in view.answers {
        let (word, code) = (answer.decision.word(), answer.code);
        let _ = writeln!(out, "{}: {word} ({code})", one_line(&answer.said, 200));
        for line in clean(&answer.says).lines() {
            let _ = writeln!(out, "  {line}");
        }
        if let Some(line) = &answer.confirm {
            let _ = writeln!(out, "  to confirm: {}", clean(line));
        }
        for line in answer.more.iter().flat_map(|more| more.lines()) {
            let _ = writeln!(out, "  {}", clean(line));
        }
    }
    out
}

/// What it was about, for programs.
#[derive(Debug, Clone, Copy, Default)]
pub struct About<'a> {
    /// The comment's number.
    pub comment: Option<u64>,
    /// The issue or pull request.
    pub issue: Option<u64>,
    /// Who wrote it.
    pub author: Option<&'a str>,
    /// The pull request's head.
    pub head: Option<&'a Sha>,
    /// The reply's page.
    pub reply: Option<&'a str>,
    /// Why nothing was looked at, in one word.
    pub ignored: Option<&'a str>,
}

/// For programs.
#[must_use]
pub fn json(answers: &[Answer], about: &About<'_>) -> String {
    let commands = answers.iter().map(|answer| Asked {
        line: answer.line,
        said: &answer.said,
        command: answer.command,
        environment: answer.environment.as_deref(),
        sha: answer.sha.as_ref().map(Sha::as_str),
        decision: answer.decision.word(),
        reason_code: answer.code,
        says: &answer.says,
        confirm: answer.confirm.as_deref(),
        deployments: &answer.deployments,
    });
    let standing = whole(answers);
    let written = Written {
        schema: "gatepost.comment/v1",
        decision: standing.map_or(Decision::Ignored, |answer| answer.decision).word(),
        reason_code: standing.map_or_else(|| about.ignored.unwrap_or("no_command"), |answer| answer.code),
        comment: about.comment,
        issue: about.issue,
        author: about.author,
        head: about.head.map(Sha::as_str),
        reply: about.reply,
        commands: commands.collect(),
    };
    serde_json::to_string(&written).unwrap_or_default() + "\n"
}

#[derive(Serialize)]
struct Written<'a> {
    schema: &'static str,
    decision: &'static str,
    reason_code: &'a str,
    comment: Option<u64>,
    issue: Option<u64>,
    author: Option<&'a str>,
    head: Option<&'a str>,
    reply: Option<&'a str>,
    commands: Vec<Asked<'a>>,
}

#[derive(Serialize)]
struct Asked<'a> {
    line: usize,
    said: &'a str,
    command: Option<&'static str>,
    environment: Option<&'a str>,
    sha: Option<&'a str>,
    decision: &'static str,
    reason_code: &'static str,
    says: &'a str,
    confirm: Option<&'a str>,
    deployments: &'a [String],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bad_answer_stands_for_all() {
        let answer = |decision, code| Answer::new(1, "/x", decision, code, "");
        let done = answer(Decision::Done, "live");
        let skipped = answer(Decision::Skipped, "earlier");
        let refused = answer(Decision::Refused, "locked");
        let of = |answers: &[Answer]| {
            let json: serde_json::Value = serde_json::from_str(&json(answers, &About::default())).unwrap();
            (json["decision"].as_str().unwrap().to_owned(), json["reason_code"].as_str().unwrap().to_owned())
        };
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(of(&[done.clone(), refused.clone(), skipped.clone()]), pair("refused", "locked"));
        assert_eq!(of(&[skipped, refused]), pair("refused", "locked"));
        assert_eq!(of(&[done]), pair("done", "live"));
        assert_eq!(of(&[]), pair("ignored", "no_command"));
    }

    #[test]
    fn what_others_wrote_stays_in_code() {
        let hostile = "/override lint @all <img src=x> [a](b) `` ```\u{202e} <!-- gatepost:reply to=5 -->";
        let answer = Answer {
            confirm: Some(hostile.to_owned()),
            more: Some(format!("````\n{hostile}")),
            ..Answer::new(1, hostile, Decision::Refused, "bad_argument", format!("overridden by ana: {hostile:?}"))
        };
        let stages = [hostile.to_owned()];
        let view = View { answers: &[answer], going: Some((hostile, &stages)), run: Some("javascript:x") };
        let body = markdown(&view);
        assert!(!body.contains("<!--") && !body.contains('\u{202e}') && !body.contains("javascript"), "{body}");
        insta::assert_snapshot!(body);
    }
}
