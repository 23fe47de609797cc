//! One request as the fake's operations see it, and one reply in GitHub's manner: error bodies, pages, Link headers.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::contract::Violation;
use super::tokens::Token;

/// A request that found its operation and passed the description.
pub struct Ask {
    pub operation: String,
    pub method: String,
    /// Without the base path.
    pub path: String,
    pub query: Vec<(String, String)>,
    /// Path and query parameters, typed.
    pub arguments: Map<String, Value>,
    pub body: Value,
    /// Who asks.
    pub token: Token,
    /// Where links of replies lead: scheme, host, port and base path.
    pub origin: String,
}

impl Ask {
    pub fn text(&self, name: &str) -> &str {
        self.arguments.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub fn number(&self, name: &str) -> u64 {
        self.arguments.get(name).and_then(Value::as_u64).unwrap_or_default()
    }

    /// `owner/name`, empty for operations outside a repository.
    pub fn repository(&self) -> String {
        format!("{}/{}", self.text("owner"), self.text("repo")).trim_matches('/').to_owned()
    }

    /// A string key of the body.
    pub fn given(&self, key: &str) -> Option<String> {
        self.body[key].as_str().map(str::to_owned)
    }

    /// An address below this repository.
    pub fn url(&self, rest: &str) -> String {
        format!("{}/repos/{}/{rest}", self.origin, self.repository())
    }

    /// A breach of a rule that GitHub documents outside its description, and that the asker could have known.
    pub fn breach(&self, pointer: &str, value: &Value, message: &str) -> Refusal {
        Refusal::Breach(Violation::new(&self.operation, &format!("request {pointer}"), value, message))
    }

    /// Fails with [`Ask::breach`] unless `holds`.
    pub fn demand(&self, holds: bool, pointer: &str, value: &Value, message: &str) -> Result<(), Refusal> {
        if holds { Ok(()) } else { Err(self.breach(pointer, value, message)) }
    }

    /// One page of a list, with `Link` where there are more; `wrap` puts the page into its envelope.
    pub fn page(&self, items: Vec<Value>, wrap: impl FnOnce(Value) -> Value) -> Reply {
        let asked = |name: &str, or: usize| {
            let number = self.arguments.get(name).and_then(Value::as_u64).filter(|number| *number > 0);
            number.map_or(or, |number| usize::try_from(number).unwrap())
        };
        let size = asked("per_page", 30).min(100);
        let page = asked("page", 1);
        let last = items.len().div_ceil(size).max(1);
        let shown: Vec<Value> = items.into_iter().skip((page - 1) * size).take(size).collect();
        let mut reply = Reply::ok(wrap(Value::Array(shown)));
        if last > 1 {
            let mut links = Vec::new();
            let mut link = |number: usize, rel: &str| links.push(format!("<{}>; rel=\"{rel}\"", self.page_url(number)));
            if page > 1 {
                link(page - 1, "prev");
            }
            if page < last {
                link(page + 1, "next");
                link(last, "last");
            }
            if page > 1 {
                link(1, "first");
            }
            reply.headers.push(("link".to_owned(), links.join(", ")));
        }
        reply
    }

    fn page_url(&self, number: usize) -> String {
        let mut url = format!("{}{}?", self.origin, self.path);
        for (name, value) in self.query.iter().filter(|(name, _)| name != "page") {
            let _ = write!(url, "{name}={}&", percent_encoded(value));
        }
        url + &format!("page={number}")
    }
}

fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(char::from(byte)),
            _ => write!(encoded, "%{byte:02X}").unwrap(),
        }
        encoded
    })
}

/// What goes back.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Option<Value>,
}

/// Why an operation did not do what was asked.
#[derive(Debug)]
pub enum Refusal {
    /// GitHub says no, for a reason the asker could not know.
    Answer(Reply),
    /// The asker broke a documented rule: answered 422, and the test goes red.
    Breach(Violation),
}

impl From<Reply> for Refusal {
    fn from(reply: Reply) -> Self {
        Self::Answer(reply)
    }
}

/// What an operation of the fake returns.
pub type Answer = Result<Reply, Refusal>;

impl Reply {
    pub fn ok(body: Value) -> Self {
        Self { status: 200, headers: Vec::new(), body: Some(body) }
    }

    /// 201, with the new object's address.
    pub fn created(body: Value) -> Self {
        let location = body["url"].as_str().unwrap_or_default().to_owned();
        Self { status: 201, headers: vec![("location".to_owned(), location)], body: Some(body) }
    }

    pub fn gone() -> Self {
        Self { status: 204, headers: Vec::new(), body: None }
    }

    /// An error body as GitHub writes it.
    pub fn error(status: u16, message: &str) -> Self {
        let body = json!({
            "message": message,
            "documentation_url": "https://docs.github.com/rest",
            "status": status.to_string(),
        });
        Self { status, headers: Vec::new(), body: Some(body) }
    }

    pub fn not_found() -> Self {
        Self::error(404, "Not Found")
    }

    /// 422 with one entry in `errors`.
    pub fn unprocessable(resource: &str, field: &str, code: &str, message: &str) -> Self {
        let mut reply = Self::error(422, "Validation Failed");
        let error = json!({ "resource": resource, "field": field, "code": code, "message": message });
        reply.body.as_mut().unwrap()["errors"] = json!([error]);
        reply
    }

    pub fn no_commit(sha: &str) -> Self {
        Self::error(422, &format!("No commit found for SHA: {sha}"))
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}
