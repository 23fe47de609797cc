//! Workflow commands of the GitHub runner: lines of the form `::name key=value::data`, escaped as the runner's own
//! toolkit does it. It must be the only place that writes such a line.
//!
//! Source: <https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands>.

use crate::model::text;

/// The data after the last `::` of a command. The text is cleaned of escapes and invisible characters first.
#[must_use]
pub fn data(text: &str) -> String {
    // `%` first: the other two make new ones.
    text::clean(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property of a command.
#[must_use]
pub fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A whole command, without its line end. Property names are ours, values and `message` may be anyone's.
#[must_use]
pub fn command(name: &str, properties: &[(&str, String)], message: &str) -> String {
    let mut line = format!("::{name}");
    for (at, (key, value)) in properties.iter().enumerate() {
        line.push(if at == 0 { ' ' } else { ',' });
        line.push_str(key);
        line.push('=');
        line.push_str(&property(value));
    }
    line.push_str("::");
    line.push_str(&data(message));
    line
}

/// A line of plain text that the runner cannot take for a command: it obeys `::` at the start of a line (after any
/// white space), and the older `##[` anywhere in it.
#[must_use]
pub fn plain(text: &str) -> String {
    let line = text::clean(text).replace('\n', " ").replace("##[", "# #[");
    if line.trim_start().starts_with("::") { format!("| {line}") } else { line }
}

/// Each line as [`plain`] makes it.
#[must_use]
pub fn plain_lines(text: &str) -> String {
    text.lines().map(|line| plain(line) + "\n").collect()
}

/// JSON that says the same, and that the runner cannot take for a command. It has no line that starts with `::`,
/// and `##[` can only stand in a string.
#[must_use]
pub fn json(json: &str) -> String {
    json.replace("##[", r"#\u0023[")
}

/// XML that says the same, and that the runner cannot take for a command.
#[must_use]
pub fn xml(xml: &str) -> String {
    let mut out = String::with_capacity(xml.len());
    for line in xml.replace("##[", "#&#35;[").split_inclusive('\n') {
        let text = line.trim_start();
        if text.starts_with("::") {
            out.push_str(&line[..line.len() - text.len()]);
            out.push_str("&#58;");
            out.push_str(&text[1..]);
        } else {
            out.push_str(line);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_command_early() {
        let line = command(
            "error",
            &[("file", "a,b:c%\n::d".to_owned()), ("line", "3".to_owned())],
            "100%\r\n::add-mask::x\u{1b}[31m\u{202e}",
        );
        assert_eq!(line, "::error file=a%2Cb%3Ac%25%0A%3A%3Ad,line=3::100%25%0A::add-mask::x");
        assert_eq!(command("notice", &[], "x"), "::notice::x");
        assert_eq!(plain(" ::warning::x\n::error::y"), "|  ::warning::x ::error::y");
        assert_eq!(plain("a ###[group]x"), "a ## #[group]x");
        assert_eq!(plain("a ::error::"), "a ::error::");
    }

    #[test]
    fn what_programs_read_says_the_same() {
        let value = serde_json::json!({"##[a]": "###[b] :: c"});
        let shown = json(&value.to_string());
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
        assert!(!shown.contains("##["));
        assert_eq!(xml("<a b='##[c]'>\n  ::d::\n::e"), "<a b='#&#35;[c]'>\n  &#58;:d::\n&#58;:e");
    }
}
