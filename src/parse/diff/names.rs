//! The file names in the headers of diffs: quoting, time stamps and the prefixes that tools put before them.

/// What old and new names begin with, by tool: git in its settings, autopep8, terraform.
const PREFIXES: &[(&str, &str)] =
    &[("a/", "b/"), ("i/", "w/"), ("c/", "i/"), ("c/", "w/"), ("o/", "w/"), ("original/", "fixed/"), ("old/", "new/")];

/// The name in a `---` or `+++` line: unquoted, without the time stamp after a tab; `None` for `/dev/null`.
pub(super) fn header(text: &str) -> Option<String> {
    let name = match quoted(text) {
        Some((name, _)) => name,
        None => text.split('\t').next().unwrap_or(text).trim_end_matches('\r').to_owned(),
    };
    (name != "/dev/null").then_some(name)
}

/// The file that two header names speak of: the one that stands in the judged tree.
pub(super) fn target(old: Option<&str>, new: Option<&str>, git: bool) -> Option<String> {
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) => (old, new),
        (Some(one), None) => return Some(bare(one, git, |prefixes| prefixes.0)),
        (None, Some(one)) => return Some(bare(one, git, |prefixes| prefixes.1)),
        (None, None) => return None,
    };
    for (before, after) in PREFIXES {
        if let (Some(old), Some(new)) = (old.strip_prefix(before), new.strip_prefix(after))
            && (old == new || git)
        {
            return Some(old.to_owned());
        }
    }
    // gofmt and shfmt write `name.orig`, isort `name:before`.
    for suffix in [".orig", ":before"] {
        if let Some(stem) = old.strip_suffix(suffix)
            && (stem == new || new.strip_suffix(":after") == Some(stem))
        {
            return Some(stem.to_owned());
        }
    }
    Some(old.to_owned())
}

fn bare(name: &str, git: bool, side: impl Fn(&(&'static str, &'static str)) -> &'static str) -> String {
    let known = PREFIXES.iter().take(5).filter(|_| git);
    known.map(side).find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name).to_owned()
}

/// The file of a `diff --git` line whose two names are the same; the only place that names it when there is no hunk.
pub(super) fn of_git(text: &str) -> Option<String> {
    let (old, new) = if let Some((old, rest)) = quoted(text) {
        (old, quoted(rest.trim_start())?.0)
    } else {
        let middle = text.len().checked_sub(1)? / 2;
        let (old, new) = (text.get(..middle)?, text.get(middle..)?.strip_prefix(' ')?);
        (old.to_owned(), new.to_owned())
    };
    PREFIXES.iter().take(5).find_map(|(before, after)| {
        let name = old.strip_prefix(before)?;
        (new.strip_prefix(after) == Some(name)).then(|| name.to_owned())
    })
}

/// What `diff` says of two files or folders without showing it: the file of the old side, `None` where the line does not
/// tell which side it speaks of, and the words.
pub(super) fn told_of_two(text: &str) -> Option<(Option<String>, String)> {
    if let Some((folder, name)) = text.strip_prefix("Only in ").and_then(|rest| rest.split_once(": ")) {
        return Some((None, format!("{folder}/{name} is on one side only")));
    }
    let kinds = ["Binary files ", "Files ", "Symbolic links "];
    let both = kinds.iter().find_map(|kind| text.strip_prefix(kind)?.strip_suffix(" differ"));
    let (old, new) = if let Some(both) = both {
        in_two(both)?
    } else {
        let (old, new) = text.strip_prefix("File ")?.split_once(" while file ")?;
        (old.split_once(" is a ")?.0, new.split_once(" is a ")?.0)
    };
    let path = target(header(old).as_deref(), header(new).as_deref(), false);
    Some((path, format!("the tool would change this file: {text}")))
}

/// Names with more of ` and ` in them are cut at the first.
const MOST_ANDS: usize = 32;

/// `A and B`, where an ` and ` may be in the names too: they end alike.
fn in_two(text: &str) -> Option<(&str, &str)> {
    let pairs = || text.match_indices(" and ").map(|(at, and)| (&text[..at], &text[at + and.len()..]));
    let alike = |(old, new): &(&str, &str)| old.rsplit('/').next() == new.rsplit('/').next();
    pairs().take(MOST_ANDS).find(alike).or_else(|| pairs().next())
}

/// Reads a name that git has quoted as C does, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let inner = text.strip_prefix('"')?;
    let bytes = inner.as_bytes();
    let mut name = Vec::new();
    let mut at = 0;
    loop {
        match *bytes.get(at)? {
            b'"' => break,
            b'\\' => {
                let (byte, length) = escaped(&bytes[at + 1..])?;
                name.push(byte);
                at += 1 + length;
            }
            byte => {
                name.push(byte);
                at += 1;
            }
        }
    }
    Some((String::from_utf8_lossy(&name).into_owned(), &inner[at + 1..]))
}

/// The byte of an escape sequence, and how long that is.
fn escaped(rest: &[u8]) -> Option<(u8, usize)> {
    let simple = |byte| Some((byte, 1));
    match *rest.first()? {
        b'a' => simple(7),
        b'b' => simple(8),
        b't' => simple(b'\t'),
        b'n' => simple(b'\n'),
        b'v' => simple(11),
        b'f' => simple(12),
        b'r' => simple(b'\r'),
        b'0'..=b'3' => {
            let digits = rest.get(..3)?;
            let value = digits.iter().try_fold(0_u8, |value, digit| {
                digit.checked_sub(b'0').filter(|digit| *digit < 8).map(|digit| value.wrapping_mul(8) | digit)
            })?;
            Some((value, 3))
        }
        other => simple(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_tools_write_them() {
        assert_eq!(header("a/my src/x.c\t").as_deref(), Some("a/my src/x.c"));
        assert_eq!(header("x.py\t2026-01-01 10:00:00\r").as_deref(), Some("x.py"));
        assert_eq!(header(r#""a/caf\303\251\t\"q\".txt"	"#).as_deref(), Some("a/café\t\"q\".txt"));
        assert_eq!(header("/dev/null"), None);
        assert_eq!(of_git("a/my x b/my x").as_deref(), Some("my x"));
        assert_eq!(of_git(r#""a/\303\251" "b/\303\251""#).as_deref(), Some("é"));
        assert_eq!(of_git("a/old b/new name"), None);
        assert_eq!(of_git("é"), None);
    }

    #[test]
    fn escapes_are_those_of_c() {
        let [octal, quote] = [b"3031".as_slice(), b"\"x"].map(escaped);
        assert_eq!((octal, quote), (Some((0o303, 3)), Some((b'"', 1))));
        assert_eq!([b"380".as_slice(), b"30", b"3a1", b""].map(escaped), [None; 4]);
        let simple = b"abtnvfr\\".map(|letter| escaped(&[letter]).unwrap().0);
        assert_eq!(simple, [7, 8, b'\t', b'\n', 11, 12, b'\r', b'\\']);
    }

    #[test]
    fn the_old_name_is_the_judged_one() {
        let target = |old, new, git| target(Some(old), Some(new), git).unwrap();
        assert_eq!(target("a/x", "b/y", true), "x");
        assert_eq!(target("a/x", "b/x", false), "x");
        assert_eq!(target("a/x", "b/y", false), "a/x");
        assert_eq!(target("x.go.orig", "x.go", false), "x.go");
        assert_eq!(target("/p/x.py:before", "/p/x.py:after", false), "/p/x.py");
        assert_eq!(target("original/x.py", "fixed/x.py", false), "x.py");
    }
}
