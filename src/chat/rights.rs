//! What somebody must be allowed to do in the repository for each command.

use crate::chat::Act;
use crate::model::conversation::Role;

/// Who may override gates.
pub const OVERRIDES: Role = Role::Maintainer;

impl Act {
    /// The least role of whoever asks for it. What goes past a rule that others have set needs more than pushing does.
    #[must_use]
    pub fn needs(&self) -> Role {
        match self {
            Self::Override { .. } => OVERRIDES,
            Self::Rollback { parameters, .. } | Self::Unlock { parameters, .. } if !parameters.is_empty() => {
                Role::Maintainer
            }
            _ => Role::Writer,
        }
    }

    /// The command's name, a row's.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Rerun(_) => "rerun",
            Self::Override { .. } => "override",
            Self::Deploy { .. } => "deploy",
            Self::Rollback { .. } => "rollback",
            Self::Promote { .. } => "promote",
            Self::Lock { .. } => "lock",
            Self::Unlock { .. } => "unlock",
            Self::Status { .. } => "status",
            Self::Help { .. } => "help",
        }
    }

    /// The environment that it changes.
    #[must_use]
    pub fn environment(&self) -> Option<&str> {
        match self {
            Self::Deploy { environment, .. }
            | Self::Rollback { environment, .. }
            | Self::Promote { to: environment, .. }
            | Self::Lock { environment, .. }
            | Self::Unlock { environment, .. } => Some(environment),
            Self::Rerun(_) | Self::Override { .. } | Self::Status { .. } | Self::Help { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{ALL, read};

    #[test]
    fn what_goes_past_a_rule_needs_more() {
        let needs = |body: &str| read(body).commands[0].act.needs();
        for body in ["/rerun", "/deploy a", "/rollback a", "/promote a b", "/lock a", "/unlock a", "/status", "/help"] {
            assert_eq!(needs(body), Role::Writer, "{body}");
        }
        for body in ["/override lint why", "/unlock a force=true", "/rollback a allow-irreversible=true"] {
            assert_eq!(needs(body), Role::Maintainer, "{body}");
        }
    }

    #[test]
    fn every_command_has_its_name() {
        let bodies = [
            "/rerun",
            "/override a b",
            "/deploy a",
            "/rollback a",
            "/promote a b",
            "/lock a",
            "/unlock a",
            "/status",
            "/help",
        ];
        let words: Vec<&str> = bodies.iter().map(|body| read(body).commands[0].act.word()).collect();
        assert_eq!(words, ALL.iter().map(|row| row.name).collect::<Vec<_>>());
    }
}
