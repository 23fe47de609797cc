//! Reads a ZIP archive that a stranger made: everything about it is checked before anything is inflated, and nothing is
//! ever written anywhere. What neither GitHub's artifacts nor dumps of advisories have (encryption, entries beyond 4 GiB,
//! several disks) is refused.
//!
//! Source: <https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>.

use std::collections::HashSet;

use miniz_oxide::inflate::decompress_to_vec_with_limit;

use crate::model::text::one_line;

/// The most bytes of an artifact's archive, and of all its entries together.
pub const LARGEST: u64 = 200 << 20;
/// The most bytes of one entry.
pub const LARGEST_ENTRY: u64 = 20 << 20;
/// The most entries of an artifact's archive.
pub const MOST_ENTRIES: usize = 10_000;

/// How much of an archive is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of the archive.
    pub packed: u64,
    /// The most bytes of all its entries together.
    pub unpacked: u64,
    /// The most entries.
    pub entries: usize,
}

impl Limits {
    /// Of an artifact.
    pub const ARTIFACT: Self = Self { packed: LARGEST, unpacked: LARGEST, entries: MOST_ENTRIES };
    /// Of a dump of advisories: the largest, npm's, has some 250,000 records.
    pub const DUMP: Self = Self { packed: 1 << 30, unpacked: 8 << 30, entries: 2_000_000 };
}

/// How many times larger than its packed bytes an entry may be.
const RATIO: u64 = 100;
/// Below this size no entry is a bomb, whatever its ratio: a log of one line again and again is not.
const SMALL: u64 = 64 << 10;

/// The signatures of the end of the directory, of an entry of it, and of an entry itself.
const END: u64 = 0x0605_4b50;
/// Those of ZIP64, which more than 65,535 entries need: the end itself, and the record that tells where it is.
const END64: u64 = 0x0606_4b50;
const LOCATOR64: u64 = 0x0706_4b50;
const CENTRAL: u64 = 0x0201_4b50;
const LOCAL: u64 = 0x0403_4b50;

/// Why an archive is not read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ZipError {
    /// It is none, or cut off.
    #[error("is no whole ZIP archive: {0}")]
    Malformed(&'static str),
    /// It has what no artifact has.
    #[error("has {0}, which no artifact of GitHub's has")]
    Unsupported(&'static str),
    /// It asks for too much.
    #[error("has {0}")]
    TooLarge(String),
    /// An entry that is no plain file or folder of its own.
    #[error("has the entry {name:?}, which {why}")]
    Entry {
        /// The entry.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// One file of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path: relative, with `/`, without `..`.
    pub name: String,
    deflated: bool,
    checksum: u32,
    size: u64,
    packed: std::ops::Range<usize>,
}

/// An archive whose directory was found good.
#[derive(Debug)]
pub struct Archive<'a> {
    bytes: &'a [u8],
    /// Its files, in its own order; folders are left out.
    pub entries: Vec<Entry>,
}

/// Whether some bytes begin as an archive does.
#[must_use]
pub fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")
}

impl<'a> Archive<'a> {
    /// Reads the directory of an artifact.
    ///
    /// # Errors
    /// When anything about it is wrong, or more than is read.
    pub fn open(bytes: &'a [u8]) -> Result<Self, ZipError> {
        Self::open_within(bytes, Limits::ARTIFACT)
    }

    /// As [`Archive::open`], with limits of one's own.
    ///
    /// # Errors
    /// As [`Archive::open`].
    pub fn open_within(bytes: &'a [u8], limits: Limits) -> Result<Self, ZipError> {
        let most = limits.packed;
        if bytes.len() as u64 > most {
            return Err(ZipError::TooLarge(format!("{} bytes; at most {most} are read", bytes.len())));
        }
        let (mut directory, count) = directory(bytes, limits.entries)?;
        let first = bytes.len() - directory.len();
        let mut names = HashSet::new();
        let mut entries = Vec::new();
        let mut total = 0;
        for _ in 0..count {
            let header = Header::take(&mut directory)?;
            let refuse = |why| Err(ZipError::Entry { name: one_line(&header.name, 200), why });
            if let Some(why) = header.wrong() {
                return refuse(why);
            }
            if !names.insert(header.name.trim_end_matches('/').to_owned()) {
                return refuse("is there twice");
            }
            total += header.size;
            if total > limits.unpacked {
                return Err(ZipError::TooLarge(format!("more than {} bytes in its entries", limits.unpacked)));
            }
            let packed = header.packed(&bytes[..first])?;
            entries.push((header, packed));
        }
        no_overlap(&entries)?;
        let files = entries.into_iter().filter(|(header, _)| !header.name.ends_with('/'));
        let entries = files
            .map(|(header, packed)| Entry {
                name: header.name,
                deflated: header.method == 8,
                checksum: header.checksum,
                size: header.size,
                packed,
            })
            .collect();
        Ok(Self { bytes, entries })
    }

    /// A file's content.
    ///
    /// # Errors
    /// When it is not what the directory says.
    pub fn read(&self, entry: &Entry) -> Result<Vec<u8>, ZipError> {
        let refuse = |why| ZipError::Entry { name: one_line(&entry.name, 200), why };
        let packed = &self.bytes[entry.packed.clone()];
        let size = usize::try_from(entry.size).map_err(|_| refuse("is too large"))?;
        let content = if entry.deflated {
            decompress_to_vec_with_limit(packed, size)
                .map_err(|_| refuse("cannot be inflated to the size it states"))?
        } else {
            packed.to_vec()
        };
        if content.len() != size || checksum(&content) != entry.checksum {
            return Err(refuse("is not of the size and checksum it states"));
        }
        Ok(content)
    }
}

/// The directory with what follows it, and how many entries it has.
fn directory(bytes: &[u8], most: usize) -> Result<(&[u8], usize), ZipError> {
    // The record is the last thing but for a comment of up to 65,535 bytes whose length it states.
    let starts = (0..=bytes.len().saturating_sub(22)).rev().take(1 << 16);
    let end = starts
        .filter(|&at| number(bytes, at, 4) == Some(END))
        .find(|&at| number(bytes, at + 20, 2) == Some((bytes.len() - at - 22) as u64))
        .ok_or(ZipError::Malformed("it has no end of directory"))?;
    let field = |offset, length| number(bytes, end + offset, length).unwrap_or_default();
    if field(4, 2) != 0 || field(6, 2) != 0 || field(8, 2) != field(10, 2) {
        return Err(ZipError::Unsupported("several disks"));
    }
    let plain = Place { count: field(10, 2), size: field(12, 4), offset: field(16, 4), end };
    let is_wide = plain.count == 0xffff || plain.size == 0xffff_ffff || plain.offset == 0xffff_ffff;
    let Place { count, size, offset, end } = if is_wide { wide(bytes, end)? } else { plain };
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if count > most {
        return Err(ZipError::TooLarge(format!("{count} entries; at most {most} are read")));
    }
    if offset.checked_add(size) != Some(end as u64) {
        return Err(ZipError::Malformed("its directory is not where it states"));
    }
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    Ok((&bytes[start..], count))
}

/// Where a directory is.
struct Place {
    count: u64,
    size: u64,
    offset: u64,
    /// Of the directory: where its end record begins.
    end: usize,
}

/// What the ZIP64 end record says, which stands before the plain one.
fn wide(bytes: &[u8], end: usize) -> Result<Place, ZipError> {
    let wrong = ZipError::Malformed("its ZIP64 end of directory is not where it states");
    let field = |at: usize, offset: usize, length| number(bytes, at.checked_add(offset)?, length);
    let read = || {
        let locator = end.checked_sub(20).filter(|&at| field(at, 0, 4) == Some(LOCATOR64))?;
        let at = usize::try_from(field(locator, 8, 8)?).ok()?;
        // The record may be followed by the locator alone.
        let length = field(at, 4, 8)?;
        let is_end =
            field(at, 0, 4) == Some(END64) && (at as u64).checked_add(12)?.checked_add(length)? == locator as u64;
        let one_disk = field(at, 16, 4)? == 0 && field(at, 20, 4)? == 0 && field(at, 24, 8)? == field(at, 32, 8)?;
        let place = Place { count: field(at, 32, 8)?, size: field(at, 40, 8)?, offset: field(at, 48, 8)?, end: at };
        (is_end && one_disk && length >= 44).then_some(place)
    };
    read().ok_or(wrong)
}

/// What the directory says of an entry.
struct Header {
    name: String,
    flags: u64,
    method: u64,
    checksum: u32,
    packed: u64,
    size: u64,
    /// Of a Unix file system; 0 where it was made elsewhere.
    mode: u64,
    offset: u64,
}

impl Header {
    fn take(directory: &mut &[u8]) -> Result<Self, ZipError> {
        let cut = ZipError::Malformed("its directory is cut off");
        let field = |offset, length| number(directory, offset, length);
        let (Some(CENTRAL), Some(attributes)) = (field(0, 4), field(38, 4)) else { return Err(cut) };
        let all = |offset, length| field(offset, length).unwrap_or_default();
        let lengths = [28, 30, 32].map(|offset| usize::try_from(all(offset, 2)).unwrap_or_default());
        let (Some(name), Some(rest)) =
            (directory.get(46..46 + lengths[0]), directory.get(46 + lengths.iter().sum::<usize>()..))
        else {
            return Err(cut);
        };
        let name = std::str::from_utf8(name).map_err(|_| ZipError::Malformed("a name is not UTF-8"))?;
        let header = Self {
            name: name.to_owned(),
            flags: all(8, 2),
            method: all(10, 2),
            checksum: u32::try_from(all(16, 4)).unwrap_or_default(),
            packed: all(20, 4),
            size: all(24, 4),
            mode: if all(5, 1) == 3 { attributes >> 16 } else { 0 },
            offset: all(42, 4),
        };
        *directory = rest;
        Ok(header)
    }

    /// Why this is no plain file or folder within the limits.
    fn wrong(&self) -> Option<&'static str> {
        let path = self.name.strip_suffix('/').unwrap_or(&self.name);
        let is_drive = path.as_bytes().get(1) == Some(&b':');
        let parts_are_good = path.split('/').all(|part| !matches!(part, "" | "." | ".."));
        let problems = [
            (path.contains('\\') || path.contains(char::is_control), "has a name with a control character or `\\`"),
            (!parts_are_good || is_drive, "leads out of its folder"),
            (![0, 0o100_000, 0o040_000].contains(&(self.mode & 0o170_000)), "is a link or a device"),
            (self.flags & 0x41 != 0, "is encrypted"),
            ([self.packed, self.size, self.offset].contains(&0xffff_ffff), "has ZIP64 sizes of its own"),
            (![0, 8].contains(&self.method), "is packed in a way that artifacts are not"),
            (self.method == 0 && self.packed != self.size, "states two sizes"),
            (self.size > LARGEST_ENTRY, "is larger than 20 MB"),
            (
                self.size > SMALL && self.size > self.packed * RATIO,
                "is more than 100 times larger than its packed bytes",
            ),
        ];
        problems.into_iter().find(|(holds, _)| *holds).map(|(_, why)| why)
    }

    /// Where its bytes are. Its own header must name it as the directory does.
    fn packed(&self, before: &[u8]) -> Result<std::ops::Range<usize>, ZipError> {
        let refuse = || ZipError::Entry { name: one_line(&self.name, 200), why: "is not where the directory states" };
        let at = usize::try_from(self.offset).map_err(|_| refuse())?;
        let field = |offset, length| number(before, at.checked_add(offset)?, length);
        let (Some(LOCAL), Some(name), Some(extra)) = (field(0, 4), field(26, 2), field(28, 2)) else {
            return Err(refuse());
        };
        let [name, extra, packed] =
            [name, extra, self.packed].map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        let start = at + 30 + name + extra;
        let end = start.checked_add(packed).filter(|&end| end <= before.len()).ok_or_else(refuse)?;
        if before.get(at + 30..at + 30 + name) != Some(self.name.as_bytes()) {
            return Err(refuse());
        }
        Ok(start..end)
    }
}

/// No byte belongs to two entries.
fn no_overlap(entries: &[(Header, std::ops::Range<usize>)]) -> Result<(), ZipError> {
    let mut places: Vec<_> = entries.iter().map(|(header, packed)| (header.offset, packed.end, header)).collect();
    places.sort_by_key(|(offset, ..)| *offset);
    match places.windows(2).find(|pair| pair[0].1 as u64 > pair[1].0) {
        None => Ok(()),
        Some(pair) => {
            let name = one_line(&pair[1].2.name, 200);
            Err(ZipError::Entry { name, why: "shares its bytes with another" })
        }
    }
}

/// A little-endian number of up to eight bytes.
fn number(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let field = bytes.get(at..at.checked_add(length)?)?;
    Some(field.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// CRC-32 as ZIP has it (ISO-HDLC).
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| TABLE[usize::from(sum.to_le_bytes()[0] ^ byte)] ^ (sum >> 8))
}

static TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut at = 0_u32;
    while at < 256 {
        let (mut value, mut bit) = (at, 0);
        while bit < 8 {
            value = if value & 1 == 1 { 0xedb8_8320 ^ (value >> 1) } else { value >> 1 };
            bit += 1;
        }
        table[at as usize] = value;
        at += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    /// An archive without entries whose directory's place is told by ZIP64 records: values and their lengths.
    const WIDE: [(u64, usize); 22] = [
        (END64, 4),
        (44, 8),
        (45, 2),
        (45, 2),
        (0, 4),
        (0, 4),
        (0, 8),
        (0, 8),
        (0, 8),
        (0, 8),
        (LOCATOR64, 4),
        (0, 4),
        (0, 8),
        (1, 4),
        (END, 4),
        (0, 2),
        (0, 2),
        (0xffff, 2),
        (0xffff, 2),
        (0xffff_ffff, 4),
        (0xffff_ffff, 4),
        (0, 2),
    ];

    fn opened(fields: &[(u64, usize)]) -> Result<usize, ZipError> {
        let bytes: Vec<u8> =
            fields.iter().flat_map(|(value, length)| value.to_le_bytes()[..*length].to_vec()).collect();
        Archive::open(&bytes).map(|archive| archive.entries.len())
    }

    #[test]
    fn each_field_of_the_wide_records_is_held_to_its_place() {
        assert_eq!(opened(&WIDE), Ok(0));
        let wrong = Err(ZipError::Malformed("its ZIP64 end of directory is not where it states"));
        // The signature, the length, both disks, the entries of this disk; the locator's signature and address.
        for (at, value) in [(0, END), (1, 45), (1, 43), (4, 1), (5, 1), (6, 1), (10, END), (12, 1)] {
            let mut fields = WIDE;
            fields[at].0 = value;
            assert_eq!(opened(&fields), wrong, "{at} {value}");
        }
        let mut short = WIDE;
        (short[1].0, short[9].1) = (43, 7);
        assert_eq!(opened(&short), wrong, "a record that is too short");
    }
}
