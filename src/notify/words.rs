//! How a notice is put into words, the same by every notifier, and how text is kept inside a limit. Plain text only: each
//! notifier escapes for its own place.

use crate::model::notice::Notice;
use crate::model::text::{clean, one_line};
use crate::render::links::Address;

/// The most characters of one fact, before it is escaped.
const FACT: usize = 200;

/// One line: `P1: Deploy to production failed (octo/shop)`.
pub(super) fn title(notice: &Notice) -> String {
    let what = notice.event.title.replace("{}", &one_line(&notice.environment, 64));
    format!("{}: {what} ({})", notice.event.severity, one_line(&notice.repository, 100))
}

/// What is known, each with its name; at most eight.
pub(super) fn facts(notice: &Notice) -> Vec<(&'static str, String)> {
    let commit = notice.sha.as_ref().map(|sha| match &notice.reference {
        Some(reference) if reference != sha.as_str() => format!("{} ({reference})", sha.short()),
        _ => sha.short().to_owned(),
    });
    let facts = [
        ("Event", Some(notice.event.name.to_owned())),
        ("Severity", Some(notice.event.severity.to_string())),
        ("Environment", Some(notice.environment.clone())),
        ("Commit", commit),
        ("Live before", notice.previous.as_ref().map(|sha| sha.short().to_owned())),
        ("By", notice.by.clone()),
        ("Answers at", notice.url.clone()),
        ("At", Some(notice.at.clone())),
    ];
    let known = facts.into_iter().filter_map(|(name, value)| Some((name, one_line(&value?, FACT))));
    known.filter(|(_, value)| !value.is_empty()).collect()
}

/// Why, cleaned of everything that is not seen; `None` where nothing was said.
pub(super) fn reason(notice: &Notice) -> Option<String> {
    let text = clean(notice.reason.as_deref()?);
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The page of the run, where it is an address that can stand in a link.
pub(super) fn run(notice: &Notice) -> Option<Address> {
    notice.run.as_deref().filter(|run| run.len() <= 500).and_then(Address::parse)
}

/// The text through `escape`, at most `limit` UTF-16 units: no service counts a character as more. An ellipsis stands for
/// what was cut; an escape is never cut through.
pub(super) fn fit(text: &str, limit: usize, escape: fn(char, &mut String)) -> String {
    let (mut out, mut units, mut last_fit) = (String::new(), 0, 0);
    for c in text.chars() {
        let before = out.len();
        escape(c, &mut out);
        units += out[before..].encode_utf16().count();
        if units > limit {
            out.truncate(last_fit);
            out.push('…');
            return out;
        }
        if units < limit {
            last_fit = out.len();
        }
    }
    out
}

/// No escape: for places that show text as it is.
pub(super) fn as_it_is(c: char, out: &mut String) {
    out.push(c);
}
