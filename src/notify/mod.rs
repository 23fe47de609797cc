//! Floor 3: telling people and programs of deployments, one notifier a file and one row in [`ALL`]. A notifier is pure: a
//! notice in, a [`Delivery`] out. A delivery that fails is reported, and changes nothing else.

mod discord;
mod email;
mod github_issue;
mod send;
mod slack;
#[cfg(test)]
mod tests;
mod webhook;
mod words;

use std::collections::BTreeMap;

use crate::config::{NotifierRow, NotifyRoute, Own};
use crate::model::call::{Call, Receipt, ReceiptEnd};
use crate::model::notice::Notice;
use crate::model::secret::Secret;
use crate::world::clock;
use crate::world::env::Env;
use crate::world::http::Http;
use crate::world::mail::{Mail, Server};

pub use send::Pace;

/// Every notifier, as `[notify.NAME]` names it.
pub static ALL: &[&Notifier] =
    &[&slack::NOTIFIER, &discord::NOTIFIER, &email::NOTIFIER, &webhook::NOTIFIER, &github_issue::NOTIFIER];

/// One notifier.
#[derive(Debug)]
pub struct Notifier {
    /// Its name, its phrase for the README's table, and its keys.
    pub row: NotifierRow,
    /// What is to be delivered, or why nothing can be.
    pub plan: fn(&Own, &Told<'_>) -> Result<Delivery, String>,
}

/// What a notifier knows when it plans.
#[derive(Clone, Copy)]
pub struct Told<'a> {
    /// What happened; secrets are masked.
    pub notice: &'a Notice,
    /// What an earlier delivery of the same story answered with, where it names its thread.
    pub thread: Option<&'a str>,
    /// Where secrets are found.
    pub env: &'a Env,
    /// Seconds since 1970.
    pub now: u64,
}

impl Told<'_> {
    /// The secret that `env:NAME` refers to.
    fn secret(&self, reference: &str) -> Result<Secret, String> {
        let name = reference.strip_prefix("env:").unwrap_or(reference);
        self.env
            .get(name)
            .map(|value| Secret::new(value.to_owned()))
            .ok_or_else(|| format!("the variable {name} is not set"))
    }
}

/// What is to be sent.
#[derive(Debug, Clone)]
pub enum Delivery {
    /// Sent from here.
    Parcel(Parcel),
    /// To GitHub, by the interpreter.
    Call(Call),
}

/// What is sent from here.
#[derive(Debug, Clone)]
pub enum Parcel {
    /// By HTTP.
    Post(Post),
    /// By mail.
    Mail(Server, Mail),
}

/// One request by POST. Redirects are never followed: they would carry what is secret elsewhere.
#[derive(Debug, Clone)]
pub struct Post {
    /// The whole address, which may be a secret by itself.
    pub url: Secret,
    /// How the address is shown.
    pub shown: String,
    /// The token of the `Authorization` header.
    pub bearer: Option<Secret>,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// JSON.
    pub body: Vec<u8>,
    /// Reads the body of a good answer.
    pub read: fn(&[u8]) -> Answer,
}

/// What a body says that came with a good status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It was taken; the thread that it began, where there is one.
    Taken(Option<String>),
    /// It may be taken a moment later; why not now.
    Later(String),
    /// It was refused, and why.
    Refused(String),
}

/// What became of a notice.
#[derive(Debug, Default)]
pub struct Spread {
    /// One for each route that takes the notice, but for what is in `calls`.
    pub receipts: Vec<Receipt>,
    /// What is for the interpreter to send.
    pub calls: Vec<Call>,
}

/// Tells notices by every route that takes them. Lives as long as the stories it tells.
pub struct Desk {
    routes: Vec<(String, NotifyRoute, &'static Notifier)>,
    env: Env,
    http: Http,
    pace: Pace,
    dry_run: bool,
    /// By route and story.
    threads: BTreeMap<(usize, String), String>,
}

impl Desk {
    /// A desk for these routes. `env` has what `env:NAME` refers to.
    #[must_use]
    pub fn new(routes: &[NotifyRoute], env: Env, http: Http, pace: Pace, dry_run: bool) -> Self {
        let of_kind = |kind: &str| routes.iter().filter(|route| route.kind == kind).count();
        let mut numbers = BTreeMap::new();
        let named = routes.iter().filter_map(|route| {
            let notifier = ALL.iter().copied().find(|notifier| notifier.row.name == route.kind)?;
            let number = numbers.entry(route.kind).or_insert(0_usize);
            *number += 1;
            let name = if of_kind(route.kind) > 1 { format!("{} {number}", route.kind) } else { route.kind.to_owned() };
            Some((name, route.clone(), notifier))
        });
        Self { routes: named.collect(), env, http, pace, dry_run, threads: BTreeMap::new() }
    }

    /// How many routes there are.
    #[must_use]
    pub const fn routes(&self) -> usize {
        self.routes.len()
    }

    /// Tells one notice, by all routes at once. Never longer than the pace's patience; whatever happens is in the receipts.
    pub async fn tell(&mut self, notice: &Notice) -> Spread {
        let (mut calls, mut parcels, mut receipts) = (Vec::new(), Vec::new(), Vec::new());
        let now = u64::try_from(clock::now().as_second()).unwrap_or_default();
        for (at, (name, route, notifier)) in self.routes.iter().enumerate() {
            if !route.filter.takes(notice) {
                continue;
            }
            let thread = self.threads.get(&(at, notice.story.clone())).map(String::as_str);
            let told = Told { notice, thread, env: &self.env, now };
            match (notifier.plan)(&route.own, &told) {
                Ok(Delivery::Call(call)) => calls.push(call),
                Ok(Delivery::Parcel(parcel)) if self.dry_run => {
                    receipts.push((at, name, ReceiptEnd::WouldSend(send::shown(&parcel))));
                }
                Ok(Delivery::Parcel(parcel)) => parcels.push((at, parcel)),
                Err(why) => receipts.push((at, name, ReceiptEnd::Failed(why))),
            }
        }
        for (at, end) in send::all(&self.http, parcels, self.pace).await {
            let end = match end {
                Ok(thread) => {
                    if let Some(thread) = thread {
                        self.threads.entry((at, notice.story.clone())).or_insert(thread);
                    }
                    ReceiptEnd::Posted(None)
                }
                Err(why) => ReceiptEnd::Failed(why),
            };
            receipts.push((at, &self.routes[at].0, end));
        }
        receipts.sort_by_key(|(at, ..)| *at);
        let receipts = receipts.into_iter().map(|(_, what, end)| Receipt { what: what.clone(), end }).collect();
        Spread { receipts, calls }
    }
}
