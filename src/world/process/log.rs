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

/// How much at each side of a cut may be a part of a secret, in bytes: a line, and no more than this of an endless one.
const PART: usize = 4 << 10;

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

    /// What was written, by whatever name it goes now, and the first write that failed.
    pub(super) fn end(self) -> (File, Option<FileError>) {
        (self.file, self.error)
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

/// A log for people, without secrets: its head, and the last [`TAIL`] bytes where the cap cut it. Only what is
/// written is searched for secrets: a command may print gigabytes.
pub(super) struct Log {
    head: Capped,
    mask: MaskStream,
    masker: Masker,
    /// How many more bytes belong to the head, as they were printed.
    room: u64,
    /// The end of what came after the head, as it was printed.
    tail: VecDeque<u8>,
    /// How much came after the head.
    after: u64,
}

impl Log {
    pub(super) fn create(path: &Path, cap: u64, masker: &Masker) -> Result<Self, FileError> {
        Ok(Self {
            // A mask may be longer than what it stands for, but never twice as long.
            head: Capped::create(path, cap.saturating_mul(2))?,
            mask: MaskStream::new(masker.clone()),
            masker: masker.clone(),
            room: cap.saturating_sub(TAIL as u64),
            tail: VecDeque::new(),
            after: 0,
        })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) {
        let fits = usize::try_from(self.room).unwrap_or(usize::MAX).min(bytes.len());
        let (now, rest) = bytes.split_at(fits);
        self.room -= now.len() as u64;
        self.after += rest.len() as u64;
        let mut masked = Vec::new();
        self.mask.push(now, &mut masked);
        self.head.write(&masked);
        let rest = &rest[rest.len().saturating_sub(TAIL)..];
        let over = (self.tail.len() + rest.len()).saturating_sub(TAIL);
        self.tail.drain(..over);
        self.tail.extend(rest);
    }

    /// Adds the tail. Returns whether something lies between head and tail that is not there, the log, and the first
    /// write that failed.
    pub(super) fn end(mut self) -> (bool, File, Option<FileError>) {
        let missing = self.after - self.tail.len() as u64;
        let mut masked = Vec::new();
        if missing == 0 {
            self.mask.push(self.tail.make_contiguous(), &mut masked);
            self.mask.finish(&mut masked);
        } else {
            // What is left of a line that was cut may be a part of a secret, which nothing would know.
            self.mask.finish(&mut masked);
            let from = masked.len().saturating_sub(PART);
            let end = masked[from..].iter().rposition(|&byte| byte == b'\n').map_or(from, |at| from + at + 1);
            masked.truncate(end);
            masked.extend_from_slice(format!("… more than {missing} bytes are cut here …\n").as_bytes());
            let tail = self.tail.make_contiguous();
            let whole = tail.iter().take(PART).position(|&byte| byte == b'\n').map_or(PART, |at| at + 1);
            let mut stream = MaskStream::new(self.masker);
            stream.push(&tail[whole..], &mut masked);
            stream.finish(&mut masked);
        }
        self.head.write(&masked);
        let (file, error) = self.head.end();
        (missing > 0, file, error)
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
        let (truncated, _, error) = log.end();
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
        let middle = b"middle\n".repeat(TAIL / 3);
        let (truncated, log) = logged(TAIL as u64 + 20, &[b"head\nhunter2-", b"hunter2!!!", &middle, b"last words"]);
        assert!(truncated);
        let text = String::from_utf8(log).unwrap();
        let missing = middle.len() + 13 - TAIL;
        assert!(
            text.starts_with(&format!("head\n… more than {missing} bytes are cut here …\nmiddle\n")),
            "{}",
            &text[..90]
        );
        assert!(text.ends_with("middle\nlast words"));
        assert!(!text.contains("hunter"), "a secret that the cut splits is not shown in part");
    }

    #[test]
    fn a_log_has_no_secret_however_it_is_split() {
        let (_, log) = logged(1 << 20, &[b"token hunter2-", b"hunter2 sent\n"]);
        assert_eq!(String::from_utf8(log).unwrap(), "token *** sent\n");
    }
}
