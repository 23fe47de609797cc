//! The rules of `integrity` against cases: each file of fixtures/integrity says in its first comment what must be found in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use gatepost::integrity::{self, Checked, Listing, Tree, rules};

/// The day on which the cases are judged.
const TODAY: &str = "2026-11-30";

/// A repository of a few files.
#[derive(Default)]
struct Few(BTreeMap<String, String>);

impl Few {
    fn with(mut self, path: &str, text: impl Into<String>) -> Self {
        self.0.insert(path.to_owned(), text.into());
        self
    }

    fn check(&self) -> Checked {
        integrity::check(self, TODAY.parse().unwrap())
    }
}

impl Tree for Few {
    fn list(&self) -> Listing {
        Listing { paths: self.0.keys().cloned().collect(), ..Listing::default() }
    }

    fn read(&self, path: &str) -> Result<Option<String>, String> {
        Ok(self.0.get(path).cloned())
    }
}

/// One file of the corpus.
struct Case {
    rule: String,
    neutralised: bool,
    name: String,
    text: String,
}

fn cases() -> Vec<Case> {
    let list = |path: &Path| -> Vec<PathBuf> {
        let mut paths: Vec<PathBuf> =
            fs::read_dir(path).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    };
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let mut cases = Vec::new();
    for rule in list(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/integrity")) {
        for (folder, neutralised) in [("true", true), ("near", false)] {
            for path in list(&rule.join(folder)) {
                let text = fs::read_to_string(&path).unwrap();
                cases.push(Case { rule: name(&rule), neutralised, name: name(&path), text });
            }
        }
    }
    cases
}

impl Case {
    /// Where a file of its kind lies in a repository.
    fn path(&self) -> String {
        match self.name.split_once('.').unwrap().1 {
            "action.yml" => "action.yml".to_owned(),
            "yml" => ".github/workflows/case.yml".to_owned(),
            "json" => "package.json".to_owned(),
            "mk" => "Makefile".to_owned(),
            "just" => "justfile".to_owned(),
            "toml" => "gatepost.toml".to_owned(),
            "sh" => "ci/case.sh".to_owned(),
            other => panic!("{other}: no such kind of case"),
        }
    }

    fn tree(&self) -> Few {
        const CALLER: &str =
            "on: push\njobs:\n  case:\n    runs-on: ubuntu-latest\n    steps:\n      - run: ci/case.sh\n";
        let mut tree = Few::default().with(&self.path(), self.text.as_str());
        if self.name.ends_with(".sh") {
            tree = tree.with(".github/workflows/caller.yml", CALLER);
        }
        for file in self.comment("# files ").unwrap_or_default().split_whitespace() {
            tree = tree.with(file, "");
        }
        tree
    }

    fn comment(&self, sign: &str) -> Option<&str> {
        self.text.lines().find_map(|line| line.split_once(sign)).map(|(_, rest)| rest)
    }

    /// `GI101 error 8`, sorted.
    fn expected(&self) -> Vec<String> {
        let said = self.comment("expect ").unwrap_or_else(|| panic!("{}: expects nothing", self.name));
        let said = said.trim_end_matches(['"', ',']);
        let mut expected: Vec<String> = said.split(", ").filter(|one| *one != "nothing").map(str::to_owned).collect();
        expected.sort();
        expected
    }
}

fn found(checked: &Checked) -> Vec<String> {
    let finding = |finding: &gatepost::model::finding::Finding| {
        format!("{} {} {}", finding.rule.as_deref().unwrap(), finding.level.word(), finding.line.unwrap())
    };
    let mut found: Vec<String> = checked.findings.iter().map(finding).collect();
    found.sort();
    found
}

#[test]
fn every_case_is_found_and_no_near_miss() {
    let (mut wrong, mut hit, mut missed, mut false_hits) = (Vec::new(), 0, 0, 0);
    let cases = cases();
    for case in &cases {
        let checked = case.tree().check();
        let (expected, found) = (case.expected(), found(&checked));
        hit += expected.iter().filter(|one| found.contains(one)).count();
        missed += expected.iter().filter(|one| !found.contains(one)).count();
        false_hits += found.iter().filter(|one| !expected.contains(one)).count();
        if expected != found || !checked.problems.is_empty() || case.neutralised == expected.is_empty() {
            let name = format!("{}/{}", case.rule, case.name);
            wrong.push(format!("{name}: expected {expected:?}, found {found:?}, {:?}", checked.problems));
        }
    }
    for rule in rules::ALL {
        for neutralised in [true, false] {
            let count = cases.iter().filter(|case| case.rule == rule.id && case.neutralised == neutralised).count();
            assert!(count >= 4, "{}: {count} cases with neutralised = {neutralised}, at least 4 are wanted", rule.id);
        }
    }
    println!("hits {hit}, missed {missed}, false {false_hits} in {} cases", cases.len());
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
