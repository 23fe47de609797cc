//! `gatepost plan`: what is configured, what would run and why. Nothing is run or written.

use std::path::PathBuf;

use crate::app::Failure;
use crate::app::baseline::{self, Found};
use crate::app::posting::{Poster, Publish, patience};
use crate::app::project::{self, Source};
use crate::app::run::{self, Opened};
use crate::app::scope::{self, Asked};
use crate::app::unmatched::unmatched;
use crate::app::work;
use crate::mask::Masker;
use crate::model::event::Occasion;
use crate::model::gate::Rules;
use crate::model::settings::Common;
use crate::policy::Due;
use crate::world::env::Env;
use crate::world::occasion;

/// What `gatepost plan` was asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where it was started, absolute.
    pub start: PathBuf,
    /// `--config`.
    pub config: Option<PathBuf>,
    /// One gate; `None`: all.
    pub gate: Option<String>,
    /// `--base`.
    pub base: Option<String>,
    /// `--all-files`.
    pub all_files: bool,
    /// `--baseline`.
    pub baseline: Option<PathBuf>,
    /// Whether problems of the configuration are shown in colour.
    pub colour: bool,
}

/// What would happen.
#[derive(Debug)]
pub struct Plan {
    /// Where the settings come from.
    pub source: Source,
    /// What woke the run.
    pub occasion: Occasion,
    /// What is judged, in words.
    pub scope: String,
    /// In configuration order.
    pub gates: Vec<Planned>,
    /// Worth saying beside the plan.
    pub notes: Vec<String>,
    /// Takes secrets out of what is shown of it.
    pub masker: Masker,
}

/// One gate of the plan.
#[derive(Debug)]
pub struct Planned {
    /// Its settings.
    pub common: Common,
    /// How it would be judged.
    pub rules: Rules,
    /// Whether it would run, and why.
    pub due: Due,
}

/// Plans a run. Commits that are missing may be fetched, and GitHub be asked for a merge base, as a run would.
///
/// # Errors
/// As a run that could not begin.
pub async fn plan(request: &Request, env: &Env) -> Result<Plan, Failure> {
    let occasion = occasion::read(env).map_err(|error| Failure::outside(error.to_string()).help(error.help()))?;
    let Opened { repo, project, aside, .. } =
        run::open(&request.start, request.config.as_deref(), request.colour, env, &occasion)?;
    let mut poster = Poster::open(Publish::Auto, false, env, &occasion, Some(&repo))?;
    let base = scope::base_asked(request.base.as_deref(), project.config.run.base.as_deref(), &occasion);
    let asked = Asked { base, all_files: request.all_files };
    let judged = scope::scope(&repo, &occasion, asked, async |base, head| poster.merge_base(base, head).await).await?;
    let masker = project::masker(env, &project.config);
    let file = request.baseline.as_deref().map(|file| request.start.join(file));
    let ground = baseline::Ground {
        file: file.as_deref(),
        project: &project,
        judged: &judged,
        repo: &repo,
        occasion: &occasion,
        masker: &masker,
    };
    let Found { baseline, notes, .. } = ground.find(&mut poster, patience()).await?;
    let wanted = |name: &str| request.gate.as_deref().is_none_or(|gate| gate == name);
    project.known(request.gate.as_slice())?;
    let gates = project.gates.iter().filter(|gate| wanted(gate.common().name.as_str())).map(|gate| {
        let (rules, due) = work::decide(&**gate, &occasion, &judged, baseline.as_ref())?;
        Ok(Planned { common: gate.common().clone(), rules, due })
    });
    let gates = gates.collect::<Result<_, Failure>>()?;
    let lost = unmatched(&project, &repo, &judged.scope);
    let scope = judged.words();
    let seen = match &project.source {
        Source::Detected { notes, .. } => notes.clone(),
        Source::File(_) => Vec::new(),
    };
    let notes = seen.into_iter().chain(aside).chain(lost).chain(judged.notes).chain(notes).collect();
    Ok(Plan { source: project.source, scope, gates, notes, occasion, masker })
}
