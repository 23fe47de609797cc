//! Exit codes of the program: one table, shown in the README and held by a test.

use crate::model::outcome::Outcome;

/// What the process ends with. The numbers are part of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// 0: everything that was judged is good, or there was nothing to judge.
    Pass,
    /// 1: a gate failed, or a deploy failed and was left as it is.
    Fail,
    /// 2: usage or configuration, or nothing was selected.
    Usage,
    /// 3: refused: no permission, locked, gates not green.
    Refused,
    /// 4: it could not be judged, or the outside world failed.
    CouldNotJudge,
    /// 5: deployed, then rolled back.
    RolledBack,
    /// 6: a rollback failed.
    RollbackFailed,
    /// 70: a bug in gatepost.
    Bug,
    /// 128 + the signal's number.
    Interrupted(i32),
}

impl ExitCode {
    /// The rows of the README's table that this version can end with.
    pub const TABLE: &'static [(&'static str, &'static str)] = &[
        ("0", "pass: everything judged is good, or every gate was skipped with its reason"),
        ("1", "a gate failed, or a deploy failed and was left as it is"),
        ("2", "usage or configuration, or nothing was selected"),
        ("3", "refused: what was asked is not allowed here, locked, or gates are not green"),
        ("4", "could not judge, or the outside world failed"),
        ("5", "deployed, then rolled back"),
        ("6", "a rollback failed"),
        ("70", "a bug in gatepost"),
        (
            "129/130/131/143",
            "interrupted by SIGHUP, SIGINT, SIGQUIT or SIGTERM (by another signal: 128 and its number); never 0",
        ),
    ];

    /// The number given to the operating system, 0 to 255.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::CouldNotJudge => 4,
            Self::RolledBack => 5,
            Self::RollbackFailed => 6,
            Self::Bug => 70,
            Self::Interrupted(signal) => 128_u8.wrapping_add(signal.to_le_bytes()[0]),
        }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Skipped | Outcome::Pass => Self::Pass,
            Outcome::Fail => Self::Fail,
            Outcome::Error => Self::CouldNotJudge,
        }
    }
}
