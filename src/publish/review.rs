//! Review suggestions: fixes that tools offer on changed lines, each a comment that applies it by a click.

use std::collections::HashMap;

use crate::model::call::{Call, Review, ReviewSuggestion};
use crate::model::report::Judged;
use crate::model::suggestion::{Offer, Suggestion};
use crate::publish::remarks::{self, Remark};
use crate::publish::{Posting, Publisher, RunEnd};
use crate::render::figures::count;
use crate::render::markdown::{Untrusted, suggestion};

/// The row of this publisher.
pub static PUBLISHER: Publisher = Publisher {
    name: "suggestions",
    about: "with `suggestions = true` one review with the fixes that tools offer on changed lines, to apply by a click",
    on_gate: None,
    on_end: Some(on_end),
};

/// The most findings that one suggestion names.
const NAMED: usize = 5;

/// The most characters of a finding's message, and of its rule.
const MESSAGE: usize = 300;

fn on_end(end: &RunEnd<'_>) -> Vec<Posting> {
    plan(end).map(|review| Posting::Call(Call::Review(review))).into_iter().collect()
}

/// The review, most important suggestions first; `None` when there is nothing to suggest, or no pull request or commit.
#[must_use]
pub fn plan(end: &RunEnd<'_>) -> Option<Review> {
    let subject = end.context.subject;
    let (pull_request, head_sha) = (subject.pull_request?, subject.head.clone()?);
    if !end.context.settings.suggestions {
        return None;
    }
    let mut remarks: Vec<Remark<'_>> = end.report.gates.iter().flat_map(remarks::of).collect();
    remarks.retain(Remark::concerns_change);
    remarks.sort_by_key(|remark| remark.rank);
    let mut planned: Vec<Planned<'_>> = Vec::new();
    let mut known: HashMap<(&str, &Suggestion), usize> = HashMap::new();
    for remark in &remarks {
        let Some((judged, fix)) = remark.judged().and_then(|judged| Some((judged, offered(judged)?))) else { continue };
        let Some(path) = judged.path.as_ref().map(crate::model::path::RepoPath::as_str) else { continue };
        // Two tools, or two rules, may offer the same.
        let at = *known.entry((path, fix)).or_insert(planned.len());
        if at == planned.len() {
            planned.push(Planned { path, fix, said: Vec::new() });
        }
        planned[at].said.push(said(remark, judged));
    }
    let suggestions: Vec<ReviewSuggestion> = planned.into_iter().map(Planned::written).collect();
    (!suggestions.is_empty()).then_some(Review { pull_request, head_sha, suggestions })
}

fn offered(judged: &Judged) -> Option<&Suggestion> {
    match judged.offer.as_ref()? {
        Offer::Suggestion(suggestion) => Some(suggestion),
        Offer::Unfit(_) => None,
    }
}

struct Planned<'a> {
    path: &'a str,
    fix: &'a Suggestion,
    /// What it mends, one line each.
    said: Vec<String>,
}

impl Planned<'_> {
    fn written(self) -> ReviewSuggestion {
        let left = self.said.len().saturating_sub(NAMED);
        let more = if left > 0 { format!("- {}\n", count(left, "more finding")) } else { String::new() };
        let said = self.said[..self.said.len().min(NAMED)].concat();
        ReviewSuggestion {
            path: self.path.to_owned(),
            start_line: self.fix.start,
            end_line: self.fix.end,
            key: self.fix.key.clone(),
            body: format!("{said}{more}\n{}", suggestion(&self.fix.text)),
        }
    }
}

fn said(remark: &Remark<'_>, judged: &Judged) -> String {
    let mut lines = judged.finding.message.trim().lines();
    let message = Untrusted(lines.next().unwrap_or_default()).code(MESSAGE);
    format!("- {}: {message}\n", Untrusted(&remark.title()).code(MESSAGE))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::diff::suggest::{Texts, suggest};
    use crate::model::change::{ChangeKind, ChangeSet, FileChange, LineMap, LineRange};
    use crate::model::finding::{Edit, Fix, Level};
    use crate::model::path::RepoPath;
    use crate::model::settings::PublishSettings;
    use crate::model::suggestion::Unfit;
    use crate::publish::sample::{ended, existing, finding, report};

    const ON: PublishSettings = PublishSettings {
        checks: crate::model::settings::Checks::Gates,
        comment: crate::model::settings::CommentWhen::WhenNotGreen,
        annotations: true,
        suggestions: true,
        max_annotations: 1000,
    };

    fn change(added: &[(u32, u32)]) -> ChangeSet {
        let added = added.iter().map(|&(start, end)| LineRange { start, end }).collect();
        let file = FileChange {
            kind: ChangeKind::Modified,
            old_path: None,
            binary: false,
            link: false,
            added,
            gone: BTreeSet::new(),
        };
        ChangeSet { files: [(path(), file)].into(), ..ChangeSet::default() }
    }

    fn path() -> RepoPath {
        RepoPath::parse("a.rs").unwrap()
    }

    fn edit(from: (u32, u32), to: (u32, u32), text: &str) -> Edit {
        let (start_line, start_column) = from;
        let (end_line, end_column) = to;
        Edit { start_line, start_column, end_line, end_column, text: text.to_owned() }
    }

    fn of(edits: Vec<Edit>, text: &str, change: &ChangeSet) -> Result<Suggestion, Unfit> {
        let fix = Fix { description: String::new(), edits };
        suggest(&fix, &path(), &Texts::new(text.to_owned(), text.to_owned()), change)
    }

    fn offering(fix: Suggestion) -> Judged {
        Judged { offer: Some(Offer::Suggestion(fix)), ..finding(Level::Warning, "r", "a.rs", fix_line(), "m") }
    }

    const fn fix_line() -> u32 {
        3
    }

    fn body_of(fix: Suggestion) -> ReviewSuggestion {
        let mut report = report();
        report.gates.truncate(1);
        report.gates[0].findings = vec![offering(fix)];
        let review = ended(&report, &ON, |end| plan(&end)).unwrap();
        assert_eq!(review.suggestions.len(), 1);
        review.suggestions.into_iter().next().unwrap()
    }

    /// The lines in the suggestion block, as a reader of the format finds them: up to the closing fence, which is at
    /// least as long as the opening one.
    fn block(body: &str) -> Vec<&str> {
        let mut lines = body.split_inclusive('\n');
        let opening = lines.find(|line| line.starts_with("```")).unwrap();
        let marks = opening.len() - opening.trim_start_matches('`').len();
        assert_eq!(&opening[marks..], "suggestion\n");
        let closes = |line: &str| {
            let rest = line.trim_start_matches('`');
            line.len() - rest.len() >= marks && rest.trim().is_empty()
        };
        let inner: Vec<&str> = lines.by_ref().take_while(|line| !closes(line)).collect();
        assert_eq!(lines.next(), None, "the block ends the comment");
        inner
    }

    /// As GitHub applies it: lines for lines; the end of the file stays as it is. `verbatim`: each line keeps the end
    /// that it has in the comment; else it gets the file's.
    fn applied(text: &str, posted: &ReviewSuggestion, verbatim: bool) -> String {
        let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
        let unended = !text.ends_with('\n');
        let (start, end) = (posted.start_line as usize - 1, posted.end_line as usize);
        let at_end = end == lines.len();
        let mut new: Vec<String> =
            block(&posted.body)
                .into_iter()
                .map(|line| {
                    if verbatim { line.to_owned() } else { format!("{}{ending}", line.trim_end_matches(['\r', '\n'])) }
                })
                .collect();
        if let (true, true, Some(last)) = (at_end, unended, new.last_mut()) {
            *last = last.trim_end_matches(['\r', '\n']).to_owned();
        }
        lines.splice(start..end, new);
        lines.concat()
    }

    fn fixed(text: &str, edits: &[(usize, usize, String)]) -> String {
        let mut out = text.to_owned();
        for (start, end, new) in edits.iter().rev() {
            out.replace_range(*start..*end, new);
        }
        out
    }

    /// Line and column of an offset, as a tool would say.
    fn place(text: &str, at: usize) -> (u32, u32) {
        let before = &text[..at];
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        let line = before.matches('\n').count() + 1;
        (u32::try_from(line).unwrap(), u32::try_from(before[line_start..].chars().count() + 1).unwrap())
    }

    /// A file, edits at offsets that split no character, and which lines are in the diff.
    fn cases() -> impl Strategy<Value = (String, Vec<(usize, usize, String)>, bool)> {
        let line =
            prop_oneof![Just("```"), Just("````suggestion"), Just(""), Just("  é😀 x"), Just("same"), Just("b\t")];
        let lines = proptest::collection::vec(line, 1..9);
        let new = proptest::collection::vec(
            prop_oneof![Just("x"), Just("\n"), Just("`````"), Just("same\n"), Just(""), Just("é")],
            0..4,
        );
        let cuts = proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), new), 1..4);
        (lines, any::<bool>(), any::<bool>(), any::<bool>(), cuts).prop_map(|(lines, windows, ended, whole, cuts)| {
            let ending = if windows { "\r\n" } else { "\n" };
            let text = lines.join(ending) + if ended { ending } else { "" };
            // No tool cuts a CRLF in two.
            let inside = |at: &usize| !(text[..*at].ends_with('\r') && text[*at..].starts_with('\n'));
            let offsets: Vec<usize> =
                text.char_indices().map(|(at, _)| at).chain([text.len()]).filter(inside).collect();
            let mut places: Vec<(usize, usize, String)> = cuts
                .into_iter()
                .map(|(one, other, new)| {
                    let (one, other) = (*one.get(&offsets), *other.get(&offsets));
                    (one.min(other), one.max(other), new.concat().replace('\n', ending))
                })
                .collect();
            places.sort();
            let mut done = 0;
            places.retain(|(start, end, _)| {
                let fits = *start >= done;
                done = if fits { *end } else { done };
                fits
            });
            (text, places, whole)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

        #[test]
        fn what_is_applied_is_the_fix((text, edits, whole) in cases()) {
            let lines = u32::try_from(text.lines().count()).unwrap();
            let change = change(if whole { &[(1, 99)] } else { &[(1, 1), (9, 9)] });
            let told = edits.iter().map(|(start, end, new)| edit(place(&text, *start), place(&text, *end), new));
            let wanted = fixed(&text, &edits);
            match of(told.collect(), &text, &change) {
                Ok(fix) => {
                    prop_assert!(whole || fix.end <= 4 || fix.start >= 6, "in one hunk");
                    prop_assert!(fix.start <= fix.end && fix.end <= lines.max(1));
                    let posted = body_of(fix);
                    prop_assert_eq!(&applied(&text, &posted, true), &wanted);
                    prop_assert_eq!(&applied(&text, &posted, false), &wanted);
                }
                Err(Unfit::Nothing) => prop_assert_eq!(&wanted, &text),
                Err(Unfit::OutsideDiff) => prop_assert!(!whole || text.is_empty()),
                // The end of the file changes, or the one line of the file shows none.
                Err(Unfit::LineEnds) => prop_assert!(
                    wanted.ends_with('\n') != text.ends_with('\n') || !text.contains('\n') || wanted.is_empty()
                ),
                Err(other) => prop_assert!(false, "{other:?}"),
            }
        }
    }

    const FIVE: &str = "one\ntwo\nthree\nfour\nfive\n";

    #[track_caller]
    fn expect(edits: Vec<Edit>, text: &str, wanted: Result<(u32, u32, &str), Unfit>) {
        let made = of(edits, text, &change(&[(1, 99)]));
        let made = made.as_ref().map(|fix| (fix.start, fix.end, fix.text.as_str()));
        assert_eq!(made, wanted.as_ref().map(|wanted| *wanted));
    }

    #[test]
    fn edits_become_the_lines_they_touch() {
        expect(vec![edit((2, 1), (2, 4), "TWO")], FIVE, Ok((2, 2, "TWO\n")));
        expect(vec![edit((2, 2), (2, 3), "W"), edit((4, 1), (4, 1), "x")], FIVE, Ok((2, 4, "tWo\nthree\nxfour\n")));
        expect(vec![edit((2, 1), (3, 1), "")], FIVE, Ok((2, 2, "")));
        expect(vec![edit((2, 1), (2, 4), "")], FIVE, Ok((2, 2, "\n")));
        expect(vec![edit((1, 1), (1, 1), "zero\n")], FIVE, Ok((1, 1, "zero\none\n")));
        expect(vec![edit((6, 1), (6, 1), "six\n")], FIVE, Ok((5, 5, "five\nsix\n")));
        expect(vec![edit((1, 4), (2, 1), " ")], FIVE, Ok((1, 2, "one two\n")));
        expect(vec![edit((2, 1), (2, 4), "2")], "1\r\ntwo\r\n3", Ok((2, 2, "2\r\n")));
        expect(vec![edit((3, 1), (3, 2), "drei")], "1\r\ntwo\r\n3", Ok((3, 3, "drei\r\n")));
        expect(vec![edit((1, 2), (1, 2), "\n2")], "1", Ok((1, 1, "1\n2\n")));
    }

    #[test]
    fn what_would_not_be_the_same_is_no_suggestion() {
        expect(vec![edit((2, 1), (2, 4), "two")], FIVE, Err(Unfit::Nothing));
        expect(vec![edit((5, 5), (6, 1), "")], FIVE, Err(Unfit::LineEnds));
        expect(vec![edit((2, 2), (2, 2), "\n")], "1\n2", Err(Unfit::LineEnds));
        expect(vec![edit((1, 1), (1, 2), "x")], "1\n2\r\n", Err(Unfit::LineEnds));
        expect(vec![edit((1, 1), (1, 2), "x\ny")], "1\r\n2\r\n", Err(Unfit::LineEnds));
        expect(vec![edit((9, 1), (9, 2), "")], FIVE, Err(Unfit::Misplaced));
        expect(vec![edit((2, 9), (2, 9), "")], FIVE, Err(Unfit::Misplaced));
        expect(vec![edit((2, 3), (2, 1), "")], FIVE, Err(Unfit::Misplaced));
        expect(vec![edit((2, 1), (2, 4), "a"), edit((2, 2), (2, 3), "b")], FIVE, Err(Unfit::Misplaced));
        expect(vec![edit((2, 1), (2, 4), "a\u{202e}b")], FIVE, Err(Unfit::Hidden));
        expect(vec![edit((2, 1), (2, 4), &"x".repeat(60_000))], FIVE, Err(Unfit::TooLong));
        // A byte order mark is no column: what stands behind it is replaced, not the mark.
        expect(vec![edit((1, 1), (1, 4), "ONE")], "\u{feff}one\n", Err(Unfit::Hidden));
        expect(vec![edit((1, 1), (2, 1), ""), edit((3, 1), (3, 2), "")], "\u{feff}1\n2\n3\n", Err(Unfit::Hidden));
        let far = [vec![edit((2, 1), (2, 2), "T"), edit((20, 1), (20, 2), "T")], vec![edit((20, 1), (20, 2), "T")]];
        for edits in far {
            let text = "two\n".repeat(30);
            assert_eq!(of(edits, &text, &change(&[(2, 2)])), Err(Unfit::OutsideDiff));
        }
    }

    #[test]
    fn lines_are_those_of_the_head_commit() {
        let merged = "base\nbase\none\ntwo\n";
        let fix = Fix { description: String::new(), edits: vec![edit((4, 1), (4, 4), "TWO")] };
        let mut change = change(&[(3, 4)]);
        change.to_head.insert(path(), LineMap { runs: vec![(3, 1, 2)] });
        let with = |head: &str| suggest(&fix, &path(), &Texts::new(merged.to_owned(), head.to_owned()), &change);
        let made = with("one\ntwo\n").unwrap();
        assert_eq!((made.start, made.end, made.text.as_str()), (2, 2, "TWO\n"));
        for head in ["one\nzwei\n", "one\n"] {
            assert_eq!(with(head), Err(Unfit::OtherHead));
        }
    }

    #[test]
    fn the_key_stays_when_lines_move() {
        let key = |text: &str, line: u32, new: &str| {
            of(vec![edit((line, 1), (line, 2), new)], text, &change(&[(1, 99)])).unwrap().key
        };
        assert_eq!(key("a\nx\n", 2, "y"), key("a\nb\nc\nx\n", 4, "y"));
        assert_ne!(key("a\nx\n", 2, "y"), key("a\nx\n", 2, "z"));
        assert_ne!(key("a\nx\n", 2, "y"), key("a\nw\n", 2, "y"));
    }

    #[test]
    fn ten_thousand_fixes_of_one_file_are_planned_at_once() {
        let lines = 10_000;
        let text = "some line of it\n".repeat(lines);
        let texts = Texts::new(text.clone(), text);
        let change = change(&[(1, 10_000)]);
        let begun = crate::world::clock::instant();
        let mut report = report();
        report.gates.truncate(1);
        report.gates[0].findings = (1..=u32::try_from(lines).unwrap())
            .map(|line| {
                let fix = Fix { description: String::new(), edits: vec![edit((line, 1), (line, 5), "Some")] };
                offering(suggest(&fix, &path(), &texts, &change).unwrap())
            })
            .collect();
        let review = ended(&report, &ON, |end| plan(&end)).unwrap();
        assert_eq!(review.suggestions.len(), lines);
        assert!(begun.elapsed() < std::time::Duration::from_secs(10), "{:?}", begun.elapsed());
    }

    #[test]
    fn one_suggestion_for_all_who_say_the_same() {
        let fix = || of(vec![edit((3, 1), (3, 6), "a ``` b")], FIVE, &change(&[(3, 3)])).unwrap();
        let mut report = report();
        report.gates.truncate(1);
        let other = Judged {
            finding: crate::model::finding::Finding { rule: Some("<b>".to_owned()), ..offering(fix()).finding },
            ..offering(fix())
        };
        let elsewhere = Judged { path: RepoPath::parse("b.rs").ok(), ..offering(fix()) };
        let unfit = Judged { offer: Some(Offer::Unfit(Unfit::LineEnds)), ..offering(fix()) };
        report.gates[0].findings = vec![offering(fix()), existing(elsewhere), other, unfit];
        let review = ended(&report, &ON, |end| plan(&end)).unwrap();
        assert_eq!(review.suggestions.len(), 1, "{review:?}");
        assert_eq!(review.suggestions[0].body, "- `r`: `m`\n- `<b>`: `m`\n\n````suggestion\na ``` b\n````\n");
        assert_eq!(ended(&report, &PublishSettings::default(), |end| plan(&end)), None, "only when asked for");
        let annotated = ended(&report, &ON, |end| crate::publish::workflow_commands::plan(&end)).join("\n");
        assert_eq!(annotated.matches("its fix is not offered as a suggestion: it changes line ends").count(), 1);
    }
}
