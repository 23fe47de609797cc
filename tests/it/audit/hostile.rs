//! Records, archives and lockfiles that strangers made: nothing panics, nothing grows without a bound, nothing that was
//! cut is taken for whole; and the matcher says what the plainest reading of the format says.

use gatepost::advisory::matching::{Affected, affects};
use gatepost::advisory::record::{Advisory, Event};
use gatepost::advisory::version::Version;
use gatepost::advisory::{osv as reader, rustsec};
use gatepost::model::package::Ecosystem;
use gatepost::parse::zip::{Archive, Limits, ZipError};
use proptest::prelude::*;
use serde_json::json;

use super::{Place, cargo_lock, critical, osv};
use crate::archive::{Entry, archive, end};

#[test]
fn bombs_and_paths_that_lead_elsewhere_are_refused() {
    let place = Place::new();
    place.tree.write("Cargo.lock", cargo_lock(&[("time", "0.1.40")]));
    let good = Entry::new("good.json", osv("RUSTSEC-1", "crates.io", "time", "9.0.0", &critical()).to_string());
    let many_zeros = Entry::new("bomb.json", vec![b' '; 19 << 20]);
    let lying = Entry { stated_size: Some(100), ..Entry::new("lying.json", vec![b' '; 1 << 20]) };
    let outside = Entry::new("../../outside.json", "{}");
    let broken = Entry { checksum: Some(7), ..Entry::new("broken.json", "{}") };
    for (bad, says) in [
        (many_zeros, "is more than 100 times larger than its packed bytes"),
        (lying, "cannot be inflated to the size it states"),
        (outside, "leads out of its folder"),
        (broken, "is not of the size and checksum it states"),
    ] {
        place.tree.write("../bad.zip", archive(&[good.clone(), bad]));
        let ran = place.call(&["audit", "--db", "../bad.zip"]);
        assert_eq!(ran.code, Some(4), "{says}: {ran:?}");
        assert!(ran.out.contains(says), "{}", ran.out);
    }
    assert!(!place.beside("outside.json").exists());
}

/// An archive whose end says where a ZIP64 end is.
fn wide(entries: &[Entry], lie: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let plain = archive(entries);
    let directory_end = plain.len() - 22;
    let number = |at: usize| u64::from(u32::from_le_bytes(plain[at..at + 4].try_into().unwrap()));
    let (size, offset) = (number(directory_end + 12), number(directory_end + 16));
    let mut record = Vec::new();
    record.extend(0x0606_4b50_u32.to_le_bytes());
    record.extend(44_u64.to_le_bytes());
    record.extend([45, 0, 45, 0]);
    record.extend([0; 8]);
    for field in [entries.len() as u64, entries.len() as u64, size, offset] {
        record.extend(field.to_le_bytes());
    }
    lie(&mut record);
    let mut out = plain[..directory_end].to_vec();
    out.extend(&record);
    out.extend(0x0706_4b50_u32.to_le_bytes());
    out.extend(0_u32.to_le_bytes());
    out.extend((directory_end as u64).to_le_bytes());
    out.extend(1_u32.to_le_bytes());
    out.extend(&end(Vec::new(), &[], u16::MAX)[..]);
    out
}

#[test]
fn archives_of_very_many_entries_are_read_and_lying_ones_are_not() {
    let entries = [Entry::new("a.json", "one"), Entry::new("b.json", "two")];
    let good = wide(&entries, |_| {});
    let read = Archive::open_within(&good, Limits::DUMP).unwrap();
    assert_eq!(read.entries.len(), 2);
    assert_eq!(read.read(&read.entries[1]).unwrap(), b"two");
    for at in 0..56 {
        let bad = wide(&entries, |record| record[at] ^= 1);
        let refused = Archive::open_within(&bad, Limits::DUMP).is_err();
        // The versions that made it and that are needed, and what is reserved, say nothing.
        assert!(refused || (12..16).contains(&at), "{at}");
    }
    for length in 0..good.len() {
        assert!(Archive::open_within(&good[..length], Limits::DUMP).is_err(), "{length}");
    }
    let few = Limits { entries: 1, ..Limits::DUMP };
    assert!(matches!(Archive::open_within(&good, few), Err(ZipError::TooLarge(_))));
}

#[test]
fn records_with_strange_contents_are_read_or_refused() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let with = |affected: serde_json::Value| json!({"id": "X-1", "affected": affected}).to_string();
    for text in [
        deep.clone(),
        format!("{{\"id\": \"X\", \"details\": {deep}}}"),
        with(json!([{"package": {"ecosystem": "npm", "name": "a\nb"}}])),
        with(json!([{"package": {"ecosystem": "npm", "name": ""}}])),
        json!({"id": "X\u{1b}[31m"}).to_string(),
        json!({"id": "X".repeat(400)}).to_string(),
        with(
            json!([{"package": {"ecosystem": "npm", "name": "a"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "99999999999999999999999.0.0"}]}]}]),
        ),
    ] {
        assert!(reader::read(text.as_bytes()).is_err(), "{}", &text[..text.len().min(80)]);
    }
    for text in [
        with(json!([{"package": {"ecosystem": "Debian:12", "name": "a"}, "versions": [], "ranges": null}])),
        with(json!([{"ranges": [{"type": "GIT", "events": [{"introduced": "abc"}]}]}])),
        json!({"id": "X", "aliases": null, "severity": null, "affected": null, "database_specific": {"severity": 7}})
            .to_string(),
    ] {
        assert!(reader::read(text.as_bytes()).is_ok(), "{text}");
    }
}

#[test]
fn what_a_database_says_is_shown_as_text_alone() {
    let place = Place::new();
    place.tree.write("Cargo.lock", cargo_lock(&[("time", "0.1.40")]));
    let mut record = osv("RUSTSEC-1", "crates.io", "time", "9.0.0", &critical());
    record["summary"] = json!("bad\u{1b}[2J\u{202e} <!-- --> @everyone ::error::x\nsecond line");
    place.record(&record);
    let ran = place.audit(&[]);
    assert!(!ran.out.contains(['\u{1b}', '\u{202e}']), "{:?}", ran.out);
    assert!(!ran.out.contains("second line"), "a summary is one line");
}

/// As <https://ossf.github.io/osv-schema/#evaluation> has it, for one range whose versions are whole numbers: the last
/// event at or before the version decides.
fn naive(events: &[(u64, bool)], version: u64) -> bool {
    let mut sorted = events.to_vec();
    sorted.sort_by_key(|(at, _)| *at);
    sorted.iter().rfind(|(at, _)| *at <= version).is_some_and(|(_, introduced)| *introduced)
}

proptest! {
    #[test]
    fn the_matcher_agrees_with_a_naive_reading(
        events in proptest::collection::btree_map(0_u64..20, any::<bool>(), 0..8),
        listed in proptest::collection::vec(0_u64..20, 0..4),
        version in 0_u64..22,
    ) {
        let events: Vec<(u64, bool)> = events.into_iter().collect();
        let text = |number: u64| format!("{number}.0.0");
        let event = |(at, introduced): &(u64, bool)| match introduced {
            true => Event::Introduced(text(*at)),
            false => Event::Fixed(text(*at)),
        };
        for ecosystem in Ecosystem::ALL {
            let mut shuffled: Vec<Event> = events.iter().map(event).collect();
            shuffled.reverse();
            let advisory = Advisory {
                ranges: vec![shuffled],
                versions: listed.iter().map(|number| text(*number)).collect(),
                ..Advisory::default()
            };
            let parsed = Version::parse(ecosystem, &text(version));
            let expected = listed.contains(&version) || naive(&events, version);
            prop_assert_eq!(affects(&advisory, ecosystem, &text(version), parsed.as_ref()) == Affected::Yes, expected, "{}", ecosystem);
        }
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in "\\PC{0,200}", bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = reader::read(text.as_bytes());
        let _ = reader::read(&bytes);
        let _ = rustsec::read(&bytes, false);
        let _ = rustsec::read(format!("```toml\n{text}\n```\n# t").as_bytes(), true);
        let _ = Archive::open_within(&bytes, Limits::DUMP);
        for ecosystem in Ecosystem::ALL {
            let _ = Version::parse(ecosystem, &text);
        }
    }

    #[test]
    fn no_mutated_archive_makes_a_reader_panic(at in 0_usize..400, to in any::<u8>(), cut in 0_usize..400) {
        let mut bytes = wide(&[Entry::new("a.json", "{}".repeat(50)), Entry::new("b.json", "two")], |_| {});
        let at = at % bytes.len();
        bytes[at] = to;
        bytes.truncate(bytes.len() - cut % 3);
        if let Ok(read) = Archive::open_within(&bytes, Limits::DUMP) {
            for entry in &read.entries {
                let _ = read.read(entry);
            }
        }
    }
}
