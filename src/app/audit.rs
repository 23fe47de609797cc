//! `gatepost audit`: lockfiles held against advisories, without a configuration, and outside of a repository too.

use std::path::{Path, PathBuf};

use crate::app::run::discover;
use crate::app::scope::{self, Asked};
use crate::app::{Failure, output, secrets};
use crate::gate::audit::{Age, Compared, Ground, LockfileSetting, Options, collect, packages};
use crate::model::audit::{Bar, Severity};
use crate::model::change::Scope;
use crate::model::evidence::Evidence;
use crate::model::finding::Level;
use crate::model::gate::{Flaky, GateName, Mode, Only, Rules};
use crate::model::report::{GateReport, Report, Subject};
use crate::model::settings::Common;
use crate::policy;
use crate::render::sarif;
use crate::world::env::Env;
use crate::world::repo::Repo;
use crate::world::{clock, files, occasion};

/// What `gatepost audit` was asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where it was started, absolute.
    pub start: PathBuf,
    /// `--lockfile`; empty: those that are found.
    pub lockfiles: Vec<String>,
    /// `--base`; without one nothing is compared.
    pub base: Option<String>,
    /// `--db`; empty: osv.dev.
    pub databases: Vec<String>,
    /// `--offline`.
    pub offline: bool,
    /// `--max-age`.
    pub max_age: Option<String>,
    /// `--fail-on`.
    pub fail_on: Severity,
    /// `--packages-only`.
    pub packages_only: bool,
    /// `--sarif`.
    pub sarif: Option<PathBuf>,
}

/// Audits what the start holds. The report has no secrets.
///
/// # Errors
/// When what was asked for makes no sense, the base is not known, or the SARIF file cannot be written. What could not
/// be audited is in the report.
pub async fn audit(request: &Request, env: &Env) -> Result<Report, Failure> {
    request.sarif.iter().for_each(|path| output::forget_written(&request.start.join(path)));
    let options = options(request)?;
    let repo = discover(&request.start, env);
    let mut notes = Vec::new();
    let scope = match (&request.base, &repo) {
        (None, _) => Scope::Everything { why: "gatepost audit judges everything without --base".to_owned() },
        (Some(_), Err(failure)) => return Err(failure.clone()),
        (Some(base), Ok(repo)) => {
            let occasion =
                occasion::read(env).map_err(|error| Failure::outside(error.to_string()).help(error.help()))?;
            let asked = Asked { base: Some(base), all_files: false };
            let unknown = async |_: &_, _: &_| Err("GitHub is not asked here".to_owned());
            let judged = scope::scope(repo, &occasion, asked, unknown).await?;
            notes = judged.said();
            judged.scope
        }
    };
    let repo = repo.ok();
    let (root, dir) = place(&request.start, repo.as_ref());
    let compared = repo.as_ref().zip(scope.change());
    let compared = compared.map(|(repo, change)| Compared { repo, base: change.base.as_ref(), change });
    let ground = Ground { root: &root, dir: &dir, repo: repo.as_ref(), compared, env, scheduled: false };
    let begun = clock::instant();
    let evidence = if request.packages_only { packages(&options, ground) } else { collect(&options, ground).await };
    let gate = judge(&scope, Evidence { took: begun.elapsed(), ..evidence })?;
    let subject = Subject { event: "local".to_owned(), trusted: true, ..Subject::default() };
    let (verdict, took) = (gate.outcome, gate.took);
    let report = Report { verdict, subject, started_at: String::new(), took, gates: vec![gate], notes };
    let report = secrets::masker(env, &[]).report(&report);
    if let Some(path) = &request.sarif {
        files::write(&request.start.join(path), sarif::write(&report).as_bytes())?;
    }
    Ok(report)
}

fn options(request: &Request) -> Result<Options, Failure> {
    let wrong = |flag: &str, why: String| Failure::usage(format!("{flag}: {why}"));
    let lockfile = |text: &String| LockfileSetting::parse(text).map_err(|why| wrong("--lockfile", why));
    let max_age = request.max_age.as_deref().map(Age::parse).transpose().map_err(|why| wrong("--max-age", why))?;
    Ok(Options {
        bar: Bar { fail_on: request.fail_on, ..Bar::default() },
        lockfiles: request.lockfiles.iter().map(lockfile).collect::<Result<_, _>>()?,
        databases: request.databases.clone(),
        offline: request.offline,
        max_age: max_age.unwrap_or_default(),
        ..Options::plain()
    })
}

/// The root that paths are relative to, and the folder below it in which the command was started.
fn place(start: &Path, repo: Option<&Repo>) -> (PathBuf, String) {
    let real = |path: &Path| files::real_path(path).unwrap_or_else(|| path.to_owned());
    let start = real(start);
    let root = repo.map(|repo| real(repo.root()));
    let dir = root.as_ref().and_then(|root| start.strip_prefix(root).ok()?.to_str().map(|dir| dir.replace('\\', "/")));
    match (root, dir) {
        (Some(root), Some(dir)) => (root, dir),
        _ => (start, String::new()),
    }
}

fn judge(scope: &Scope, evidence: Evidence) -> Result<GateReport, Failure> {
    let name = GateName::parse("audit").map_err(|error| Failure::outside(error.to_string()))?;
    let only = if scope.change().is_some() { Only::New } else { Only::All };
    let (mode, flaky) = (Mode::Block, Flaky::Warn);
    let rules = Rules { only, fail_on: Level::Error, max_findings: 0, min_tests: None, flaky, mode };
    let ground = policy::Ground { scope, baseline: None };
    let mut report = policy::judge(&Common::built_in(name, "audit"), &rules, ground, evidence);
    "gatepost audit".clone_into(&mut report.reproduce);
    Ok(report)
}
