//! Every payload is inside every limit of its service and commands nothing, whatever a notice holds. The limits are those
//! of each service's documentation, or what it was measured to take.

use proptest::prelude::*;
use pulldown_cmark::{Event as Markdown, Options, Parser, Tag};
use serde_json::Value;

use super::*;
use crate::model::notice::EVENTS;
use crate::model::sha::Sha;

/// As the services count at most.
fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// What tempts: markup of every service, mentions, links, escapes, characters of one to four bytes.
fn text() -> impl Strategy<Value = String> {
    let bait = prop_oneof![
        Just("<!channel>"),
        Just("<@U123>"),
        Just("@everyone"),
        Just("<https://evil.example|all is well>"),
        Just("[well](https://evil.example)"),
        Just("https://evil.example"),
        Just("&"),
        Just("<"),
        Just("```"),
        Just("`"),
        Just("*_~|#"),
        Just("\n"),
        Just("\r\nBcc: all@example.com\r\n"),
        Just("-->"),
        Just("<!-- gatepost:news key=x id=y -->"),
        Just("closes #1 @octocat"),
        Just("👩‍👩‍👧‍👦"),
        Just("\u{202e}"),
        Just("\u{1b}[31m"),
        Just("ä"),
    ];
    let piece = prop_oneof![4 => bait.prop_map(str::to_owned), 1 => any::<String>()];
    (prop::collection::vec(piece, 0..12), 1..800_usize).prop_map(|(pieces, times)| pieces.concat().repeat(times))
}

fn notice() -> impl Strategy<Value = Notice> {
    let maybe = || prop::option::of(text());
    let run = prop::option::of(prop_oneof![
        Just("https://github.com/o/r/actions/runs/1?a=b&c=d".to_owned()),
        text(),
        Just(format!("https://h/{}", "x".repeat(9_000))),
    ]);
    let shas = prop::option::of(Just(Sha::parse(&"a".repeat(40)).unwrap()));
    (0..EVENTS.len(), text(), text(), text(), maybe(), maybe(), maybe(), run, maybe(), shas).prop_map(
        |(event, environment, story, repository, reference, by, reason, run, url, sha)| Notice {
            event: &EVENTS[event],
            environment,
            story,
            repository,
            previous: sha.clone(),
            sha,
            reference,
            by,
            reason,
            run,
            url,
            at: "2026-11-21T10:00:00Z".to_owned(),
        },
    )
}

/// Every string below a value, with the keys that lead to it.
fn strings(value: &Value, way: &str, into: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => into.push((way.to_owned(), text.clone())),
        Value::Array(items) => items.iter().for_each(|item| strings(item, way, into)),
        Value::Object(map) => map.iter().for_each(|(key, item)| strings(item, &format!("{way}.{key}"), into)),
        _ => {}
    }
}

fn all(value: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    strings(value, "", &mut found);
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn slack(notice in notice()) {
        let message = slack::message(&notice);
        let blocks = message["blocks"].as_array().unwrap();
        prop_assert!(blocks.len() <= 50);
        for block in blocks {
            let text = |limit: usize, text: &Value| {
                let length = units(text["text"].as_str().unwrap());
                (1..=limit).contains(&length)
            };
            match block["type"].as_str().unwrap() {
                "header" => prop_assert!(text(150, &block["text"])),
                "section" => {
                    prop_assert!(block["text"].is_null() || text(3_000, &block["text"]));
                    let fields = block["fields"].as_array().cloned().unwrap_or_default();
                    prop_assert!(fields.len() <= 10 && fields.iter().all(|field| text(2_000, field)));
                }
                "context" => prop_assert!(text(3_000, &block["elements"][0])),
                other => prop_assert!(false, "{other}"),
            }
        }
        let total: usize = all(&message).iter().map(|(_, text)| units(text)).sum();
        prop_assert!(total < 9_000, "{total}");
        for (way, text) in all(&message) {
            let links = usize::from(way == ".blocks.elements.text");
            prop_assert_eq!((text.matches('<').count(), text.matches('>').count()), (links, links), "{}: {}", way, text);
            let bare = text.split('&').skip(1).filter(|rest| !["amp;", "lt;", "gt;"].iter().any(|name| rest.starts_with(name)));
            prop_assert_eq!(bare.count(), 0, "{}", text);
        }
        let mrkdwn = all(&message).iter().filter(|(_, text)| text == "mrkdwn").count();
        prop_assert!(mrkdwn <= 1, "only our own link is markup");
    }

    #[test]
    fn discord(notice in notice()) {
        let message = discord::message(&notice);
        prop_assert_eq!(&message["allowed_mentions"], &serde_json::json!({"parse": []}));
        prop_assert!((1..=2_000).contains(&units(message["content"].as_str().unwrap())));
        let embed = &message["embeds"][0];
        let length = |value: &Value| units(value.as_str().unwrap_or_default());
        prop_assert!((1..=256).contains(&length(&embed["title"])));
        prop_assert!(length(&embed["description"]) <= 4_096);
        let fields = embed["fields"].as_array().unwrap();
        prop_assert!(fields.len() <= 25);
        for field in fields {
            prop_assert!((1..=256).contains(&length(&field["name"])) && (1..=1_024).contains(&length(&field["value"])));
            let value = field["value"].as_str().unwrap();
            prop_assert!(value.len() > 2 && value.matches('`').count() == 2 && value.starts_with('`') && value.ends_with('`'), "{value}");
            prop_assert!(!value.contains('\n'));
        }
        if let Some(description) = embed["description"].as_str() {
            prop_assert_eq!(description.matches("```").count(), 2);
            prop_assert_eq!(description.matches('`').count(), 6);
        }
        let parts = fields.iter().map(|field| length(&field["name"]) + length(&field["value"])).sum::<usize>();
        prop_assert!(parts + length(&embed["title"]) + length(&embed["description"]) <= 6_000);
    }

    #[test]
    fn mail(notice in notice()) {
        let mail = email::message(&notice, "Gatepost <a@example.com>".to_owned(), vec!["b@example.com".to_owned()], 1_700_000_000);
        let written = String::from_utf8(crate::world::mail::written(&mail).unwrap()).unwrap();
        prop_assert!(written.lines().all(|line| line.len() <= 998));
        let (head, body) = written.split_once("\r\n\r\n").unwrap();
        let names: Vec<&str> = head.split("\r\n").filter(|line| !line.starts_with([' ', '\t'])).map(|line| line.split(':').next().unwrap()).collect();
        prop_assert_eq!(names, ["From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Content-Type", "Content-Transfer-Encoding"]);
        prop_assert!(body.len() < 200_000);
    }

    #[test]
    fn webhook(notice in notice()) {
        let message = webhook::message(&notice).to_string();
        prop_assert!(message.len() <= 64 << 10, "{}", message.len());
        prop_assert_eq!(webhook::id(&notice), webhook::id(&notice.clone()));
    }

    #[test]
    fn issue(notice in notice()) {
        let issue = github_issue::news(&notice, Vec::new(), true);
        prop_assert!((1..=256).contains(&issue.title.chars().count()) && !issue.title.contains('\n'));
        prop_assert!(issue.body.chars().count() <= 60_000);
        prop_assert!(!issue.body.contains("<!--"));
        let mut links = 0;
        for event in Parser::new_ext(&issue.body, Options::all()) {
            match event {
                Markdown::Start(Tag::Link { dest_url, .. }) => {
                    links += 1;
                    prop_assert_eq!(Some(&*dest_url), notice.run.as_deref());
                }
                Markdown::Start(Tag::Image { .. }) | Markdown::Html(_) | Markdown::InlineHtml(_) => {
                    prop_assert!(false, "{event:?}");
                }
                Markdown::Text(text) => {
                    let ours = issue.body.contains(&format!("```text\n{}", text.lines().next().unwrap_or_default()));
                    prop_assert!(ours || !text.contains(['@', '#']), "{text}");
                }
                _ => {}
            }
        }
        prop_assert!(links <= 1);
    }

    #[test]
    fn cutting_never_cuts_through_an_escape(text in any::<String>(), limit in 1..40_usize) {
        let escape = |c: char, out: &mut String| out.extend(['[', c, ']']);
        let cut = words::fit(&text, limit, escape);
        prop_assert!(units(&cut) <= limit, "{cut}");
        let whole: String = text.chars().flat_map(|c| ['[', c, ']']).collect();
        let kept = cut.strip_suffix('…').filter(|_| cut != whole).unwrap_or(&cut);
        prop_assert!(whole.starts_with(kept) && (kept.is_empty() || kept.ends_with(']')), "{cut}");
        prop_assert!(units(&whole) > limit || cut == whole);
    }
}

#[test]
fn every_notifier_finds_its_name_and_needs_what_it_has() {
    let mut names: Vec<&str> = ALL.iter().map(|notifier| notifier.row.name).collect();
    assert!(names.contains(&"slack") && names.contains(&"email"));
    names.dedup();
    assert_eq!(names.len(), ALL.len());
}
