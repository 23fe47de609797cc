//! Masks a stream of chunks: a secret that is split over chunks is still found.

use crate::mask::{Masker, replace};

/// How many bytes are gathered before they are searched: what is held back is searched again each time.
const BATCH: usize = 256 << 10;

/// Masks bytes as they come. What is written lags behind what was pushed until [`finish`](Self::finish).
#[derive(Debug)]
pub struct MaskStream {
    masker: Masker,
    held: Vec<u8>,
}

impl MaskStream {
    /// An empty stream.
    #[must_use]
    pub const fn new(masker: Masker) -> Self {
        Self { masker, held: Vec::new() }
    }

    /// Takes a chunk, and adds to `out` what is safe to show by now.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        self.held.extend_from_slice(chunk);
        if self.held.len() >= BATCH + self.masker.longest {
            self.drain(self.masker.longest, out);
        }
    }

    /// Ends the stream: adds to `out` what was held back.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        self.drain(0, out);
    }

    /// Writes all but the last `hold` bytes: a secret that begins before them is whole in what is held.
    fn drain(&mut self, hold: usize, out: &mut Vec<u8>) {
        let safe = self.held.len().saturating_sub(hold);
        let found = self.masker.find(&self.held).into_iter().take_while(|range| range.start < safe);
        let masked = replace(&self.held, found, out);
        let end = masked.max(safe);
        out.extend_from_slice(&self.held[masked..end]);
        self.held.drain(..end);
    }
}
