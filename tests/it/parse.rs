//! Every format against the output in `fixtures/parse/<format>/<case>/input`: what is understood stands in
//! `expected.json` beside it (`GATEPOST_BLESS=1` rewrites it), no cut and no mutation hides anything.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gatepost::model::evidence::Parsed;
use gatepost::model::tests::CaseOutcome;
use gatepost::parse::matcher::Matcher;
use gatepost::parse::{self, Empty, Format, Lines, ParseError, Reader};
use gatepost::render::parse_v1::ParseV1;

use crate::bless;

struct Case {
    format: &'static Format,
    /// `junit/pytest`.
    name: String,
    folder: PathBuf,
    input: Vec<u8>,
    /// The `matcher.json` of a case of the format `matcher`.
    matcher: Option<Matcher>,
}

impl Case {
    fn read(&self) -> Result<Parsed, ParseError> {
        self.parse(&self.input)
    }

    /// As the format, or the case's matcher, reads any input.
    fn parse(&self, input: &[u8]) -> Result<Parsed, ParseError> {
        match &self.matcher {
            None => self.format.parse(input),
            Some(matcher) => {
                let mut lines = Lines::new(matcher.start());
                lines.feed(input);
                lines.end()
            }
        }
    }
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.is_dir());
    found.sort();
    found
}

fn file_name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/parse");
    let mut cases = Vec::new();
    for of_format in folders(&root) {
        let name = file_name(&of_format);
        let format = parse::find(name).unwrap_or_else(|| panic!("fixtures/parse/{name} is not the name of a format"));
        for folder in folders(&of_format) {
            let input = std::fs::read(folder.join("input")).unwrap();
            let matcher = std::fs::read(folder.join("matcher.json")).ok();
            let matcher = matcher.map(|json| Matcher::from_json(&json).unwrap());
            let name = format!("{name}/{}", file_name(&folder));
            cases.push(Case { format, name, folder, input, matcher });
        }
    }
    cases
}

fn json(format: &Format, read: &Result<Parsed, ParseError>) -> String {
    let text = match read {
        Ok(parsed) => serde_json::to_string_pretty(&ParseV1::new(format.name, parsed)),
        Err(error) => serde_json::to_string_pretty(&serde_json::json!({ "error": error.to_string() })),
    };
    text.unwrap() + "\n"
}

#[test]
fn every_fixture_is_understood_as_expected() {
    let found = |case: Case| {
        let got = json(case.format, &case.read());
        (case.name, case.folder.join("expected.json"), got)
    };
    bless::compare_all(cases().into_iter().map(found));
}

#[test]
fn every_format_has_good_empty_and_broken_fixtures() {
    let cases = cases();
    for format in parse::ALL {
        let reads: Vec<_> = cases.iter().filter(|case| case.format.name == format.name).map(Case::read).collect();
        let says =
            |parsed: &Parsed| parsed.findings.len() + parsed.tests.as_ref().map_or(0, |tests| tests.cases.len()) > 0;
        let has =
            |what: &str, found: bool| assert!(found, "fixtures/parse/{} has no fixture that is {what}", format.name);
        has("good", reads.iter().flatten().any(&says));
        // Of nothing an error is no surprise, and the good ones may have notes too.
        let broken = cases.iter().find(|case| case.name == format!("{}/broken", format.name));
        let told = |case: &Case| case.read().map_or(true, |parsed| !parsed.notes.is_empty());
        has("broken", broken.is_some_and(|case| !case.input.is_empty() && told(case)));
        let empty = cases.iter().find(|case| case.format.name == format.name && case.input.is_empty());
        has("empty", empty.is_some());
        match (format.empty, empty.unwrap().read()) {
            (Empty::Clean, Ok(parsed)) => assert!(!says(&parsed) && parsed.notes.is_empty(), "{parsed:?}"),
            (Empty::Error, Err(ParseError::Empty { .. })) => {}
            (_, other) => panic!("{} of nothing is {other:?}", format.name),
        }
    }
}

/// Fixtures that are rightly not recognised as their own format, and as what instead.
const NOT_AS_ITSELF: &[(&str, Option<&str>)] = &[
    ("junit/html", None),
    ("junit/entities", None),
    // The log of some program: JSON, and no diagnostic.
    ("rdjsonl/other-json", None),
    // Compilation failed: no test binary ran, so nothing of libtest is in it.
    ("libtest/compile", None),
    // The words of another format, or of none, where this one was promised.
    ("cargo/not-json", None),
    ("gotest/text", None),
    ("eslint/stylish", None),
    ("ruff/text", None),
    ("gcc/not-understood", None),
    ("gcc/mypy-clean", None),
    // An empty array is Ruff's clean report.
    ("eslint/no-files", Some("ruff")),
    // `cargo test` ran the tests too, and they are what is judged.
    ("cargo/tests", Some("libtest")),
    ("diff/cargo-fmt-newlines", None),
];

#[test]
fn every_fixture_is_recognised_by_its_content() {
    let own = |case: &&Case| !case.input.is_empty() && case.matcher.is_none();
    for case in cases().iter().filter(own) {
        let listed = NOT_AS_ITSELF.iter().find(|(name, _)| *name == case.name);
        let expected = listed.map_or(Some(case.format.name), |(_, other)| *other);
        let head = &case.input[..case.input.len().min(1 << 20)];
        assert_eq!(parse::recognise(head).map(|format| format.name), expected, "{}", case.name);
    }
}

/// A format that does not say when it is complete. Cut behind a whole line where `unseen` holds for what is left,
/// its output looks like an earlier end of the same tool: only the exit status can tell.
struct WithoutAnEnd {
    format: &'static str,
    unseen: fn(&str) -> bool,
}

const WITHOUT_AN_END: &[WithoutAnEnd] = &[
    // One diagnostic a line, and nothing else.
    WithoutAnEnd { format: "rdjsonl", unseen: |_| true },
    WithoutAnEnd { format: "gcc", unseen: |_| true },
    WithoutAnEnd { format: "github", unseen: |_| true },
    WithoutAnEnd { format: "matcher", unseen: |_| true },
    // Yarn 4 prints one advisory a line, and nothing else.
    WithoutAnEnd { format: "yarn-audit", unseen: |left| left.starts_with("{\"value\"") },
    // Nothing says how many hunks and files follow.
    WithoutAnEnd { format: "diff", unseen: |_| true },
    // The pretty shape closes with a count, the plain one does not.
    WithoutAnEnd { format: "tsc", unseen: |left| !left.contains('\u{1b}') },
    // go prints nothing behind the last package, and a build that warned is as good as one that did not.
    WithoutAnEnd {
        format: "gotest",
        unseen: |left| !left.lines().last().is_some_and(|line| line.contains("\"Test\":")),
    },
    // cargo prints nothing behind the last binary, so a cut between two of them cannot be seen.
    WithoutAnEnd {
        format: "libtest",
        unseen: |left| {
            let ends = ["\ntest result: ", "error: test failed"].into_iter().filter_map(|end| left.rfind(end));
            ends.max() > left.rfind("\nrunning ")
        },
    },
];

/// Where to cut: 20 offsets spread over the input, and around every line end among 20 lines spread over it.
fn offsets(input: &[u8]) -> Vec<usize> {
    let spread = |count: usize| (1..=20).map(move |part| count * part / 21);
    let ends: Vec<usize> = (0..input.len()).filter(|&at| input[at] == b'\n').collect();
    let lines = spread(ends.len()).filter_map(|at| ends.get(at)).flat_map(|&at| [at, at + 1]);
    let mut all: Vec<usize> = spread(input.len()).chain(lines).filter(|&at| at > 0 && at < input.len()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Everything that could make a gate red.
fn failures(parsed: &Parsed) -> Vec<String> {
    let findings = parsed.findings.iter().map(|finding| format!("{finding:?}"));
    let cases = parsed.tests.iter().flat_map(|tests| &tests.cases);
    let cases = cases.filter(|case| matches!(case.outcome, CaseOutcome::Failed | CaseOutcome::Errored));
    findings.chain(cases.map(|case| format!("{:?} {}", case.suite, case.name))).collect()
}

#[test]
fn no_cut_hides_anything() {
    let mut cuts = 0;
    // What is cut already says so, and cannot say it again.
    for case in cases().iter().filter(|case| !case.name.ends_with("/broken")) {
        let Ok(whole) = case.read() else { continue };
        let without_end = WITHOUT_AN_END.iter().find(|known| known.format == case.format.name);
        for offset in offsets(&case.input) {
            let left = &case.input[..offset];
            let Ok(cut) = case.parse(left) else { continue };
            let lost = failures(&whole).iter().any(|failure| !failures(&cut).contains(failure));
            let plain = |parsed: &Parsed| Parsed { notes: Vec::new(), not_understood: 0, ..parsed.clone() };
            let fewer = plain(&cut) != plain(&whole);
            let noted = cut.notes.iter().any(|note| !whole.notes.contains(note));
            let unseen =
                left.ends_with(b"\n") && without_end.is_some_and(|end| (end.unseen)(&String::from_utf8_lossy(left)));
            assert!(noted || unseen || !(lost || fewer), "{} cut at {offset} is {cut:#?}", case.name);
            cuts += 1;
        }
    }
    assert!(cuts > 0);
}

#[test]
fn chunks_of_any_size_say_the_same() {
    for case in cases() {
        let Reader::Lines(start) = case.format.reader else { continue };
        for size in [1, 7, 4096] {
            let mut lines = Lines::new(start());
            case.input.chunks(size).for_each(|chunk| lines.feed(chunk));
            assert_eq!(lines.end(), case.read(), "{} in chunks of {size}", case.name);
        }
    }
}

/// A xorshift generator: the same mutants on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % limit.max(1)
    }
}

fn mutate(input: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=random.below(4) {
        let from = random.below(bytes.len());
        let to = (from + random.below(60)).min(bytes.len());
        match random.below(4) {
            0 => bytes[from] ^= 1 << random.below(8),
            1 => drop(bytes.drain(from..to)),
            2 => {
                let slice = bytes[from..to].to_vec();
                let at = random.below(bytes.len());
                bytes.splice(at..at, slice);
            }
            _ => bytes[from] = *b"\0\xff<>&\"{}[]\n:;,9-e".get(random.below(18)).unwrap_or(&b' '),
        }
        if bytes.is_empty() {
            return input.to_vec();
        }
    }
    bytes
}

#[test]
fn mutations_neither_panic_nor_take_long() {
    for case in cases().iter().filter(|case| !case.input.is_empty()) {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for number in 0..60 {
            let mutant = mutate(&case.input, &mut random);
            let start = Instant::now();
            let _ = case.parse(&mutant);
            let _ = parse::recognise(&mutant);
            assert!(start.elapsed() < Duration::from_secs(2), "mutant {number} of {} took too long", case.name);
        }
    }
}
