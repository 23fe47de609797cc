//! The least HTTP/1.1 client: one connection per request, so that what the fake does to a connection is seen bare.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// Asks in the name of one token.
pub struct Client {
    authority: String,
    base: String,
    pub headers: Vec<(&'static str, String)>,
}

/// A reply.
#[derive(Debug)]
pub struct Got {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    /// `null` where there is none; a string where it is not JSON.
    pub body: Value,
}

impl Client {
    pub fn new(url: &str, token: &str) -> Self {
        let rest = url.strip_prefix("http://").unwrap();
        let (authority, base) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let headers = vec![
            ("user-agent", "test".to_owned()),
            ("accept", "application/vnd.github+json".to_owned()),
            ("authorization", format!("Bearer {token}")),
            ("x-github-api-version", "2022-11-28".to_owned()),
        ];
        Self { authority: authority.to_owned(), base: base.to_owned(), headers }
    }

    /// This client with another value of a header; empty to leave it out.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(given, _)| *given != name);
        if !value.is_empty() {
            self.headers.push((name, value.to_owned()));
        }
        self
    }

    pub fn get(&self, path: &str) -> Got {
        self.send("GET", path, None).unwrap()
    }

    pub fn post(&self, path: &str, body: &Value) -> Got {
        self.send("POST", path, Some(body)).unwrap()
    }

    pub fn patch(&self, path: &str, body: &Value) -> Got {
        self.send("PATCH", path, Some(body)).unwrap()
    }

    pub fn delete(&self, path: &str) -> Got {
        self.send("DELETE", path, None).unwrap()
    }

    /// An error where the reply does not come whole.
    pub fn send(&self, method: &str, path: &str, body: Option<&Value>) -> io::Result<Got> {
        self.send_text(method, path, &body.map(Value::to_string).unwrap_or_default())
    }

    pub fn send_text(&self, method: &str, path: &str, body: &str) -> io::Result<Got> {
        let mut stream = TcpStream::connect(&self.authority)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let mut request = format!("{method} {}{path} HTTP/1.1\r\nhost: {}\r\n", self.base, self.authority);
        let headers: Vec<String> = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        request += &headers.concat();
        let length = body.len().to_string();
        request += &["connection: close\r\ncontent-length: ", &length, "\r\n\r\n", body].concat();
        stream.write_all(request.as_bytes())?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        read(&String::from_utf8(bytes).unwrap())
    }
}

fn read(text: &str) -> io::Result<Got> {
    let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(cut)?;
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    if body.len() < length {
        return Err(cut());
    }
    let body = match body {
        "" => Value::Null,
        body => serde_json::from_str(body).unwrap_or_else(|_| body.into()),
    };
    Ok(Got { status: status.ok_or_else(cut)?, headers, body })
}
