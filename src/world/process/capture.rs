//! Reads a command's pipes to their end, whatever happens to what is written from them.

use std::fs::File;
use std::future;

use tokio::io::AsyncReadExt as _;
use tokio::process::ChildStdout;
use tokio::time::Instant;

use crate::world::files::FileError;
use crate::world::process::last_line::LastLine;
use crate::world::process::log::{Capped, Log};
use crate::world::process::{Spawn, Written};

/// One read, in bytes: what a pipe holds on Linux.
const CHUNK: usize = 64 << 10;
/// The first read, in bytes: most gates print little, and there may be many.
const FIRST: usize = 1 << 10;
/// How much of a line that has not ended waits for its end, in bytes.
const HELD: usize = 64 << 10;

/// One pipe of a command. Both are given as a [`ChildStdout`], which tokio lets one make from any pipe.
pub(super) struct Pipe {
    reader: Option<ChildStdout>,
    buffer: Vec<u8>,
    /// The beginning of a line for the log.
    held: Vec<u8>,
}

impl Pipe {
    pub(super) fn new(reader: Option<ChildStdout>) -> Self {
        let first = if reader.is_some() { FIRST } else { 0 };
        Self { reader, buffer: Vec::with_capacity(first), held: Vec::new() }
    }

    /// The next bytes, never empty; waits for ever once the pipe has ended.
    async fn next(&mut self) -> Option<&[u8]> {
        let Some(reader) = &mut self.reader else { return future::pending().await };
        let was_filled = self.buffer.len() == self.buffer.capacity();
        self.buffer.clear();
        if was_filled {
            self.buffer.reserve(CHUNK);
        }
        match reader.read_buf(&mut self.buffer).await {
            Ok(0) | Err(_) => {
                self.reader = None;
                None
            }
            Ok(_) => Some(&self.buffer),
        }
    }

    /// Writes the whole lines that were read. What has no end yet waits: a program's buffer may end in the middle of a line,
    /// and what comes by the other pipe would tear it.
    fn log(&mut self, log: &mut Log) {
        let end = self.buffer.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let (whole, begun) = self.buffer.split_at(end);
        if !whole.is_empty() {
            log.write(&std::mem::take(&mut self.held));
            log.write(whole);
        }
        self.held.extend_from_slice(begun);
        if self.held.len() > HELD {
            self.log_rest(log);
        }
    }

    fn log_rest(&mut self, log: &mut Log) {
        log.write(&std::mem::take(&mut self.held));
    }
}

/// The files where output goes.
pub(super) struct Files {
    log: Log,
    keep: Option<Capped>,
}

impl Files {
    pub(super) fn create(spawn: &Spawn) -> Result<Self, FileError> {
        let keep = spawn.keep.as_deref().map(|path| Capped::create(path, spawn.caps.keep)).transpose()?;
        Ok(Self { log: Log::create(&spawn.log, spawn.caps.log, &spawn.masker)?, keep })
    }
}

/// What is known of the output at its end.
pub(super) struct Captured {
    pub(super) printed: u64,
    pub(super) log_truncated: bool,
    pub(super) keep_truncated: bool,
    pub(super) written: Written,
    pub(super) error: Option<FileError>,
}

/// A command's output while it runs.
pub(super) struct Capture<'a> {
    out: Pipe,
    err: Pipe,
    files: Files,
    lines: LastLine,
    for_machines: bool,
    on_line: &'a mut dyn FnMut(&str),
    printed: u64,
}

impl<'a> Capture<'a> {
    pub(super) fn new(out: Pipe, err: Pipe, files: Files, spawn: &Spawn, on_line: &'a mut dyn FnMut(&str)) -> Self {
        let lines = LastLine::new(spawn.masker.clone());
        Self { out, err, files, lines, for_machines: spawn.for_machines, on_line, printed: 0 }
    }

    /// Whether every pipe has ended.
    pub(super) const fn is_at_end(&self) -> bool {
        self.out.reader.is_none() && self.err.reader.is_none()
    }

    /// Reads until every pipe has ended. May be dropped at any time and called again: nothing read is lost.
    pub(super) async fn read_to_end(&mut self) {
        while !self.is_at_end() {
            let due = self.lines.due();
            tokio::select! {
                chunk = self.out.next() => {
                    if let Some(chunk) = chunk {
                        self.printed += chunk.len() as u64;
                        if let Some(keep) = &mut self.files.keep {
                            keep.write(chunk);
                        }
                        if !self.for_machines {
                            self.lines.feed(chunk);
                        }
                        self.out.log(&mut self.files.log);
                    }
                }
                chunk = self.err.next() => {
                    if let Some(chunk) = chunk {
                        self.lines.feed(chunk);
                        self.err.log(&mut self.files.log);
                    }
                }
                () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    self.lines.show(self.on_line);
                }
            }
        }
    }

    /// Reads while `other` is awaited.
    pub(super) async fn until<T>(&mut self, other: impl Future<Output = T>) -> T {
        tokio::pin!(other);
        tokio::select! {
            biased;
            value = &mut other => return value,
            () = self.read_to_end() => {}
        }
        other.await
    }

    /// Closes the files.
    pub(super) fn end(mut self) -> Captured {
        self.lines.show(self.on_line);
        self.out.log_rest(&mut self.files.log);
        self.err.log_rest(&mut self.files.log);
        let (log_truncated, log, log_error) = self.files.log.end();
        let keep_truncated = self.files.keep.as_ref().is_some_and(Capped::is_truncated);
        let (keep, error): (Option<File>, _) = self.files.keep.map(Capped::end).unzip();
        let (written, error) = (Written { log, keep }, error.flatten().or(log_error));
        Captured { printed: self.printed, log_truncated, keep_truncated, written, error }
    }
}
