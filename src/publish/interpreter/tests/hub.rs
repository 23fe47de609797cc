//! A small GitHub in memory, with faults that can be planted at any request. Statuses and shapes are those of the
//! real one as far as the interpreter reads them; the contract is held by the integration tests.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::world::forge::{Forge, ForgeError, Method, Reply, Request};

/// What goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Unreachable,
    /// Before it was carried out.
    Reset,
    /// The rest: after it was carried out.
    LostReply,
    TimedOut,
    Cut,
    Html,
    BadGateway,
    /// Not carried out.
    Unavailable,
    Secondary(Option<u64>),
    Primary(i64),
    Denied(&'static str),
    NotFound,
    Unauthorized,
}

/// Where a fault strikes.
pub enum Trigger {
    /// The nth request of all, from 0.
    Nth(usize),
    /// Every request of this method whose path holds this.
    Every(Method, &'static str),
    /// The next one of those.
    Next(Method, &'static str),
}

/// Something done to the state by another.
pub type Act = fn(&mut State);

#[derive(Default)]
pub struct State {
    pub check_runs: Vec<Value>,
    pub statuses: Vec<Value>,
    pub comments: Vec<Value>,
    pub issues: Vec<Value>,
    /// How many were made.
    pub reviews: usize,
    pub review_comments: Vec<Value>,
    pub log: Vec<Request>,
    /// When each was sent.
    pub times: Vec<Duration>,
    pub head: String,
    pub viewer: Option<&'static str>,
    pub author: &'static str,
    pub page: usize,
    /// Comments newer than this id are hidden for so many lists.
    pub lag: usize,
    /// For so many lists, updated comments are shown as they were before.
    pub stale: usize,
    old_comments: Vec<Value>,
    pub faults: Vec<(Trigger, Fault)>,
    /// What is answered to `GET` of a path below the repository, in place of everything else.
    pub served: Vec<(String, u16, Value)>,
    /// What downloads are answered with, in their order.
    pub downloads: Vec<Result<Vec<u8>, u16>>,
    /// Runs after the nth request: what other runs do in the meantime.
    pub meanwhile: Option<(usize, Act)>,
    /// Runs after every update of a comment.
    pub always: Option<Act>,
    /// What its clock says in replies about limits.
    pub date: Option<i64>,
    start: Option<tokio::time::Instant>,
    ids: u64,
}

#[derive(Clone)]
pub struct Hub(pub Arc<Mutex<State>>);

impl Hub {
    pub fn new() -> Self {
        let state = State {
            head: "a".repeat(40),
            viewer: Some("github-actions[bot]"),
            author: "github-actions[bot]",
            page: 100,
            start: Some(tokio::time::Instant::now()),
            ..State::default()
        };
        Self(Arc::new(Mutex::new(state)))
    }

    pub fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }

    pub fn fault(self, trigger: Trigger, fault: Fault) -> Self {
        self.with(|state| state.faults.push((trigger, fault)));
        self
    }

    /// `METHOD /path` without the repository, of all requests so far.
    pub fn log(&self) -> Vec<String> {
        let line = |request: &Request| {
            let path = request.path.strip_prefix("/repos/o/r").unwrap_or(&request.path);
            format!("{} {path}", request.method.word())
        };
        self.with(|state| state.log.iter().map(line).collect())
    }

    pub fn writes(&self) -> usize {
        self.log().iter().filter(|line| !line.starts_with("GET") && !line.ends_with("/graphql")).count()
    }
}

impl State {
    fn id(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }

    pub fn comment(&mut self, author: &str, body: &str) -> u64 {
        let id = self.id();
        let user = json!({ "login": author, "type": if author.ends_with("[bot]") { "Bot" } else { "User" } });
        self.comments.push(json!({ "id": id, "html_url": format!("https://c/{id}"), "user": user, "body": body }));
        id
    }

    pub fn issue(&mut self, author: &str, body: &str) -> u64 {
        let number = self.id();
        let user = json!({ "login": author, "type": if author.ends_with("[bot]") { "Bot" } else { "User" } });
        let link = format!("https://i/{number}");
        self.issues.push(json!({ "number": number, "html_url": link, "user": user, "body": body, "state": "open" }));
        number
    }

    fn take_fault(&mut self, request: &Request) -> Option<Fault> {
        let number = self.log.len();
        let fits = |method: Method, part: &str| request.method == method && request.path.contains(part);
        let at = self.faults.iter().position(|(trigger, _)| match trigger {
            Trigger::Nth(nth) => *nth == number,
            Trigger::Every(method, part) | Trigger::Next(method, part) => fits(*method, part),
        })?;
        match self.faults[at].0 {
            Trigger::Every(..) => Some(self.faults[at].1),
            _ => Some(self.faults.remove(at).1),
        }
    }

    fn answer(&mut self, request: &Request) -> Result<Reply, ForgeError> {
        let fault = self.take_fault(request);
        self.times.push(self.start.unwrap().elapsed());
        self.log.push(request.clone());
        let url = || format!("https://h{}", request.path);
        let source = || Box::new(std::io::Error::other("planted"));
        let refuse = |status, message: &str| Ok(reply(status, &json!({ "message": message })));
        match fault {
            Some(Fault::Unreachable) => return Err(ForgeError::Unreachable { url: url(), source: source() }),
            Some(Fault::Reset) => return Err(ForgeError::Broken { url: url(), source: source() }),
            Some(Fault::Unavailable) => return refuse(503, "planted"),
            Some(Fault::Denied(message)) => return refuse(403, message),
            Some(Fault::NotFound) => return refuse(404, "Not Found"),
            Some(Fault::Unauthorized) => return refuse(401, "Bad credentials"),
            Some(Fault::Secondary(after)) => {
                let limited = reply(403, &json!({ "message": "You have exceeded a secondary rate limit." }));
                return Ok(Reply { retry_after: after.map(Duration::from_secs), ..limited });
            }
            Some(Fault::Primary(reset)) => {
                let limited = reply(403, &json!({ "message": "API rate limit exceeded" }));
                return Ok(Reply { remaining: Some(0), reset: Some(reset), date: self.date, ..limited });
            }
            _ => {}
        }
        let done = self.carry_out(request);
        if let Some((nth, act)) = self.meanwhile
            && nth + 1 == self.log.len()
        {
            act(self);
        }
        match fault {
            None => Ok(done),
            Some(Fault::TimedOut) => Err(ForgeError::TimedOut { url: url(), after: Duration::from_mins(1) }),
            Some(Fault::Cut) => {
                Err(ForgeError::Cut { url: url(), status: done.status, start: "{".to_owned(), source: source() })
            }
            Some(Fault::Html) => Ok(Reply { body: b"<html>Unicorn!</html>".to_vec(), ..done }),
            Some(Fault::BadGateway) => refuse(502, "planted"),
            Some(_) => Err(ForgeError::Broken { url: url(), source: source() }),
        }
    }

    fn carry_out(&mut self, request: &Request) -> Reply {
        let body = request.body.clone().unwrap_or_default();
        let path = request.path.strip_prefix("/repos/o/r").unwrap_or(&request.path);
        let is_read = request.method == Method::Get;
        if let Some((_, status, body)) = self.served.iter().find(|(served, ..)| is_read && served == path) {
            return reply(*status, body);
        }
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match (request.method, parts.as_slice()) {
            (Method::Post, ["graphql"]) => match self.viewer {
                Some(login) => reply(200, &json!({ "data": { "viewer": { "login": login } } })),
                None => reply(200, &json!({ "data": null, "errors": [{ "message": "no" }] })),
            },
            (Method::Get, ["pulls", _]) => reply(200, &json!({ "head": { "sha": self.head } })),
            (Method::Get, ["pulls", _, "comments"]) => self.page_of(&self.review_comments, path, query),
            (Method::Post, ["pulls", _, "reviews"]) => self.create_review(&body),
            (Method::Get, ["compare", _]) => reply(200, &json!({ "merge_base_commit": { "sha": self.head } })),
            (Method::Post, ["check-runs"]) => self.create_check_run(body),
            (Method::Patch, ["check-runs", id]) => self.update_check_run(id, &body),
            (Method::Get, ["check-runs", id]) => {
                match self.check_runs.iter().find(|run| run["id"].as_u64() == id.parse().ok()) {
                    Some(run) => reply(200, run),
                    None => reply(404, &json!({ "message": "Not Found" })),
                }
            }
            (Method::Get, ["commits", _, "check-runs"]) => self.list_check_runs(),
            (Method::Post, ["statuses", _]) => {
                self.statuses.insert(0, body.clone());
                reply(201, &body)
            }
            (Method::Get, ["commits", _, "statuses"]) => reply(200, &json!(self.statuses)),
            (Method::Get, ["issues"]) => {
                let open = self.issues.iter().filter(|issue| issue["state"] == "open").cloned().collect::<Vec<_>>();
                self.page_of(&open, path, query)
            }
            (Method::Post, ["issues"]) => {
                self.issue(self.author, body["body"].as_str().unwrap());
                let issue = self.issues.last_mut().unwrap();
                issue["title"] = body["title"].clone();
                reply(201, issue)
            }
            (Method::Patch, ["issues", number]) => {
                let issue = self.issues.iter_mut().find(|one| one["number"].as_u64() == number.parse().ok()).unwrap();
                for (key, value) in body.as_object().unwrap() {
                    issue[key] = value.clone();
                }
                reply(200, issue)
            }
            (Method::Post, ["issues", _, "comments"]) => {
                self.comment(self.author, body["body"].as_str().unwrap());
                reply(201, self.comments.last().unwrap())
            }
            (Method::Get, ["issues", _, "comments"]) => self.list_comments(path, query),
            (Method::Patch | Method::Delete, ["issues", "comments", id]) => {
                self.change_comment(request.method, id, &body)
            }
            _ => reply(500, &json!({ "message": format!("the hub does not know {} {path}", request.method.word()) })),
        }
    }

    fn list_comments(&mut self, path: &str, query: &str) -> Reply {
        let hidden = usize::from(self.lag > 0);
        self.lag = self.lag.saturating_sub(1);
        let comments =
            if self.stale > 0 && !self.old_comments.is_empty() { &self.old_comments } else { &self.comments };
        let shown = self.page_of(&comments[..comments.len().saturating_sub(hidden)], path, query);
        self.stale = self.stale.saturating_sub(usize::from(!self.old_comments.is_empty()));
        shown
    }

    fn page_of(&self, all: &[Value], path: &str, query: &str) -> Reply {
        let page: usize =
            query.split('&').find_map(|part| part.strip_prefix("page=")).map_or(1, |n| n.parse().unwrap());
        let from = ((page - 1) * self.page).min(all.len());
        let to = (from + self.page).min(all.len());
        let next = (to < all.len()).then(|| format!("/repos/o/r{path}?per_page=100&page={}", page + 1));
        Reply { next, ..reply(200, &json!(all[from..to])) }
    }

    /// A comment on a line; `None`: it is outdated.
    pub fn review_comment(&mut self, author: &str, line: Option<u64>, body: &str) {
        let id = self.id();
        let user = json!({ "login": author, "type": if author.ends_with("[bot]") { "Bot" } else { "User" } });
        self.review_comments.push(json!({ "id": id, "user": user, "line": line, "body": body }));
    }

    /// All of it or nothing, as GitHub does.
    fn create_review(&mut self, body: &Value) -> Reply {
        let comments = body["comments"].as_array().unwrap();
        if comments.iter().any(|one| one["body"].as_str().unwrap().contains("BAD")) {
            let errors = ["Pull request review thread line must be part of the diff"];
            return reply(422, &json!({ "message": "Unprocessable Entity", "errors": errors }));
        }
        for one in comments {
            self.review_comment(self.author, one["line"].as_u64(), one["body"].as_str().unwrap());
        }
        self.reviews += 1;
        let user = json!({ "login": self.author, "type": "Bot" });
        reply(200, &json!({ "id": self.id(), "html_url": "https://c/review", "user": user }))
    }

    fn change_comment(&mut self, method: Method, id: &str, body: &Value) -> Reply {
        let Some(at) = self.comments.iter().position(|one| one["id"].as_u64() == id.parse().ok()) else {
            return reply(404, &json!({ "message": "Not Found" }));
        };
        if method == Method::Delete {
            self.comments.remove(at);
            return Reply { status: 204, ..Reply::default() };
        }
        self.old_comments = self.comments.clone();
        self.comments[at]["body"] = body["body"].clone();
        let updated = reply(200, &self.comments[at]);
        if let Some(act) = self.always {
            act(self);
        }
        updated
    }

    /// The newest first, as GitHub does.
    fn list_check_runs(&self) -> Reply {
        let newest_first: Vec<&Value> = self.check_runs.iter().rev().collect();
        reply(200, &json!({ "total_count": newest_first.len(), "check_runs": newest_first }))
    }

    fn create_check_run(&mut self, mut body: Value) -> Reply {
        if let Some(refusal) = refusal(&body) {
            return refusal;
        }
        let id = self.id();
        let annotations = body["output"]["annotations"].as_array().cloned().unwrap_or_default();
        body["id"] = json!(id);
        body["html_url"] = json!(format!("https://k/{id}"));
        body["output"]["annotations_count"] = json!(annotations.len());
        self.check_runs.push(body);
        reply(201, self.check_runs.last().unwrap())
    }

    fn update_check_run(&mut self, id: &str, body: &Value) -> Reply {
        if let Some(refusal) = refusal(body) {
            return refusal;
        }
        let Some(run) = self.check_runs.iter_mut().find(|run| run["id"].as_u64() == id.parse().ok()) else {
            return reply(404, &json!({ "message": "Not Found" }));
        };
        let more = body["output"]["annotations"].as_array().cloned().unwrap_or_default();
        let mut all = run["output"]["annotations"].as_array().cloned().unwrap_or_default();
        all.extend(more);
        for key in ["title", "summary", "text"] {
            run["output"][key] = body["output"][key].clone();
        }
        run["output"]["annotations_count"] = json!(all.len());
        run["output"]["annotations"] = json!(all);
        reply(200, run)
    }
}

fn refusal(body: &Value) -> Option<Reply> {
    let annotations = body["output"]["annotations"].as_array().cloned().unwrap_or_default();
    let bad = annotations.len() > 50 || annotations.iter().any(|one| one["message"].as_str().unwrap().contains("BAD"));
    bad.then(|| reply(422, &json!({ "message": "Invalid request", "errors": ["annotation is bad"] })))
}

fn reply(status: u16, body: &Value) -> Reply {
    Reply { status, body: body.to_string().into_bytes(), ..Reply::default() }
}

impl Forge for Hub {
    async fn send(&self, request: &Request) -> Result<Reply, ForgeError> {
        // Another run may have its turn between any two requests.
        tokio::task::yield_now().await;
        self.with(|state| state.answer(request))
    }

    async fn download(&self, path: &str, _: usize) -> Result<Vec<u8>, ForgeError> {
        let next = self.with(|state| state.downloads.remove(0));
        next.map_err(|status| ForgeError::NotGiven { url: path.to_owned(), status, start: String::new() })
    }
}
