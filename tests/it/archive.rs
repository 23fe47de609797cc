//! Writes ZIP archives for tests, good ones and every bad one: each field can be made to lie.

use miniz_oxide::deflate::compress_to_vec;

/// One entry; the fields that lie say so in their names.
#[derive(Debug, Clone)]
pub struct Entry {
    pub name: String,
    pub content: Vec<u8>,
    pub deflated: bool,
    /// The name in its own header, where it differs from the directory's.
    pub local_name: Option<String>,
    /// The size in the directory, where it lies.
    pub stated_size: Option<u32>,
    pub checksum: Option<u32>,
    pub flags: u16,
    pub method: Option<u16>,
    /// Of a Unix file system.
    pub mode: u32,
    /// Where the directory says it is, where it lies.
    pub offset: Option<u32>,
}

impl Entry {
    pub fn new(name: &str, content: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.to_owned(),
            content: content.into(),
            deflated: true,
            local_name: None,
            stated_size: None,
            checksum: None,
            flags: 0,
            method: None,
            mode: 0o100_644,
            offset: None,
        }
    }
}

/// The archive of these entries.
pub fn archive(entries: &[Entry]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let packed = if entry.deflated { compress_to_vec(&entry.content, 6) } else { entry.content.clone() };
        let offset = entry.offset.unwrap_or_else(|| length(&out));
        let method = entry.method.unwrap_or(if entry.deflated { 8 } else { 0 });
        let size = entry.stated_size.unwrap_or_else(|| length(&entry.content));
        let checksum = entry.checksum.unwrap_or_else(|| crc(&entry.content));
        let local = entry.local_name.as_ref().unwrap_or(&entry.name);
        out.extend(0x0403_4b50_u32.to_le_bytes());
        for field in [20, entry.flags, method, 0, 0] {
            out.extend(field.to_le_bytes());
        }
        for field in [checksum, length(&packed), size] {
            out.extend(field.to_le_bytes());
        }
        for field in [u16::try_from(local.len()).unwrap(), 0] {
            out.extend(field.to_le_bytes());
        }
        out.extend(local.as_bytes());
        out.extend(&packed);
        directory.extend(0x0201_4b50_u32.to_le_bytes());
        // Made on Unix.
        for field in [(3 << 8) + 20, 20, entry.flags, method, 0, 0] {
            directory.extend(u16::to_le_bytes(field));
        }
        for field in [checksum, length(&packed), size] {
            directory.extend(field.to_le_bytes());
        }
        for field in [u16::try_from(entry.name.len()).unwrap(), 0, 0, 0, 0] {
            directory.extend(field.to_le_bytes());
        }
        directory.extend((entry.mode << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(entry.name.as_bytes());
    }
    let count = u16::try_from(entries.len()).unwrap();
    end(out, &directory, count)
}

/// Puts the directory and its end behind the entries.
pub fn end(mut out: Vec<u8>, directory: &[u8], count: u16) -> Vec<u8> {
    let start = length(&out);
    out.extend(directory);
    out.extend(0x0605_4b50_u32.to_le_bytes());
    for field in [0, 0, count, count] {
        out.extend(field.to_le_bytes());
    }
    for field in [length(directory), start] {
        out.extend(field.to_le_bytes());
    }
    out.extend(0_u16.to_le_bytes());
    out
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap()
}

/// CRC-32, bit by bit: not the table of the program.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 })
    })
}
