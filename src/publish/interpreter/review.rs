//! Posts suggestions as a review, each at most once in the life of a pull request: those that stand there already,
//! resolved and outdated ones too, are known by a hidden key that counts only with our own author. GitHub refuses a
//! whole review for one bad place: the others are found by halves. A moved head gets nothing.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::model::call::{ReceiptEnd, Review, ReviewSuggestion};
use crate::publish::interpreter::reads;
use crate::render::figures::count;
use crate::world::forge::{Forge, Method, Request};
use crate::world::line::answer::Stop;
use crate::world::line::author::{Identity, User, is_by, viewer};
use crate::world::line::{Creation, Kind, Line};

/// The most suggestions of one run's review.
const MOST: usize = 30;

/// The most reviews that GitHub may refuse until the rest is given up: each costs a request.
const MOST_REFUSED: usize = 12;

const START: &str = "<!-- gatepost:suggestion:v1 key=";
const END: &str = " -->";

/// Posts it.
///
/// # Errors
/// When nothing could be posted.
pub async fn post<F: Forge>(line: &mut Line<F>, me: &mut Identity, review: &Review) -> Result<ReceiptEnd, Stop> {
    let head = reads::pull_request_head(line, review.pull_request).await?;
    if head != review.head_sha {
        let (now, then) = (head.short(), review.head_sha.short());
        return Ok(ReceiptEnd::LeftAlone(format!("the pull request has moved on from {then} to {now}")));
    }
    let mut standing = keyed(line, review.pull_request).await?;
    if !standing.is_empty() {
        me.ask(line).await;
    }
    match &*me {
        Identity::Known(login) => standing.retain(|one| is_by(one.user.as_ref(), login)),
        Identity::Unknown(stop) if !standing.is_empty() => {
            let why = "whose the suggestions on it are cannot be told, and none is posted twice";
            return Err(Stop::Failed(format!("{why}: {stop}")));
        }
        Identity::Unknown(_) | Identity::Unasked => {}
    }
    let seen = standing.iter().map(|one| one.id).collect();
    let left = without(review, standing);
    if left.is_empty() {
        let all = count(review.suggestions.len(), "suggestion");
        return Ok(ReceiptEnd::Unchanged(format!("{all} on #{} already", review.pull_request)));
    }
    let now = &left[..left.len().min(MOST)];
    let mut placing = Placing { review, seen, placed: Vec::new(), refused: 0, refusal: None, stop: None, link: None };
    placing.place(line, me, now).await;
    placing.end(now.len(), left.len() - now.len())
}

/// A comment on lines, with a key in it.
#[derive(Debug, Deserialize)]
struct Comment {
    id: u64,
    /// `None` once it is outdated.
    line: Option<u32>,
    user: Option<User>,
    body: Option<String>,
}

impl Comment {
    fn key(&self) -> Option<&str> {
        self.body.as_deref()?.lines().next()?.strip_prefix(START)?.strip_suffix(END)
    }
}

/// The comments with a key, whoever wrote them.
async fn keyed<F: Forge>(line: &mut Line<F>, number: u64) -> Result<Vec<Comment>, Stop> {
    let path = line.path(&format!("/pulls/{number}/comments?per_page=100"));
    let all = line.pages::<Vec<Comment>>(path).await?.into_iter().flatten();
    Ok(all.filter(|one| one.key().is_some()).collect())
}

/// What does not stand yet. Of several with one key those at the lines of the standing ones are theirs, the others go
/// by number.
fn without(review: &Review, mut standing: Vec<Comment>) -> Vec<&ReviewSuggestion> {
    let mut left: Vec<&ReviewSuggestion> = review.suggestions.iter().collect();
    for at_its_line in [true, false] {
        left.retain(|wanted| {
            let fits =
                |one: &Comment| one.key() == Some(&wanted.key) && (!at_its_line || one.line == Some(wanted.end_line));
            let found = standing.iter().position(fits);
            found.map(|at| standing.remove(at)).is_none()
        });
    }
    left
}

/// How far the suggestions have come.
struct Placing<'a> {
    review: &'a Review,
    /// The comments that stood before.
    seen: BTreeSet<u64>,
    /// The keys of those that were placed since.
    placed: Vec<&'a str>,
    /// Reviews.
    refused: usize,
    /// GitHub's words about the first one.
    refusal: Option<String>,
    /// Why the rest was not sent.
    stop: Option<Stop>,
    link: Option<String>,
}

impl<'a> Placing<'a> {
    async fn place<F: Forge>(&mut self, line: &mut Line<F>, me: &mut Identity, all: &[&'a ReviewSuggestion]) {
        let mut todo = vec![all];
        while let (None, Some(batch)) = (&self.stop, todo.pop()) {
            if self.refused == MOST_REFUSED {
                return;
            }
            match line.create(&self.to_create(batch, me)).await {
                Ok(made) => {
                    self.placed.extend(batch.iter().map(|one| one.key.as_str()));
                    self.link = self.link.take().or(made.html_url);
                    if let Some(user) = made.user {
                        *me = Identity::Known(user.login);
                    }
                }
                Err(stop) => match stop.refused_with(422) {
                    None => self.stop = Some(stop),
                    Some(words) => {
                        self.refused += 1;
                        self.refusal.get_or_insert_with(|| words.to_owned());
                        if batch.len() > 1 {
                            let (front, back) = batch.split_at(batch.len() / 2);
                            todo.extend([back, front]);
                        }
                    }
                },
            }
        }
    }

    fn to_create<'n>(&'n self, batch: &'n [&'n ReviewSuggestion], me: &'n Identity) -> New<'n> {
        let first = batch.first().map(|one| one.key.as_str());
        let before = self.placed.iter().filter(|key| Some(**key) == first).count();
        New { review: self.review, batch, seen: &self.seen, before, me }
    }

    fn end(self, all: usize, later: usize) -> Result<ReceiptEnd, Stop> {
        let mut said = Vec::new();
        if let Some(words) = self.refusal {
            said.push(format!("GitHub refused the rest ({words})"));
        }
        match self.stop {
            Some(stop) if self.placed.is_empty() && said.is_empty() => return Err(stop),
            Some(stop) => said.push(stop.to_string()),
            None => {}
        }
        if later > 0 {
            said.push(format!("{} for the next run: a review holds {MOST}", count(later, "suggestion")));
        }
        if said.is_empty() {
            return Ok(ReceiptEnd::Posted(self.link));
        }
        let share = format!("{} of {} placed", self.placed.len(), count(all + later, "suggestion"));
        Ok(ReceiptEnd::Downgraded(format!("{share}; {}", said.join("; "))))
    }
}

/// A review, as GitHub answers.
#[derive(Debug, Default, Deserialize)]
struct Made {
    html_url: Option<String>,
    user: Option<User>,
}

/// A review that is to be created; found again by the key of its first comment and our author.
struct New<'a> {
    review: &'a Review,
    batch: &'a [&'a ReviewSuggestion],
    seen: &'a BTreeSet<u64>,
    /// How many with the key of the first were placed by this run, in another review.
    before: usize,
    me: &'a Identity,
}

impl Creation for New<'_> {
    type Made = Made;

    /// <https://docs.github.com/en/rest/pulls/reviews#create-a-review-for-a-pull-request>
    fn request(&self, root: &str) -> Request {
        let path = format!("{root}/pulls/{}/reviews", self.review.pull_request);
        let body = json!({
            "commit_id": self.review.head_sha,
            "event": "COMMENT",
            "body": format!("{} by gatepost, to apply by a click.", count(self.batch.len(), "suggestion")),
            "comments": self.batch.iter().map(|one| comment(one)).collect::<Vec<_>>(),
        });
        Request { method: Method::Post, path, body: Some(body) }
    }

    fn kind(&self) -> Kind {
        Kind::Loud
    }

    async fn find<F: Forge>(&self, line: &mut Line<F>) -> Result<Option<Made>, Stop> {
        let first = self.batch.first().map(|one| one.key.as_str());
        let mut found = keyed(line, self.review.pull_request).await?;
        found.retain(|one| !self.seen.contains(&one.id) && one.key() == first);
        if found.is_empty() {
            return Ok(None);
        }
        let me = match self.me {
            Identity::Known(login) => login.clone(),
            _ => viewer(line).await?,
        };
        let ours = found.into_iter().filter(|one| is_by(one.user.as_ref(), &me)).nth(self.before);
        Ok(ours.map(|one| Made { html_url: None, user: one.user }))
    }
}

fn comment(one: &ReviewSuggestion) -> Value {
    let mut comment = json!({
        "path": one.path,
        "line": one.end_line,
        "side": "RIGHT",
        "body": format!("{START}{}{END}\n{}", one.key, one.body),
    });
    // GitHub refuses a range of one line.
    if one.start_line < one.end_line {
        comment["start_line"] = json!(one.start_line);
        comment["start_side"] = json!("RIGHT");
    }
    comment
}
