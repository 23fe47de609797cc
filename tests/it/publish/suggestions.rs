//! Suggestions end to end: what is applied from the review is the file that the tool would have made.

use std::path::Path;

use serde_json::{Value, json};

use super::{Scene, TOKEN, commit, git, write};
use crate::github::{Account, State, Token};

/// Fixes by `ESLint`: characters of the file (in UTF-16), and what they become.
const GATES: &str = r#"
[publish]
suggestions = true

[gates.web]
kind = "lint"
command = "cat tool/fixes.json; exit 1"
format = "eslint"
"#;

/// The base has `two` in line 2; nothing else changed.
const SOURCE: &str = "one\nlet é = 1;;\nthree\nfour\nfive\n";

/// `ESLint`'s output about `src/a.c`: line, and the fix as first character, the one after the last, and text.
fn eslint(source: &str, fixes: &[(u32, usize, usize, &str)]) -> String {
    let message = |(line, start, end, text): &(u32, usize, usize, &str)| {
        json!({"ruleId": "no-extra-semi", "severity": 2, "message": "Unnecessary `semicolon`.",
            "line": line, "column": 1, "endLine": line, "endColumn": 2, "fix": {"range": [start, end], "text": text}})
    };
    let messages: Vec<Value> = fixes.iter().map(message).collect();
    json!([{"filePath": "src/a.c", "messages": messages, "source": source}]).to_string()
}

/// The second `;` of line 2 is too many, and line 5 lacks one.
fn fixes() -> String {
    let end = SOURCE.chars().count() - 1;
    eslint(SOURCE, &[(2, 14, 15, ""), (5, end, end, ";")])
}

/// A pull request that makes this of `src/a.c`, and the linter's output about it.
fn scene(token: Token, source: &'static str, output: String, more: impl FnOnce(&mut State)) -> Scene {
    let change = move |root: &Path| {
        write(&root.join("src/a.c"), source);
        write(&root.join("tool/fixes.json"), &output);
    };
    Scene::with(GATES, change, |github| {
        github.token(TOKEN, token);
        more(github);
    })
}

impl Scene {
    /// The suggestions on GitHub: first and last line, and the body.
    fn suggestions(&self) -> Vec<(u64, u64, String)> {
        self.fake.with(|github| {
            let comments = github.repo("octo/shop").review_comments.iter();
            comments.map(|one| (one.start_line.or(one.line).unwrap(), one.line.unwrap(), one.body.clone())).collect()
        })
    }
}

/// As GitHub applies a suggestion: the lines of the block for the lines of the comment.
fn applied(text: &str, (start, end, body): &(u64, u64, String)) -> String {
    let block = body.split_once("```suggestion\n").unwrap().1.strip_suffix("```\n").unwrap();
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let at = |line: &u64| usize::try_from(*line).unwrap();
    lines.splice(at(start) - 1..at(end), block.split_inclusive('\n'));
    lines.concat()
}

#[test]
fn a_fix_on_a_changed_line_is_suggested_once_and_the_rest_is_annotated() {
    let scene = scene(Token::actions(), SOURCE, fixes(), |_| {});
    scene.run(1).with_code(1);
    let made = scene.suggestions();
    assert_eq!(made.len(), 1, "{}", scene.fake.recording());
    assert_eq!(applied(SOURCE, &made[0]), SOURCE.replace("1;;", "1;"));
    let shown = made[0].2.split_once('\n').unwrap();
    assert!(shown.0.starts_with("<!-- gatepost:suggestion:v1 key="), "{shown:?}");
    assert_eq!(shown.1, "- `no-extra-semi`: ``Unnecessary `semicolon`.``\n\n```suggestion\nlet é = 1;\n```\n");
    // One gate: its check run, the comment and the review.
    assert!(scene.fake.requests("*").len() <= 2 + 10, "{}", scene.fake.recording());
    let annotated = scene.fake.with(|github| github.repo("octo/shop").checks[0].annotations.clone());
    let told: Vec<bool> =
        annotated.iter().map(|note| note["message"].as_str().unwrap().contains("outside the diff")).collect();
    assert_eq!(told, [false, true]);

    // Again; then the line moves, and the comment is outdated: it is not said a second time.
    let ended = scene.run(2).with_code(1);
    assert!(!ended.out.contains("review suggestions"), "{}", ended.out);
    let longer = format!("zero\n{SOURCE}");
    write(&scene.root().join("src/a.c"), &longer);
    let moved = eslint(&longer, &[(3, 19, 20, "")]);
    write(&scene.root().join("tool/fixes.json"), &moved);
    commit(&scene.root(), "moved");
    let scene = scene.at_its_head();
    scene.fake.with(|github| github.repo("octo/shop").review_comments[0].line = None);
    scene.run(3).with_code(1);
    assert_eq!(scene.fake.with(|github| github.repo("octo/shop").review_comments.len()), 1);
    scene.fake.finish();
}

impl Scene {
    /// After a push of what is checked out.
    fn at_its_head(mut self) -> Self {
        self.head = git(&self.root(), &["rev-parse", "HEAD"]);
        let head = self.head.clone();
        self.fake.with(|github| github.repo("octo/shop").push(7, &head));
        self.event("octo/shop", "feature");
        self
    }
}

#[test]
fn line_ends_stay_as_they_are() {
    const WINDOWS: &str = "let a;\r\nlet b;;\r\nlet c";
    let scene = scene(Token::actions(), WINDOWS, eslint(WINDOWS, &[(2, 14, 15, ""), (3, 22, 22, ";\r\n")]), |_| {});
    scene.run(1).with_code(1);
    let made = scene.suggestions();
    assert_eq!(made.len(), 1, "the end of the file is not in a suggestion: {made:?}");
    assert_eq!(applied(WINDOWS, &made[0]), "let a;\r\nlet b;\r\nlet c");
    scene.fake.finish();
}

#[test]
fn what_a_gate_wrote_to_is_not_suggested() {
    let scene = scene(Token::actions(), SOURCE, fixes(), |_| {});
    let toml = GATES.replace("command = \"", "command = \"echo 'let j;' >> src/a.c; ");
    write(&scene.root().join("gatepost.toml"), &toml);
    commit(&scene.root(), "a gate that writes");
    let scene = scene.at_its_head();
    scene.run(1).with_code(1);
    assert_eq!(scene.suggestions().len(), 0);
    let annotated = scene.fake.with(|github| github.repo("octo/shop").checks[0].annotations.clone());
    assert!(
        annotated[0]["message"].as_str().unwrap().contains("the file is not as the commit has it"),
        "{annotated:?}"
    );
    scene.fake.finish();
}

#[test]
fn a_secret_in_a_fix_is_not_suggested() {
    let output = eslint(SOURCE, &[(2, 10, 15, "= hunter2hunter2;")]);
    let scene = scene(Token::actions(), SOURCE, output, |_| {});
    super::end(scene.step(1, &[]).env("DEPLOY_PASSWORD", "hunter2hunter2")).with_code(1);
    assert_eq!(scene.suggestions().len(), 0);
    let annotated = scene.fake.with(|github| github.repo("octo/shop").checks[0].annotations.clone());
    assert!(annotated[0]["message"].as_str().unwrap().contains("it would show a secret"), "{annotated:?}");
    let comment = &scene.comments()[0];
    assert!(comment.contains("· fix: `= ***;`") && !comment.contains("hunter2"), "{comment}");
    scene.fake.finish();
}

#[test]
fn what_github_does_not_take_costs_nothing_else() {
    let setup = |github: &mut State| {
        github.comment("octo/shop", 7, Account::user("mona"), "hello");
    };
    let scene = scene(Token::actions(), SOURCE, fixes(), setup);
    scene.fake.with(|github| {
        github.repo("octo/shop").pulls.get_mut(&7).unwrap().hunk("src/a.c", 90, 99);
    });
    let ended = scene.run(1).with_code(1);
    let said = "review suggestions on #7 posted in a lesser way: 0 of 1 suggestion placed; GitHub refused the rest";
    assert!(ended.out.contains(said), "{}", ended.out);
    assert_eq!((scene.suggestions().len(), scene.checks().len(), scene.comments().len()), (0, 1, 2));
    scene.fake.finish();
}

#[test]
fn a_token_that_reads_only_gets_annotations() {
    let scene = scene(Token::read_only(), SOURCE, fixes(), |_| {});
    scene.event("mona/shop", "feature");
    let ended = scene.run(1).with_code(1);
    assert_eq!(scene.suggestions().len(), 0);
    assert!(ended.out.contains("no comment may be written, as said above"), "{}", ended.out);
    assert_eq!(ended.lines("::error title=no-extra-semi,file=src/a.c,line=2").len(), 1, "{}", ended.out);
    scene.fake.finish();
}

#[test]
fn without_being_asked_nothing_is_suggested() {
    let scene = scene(Token::actions(), SOURCE, fixes(), |_| {});
    write(&scene.root().join("gatepost.toml"), &GATES.replace("suggestions = true", ""));
    commit(&scene.root(), "without");
    let scene = scene.at_its_head();
    scene.run(1).with_code(1);
    assert_eq!(scene.fake.requests("pulls/list-review-comments").len(), 0);
    scene.fake.finish();
}
