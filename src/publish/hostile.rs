//! What hostile text in every field of a report may do to what is posted: nothing.

use std::sync::LazyLock;

use proptest::prelude::*;
use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};
use regex::Regex;

use crate::model::call::{Call, CheckRun};
use crate::model::finding::Level;
use crate::model::path::RepoPath;
use crate::model::report::{GateReport, Report};
use crate::model::settings::PublishSettings;
use crate::model::suggestion::Offer;
use crate::model::text::{clean, is_invisible};
use crate::publish::sample::{carry, ended, finding, gate_end, report};
use crate::publish::{Posting, check_run, comment, on_end, outputs, summary, workflow_commands};

/// Stands in every field that is never a sentence of ours: it must only ever be seen inside code.
const CLAIM: &str = "ALLPASSED ";

const FRAGMENTS: &[&str] = &[
    "@octocat",
    "@acme/team",
    "#1",
    "acme/shop#1",
    "GH-1",
    "closes #1",
    "https://evil.example/x",
    "www.evil.example",
    "http://",
    "https://github.com/acme/shop/issues/1",
    "deadbeefdeadbeef",
    "0123456",
    "a@evil.example",
    "mailto:x@y.z",
    ":tada:",
    "![x](https://evil.example/p.png)",
    "[x](https://evil.example)",
    "[x]",
    "[x]: https://evil.example",
    "[^1]",
    "<https://evil.example>",
    "<img src=x>",
    "<script>",
    "</details>",
    "<details>",
    "<summary>",
    "<!-- gatepost -->",
    "<!--",
    "-->",
    "<b>",
    "&lt;b&gt;",
    "&#64;all",
    "`",
    "``",
    "```",
    "````",
    "~~~",
    "\n```\n",
    "\n~~~\n",
    "\n\n",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "|",
    "\\|",
    "\\",
    "\\`",
    "\\\\|",
    "| a | b |\n|--|--|\n",
    "# h",
    "\n# h\n",
    "\n> q\n",
    "\n---\n",
    "\n===\n",
    "\n- [x] done\n",
    "1. ",
    "- ",
    "* ",
    "+ ",
    "**all passed**",
    "_x_",
    "*",
    "~~x~~",
    "$x$",
    "$$",
    "$`x`$",
    "{{x}}",
    "%0A",
    "%",
    ",",
    "::",
    "::error::x",
    "\n::add-mask::x\n",
    "##[group]x",
    "\u{1b}[31m",
    "\u{1b}]8;;https://evil\u{7}",
    "\u{202e}",
    "\u{200b}",
    "\u{2066}",
    "\u{e0041}",
    "\u{fe0f}",
    "\u{3164}",
    "\u{0}",
    "\u{85}",
    "\u{2028}",
    "é",
    "漢",
    "👍",
    " ",
    "  ",
    "word",
    "All gates passed.",
    "\"",
    "'",
    "(",
    ")",
    "\ngatepost-x\nverdict=pass\n",
    "ghadelimiter_c0ffee",
];

fn hostile() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(FRAGMENTS), 0..12).prop_map(|parts| parts.concat())
}

/// The sample report with the texts in every field that may carry someone else's.
fn poisoned(texts: &[String]) -> Report {
    let mut texts = texts.iter().cycle();
    let mut next = || texts.next().cloned().unwrap_or_default();
    let mut report = report();
    report.notes = vec![next()];
    for gate in &mut report.gates {
        if let Some(tests) = &mut gate.tests {
            tests.cases.drain(..120);
        }
        (gate.reason, gate.reproduce, gate.log) =
            (next(), CLAIM.to_owned() + &next(), Some(CLAIM.to_owned() + &next()));
        gate.notes = vec![next(), next()];
        gate.findings.push(finding(Level::Note, "x", "b.rs", 4, "y"));
        for judged in &mut gate.findings {
            judged.finding.message = CLAIM.to_owned() + &next();
            (judged.finding.rule, judged.finding.help) = (Some(CLAIM.to_owned() + &next()), Some(next()));
        }
        for judged in gate.findings.iter_mut().skip(1) {
            judged.finding.path = Some(CLAIM.to_owned() + &next());
            judged.path = RepoPath::parse(&next()).ok();
        }
        carry(gate, &mut || next());
        for judged in &mut gate.findings {
            // No suggestion is made of a fix with hidden characters.
            if let Some(Offer::Suggestion(fix)) = &mut judged.offer {
                fix.text = clean(&fix.text);
            }
        }
        for case in gate.tests.iter_mut().flat_map(|tests| &mut tests.cases).skip(4) {
            case.outcome = crate::model::tests::CaseOutcome::Failed;
            (case.name, case.class, case.suite) = (CLAIM.to_owned() + &next(), Some(next()), Some(next()));
            (case.file, case.line, case.message) = (Some(next()), Some(3), Some(CLAIM.to_owned() + &next()));
        }
    }
    report
}

static OURS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^(<details><summary>[✅❌❓➖] <code>[a-z]+</code>[^<]*</summary>|</details>|</?sub>)$").unwrap()
});

static LINKS: LazyLock<Regex> = LazyLock::new(|| {
    let pages = "blob/[0-9a-f]{40}/[A-Za-z0-9%/._~-]+#L[0-9]+|commit/[0-9a-f]{40}|actions/runs/15";
    let advisories = "https://(osv.dev/vulnerability|github.com/advisories|rustsec.org/advisories)/[A-Za-z0-9._:-]*";
    Regex::new(&format!("^(https://github.com/acme/shop/({pages})|{advisories})$")).unwrap()
});

/// What GitHub, or a reader of Markdown, would do more with than show it.
static ACTED_ON: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)@|#\w|://|www\.|\bgh-\d|[0-9a-f]{7}|:\w+:|[$*_~<>|\[\]\\]|ALLPASSED").unwrap());

static COMMAND: LazyLock<Regex> = LazyLock::new(|| {
    let place = "(,(file|line|endLine|col|endColumn)=[^,:]*)*";
    Regex::new(&format!("^::(error|warning|notice) title=[^,:]*{place}::[^\n\r]*$")).unwrap()
});

/// Reads Markdown as GitHub does and fails at anything that is not ours.
fn hold(markdown: &str, gates: usize) {
    assert!(!markdown.contains("<!--"), "a marker: {markdown}");
    read(markdown, gates);
}

/// The same of what may have any text in a fence: a suggestion is what a file is to be.
fn read(markdown: &str, gates: usize) {
    let (mut code, mut rows, mut cells, mut text) = (false, 0, 0, String::new());
    for event in Parser::new_ext(
        markdown,
        Options::ENABLE_TABLES
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_GFM
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS
            | Options::ENABLE_MATH,
    ) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) => {
                assert!(html.lines().all(|line| OURS.is_match(line.trim())), "HTML {html:?} in {markdown}");
            }
            Event::Start(Tag::Link { link_type, dest_url, .. }) => {
                assert!(link_type == LinkType::Inline && LINKS.is_match(&dest_url), "link {dest_url} in {markdown}");
            }
            Event::Start(Tag::CodeBlock(_)) => code = true,
            Event::End(TagEnd::CodeBlock) => code = false,
            Event::Start(Tag::TableRow) => rows += 1,
            Event::Start(Tag::TableCell) => cells += 1,
            Event::Text(part) if !code => text.push_str(&part),
            Event::Text(part) | Event::Code(part) => assert!(!part.contains(is_invisible), "invisible in {part:?}"),
            Event::Start(
                Tag::Paragraph
                | Tag::Heading { .. }
                | Tag::HtmlBlock
                | Tag::List(None)
                | Tag::Item
                | Tag::Table(_)
                | Tag::TableHead
                | Tag::Strong,
            )
            | Event::End(_)
            | Event::SoftBreak => text.push(' '),
            other => panic!("{other:?} in {markdown}"),
        }
    }
    let seen = text.replace("gatepost 0.1.0", "");
    assert!(!seen.contains(is_invisible) && !ACTED_ON.is_match(&seen), "{:?} in {seen}", ACTED_ON.find(&seen));
    if gates > 0 {
        assert_eq!((rows, cells), (gates, (gates + 1) * 5), "{markdown}");
    }
}

fn hold_check(check: &CheckRun) {
    for annotation in &check.annotations {
        let texts = [Some(&annotation.message), annotation.title.as_ref()];
        assert!(
            texts
                .into_iter()
                .flatten()
                .all(|text| !text.contains(|c: char| is_invisible(c) || (c.is_control() && c != '\n' && c != '\t')))
        );
    }
    assert!(!check.title.contains(|c: char| c.is_control() || is_invisible(c)));
}

/// Each line is one command with our own keys, or cannot be taken for one.
fn hold_commands(lines: &[String]) {
    for line in lines {
        assert!(COMMAND.is_match(line) || line.starts_with("gatepost: "), "{line:?}");
        assert!(!line.contains(['\n', '\r']), "{line:?}");
    }
}

fn hold_all(report: &Report) {
    let settings = PublishSettings { suggestions: true, ..PublishSettings::default() };
    ended(report, &settings, |end| {
        let (mut issues, mut suggestions) = (0, 0);
        for posting in on_end(&end) {
            match posting {
                Posting::Call(Call::StickyIssue(issue)) => {
                    hold(&issue.body, 0);
                    issues += 1;
                }
                Posting::Call(Call::Review(review)) => {
                    review.suggestions.iter().for_each(|one| read(&one.body, 0));
                    suggestions += review.suggestions.len();
                }
                _ => {}
            }
        }
        assert!(issues > 0 && suggestions > 0);
        hold(&comment::plan(&end).unwrap().body, report.gates.len());
        hold(&summary::plan(&end).unwrap(), report.gates.len());
        let whole = check_run::of_run(&end).unwrap();
        hold(&whole.summary, report.gates.len());
        hold_check(&whole);
        let checks = report.gates.iter().map(|gate: &GateReport| check_run::of_gate(&gate_end(&end, gate)).unwrap());
        for check in checks {
            hold(&check.summary, 0);
            hold(check.text.as_deref().unwrap_or_default(), 0);
            hold_check(&check);
        }
        hold_commands(&workflow_commands::plan(&end));
        assert_eq!(outputs::plan(&end).lines().count(), outputs::ALL.len() * 3);
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn hostile_text_stays_text(texts in prop::collection::vec(hostile(), 1..40)) {
        hold_all(&poisoned(&texts));
    }
}

#[test]
fn each_fragment_alone_stays_text() {
    for fragment in FRAGMENTS {
        hold_all(&poisoned(&[(*fragment).to_owned()]));
    }
}

#[test]
#[should_panic(expected = "link https://evil.example")]
fn the_reader_of_these_tests_sees_links() {
    hold("a [link](https://evil.example)", 0);
}

#[test]
fn links_need_good_parts() {
    let mut report = report();
    report.subject.repository = Some("acme/shop](https://evil.example)".to_owned());
    report.subject.run_url = Some("https://evil.example) @all".to_owned());
    let body = ended(&report, &PublishSettings::default(), |end| comment::plan(&end)).unwrap().body;
    assert!(!body.contains("evil") && !body.contains("]("), "{body}");
}
