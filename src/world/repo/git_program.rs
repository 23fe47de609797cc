//! Runs the git program: for fetching, and for repositories that libgit2 cannot read. It waits, with a time limit,
//! asks nobody anything, and runs no hook.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use crate::world::clock;
use crate::world::process::CancelToken;

/// The longest a read of the repository may take.
pub(super) const READ_LIMIT: Duration = Duration::from_mins(2);

/// The longest a fetch may take.
pub(super) const FETCH_LIMIT: Duration = Duration::from_mins(3);

/// How often it is looked whether a signal came.
const LOOK: Duration = Duration::from_millis(50);

/// The most it may print, in bytes.
const OUTPUT_LIMIT: u64 = 1 << 30;

/// What a repository's or a user's settings must not make git do here: run programs, reach other transports,
/// tidy up in the background.
const SETTINGS: &[&str] = &[
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
    "protocol.allow=never",
    "protocol.ext.allow=never",
    "protocol.https.allow=always",
    "protocol.http.allow=always",
    "protocol.ssh.allow=always",
    "protocol.git.allow=always",
    "protocol.file.allow=always",
];

/// Variables that lead git to another repository, index or object store than the one in the folder, or give paths another
/// meaning (a git hook has them set), or make it run a program.
const WITHHELD: &[&str] = &[
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_ATTR_SOURCE",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_DIFF_OPTS",
    "GIT_DIR",
    "GIT_EXTERNAL_DIFF",
    "GIT_GLOB_PATHSPECS",
    "GIT_GRAFT_FILE",
    "GIT_ICASE_PATHSPECS",
    "GIT_INDEX_FILE",
    "GIT_LITERAL_PATHSPECS",
    "GIT_NAMESPACE",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_TRACE",
    "GIT_WORK_TREE",
];

/// How the git program failed.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// It is not on PATH.
    #[error("the git program is not installed")]
    NotInstalled,
    /// It could not be started or read from.
    #[error("the git program could not be run: {0}")]
    Run(#[from] std::io::Error),
    /// It did not end in time.
    #[error("git {command} did not end within {} s", limit.as_secs())]
    Timeout {
        /// The git command.
        command: String,
        /// The limit.
        limit: Duration,
    },
    /// A signal came meanwhile.
    #[error("git {command} was interrupted")]
    Interrupted {
        /// The git command.
        command: String,
    },
    /// It printed more than is kept.
    #[error("git {command} printed more than 1 GiB")]
    TooMuch {
        /// The git command.
        command: String,
    },
    /// It ended with another status than was expected.
    #[error("git {command} ended with {status}: {message}")]
    Failed {
        /// The git command.
        command: String,
        /// Its exit status, in words.
        status: String,
        /// The last line it printed to stderr.
        message: String,
    },
}

/// What a run of git left.
pub(super) struct Output {
    pub(super) code: Option<i32>,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
    command: String,
}

impl Output {
    /// What it printed, if it ended with 0.
    pub(super) fn success(self) -> Result<Vec<u8>, GitError> {
        if self.code == Some(0) { Ok(self.stdout) } else { Err(self.failure()) }
    }

    /// What it printed if it ended with 0, `None` if with `absent`: git's way to say that there is none.
    pub(super) fn success_unless(self, absent: i32) -> Result<Option<Vec<u8>>, GitError> {
        if self.code == Some(absent) { Ok(None) } else { self.success().map(Some) }
    }

    fn failure(self) -> GitError {
        let status = self.code.map_or_else(|| "a signal".to_owned(), |code| format!("status {code}"));
        let text = String::from_utf8_lossy(&self.stderr);
        // Advice may stand behind what happened.
        let happened = text.lines().find(|line| line.starts_with("fatal: ") || line.starts_with("error: "));
        let last = || text.lines().rev().find(|line| !line.trim().is_empty());
        let message = happened.or_else(last).unwrap_or("it printed nothing");
        GitError::Failed { command: self.command, status, message: crate::model::text::one_line(message, 300) }
    }
}

/// Git, in one folder.
#[derive(Debug, Clone)]
pub(super) struct GitProgram {
    root: PathBuf,
    /// Given to `safe.directory`.
    trusted: Option<OsString>,
    /// Ends what is waited for.
    cancel: Option<CancelToken>,
    /// In place of the repository's own index.
    index: Option<PathBuf>,
}

impl GitProgram {
    /// Git in `root`; `trusted` is a folder whose owner does not matter, or `*`.
    pub(super) fn new(root: &Path, trusted: Option<&OsStr>) -> Self {
        Self { root: root.to_owned(), trusted: trusted.map(OsStr::to_owned), cancel: None, index: None }
    }

    /// The same with another index.
    pub(super) fn with_index(&self, index: &Path) -> Self {
        Self { index: Some(self.root.join(index)), ..self.clone() }
    }

    /// From now on what it waits for ends with `cancel`.
    pub(super) fn heed(&mut self, cancel: &CancelToken) {
        self.cancel = Some(cancel.clone());
    }

    /// Runs `git arguments…`. The first argument is git's command; names from outside come after `--` or are
    /// checked not to start with `-`.
    pub(super) fn run<A: AsRef<OsStr>>(&self, arguments: &[A], limit: Duration) -> Result<Output, GitError> {
        let name = arguments.first().map(|name| name.as_ref().to_string_lossy().into_owned()).unwrap_or_default();
        let mut command = self.command();
        command.args(arguments);
        let child = command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => GitError::NotInstalled,
            _ => GitError::Run(error),
        })?;
        let output = collect(child, name.clone(), limit, || self.is_cancelled())?;
        // A signal ends git too, or what it has started, and may be on its way here. What is not found ends with 1 or 2.
        if self.cancel.is_some() && output.code.is_none_or(|code| code > 2) {
            std::thread::sleep(LOOK);
            if self.is_cancelled() {
                return Err(GitError::Interrupted { command: name });
            }
        }
        Ok(output)
    }

    fn is_cancelled(&self) -> bool {
        self.cancel.as_ref().is_some_and(|cancel| cancel.by().is_some())
    }

    fn command(&self) -> Command {
        #[expect(
            clippy::disallowed_methods,
            reason = "git is this program's own tool, not a gate: nothing is streamed"
        )]
        let mut command = Command::new("git");
        command.args(["--no-pager", "--no-optional-locks", "--no-replace-objects"]);
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        if let Some(trusted) = &self.trusted {
            let mut setting = OsString::from("safe.directory=");
            setting.push(trusted);
            command.arg("-c").arg(setting);
        }
        for variable in WITHHELD {
            command.env_remove(variable);
        }
        if let Some(index) = &self.index {
            command.env("GIT_INDEX_FILE", index);
        }
        command.env("GIT_TERMINAL_PROMPT", "0").env("GCM_INTERACTIVE", "never").env("SSH_ASKPASS_REQUIRE", "never");
        command.env("LC_ALL", "C").current_dir(&self.root);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

fn collect(
    mut child: Child,
    command: String,
    limit: Duration,
    is_cancelled: impl Fn() -> bool,
) -> Result<Output, GitError> {
    let stdout = read_aside(child.stdout.take());
    let stderr = read_aside(child.stderr.take());
    let begun = clock::instant();
    let read = loop {
        match stdout.recv_timeout(LOOK) {
            Err(RecvTimeoutError::Timeout) if begun.elapsed() < limit && !is_cancelled() => {}
            other => break other,
        }
    };
    let stdout = match read {
        Ok(read) => read?,
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
            child.kill()?;
            child.wait()?;
            let cancelled = is_cancelled();
            return Err(if cancelled {
                GitError::Interrupted { command }
            } else {
                GitError::Timeout { command, limit }
            });
        }
    };
    if stdout.len() as u64 > OUTPUT_LIMIT {
        child.kill()?;
        child.wait()?;
        return Err(GitError::TooMuch { command });
    }
    let code = child.wait()?.code();
    // A credential helper that stays may hold stderr open: what came so far would be lost, but git has ended.
    let stderr = stderr.recv_timeout(Duration::from_secs(1)).ok().and_then(Result::ok).unwrap_or_default();
    Ok(Output { code, stdout, stderr, command })
}

fn read_aside<R: Read + Send + 'static>(pipe: Option<R>) -> Receiver<std::io::Result<Vec<u8>>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = pipe.map_or(Ok(0), |pipe| pipe.take(OUTPUT_LIMIT + 1).read_to_end(&mut bytes));
        // Nobody waits any more after a timeout.
        let _ = sender.send(read.map(|_| bytes));
    });
    receiver
}
