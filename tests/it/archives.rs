//! Archives that a stranger made: good ones are read, whatever lies is refused before it costs anything.

use gatepost::parse::zip::{Archive, LARGEST_ENTRY, Limits, ZipError, is_zip};
use miniz_oxide::deflate::compress_to_vec;

use crate::archive::{Entry, archive, end};

fn names(bytes: &[u8]) -> Vec<String> {
    Archive::open(bytes).unwrap().entries.into_iter().map(|entry| entry.name).collect()
}

#[track_caller]
fn refused(entries: &[Entry], says: &str) {
    let bytes = archive(entries);
    let error = match Archive::open(&bytes) {
        Err(error) => error,
        Ok(archive) => archive.entries.iter().find_map(|entry| archive.read(entry).err()).expect("it is not refused"),
    };
    assert!(error.to_string().contains(says), "{error}");
}

/// Bytes that cannot be packed.
fn noise(length: usize) -> Vec<u8> {
    let mut seed = 1_u32;
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        seed.to_le_bytes()[1]
    };
    (0..length).map(|_| next()).collect()
}

fn good() -> Entry {
    Entry::new("report.json", "{}".repeat(40))
}

#[test]
fn archives_of_the_usual_writers_are_read() {
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/archives");
    // By Info-ZIP, by Python's zipfile to a stream (sizes after the bytes), by archiver as upload-artifact has it.
    for name in ["info-zip.zip", "python-stream.zip", "archiver.zip"] {
        let bytes = std::fs::read(fixtures.join(name)).unwrap();
        let archive = Archive::open(&bytes).unwrap_or_else(|error| panic!("{name} {error}"));
        let found: Vec<&str> = archive.entries.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(found, ["logs/lint.txt", "report.json"], "{name}");
        let texts: Vec<_> = archive.entries.iter().map(|entry| archive.read(entry).unwrap()).collect();
        assert_eq!((texts[0].as_slice(), texts[1].len()), (&b"src/a.c:2:5: warning: unused\n"[..], 2000), "{name}");
    }
}

#[test]
fn what_it_holds_is_read() {
    let stored = Entry { deflated: false, ..Entry::new("logs/a.txt", "plain") };
    let folder = Entry { deflated: false, mode: 0o040_755, ..Entry::new("logs/", "") };
    let bytes = archive(&[good(), folder, stored, Entry::new("empty", "")]);
    assert_eq!(names(&bytes), ["report.json", "logs/a.txt", "empty"]);
    let archive = Archive::open(&bytes).unwrap();
    let texts: Vec<_> = archive.entries.iter().map(|entry| archive.read(entry).unwrap().len()).collect();
    assert_eq!(texts, [80, 5, 0]);
}

#[test]
fn paths_that_lead_elsewhere_are_refused() {
    for name in ["../x", "a/../../x", "/etc/passwd", "a//b", "./a", "", "/", "a/.", "C:/x", "C:x"] {
        refused(&[Entry::new(name, "x")], "leads out of its folder");
    }
    for name in ["a\\b", "a\nb", "a\0b", "..\\x"] {
        refused(&[Entry::new(name, "x")], "control character");
    }
    for mode in [0o120_777, 0o060_644, 0o010_644, 0o140_755] {
        refused(&[good(), Entry { mode, ..Entry::new("link", "/etc/passwd") }], "is a link or a device");
    }
}

#[test]
fn two_of_one_name_are_refused() {
    refused(&[good(), good()], "is there twice");
    refused(&[Entry::new("a", "x"), Entry { deflated: false, ..Entry::new("a/", "") }], "is there twice");
}

#[test]
fn bombs_are_refused_before_they_go_off() {
    let zeros = |length: usize| vec![0_u8; length];
    let unseen = Some(1);
    refused(&[Entry { checksum: unseen, ..Entry::new("bomb", zeros(10 << 20)) }], "more than 100 times larger");
    let big = Entry { deflated: false, checksum: unseen, ..Entry::new("big", zeros((20 << 20) + 1)) };
    refused(&[big], "larger than 20 MB");
    // It states less than comes out.
    let liar = Entry { stated_size: Some(1000), checksum: unseen, ..Entry::new("liar", zeros(10 << 20)) };
    refused(&[liar], "cannot be inflated");
    refused(&[Entry { stated_size: Some(90), ..good() }], "not of the size and checksum");
    refused(&[Entry { checksum: Some(1), ..good() }], "not of the size and checksum");
    let many: Vec<Entry> = (0..10_001).map(|at| Entry { deflated: false, ..Entry::new(&at.to_string(), "") }).collect();
    refused(&many, "10001 entries");
    // Each within its limits, all together not.
    let noise = noise(250_000);
    let large = |at: usize| Entry {
        stated_size: Some(19 << 20),
        checksum: unseen,
        ..Entry::new(&at.to_string(), noise.clone())
    };
    refused(&(0..11).map(large).collect::<Vec<_>>(), "more than 209715200 bytes in its entries");
    // Small and repetitive is no bomb.
    assert_eq!(names(&archive(&[Entry::new("log", zeros(60_000))])), ["log"]);
}

#[test]
fn entries_that_share_bytes_are_refused() {
    let second = Entry { offset: Some(0), ..Entry::new("other", "x") };
    refused(&[good(), second], "is not where the directory states");
    let same = Entry { offset: Some(0), local_name: Some("report.json".to_owned()), ..Entry::new("report.jsoN", "x") };
    refused(&[good(), same], "is not where the directory states");
    let first = Entry { deflated: false, ..Entry::new("outer", archive(&[Entry::new("inner", "x")])) };
    // The inner one lies in the bytes of the outer one.
    let inner = |offset| Entry { offset: Some(offset), ..Entry::new("inner", "x") };
    refused(&[first.clone(), inner(35)], "shares its bytes");
    let before = 35 + u32::try_from(compress_to_vec(b"x", 6).len()).unwrap();
    refused(&[inner(before + 35), first], "shares its bytes");
    refused(&[Entry { local_name: Some("other".to_owned()), ..good() }], "is not where the directory states");
    refused(&[Entry { offset: Some(u32::MAX - 1), ..good() }], "is not where the directory states");
}

#[test]
fn what_no_artifact_has_is_refused() {
    refused(&[Entry { flags: 1, ..good() }], "is encrypted");
    refused(&[Entry { method: Some(12), ..good() }], "packed in a way");
    refused(&[Entry { offset: Some(u32::MAX), ..good() }], "has ZIP64 sizes of its own");
    assert_eq!(
        Archive::open(&end(Vec::new(), &[], u16::MAX)).unwrap_err(),
        ZipError::Malformed("its ZIP64 end of directory is not where it states")
    );
}

#[test]
fn a_cut_archive_is_refused_and_none_panics() {
    let whole = archive(&[good(), Entry::new("logs/a.txt", "plain".repeat(30))]);
    for length in 0..whole.len() {
        assert!(Archive::open(&whole[..length]).is_err(), "{length}");
    }
    // Every byte changed in every entry: read, or refused, and never as something else unnoticed.
    let contents = |bytes: &[u8]| {
        let archive = Archive::open(bytes).ok()?;
        archive
            .entries
            .iter()
            .map(|entry| Some((entry.name.clone(), archive.read(entry).ok()?)))
            .collect::<Option<Vec<_>>>()
    };
    let good = contents(&whole).unwrap();
    for at in 0..whole.len() {
        for change in [1, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] ^= change;
            if let Some(read) = contents(&bytes) {
                let texts = |of: &[(String, Vec<u8>)]| of.iter().map(|(_, text)| text.clone()).collect::<Vec<_>>();
                assert!(texts(&read).iter().all(|text| texts(&good).contains(text)), "{at} {change}");
            }
        }
    }
}

#[test]
fn what_just_fits_is_read() {
    let bytes = archive(&[good(), Entry::new("a", "x")]);
    let exact = Limits { packed: bytes.len() as u64, unpacked: 81, entries: 2 };
    let within = |limits| Archive::open_within(&bytes, limits).map(|archive| archive.entries.len());
    assert_eq!(within(exact), Ok(2));
    for less in [
        Limits { packed: exact.packed - 1, ..exact },
        Limits { unpacked: exact.unpacked - 1, ..exact },
        Limits { entries: exact.entries - 1, ..exact },
    ] {
        assert!(matches!(within(less), Err(ZipError::TooLarge(_))), "{less:?}");
    }
    let opens = |entry: Entry| Archive::open(&archive(&[entry])).is_ok();
    let zeros = |length: usize| Entry { checksum: Some(1), ..Entry::new("zeros", vec![0; length]) };
    assert!(opens(Entry { deflated: false, ..zeros(usize::try_from(LARGEST_ENTRY).unwrap()) }));
    assert!(opens(zeros(64 << 10)) && !opens(zeros((64 << 10) + 1)));
    let noise = noise(1000);
    let packed = u32::try_from(compress_to_vec(&noise, 6).len()).unwrap();
    let stated = |size: u32| Entry { stated_size: Some(size), ..Entry::new("noise", noise.clone()) };
    assert!(packed > 656 && opens(stated(packed * 100)) && !opens(stated(packed * 100 + 1)), "{packed}");
}

#[test]
fn an_archive_of_several_disks_is_refused() {
    let whole = archive(&[good()]);
    for field in [4, 6, 8] {
        let mut bytes = whole.clone();
        bytes[whole.len() - 22 + field] ^= 2;
        assert_eq!(Archive::open(&bytes).unwrap_err(), ZipError::Unsupported("several disks"), "{field}");
    }
}

#[test]
fn an_archive_is_told_by_its_first_bytes() {
    assert!(is_zip(&archive(&[good()])) && is_zip(&archive(&[])));
    assert!(!["", "PK", "PK\x01\x02", "{}"].into_iter().any(|other| is_zip(other.as_bytes())));
}
