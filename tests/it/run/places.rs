//! Where a run writes: what stands there already, whose it is, and what of it is judged.

use super::*;

const GREEN: &str = "[gates.g]\nkind = \"command\"\ncommand = \"true\"\n";
const VERSION: &str = "\"version\":\"2.1.0\"";

#[cfg(unix)]
#[test]
fn a_link_stays_and_what_it_leads_to_is_written() {
    let project = Project::new(GREEN);
    std::fs::create_dir(project.path("kept")).unwrap();
    project.tree.write("kept/old.sarif", "old");
    for (link, target) in [("a.sarif", "kept/old.sarif"), ("b.sarif", "kept/new.sarif"), ("c.sarif", "b.sarif")] {
        std::os::unix::fs::symlink(target, project.path(link)).unwrap();
        let ran = project.run(&["--sarif", link]);
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
        assert!(project.path(link).is_symlink(), "{link}");
        assert!(project.text(target).contains(VERSION), "{link}");
    }
    std::os::unix::fs::symlink("circle", project.path("circle")).unwrap();
    let ran = project.run(&["--sarif", "circle"]);
    assert_eq!(ran.code, Some(4), "{}{}", ran.out, ran.err);
    assert!(project.path("circle").is_symlink());
}

#[cfg(unix)]
#[test]
fn what_is_no_plain_file_is_written_into() {
    use std::os::unix::fs::FileTypeExt as _;
    let project = Project::new(GREEN);
    let pipe = project.path("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let ran = project.run(&["--sarif", "pipe"]);
    assert_eq!(ran.code, Some(4), "nobody reads it: {}", ran.out);
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::read_to_string(pipe).unwrap()
    });
    // Until it has it open, nobody reads.
    let read = loop {
        project.run(&["--sarif", "pipe"]);
        if reader.is_finished() {
            break reader.join().unwrap();
        }
    };
    assert!(read.contains(VERSION), "{read}");
    assert!(pipe.metadata().unwrap().file_type().is_fifo());
}

#[cfg(unix)]
#[test]
fn standard_output_is_a_place_too() {
    let project = Project::new(GREEN);
    let ran = project.run(&["--sarif", "/dev/stdout"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.contains(VERSION) && ran.out.contains("verdict: pass"), "{}", ran.out);
    let file = std::fs::File::create(project.path("out.txt")).unwrap();
    let status = project.command(&["run", "--sarif", "/dev/stdout"]).stdout(file).status().unwrap();
    assert_eq!(status.code(), Some(0));
    let out = project.text("out.txt");
    assert!(out.contains(VERSION) && out.contains("verdict: pass"), "{out}");
}

/// A folder with files where gatepost would put its own, and these.
fn filled(project: &Project, folder: &str, files: &[(&str, &str)]) {
    for (name, text) in [&[("logs/mine.txt", "mine\n"), ("gates/g/mine.txt", "mine\n")], files].concat() {
        project.tree.write(&format!("{folder}/{name}"), text);
    }
}

#[test]
fn only_a_folder_that_is_known_as_gateposts_is_emptied() {
    let project = Project::new(GREEN);
    for (folder, files, is_own) in [
        ("locked", &[("lock", "")][..], false),
        ("locked-by-others", &[("lock", "1234\n"), (".gitignore", "*\n")], false),
        ("of-an-earlier-version", &[("lock", ""), (".gitignore", "*\n")], true),
        ("cleaned", &[("lock", "gatepost\n")], true),
    ] {
        filled(&project, folder, files);
        let ran = project.run(&["--output", folder]);
        let kept =
            [project.text(&format!("{folder}/logs/mine.txt")), project.text(&format!("{folder}/gates/g/mine.txt"))];
        if is_own {
            assert_eq!((ran.code, kept), (Some(0), [const { String::new() }; 2]), "{folder}: {}", ran.err);
        } else {
            assert_eq!(
                (ran.code, kept),
                (Some(2), ["mine\n".to_owned(), "mine\n".to_owned()]),
                "{folder}: {}",
                ran.err
            );
            assert!(ran.err.contains("has files that are not gatepost's"), "{folder}: {}", ran.err);
        }
    }
    for _ in 0..2 {
        assert_eq!(project.run(&["--output", "new/folder"]).code, Some(0));
    }
    assert_eq!(project.text("new/folder/lock"), "gatepost\n");
}

#[cfg(unix)]
#[test]
fn the_name_of_a_link_makes_no_folder_gateposts() {
    let project = Project::new(GREEN);
    filled(&project, "mine", &[]);
    std::os::unix::fs::symlink("mine", project.path(".gatepost")).unwrap();
    for arguments in [&[][..], &["--output", ".gatepost/"]] {
        let ran = project.run(arguments);
        assert_eq!((ran.code, project.text("mine/logs/mine.txt").as_str()), (Some(2), "mine\n"), "{}", ran.err);
    }
    std::fs::remove_file(project.path(".gatepost")).unwrap();
    project.run(&[]);
    std::fs::remove_dir_all(project.path(".gatepost/gates")).unwrap();
    std::os::unix::fs::symlink("../mine/gates", project.path(".gatepost/gates")).unwrap();
    let ran = project.run(&[]);
    assert_eq!((ran.code, project.text("mine/gates/g/mine.txt").as_str()), (Some(0), "mine\n"), "{}", ran.err);
}

#[test]
fn two_files_that_are_one_are_refused_before_anything_runs() {
    let project = Project::new("[gates.g]\nkind = \"command\"\ncommand = \"touch ran\"\n");
    std::fs::create_dir(project.path("sub")).unwrap();
    for (arguments, which) in [
        (&["--sarif", "x", "--junit", "sub/../x"][..], "--sarif and --junit are the same file"),
        (&["--junit", ".gatepost/report.json"], "the report and --junit are the same file"),
        (&["--sarif", "x", "--save-baseline=x"], "--sarif and --save-baseline are the same file"),
        (&["--save-baseline", "--junit", ".gatepost/baseline.json"], "--junit and --save-baseline are the same file"),
        (&["--sarif", "gatepost.toml"], "the configuration and --sarif are the same file"),
        (&["--output", "out", "--sarif", "out/report.json"], "the report and --sarif are the same file"),
    ] {
        let ran = project.run(arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains(which), "{arguments:?}: {}", ran.err);
        assert!(!project.path("ran").exists(), "{arguments:?}");
    }
    let ran = project.run(&["--sarif", "/dev/null", "--junit", "/dev/null"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
}

#[test]
fn a_run_that_ends_before_its_gates_leaves_no_report_of_an_earlier_one() {
    let project = Project::new(GREEN);
    let (report, other) = (project.path(".gatepost/report.json"), project.path("other/report.json"));
    let before = || {
        assert_eq!(project.run(&[]).code, Some(0));
        assert_eq!(project.run(&["--output", "other"]).code, Some(0));
    };
    for arguments in [&["--base", "nope"][..], &["--baseline", "/nonexistent"], &["nope"], &["--config", "nope.toml"]] {
        before();
        let ran = project.run(arguments);
        assert!(!matches!(ran.code, Some(0 | 1)), "{arguments:?}: {}", ran.err);
        assert!(!report.exists() && other.exists(), "{arguments:?}");
        project.run(&[arguments, &["--output", "other"]].concat());
        assert!(!other.exists(), "{arguments:?}");
    }
    before();
    assert_eq!(project.call(&["plan", "--base", "nope"]).code, Some(2));
    assert!(report.exists(), "only a run has a report");
    let ran = ended(project.command(&["run"]).env("GITHUB_ACTIONS", "true").env("GITHUB_EVENT_NAME", "push"));
    assert!(ran.code != Some(0) && !report.exists(), "{}", ran.err);
    before();
    project.tree.write("gatepost.toml", "broken");
    assert_eq!(project.run(&[]).code, Some(2));
    assert!(!report.exists());
}

#[test]
fn the_report_of_a_run_that_goes_on_is_not_removed_by_another() {
    let project =
        Project::new("[gates.g]\nkind = \"command\"\ncommand = \": > waits; until [ -e go ]; do sleep 0.02; done\"\n");
    let child = project.command(&["run"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while !project.path("waits").exists() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    project.tree.write(".gatepost/report.json", "\"its own\"");
    assert_eq!(project.run(&["--base", "nope"]).code, Some(2));
    assert_eq!(project.text(".gatepost/report.json"), "\"its own\"");
    project.tree.write("go", "");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
}

#[test]
fn the_files_that_a_run_writes_are_no_part_of_the_change() {
    let files = ["--sarif", "out.sarif", "--junit", "new/all.xml", "--output", "out"];
    let project =
        Project::on_main("[gates.g]\nkind = \"lint\"\nformat = \"gcc\"\ncommand = \"echo src/a.rs:5:1: warning: w\"\n");
    std::fs::create_dir(project.path("new")).unwrap();
    let command = |more: &[&str]| {
        let mut ran = project.run(&[&files, more].concat());
        ran.report = serde_json::from_str(&project.text("out/report.json")).unwrap();
        ran
    };
    for _ in 0..2 {
        let ran = command(&[]);
        assert_eq!(ran.code, Some(1), "{}", ran.err);
        assert!(ran.out.contains("judging everything: nothing differs from main"), "{}", ran.out);
        assert_eq!(ran.report["subject"]["dirty"], false);
    }
    let ran = command(&["--save-baseline=kept.json"]);
    assert_eq!((ran.code, &ran.report["subject"]["dirty"]), (Some(1), &Value::Bool(false)));
    project.tree.git(&["add", "out.sarif", "new/all.xml", "kept.json"]);
    let ran = command(&[]);
    assert!(ran.out.contains("judging 3 files changed since"), "what git tracks is: {}", ran.out);
}
