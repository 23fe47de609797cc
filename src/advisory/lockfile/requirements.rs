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
        let codes = text.lines().map(|line| code(line).trim_end_matches('\\').trim_end());
        let mut lines = codes.filter(|line| !line.is_empty() && !line.starts_with('-')).map(requirement);
        // All are requirements, and one at least has a version.
        let mut pinned = false;
        lines.all(|line| line.inspect(|line| pinned |= line.pin.is_some()).is_some()) && pinned
    },
    reader: read,
};

/// Options that take a file or a package; all others say only where to look.
const OTHER_FILES: [&str; 4] = ["-r", "--requirement", "-c", "--constraint"];
const EDITABLE: [&str; 2] = ["-e", "--editable"];

/// One requirement.
struct Line<'t> {
    name: &'t str,
    pin: Option<&'t str>,
    why: Option<Why>,
}

fn read(text: &str) -> Result<Lockfile, LockError> {
    let mut reading = Reading::default();
    let mut continued: Option<(u32, String)> = None;
    for (at, line) in text.lines().enumerate() {
        let (first, before) = continued.take().unwrap_or((number(at + 1), String::new()));
        match line.strip_suffix('\\') {
            Some(open) => continued = Some((first, before + open + " ")),
            None => reading.line(first, &(before + line))?,
        }
    }
    if let Some((line, _)) = continued {
        return Err(LockError::Truncated { what: format!("line {line} goes on behind its end") });
    }
    let mut read = reading.finish();
    if !text.ends_with('\n') {
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
        let (option, value) = code.split_once([' ', '=']).unwrap_or((code, ""));
        let value = value.trim();
        let (name, version, why) = if OTHER_FILES.contains(&option) {
            (value, "", Some(Why::OtherFile))
        } else if EDITABLE.contains(&option) {
            (value, "", Some(of_address(value).unwrap_or(Why::Own)))
        } else if code.starts_with('-') {
            return true;
        } else if let Some(Line { name, pin, why }) = requirement(code) {
            (name, pin.unwrap_or_default(), why.or(pin.is_none().then_some(Why::Unpinned)))
        } else {
            return false;
        };
        self.entries.push(Entry {
            name: name.to_owned(),
            version: version.to_owned(),
            line,
            passed_over: why,
            ..Entry::default()
        });
        self.via.push(Vec::new());
        true
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

fn requirement(code: &str) -> Option<Line<'_>> {
    // Hashes and other options of one requirement.
    let code = code.split(" --").next().unwrap_or_default().trim_end();
    if let Some(why) = of_address(code) {
        let name = code.split_once("#egg=").map_or(code, |(_, name)| name);
        return Some(Line { name, pin: None, why: Some(why) });
    }
    let (name, rest) = python::name(code)?;
    if let Some(address) = rest.strip_prefix('@') {
        return Some(Line { name, pin: None, why: Some(of_address(address.trim()).unwrap_or(Why::Address)) });
    }
    let asked = rest.split(';').next().unwrap_or_default().trim().trim_matches(['(', ')']);
    let clauses: Vec<&str> = asked.split(',').map(str::trim).filter(|clause| !clause.is_empty()).collect();
    let is_clause =
        |clause: &&str| ["==", ">=", "<=", "~=", "!=", "<", ">"].iter().any(|sign| clause.starts_with(sign));
    if !clauses.iter().all(is_clause) {
        return None;
    }
    let exact = clauses.iter().filter_map(|clause| clause.strip_prefix("===").or(clause.strip_prefix("==")));
    let pin = exact.map(str::trim).find(|version| !version.contains('*'));
    Some(Line { name, pin: pin.filter(|version| !version.is_empty()), why: None })
}

/// What a requirement is that is an address or a folder and no name.
fn of_address(text: &str) -> Option<Why> {
    if ["git+", "hg+", "svn+", "bzr+"].iter().any(|scheme| text.starts_with(scheme)) {
        return Some(Why::Git);
    }
    if text.starts_with("file:") || text.starts_with(['.', '/']) {
        return Some(Why::Own);
    }
    (text.starts_with("http://") || text.starts_with("https://")).then_some(Why::Address)
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
            ("a==1.*", None),
            ("a>=1", None),
            ("a", None),
        ] {
            assert_eq!(requirement(text).map(|line| line.pin), Some(pin), "{text}");
        }
        assert!(requirement("<html>").is_none());
        assert!(requirement("a 1.0").is_none());
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
}
