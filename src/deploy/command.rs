//! `{ command = "…" }`: a command of the repository. What it leaves running when it succeeds is the service.

use std::pin::Pin;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{Command, DeployerRow};
use crate::deploy::{Deployer, Ground, Job, Kind, Ran};
use crate::model::evidence::Exit;
use crate::model::settings::CommandLine;
use crate::model::text::one_line;
use crate::world::files;
use crate::world::process::{self, CancelToken, Caps, End, Spawn};

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
    /// What is run: a string by `bash -e -o pipefail -c`, an array directly.
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

/// Runs a command of a deployment to its end.
pub(super) async fn run(command: &CommandLine, job: &Job<'_>, timeout: Duration) -> Ran {
    let spawn = Spawn {
        argv: command.argv(),
        dir: job.root.to_owned(),
        env: job.variables.to_vec(),
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
    ended(&spawn, job.cancel, &mut |line| (job.on_line)(line), &mut |leader| {
        job.group.leader.set(Some(leader));
        job.group.known.notify_one();
    })
    .await
}

async fn ended(
    spawn: &Spawn,
    cancel: &CancelToken,
    on_line: &mut dyn FnMut(&str),
    on_start: &mut dyn FnMut(i32),
) -> Ran {
    let finished = match process::run_told(spawn, cancel, on_line, on_start).await {
        Ok(finished) => finished,
        Err(error) => return Ran::Failed(error.to_string()),
    };
    let last = files::tail(&spawn.log, 2_000).unwrap_or_default();
    let last = String::from_utf8_lossy(&last).lines().rev().find(|line| !line.trim().is_empty()).map(str::to_owned);
    let said = last.map_or_else(String::new, |line| format!(": {}", one_line(&line, 200)));
    match (finished.end, finished.exit) {
        (End::Cancelled(by), _) => Ran::Interrupted(by.to_string()),
        (End::TimedOut, _) => {
            Ran::Failed(format!("it ran longer than {} s and was ended{said}", spawn.timeout.as_secs()))
        }
        (End::Exited, Some(Exit::Code(0))) => Ran::Done,
        (End::Exited, Some(Exit::Code(code))) => Ran::Failed(format!("exit status {code}{said}")),
        (End::Exited, Some(Exit::Signal(signal))) => Ran::Failed(format!("killed by signal {signal}{said}")),
        (End::Exited, None) => Ran::Failed(format!("how it ended is not known{said}")),
    }
}
