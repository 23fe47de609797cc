//! The rules of `integrity` against cases: each file of fixtures/integrity says in its first comment what must be found in it.

mod aggregators;
mod calls;
mod hollow;
mod read;

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
        if self.path() == "ci/case.sh" {
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

/// Ways to take a gate away. Each gets a workflow and the step of a gate in it.
mod planted {
    use std::ops::Range;

    use gatepost::model::yaml::{self, Node, Style};

    /// A step that runs one gate.
    pub struct Gate<'a> {
        text: &'a str,
        job: &'a Node,
        run: &'a Node,
        /// The gate's command.
        pub command: &'a str,
    }

    /// Commands that nobody doubts are gates; on purpose not the tool's own dictionary.
    const UNDOUBTED: &[&str] = &[
        "cargo test",
        "cargo clippy",
        "cargo fmt --all -- --check",
        "cargo fmt -- --check",
        "cargo deny check",
        "cargo nextest run",
        "npx eslint",
        "npx jest",
        "npx tsc",
        "npx vitest run",
        "pytest",
        "python -m pytest",
        "mypy",
        "ruff check",
        "flake8",
        "tox",
        "go test",
        "go vet",
        "golangci-lint run",
        "shellcheck",
        "hadolint",
        "yamllint",
        "./gradlew check",
        "mvn -B verify",
        "bundle exec rspec",
        "bundle exec rubocop",
    ];

    /// The characters of a range.
    fn splice(text: &str, at: Range<usize>, new: &str) -> String {
        let before = text.chars().take(at.start);
        before.chain(new.chars()).chain(text.chars().skip(at.end)).collect()
    }

    impl Gate<'_> {
        /// Another command in its place.
        fn command(&self, new: &str) -> String {
            splice(self.text, self.run.written.span.clone(), new)
        }

        /// Several lines in its place.
        fn lines(&self, lines: &[&str]) -> String {
            let before: String = self.text.chars().take(self.run.written.key.start).collect();
            let indent = " ".repeat(before.chars().rev().take_while(|c| *c != '\n').count() + 2);
            let end = format!("\n{indent}");
            self.command(&format!("|{end}{}", lines.join(&end)))
        }

        /// A further key before one that stands at the beginning of its line, or behind the dash of its step.
        fn key(&self, before: &Node, new: &str) -> String {
            let start = before.written.key.start;
            let head: String = self.text.chars().take(start).collect();
            let indent = " ".repeat(head.chars().rev().take_while(|c| *c != '\n').count());
            splice(self.text, start..start, &format!("{new}\n{indent}"))
        }

        fn in_job(&self, new: &str) -> String {
            self.key(&self.job.entries()[0].1, new)
        }

        fn further_job(&self, condition: &str) -> String {
            let tree = yaml::read(self.text).unwrap();
            let (id, job) = tree.get("jobs").unwrap().entries().iter().find(|(_, job)| job == self.job).unwrap();
            let column = self.text.chars().take(job.written.key.start).collect::<String>();
            let indent = " ".repeat(column.chars().rev().take_while(|c| *c != '\n').count());
            let body = format!(
                "planted:\n{indent}  needs: [{id}]\n{condition}{indent}  runs-on: ubuntu-latest\n{indent}  steps:\n{indent}    - run: echo ok"
            );
            self.key(job, &body)
        }

        fn indented(&self, line: &str) -> String {
            let tree = yaml::read(self.text).unwrap();
            let job = &tree.get("jobs").unwrap().entries()[0].1;
            let head = self.text.chars().take(job.written.key.start).collect::<String>();
            format!("{}  {line}\n", " ".repeat(head.chars().rev().take_while(|c| *c != '\n').count()))
        }
    }

    /// Every neutralisation: its name, and what becomes of the workflow.
    pub fn all(gate: &Gate<'_>) -> Vec<(&'static str, String)> {
        let command = gate.command;
        let tool = command.split(' ').find(|word| !["npx", "python", "-m", "bundle", "exec"].contains(word)).unwrap();
        let mut all = vec![
            ("or true", gate.command(&format!("{command} || true"))),
            ("or colon", gate.lines(&[&format!("{command} || :")])),
            ("or exit 0", gate.command(&format!("{command} || exit 0"))),
            ("or echo", gate.command(&format!("{command} || echo failed"))),
            ("or a block", gate.lines(&[&format!("{command} || {{ echo failed; true; }}")])),
            ("if not", gate.lines(&[&format!("if ! {command}; then"), "  echo failed", "fi"])),
            ("set +e", gate.lines(&["set +e", command, "echo over"])),
            ("set +e, exit 0", gate.lines(&["set +e", command, "exit 0"])),
            ("background", gate.lines(&[&format!("{command} &"), "echo over"])),
            ("trap", gate.lines(&["trap 'exit 0' EXIT", command])),
            ("tool missing", gate.lines(&[&format!("if command -v {tool}; then"), &format!("  {command}"), "fi"])),
            ("continue-on-error of the step", gate.key(gate.run, "continue-on-error: true")),
            ("continue-on-error of the job", gate.in_job("continue-on-error: true")),
            ("if false on the step", gate.key(gate.run, "if: false")),
            ("if false on the job", gate.in_job("if: ${{ false }}")),
            ("aggregator that is skipped", gate.further_job("")),
            ("aggregator that reads nothing", gate.further_job(&gate.indented("if: always()"))),
        ];
        if !gate.text.contains("shell: bash") && !gate.text.contains("pipefail") {
            all.push(("pipe", gate.command(&format!("{command} | tee out.txt"))));
        }
        // Elsewhere there is no title, and the step runs.
        if gate.text.contains("pull_request") {
            let title = "if: ${{ !contains(github.event.pull_request.title, 'skip') }}";
            all.push(("skip by the title", gate.key(gate.run, title)));
        }
        if command.starts_with("cargo test") && gate.text.matches("cargo test").count() == 1 {
            all.push(("no run", gate.command(&command.replace("cargo test", "cargo test --no-run"))));
        }
        all
    }

    /// The first steps of each job that run one gate, and nothing but the gate.
    pub fn gates<'a>(text: &'a str, tree: &'a Node) -> Vec<Gate<'a>> {
        let alone = |node: &Node| {
            let head: String = text.chars().take(node.written.key.start).collect();
            let head: String = head.chars().rev().take_while(|c| *c != '\n').collect();
            head.chars().all(|c| matches!(c, ' ' | '-'))
        };
        let jobs = tree.get("jobs").map(Node::entries).unwrap_or_default();
        let first = jobs.iter().filter_map(|(_, job)| {
            // PowerShell is not read, and that is said.
            let windows = job.get("runs-on").and_then(Node::text).is_some_and(|on| on.contains("windows"));
            if windows || job.get("if").is_some() || job.get("continue-on-error").is_some() || !alone(job) {
                return None;
            }
            job.get("steps")?.items().iter().find_map(|step| {
                let run = step.get("run").filter(|run| run.written.style == Style::Plain && alone(run))?;
                let plain = ["if", "continue-on-error", "shell", "id"].iter().all(|key| step.get(key).is_none());
                let command = run.text().filter(|_| plain)?;
                let gate = UNDOUBTED.iter().any(|known| {
                    command.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
                });
                let simple = !command.contains(['|', ';', '&', '\n', '>', '#', ':'])
                    && !command.contains("${{")
                    && !command.contains("--no-run");
                (gate && simple).then_some(Gate { text, job, run, command })
            })
        });
        first.collect()
    }
}

/// Green workflows: of the project, or below the folder that `GATEPOST_GREEN` names, as the measure in docs/integrity.md was made.
fn green() -> Vec<String> {
    let Ok(folder) = std::env::var("GATEPOST_GREEN") else {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/integrity-green");
        return fs::read_dir(folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
    };
    let repositories = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path().join(".github/workflows"));
    let files = repositories.filter_map(|path| fs::read_dir(path).ok()).flatten().map(|entry| entry.unwrap().path());
    files.filter_map(|path| fs::read_to_string(path).ok()).collect()
}

#[test]
fn planted_neutralisations_are_caught() {
    let mut of: BTreeMap<&str, (usize, Vec<String>)> = BTreeMap::new();
    let judge = |text: &str| Few::default().with(".github/workflows/case.yml", text).check();
    for text in green() {
        let Ok(tree) = gatepost::model::yaml::read(&text) else { continue };
        let count = |checked: &Checked| {
            checked.findings.iter().filter(|finding| finding.level > gatepost::model::finding::Level::Note).count()
        };
        let before = judge(&text);
        for gate in planted::gates(&text, &tree) {
            for (name, planted) in planted::all(&gate) {
                let after = judge(&planted);
                let (tried, missed) = of.entry(name).or_default();
                *tried += 1;
                if count(&after) <= count(&before) || after.problems.len() > before.problems.len() {
                    missed.push(format!("{name}: {:?} of\n{planted}", after.problems));
                }
            }
        }
    }
    let (mut tried, mut missed) = (0, Vec::new());
    for (name, (count, lost)) in &of {
        println!("{name}: {} of {count}", count - lost.len());
        tried += count;
        missed.extend(lost.iter().take(2));
    }
    let lost: usize = of.values().map(|(_, lost)| lost.len()).sum();
    println!("caught {} of {tried}", tried - lost);
    assert!(tried > 100, "{tried} neutralisations are too few for a measure");
    assert!(
        lost * 20 <= tried,
        "{lost} of {tried} were missed, of which\n{}",
        missed.iter().map(|one| one.as_str()).collect::<Vec<_>>().join("\n")
    );
}

/// A repository of links alone.
struct Linked(std::cell::RefCell<Option<Listing>>);
impl Tree for Linked {
    fn list(&self) -> Listing {
        self.0.take().unwrap()
    }

    fn read(&self, path: &str) -> Result<Option<String>, String> {
        panic!("{path} is a link")
    }
}

#[test]
fn what_cannot_be_read_is_never_clean() {
    let problem = |path: &str, text: &str| {
        let checked = Few::default().with(path, text).check();
        assert!(
            checked.problems.len() + checked.notes.len() > 0,
            "{path} is silently clean: {}",
            &text[..text.len().min(80)]
        );
        checked.problems.len() == 1
    };
    let run = |script: &str| {
        format!("on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: |\n          {script}\n")
    };
    let workflow = ".github/workflows/a.yml";
    assert!(problem(workflow, "on: [push\njobs: {}\n"));
    assert!(problem(workflow, "on: push\non: push\njobs: {}\n"));
    assert!(problem(workflow, &"[".repeat(100_000)));
    assert!(problem(workflow, &run("if cargo test; then")));
    assert!(problem(workflow, &run(&"$(".repeat(20_000))));
    assert!(problem(workflow, &run(&"a && ".repeat(50_000))));
    assert!(problem("package.json", "{\"scripts\": {"));
    assert!(problem("gatepost.toml", "[gates"));
    assert!(!problem(workflow, "version: 2\nupdates: []\n"), "it is no workflow, which is only said");
    let links = Listing { links: vec!["package.json".to_owned()], ..Listing::default() };
    let checked = integrity::check(&Linked(Some(links).into()), TODAY.parse().unwrap());
    assert_eq!(checked.notes, ["package.json: is a link, which is not followed"]);
}

#[test]
fn scripts_that_call_one_another_come_to_an_end() {
    let tree = Few::default()
        .with(
            ".github/workflows/a.yml",
            "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: ./a.sh || true\n",
        )
        .with("a.sh", "#!/bin/sh -e\n./b.sh\n")
        .with("b.sh", "#!/bin/sh -e\n./a.sh\ncargo test\n");
    assert_eq!(found(&tree.check()), ["GI101 error 6"]);
}

#[test]
fn the_first_line_of_a_file_counts_where_it_is_used() {
    let found_in = |call: &str, first: &str, script: &str| {
        let workflow = format!("on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: {call}\n");
        let tree = Few::default().with(".github/workflows/a.yml", workflow);
        found(&tree.with("ci.sh", format!("{first}\n{script}\n")).check())
    };
    for (call, first) in [
        ("./ci.sh", "#!/bin/bash -e"),
        ("bash -e ci.sh", "#!/bin/bash"),
        ("./ci.sh", "#!/bin/sh -eu"),
        ("./ci.sh", "#!/usr/bin/env -S bash -e"),
        ("bash -uo errexit ci.sh", "#!/bin/bash"),
    ] {
        assert_eq!(found_in(call, first, "pytest\nmypy ."), [""; 0], "{call} {first}");
    }
    for (call, first) in [("bash ci.sh", "#!/bin/bash -e"), ("./ci.sh", "#!/bin/bash --noprofile")] {
        assert_eq!(found_in(call, first, "pytest\nmypy ."), ["GI102 error 2"], "{call} {first}");
    }
    for (call, first) in [
        ("./ci.sh", "#!/usr/bin/env -S bash -euo pipefail"),
        ("./ci.sh", "#!/usr/bin/env -S bash -e -o pipefail"),
        ("bash -eo pipefail ci.sh", "#!/bin/bash"),
    ] {
        assert_eq!(found_in(call, first, "pytest | tee log"), [""; 0], "{call} {first}");
    }
    for (call, first) in
        [("./ci.sh", "#!/usr/bin/env -S bash -eu"), ("bash ci.sh", "#!/usr/bin/env -S bash -euo pipefail")]
    {
        assert_eq!(found_in(call, first, "pytest | tee log"), ["GI104 error 2"], "{call} {first}");
    }
}

#[test]
fn what_only_the_running_shell_knows_is_noted() {
    let notes = |run: &str| {
        let workflow = format!("on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: {run}\n");
        Few::default().with(".github/workflows/a.yml", workflow).check().notes
    };
    let wanted =
        ".github/workflows/a.yml:6: what is handed to a shell here is not read: only the running shell knows it";
    assert_eq!(notes("bash -c \"$COMMAND\""), [wanted]);
    assert_eq!(notes("bash -c \"cargo test\""), [""; 0]);
}

/// The text after a finding's fix.
fn mended(path: &str, text: &str) -> String {
    let checked = Few::default().with(path, text).check();
    let fix =
        checked.findings.iter().find_map(|finding| finding.fix.clone()).unwrap_or_else(|| panic!("no fix in\n{text}"));
    let mut lines: Vec<Vec<char>> = text.split('\n').map(|line| line.chars().collect()).collect();
    let mut edits = fix.edits;
    edits.sort_by_key(|edit| std::cmp::Reverse((edit.start_line, edit.start_column)));
    for edit in edits {
        let at = |line: u32, column: u32| (line as usize - 1, column as usize - 1);
        let ((first, start), (last, end)) =
            (at(edit.start_line, edit.start_column), at(edit.end_line, edit.end_column));
        let mut new: Vec<char> = lines[first][..start].to_vec();
        new.extend(edit.text.chars());
        new.extend_from_slice(&lines[last][end..]);
        lines.splice(first..=last, [new]);
    }
    lines.into_iter().map(|line| line.into_iter().collect::<String>()).collect::<Vec<_>>().join("\n")
}

#[test]
fn fixes_leave_nothing_to_find() {
    let step = |lines: &str| format!("on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n{lines}");
    let workflow = ".github/workflows/a.yml";
    for (path, before, after) in [
        (workflow, step("      - run: cargo test || true\n"), step("      - run: cargo test\n")),
        (
            workflow,
            step("      - run: cargo test || echo \"é\"\n"),
            step("      - run: cargo test || { echo \"é\"; exit 1; }\n"),
        ),
        (
            workflow,
            step("      - run: cargo test | tee log\n"),
            step("      - shell: bash\n        run: cargo test | tee log\n"),
        ),
        (workflow, step("      - run: pytest\n        continue-on-error: true\n"), step("      - run: pytest\n")),
        (workflow, step("      - run: jest --ci --passWithNoTests\n"), step("      - run: jest --ci\n")),
        ("Makefile", "test:\n\t-go test ./...\n".to_owned(), "test:\n\tgo test ./...\n".to_owned()),
        (
            "package.json",
            "{\"scripts\": {\"test\": \"eslint . ; jest\"}}".to_owned(),
            "{\"scripts\": {\"test\": \"eslint . && jest\"}}".to_owned(),
        ),
    ] {
        assert_eq!(mended(path, &before), after);
        let left = Few::default().with(path, after).check();
        assert_eq!(left.findings, [], "{before}");
    }
}

#[test]
fn no_fix_ends_a_loop_of_attempts_at_its_first_failure() {
    let workflow = |run: &str| format!("on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: {run}\n");
    let path = ".github/workflows/a.yml";
    let checked = Few::default().with(path, workflow("for i in 1 2 3; do pytest && break || sleep 5; done")).check();
    assert_eq!((found(&checked), &checked.findings[0].fix), (vec!["GI101 error 6".to_owned()], &None));
    let bare = workflow("for i in 1 2 3; do pytest && break || true; done");
    assert_eq!(mended(path, &bare), workflow("for i in 1 2 3; do pytest && break; done"));
}

#[test]
fn as_a_gate_it_counts_what_lies_in_changed_files() {
    let repo = tempfile::tempdir().unwrap();
    let git = |arguments: &[&str]| {
        let base = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"];
        let done =
            std::process::Command::new("git").args(base).args(arguments).current_dir(repo.path()).output().unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    let write = |name: &str, text: &str| fs::write(repo.path().join(name), text).unwrap();
    let workflow = |first: &str| {
        format!(
            "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: |\n          {first}\n          cargo test\n          ls\n"
        )
    };
    fs::create_dir_all(repo.path().join(".github/workflows")).unwrap();
    write("gatepost.toml", "[gates.integrity]\nkind = \"integrity\"\n");
    write(".github/workflows/a.yml", &workflow("set -e"));
    write("package.json", "{\"scripts\": {\"test\": \"jest || true\"}}\n");
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "one"]);
    git(&["branch", "old"]);
    git(&["checkout", "-qb", "change"]);
    write(".github/workflows/a.yml", &workflow("set +e"));
    git(&["commit", "-qam", "two"]);
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_gatepost"));
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", repo.path());
        let done = command.arg("-C").arg(repo.path()).args(arguments).output().unwrap();
        (done.status.code(), String::from_utf8(done.stdout).unwrap())
    };
    let (code, said) = run(&["run", "--base", "old"]);
    assert!(code == Some(1) && said.contains("1 error in changed files"), "{code:?} {said}");
    let (code, json) = run(&["integrity", "--json"]);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &value["schema"], &value["outcome"]), (Some(1), &"gatepost.integrity/v1".into(), &"fail".into()));
    let rules: Vec<&str> =
        value["findings"].as_array().unwrap().iter().map(|one| one["rule"].as_str().unwrap()).collect();
    assert_eq!(rules, ["GI102", "GI101"]);
    write(".github/workflows/a.yml", "on: [push\n");
    assert_eq!(run(&["integrity"]).0, Some(4));
}
