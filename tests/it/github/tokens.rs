//! Who asks, and what their token may do: GitHub's permissions, refusals and hourly allowance.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::contract::contract;
use super::exchange::Reply;

/// A family of permissions, as `permissions:` of a workflow names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    Actions,
    Checks,
    Contents,
    Deployments,
    Issues,
    Metadata,
    PullRequests,
    Statuses,
}

/// A user, or an app's bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub login: String,
    pub id: u64,
    /// The app behind a bot: id and slug.
    pub app: Option<(u64, String)>,
}

impl Account {
    pub fn user(login: &str) -> Self {
        let id = login.bytes().fold(1000, |id, byte| id * 7 % 9_000_011 + u64::from(byte));
        Self { login: login.to_owned(), id, app: None }
    }

    /// The author of everything a workflow's `GITHUB_TOKEN` writes.
    pub fn actions() -> Self {
        let app = Some((15_368, "github-actions".to_owned()));
        Self { login: "github-actions[bot]".to_owned(), id: 41_898_282, app }
    }

    /// The bot of some other app.
    pub fn app(id: u64, slug: &str) -> Self {
        Self { login: format!("{slug}[bot]"), id: id + 1_000_000, app: Some((id, slug.to_owned())) }
    }

    /// As `user`, `creator` or `author`.
    pub fn json(&self) -> Value {
        let kind = if self.app.is_some() { "Bot" } else { "User" };
        let page = format!("https://github.test/{}", self.login.trim_end_matches("[bot]"));
        let user = json!({ "login": self.login, "id": self.id, "type": kind, "html_url": page, "gravatar_id": "" });
        contract().complete("simple-user", user)
    }

    /// As `app` or `performed_via_github_app`; `null` for a user.
    pub fn app_json(&self) -> Value {
        let Some((id, slug)) = &self.app else { return Value::Null };
        let app =
            json!({ "id": id, "slug": slug, "name": slug, "owner": Self::user("github").json(), "permissions": {} });
        contract().complete("integration", app)
    }
}

/// A token: whose it is and what it may write.
#[derive(Debug, Clone)]
pub struct Token {
    pub account: Account,
    /// True: may write; false: may only read; absent: neither.
    access: BTreeMap<Scope, bool>,
    /// Requests allowed in an hour.
    pub limit: u32,
    /// Requests made.
    pub used: u32,
    /// What GitHub states of a person's classic token.
    pub scopes: Option<String>,
}

const ALL: [Scope; 8] = [
    Scope::Actions,
    Scope::Checks,
    Scope::Contents,
    Scope::Deployments,
    Scope::Issues,
    Scope::Metadata,
    Scope::PullRequests,
    Scope::Statuses,
];

impl Token {
    fn new(account: Account, write: bool, limit: u32) -> Self {
        Self { account, access: ALL.into_iter().map(|scope| (scope, write)).collect(), limit, used: 0, scopes: None }
    }

    /// A workflow's token with every write permission.
    pub fn actions() -> Self {
        Self::new(Account::actions(), true, 1000)
    }

    /// The token of a fork's `pull_request` run.
    pub fn read_only() -> Self {
        Self::new(Account::actions(), false, 1000)
    }

    /// A person's token: everything but check runs, which need an app's.
    pub fn personal(login: &str) -> Self {
        Self::new(Account::user(login), true, 5000)
    }

    /// A person's classic token with these scopes.
    pub fn classic(login: &str, scopes: &str) -> Self {
        Self { scopes: Some(scopes.to_owned()), ..Self::new(Account::user(login), true, 5000) }
    }

    /// The token of another app.
    pub fn app(id: u64, slug: &str) -> Self {
        Self::new(Account::app(id, slug), true, 5000)
    }

    /// This token without write permission in one family.
    pub fn without(mut self, scope: Scope) -> Self {
        self.access.insert(scope, false);
        self
    }

    /// This token without even reading in one family; shows on private repositories only.
    pub fn blind(mut self, scope: Scope) -> Self {
        self.access.remove(&scope);
        self
    }

    /// This token with another hourly allowance.
    pub fn limited(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }

    /// GitHub's refusal, where this token may not do this.
    pub fn refuses(&self, operation: &str, write: bool, private: bool, on_pull: bool) -> Option<Reply> {
        if self.account.app.is_none() && write && operation.starts_with("checks/") {
            return Some(Reply::error(403, "You must authenticate via a GitHub App."));
        }
        let scope = scope(operation);
        let enough = |scope: Scope| match self.access.get(&scope) {
            Some(may_write) => *may_write || !write,
            None => !write && !private,
        };
        let other = scope == Scope::Issues && on_pull && enough(Scope::PullRequests);
        if enough(scope) || other {
            return None;
        }
        let kind = if self.account.app.is_some() { "integration" } else { "personal access token" };
        Some(Reply::error(403, &format!("Resource not accessible by {kind}")))
    }
}

fn scope(operation: &str) -> Scope {
    let (family, name) = operation.split_once('/').unwrap_or((operation, ""));
    match family {
        "actions" => Scope::Actions,
        "checks" => Scope::Checks,
        "issues" | "reactions" => Scope::Issues,
        "pulls" => Scope::PullRequests,
        "repos" if name.contains("status-for") || name.contains("statuses-for") || name.ends_with("commit-status") => {
            Scope::Statuses
        }
        "repos" if name.contains("deployment") => Scope::Deployments,
        "repos" if ["get", "get-branch-rules"].contains(&name) || name.contains("collaborator") => Scope::Metadata,
        "repos" | "git" => Scope::Contents,
        _ => Scope::Metadata,
    }
}
