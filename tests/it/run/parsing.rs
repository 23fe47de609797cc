//! `gatepost parse`: any input into findings, wherever one stands.

use std::io::Write as _;

use super::*;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("gcc.txt", "a.c:1:5: warning: unused [-Wunused]\nb.c:2: error: broken\n");
    write("a.c", "int x = 1;\n");
    write(
        "tests.xml",
        r#"<testsuite name="s"><testcase name="a"/><testcase name="b"><failure message="no">at b</failure></testcase></testsuite>"#,
    );
    write("what.txt", "nothing that is known\n");
    write(
        "matcher.json",
        r#"{"problemMatcher":[{"owner":"mine","pattern":[{"regexp":"^(\\S+) line (\\d+): (.*)$","file":1,"line":2,"message":3}]}]}"#,
    );
    write("mine.txt", "a.c line 1: mine\n");
    folder
}

fn parse(folder: &Path, arguments: &[&str], input: &str) -> Ran {
    let mut child = gatepost(folder, &[&["parse"], arguments].concat())
        .env("TMPDIR", folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that is refused does not read it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let done = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: done.status.code(), out: text(done.stdout), err: text(done.stderr), report: Value::Null }
}

#[test]
fn for_people() {
    let folder = folder();
    let seen = |arguments: &[&str]| {
        let ran = parse(folder.path(), arguments, "");
        format!("$ gatepost parse {}\n{}\n", arguments.join(" "), ran.seen(folder.path()))
    };
    let all = [
        seen(&["gcc.txt"]),
        seen(&["tests.xml"]),
        seen(&["--from", "matcher:matcher.json", "mine.txt"]),
        seen(&["what.txt"]),
        seen(&["--from", "gc", "gcc.txt"]),
        seen(&["--from", "junit", "gcc.txt"]),
        seen(&["--from", "matcher:none.json", "mine.txt"]),
        seen(&["none.txt"]),
        seen(&["-"]),
    ];
    expect("parse", &all.concat());
}

#[test]
fn standard_input_is_an_input() {
    let folder = folder();
    let gcc = std::fs::read_to_string(folder.path().join("gcc.txt")).unwrap();
    for arguments in [&["--json"][..], &["--json", "-"], &["--to", "json", "--from", "gcc", "-"]] {
        let ran = parse(folder.path(), arguments, &gcc);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        let parsed: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!((&parsed["schema"], &parsed["format"]), (&json!("gatepost.parse/v1"), &json!("gcc")));
        assert_eq!(parsed["findings"].as_array().unwrap().len(), 2);
        assert_eq!((&parsed["tests"], &parsed["findings"][0]["path"]), (&Value::Null, &json!("a.c")));
    }
    let empty = parse(folder.path(), &["--from", "eslint"], "");
    assert_eq!((empty.code, empty.out.as_str()), (Some(4), ""));
    assert_eq!(parse(folder.path(), &["--from", "gcc", "--json"], "").code, Some(0), "clean");
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
        .filter(|name| name.starts_with("gatepost-"))
        .collect();
    assert_eq!(left, [""; 0], "copies of standard input");
}

#[test]
fn several_files_are_one_result() {
    let folder = folder();
    let ran = parse(folder.path(), &["--json", "gcc.txt", "tests.xml"], "");
    let parsed: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(parsed["format"], "gcc-junit");
    assert_eq!((parsed["findings"].as_array().unwrap().len(), &parsed["tests"]["failed"]), (2, &json!(1)));
    let ran = parse(folder.path(), &["--json", "gcc.txt", "what.txt"], "");
    assert_eq!((ran.code, ran.out.as_str()), (Some(4), ""), "one that is not understood spoils all");
}

#[test]
fn other_shapes() {
    let folder = folder();
    let sarif = parse(folder.path(), &["--to", "sarif", "gcc.txt"], "");
    let log: Value = serde_json::from_str(&sarif.out).unwrap();
    assert_eq!(log["runs"][0]["results"].as_array().unwrap().len(), 2);
    let junit = parse(folder.path(), &["--to", "junit", "tests.xml"], "");
    assert!(junit.out.starts_with("<?xml") && junit.out.contains("name=\"b\""), "{}", junit.out);
    let again = parse(folder.path(), &["--json"], &sarif.out);
    assert_eq!(again.code, Some(0), "{}", again.err);
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_twice_is_read_all_the_same() {
    let folder = folder();
    let said = |ran: Ran| (ran.code, ran.out.contains("unused"), ran.err);
    assert_eq!(
        said(parse(folder.path(), &["/dev/stdin"], "a.c:1:5: warning: unused\n")),
        (Some(0), true, String::new())
    );
    let line = format!("{} parse <(cat gcc.txt) --from gcc", env!("CARGO_BIN_EXE_gatepost"));
    let mut command = Command::new("bash");
    assert_eq!(said(ended(command.args(["-c", &line]).current_dir(folder.path()))), (Some(0), true, String::new()));
    let ran = parse(folder.path(), &["."], "");
    assert_eq!(ran.code, Some(4), "{}", ran.out);
}

#[cfg(unix)]
#[test]
fn nothing_of_the_input_is_left_where_it_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = gatepost(folder.path(), &["parse", "-"]);
    let mut child = command.env("TMPDIR", folder.path()).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    // More than a pipe holds: it reads.
    input.write_all(&vec![b'\n'; 1 << 20]).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
