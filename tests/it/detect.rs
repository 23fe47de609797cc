//! What is detected in sample trees, and that it reads as a configuration. Each case has its `tree`, the programs that
//! answer in `tools.txt`, and what is expected; `GATEPOST_BLESS=1` rewrites that.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use gatepost::app::project::with_known;
use gatepost::config;
use gatepost::detect::{Detected, Look, detect};
use gatepost::model::gate::Lost;
use gatepost::model::migration::MigrationsFolder;
use gatepost::world::database::programs::Found;
use gatepost::world::migrations;
use gatepost::world::survey::Survey;

use crate::bless;

struct Sample {
    root: PathBuf,
    survey: Survey,
    tools: Vec<String>,
}

impl Look for Sample {
    fn read(&self, path: &str) -> Result<Option<String>, String> {
        self.survey.read(path)
    }

    fn has(&self, path: &str) -> bool {
        self.survey.has(path)
    }

    fn folders(&self, dir: &str) -> Vec<String> {
        self.survey.folders(dir)
    }

    fn files(&self, dir: &str) -> Vec<String> {
        self.survey.files(dir)
    }

    fn migrations(&self) -> Vec<MigrationsFolder> {
        migrations::all(&self.root, &|kind| {
            let installed = self.tools.iter().filter_map(|tool| tool.strip_prefix(kind.word()));
            let found = |version: &str| Found {
                name: kind.word(),
                version: version.trim().to_owned(),
                program: "/nowhere/bin/server".into(),
            };
            installed.map(found).collect()
        })
    }

    fn lost(&self, dir: &str, script: &str) -> Option<Lost> {
        self.survey.lost(dir, script)
    }

    fn answers(&self, _: &str, argv: &[&str]) -> bool {
        self.tools.contains(&argv.join(" "))
    }
}

fn sample(case: &Path) -> Sample {
    let tools = std::fs::read_to_string(case.join("tools.txt")).unwrap_or_default();
    let root = case.join("tree");
    Sample { survey: Survey::new(root.clone(), Vec::new()), root, tools: tools.lines().map(str::to_owned).collect() }
}

fn shown(detected: &Detected) -> String {
    let mut out = detected.to_toml();
    out.push_str("\n----\n");
    for gate in detected.gates.iter().filter(|gate| gate.label.is_some()) {
        writeln!(out, "{}: {}", gate.name, gate.label.as_deref().unwrap_or_default()).unwrap();
    }
    for note in &detected.notes {
        writeln!(out, "note: {note}").unwrap();
    }
    out
}

#[test]
fn each_tree_is_detected_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/detect");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    for case in cases {
        let text = match detect(&sample(&case)) {
            Err(error) => format!("error: {error}\n{}", error.help().map(|help| help + "\n").unwrap_or_default()),
            Ok(detected) => {
                let toml = detected.to_toml();
                let config = with_known(|known| config::read(toml.as_bytes(), known))
                    .unwrap_or_else(|problems| panic!("{}: {}", case.display(), problems.render("detected", false)));
                let read: Vec<&str> = config.gates.iter().map(|gate| gate.common.name.as_str()).collect();
                let made: Vec<&str> = detected.gates.iter().map(|gate| gate.name.as_str()).collect();
                assert_eq!(read, made, "the order of {}", case.display());
                shown(&detected)
            }
        };
        bless::compare(&case.join("expected.txt"), &text);
    }
}

#[cfg(unix)]
#[test]
fn a_tool_answers_when_it_ends_well() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let program = |name: &str, text: &str| {
        let path = folder.path().join("bin").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    program("good", "#!/bin/sh\n[ \"$1\" = --version ] && [ -z \"$CARGO_MANIFEST_DIR\" ] && [ \"$KEPT\" = yes ]\n");
    program("shim", "#!/bin/sh\necho 'not installed for this toolchain' >&2\nexit 1\n");
    let environment = |path: String| vec![("PATH".into(), path.into()), ("KEPT".into(), "yes".into())];
    let survey =
        Survey::new(folder.path().to_owned(), environment(format!("/nowhere:{}/bin", folder.path().display())));
    assert!(survey.answers("", &["good", "--version"]));
    assert!(!survey.answers("", &["good", "--help"]));
    assert!(!survey.answers("", &["shim", "--version"]));
    assert!(!survey.answers("", &["absent", "--version"]));
    let relative = Survey::new(folder.path().to_owned(), environment("bin".to_owned()));
    assert!(!relative.answers("", &["good", "--version"]), "a relative PATH entry is the repository's own folder");
}

#[test]
fn a_manifest_that_cannot_be_read_is_no_missing_one() {
    let folder = tempfile::tempdir().unwrap();
    let survey = Survey::new(folder.path().to_owned(), Vec::new());
    assert!(detect(&survey).unwrap_err().to_string().starts_with("there is no gatepost.toml"));
    std::fs::write(folder.path().join("package.json"), b"\xff\xfe").unwrap();
    assert_eq!(
        detect(&survey).unwrap_err().to_string(),
        "cannot detect gates: package.json is not UTF-8; mend it, or write a gatepost.toml"
    );
    std::fs::remove_file(folder.path().join("package.json")).unwrap();
    std::fs::create_dir(folder.path().join("Cargo.toml")).unwrap();
    assert!(detect(&survey).unwrap_err().to_string().contains("Cargo.toml is no file"));
}

#[cfg(unix)]
#[test]
fn a_hostile_tree_leads_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let package = |dir: &str, text: &str| {
        std::fs::create_dir_all(folder.path().join(dir)).unwrap();
        std::fs::write(folder.path().join(dir).join("package.json"), text).unwrap();
    };
    let script = r#"{"scripts": {"test": "node --test", "lint": "eslint \u0000"}}"#;
    package("elsewhere/secret", script);
    package("root/packages/a\nkind = \"x\"", script);
    package("root/packages/good", script);
    package("root/packages/good/node_modules/.bin/eslint", "{}");
    let absolute = folder.path().join("elsewhere/*").display().to_string();
    package(
        "root",
        &format!(r#"{{"workspaces": ["../elsewhere/*", "{absolute}", "packages/../../elsewhere/*", "packages/*"]}}"#),
    );
    let detected = detect(&Survey::new(folder.path().join("root"), Vec::new())).unwrap();
    let config = with_known(|known| config::read(detected.to_toml().as_bytes(), known)).unwrap();
    let gates: Vec<(&str, &str)> =
        config.gates.iter().map(|gate| (gate.common.name.as_str(), gate.common.dir.as_str())).collect();
    assert_eq!(gates, [("lint-good", "packages/good"), ("test-good", "packages/good")]);
}
