//! Who asks and how much is left: the user, the app, GraphQL's `viewer`, the rate limit.

use regex::Regex;
use serde_json::{Map, Value, json};

use super::contract::contract;
use super::exchange::{Answer, Ask, Reply};
use super::faults::epoch;
use super::server::Operation;
use super::state::State;

pub const OPERATIONS: &[(&str, Operation)] = &[
    ("users/get-authenticated", user),
    ("rate-limit/get", rate_limit),
    ("graphql", graphql),
    ("repos/get-collaborator-permission-level", permission),
];

/// A workflow's token belongs to an app, which is no user.
fn user(_: &mut State, ask: &Ask) -> Answer {
    let account = &ask.token.account;
    if account.app.is_some() {
        return Err(Reply::error(403, "Resource not accessible by integration").into());
    }
    Ok(Reply::ok(
        contract().complete("public-user", json!({ "login": account.login, "id": account.id, "type": "User" })),
    ))
}

/// Of a public repository everybody may read; of a private one whoever is not there is not found.
fn permission(state: &mut State, ask: &Ask) -> Answer {
    let repo = state.of(ask)?;
    let login = ask.text("username").to_owned();
    let known = repo.collaborators.get(&login).cloned();
    let (permission, role) = match known {
        Some(known) => known,
        None if repo.private => return Err(Reply::error(404, "Not Found").into()),
        None => ("read".to_owned(), "read".to_owned()),
    };
    let user = super::tokens::Account::user(&login).json();
    let json = json!({ "permission": permission, "role_name": role, "user": user });
    Ok(Reply::ok(contract().complete("repository-collaborator-permission", json)))
}

#[expect(clippy::unnecessary_wraps, reason = "operations share one signature")]
fn rate_limit(_: &mut State, ask: &Ask) -> Answer {
    let (limit, used) = (ask.token.limit, ask.token.used);
    let rate =
        json!({ "limit": limit, "used": used, "remaining": limit.saturating_sub(used), "reset": epoch() + 3600 });
    Ok(Reply::ok(json!({ "rate": rate, "resources": { "core": rate, "search": rate, "graphql": rate } })))
}

/// Understands one query: some fields of `viewer`.
fn graphql(_: &mut State, ask: &Ask) -> Answer {
    let query = ask.given("query").unwrap_or_default();
    let shape = Regex::new(r"^\s*(?:query\s*\w*\s*)?\{\s*viewer\s*\{([\w\s,]+)\}\s*\}\s*$").unwrap();
    let fields = shape
        .captures(&query)
        .ok_or_else(|| ask.breach("/query", &json!(query), "the fake understands `query { viewer { … } }` alone"))?;
    let account = &ask.token.account;
    let mut viewer = Map::new();
    for field in fields[1].split([' ', ',', '\n']).filter(|field| !field.is_empty()) {
        let value = match field {
            "login" => json!(account.login),
            "databaseId" => json!(account.id),
            "id" => json!(format!("U_{}", account.id)),
            "__typename" => json!("User"),
            _ => return Err(ask.breach("/query", &json!(field), "type `User` has no such field")),
        };
        viewer.insert(field.to_owned(), value);
    }
    Ok(Reply::ok(json!({ "data": { "viewer": Value::Object(viewer) } })))
}
