//! A pattern of paths, part by part: which folders may hold what it matches. It looks at no file.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

/// More patterns than these do not come of one with braces.
const MOST: usize = 256;

/// What of a pattern is still to match in a folder: of each way to read its braces, the parts that may come next.
pub(super) type Places = BTreeSet<(usize, usize)>;

/// A pattern of paths with `/` between their parts.
pub(super) struct Pattern {
    whole: GlobMatcher,
    text: String,
    ways: Vec<Vec<Part>>,
}

enum Part {
    /// `**`: any folders, or none.
    Any,
    /// A name.
    Name(GlobMatcher),
}

impl Pattern {
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let whole = glob(text).map_err(|error| format!("{text:?} is no path pattern: {error}"))?;
        // A part by itself may be no pattern, as half of `[a/b]`: then any folders may stand there.
        let part = |part: &str| match glob(part) {
            Ok(name) if part != "**" => Part::Name(name),
            Ok(_) | Err(_) => Part::Any,
        };
        let parts = |text: &String| text.split('/').filter(|part| !matches!(*part, "" | ".")).map(part).collect();
        let ways = each(text).map_or_else(|| vec![vec![Part::Any]], |texts| texts.iter().map(parts).collect());
        Ok(Self { whole, text: text.to_owned(), ways })
    }

    /// The folder that everything it matches lies in, or the file that it names, and what may match in it.
    pub(super) fn start(&self) -> (PathBuf, Places) {
        let mut places = self.settled((0..self.ways.len()).map(|way| (way, 0)));
        let mut fixed = PathBuf::new();
        let is_plain =
            |part: &std::path::Component<'_>| !part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{', '\\']);
        for part in Path::new(&self.text).components().take_while(is_plain) {
            places = self.inside(&places, part.as_os_str());
            fixed.push(part);
        }
        (fixed, places)
    }

    pub(super) fn is_match(&self, path: &Path) -> bool {
        self.whole.is_match(path)
    }

    /// What may match in a folder of this name that stands where `at` may match; nothing: no look into it is needed.
    pub(super) fn inside(&self, at: &Places, name: &OsStr) -> Places {
        let behind = at.iter().filter_map(|&(way, number)| match &self.ways[way][number] {
            Part::Any => Some((way, number)),
            Part::Name(name_is) => name_is.is_match(Path::new(name)).then_some((way, number + 1)),
        });
        self.settled(behind)
    }

    /// With what follows where `**` stands for no folder; without what is at its end, as a folder is no match.
    fn settled(&self, places: impl Iterator<Item = (usize, usize)>) -> Places {
        let mut settled = Places::new();
        for (way, first) in places {
            let parts = &self.ways[way];
            let mut number = first;
            while number < parts.len() && settled.insert((way, number)) && matches!(parts[number], Part::Any) {
                number += 1;
            }
        }
        settled
    }
}

fn glob(text: &str) -> Result<GlobMatcher, globset::Error> {
    Ok(GlobBuilder::new(text).literal_separator(true).build()?.compile_matcher())
}

/// All ways to read a pattern's braces; `None` where they are too many.
pub(super) fn each(text: &str) -> Option<Vec<String>> {
    let mut all = Vec::new();
    unfold(text, &mut all);
    (all.len() <= MOST).then_some(all)
}

/// `a/{b,c/d}/e` as `a/b/e` and `a/c/d/e`. What it cannot take apart stays as it is.
fn unfold(text: &str, all: &mut Vec<String>) {
    let Some((before, inner, after)) = braces(text).filter(|_| all.len() <= MOST) else {
        return all.push(text.to_owned());
    };
    for choice in inner {
        unfold(&format!("{before}{choice}{after}"), all);
    }
}

/// What stands before the first braces, between their commas, and behind them.
fn braces(text: &str) -> Option<(&str, Vec<&str>, &str)> {
    let (mut depth, mut begin, mut choices) = (0_usize, 0, Vec::new());
    let (mut before, mut in_class) = ("", false);
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            ']' => in_class = false,
            _ if in_class => {}
            '[' => {
                in_class = true;
                // Behind `[`, `[!` and `[^` a `]` is one of the class.
                let rest = text[at + 1..].trim_start_matches(['!', '^']);
                if rest.starts_with(']') {
                    chars.by_ref().find(|(_, c)| *c == ']');
                }
            }
            '{' => {
                if depth == 0 {
                    (before, begin) = (&text[..at], at + 1);
                }
                depth += 1;
            }
            ',' if depth == 1 => {
                choices.push(&text[begin..at]);
                begin = at + 1;
            }
            '}' if depth == 1 => {
                choices.push(&text[begin..at]);
                return Some((before, choices, &text[at + 1..]));
            }
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unfolded(text: &str) -> Vec<String> {
        let mut all = Vec::new();
        unfold(text, &mut all);
        all
    }

    #[test]
    fn braces_are_taken_apart() {
        assert_eq!(unfolded("a/{b,c/d}/e{,1}"), ["a/b/e", "a/b/e1", "a/c/d/e", "a/c/d/e1"]);
        assert_eq!(unfolded("{a,{b,c}/d}"), ["a", "b/d", "c/d"]);
        for same in ["plain", "[{a,b}]/c", "[]{a,b]", r"\{a,b\}"] {
            assert_eq!(unfolded(same), [same]);
        }
    }

    /// Every folder on the way to a match may hold it, whatever the pattern.
    #[test]
    fn no_match_is_passed_by() {
        let names = ["a", "b", "c.xml", "[", "d e"];
        let mut paths: Vec<String> = names.map(str::to_owned).to_vec();
        for _ in 0..3 {
            let longer: Vec<String> =
                paths.iter().flat_map(|path| names.iter().map(move |name| format!("{path}/{name}"))).collect();
            paths.extend(longer);
            paths.sort();
            paths.dedup();
        }
        for text in [
            "*/c.xml",
            "**/c.xml",
            "a/**/c.xml",
            "a/**",
            "**",
            "*/*",
            "{a,b/a}/c.xml",
            "a/{b,**}/[ac]*",
            "**/b/**/*.xml",
            "[!b]/c.xml",
            "a/b/c.xml",
            "[[]/a",
            "a/d e/*",
            "?/?",
            "./a/*",
            "{a/b,b/a}{/a,}/*",
            r"\[/*",
            "a//b",
        ] {
            let pattern = Pattern::read(text).unwrap();
            let all = pattern.settled((0..pattern.ways.len()).map(|way| (way, 0)));
            for path in paths.iter().filter(|path| pattern.is_match(Path::new(path))) {
                let mut folders: Vec<&str> = path.split('/').collect();
                folders.pop();
                let mut at = all.clone();
                for folder in &folders {
                    at = pattern.inside(&at, OsStr::new(folder));
                }
                assert!(!at.is_empty(), "{text} matches {path}");
                let (start, _) = pattern.start();
                assert!(Path::new(path).starts_with(&start), "{text} begins in {start:?}, not on the way to {path}");
            }
        }
        let (start, at) = Pattern::read("out/*/latest/j.xml").unwrap().start();
        assert_eq!((start, at.len()), (PathBuf::from("out"), 1));
    }
}
