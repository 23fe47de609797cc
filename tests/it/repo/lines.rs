//! Ranges and maps against an oracle: what is not added must be an equal line of the other side.

use gatepost::model::change::{ChangeSet, LineRange};
use gatepost::model::event::Occasion;
use gatepost::model::path::RepoPath;
use gatepost::model::sha::Sha;
use proptest::collection::vec;
use proptest::prelude::*;

use super::{Tree, event};

/// Few different lines, so that they repeat, some without an end.
fn text() -> impl Strategy<Value = String> {
    let line = prop_oneof!["[abc]", Just(String::new()), Just("a\r".to_owned()), Just("-- b".to_owned())];
    (vec(line, 0..12), any::<bool>()).prop_map(|(lines, ended)| {
        let mut text = lines.join("\n");
        if ended && !text.is_empty() {
            text.push('\n');
        }
        text
    })
}

/// The second text is the first with some lines dropped, doubled or replaced.
fn edited() -> impl Strategy<Value = (String, String)> {
    (text(), vec(0..6_u8, 12), text()).prop_map(|(old, edits, other)| {
        let mut new = String::new();
        let mut spare = other.split_inclusive('\n');
        for (line, edit) in old.split_inclusive('\n').zip(edits.iter().cycle()) {
            match edit {
                0 => {}
                1 => new.push_str(&line.repeat(2)),
                2 => new.push_str(spare.next().unwrap_or("z\n")),
                _ => new.push_str(line),
            }
        }
        (old, new)
    })
}

fn check(tree: &Tree, files: &[(String, String)]) {
    for (index, (old, _)) in files.iter().enumerate() {
        tree.write(&format!("f{index}"), old);
    }
    let base = tree.commit("base");
    for (index, (_, new)) in files.iter().enumerate() {
        tree.write(&format!("f{index}"), new);
    }
    tree.commit("edited");
    // A merge commit as GitHub makes it: base is its first parent, the head that receives annotations its second.
    // Here the head has the old texts, so that the maps lead back to what the ranges were made from.
    let head = Sha::parse(tree.git(&["commit-tree", "HEAD~1^{tree}", "-m", "head"]).trim()).unwrap();
    let merge = tree.git(&["commit-tree", "HEAD^{tree}", "-p", base.as_str(), "-p", head.as_str(), "-m", "merge"]);
    tree.git(&["reset", "--quiet", "--hard", merge.trim()]);
    let merges = vec![Sha::parse(merge.trim()).unwrap()];
    let occasion = Occasion { merges, ..event("pull_request", &head, Some(&base)) };
    // The two may choose different lines of equal ones; either must be right.
    compare(&tree.open().change(Some(&base), &occasion).unwrap().set, files);
    compare(&tree.open_by_program().change(Some(&base), &occasion).unwrap().set, files);
}

fn compare(set: &ChangeSet, files: &[(String, String)]) {
    for (index, (old, new)) in files.iter().enumerate() {
        let path = RepoPath::parse(&format!("f{index}")).unwrap();
        let old: Vec<&str> = old.split_inclusive('\n').collect();
        let new: Vec<&str> = new.split_inclusive('\n').collect();
        assert_eq!(set.files.contains_key(&path), old != new);
        let added = |at: u32| {
            let line = LineRange { start: at, end: at };
            set.files.get(&path).is_some_and(|file| file.added.iter().any(|range| range.meets(line)))
        };
        let kept: Vec<&str> = (1..).zip(&new).filter(|(at, _)| !added(*at)).map(|(_, line)| *line).collect();
        let mut rest = old.iter();
        assert!(kept.iter().all(|line| rest.any(|other| other == line)), "{kept:?} was not in {old:?}");
        assert!(kept.len() >= common_ends(&old, &new), "{kept:?} of {new:?} is not all that stayed of {old:?}");

        let mut last = 0;
        let mut mapped = 0;
        for (at, line) in (1..).zip(&new) {
            let Some(there) = set.head_line(&path, at) else { continue };
            assert_eq!(*line, old[there as usize - 1], "{at} of {new:?} is {there} of {old:?}");
            assert!(there > last, "lines keep their order");
            last = there;
            mapped += 1;
        }
        assert!(mapped >= common_ends(&old, &new));
        if let Some(file) = set.files.get(&path) {
            assert!(file.added.iter().all(|range| range.start >= 1 && range.end as usize <= new.len()));
            assert!(file.added.windows(2).all(|pair| pair[0].end < pair[1].start));
        }
    }
}

/// How many lines of a common start, or else of a common end, the two share.
fn common_ends(old: &[&str], new: &[&str]) -> usize {
    let start = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let end = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    start.max(end)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn added_lines_and_maps_agree_with_an_oracle(files in vec(edited(), 40)) {
        check(&Tree::new(), &files);
    }
}
