//! Reads a file of a tool's output with its format: in pieces where the format allows, whole otherwise.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::Path;

use crate::model::evidence::Parsed;
use crate::parse::matcher::Matcher;
use crate::parse::{self, Empty, Format, LineParser, Lines, ParseError, Reader, Stream};
use crate::world::files;

/// How much of the beginning decides about the format, in bytes.
const HEAD: u64 = 1 << 20;
/// The most that is read of one report, in bytes.
pub const LARGEST_REPORT: u64 = 1 << 30;

/// What a gate's `format` amounts to.
#[derive(Debug, Clone)]
pub enum Choice {
    /// A row of `parse::ALL`.
    Named(&'static Format),
    /// A problem matcher of the user's.
    Matcher(Matcher),
    /// By content.
    Auto,
}

/// Why a choice or a reading failed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The name is none of the rows.
    #[error("no format is named {0:?}")]
    UnknownFormat(String),
    /// The file of `matcher:FILE` is missing or broken.
    #[error("the problem matcher {path} cannot be used: {why}")]
    Matcher {
        /// As configured.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// It could not be read.
    #[error("cannot be read: {}", .0.source)]
    File(#[from] files::FileError),
    /// It could not be read to its end.
    #[error("cannot be read to its end: {0}")]
    Io(#[from] std::io::Error),
    /// It is larger than can be judged.
    #[error("is larger than 1 GiB ({0} bytes): too large to be judged")]
    TooLarge(u64),
    /// Nothing is in it.
    #[error("is empty, where {0} was promised")]
    Empty(&'static str),
    /// Nothing is in it, and content was to tell what it is.
    #[error("is empty, so that no format can be recognised")]
    EmptyAndUnnamed,
    /// No format claims it.
    #[error("is of no known format (it begins with {0:?})")]
    Unrecognised(String),
    /// It tells that a program did not compile.
    #[error("says that {0}")]
    NotCompiled(String),
    /// It is not what its format promises.
    #[error("is not readable as {format}: {source}")]
    Parse {
        /// The format's name.
        format: &'static str,
        /// What was expected and what came.
        source: ParseError,
    },
}

impl Choice {
    /// Reads the setting: a format's name, `auto`, or `matcher:FILE` with FILE relative to `root`.
    ///
    /// # Errors
    /// When there is no such format, or the matcher cannot be read.
    pub fn of(setting: &str, root: &Path) -> Result<Self, ReadError> {
        if setting == "auto" {
            return Ok(Self::Auto);
        }
        let Some(path) = setting.strip_prefix("matcher:") else {
            return parse::find(setting).map(Self::Named).ok_or_else(|| ReadError::UnknownFormat(setting.to_owned()));
        };
        let wrong = |why: String| ReadError::Matcher { path: path.to_owned(), why };
        let text = files::read(&root.join(path)).map_err(|error| wrong(error.to_string()))?;
        Matcher::from_json(&text).map(Self::Matcher).map_err(|error| wrong(error.to_string()))
    }

    /// Which output of a command it reads; `None` where content decides.
    #[must_use]
    pub const fn stream(&self) -> Option<Stream> {
        match self {
            Self::Named(format) => Some(format.stream),
            Self::Matcher(_) => Some(Stream::Both),
            Self::Auto => None,
        }
    }

    /// Reads the file at a path: see [`Choice::read`].
    ///
    /// # Errors
    /// As [`Choice::read`], or when it cannot be opened.
    pub fn read_path(&self, path: &Path, may_be_empty: bool) -> Result<(Parsed, &'static str), ReadError> {
        self.read(&files::open(path)?, may_be_empty)
    }

    /// Reads a file from where it stands, its beginning. `may_be_empty` says that emptiness is believed where the format
    /// allows it.
    ///
    /// # Errors
    /// When it cannot be read, is empty where something was promised, or is not of the format.
    pub fn read(&self, mut file: &File, may_be_empty: bool) -> Result<(Parsed, &'static str), ReadError> {
        let size = file.metadata()?.len();
        if size > LARGEST_REPORT {
            return Err(ReadError::TooLarge(size));
        }
        let mut head = Vec::new();
        file.by_ref().take(HEAD).read_to_end(&mut head)?;
        let blank = head.iter().all(u8::is_ascii_whitespace) && size <= HEAD;
        let format = match self {
            Self::Named(format) => format,
            Self::Matcher(_) if blank && may_be_empty => return Ok((Parsed::default(), "matcher")),
            Self::Matcher(_) if blank => return Err(ReadError::Empty("matcher")),
            Self::Matcher(matcher) => {
                file.rewind()?;
                return Ok((
                    feed(file, matcher.start())?.map_err(|source| ReadError::Parse { format: "matcher", source })?,
                    "matcher",
                ));
            }
            Self::Auto if blank => return Err(ReadError::EmptyAndUnnamed),
            Self::Auto => parse::recognise(&head)
                .ok_or_else(|| not_compiled(&head).unwrap_or_else(|| ReadError::Unrecognised(beginning(&head))))?,
        };
        if blank {
            let is_clean = format.empty == Empty::Clean && may_be_empty;
            return if is_clean { Ok((Parsed::default(), format.name)) } else { Err(ReadError::Empty(format.name)) };
        }
        file.rewind()?;
        let parsed = match format.reader {
            Reader::Whole(parse) => {
                let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
                file.read_to_end(&mut bytes)?;
                parse(&bytes)
            }
            Reader::Lines(start) => feed(file, start())?,
        };
        let wrong = |source| ReadError::Parse { format: format.name, source };
        parsed
            .map(|parsed| (parsed, format.name))
            .map_err(|source| not_compiled(&head).unwrap_or_else(|| wrong(source)))
    }
}

fn feed(mut file: &File, parser: Box<dyn LineParser>) -> std::io::Result<Result<Parsed, ParseError>> {
    let mut lines = Lines::new(parser);
    let mut chunk = vec![0; 64 << 10];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(lines.end()),
            n => lines.feed(&chunk[..n]),
        }
    }
}

fn not_compiled(head: &[u8]) -> Option<ReadError> {
    parse::not_compiled(&String::from_utf8_lossy(head)).map(ReadError::NotCompiled)
}

/// What managers of packages and cargo say before a tool says anything.
const NOISE: &[&str] = &[
    "npm warn",
    "npm notice",
    "npm WARN",
    "> ",
    "Blocking waiting",
    "Compiling ",
    "Checking ",
    "Finished ",
    "Downloaded ",
];

/// The first words of the first line that tells something.
fn beginning(head: &[u8]) -> String {
    let text = String::from_utf8_lossy(&head[..head.len().min(64 << 10)]);
    let is_noise = |line: &str| line.is_empty() || NOISE.iter().any(|noise| line.starts_with(noise));
    let skipped: usize = text.split_inclusive('\n').take_while(|line| is_noise(line.trim())).map(str::len).sum();
    let rest = if skipped < text.len() { &text[skipped..] } else { &text };
    crate::model::text::one_line(rest.get(..400).unwrap_or(rest), 60)
}
