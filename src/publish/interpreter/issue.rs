//! Keeps the one issue of a marker: opens it where there is something to do, updates the oldest that is ours, closes it
//! when nothing is left. A marker counts only with our own author; what a newer run has said is left alone.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::model::call::{ReceiptEnd, StickyIssue};
use crate::publish::interpreter::marker::Marker;
use crate::world::forge::{Forge, Method, Request};
use crate::world::line::answer::Stop;
use crate::world::line::author::{Identity, User, is_by, viewer};
use crate::world::line::{Creation, Kind, Line, Missing};

#[derive(Debug, Default, Clone, Deserialize)]
struct Issue {
    number: u64,
    html_url: Option<String>,
    user: Option<User>,
    title: Option<String>,
    body: Option<String>,
    /// GitHub lists pull requests among the issues.
    pull_request: Option<serde::de::IgnoredAny>,
}

/// Posts it.
///
/// # Errors
/// When it was refused, or its outcome is not known.
pub async fn post<F: Forge>(line: &mut Line<F>, me: &mut Identity, issue: &StickyIssue) -> Result<ReceiptEnd, Stop> {
    let wanted = Marker::of_issue(issue);
    let ours = ours(line, me, issue, &wanted).await?;
    let newer = |one: &&(Issue, Marker)| one.1.generation > wanted.generation;
    if let Some((_, marker)) = ours.iter().find(newer) {
        let (run, attempt) = marker.generation.judged;
        return Ok(ReceiptEnd::LeftAlone(format!("a newer run ({run}, attempt {attempt}) has spoken")));
    }
    match (ours.split_first(), issue.open) {
        (None, false) => Ok(ReceiptEnd::LeftAlone("there is no issue to close".to_owned())),
        (None, true) => {
            let made = line.create(&New { issue, wanted: &wanted, me }).await?;
            if let Some(user) = made.user {
                *me = Identity::Known(user.login);
            }
            Ok(ReceiptEnd::Posted(made.html_url))
        }
        (Some((first, others)), _) => {
            for (other, _) in others {
                change(line, other.number, &json!({ "state": "closed", "state_reason": "not_planned" })).await?;
            }
            let (oldest, marker) = first;
            let same = marker.is_beside(&wanted)
                && marker.hash == wanted.hash
                && oldest.title.as_deref() == Some(&issue.title);
            if same && issue.open && others.is_empty() {
                return Ok(ReceiptEnd::Unchanged(oldest.html_url.clone().unwrap_or_default()));
            }
            let mut to = json!({ "title": issue.title, "body": body(&wanted, issue) });
            if !issue.open {
                to["state"] = json!("closed");
                to["state_reason"] = json!("completed");
            }
            change(line, oldest.number, &to).await?;
            Ok(ReceiptEnd::Posted(oldest.html_url.clone()))
        }
    }
}

/// <https://docs.github.com/en/rest/issues/issues#update-an-issue>
async fn change<F: Forge>(line: &mut Line<F>, number: u64, to: &Value) -> Result<(), Stop> {
    let path = line.path(&format!("/issues/{number}"));
    let request = Request { method: Method::Patch, path, body: Some(to.clone()) };
    line.repeat(&request, Kind::Write, Missing::Gone).await.map(|_| ())
}

/// Open issues with a marker like this one that we wrote, the oldest first.
async fn ours<F: Forge>(
    line: &mut Line<F>,
    me: &mut Identity,
    issue: &StickyIssue,
    wanted: &Marker,
) -> Result<Vec<(Issue, Marker)>, Stop> {
    let mut marked = marked(line, |marker| marker.is_beside(wanted) || marker.is_of(&issue.formerly)).await?;
    if marked.is_empty() {
        return Ok(marked);
    }
    me.ask(line).await;
    let login = match &*me {
        Identity::Known(login) => login,
        Identity::Unknown(stop) => {
            return Err(Stop::Failed(format!("whose the issues are cannot be told, so none is changed: {stop}")));
        }
        Identity::Unasked => return Ok(Vec::new()),
    };
    marked.retain(|(issue, _)| is_by(issue.user.as_ref(), login));
    // One of an earlier version's is taken over, once.
    if marked.iter().any(|(_, marker)| marker.is_beside(wanted)) {
        marked.retain(|(_, marker)| marker.is_beside(wanted));
    }
    marked.sort_by_key(|(issue, _)| issue.number);
    Ok(marked)
}

/// Open issues with a marker like that, whoever wrote them.
async fn marked<F: Forge>(line: &mut Line<F>, is_like: impl Fn(&Marker) -> bool) -> Result<Vec<(Issue, Marker)>, Stop> {
    let path = line.path("/issues?state=open&sort=created&direction=asc&per_page=100");
    let all = line.pages::<Vec<Issue>>(path).await?.into_iter().flatten();
    let marked = all.filter(|issue| issue.pull_request.is_none()).filter_map(|issue| {
        let marker = Marker::read(issue.body.as_deref()?)?;
        is_like(&marker).then_some((issue, marker))
    });
    Ok(marked.collect())
}

fn body(marker: &Marker, issue: &StickyIssue) -> String {
    format!("{marker}\n{}", issue.body)
}

/// An issue that is to be opened; found again by its marker and our author.
struct New<'a> {
    issue: &'a StickyIssue,
    wanted: &'a Marker,
    me: &'a Identity,
}

impl Creation for New<'_> {
    type Made = Issue;

    /// <https://docs.github.com/en/rest/issues/issues#create-an-issue>
    fn request(&self, root: &str) -> Request {
        let body = json!({ "title": self.issue.title, "body": body(self.wanted, self.issue) });
        Request { method: Method::Post, path: format!("{root}/issues"), body: Some(body) }
    }

    fn kind(&self) -> Kind {
        Kind::Loud
    }

    async fn find<F: Forge>(&self, line: &mut Line<F>) -> Result<Option<Issue>, Stop> {
        let found = marked(line, |marker| marker == self.wanted).await?;
        if found.is_empty() {
            return Ok(None);
        }
        let me = match self.me {
            Identity::Known(login) => login.clone(),
            _ => viewer(line).await?,
        };
        Ok(found.into_iter().map(|(issue, _)| issue).find(|issue| is_by(issue.user.as_ref(), &me)))
    }
}
