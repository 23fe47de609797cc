//! `gatepost doctor`: what is missing for these gates on this machine, in the workflows and on GitHub. It only reads,
//! and never calls well what it did not look at.

mod databases;
mod deploys;
mod remote;
mod tools;

use std::path::{Path, PathBuf};

use crate::app::project::{self, Project, Source};
use crate::app::run::{self, Opened};
use crate::app::unmatched::unmatched;
use crate::app::{Failure, scope};
use crate::gate::integrity;
use crate::integrity::commands::commands;
use crate::mask::Masker;
use crate::model::change::Scope;
use crate::model::diagnosis::Row;
use crate::model::event::Occasion;
use crate::model::gate::Mode;
use crate::model::text::one_line;
use crate::setup::coverage::{self, Wanted};
use crate::setup::permissions::{self, Permission};
use crate::setup::workflow::Workflow;
use crate::setup::{jobs, required};
use crate::world::env::Env;
use crate::world::repo::{BaseAnswer, BaseRequest, Repo};
use crate::world::tree::deep;
use crate::world::{files, occasion};

use remote::Remote;

/// The largest workflow that is read, in bytes.
const LARGEST: u64 = 1 << 20;
/// Where GitHub looks for workflows.
const WORKFLOWS: &str = ".github/workflows";

/// What `gatepost doctor` was asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where it was started, absolute.
    pub start: PathBuf,
    /// `--config`.
    pub config: Option<PathBuf>,
    /// Whether problems of the configuration are shown in colour.
    pub colour: bool,
}

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// In the order they are shown.
    pub rows: Vec<Row>,
    /// What a job needs that runs these gates and posts what they find.
    pub permissions: Vec<Permission>,
    /// Takes secrets out of what is shown of it.
    pub masker: Masker,
}

/// Looks at everything.
///
/// # Errors
/// With exit code 2 when the configuration cannot be used: nothing else can be judged without it.
pub async fn doctor(request: &Request, env: &Env) -> Result<Found, Failure> {
    let occasion = occasion::read(env).map_err(|error| Failure::outside(error.to_string()).help(error.help()))?;
    let Opened { repo, root, project, .. } =
        run::open(&request.start, request.config.as_deref(), request.colour, env, &occasion)?;
    let publish = &project.config.publish;
    let mut rows = vec![configuration(&project)];
    let everything = Scope::Everything { why: String::new() };
    let unmatched = unmatched(&project, &repo, &everything).into_iter();
    rows.extend(unmatched.map(|what| Row::bad("paths", what, "mend the patterns, or take them away")));
    rows.extend(tools::rows(&project, &root, env));
    rows.extend(databases::rows(&project, &root, env).await);
    rows.extend(deploys::rows(&project.config, env, occasion.on_actions));

    let (workflows, unread) = workflows(&root);
    let mut remote = Remote::open(&repo, &occasion, env)?;
    rows.push(base(&repo, &occasion, &project, &remote).await);
    let told = remote.look(publish, &occasion, &workflows, env).await;
    rows.extend(unread);
    rows.extend(jobs::rows(&workflows, publish, told.private));
    let looked = integrity::evidence(&root, &root, "");
    let lost = looked.understood.map(|understood| understood.findings);
    rows.extend(jobs::toothless(&workflows, lost.iter().flatten().map(|located| &located.finding)));
    rows.extend(looked.problems.iter().filter(|problem| is_of(&workflows, &problem.what)).map(|problem| {
        let what = format!("whether a failure is lost there is not known: {}", one_line(&problem.what, 300));
        Row::unknown("verdict", what, "write it so that `gatepost integrity` can read it")
    }));
    if jobs::any(&workflows) {
        rows.extend(coverage::rows(&workflows, &wanted(&project)));
    } else {
        rows.push(no_workflow(remote.is_known()));
    }
    rows.extend(told.rows);
    rows.extend(told.protection.iter().flat_map(|protection| required::rows(protection, &workflows)));
    let masker = project::masker(env, &project.config);
    Ok(Found { rows, permissions: permissions::of_a_run(publish), masker })
}

/// Whether a problem is one of these workflows, or of all of them.
fn is_of(workflows: &[Workflow], problem: &str) -> bool {
    let in_file = |path: &str| problem.strip_prefix(path).is_some_and(|rest| rest.starts_with(':'));
    let with_gates = |workflow: &&Workflow| jobs::any(std::slice::from_ref(workflow));
    workflows.iter().filter(with_gates).any(|workflow| in_file(&workflow.path))
        || problem.starts_with("reading the scripts ended")
        || problem.starts_with("could not start a thread")
}

/// The gates, as far as it matters which of them workflows run.
fn wanted(project: &Project) -> Vec<Wanted> {
    let nodes = project.graph.nodes();
    let of_change = |when: &String| when.starts_with("pull_request") || when == "merge_group";
    let wanted = project.gates.iter().zip(nodes).map(|(gate, node)| {
        let common = gate.common();
        Wanted {
            name: common.name.to_string(),
            needs: node.needs.iter().map(|need| nodes[*need].name.to_string()).collect(),
            enforced: common.mode == Mode::Block && (common.when.is_empty() || common.when.iter().any(of_change)),
        }
    });
    wanted.collect()
}

fn configuration(project: &Project) -> Row {
    let number = project.gates.len();
    let shown = project.gates.iter().filter(|gate| gate.common().mode == Mode::Report).count();
    let not_enforced = if shown > 0 { format!(", {shown} of them not enforced") } else { String::new() };
    let gates = format!("{number} gate{}{not_enforced}", if number == 1 { "" } else { "s" });
    match &project.source {
        Source::File(file) => Row::good("configuration", format!("{file}: {gates}")),
        Source::Detected { .. } => Row {
            todo: Some("`gatepost init` writes them down".to_owned()),
            ..Row::good("configuration", format!("no gatepost.toml: {gates} detected"))
        },
    }
}

fn no_workflow(on_github: bool) -> Row {
    if on_github {
        let what = format!("no job in {WORKFLOWS} is seen to run gatepost: a pull request is not gated");
        Row::bad("workflow", what, "`gatepost init` shows one, and writes it with --yes")
    } else {
        Row::needless("workflow", "no repository on GitHub is known here")
    }
}

/// The workflows, and a row for each that cannot be read.
fn workflows(root: &Path) -> (Vec<Workflow>, Vec<Row>) {
    let yaml = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml");
    let mut read = Vec::new();
    let mut unread = Vec::new();
    let own =
        files::read_capped(&root.join("action.yml"), LARGEST).is_some_and(|text| text.starts_with(b"name: gatepost\n"));
    for path in files::list(&root.join(WORKFLOWS)).unwrap_or_default().into_iter().filter(yaml) {
        let name = format!("{WORKFLOWS}/{}", path.file_name().unwrap_or_default().to_string_lossy());
        let why = match files::read_capped(&path, LARGEST).map(String::from_utf8) {
            None => format!("it cannot be read, or is larger than {} MiB", LARGEST >> 20),
            Some(Err(_)) => "it is not UTF-8".to_owned(),
            Some(Ok(text)) => match Workflow::read(&name, &text) {
                Ok(mut workflow) => {
                    if own {
                        workflow.lies_with_gatepost();
                    }
                    read.push(workflow);
                    continue;
                }
                Err(error) => error.to_string(),
            },
        };
        let what = format!("{}: {}", one_line(&name, 200), one_line(&why, 300));
        unread.push(Row::unknown("workflow", what, "mend it: GitHub cannot read it either"));
    }
    // Where that breaks down their words are gone by, and `integrity` says so.
    let _ = deep(|| read.iter_mut().for_each(|workflow| workflow.understand(&commands)));
    (read, unread)
}

/// Whether there is something to compare with.
async fn base(repo: &Repo, occasion: &Occasion, project: &Project, remote: &Remote) -> Row {
    let topic = "base";
    let asked = scope::base_asked(None, project.config.run.base.as_deref(), occasion);
    let todo = if occasion.on_actions {
        "set `fetch-depth: 0` on actions/checkout, and do not check out another commit than the event's"
    } else {
        "fetch it (`git fetch --unshallow origin` in a shallow clone), or set `base` under [run]"
    };
    let request = BaseRequest { occasion, asked, merge_base: None };
    let mut answer = repo.base(&request);
    let found;
    if let Ok(BaseAnswer::AskForge { base, head }) = &answer {
        match remote.merge_base(base, head).await {
            Ok(sha) => {
                found = sha;
                answer = repo.base(&BaseRequest { merge_base: Some(&found), ..request });
            }
            Err(why) => {
                let lacking = scope::lacking(repo, base).unwrap_or_else(|error| error.to_string());
                return Row::bad(topic, format!("{lacking}, and GitHub does not tell the merge base: {why}"), todo);
            }
        }
    }
    let depth = match repo.is_shallow() {
        Ok(true) => " (a shallow clone)",
        Ok(false) => " (the whole history is here)",
        Err(_) => "",
    };
    match answer {
        Ok(BaseAnswer::Commit { what, .. }) => Row::good(topic, format!("compared with {what}{depth}")),
        Ok(BaseAnswer::Unborn) => Row::good(topic, "there is no commit yet: every file is new"),
        Ok(BaseAnswer::Everything { why, lacking: false }) => {
            Row::good(topic, format!("everything is judged: {why}{depth}"))
        }
        Ok(BaseAnswer::Everything { why, lacking: true }) => {
            Row::bad(topic, format!("everything would be judged: {why}{depth}"), todo)
        }
        Ok(BaseAnswer::AskForge { .. }) => {
            Row::bad(topic, "the merge base that GitHub names could not be fetched", todo)
        }
        Err(error) => Row::unknown(topic, error.to_string(), todo),
    }
}
