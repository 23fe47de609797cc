//! Makes a fix into a suggestion: the whole lines that it changes and what they become, where GitHub would place that.
//! It applies edits to texts that it is given, and reads nothing.

use crate::model::change::{ChangeSet, LineRange};
use crate::model::finding::{Edit, Fix};
use crate::model::path::RepoPath;
use crate::model::suggestion::{Suggestion, Unfit};
use crate::model::text;

/// How many unchanged lines around a change GitHub's diff shows.
const CONTEXT: u32 = 3;

/// The most characters of the new lines. A comment holds 65,536, with a few words of ours.
const LONGEST: usize = 50_000;

/// A file's text, which all fixes of it share.
#[derive(Debug)]
pub struct Texts {
    judged: Version,
    head: Version,
}

impl Texts {
    /// As it was judged, and as it is in the head commit, which gets the suggestion.
    #[must_use]
    pub fn new(judged: String, head: String) -> Self {
        Self { judged: Version::of(judged), head: Version::of(head) }
    }
}

/// One version of it, with its lines.
#[derive(Debug)]
struct Version {
    text: String,
    /// Where each line starts, and where the last one ends.
    starts: Vec<usize>,
    /// How its lines end; `None` where not all of them end alike.
    ends: Option<&'static str>,
}

impl Version {
    fn of(text: String) -> Self {
        let mut starts = vec![0];
        let (mut all, mut at) = (None, 0);
        let mut even = true;
        for line in text.split_inclusive('\n') {
            at += line.len();
            starts.push(at);
            if let Some(end) = end_of(line) {
                even &= *all.get_or_insert(end) == end;
            }
        }
        Self { text, starts, ends: even.then(|| all.unwrap_or("\n")) }
    }

    fn count(&self) -> usize {
        self.starts.len() - 1
    }

    /// The lines from one index up to another, that one excluded.
    fn lines(&self, from: usize, to: usize) -> Option<&str> {
        self.text.get(*self.starts.get(from)?..*self.starts.get(to)?)
    }

    /// Where a tool's line and column are.
    fn offset(&self, line: u32, column: u32) -> Option<usize> {
        let (index, column) = (usize::try_from(line).ok()?.checked_sub(1)?, usize::try_from(column).ok()?);
        let Some(found) = self.lines(index, index + 1) else {
            // Just after the last line.
            return (index == self.count() && column == 1).then_some(self.text.len());
        };
        let content = found.strip_suffix('\n').unwrap_or(found);
        let passed = column.checked_sub(1)?;
        // Tools do not count the byte order mark as a column.
        let content_from = if index == 0 && content.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let content = &content[content_from..];
        let inside = content.char_indices().map(|(at, _)| at).chain([content.len()]).nth(passed)?;
        Some(self.starts[index] + content_from + inside)
    }
}

/// How a line ends, where it has an end.
fn end_of(line: &str) -> Option<&'static str> {
    line.ends_with('\n').then(|| if line.ends_with("\r\n") { "\r\n" } else { "\n" })
}

/// The suggestion that a fix amounts to.
///
/// # Errors
/// Why it cannot be one.
pub fn suggest(fix: &Fix, path: &RepoPath, texts: &Texts, change: &ChangeSet) -> Result<Suggestion, Unfit> {
    let judged = &texts.judged;
    let block = Block::of(&fix.edits, judged).ok_or(Unfit::Misplaced)?;
    if block.from == block.to && block.new.is_empty() {
        return Err(Unfit::Nothing);
    }
    let hunks = hunks(path, change);
    // What only adds lines takes a neighbour along: a comment stands on a line.
    let grown = if block.from < block.to { vec![block] } else { block.grown(judged) };
    let placed = grown.into_iter().find_map(|block| place(&block, path, change, &hunks).map(|lines| (block, lines)));
    let (block, lines) = placed.ok_or(Unfit::OutsideDiff)?;
    let old = judged.lines(block.from, block.to).unwrap_or_default();
    let head = usize::try_from(lines.start).ok().zip(usize::try_from(lines.end).ok());
    if head.and_then(|(start, end)| texts.head.lines(start.checked_sub(1)?, end)) != Some(old) {
        return Err(Unfit::OtherHead);
    }
    let text = with_ends(&texts.head, old, &block.new).ok_or(Unfit::LineEnds)?;
    if text.chars().count() > LONGEST {
        return Err(Unfit::TooLong);
    }
    if text.replace("\r\n", "\n") != text::clean(&text) {
        return Err(Unfit::Hidden);
    }
    Ok(Suggestion { start: lines.start, end: lines.end, key: key(path, old, &text), text })
}

/// What differs: lines of the judged file by their indices, the end exclusive, and what they become.
#[derive(Debug)]
struct Block {
    from: usize,
    to: usize,
    new: String,
}

impl Block {
    /// Of the edits; `None` where they do not fit the text. Only the lines that they touch are looked at.
    fn of(edits: &[Edit], text: &Version) -> Option<Self> {
        let index = |line: u32| usize::try_from(line).ok()?.checked_sub(1);
        let last = text.count().saturating_sub(1);
        let mut from = edits.iter().try_fold(last, |from, edit| Some(from.min(index(edit.start_line)?)))?;
        let mut to = edits.iter().try_fold(from, |to, edit| Some(to.max(index(edit.end_line)?.min(last) + 1)))?;
        to = to.min(text.count());
        let (mut done, end) = (text.starts[from], text.starts[to]);
        let mut fixed = String::new();
        for edit in edits {
            let start = text.offset(edit.start_line, edit.start_column)?;
            let stop = text.offset(edit.end_line, edit.end_column)?;
            if start < done || stop < start {
                return None;
            }
            fixed.push_str(&text.text[done..start]);
            fixed.push_str(&edit.text);
            done = stop;
        }
        fixed.push_str(&text.text[done..end]);
        let old: Vec<&str> = text.text[text.starts[from]..end].split_inclusive('\n').collect();
        let new: Vec<&str> = fixed.split_inclusive('\n').collect();
        let same = |(one, other): &(&&str, &&str)| one == other;
        let before = old.iter().zip(&new).take_while(same).count();
        let shorter = old.len().min(new.len()) - before;
        let after = old.iter().rev().zip(new.iter().rev()).take(shorter).take_while(same).count();
        (from, to) = (from + before, to - after);
        Some(Self { from, to, new: new[before..new.len() - after].concat() })
    }

    /// With the line before it, and with the line after it, where there is one.
    fn grown(&self, text: &Version) -> Vec<Self> {
        let Self { from, to, new } = self;
        let before = from
            .checked_sub(1)
            .and_then(|above| Some(Self { from: above, to: *to, new: format!("{}{new}", text.lines(above, *from)?) }));
        let after = text.lines(*to, to + 1).map(|below| Self { from: *from, to: to + 1, new: format!("{new}{below}") });
        before.into_iter().chain(after).collect()
    }
}

/// The lines that GitHub's diff shows of the judged file, one range for each hunk.
fn hunks(path: &RepoPath, change: &ChangeSet) -> Vec<LineRange> {
    let mut hunks: Vec<LineRange> = Vec::new();
    let Some(file) = change.files.get(path).filter(|file| !file.binary) else { return hunks };
    for added in file.added.iter().filter(|added| **added != LineRange::WHOLE) {
        let (start, end) = (added.start.saturating_sub(CONTEXT).max(1), added.end.saturating_add(CONTEXT));
        match hunks.last_mut() {
            Some(last) if start <= last.end.saturating_add(1) => last.end = end,
            _ => hunks.push(LineRange { start, end }),
        }
    }
    hunks
}

/// The lines of the head commit that show the old lines; `None` where it has not all of them, or the diff has not.
fn place(block: &Block, path: &RepoPath, change: &ChangeSet, hunks: &[LineRange]) -> Option<LineRange> {
    let number = |index: usize| u32::try_from(index).ok();
    let (first, last) = (number(block.from + 1)?, number(block.to)?);
    hunks.iter().find(|hunk| hunk.start <= first && last <= hunk.end)?;
    let start = change.head_line(path, first)?;
    let together = (first..=last).all(|line| change.head_line(path, line) == Some(start + (line - first)));
    together.then_some(LineRange { start, end: start + (last - first) })
}

/// The new lines as they stand in a suggestion, each with an end; `None` where GitHub, which leaves the end of the
/// last line as it is, would make other ends of them.
fn with_ends(file: &Version, old: &str, new: &str) -> Option<String> {
    let end = file.ends?;
    let even = new.split_inclusive('\n').filter_map(end_of).all(|one| one == end);
    let same_last = new.is_empty() || new.ends_with('\n') == old.ends_with('\n');
    if !even || !same_last {
        return None;
    }
    let mut text = new.to_owned();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push_str(end);
    }
    Some(text)
}

fn key(path: &RepoPath, old: &str, new: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in [path.as_str(), old, new] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}
