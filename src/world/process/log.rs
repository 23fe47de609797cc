//! Files that hold a command's output under a cap. A write that fails is remembered, and the output is read on:
//! a command must not hang or die because a disk is full.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::mask::{MaskStream, Masker};
use crate::world::files::{self, FileError};

/// How much of the end is kept of a log that outgrew its cap, in bytes.
const TAIL: usize = 256 << 10;

/// A file that stops growing at its cap.
pub(super) struct Capped {
    file: File,
    path: PathBuf,
    room: u64,
    cut: u64,
    error: Option<FileError>,
}

impl Capped {
    pub(super) fn create(path: &Path, cap: u64) -> Result<Self, FileError> {
        Ok(Self { file: files::create(path)?, path: path.to_owned(), room: cap, cut: 0, error: None })
    }

    /// Writes what there is room for and returns the rest.
    pub(super) fn write<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let fits = usize::try_from(self.room).unwrap_or(usize::MAX).min(bytes.len());
        let (now, rest) = bytes.split_at(fits);
        self.room -= now.len() as u64;
        self.cut += rest.len() as u64;
        self.put(now);
        rest
    }

    /// Whether more came than there was room for.
    pub(super) const fn is_truncated(&self) -> bool {
        self.cut > 0
    }

    /// The first write that failed.
    pub(super) fn into_error(self) -> Option<FileError> {
        self.error
    }

    fn put(&mut self, bytes: &[u8]) {
        if self.error.is_some() || bytes.is_empty() {
            return;
        }
        if let Err(source) = self.file.write_all(bytes) {
            self.error = Some(FileError { action: "write", path: self.path.clone(), source });
        }
    }
}

/// A log for people, without secrets: its head, and the last [`TAIL`] bytes where the cap cut it.
pub(super) struct Log {
    mask: MaskStream,
    /// What the mask let through, emptied with every write.
    masked: Vec<u8>,
    head: Capped,
    tail: VecDeque<u8>,
}

impl Log {
    pub(super) fn create(path: &Path, cap: u64, masker: &Masker) -> Result<Self, FileError> {
        let head = Capped::create(path, cap.saturating_sub(TAIL as u64))?;
        Ok(Self { mask: MaskStream::new(masker.clone()), masked: Vec::new(), head, tail: VecDeque::new() })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) {
        self.mask.push(bytes, &mut self.masked);
        self.keep();
    }

    fn keep(&mut self) {
        let rest = self.head.write(&self.masked);
        let rest = &rest[rest.len().saturating_sub(TAIL)..];
        let over = (self.tail.len() + rest.len()).saturating_sub(TAIL);
        self.tail.drain(..over);
        self.tail.extend(rest);
        self.masked.clear();
    }

    /// Adds the tail. Returns whether something lies between head and tail that is not there, and the first
    /// write that failed.
    pub(super) fn end(mut self) -> (bool, Option<FileError>) {
        let mask = std::mem::replace(&mut self.mask, MaskStream::new(Masker::new([])));
        mask.finish(&mut self.masked);
        self.keep();
        let missing = self.head.cut - self.tail.len() as u64;
        if missing > 0 {
            self.head.put(format!("\n… {missing} bytes are cut here …\n").as_bytes());
        }
        self.head.put(self.tail.make_contiguous());
        (missing > 0, self.head.into_error())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::secret::Secret;

    fn logged(cap: u64, chunks: &[&[u8]]) -> (bool, Vec<u8>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut log = Log::create(&path, cap, &Masker::new(&[Secret::new("hunter2-hunter2".to_owned())])).unwrap();
        for chunk in chunks {
            log.write(chunk);
        }
        let (truncated, error) = log.end();
        assert!(error.is_none());
        (truncated, files::read(&path).unwrap())
    }

    #[test]
    fn a_log_is_whole_up_to_its_cap() {
        let cap = TAIL as u64 + 10;
        let whole: Vec<u8> = (0..cap).map(|at| (at % 251) as u8).collect();
        assert_eq!(logged(cap, &[&whole]), (false, whole.clone()));
        assert_eq!(logged(cap, &[&whole[..7], &whole[7..20], &whole[20..]]), (false, whole));
    }

    #[test]
    fn a_longer_log_keeps_its_head_and_its_end() {
        let middle = vec![b'm'; 2 * TAIL];
        let (truncated, log) = logged(TAIL as u64 + 5, &[b"head:", &middle, b"last words"]);
        assert!(truncated);
        let text = String::from_utf8(log).unwrap();
        let cut = 2 * TAIL + 10 - TAIL;
        assert!(text.starts_with(&format!("head:\n… {cut} bytes are cut here …\nmmm")), "{}", &text[..60]);
        assert!(text.ends_with("mmlast words"));
    }

    #[test]
    fn a_log_has_no_secret_however_it_is_split() {
        let (_, log) = logged(1 << 20, &[b"token hunter2-", b"hunter2 sent\n"]);
        assert_eq!(String::from_utf8(log).unwrap(), "token *** sent\n");
    }
}
