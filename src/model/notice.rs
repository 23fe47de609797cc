//! What notifiers tell: one event in the life of a deployment, in plain words. Who is told, and how, is not known here.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::sha::Sha;

/// How much an event matters; the worst is the least, as in `P0 < P1`.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub enum Severity {
    /// Users are hit, and nothing mends it by itself.
    P0,
    /// Something failed and waits for a person.
    P1,
    /// Something failed and was mended, or needs a look.
    P2,
    /// Good to know.
    #[default]
    P3,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// What can happen.
#[derive(Debug, PartialEq, Eq)]
pub struct Event {
    /// As in `on = ["…"]`: a word, or a word, a dot and another one.
    pub name: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// Its title; the environment stands for `{}`.
    pub title: &'static str,
    /// One phrase for the README's table: when it happens.
    pub about: &'static str,
}

/// Every event.
pub static EVENTS: &[Event] = &[
    Event {
        name: "deploy.started",
        severity: Severity::P3,
        title: "Deploying to {}",
        about: "a deploy was recorded and is being carried out",
    },
    Event {
        name: "deploy.succeeded",
        severity: Severity::P3,
        title: "Deployed to {}",
        about: "the commit is live, and verified where that is configured",
    },
    Event {
        name: "deploy.refused",
        severity: Severity::P3,
        title: "Deploy to {} refused",
        about: "a deploy was not begun: gates not green, locked, not allowed",
    },
    Event {
        name: "deploy.failed",
        severity: Severity::P1,
        title: "Deploy to {} failed",
        about: "a deploy failed, whether or not a rollback follows",
    },
    Event {
        name: "deploy.inconclusive",
        severity: Severity::P1,
        title: "Deploy to {} waits for a person",
        about: "it could not be told whether a deploy works, or it was cut off; the environment is left as it is",
    },
    Event {
        name: "rollback",
        severity: Severity::P2,
        title: "Rolled back {}",
        about: "an earlier commit is live again",
    },
    Event {
        name: "rollback.refused",
        severity: Severity::P1,
        title: "Rollback of {} refused",
        about: "a rollback was not begun: locked, nothing to go back to, a migration in between",
    },
    Event {
        name: "rollback.failed",
        severity: Severity::P0,
        title: "Rollback of {} failed",
        about: "a deploy failed, and so did its rollback",
    },
    Event {
        name: "recovered",
        severity: Severity::P2,
        title: "Settled what was left on {}",
        about: "what a run that died had left was settled",
    },
    Event {
        name: "adopted",
        severity: Severity::P3,
        title: "Recorded what is live in {}",
        about: "what was live already was seen to be well, and recorded",
    },
    Event { name: "locked", severity: Severity::P3, title: "Locked {}", about: "a person locked the environment" },
    Event { name: "unlocked", severity: Severity::P3, title: "Unlocked {}", about: "the environment was given back" },
    Event {
        name: "test",
        severity: Severity::P3,
        title: "Test message about {}",
        about: "`gatepost notify` without an event: every route gets it, whatever it is for",
    },
];

/// Finds an event by name.
#[must_use]
pub fn event(name: &str) -> Option<&'static Event> {
    EVENTS.iter().find(|event| event.name == name)
}

/// One event that happened. Texts may hold what a tool or a person wrote; secrets must be masked before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What happened.
    pub event: &'static Event,
    /// Where.
    pub environment: String,
    /// Names the deployment and what follows from it (its rollback): what is told of one story goes in one thread.
    pub story: String,
    /// `owner/name`, or the folder's name.
    pub repository: String,
    /// The commit it is about.
    pub sha: Option<Sha>,
    /// As it was named: a branch, a tag.
    pub reference: Option<String>,
    /// The commit that was live before.
    pub previous: Option<Sha>,
    /// Who asked.
    pub by: Option<String>,
    /// Why: what failed, what was refused. Any text of any length.
    pub reason: Option<String>,
    /// The page of the run.
    pub run: Option<String>,
    /// Where the environment answers.
    pub url: Option<String>,
    /// When, RFC 3339.
    pub at: String,
}

impl Notice {
    /// Every text through `change`, which takes secrets out.
    #[must_use]
    pub fn masked(&self, change: impl Fn(&str) -> String) -> Self {
        let maybe = |text: &Option<String>| text.as_deref().map(&change);
        Self {
            event: self.event,
            environment: change(&self.environment),
            story: change(&self.story),
            repository: change(&self.repository),
            sha: self.sha.clone(),
            reference: maybe(&self.reference),
            previous: self.previous.clone(),
            by: maybe(&self.by),
            reason: maybe(&self.reason),
            run: maybe(&self.run),
            url: maybe(&self.url),
            at: self.at.clone(),
        }
    }
}

/// Which events a route takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Events, or the word before the dot of several; empty: every one.
    pub on: Vec<String>,
    /// The least severity that is told.
    pub min_severity: Severity,
    /// Environments; empty: every one.
    pub environments: Vec<String>,
}

impl Filter {
    /// Whether a notice takes this route. A test takes every one.
    #[must_use]
    pub fn takes(&self, notice: &Notice) -> bool {
        let name = notice.event.name;
        let named =
            |on: &String| name.strip_prefix(on.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        name == "test"
            || ((self.on.is_empty() || self.on.iter().any(named))
                && notice.event.severity <= self.min_severity
                && (self.environments.is_empty() || self.environments.contains(&notice.environment)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(name: &str, environment: &str) -> Notice {
        Notice {
            event: event(name).unwrap(),
            environment: environment.to_owned(),
            story: "1".to_owned(),
            repository: "o/r".to_owned(),
            sha: None,
            reference: None,
            previous: None,
            by: None,
            reason: None,
            run: None,
            url: None,
            at: String::new(),
        }
    }

    #[test]
    fn a_route_takes_what_it_is_for() {
        let filter = |on: &[&str], min_severity, environments: &[&str]| Filter {
            on: on.iter().map(|&on| on.to_owned()).collect(),
            min_severity,
            environments: environments.iter().map(|&one| one.to_owned()).collect(),
        };
        for (filter, name, environment, takes) in [
            (Filter::default(), "deploy.started", "x", true),
            (filter(&["deploy.failed", "rollback"], Severity::P3, &[]), "rollback.failed", "x", true),
            (filter(&["deploy.failed", "rollback"], Severity::P3, &[]), "rollback", "x", true),
            (filter(&["deploy.failed", "rollback"], Severity::P3, &[]), "deploy.started", "x", false),
            (filter(&["deploy"], Severity::P3, &[]), "deploy.started", "x", true),
            (filter(&["lock"], Severity::P3, &[]), "locked", "x", false),
            (filter(&[], Severity::P1, &[]), "deploy.failed", "x", true),
            (filter(&[], Severity::P1, &[]), "rollback.failed", "x", true),
            (filter(&[], Severity::P1, &[]), "rollback", "x", false),
            (filter(&["deploy"], Severity::P1, &["production"]), "deploy.failed", "staging", false),
            (filter(&["deploy"], Severity::P1, &["production"]), "deploy.failed", "production", true),
            (filter(&["rollback"], Severity::P0, &["production"]), "test", "x", true),
        ] {
            assert_eq!(filter.takes(&notice(name, environment)), takes, "{filter:?} {name} {environment}");
        }
    }
}
