//! Reads what `git diff --raw --patch -z --unified=0` prints, for repositories that only the git program can open.

use std::collections::BTreeSet;

use super::gone::Gone;
use super::{Content, Entry, Hunk, Side};

/// Where the output was not what git is known to print.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// An entry of the raw part.
    #[error("entry {0:?} of the raw difference was not understood")]
    Entry(String),
    /// A hunk header.
    #[error("hunk header {0:?} was not understood")]
    Hunk(String),
    /// The raw part and the patch do not tell of the same files.
    #[error("the raw difference has {raw} files to compare, its patch {patch}")]
    Count {
        /// Sections that the raw part promises.
        raw: usize,
        /// Sections found.
        patch: usize,
    },
}

/// Reads both parts. They are matched by their order, so that no quoted path has to be read.
///
/// # Errors
/// When something was not understood: half a difference would hide changes.
pub fn parse(output: &[u8]) -> Result<Vec<Entry>, PatchError> {
    let mut rest = output;
    let mut listed = raw_part(&mut rest)?;
    let mut sections = sections(rest)?.into_iter();
    let found = sections.len();
    let wanted: usize = listed.iter().map(|(_, count)| count).sum();
    if wanted != found {
        return Err(PatchError::Count { raw: wanted, patch: found });
    }
    for (entry, count) in &mut listed {
        // Conflicts have no section, a change of type has two (gone, new): neither has lines to compare.
        let last = sections.by_ref().take(*count).last();
        if *count == 1 {
            let (content, gone) = last.unwrap_or((Content::Unknown, Gone::default()));
            (entry.content, entry.gone) = (content, gone.words());
        }
    }
    Ok(listed.into_iter().map(|(entry, _)| entry).collect())
}

/// The entries with the number of sections each has in the patch, which is what `rest` is left at.
fn raw_part(rest: &mut &[u8]) -> Result<Vec<(Entry, usize)>, PatchError> {
    let mut listed = Vec::new();
    while let Some(&first) = rest.first() {
        if first == 0 {
            *rest = &rest[1..];
            break;
        }
        let header = field(rest);
        let broken = || PatchError::Entry(String::from_utf8_lossy(header).into_owned());
        let text = std::str::from_utf8(header).ok().and_then(|text| text.strip_prefix(':')).ok_or_else(broken)?;
        let words: Vec<&str> = text.split(' ').collect();
        let [old_mode, new_mode, _, _, status] = words[..] else { return Err(broken()) };
        let old_mode = u32::from_str_radix(old_mode, 8).map_err(|_| broken())?;
        let new_mode = u32::from_str_radix(new_mode, 8).map_err(|_| broken())?;
        let old_path = field(rest).to_vec();
        let new_path = if status.starts_with(['R', 'C']) { field(rest).to_vec() } else { old_path.clone() };
        let conflict = status.starts_with('U');
        let entry = Entry {
            old: (conflict || old_mode != 0).then_some(Side { mode: old_mode, path: old_path }),
            new: (conflict || new_mode != 0).then_some(Side { mode: new_mode, path: new_path }),
            content: Content::Unknown,
            gone: BTreeSet::new(),
        };
        let count = match status.as_bytes().first() {
            Some(b'U') => 0,
            Some(b'T') => 2,
            Some(b'A' | b'C' | b'D' | b'M' | b'R') => 1,
            _ => return Err(broken()),
        };
        listed.push((entry, count));
    }
    Ok(listed)
}

fn field<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let all = *rest;
    let end = all.iter().position(|&byte| byte == 0).unwrap_or(all.len());
    *rest = all.get(end + 1..).unwrap_or_default();
    &all[..end]
}

/// The content of each `diff --git` section, in order, and the words that are gone. Without context lines, every line of a body starts with `+`,
/// `-` or `\`: none can be taken for a header.
fn sections(patch: &[u8]) -> Result<Vec<(Content, Gone)>, PatchError> {
    let mut found: Vec<(Content, Gone)> = Vec::new();
    for line in patch.split(|&byte| byte == b'\n') {
        if line.starts_with(b"diff --git ") {
            found.push((Content::Text(Vec::new()), Gone::default()));
        } else if line.starts_with(b"Binary files ") {
            if let Some((content, _)) = found.last_mut() {
                *content = Content::Binary;
            }
        } else if line.starts_with(b"@@ ") {
            let header = String::from_utf8_lossy(line);
            let hunk = hunk(&header).ok_or_else(|| PatchError::Hunk(header.into_owned()))?;
            if let Some((Content::Text(hunks), _)) = found.last_mut() {
                hunks.push(hunk);
            }
        } else if let (Some((Content::Text(hunks), gone)), [sign, line @ ..]) = (found.last_mut(), line)
            && !hunks.is_empty()
        {
            match sign {
                b'-' => gone.take(line),
                b'+' => gone.give(line),
                _ => {}
            }
        }
    }
    Ok(found)
}

/// `@@ -start[,lines] +start[,lines] @@ …`
fn hunk(header: &str) -> Option<Hunk> {
    let mut words = header.strip_prefix("@@ ")?.split(' ');
    let (old_start, old_lines) = side(words.next()?.strip_prefix('-')?)?;
    let (new_start, new_lines) = side(words.next()?.strip_prefix('+')?)?;
    (words.next()? == "@@").then_some(Hunk { old_start, old_lines, new_start, new_lines })
}

fn side(text: &str) -> Option<(u32, u32)> {
    match text.split_once(',') {
        None => Some((text.parse().ok()?, 1)),
        Some((start, lines)) => Some((start.parse().ok()?, lines.parse().ok()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_that_look_like_headers_are_bodies() {
        let output = b":100644 100755 621c925 9b088a7 M\0a\0:120000 100644 2e65efe 45b983b T\0l\0\
            :100644 100644 718882c a548eec R091\0m\0m \"2\0:000000 000000 0000000 0000000 U\0u\0\0\
            diff --git a/a b/a\nold mode 100644\nnew mode 100755\n--- a/a\n+++ b/a\n@@ -2,2 +2,2 @@ diff --git\n\
            -b gone\n-@@ -1 +1 @@\n+-- x\n+diff --git a/x b/x\n\
            diff --git a/l b/l\ndeleted file mode 120000\n@@ -1 +0,0 @@\n-a\n\\ No newline at end of file\n\
            diff --git a/l b/l\nnew file mode 100644\n@@ -0,0 +1 @@\n+hi\n\
            diff --git a/m \"b/m \\\"2\"\nBinary files a/m and b/m differ\n* Unmerged path u\n";
        let entries = parse(output).unwrap();
        let hunk = Hunk { old_start: 2, old_lines: 2, new_start: 2, new_lines: 2 };
        let contents: Vec<&Content> = entries.iter().map(|entry| &entry.content).collect();
        assert_eq!(contents, [&Content::Text(vec![hunk]), &Content::Unknown, &Content::Binary, &Content::Unknown]);
        assert_eq!(entries[0].gone.iter().map(String::as_str).collect::<Vec<_>>(), ["gone"]);
        assert_eq!(entries[2].old.as_ref().unwrap().path, b"m");
        assert_eq!(entries[2].new.as_ref().unwrap().path, b"m \"2");
        assert_eq!(entries[0].new.as_ref().unwrap().mode, 0o100_755);
    }

    #[test]
    fn half_a_difference_is_an_error() {
        let raw = b":100644 100644 621c925 9b088a7 M\0a\0\0";
        assert_eq!(parse(raw), Err(PatchError::Count { raw: 1, patch: 0 }));
        let patch = [raw.as_slice(), b"diff --git a/a b/a\n@@ -x +1 @@\n"].concat();
        assert!(matches!(parse(&patch), Err(PatchError::Hunk(_))));
        assert!(matches!(parse(b":1006"), Err(PatchError::Entry(_))));
    }
}
