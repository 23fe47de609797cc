//! What a token may do, from what it is and what GitHub says of it. Rights to write cannot be seen by reading: where
//! nothing else tells, that is said.

use crate::model::diagnosis::Row;
use crate::setup::permissions::Permission;
use crate::setup::workflow::Grants;

const TOPIC: &str = "token rights";

/// What is known of a token.
#[derive(Debug, Clone)]
pub struct Token<'a> {
    /// An app's installation token, as `GITHUB_TOKEN` of a workflow is (`ghs_…`).
    pub of_an_app: bool,
    /// The scopes that GitHub states of a person's classic token.
    pub scopes: Option<&'a str>,
    /// The run is one of a pull request from a fork.
    pub of_a_fork: bool,
    /// What the workflow's job, in which this runs, is granted.
    pub grants: Option<&'a Grants>,
    /// The repository is private, where that is known.
    pub private: Option<bool>,
}

/// Whether it may do what posting needs.
#[must_use]
pub fn row(token: &Token<'_>, needed: &[Permission]) -> Row {
    let wanted: Vec<&Permission> = needed.iter().filter(|one| one.write).collect();
    let names: Vec<String> = wanted.iter().map(|one| format!("{}: {}", one.name, one.level())).collect();
    let names = names.join(", ");
    if wanted.is_empty() {
        return Row::needless(TOPIC, "nothing is posted: [publish] turns check runs and the comment off");
    }
    if token.of_a_fork {
        let what =
            "a pull request from a fork: GitHub lets its token read alone; annotations and the job summary stand in";
        return Row::needless(TOPIC, what);
    }
    if let Some(scopes) = token.scopes {
        return classic(scopes, token.private);
    }
    let Some(grants) = token.grants.filter(|_| token.of_an_app) else {
        let what = format!("whether it may write ({names}) cannot be told by reading");
        let todo = if token.of_an_app {
            "look at the app's permissions, or at the `permissions` of the workflow"
        } else {
            "look at the token's page; a person's token writes commit statuses in place of check runs"
        };
        return Row::unknown(TOPIC, what, todo);
    };
    let missing: Vec<&str> = wanted.iter().filter(|one| !grants.allows(one.name, true)).map(|one| one.name).collect();
    if missing.is_empty() {
        return Row::good(TOPIC, format!("{names}, as the `permissions` of this job say"));
    }
    let what = format!("the `permissions` of this job do not let it write {}", missing.join(", "));
    Row::bad(TOPIC, what, "see the rows `permissions`")
}

/// <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps>
fn classic(scopes: &str, private: Option<bool>) -> Row {
    let has = |wanted: &str| scopes.split(',').any(|scope| scope.trim() == wanted);
    let shown = if scopes.trim().is_empty() { "no scope".to_owned() } else { format!("scopes {scopes}") };
    let instead = "a person's token cannot write check runs: commit statuses stand in";
    match (has("repo"), has("public_repo"), private) {
        (true, ..) | (_, true, Some(false)) => Row::good(TOPIC, format!("{shown}; {instead}")),
        (false, true, None) => Row::unknown(
            TOPIC,
            format!("{shown}: enough for a public repository; whether this one is could not be read"),
            "give it the scope `repo` if the repository is private",
        ),
        (false, true, Some(true)) => {
            Row::bad(TOPIC, format!("{shown}: not enough for a private repository"), "give it the scope `repo`")
        }
        (false, false, _) => Row::bad(
            TOPIC,
            format!("{shown}: it may not write here"),
            "give it the scope `repo`, or `public_repo` for a public repository",
        ),
    }
}
