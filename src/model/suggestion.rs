//! A fix as it can be offered on a pull request: whole lines of the head commit, and what they become.

use std::fmt;

/// Lines of the head commit and what takes their place. Applied, the file is the one that the fix makes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Suggestion {
    /// First line, from 1.
    pub start: u32,
    /// Last line, inclusive; all lines are in one hunk of the diff.
    pub end: u32,
    /// The new lines with their ends; the last one has an end even where the file's last line has none. Empty: the
    /// lines are deleted.
    pub text: String,
    /// Identity over line shifts: of the path, the old lines and the new ones; 32 hexadecimal digits.
    pub key: String,
}

/// What became of a fix where fixes are offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offer {
    /// It can be applied to the pull request by a click.
    Suggestion(Suggestion),
    /// It cannot be: the finding is annotated, and this is said there.
    Unfit(Unfit),
}

/// Why a fix cannot be a suggestion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// Not all of its lines are in one hunk of the diff.
    OutsideDiff,
    /// The file is not the commit's: a step or a gate wrote to it.
    Touched,
    /// The head commit has other lines there, or is not in this clone.
    OtherHead,
    /// Its places are not in the file, or overlap.
    Misplaced,
    /// It changes nothing.
    Nothing,
    /// It changes how lines end, or lines end in several ways.
    LineEnds,
    /// It is longer than a comment can be.
    TooLong,
    /// A reader would not see all of its characters.
    Hidden,
    /// A secret would be masked in it: applied, it would be another fix.
    Secret,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutsideDiff => "it reaches outside the diff",
            Self::Touched => "the file is not as the commit has it",
            Self::OtherHead => "the head commit has other lines there",
            Self::Misplaced => "its edits do not fit the file",
            Self::Nothing => "it changes nothing",
            Self::LineEnds => "it changes line ends",
            Self::TooLong => "it is too long",
            Self::Hidden => "it has invisible characters",
            Self::Secret => "it would show a secret",
        })
    }
}
