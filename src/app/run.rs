//! `gatepost run`: what changed, the gates over it, the verdict, the report, and what is posted.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::app::output::Output;
use crate::app::posting::{self, Posted, Poster, Publish, Said};
use crate::app::project::{self, Place, Project};
use crate::app::scope::{self, Asked, Judged};
use crate::app::work::Ground;
use crate::app::{Failure, detected};
use crate::mask::Masker;
use crate::model::event::Occasion;
use crate::model::exit::ExitCode;
use crate::model::progress::{Progress, Watch};
use crate::model::report::{GateReport, Report, Subject};
use crate::model::sha::Sha;
use crate::policy::{self, Baseline};
use crate::publish;
use crate::render::{json_v1, junit, sarif};
use crate::schedule::{self, Limits};
use crate::world::env::Env;
use crate::world::process::{self, ACTIONS_GRACE, CancelToken};
use crate::world::repo::{Checkout, Repo};
use crate::world::signals::{self, Signals};
use crate::world::{clock, cores, files, occasion};

/// What `gatepost run` was asked for.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Request {
    /// Where it was started, absolute.
    pub start: PathBuf,
    /// `--config`.
    pub config: Option<PathBuf>,
    /// The gates named; empty: all.
    pub gates: Vec<String>,
    /// `--base`.
    pub base: Option<String>,
    /// `--all-files`.
    pub all_files: bool,
    /// `--baseline`.
    pub baseline: Option<PathBuf>,
    /// `--jobs`.
    pub jobs: Option<usize>,
    /// `--fail-fast`.
    pub fail_fast: bool,
    /// `--output`.
    pub output: Option<PathBuf>,
    /// `--publish`.
    pub publish: Publish,
    /// `--sarif`.
    pub sarif: Option<PathBuf>,
    /// `--junit`.
    pub junit: Option<PathBuf>,
    /// `--dry-run`.
    pub dry_run: bool,
    /// Whether problems of the configuration are shown in colour.
    pub colour: bool,
    /// What is written behind `gatepost run GATE` so that it judges as this run does; empty or starting with a space.
    pub again: String,
}

/// A finished run.
#[derive(Debug)]
pub struct Ran {
    /// The report, without secrets.
    pub report: Report,
    /// The folder it was written to.
    pub output: Output,
    /// What the process ends with.
    pub code: ExitCode,
    /// What was posted.
    pub said: Said,
    /// Files of the user's that could not be written.
    pub unwritten: Vec<String>,
}

/// Runs the gates.
///
/// # Errors
/// When there is nothing to run, or it cannot be told what to judge. A run that was begun always ends in [`Ran`].
pub async fn run(request: &Request, env: &Env, watch: Rc<dyn Watch>) -> Result<Ran, Failure> {
    let begun = clock::instant();
    let started_at = clock::now().to_string();
    let occasion = occasion::read(env).map_err(|error| Failure::outside(error.to_string()).help(error.help()))?;
    let cancel = CancelToken::new(occasion.on_actions.then_some(ACTIONS_GRACE));
    let signals = signals::listen(cancel.clone())
        .map_err(|error| Failure::outside(format!("cannot listen for signals: {error}")))?;

    let Ready { project, masker, mut poster, judged, baseline, output, root } = ready(request, env, &occasion).await?;
    let subject = subject(&occasion, &judged, &poster);
    for said in project.said() {
        watch.see(&Progress::Said { text: &masker.text(&said) });
    }
    let limits = limits(request, &project);
    let settings = project.config.publish.clone();
    let left_out = project.left_out;
    let config = publish::proof::digest(&project.config.source);
    let graph = project.graph.clone();
    let baseline = baseline.as_ref();
    let (masker, watch) = (&masker, &watch);
    watch.see(&Progress::Said { text: &masker.text(&format!("judging {}", judged.words())) });
    let ground = Ground {
        env,
        occasion: &occasion,
        judged: &judged,
        baseline,
        root: &root,
        output: &output,
        again: &request.again,
        masker,
        watch,
    };
    let gates = Rc::new(ground.plan(project)?);
    let report_path = output.report_shown();
    let (subject, started_at) = (&subject, &started_at[..]);
    let shared = Posted { subject, settings: &settings, report_path, started_at, left_out, config: &config };
    let (queue, waiting) = poster.queue(shared, &signals);
    let running = async {
        // Dropped when the last gate has ended: that ends the sending.
        let queue = queue;
        let on_end = |report: &GateReport| {
            let tail = if report.outcome.is_green() { None } else { output.tail(report) };
            watch.see(&Progress::Ended { report, tail: tail.as_deref(), folder: output.shown() });
            queue.gate(report);
        };
        schedule::run(&graph, limits, gates, &cancel, on_end).await
    };
    let (gates, ()) = tokio::join!(running, poster.send_all(waiting, &signals));
    let orphans = process::end_orphans().await;

    let notes = notes(&judged, baseline, orphans, &signals).iter().map(|note| masker.text(note)).collect();
    let verdict = policy::verdict(&gates);
    let took = begun.elapsed();
    let started = started_at.to_owned();
    let report = Report { verdict, subject: subject.clone(), started_at: started, took, gates, notes };
    let unwritten = write_files(request, &report, &output);
    let said = poster.end(&report, shared, &signals).await;
    let code = exit_code(request.publish, &report, &signals, &unwritten, &said);
    Ok(Ran { report, output: output.clone(), code, said, unwritten })
}

fn limits(request: &Request, project: &Project) -> Limits {
    let jobs = request.jobs.or(project.config.run.jobs).unwrap_or_else(cores::available);
    Limits { jobs, fail_fast: request.fail_fast }
}

/// Everything that is known before the first gate starts.
struct Ready {
    project: Project,
    masker: Rc<Masker>,
    poster: Poster,
    judged: Judged,
    baseline: Option<Baseline>,
    output: Output,
    root: PathBuf,
}

async fn ready(request: &Request, env: &Env, occasion: &Occasion) -> Result<Ready, Failure> {
    let opened = open(&request.start, request.config.as_deref(), request.colour, env, occasion)?;
    let Opened { repo, root, mut project } = opened;
    project.select(&request.gates)?;
    let named = [project::secrets(&project.config), project.config.run.pass_env.clone()].concat();
    let masker = Rc::new(posting::masker(env, &named));
    let mut poster = Poster::open(request.publish, request.dry_run, env, occasion, Some(&repo))?;
    let base = scope::base_asked(request.base.as_deref(), project.config.run.base.as_deref(), occasion);
    let asked = Asked { base, all_files: request.all_files };
    let judged = scope::scope(&repo, occasion, asked, async |base, head| poster.merge_base(base, head).await).await?;
    poster.check(&judged)?;
    let baseline = request.baseline.as_deref().map(|file| read_baseline(&request.start.join(file))).transpose()?;
    let output = prepare_output(request, &root, &project, &judged)?;
    Ok(Ready { project, masker, poster, judged, baseline, output, root })
}

/// The repository around a folder; on Actions the workspace is trusted whoever owns it.
///
/// # Errors
/// When there is none that can be read.
pub fn discover(start: &Path, env: &Env) -> Result<Repo, Failure> {
    let workspace = env.get("GITHUB_WORKSPACE").filter(|_| env.get("GITHUB_ACTIONS").is_some()).map(PathBuf::from);
    Ok(Repo::discover(start, workspace.as_deref())?)
}

fn allowed(occasion: &Occasion, own_code: bool) -> Result<(), Failure> {
    policy::may_run(occasion, own_code).map_err(|(why, help)| Failure::refused(why).help(help))
}

/// Where a run takes place.
pub struct Opened {
    /// The repository.
    pub repo: Repo,
    /// Its root, without links.
    pub root: PathBuf,
    /// What is configured.
    pub project: Project,
}

/// Finds the repository and the configuration.
///
/// # Errors
/// When there is no repository, the configuration is wrong, or gates may not run on this occasion: even detecting them
/// starts programs of what is checked out.
pub fn open(
    start: &Path,
    config: Option<&Path>,
    colour: bool,
    env: &Env,
    occasion: &Occasion,
) -> Result<Opened, Failure> {
    allowed(occasion, true)?;
    let repo = discover(start, env)?;
    allowed(occasion, repo.checkout(occasion)? == Checkout::Head)?;
    let root = files::real_path(repo.root()).unwrap_or_else(|| repo.root().to_owned());
    let start = files::real_path(start).unwrap_or_else(|| start.to_owned());
    let place = Place { root: &root, start: &start, file: config, colour };
    let project = project::open(&place)?.map_or_else(|| detected::project(&place, env), Ok)?;
    Ok(Opened { repo, root, project })
}

/// Reads a report of the base.
///
/// # Errors
/// With exit code 2 when it is no report.
pub fn read_baseline(file: &Path) -> Result<Baseline, Failure> {
    let bytes = files::read(file).map_err(|error| Failure::usage(format!("--baseline: {error}")))?;
    json_v1::read(&bytes)
        .map(|report| json_v1::baseline(&report))
        .map_err(|error| Failure::usage(format!("--baseline: {} {error}", file.display())))
}

fn notes(judged: &Judged, baseline: Option<&Baseline>, orphans: usize, signals: &Signals) -> Vec<String> {
    let mut notes = judged.said();
    notes.extend(baseline_notes(baseline, judged.base.as_ref()));
    notes.extend((orphans > 0).then(|| format!("{orphans} processes that gates had left behind were ended")));
    notes.extend(signals.caught().map(|signal| format!("interrupted by {signal}")));
    notes
}

fn baseline_notes(baseline: Option<&Baseline>, base: Option<&Sha>) -> Option<String> {
    let made_of = baseline?.head.as_ref()?;
    let base = base.filter(|base| *base != made_of)?;
    Some(format!("the baseline was made of {}, the base is {}", made_of.short(), base.short()))
}

fn prepare_output(request: &Request, root: &Path, project: &Project, judged: &Judged) -> Result<Output, Failure> {
    let (folder, shown) = match &request.output {
        Some(given) => (request.start.join(given), given.display().to_string()),
        None if project.folder.is_empty() => (root.join(".gatepost"), ".gatepost".to_owned()),
        None => (root.join(&project.folder).join(".gatepost"), format!("{}/.gatepost", project.folder)),
    };
    let gates = project.gates.iter().map(|gate| &gate.common().name);
    let output = Output::prepare(folder, &shown, gates).map_err(|mut failure| {
        failure.help.get_or_insert_with(|| "make it writable, or name another folder by --output".to_owned());
        failure
    })?;
    if let Some(change) = judged.scope.change() {
        let paths: String = change.files.keys().flat_map(|path| [path.as_str(), "\n"]).collect();
        files::write(&output.changed_files(), paths.as_bytes())?;
    }
    Ok(output)
}

fn subject(occasion: &Occasion, judged: &Judged, poster: &Poster) -> Subject {
    Subject {
        repository: poster.repository().map(str::to_owned),
        head: judged.posted_on.clone().or_else(|| judged.head.clone()),
        base: judged.base.clone(),
        pull_request: occasion.pull_request,
        event: occasion.event.clone(),
        trusted: occasion.trusted,
        dirty: judged.dirty,
        run_url: occasion.run_url.clone(),
    }
}

fn write_files(request: &Request, report: &Report, output: &Output) -> Vec<String> {
    let mut wanted = vec![(output.report(), json_v1::write(report).map_err(|error| error.to_string()))];
    wanted.extend(request.sarif.iter().map(|path| (request.start.join(path), Ok(sarif::write(report)))));
    wanted.extend(request.junit.iter().map(|path| (request.start.join(path), Ok(junit::write(report)))));
    let write = |(path, text): (PathBuf, Result<String, String>)| {
        text.and_then(|text| files::write(&path, text.as_bytes()).map_err(|error| error.to_string())).err()
    };
    wanted.into_iter().filter_map(write).collect()
}

/// Interrupted before everything else; then the verdict; then what could not be written or posted.
fn exit_code(publish: Publish, report: &Report, signals: &Signals, unwritten: &[String], said: &Said) -> ExitCode {
    if let Some(signal) = signals.caught() {
        return ExitCode::Interrupted(signal.number());
    }
    let unposted = publish == Publish::Always && said.failed();
    if report.verdict.is_green() && (unposted || !unwritten.is_empty()) {
        return ExitCode::CouldNotJudge;
    }
    ExitCode::from(report.verdict)
}
