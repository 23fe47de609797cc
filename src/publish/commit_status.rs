//! Commit statuses: what a token that may not write check runs (a personal one) can post in their place.

use crate::model::call::{CheckRun, CommitStatus};
use crate::model::text::shorten;

/// The most characters of a description (the API's limit).
const DESCRIPTION: usize = 140;

/// The same verdict as a commit status. What has no state of its own is said by the description: a status knows
/// neither `skipped` nor `neutral`.
#[must_use]
pub fn instead_of(check: &CheckRun) -> CommitStatus {
    let state = match check.conclusion {
        "success" | "skipped" | "neutral" => "success",
        "failure" if !check.title.starts_with("could not judge") => "failure",
        _ => "error",
    };
    CommitStatus {
        sha: check.head_sha.clone(),
        state,
        context: check.name.clone(),
        description: shorten(&check.title, DESCRIPTION),
        target_url: check.details_url.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sha::Sha;

    #[test]
    fn a_status_is_no_greener_than_the_check() {
        for (conclusion, title, state) in [
            ("success", "no findings", "success"),
            ("failure", "2 warnings", "failure"),
            ("failure", "could not judge: no report", "error"),
            ("cancelled", "cancelled: x", "error"),
            ("skipped", "skipped: no path matched", "success"),
            ("neutral", "not enforced: fail: x", "success"),
            ("timed_out", "x", "error"),
        ] {
            let check = CheckRun {
                name: "gatepost/lint".to_owned(),
                head_sha: Sha::parse(&"a".repeat(40)).unwrap(),
                external_id: String::new(),
                already: false,
                stands_back: false,
                conclusion,
                started_at: String::new(),
                completed_at: String::new(),
                title: format!("{title} {}", "ä".repeat(200)),
                summary: String::new(),
                text: None,
                details_url: None,
                annotations: Vec::new(),
            };
            let status = instead_of(&check);
            assert_eq!((status.state, status.context.as_str()), (state, "gatepost/lint"));
            assert!(status.description.starts_with(title) && status.description.chars().count() == 140);
        }
    }
}
