//! Which package needs which: the shortest way from what the project asks for to each package, and what is needed only
//! to develop. It knows no format.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Lockfile, PassedOver, Why};
use crate::model::package::{Ecosystem, Package, Way};

/// An entry of a lockfile.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub name: String,
    pub version: String,
    /// From 1.
    pub line: u32,
    /// Why no advisory can be looked up for it, if so. An archive whose version is known is looked up.
    pub passed_over: Option<Why>,
    /// Whether it is needed only to develop, where the file tells so itself.
    pub dev: Option<bool>,
    /// The entries that it needs, by number.
    pub needs: Vec<usize>,
}

/// What the project itself asks for: entries by number. The project's own packages are not among them, what they ask
/// for is.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// To run.
    pub always: Vec<usize>,
    /// Only to develop, build or test.
    pub dev: Vec<usize>,
}

impl Asked {
    /// Asks also for what the project's own packages among the entries need, in place of them.
    pub fn through_own(&mut self, entries: &[Entry]) {
        let is_own = |entry: &&Entry| entry.passed_over == Some(Why::Own);
        self.always.extend(entries.iter().filter(is_own).flat_map(|entry| &entry.needs));
        let is_foreign = |at: &usize| entries[*at].passed_over != Some(Why::Own);
        self.always.retain(is_foreign);
        self.dev.retain(is_foreign);
    }
}

/// A lockfile of these entries. `asked` is `None` where the file does not tell what the project itself asks for.
pub(super) fn lockfile(ecosystem: Ecosystem, entries: Vec<Entry>, asked: Option<&Asked>) -> Lockfile {
    let mut ways = asked.map(|asked| Ways::new(&entries, asked));
    let mut lockfile = Lockfile::default();
    let mut known: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut passed_over: BTreeSet<(String, Why)> = BTreeSet::new();
    for (at, entry) in entries.into_iter().enumerate() {
        if let Some(why) = entry.passed_over.filter(|why| *why != Why::Archive || entry.version.is_empty()) {
            let entry = PassedOver { name: entry.name, line: entry.line, why };
            if passed_over.insert((entry.name.clone(), why)) {
                lockfile.passed_over.push(entry);
            }
            continue;
        }
        let package = Package {
            ecosystem,
            dev: entry.dev.unwrap_or_else(|| ways.as_ref().is_some_and(|ways| ways.dev[at])),
            direct: ways.as_ref().map(|ways| ways.direct[at]),
            line: entry.line,
            path: ways.as_mut().map(|ways| std::mem::take(&mut ways.paths[at])).unwrap_or_default(),
            name: entry.name,
            version: entry.version,
        };
        match known.entry((package.name.clone(), package.version.clone())) {
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(lockfile.packages.len());
                lockfile.packages.push(package);
            }
            std::collections::btree_map::Entry::Occupied(place) => {
                merge(&mut lockfile.packages[*place.get()], package);
            }
        }
    }
    lockfile.packages.sort_by_key(|package| package.line);
    lockfile
}

/// The same package at a second place of the file.
fn merge(first: &mut Package, second: Package) {
    first.dev &= second.dev;
    first.direct = first.direct.max(second.direct);
    let length = |way: &Way| if way.length() == 0 { usize::MAX } else { way.length() };
    let order = length(&second.path).cmp(&length(&first.path));
    if order.then_with(|| second.path.names().cmp(&first.path.names())).is_lt() {
        first.path = second.path;
    }
}

struct Ways {
    direct: Vec<bool>,
    dev: Vec<bool>,
    paths: Vec<Way>,
}

impl Ways {
    fn new(entries: &[Entry], asked: &Asked) -> Self {
        let mut direct = vec![false; entries.len()];
        for &at in asked.always.iter().chain(&asked.dev) {
            direct[at] = true;
        }
        let always = came_from(entries, &asked.always);
        let starts: Vec<usize> = asked.always.iter().chain(&asked.dev).copied().collect();
        let any = came_from(entries, &starts);
        let dev = always.iter().zip(&any).map(|(always, any)| always.is_none() && any.is_some()).collect();
        Self { direct, dev, paths: ways(entries, &any) }
    }
}

/// Which entries are needed by none of `starts`, not even over others.
pub(super) fn out_of_reach(entries: &[Entry], starts: &[usize]) -> Vec<usize> {
    let from = came_from(entries, starts);
    (0..entries.len()).filter(|&at| from[at].is_none()).collect()
}

/// For each entry that can be reached, the one before it on a shortest way; a start comes from itself. Among ways of
/// one length that of the first names is taken, whatever the order of the file.
fn came_from(entries: &[Entry], starts: &[usize]) -> Vec<Option<usize>> {
    let in_order = |numbers: &[usize]| {
        let mut numbers = numbers.to_vec();
        numbers.sort_by_key(|&at| (&entries[at].name, &entries[at].version, at));
        numbers
    };
    let mut from = vec![None; entries.len()];
    let mut next = VecDeque::new();
    for at in in_order(starts) {
        if from[at].is_none() {
            from[at] = Some(at);
            next.push_back(at);
        }
    }
    while let Some(at) = next.pop_front() {
        for needed in in_order(&entries[at].needs) {
            if from[needed].is_none() {
                from[needed] = Some(at);
                next.push_back(needed);
            }
        }
    }
    from
}

/// The way to each entry from where it is asked for; none where that is longer than anyone reads.
fn ways(entries: &[Entry], from: &[Option<usize>]) -> Vec<Way> {
    let mut ways: Vec<Option<Way>> = vec![None; entries.len()];
    let mut open = Vec::new();
    for mut at in 0..entries.len() {
        while ways[at].is_none() {
            open.push(at);
            match from[at].filter(|before| *before != at) {
                Some(before) => at = before,
                None => break,
            }
        }
        while let Some(at) = open.pop() {
            let way = match from[at] {
                None => None,
                Some(before) if before == at => Way::default().and(&entries[at].name),
                // Nothing leads on from a way that is too long.
                Some(before) => {
                    ways[before].as_ref().filter(|way| way.length() > 0).and_then(|way| way.and(&entries[at].name))
                }
            };
            ways[at] = Some(way.unwrap_or_default());
        }
    }
    ways.into_iter().map(Option::unwrap_or_default).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, needs: &[usize]) -> Entry {
        Entry { name: name.to_owned(), version: "1".to_owned(), needs: needs.to_vec(), ..Entry::default() }
    }

    #[test]
    fn ways_are_short_and_do_not_depend_on_the_order() {
        // a -> c -> d, b -> d, e asked for to develop and needing itself, f by nobody.
        let entries = vec![
            entry("f", &[]),
            entry("d", &[]),
            entry("c", &[1]),
            entry("b", &[1]),
            entry("a", &[2]),
            entry("e", &[5]),
        ];
        assert_eq!(out_of_reach(&entries, &[4, 3]), [0, 5]);
        let asked = Asked { always: vec![4, 3], dev: vec![5] };
        let read = lockfile(Ecosystem::Npm, entries, Some(&asked));
        let shown: Vec<String> = read
            .packages
            .iter()
            .map(|package| format!("{} {} {}", package.path.names().join(">"), package.dev, package.direct.unwrap()))
            .collect();
        assert_eq!(
            shown,
            [" false false", "b>d false false", "a>c false false", "b false true", "a false true", "e true true"]
        );
    }

    #[test]
    fn ways_without_end_are_not_told() {
        let name = |at: usize| format!("p{at}");
        let mut chain: Vec<Entry> = (0..Way::LONGEST).map(|at| entry(&name(at), &[at + 1])).collect();
        chain.push(entry(&name(Way::LONGEST), &[]));
        let read = lockfile(Ecosystem::Npm, chain, Some(&Asked { always: vec![0], dev: Vec::new() }));
        let length = |at: usize| read.packages[at].path.length();
        assert_eq!((length(Way::LONGEST - 1), length(Way::LONGEST)), (Way::LONGEST, 0));
    }

    #[test]
    fn an_archive_is_looked_up_where_its_version_is_known() {
        let archive = |name: &str| Entry { passed_over: Some(Why::Archive), ..entry(name, &[]) };
        let nameless = Entry { version: String::new(), ..archive("b") };
        let read = lockfile(Ecosystem::Npm, vec![archive("a"), nameless], None);
        assert_eq!((read.packages.len(), read.packages[0].name.as_str()), (1, "a"));
        assert_eq!((read.passed_over.len(), read.passed_over[0].name.as_str()), (1, "b"));
    }

    #[test]
    fn a_package_at_two_places_is_one() {
        let entries = vec![entry("a", &[1]), entry("b", &[]), entry("b", &[]), entry("b", &[])];
        let read = lockfile(Ecosystem::Npm, entries, Some(&Asked { always: vec![0], dev: vec![3] }));
        assert_eq!(read.packages.len(), 2);
        let b = &read.packages[1];
        assert_eq!((b.dev, b.direct, b.path.names().join(">").as_str()), (false, Some(true), "b"));
    }
}
