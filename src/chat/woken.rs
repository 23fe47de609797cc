//! What woke `gatepost comment`: the payload of a comment, or of a workflow that was started by hand. Its words only say
//! where to look: who wrote what is asked of GitHub again.

use serde::Deserialize;

/// What was asked for, as the event has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Woken {
    /// A comment was written.
    Comment {
        /// Its number.
        id: u64,
        /// The issue or pull request that it is on.
        issue: u64,
        /// What it said then.
        body: String,
        /// Who wrote it, or wakes this: a program.
        by_bot: bool,
    },
    /// Somebody has started the workflow with a command.
    ByHand {
        /// The command, as it would stand in a comment.
        body: String,
        /// The issue or pull request that it is about, and answered on.
        issue: Option<u64>,
    },
    /// There is nothing to do, and why.
    Nothing(&'static str),
}

/// Why an event cannot be acted on.
#[derive(Debug, thiserror::Error)]
pub enum WokenError {
    /// The payload is no JSON, or a key in use has another type.
    #[error("it is not the JSON of such an event: {0}")]
    Json(#[from] serde_json::Error),
    /// A key is not there.
    #[error("it has no {0}")]
    Missing(&'static str),
    /// No number.
    #[error("its input issue is {0:?}, which is no number of an issue or pull request")]
    Issue(String),
    /// Some other event.
    #[error("`{0}` brings no comment")]
    Event(String),
}

#[derive(Deserialize)]
struct Payload {
    action: Option<String>,
    comment: Option<Comment>,
    issue: Option<Issue>,
    sender: Option<User>,
    inputs: Option<Inputs>,
}

#[derive(Deserialize)]
struct Comment {
    id: u64,
    body: Option<String>,
    user: Option<User>,
}

#[derive(Deserialize)]
struct Issue {
    number: u64,
}

#[derive(Deserialize)]
struct User {
    login: String,
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Inputs {
    command: Option<String>,
    issue: Option<String>,
}

impl User {
    fn is_bot(&self) -> bool {
        self.kind.as_deref() == Some("Bot") || self.login.ends_with("[bot]")
    }
}

/// Reads what woke us. `event` is GitHub's name of it, `payload` the file that `GITHUB_EVENT_PATH` names.
///
/// # Errors
/// When it is no such event, or not what GitHub sends.
pub fn woken(event: &str, payload: &[u8]) -> Result<Woken, WokenError> {
    match event {
        "issue_comment" => of_comment(serde_json::from_slice(payload)?),
        "workflow_dispatch" => by_hand(serde_json::from_slice(payload)?),
        other => Err(WokenError::Event(other.to_owned())),
    }
}

fn of_comment(payload: Payload) -> Result<Woken, WokenError> {
    // What a comment is changed to, its author's rights may no longer stand for.
    if payload.action.as_deref() != Some("created") {
        return Ok(Woken::Nothing("only new comments are acted on"));
    }
    let comment = payload.comment.ok_or(WokenError::Missing("comment"))?;
    let issue = payload.issue.ok_or(WokenError::Missing("issue"))?.number;
    let by_bot = [&comment.user, &payload.sender].into_iter().flatten().any(User::is_bot);
    Ok(Woken::Comment { id: comment.id, issue, body: comment.body.unwrap_or_default(), by_bot })
}

fn by_hand(payload: Payload) -> Result<Woken, WokenError> {
    let inputs = payload.inputs.ok_or(WokenError::Missing("inputs"))?;
    let body = inputs.command.ok_or(WokenError::Missing("input command"))?;
    let issue = inputs.issue.filter(|text| !text.trim().is_empty());
    let issue = issue.map(|text| text.trim().trim_start_matches('#').parse().map_err(|_| WokenError::Issue(text)));
    Ok(Woken::ByHand { body, issue: issue.transpose()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comment(action: &str, kind: &str) -> String {
        format!(
            r#"{{"action":"{action}","issue":{{"number":7}},"comment":{{"id":5,"body":"/help","user":{{"login":"ana","type":"{kind}"}}}}}}"#
        )
    }

    #[test]
    fn only_new_comments_are_acted_on() {
        let read = |action: &str, kind: &str| woken("issue_comment", comment(action, kind).as_bytes()).unwrap();
        let body = "/help".to_owned();
        assert_eq!(read("created", "User"), Woken::Comment { id: 5, issue: 7, body: body.clone(), by_bot: false });
        assert_eq!(read("created", "Bot"), Woken::Comment { id: 5, issue: 7, body, by_bot: true });
        for action in ["edited", "deleted", ""] {
            assert!(matches!(read(action, "User"), Woken::Nothing(_)), "{action}");
        }
    }

    #[test]
    fn a_workflow_that_was_started_by_hand_says_the_same() {
        let read = |inputs: &str| woken("workflow_dispatch", format!(r#"{{"inputs":{inputs}}}"#).as_bytes());
        let by_hand = |issue| Woken::ByHand { body: "/status".to_owned(), issue };
        assert_eq!(read(r##"{"command":"/status","issue":"#7"}"##).unwrap(), by_hand(Some(7)));
        assert_eq!(read(r#"{"command":"/status","issue":""}"#).unwrap(), by_hand(None));
        assert_eq!(read(r#"{"command":"/status"}"#).unwrap(), by_hand(None));
        assert!(matches!(read(r#"{"command":"/status","issue":"../x"}"#), Err(WokenError::Issue(_))));
        assert!(matches!(read("{}"), Err(WokenError::Missing(_))));
        assert!(matches!(woken("push", b"{}"), Err(WokenError::Event(_))));
        assert!(matches!(woken("issue_comment", b"["), Err(WokenError::Json(_))));
    }
}
