//! What tells each format, and what is nearly it.

use super::find;

/// Of each format: what is one, and what lacks a part of what tells it.
const TELLING: &[(&str, &[&str], &[&str])] = &[
    ("cargo", &[r#"{"reason":"x"}"#, "Compiling a\n{\"reason\":\"x\"}"], &[r#"{"a":1,"reason":"x"}"#, ""]),
    (
        "cargo-audit",
        &[r#"{"database":{},"lockfile":{},"vulnerabilities":{}}"#],
        &[
            r#"{"lockfile":{},"vulnerabilities":{}}"#,
            r#"{"database":{},"vulnerabilities":{}}"#,
            r#"{"database":{},"lockfile":{}}"#,
        ],
    ),
    ("cargo-deny", &[r#"{"type":"x","fields":{}}"#], &[r#"{"type":"x"}"#, r#"{"fields":{}}"#]),
    ("checkstyle", &["<?xml version='1.0'?><checkstyle/>"], &["<testsuite/>", "<a><checkstyle/></a>", "checkstyle"]),
    ("junit", &["<testsuites/>", "<testsuite/>"], &["<suite/>", "<checkstyle/>", "testsuite"]),
    (
        "eslint",
        &[r#"[{"filePath":"a","messages":[]}]"#],
        &[r#"[{"filePath":"a"}]"#, r#"[{"messages":[]}]"#, r#"{"filePath":"a","messages":[]}"#, "[]"],
    ),
    (
        "gcc",
        &["a.c:1:2: error: no", "make: x\na.c:1:2: warning: no"],
        &["<a.c:1:2: error: no", "{\na.c:1:2: error: no", "make: x", ""],
    ),
    (
        "gotest",
        &[
            r#"{"Action":"start","Package":"a"}"#,
            r#"{"ImportPath":"a","Action":"build-fail"}"#,
            "FAIL\ta [build failed]\n{\"Action\":\"start\",\"Package\":\"a\"}",
        ],
        &[r#"{"Action":"start"}"#, r#"{"Package":"a"}"#, r#"{"ImportPath":"a"}"#, "FAIL\ta [build failed]", ""],
    ),
    ("github", &["::error file=a::no", "x\n::notice::yes"], &["::group::a", "error: no", "::error"]),
    (
        "grype",
        &[r#"{"matches":[],"descriptor":{}}"#, r#"{"matches":[{"matchDetails":[]}]}"#],
        &[r#"{"matches":[]}"#, r#"{"descriptor":{}}"#, r#"{"a":"matchDetails"}"#],
    ),
    (
        "npm-audit",
        &[
            r#"{"auditReportVersion":2}"#,
            r#"{"advisories":{},"runId":"x"}"#,
            r#"{"message":"x","method":"POST","uri":"x"}"#,
            r#"{"error":{"summary":"x"}}"#,
        ],
        &[
            r#"{"advisories":{}}"#,
            r#"{"runId":"x"}"#,
            r#"{"message":"x","method":"POST"}"#,
            r#"{"method":"POST","uri":"x"}"#,
            r#"{"error":{}}"#,
            r#"{"summary":"x"}"#,
        ],
    ),
    (
        "pnpm-audit",
        &[
            r#"{"advisories":{},"metadata":{}}"#,
            r#"{"advisories":{"1":{"module_name":"x"}}}"#,
            r#"{"error":{"code":"ERR_PNPM_X"}}"#,
        ],
        &[r#"{"advisories":{}}"#, r#"{"metadata":{}}"#, r#"{"error":{"code":"X"}}"#, r#"{"code":"ERR_PNPM_X"}"#],
    ),
    (
        "yarn-audit",
        &[r#"{"value":"x","children":{}}"#, r#"{"type":"x","data":{}}"#, r#"{"actions":[],"advisories":{}}"#],
        &[
            r#"{"value":"x"}"#,
            r#"{"children":{}}"#,
            r#"{"type":"x"}"#,
            r#"{"data":{}}"#,
            r#"{"advisories":{}}"#,
            r#"{"actions":[]}"#,
        ],
    ),
    ("trivy", &[r#"{"SchemaVersion":2,"ArtifactName":"x"}"#], &[r#"{"SchemaVersion":2}"#, r#"{"ArtifactName":"x"}"#]),
    ("tsc", &["a.ts(1,2): error TS1: no", "x\na.ts:1:2 - error TS1: no"], &["a.ts(1,2): no", "error TS", ""]),
    (
        "rdjson",
        &[r#"{"diagnostics":[]}"#, r#"{"source":{},"severity":"INFO","diagnostics":[]}"#],
        &[
            "{}",
            r#"{"source":{}}"#,
            r#"[{"diagnostics":[]}]"#,
            r#"{"version":1,"diagnostics":[],"errors":[{}]}"#,
            r#"{"summary":{},"diagnostics":[],"command":"lint"}"#,
        ],
    ),
    ("rdjsonl", &[r#"{"message":"x","location":{}}"#], &[r#"{"message":"x"}"#, r#"{"location":{}}"#]),
    ("sarif", &[r#"{"runs":[]}"#, r#"{"version":"2.1.0","runs":[]}"#], &[r#"{"version":"2.1.0"}"#, r#"[{"runs":[]}]"#]),
    ("libtest", &["running 1 test\n", "x\nrunning 2 tests\n"], &["running tests\n", "test a ... ok\n", "running 1\n"]),
];

#[test]
fn every_part_of_what_tells_a_format_counts() {
    for (name, own, others) in TELLING {
        let recognises = find(name).unwrap().recognises;
        for head in *own {
            assert!(recognises(head.as_bytes()), "{name}: {head}");
        }
        for head in *others {
            assert!(!recognises(head.as_bytes()), "{name}: {head}");
        }
    }
}

#[test]
fn lines_that_nobody_understood_are_counted() {
    let not_understood = |name: &str, text: &str| find(name).unwrap().parse(text.as_bytes()).unwrap().not_understood;
    for (name, text) in [
        ("gcc", "a.c:1:2: error: x\nb.c: In function 'f':\n\nwhat\nis this\n"),
        ("tsc", "a.ts(1,2): error TS1: x\nwhat\nis this\n"),
        ("diff", "--- a\n+++ a\n@@ -1 +1 @@\n-a\n+b\nwhat\nis this\n"),
        ("github", "::group::a\n::error file=a::no\nb.c:1:2: error: x\nb.c:1:2: error: x\nwhat\n::error broken\n"),
        ("cargo-deny", "what\n{\"type\":\"summary\",\"fields\":{}}\nis this\n"),
    ] {
        assert_eq!(not_understood(name, text), 2, "{name}");
    }
}

#[test]
fn cargo_is_told_by_one_of_the_first_fifty_lines() {
    let behind = |lines: usize| "x\n".repeat(lines) + "{\"reason\":\"x\"}\n";
    let recognises = find("cargo").unwrap().recognises;
    assert!(recognises(behind(49).as_bytes()) && !recognises(behind(50).as_bytes()));
}
