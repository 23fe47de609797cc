//! What a workflow's token must be allowed, and no more, for what `[publish]` asks for.

use std::fmt::Write as _;

use crate::model::settings::{Checks, CommentWhen, PublishSettings};

/// One line of `permissions:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    /// As GitHub names it.
    pub name: &'static str,
    /// Writing; else reading.
    pub write: bool,
    /// What it is for.
    pub why: &'static str,
}

impl Permission {
    /// `read` or `write`.
    #[must_use]
    pub const fn level(&self) -> &'static str {
        if self.write { "write" } else { "read" }
    }
}

/// The code.
pub const CODE: Permission = Permission { name: "contents", write: false, why: "the code" };

/// A report that another run left as its artifact.
pub const ARTIFACTS: Permission = Permission { name: "actions", write: false, why: "the report of the other run" };

/// What posting needs: <https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps>.
#[must_use]
pub fn posting(publish: &PublishSettings) -> Vec<Permission> {
    let checks = Permission { name: "checks", write: true, why: "check runs" };
    let comment = publish.comment != CommentWhen::Off;
    let why = match (comment, publish.suggestions) {
        (true, true) => "the comment, and suggestions",
        (false, true) => "suggestions",
        (_, false) => "the comment",
    };
    let pull = Permission { name: "pull-requests", write: true, why };
    let wanted = [(publish.checks != Checks::Off, checks), (comment || publish.suggestions, pull)];
    wanted.into_iter().filter(|(wanted, _)| *wanted).map(|(_, permission)| permission).collect()
}

/// What a job needs that runs gates and posts what they found.
#[must_use]
pub fn of_a_run(publish: &PublishSettings) -> Vec<Permission> {
    std::iter::once(CODE).chain(posting(publish)).collect()
}

/// The block as it stands in a workflow, indented by so many spaces.
#[must_use]
pub fn block(permissions: &[Permission], indent: usize) -> String {
    let width = permissions.iter().map(|one| one.name.len() + one.level().len()).max().unwrap_or_default();
    let mut out = format!("{:indent$}permissions:\n", "");
    for one in permissions {
        let pad = width - one.name.len() - one.level().len();
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{:indent$}  {}: {}{:pad$}  # {}", "", one.name, one.level(), "", one.why);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_asked_for_that_is_not_posted() {
        let names = |checks, comment| {
            let publish = PublishSettings { checks, comment, ..PublishSettings::default() };
            of_a_run(&publish).iter().map(|one| format!("{}: {}", one.name, one.level())).collect::<Vec<_>>()
        };
        assert_eq!(
            names(Checks::Gates, CommentWhen::Always),
            ["contents: read", "checks: write", "pull-requests: write"]
        );
        assert_eq!(names(Checks::Summary, CommentWhen::Off), ["contents: read", "checks: write"]);
        assert_eq!(names(Checks::Off, CommentWhen::WhenNotGreen), ["contents: read", "pull-requests: write"]);
        assert_eq!(names(Checks::Off, CommentWhen::Off), ["contents: read"]);
        let comment = CommentWhen::Off;
        let suggesting =
            PublishSettings { checks: Checks::Off, comment, suggestions: true, ..PublishSettings::default() };
        assert_eq!(posting(&suggesting)[0].why, "suggestions");
    }

    #[test]
    fn the_block_can_be_pasted() {
        let block = block(&of_a_run(&PublishSettings::default()), 4);
        assert_eq!(
            block,
            "    permissions:\n      contents: read        # the code\n      checks: write         # check runs\n      \
             pull-requests: write  # the comment\n"
        );
    }
}
