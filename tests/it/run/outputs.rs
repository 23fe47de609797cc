//! What a run writes: the report, its folder, SARIF, JUnit.

use super::*;

const CONFIG: &str = r#"
[gates.lint]
kind = "lint"
command = "echo src/a.rs:6:1: warning: w"
format = "gcc"

[gates.unit]
kind = "test"
command = "cat out.xml > now.xml"
reports = ["now.xml"]

[gates.free]
kind = "command"
command = "echo free; exit 1"
mode = "report"
"#;

const TESTS: &str =
    r#"<testsuite name="s"><testcase name="a"/><testcase name="b"><failure message="no"/></testcase></testsuite>"#;

fn project() -> Project {
    let project = Project::new(CONFIG);
    project.tree.write("out.xml", TESTS).commit("tests");
    project
}

#[test]
fn json_is_the_report_and_nothing_else() {
    let project = project();
    let ran = project.run(&["--json"]);
    assert_eq!(ran.code, Some(1));
    assert_eq!(ran.out, project.text(".gatepost/report.json"));
    assert!(ran.out.ends_with("}\n") && ran.out.lines().count() == 1);
    assert!(ran.err.contains("verdict: fail"), "people read standard error: {}", ran.err);

    let schema: Value = serde_json::from_str(&project.call(&["schema", "report"]).out).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(&ran.report).map(|error| error.to_string()).collect();
    assert_eq!(errors, [""; 0]);
    let mut wrong = ran.report.clone();
    wrong["gates"][0]["outcome"] = json!("good");
    assert!(!validator.is_valid(&wrong), "the schema says something");
    assert_eq!(project.run(&["--json", "--quiet"]).err.lines().filter(|line| line.contains("started")).count(), 0);
}

#[test]
fn a_failure_before_the_run_leaves_standard_output_empty() {
    let ran = project().run(&["--json", "--base", "nope"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
}

#[test]
fn sarif_and_junit_are_written_where_asked() {
    let project = project();
    let ran = project.run(&["--sarif", "out.sarif", "--junit", "all.xml"]);
    assert_eq!(ran.code, Some(1));
    let sarif: Value = serde_json::from_str(&project.text("out.sarif")).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    assert!(project.text("all.xml").contains("<testsuite"), "{}", project.text("all.xml"));
    for (file, format, expected) in [("out.sarif", "sarif", "findings"), ("all.xml", "junit", "tests")] {
        let again = project.call(&["parse", "--json", "--from", format, file]);
        assert_eq!(again.code, Some(0), "{}", again.err);
        let parsed: Value = serde_json::from_str(&again.out).unwrap();
        assert!(parsed[expected].is_array() || parsed[expected].is_object(), "{parsed}");
    }

    let green = Project::new("[gates.g]\nkind = \"command\"\ncommand = \"true\"\n");
    let ran = green.run(&["--sarif", "none/out.sarif"]);
    assert_eq!(ran.code, Some(4), "a pass that did not leave what was asked for");
    assert!(ran.out.contains("not written: cannot write "), "{}", ran.out);
}

#[test]
fn a_run_that_ends_early_leaves_no_earlier_ones_sarif_and_junit() {
    let project = project();
    let written = ["--sarif", "out.sarif", "--junit", "all.xml"];
    let theirs = [["--sarif", "their.json"], ["--junit", "out.xml"]].concat();
    project.tree.write("their.json", r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"ruff"}}}]}"#);
    let broken = format!("{CONFIG}[gates.more]\n");
    for (config, base) in [(CONFIG, "nope"), (&broken, "HEAD"), ("[gates", "HEAD")] {
        project.tree.write("gatepost.toml", CONFIG);
        assert_eq!(project.run(&written).code, Some(1));
        assert!(project.path("out.sarif").exists() && project.path("all.xml").exists());
        project.tree.write("gatepost.toml", config);
        assert_eq!(project.run(&[&written[..], &["--base", base]].concat()).code, Some(2));
        assert!(!project.path("out.sarif").exists() && !project.path("all.xml").exists());
        assert_eq!(project.run(&[&theirs[..], &["--base", base]].concat()).code, Some(2));
        assert!(project.path("their.json").exists() && project.path("out.xml").exists(), "what others wrote stays");
    }
}

#[test]
fn what_can_mean_two_things_is_refused() {
    let project = project();
    for arguments in [
        &["run", "--sarif", "-"][..],
        &["run", "--junit", "-"],
        &["run", "--save-baseline=-"],
        &["audit", "--sarif", "-"],
    ] {
        let ran = project.call(arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}");
        assert!(ran.err.contains("standard output is /dev/stdout"), "{}", ran.err);
        assert!(!project.path("-").exists());
    }
    assert_eq!(project.call(&["parse", "--from", "junit", "--to", "sarif", "--json", "out.xml"]).code, Some(2));
    assert_eq!(project.call(&["parse", "--from", "junit", "--json", "out.xml"]).code, Some(0));
    let help = project.call(&["help", "parse"]);
    assert_eq!((help.code, help.out), (Some(0), project.call(&["parse", "--help"]).out));
}

#[test]
fn a_run_that_ends_early_leaves_no_earlier_ones_report_however_early() {
    let project = project();
    let report = || project.path(".gatepost/report.json").exists();
    project.run(&[]);
    let ran = project.run(&["--baseline", ".gatepost/report.json"]);
    assert_eq!((ran.code, report()), (Some(1), true), "what is named to compare with is not removed: {}", ran.err);
    let git = project.path(".git/config");
    let settings = std::fs::read_to_string(&git).unwrap();
    std::fs::write(&git, format!("{settings}[broken")).unwrap();
    assert_eq!((project.run(&[]).code, report()), (Some(4), false));
    std::fs::write(&git, settings).unwrap();
    project.run(&[]);
    std::fs::rename(project.path(".git"), project.tree.dir.with_file_name("away")).unwrap();
    assert_eq!((project.run(&[]).code, report()), (Some(2), false), "where there is no repository any more");
}

#[test]
fn the_output_folder_keeps_itself_out_of_commits() {
    let project = project();
    project.run(&[]);
    assert_eq!(project.text(".gatepost/.gitignore"), "*\n");
    assert_eq!(project.tree.git(&["status", "--porcelain"]), "?? now.xml\n");
    assert_eq!(project.text(".gatepost/changed-files.txt"), "out.xml\nsrc/a.rs\n");
    let logs = ["lint", "unit", "free"].map(|gate| project.text(&format!(".gatepost/logs/{gate}.txt")));
    assert_eq!(logs, ["src/a.rs:6:1: warning: w\n", "", "free\n"]);

    let ran = project.run(&["--output", "elsewhere/deep", "lint"]);
    assert_eq!(project.text("elsewhere/deep/.gitignore"), "*\n");
    assert_eq!(project.text("elsewhere/deep/logs/lint.txt"), "src/a.rs:6:1: warning: w\n");
    assert!(project.text("elsewhere/deep/report.json").starts_with("{\"schema\":\"gatepost.report/v1\""));
    assert!(ran.out.contains("log: elsewhere/deep/logs/lint.txt"), "{}", ran.out);
}

#[test]
fn nothing_of_an_earlier_run_is_taken_for_this_ones() {
    let project = project();
    project.run(&[]);
    project.tree.write("gatepost.toml", "broken");
    let ran = project.run(&[]);
    assert_eq!(ran.code, Some(2));
    project.tree.write("gatepost.toml", CONFIG.replace("echo free", "touch $GATEPOST_OUTPUT/mark"));
    project.run(&["free"]);
    assert!(project.path(".gatepost/gates/free/mark").exists());
    project.tree.write("gatepost.toml", CONFIG);
    project.run(&["free"]);
    assert!(!project.path(".gatepost/gates/free/mark").exists());
    assert!(!project.path(".gatepost/logs/unit.txt").exists(), "a log of a gate that did not run now");
}

#[test]
fn a_folder_of_the_users_is_left_alone() {
    let project = project();
    project.tree.write(".gitignore", "target\n").write("logs/mine.txt", "mine\n");
    let ran = project.run(&["--output", "."]);
    assert_eq!((ran.code, project.text(".gitignore").as_str()), (Some(2), "target\n"));
    expect("output-of-others", &ran.seen(&project.tree.dir));
    // Also where nothing says whose it is, or says it as gatepost would.
    for (folder, ignore) in [("made", None), ("hidden", Some("*\n"))] {
        let mine = format!("{folder}/logs/mine.txt");
        project.tree.write(&mine, "mine\n").write(&format!("{folder}/gates/lint/mine.txt"), "mine\n");
        if let Some(ignore) = ignore {
            project.tree.write(&format!("{folder}/.gitignore"), ignore);
        }
        let ran = project.run(&["--output", folder]);
        assert_eq!(ran.code, Some(2));
        assert!(
            ran.err.contains(&format!("the output folder {folder} has files that are not gatepost's")),
            "{}",
            ran.err
        );
        assert_eq!([project.text(&mine), project.text(&format!("{folder}/gates/lint/mine.txt"))], ["mine\n"; 2]);
    }
    assert!(!project.path("made/.gitignore").exists());
    std::fs::remove_file(project.path(".gitignore")).unwrap();
    assert_eq!(project.run(&["--output", "."]).code, Some(2));
    assert!(!project.path(".gitignore").exists(), "all new work would be ignored");
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_printed_is_no_pass() {
    let project = Project::new("[gates.g]\nkind = \"command\"\ncommand = \"true\"\n");
    project.tree.write("clean.txt", "src/a.rs:6:1: warning: w\n");
    let parse = ["parse", "--from", "gcc", "clean.txt"];
    for arguments in [&["run", "--json"][..], &["run"], &parse, &[&parse[..], &["--to", "sarif"]].concat()] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let done = project.command(arguments).stdout(full).output().unwrap();
        let err = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(4), "{arguments:?}: {err}");
        assert!(err.contains("standard output could not be written: No space left"), "{arguments:?}: {err}");
        // One that went away has all that it wanted.
        let (reader, gone) = std::io::pipe().unwrap();
        drop(reader);
        assert_eq!(project.command(arguments).stdout(gone).status().unwrap().code(), Some(0), "{arguments:?}");
    }
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    assert_eq!(project.command(&["run", "--help"]).stdout(full).status().unwrap().code(), Some(4));
}

/// Starts a run whose gate `lint` waits until there is a file `go`; returns when it does.
fn waiting(project: &Project) -> std::process::Child {
    let mut command = project.command(&["run", "lint"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while !project.path("waits").exists() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    child
}

#[test]
fn a_folder_that_another_run_uses_is_left_to_it() {
    let wait = "echo src/a.rs:6:1: warning: w; : > waits; until [ -e go ]; do sleep 0.02; done";
    let again = "\"$1\" run free > nested.txt 2>&1";
    let config = format!("[gates.lint]\nkind = \"lint\"\ncommand = \"{wait}\"\nformat = \"gcc\"\n");
    let nested = ["bash", "-c", again, "bash", env!("CARGO_BIN_EXE_gatepost")];
    let config = format!(
        "{config}[gates.free]\nkind = \"command\"\ncommand = \"true\"\n[gates.nested]\nkind = \"command\"\ncommand = {nested:?}\n"
    );
    let project = Project::new(&config);
    let first = waiting(&project);
    let second = project.run(&["free"]);
    assert_eq!((second.code, second.out.as_str()), (Some(3), ""));
    assert!(second.err.contains("another run uses the output folder .gatepost\n"), "{}", second.err);
    assert!(second.err.contains("wait for it, or name another folder by --output"), "{}", second.err);
    assert_eq!(project.run(&["free", "--output", "other"]).code, Some(0));
    project.tree.write("go", "");
    let first = first.wait_with_output().unwrap();
    assert_eq!(first.status.code(), Some(1), "{}", String::from_utf8_lossy(&first.stdout));
    assert_eq!(project.run(&["free"]).code, Some(0), "the folder is free again");

    let ran = project.run(&["nested"]);
    assert_eq!(ran.gates(), ["nested: fail, exit status 3"]);
    assert!(project.text("nested.txt").contains("--output \"$GATEPOST_OUTPUT/run\""), "{}", project.text("nested.txt"));
}

#[test]
fn what_a_gate_printed_is_read_whatever_became_of_its_file() {
    let script = r#"echo src/a.rs:6:1: warning: w; rm "$GATEPOST_OUTPUT/stdout"; : > "$GATEPOST_OUTPUT/stdout""#;
    let project = Project::new(&format!("[gates.lint]\nkind = \"lint\"\ncommand = '{script}'\nformat = \"gcc\"\n"));
    assert_eq!(project.ends(&[]), (1, vec!["lint: fail, 1 warning on changed lines".to_owned()]));
}

#[test]
fn a_gate_may_clean_the_folder_away() {
    let clean = "[gates.clean]\nkind = \"command\"\ncommand = \"git clean -fdxq; ls -A\"\n";
    let lint = "[gates.lint]\nkind = \"lint\"\nneeds = [\"clean\"]\nformat = \"gcc\"\n\
                command = 'sed s/$/:6:1:\\ warning:\\ w/ \"$GATEPOST_CHANGED_FILES\"'\n";
    let project = Project::new(&[clean, lint].concat());
    for _ in 0..2 {
        let ran = project.run(&["--output", "kept"]);
        assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
        assert!(project.text("kept/report.json").contains("\"1 warning on changed lines\""), "{}", ran.out);
        assert_eq!(project.text("kept/.gitignore"), "*\n");
        assert_eq!(project.text("kept/logs/lint.txt"), "src/a.rs:6:1: warning: w\n");
    }
    assert_eq!(project.tree.git(&["status", "--porcelain"]), "");
}

#[test]
fn the_lines_to_do_it_again_really_do_it_again() {
    let project = project();
    let again = |arguments: &[&str]| {
        let ran = ended(project.command(&[&["run"], arguments].concat()).current_dir("/"));
        let line = ran.out.lines().find_map(|line| line.trim().strip_prefix("run it again: ")).unwrap().to_owned();
        (line, ran)
    };
    let dir = project.tree.dir.to_str().unwrap();
    let (line, _) = again(&["-C", dir, "lint", "--all-files", "--config", "gatepost.toml"]);
    assert_eq!(line, format!("gatepost run lint -C {dir} --config gatepost.toml --all-files"));
    let (line, ran) = again(&["lint", "--base", "HEAD~2", "-C", dir]);
    assert_eq!(line, format!("gatepost run lint -C {dir} --base 'HEAD~2'"));
    let pasted = line.replacen("gatepost", env!("CARGO_BIN_EXE_gatepost"), 1);
    let pasted = Command::new("sh").arg("-c").arg(pasted).current_dir("/").env("COLUMNS", "100").output().unwrap();
    let reason = |text: &str| text.lines().find(|line| line.starts_with("✗ lint fail")).unwrap()[..30].to_owned();
    assert_eq!(reason(&String::from_utf8_lossy(&pasted.stdout)), reason(&ran.out));
    assert_eq!(pasted.status.code(), ran.code);
    assert_eq!(project.run(&[]).out.matches("run it again: gatepost run unit\n").count(), 1);
}

#[cfg(unix)]
#[test]
fn nothing_of_an_earlier_run_is_left_for_this_one() {
    let script = r#"ls -A "$GATEPOST_OUTPUT"; mkdir "$GATEPOST_OUTPUT/deep"; touch "$GATEPOST_OUTPUT/mark""#;
    let project = Project::new(&format!("[gates.g]\nkind = \"command\"\ncommand = '{script}'\nretries = 1\n"));
    let elsewhere = project.path("elsewhere");
    std::fs::create_dir_all(&elsewhere).unwrap();
    std::fs::write(elsewhere.join("kept"), "kept").unwrap();
    for put in [None, Some(false), Some(true)] {
        let gates = project.path(".gatepost/gates");
        if let Some(link) = put {
            std::fs::write(project.path(".gatepost/logs/old.txt"), "old").unwrap();
            std::fs::remove_dir_all(gates.join("g")).unwrap();
            // What is in place of the folder: a link out of it, or a file.
            if link {
                std::os::unix::fs::symlink(&elsewhere, gates.join("g")).unwrap();
            } else {
                std::fs::write(gates.join("g"), "a file").unwrap();
            }
        }
        let ran = project.run(&["--all-files"]);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        assert_eq!(project.text(".gatepost/logs/g.txt"), "", "the gate finds its folder empty");
        assert!(!project.path(".gatepost/logs/old.txt").exists());
        assert!(gates.join("g/deep").is_dir() && gates.join("g/mark").is_file());
    }
    assert_eq!(std::fs::read_to_string(elsewhere.join("kept")).unwrap(), "kept");
    assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 1);
}
