//! `gatepost status`: what is live where, how it is, who holds the lock, and what waits between. It only reads.

use std::time::Duration;

use crate::app::site::{Site, Start};
use crate::app::{Failure, herald, way_back};
use crate::config::Environment;
use crate::deploy::lock;
use crate::deploy::tally::Round;
use crate::deploy::verify::Sight;
use crate::model::deployment::{Record, live, surely_live};
use crate::model::environments::Pacing;
use crate::model::rollout::Traffic;
use crate::render::environments::{self, Shown};
use crate::world::clock;
use crate::world::env::Env;

/// How long one environment may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// The most commits that are counted between two environments.
const MOST: usize = 1000;

/// How an environment answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Nothing is live, or nothing is configured to look at.
    Unknown(String),
    /// Everything is as it should be.
    Healthy,
    /// It is not.
    Unhealthy(String),
}

/// One environment.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// What is live there.
    pub live: Option<Record>,
    /// Nothing was begun over it, or it was seen to answer since.
    pub is_sure: bool,
    /// The newest deployment, where that is another one.
    pub newest: Option<Record>,
    /// How it answers.
    pub health: Health,
    /// Who holds the lock.
    pub lock: Option<String>,
    /// For how many seconds that is live.
    pub age: Option<i64>,
    /// Against what it is compared (`HEAD`, the environment before it), and what waits there: commits, migrations.
    pub waiting: Option<Waiting>,
}

/// What is not there yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// In what it is.
    pub from: String,
    /// Their subjects, newest first.
    pub commits: Vec<String>,
    /// The files of migrations among them.
    pub migrations: Vec<String>,
}

impl Row {
    /// As it is shown.
    #[must_use]
    pub fn shown(&self) -> Shown<'_> {
        Shown {
            name: &self.name,
            live: self.live.as_ref(),
            is_sure: self.is_sure,
            newest: self.newest.as_ref(),
            health: match &self.health {
                Health::Unknown(why) => ("unknown", why.as_str()),
                Health::Healthy => ("healthy", ""),
                Health::Unhealthy(why) => ("unhealthy", why.as_str()),
            },
            lock: self.lock.as_deref(),
            age: self.age,
            waiting: self.waiting.as_ref().map(|waiting| (waiting.from.as_str(), waiting.commits.as_slice())),
            migrations: self.waiting.as_ref().map(|waiting| waiting.migrations.as_slice()).unwrap_or_default(),
        }
    }
}

/// Looks at the named environments, or at all.
///
/// # Errors
/// When the ledger could not be read.
pub async fn status(start: &Start, only: Option<&str>, env: &Env) -> Result<Vec<Row>, Failure> {
    let mut site = Site::open(start, env).await?;
    let environments = match only {
        Some(name) => vec![site.environment(name)?],
        None => site.config.environments.clone(),
    };
    let mut rows = Vec::new();
    for environment in environments {
        rows.push(row(&mut site, &environment).await?);
    }
    let shown: Vec<Shown<'_>> = rows.iter().map(Row::shown).collect();
    if let Some(why) = herald::summarize(&site, &environments::markdown(&shown)) {
        tracing::warn!("the job's summary could not be written: {why}");
    }
    Ok(rows)
}

async fn row(site: &mut Site, environment: &Environment) -> Result<Row, Failure> {
    let settings = &environment.settings;
    let records = site.ledger.records(&settings.name).await?;
    let doubt = surely_live(&records).err().filter(|_| live(&records).is_some());
    let live = live(&records).cloned();
    let newest = records.iter().find(|record| record.payload.is_some());
    let newest = newest.filter(|newest| live.as_ref().is_none_or(|live| live.id != newest.id)).cloned();
    let held = site.ledger.lock(&settings.name).await?;
    let lock = match held {
        None => None,
        Some(held) => {
            let me = site.me(settings.lease);
            let dead = matches!(lock::look(&mut site.ledger, &held.holder, &me).await, lock::Standing::Free(_));
            Some(format!("{}{}", lock::words(&held.holder), if dead { ", which is dead" } else { "" }))
        }
    };
    // While traffic is divided either of the two may answer.
    let is_divided =
        |record: &Record| record.is_open() && matches!(record.traffic(), Traffic::At(_) | Traffic::Paused(_));
    let whole = live.as_ref().filter(|_| !newest.as_ref().is_some_and(is_divided));
    let health = match &doubt {
        // Nobody would tell which of the two it is that answers.
        Some(why) if settings.verify.version.is_none() => Health::Unknown(why.clone()),
        _ => health(site, environment, whole).await,
    };
    let is_sure = doubt.is_none() || health == Health::Healthy;
    let since =
        live.as_ref().and_then(|record| record.marks.last()).and_then(|mark| mark.at.parse::<jiff::Timestamp>().ok());
    let age = since.map(|since| clock::now().as_second() - since.as_second());
    let waiting = waiting(site, environment, live.as_ref()).await?;
    Ok(Row { name: settings.name.to_string(), live, is_sure, newest, health, lock, age, waiting })
}

async fn health(site: &Site, environment: &Environment, live: Option<&Record>) -> Health {
    let settings = &environment.settings;
    let verify = &settings.verify;
    if verify.health.is_empty() && verify.version.is_none() {
        return Health::Unknown("nothing to look at is configured".to_owned());
    }
    let pacing = Pacing { timeout: PATIENCE.min(verify.pacing.timeout), ..verify.pacing };
    let sight = Sight { pacing, ..Sight::of(settings, live.map(|record| &record.sha), &site.env) };
    match sight.round(&site.http).await {
        Round::Good => Health::Healthy,
        Round::Waiting(why) | Round::Bad(why) | Round::Error(why) => Health::Unhealthy(why),
    }
}

/// What the environment before has (or HEAD), and this one has not.
async fn waiting(
    site: &mut Site,
    environment: &Environment,
    here: Option<&Record>,
) -> Result<Option<Waiting>, Failure> {
    let Some(here) = here else { return Ok(None) };
    let (from, sha) = match &environment.settings.after {
        Some(before) => {
            let records = site.ledger.records(before).await?;
            let Some(record) = live(&records) else { return Ok(None) };
            (before.to_string(), record.sha.clone())
        }
        None => match site.repo.head()? {
            Some(head) => ("HEAD".to_owned(), head),
            None => return Ok(None),
        },
    };
    // A commit that this clone lacks is no reason to show nothing.
    let commits = site.repo.between(&here.sha, &sha, MOST).unwrap_or_default();
    let commits: Vec<String> = commits.into_iter().map(|one| format!("{} {}", one.sha.short(), one.subject)).collect();
    let places = way_back::Places::of(site, &environment.settings);
    let migrations = way_back::migrations(&site.repo, &places, &here.sha, &sha).unwrap_or_default();
    Ok((!commits.is_empty()).then_some(Waiting { from, commits, migrations }))
}
