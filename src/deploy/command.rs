//! `{ command = "…" }`: a command of the repository. What it leaves running when it succeeds is the service.

use std::pin::Pin;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{Command, DeployerRow};
use crate::deploy::{Deployer, Ground, Job, Kind, Ran};
use crate::model::environ::Environ;
use crate::model::evidence::Exit;
use crate::model::settings::CommandLine;
use crate::model::text::one_line;
use crate::world::files;
use crate::world::process::{self, Caps, End, Spawn};

pub(super) const KIND: Kind = Kind {
    row: DeployerRow::of::<Settings>("command", "a command of the repository, told by GATEPOST_… variables"),
    settle: |own| {
        let settings: Settings = own.read()?;
        Ok(Box::new(Deploy { command: settings.command.map(|command| command.0), checkout: settings.checkout }))
    },
};

/// The keys of this deployer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Settings {
    /// What is run: a string by `bash -e -o pipefail -c`, an array directly. It is told by `GATEPOST_ENVIRONMENT`, `GATEPOST_SHA`, `GATEPOST_REF`, `GATEPOST_VERSION`, `GATEPOST_PREVIOUS_SHA`, `GATEPOST_DEPLOYMENT_ID`, `GATEPOST_URL` and `GATEPOST_ROLE` (`deploy`, `rollback`); with a `strategy` by `GATEPOST_STRATEGY`, `GATEPOST_SLOT`, `GATEPOST_OTHER_SLOT` and `GATEPOST_PREVIEW_URL` too.
    #[schemars(with = "Command")]
    command: Option<Command>,
    /// Whether it runs among the files of the commit; `false`: in the work tree as it is.
    checkout: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { command: None, checkout: true }
    }
}

struct Deploy {
    command: Option<CommandLine>,
    checkout: bool,
}

impl Deployer for Deploy {
    fn ground(&self) -> Ground {
        if self.checkout { Ground::Commit } else { Ground::WorkTree }
    }

    fn deploy<'a>(&'a self, job: Job<'a>) -> Pin<Box<dyn Future<Output = Ran> + 'a>> {
        Box::pin(async move {
            let Some(command) = &self.command else { return Ran::Failed("there is no command".to_owned()) };
            run(command, &job, job.environment.timeout).await
        })
    }
}

/// The exit status by which a command says that it cannot tell: gatepost's own.
pub(super) const INCONCLUSIVE: i32 = 4;

/// Runs a command of a deployment to its end.
pub(super) async fn run(command: &CommandLine, job: &Job<'_>, timeout: Duration) -> Ran {
    match finished(command, job, timeout).await {
        Err(why) => Ran::Failed(why),
        Ok((End::Cancelled(by), ..)) => Ran::Interrupted(by.to_string()),
        Ok((End::TimedOut, _, said)) => Ran::Failed(too_long(timeout, &said)),
        Ok((End::Exited, Some(Exit::Code(0)), _)) => Ran::Done,
        Ok((End::Exited, Some(Exit::Code(code)), said)) => Ran::Failed(format!("exit status {code}{said}")),
        Ok((End::Exited, Some(Exit::Signal(signal)), said)) => Ran::Failed(format!("killed by signal {signal}{said}")),
        Ok((End::Exited, None, said)) => Ran::Failed(format!("how it ended is not known{said}")),
    }
}

/// The exit status of a command and its last line; why there is no status.
pub(super) async fn status(command: &CommandLine, job: &Job<'_>, timeout: Duration) -> Result<(i32, String), String> {
    match finished(command, job, timeout).await? {
        (End::Exited, Some(Exit::Code(code)), said) => Ok((code, said)),
        (End::Exited, Some(Exit::Signal(signal)), said) => Err(format!("killed by signal {signal}{said}")),
        (End::Exited, None, said) => Err(format!("how it ended is not known{said}")),
        (End::TimedOut, _, said) => Err(too_long(timeout, &said)),
        (End::Cancelled(by), ..) => Err(by.to_string()),
    }
}

fn too_long(timeout: Duration, said: &str) -> String {
    format!("it ran longer than {} s and was ended{said}", timeout.as_secs())
}

/// How a command ended, and the last line that it printed.
async fn finished(
    command: &CommandLine,
    job: &Job<'_>,
    timeout: Duration,
) -> Result<(End, Option<Exit>, String), String> {
    let spawn = Spawn {
        argv: command.argv(),
        dir: job.root.to_owned(),
        env: Environ::new(job.variables.to_vec()),
        merge: true,
        masker: job.masker.clone(),
        log: job.log.clone(),
        keep: None,
        timeout,
        grace: job.environment.grace,
        caps: Caps::default(),
        leaves_services: true,
        for_machines: false,
    };
    let mut on_start = |leader| {
        job.group.leader.set(Some(leader));
        job.group.known.notify_one();
    };
    let ran = process::run_told(&spawn, job.cancel, &mut |line| (job.on_line)(line), &mut on_start).await;
    let ended = ran.map_err(|error| error.to_string())?;
    let last = files::tail(&spawn.log, 2_000).unwrap_or_default();
    let last = String::from_utf8_lossy(&last).lines().rev().find(|line| !line.trim().is_empty()).map(str::to_owned);
    let said = last.map_or_else(String::new, |line| format!(": {}", one_line(&line, 200)));
    Ok((ended.end, ended.exit, said))
}
