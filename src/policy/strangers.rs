//! Whether gates may run at all: code of strangers is not executed where the job has what can act for its owner.

use crate::model::event::Occasion;
use crate::model::report::Report;
use crate::model::text::one_line;

/// Events that run with the repository's secrets and a token that writes, on behalf of code that is not its own.
/// <https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows>
const ON_BEHALF: &[&str] = &["pull_request_target", "workflow_run"];

/// Events that anyone can cause and that run with the secrets of the default branch, whose code they are about.
const BY_ANYONE: &[&str] =
    &["issue_comment", "issues", "discussion", "discussion_comment", "fork", "watch", "gollum", "page_build"];

/// Refuses to run gates on this occasion. `own_code` tells whether exactly the event's own commit is checked out.
///
/// # Errors
/// Why, and what to do instead.
pub fn may_run(occasion: &Occasion, own_code: bool) -> Result<(), (String, &'static str)> {
    let event = occasion.event.as_str();
    if !occasion.on_actions {
        return Ok(());
    }
    if ON_BEHALF.contains(&event) {
        let why = format!(
            "gates run the code of the change, and `{event}` gives them the secrets and the write token of the repository"
        );
        return Err((why, "run the gates under `pull_request`, and post their reports by `gatepost publish`"));
    }
    if BY_ANYONE.contains(&event) && !own_code {
        let why = format!(
            "`{event}` runs with the secrets of the repository and can be caused by anyone, but the commit checked out \
             is not the one of the event: it may be a stranger's"
        );
        return Err((why, "run gates on a pull request's code under `pull_request`, or by `workflow_dispatch`"));
    }
    Ok(())
}

/// Refuses to act on an environment on this occasion. `own_code` tells whether the commit checked out is the one that
/// GitHub runs the workflow of: the default branch's, on events that come with its secrets.
///
/// # Errors
/// Why, and what to do instead.
pub fn may_deploy(occasion: &Occasion, own_code: bool) -> Result<(), (String, &'static str)> {
    let event = occasion.event.as_str();
    if !occasion.on_actions {
        return Ok(());
    }
    if !occasion.trusted {
        let why =
            "the pull request comes from a fork: its code is a stranger's, and deploys come with secrets".to_owned();
        return Err((why, "deploy what was merged, or start the workflow by hand for a commit that you have read"));
    }
    if brings_secrets(occasion) && !own_code {
        let why = format!(
            "`{event}` comes with the secrets of the repository, and the commit checked out is not the one that the \
             workflow is of: it may be a stranger's"
        );
        return Err((why, "check out the default branch (no `ref` for actions/checkout), and name what to deploy"));
    }
    Ok(())
}

/// Whether the event gives the repository's secrets to what others may have written.
#[must_use]
pub fn brings_secrets(occasion: &Occasion) -> bool {
    occasion.on_actions && (ON_BEHALF.contains(&&*occasion.event) || BY_ANYONE.contains(&&*occasion.event))
}

/// Refuses to post reports on an occasion that does not tell what they are of.
///
/// # Errors
/// Why, and what to do instead.
pub fn may_publish(occasion: &Occasion) -> Result<(), (String, &'static str)> {
    let event = occasion.event.as_str();
    if occasion.on_actions && (ON_BEHALF.contains(&event) || BY_ANYONE.contains(&event)) {
        let why = format!("`{event}` does not say which commit the reports are of, and they may be a stranger's");
        return Err((why, "publish under `workflow_run`, or name the run that made them: --run ID"));
    }
    Ok(())
}

/// Puts a stranger's report's own sentences into quotes: beside outcomes that are judged again they would read as ours.
pub fn quote(report: &mut Report) {
    let said = |text: &str| format!("its report says {:?}", one_line(text, 300));
    for gate in &mut report.gates {
        if !gate.reason.is_empty() {
            gate.reason = said(&gate.reason);
        }
        gate.notes.iter_mut().for_each(|note| *note = said(note));
    }
    report.notes.iter_mut().for_each(|note| *note = format!("the report says {:?}", one_line(note, 300)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(event: &str, own_code: bool) -> bool {
        let occasion = Occasion { event: event.to_owned(), on_actions: true, ..Occasion::local() };
        let local = Occasion { on_actions: false, ..occasion.clone() };
        assert_eq!(may_run(&local, own_code), Ok(()));
        may_run(&occasion, own_code).is_err()
    }

    #[test]
    fn a_strangers_sentences_are_in_quotes() {
        let gate = crate::policy::tests::claimed("lint", crate::model::outcome::Outcome::Pass);
        let gate = crate::model::report::GateReport { notes: vec!["all \"good\"".to_owned()], ..gate };
        let notes = vec!["a false alarm".to_owned()];
        let mut report = Report {
            verdict: crate::model::outcome::Outcome::Pass,
            subject: crate::model::report::Subject::default(),
            started_at: String::new(),
            took: std::time::Duration::ZERO,
            gates: vec![gate],
            notes,
        };
        quote(&mut report);
        assert_eq!(report.notes, ["the report says \"a false alarm\""]);
        assert_eq!(report.gates[0].reason, "its report says \"claimed\"");
        assert_eq!(report.gates[0].notes, ["its report says \"all \\\"good\\\"\""]);
    }

    #[test]
    fn deploys_are_not_made_from_strangers_code() {
        let may = |event: &str, trusted: bool, own_code: bool| {
            let occasion = Occasion { event: event.to_owned(), on_actions: true, trusted, ..Occasion::local() };
            may_deploy(&occasion, own_code).is_ok()
        };
        for event in ON_BEHALF.iter().chain(BY_ANYONE) {
            assert!(may(event, true, true) && !may(event, true, false) && !may(event, false, true), "{event}");
        }
        for event in ["push", "workflow_dispatch", "schedule", "pull_request"] {
            assert!(may(event, true, false) && !may(event, false, true), "{event}");
        }
        assert_eq!(may_deploy(&Occasion::local(), false), Ok(()));
    }

    #[test]
    fn strangers_code_does_not_meet_secrets() {
        for event in ON_BEHALF {
            assert!(refused(event, true) && refused(event, false), "{event}");
        }
        for event in BY_ANYONE {
            assert!(!refused(event, true) && refused(event, false), "{event}");
        }
        // A fork's pull request has neither secrets nor a token that writes; the others are caused by those who may.
        for event in ["pull_request", "push", "merge_group", "schedule", "workflow_dispatch", "release"] {
            assert!(!refused(event, true) && !refused(event, false), "{event}");
        }
    }

    #[test]
    fn events_of_strangers_do_not_say_what_reports_are_of() {
        let may = |event: &str, on_actions| {
            may_publish(&Occasion { event: event.to_owned(), on_actions, ..Occasion::local() }).is_ok()
        };
        for event in ON_BEHALF.iter().chain(BY_ANYONE) {
            assert!(!may(event, true) && may(event, false), "{event}");
        }
        assert!(["push", "pull_request", "merge_group", "schedule"].into_iter().all(|event| may(event, true)));
    }
}
