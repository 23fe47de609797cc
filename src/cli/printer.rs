//! Prints a run as plain lines: one when a gate starts and ends, a heartbeat, everything that is wrong at the end.
//! Under GitHub Actions what a tool printed stands in folds that the runner takes no command from.

use crate::app::output::Output;
use crate::app::posting::Said;
use crate::model::call::{Receipt, ReceiptEnd};
use crate::model::evidence::Exit;
use crate::model::outcome::Outcome;
use crate::model::progress::{Progress, Watch};
use crate::model::report::{GateReport, Report};
use crate::model::text::one_line;
use crate::render::terminal::{self, Dress};
use crate::render::workflow;
use crate::world::screen;

/// Where lines go, and how they look.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct Printer {
    /// Standard output; else standard error.
    pub to_out: bool,
    /// Colours and width.
    pub dress: Dress,
    /// GitHub's runner reads what is printed.
    pub on_actions: bool,
    /// Only the verdict and what is wrong.
    pub quiet: bool,
    /// Passing gates are shown with what they printed.
    pub verbose: bool,
    /// A fresh word that tools cannot know, between which the runner takes no commands.
    pub fence: String,
}

impl Printer {
    /// Prints lines as they are.
    pub fn raw(&self, text: &str) {
        if self.to_out { screen::out(text) } else { screen::err(text) }
    }

    /// Prints lines that may hold anyone's text.
    pub fn lines(&self, text: &str) {
        if self.on_actions {
            self.raw(&workflow::plain_lines(text));
        } else {
            self.raw(text);
        }
    }

    /// Prints every gate that is worth reading about and was not `shown` before, in configuration order, then the table
    /// and the verdict. `folder` is as for [`gate`](Self::gate).
    pub fn report(&self, report: &Report, output: &Output, folder: &str, shown: impl Fn(&GateReport) -> bool) {
        for gate in report.gates.iter().filter(|gate| self.is_shown(gate) && !shown(gate)) {
            // What a gate printed that passed is asked for by `-v`.
            let tail = if self.verbose { output.tail(gate) } else { gate.log_tail.clone() };
            self.gate(gate, tail.as_deref(), folder);
        }
        self.closing(report);
    }

    /// Prints the table and the verdict.
    pub fn closing(&self, report: &Report) {
        self.lines(&format!("\n{}", terminal::closing(report, self.dress)));
    }

    fn is_shown(&self, gate: &GateReport) -> bool {
        // A status that findings have to explain may be due to what the notes tell of.
        let doubtful = gate.exit.is_some_and(|exit| exit != Exit::Code(0)) && !gate.notes.is_empty();
        let passed = gate.outcome != Outcome::Skipped && (self.verbose || doubtful);
        !gate.outcome.is_green() || gate.tests_differ() || passed
    }

    /// Whether a gate that ends is printed in full at once, where rows show what still runs. What `-v` adds is read at the end.
    #[must_use]
    pub const fn at_once(&self, gate: &GateReport) -> bool {
        !self.verbose && !gate.outcome.is_green()
    }

    /// Prints a gate in full. `folder` is the one that its log is in.
    pub fn gate(&self, gate: &GateReport, tail: Option<&str>, folder: &str) {
        let details = terminal::details(gate, tail, folder, self.dress);
        let headline = terminal::headline(gate, self.dress);
        if self.on_actions {
            self.raw(&format!(
                "::group::{}\n::stop-commands::{fence}\n{details}::{fence}::\n::endgroup::\n",
                workflow::data(&headline),
                fence = self.fence,
            ));
        } else {
            self.raw(&format!("\n{headline}\n\n{details}"));
        }
    }

    /// Says what could not be posted or written, and gives the runner its commands.
    pub fn said(&self, said: &Said, unwritten: &[String]) {
        self.receipts(&said.receipts);
        for error in unwritten.iter().chain(&said.unwritten) {
            self.lines(&format!("not written: {error}\n"));
        }
        for command in &said.commands {
            self.raw(&format!("{command}\n"));
        }
    }

    /// Says once what could not be posted, or only in a lesser way.
    fn receipts(&self, receipts: &[Receipt]) {
        let mut said: Vec<(&str, &str, Vec<&str>)> = Vec::new();
        for receipt in receipts {
            let (word, why) = match &receipt.end {
                ReceiptEnd::Failed(why) | ReceiptEnd::Denied(why) => ("could not be posted", why),
                ReceiptEnd::Downgraded(why) => ("posted in a lesser way", why),
                ReceiptEnd::LeftAlone(why) => ("left alone", why),
                ReceiptEnd::WouldSend(calls) if calls.is_empty() => {
                    self.lines(&format!("{} would be posted; with a token its calls are shown\n", receipt.what));
                    continue;
                }
                ReceiptEnd::WouldSend(calls) => ("would be posted", calls),
                ReceiptEnd::Posted(_) | ReceiptEnd::Unchanged(_) => continue,
            };
            match said.iter_mut().find(|one| (one.0, one.1) == (word, why)) {
                Some((_, _, names)) => names.push(&receipt.what),
                None => said.push((word, why, vec![&receipt.what])),
            }
        }
        for (word, why, names) in said {
            let more = if names.len() > NAMED { format!(" and {} more", names.len() - NAMED) } else { String::new() };
            let names = names[..names.len().min(NAMED)].join(", ");
            self.lines(&format!("{names}{more} {word}: {}\n", crate::model::text::clean(why)));
        }
    }
}

/// Of more things with which the same went wrong only the number is said.
const NAMED: usize = 10;

/// Plain lines while gates run.
pub struct Plain {
    printer: Printer,
}

impl Plain {
    /// Prints through `printer`.
    #[must_use]
    pub const fn new(printer: Printer) -> Self {
        Self { printer }
    }
}

impl Watch for Plain {
    fn see(&self, step: &Progress<'_>) {
        if self.printer.quiet {
            return;
        }
        match step {
            Progress::Started { gate, attempt } => {
                let again = if *attempt > 1 { format!(" (attempt {attempt})") } else { String::new() };
                self.printer.lines(&format!("  {gate}: started{again}\n"));
            }
            Progress::Line { .. } => {}
            Progress::Heartbeat { gate, running } => {
                self.printer.lines(&format!("  {gate}: still running after {}\n", terminal::elapsed(*running)));
            }
            Progress::Ended { report, .. } => {
                self.printer.lines(&format!("{}\n", terminal::ended(report, self.printer.dress)));
            }
            Progress::Said { text } => self.printer.lines(&format!("note: {}\n", one_line(text, 1_000))),
        }
    }
}
