//! A folder as one file and back. To make a thousand files takes a disk's file system a good part of a second, to read
//! them and write one next to nothing. What is read here was written here.
#![expect(clippy::disallowed_methods, reason = "reads and makes whole folders, as world::files does")]

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

/// What stands for a folder in place of a size.
const FOLDER: u64 = u64::MAX;
/// What the whole ends with: one that was cut short is known by it.
const END: &[u8] = b"end";

/// All of a folder but files with such an ending.
///
/// # Errors
/// When something in it cannot be read.
pub fn pack(from: &Path, without: &[&str]) -> io::Result<Vec<u8>> {
    let mut packed = Vec::new();
    add(from, Path::new(""), without, &mut packed)?;
    packed.extend(END);
    Ok(packed)
}

/// Each entry is the length of its name, its name, its size and its bytes.
fn add(from: &Path, name: &Path, without: &[&str], packed: &mut Vec<u8>) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = name.join(entry.file_name());
        let word = name.as_os_str().as_bytes();
        let kind = entry.file_type()?;
        let left_out = without.iter().any(|ending| word.ends_with(ending.as_bytes()));
        if !kind.is_dir() && (!kind.is_file() || left_out) {
            continue;
        }
        packed.extend((word.len() as u64).to_le_bytes());
        packed.extend(word);
        if kind.is_dir() {
            packed.extend(FOLDER.to_le_bytes());
            add(&entry.path(), &name, without, packed)?;
        } else {
            let bytes = fs::read(entry.path())?;
            packed.extend((bytes.len() as u64).to_le_bytes());
            packed.extend(bytes);
        }
    }
    Ok(())
}

/// Makes the folder again in `to`, which is there already; `then` is called with each path.
///
/// # Errors
/// When it is not whole, or something cannot be written.
pub fn unpack(mut packed: &[u8], to: &Path, then: &dyn Fn(&Path) -> io::Result<()>) -> io::Result<()> {
    while packed != END {
        let length = number(&mut packed)?;
        let name = Path::new(OsStr::from_bytes(take(&mut packed, length)?));
        let path = to.join(name);
        match number(&mut packed)? {
            FOLDER => fs::DirBuilder::new().mode(0o700).create(&path)?,
            size => {
                let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
                file.write_all(take(&mut packed, size)?)?;
            }
        }
        then(&path)?;
    }
    Ok(())
}

fn number(packed: &mut &[u8]) -> io::Result<u64> {
    let (number, rest) = packed.split_first_chunk().ok_or(io::ErrorKind::UnexpectedEof)?;
    *packed = rest;
    Ok(u64::from_le_bytes(*number))
}

fn take<'a>(packed: &mut &'a [u8], length: u64) -> io::Result<&'a [u8]> {
    let length = usize::try_from(length).map_err(io::Error::other)?;
    let (taken, rest) = packed.split_at_checked(length).ok_or(io::ErrorKind::UnexpectedEof)?;
    *packed = rest;
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_comes_back_without_what_was_left_out() {
        let from = tempfile::tempdir().unwrap();
        fs::create_dir_all(from.path().join("base/1")).unwrap();
        fs::write(from.path().join("base/1/2"), "two").unwrap();
        fs::write(from.path().join("base/1/2_vm"), "map").unwrap();
        fs::write(from.path().join("empty"), "").unwrap();
        let packed = pack(from.path(), &["_vm"]).unwrap();
        let to = tempfile::tempdir().unwrap();
        unpack(&packed, to.path(), &|_| Ok(())).unwrap();
        assert_eq!(fs::read(to.path().join("base/1/2")).unwrap(), b"two");
        assert_eq!(fs::read(to.path().join("empty")).unwrap(), b"");
        assert!(!to.path().join("base/1/2_vm").exists());
        for length in 0..packed.len() {
            let to = tempfile::tempdir().unwrap();
            assert!(unpack(&packed[..length], to.path(), &|_| Ok(())).is_err(), "{length}");
        }
    }
}
