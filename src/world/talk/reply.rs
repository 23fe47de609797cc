//! The one reply to a comment: made by whoever acts on it first, believed only with our own author, and updated as it goes. It
//! says whether what was asked for has had its end, so that it is not done again.

use std::fmt;

use serde::Deserialize;
use serde_json::json;

use super::Talk;
use crate::world::forge::{Forge, Method, Request};
use crate::world::line::answer::Stop;
use crate::world::line::author::{Identity, User, is_by, viewer};
use crate::world::line::{Creation, Kind, Line, Missing, segment};

const START: &str = "<!-- gatepost:reply to=";

/// What is to be replied to.
#[derive(Debug, Clone)]
pub struct Claim {
    /// What it was asked by: a comment's number, or a run's.
    pub key: String,
    /// Where the reply stands.
    pub issue: u64,
    /// No reply is older, RFC 3339; empty: not known.
    pub since: String,
    /// Run id and attempt.
    pub generation: (u64, u64),
}

/// The reply that is ours to write.
#[derive(Debug, Clone)]
pub struct Reply {
    id: u64,
    claim: Claim,
    /// Its page.
    pub url: Option<String>,
}

/// Whose the answer is.
#[derive(Debug, Clone)]
pub enum Claimed {
    /// Ours.
    Ours(Reply),
    /// It was given already; its page.
    Ended(Option<String>),
    /// Another run is at it; its id.
    Busy(u64),
}

#[derive(Debug, Default, Clone, Deserialize)]
struct Comment {
    id: u64,
    html_url: Option<String>,
    user: Option<User>,
    body: Option<String>,
}

/// The hidden first line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Marker {
    key: String,
    generation: (u64, u64),
    ended: bool,
}

impl Marker {
    fn of(claim: &Claim, ended: bool) -> Self {
        Self { key: segment(&claim.key), generation: claim.generation, ended }
    }

    fn read(body: &str) -> Option<Self> {
        let line = body.lines().next()?;
        let mut words = line.strip_prefix(START)?.strip_suffix(" -->")?.split(' ');
        let key = words.next()?.to_owned();
        let (run, attempt) = words.next()?.strip_prefix("run=")?.split_once('.')?;
        let ended = words.next()? == "state=ended";
        let marker = Self { key, generation: (run.parse().ok()?, attempt.parse().ok()?), ended };
        (marker.to_string() == line).then_some(marker)
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (run, attempt) = self.generation;
        let state = if self.ended { "ended" } else { "going" };
        write!(f, "{START}{} run={run}.{attempt} state={state} -->", self.key)
    }
}

impl Talk {
    /// Makes the reply, unless there is one: then what was asked for has had its end, another run is at it, or a run that
    /// died has left it to us.
    ///
    /// # Errors
    /// When it is not known which.
    pub async fn claim(&mut self, claim: &Claim, body: &str) -> Result<Claimed, Stop> {
        let mut ours = self.ours(claim).await?;
        if ours.is_empty() {
            let marker = Marker::of(claim, false);
            let text = format!("{marker}\n{body}");
            let me = match &self.me {
                Identity::Known(login) => Some(login.clone()),
                _ => None,
            };
            let made = self.line().create(&New { claim, marker, text, me }).await?;
            if self.line.is_dry() {
                return Ok(Claimed::Ours(Reply { id: made.id, claim: claim.clone(), url: None }));
            }
            if let Some(user) = &made.user {
                self.me = Identity::Known(user.login.clone());
            }
            ours = self.ours(claim).await?;
            // GitHub may not show it yet.
            if ours.iter().all(|one| one.id != made.id) {
                ours.push(made.clone());
            }
            if ours[0].id != made.id {
                self.remove(made.id).await?;
            }
        }
        let oldest = ours.swap_remove(0);
        let Some(marker) = oldest.body.as_deref().and_then(Marker::read) else {
            return Err(Stop::Failed("the reply lost its marker".to_owned()));
        };
        if marker.ended {
            return Ok(Claimed::Ended(oldest.html_url));
        }
        let (run, attempt) = marker.generation;
        if run != claim.generation.0 && !self.is_over(run, attempt).await? {
            return Ok(Claimed::Busy(run));
        }
        Ok(Claimed::Ours(Reply { id: oldest.id, claim: claim.clone(), url: oldest.html_url }))
    }

    /// Says something else in the reply; `ended`: and never anything again.
    ///
    /// # Errors
    /// When it was refused, or did not get there.
    pub async fn amend(&mut self, reply: &Reply, body: &str, ended: bool) -> Result<(), Stop> {
        let line = self.line();
        let text = format!("{}\n{body}", Marker::of(&reply.claim, ended));
        let path = line.path(&format!("/issues/comments/{}", reply.id));
        let request = Request { method: Method::Patch, path, body: Some(json!({ "body": text })) };
        line.repeat(&request, Kind::Write, Missing::NotYet).await.map(|_| ())
    }

    async fn remove(&mut self, id: u64) -> Result<(), Stop> {
        let line = self.line();
        let path = line.path(&format!("/issues/comments/{id}"));
        let request = Request { method: Method::Delete, path, body: None };
        match line.repeat(&request, Kind::Write, Missing::Gone).await {
            Err(stop) if stop.refused_with(404).is_none() => Err(stop),
            _ => Ok(()),
        }
    }

    /// Our replies to it, the oldest first.
    async fn ours(&mut self, claim: &Claim) -> Result<Vec<Comment>, Stop> {
        let mut found = marked(self.line(), claim).await?;
        if found.is_empty() {
            return Ok(found);
        }
        self.line.allow_more(super::PATIENCE);
        self.me.ask(&mut self.line).await;
        match &self.me {
            Identity::Known(me) => found.retain(|one| is_by(one.user.as_ref(), me)),
            Identity::Unknown(stop) => return Err(stop.clone()),
            Identity::Unasked => found.clear(),
        }
        found.sort_by_key(|one| one.id);
        Ok(found)
    }
}

/// The comments with a marker for it, whoever wrote them.
async fn marked<F: Forge>(line: &mut Line<F>, claim: &Claim) -> Result<Vec<Comment>, Stop> {
    let key = segment(&claim.key);
    let since = if claim.since.is_empty() { String::new() } else { format!("&since={}", segment(&claim.since)) };
    let path = line.path(&format!("/issues/{}/comments?per_page=100{since}", claim.issue));
    let all = line.pages::<Vec<Comment>>(path).await?.into_iter().flatten();
    Ok(all.filter(|one| one.body.as_deref().and_then(Marker::read).is_some_and(|marker| marker.key == key)).collect())
}

/// A reply that is to be made; found again by its marker and our author.
struct New<'a> {
    claim: &'a Claim,
    marker: Marker,
    text: String,
    me: Option<String>,
}

impl Creation for New<'_> {
    type Made = Comment;

    fn request(&self, root: &str) -> Request {
        let path = format!("{root}/issues/{}/comments", self.claim.issue);
        Request { method: Method::Post, path, body: Some(json!({ "body": self.text })) }
    }

    fn kind(&self) -> Kind {
        Kind::Loud
    }

    async fn find<F: Forge>(&self, line: &mut Line<F>) -> Result<Option<Comment>, Stop> {
        let mut found = marked(line, self.claim).await?;
        found.retain(|one| one.body.as_deref().and_then(Marker::read).as_ref() == Some(&self.marker));
        if found.is_empty() {
            return Ok(None);
        }
        let me = match &self.me {
            Some(me) => me.clone(),
            None => viewer(line).await?,
        };
        Ok(found.into_iter().find(|one| is_by(one.user.as_ref(), &me)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_read_back_and_nothing_else_is_one() {
        let claim = Claim { key: "5 -->".to_owned(), issue: 7, since: String::new(), generation: (77, 1) };
        for ended in [false, true] {
            let marker = Marker::of(&claim, ended);
            assert_eq!(Marker::read(&format!("{marker}\r\nhello")), Some(marker.clone()));
            for body in [
                format!("x\n{marker}"),
                format!(" {marker}"),
                format!("{marker} "),
                marker.to_string().replace("=77", "=+77"),
            ] {
                assert_eq!(Marker::read(&body), None, "{body}");
            }
        }
    }
}
