//! Reads what woke a run on GitHub Actions: the runner's variables and the event's payload, both only as far as
//! they are used. It does not decide what is compared with what.

use serde::Deserialize;

use crate::model::check_id;
use crate::model::event::Occasion;
use crate::model::sha::Sha;

/// The runner's variables
/// (<https://docs.github.com/en/actions/reference/workflows-and-actions/variables>); empty ones are `None`.
#[derive(Debug, Clone, Default)]
pub struct Variables<'a> {
    /// `GITHUB_EVENT_NAME`.
    pub event_name: Option<&'a str>,
    /// `GITHUB_REPOSITORY`.
    pub repository: Option<&'a str>,
    /// `GITHUB_SHA`.
    pub sha: Option<&'a str>,
    /// `GITHUB_REF`.
    pub git_ref: Option<&'a str>,
    /// `GITHUB_SERVER_URL`.
    pub server_url: Option<&'a str>,
    /// `GITHUB_RUN_ID`.
    pub run_id: Option<&'a str>,
    /// `GITHUB_RUN_ATTEMPT`.
    pub run_attempt: Option<&'a str>,
    /// `GITHUB_WORKFLOW_REF`.
    pub workflow_ref: Option<&'a str>,
    /// `GITHUB_WORKFLOW`.
    pub workflow: Option<&'a str>,
    /// `GITHUB_JOB`.
    pub job: Option<&'a str>,
    /// `GATEPOST_LEG`, which the action sets.
    pub leg: Option<&'a str>,
    /// `GATEPOST_LEG_NAME`: what check runs show in its place; `none` shows nothing.
    pub leg_name: Option<&'a str>,
}

/// Why the event could not be read.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// A variable that GitHub always sets is missing.
    #[error("{0} is not set, although GITHUB_ACTIONS is true")]
    Unset(&'static str),
    /// A variable has a value it cannot have.
    #[error("{name} is {value:?}, which is not {wanted}")]
    Variable {
        /// The variable.
        name: &'static str,
        /// Its value, shortened.
        value: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// The payload is no JSON, or a key in use has another type.
    #[error("it is not the JSON of an event: {0}")]
    Json(#[from] serde_json::Error),
    /// The payload lacks what this event always has.
    #[error("a {event} event without {key}")]
    Missing {
        /// The event's name.
        event: String,
        /// The key, dotted.
        key: &'static str,
    },
    /// A commit id or number in the payload has a value it cannot have.
    #[error("its {key} is {value:?}, which is not {wanted}")]
    Value {
        /// The key, dotted.
        key: &'static str,
        /// Its value, shortened.
        value: String,
        /// What it should be.
        wanted: &'static str,
    },
}

const COMMIT_ID: &str = "a full commit id";

#[derive(Deserialize)]
struct Payload {
    pull_request: Option<PullRequest>,
    merge_group: Option<MergeGroup>,
    issue: Option<Issue>,
    workflow_run: Option<WorkflowRun>,
    before: Option<String>,
    after: Option<String>,
    head_commit: Option<Commit>,
    repository: Option<Repository>,
}

#[derive(Deserialize)]
struct PullRequest {
    number: Option<u64>,
    state: Option<String>,
    merge_commit_sha: Option<String>,
    head: Option<End>,
    base: Option<End>,
}

#[derive(Deserialize)]
struct Commit {
    id: Option<String>,
}

/// One end of a pull request.
#[derive(Deserialize)]
struct End {
    sha: Option<String>,
    #[serde(rename = "ref")]
    branch: Option<String>,
    repo: Option<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    full_name: Option<String>,
    default_branch: Option<String>,
}

#[derive(Deserialize)]
struct MergeGroup {
    head_sha: Option<String>,
    base_sha: Option<String>,
    base_ref: Option<String>,
}

#[derive(Deserialize)]
struct WorkflowRun {
    id: Option<u64>,
}

#[derive(Deserialize)]
struct Issue {
    number: Option<u64>,
    pull_request: Option<serde::de::IgnoredAny>,
}

/// The leg of the matrix as the names of check runs show it.
fn shown_leg(variables: &Variables<'_>) -> Option<String> {
    match variables.leg_name.filter(|name| !name.is_empty()) {
        Some("none") => None,
        name => name.or(variables.leg).and_then(check_id::leg),
    }
}

/// The occasion of a run on GitHub Actions. `payload` is the file that `GITHUB_EVENT_PATH` names.
///
/// # Errors
/// When a variable or the payload is not what GitHub sends: then it is not known what is to be judged.
pub fn read(variables: &Variables<'_>, payload: &[u8]) -> Result<Occasion, EventError> {
    let event = variables.event_name.ok_or(EventError::Unset("GITHUB_EVENT_NAME"))?;
    let repository = repository(variables)?;
    let occasion = Occasion {
        event: event.to_owned(),
        run_url: run_url(variables, &repository)?,
        repository: Some(repository),
        head: Some(tested_commit(variables)?),
        branch: variables.git_ref.and_then(branch_of),
        on_actions: true,
        generation: (
            number("GITHUB_RUN_ID", variables.run_id)?.unwrap_or(0),
            number("GITHUB_RUN_ATTEMPT", variables.run_attempt)?.unwrap_or(0),
        ),
        workflow: workflow(variables),
        leg: shown_leg(variables),
        job: variables.job.map(|job| variables.leg.map_or_else(|| job.to_owned(), |leg| format!("{job} {leg}"))),
        ..Occasion::local()
    };
    let payload: Payload = serde_json::from_slice(payload)?;
    let default_branch = payload.repository.as_ref().and_then(|repository| repository.default_branch.clone());
    let occasion = Occasion { default_branch, ..occasion };
    match event {
        "pull_request" | "pull_request_target" | "pull_request_review" | "pull_request_review_comment" => {
            of_pull_request(occasion, payload.pull_request)
        }
        "push" => of_push(occasion, &payload, variables.git_ref.is_some_and(|name| name.starts_with("refs/tags/"))),
        "merge_group" => of_merge_group(occasion, payload.merge_group),
        "issue_comment" => of_comment(occasion, payload.issue),
        "workflow_run" => of_workflow_run(occasion, payload.workflow_run),
        _ => Ok(occasion),
    }
}

fn of_pull_request(mut occasion: Occasion, pull: Option<PullRequest>) -> Result<Occasion, EventError> {
    let lacks = |key| EventError::Missing { event: occasion.event.clone(), key };
    let pull = pull.ok_or_else(|| lacks("pull_request"))?;
    let number = pull.number.ok_or_else(|| lacks("pull_request.number"))?;
    let head = pull.head.ok_or_else(|| lacks("pull_request.head"))?;
    let base = pull.base.ok_or_else(|| lacks("pull_request.base"))?;
    let head_sha = head.sha.ok_or_else(|| lacks("pull_request.head.sha"))?;
    let base_sha = base.sha.ok_or_else(|| lacks("pull_request.base.sha"))?;
    occasion.pull_request = Some(positive("pull_request.number", number)?);
    // Of `pull_request_target` the tested commit is the base's, which is no merge of this head.
    let newest = pull.merge_commit_sha.and_then(|sha| Sha::parse(&sha).ok());
    occasion.merges = occasion.head.take().into_iter().chain(newest).collect();
    occasion.head = Some(commit("pull_request.head.sha", &head_sha)?);
    occasion.base = Some(commit("pull_request.base.sha", &base_sha)?);
    occasion.branch = base.branch;
    occasion.closed = pull.state.as_deref() == Some("closed");
    // A deleted fork has no repository any more: a stranger's all the same.
    let name_of = |repo: Option<Repository>| repo.and_then(|repo| repo.full_name);
    let (from, to) = (name_of(head.repo), name_of(base.repo));
    occasion.trusted = from.is_some() && from == to;
    Ok(occasion)
}

/// Of an annotated tag `after` is the tag itself, and not the commit that it names.
fn of_push(mut occasion: Occasion, payload: &Payload, of_tag: bool) -> Result<Occasion, EventError> {
    // All zeros: the push made the branch (before) or removed it (after).
    let known = |key, sha: &Option<String>| match sha {
        Some(sha) if !sha.bytes().all(|digit| digit == b'0') => commit(key, sha).map(Some),
        _ => Ok(None),
    };
    occasion.base = known("before", &payload.before)?;
    let after = match (of_tag, &payload.head_commit) {
        (false, _) => known("after", &payload.after)?,
        (true, Some(head)) => known("head_commit.id", &head.id)?,
        (true, None) => None,
    };
    if let Some(after) = after {
        occasion.head = Some(after);
    }
    Ok(occasion)
}

fn of_merge_group(mut occasion: Occasion, group: Option<MergeGroup>) -> Result<Occasion, EventError> {
    let lacks = |key| EventError::Missing { event: occasion.event.clone(), key };
    let group = group.ok_or_else(|| lacks("merge_group"))?;
    let head = group.head_sha.ok_or_else(|| lacks("merge_group.head_sha"))?;
    let base = group.base_sha.ok_or_else(|| lacks("merge_group.base_sha"))?;
    occasion.head = Some(commit("merge_group.head_sha", &head)?);
    occasion.base = Some(commit("merge_group.base_sha", &base)?);
    occasion.branch = group.base_ref.as_deref().and_then(branch_of);
    Ok(occasion)
}

/// A comment on a pull request: the payload names neither its head nor whose repository that is in.
fn of_comment(mut occasion: Occasion, issue: Option<Issue>) -> Result<Occasion, EventError> {
    let lacks = |key| EventError::Missing { event: occasion.event.clone(), key };
    let issue = issue.ok_or_else(|| lacks("issue"))?;
    if issue.pull_request.is_some() {
        let number = issue.number.ok_or_else(|| lacks("issue.number"))?;
        occasion.pull_request = Some(positive("issue.number", number)?);
        occasion.trusted = false;
    }
    Ok(occasion)
}

/// A run of another workflow has ended: nothing else of the payload is needed, as GitHub is asked for the run itself.
fn of_workflow_run(mut occasion: Occasion, run: Option<WorkflowRun>) -> Result<Occasion, EventError> {
    let lacks = |key| EventError::Missing { event: occasion.event.clone(), key };
    let run = run.ok_or_else(|| lacks("workflow_run"))?;
    occasion.triggering_run = Some(run.id.ok_or_else(|| lacks("workflow_run.id"))?);
    occasion.trusted = false;
    Ok(occasion)
}

fn tested_commit(variables: &Variables<'_>) -> Result<Sha, EventError> {
    let text = variables.sha.ok_or(EventError::Unset("GITHUB_SHA"))?;
    Sha::parse(text).map_err(|_| refused("GITHUB_SHA", text, COMMIT_ID))
}

fn repository(variables: &Variables<'_>) -> Result<String, EventError> {
    let text = variables.repository.ok_or(EventError::Unset("GITHUB_REPOSITORY"))?;
    let part = |part: &str| {
        !matches!(part, "" | "." | "..") && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    let good = text.split_once('/').is_some_and(|(owner, name)| part(owner) && part(name));
    if good { Ok(text.to_owned()) } else { Err(refused("GITHUB_REPOSITORY", text, "owner/name")) }
}

fn run_url(variables: &Variables<'_>, repository: &str) -> Result<Option<String>, EventError> {
    let (Some(server), Some(run)) = (variables.server_url, number("GITHUB_RUN_ID", variables.run_id)?) else {
        return Ok(None);
    };
    let web = ["https://", "http://"].iter().any(|scheme| server.starts_with(scheme));
    if !web || server.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(refused("GITHUB_SERVER_URL", server, "a web address"));
    }
    Ok(Some(format!("{}/{repository}/actions/runs/{run}", server.trim_end_matches('/'))))
}

/// `octo/shop/.github/workflows/ci.yml@refs/heads/main` without repository and ref: whatever branch it is of, it is one.
fn workflow(variables: &Variables<'_>) -> Option<String> {
    let path = variables.workflow_ref.and_then(|whole| whole.split('@').next()?.splitn(3, '/').nth(2));
    path.or(variables.workflow).map(str::to_owned)
}

fn number(name: &'static str, value: Option<&str>) -> Result<Option<u64>, EventError> {
    value.map(|text| text.parse().map_err(|_| refused(name, text, "a number"))).transpose()
}

fn positive(key: &'static str, number: u64) -> Result<u64, EventError> {
    let wanted = "a number of a pull request";
    if number > 0 { Ok(number) } else { Err(EventError::Value { key, value: number.to_string(), wanted }) }
}

fn commit(key: &'static str, text: &str) -> Result<Sha, EventError> {
    let value = || text.chars().take(80).collect();
    Sha::parse(text).map_err(|_| EventError::Value { key, value: value(), wanted: COMMIT_ID })
}

fn refused(name: &'static str, value: &str, wanted: &'static str) -> EventError {
    EventError::Variable { name, value: value.chars().take(80).collect(), wanted }
}

fn branch_of(git_ref: &str) -> Option<String> {
    git_ref.strip_prefix("refs/heads/").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    const ZERO: &str = "0000000000000000000000000000000000000000";

    fn variables(event: &str) -> Variables<'_> {
        Variables {
            event_name: Some(event),
            repository: Some("octo/shop"),
            sha: Some("cccccccccccccccccccccccccccccccccccccccc"),
            git_ref: Some("refs/heads/main"),
            server_url: Some("https://github.com"),
            run_id: Some("77"),
            run_attempt: Some("2"),
            workflow_ref: Some("octo/shop/.github/workflows/ci.yml@refs/heads/main"),
            workflow: Some("ci"),
            job: Some("test"),
            leg: None,
            leg_name: None,
        }
    }

    fn pull(from: &str) -> String {
        format!(
            r#"{{"action":"opened","pull_request":{{"number":7,"head":{{"sha":"{A}","ref":"fix","repo":{from}}},
               "base":{{"sha":"{B}","ref":"main","repo":{{"full_name":"octo/shop"}}}}}}}}"#
        )
    }

    #[test]
    fn what_github_says_that_the_merge_is() {
        let merges = |newest: &str| {
            let payload = pull("null").replacen("\"number\"", &format!("\"merge_commit_sha\":{newest},\"number\""), 1);
            let occasion = read(&variables("pull_request"), payload.as_bytes()).unwrap();
            occasion.merges.iter().map(|sha| sha.short().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(merges("null"), ["ccccccc"]);
        assert_eq!(merges(&format!("\"{B}\"")), ["ccccccc", "bbbbbbb"]);
    }

    fn short(sha: Option<&Sha>) -> &str {
        sha.map_or("", Sha::short)
    }

    #[test]
    fn a_pull_request_is_trusted_only_from_its_own_repository() {
        let own = read(&variables("pull_request"), pull(r#"{"full_name":"octo/shop"}"#).as_bytes()).unwrap();
        assert!(own.trusted && own.on_actions);
        assert_eq!((own.pull_request, short(own.head.as_ref()), short(own.base.as_ref())), (Some(7), &A[..7], &B[..7]));
        assert_eq!(own.branch.as_deref(), Some("main"));
        assert_eq!(own.run_url.as_deref(), Some("https://github.com/octo/shop/actions/runs/77"));
        assert_eq!(own.generation, (77, 2));
        assert_eq!((own.workflow.as_deref(), own.job.as_deref()), (Some(".github/workflows/ci.yml"), Some("test")));
        assert_eq!(own.leg, None);
        for from in [r#"{"full_name":"mallory/shop"}"#, "null", "{}"] {
            for event in ["pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment"] {
                assert!(!read(&variables(event), pull(from).as_bytes()).unwrap().trusted, "{event} from {from}");
            }
        }
        let nameless = pull("null").replace("\"full_name\":\"octo/shop\"", "");
        assert!(!read(&variables("pull_request"), nameless.as_bytes()).unwrap().trusted);
    }

    #[test]
    fn a_leg_is_another_job_whatever_it_is_called() {
        let called = |leg_name: Option<&str>| {
            let variables = Variables { workflow_ref: None, leg: Some("1/2"), leg_name, ..variables("push") };
            read(&variables, b"{}").unwrap()
        };
        assert_eq!(called(None).workflow.as_deref(), Some("ci"));
        for (name, shown) in [
            (None, Some("2/2")),
            (Some(""), Some("2/2")),
            (Some("none"), None),
            (Some("macos 15"), Some("leg macos-15")),
        ] {
            let leg = called(name);
            assert_eq!((leg.leg.as_deref(), leg.job.as_deref()), (shown, Some("test 1/2")), "{name:?}");
        }
    }

    #[test]
    fn a_push_has_no_base_when_it_made_the_branch() {
        let push = |before: &str, after: &str| {
            let payload = format!(r#"{{"ref":"refs/heads/main","before":"{before}","after":"{after}"}}"#);
            read(&variables("push"), payload.as_bytes()).unwrap()
        };
        let usual = push(A, B);
        assert_eq!((short(usual.base.as_ref()), short(usual.head.as_ref())), (&A[..7], &B[..7]));
        assert_eq!(push(ZERO, B).base, None);
        assert_eq!(short(push(A, ZERO).head.as_ref()), "ccccccc");
        // An annotated tag: `after` is no commit.
        let tag = |head_commit: &str| {
            let payload = format!(r#"{{"before":"{ZERO}","after":"{A}","head_commit":{head_commit}}}"#);
            let variables = Variables { git_ref: Some("refs/tags/v1"), ..variables("push") };
            read(&variables, payload.as_bytes()).unwrap()
        };
        assert_eq!(short(tag(&format!(r#"{{"id":"{B}"}}"#)).head.as_ref()), &B[..7]);
        assert_eq!(short(tag("null").head.as_ref()), "ccccccc");
    }

    #[test]
    fn the_other_events() {
        let group = format!(
            r#"{{"merge_group":{{"head_sha":"{A}","base_sha":"{B}","head_ref":"refs/heads/gh-readonly-queue/main/x",
               "base_ref":"refs/heads/main"}}}}"#
        );
        let queued = read(&variables("merge_group"), group.as_bytes()).unwrap();
        assert_eq!((short(queued.head.as_ref()), short(queued.base.as_ref())), (&A[..7], &B[..7]));
        assert!(queued.trusted);
        let comment = br#"{"issue":{"number":7,"pull_request":{"url":"x"}},"comment":{"body":"/rerun"}}"#;
        let comment = read(&variables("issue_comment"), comment).unwrap();
        assert_eq!((comment.pull_request, comment.trusted), (Some(7), false));
        let issue = read(&variables("issue_comment"), br#"{"issue":{"number":8}}"#).unwrap();
        assert_eq!((issue.pull_request, issue.trusted), (None, true));
        let woken = read(&variables("workflow_run"), br#"{"workflow_run":{"id":5,"head_sha":"x"}}"#).unwrap();
        assert_eq!((woken.triggering_run, woken.trusted, woken.pull_request), (Some(5), false, None));
        for event in ["workflow_dispatch", "schedule"] {
            let plain = read(&variables(event), b"{}").unwrap();
            assert_eq!((plain.base, plain.branch.as_deref()), (None, Some("main")));
        }
    }

    #[test]
    fn what_is_malformed_is_named() {
        let error = |event: &str, payload: &str| read(&variables(event), payload.as_bytes()).unwrap_err().to_string();
        assert!(error("push", "").starts_with("it is not the JSON of an event"));
        assert!(error("push", "{").starts_with("it is not the JSON of an event"));
        assert_eq!(error("push", r#"{"before":"../x"}"#), "its before is \"../x\", which is not a full commit id");
        assert_eq!(error("pull_request", "{}"), "a pull_request event without pull_request");
        let zero = pull("null").replace("\"number\":7", "\"number\":0");
        assert!(error("pull_request", &zero).starts_with("its pull_request.number is \"0\""));
        assert!(error("pull_request", &pull("null").replace(":7", ":-7")).contains("invalid value"));

        let refuse = |change: fn(&mut Variables<'_>)| {
            let mut variables = variables("push");
            change(&mut variables);
            read(&variables, b"{}").unwrap_err().to_string()
        };
        assert!(refuse(|v| v.repository = Some("../../x")).starts_with("GITHUB_REPOSITORY is"));
        assert!(refuse(|v| v.repository = Some("a/b/c")).starts_with("GITHUB_REPOSITORY is"));
        assert!(refuse(|v| v.sha = Some("main")).starts_with("GITHUB_SHA is"));
        assert!(refuse(|v| v.run_id = Some("-1")).starts_with("GITHUB_RUN_ID is"));
        assert!(refuse(|v| v.server_url = Some("javascript:x")).starts_with("GITHUB_SERVER_URL is"));
        assert!(refuse(|v| v.event_name = None).starts_with("GITHUB_EVENT_NAME is not set"));
    }
}
