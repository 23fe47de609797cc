//! `{ render = "srv-…" }`: a service at Render, deployed by its commit and rolled back to an earlier deploy.
//! <https://api-docs.render.com>

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::{DeployerRow, FromEnv, Text};
use crate::deploy::host::{Ask, Host, Look, Undone, ask, follow_or_cancel, make};
use crate::deploy::{Job, Kind, Ran};
use crate::model::text::one_line;
use crate::world::line::segment;

pub(super) const KIND: Kind = Kind {
    row: DeployerRow::of::<Settings>("render", "a service at Render, through its API"),
    settle: |own| Ok(Box::new(Render(own.read()?))),
};

/// The keys of this deployer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Settings {
    /// The service's id, `srv-…`.
    render: String,
    /// The key, as `env:NAME`.
    token: Text<FromEnv>,
    /// Where the API is.
    api: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self { render: String::new(), token: Text::of("env:RENDER_API_KEY"), api: "https://api.render.com".to_owned() }
    }
}

struct Render(Settings);

impl Host for Render {
    fn token(&self) -> &str {
        &self.0.token.0
    }

    async fn create(&self, job: &Job<'_>, token: &str) -> Result<Ran, Undone> {
        let body = json!({"commitId": job.sha.as_str()});
        let ask = Ask { method: "POST", url: &self.url("/deploys"), token, body: Some(&body) };
        let id = make(job, &ask, async || self.newest(job, token).await).await?;
        Ok(self.until_live(job, token, &id).await)
    }

    async fn roll_back(&self, job: &Job<'_>, token: &str) -> Result<Ran, Undone> {
        let url = self.url("/deploys?limit=100");
        let listed = ask(job, &Ask { method: "GET", url: &url, token, body: None }).await?;
        let was_live = |one: &&Value| {
            let deploy = &one["deploy"];
            deploy["commit"]["id"] == job.sha.as_str()
                && ["live", "deactivated"].iter().any(|end| deploy["status"] == *end)
        };
        let found = listed.as_array().into_iter().flatten().find(was_live);
        let Some(id) = found.and_then(|one| one["deploy"]["id"].as_str()) else {
            (job.on_line)("Render has no deploy of that commit any more: it is deployed anew");
            return self.create(job, token).await;
        };
        let body = json!({"deployId": id});
        let back = Ask { method: "POST", url: &self.url("/rollback"), token, body: Some(&body) };
        let made = match make(job, &back, async || self.newest(job, token).await).await {
            Err(undone) if !undone.perhaps => return Err(undone),
            made => made,
        };
        // The next push would bring the bad commit back.
        let off = json!({"autoDeploy": "no"});
        match ask(job, &Ask { method: "PATCH", url: &self.url(""), token, body: Some(&off) }).await {
            Ok(_) => (job.on_line)(
                "Render's deploys on every push were switched off: switch them on again when it is mended",
            ),
            Err(why) => (job.on_line)(&format!("Render's deploys on every push could not be switched off: {why}")),
        }
        Ok(self.until_live(job, token, &made?).await)
    }
}

impl Render {
    fn url(&self, rest: &str) -> String {
        format!("{}/v1/services/{}{rest}", self.0.api.trim_end_matches('/'), segment(&self.0.render))
    }

    /// The newest deploy of all, where that is one of the commit, and may be the one that was asked for.
    async fn newest(&self, job: &Job<'_>, token: &str) -> Result<Option<String>, String> {
        let url = self.url("/deploys?limit=100");
        let listed = ask(job, &Ask { method: "GET", url: &url, token, body: None }).await?;
        let deploy = &listed[0]["deploy"];
        let status = deploy["status"].as_str().unwrap_or_default();
        let has_failed = status.ends_with("failed") || ["deactivated", "canceled"].contains(&status);
        let id = deploy["id"].as_str().filter(|_| deploy["commit"]["id"] == job.sha.as_str() && !has_failed);
        Ok(id.map(str::to_owned))
    }

    async fn until_live(&self, job: &Job<'_>, token: &str, id: &str) -> Ran {
        let url = self.url(&format!("/deploys/{}", segment(id)));
        let stop = format!("{url}/cancel");
        let cancel = Ask { method: "POST", url: &stop, token, body: None };
        follow_or_cancel(job, &cancel, async || {
            let found = ask(job, &Ask { method: "GET", url: &url, token, body: None }).await?;
            let status = one_line(found["status"].as_str().unwrap_or("there"), 40);
            Ok(match status.as_str() {
                "live" => Look::Done,
                "deactivated" | "canceled" => Look::Failed(format!("the deploy {id} was {status}")),
                end if end.ends_with("failed") => Look::Failed(format!("the deploy {id} ended in {end}")),
                _ => Look::Going(format!("{id} is {status}")),
            })
        })
        .await
    }
}
