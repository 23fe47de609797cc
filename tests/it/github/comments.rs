//! Comments on issues and pull requests: <https://docs.github.com/rest/issues/comments>.

use serde_json::{Value, json};

use super::contract::contract;
use super::exchange::{Answer, Ask, Refusal, Reply};
use super::server::Operation;
use super::state::{Comment, State};

pub const OPERATIONS: &[(&str, Operation)] = &[
    ("issues/create-comment", create),
    ("issues/list-comments", list),
    ("issues/get-comment", get),
    ("issues/update-comment", update),
    ("issues/delete-comment", delete),
    ("reactions/create-for-issue-comment", react),
];

/// Characters in a body.
const MOST_BODY: usize = 65_536;

fn create(state: &mut State, ask: &Ask) -> Answer {
    let body = body(ask)?;
    let issue = ask.number("issue_number");
    if !state.of(ask)?.has_issue(issue) {
        return Err(Reply::not_found().into());
    }
    let id = state.comment(&ask.repository(), issue, ask.token.account.clone(), &body);
    Ok(Reply::created(json_of(find(state, ask, id)?, ask)))
}

fn list(state: &mut State, ask: &Ask) -> Answer {
    let issue = ask.number("issue_number");
    let repo = state.of(ask)?;
    if !repo.has_issue(issue) {
        return Err(Reply::not_found().into());
    }
    let since = ask.text("since");
    let comments = repo.comments_on(issue).into_iter().filter(|comment| comment.updated_at.as_str() >= since);
    Ok(ask.page(comments.map(|comment| json_of(comment, ask)).collect(), |page| page))
}

fn get(state: &mut State, ask: &Ask) -> Answer {
    Ok(Reply::ok(json_of(find(state, ask, ask.number("comment_id"))?, ask)))
}

fn update(state: &mut State, ask: &Ask) -> Answer {
    let body = body(ask)?;
    let now = state.now();
    let comment = find(state, ask, ask.number("comment_id"))?;
    comment.body = body;
    comment.updated_at = now;
    Ok(Reply::ok(json_of(comment, ask)))
}

fn delete(state: &mut State, ask: &Ask) -> Answer {
    let id = find(state, ask, ask.number("comment_id"))?.id;
    state.of(ask)?.comments.retain(|comment| comment.id != id);
    Ok(Reply::gone())
}

/// The same one made twice is one: 200 in place of 201.
fn react(state: &mut State, ask: &Ask) -> Answer {
    let (id, now) = (find(state, ask, ask.number("comment_id"))?.id, state.now());
    let content = ask.given("content").unwrap_or_default();
    let reaction = (id, ask.token.account.login.clone(), content.clone());
    let all = &mut state.of(ask)?.reactions;
    let is_new = !all.contains(&reaction);
    if is_new {
        all.push(reaction);
    }
    let user = ask.token.account.json();
    let json =
        contract().complete("reaction", json!({ "id": id, "content": content, "user": user, "created_at": now }));
    Ok(if is_new { Reply::created(json) } else { Reply::ok(json) })
}

fn find<'a>(state: &'a mut State, ask: &Ask, id: u64) -> Result<&'a mut Comment, Reply> {
    state.of(ask)?.comments.iter_mut().find(|comment| comment.id == id).ok_or_else(Reply::not_found)
}

fn body(ask: &Ask) -> Result<String, Refusal> {
    let body = ask.given("body").unwrap_or_default();
    ask.demand(!body.trim().is_empty(), "/body", &json!(body), "a comment cannot be blank")?;
    let length = body.chars().count();
    ask.demand(length <= MOST_BODY, "/body", &json!(length), "more than 65,536 characters")?;
    Ok(body)
}

fn json_of(comment: &Comment, ask: &Ask) -> Value {
    let page = format!("https://github.test/{}/pull/{}", ask.repository(), comment.issue);
    let json = json!({
        "id": comment.id,
        "node_id": format!("IC_{}", comment.id),
        "url": ask.url(&format!("issues/comments/{}", comment.id)),
        "html_url": format!("{page}#issuecomment-{}", comment.id),
        "issue_url": ask.url(&format!("issues/{}", comment.issue)),
        "body": comment.body,
        "user": comment.author.json(),
        "created_at": comment.created_at,
        "updated_at": comment.updated_at,
        "author_association": if comment.author.app.is_some() { "NONE" } else { "CONTRIBUTOR" },
        "performed_via_github_app": comment.author.app_json(),
    });
    contract().complete("issue-comment", json)
}
