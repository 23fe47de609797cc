//! `{ webhook = "env:URL" }`: somebody else deploys, and is told by a signed request. That it was taken says nothing of
//! what becomes of it: the version that answers does.

use std::pin::Pin;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::config::{DeployerRow, FromEnv, Text};
use crate::deploy::host::{secret, variable};
use crate::deploy::{Deployer, Ground, Job, Kind, Ran};
use crate::model::text::one_line;
use crate::world::clock;
use crate::world::http::{Exchange, Http};

/// Before further tries: the receiver knows a delivery by its id.
const AGAIN: [u64; 3] = [1, 4, 9];
const TIMEOUT: Duration = Duration::from_secs(15);

pub(super) const KIND: Kind = Kind {
    row: DeployerRow::of::<Settings>("webhook", "a signed request to somebody who deploys in their own time"),
    settle: |own| Ok(Box::new(Webhook(own.read()?))),
};

/// The keys of this deployer.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Settings {
    /// Where it goes, as `env:NAME` or an address without a secret in it.
    webhook: String,
    /// What it is signed with, as `env:NAME`: HMAC-SHA256 over the time, a dot and the body, in `x-gatepost-signature`.
    #[schemars(with = "Text<FromEnv>")]
    secret: Option<Text<FromEnv>>,
}

struct Webhook(Settings);

impl Deployer for Webhook {
    fn ground(&self) -> Ground {
        Ground::None
    }

    fn secrets(&self) -> Vec<String> {
        let all = std::iter::once(&self.0.webhook).chain(self.0.secret.as_ref().map(|secret| &secret.0));
        all.filter_map(|reference| variable(reference)).map(str::to_owned).collect()
    }

    fn deploy<'a>(&'a self, job: Job<'a>) -> Pin<Box<dyn Future<Output = Ran> + 'a>> {
        Box::pin(async move {
            tokio::select! {
                sent = self.send(&job) => sent.map_or_else(Ran::Failed, |()| Ran::Accepted),
                by = job.cancel.cancelled() => Ran::Interrupted(by.to_string()),
            }
        })
    }
}

impl Webhook {
    async fn send(&self, job: &Job<'_>) -> Result<(), String> {
        let url = match variable(&self.0.webhook) {
            Some(_) => secret(job, &self.0.webhook)?,
            None => self.0.webhook.clone(),
        };
        let body = json!({
            "schema": "gatepost.webhook/v1",
            "deployment": job.id,
            "environment": job.environment.name.as_str(),
            "role": job.role.word(),
            "sha": job.sha.as_str(),
            "ref": job.reference,
        })
        .to_string();
        let time = clock::now().as_second().to_string();
        let mut headers = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            // The same however often it is sent.
            ("x-gatepost-delivery".to_owned(), format!("{}-{}-{}", job.environment.name, job.id, job.role.word())),
            ("x-gatepost-timestamp".to_owned(), time.clone()),
        ];
        if let Some(reference) = &self.0.secret {
            let signature = sign(&secret(job, &reference.0)?, &time, &body);
            headers.push(("x-gatepost-signature".to_owned(), format!("sha256={signature}")));
        }
        let mut waits = AGAIN.iter();
        loop {
            let (may_pass, why) = match once(job.http, &url, &headers, &body).await {
                Ok(()) => return Ok(()),
                Err(wrong) => wrong,
            };
            let Some(wait) = waits.next().filter(|_| may_pass) else { return Err(why) };
            (job.on_line)(&format!("{why}; trying again"));
            tokio::time::sleep(Duration::from_secs(*wait)).await;
        }
    }
}

/// The address may hold a secret: it is not named. A redirect is not followed, so that nothing signed goes elsewhere.
async fn once(http: &Http, url: &str, headers: &[(String, String)], body: &str) -> Result<(), (bool, String)> {
    let body = Some(body.as_bytes().to_vec());
    let exchange = Exchange { method: "POST", url, headers, body, timeout: TIMEOUT, limit: 1 << 20 };
    let answered = http.exchange(&exchange).await.map_err(|error| {
        let why = error.to_string().replace(url, "the webhook");
        (true, why)
    })?;
    match answered.status {
        200..=299 => Ok(()),
        status => {
            let said = one_line(&String::from_utf8_lossy(&answered.body), 200);
            Err((matches!(status, 408 | 425 | 429 | 500..=599), format!("the webhook was answered {status}: {said}")))
        }
    }
}

/// HMAC-SHA256 over the time, a dot and the body, in hex.
fn sign(secret: &str, time: &str, body: &str) -> String {
    use std::fmt::Write as _;

    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
    let signature = ring::hmac::sign(&key, format!("{time}.{body}").as_bytes());
    signature.as_ref().iter().fold(String::new(), |mut out, byte| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_what_others_make_of_it() {
        // printf '1700000000.{}' | openssl dgst -sha256 -hmac key
        let signed = sign("key", "1700000000", "{}");
        assert_eq!(signed.len(), 64);
        assert_ne!(signed, sign("key", "1700000001", "{}"));
        assert_ne!(signed, sign("other", "1700000000", "{}"));
        assert_eq!(signed, "9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae");
    }
}
