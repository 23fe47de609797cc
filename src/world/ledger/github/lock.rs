//! Locks as git references: a branch whose newest commit says who holds the environment. Every change is a commit on top of
//! the one that was seen, so that GitHub itself refuses the slower of two.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Hub;
use crate::model::deployment::Holder;
use crate::model::environments::EnvironmentName;
use crate::world::forge::{Forge, Method, Request};
use crate::world::github::GitHub;
use crate::world::ledger::{Held, LedgerError};
use crate::world::line::answer::{Answer, Stop};
use crate::world::line::{Creation, Kind, Line, Missing};

/// How long a lock that was given back may take to be deleted: less than the time after which others take it.
const VANISHES: Duration = Duration::from_secs(30);
/// GitHub's words where another one has made, moved or deleted the branch.
const RACES: [&str; 3] = ["Reference already exists", "not a fast forward", "Reference does not exist"];
/// The one file of a lock's tree, for people.
const FILE: &str = "lock.json";

#[derive(Debug, Default, Deserialize)]
struct Named {
    sha: String,
}

#[derive(Debug, Default, Deserialize)]
struct Reference {
    object: Named,
}

#[derive(Debug, Deserialize)]
struct Commit {
    message: String,
}

fn reference(environment: &EnvironmentName) -> String {
    format!("heads/gatepost/locks/{environment}")
}

impl Hub {
    /// See [`super::super::Ledger::lock`].
    ///
    /// # Errors
    /// When it was not got, or says nothing that we understand.
    pub async fn lock(&mut self, environment: &EnvironmentName) -> Result<Option<Held>, LedgerError> {
        let line = self.line();
        let Some(version) = tip(line, environment).await? else { return Ok(None) };
        let commit: Commit = line.read(line.path(&format!("/git/commits/{version}"))).await?;
        let text = commit.message.split_once("\n\n").map_or("", |(_, text)| text);
        let holder = serde_json::from_str(text).map_err(|error| {
            let what = format!("the branch gatepost/locks/{environment} is no lock of gatepost's ({error})");
            LedgerError::Unexpected(format!("{what}; delete it if nothing is being deployed"))
        })?;
        Ok(Some(Held { holder, version }))
    }

    /// See [`super::super::Ledger::swap`].
    ///
    /// # Errors
    /// When it is not known who was quicker, or GitHub refuses the branch by a rule.
    pub async fn swap(
        &mut self,
        environment: &EnvironmentName,
        over: Option<&Held>,
        holder: &Holder,
    ) -> Result<Option<Held>, LedgerError> {
        let version = self.commit(environment, over, holder).await?;
        let line = self.line();
        let done = match over {
            None => line.create(&Claim { environment, version: &version }).await.map(|_| ()),
            Some(_) => advance(line, environment, &version).await,
        };
        match done {
            Ok(()) => Ok(Some(Held { holder: holder.clone(), version })),
            // Somebody was quicker; or the reply to our own try was lost before; or a rule forbids it.
            Err(stop) if stop.refused_with(422).is_some() => {
                let now = tip(line, environment).await?;
                if now.as_ref() == Some(&version) {
                    return Ok(Some(Held { holder: holder.clone(), version }));
                }
                let has_moved = now.as_deref() != over.map(|held| held.version.as_str());
                if has_moved || is_race(&stop) { Ok(None) } else { Err(stop.into()) }
            }
            Err(stop) => Err(stop.into()),
        }
    }

    /// See [`super::super::Ledger::free`].
    ///
    /// # Errors
    /// When it is not known.
    pub async fn free(&mut self, environment: &EnvironmentName, held: &Held) -> Result<bool, LedgerError> {
        // Deleting has no condition: first the lock becomes one that nobody takes for a minute.
        let released = Holder { released: true, heard: crate::world::clock::now().to_string(), ..held.holder.clone() };
        let Some(ours) = self.swap(environment, Some(held), &released).await? else { return Ok(false) };
        let line = self.line();
        line.allow_more(VANISHES);
        let path = line.path(&format!("/git/refs/{}", reference(environment)));
        let request = Request { method: Method::Delete, path, body: None };
        let mut tries = 0;
        loop {
            let why = match line.attempt(&request, Kind::Write, Missing::Gone).await? {
                Answer::Done(_) => return Ok(true),
                // "Reference does not exist": it is done.
                Answer::Stopped(stop) if is_race(&stop) || stop.refused_with(404).is_some() => return Ok(true),
                Answer::Stopped(stop) => {
                    let stands = tip(line, environment).await?.is_some_and(|now| now == ours.version);
                    return if stands { Err(stop.into()) } else { Ok(true) };
                }
                Answer::NotSent(why) | Answer::Unknown(why) => why,
            };
            line.back_off(&mut tries, why).await?;
            // It may be done, and another's by now.
            if tip(line, environment).await?.is_none_or(|now| now != ours.version) {
                return Ok(true);
            }
        }
    }

    /// A commit that says who holds the lock, in its message: its tree shows to people who took it. Made twice, one of
    /// the two is never seen.
    async fn commit(
        &mut self,
        environment: &EnvironmentName,
        over: Option<&Held>,
        holder: &Holder,
    ) -> Result<String, LedgerError> {
        let text = serde_json::to_string_pretty(holder).map_err(|error| LedgerError::Unexpected(error.to_string()))?;
        let known = self.tree.clone().filter(|(nonce, _)| *nonce == holder.nonce);
        let tree = if let Some((_, tree)) = known {
            tree
        } else {
            let file = json!({"path": FILE, "mode": "100644", "type": "blob", "content": text});
            object(self.line(), "/git/trees", json!({"tree": [file]})).await?
        };
        self.tree = Some((holder.nonce.clone(), tree.clone()));
        let word = if holder.released { "Unlock" } else { "Lock" };
        let parents: Vec<&str> = over.iter().map(|held| held.version.as_str()).collect();
        let message = format!("{word} {environment}\n\n{text}");
        let body = json!({"message": message, "tree": tree, "parents": parents});
        Ok(object(self.line(), "/git/commits", body).await?)
    }
}

/// Whether GitHub refused because another was quicker. A rule of the repository refuses with the same status.
fn is_race(stop: &Stop) -> bool {
    stop.refused_with(422).is_some_and(|words| RACES.iter().any(|race| words.contains(race)))
}

/// The commit that the lock's branch is at.
async fn tip(line: &mut Line<GitHub>, environment: &EnvironmentName) -> Result<Option<String>, Stop> {
    let path = line.path(&format!("/git/ref/{}", reference(environment)));
    match line.read::<Reference>(path).await {
        Ok(found) => Ok(Some(found.object.sha)),
        Err(stop) if stop.refused_with(404).is_some() => Ok(None),
        Err(stop) => Err(stop),
    }
}

async fn object(line: &mut Line<GitHub>, place: &str, body: Value) -> Result<String, Stop> {
    let request = Request { method: Method::Post, path: line.path(place), body: Some(body) };
    let reply = line.repeat(&request, Kind::Write, Missing::Gone).await?;
    let made: Named = serde_json::from_slice(&reply.body).map_err(|error| Stop::Failed(error.to_string()))?;
    Ok(made.sha)
}

/// Moves the branch forward: refused where it is not at the parent any more.
async fn advance(line: &mut Line<GitHub>, environment: &EnvironmentName, version: &str) -> Result<(), Stop> {
    let path = line.path(&format!("/git/refs/{}", reference(environment)));
    let body = json!({"sha": version, "force": false});
    let request = Request { method: Method::Patch, path, body: Some(body) };
    let mut tries = 0;
    loop {
        match line.attempt(&request, Kind::Write, Missing::NotYet).await? {
            Answer::Done(_) => return Ok(()),
            Answer::Stopped(stop) => return Err(stop),
            Answer::NotSent(why) => line.back_off(&mut tries, why).await?,
            Answer::Unknown(why) => {
                let left = line.back_off(&mut tries, why).await;
                if tip(line, environment).await?.as_deref() == Some(version) {
                    return Ok(());
                }
                left?;
            }
        }
    }
}

/// The branch that is to be made: there is one, whoever makes it.
struct Claim<'a> {
    environment: &'a EnvironmentName,
    version: &'a str,
}

impl Creation for Claim<'_> {
    type Made = Reference;

    fn request(&self, root: &str) -> Request {
        let name = format!("refs/{}", reference(self.environment));
        let body = json!({"ref": name, "sha": self.version});
        Request { method: Method::Post, path: format!("{root}/git/refs"), body: Some(body) }
    }

    fn kind(&self) -> Kind {
        Kind::Write
    }

    async fn find<F: Forge>(&self, line: &mut Line<F>) -> Result<Option<Reference>, Stop> {
        let path = line.path(&format!("/git/ref/{}", reference(self.environment)));
        match line.read::<Reference>(path).await {
            Ok(found) => Ok(Some(found).filter(|found| found.object.sha == self.version)),
            Err(stop) if stop.refused_with(404).is_some() => Ok(None),
            Err(stop) => Err(stop),
        }
    }
}
