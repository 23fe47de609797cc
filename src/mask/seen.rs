//! What people see of bytes, with the way back: a secret may be split by a colour, or by characters that show nothing.

use std::ops::Range;

use crate::model::text;

/// The bytes that are seen of others.
pub(super) struct Seen {
    pub(super) bytes: Vec<u8>,
    /// From these places on, so many bytes lie before that are not seen; sorted.
    removed: Vec<(usize, usize)>,
}

impl Seen {
    /// `None` where all of it is seen.
    pub(super) fn of(all: &[u8]) -> Option<Self> {
        let mut seen = Self { bytes: Vec::new(), removed: Vec::new() };
        let (mut kept, mut at) = (0, 0);
        while at < all.len() {
            let byte = all[at];
            if text::is_plain(byte) {
                at += 1;
                continue;
            }
            match text::unseen(&all[at..]) {
                0 => at += 1,
                length => {
                    seen.bytes.extend_from_slice(&all[kept..at]);
                    at += length;
                    // A stream may be gigabytes of zeros.
                    while length == 1 && at < all.len() && all[at] == byte {
                        at += 1;
                    }
                    kept = at;
                    seen.removed.push((seen.bytes.len(), at - seen.bytes.len()));
                }
            }
        }
        if seen.removed.is_empty() {
            return None;
        }
        seen.bytes.extend_from_slice(&all[kept..]);
        Some(seen)
    }

    /// Where a range of what is seen lies in all of it.
    pub(super) fn place(&self, range: &Range<usize>) -> Range<usize> {
        self.whole(range.start)..self.whole(range.end - 1) + 1
    }

    fn whole(&self, at: usize) -> usize {
        let before = self.removed.partition_point(|(from, _)| *from <= at);
        at + before.checked_sub(1).map_or(0, |last| self.removed[last].1)
    }
}
