//! Whose the token is: what is marked as ours is believed only with our own author.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::world::forge::{Forge, Method, Request};
use crate::world::line::answer::Stop;
use crate::world::line::{Kind, Line, Missing};

/// Whose the token is. `GET /user` is closed to the token of a workflow.
#[derive(Debug, Default)]
pub enum Identity {
    /// Nobody has asked.
    #[default]
    Unasked,
    /// The login.
    Known(String),
    /// GitHub did not say, and why: nothing is believed to be ours.
    Unknown(Stop),
}

impl Identity {
    /// Asks GitHub, once.
    pub async fn ask<F: Forge>(&mut self, line: &mut Line<F>) {
        if matches!(self, Self::Unasked) {
            *self = match viewer(line).await {
                Ok(login) => Self::Known(login),
                Err(stop) => Self::Unknown(stop),
            };
        }
    }
}

/// Who wrote something.
#[derive(Debug, Clone, Deserialize)]
pub struct User {
    /// The name.
    pub login: String,
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl User {
    /// Whether it is a program's account.
    #[must_use]
    pub fn is_bot(&self) -> bool {
        self.kind.as_deref() == Some("Bot") || self.login.ends_with("[bot]")
    }
}

/// An app is `name` to some endpoints and `name[bot]` to others; people cannot have brackets in their names.
#[must_use]
pub fn is_by(user: Option<&User>, login: &str) -> bool {
    user.is_some_and(|user| {
        let bot = user.kind.as_deref() == Some("Bot");
        user.login == login || bot && user.login.strip_suffix("[bot]") == Some(login)
    })
}

/// <https://docs.github.com/en/graphql/reference/queries#viewer>
///
/// # Errors
/// When GitHub does not say.
pub async fn viewer<F: Forge>(line: &mut Line<F>) -> Result<String, Stop> {
    let body = Some(json!({ "query": "query { viewer { login } }" }));
    let request = Request { method: Method::Post, path: "/graphql".to_owned(), body };
    let reply = line.repeat(&request, Kind::Read, Missing::Gone).await?;
    let answer: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let login = answer.pointer("/data/viewer/login").and_then(Value::as_str).filter(|login| !login.is_empty());
    login.map(str::to_owned).ok_or_else(|| Stop::Failed("GitHub does not say whose the token is".to_owned()))
}
