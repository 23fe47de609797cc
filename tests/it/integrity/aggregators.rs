//! Jobs that stand for others: what is made of the results that they read.

use super::{Few, found};

/// What is found in a job that needs `test` and `lint`, by level; `head` and `steps` are its lines.
fn level(head: &str, steps: &[&str]) -> Option<String> {
    let gate = |id: &str, run: &str| format!("  {id}:\n    runs-on: x\n    steps:\n      - run: {run}\n");
    let steps: Vec<String> = steps.iter().map(|step| format!("      - {}", step.replace('\n', "\n        "))).collect();
    let text = format!(
        "on: pull_request\njobs:\n{}{}  all:\n    needs: [test, lint]\n    {}\n    runs-on: x\n    steps:\n{}\n",
        gate("test", "cargo test"),
        gate("lint", "cargo clippy"),
        head.replace('\n', "\n    "),
        steps.join("\n"),
    );
    let checked = Few::default().with(".github/workflows/a.yml", text.as_str()).check();
    assert_eq!(checked.problems, [], "{text}");
    let mut levels = found(&checked).into_iter().map(|finding| {
        let (level, line) = finding
            .strip_prefix("GI122 ")
            .and_then(|rest| rest.split_once(' '))
            .unwrap_or_else(|| panic!("{finding} in\n{text}"));
        assert_eq!(line, "11", "{text}");
        level.to_owned()
    });
    levels.next()
}

const JSON: &str = "'${{ toJSON(needs) }}'";
const STAR: &str = "if: contains(needs.*.result, 'failure') || contains(needs.*.result, 'cancelled')";

#[test]
fn a_verdict_that_is_forgiven_is_none() {
    let judged = format!("run: jq -e 'all(.result == \"success\")' <<< {JSON}");
    assert_eq!(level("if: always()", &[&judged]), None);
    assert_eq!(level("if: always()\ncontinue-on-error: false", &[&judged]), None);
    assert_eq!(level("if: always()\ncontinue-on-error: true", &[&judged]).as_deref(), Some("error"));
    for step in [
        format!("{judged} || true"),
        format!("{judged}\ncontinue-on-error: true"),
        format!("run: jq 'all(.result == \"success\")' <<< {JSON}"),
        format!("run: echo {JSON} | jq 'all(.result == \"success\")'"),
        format!("{STAR}\nrun: echo '::error::failed'"),
        format!("{STAR}\nrun: (exit 1) || true"),
        format!("{STAR}\nrun: exit 0"),
        "run: if [ '${{ needs.test.result }}${{ needs.lint.result }}' != successsuccess ]; then echo failed; fi"
            .to_owned(),
        format!(
            "uses: re-actors/alls-green@release/v1\nwith:\n  allowed-failures: docs, lint\n  jobs: {}",
            &JSON[1..JSON.len() - 1]
        ),
        format!(
            "uses: re-actors/alls-green@release/v1\ncontinue-on-error: true\nwith:\n  jobs: {}",
            &JSON[1..JSON.len() - 1]
        ),
    ] {
        assert_eq!(level("if: always()", &[&step]).as_deref(), Some("error"), "{step}");
    }
    assert_eq!(level("if: always()", &[&format!("run: echo {JSON}")]).as_deref(), Some("warning"));
}

#[test]
fn a_verdict_that_counts_is_left_alone() {
    for step in [
        format!("{STAR}\nrun: exit 1"),
        // The shell has ended before it comes to `true`.
        format!("{STAR}\nrun: exit 1 || true"),
        format!("{STAR}\nrun: |\n  echo '::error::failed'\n  false"),
        format!("run: echo {JSON} | jq -re 'all(.result == \"success\")'"),
        format!("run: jq 'if all(.result == \"success\") then . else error(\"no\") end' <<< {JSON}"),
        format!("run: '! grep -qE \"failure|cancelled\" <<< {}'", JSON.replace('\'', "\"")),
        format!(
            "run: python3 -c 'import sys; sys.exit({})'",
            "1 if \"${{ join(needs.*.result) }}\" != \"success\" else 0"
        ),
        "run: for r in ${{ join(needs.*.result, ' ') }}; do [ $r = success ] || exit 1; done".to_owned(),
        format!(
            "uses: re-actors/alls-green@release/v1\nwith:\n  allowed-failures: docs, nightly\n  allowed-skips: lint\n  jobs: {}",
            &JSON[1..JSON.len() - 1]
        ),
        "run: echo \"test ${{ needs.test.result }}, lint ${{ needs.lint.result }}\" >> $GITHUB_STEP_SUMMARY".to_owned(),
    ] {
        assert_eq!(level("if: always()", &[&step]), None, "{step}");
    }
    let shown = format!("run: echo {JSON}");
    assert_eq!(level("if: always()", &[&shown, &format!("{STAR}\nrun: exit 1")]), None);
    assert_eq!(level("name: Report the results\nif: always()", &[&shown]), None);
    assert_eq!(level("if: failure()", &["run: echo a failure"]), None);
}

#[test]
fn a_result_that_is_held_against_failure_alone_may_be_cancelled() {
    let each = "if: needs.test.result == 'failure' || needs.lint.result == 'failure'\nrun: exit 1";
    let run = "run: |\n  if [[ \"${{ needs.test.result }}\" == \"failure\" || \"${{ needs.lint.result }}\" == \"failure\" ]]; then exit 1; fi";
    let joined = "run: |\n  if [[ \"${{ join(needs.*.result, ',') }}\" == *failure* ]]; then exit 1; fi";
    let grep = "env:\n  R: ${{ toJSON(needs) }}\nrun: |\n  if echo \"$R\" | grep -q failure; then exit 1; fi";
    for step in [each, run, joined, grep] {
        assert_eq!(level("if: always()", &[step]).as_deref(), Some("warning"), "{step}");
        assert_eq!(level("if: always()", &["uses: actions/checkout@v4", step]).as_deref(), Some("warning"), "{step}");
        let both = step
            .replace("*failure*", "*@(failure|cancelled)*")
            .replace("grep -q failure", "grep -qE 'failure|cancelled'");
        let both = both.replace("== 'failure'", "== 'cancelled'").replace("== \"failure\"", "!= \"success\"");
        assert_eq!(level("if: always()", &[&both]), None, "{both}");
    }
    // Whoever takes the files and asks nothing has something of its own to do.
    assert_eq!(level("if: always()", &["uses: actions/checkout@v4", "run: cat CHANGELOG.md"]), None);
    assert_eq!(
        level("if: always()", &["uses: actions/checkout@v4", "run: node ci/report.js '${{ needs.test.result }}'"]),
        None
    );
}
