//! `gatepost run`: what changed, the gates over it, the verdict, the report, and what is posted.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use crate::app::baseline::{self, Found};
use crate::app::output::{self, Output};
use crate::app::posting::{self, Posted, Poster, Publish, Said};
use crate::app::project::{self, Place, Project, Source};
use crate::app::scope::{self, Asked, Judged};
use crate::app::unmatched::unmatched;
use crate::app::work::{Gates, Ground};
use crate::app::{Failure, apart, detected, overridden, remembered};
use crate::mask::Masker;
use crate::model::change::{ChangeKind, ChangeSet, FileChange};
use crate::model::event::Occasion;
use crate::model::exit::ExitCode;
use crate::model::outcome::Outcome;
use crate::model::path::RepoPath;
use crate::model::progress::{Progress, Watch};
use crate::model::report::{GateReport, Report, Subject};
use crate::policy;
use crate::publish;
use crate::render::{json_v1, junit, sarif};
use crate::schedule::{self, Graph, Limits};
use crate::world::env::Env;
use crate::world::process::{self, ACTIONS_GRACE, CancelToken, LeftBehind};
use crate::world::repo::{Checkout, Repo};
use crate::world::signals::{self, Signals};
use crate::world::{clock, cores, files, occasion};

/// What `gatepost run` was asked for.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Request {
    /// Where it was started, absolute.
    pub start: PathBuf,
    /// The folder that paths are shown from to who started it: not `start`, where `-C` named that.
    pub here: PathBuf,
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
    /// `--save-baseline`, and the file where one is named.
    pub save_baseline: Option<Option<PathBuf>>,
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
    /// As it was written.
    pub text: Result<String, String>,
    /// The folder it was written to.
    pub output: Output,
    /// The same, as who started it would name it.
    pub folder: String,
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
    run_all(request, env, watch).await.inspect_err(|_| forget(request, env))
}

async fn run_all(request: &Request, env: &Env, watch: Rc<dyn Watch>) -> Result<Ran, Failure> {
    let begun = clock::instant();
    let started_at = clock::now().to_string();
    let occasion = woken_by(env)?;
    let cancel = CancelToken::new(occasion.on_actions.then_some(ACTIONS_GRACE));
    let signals = signals::listen(cancel.clone())
        .map_err(|error| Failure::outside(format!("cannot listen for signals: {error}")))?;

    let Ready { project, masker, mut poster, judged, baseline, output, repo, root, subject, overridden } =
        ready_or_interrupted(request, env, &occasion, &cancel, &signals).await?;
    for said in project.said().into_iter().chain(baseline.aside).chain(overridden.notes.iter().cloned()) {
        watch.see(&Progress::Said { text: &masker.text(&said) });
    }
    let (settings, place, left_out) = (project.config.publish.clone(), project.place.clone(), project.left_out);
    let (limits, graph, masker, watch) = (limits(request, &project), project.graph.clone(), &masker, &watch);
    watch.see(&Progress::Said { text: &masker.text(&format!("judging {}", judged.words())) });
    let ground = Ground {
        env,
        occasion: &occasion,
        judged: &judged,
        all_files: request.all_files,
        baseline: baseline.baseline.as_ref(),
        root: &root,
        output: &output,
        again: &request.again,
        masker,
        watch,
        repo: &repo,
        overridden: &overridden.gates,
    };
    let gates = Rc::new(ground.plan(project)?);
    let report_path = output.report_shown();
    let (subject, started_at, none) = (&subject, &started_at[..], BTreeMap::new());
    let shared =
        Posted { subject, settings: &settings, report_path, started_at, left_out, place: &place, origins: &none };
    let folder = output.seen_from(&request.here);
    let ended = |report: &GateReport| watch.see(&Progress::Ended { report, folder: &folder });
    let moved = || judged.moved(&repo).is_some();
    let gates = judge((&graph, limits, gates), (&mut poster, shared), (&cancel, &signals), ended, moved).await;
    let left = process::end_orphans().await;

    // From here on it is too late to interrupt the judging: what is said of it is the same everywhere.
    let interrupted = signals.caught();
    let moved = if interrupted.is_none() { judged.moved(&repo) } else { None };
    let subject = Subject { dirty: subject.dirty || moved.is_some(), ..subject.clone() };
    let notes = judged.said().into_iter().chain(baseline.notes).chain(overridden.notes);
    let notes = notes
        .chain(ends(left, interrupted.as_ref()))
        .chain(moved)
        .chain(request.sarif.as_ref().and_then(|_| sarif::too_many(&gates)));
    let notes = notes.map(|note| masker.text(&note)).collect();
    let report = reported(gates, subject, notes, (started_at, begun.elapsed()), interrupted.is_some());
    let interrupted = interrupted.is_some();
    let (text, mut unwritten) = write_files(request, &report, &output, (&place, occasion.leg.as_deref()), interrupted);
    // A later deploy would miss what is red and was not kept.
    unwritten.extend(remembered::keep(&repo, &report).await.err().filter(|_| !report.verdict.is_green()));
    let shared = Posted { subject: &report.subject, ..shared };
    let said = poster.end(&report, shared, interrupted, &signals).await.masked(masker);
    let code = exit_code(request.publish, &report, &signals, &unwritten, &said);
    Ok(Ran { report, text, output: output.clone(), folder, code, said, unwritten })
}

/// What could not be written or posted makes a pass one that could not be judged, where posting was asked for.
fn exit_code(publish: Publish, report: &Report, signals: &Signals, unwritten: &[String], said: &Said) -> ExitCode {
    let unposted = publish == Publish::Always && (said.failed() || said.denied());
    Said::code(report.verdict, unposted || !unwritten.is_empty(), signals)
}

/// Judges as the gates are planned, and posts each that ends.
async fn judge(
    (graph, limits, gates): (&Graph, Limits, Rc<Gates>),
    (poster, shared): (&mut Poster, Posted<'_>),
    (cancel, signals): (&CancelToken, &Signals),
    ended: impl Fn(&GateReport),
    moved: impl Fn() -> bool,
) -> Vec<GateReport> {
    let (queue, waiting) = poster.queue(shared, signals);
    let running = async {
        // Dropped when the last gate has ended: that ends the sending.
        let queue = queue;
        let on_end = |report: &GateReport| {
            ended(report);
            queue.gate(report, &moved);
        };
        schedule::run(graph, limits, gates, cancel, on_end).await
    };
    tokio::join!(running, poster.send_all(waiting, signals)).0
}

/// The report. What a signal cut short is no pass, whatever its gates say.
fn reported(
    gates: Vec<GateReport>,
    subject: Subject,
    notes: Vec<String>,
    (started_at, took): (&str, Duration),
    interrupted: bool,
) -> Report {
    let least = if interrupted { Outcome::Error } else { Outcome::Skipped };
    let verdict = policy::verdict(&gates).max(least);
    Report { verdict, subject, started_at: started_at.to_owned(), took, gates, notes }
}

fn woken_by(env: &Env) -> Result<Occasion, Failure> {
    occasion::read(env).map_err(|error| Failure::outside(error.to_string()).help(error.help()))
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
    baseline: Found,
    output: Output,
    repo: Rc<Repo>,
    root: PathBuf,
    subject: Subject,
    overridden: overridden::Found,
}

/// As [`ready`], unless a signal comes before.
async fn ready_or_interrupted(
    request: &Request,
    env: &Env,
    occasion: &Occasion,
    cancel: &CancelToken,
    signals: &Signals,
) -> Result<Ready, Failure> {
    let ready = tokio::select! {
        biased;
        ready = ready(request, env, occasion, cancel) => ready,
        by = cancel.cancelled() => Err(Failure::outside(by.to_string())),
    };
    // What failed, if anything did, may have been interrupted too.
    ready.map_err(|failure| {
        let Some(signal) = signals.caught() else { return failure };
        let what = format!("interrupted by {signal} before any gate was run");
        Failure { code: ExitCode::Interrupted(signal.number()), ..Failure::outside(what) }
    })
}

async fn ready(request: &Request, env: &Env, occasion: &Occasion, cancel: &CancelToken) -> Result<Ready, Failure> {
    let Opened { mut repo, root, mut project, aside } =
        open(&request.start, request.config.as_deref(), request.colour, env, occasion)?;
    let (folder, shown) = output_folder(request, &root, &project);
    forget_report(request, &folder);
    let written = written(request, &folder);
    let config = ("the configuration", root.join(&project.place));
    apart::check(&std::iter::once(config).chain(written.iter().cloned()).collect::<Vec<_>>())?;
    repo.heed(cancel);
    let inside = |path: &PathBuf| project::folder(&root, &apart::place(path)).ok().filter(|path| !path.is_empty());
    repo.leave_out(written.iter().filter_map(|(_, path)| inside(path)))?;
    project.select(&request.gates)?;
    let masker = Rc::new(project::masker(env, &project.config));
    let mut poster = Poster::open(request.publish, request.dry_run, env, occasion, Some(&repo))?;
    let base = scope::base_asked(request.base.as_deref(), project.config.run.base.as_deref(), occasion);
    let asked = Asked { base, all_files: request.all_files };
    let mut judged =
        scope::scope(&repo, occasion, asked, async |base, head| poster.merge_base(base, head).await).await?;
    judged.notes.extend(aside.into_iter().chain(unmatched(&project, &repo, &judged.scope)));
    scope::check_head(&repo, occasion, &judged)?;
    scope::check_staged(&repo, env)?;
    poster.check(&judged)?;
    let file = request.baseline.as_deref().map(|file| request.start.join(file));
    let until = posting::patience();
    let ground = baseline::Ground {
        file: file.as_deref(),
        project: &project,
        judged: &judged,
        repo: &repo,
        occasion,
        masker: &masker,
    };
    let baseline = ground.find(&mut poster, until).await?;
    let output = prepare_output(folder, &shown, &project, &judged, env)?;
    if let Some(saved) = saved(request, output.folder()).filter(|saved| files::is_file(saved)) {
        // One of an earlier run must not be taken for this one's.
        files::remove(&saved)?;
    }
    let config = publish::proof::digest(&project.place, &project.config.source);
    let subject = subject(occasion, &judged, &poster, &config);
    let overridden = overridden::until(until, env, &subject, &poster, &project.place).await;
    let repo = Rc::new(repo);
    Ok(Ready { project, masker, poster, judged, baseline, output, repo, root, subject, overridden })
}

/// The repository around a folder; on Actions the workspace is trusted whoever owns it.
///
/// # Errors
/// When there is none that can be read.
pub fn discover(start: &Path, env: &Env) -> Result<Repo, Failure> {
    let workspace =
        env.get("GITHUB_WORKSPACE").filter(|_| env.get("GITHUB_ACTIONS") == Some("true")).map(PathBuf::from);
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
    /// Says which configurations are not read that somebody could take for those that are.
    pub aside: Vec<String>,
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
    let absent = project::absent(&place, &repo, &project)?;
    if let Some(path) = &absent
        && (occasion.on_actions || repo.is_unwatched(path)?)
    {
        let what = format!("{path} is in HEAD but not in the work tree (a sparse checkout?)");
        return Err(Failure::usage(what).help("check it out, or name a configuration by --config"));
    }
    let by = match &project.source {
        Source::File(file) => format!("{file} is used"),
        Source::Detected { .. } => "the gates are detected".to_owned(),
    };
    let deleted = absent.map(|path| format!("{path} is in HEAD and deleted here: {by}"));
    let unread = project::unread(&place, &project).map(|path| format!("{path} is not read: {by}"));
    Ok(Opened { repo, root, project, aside: deleted.into_iter().chain(unread).collect() })
}

/// What happened at the end.
fn ends(left: LeftBehind, interrupted: Option<&impl std::fmt::Display>) -> impl Iterator<Item = String> {
    left_behind(left).into_iter().chain(interrupted.map(|signal| format!("interrupted by {signal}")))
}

fn left_behind(left: LeftBehind) -> Vec<String> {
    let those = |number: usize| {
        let processes = if number == 1 { "process" } else { "processes" };
        format!("{number} {processes} that gates had left behind")
    };
    let mut said = Vec::new();
    if left.ended > 0 {
        said.push(format!("{} {} ended", those(left.ended), if left.ended == 1 { "was" } else { "were" }));
    }
    if left.unseen {
        let certain = if left.survivors > 0 { "lives" } else { "may live" };
        said.push(format!("processes cannot be looked at here: what gates left behind {certain} on"));
    } else if left.survivors > 0 {
        said.push(format!("{} could not be ended", those(left.survivors)));
    }
    said
}

/// Removes what earlier runs left where this one, which ended before its gates, was to write: it would be taken for its own.
/// Where the folder is not known, in every one that it could be.
fn forget(request: &Request, env: &Env) {
    let named = [&request.sarif, &request.junit].into_iter().flatten();
    named.for_each(|path| output::forget_written(&request.start.join(path)));
    if let Some(given) = &request.output {
        return forget_report(request, &request.start.join(given));
    }
    let start = apart::place(&request.start);
    let root = discover(&request.start, env).map_or_else(
        |_| start.ancestors().find(|folder| files::stands(&folder.join(".git"))).unwrap_or(&start).to_owned(),
        |repo| apart::place(repo.root()),
    );
    let place = Place { root: &root, start: &start, file: request.config.as_deref(), colour: false };
    if let Ok(Some((_, folder))) = project::find(&place) {
        forget_report(request, &root.join(folder).join(output::NAME));
    } else {
        let folders = start.ancestors().take_while(|folder| folder.starts_with(&root));
        folders.for_each(|folder| forget_report(request, &folder.join(output::NAME)));
    }
}

/// Removes the report from an output folder, unless it was named to compare with.
fn forget_report(request: &Request, folder: &Path) {
    let baseline = request.baseline.as_ref().map(|file| apart::place(&request.start.join(file)));
    if baseline != Some(apart::place(folder).join("report.json")) {
        output::forget(folder);
    }
}

/// The output folder, and what it is called.
fn output_folder(request: &Request, root: &Path, project: &Project) -> (PathBuf, String) {
    match &request.output {
        Some(given) => (request.start.join(given), given.display().to_string()),
        None if project.folder.is_empty() => (root.join(output::NAME), output::NAME.to_owned()),
        None => (root.join(&project.folder).join(output::NAME), format!("{}/{}", project.folder, output::NAME)),
    }
}

/// Every file that is written for who asked, and what it is.
fn written(request: &Request, folder: &Path) -> Vec<(&'static str, PathBuf)> {
    let named = [("--sarif", &request.sarif), ("--junit", &request.junit)];
    let named = named.into_iter().filter_map(|(flag, path)| Some((flag, request.start.join(path.as_ref()?))));
    let saved = saved(request, folder).map(|path| ("--save-baseline", path));
    [("the report", folder.join("report.json"))].into_iter().chain(named).chain(saved).collect()
}

fn prepare_output(
    folder: PathBuf,
    shown: &str,
    project: &Project,
    judged: &Judged,
    env: &Env,
) -> Result<Output, Failure> {
    let gates = project.gates.iter().map(|gate| &gate.common().name);
    // Of what is gone there is nothing to look at.
    let lies = |(_, file): &(&RepoPath, &FileChange)| file.kind != ChangeKind::Deleted;
    let paths =
        |change: &ChangeSet| change.files.iter().filter(lies).flat_map(|(path, _)| [path.as_str(), "\n"]).collect();
    Output::prepare(folder, shown, gates, judged.scope.change().map(paths)).map_err(|failure| {
        let help = match failure.code {
            ExitCode::Refused if env.os(process::MARK).is_some() => {
                "a gate that runs gatepost names a folder of its own: --output \"$GATEPOST_OUTPUT/run\""
            }
            ExitCode::Refused => "wait for it, or name another folder by --output",
            _ => "make it writable, or name another folder by --output",
        };
        Failure { help: failure.help.or_else(|| Some(help.to_owned())), ..failure }
    })
}

fn subject(occasion: &Occasion, judged: &Judged, poster: &Poster, config: &str) -> Subject {
    Subject {
        repository: poster.repository().map(str::to_owned),
        head: judged.posted_on.clone().or_else(|| judged.head.clone()),
        base: judged.base.clone(),
        pull_request: occasion.judged_pull_request(),
        event: occasion.event.clone(),
        trusted: occasion.trusted,
        tree: judged.tree.clone(),
        dirty: judged.dirty,
        run_url: occasion.run_url.clone(),
        run: occasion.run(),
        config: Some(config.to_owned()),
    }
}

/// Gives the report's text, and what could not be written. A run that was cut short is no baseline: it knows nothing of what
/// was not run.
fn write_files(
    request: &Request,
    report: &Report,
    output: &Output,
    (place, leg): (&str, Option<&str>),
    interrupted: bool,
) -> (Result<String, String>, Vec<String>) {
    let report_text = json_v1::write(report).map_err(|error| error.to_string());
    let as_report = || report_text.as_deref().map(Cow::Borrowed).map_err(Clone::clone);
    let mut wanted = vec![(output.report(), as_report())];
    wanted.extend(
        request.sarif.iter().map(|path| (request.start.join(path), Ok(sarif::write_of(report, place, leg).into()))),
    );
    wanted.extend(request.junit.iter().map(|path| (request.start.join(path), Ok(junit::write(report).into()))));
    wanted.extend(saved(request, output.folder()).map(|path| {
        let text = if interrupted { Err(format!("{}: the run was interrupted", path.display())) } else { as_report() };
        (path, text)
    }));
    let write = |(path, text): (PathBuf, Result<Cow<'_, str>, String>)| {
        text.and_then(|text| files::write(&path, text.as_bytes()).map_err(|error| error.to_string())).err()
    };
    // First what keeps the report out of commits, where a gate took it away.
    let folder = output.furnish().err().map(|error| error.to_string());
    let unwritten = folder.into_iter().chain(wanted.into_iter().filter_map(write)).collect();
    (report_text, unwritten)
}

/// Where the baseline is kept.
fn saved(request: &Request, folder: &Path) -> Option<PathBuf> {
    let named = request.save_baseline.as_ref()?;
    Some(named.as_ref().map_or_else(|| folder.join("baseline.json"), |file| request.start.join(file)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_behind_is_said() {
        let said = |ended, survivors, unseen| left_behind(LeftBehind { ended, survivors, unseen }).join("; ");
        assert_eq!(said(0, 0, false), "");
        assert_eq!(
            said(1, 2, false),
            "1 process that gates had left behind was ended; 2 processes that gates had left behind could not be ended"
        );
        assert_eq!(said(2, 0, false), "2 processes that gates had left behind were ended");
        assert_eq!(said(0, 0, true), "processes cannot be looked at here: what gates left behind may live on");
        assert_eq!(said(0, 1, true), "processes cannot be looked at here: what gates left behind lives on");
    }
}
