//! Cuts a stream of chunks into lines for the formats that are read line by line.

use crate::model::evidence::Parsed;
use crate::parse::ParseError;

/// A line longer than this many bytes is cut there; the rest of it is dropped and noted.
const LONGEST: usize = 1 << 20;

/// Reads one line after another.
pub trait LineParser: Send {
    /// Takes one line, without its line end. Invalid UTF-8 is replaced; ANSI colours are still there.
    fn line(&mut self, text: &str);

    /// Says what was understood. `complete` is false when the last line had no line end, which for most
    /// tools means that the output was cut.
    ///
    /// # Errors
    /// When the lines were not of this format, or stop where more was promised.
    fn end(self: Box<Self>, complete: bool) -> Result<Parsed, ParseError>;
}

/// Feeds a [`LineParser`] from chunks of any size.
pub struct Lines {
    parser: Box<dyn LineParser>,
    partial: Vec<u8>,
    cut: usize,
}

impl Lines {
    /// Starts with no input.
    #[must_use]
    pub fn new(parser: Box<dyn LineParser>) -> Self {
        Self { parser, partial: Vec::new(), cut: 0 }
    }

    /// Takes the next bytes.
    pub fn feed(&mut self, chunk: &[u8]) {
        let mut rest = chunk;
        while let Some(at) = rest.iter().position(|&b| b == b'\n') {
            self.keep(&rest[..at]);
            self.flush();
            rest = &rest[at + 1..];
        }
        self.keep(rest);
    }

    /// Ends the input.
    ///
    /// # Errors
    /// As [`LineParser::end`].
    pub fn end(mut self) -> Result<Parsed, ParseError> {
        let complete = self.partial.is_empty();
        if !complete {
            self.flush();
        }
        let mut parsed = self.parser.end(complete)?;
        if self.cut > 0 {
            parsed.notes.push(format!("{} lines were longer than 1 MiB and were cut", self.cut));
        }
        Ok(parsed)
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = LONGEST.saturating_sub(self.partial.len());
        self.partial.extend_from_slice(&bytes[..bytes.len().min(room)]);
        if bytes.len() > room && room > 0 {
            self.cut += 1;
        }
    }

    fn flush(&mut self) {
        let text = String::from_utf8_lossy(&self.partial);
        self.parser.line(text.strip_suffix('\r').unwrap_or(&text));
        self.partial.clear();
    }
}
