//! Posts the comment about something that goes on: made once, found again by its marker and our author, and changed in
//! place by one request for each word. Where somebody deleted it, it is not made again.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use crate::model::call::{LiveComment, ReceiptEnd};
use crate::world::forge::{Forge, Method, Request};
use crate::world::line::answer::Stop;
use crate::world::line::author::{Identity, User, is_by, viewer};
use crate::world::line::{Creation, Kind, Line, Missing, segment};

/// Posts it.
///
/// # Errors
/// When it was refused, or its outcome is not known.
pub async fn post<F: Forge>(
    line: &mut Line<F>,
    me: &mut Identity,
    ids: &mut BTreeMap<String, Option<u64>>,
    comment: &LiveComment,
) -> Result<ReceiptEnd, Stop> {
    let new = New { comment, first: first(comment) };
    if !ids.contains_key(&new.first) {
        let Some(there) = ours(line, me, &new).await? else {
            let made = line.create(&new).await?;
            if !line.is_dry() {
                ids.insert(new.first, Some(made.id));
            }
            return Ok(ReceiptEnd::Posted(made.html_url));
        };
        ids.insert(new.first.clone(), Some(there.id));
    }
    let gone = || Ok(ReceiptEnd::LeftAlone("somebody deleted it".to_owned()));
    let Some(id) = ids.get(&new.first).copied().flatten() else { return gone() };
    let path = line.path(&format!("/issues/comments/{id}"));
    let request = Request { method: Method::Patch, path, body: Some(json!({ "body": new.body() })) };
    match line.repeat(&request, Kind::Write, Missing::NotYet).await {
        Ok(reply) => {
            let there: Comment = serde_json::from_slice(&reply.body).unwrap_or_default();
            Ok(ReceiptEnd::Posted(there.html_url))
        }
        Err(stop) if stop.refused_with(404).is_some() => {
            ids.insert(new.first, None);
            gone()
        }
        Err(stop) => Err(stop),
    }
}

/// The hidden first line.
fn first(comment: &LiveComment) -> String {
    format!("<!-- gatepost:live key={} -->", segment(&comment.marker))
}

/// The oldest comment with our marker and our author.
async fn ours<F: Forge>(line: &mut Line<F>, me: &mut Identity, new: &New<'_>) -> Result<Option<Comment>, Stop> {
    let marked = new.marked(line).await?;
    if marked.is_empty() {
        return Ok(None);
    }
    me.ask(line).await;
    match me {
        Identity::Known(login) => Ok(oldest(marked, login)),
        _ => Err(Stop::Failed("whose the comments are cannot be told, so none is changed".to_owned())),
    }
}

fn oldest(marked: Vec<Comment>, login: &str) -> Option<Comment> {
    marked.into_iter().filter(|one| is_by(one.user.as_ref(), login)).min_by_key(|one| one.id)
}

#[derive(Debug, Default, Deserialize)]
struct Comment {
    id: u64,
    html_url: Option<String>,
    user: Option<User>,
    body: Option<String>,
}

/// A comment that is to be created.
struct New<'a> {
    comment: &'a LiveComment,
    first: String,
}

impl New<'_> {
    fn body(&self) -> String {
        format!("{}\n{}", self.first, self.comment.body)
    }

    /// The comments with its marker, whoever wrote them.
    async fn marked<F: Forge>(&self, line: &mut Line<F>) -> Result<Vec<Comment>, Stop> {
        let path = line.path(&format!("/issues/{}/comments?per_page=100", self.comment.pull_request));
        let all = line.pages::<Vec<Comment>>(path).await?.into_iter().flatten();
        let is_marked = |one: &Comment| one.body.as_deref().and_then(|body| body.lines().next()) == Some(&*self.first);
        Ok(all.filter(is_marked).collect())
    }
}

impl Creation for New<'_> {
    type Made = Comment;

    /// <https://docs.github.com/en/rest/issues/comments#create-an-issue-comment>
    fn request(&self, root: &str) -> Request {
        let path = format!("{root}/issues/{}/comments", self.comment.pull_request);
        Request { method: Method::Post, path, body: Some(json!({ "body": self.body() })) }
    }

    fn kind(&self) -> Kind {
        Kind::Loud
    }

    async fn find<F: Forge>(&self, line: &mut Line<F>) -> Result<Option<Comment>, Stop> {
        let marked = self.marked(line).await?;
        if marked.is_empty() {
            return Ok(None);
        }
        Ok(oldest(marked, &viewer(line).await?))
    }
}
