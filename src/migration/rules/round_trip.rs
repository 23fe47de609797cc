//! What up, down and up again came to.

use super::{DIFFERS, DOWN_FAILED, EMPTY_DOWN, MISSING_DOWN, UP_AGAIN_FAILED, finding};
use crate::model::finding::Finding;
use crate::model::migration::{Migration, RoundTrip};

/// How many differences a message names.
const NAMED: usize = 5;

pub(super) fn round_trip(migration: &Migration, down_required: bool) -> Option<Finding> {
    let detail = &migration.round_trip_detail;
    let shown = detail.iter().take(NAMED).cloned().collect::<Vec<_>>().join("; ");
    let more = detail.len().saturating_sub(NAMED);
    let shown = if more > 0 { format!("{shown}; and {more} more") } else { shown };
    let (rule, what) = match migration.round_trip {
        RoundTrip::Exact | RoundTrip::NotRun => return None,
        RoundTrip::MissingDown if !down_required => return None,
        RoundTrip::MissingDown => (&MISSING_DOWN, "there is no down".to_owned()),
        RoundTrip::EmptyDown => (&EMPTY_DOWN, "the down has no statement".to_owned()),
        RoundTrip::DownError => (&DOWN_FAILED, format!("the down fails: {shown}")),
        RoundTrip::ReupError => (&UP_AGAIN_FAILED, format!("the up fails after the down: {shown}")),
        RoundTrip::Differs => (&DIFFERS, format!("after the round trip: {shown}")),
    };
    Some(finding(rule, &migration.path, 1, &what))
}
