//! The runs that check runs name: whether they are what they are said to be, and whether all of their jobs that judge have been
//! heard. Asked of GitHub, once for each.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::model::deployment::RunPlace;
use crate::model::sha::Sha;
use crate::policy::unheard::{self, Does, Job, Known, Posted, unheard};
use crate::setup::workflow::{Doing, Workflow};
use crate::world::github::GitHub;
use crate::world::line::answer::Stop;
use crate::world::line::{Line, segment};

/// What is known of a run.
#[derive(Debug, Clone)]
pub(super) struct Believed {
    pub(super) scheduled: bool,
    /// Why it is no evidence.
    pub(super) doubt: Option<String>,
    /// Why what is green in it is none.
    pub(super) unheard: Option<String>,
}

/// What is known of the runs of one commit.
pub(super) struct Runs<'a> {
    sha: &'a Sha,
    /// The commit that is asked about, where its files were judged on another.
    asked: &'a Sha,
    me: Option<&'a RunPlace>,
    /// The check runs of gates, and the run of each.
    posted: Vec<(u64, Posted)>,
    known: BTreeMap<u64, Believed>,
}

#[derive(Debug, Deserialize)]
struct Run {
    event: String,
    head_sha: Sha,
    path: Option<String>,
    status: Option<String>,
    conclusion: Option<String>,
    #[serde(rename = "run_attempt")]
    attempt: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct Content {
    content: String,
}

#[derive(Debug, Deserialize)]
struct Page {
    jobs: Vec<Listed>,
}

#[derive(Debug, Deserialize)]
struct Listed {
    name: String,
    status: String,
    conclusion: Option<String>,
    run_attempt: Option<u64>,
    runner_name: Option<String>,
}

impl<'a> Runs<'a> {
    /// Of this commit, for the commit `asked` (the same, or one with the files that were judged), asked by the job `me`.
    pub(super) const fn new(
        sha: &'a Sha,
        asked: &'a Sha,
        me: Option<&'a RunPlace>,
        posted: Vec<(u64, Posted)>,
    ) -> Self {
        Self { sha, asked, me, posted, known: BTreeMap::new() }
    }

    /// What is known of a run.
    ///
    /// # Errors
    /// When something was not told.
    pub(super) async fn believed(&mut self, line: &mut Line<GitHub>, id: u64) -> Result<&Believed, Stop> {
        if !self.known.contains_key(&id) {
            let found = self.ask(line, id).await?;
            self.known.insert(id, found);
        }
        Ok(&self.known[&id])
    }

    async fn ask(&self, line: &mut Line<GitHub>, id: u64) -> Result<Believed, Stop> {
        let run: Run = line.read(line.path(&format!("/actions/runs/{id}"))).await?;
        let scheduled = run.event == "schedule";
        let doubt = |why: &str| Ok(doubtful(scheduled, why));
        if run.head_sha != *self.sha {
            return doubt(&format!("the run {id} that it names is of another commit, {}", run.head_sha.short()));
        }
        // `.github/workflows/ci.yml@refs/heads/main` for a called one.
        let path = run.path.as_deref().unwrap_or_default();
        let path = path.split('@').next().unwrap_or_default();
        if path.is_empty() {
            return doubt(&format!("it is not known which workflow the run {id} is of"));
        }
        let file = content(line, path, None).await?;
        // GitHub runs a pull request's workflow as its merge has it: what was judged has the files of the commit that is asked about.
        let mut is_default = content(line, path, Some(self.sha)).await? == file;
        if is_default && self.asked != self.sha {
            is_default = content(line, path, Some(self.asked)).await? == file;
        }
        let Some(file) = file.filter(|_| is_default) else {
            return doubt(&format!("its workflow {path} is not the default branch's"));
        };
        let ended = run.conclusion.as_deref().filter(|_| run.status.as_deref() == Some("completed"));
        // One that ended in success is asked too: a job that may fail (`continue-on-error`) does not show in it.
        let unheard = self.unheard(line, id, &run, path, &file).await?.map(|why| match ended {
            Some(end) => format!("its run {id} ended in {end}: {why}"),
            None => format!("its run {id} goes on: {why}"),
        });
        Ok(Believed { scheduled, doubt: None, unheard })
    }

    async fn unheard(
        &self,
        line: &mut Line<GitHub>,
        id: u64,
        run: &Run,
        path: &str,
        file: &str,
    ) -> Result<Option<String>, Stop> {
        let me = self.me.filter(|me| me.id == id);
        let pages: Vec<Page> = line.pages(line.path(&format!("/actions/runs/{id}/jobs?per_page=100"))).await?;
        let job = |listed: Listed| {
            let ended = listed.status == "completed";
            let runner = listed.runner_name.filter(|runner| !runner.is_empty());
            Job {
                name: listed.name,
                attempt: listed.run_attempt.or(run.attempt).unwrap_or(1),
                here: !ended && me.is_some_and(|me| runner.as_ref() == Some(&me.runner)),
                end: if ended { Ok(listed.conclusion.unwrap_or_default()) } else { Err(listed.status) },
            }
        };
        let jobs: Vec<Job> = pages.into_iter().flat_map(|page| page.jobs).map(job).collect();
        let posted = self.posted.iter().filter(|(run, _)| *run == id).map(|(_, posted)| posted.clone());
        let posted: Vec<Posted> = posted.collect();
        let known = known(path, file);
        Ok(unheard(unheard::Run { workflow: path, own: me.is_some(), jobs: &jobs, known: &known, posted: &posted }))
    }
}

fn doubtful(scheduled: bool, why: &str) -> Believed {
    Believed { scheduled, doubt: Some(why.to_owned()), unheard: None }
}

/// The jobs of a workflow's file; none of one that cannot be read.
fn known(path: &str, file: &str) -> Vec<Known> {
    let text = STANDARD.decode(file).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    let jobs = Workflow::read(path, &text).map(|workflow| workflow.jobs).unwrap_or_default();
    let does = |job: &crate::setup::workflow::Job| {
        let all: Vec<Doing> = job.steps.iter().filter_map(crate::setup::workflow::Step::doing).collect();
        match () {
            () if job.uses.is_some() => Does::Calls,
            () if all.contains(&Doing::Run) => Does::Judges,
            () if all.contains(&Doing::RunQuietly) => Does::JudgesQuietly,
            () if all.contains(&Doing::Publish) => Does::Publishes,
            () => Does::Nothing,
        }
    };
    jobs.iter().map(|job| Known { does: does(job), id: job.id.clone(), name: job.name.clone() }).collect()
}

/// A file as GitHub sends it, in base64 without its line ends; `None` where there is none.
async fn content(line: &mut Line<GitHub>, path: &str, at: Option<&Sha>) -> Result<Option<String>, Stop> {
    let place: Vec<String> = path.split('/').map(segment).collect();
    let query = at.map_or_else(String::new, |sha| format!("?ref={sha}"));
    let asked = line.path(&format!("/contents/{}{query}", place.join("/")));
    match line.read::<Content>(asked).await {
        Ok(found) => Ok(Some(found.content.split_whitespace().collect())),
        Err(stop) if stop.refused_with(404).is_some() => Ok(None),
        Err(stop) => Err(stop),
    }
}
