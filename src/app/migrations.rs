//! `gatepost migrations`: a dry run without a configuration, and without a repository where there is none.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::app::run::discover;
use crate::app::scope::{self, Asked};
use crate::app::{Failure, secrets};
use crate::gate::migrations::{self, Ground, Settings};
use crate::model::change::Scope;
use crate::model::exit::ExitCode;
use crate::model::gate::GateName;
use crate::model::report::GateReport;
use crate::model::settings::Common;
use crate::policy;
use crate::world::database::programs::Surroundings;
use crate::world::env::Env;
use crate::world::process::{ACTIONS_GRACE, CancelToken};
use crate::world::{files, occasion, signals};

/// How long a dry run may take.
const TIMEOUT: Duration = Duration::from_mins(30);

/// What `gatepost migrations` was asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where it was started, absolute.
    pub start: PathBuf,
    /// The migrations folder; `None`: `migrations`.
    pub folder: Option<PathBuf>,
    /// `--base`.
    pub base: Option<String>,
    /// As a gate's own keys.
    pub settings: Settings,
}

/// Makes the dry run and judges it.
///
/// # Errors
/// When there is no such folder, or it cannot be told what to judge.
pub async fn migrations(
    request: &Request,
    env: &Env,
    on_line: &dyn Fn(&str),
) -> Result<(GateReport, ExitCode), Failure> {
    let occasion = occasion::read(env).map_err(|error| Failure::outside(error.to_string()).help(error.help()))?;
    let cancel = CancelToken::new(occasion.on_actions.then_some(ACTIONS_GRACE));
    let signals = signals::listen(cancel.clone())
        .map_err(|error| Failure::outside(format!("cannot listen for signals: {error}")))?;
    let place = request.start.join(request.folder.as_deref().unwrap_or_else(|| "migrations".as_ref()));
    let place = files::real_path(&place).ok_or_else(|| {
        Failure::usage(format!("there is no folder {}", place.display())).help(
            "name the migrations folder: gatepost migrations DIR (`gatepost plan` shows those in the usual places)",
        )
    })?;
    let repo = discover(&place, env).ok();
    let root = repo.as_ref().and_then(|repo| files::real_path(repo.root()));
    let root = root.unwrap_or_else(|| files::real_path(&request.start).unwrap_or_else(|| request.start.clone()));
    let (root, folder) = match place.strip_prefix(&root) {
        Ok(below) => (root.clone(), below.to_path_buf()),
        Err(_) => (place.clone(), PathBuf::new()),
    };
    let mut base = None;
    let mut notes = Vec::new();
    if let Some(repo) = repo.as_ref().filter(|_| !request.settings.all) {
        let asked = Asked { base: request.base.as_deref(), all_files: false };
        let nobody = async |_: &_, _: &_| Err("GitHub is not asked here; name it with --base".to_owned());
        let judged = scope::scope(repo, &occasion, asked, nobody).await?;
        if let Scope::Everything { why } = &judged.scope {
            notes.push(format!("every migration was judged: {why}"));
        }
        base = judged.base;
    }
    let environment: Vec<(OsString, OsString)> =
        env.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let ground = Ground {
        root: &root,
        dir: "",
        repo: repo.as_ref(),
        base: base.as_ref(),
        env,
        around: Surroundings(&environment),
        timeout: TIMEOUT,
        url_may_be_given: true,
        cancel: &cancel,
        on_line,
    };
    let folder = folder.to_str().unwrap_or_default().replace('\\', "/");
    let mut evidence = migrations::collect(&request.settings, &folder, ground).await;
    evidence.notes.extend(notes);
    let common = common()?;
    let rules = migrations::rules(&common, &request.settings);
    let scope = Scope::Everything { why: "the base is compared with by version".to_owned() };
    let mut report = policy::judge(&common, &rules, policy::Ground { scope: &scope, baseline: None }, evidence);
    "gatepost migrations".clone_into(&mut report.reproduce);
    let report = secrets::masker(env, &[]).gate(&report);
    let code = signals.caught().map_or_else(|| ExitCode::from(report.outcome), |it| ExitCode::Interrupted(it.number()));
    Ok((report, code))
}

fn common() -> Result<Common, Failure> {
    let name = GateName::parse("migrations").map_err(|error| Failure::usage(error.to_string()))?;
    Ok(Common { timeout: TIMEOUT, grace: Duration::from_secs(5), ..Common::built_in(name, "migrations") })
}
