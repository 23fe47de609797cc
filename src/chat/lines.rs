//! Which lines of a comment may be commands. What GitHub shows as a quotation, as code or not at all is passed over; where
//! that cannot be told by a look at whole lines, a line is called unclear rather than taken.
//! <https://github.github.com/gfm/>

/// Whether a line surely is shown as ordinary text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It is.
    Clear,
    /// A line of its paragraph has opened a code span or a hidden comment that may not have ended.
    Unclear,
}

/// A line that begins with `/word`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// From 1.
    pub number: usize,
    /// Without the white space around it.
    pub text: &'a str,
    /// Whether it is shown as it stands.
    pub kind: Kind,
}

/// What the lines before have begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// Nothing.
    Nothing,
    /// A paragraph that has a mark which may reach over several lines.
    Marked,
    /// A quotation: a line after it without a mark still belongs to it.
    Quotation,
    /// A fence of this many of this character.
    Fence(char, usize),
    /// A hidden comment that has not ended.
    Hidden,
}

/// The lines at the beginning of a comment that begin with `/word`.
pub(super) fn of(body: &str) -> Vec<Line<'_>> {
    let mut found = Vec::new();
    let mut inside = Inside::Nothing;
    for (at, raw) in split(body).enumerate() {
        let text = raw.trim_matches([' ', '\t']);
        match inside {
            Inside::Fence(mark, length) => {
                if closes(raw, mark, length) {
                    inside = Inside::Nothing;
                }
                continue;
            }
            Inside::Hidden => {
                if raw.contains("-->") {
                    inside = Inside::Nothing;
                }
                continue;
            }
            _ => {}
        }
        if text.is_empty() {
            inside = Inside::Nothing;
        } else if is_indented(raw) {
            // Code, or a further line of a paragraph: a command in neither, but a mark in the latter.
            if inside == Inside::Nothing && opens_a_span(text) {
                inside = Inside::Marked;
            }
        } else if let Some((mark, length)) = opens(text) {
            inside = Inside::Fence(mark, length);
        } else if let Some(rest) = text.strip_prefix("<!--") {
            // `<!-->` and `<!--->` are whole comments.
            let is_whole = rest.contains("-->") || rest.starts_with('>') || rest.starts_with("->");
            inside = if is_whole { Inside::Nothing } else { Inside::Hidden };
        } else if text.starts_with('>') {
            inside = Inside::Quotation;
        } else if inside == Inside::Quotation {
            // It belongs to the quotation, however it begins.
        } else if begins_with_a_word(text) {
            let kind = if inside == Inside::Marked { Kind::Unclear } else { Kind::Clear };
            found.push(Line { number: at + 1, text, kind });
            if opens_a_span(text) {
                inside = Inside::Marked;
            }
        } else {
            break;
        }
    }
    found
}

/// Markdown ends lines by LF, CR, or both.
fn split(body: &str) -> impl Iterator<Item = &str> {
    body.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
}

/// Whether it may begin a code span or HTML that reaches into the next lines of its paragraph.
fn opens_a_span(text: &str) -> bool {
    text.contains(['`', '<'])
}

/// Four columns or more: a tab reaches to the next multiple of four.
fn is_indented(raw: &str) -> bool {
    let blanks = raw.len() - raw.trim_start_matches(' ').len();
    blanks >= 4 || raw[blanks..].starts_with('\t')
}

/// A fence's mark and its length. What follows backticks may hold none, else it is a code span.
fn opens(text: &str) -> Option<(char, usize)> {
    let mark = text.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let rest = text.trim_start_matches(mark);
    let length = text.len() - rest.len();
    (length >= 3 && !(mark == '`' && rest.contains('`'))).then_some((mark, length))
}

fn closes(raw: &str, mark: char, length: usize) -> bool {
    let text = raw.trim_matches([' ', '\t']);
    !is_indented(raw) && text.len() >= length && text.chars().all(|c| c == mark)
}

/// `/word`, and then nothing or a blank: neither a path nor a comment of a language. What is not seen may stand in it, so
/// that it can be refused.
fn begins_with_a_word(text: &str) -> bool {
    let Some(rest) = crate::model::text::clean(text).strip_prefix('/').map(str::to_owned) else { return false };
    let word = rest.split([' ', '\t']).next().unwrap_or_default();
    !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}
