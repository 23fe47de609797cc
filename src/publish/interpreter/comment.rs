//! Posts the one comment of a pull request: updates the oldest that is ours, creates one where there is none, and
//! leaves it alone when the head has moved or a newer run has spoken. The marker lists the jobs that ended red for this
//! head: while one of others stands there, nothing greener is written. After a write it reads again, so that two runs
//! at once end with one comment. A marker counts only with our own author. GitHub has no conditional update: a run
//! that is overtaken between its last look and its update still has the last word.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;

use crate::model::call::{ReceiptEnd, StickyComment};
use crate::publish::interpreter::marker::{Marker, Open};
use crate::publish::interpreter::reads;
use crate::world::forge::{Forge, Method, Request};
use crate::world::line::answer::Stop;
use crate::world::line::author::{Identity, User, is_by, viewer};
use crate::world::line::{Creation, Kind, Line, Missing};

/// How often another run may overwrite us before we let it.
const MOST_UPDATES: usize = 3;

/// Posts it.
///
/// # Errors
/// When it was refused, or its outcome is not known.
pub async fn post<F: Forge>(
    line: &mut Line<F>,
    me: &mut Identity,
    comment: &StickyComment,
) -> Result<ReceiptEnd, Stop> {
    let head = reads::pull_request_head(line, comment.pull_request).await?;
    if head != comment.head_sha {
        let (now, then) = (head.short(), comment.head_sha.short());
        return Ok(ReceiptEnd::LeftAlone(format!("the pull request has moved on from {then} to {now}")));
    }
    let wanted = Marker::of(comment);
    let writing = Writing {
        line,
        me,
        comment,
        wanted,
        seen: None,
        created: None,
        updated: Vec::new(),
        removed: Vec::new(),
        leftover: None,
    };
    writing.settle().await
}

#[derive(Debug, Default, Clone, Deserialize)]
struct Comment {
    id: u64,
    html_url: Option<String>,
    user: Option<User>,
    body: Option<String>,
}

/// A comment with our marker and our author.
struct Ours {
    id: u64,
    link: Option<String>,
    marker: Marker,
    /// Without the marker.
    body: String,
}

/// What the comment should say, for all that was said before.
struct Target {
    marker: Marker,
    body: String,
    /// What stands there is kept, as another job said it, and it is worse.
    kept: bool,
}

struct Writing<'a, F> {
    line: &'a mut Line<F>,
    me: &'a mut Identity,
    comment: &'a StickyComment,
    wanted: Marker,
    /// The jobs that stood red when we first looked: what an older run adds later has been overtaken.
    seen: Option<BTreeSet<Open>>,
    created: Option<Comment>,
    /// What we updated, with the marker it had before.
    updated: Vec<(u64, Marker)>,
    removed: Vec<u64>,
    /// Why a duplicate is still there.
    leftover: Option<Stop>,
}

/// How a round ended.
enum Step {
    /// All is as it should be, or is left so.
    End(ReceiptEnd),
    /// Something was written: read again.
    Wrote,
    /// GitHub does not show yet what was written here.
    NotShown(Option<String>),
}

impl<F: Forge> Writing<'_, F> {
    async fn settle(mut self) -> Result<ReceiptEnd, Stop> {
        let mut looks = 0;
        loop {
            let ours = self.ours().await?;
            match self.step(&ours).await? {
                Step::End(end) => return Ok(end),
                Step::Wrote if self.line.is_dry() => return Ok(ReceiptEnd::Posted(None)),
                Step::Wrote => {}
                Step::NotShown(link) => {
                    if self.line.look_again(&mut looks).await.is_none() {
                        let number = self.comment.pull_request;
                        tracing::warn!("GitHub accepted the comment on #{number} but does not show it yet");
                        return Ok(ReceiptEnd::Posted(link));
                    }
                }
            }
        }
    }

    async fn step(&mut self, ours: &[Ours]) -> Result<Step, Stop> {
        if let Some(newer) = ours.iter().find(|one| self.is_overtaken_by(&one.marker)) {
            let (run, attempt) = newer.marker.generation.judged;
            // The newer run may have read before ours was there; the oldest is its to update, never to be removed.
            let created = self.created.as_ref().map(|made| made.id);
            self.remove(ours[1..].iter().filter(|one| Some(one.id) == created)).await;
            return Ok(Step::End(ReceiptEnd::LeftAlone(format!("a newer run ({run}, attempt {attempt}) has spoken"))));
        }
        let target = self.target(ours);
        let Some(oldest) = ours.first() else { return self.first_comment().await };
        if self.must_write(oldest, &target.marker) {
            if self.updated.len() == MOST_UPDATES {
                let why = "another run keeps writing over the comment".to_owned();
                return Ok(Step::End(ReceiptEnd::Downgraded(why)));
            }
            self.update(oldest, &target).await?;
            return Ok(Step::Wrote);
        }
        if ours.len() > 1 && self.leftover.is_none() {
            self.remove(ours[1..].iter()).await;
            return Ok(Step::Wrote);
        }
        if self.is_pending(ours, oldest) {
            return Ok(Step::NotShown(oldest.link.clone()));
        }
        if target.kept {
            let said = target.marker.verdict.word();
            let why = format!("another job has said {said} of this commit: that is not replaced by what is greener");
            return Ok(Step::End(ReceiptEnd::LeftAlone(why)));
        }
        Ok(Step::End(self.end(oldest.link.clone())))
    }

    /// A newer run has the last word. What was run again by hand is later than any number says: where it is worse than what
    /// another run said of the same commit, that stands no longer.
    fn is_overtaken_by(&self, said: &Marker) -> bool {
        let (ours, theirs) = (self.wanted.generation.judged, said.generation.judged);
        let again = ours.1 > 1 && ours.0 != theirs.0 && said.head == self.wanted.head;
        said.generation > self.wanted.generation && !(again && self.wanted.verdict > said.verdict)
    }

    /// Jobs that ended red for this head stay until they end better, each for itself. On a laptop runs have no order.
    fn target(&mut self, ours: &[Ours]) -> Target {
        let mine = Open::of(self.comment);
        let of_this_head = ours.iter().filter(|one| one.marker.head == self.wanted.head);
        let mut others: BTreeSet<Open> = of_this_head.clone().flat_map(|one| one.marker.open.clone()).collect();
        others.remove(&mine);
        let seen = self.seen.get_or_insert_with(|| others.clone());
        let is_older = |one: &Open| one.generation < mine.generation || mine.generation.judged.0 == 0;
        // Of legs that are not told apart one alone speaks here.
        let replaced = seen.iter().find(|one| one.job == mine.job && is_older(one));
        others.retain(|one| !is_older(one) || (seen.contains(one) && Some(one) != replaced));
        let worst = of_this_head.max_by_key(|one| one.marker.verdict);
        let mut marker = self.wanted.clone();
        match worst.filter(|one| {
            let greener = self.comment.green || one.marker.verdict > marker.verdict;
            !others.is_empty() && greener
        }) {
            None => {
                marker.keep_open(others);
                Target { marker, body: self.comment.body.clone(), kept: false }
            }
            Some(worst) => {
                let mut kept = worst.marker.clone();
                kept.open = std::mem::take(&mut marker.open);
                kept.keep_open(others);
                if kept.open != worst.marker.open {
                    kept.generation = kept.generation.max(marker.generation);
                }
                Target { marker: kept, body: worst.body.clone(), kept: true }
            }
        }
    }

    async fn first_comment(&mut self) -> Result<Step, Stop> {
        if let Some(made) = &self.created {
            return Ok(Step::NotShown(made.html_url.clone()));
        }
        if !self.comment.create {
            return Ok(Step::End(ReceiptEnd::LeftAlone("there is no comment to update".to_owned())));
        }
        let new = New { comment: self.comment, wanted: &self.wanted, me: self.me };
        let made = self.line.create(&new).await?;
        if let Some(user) = &made.user {
            *self.me = Identity::Known(user.login.clone());
        }
        self.created = Some(made);
        Ok(Step::Wrote)
    }

    /// Whether the comment says something else, and that is not the last word of a run as new as ours, which has seen what
    /// we say.
    fn must_write(&self, oldest: &Ours, target: &Marker) -> bool {
        let same = oldest.marker.open == target.open;
        if same && oldest.marker.hash == target.hash {
            return false;
        }
        let created = self.created.as_ref().is_some_and(|made| made.id == oldest.id);
        match self.before(oldest) {
            None if !created => true,
            Some(before) if *before == oldest.marker => false,
            _ => !same || oldest.marker.generation < self.wanted.generation,
        }
    }

    /// What it said before we last updated it.
    fn before(&self, one: &Ours) -> Option<&Marker> {
        self.updated.iter().rev().find(|(id, _)| *id == one.id).map(|(_, before)| before)
    }

    fn is_pending(&self, ours: &[Ours], oldest: &Ours) -> bool {
        let created = self.created.as_ref().map(|made| made.id);
        let unseen = created.is_some_and(|id| !self.removed.contains(&id) && ours.iter().all(|one| one.id != id));
        unseen || self.before(oldest).is_some_and(|before| *before == oldest.marker)
    }

    async fn update(&mut self, oldest: &Ours, target: &Target) -> Result<(), Stop> {
        self.updated.push((oldest.id, oldest.marker.clone()));
        let body = json!({ "body": body(&target.marker, &target.body) });
        let path = self.line.path(&format!("/issues/comments/{}", oldest.id));
        let request = Request { method: Method::Patch, path, body: Some(body) };
        match self.line.repeat(&request, Kind::Write, Missing::Gone).await {
            Err(stop) if stop.refused_with(404).is_none() => return Err(stop),
            // Someone removed it in the meantime.
            Err(_) => self.removed.push(oldest.id),
            Ok(_) => {}
        }
        Ok(())
    }

    async fn remove(&mut self, ours: impl Iterator<Item = &Ours>) {
        for one in ours {
            let path = self.line.path(&format!("/issues/comments/{}", one.id));
            let request = Request { method: Method::Delete, path, body: None };
            match self.line.repeat(&request, Kind::Write, Missing::Gone).await {
                Err(stop) if stop.refused_with(404).is_none() => self.leftover = Some(stop),
                _ => self.removed.push(one.id),
            }
        }
    }

    fn end(&self, link: Option<String>) -> ReceiptEnd {
        if let Some(stop) = &self.leftover {
            return ReceiptEnd::Downgraded(format!("posted, but an older comment of ours is still there: {stop}"));
        }
        if self.created.is_none() && self.updated.is_empty() && self.removed.is_empty() {
            return ReceiptEnd::Unchanged(link.unwrap_or_else(|| "the comment says so already".to_owned()));
        }
        ReceiptEnd::Posted(link)
    }

    /// Our comments, the oldest first.
    async fn ours(&mut self) -> Result<Vec<Ours>, Stop> {
        let mut marked = marked(self.line, self.comment.pull_request, &self.wanted).await?;
        marked.retain(|one| !self.removed.contains(&one.id));
        if marked.is_empty() {
            return Ok(Vec::new());
        }
        self.me.ask(self.line).await;
        let me = match &*self.me {
            Identity::Known(login) => login,
            // The reply to our own comment will say who we are.
            Identity::Unknown(_) if self.comment.create && self.created.is_none() => return Ok(Vec::new()),
            Identity::Unknown(stop) => {
                return Err(Stop::Failed(format!("whose the comments are cannot be told, so none is changed: {stop}")));
            }
            Identity::Unasked => return Ok(Vec::new()),
        };
        marked.retain(|one| is_by(one.user.as_ref(), me));
        marked.sort_by_key(|one| one.id);
        let ours = |one: Comment| {
            let whole = one.body?;
            let body = whole.split_once('\n').map_or("", |(_, body)| body).to_owned();
            Some(Ours { id: one.id, link: one.html_url, marker: Marker::read(&whole)?, body })
        };
        Ok(marked.into_iter().filter_map(ours).collect())
    }
}

/// The comments with a marker like ours, whoever wrote them.
async fn marked<F: Forge>(line: &mut Line<F>, number: u64, wanted: &Marker) -> Result<Vec<Comment>, Stop> {
    let path = line.path(&format!("/issues/{number}/comments?per_page=100"));
    let all = line.pages::<Vec<Comment>>(path).await?.into_iter().flatten();
    Ok(all.filter(|one| marker(one).is_some_and(|marker| marker.is_beside(wanted))).collect())
}

fn marker(comment: &Comment) -> Option<Marker> {
    Marker::read(comment.body.as_deref()?)
}

fn body(marker: &Marker, text: &str) -> String {
    format!("{marker}\n{text}")
}

/// A comment that is to be created; found again by its marker and our author.
struct New<'a> {
    comment: &'a StickyComment,
    wanted: &'a Marker,
    me: &'a Identity,
}

impl Creation for New<'_> {
    type Made = Comment;

    fn request(&self, root: &str) -> Request {
        let path = format!("{root}/issues/{}/comments", self.comment.pull_request);
        let body = json!({ "body": body(self.wanted, &self.comment.body) });
        Request { method: Method::Post, path, body: Some(body) }
    }

    fn kind(&self) -> Kind {
        Kind::Loud
    }

    async fn find<F: Forge>(&self, line: &mut Line<F>) -> Result<Option<Comment>, Stop> {
        let mut found = marked(line, self.comment.pull_request, self.wanted).await?;
        found.retain(|one| marker(one).as_ref() == Some(self.wanted));
        if found.is_empty() {
            return Ok(None);
        }
        let me = match self.me {
            Identity::Known(login) => login.clone(),
            _ => viewer(line).await?,
        };
        Ok(found.into_iter().find(|one| is_by(one.user.as_ref(), &me)))
    }
}
