//! Requirements files of pip whose lines are pinned, as pip-compile, `uv pip compile` and `pip freeze` write them. The
//! format has no end of its own: cut anywhere it looks like a shorter file, or like an older version of its last
//! package; a last line without its end is noted. Nothing in it is `dev`.

use std::collections::HashMap;

use super::graph::{Asked, Entry, lockfile};
use super::lines::number;
use super::{Format, LockError, Lockfile, Why, python};
use crate::model::package::Ecosystem;

pub(super) static FORMAT: Format = Format {
    name: "requirements",
    about: "requirements.txt of pip with pinned versions",
    files: &["requirements*.txt", "*requirements.txt", "requirements/*.txt"],
    looks_like: |text| {
        let codes = text.split(ENDS).map(|line| code(line).trim_end_matches('\\').trim_end());
        let mut lines = codes.filter(|line| !line.is_empty() && !line.starts_with('-')).map(requirement);
        // All are requirements, and one at least has a version.
        let mut pinned = false;
        lines.all(|line| line.inspect(|line| pinned |= line.pin.is_some()).is_some()) && pinned
    },
    reader: read,
};

/// What ends a line to pip, which has Python split the text.
const ENDS: [char; 10] = ['\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}'];

/// Options that take a file or a package, and the shortest way to write the long ones: pip takes them cut short. All
/// others say only where to look.
const OPTIONS: [(&str, &str, &str, Why); 3] = [
    ("-r", "--requirement", "--requirem", Why::OtherFile),
    ("-c", "--constraint", "--c", Why::OtherFile),
    ("-e", "--editable", "--ed", Why::Own),
];

/// One requirement.
struct Line<'t> {
    name: &'t str,
    pin: Option<&'t str>,
    why: Option<Why>,
}

fn read(text: &str) -> Result<Lockfile, LockError> {
    let mut reading = Reading::default();
    let mut continued: Option<(u32, String)> = None;
    for (at, line) in text.replace("\r\n", "\n").split_terminator(ENDS).enumerate() {
        let (first, before) = continued.take().unwrap_or((number(at + 1), String::new()));
        match line.strip_suffix('\\').filter(|_| !line.trim_start().starts_with('#')) {
            Some(open) => continued = Some((first, before + open + " ")),
            None => reading.line(first, &(before + line))?,
        }
    }
    if let Some((line, _)) = continued {
        return Err(LockError::Truncated { what: format!("line {line} goes on behind its end") });
    }
    let mut read = reading.finish();
    if !text.ends_with(ENDS) {
        read.notes.push("the last line has no line end: the file may have been cut".to_owned());
    }
    Ok(read)
}

#[derive(Default)]
struct Reading {
    entries: Vec<Entry>,
    /// For each entry, what asks for it, in the comments that pip-compile and uv write.
    via: Vec<Vec<String>>,
    /// Whether the comment that follows goes on with what asks for the last entry.
    in_via: bool,
}

impl Reading {
    fn line(&mut self, line: u32, text: &str) -> Result<(), LockError> {
        let code = code(text);
        let comment = text[text.find(code).unwrap_or(0) + code.len()..].trim().trim_start_matches('#').trim();
        if !code.is_empty() {
            self.in_via = false;
            if !self.entry(line, code) {
                let what = format!("{code:?} is no requirement");
                return Err(LockError::Malformed { expected: FORMAT.about, line, what });
            }
        }
        let named = match comment.strip_prefix("via") {
            Some(named) => {
                self.in_via = true;
                named
            }
            None => comment,
        };
        match self.via.last_mut() {
            Some(via) if self.in_via && !comment.is_empty() => {
                via.extend(named.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned));
            }
            _ => self.in_via = false,
        }
        Ok(())
    }

    /// Takes a line; false when it is none of pip's.
    fn entry(&mut self, line: u32, code: &str) -> bool {
        if code.starts_with('-') {
            self.options(line, code);
            return true;
        }
        let Some(Line { name, pin, why }) = requirement(code) else { return false };
        self.push(line, name, pin.unwrap_or_default(), why.or(pin.is_none().then_some(Why::Unpinned)));
        true
    }

    fn options(&mut self, line: u32, code: &str) {
        let mut words = code.split_whitespace();
        while let Some(word) = words.next() {
            let Some((value, why)) = option(word) else { continue };
            let value = if value.is_empty() { words.next().unwrap_or_default() } else { value };
            let why = if why == Why::Own { of_address(value).unwrap_or(why) } else { why };
            self.push(line, value, "", Some(why));
        }
    }

    fn push(&mut self, line: u32, name: &str, version: &str, passed_over: Option<Why>) {
        let (name, version) = (name.to_owned(), version.to_owned());
        self.entries.push(Entry { name, version, line, passed_over, ..Entry::default() });
        self.via.push(Vec::new());
    }

    fn finish(mut self) -> Lockfile {
        if self.via.iter().all(Vec::is_empty) {
            return lockfile(Ecosystem::PyPi, self.entries, None);
        }
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, entry) in self.entries.iter().enumerate() {
            by_name.entry(python::normal(&entry.name)).or_default().push(at);
        }
        let mut asked = Asked::default();
        for (at, via) in self.via.iter().enumerate() {
            // `-r requirements.in`, `shop (pyproject.toml)`: whatever is no package of the file is the project's.
            let packages: Vec<usize> =
                via.iter().flat_map(|name| by_name.get(&python::normal(name)).cloned().unwrap_or_default()).collect();
            if packages.len() < via.len() || via.is_empty() {
                asked.always.push(at);
            }
            for by in packages {
                self.entries[by].needs.push(at);
            }
        }
        lockfile(Ecosystem::PyPi, self.entries, Some(&asked))
    }
}

/// A line without its comment.
fn code(line: &str) -> &str {
    let starts = |(at, _): &(usize, &str)| *at == 0 || line.as_bytes()[at - 1].is_ascii_whitespace();
    let comment = line.match_indices('#').find(starts).map_or(line.len(), |(at, _)| at);
    line[..comment].trim()
}

/// The value that is written with an option in one word, and what it names.
fn option(word: &str) -> Option<(&str, Why)> {
    let (name, value) = word.split_once('=').unwrap_or((word, ""));
    OPTIONS.iter().find_map(|&(short, long, least, why)| match word.strip_prefix(short) {
        Some(value) => Some((value.trim_start_matches('='), why)),
        None => (name.starts_with(least) && long.starts_with(name)).then_some((value, why)),
    })
}

fn requirement(code: &str) -> Option<Line<'_>> {
    // Hashes and other options of one requirement.
    let options = code.match_indices('-').find(|(at, _)| code[..*at].ends_with(char::is_whitespace));
    let code = code[..options.map_or(code.len(), |(at, _)| at)].trim_end();
    if let Some(why) = of_address(code) {
        let name = code.split_once("#egg=").map_or(code, |(_, name)| name);
        return Some(placed(name, code, why));
    }
    let (name, rest) = python::name(code)?;
    if let Some(address) = rest.strip_prefix('@').map(str::trim) {
        return Some(placed(name, address, of_address(address).unwrap_or(Why::Address)));
    }
    let asked = rest.split(';').next().unwrap_or_default().trim().trim_matches(['(', ')']);
    let clauses: Vec<&str> = asked.split(',').map(str::trim).filter(|clause| !clause.is_empty()).collect();
    let is_clause = |clause: &&str| {
        ["==", ">=", "<=", "~=", "!=", "<", ">"].iter().any(|sign| clause.starts_with(sign))
            && !clause.trim_start_matches(['=', '<', '>', '~', '!']).trim().contains(char::is_whitespace)
    };
    if !clauses.iter().all(is_clause) {
        return None;
    }
    let exact = clauses.iter().filter_map(|clause| clause.strip_prefix("===").or(clause.strip_prefix("==")));
    // What pip takes from the environment is no version.
    let pin = exact.map(str::trim).find(|version| !version.contains(['*', '$']));
    Some(Line { name, pin: pin.filter(|version| !version.is_empty()), why: None })
}

/// What a requirement is that is an address, a folder or a file and no name.
fn of_address(text: &str) -> Option<Why> {
    if ["git+", "hg+", "svn+", "bzr+"].iter().any(|scheme| text.starts_with(scheme)) {
        return Some(Why::Git);
    }
    if text.starts_with("http://") || text.starts_with("https://") {
        return Some(Why::Address);
    }
    if python::is_archive(path(text)) {
        return Some(Why::Archive);
    }
    (text.starts_with("file:") || text.starts_with(['.', '/'])).then_some(Why::Own)
}

/// An address or a path without what may follow it: a fragment, extras, a marker.
fn path(text: &str) -> &str {
    text.split(['#', '[', ';']).next().unwrap_or_default().trim_end()
}

/// A requirement by its place. A wheel's name says what is in it
/// (<https://packaging.python.org/en/latest/specifications/binary-distribution-format/>).
fn placed<'t>(name: &'t str, address: &'t str, why: Why) -> Line<'t> {
    let file = path(address).strip_suffix(".whl").and_then(|path| path.rsplit('/').next());
    let mut parts = file.filter(|_| why == Why::Archive).unwrap_or_default().split('-');
    match (parts.next(), parts.next()) {
        (Some(name), Some(version)) => Line { name, pin: Some(version), why: None },
        _ => Line { name, pin: None, why: Some(why) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_versions_are_pins() {
        for (text, pin) in [
            ("a==1.0", Some("1.0")),
            ("a[x, y] == 1.0 ; python_version < '3.9'", Some("1.0")),
            ("a===1.0-local --hash=sha256:00", Some("1.0-local")),
            ("a (==1.0)", Some("1.0")),
            ("a>=1,==1.5", Some("1.5")),
            ("a==1.0\t--hash=sha256:00", Some("1.0")),
            ("a==1.0 -C x=y", Some("1.0")),
            ("a==1.*", None),
            ("a==${A}", None),
            ("a>=1", None),
            ("a", None),
        ] {
            assert_eq!(requirement(text).map(|line| line.pin), Some(pin), "{text}");
        }
        assert!(requirement("<html>").is_none());
        assert!(requirement("a 1.0").is_none());
        assert!(requirement("a==1.0 b==2.0").is_none());
    }

    #[test]
    fn what_has_no_version_is_passed_over() {
        let text = "-r base.txt\n--index-url https://example.com/simple\n-e .\na @ git+https://x/y\nhttps://x/z.whl\nb>=1 # words\nc==1\n";
        let read = FORMAT.read(text.as_bytes()).unwrap();
        let shown: Vec<(&str, u32, Why)> =
            read.passed_over.iter().map(|entry| (entry.name.as_str(), entry.line, entry.why)).collect();
        assert_eq!(
            shown,
            [
                ("base.txt", 1, Why::OtherFile),
                (".", 3, Why::Own),
                ("a", 4, Why::Git),
                ("https://x/z.whl", 5, Why::Address),
                ("b", 6, Why::Unpinned)
            ]
        );
        assert_eq!(read.packages.len(), 1);
        let unpinned = FORMAT.read(b"a>=1\nb\n").unwrap_err().to_string();
        assert_eq!(
            unpinned,
            "it names no package to look up: a is not pinned to a version, b is not pinned to a version"
        );
        assert!(matches!(FORMAT.read(b"a==1 \\\n"), Err(LockError::Truncated { .. })));
    }

    #[test]
    fn lines_are_those_of_pip() {
        let read = |text: &str| {
            let read = FORMAT.read(text.as_bytes()).unwrap();
            let packages = read.packages.iter().map(|package| format!("{}:{}", package.line, package.name));
            packages.chain(read.passed_over.iter().map(|entry| format!("{}:{}", entry.line, entry.name))).collect()
        };
        let cases: [(&str, &[&str]); 6] = [
            ("a==1\n# c:\\tools\\\nb==1\n", &["1:a", "3:b"]),
            ("a==1 \\\n  # c\\\nb==1\n", &["1:a", "3:b"]),
            ("a \\\n ==1\nb==1\n", &["1:a", "3:b"]),
            ("a==1\rb==1\r\nc==1\n", &["1:a", "2:b", "3:c"]),
            ("a==1\u{c}b==1\u{2028}c==1\n", &["1:a", "2:b", "3:c"]),
            (
                "a==1\n-rb.txt\n-cc.txt\n-r\td.txt\n--requirem=e\n--pre --constraint f\n-e./g\n-ihttp://x\n",
                &["1:a", "2:b.txt", "3:c.txt", "4:d.txt", "5:e", "6:f", "7:./g"],
            ),
        ];
        for (text, expected) in cases {
            let found: Vec<String> = read(text);
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn a_file_on_the_disk_is_looked_up_by_its_name_or_told_of() {
        let text = "./wheels/flask-0.5-py2.py3-none-any.whl\nb[x] @ file:///w/b_c-1.0-1-py3-none-any.whl ; os_name == 'nt'\n\
                    ./d-1.0.tar.gz\ne-2-py3-none-any.whl --hash=sha256:00\n./f\n";
        let read = FORMAT.read(text.as_bytes()).unwrap();
        let packages: Vec<String> =
            read.packages.iter().map(|package| format!("{} {}", package.name, package.version)).collect();
        assert_eq!(packages, ["flask 0.5", "b_c 1.0", "e 2"]);
        let others: Vec<(&str, Why)> = read.passed_over.iter().map(|entry| (entry.name.as_str(), entry.why)).collect();
        assert_eq!(others, [("./d-1.0.tar.gz", Why::Archive), ("./f", Why::Own)]);
    }

    #[test]
    fn comments_of_a_compiled_file_say_what_asks_for_a_package() {
        let compiled =
            "a==1\n    # via -r requirements.in\nb==1\n    # via\n    #   a\n    #   c\nc==1  # via b, d\nd==1\n";
        let read = FORMAT.read(compiled.as_bytes()).unwrap();
        let paths: Vec<(&str, Vec<String>)> =
            read.packages.iter().map(|package| (package.name.as_str(), package.path.names())).collect();
        let path = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        assert_eq!(
            paths,
            [("a", path(&["a"])), ("b", path(&["a", "b"])), ("c", path(&["d", "c"])), ("d", path(&["d"]))],
            "d has no comment: the project asks for it"
        );
        assert_eq!(read.notes, [""; 0]);
        let cut = FORMAT.read(b"a==1\nb==1").unwrap();
        assert_eq!(cut.notes, ["the last line has no line end: the file may have been cut"]);
    }
}
