//! What GitHub says: whether the token is one, what it can read, and what the default branch requires. Reads alone.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::app::Failure;
use crate::model::diagnosis::Row;
use crate::model::event::Occasion;
use crate::model::secret::Secret;
use crate::model::settings::{Checks, CommentWhen, PublishSettings};
use crate::model::sha::Sha;
use crate::model::text::one_line;
use crate::setup::permissions;
use crate::setup::required::{Protection, Required};
use crate::setup::token::{self, Token};
use crate::setup::workflow::{Grants, Workflow};
use crate::world::env::Env;
use crate::world::forge::{Forge as _, Reply, Request};
use crate::world::github::{API, GitHub};
use crate::world::line::segment;
use crate::world::repo::Repo;

/// More pages of rules or checks than a branch has.
const MOST_PAGES: usize = 20;
const REQUIRED: &str = "required check";

/// The repository on GitHub, as far as it can be reached.
pub struct Remote {
    repository: Option<String>,
    branch: Option<String>,
    api: Option<GitHub>,
    of_an_app: bool,
}

/// What it told.
#[derive(Default)]
pub struct Told {
    /// Of the token, and of what could not be read.
    pub rows: Vec<Row>,
    /// What the default branch requires; `None` where it could not be read at all.
    pub protection: Option<Protection>,
    /// Whether the repository is private, where that is known.
    pub private: Option<bool>,
}

#[derive(Deserialize)]
struct Repository {
    private: bool,
    default_branch: String,
}

#[derive(Deserialize)]
struct Rule {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    parameters: Parameters,
}

#[derive(Default, Deserialize)]
struct Parameters {
    #[serde(default)]
    required_status_checks: Vec<RuledCheck>,
}

#[derive(Deserialize)]
struct RuledCheck {
    context: String,
    integration_id: Option<i64>,
}

#[derive(Deserialize)]
struct Branch {
    protection: Option<BranchProtection>,
}

#[derive(Deserialize)]
struct BranchProtection {
    enabled: Option<bool>,
    required_status_checks: Option<ProtectedChecks>,
}

#[derive(Deserialize)]
struct ProtectedChecks {
    #[serde(default)]
    contexts: Vec<String>,
    #[serde(default)]
    checks: Vec<ProtectedCheck>,
}

#[derive(Deserialize)]
struct ProtectedCheck {
    context: String,
    app_id: Option<i64>,
}

#[derive(Deserialize)]
struct CheckRuns {
    check_runs: Vec<CheckRun>,
}

#[derive(Deserialize)]
struct CheckRun {
    name: String,
    app: Option<App>,
}

#[derive(Deserialize)]
struct App {
    id: Option<u64>,
}

#[derive(Deserialize)]
struct Statuses {
    statuses: Vec<Status>,
}

#[derive(Deserialize)]
struct Status {
    context: String,
}

#[derive(Deserialize)]
struct Comparison {
    merge_base_commit: Commit,
}

#[derive(Deserialize)]
struct Commit {
    sha: Sha,
}

impl Remote {
    /// Finds out which repository on GitHub this is, and with what it can be read. Sends nothing.
    ///
    /// # Errors
    /// With exit code 2 when the API's address is none.
    pub fn open(repo: &Repo, occasion: &Occasion, env: &Env) -> Result<Self, Failure> {
        let named = occasion.repository.clone().or_else(|| env.get("GITHUB_REPOSITORY").map(str::to_owned));
        let given = env.get("GITHUB_API_URL");
        // A repository of this name on another host would be another one.
        let here = given.is_some() || repo.origin_url()?.is_some_and(|url| url.contains("github.com"));
        let repository = match named {
            None if here => repo.origin_repository()?,
            known => known,
        };
        let token = ["GITHUB_TOKEN", "GH_TOKEN"].iter().find_map(|name| env.get(name)).filter(|_| repository.is_some());
        let open = |token: &str| {
            GitHub::new(given.unwrap_or(API), Secret::new(token.to_owned()))
                .map_err(|error| Failure::usage(error.to_string()))
        };
        Ok(Self {
            repository,
            branch: repo.default_branch_name()?,
            of_an_app: token.is_some_and(|token| token.starts_with("ghs_")),
            api: token.map(open).transpose()?,
        })
    }

    /// Whether this is known to be a repository on GitHub.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        self.repository.is_some()
    }

    /// The merge base of two commits as GitHub knows it.
    ///
    /// # Errors
    /// The reason it could not be told.
    pub async fn merge_base(&self, base: &Sha, head: &Sha) -> Result<Sha, String> {
        let path = format!("/compare/{}...{}?per_page=1", base.as_str(), head.as_str());
        let (found, _) = self.read::<Comparison>(&path).await.map_err(|refusal| refusal.why)?;
        Ok(found.merge_base_commit.sha)
    }

    /// Reads everything.
    pub async fn look(
        &mut self,
        publish: &PublishSettings,
        occasion: &Occasion,
        workflows: &[Workflow],
        env: &Env,
    ) -> Told {
        let Some(repository) = self.repository.clone() else {
            let what = "no repository on GitHub is known: origin is none, and GITHUB_REPOSITORY is not set";
            let rows = vec![Row::needless("token", what), Row::needless(REQUIRED, what)];
            return Told { rows, ..Told::default() };
        };
        if self.api.is_none() {
            return Told { rows: without_token(occasion.on_actions, &repository), ..Told::default() };
        }
        let (seen, reply) = match self.read::<Repository>("").await {
            Ok(seen) => seen,
            Err(refusal) => return Told { rows: refusal.rows(&repository), ..Told::default() },
        };
        let kind = if seen.private { "private" } else { "public" };
        let mut told = Told { private: Some(seen.private), ..Told::default() };
        told.rows.push(Row::good("token", format!("GitHub knows it, and it can read {repository} ({kind})")));
        let token = Token {
            of_an_app: self.of_an_app,
            scopes: reply.scopes.as_deref(),
            of_a_fork: !occasion.trusted,
            grants: own_grants(workflows, env),
            private: told.private,
        };
        told.rows.push(token::row(&token, &permissions::of_a_run(publish)));
        self.branch = Some(seen.default_branch);
        let seen = self.checks(publish, &mut told.rows).await;
        if publish.comment != CommentWhen::Off
            && let Err(refusal) = self.read::<serde::de::IgnoredAny>("/pulls?per_page=1").await
        {
            told.rows.push(refusal.of_reading("pull requests", "pull-requests: write"));
        }
        let protection = self.protection(&mut told.rows).await;
        told.protection = Some(Protection { seen, ..protection });
        told
    }

    /// The checks on the last commit of the default branch.
    async fn checks(&self, publish: &PublishSettings, rows: &mut Vec<Row>) -> Option<Vec<(String, Option<u64>)>> {
        let path = format!("/commits/{}/check-runs?per_page=100", self.encoded_branch());
        match self.pages::<CheckRuns>(&path).await {
            Ok(pages) => {
                let runs = pages.into_iter().flat_map(|page| page.check_runs);
                let mut seen: Vec<_> = runs.map(|run| (run.name, run.app.and_then(|app| app.id))).collect();
                // A status satisfies a rule as a check run does. A token for gates need not be able to read them.
                let path = format!("/commits/{}/status?per_page=100", self.encoded_branch());
                let pages = self.pages::<Statuses>(&path).await.unwrap_or_default();
                seen.extend(pages.into_iter().flat_map(|page| page.statuses).map(|one| (one.context, None)));
                Some(seen)
            }
            Err(refusal) => {
                rows.extend((publish.checks != Checks::Off).then(|| refusal.of_reading("check runs", "checks: write")));
                None
            }
        }
    }

    /// What rulesets and the branch's own protection require together.
    async fn protection(&self, rows: &mut Vec<Row>) -> Protection {
        let branch = self.branch.clone().unwrap_or_default();
        let mut protection = Protection { branch: branch.clone(), whole: true, ..Protection::default() };
        let encoded = self.encoded_branch();
        let mut unread = |what: &str, refusal: &Refusal| {
            let what = format!("{what} of {branch} could not be read: {}", refusal.why);
            rows.push(Row::unknown(
                REQUIRED,
                what,
                "give a token that may read it, or look in the repository's settings",
            ));
        };
        // The merge queue of a branch's own protection cannot be seen.
        let mut queue = match self.read::<Branch>(&format!("/branches/{encoded}")).await {
            Ok((Branch { protection: Some(found) }, _)) => {
                protection
                    .required
                    .extend(found.required_status_checks.into_iter().flat_map(ProtectedChecks::required));
                (found.enabled == Some(false)).then_some(false)
            }
            Ok((Branch { protection: None }, _)) => {
                unread("the protection", &Refusal::of("GitHub does not show it to this token"));
                protection.whole = false;
                None
            }
            Err(refusal) => {
                unread("the protection", &refusal);
                protection.whole = false;
                None
            }
        };
        match self.pages::<Vec<Rule>>(&format!("/rules/branches/{encoded}?per_page=100")).await {
            Ok(pages) => {
                for rule in pages.into_iter().flatten() {
                    if rule.kind == "merge_queue" {
                        queue = Some(true);
                    }
                    let checks = rule.parameters.required_status_checks.into_iter();
                    protection.required.extend(checks.map(|check| Required {
                        context: check.context,
                        app: check.integration_id.and_then(|id| u64::try_from(id).ok()),
                    }));
                }
            }
            Err(refusal) => {
                unread("the rulesets", &refusal);
                protection.whole = false;
                queue = None;
            }
        }
        protection.merge_queue = queue;
        protection
    }

    fn encoded_branch(&self) -> String {
        segment(self.branch.as_deref().unwrap_or_default())
    }

    /// Reads a thing of the repository.
    async fn read<T: DeserializeOwned>(&self, below: &str) -> Result<(T, Reply), Refusal> {
        let Some(repository) = &self.repository else { return Err(Refusal::of("no repository is known")) };
        let encoded: Vec<String> = repository.split('/').map(segment).collect();
        self.get(format!("/repos/{}{below}", encoded.join("/"))).await
    }

    async fn pages<T: DeserializeOwned>(&self, below: &str) -> Result<Vec<T>, Refusal> {
        let (first, mut reply) = self.read::<T>(below).await?;
        let mut pages = vec![first];
        while let Some(next) = reply.next.take() {
            if pages.len() == MOST_PAGES {
                return Err(Refusal::of("there are more pages than any branch should have"));
            }
            let (page, further) = self.get::<T>(next).await?;
            pages.push(page);
            reply = further;
        }
        Ok(pages)
    }

    async fn get<T: DeserializeOwned>(&self, path: String) -> Result<(T, Reply), Refusal> {
        let Some(api) = &self.api else { return Err(Refusal::of("there is no token")) };
        let request = Request::get(path);
        let reply = api.send(&request).await.map_err(|error| Refusal { status: None, why: error.to_string() })?;
        let text = String::from_utf8_lossy(&reply.body);
        if reply.status != 200 {
            let said: Result<serde_json::Value, _> = serde_json::from_slice(&reply.body);
            let said = said.ok().and_then(|said| said["message"].as_str().map(str::to_owned));
            let said = one_line(&said.unwrap_or_else(|| text.into_owned()), 200);
            return Err(Refusal {
                status: Some(reply.status),
                why: format!("GitHub answers {}: {said}", reply.status),
            });
        }
        match serde_json::from_slice(&reply.body) {
            Ok(found) => Ok((found, reply)),
            Err(error) => {
                Err(Refusal { status: None, why: format!("{} is not what it should be: {error}", request.path) })
            }
        }
    }
}

impl ProtectedChecks {
    /// `contexts` names the same checks as `checks`, without their apps.
    fn required(self) -> Vec<Required> {
        let known: Vec<Required> = self
            .checks
            .into_iter()
            // -1 is any app.
            .map(|check| Required { context: check.context, app: check.app_id.and_then(|id| u64::try_from(id).ok()) })
            .collect();
        let others = self.contexts.into_iter().filter(|context| !known.iter().any(|one| one.context == *context));
        let others: Vec<Required> = others.map(|context| Required { context, app: None }).collect();
        known.into_iter().chain(others).collect()
    }
}

/// What the job in which this runs is granted, as its workflow says.
fn own_grants<'a>(workflows: &'a [Workflow], env: &Env) -> Option<&'a Grants> {
    // `octo/shop/.github/workflows/ci.yml@refs/heads/main`
    let path = env.get("GITHUB_WORKFLOW_REF")?.split('@').next()?;
    let workflow = workflows.iter().find(|workflow| path.ends_with(&format!("/{}", workflow.path)))?;
    let id = env.get("GITHUB_JOB")?;
    workflow.jobs.iter().find(|job| job.id == id)?.grants.as_ref()
}

fn without_token(on_actions: bool, repository: &str) -> Vec<Row> {
    let token = if on_actions {
        Row::bad("token", "there is none in this step", "set `env: GITHUB_TOKEN: ${{ github.token }}` on it")
    } else {
        Row::needless("token", "none is set; from here nothing is posted unless `run --publish always` asks for it")
    };
    let what = format!("what {repository} requires was not read: there is no token");
    vec![token, Row::unknown(REQUIRED, what, "set GITHUB_TOKEN to a token that may read the repository")]
}

/// Why something was not read.
struct Refusal {
    status: Option<u16>,
    why: String,
}

impl Refusal {
    fn of(why: &str) -> Self {
        Self { status: None, why: why.to_owned() }
    }

    /// The repository itself was not read.
    fn rows(&self, repository: &str) -> Vec<Row> {
        let token = match self.status {
            Some(401) => Row::bad("token", self.why.clone(), "it is wrong or has expired: make a new one"),
            Some(403 | 404) => {
                let what = format!("it cannot see {repository}: {}", self.why);
                Row::bad("token", what, "give it access to the repository, or mend GITHUB_REPOSITORY or origin")
            }
            _ => Row::unknown("token", self.why.clone(), "try again later"),
        };
        let what = format!("what {repository} requires was not read: see the row `token`");
        vec![token, Row::unknown(REQUIRED, what, "mend the token first")]
    }

    /// What cannot even be read cannot be written.
    fn of_reading(&self, what: &str, permission: &str) -> Row {
        let what = format!("{what} could not be read: {}", self.why);
        match self.status {
            Some(403 | 404) => Row::bad("token rights", what, format!("give the token `{permission}`")),
            _ => Row::unknown("token rights", what, "try again later"),
        }
    }
}
