//! The order of `Gem::Version` (<https://docs.ruby-lang.org/en/3.3/Gem/Version.html>): numbers and words, where a word
//! comes before any number, and zeros at the end of either part do not count.

use std::cmp::Ordering;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Word(String),
    Number(u64),
}

/// A gem's version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(Vec<Segment>);

impl Version {
    /// Reads `1.2.rc1`, `1.2-java`; `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.replace('-', ".pre.");
        let mut segments = Vec::new();
        for part in text.split('.') {
            if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return None;
            }
            let runs = part.as_bytes().chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit());
            for run in runs {
                let run = std::str::from_utf8(run).ok()?;
                segments.push(match run.parse() {
                    Ok(number) => Segment::Number(number),
                    Err(_) if run.as_bytes()[0].is_ascii_digit() => return None,
                    Err(_) => Segment::Word(run.to_owned()),
                });
            }
        }
        if !matches!(segments.first(), Some(Segment::Number(_))) {
            return None;
        }
        let words = segments.iter().position(|segment| matches!(segment, Segment::Word(_))).unwrap_or(segments.len());
        let mut tail = segments.split_off(words);
        for part in [&mut segments, &mut tail] {
            while part.last() == Some(&Segment::Number(0)) {
                part.pop();
            }
        }
        segments.append(&mut tail);
        Some(Self(segments))
    }

    pub(super) fn major(&self) -> u64 {
        match self.0.first() {
            Some(Segment::Number(number)) => *number,
            _ => 0,
        }
    }

    pub(super) fn is_pre_release(&self) -> bool {
        self.0.iter().any(|segment| matches!(segment, Segment::Word(_)))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let zero = Segment::Number(0);
        for at in 0..self.0.len().max(other.0.len()) {
            let order = match (self.0.get(at).unwrap_or(&zero), other.0.get(at).unwrap_or(&zero)) {
                (Segment::Word(one), Segment::Word(two)) => one.cmp(two),
                (Segment::Number(one), Segment::Number(two)) => one.cmp(two),
                (Segment::Word(_), Segment::Number(_)) => Ordering::Less,
                (Segment::Number(_), Segment::Word(_)) => Ordering::Greater,
            };
            if order.is_ne() {
                return order;
            }
        }
        Ordering::Equal
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
