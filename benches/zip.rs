//! Writes a ZIP archive of more entries than the plain format can count, as the dumps of osv.dev are.

use miniz_oxide::deflate::compress_to_vec;

/// Collects entries.
#[derive(Default)]
pub struct Writer {
    out: Vec<u8>,
    directory: Vec<u8>,
    count: u64,
}

impl Writer {
    /// Adds a file.
    pub fn add(&mut self, name: &str, content: &[u8]) {
        let packed = compress_to_vec(content, 1);
        let offset = u32::try_from(self.out.len()).unwrap();
        let length = u16::try_from(name.len()).unwrap();
        let sizes = [checksum(content), number(&packed), number(content)];
        self.out.extend(0x0403_4b50_u32.to_le_bytes());
        self.out.extend([20, 0, 8, 0, 0].into_iter().flat_map(u16::to_le_bytes));
        self.out.extend(sizes.iter().flat_map(|size| size.to_le_bytes()));
        self.out.extend([length, 0].into_iter().flat_map(u16::to_le_bytes));
        self.out.extend(name.as_bytes());
        self.out.extend(&packed);
        self.directory.extend(0x0201_4b50_u32.to_le_bytes());
        self.directory.extend([20, 20, 0, 8, 0, 0].into_iter().flat_map(u16::to_le_bytes));
        self.directory.extend(sizes.iter().flat_map(|size| size.to_le_bytes()));
        self.directory.extend([length, 0, 0, 0, 0].into_iter().flat_map(u16::to_le_bytes));
        self.directory.extend([0, offset].into_iter().flat_map(u32::to_le_bytes));
        self.directory.extend(name.as_bytes());
        self.count += 1;
    }

    /// The archive.
    pub fn finish(mut self) -> Vec<u8> {
        let start = self.out.len() as u64;
        let end = start + self.directory.len() as u64;
        self.out.extend(&self.directory);
        self.out.extend(0x0606_4b50_u32.to_le_bytes());
        self.out.extend(44_u64.to_le_bytes());
        self.out.extend([45_u16, 45].into_iter().flat_map(u16::to_le_bytes));
        self.out.extend([0_u32; 2].into_iter().flat_map(u32::to_le_bytes));
        let fields = [self.count, self.count, end - start, start];
        self.out.extend(fields.into_iter().flat_map(u64::to_le_bytes));
        self.out.extend(0x0706_4b50_u32.to_le_bytes());
        self.out.extend(0_u32.to_le_bytes());
        self.out.extend(end.to_le_bytes());
        self.out.extend(1_u32.to_le_bytes());
        self.out.extend(0x0605_4b50_u32.to_le_bytes());
        self.out.extend([0, 0, u16::MAX, u16::MAX].into_iter().flat_map(u16::to_le_bytes));
        self.out.extend([u32::MAX; 2].into_iter().flat_map(u32::to_le_bytes));
        self.out.extend(0_u16.to_le_bytes());
        self.out
    }
}

fn number(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap()
}

/// CRC-32, bit by bit.
fn checksum(bytes: &[u8]) -> u32 {
    let step = |sum: u32| if sum & 1 == 1 { 0xedb8_8320 ^ (sum >> 1) } else { sum >> 1 };
    !bytes.iter().fold(u32::MAX, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), |sum, _| step(sum)))
}
