//! Shows a deployment while it is made: one line for each stage, with the time since the beginning.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use crate::cli::Place;
use crate::deploy::engine::Watch;
use crate::model::text::one_line;
use crate::world::screen;

/// How often what a silent stage prints is repeated where there is no terminal, in lines.
const WIDTH: usize = 160;

/// Prints stages.
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct Stages {
    to_out: bool,
    on_actions: bool,
    quiet: bool,
    verbose: bool,
    last: RefCell<String>,
    told: Cell<u32>,
}

impl Stages {
    /// Prints on standard output, or beside the JSON there.
    pub fn new(place: &Place<'_>, json: bool) -> Self {
        Self {
            to_out: !json,
            on_actions: super::on_actions(place.env),
            quiet: place.global.quiet,
            verbose: place.global.verbose > 0,
            last: RefCell::default(),
            told: Cell::new(0),
        }
    }

    fn print(&self, text: &str) {
        let text = if self.on_actions { crate::render::workflow::plain_lines(text) } else { text.to_owned() };
        if self.to_out { screen::out(&text) } else { screen::err(&text) }
    }
}

impl Watch for Stages {
    fn say(&self, after: Duration, text: &str) {
        if self.quiet {
            return;
        }
        self.print(&format!("{:>7.1} s  {}\n", after.as_secs_f64(), crate::model::text::clean(text)));
    }

    fn line(&self, text: &str) {
        let line = one_line(text, WIDTH);
        // The same over and over (a probe that waits) is said once.
        if self.quiet || *self.last.borrow() == line {
            return;
        }
        self.last.borrow_mut().clone_from(&line);
        self.told.set(self.told.get() + 1);
        if self.verbose || self.told.get() <= 200 {
            self.print(&format!("           {line}\n"));
        }
    }
}
