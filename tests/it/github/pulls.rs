//! Pull requests, their files, reviews and review comments: <https://docs.github.com/rest/pulls>.

use serde_json::{Value, json};

use super::contract::contract;
use super::exchange::{Answer, Ask, Refusal, Reply};
use super::server::Operation;
use super::state::{Pull, Repo, Review, ReviewComment, State};
use super::tokens::Account;
use super::{commits, exchange};

pub const OPERATIONS: &[(&str, Operation)] = &[
    ("pulls/get", get),
    ("pulls/list", list),
    ("pulls/list-files", list_files),
    ("pulls/list-commits", list_commits),
    ("repos/list-pull-requests-associated-with-commit", list_for_commit),
    ("pulls/create-review", create_review),
    ("pulls/list-reviews", list_reviews),
    ("pulls/create-review-comment", create_comment),
    ("pulls/list-review-comments", list_comments),
];

/// Characters in a comment.
const MOST_BODY: usize = 65_536;

fn get(state: &mut State, ask: &Ask) -> Answer {
    let repo = state.of(ask)?;
    let pull = find(repo, ask)?;
    let comments = repo.comments_on(pull.number).len();
    let mut json = json_of(pull, ask);
    json["changed_files"] = json!(pull.files.len());
    json["comments"] = json!(comments);
    json["mergeable"] = json!(true);
    json["mergeable_state"] = json!("clean");
    Ok(Reply::ok(contract().complete("pull-request", json)))
}

fn list(state: &mut State, ask: &Ask) -> Answer {
    let wanted = |pull: &&Pull| match ask.text("state") {
        "" | "open" => pull.open,
        "closed" => !pull.open,
        _ => true,
    };
    let named = |key: &str, actual: &str| [String::new(), actual.to_owned()].contains(&ask.text(key).to_owned());
    let repo = state.of(ask)?;
    let pulls = repo.pulls.values().rev().filter(wanted).filter(|pull| {
        let owner = pull.head_repo.split('/').next().unwrap_or_default();
        named("head", &format!("{owner}:{}", pull.head_ref)) && named("base", &pull.base_ref)
    });
    Ok(ask.page(pulls.map(|pull| simple(pull, ask)).collect(), |page| page))
}

/// As GitHub does: a fork's head is not a commit of this repository's branches, so only own heads are found.
fn list_for_commit(state: &mut State, ask: &Ask) -> Answer {
    let repo = state.of(ask)?;
    let sha = ask.text("commit_sha");
    if !repo.commits.contains_key(sha) {
        return Err(Reply::no_commit(sha).into());
    }
    let squashed = repo.squashed.get(sha);
    let is_of = |pull: &&Pull| pull.head == sha || squashed == Some(&pull.number);
    let own = repo.pulls.values().filter(is_of).filter(|pull| pull.head_repo == repo.name);
    Ok(ask.page(own.map(|pull| simple(pull, ask)).collect(), |page| page))
}

fn list_files(state: &mut State, ask: &Ask) -> Answer {
    let repo = state.of(ask)?;
    let pull = find(repo, ask)?;
    let file = |(path, status): &(String, String)| {
        let url = ask.url(&format!("contents/{path}"));
        let text = repo.files.get(&(pull.head.clone(), path.clone())).map_or("", String::as_str);
        let id = git2::Oid::hash_object(git2::ObjectType::Blob, text.as_bytes()).unwrap().to_string();
        let entry = json!({ "filename": path, "status": status, "contents_url": url, "sha": id });
        contract().complete("diff-entry", entry)
    };
    Ok(ask.page(pull.files.iter().map(file).collect(), |page| page))
}

fn list_commits(state: &mut State, ask: &Ask) -> Answer {
    let repo = state.of(ask)?;
    let pull = find(repo, ask)?;
    let below = commits::history(repo, &pull.base);
    let own = commits::history(repo, &pull.head).into_iter().filter(|sha| !below.contains(sha));
    let mut shown: Vec<Value> = own.map(|sha| commits::json_of(&repo.commits[&sha], ask)).collect();
    shown.reverse();
    Ok(ask.page(shown, |page| page))
}

fn create_review(state: &mut State, ask: &Ask) -> Answer {
    let event = ask.given("event");
    let body = ask.given("body").unwrap_or_default();
    let needs_body = matches!(event.as_deref(), Some("COMMENT" | "REQUEST_CHANGES"));
    let comments = ask.body["comments"].as_array().cloned().unwrap_or_default();
    let said = !body.is_empty() || !needs_body || !comments.is_empty();
    ask.demand(said, "/body", &json!(body), "a review of this event needs a body")?;
    let pull = find(state.of(ask)?, ask)?.clone();
    for comment in &comments {
        demand_line(ask, &pull, comment)?;
    }
    let (id, now) = (state.next_id(), state.now());
    let verdict = match event.as_deref() {
        Some("APPROVE") => "APPROVED",
        Some("REQUEST_CHANGES") => "CHANGES_REQUESTED",
        Some(_) => "COMMENTED",
        None => "PENDING",
    };
    let commit = ask.given("commit_id").unwrap_or(pull.head);
    let author = ask.token.account.clone();
    let review = Review { id, pull: pull.number, state: verdict.to_owned(), body, commit, author, submitted_at: now };
    let json = review_json(&review, ask);
    for comment in &comments {
        add_comment(state, ask, comment, Some(&review))?;
    }
    state.of(ask)?.reviews.push(review);
    Ok(Reply::ok(json))
}

fn list_reviews(state: &mut State, ask: &Ask) -> Answer {
    let repo = state.of(ask)?;
    let number = find(repo, ask)?.number;
    let reviews = repo.reviews.iter().filter(|review| review.pull == number);
    Ok(ask.page(reviews.map(|review| review_json(review, ask)).collect(), |page| page))
}

fn create_comment(state: &mut State, ask: &Ask) -> Answer {
    let pull = find(state.of(ask)?, ask)?.clone();
    demand_line(ask, &pull, &ask.body)?;
    let json = add_comment(state, ask, &ask.body, None)?;
    Ok(exchange::Reply::created(json))
}

fn list_comments(state: &mut State, ask: &Ask) -> Answer {
    let repo = state.of(ask)?;
    let number = find(repo, ask)?.number;
    let comments = repo.review_comments.iter().filter(|comment| comment.pull == number);
    Ok(ask.page(comments.map(|comment| comment_json(comment, ask)).collect(), |page| page))
}

fn find<'a>(repo: &'a Repo, ask: &Ask) -> Result<&'a Pull, Reply> {
    repo.pulls.get(&ask.number("pull_number")).ok_or_else(Reply::not_found)
}

/// A comment stands on a line of a changed file.
fn demand_line(ask: &Ask, pull: &Pull, comment: &Value) -> Result<(), Refusal> {
    let path = comment["path"].as_str().unwrap_or_default();
    if !pull.files.iter().any(|(file, _)| file == path) {
        let mut reply = Reply::unprocessable("PullRequestReviewComment", "path", "invalid", "could not be resolved");
        if ask.operation == "pulls/create-review" {
            reply.body.as_mut().unwrap()["errors"] = json!(["Path could not be resolved"]);
        }
        return Err(reply.into());
    }
    let (start, line) = (comment["start_line"].as_u64(), comment["line"].as_u64());
    ask.demand(start.is_none() || start < line, "/start_line", comment, "start_line must precede the end line")?;
    let length = comment["body"].as_str().unwrap_or_default().chars().count();
    ask.demand((1..=MOST_BODY).contains(&length), "/body", &json!(length), "blank, or more than 65,536 characters")?;
    let (Some(hunks), Some(line)) = (pull.hunks.get(path), line) else { return Ok(()) };
    let Some(hunk) = hunks.iter().find(|(first, last)| (first..=last).contains(&&line)) else {
        return Err(outside("line must be part of the diff").into());
    };
    if start.is_some_and(|start| start < hunk.0) {
        return Err(outside("start line must be part of the same hunk as the line.").into());
    }
    Ok(())
}

/// GitHub's words, and the whole review is refused.
fn outside(what: &str) -> Reply {
    let mut reply = Reply::error(422, "Unprocessable Entity");
    reply.body.as_mut().unwrap()["errors"] = json!([format!("Pull request review thread {what}")]);
    reply
}

fn add_comment(state: &mut State, ask: &Ask, given: &Value, review: Option<&Review>) -> Result<Value, Reply> {
    let head = find(state.of(ask)?, ask)?.head.clone();
    let text = |key: &str| given[key].as_str().unwrap_or_default().to_owned();
    let comment = ReviewComment {
        id: state.next_id(),
        pull: ask.number("pull_number"),
        review: review.map(|review| review.id),
        path: text("path"),
        start_line: given["start_line"].as_u64(),
        line: given["line"].as_u64(),
        body: text("body"),
        commit: given["commit_id"].as_str().map_or(head, str::to_owned),
        author: ask.token.account.clone(),
        created_at: state.now(),
    };
    let json = comment_json(&comment, ask);
    state.of(ask)?.review_comments.push(comment);
    Ok(json)
}

fn simple(pull: &Pull, ask: &Ask) -> Value {
    contract().complete("pull-request-simple", json_of(pull, ask))
}

fn json_of(pull: &Pull, ask: &Ask) -> Value {
    let side = |repo: &str, name: &str, sha: &str| {
        let (owner, short) = repo.split_once('/').unwrap_or((repo, ""));
        let account = Account::user(owner).json();
        json!({
            "label": format!("{owner}:{name}"),
            "ref": name,
            "sha": sha,
            "user": account,
            "repo": { "name": short, "full_name": repo, "fork": repo != ask.repository(), "owner": account },
        })
    };
    json!({
        "id": pull.id,
        "number": pull.number,
        "state": if pull.open { "open" } else { "closed" },
        "title": pull.title,
        "url": ask.url(&format!("pulls/{}", pull.number)),
        "html_url": format!("https://github.test/{}/pull/{}", ask.repository(), pull.number),
        "user": Account::user("mona").json(),
        "head": side(&pull.head_repo, &pull.head_ref, &pull.head),
        "base": side(&ask.repository(), &pull.base_ref, &pull.base),
    })
}

fn review_json(review: &Review, ask: &Ask) -> Value {
    let json = json!({
        "id": review.id,
        "state": review.state,
        "body": review.body,
        "commit_id": review.commit,
        "user": review.author.json(),
        "submitted_at": review.submitted_at,
        "html_url": format!("https://github.test/{}/pull/{}#pullrequestreview-{}", ask.repository(), review.pull, review.id),
        "pull_request_url": ask.url(&format!("pulls/{}", review.pull)),
    });
    contract().complete("pull-request-review", json)
}

fn comment_json(comment: &ReviewComment, ask: &Ask) -> Value {
    let mut json = json!({
        "id": comment.id,
        "pull_request_review_id": comment.review,
        "path": comment.path,
        "start_line": comment.start_line,
        "body": comment.body,
        "commit_id": comment.commit,
        "original_commit_id": comment.commit,
        "user": comment.author.json(),
        "created_at": comment.created_at,
        "updated_at": comment.created_at,
        "url": ask.url(&format!("pulls/comments/{}", comment.id)),
    });
    // GitHub answers `null` for an outdated one, and describes that it does not.
    if let Some(line) = comment.line {
        json["line"] = json!(line);
    }
    contract().complete("pull-request-review-comment", json)
}
