//! The parts of documents that the program itself knows: rewritten by `GATEPOST_BLESS=1`.

use std::fmt::Write as _;
use std::process::Command;

use gatepost::advisory::lockfile;
use gatepost::app::project;
use gatepost::config::{self, Bare};
use gatepost::deploy;
use gatepost::gate;
use gatepost::model::exit::ExitCode;
use gatepost::model::notice::EVENTS;
use gatepost::notify;
use gatepost::parse::{self, Empty, Stream};
use gatepost::publish::{self, deployed, outputs};

use super::action;
use super::source::root;
use crate::bless;

/// What the program prints for these arguments, whatever terminal and environment the tests have.
fn printed(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_gatepost")).args(arguments).env_clear().output().unwrap();
    assert!(output.status.success(), "gatepost {}: {output:?}", arguments.join(" "));
    String::from_utf8(output.stdout).unwrap()
}

fn usage() -> String {
    let mut out = String::new();
    for arguments in [&["--help"][..], &["run", "--help"], &["audit", "--help"]] {
        let lines: Vec<String> = printed(arguments).lines().map(|line| line.trim_end().to_owned()).collect();
        let _ = write!(out, "```console\n$ gatepost {}\n{}\n```\n\n", arguments.join(" "), lines.join("\n"));
    }
    out
}

/// A Markdown table. A phrase that a table shows is one line, and neither a sentence nor empty.
fn table(columns: &[&str], rows: &[Vec<String>]) -> String {
    let mut out = format!("| {} |\n|{}\n", columns.join(" | "), "---|".repeat(columns.len()));
    for row in rows {
        for cell in row {
            assert!(!cell.is_empty() && !cell.contains('\n') && !cell.ends_with('.'), "{cell:?} in {row:?}");
        }
        let cells: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    out
}

/// Rows by name, of which there is one each.
fn by_name<'a>(rows: impl IntoIterator<Item = (&'a str, Vec<&'a str>)>) -> Vec<Vec<String>> {
    let mut names = std::collections::BTreeSet::new();
    let row = |(name, cells): (&'a str, Vec<&'a str>)| {
        assert!(names.insert(name), "two rows are named {name:?}");
        [format!("`{name}`")].into_iter().chain(cells.into_iter().map(str::to_owned)).collect()
    };
    rows.into_iter().map(row).collect()
}

fn formats() -> String {
    let rows = parse::ALL.iter().map(|format| {
        let stream = match format.stream {
            Stream::Both => "both outputs",
            Stream::Stdout => "standard output",
        };
        let empty = match format.empty {
            Empty::Clean => "clean",
            Empty::Error => "error",
        };
        (format.name, vec![format.about, stream, empty])
    });
    table(&["format", "what prints it", "read from", "empty output with exit status 0"], &by_name(rows))
}

fn lockfiles() -> String {
    let rows = lockfile::ALL.iter().map(|format| {
        let files: Vec<String> = format.files.iter().map(|file| format!("`{file}`")).collect();
        let files = if files.is_empty() { "where it is named".to_owned() } else { files.join(", ") };
        (format.name, [format.about.to_owned(), files])
    });
    let rows: Vec<Vec<String>> =
        rows.map(|(name, cells)| [format!("`{name}`")].into_iter().chain(cells).collect()).collect();
    table(&["lockfile", "what it is", "found by these names"], &rows)
}

fn gates() -> String {
    let rows = gate::ALL.iter().map(|kind| {
        let bare = match kind.row.bare {
            Bare::ByContent => "by the format recognised in its output",
            Bare::ByExitStatus => "by its exit status",
            Bare::Unjudged => "by what it did to the database",
            Bare::Itself => "it has no command: it looks for itself",
        };
        (kind.row.name, vec![kind.row.about, bare])
    });
    table(&["kind", "what it is", "a command without `format` and `reports` is judged"], &by_name(rows))
}

fn deployers() -> String {
    let rows = deploy::ALL.iter().map(|kind| (kind.row.name, vec![kind.row.about]));
    table(&["deploy = { … }", "what deploys"], &by_name(rows))
}

fn publishers() -> String {
    let rows = publish::ALL.iter().map(|publisher| (publisher.name, vec![publisher.about]));
    let places = table(&["place", "what is posted"], &by_name(rows));
    let rows = outputs::ALL.iter().map(|output| (output.name, vec![output.about]));
    let rows = rows.chain(deployed::OUTPUTS.iter().map(|output| (output.name, vec![output.about])));
    format!("{places}\n{}", table(&["output of the step", "value"], &by_name(rows)))
}

fn notifiers() -> String {
    let rows = notify::ALL.iter().map(|notifier| (notifier.row.name, vec![notifier.row.about]));
    let kinds = table(&["kind", "what is sent"], &by_name(rows));
    let severities: Vec<String> = EVENTS.iter().map(|event| event.severity.to_string()).collect();
    let rows = EVENTS.iter().zip(&severities).map(|(event, severity)| (event.name, vec![&**severity, event.about]));
    format!("{kinds}\n{}", table(&["event", "severity", "when"], &by_name(rows)))
}

fn exit_codes() -> String {
    let rows = ExitCode::TABLE.iter().map(|(code, meaning)| (*code, vec![*meaning]));
    table(&["code", "meaning"], &by_name(rows))
}

#[test]
fn the_readme_says_what_the_program_says() {
    bless::sections(
        &root().join("README.md"),
        &[
            ("action", action::tables()),
            ("workflow", action::workflow()),
            ("formats", formats()),
            ("lockfiles", lockfiles()),
            ("gates", gates()),
            ("lockfiles", lockfiles()),
            ("publishers", publishers()),
            ("notifiers", notifiers()),
            ("deployers", deployers()),
            ("usage", usage()),
            ("exit codes", exit_codes()),
            ("configuration", project::with_known(config::reference)),
        ],
    );
}

#[test]
fn every_rule_of_integrity_has_its_section() {
    let pages: Vec<String> = gatepost::integrity::rules::ALL.iter().map(|rule| rule.page(3)).collect();
    bless::sections(&root().join("docs/integrity.md"), &[("rules", pages.join("\n"))]);
}

#[test]
fn every_rule_and_layout_of_migrations_has_its_row() {
    let level = |level: gatepost::model::finding::Level| level.word();
    let rules = gatepost::migration::rules::ALL;
    let rules = rules.iter().map(|rule| (rule.name, vec![level(rule.level), rule.about, rule.safe]));
    let layouts = gatepost::migration::layout::ALL.iter().map(|layout| (layout.name, vec![layout.about]));
    bless::sections(
        &root().join("docs/migrations.md"),
        &[
            ("rules", table(&["rule", "level", "what it tells of", "the safe way"], &by_name(rules))),
            ("layouts", table(&["layout", "what it is"], &by_name(layouts))),
        ],
    );
}

#[test]
fn the_exit_codes_are_those_of_the_table() {
    let listed: Vec<u8> =
        ExitCode::TABLE.iter().flat_map(|(codes, _)| codes.split('/').map(|code| code.parse().unwrap())).collect();
    let signals = [1, 2, 3, 15].map(ExitCode::Interrupted);
    let codes = [ExitCode::Pass, ExitCode::Fail, ExitCode::Usage, ExitCode::Refused, ExitCode::CouldNotJudge];
    let all = codes.into_iter().chain([ExitCode::RolledBack, ExitCode::RollbackFailed, ExitCode::Bug]).chain(signals);
    assert_eq!(listed, all.map(ExitCode::number).collect::<Vec<u8>>());
}

#[test]
fn the_committed_schemas_are_what_the_program_prints() {
    for (what, file) in [("config", "schema/gatepost.schema.json"), ("report", "schema/report.schema.json")] {
        bless::compare(&root().join(file), &printed(&["schema", what]));
    }
}

#[test]
fn a_stale_part_is_noticed() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let document = "mine\n<!-- generated: a -->\n\none\n\n<!-- end -->\nmine too\n";
    std::fs::write(file.path(), document).unwrap();
    let noticed = |parts: &[(&str, String)]| {
        let parts = parts.to_vec();
        let path = file.path().to_owned();
        std::panic::catch_unwind(move || bless::sections(&path, &parts)).is_err()
    };
    assert!(!noticed(&[("a", "one\n".to_owned())]));
    assert!(noticed(&[("b", "one\n".to_owned())]), "a part that is not there");
    if std::env::var_os("GATEPOST_BLESS").is_none() {
        assert!(noticed(&[("a", "two\n".to_owned())]));
    }
}
