//! Scripts wherever they stand, read and followed: in a step, a package.json, a makefile, a justfile, a file, gatepost.toml.

use std::ops::Range;

use super::flow::{self, Flow};
use super::shell::{self, Command, Shell};
use super::text::{Piece, Wrong};

/// Where a script stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a step: indices of the workflow, the job and the step.
    Step { workflow: usize, job: usize, step: usize },
    /// Under `scripts` of a package.json.
    Package { name: String },
    /// The head of a makefile's rule with what it needs, or a line of its recipe.
    Target { names: Vec<String>, needs: Vec<String> },
    /// The head of a justfile's recipe with what it needs, or a line of it.
    Recipe { name: String, needs: Vec<String> },
    /// A file that something calls.
    File,
    /// Handed to a shell by a command at those characters of another script, by its number.
    Handed { by: usize, at: Range<usize> },
    /// The command of a gate in gatepost.toml.
    Gate { name: String },
}

/// Why make or just ignore the failure of a recipe's line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ignored {
    /// A `-` stands before it, at that character of the file.
    BySign(usize),
    /// The file says so: `.IGNORE`, or `-i` among make's flags.
    ByFile,
}

/// A script before it is read.
#[derive(Debug)]
pub struct Draft {
    /// Where it stands.
    pub place: Place,
    /// Its text.
    pub piece: Piece,
    /// How it is started.
    pub shell: Shell,
    /// Where it runs, relative to the root.
    pub dir: String,
    /// Why make or just ignore the failure of a recipe's line.
    pub ignored: Option<Ignored>,
}

/// A script.
#[derive(Debug)]
pub struct Script {
    /// Its file, as an index.
    pub file: usize,
    /// Where it stands.
    pub place: Place,
    /// Its text.
    pub piece: Piece,
    /// How it is started.
    pub shell: Shell,
    /// Where it runs, relative to the root.
    pub dir: String,
    /// See [`Draft::ignored`].
    pub ignored: Option<Ignored>,
    /// Its tree.
    pub command: Command,
    /// What becomes of its commands.
    pub flow: Flow,
    /// The scripts that run with it, as what a target needs, by their numbers. Known once everything is read.
    pub needs: Vec<usize>,
}

impl Draft {
    /// Reads it.
    ///
    /// # Errors
    /// When no shell would run it; the place is one of the file.
    pub fn read(self, file: usize) -> Result<Script, Wrong> {
        let Self { place, piece, shell, dir, ignored } = self;
        let command =
            shell::read(&piece.text()).map_err(|wrong| Wrong { at: wrong.at.map(|at| piece.origin(at)), ..wrong })?;
        let flow = flow::follow(&command, &piece.chars, shell);
        Ok(Script { file, place, piece, shell, dir, ignored, command, flow, needs: Vec::new() })
    }
}

impl Script {
    /// It is a line of its own, so that `;` is all there is between commands.
    #[must_use]
    pub fn is_one_line(&self) -> bool {
        let alone = match self.place {
            Place::Package { .. } | Place::Target { .. } | Place::Recipe { .. } => true,
            Place::Handed { .. } => !self.shell.errexit,
            _ => false,
        };
        let text = &self.piece.chars;
        let ends = text.iter().enumerate().filter(|(_, c)| **c == '\n').map(|(at, _)| at);
        let several =
            ends.into_iter().any(|at| !text[..at].ends_with(&['\\']) && text[at..].iter().any(|c| !c.is_whitespace()));
        alone && !several && !text.starts_with(&['#', '!'])
    }
}
