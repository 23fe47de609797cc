//! Takes one request at a time: logs it, holds it against the description, lets scripts strike, asks the operation and
//! holds the reply against the description.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::contract::{Route, Violation, contract, percent_decoded};
use super::exchange::{Ask, Refusal, Reply};
use super::faults::{Fault, Hook, Script, epoch, fits};
use super::recording::Entry;
use super::server::{Cut, Operation};
use super::state::State;
use super::tokens::Token;
use super::{actions, branches, checks, comments, commits, deployments, git, issues, people, pulls, statuses};

/// The versions GitHub serves.
const VERSIONS: [&str; 2] = ["2022-11-28", "2026-03-10"];

/// Everything behind the fake's one lock.
pub struct Desk {
    pub state: State,
    pub log: Vec<Entry>,
    pub violations: Vec<Violation>,
    pub scripts: Vec<Script>,
    pub hooks: Vec<Hook>,
    pub authority: String,
    unseen: Option<Unseen>,
}

/// The state before a write that some reads do not see yet.
struct Unseen {
    family: String,
    before: State,
    reads: usize,
}

/// A request as it came in.
pub struct Raw {
    pub method: String,
    pub path: String,
    pub query: Option<String>,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

/// What the wire is to do.
pub struct Outcome {
    pub reply: Reply,
    /// In place of the reply's body.
    pub page: Option<String>,
    pub delay: Duration,
    pub cut: Option<Cut>,
}

/// A request that found its operation.
struct Found<'a> {
    route: &'a Route,
    path: String,
    query: Vec<(String, String)>,
    arguments: Map<String, Value>,
    body: Result<Option<Value>, ()>,
    wrong: Vec<Violation>,
}

fn operation(name: &str) -> Option<Operation> {
    let tables =
        [actions::OPERATIONS, checks::OPERATIONS, comments::OPERATIONS, commits::OPERATIONS, people::OPERATIONS];
    let tables = tables.into_iter().chain([
        branches::OPERATIONS,
        pulls::OPERATIONS,
        statuses::OPERATIONS,
        git::OPERATIONS,
        deployments::OPERATIONS,
        issues::OPERATIONS,
    ]);
    tables.flatten().find(|(operation, _)| *operation == name).map(|(_, act)| *act)
}

impl Desk {
    pub fn new(state: State, authority: String) -> Self {
        let (log, violations, scripts, hooks) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { state, log, violations, scripts, hooks, authority, unseen: None }
    }

    pub fn receive(&mut self, raw: &Raw) -> Outcome {
        let found = self.find(raw);
        let name = found.as_ref().map_or("unknown", |found| found.route.operation.as_str()).to_owned();
        self.log.push(Entry::new(&name, raw));
        let place = self.log.len() - 1;
        self.run_hooks(&name, &raw.method);
        let fault = self.strike(&name, &raw.method);
        if let Some(found) = &found {
            self.violations.extend(found.wrong.iter().cloned());
        }
        let mut reply = match (&found, &fault) {
            (_, Some(fault)) if !fault.applies() => Reply::gone(),
            (None, _) => Reply::not_found(),
            (Some(found), fault) => self.act(raw, found, fault.as_ref()),
        };
        if let Some(instead) = fault.as_ref().and_then(Fault::reply) {
            reply = instead;
        }
        self.add_limits(raw, &mut reply);
        let outcome = outcome(reply, fault.as_ref());
        self.log[place].status = outcome.reply.status;
        self.log[place].fault = fault;
        outcome
    }

    /// A request to the storage of files: another origin, where the token has no place.
    pub fn store(&mut self, raw: &Raw) -> Option<Vec<u8>> {
        self.log.push(Entry::new("storage", raw));
        let stored = actions::stored(&self.state, &raw.path, raw.headers.contains_key("authorization"));
        stored.unwrap_or_else(|()| {
            self.violations.push(Violation::new("storage", "request", &Value::Null, "the token was sent elsewhere"));
            None
        })
    }

    fn run_hooks(&mut self, operation: &str, method: &str) {
        for hook in self.hooks.iter_mut().filter(|hook| fits(&hook.pattern, operation, method)) {
            hook.count += 1;
            if hook.count == hook.nth
                && let Some(act) = hook.act.take()
            {
                act(&mut self.state);
            }
        }
    }

    fn strike(&mut self, operation: &str, method: &str) -> Option<Fault> {
        let mut struck = None;
        for script in &mut self.scripts {
            if script.strikes(operation, method) && struck.is_none() {
                struck = Some(script.fault.clone());
            }
        }
        struck
    }

    /// Finds the operation and holds the request against its description; what is unknown is a violation itself.
    fn find(&mut self, raw: &Raw) -> Option<Found<'static>> {
        let base = self.state.base_path.clone();
        let path = match raw.path.strip_prefix(base.as_str()) {
            // GitHub Enterprise Server: REST below `/api/v3`, GraphQL at `/api/graphql`.
            _ if !base.is_empty() && raw.path == "/api/graphql" => Some("/graphql"),
            Some("/graphql") if !base.is_empty() => None,
            path => path,
        };
        let Some((path, (route, parameters))) = path.and_then(|path| Some((path, contract().find(&raw.method, path)?)))
        else {
            let what = format!("{} {}", raw.method, raw.path);
            self.violations.push(Violation::new(&what, "request", &Value::Null, "there is no such operation"));
            return None;
        };
        let query = query_pairs(raw.query.as_deref().unwrap_or_default());
        let (arguments, mut wrong) = contract().parameters(route, &parameters, &query);
        let body =
            if raw.body.is_empty() { Ok(None) } else { serde_json::from_slice(&raw.body).map(Some).map_err(|_| ()) };
        wrong.extend(match &body {
            Ok(body) => contract().request(route, body.as_ref()),
            Err(()) => vec![Violation::new(&route.operation, "request", &Value::Null, "the body is not JSON")],
        });
        Some(Found { route, path: path.to_owned(), query, arguments, body, wrong })
    }

    fn act(&mut self, raw: &Raw, found: &Found, fault: Option<&Fault>) -> Reply {
        let name = &found.route.operation;
        let token = match self.admit(raw, found) {
            Ok(token) => token,
            Err(refusal) => return refusal,
        };
        let Ok(body) = &found.body else { return Reply::error(400, "Problems parsing JSON") };
        if let Some(first) = found.wrong.first() {
            return Reply::error(422, &format!("Invalid request. {first}"));
        }
        let Some(operation) = operation(name) else {
            self.violations.push(Violation::new(name, "fake", &Value::Null, "the fake does not play this operation"));
            return Reply::not_found();
        };
        let home = format!("http://{}{}", self.authority, self.state.base_path);
        let ask = Ask {
            operation: name.clone(),
            method: raw.method.clone(),
            path: found.path.clone(),
            query: found.query.clone(),
            arguments: found.arguments.clone(),
            body: body.clone().unwrap_or_default(),
            token,
            origin: self.state.link_origin.clone().unwrap_or(home),
        };
        let reply = match self.perform(operation, &ask, fault) {
            Ok(reply) | Err(Refusal::Answer(reply)) => reply,
            Err(Refusal::Breach(violation)) => {
                let reply = Reply::error(422, &format!("Invalid request. {}", violation.message));
                self.violations.push(violation);
                reply
            }
        };
        self.violations.extend(contract().reply(found.route, reply.status, reply.body.as_ref()));
        reply
    }

    fn perform(&mut self, operation: Operation, ask: &Ask, fault: Option<&Fault>) -> Result<Reply, Refusal> {
        let family = ask.operation.split('/').next().unwrap_or_default();
        if ask.method != "GET" {
            if let Some(Fault::Unseen(reads)) = fault {
                let before = self.state.clone();
                self.unseen = Some(Unseen { family: family.to_owned(), before, reads: *reads });
            }
            return operation(&mut self.state, ask);
        }
        match &mut self.unseen {
            Some(unseen) if unseen.family == family && unseen.reads > 0 => {
                unseen.reads -= 1;
                operation(&mut unseen.before, ask)
            }
            _ => operation(&mut self.state, ask),
        }
    }

    /// What GitHub looks at before it looks at the request itself.
    fn admit(&mut self, raw: &Raw, found: &Found) -> Result<Token, Reply> {
        let header = |name: &str| raw.headers.get(name).map(String::as_str).unwrap_or_default();
        if header("user-agent").is_empty() {
            return Err(Reply::error(403, "Request forbidden by administrative rules: no User-Agent header"));
        }
        let accept = header("accept");
        if !["", "*/*"].contains(&accept) && !accept.contains("json") {
            return Err(Reply::error(415, "Unsupported 'Accept' header: Must accept 'application/json'."));
        }
        let version = header("x-github-api-version");
        if !version.is_empty() && !VERSIONS.contains(&version) {
            return Err(Reply::error(400, &format!("\"{version}\" is not a supported API version.")));
        }
        let Some(token) = secret(raw).and_then(|secret| self.state.tokens.get_mut(secret)) else {
            return Err(Reply::error(401, "Bad credentials"));
        };
        if token.used >= token.limit {
            let reply = Reply::error(403, "API rate limit exceeded for installation.");
            return Err(reply.with("x-ratelimit-reset", &(epoch() + 3600).to_string()));
        }
        token.used += u32::from(found.route.operation != "rate-limit/get");
        let token = token.clone();
        let argument = |name: &str| found.arguments.get(name).and_then(Value::as_str);
        let (mut private, mut on_pull) = (false, false);
        if let (Some(owner), Some(repo)) = (argument("owner"), argument("repo")) {
            let repo = self.state.repos.get(&format!("{owner}/{repo}")).ok_or_else(Reply::not_found)?;
            private = repo.private;
            let number = found.arguments.get("issue_number").and_then(Value::as_u64);
            let comment = found.arguments.get("comment_id").and_then(Value::as_u64);
            let commented = comment.and_then(|id| repo.comments.iter().find(|comment| comment.id == id));
            let number = number.or(commented.map(|comment| comment.issue));
            on_pull = number.is_some_and(|number| repo.pulls.contains_key(&number));
        }
        let write = raw.method != "GET" && found.route.operation != "graphql";
        token.refuses(&found.route.operation, write, private, on_pull).map_or(Ok(token), Err)
    }

    fn add_limits(&self, raw: &Raw, reply: &mut Reply) {
        let (limit, used) = secret(raw)
            .and_then(|secret| self.state.tokens.get(secret))
            .map_or((60, 0), |token| (token.limit, token.used));
        for (name, value) in [
            ("x-ratelimit-limit", u64::from(limit)),
            ("x-ratelimit-remaining", u64::from(limit.saturating_sub(used))),
            ("x-ratelimit-used", u64::from(used)),
            ("x-ratelimit-reset", epoch() + 3600),
        ] {
            if !reply.headers.iter().any(|(given, _)| given == name) {
                reply.headers.push((name.to_owned(), value.to_string()));
            }
        }
        reply.headers.push(("x-ratelimit-resource".to_owned(), "core".to_owned()));
        let scopes = secret(raw).and_then(|secret| self.state.tokens.get(secret)?.scopes.clone());
        reply.headers.extend(scopes.map(|scopes| ("x-oauth-scopes".to_owned(), scopes)));
    }
}

fn outcome(reply: Reply, fault: Option<&Fault>) -> Outcome {
    let mut outcome = Outcome { reply, page: None, delay: Duration::ZERO, cut: None };
    match fault {
        Some(Fault::Reset | Fault::LoseReset) => outcome.cut = Some(Cut::Reset),
        Some(Fault::Truncate(bytes)) => outcome.cut = Some(Cut::After(*bytes)),
        Some(Fault::Slow(delay)) => outcome.delay = *delay,
        Some(Fault::Hang) => outcome.delay = Duration::from_hours(24),
        Some(Fault::Html(status)) => {
            outcome.reply.status = *status;
            outcome.page = Some("<!DOCTYPE html><title>Unicorn!</title><p>No server is available.</p>".to_owned());
        }
        _ => {}
    }
    outcome
}

/// The token itself, after `Bearer` or `token`.
fn secret(raw: &Raw) -> Option<&str> {
    let (scheme, secret) = raw.headers.get("authorization")?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token")).then_some(secret)
}

fn query_pairs(query: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| percent_decoded(&text.replace('+', " "));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

impl Entry {
    fn new(operation: &str, raw: &Raw) -> Self {
        let body = (!raw.body.is_empty())
            .then(|| serde_json::from_slice(&raw.body).unwrap_or_else(|_| String::from_utf8_lossy(&raw.body).into()));
        let mut headers = raw.headers.clone();
        if let Some(authorization) = headers.get_mut("authorization") {
            let scheme = authorization.split(' ').next().unwrap_or_default();
            *authorization = format!("{scheme} ***");
        }
        Self {
            operation: operation.to_owned(),
            method: raw.method.clone(),
            path: raw.path.clone(),
            query: raw.query.clone(),
            headers,
            body,
            status: 0,
            fault: None,
            at: Instant::now(),
        }
    }
}
