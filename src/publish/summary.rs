//! The job summary (`GITHUB_STEP_SUMMARY`): the comment's page with more in it.

use crate::publish::page::{Amount, whole};
use crate::publish::{Posting, Publisher, RunEnd};
use crate::render::markdown::prose;

/// The row of this publisher.
pub static PUBLISHER: Publisher = Publisher {
    name: "summary",
    about: "the job's summary page: every gate, with all it found as far as it fits",
    on_gate: None,
    on_end: Some(on_end),
};

/// The most bytes of a step's summary, with what other programs wrote into it: the runner drops a longer one whole.
pub const LIMIT: usize = 1 << 20;

const AMOUNTS: [Amount; 6] = [
    Amount { items: 2000, message: 4000, everything: true },
    Amount { items: 500, message: 2000, everything: true },
    Amount { items: 100, message: 2000, everything: true },
    Amount { items: 20, message: 1000, everything: false },
    Amount { items: 3, message: 300, everything: false },
    Amount { items: 0, message: 0, everything: false },
];

fn on_end(end: &RunEnd<'_>) -> Vec<Posting> {
    plan(end).map(Posting::Summary).into_iter().collect()
}

/// The text to add; `None` when there is no room left for a headline.
#[must_use]
pub fn plan(end: &RunEnd<'_>) -> Option<String> {
    // A line before it, and the end of what stands in the file already, where that has none.
    let opening: String = end.left_alone.iter().flat_map(|said| [prose(said, 1000), "\n\n".to_owned()]).collect();
    let page = whole(end, &opening, &AMOUNTS, end.summary_room.min(LIMIT).saturating_sub(2));
    (!page.is_empty()).then(|| format!("\n{page}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::settings::PublishSettings;
    use crate::publish::sample::{ended, report};

    #[test]
    fn it_shows_more_than_the_comment_and_keeps_to_the_room() {
        let report = report();
        ended(&report, &PublishSettings::default(), |end| {
            let text = plan(&end).unwrap();
            assert!(text.contains("`src/legacy/price list.rs:12:9`") && text.contains("— existing"), "{text}");
            let mut last = usize::MAX;
            for room in [60_000, 3000, 1500, 900, 400] {
                let text = plan(&RunEnd { summary_room: room, ..end }).unwrap();
                assert!(text.len() < room && text.len() <= last, "{room}");
                assert!(text.starts_with("\n### ❌ 2 of 5 gates failed, 1 could not be judged"), "{text}");
                last = text.len();
            }
            assert_eq!(plan(&RunEnd { summary_room: 50, ..end }), None);
            assert_eq!(plan(&RunEnd { summary_room: 0, ..end }), None);
        });
    }
}
