//! Standard output and standard error: the one place that prints. A reader that went away is no error; one that stands still
//! keeps nobody waiting but the end.

use std::io::{self, ErrorKind, IsTerminal as _, Write};
use std::sync::mpsc::{SendError, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::world::env::Env;

/// When colours are sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Colour {
    /// To a terminal that can, unless `NO_COLOR` is set; on GitHub Actions, whose log shows them.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What the two streams are.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Screen {
    /// Whether text on standard output is coloured.
    pub out_colour: bool,
    /// Whether text on standard error is coloured.
    pub err_colour: bool,
    /// Whether running rows can be drawn on standard error.
    pub rows: bool,
    /// Whether a person can be asked: standard input and standard error are terminals.
    pub can_ask: bool,
    /// Columns of text.
    pub width: usize,
}

impl Screen {
    /// Looks at the streams and at `NO_COLOR`, `CLICOLOR_FORCE`, `TERM`, `COLUMNS`, `CI` and `GITHUB_ACTIONS`.
    #[must_use]
    pub fn look(colour: Colour, env: &Env) -> Self {
        let dumb = env.get("TERM") == Some("dumb");
        let forced =
            env.get("CLICOLOR_FORCE").is_some_and(|value| value != "0") || env.get("GITHUB_ACTIONS") == Some("true");
        let coloured = |terminal: bool| match colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => env.get("NO_COLOR").is_none() && (forced || (terminal && !dumb)),
        };
        let err_terminal = std::io::stderr().is_terminal();
        let width = env.get("COLUMNS").and_then(|columns| columns.parse().ok());
        let measured = || console::Term::stderr().size_checked().map(|(_, columns)| usize::from(columns));
        Self {
            out_colour: coloured(std::io::stdout().is_terminal()),
            err_colour: coloured(err_terminal),
            rows: err_terminal && !dumb && env.get("CI").is_none(),
            can_ask: err_terminal && std::io::stdin().is_terminal() && env.get("CI").is_none(),
            width: width.or_else(measured).unwrap_or(120).clamp(40, 200),
        }
    }
}

/// One of the two streams.
#[derive(Clone, Copy)]
enum To {
    Out,
    Err,
}

/// Who prints aside, and what waits for it.
struct Aside {
    waiting: Sender<(To, String)>,
    thread: JoinHandle<()>,
}

static ASIDE: Mutex<Option<Aside>> = Mutex::new(None);
/// Why standard output lacks something.
static LOST: Mutex<Option<io::Error>> = Mutex::new(None);

/// Prints to standard output.
pub fn out(text: impl Into<String>) {
    print(To::Out, text.into());
}

/// Prints to standard error.
pub fn err(text: impl Into<String>) {
    print(To::Err, text.into());
}

/// Lines of the log, on standard error.
#[derive(Debug)]
pub struct Log;

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        err(String::from_utf8_lossy(line));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// From now on a thread prints what does not go to a terminal: whoever prints may have limits of time and signals to heed,
/// while a reader (a pager) stands still. Where no thread can be had, nothing changes.
pub fn print_aside() {
    let (waiting, lines) = channel::<(To, String)>();
    let work = move || lines.into_iter().for_each(|(to, text)| write(to, &text));
    let mut aside = locked(&ASIDE);
    if aside.is_none() {
        *aside = std::thread::Builder::new().spawn(work).ok().map(|thread| Aside { waiting, thread });
    }
}

/// Waits until everything is printed.
///
/// # Errors
/// Why standard output lacks something, but for a reader that went away.
pub fn finish() -> io::Result<()> {
    let aside = locked(&ASIDE).take();
    if let Some(Aside { waiting, thread }) = aside {
        drop(waiting);
        let _ = thread.join();
    }
    locked(&LOST).take().map_or(Ok(()), Err)
}

fn print(to: To, text: String) {
    let unsent = match &*locked(&ASIDE) {
        Some(aside) if !to.is_terminal() => aside.waiting.send((to, text)).err().map(|SendError(unsent)| unsent),
        _ => Some((to, text)),
    };
    if let Some((to, text)) = unsent {
        write(to, &text);
    }
}

fn write(to: To, text: &str) {
    let written = |stream: &mut dyn Write| stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
    match to {
        To::Out => {
            if let Err(error) = written(&mut io::stdout().lock())
                && error.kind() != ErrorKind::BrokenPipe
            {
                locked(&LOST).get_or_insert(error);
            }
        }
        To::Err => drop(written(&mut io::stderr().lock())),
    }
}

impl To {
    fn is_terminal(self) -> bool {
        match self {
            Self::Out => io::stdout().is_terminal(),
            Self::Err => io::stderr().is_terminal(),
        }
    }
}

fn locked<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks on standard error; only `y` or `yes` on standard input is one.
#[must_use]
pub fn ask(question: &str) -> bool {
    err(question);
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}
