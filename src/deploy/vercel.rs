//! `{ vercel = "prj_…" }`: a project at Vercel, deployed from its git commit and rolled back to an earlier deployment.
//! <https://vercel.com/docs/rest-api>

use std::cell::Cell;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::{DeployerRow, FromEnv, Text};
use crate::deploy::host::{Ask, Host, Look, Undone, ask, follow, follow_or_cancel, make, send};
use crate::deploy::{Job, Kind, Ran};
use crate::model::text::one_line;
use crate::world::line::segment;

/// So many times a deployment that is built may be seen without addresses before it is promoted: they follow in a moment.
const PATIENT: u32 = 3;

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
    token: Text<FromEnv>,
    /// The team's id, where the project is a team's.
    team: Option<String>,
    /// Where the API is.
    api: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            vercel: String::new(),
            token: Text::of("env:VERCEL_TOKEN"),
            team: None,
            api: "https://api.vercel.com".to_owned(),
        }
    }
}

struct Vercel(Settings);

impl Host for Vercel {
    fn token(&self) -> &str {
        &self.0.token.0
    }

    async fn create(&self, job: &Job<'_>, token: &str) -> Result<Ran, Undone> {
        let project = self.url(&format!("/v9/projects/{}", segment(&self.0.vercel)));
        let found = ask(job, &Ask { method: "GET", url: &project, token, body: None }).await?;
        let link = &found["link"];
        let Some(repository) = link["repoId"].as_u64() else {
            return Err("the project is not linked to a repository on GitHub, so that no commit can be named"
                .to_owned()
                .into());
        };
        let body = json!({
            "name": found["name"],
            "project": self.0.vercel,
            "target": "production",
            "gitSource": {"type": "github", "repoId": repository, "ref": job.sha.as_str(), "sha": job.sha.as_str()},
            "meta": {"gatepostDeployment": job.id},
        });
        let ask = Ask { method: "POST", url: &self.url("/v13/deployments"), token, body: Some(&body) };
        let id = make(job, &ask, async || self.made_for(job, token).await).await?;
        Ok(self.until_live(job, token, &id).await)
    }

    /// An earlier deployment of the commit is pointed to again: nothing is built.
    async fn roll_back(&self, job: &Job<'_>, token: &str) -> Result<Ran, Undone> {
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
        send(job, &Ask { method: "POST", url: &url, token, body: Some(&json!({})) }).await?;
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

    /// The deployment that was asked for, by what we gave it to carry.
    async fn made_for(&self, job: &Job<'_>, token: &str) -> Result<Option<String>, String> {
        let url = self.url(&format!("/v6/deployments?projectId={}&limit=100", segment(&self.0.vercel)));
        let listed = ask(job, &Ask { method: "GET", url: &url, token, body: None }).await?;
        let ours = |one: &&Value| one["meta"]["gatepostDeployment"] == job.id;
        let found = listed["deployments"].as_array().into_iter().flatten().find(ours);
        Ok(found.and_then(|one| one["uid"].as_str()).map(str::to_owned))
    }

    /// Until it is built and has the project's addresses. After a rollback Vercel gives them to no new deployment by itself: then
    /// it is promoted.
    async fn until_live(&self, job: &Job<'_>, token: &str, id: &str) -> Ran {
        let url = self.url(&format!("/v13/deployments/{}", segment(id)));
        let is_staged = Cell::new(false);
        let mut looks = 0;
        let stop = self.url(&format!("/v12/deployments/{}/cancel", segment(id)));
        let cancel = Ask { method: "PATCH", url: &stop, token, body: None };
        let ran = follow_or_cancel(job, &cancel, async || {
            let found = ask(job, &Ask { method: "GET", url: &url, token, body: None }).await?;
            let state = found["readyState"].as_str();
            Ok(match state {
                Some(end @ ("ERROR" | "CANCELED")) => {
                    let said = found["errorMessage"].as_str().unwrap_or_default();
                    Look::Failed(format!("the deployment {id} ended in {end} {}", one_line(said, 200)))
                }
                Some("READY") if has_addresses(&found) => Look::Done,
                Some("READY") if found["readySubstate"] == "ROLLING" => Look::Going(format!("{id} is ROLLING")),
                Some("READY") => {
                    looks += 1;
                    is_staged.set(looks > PATIENT);
                    if looks > PATIENT { Look::Done } else { Look::Going(format!("{id} is READY, without addresses")) }
                }
                other => Look::Going(format!("{id} is {}", one_line(other.unwrap_or("there"), 40))),
            })
        })
        .await;
        if ran != Ran::Done || !is_staged.get() {
            return ran;
        }
        (job.on_line)(&format!("{id} is READY, and Vercel gives it no addresses by itself: it is promoted"));
        let url = self.url(&format!("/v10/projects/{}/promote/{}", segment(&self.0.vercel), segment(id)));
        match ask(job, &Ask { method: "POST", url: &url, token, body: Some(&json!({})) }).await {
            Ok(_) => self.until_pointed(job, token, id).await,
            Err(why) => Ran::Failed(format!("{id} has no addresses, and could not be promoted: {why}")),
        }
    }

    /// The addresses of the project follow in their own time. That cannot be cancelled: what is pointed to next takes its place.
    async fn until_pointed(&self, job: &Job<'_>, token: &str, id: &str) -> Ran {
        let url = self.url(&format!("/v9/projects/{}", segment(&self.0.vercel)));
        let ran = follow(job, async || {
            let found = ask(job, &Ask { method: "GET", url: &url, token, body: None }).await?;
            let last = &found["lastAliasRequest"];
            Ok(match last["jobStatus"].as_str().filter(|_| last["toDeploymentId"] == id) {
                Some("succeeded") => Look::Done,
                Some(end @ ("failed" | "skipped")) => Look::Failed(format!("pointing to {id} {end}")),
                other => Look::Going(format!("pointing to {id} is {}", one_line(other.unwrap_or("asked for"), 40))),
            })
        });
        match ran.await {
            Ran::Unended(why) => Ran::Failed(why),
            ran => ran,
        }
    }
}

/// Whether the project's addresses lead to a deployment. `aliasAssigned` is `true` or the time of it, and may be so of one that is
/// staged: where `readySubstate` is told, that decides.
fn has_addresses(deployment: &Value) -> bool {
    let assigned = &deployment["aliasAssigned"];
    match deployment["readySubstate"].as_str() {
        Some(state) => state == "PROMOTED",
        None => *assigned == true || assigned.as_u64().is_some_and(|at| at > 0),
    }
}
