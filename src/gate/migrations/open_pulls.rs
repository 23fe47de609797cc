//! What the repository's open pull requests add beside this one, asked of GitHub. It only reads; what could not be read
//! is told as not checked, and fails nothing.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::Ground;
use super::dry_run::{Record, Trial};
use crate::migration::rules::{self, OpenPull};
use crate::model::event::Occasion;
use crate::model::migration::Planned;
use crate::model::sha::Sha;
use crate::world::github::GitHub;
use crate::world::line::pace::Pace;
use crate::world::line::{Line, segment};
use crate::world::repo::{Repo, blob_id};
use crate::world::{files, occasion};

/// How long all of it may take; the dry run goes on meanwhile.
const PATIENCE: Duration = Duration::from_mins(1);
/// The most pull requests whose files are asked for, which costs one request or more for each.
const MOST: usize = 60;

#[derive(Deserialize)]
struct Pull {
    number: u64,
    head: Head,
}

#[derive(Deserialize)]
struct Head {
    sha: Sha,
}

#[derive(Deserialize)]
struct File {
    filename: String,
    #[serde(default)]
    status: String,
    sha: Option<String>,
}

/// Looks for new migrations whose version an open pull request takes too, where there is a token to ask with.
pub(super) async fn look(trial: &Trial, folder: &str, ground: Ground<'_>, record: &RefCell<Record>) {
    let (_, new) = trial.parts();
    let (Some(repo), false) = (ground.repo, trial.each_alone || new.is_empty()) else { return };
    let mut desk = match Desk::open(repo, ground) {
        Ok(Some(desk)) => desk,
        Ok(None) => return,
        Err(why) => return record.borrow_mut().notes.push(not_checked(&why)),
    };
    let ended = tokio::select! {
        ended = desk.read_all(repo) => ended,
        () = tokio::time::sleep(PATIENCE) => Err(format!("GitHub took longer than {} s", PATIENCE.as_secs())),
        by = ground.cancel.cancelled() => Err(by.to_string()),
    };
    let mut record = record.borrow_mut();
    if let Err(why) = ended {
        record.notes.push(not_checked(&why));
    }
    record.taken = rules::taken(trial.layout, folder, &new, &contents(&new, ground), &desk.pulls);
}

fn not_checked(why: &str) -> String {
    format!("not checked against all open pull requests, which may add the same versions: {why}")
}

/// The ids of the files of the new migrations, as git has them.
fn contents(new: &[&Planned], ground: Ground<'_>) -> BTreeMap<String, String> {
    let id = |planned: &&Planned| {
        let bytes = files::read(&ground.root.join(&planned.path)).ok()?;
        Some((planned.path.clone(), blob_id(&bytes)?))
    };
    new.iter().filter_map(id).collect()
}

/// What is asked, and what was answered.
struct Desk {
    line: Line<GitHub>,
    /// The branch that the change is to come into.
    base: String,
    occasion: Occasion,
    pulls: Vec<OpenPull>,
}

impl Desk {
    /// `None` where there is no token or no repository to ask for, or no change that is on its way into a branch.
    fn open(repo: &Repo, ground: Ground<'_>) -> Result<Option<Self>, String> {
        let occasion = occasion::read(ground.env).map_err(|error| error.to_string())?;
        // In a merge queue whoever is first is in the base already.
        if occasion.event == "merge_group" || occasion.is_of_default_branch() {
            return Ok(None);
        }
        let Some(github) = GitHub::of(ground.env) else { return Ok(None) };
        let named = occasion.repository.clone().or_else(|| ground.env.get("GITHUB_REPOSITORY").map(str::to_owned));
        let unread = |error: crate::world::repo::RepoError| error.to_string();
        let is_there = ground.env.get("GITHUB_API_URL").is_some()
            || repo.origin_url().map_err(unread)?.is_some_and(|url| url.contains("github.com"));
        let repository = match named {
            None if is_there => repo.origin_repository().map_err(unread)?,
            known => known,
        };
        let Some(repository) = repository else { return Ok(None) };
        let base = match occasion.branch.clone().filter(|_| occasion.pull_request.is_some()) {
            Some(branch) => Some(branch),
            None => occasion
                .default_branch
                .clone()
                .map_or_else(|| repo.default_branch_name(), |it| Ok(Some(it)))
                .map_err(unread)?,
        };
        let base = base.ok_or("it is not known which branch the change is for")?;
        let github = github.map_err(|error| error.to_string())?;
        let mut line = Line::new(github, &repository, Pace::default(), true);
        line.allow(PATIENCE);
        Ok(Some(Self { line, base, occasion, pulls: Vec::new() }))
    }

    /// Reads which pull requests there are, the newest first, and what each adds.
    /// <https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files>
    async fn read_all(&mut self, repo: &Repo) -> Result<(), String> {
        let base = segment(&self.base);
        let path = format!("/pulls?state=open&base={base}&sort=updated&direction=desc&per_page=100");
        let pulls = self.line.pages::<Vec<Pull>>(self.line.path(&path)).await.map_err(|stop| stop.to_string())?;
        let own = repo.head().ok().flatten();
        for pull in pulls.into_iter().flatten() {
            let is_own = self.occasion.pull_request == Some(pull.number)
                || self.occasion.head.as_ref() == Some(&pull.head.sha)
                || own.as_ref() == Some(&pull.head.sha)
                // What this change stands on is part of it.
                || repo.stands_on(&pull.head.sha);
            if !is_own && self.pulls.len() == MOST {
                return Err(format!("there are more than {MOST}, of which the newest were looked at"));
            }
            if !is_own {
                self.read_files(pull.number).await.map_err(|why| format!("#{}: {why}", pull.number))?;
            }
        }
        Ok(())
    }

    async fn read_files(&mut self, number: u64) -> Result<(), String> {
        let path = self.line.path(&format!("/pulls/{number}/files?per_page=100"));
        let files = self.line.pages::<Vec<File>>(path).await.map_err(|stop| stop.to_string())?;
        let is_new = |file: &File| matches!(file.status.as_str(), "added" | "renamed" | "copied");
        let added =
            files.into_iter().flatten().filter(is_new).map(|file| (file.filename, file.sha.unwrap_or_default()));
        self.pulls.push(OpenPull { number, added: added.collect() });
        Ok(())
    }
}
