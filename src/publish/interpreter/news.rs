//! Tells news on an issue: the open one of its key that is ours gets a comment, and is closed where the news say so; where
//! there is none, one is opened or nothing is said. A marker counts only with our own author. Two runs at once may open
//! two; the next news go to the older one.

use serde::Deserialize;
use serde_json::json;

use crate::model::call::{News, ReceiptEnd};
use crate::world::forge::{Forge, Method, Request};
use crate::world::line::answer::Stop;
use crate::world::line::author::{Identity, User, is_by, viewer};
use crate::world::line::{Creation, Kind, Line, Missing, segment};

/// Tells them.
///
/// # Errors
/// When it was refused, or its outcome is not known.
pub async fn post<F: Forge>(line: &mut Line<F>, me: &mut Identity, news: &News) -> Result<ReceiptEnd, Stop> {
    let marker = Marker { key: segment(&news.key), id: segment(&news.id) };
    let mut open = open_ones(line, news, &marker).await?;
    if !open.is_empty() {
        let login = match me {
            Identity::Known(login) => login.clone(),
            _ => viewer(line).await?,
        };
        open.retain(|one| is_by(one.user.as_ref(), &login));
        *me = Identity::Known(login);
    }
    let Some(oldest) = open.into_iter().min_by_key(|one| one.number) else {
        if !news.opens {
            return Ok(ReceiptEnd::LeftAlone("no issue is open about it".to_owned()));
        }
        let made = line.create(&New { news, marker: &marker }).await?;
        if let Some(user) = &made.user {
            *me = Identity::Known(user.login.clone());
        }
        return Ok(ReceiptEnd::Posted(made.html_url));
    };
    let told = oldest.marker().as_ref() == Some(&marker) || {
        let comments = New { news, marker: &marker }.comments(line, oldest.number).await?;
        comments.iter().any(|one| matches!(me, Identity::Known(login) if is_by(one.user.as_ref(), login)))
    };
    if !told {
        line.create(&Comment { on: oldest.number, new: New { news, marker: &marker } }).await?;
    }
    if news.closes {
        let path = line.path(&format!("/issues/{}", oldest.number));
        let body = Some(json!({"state": "closed", "state_reason": "completed"}));
        line.repeat(&Request { method: Method::Patch, path, body }, Kind::Loud, Missing::Gone).await?;
    } else if told {
        return Ok(ReceiptEnd::Unchanged("it was told already".to_owned()));
    }
    Ok(ReceiptEnd::Posted(oldest.html_url))
}

/// An issue, or a comment on one.
#[derive(Debug, Default, Deserialize)]
struct Entry {
    #[serde(default)]
    number: u64,
    html_url: Option<String>,
    user: Option<User>,
    body: Option<String>,
    /// GitHub lists pull requests among the issues.
    pull_request: Option<serde::de::IgnoredAny>,
}

impl Entry {
    fn marker(&self) -> Option<Marker> {
        Marker::read(self.body.as_deref()?)
    }
}

/// The hidden first line: what it is about, and which news.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Marker {
    key: String,
    id: String,
}

impl Marker {
    fn read(body: &str) -> Option<Self> {
        let words = body.lines().next()?.strip_prefix("<!-- gatepost:news key=")?.strip_suffix(" -->")?;
        let (key, id) = words.split_once(" id=")?;
        Some(Self { key: key.to_owned(), id: id.to_owned() })
    }

    fn before(&self, body: &str) -> String {
        format!("<!-- gatepost:news key={} id={} -->\n{body}", self.key, self.id)
    }
}

/// The open issues with a marker of this key, whoever wrote them.
async fn open_ones<F: Forge>(line: &mut Line<F>, news: &News, marker: &Marker) -> Result<Vec<Entry>, Stop> {
    let label = news.labels.first().map_or_else(String::new, |label| format!("&labels={}", segment(label)));
    let path = line.path(&format!("/issues?state=open&per_page=100{label}"));
    let all = line.pages::<Vec<Entry>>(path).await?.into_iter().flatten();
    let about = |one: &Entry| one.pull_request.is_none() && one.marker().is_some_and(|own| own.key == marker.key);
    Ok(all.filter(about).collect())
}

/// An issue that is to be opened; found again by its marker.
struct New<'a> {
    news: &'a News,
    marker: &'a Marker,
}

impl New<'_> {
    /// The comments that told these news, whoever wrote them.
    async fn comments<F: Forge>(&self, line: &mut Line<F>, number: u64) -> Result<Vec<Entry>, Stop> {
        let path = line.path(&format!("/issues/{number}/comments?per_page=100"));
        let all = line.pages::<Vec<Entry>>(path).await?.into_iter().flatten();
        Ok(all.filter(|one| one.marker().as_ref() == Some(self.marker)).collect())
    }
}

impl Creation for New<'_> {
    type Made = Entry;

    /// <https://docs.github.com/en/rest/issues/issues#create-an-issue>
    fn request(&self, root: &str) -> Request {
        let body = self.marker.before(&self.news.body);
        let body = Some(json!({"title": self.news.title, "body": body, "labels": self.news.labels}));
        Request { method: Method::Post, path: format!("{root}/issues"), body }
    }

    fn kind(&self) -> Kind {
        Kind::Loud
    }

    async fn find<F: Forge>(&self, line: &mut Line<F>) -> Result<Option<Entry>, Stop> {
        let open = open_ones(line, self.news, self.marker).await?;
        let Some(found) = open.into_iter().find(|one| one.marker().as_ref() == Some(self.marker)) else {
            return Ok(None);
        };
        let me = viewer(line).await?;
        Ok(Some(found).filter(|one| is_by(one.user.as_ref(), &me)))
    }
}

/// A comment that is to be made on an issue; found again by its marker.
struct Comment<'a> {
    on: u64,
    new: New<'a>,
}

impl Creation for Comment<'_> {
    type Made = Entry;

    fn request(&self, root: &str) -> Request {
        let body = Some(json!({"body": self.new.marker.before(&self.new.news.body)}));
        Request { method: Method::Post, path: format!("{root}/issues/{}/comments", self.on), body }
    }

    fn kind(&self) -> Kind {
        Kind::Loud
    }

    async fn find<F: Forge>(&self, line: &mut Line<F>) -> Result<Option<Entry>, Stop> {
        let found = self.new.comments(line, self.on).await?;
        if found.is_empty() {
            return Ok(None);
        }
        let me = viewer(line).await?;
        Ok(found.into_iter().find(|one| is_by(one.user.as_ref(), &me)))
    }
}
