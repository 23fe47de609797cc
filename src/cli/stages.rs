//! Shows a deployment while it is made: one line for each stage, with the time since the beginning.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::time::Duration;

use crate::cli::Place;
use crate::deploy::engine::Watch;
use crate::model::text::one_line;
use crate::world::screen;

/// How often what a silent stage prints is repeated where there is no terminal, in lines.
const WIDTH: usize = 160;
/// The most lines of commands that are shown while they run.
const MOST: u32 = 200;
/// How many of the others are shown where it does not end well.
const LAST: usize = 20;

/// Prints stages.
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct Stages {
    to_out: bool,
    on_actions: bool,
    quiet: bool,
    verbose: bool,
    last: RefCell<String>,
    told: Cell<u32>,
    /// The last lines that were not shown.
    unshown: RefCell<VecDeque<String>>,
    left_out: Cell<u32>,
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
            unshown: RefCell::default(),
            left_out: Cell::new(0),
        }
    }

    /// What is shown at the end of a deployment that did not work: the last of what was not shown while it was made.
    pub fn rest(&self) -> Option<String> {
        let left_out = self.left_out.get();
        let unshown = self.unshown.borrow();
        let lines = unshown.iter().flat_map(|line| ["           ", line, "\n"]).collect::<String>();
        let last = unshown.len();
        (left_out > 0).then(|| format!("the last {last} of {left_out} lines that were seen and not shown:\n{lines}"))
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
        if *self.last.borrow() == line {
            return;
        }
        self.last.borrow_mut().clone_from(&line);
        self.told.set(self.told.get() + 1);
        if !self.quiet && (self.verbose || self.told.get() <= MOST) {
            self.print(&format!("           {line}\n"));
            return;
        }
        if !self.quiet && self.left_out.get() == 0 {
            self.print("           … further lines are not shown; -v shows them\n");
        }
        self.left_out.set(self.left_out.get() + 1);
        let mut unshown = self.unshown.borrow_mut();
        unshown.push_back(line);
        if unshown.len() > LAST {
            unshown.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_shown_is_there_at_the_end() {
        let stages = Stages {
            to_out: true,
            on_actions: false,
            quiet: true,
            verbose: false,
            last: RefCell::default(),
            told: Cell::new(0),
            unshown: RefCell::default(),
            left_out: Cell::new(0),
        };
        assert_eq!(stages.rest(), None);
        (0..300).for_each(|number| stages.line(&format!("line {number}")));
        let rest = stages.rest().unwrap();
        assert!(
            rest.starts_with("the last 20 of 300 lines that were seen and not shown:\n           line 280\n"),
            "{rest}"
        );
        assert!(rest.ends_with("line 299\n"), "{rest}");
    }
}
