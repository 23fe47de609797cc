//! The grammar on what people, mail programs and attackers write.

use proptest::prelude::*;

use super::*;

const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

fn acts(body: &str) -> Vec<Act> {
    let read = read(body);
    assert_eq!(read.refusals, [], "{body:?}");
    read.commands.into_iter().map(|command| command.act).collect()
}

/// The codes of what was refused; nothing was taken.
fn refused(body: &str) -> Vec<&'static str> {
    let read = read(body);
    assert_eq!(read.commands, [], "{body:?}");
    read.refusals.iter().map(|refusal| refusal.code.word()).collect()
}

fn deploy(environment: &str, sha: Option<&str>) -> Act {
    let sha = sha.map(|sha| Sha::parse(sha).unwrap());
    Act::Deploy { environment: environment.to_owned(), sha, parameters: Vec::new() }
}

fn gate(name: &str) -> GateName {
    GateName::parse(name).unwrap()
}

#[test]
fn every_command_is_read() {
    let text = str::to_owned;
    for (body, act) in [
        ("/rerun", Act::Rerun(Rerun::All)),
        ("/rerun failed", Act::Rerun(Rerun::Failed)),
        ("/Rerun  lint\ttest lint", Act::Rerun(Rerun::Gates(vec![gate("lint"), gate("test")]))),
        (
            "/override audit no fix yet, see `#12` <https://example.com>",
            Act::Override { gate: gate("audit"), reason: text("no fix yet, see `#12` <https://example.com>") },
        ),
        ("/deploy staging", deploy("staging", None)),
        ("   /DEPLOY staging 0123456789ABCDEF0123456789ABCDEF01234567  ", deploy("staging", Some(SHA))),
        (
            "/deploy eu.prod-1 canary=10 note=a=b",
            Act::Deploy {
                environment: text("eu.prod-1"),
                sha: None,
                parameters: vec![(text("canary"), text("10")), (text("note"), text("a=b"))],
            },
        ),
        ("/rollback production", Act::Rollback { environment: text("production"), to: None, parameters: vec![] }),
        (
            "/promote staging production force=yes",
            Act::Promote {
                from: text("staging"),
                to: text("production"),
                parameters: vec![(text("force"), text("yes"))],
            },
        ),
        ("/lock staging", Act::Lock { environment: text("staging"), reason: None }),
        (
            "/lock staging  a demo, until 5",
            Act::Lock { environment: text("staging"), reason: Some(text("a demo, until 5")) },
        ),
        (
            "/unlock staging force=true",
            Act::Unlock { environment: text("staging"), parameters: vec![(text("force"), text("true"))] },
        ),
        ("/status", Act::Status { environment: None }),
        ("/status staging", Act::Status { environment: Some(text("staging")) }),
        ("/help", Act::Help { command: None }),
        ("/help /Deploy", Act::Help { command: Some("deploy") }),
        ("/override ?", Act::Help { command: Some("override") }),
    ] {
        assert_eq!(acts(body), [act], "{body}");
    }
}

#[test]
fn first_lines_only_in_whatever_ends_lines() {
    let both = vec![Act::Rerun(Rerun::All), deploy("staging", None)];
    for body in ["/rerun\n/deploy staging", "\r\n/rerun\r\n\r\n/deploy staging\r\n", "/rerun\r/deploy staging\rthanks"]
    {
        assert_eq!(acts(body), both, "{body:?}");
    }
    assert_eq!(acts("/rerun\nthanks!\n/deploy staging"), both[..1]);
    assert_eq!(acts("> earlier words\n\n/rerun\n/deploy staging"), both, "an answer by mail");
    assert_eq!(acts("/lgtm\n/rerun\n/deploy staging"), both, "another bot's command is its own");
    assert_eq!(read("/rerun\n\n/deploy staging").commands[1].line, 3);
    for body in [
        "thanks\n/rerun",
        "- /rerun",
        "@bot /rerun",
        "see /rerun",
        "/usr/bin/rerun",
        "// rerun",
        "/",
        "",
        "<pre>\n/rerun",
        "# /rerun",
        "[x]: y\n/rerun",
    ] {
        assert!(read(body).is_nothing(), "{body:?}");
    }
}

#[test]
fn what_is_quoted_fenced_or_hidden_never_acts() {
    for body in [
        "> /rerun",
        "> a\n/rerun",
        "> a\n    \t/rerun",
        ">/rerun\n/rerun\n/rerun",
        "```\n/rerun\n```",
        "```\n/rerun",
        "````text\n```\n/rerun\n````",
        "~~~\n/rerun\n```\n/rerun\n~~~",
        "```\n    ```\n/rerun",
        "```\n``` x\n/rerun",
        "> a\n```\n/x\n\n/rerun\n```",
        "> a\n<!--\n\n/rerun\n-->",
        "    /rerun",
        "\t/rerun",
        "  \t/rerun",
        "<!-- /rerun -->",
        "<!--\n/rerun\n\n/rerun -->",
        "<!-- a --> /rerun",
    ] {
        assert!(read(body).is_nothing(), "{body:?}: {:?}", read(body));
    }
    assert_eq!(acts("```\n/rerun\n```\n/help"), [Act::Help { command: None }]);
    assert_eq!(acts("<!-- a -->\n/help"), [Act::Help { command: None }]);
    assert_eq!(acts("<!-->\n/help"), [Act::Help { command: None }], "a whole comment, by the rules of HTML");
}

#[test]
fn a_line_that_may_be_shown_otherwise_is_refused() {
    for body in ["/override lint `\n/deploy staging\n`", "/override lint see <a\n/deploy staging\ntitle=x>"] {
        let read = read(body);
        assert_eq!(read.commands.len(), 1, "{body:?}");
        assert_eq!(read.refusals[0].code, Code::UnclearPlace);
    }
    let told = read("/rerun\n    `\n/override lint because`");
    assert_eq!((told.commands.len(), told.refusals[0].code), (1, Code::UnclearPlace), "a mark in an indented line");
    assert_eq!(acts("/override lint see `x`\n\n/rerun").len(), 2);
    assert_eq!(refused("/override lint because <!-- of nothing -->"), ["hidden_text"]);
    for hidden in [
        "/deploy prod\u{200b}uction",
        "/dep\u{ad}loy production",
        "/deploy \u{202e}gnigats",
        "/rerun \u{1b}[8mx",
        "\u{feff}/rerun",
    ] {
        assert_eq!(refused(hidden), ["hidden_text"], "{hidden:?}");
    }
    assert!(read("/rerun\u{2028}/deploy x").is_nothing());
}

#[test]
fn what_is_not_understood_is_refused_with_a_code() {
    for (body, code) in [
        ("/depoly staging", "unknown_command"),
        ("/roll-back staging", "unknown_command"),
        ("/re-run", "unknown_command"),
        ("/hlep", "unknown_command"),
        ("/deploy", "missing_argument"),
        ("/promote staging", "missing_argument"),
        ("/override lint", "missing_argument"),
        ("/override lint  \t", "missing_argument"),
        ("/lock", "missing_argument"),
        ("/deploy staging please", "bad_argument"),
        ("/deploy staging 0123456", "bad_argument"),
        ("/deploy staging;rm", "bad_argument"),
        ("/deploy $(id)", "bad_argument"),
        ("/deploy ../x", "bad_argument"),
        ("/deploy -x", "bad_argument"),
        ("/deploy рroduction", "bad_argument"),
        ("/deploy staging a=1 a=2", "bad_argument"),
        ("/deploy staging =1", "bad_argument"),
        ("/deploy staging `a=1`", "bad_argument"),
        ("/rerun lint & test", "bad_argument"),
        ("/promote a a", "bad_argument"),
        ("/status a b", "bad_argument"),
        ("/help nothing", "bad_argument"),
    ] {
        assert_eq!(refused(body), [code], "{body}");
    }
    let told = &read("/depoly staging").refusals[0];
    assert_eq!((told.line, told.said.as_str()), (1, "/depoly staging"));
    assert_eq!(told.why, "there is no command /depoly: did you mean `/deploy`?");
    let told = &read("/deploy staging 0123456").refusals[0];
    assert_eq!(
        told.why,
        "\"0123456\" is not the whole id of a commit: write all of its digits; write `/deploy ENV [SHA] [KEY=VALUE…]`"
    );
    for other in ["/lgtm", "/cc @a", "/retest", "/hold", "/assign", "/close"] {
        assert!(read(other).is_nothing(), "{other}");
    }
}

#[test]
fn a_comment_cannot_ask_for_too_much() {
    let read = read(&"/rerun\n".repeat(1000));
    assert_eq!((read.commands.len(), read.refusals.len()), (MOST, 1));
    assert_eq!(read.refusals[0].code, Code::TooMany);
    assert_eq!(super::read(&"/deploy\n".repeat(1000)).refusals.len(), MOST);
}

#[test]
fn the_help_shows_every_command() {
    let all = help(None);
    assert!(ALL.iter().all(|row| all.contains(&row.written())));
    assert_eq!(
        help(Some("status")).lines().next(),
        Some("- `/status [ENV]`: show what is live where, how it is, and what waits")
    );
    let forces = |command| help(command).contains("gatepost deploy ENV SHA --force --reason TEXT");
    assert!(forces(None) && forces(Some("deploy")) && forces(Some("promote")) && !forces(Some("status")));
}

/// Pieces that the grammar turns on, and any text.
fn body() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("/deploy production"),
        Just("/rerun"),
        Just("/override lint because"),
        Just("```"),
        Just("~~~~"),
        Just("> "),
        Just("<!--"),
        Just("-->"),
        Just("`"),
        Just("\n"),
        Just("\r\n"),
        Just("\n\n"),
        Just("    "),
        Just("\t"),
        Just("x"),
        Just("\u{200b}"),
    ];
    let any = prop::collection::vec(prop_oneof![4 => piece.prop_map(str::to_owned), 1 => any::<String>()], 0..24);
    any.prop_map(|pieces| {
        // Each command is another one, so that it is known which is seen.
        pieces
            .concat()
            .split("production")
            .enumerate()
            .fold(String::new(), |out, (at, part)| if at == 0 { part.to_owned() } else { format!("{out}p{at}{part}") })
    })
}

#[test]
fn a_tab_may_follow_a_closing_fence() {
    let body = "```\n```\t\n/deploy production";
    assert_eq!(read(body).commands.len(), 1);
    assert_eq!(shown(body), ["/deploy production"]);
}

/// Lines of text that GitHub shows outside quotations and code, read as its own reader of Markdown does: what a command may
/// stand in.
fn shown(body: &str) -> Vec<String> {
    use comrak::nodes::{AstNode, NodeValue};
    fn walk<'a>(node: &'a AstNode<'a>, lines: &mut Vec<String>) {
        let add = |lines: &mut Vec<String>, text: &str| match lines.last_mut() {
            Some(line) => line.push_str(text),
            None => lines.push(text.to_owned()),
        };
        let is_block = match &node.data.borrow().value {
            NodeValue::BlockQuote | NodeValue::Alert(_) | NodeValue::CodeBlock(_) | NodeValue::HtmlBlock(_) => return,
            NodeValue::Text(text) => {
                add(lines, text);
                false
            }
            NodeValue::Code(code) => {
                add(lines, &format!("`{}`", code.literal));
                false
            }
            NodeValue::SoftBreak | NodeValue::LineBreak => true,
            value => value.block(),
        };
        if is_block {
            lines.push(String::new());
        }
        for child in node.children() {
            walk(child, lines);
        }
    }
    let mut options = comrak::Options::default();
    let extension = &mut options.extension;
    for on in [
        &mut extension.strikethrough,
        &mut extension.table,
        &mut extension.autolink,
        &mut extension.tasklist,
        &mut extension.footnotes,
        &mut extension.alerts,
    ] {
        *on = true;
    }
    let arena = comrak::Arena::new();
    let mut lines = Vec::new();
    walk(comrak::parse_document(&arena, body, &options), &mut lines);
    lines.retain(|line| !line.is_empty());
    lines
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn a_command_is_seen_by_whoever_reads_the_comment(body in body()) {
        let read = read(&body);
        prop_assert!(read.commands.len() <= MOST && read.refusals.len() <= MOST + 1);
        let seen = shown(&body);
        for command in &read.commands {
            let words = match &command.act {
                Act::Deploy { environment, .. } => format!("/deploy {environment}"),
                Act::Rerun(_) => "/rerun".to_owned(),
                Act::Override { .. } => "/override".to_owned(),
                _ => continue,
            };
            let words: Vec<&str> = words.split(' ').collect();
            let is_seen = seen.iter().any(|line| {
                line.split([' ', '\t']).filter(|word| !word.is_empty()).take(words.len()).eq(words.iter().copied())
            });
            prop_assert!(is_seen, "{command:?} is not among {seen:?}");
        }
    }

    #[test]
    fn quoted_and_fenced_text_never_acts(inner in body()) {
        let fence = "`".repeat(inner.len() + 3);
        prop_assert_eq!(read(&format!("{fence}\n{inner}\n{fence}\n")), Read::default());
        let lines = inner.replace("\r\n", "\n").replace('\r', "\n");
        let quotation: String = format!("> {}\n", lines.replace('\n', "\n> "));
        prop_assert_eq!(read(&quotation), Read::default());
        let hidden = inner.replace("--", "");
        prop_assert_eq!(read(&format!("<!-- x{hidden}\n-->\n")), Read::default());
    }
}
