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

/// One version of a file's text.
#[derive(Debug, Clone, Copy)]
pub struct Texts<'a> {
    /// As it was judged.
    pub judged: &'a str,
    /// In the head commit, which gets the suggestion.
    pub head: &'a str,
}

/// The suggestion that a fix amounts to.
///
/// # Errors
/// Why it cannot be one.
pub fn suggest(fix: &Fix, path: &RepoPath, texts: Texts<'_>, change: &ChangeSet) -> Result<Suggestion, Unfit> {
    let old: Vec<&str> = texts.judged.split_inclusive('\n').collect();
    let fixed = apply(&fix.edits, texts.judged, &old).ok_or(Unfit::Misplaced)?;
    let new: Vec<&str> = fixed.split_inclusive('\n').collect();
    let before = old.iter().zip(&new).take_while(|(one, other)| one == other).count();
    let shorter = old.len().min(new.len()) - before;
    let after = old.iter().rev().zip(new.iter().rev()).take(shorter).take_while(|(one, other)| one == other).count();
    let block = Block { old: (before, old.len() - after), new: (before, new.len() - after) };
    if block.old.0 == block.old.1 && block.new.0 == block.new.1 {
        return Err(Unfit::Nothing);
    }
    let hunks = hunks(path, change);
    // What only adds lines takes a neighbour along: a comment stands on a line.
    let grown = if block.old.0 < block.old.1 { vec![block] } else { block.grown(old.len()) };
    let placed = grown.into_iter().find_map(|block| Some((block, place(&block, path, change, &hunks)?)));
    let (block, lines) = placed.ok_or(Unfit::OutsideDiff)?;
    let (old, new) = (&old[block.old.0..block.old.1], &new[block.new.0..block.new.1]);
    if lines_of(texts.head, lines) != Some(old.concat()) {
        return Err(Unfit::OtherHead);
    }
    let text = with_ends(texts.head, old, new).ok_or(Unfit::LineEnds)?;
    if text.chars().count() > LONGEST {
        return Err(Unfit::TooLong);
    }
    if text.replace("\r\n", "\n") != text::clean(&text) {
        return Err(Unfit::Hidden);
    }
    Ok(Suggestion { start: lines.start, end: lines.end, key: key(path, &old.concat(), &text), text })
}

/// What differs, as indices of lines, the end exclusive.
#[derive(Debug, Clone, Copy)]
struct Block {
    old: (usize, usize),
    new: (usize, usize),
}

impl Block {
    /// With the line before it, and with the line after it, where there is one.
    fn grown(self, lines: usize) -> Vec<Self> {
        let Self { old, new } = self;
        let before = (old.0 > 0).then(|| Self { old: (old.0 - 1, old.1), new: (new.0 - 1, new.1) });
        let after = (old.1 < lines).then(|| Self { old: (old.0, old.1 + 1), new: (new.0, new.1 + 1) });
        before.into_iter().chain(after).collect()
    }
}

/// The text after the edits; `None` where they do not fit it.
fn apply(edits: &[Edit], text: &str, lines: &[&str]) -> Option<String> {
    let mut starts = Vec::with_capacity(lines.len() + 1);
    starts.push(0);
    for line in lines {
        starts.push(starts.last()? + line.len());
    }
    let offset = |line: u32, column: u32| -> Option<usize> {
        let (index, column) = (usize::try_from(line).ok()?.checked_sub(1)?, usize::try_from(column).ok()?);
        let Some(found) = lines.get(index) else {
            // Just after the last line.
            return (index == lines.len() && column == 1).then_some(text.len());
        };
        let content = found.strip_suffix('\n').unwrap_or(found);
        let passed = column.checked_sub(1)?;
        // Tools do not count the byte order mark as a column.
        let content_from = if index == 0 && content.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let content = &content[content_from..];
        let inside = content.char_indices().map(|(at, _)| at).chain([content.len()]).nth(passed)?;
        Some(starts[index] + content_from + inside)
    };
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for edit in edits {
        let start = offset(edit.start_line, edit.start_column)?;
        let end = offset(edit.end_line, edit.end_column)?;
        if start < done || end < start {
            return None;
        }
        out.push_str(&text[done..start]);
        out.push_str(&edit.text);
        done = end;
    }
    out.push_str(&text[done..]);
    Some(out)
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
    let (first, last) = (number(block.old.0 + 1)?, number(block.old.1)?);
    hunks.iter().find(|hunk| hunk.start <= first && last <= hunk.end)?;
    let start = change.head_line(path, first)?;
    let together = (first..=last).all(|line| change.head_line(path, line) == Some(start + (line - first)));
    together.then_some(LineRange { start, end: start + (last - first) })
}

fn lines_of(text: &str, lines: LineRange) -> Option<String> {
    let (start, end) = (usize::try_from(lines.start).ok()?, usize::try_from(lines.end).ok()?);
    let all: Vec<&str> = text.split_inclusive('\n').take(end).collect();
    Some(all.get(start.checked_sub(1)?..end)?.concat())
}

/// The new lines as they stand in a suggestion, each with an end; `None` where GitHub, which leaves the end of the
/// last line as it is, would make other ends of them.
fn with_ends(file: &str, old: &[&str], new: &[&str]) -> Option<String> {
    let ends = |line: &str| if line.ends_with("\r\n") { "\r\n" } else { "\n" };
    let ended = |line: &&str| line.ends_with('\n');
    let mut others = file.split_inclusive('\n').filter(ended);
    let end = others.next().map_or("\n", ends);
    let even = others.chain(new.iter().copied().filter(ended)).all(|line| ends(line) == end);
    let old_last = old.last().is_some_and(ended);
    let same_last = new.last().map_or(old_last, |last| ended(last) == old_last);
    if !even || !same_last {
        return None;
    }
    let mut text = new.concat();
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
