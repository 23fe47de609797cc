//! `{ vercel = "prj_…" }`: a project at Vercel, deployed from its git commit and rolled back to an earlier deployment.
//! <https://vercel.com/docs/rest-api>

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::DeployerRow;
use crate::deploy::host::{Ask, Host, Look, ask, follow};
use crate::deploy::{Job, Kind, Ran};
use crate::model::text::one_line;
use crate::world::line::segment;

pub(super) const KIND: Kind = Kind {
    row: DeployerRow::of::<Settings>("vercel", "a project at Vercel, through its API"),
    settle: |own| Ok(Box::new(Vercel(own.read()?))),
};

/// The keys of this deployer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Settings {
    /// The project's id, `prj_…`.
    vercel: String,
    /// The token, as `env:NAME`.
    token: String,
    /// The team's id, where the project is a team's.
    team: Option<String>,
    /// Where the API is.
    api: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            vercel: String::new(),
            token: "env:VERCEL_TOKEN".to_owned(),
            team: None,
            api: "https://api.vercel.com".to_owned(),
        }
    }
}

struct Vercel(Settings);

impl Host for Vercel {
    fn token(&self) -> &str {
        &self.0.token
    }

    async fn create(&self, job: &Job<'_>, token: &str) -> Result<Ran, String> {
        let project = self.url(&format!("/v9/projects/{}", segment(&self.0.vercel)));
        let found = ask(job, &Ask { method: "GET", url: &project, token, body: None }).await?;
        let link = &found["link"];
        let Some(repository) = link["repoId"].as_u64() else {
            return Err(
                "the project is not linked to a repository on GitHub, so that no commit can be named".to_owned()
            );
        };
        let body = json!({
            "name": found["name"],
            "project": self.0.vercel,
            "target": "production",
            "gitSource": {"type": "github", "repoId": repository, "ref": job.sha.as_str(), "sha": job.sha.as_str()},
            "meta": {"gatepostDeployment": job.id},
        });
        let made =
            ask(job, &Ask { method: "POST", url: &self.url("/v13/deployments"), token, body: Some(&body) }).await?;
        let Some(id) = made["id"].as_str() else { return Err("the deployment that was made has no id".to_owned()) };
        Ok(self.until_ready(job, token, id).await)
    }

    /// An earlier deployment of the commit is pointed to again: nothing is built.
    async fn roll_back(&self, job: &Job<'_>, token: &str) -> Result<Ran, String> {
        let project = segment(&self.0.vercel);
        let query = format!("projectId={project}&target=production&state=READY&limit=100");
        let url = self.url(&format!("/v6/deployments?{query}"));
        let listed = ask(job, &Ask { method: "GET", url: &url, token, body: None }).await?;
        let of_commit = |one: &&Value| one["meta"]["githubCommitSha"] == job.sha.as_str();
        let found = listed["deployments"].as_array().into_iter().flatten().find(of_commit);
        let Some(id) = found.and_then(|one| one["uid"].as_str()) else {
            (job.on_line)("Vercel has no deployment of that commit any more: it is deployed anew");
            return self.create(job, token).await;
        };
        let url = self.url(&format!("/v1/projects/{project}/rollback/{}", segment(id)));
        ask(job, &Ask { method: "POST", url: &url, token, body: Some(&json!({})) }).await?;
        (job.on_line)(&format!("pointed to {id}; Vercel promotes nothing by itself until one is promoted"));
        Ok(self.until_pointed(job, token, id).await)
    }
}

impl Vercel {
    fn url(&self, path: &str) -> String {
        let team = self.0.team.as_ref().map_or_else(String::new, |team| format!("teamId={}", segment(team)));
        let join = match (team.is_empty(), path.contains('?')) {
            (true, _) => "",
            (false, true) => "&",
            (false, false) => "?",
        };
        format!("{}{path}{join}{team}", self.0.api.trim_end_matches('/'))
    }

    async fn until_ready(&self, job: &Job<'_>, token: &str, id: &str) -> Ran {
        let url = self.url(&format!("/v13/deployments/{}", segment(id)));
        follow(job, async || {
            let found = ask(job, &Ask { method: "GET", url: &url, token, body: None }).await?;
            Ok(match found["readyState"].as_str() {
                Some("READY") => Look::Done,
                Some(end @ ("ERROR" | "CANCELED")) => {
                    let said = found["errorMessage"].as_str().unwrap_or_default();
                    Look::Failed(format!("the deployment {id} ended in {end} {}", one_line(said, 200)))
                }
                other => Look::Going(format!("{id} is {}", one_line(other.unwrap_or("there"), 40))),
            })
        })
        .await
    }

    /// The addresses of the project follow in their own time.
    async fn until_pointed(&self, job: &Job<'_>, token: &str, id: &str) -> Ran {
        let url = self.url(&format!("/v9/projects/{}", segment(&self.0.vercel)));
        follow(job, async || {
            let found = ask(job, &Ask { method: "GET", url: &url, token, body: None }).await?;
            let last = &found["lastAliasRequest"];
            Ok(match last["jobStatus"].as_str().filter(|_| last["toDeploymentId"] == id) {
                Some("succeeded") => Look::Done,
                Some(end @ ("failed" | "skipped")) => Look::Failed(format!("pointing to {id} {end}")),
                other => Look::Going(format!("pointing to {id} is {}", one_line(other.unwrap_or("asked for"), 40))),
            })
        })
        .await
    }
}
