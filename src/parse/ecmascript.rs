//! Regular expressions as problem matchers write them (.NET's ECMAScript mode, JavaScript in editors), put into the
//! words of the `regex` crate. It changes spelling only; what that crate cannot do stays and is refused there.

/// Translates classes to their ASCII meaning and escapes what is literal there and special here.
pub(super) fn translate(source: &str) -> String {
    let mut out = String::with_capacity(source.len() + 16);
    let mut rest = source.chars().peekable();
    let mut in_class = false;
    let mut class_start = false;
    while let Some(c) = rest.next() {
        let first_of_class = std::mem::take(&mut class_start);
        match c {
            '\\' => match rest.next() {
                Some(next) => escape(next, in_class, &mut out),
                None => out.push('\\'),
            },
            '[' if in_class => out.push_str("\\["),
            '[' => {
                in_class = true;
                class_start = true;
                out.push(c);
                if let Some(negation) = rest.next_if_eq(&'^') {
                    out.push(negation);
                }
            }
            // In .NET a class does not end where it begins: the bracket is literal.
            ']' if first_of_class => out.push_str("\\]"),
            ']' => {
                in_class = false;
                out.push(c);
            }
            '&' | '~' if in_class => {
                out.push('\\');
                out.push(c);
            }
            '-' if in_class && rest.peek() == Some(&'-') => out.push_str("\\-"),
            '{' if !in_class && !is_repetition(rest.clone()) => out.push_str("\\{"),
            c => out.push(c),
        }
    }
    out
}

fn escape(c: char, in_class: bool, out: &mut String) {
    let set = match c {
        'd' | 'D' => "0-9",
        'w' | 'W' => "A-Za-z0-9_",
        's' | 'S' => " \\f\\n\\r\\t\\x0b",
        'b' if !in_class => return out.push_str("(?-u:\\b)"),
        'b' => return out.push_str("\\x08"),
        '0' => return out.push_str("\\x00"),
        '<' | '>' => return out.push(c),
        _ => {
            out.push('\\');
            return out.push(c);
        }
    };
    match (c.is_uppercase(), in_class) {
        (false, true) => out.push_str(set),
        (false, false) => {
            out.push('[');
            out.push_str(set);
            out.push(']');
        }
        (true, _) => {
            out.push_str("[^");
            out.push_str(set);
            out.push(']');
        }
    }
}

/// Whether `3}`, `3,}` or `3,4}` follows.
fn is_repetition(mut rest: impl Iterator<Item = char>) -> bool {
    let mut digits = 0;
    let mut comma = false;
    loop {
        match rest.next() {
            Some(c) if c.is_ascii_digit() => digits += 1,
            Some(',') if digits > 0 && !comma => comma = true,
            Some('}') => return digits > 0,
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::Regex;

    fn matches(source: &str, text: &str) -> bool {
        Regex::new(&translate(source)).unwrap().is_match(text)
    }

    #[test]
    fn expressions_of_real_matchers_keep_their_meaning() {
        assert!(matches(r"^(.+)\/(\w+)\s+\[([^\]]+)\]$", "a/b  [x]"));
        assert!(matches(r"^[^[\]]+$", "ab") && !matches(r"^[^[\]]+$", "a[b"));
        assert!(matches(r"^[&&a--]+$", "a&-"));
        assert!(matches(r"^[][&]+$", "][&") && matches(r"^[^][]+$", "ab") && !matches(r"^[^][]+$", "a]"));
        assert!(matches(r"^{a}{2}$", "{a}}") && matches(r"^a{}{,2}$", "a{}{,2}"));
        assert!(matches(r"^a{2,3}$", "aaa") && matches(r"^a{2,}$", "aaa") && matches(r"^a{2,,3}$", "a{2,,3}"));
        assert!(matches(r"^[a-c]$", "b") && !matches(r"^[a-c]$", "-"));
        assert!(matches(r"^\<x\>\b", "<x>y") && !matches(r"^\<x\>\b", "<x> "));
        assert!(matches(r"^[\b]$", "\u{8}"), "in a class it is the backspace");
        for (class, other) in [(r"^\d+$", "٣"), (r"^\w+$", "é"), (r"^\s+$", "\u{a0}")] {
            assert!(!matches(class, other), "{class} is ASCII");
        }
        assert!(matches(r"^[\w\-.]+[\S]$", "a-b.c!"));
        assert!(matches(r"^\s+(\d+):(\d+)\s+(error|warning)\s+(.*)\s\s+(.*)$", "  3:1  error  Bad é  no-var"));
        assert!(Regex::new(&translate(r"(?!x)")).is_err());
    }
}
