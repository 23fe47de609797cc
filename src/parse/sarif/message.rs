//! The text of a SARIF message: looked up by id where it has one, arguments filled in, links to other locations
//! reduced to their words.

use crate::parse::sarif::log::{Message, Rule};

/// The plain text of `message`; `strings` looks up an id that the rule does not have.
pub(super) fn text<'s>(
    message: &'s Message<'_>,
    rule: Option<&'s Rule<'_>>,
    shared: impl Fn(&str) -> Option<&'s str>,
) -> Option<String> {
    let by_id = || {
        let id = message.id.as_ref()?.0.as_ref();
        let own = rule.and_then(|rule| rule.message_strings.as_ref()?.get(id)?.text.as_ref());
        own.map(|text| text.0.as_ref()).or_else(|| shared(id))
    };
    let text = message.text.as_ref().map(|text| text.0.as_ref()).filter(|text| !text.is_empty()).or_else(by_id)?;
    let filled = match &message.arguments {
        Some(arguments) if !arguments.is_empty() => fill(text, |at| arguments.get(at).map(|text| text.0.as_ref())),
        _ => text.to_owned(),
    };
    Some(without_links(filled))
}

/// Replaces `{0}` by the argument; `{{` and `}}` are braces.
fn fill<'s>(text: &str, argument: impl Fn(usize) -> Option<&'s str>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let brace = &rest[..1];
        let end = digits(&rest[1..]);
        let number = rest[1 + end..].starts_with('}').then(|| rest[1..=end].parse().ok()).flatten();
        if rest[1..].starts_with(brace) {
            out.push_str(brace);
            rest = &rest[2..];
        } else if let Some(value) = number.and_then(&argument) {
            out.push_str(value);
            rest = &rest[end + 2..];
        } else {
            out.push_str(brace);
            rest = &rest[1..];
        }
    }
    out + rest
}

/// How many digits `text` begins with.
fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// `[the source](1)` points to a related location, which is not shown: the words stay.
fn without_links(text: String) -> String {
    if !text.contains("](") {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find("](") {
        let target = digits(&rest[at + 2..]);
        let numbered = target > 0 && rest[at + 2 + target..].starts_with(')');
        let open = if numbered { rest[..at].rfind('[') } else { None };
        if let Some(open) = open {
            out.push_str(&rest[..open]);
            out.push_str(&rest[open + 1..at]);
            rest = &rest[at + 3 + target..];
        } else {
            out.push_str(&rest[..at + 2]);
            rest = &rest[at + 2..];
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_filled_in() {
        let filled = fill("{0} is {1}, {{0}}, {2}, {x} }", |at| ["a", "b"].get(at).copied());
        assert_eq!(filled, "a is b, {0}, {2}, {x} }");
    }

    #[test]
    fn links_to_locations_become_their_words() {
        let text = "from [here](1) to [there](2), see [docs](https://example.com) and [x](4th) a](3";
        assert_eq!(
            without_links(text.to_owned()),
            "from here to there, see [docs](https://example.com) and [x](4th) a](3"
        );
    }
}
