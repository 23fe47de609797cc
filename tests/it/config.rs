//! gatepost.toml: what is read from it, what is said when it is wrong, and that the schema says the same.
//! `GATEPOST_BLESS=1` rewrites the expected files.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use gatepost::config::{
    self, Bare, Config, DeployerRow, FromEnv, KindRow, Known, NotifierRow, Problem, Problems, Text,
};
use gatepost::model::finding::Level;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::bless;

#[derive(Debug, Clone, Default, PartialEq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Lint {
    /// The least level that blocks.
    fail_on: Level,
}

#[derive(Debug, Clone, PartialEq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Test {
    /// The least level that blocks.
    fail_on: Level,
    /// The least number of tests that must have run; skipped ones did not run.
    min_tests: u32,
}

impl Default for Test {
    fn default() -> Self {
        Self { fail_on: Level::Warning, min_tests: 1 }
    }
}

static KINDS: [KindRow; 3] = [
    KindRow::of::<Lint>("lint", "findings of a linter", Bare::ByContent),
    KindRow::of::<Test>("test", "test results", Bare::ByContent),
    KindRow::of::<Lint>("command", "any command, by its exit status or its findings", Bare::ByExitStatus),
];

#[derive(Debug, Clone, Default, PartialEq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Run {
    /// What is run.
    command: String,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Hook {
    /// Where it goes.
    webhook: String,
}

static DEPLOYERS: [DeployerRow; 2] =
    [DeployerRow::of::<Run>("command", "a command"), DeployerRow::of::<Hook>("webhook", "a request")];
static FORMATS: &[&str] = &[
    "cargo",
    "eslint",
    "tsc",
    "ruff",
    "sarif",
    "checkstyle",
    "junit",
    "libtest",
    "gotest",
    "gcc",
    "rdjson",
    "rdjsonl",
    "github",
    "diff",
];
#[derive(Debug, Clone, Default, PartialEq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Chat {
    /// Where messages go.
    #[schemars(with = "Text<FromEnv>")]
    webhook: Option<Text<FromEnv>>,
    /// In place of it a token.
    #[schemars(with = "Text<FromEnv>")]
    token: Option<Text<FromEnv>>,
    /// Where the token posts.
    #[schemars(with = "String")]
    channel: Option<String>,
}

static NOTIFIERS: [NotifierRow; 2] = [
    NotifierRow::of::<Chat>("slack", "a message", &[&["webhook"], &["token", "channel"]]),
    NotifierRow::of::<Chat>("page", "a page", &[&[]]),
];
pub static KNOWN: Known<'static> =
    Known { kinds: &KINDS, deployers: &DEPLOYERS, notifiers: &NOTIFIERS, formats: FORMATS };

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/config");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

fn shown(config: &Config) -> String {
    let mut out = format!("{:#?}\n{:#?}\n", config.run, config.publish);
    for gate in &config.gates {
        let own = match gate.common.kind.as_str() {
            "test" => format!("{:?}", gate.own.read::<Test>().unwrap()),
            _ => format!("{:?}", gate.own.read::<Lint>().unwrap()),
        };
        writeln!(out, "{:#?}\n{own}\nneeds at {:?}", gate.common, &config.source[gate.needs_at.clone()]).unwrap();
    }
    for route in &config.notify {
        let own = route.own.read::<Chat>().unwrap();
        writeln!(out, "{}: {:#?}\n{own:?}", route.kind, route.filter).unwrap();
    }
    if !config.secrets.is_empty() {
        writeln!(out, "secrets: {:?}", config.secrets).unwrap();
    }
    out
}

#[test]
fn each_case_reads_as_expected() {
    for case in cases() {
        let bytes = std::fs::read(case.join("gatepost.toml")).unwrap();
        let text = match config::read(&bytes, &KNOWN) {
            Ok(config) => shown(&config),
            Err(problems) => problems.render("gatepost.toml", false),
        };
        bless::compare(&case.join("expected.txt"), &text);
    }
}

#[test]
fn a_file_that_is_not_utf8_says_where() {
    let problems = config::read(b"[run]\njobs = 1 # caf\xe9\n", &KNOWN).unwrap_err();
    let shown = problems.render("gatepost.toml", false);
    assert!(shown.contains("not UTF-8") && shown.contains("gatepost.toml:2:"), "{shown}");
}

#[test]
fn nothing_in_the_file_commands_the_terminal() {
    let text = "[gates.\"\\u001b]0;x\\u0007::error::\\n::stop\"]\nkind = \"\\u001b[2J\"\ncommand = 'true'\n\"k\\n::add-mask::\" = 1\n";
    for colour in [false, true] {
        let shown = config::read(text.as_bytes(), &KNOWN).unwrap_err().render("gatepost.toml", colour);
        assert!(!shown.contains("\u{1b}]") && !shown.contains("\u{1b}[2J") && !shown.contains('\u{7}'), "{shown}");
        assert!(!shown.lines().any(|line| line.trim_start().starts_with("::")), "{shown}");
    }
    let styled = config::read(b"x = 1", &KNOWN).unwrap_err().render("gatepost.toml", true);
    assert!(styled.contains("\u{1b}["), "{styled}");
}

#[test]
fn problems_found_later_are_shown_in_the_file() {
    let text = "[gates.a]\nkind = 'command'\ncommand = 'true'\nneeds = ['b']\n[gates.b]\nkind = 'command'\ncommand = 'true'\nneeds = ['a']\n";
    let config = config::read(text.as_bytes(), &KNOWN).unwrap();
    let problem = Problem::new(config.gates[0].needs_at.clone(), "a needs b, which needs a");
    let shown = Problems::new(config.source, vec![problem]).render("gatepost.toml", false);
    assert!(shown.contains("4 | needs = ['b']\n  |         ^^^^^"), "{shown}");
}

#[test]
fn a_hostile_file_costs_little() {
    let wrong = "'[', ".repeat(20_000);
    let text = format!("[gates.a]\nkind = 'command'\ncommand = 'true'\npaths = [{wrong}]\n");
    let started = std::time::Instant::now();
    let problems = config::read(text.as_bytes(), &KNOWN).unwrap_err();
    assert_eq!(problems.list().len(), 50);
    let deep = format!("x = {}", "[".repeat(100_000));
    assert!(config::read(deep.as_bytes(), &KNOWN).is_err());
    assert!(started.elapsed().as_secs() < 20);
}

#[test]
fn the_reference_has_every_key_once_where_it_belongs() {
    let reference = config::reference(&KNOWN);
    let (common, kinds) = reference.split_once("`[gates.NAME]` with `kind = \"lint\"`: findings of a linter").unwrap();
    for row in [
        "| `jobs` | 0 to 1024 | `0` | Gates at a time;",
        "| `kind` | `lint`, `test`, `command` |  | What the gate is;",
        "| `timeout` | string | `\"30m\"` | Longest time",
        "| `mode` | `block`, `report` | `\"block\"` |",
        "| `needs` | list of string | `[]` |",
    ] {
        assert_eq!((common.matches(row).count(), kinds.matches(row).count()), (1, 0), "{row} in:\n{reference}");
    }
    assert_eq!(
        kinds.matches("| `fail-on` | `note`, `warning`, `error` | `\"warning\"` | The least").count(),
        3,
        "{kinds}"
    );
    assert_eq!(reference.matches("| `min-tests` | integer | `1` |").count(), 1, "{reference}");
    assert!(kinds.contains("| `suggestions` | `true`, `false` | `false` |"), "{kinds}");
}

#[test]
fn reader_and_schema_agree() {
    let validator = jsonschema::validator_for(&config::schema(&KNOWN)).unwrap();
    for case in cases() {
        let text = String::from_utf8(std::fs::read(case.join("gatepost.toml")).unwrap()).unwrap();
        let Ok(value) = toml::from_str::<serde_json::Value>(text.trim_start_matches('\u{feff}')) else { continue };
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert_eq!(config::read(text.as_bytes(), &KNOWN).is_ok(), errors.is_empty(), "{}: {errors:#?}", case.display());
    }
}

/// One wrong line each, beside a gate that holds without it.
const WRONG: &[&str] = &[
    "comand = 'x'",
    "timeout = 30",
    "timeout = '5 minutes'",
    "timeout = ''",
    "grace = '5d'",
    "retries = 11",
    "retries = -1",
    "retries = '1'",
    "max-findings = 1.5",
    "mode = 'warn'",
    "flaky = 'no'",
    "only = 'changed'",
    "format = 'eslnt'",
    "format = 'matcher:'",
    "format = 1",
    "reports = 'x'",
    "reports = ['/x']",
    "reports = ['../x']",
    "paths = ['x/']",
    "paths = ['!x']",
    "paths = ['./x']",
    "paths = ['']",
    "paths = ['a\\b']",
    "when = ['pushh']",
    "when = ['push:']",
    "when = ['schedule:main']",
    "when = ['push:a*b']",
    "needs = ['a b']",
    "needs = 'x'",
    "dir = '/x'",
    "dir = 1",
    "dir = '..'",
    "dir = '../x'",
    "dir = 'a/..'",
    "dir = \"a\\u0007\"",
    "format = 'matcher:../x'",
    "format = 'matcher:/x'",
    "reports = ['a//b']",
    "reports = [' a']",
    "when = ['push: main']",
    "when = ['push:refs/heads/main']",
    "timeout = '0s'",
    "fail-on = 'warn'",
    "min-tests = 1",
];

#[test]
fn what_the_reader_refuses_the_schema_refuses() {
    let validator = jsonschema::validator_for(&config::schema(&KNOWN)).unwrap();
    for line in WRONG.iter().chain(&[
        "when = ['push:release/*', 'pull_request', 'push:*']",
        "grace = '1m30s'",
        "dir = 'a/b'",
        "dir = '.'",
        "dir = 'a/../b'",
        "dir = '...'",
        "grace = '0s'",
        "format = 'matcher:.github/..x.json'",
        "reports = ['a/*.xml', '$GATEPOST_OUTPUT/b c.xml', 'x']",
    ]) {
        let text = format!("[gates.lint]\nkind = 'lint'\ncommand = 'x'\n{line}\n");
        let good = !WRONG.contains(line);
        assert_eq!(config::read(text.as_bytes(), &KNOWN).is_ok(), good, "{line}");
        assert_eq!(validator.is_valid(&toml::from_str::<serde_json::Value>(&text).unwrap()), good, "{line}");
    }
}

#[test]
fn a_command_holds_no_nul_in_either() {
    let validator = jsonschema::validator_for(&config::schema(&KNOWN)).unwrap();
    for (command, good) in [
        (r#""a\u0000""#, false),
        (r#"["a", "b\u0000"]"#, false),
        (r#"["a\u0000"]"#, false),
        (r#"["a", "", "\nb"]"#, true),
        (r#""a\nb""#, true),
    ] {
        let text = format!("[gates.lint]\nkind = 'lint'\ncommand = {command}\n");
        assert_eq!(config::read(text.as_bytes(), &KNOWN).is_ok(), good, "{command}");
        assert_eq!(validator.is_valid(&toml::from_str::<serde_json::Value>(&text).unwrap()), good, "{command}");
    }
}

/// One line each that only the reader refuses: the schema does not see other keys, nor what a pattern means.
const READER_ALONE: &[&str] =
    &["needs = ['lint']", "needs = ['other']", "paths = ['[']", "dir = 'a/../../x'", "timeout = '500h'"];

#[test]
fn some_mistakes_only_the_reader_sees() {
    let validator = jsonschema::validator_for(&config::schema(&KNOWN)).unwrap();
    for line in READER_ALONE {
        let text = format!("[gates.lint]\nkind = 'lint'\ncommand = 'x'\n{line}\n");
        assert!(config::read(text.as_bytes(), &KNOWN).is_err(), "{line}");
        assert!(validator.is_valid(&toml::from_str::<serde_json::Value>(&text).unwrap()), "{line}");
    }
}
