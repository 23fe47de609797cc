//! A folder as one file and back. To make a thousand files takes a disk's file system a good part of a second, to read
//! them and write one next to nothing. What is read here was written here.
#![expect(clippy::disallowed_methods, reason = "reads and makes whole folders, as world::files does")]

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::world::cores;

/// What stands for a folder in place of a size.
const FOLDER: u64 = u64::MAX;

/// All of a folder but files with such an ending: the length of the list of entries, that list, and the files' bytes in
/// its order.
///
/// # Errors
/// When something in it cannot be read.
pub fn pack(from: &Path, without: &[&str]) -> io::Result<Vec<u8>> {
    let (mut list, mut bytes) = (Vec::new(), Vec::new());
    add(from, Path::new(""), without, &mut list, &mut bytes)?;
    Ok([(list.len() as u64).to_le_bytes().to_vec(), list, bytes].concat())
}

/// An entry of the list is the length of its name, its name and its size.
fn add(from: &Path, name: &Path, without: &[&str], list: &mut Vec<u8>, bytes: &mut Vec<u8>) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = name.join(entry.file_name());
        let word = name.as_os_str().as_bytes();
        let kind = entry.file_type()?;
        let left_out = without.iter().any(|ending| word.ends_with(ending.as_bytes()));
        if !kind.is_dir() && (!kind.is_file() || left_out) {
            continue;
        }
        list.extend((word.len() as u64).to_le_bytes());
        list.extend(word);
        if kind.is_dir() {
            list.extend(FOLDER.to_le_bytes());
            add(&entry.path(), &name, without, list, bytes)?;
        } else {
            let read = fs::read(entry.path())?;
            list.extend((read.len() as u64).to_le_bytes());
            bytes.extend(read);
        }
    }
    Ok(())
}

/// A file to make.
struct Part {
    path: PathBuf,
    /// Where its bytes begin.
    at: u64,
    size: usize,
}

/// Makes the folder again in `to`, which is there already; `then` is called with each path. All cores are at it: each
/// file costs the system more than its bytes.
///
/// # Errors
/// When it is not whole, or something cannot be written.
pub fn unpack(packed: &Path, to: &Path, then: &(dyn Fn(&Path) -> io::Result<()> + Sync)) -> io::Result<()> {
    let packed = File::open(packed)?;
    let whole = packed.metadata()?.len();
    let mut length = [0; 8];
    packed.read_exact_at(&mut length, 0)?;
    let length = u64::from_le_bytes(length);
    let mut at = length.checked_add(8).filter(|at| *at <= whole).ok_or(io::ErrorKind::UnexpectedEof)?;
    let mut list = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    packed.read_exact_at(&mut list, 8)?;
    let mut parts = Vec::new();
    let mut list = list.as_slice();
    while !list.is_empty() {
        let length = number(&mut list)?;
        let path = to.join(OsStr::from_bytes(take(&mut list, length)?));
        match number(&mut list)? {
            FOLDER => {
                fs::DirBuilder::new().mode(0o700).create(&path)?;
                then(&path)?;
            }
            size => {
                parts.push(Part { path, at, size: usize::try_from(size).map_err(io::Error::other)? });
                at = at.checked_add(size).ok_or(io::ErrorKind::UnexpectedEof)?;
            }
        }
    }
    if at != whole {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    cores::map(&parts, |part| write(&packed, part).and_then(|()| then(&part.path))).into_iter().collect()
}

fn write(packed: &File, part: &Part) -> io::Result<()> {
    let mut bytes = vec![0; part.size];
    packed.read_exact_at(&mut bytes, part.at)?;
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part.path)?;
    file.write_all(&bytes)
}

fn number(list: &mut &[u8]) -> io::Result<u64> {
    let (number, rest) = list.split_first_chunk().ok_or(io::ErrorKind::UnexpectedEof)?;
    *list = rest;
    Ok(u64::from_le_bytes(*number))
}

fn take<'a>(list: &mut &'a [u8], length: u64) -> io::Result<&'a [u8]> {
    let length = usize::try_from(length).map_err(io::Error::other)?;
    let (taken, rest) = list.split_at_checked(length).ok_or(io::ErrorKind::UnexpectedEof)?;
    *list = rest;
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
        fs::write(from.path().join("three"), "three").unwrap();
        let packed = pack(from.path(), &["_vm"]).unwrap();
        let place = tempfile::tempdir().unwrap();
        let (file, to) = (place.path().join("packed"), place.path().join("to"));
        let unpacked = |packed: &[u8]| {
            let _ = fs::remove_dir_all(&to);
            fs::create_dir(&to).unwrap();
            fs::write(&file, packed).unwrap();
            unpack(&file, &to, &|_| Ok(()))
        };
        unpacked(&packed).unwrap();
        assert_eq!(fs::read(to.join("base/1/2")).unwrap(), b"two");
        assert_eq!(fs::read(to.join("three")).unwrap(), b"three");
        assert_eq!(fs::read(to.join("empty")).unwrap(), b"");
        assert!(!to.join("base/1/2_vm").exists());
        for length in 0..packed.len() {
            assert!(unpacked(&packed[..length]).is_err(), "{length}");
        }
        assert!(unpacked(&[packed, vec![0]].concat()).is_err(), "too long");
    }
}
