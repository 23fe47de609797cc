//! Rows of running gates on a terminal. What matters is printed above them as ordinary text: a verdict is never
//! sent through the rows.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::printer::Printer;
use crate::model::gate::GateName;
use crate::model::progress::{Progress, Watch};
use crate::model::text::{one_line, shorten};
use crate::render::terminal;

/// The most rows at a time.
const ROWS: usize = 8;
/// How often elapsed times move.
const TICK: Duration = Duration::from_millis(200);

/// Draws the rows.
pub struct Rows {
    printer: Printer,
    multi: MultiProgress,
    style: ProgressStyle,
    bars: RefCell<BTreeMap<GateName, ProgressBar>>,
    /// The last thing that was printed is a gate in full.
    full: Cell<bool>,
}

impl Rows {
    /// Draws on standard error and prints through `printer`.
    #[must_use]
    pub fn new(printer: Printer) -> Self {
        let template = if printer.dress.colour {
            "{spinner} {prefix} {elapsed:>4} {wide_msg:.dim}"
        } else {
            "{spinner} {prefix} {elapsed:>4} {wide_msg}"
        };
        Self {
            printer,
            multi: MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10)),
            style: ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner()),
            bars: RefCell::new(BTreeMap::new()),
            full: Cell::new(false),
        }
    }

    fn above(&self, text: &str) {
        let apart = if self.full.replace(false) { "\n" } else { "" };
        self.multi.suspend(|| self.printer.lines(&format!("{apart}{text}")));
    }
}

impl Watch for Rows {
    fn see(&self, step: &Progress<'_>) {
        match step {
            Progress::Started { gate, .. } => {
                let mut rows = self.bars.borrow_mut();
                if rows.len() < ROWS && !rows.contains_key(*gate) {
                    let row = self.multi.add(ProgressBar::new_spinner().with_style(self.style.clone()));
                    row.set_prefix(gate.to_string());
                    row.enable_steady_tick(TICK);
                    rows.insert((*gate).clone(), row);
                }
            }
            Progress::Line { gate, text } => {
                if let Some(row) = self.bars.borrow().get(*gate) {
                    row.set_message(shorten(text, 200));
                }
            }
            Progress::Heartbeat { .. } => {}
            Progress::Ended { report, folder } => {
                if let Some(row) = self.bars.borrow_mut().remove(&report.name) {
                    row.finish_and_clear();
                    self.multi.remove(&row);
                }
                if self.printer.at_once(report) {
                    self.full.set(true);
                    self.multi.suspend(|| self.printer.gate(report, report.log_tail.as_deref(), folder));
                    return;
                }
                self.above(&format!("{}\n", terminal::ended(report, self.printer.dress)));
            }
            Progress::Said { text } => self.above(&format!("note: {}\n", one_line(text, 1_000))),
        }
    }
}
