//! Private keys: their marks, and where one begins and ends.

use std::ops::Range;
use std::sync::LazyLock;

use regex::bytes::Regex;

use super::BEGINNINGS;

/// A private key without an end is masked for this many bytes after its beginning.
pub(super) const LONGEST: usize = 32 << 10;

/// No mark of a private key is longer, in bytes.
const LONGEST_MARK: usize = 128;

/// The beginning of a private key in PEM.
static BEGIN: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?-u)-----BEGIN (?:[A-Z0-9]{1,16} ){0,4}PRIVATE KEY(?: BLOCK)?-----").ok());

/// The end of one.
static END: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?-u)-----END (?:[A-Z0-9]{1,16} ){0,4}PRIVATE KEY(?: BLOCK)?-----").ok());

/// The next private key block that begins at or after `from`.
pub(super) fn find(bytes: &[u8], from: usize) -> Option<Range<usize>> {
    let begin = BEGIN.as_ref()?.find_at(bytes, from)?;
    let last = bytes.len().min(begin.end() + LONGEST);
    let end = END.as_ref()?.find(&bytes[begin.end()..last]).map_or(last, |end| begin.end() + end.end());
    Some(begin.start()..end)
}

/// Follows what is printed for private keys: one line of a key alone looks like nothing.
#[derive(Debug, Default)]
pub struct KeyWatch {
    /// How many more bytes are of the key that has begun; 0 outside of one.
    left: usize,
    /// The end of what came before: a mark may be split.
    before: Vec<u8>,
}

impl KeyWatch {
    /// Takes the next bytes, of which none may be left out. So many of them, from their beginning, are not to be shown:
    /// up to where the last private key among them ends.
    pub fn feed(&mut self, chunk: &[u8]) -> usize {
        // Every mark ends with it.
        if self.left == 0 && !chunk.contains(&b'-') {
            self.keep(chunk);
            return 0;
        }
        let mut all = std::mem::take(&mut self.before);
        let before = all.len();
        all.extend_from_slice(chunk);
        let mut at = 0;
        while let Some(end) = self.next_mark(&all[at..]) {
            at += end;
            self.left = if self.left > 0 { 0 } else { LONGEST };
        }
        let hidden = if self.left > 0 { chunk.len() } else { at.saturating_sub(before) };
        self.left = self.left.saturating_sub(chunk.len().min(all.len() - at));
        self.before = all.split_off(at.max(all.len().saturating_sub(LONGEST_MARK)));
        hidden
    }

    /// Keeps the end of what has no mark.
    fn keep(&mut self, chunk: &[u8]) {
        let end = &chunk[chunk.len().saturating_sub(LONGEST_MARK)..];
        self.before.drain(..(self.before.len() + end.len()).saturating_sub(LONGEST_MARK).min(self.before.len()));
        self.before.extend_from_slice(end);
    }

    /// Where the mark ends that changes something.
    fn next_mark(&self, bytes: &[u8]) -> Option<usize> {
        if self.left == 0 && BEGINNINGS.as_ref().is_some_and(|beginnings| beginnings.find(bytes).is_none()) {
            return None;
        }
        let mark = if self.left > 0 { END.as_ref() } else { BEGIN.as_ref() };
        mark?.find(bytes).map(|mark| mark.end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_followed_through_its_keys() {
        let text = "one\n-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\ntwo\n";
        let (begin, end) = (text.find("RSA").unwrap() + 20, text.find("\ntwo").unwrap());
        for size in 1..=text.len() {
            let mut watch = KeyWatch::default();
            let mut at = 0;
            for chunk in text.as_bytes().chunks(size) {
                let shown = at + watch.feed(chunk)..at + chunk.len();
                assert!(shown.is_empty() || shown.end < begin || shown.start >= end, "{size}: {shown:?}");
                at += chunk.len();
            }
            assert_eq!(watch.left, 0);
        }
        let mut whole = KeyWatch::default();
        assert_eq!(whole.feed(text.as_bytes()), end);
        assert_eq!(whole.feed(b"- more -\n"), 0);
    }

    #[test]
    fn a_key_without_an_end_ends_after_its_longest() {
        for size in [1, 100, 1_000, LONGEST] {
            let mut endless = KeyWatch::default();
            assert_eq!(endless.feed(b"-----BEGIN PRIVATE KEY-----"), 27);
            let mut hidden = 0;
            while endless.left > 0 {
                assert_eq!(endless.feed(&vec![b'x'; size]), size);
                hidden += size;
            }
            assert_eq!(hidden, LONGEST.next_multiple_of(size), "{size}");
            assert_eq!(endless.feed(b"out of it - it is"), 0);
        }
    }

    #[test]
    fn no_more_is_kept_than_a_mark_is_long() {
        for piece in ["nothing of a key, ", "nothing of a key - "] {
            let mut watch = KeyWatch::default();
            for _ in 0..20 {
                assert_eq!(watch.feed(piece.as_bytes()), 0);
                assert!(watch.before.len() <= LONGEST_MARK);
            }
            assert_eq!(watch.before.len(), LONGEST_MARK);
        }
    }
}
