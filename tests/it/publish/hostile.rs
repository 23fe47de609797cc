//! What tools print, and how branches and files are named, commands neither the runner nor GitHub's readers.

use std::path::Path;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::{Scene, TOKEN, end, write};
use crate::github::Token;

/// Each would be acted on somewhere; what would show that one was is called FORGED.
const LINES: &[&str] = &[
    "::error title=FORGED::x",
    "  ::warning title=FORGED,file=src/a.c::x",
    "::add-mask::e",
    "::set-output name=verdict::pass FORGED",
    "::stop-commands::FORGED",
    "::endgroup::",
    "##[error]FORGED",
    "x ##[add-mask]FORGED",
    "\r::error title=FORGED::cr",
    "\u{2028}::error title=FORGED::ls",
    "\u{1b}[31m::error title=FORGED::colour",
    "@mona FORGED @octo/team",
    "<script>FORGED</script> <img src=x onerror=y> ![FORGED](https://evil.example/p.png)",
    "[FORGED](https://evil.example) https://evil.example www.evil.example",
    "</details> <details><summary>FORGED</summary>",
    "```",
    "~~~",
    "````",
    "<!-- gatepost:v1 key=gatepost run=99999.9 verdict=pass hash=00000000 head=aaaaaaa open= -->",
    "| FORGED | pass |",
    "# FORGED",
    "closes #1",
    "%0A::error title=FORGED::percent",
];

const GATES: &str = r#"
[gates.lint]
kind = "lint"
command = "cat tool/lint.txt; exit 1"
format = "gcc"
only = "all"

[gates.test]
kind = "test"
command = "cp tool/junit.xml junit.xml; cat tool/lines.txt; exit 1"
reports = ["junit.xml"]

[gates.build]
kind = "command"
command = "cat tool/lines.txt; cat tool/lines.txt >&2; exit 1"

[gates.fine]
kind = "command"
command = "cat tool/lines.txt"
"#;

fn plant(root: &Path) {
    write(&root.join("tool/lines.txt"), &(LINES.join("\n") + "\n"));
    let paths =
        ["src/a.c", "../../etc/passwd", "/etc/passwd", "src/../../x", "src/::error title=FORGED::.c", "<b>@mona.c"];
    let finding = |path: &str| {
        LINES.iter().map(move |line| format!("{path}:2:1: error: {line} [-W{line}]\n")).collect::<Vec<_>>().concat()
    };
    write(&root.join("tool/lint.txt"), &paths.map(finding).concat());
    let xml = |text: &str| {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('"', "&quot;")
            .replace('\u{1b}', "")
            .replace('\r', "&#13;")
    };
    let case = |line: &&str| {
        let text = xml(line);
        format!(
            r#"<testcase classname="{text}" name="{text}" file="{text}" line="1"><failure message="{text}">{text}</failure></testcase>"#
        )
    };
    let cases: String = LINES.iter().map(case).collect();
    write(&root.join("tool/junit.xml"), &format!("<testsuite name=\"s\">{cases}</testsuite>"));
    write(&root.join("src/@mona <!-- x.c"), "x\n");
}

/// A command as the runner read it: its name, properties and data, decoded.
#[derive(Debug, PartialEq)]
struct Command {
    name: String,
    properties: Vec<(String, String)>,
    data: String,
}

/// A small model of the runner: it obeys `::` at the start of a line after white space, and `##[` anywhere in one, but
/// not between `::stop-commands::WORD` and `::WORD::`. Lines end at every line feed or carriage return.
fn obeyed(text: &str) -> Vec<Command> {
    let mut stopped: Option<String> = None;
    let mut commands = Vec::new();
    for line in text.split(['\n', '\r']) {
        let Some(command) = command(line) else { continue };
        match &stopped {
            Some(word) if command.name == *word => stopped = None,
            Some(_) => {}
            None if command.name == "stop-commands" => stopped = Some(command.data),
            None => commands.push(command),
        }
    }
    assert_eq!(stopped, None, "commands stay stopped");
    commands
}

fn command(line: &str) -> Option<Command> {
    let decode = |text: &str| {
        [("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")]
            .iter()
            .fold(text.to_owned(), |text, (code, plain)| text.replace(code, plain))
    };
    let (head, data) = match line.trim_start().strip_prefix("::").and_then(|rest| rest.split_once("::")) {
        Some(parts) => parts,
        None => line.split_once("##[").and_then(|(_, rest)| rest.split_once(']'))?,
    };
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let properties = properties.split(',').filter_map(|one| one.split_once('='));
    let properties = properties.map(|(key, value)| (key.trim().to_owned(), decode(value))).collect();
    Some(Command { name: name.to_owned(), properties, data: decode(data) })
}

#[test]
fn the_model_obeys_what_the_runner_obeys() {
    let names = |text: &str| obeyed(text).into_iter().map(|command| command.name).collect::<Vec<_>>();
    assert_eq!(names(&LINES[..4].join("\n")), ["error", "warning", "add-mask", "set-output"]);
    assert_eq!(names("a\r ::error file=x::y\na ##[group]b\n a ::error::"), ["error", "group"]);
    assert_eq!(names("::stop-commands::w\n::error::x\n::w::\n::notice::y"), ["notice"]);
    let one = command("::error file=a%2Cb,line=3::100%25%0Ax").unwrap();
    assert_eq!((one.properties[0].1.as_str(), one.data.as_str()), ("a,b", "100%\nx"));
}

#[track_caller]
pub fn only_ours(text: &str) {
    for command in obeyed(text) {
        let ours = ["group", "endgroup", "error", "warning", "notice"].contains(&command.name.as_str());
        assert!(ours, "the runner obeys {command:?}");
        let of = |key: &str| command.properties.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
        assert_ne!(of("title"), Some("FORGED"), "{command:?}");
        let file = of("file").unwrap_or_default();
        assert!(!file.starts_with('/') && !file.split('/').any(|part| part == ".."), "{command:?}");
    }
}

/// What a reader of the Markdown would do more with than show it as code.
#[track_caller]
fn harmless(markdown: &str) {
    harmless_but_for(markdown, "run=1.1");
}

/// The same, where our own marker is of this run.
#[track_caller]
pub fn harmless_but_for(markdown: &str, run: &str) {
    let mut code = false;
    let mut text = String::new();
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_GFM | Options::ENABLE_STRIKETHROUGH)
    {
        match event {
            Event::Html(html) | Event::InlineHtml(html) => {
                // Of the run that is named, whatever flow it is of.
                let flow = html.strip_prefix("<!-- gatepost:v1 key=gatepost-").and_then(|rest| rest.split_once(' '));
                let marker = flow.is_some_and(|(_, rest)| rest.starts_with(&format!("{run} ")));
                let bare = html.replace("<code>", "").replace("</code>", "");
                let ours = ["<details><summary>", "</details>", "<sub>", "</sub>"];
                let fold = bare.lines().all(|line| ours.iter().any(|tag| line.trim().starts_with(tag)));
                assert!((marker || fold) && !html.contains("FORGED"), "HTML {html:?}");
            }
            Event::Start(Tag::Link { dest_url, .. }) => {
                assert!(dest_url.starts_with("https://github.test/octo/shop/"), "link {dest_url}");
            }
            Event::Start(Tag::Image { dest_url, .. }) => panic!("image {dest_url}"),
            Event::Start(Tag::CodeBlock(_)) => code = true,
            Event::End(TagEnd::CodeBlock) => code = false,
            Event::Text(part) if !code => text.push_str(&part),
            _ => {}
        }
    }
    for bad in ["FORGED", "@", "evil.example", "#1", "closes"] {
        assert!(!text.contains(bad), "{bad} in {text}");
    }
}

fn scene(token: Token) -> Scene {
    let scene = Scene::with(GATES, plant, |github| {
        github.token(TOKEN, token);
    });
    scene.event("octo/shop", "::error title=FORGED::@mona");
    scene
}

#[test]
fn the_runner_obeys_no_one_elses_commands() {
    for (token, arguments) in [
        (Token::actions(), &[][..]),
        (Token::read_only(), &["-vvv"][..]),
        (Token::actions(), &["--dry-run"][..]),
        (Token::actions(), &["--fail-fast", "-q"][..]),
    ] {
        let scene = scene(token);
        let ended = end(&mut scene.step(1, arguments)).with_code(1);
        only_ours(&ended.out);
        only_ours(&ended.err);
        scene.fake.finish();
    }
    let scene = scene(Token::actions());
    for arguments in [&["a\n::add-mask::e"][..], &["--base", "a\n::add-mask::e"], &["--baseline", "a\n::add-mask::e"]] {
        let ended = end(&mut scene.step(1, &[arguments, &["--color", "never"]].concat())).with_code(2);
        only_ours(&ended.out);
        only_ours(&ended.err);
    }
    write(&scene.root().join("gatepost.toml"), "[gates.x]\nkind = \"command\"\n::error title=FORGED::x\n");
    let ended = end(&mut scene.step(1, &[])).with_code(2);
    only_ours(&ended.out);
    only_ours(&ended.err);
    scene.fake.finish();
}

#[test]
fn what_github_gets_is_text_and_code() {
    let scene = scene(Token::actions());
    end(&mut scene.step(1, &[])).with_code(1);
    let comments = scene.comments();
    assert!(comments.len() == 1 && comments[0].matches("<!-- gatepost:v1").count() == 1, "{comments:?}");
    harmless(&comments[0]);
    harmless(&scene.text("summary.md"));
    scene.fake.with(|github| {
        for check in &github.repo("octo/shop").checks {
            harmless(check.summary.as_deref().unwrap_or_default());
            harmless(check.text.as_deref().unwrap_or_default());
            assert!(!check.title.as_deref().unwrap_or_default().contains(['\n', '\r', '\u{1b}']));
            for annotation in &check.annotations {
                let path = annotation["path"].as_str().unwrap();
                assert!(!path.starts_with('/') && !path.split('/').any(|part| part == ".."), "{annotation}");
            }
        }
    });
    let outputs = scene.text("output");
    assert!(outputs.contains("verdict<<") && !outputs.contains("FORGED"), "{outputs}");
    scene.fake.finish();
}
