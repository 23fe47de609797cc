//! `gatepost publish`: the reports of several jobs, or of another run, into one verdict, and that posted. Nothing of the
//! change is checked out, read or executed here.

mod expected;
mod parts;
mod triggered;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::app::posting::{Posted, Poster, Publish, Said};
use crate::app::project::{self, Place, Project};
use crate::app::scope::{self, Asked};
use crate::app::{Failure, overridden, run, secrets};
use crate::gate::Gate;
use crate::model::audit::Audit;
use crate::model::event::Occasion;
use crate::model::exit::ExitCode;
use crate::model::gate::GateName;
use crate::model::outcome::Outcome;
use crate::model::report::{Report, Subject};
use crate::model::settings::PublishSettings;
use crate::policy::{self, Expected, Refusal};
use crate::world::env::Env;
use crate::world::process::{ACTIONS_GRACE, CancelToken};
use crate::world::repo::Repo;
use crate::world::signals::{self, Signals};
use crate::world::{files, occasion};

use expected::Known;
use parts::Found;

/// What `gatepost publish` was asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where it was started, absolute.
    pub start: PathBuf,
    /// `--config`; of a report that another run made, its path in the repository.
    pub config: Option<PathBuf>,
    /// Files, folders and archives with reports.
    pub reports: Vec<PathBuf>,
    /// `--expect`.
    pub expect: Vec<String>,
    /// `--run`.
    pub run: Option<u64>,
    /// `--dry-run`.
    pub dry_run: bool,
    /// Whether problems of the configuration are shown in colour.
    pub colour: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct Published {
    /// All reports in one, without secrets.
    pub report: Report,
    /// What was posted.
    pub said: Said,
    /// What the process ends with.
    pub code: ExitCode,
}

/// Everything that is known before anything is posted.
struct Joined {
    report: Report,
    settings: PublishSettings,
    /// Where the configuration stands in the repository; empty without one.
    place: String,
    /// The run did not go well: no gate of it gets a check of its own that is green.
    hold_back_green: bool,
    /// Gates that only a stranger's report knows: none of them gets a check run.
    unknown: BTreeSet<GateName>,
    /// What each gate's own report is of, where that is believed.
    origins: BTreeMap<GateName, Subject>,
    /// Its exit code is the verdict of the change's own run, which GitHub may have given a token that only reads: that is no
    /// fault of the change.
    forgives: bool,
}

/// Joins and posts.
///
/// # Errors
/// With exit code 2 for what cannot be asked, 3 for reports that do not belong together or here, 4 for what is no
/// report.
pub async fn publish(request: &Request, env: &Env) -> Result<Published, Failure> {
    let here = occasion::read(env).map_err(|error| Failure::outside(error.to_string()).help(error.help()))?;
    let cancel = CancelToken::new(here.on_actions.then_some(ACTIONS_GRACE));
    let signals =
        signals::listen(cancel).map_err(|error| Failure::outside(format!("cannot listen for signals: {error}")))?;
    let masker = secrets::masker(env, &[]);
    let mut found = Found::default();
    for path in &request.reports {
        found.take(&request.start, path)?;
    }
    let place = place(request);
    let (joined, poster) = match request.run.or(here.triggering_run) {
        Some(id) => of_another_run(request, env, &here, id, found).await?,
        None => of_this_run(request, env, &here, found).await?,
    };
    let joined = Joined { report: masker.report(&joined.report), ..joined };
    let said = post(&joined, poster, &place, &signals).await.masked(&masker);
    let unsaid = said.failed() || (said.denied() && !joined.forgives);
    let code = Said::code(joined.report.verdict, unsaid, &signals);
    Ok(Published { report: joined.report, said, code })
}

/// Reports that jobs of this run made, or that were made here.
async fn of_this_run(
    request: &Request,
    env: &Env,
    here: &Occasion,
    mut found: Found,
) -> Result<(Joined, Poster), Failure> {
    policy::may_publish(here).map_err(|(why, help)| Failure::refused(why).help(help))?;
    if request.reports.is_empty() {
        return Err(Failure::usage("no report was named").help("gatepost publish REPORT…, or --run ID"));
    }
    let occasion = if here.on_actions { here.clone() } else { local(here, env.get("GITHUB_REPOSITORY"), &found)? };
    let mut poster = Poster::open(Publish::Always, request.dry_run, env, &occasion, None)?;
    if here.on_actions {
        poster = poster.for_jobs_of(here.generation, None, here);
    }
    let subject = Subject {
        repository: occasion.repository.clone(),
        head: occasion.head.clone(),
        base: found.parts.iter().find_map(|part| part.report.subject.base.clone()),
        pull_request: occasion.judged_pull_request(),
        event: occasion.event.clone(),
        trusted: occasion.trusted,
        tree: None,
        dirty: false,
        run_url: occasion.run_url.clone(),
        run: if here.on_actions { here.run() } else { found.parts.first().and_then(|part| part.report.subject.run) },
        config: None,
    };
    for part in &found.parts {
        let whose = if here.on_actions { "this run" } else { found.parts[0].name.as_str() };
        policy::same_subject(&subject, whose, part).map_err(|error| refused(&error))?;
    }
    policy::distinct(&found.parts).map_err(|error| refused(&error))?;
    let Configuration { settings, place, gates, expected } =
        configuration_here(request, env, &occasion, &mut poster).await?;
    let expected = expected::named(&request.expect, expected)?;
    expected::decide_anew(&gates, &mut found.parts);
    let overridden = overridden::of(env, &subject, &poster, &place).await;
    let origins = origins(&found);
    let report = join(subject, found, &expected, overridden, &occasion)?;
    Ok((
        Joined {
            report,
            settings,
            place,
            hold_back_green: false,
            unknown: BTreeSet::new(),
            origins,
            forgives: here.on_actions,
        },
        poster,
    ))
}

/// Reports of another run, whoever's code it ran.
async fn of_another_run(
    request: &Request,
    env: &Env,
    here: &Occasion,
    id: u64,
    mut found: Found,
) -> Result<(Joined, Poster), Failure> {
    let mut poster = Poster::open(Publish::Always, request.dry_run, env, here, None)?;
    let repository = poster.repository().map(str::to_owned);
    let here = Occasion { repository, ..here.clone() };
    let ask = poster.asking().ok_or_else(|| {
        Failure::usage("GitHub cannot be asked about the run: there is no token, or no repository is known")
            .help("set GITHUB_TOKEN, and GITHUB_REPOSITORY=owner/name outside of GitHub Actions")
    })?;
    let triggered = triggered::look_up(ask, id).await?;
    if request.reports.is_empty() {
        found = triggered::fetch(ask, &triggered.run).await?;
    }
    let pull = triggered.pull_request(&found.parts)?;
    let subject = triggered.subject(&here, pull);
    for part in &found.parts {
        // Closed by now: there is nothing to post on, whatever number the report has.
        let pull_request = subject.pull_request.or(part.report.subject.pull_request);
        let subject = Subject { pull_request, ..subject.clone() };
        policy::same_subject(&subject, &format!("run {id}"), part).map_err(|error| refused(&error))?;
    }
    policy::distinct(&found.parts).map_err(|error| refused(&error))?;
    let occasion = triggered.occasion(&here, pull);
    let at = triggered.configured_at(&here, pull);
    let configured = configuration_there(request, &mut poster, at.as_deref(), &occasion).await?;
    let Configuration { settings, place, gates, expected } = configured;
    let expected = expected::named(&request.expect, expected)?;
    expected::decide_anew(&gates, &mut found.parts);
    let overridden = overridden::of(env, &subject, &poster, &place).await;
    if !triggered.is_own(&here) {
        found.parts.iter_mut().for_each(|part| policy::quote(&mut part.report));
    }
    // A stranger's word of what was judged makes no evidence for a deploy.
    let origins = if triggered.is_own(&here) { origins(&found) } else { BTreeMap::new() };
    let mut report = join(subject, found, &expected, overridden, &occasion)?;
    let unknown = if triggered.is_own(&here) { BTreeSet::new() } else { unknown(&mut report, &expected) };
    let hold_back_green = !triggered.run.succeeded();
    if let Some(warning) = triggered.warning() {
        report.verdict = report.verdict.max(Outcome::Error);
        report.notes.insert(0, warning);
    }
    if triggered.run.event == "pull_request" && report.subject.pull_request.is_none() {
        report.notes.insert(0, "no open pull request has this branch any more: there is no comment".to_owned());
    }
    let run = (triggered.run.id, triggered.run.attempt);
    let poster = poster.for_jobs_of(run, triggered.run.workflow.as_deref(), &occasion);
    Ok((Joined { report, settings, place, hold_back_green, unknown, origins, forgives: false }, poster))
}

/// The gates of a stranger's report that nobody here has named, of which it says so. Another workflow may judge a gate of that
/// name, and its check be demanded: a stranger's word makes none. Where no gate was named, the report proves nothing.
fn unknown(report: &mut Report, expected: &[Expected]) -> BTreeSet<GateName> {
    let is_known = |gate: &GateName| expected.iter().any(|wanted| wanted.name == *gate);
    let names = report.gates.iter().map(|gate| gate.name.clone());
    let unknown: BTreeSet<GateName> = names.filter(|gate| !is_known(gate)).collect();
    if expected.is_empty() {
        report.verdict = report.verdict.max(Outcome::Error);
        let why =
            "this is a stranger's report, and which gates count here is not known (no configuration, no --expect)";
        report.notes.insert(0, format!("{why}: nothing of it gets a check run"));
    } else if !unknown.is_empty() {
        let names: Vec<String> = unknown.iter().map(ToString::to_string).collect();
        let what = "not gates of the base's configuration, but of a stranger's report, and without a check run";
        report.notes.insert(0, format!("{what}: {}", names.join(", ")));
    }
    unknown
}

fn origins(found: &Found) -> BTreeMap<GateName, Subject> {
    let of = |part: &policy::Part| {
        let subject = part.report.subject.clone();
        part.report.gates.iter().map(|gate| (gate.name.clone(), subject.clone())).collect::<Vec<_>>()
    };
    found.parts.iter().flat_map(of).collect()
}

/// A laptop: the first report tells what it is of.
fn local(here: &Occasion, ours: Option<&str>, found: &Found) -> Result<Occasion, Failure> {
    let Some(first) = found.parts.first() else { return Ok(here.clone()) };
    let subject = &first.report.subject;
    let both = ours.zip(subject.repository.as_deref());
    if let Some((ours, theirs)) = both.filter(|(ours, theirs)| !ours.eq_ignore_ascii_case(theirs)) {
        let theirs = crate::model::text::one_line(theirs, 80);
        return Err(Failure::refused(format!(
            "{} is a report of {theirs}, and GITHUB_REPOSITORY is {ours}",
            first.name
        ))
        .help("unset it to post where the report was made, or run the gates here"));
    }
    if subject.dirty {
        return Err(Failure::refused(format!(
            "{} was made of a work tree with changes: its commit is not what was judged",
            first.name
        ))
        .help("commit or stash them, and run the gates again"));
    }
    if subject.head.is_none() {
        return Err(Failure::refused(format!("{} names no commit: there is nothing to post on", first.name)));
    }
    Ok(Occasion {
        event: subject.event.clone(),
        repository: subject.repository.clone(),
        pull_request: subject.pull_request,
        head: subject.head.clone(),
        trusted: subject.trusted,
        ..here.clone()
    })
}

/// What is configured for what is published.
#[derive(Default)]
struct Configuration {
    settings: PublishSettings,
    /// Where it stands in the repository.
    place: String,
    gates: Vec<Box<dyn Gate>>,
    expected: Vec<Expected>,
}

impl Configuration {
    fn of(project: Project, expected: Vec<Expected>) -> Self {
        Self { settings: project.config.publish, place: project.place, gates: project.gates, expected }
    }
}

/// The configuration of what is checked out here, or of the commit that was judged.
async fn configuration_here(
    request: &Request,
    env: &Env,
    occasion: &Occasion,
    poster: &mut Poster,
) -> Result<Configuration, Failure> {
    let found = match run::discover(&request.start, env) {
        Ok(repo) => configured_in(&repo, request)?.map(|project| (repo, project)),
        Err(_) => None,
    };
    let Some((repo, project)) = found else {
        // No checkout, one of some files, or of another repository.
        let head = occasion.head.as_ref().map(ToString::to_string);
        return configuration_there(request, poster, head.as_deref(), occasion).await;
    };
    let by_paths = project.gates.iter().any(|gate| !gate.common().paths.is_empty());
    let expected = if by_paths && request.expect.is_empty() {
        let base = scope::base_asked(None, project.config.run.base.as_deref(), occasion);
        let asked = Asked { base, all_files: false };
        let ask = async |base: &_, head: &_| poster.merge_base(base, head).await;
        let judged = scope::scope(&repo, occasion, asked, ask).await?;
        expected::configured(&project.gates, occasion, Known::Change(&judged))?
    } else {
        expected::configured(&project.gates, occasion, Known::Nothing)?
    };
    Ok(Configuration::of(project, expected))
}

fn configured_in(repo: &Repo, request: &Request) -> Result<Option<Project>, Failure> {
    let root = files::real_path(repo.root()).unwrap_or_else(|| repo.root().to_owned());
    let start = files::real_path(&request.start).unwrap_or_else(|| request.start.clone());
    project::open(&Place { root: &root, start: &start, file: request.config.as_deref(), colour: request.colour })
}

/// The configuration as the repository on GitHub has it at a branch or commit. What lies in the workspace may have come
/// with an artifact.
async fn configuration_there(
    request: &Request,
    poster: &mut Poster,
    at: Option<&str>,
    occasion: &Occasion,
) -> Result<Configuration, Failure> {
    let Some(ask) = poster.asking() else { return Ok(Configuration::default()) };
    for path in expected::places(request.config.as_deref())? {
        let text = ask.file(&path, at).await.map_err(|stop| Failure::outside(stop.to_string()))?;
        if let Some(text) = text {
            let project = expected::project(&text, &path, request.colour)?;
            let expected = expected::configured(&project.gates, occasion, Known::Nothing)?;
            return Ok(Configuration::of(project, expected));
        }
    }
    Ok(Configuration::default())
}

fn join(
    subject: Subject,
    found: Found,
    expected: &[Expected],
    overridden: overridden::Found,
    occasion: &Occasion,
) -> Result<Report, Failure> {
    let Found { parts, missing, .. } = found;
    let known = expected.iter().any(|gate| gate.due.is_some());
    if parts.is_empty() && !known {
        let why = if missing.is_empty() { "there is no report".to_owned() } else { not_there(&missing) };
        return Err(Failure::outside(why).help(
            "name report.json files, or folders or archives with them; of another run, upload them as an artifact \
             named `gatepost`, or `gatepost-…`",
        ));
    }
    let earlier = subject.run.and_then(|(_, attempt)| policy::of_earlier_attempts(&parts, attempt));
    let mut report = policy::join(subject, parts, expected, &overridden.gates);
    for audit in report.gates.iter_mut().filter_map(|gate| gate.audit.as_mut()) {
        audit.scheduled = is_of_default_branch(audit, occasion);
    }
    let mut ours = Vec::new();
    if !missing.is_empty() {
        report.verdict = report.verdict.max(Outcome::Error);
        ours.push(not_there(&missing));
    }
    if !known {
        let note =
            "which gates should be here is not known (no configuration, no --expect): a missing one is not noticed";
        ours.push(note.to_owned());
    }
    ours.extend(overridden.notes.into_iter().chain(earlier));
    // However many the parts have: ours are seen.
    report.notes.splice(0..0, ours);
    Ok(report)
}

/// Whether an audit is of what stands on the default branch, whatever changed: a report alone is not believed that.
fn is_of_default_branch(audit: &Audit, occasion: &Occasion) -> bool {
    let pushed = audit.scheduled && occasion.is_of_default_branch();
    occasion.trusted && (occasion.event == "schedule" || pushed)
}

fn not_there(missing: &[String]) -> String {
    format!("not there: {}; its job did not run, or left no report", missing.join(", "))
}

fn refused(refusal: &Refusal) -> Failure {
    match refusal {
        Refusal::Different { .. } => {
            Failure::refused(refusal.to_string()).help("publish only what the jobs of one run made of one commit")
        }
        Refusal::Twice { .. } => Failure::usage(refusal.to_string())
            .help("let each gate run in one job: a gate that others need runs with each of them"),
    }
}

/// Where a person finds the reports.
fn place(request: &Request) -> String {
    let names: Vec<String> = request.reports.iter().map(|path| path.display().to_string()).collect();
    match &names[..] {
        [] => "the artifacts".to_owned(),
        [one] => one.clone(),
        [one, rest @ ..] => format!("{one} and {} more", rest.len()),
    }
}

async fn post(joined: &Joined, mut poster: Poster, place: &str, signals: &Signals) -> Said {
    let report = &joined.report;
    let shared = Posted {
        subject: &report.subject,
        settings: &joined.settings,
        report_path: place,
        started_at: &report.started_at,
        left_out: 0,
        place: &joined.place,
        origins: &joined.origins,
    };
    let (queue, waiting) = poster.queue(shared, signals);
    for gate in &report.gates {
        if !(joined.hold_back_green && gate.outcome.is_green() || joined.unknown.contains(&gate.name)) {
            queue.gate(gate, || false);
        }
    }
    drop(queue);
    poster.send_all(waiting, signals).await;
    poster.end(report, shared, false, signals).await
}
