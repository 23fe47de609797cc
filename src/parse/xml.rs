//! Walks an XML report for the formats made of elements. It is lenient where tools are (control characters,
//! unknown entities, encodings) and strict where leniency could hide something: no DOCTYPE, no unclosed
//! element, no attribute twice, a limit on depth.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::errors::Error as XmlError;
use quick_xml::events::{BytesStart, Event};

use crate::model::text::one_line;
use crate::parse::ParseError;
use crate::parse::encoding::decode;
use crate::parse::reading::count;

/// Real reports nest suites less than ten deep.
const DEEPEST: usize = 128;

/// Real elements have less than twenty; looking for duplicates takes the square of it.
const MOST_ATTRIBUTES: usize = 256;

/// A name between `&` and `;` is no longer, in bytes.
const LONGEST_REFERENCE: usize = 10;

/// Takes what is in the document, in order. Names are without prefix and in lower case.
pub(super) trait Visitor {
    /// An element begins. The first is the root.
    ///
    /// # Errors
    /// Says what came in its place, when the root is of another format.
    fn open(&mut self, name: &str, attributes: &Attributes) -> Result<(), String>;
    /// Text or CDATA inside the innermost open element.
    fn text(&mut self, text: &str);
    /// A comment below the root.
    fn comment(&mut self, _text: &str) {}
    /// The innermost open element ends.
    fn close(&mut self);
}

/// The attributes of one element, names in lower case.
#[derive(Default)]
pub(super) struct Attributes(Vec<(String, String)>);

impl Attributes {
    /// The value, where there is one that is not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// The value as an owned text.
    pub fn owned(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    /// The value as a line or column: a whole number from 1.
    pub fn position(&self, name: &str) -> Option<u32> {
        self.get(name)?.trim().parse().ok().filter(|&number| number > 0)
    }
}

/// Reads `input` into `visitor`. Returns notes on what was put right.
///
/// # Errors
/// When it is empty, ends early, is not well formed, has a DOCTYPE, or has something after its root.
pub(super) fn walk(
    input: &[u8],
    expected: &'static str,
    visitor: &mut impl Visitor,
) -> Result<Vec<String>, ParseError> {
    let decoded = decode(input);
    let text = decoded.text.as_ref();
    if text.trim().is_empty() {
        return Err(ParseError::Empty { expected });
    }
    let mut walk = Walk { expected, visitor, open: Vec::new(), rooted: false, around: 0 };
    let (heading, report) = split_heading(text);
    walk.around += heading.lines().filter(|line| !line.trim().is_empty()).count();
    let mut reader = Reader::from_str(report);
    reader.config_mut().allow_dangling_amp = true;
    loop {
        let event = reader
            .read_event()
            .map_err(|error| walk.unreadable(&error, reader.error_position() + heading.len() as u64))?;
        if matches!(event, Event::Eof) {
            walk.end(text.len())?;
            let mut notes = Vec::from_iter(decoded.note);
            if walk.around > 0 {
                notes.push(format!("{} not part of the report", count(walk.around, "line was", "lines were")));
            }
            return Ok(notes);
        }
        walk.event(event)?;
    }
}

struct Walk<'v, V> {
    expected: &'static str,
    visitor: &'v mut V,
    open: Vec<String>,
    rooted: bool,
    /// Lines of a runner of scripts around the report.
    around: usize,
}

/// What npm, pnpm and yarn print in front of what a script prints, `> shop@1.0.0 test`, and the rest. A line with an element
/// in it stays with the report.
fn split_heading(text: &str) -> (&str, &str) {
    let begins = |line: &str| ["> ", "$ ", "yarn run v"].iter().any(|begin| line.starts_with(begin));
    let has_element = |line: &str| {
        let after = line.split('<').skip(1).filter_map(|rest| rest.chars().next());
        after.into_iter().any(|c| c.is_alphabetic() || "_:?!/".contains(c))
    };
    let is_heading = |line: &&str| line.trim().is_empty() || (begins(line) && !has_element(line));
    text.split_at(text.split_inclusive('\n').take_while(is_heading).map(str::len).sum())
}

/// And what yarn and pnpm print behind it.
fn is_footing(line: &str) -> bool {
    let begins = ["Done in ", "info Visit https://yarnpkg.com/", "ELIFECYCLE"];
    begins.iter().any(|begin| line.trim_start().starts_with(begin))
}

impl<V: Visitor> Walk<'_, V> {
    fn event(&mut self, event: Event<'_>) -> Result<(), ParseError> {
        match event {
            Event::Start(start) => self.start(&start),
            Event::Empty(start) => {
                self.start(&start)?;
                self.close();
                Ok(())
            }
            Event::End(_) => {
                self.close();
                Ok(())
            }
            Event::Text(text) => self.text(&text),
            Event::CData(text) => self.text(&text),
            Event::GeneralRef(name) => self.text(&unescape(&format!("&{};", &*name))),
            Event::DocType(_) => Err(self.malformed("a DOCTYPE: entities and external files are never read")),
            Event::Comment(text) if !self.open.is_empty() => {
                self.visitor.comment(&text);
                Ok(())
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Eof => Ok(()),
        }
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), ParseError> {
        let name = start.local_name().into_inner().to_ascii_lowercase();
        // In text they are forgiven. A name with one is none, and what it names would be passed over.
        let is_odd = |name: &str| name.contains(|c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER);
        if is_odd(&name) {
            return Err(self.malformed(&format!("an element {name:?}")));
        }
        if self.open.len() == DEEPEST {
            return Err(self.malformed(&format!("elements more than {DEEPEST} deep")));
        }
        if self.open.is_empty() && self.rooted {
            return Err(self.malformed(&format!("<{name}> after the end of the report")));
        }
        let mut attributes = Attributes::default();
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|error| self.malformed(&format!("<{name}> with {error}")))?;
            let key = attribute.key.into_inner().to_ascii_lowercase();
            if is_odd(&key) {
                return Err(self.malformed(&format!("an attribute {key:?}")));
            }
            if attributes.0.len() == MOST_ATTRIBUTES || attributes.0.iter().any(|(known, _)| *known == key) {
                return Err(
                    self.malformed(&format!("<{name}> with the attribute {key:?} twice, or too many attributes"))
                );
            }
            attributes.0.push((key, unescape(&attribute.value).into_owned()));
        }
        self.visitor.open(&name, &attributes).map_err(|got| self.malformed(&got))?;
        self.rooted = true;
        self.open.push(name);
        Ok(())
    }

    fn close(&mut self) {
        self.open.pop();
        self.visitor.close();
    }

    fn text(&mut self, text: &str) -> Result<(), ParseError> {
        if !self.open.is_empty() {
            self.visitor.text(text);
        } else if self.rooted && text.lines().all(|line| line.trim().is_empty() || is_footing(line)) {
            self.around += text.lines().filter(|line| !line.trim().is_empty()).count();
        } else if !text.trim().is_empty() {
            let place = if self.rooted { "after the end of the report" } else { "in front of the report" };
            return Err(self.malformed(&format!("{:?} {place}", one_line(text, 60))));
        }
        Ok(())
    }

    fn end(&self, offset: usize) -> Result<(), ParseError> {
        let what = match self.open.last() {
            Some(name) => format!("<{name}> is not closed"),
            None if !self.rooted => "no element has begun".to_owned(),
            None => return Ok(()),
        };
        Err(ParseError::Truncated { expected: self.expected, offset, what })
    }

    fn unreadable(&self, error: &XmlError, position: u64) -> ParseError {
        match error {
            XmlError::Syntax(what) => ParseError::Truncated {
                expected: self.expected,
                offset: usize::try_from(position).unwrap_or(usize::MAX),
                what: what.to_string(),
            },
            other => self.malformed(&format!("broken XML at byte {position}: {other}")),
        }
    }

    fn malformed(&self, got: &str) -> ParseError {
        ParseError::Malformed { expected: self.expected, got: one_line(got, 200) }
    }
}

/// Resolves the five named entities and character references; anything else stays as it is written.
fn unescape(raw: &str) -> Cow<'_, str> {
    if !raw.contains('&') {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(LONGEST_REFERENCE + 2).position(|byte| byte == b';');
        let reference = end.map(|end| &rest[1..end]);
        if let Some((name, character)) = reference.and_then(|name| Some((name, resolve(name)?))) {
            out.push(character);
            rest = &rest[name.len() + 2..];
        } else {
            out.push('&');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn resolve(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

/// The name of the root element in the beginning of some output, which may be cut anywhere behind it.
pub(super) fn root(head: &[u8]) -> Option<String> {
    let decoded = decode(head);
    let mut rest = split_heading(&decoded.text).1.trim_start();
    loop {
        if let Some(after) = rest.strip_prefix("<?") {
            rest = after.split_once("?>")?.1.trim_start();
        } else if let Some(after) = rest.strip_prefix("<!--") {
            rest = after.split_once("-->")?.1.trim_start();
        } else {
            let name = rest.strip_prefix('<')?.split([' ', '\t', '\r', '\n', '>', '/']).next()?;
            return Some(name.rsplit(':').next()?.to_ascii_lowercase());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_resolved_and_unknown_ones_stay() {
        assert_eq!(unescape("a &lt;b&gt; &#39;&#x1F600;&quot;"), "a <b> '😀\"");
        assert_eq!(unescape("&nbsp; &#xD800; & &;é&"), "&nbsp; &#xD800; & &;é&");
    }

    #[test]
    fn the_root_is_found_behind_a_prolog() {
        assert_eq!(
            root("\u{feff}<?xml version='1.0'?>\n<!-- <a> -->\n<x:TestSuite a='1'".as_bytes()).unwrap(),
            "testsuite"
        );
        assert_eq!(root(b"<checkstyle/>").unwrap(), "checkstyle");
        assert_eq!(root(b"text <checkstyle/>"), None);
        assert_eq!(root(b"<?xml"), None);
    }

    #[test]
    fn a_name_has_no_control_characters() {
        let read = |report: &str| crate::parse::find("checkstyle").unwrap().parse(report.as_bytes());
        assert!(read("<checkstyle><file name='a\0b'><error message='x\u{1}'/></file></checkstyle>").is_ok());
        for broken in ["er\0ror/", "er\u{fffd}ror/", "error sever\0ity='error'/"] {
            assert!(read(&format!("<checkstyle><file name='a'><{broken}></file></checkstyle>")).is_err(), "{broken:?}");
        }
    }

    #[test]
    fn what_runners_of_scripts_print_around_a_report_is_no_part_of_it() {
        let read = |report: &str| crate::parse::find("junit").unwrap().parse(report.as_bytes());
        let report = "<?xml version='1.0'?>\n<testsuites><testcase name='a'/></testsuites>\n";
        for (before, behind, lines) in [
            ("\n> x@1.0.0 test\n> node --test --test-reporter=junit < in.txt\n\n", "", 2),
            (
                "\r\n> x@1.0.0 test /home/dev/x\r\n> node\r\n\r\n",
                "\u{2009}ELIFECYCLE\u{2009} Test failed. See above.\n",
                3,
            ),
            ("yarn run v1.22.22\n$ node --test\n", "Done in 0.51s.\n", 3),
        ] {
            let report = format!("{before}{report}{behind}");
            assert_eq!(root(report.as_bytes()).as_deref(), Some("testsuites"));
            let parsed = read(&report).unwrap();
            assert_eq!(parsed.tests.unwrap().cases.len(), 1);
            assert_eq!(parsed.notes, [format!("{lines} lines were not part of the report")]);
        }
        for (before, behind) in [
            ("x\n", ""),
            ("> x\nx\n", ""),
            ("> x <testsuites>\n", ""),
            ("$ x <!-- \n", ""),
            ("", "> x\n"),
            ("", "x\nDone in 1s.\n"),
        ] {
            assert!(read(&format!("{before}{report}{behind}")).is_err(), "{before:?} {behind:?}");
        }
    }

    #[test]
    fn a_reference_has_at_most_ten_characters() {
        assert_eq!(unescape("&#x0001F600; &#x00001F600;"), "😀 &#x00001F600;");
    }

    #[test]
    fn the_root_may_stand_behind_empty_lines() {
        assert_eq!(root(b"\n\n  <checkstyle>").unwrap(), "checkstyle");
    }
}
