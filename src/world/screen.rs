//! Standard output and standard error: the one place that prints. A reader that went away is no error.

use std::io::{IsTerminal as _, Write as _};

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
        let forced = env.get("CLICOLOR_FORCE").is_some_and(|value| value != "0") || env.get("GITHUB_ACTIONS").is_some();
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

/// Prints to standard output.
pub fn out(text: &str) {
    let mut stream = std::io::stdout().lock();
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
}

/// Prints to standard error.
pub fn err(text: &str) {
    let mut stream = std::io::stderr().lock();
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
}

/// Asks on standard error; only `y` or `yes` on standard input is one.
#[must_use]
pub fn ask(question: &str) -> bool {
    err(question);
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}
