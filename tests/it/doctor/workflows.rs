//! What the workflows say of the jobs that run gates.

use super::*;

/// A change of the workflow, and the complaint that it makes.
type Case = (&'static str, &'static str, &'static str, &'static [&'static str]);

const CASES: &[Case] = &[
    (
        "      checks: write         # check runs\n",
        "",
        "permissions fail: .github/workflows/gatepost.yml:36 job gates lacks checks: write → give the job\npermissions:",
        &["  checks: write         # check runs\n"],
    ),
    ("      checks: write ", "      checks: read ", "permissions fail:", &["lacks checks: write"]),
    ("  pull_request:\n", "  pull_request_target:\n", "trigger fail:", &["`pull_request_target`", "stranger's code"]),
    (
        "    timeout-minutes: 30\n",
        "    timeout-minutes: 30\n    continue-on-error: true\n",
        "verdict fail:",
        &["the job has `continue-on-error`", "`mode = \"report\"`"],
    ),
    (
        "        with:\n          gates:",
        "        continue-on-error: ${{ true }}\n        with:\n          gates:",
        "verdict fail:",
        &["the step has `continue-on-error`"],
    ),
    (
        "      - uses: octo/",
        "      - if: github.actor != 'dependabot[bot]'\n        uses: octo/",
        "verdict fail:",
        &["the step has `if: github.actor != 'dependabot[bot]'`, and is green where it is skipped"],
    ),
    (
        "    timeout-minutes: 30\n",
        "    timeout-minutes: 30\n    if: ${{ false }}\n",
        "verdict fail: .github/workflows/gatepost.yml:",
        &["job gates: `octo/gatepost` is skipped", "`if` is never true"],
    ),
    (
        "          fetch-depth: 2 ",
        "          ref: main\n          fetch-depth: 2 ",
        "checkout fail:",
        &["takes `main`, whatever the change is"],
    ),
    (ACTION, "octo/gatepost@v1", "action fail:", &["octo/gatepost@v1: not pinned to a commit"]),
    (ACTION, "octo/gatepost@0123456", "action fail:", &["not pinned"]),
    (ACTION, "octo/gatepost@0000000000000000000000000000000000000000", "action fail:", &["no commit is filled in"]),
    (
        "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683",
        "actions/checkout@v4",
        "other action fail:",
        &["actions/checkout@v4: not pinned"],
    ),
    (
        "      - uses: octo/",
        "      - uses: docker://alpine:3\n      - uses: octo/",
        "other action fail:",
        &["docker://alpine:3: not pinned"],
    ),
];

#[test]
fn each_fault_of_a_job_is_told_with_what_to_do() {
    let scene = Scene::new();
    let text = std::fs::read_to_string(scene.tree.dir.join(WORKFLOW)).unwrap();
    for (from, to, start, parts) in CASES {
        scene.edit(WORKFLOW, from, to);
        let complaints = scene.complaints();
        let found = complaints.iter().find(|one| one.starts_with(start));
        let found = found.unwrap_or_else(|| panic!("{start}\n{complaints:#?}"));
        assert!(parts.iter().all(|part| found.contains(part)), "{parts:?}\n{found}");
        scene.tree.write(WORKFLOW, &text);
    }
    scene.is_well();
}

#[test]
fn what_is_not_written_down_is_not_known() {
    let scene = Scene::new();
    let text = std::fs::read_to_string(scene.tree.dir.join(WORKFLOW)).unwrap();
    let granting = |line: &str| {
        ["permissions", "contents:", "checks:", "pull-requests:"].iter().any(|word| line.trim().starts_with(word))
    };
    let bare: Vec<&str> = text.lines().filter(|line| !granting(line)).collect();
    scene.tree.write(WORKFLOW, bare.join("\n"));
    scene.complains("permissions error:", &["has no `permissions`", "pull-requests: write"]);
}

#[test]
fn the_permissions_are_those_that_the_configuration_needs() {
    let scene = Scene::new();
    scene.edit("gatepost.toml", "[gates.lint]", "[publish]\nchecks = \"off\"\ncomment = \"off\"\n\n[gates.lint]");
    let said = scene.call(&["doctor"]);
    assert_eq!(said.code, 0, "{}", said.out);
    assert!(said.out.contains("needs:\n\npermissions:\n  contents: read  # the code\n\n"), "{}", said.out);
    let more = "has contents: read (and checks: write, pull-requests: write, which gatepost does not need)";
    assert!(flat(&said).contains(more), "{}", said.out);
}

#[test]
fn a_run_whose_failure_is_lost_is_no_gate() {
    let scene = Scene::new();
    let lost = |run: &str| {
        let job = "permissions: {contents: read}\njobs:\n  other:\n    runs-on: ubuntu-latest\n    steps:\n";
        let steps = format!("      - run: cargo test || true\n      - run: {run}\n");
        scene.tree.write(".github/workflows/other.yml", format!("on: pull_request\n{job}{steps}"));
        let complaints = scene.complaints();
        complaints.into_iter().filter(|one| one.starts_with("verdict ")).collect::<Vec<_>>()
    };
    let begins = "verdict fail: .github/workflows/other.yml:8 job other: `gatepost run` cannot fail here";
    for run in ["gatepost run || true", "gatepost run | tee log"] {
        let rows = lost(run);
        assert!(rows.len() == 1 && rows[0].starts_with(begins), "{rows:#?}");
    }
    assert_eq!(lost("gatepost run"), [""; 0]);
}

#[test]
fn gatepost_is_seen_where_the_shell_starts_it_and_nowhere_else() {
    let scene = Scene::new();
    let complaints = |run: &str| {
        let job = "permissions: {contents: read, checks: write, pull-requests: write}\njobs:\n  gates:\n    runs-on: x\n    steps:\n";
        let checkout = "      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683\n";
        let events = "on: [pull_request, merge_group]\n";
        scene.tree.write(WORKFLOW, format!("{events}{job}{checkout}      - run: |\n          {run}\n"));
        scene.complaints().join("\n")
    };
    for run in ["# gatepost run", "echo gatepost run", "gatepost doctor"] {
        assert!(complaints(run).contains("no job in .github/workflows is seen to run gatepost"), "{run}");
    }
    for run in ["gatepost run", "gatepost run;", "if ! gatepost run; then exit 1; fi", "said=$(gatepost run)"] {
        let said = complaints(run);
        assert!(!said.contains("is seen to run gatepost"), "{run}: {said}");
    }
}

#[test]
fn pull_requests_that_nothing_gates_are_told() {
    let scene = Scene::new();
    let text = std::fs::read_to_string(scene.tree.dir.join(WORKFLOW)).unwrap();
    let with_events = |events: &str| {
        let (_, jobs) = text.split_once("\npermissions:").unwrap();
        scene.tree.write(WORKFLOW, format!("on: {events}\npermissions:{jobs}"));
        scene.complaints().into_iter().filter(|one| one.starts_with("trigger ")).collect::<Vec<_>>()
    };
    for (events, start) in [
        ("push", "trigger fail: no pull request is gated by .github/workflows/gatepost.yml: it starts on push alone"),
        ("{pull_request: {types: [closed]}}", "trigger fail: no pull request is gated"),
        ("{pull_request: {types: [opened]}}", "trigger fail: no pull request is gated"),
        ("workflow_call", "trigger error: whether a pull request is gated is not known"),
    ] {
        let rows = with_events(events);
        assert!(rows.len() == 1 && rows[0].starts_with(start), "{events}: {rows:#?}");
    }
    for events in ["pull_request", "merge_group", "{pull_request: {types: [opened, synchronize, reopened, labeled]}}"] {
        assert_eq!(with_events(events), [""; 0], "{events}");
    }
    let call = "jobs:\n  all:\n    uses: ./.github/workflows/gatepost.yml\n";
    scene.tree.write(".github/workflows/pr.yml", format!("on: pull_request\n{call}"));
    assert_eq!(with_events("workflow_call"), [""; 0], "called by one that starts");
    scene.tree.write(".github/workflows/pr.yml", format!("on: push\n{call}"));
    assert!(with_events("workflow_call")[0].contains("what calls it starts for no pull request"));
}

#[test]
fn gates_that_no_job_runs_are_told() {
    let scene = Scene::new();
    let text = std::fs::read_to_string(scene.tree.dir.join(WORKFLOW)).unwrap();
    let line = text.lines().find(|line| line.trim_start().starts_with("gates:") && line.contains("inputs")).unwrap();
    let indent = &line[..line.find("gates").unwrap()];
    let naming = |gates: &str| {
        scene.tree.write(WORKFLOW, text.replace(line, &format!("{indent}gates: {gates}")));
        scene.complaints().into_iter().filter(|one| one.starts_with("verdict ")).collect::<Vec<_>>()
    };
    let rows = naming("lint");
    assert!(rows.len() == 1 && rows[0].contains("judge 1 of 2 gates: none runs `test`"), "{rows:#?}");
    let rows = naming("nothing");
    assert!(rows[0].contains("there is no gate `nothing`") && rows[1].contains("judge 0 of 2 gates"), "{rows:#?}");
    assert_eq!(naming("lint, test"), [""; 0]);
    assert_eq!(naming("${{ matrix.gates }}"), [""; 0], "what only the runner knows");
}

#[test]
fn the_action_of_this_repository_may_be_gatepost_itself() {
    let scene = Scene::new();
    scene.edit(WORKFLOW, ACTION, "./");
    let complaints = scene.complaints();
    assert!(complaints[0].starts_with("workflow fail: no job"), "{complaints:#?}");
    scene.tree.write("action.yml", "name: gatepost\nruns:\n  using: composite\n  steps: []\n");
    scene.is_well();
}

#[test]
fn a_workflow_that_nobody_can_read_is_said() {
    let scene = Scene::new();
    scene.tree.write(".github/workflows/broken.yml", "on: [push\njobs: {}\n");
    scene.complains("workflow error: .github/workflows/broken.yml: ", &["line "]);
}

#[test]
fn without_a_workflow_nothing_is_gated() {
    let scene = Scene::new();
    std::fs::remove_file(scene.tree.dir.join(WORKFLOW)).unwrap();
    let complaints = scene.complaints();
    assert!(complaints[0].starts_with("workflow fail: no job in .github/workflows"), "{complaints:#?}");
    assert!(complaints[0].contains("`gatepost init`"), "{complaints:#?}");
    // The check that is required comes from nowhere now.
    assert!(complaints[1].starts_with("required check fail: `gates`: no job here has this name"), "{complaints:#?}");
}

#[test]
fn a_private_repository_needs_a_depth_or_credentials() {
    let scene = Scene::new();
    scene.edit(WORKFLOW, "          fetch-depth: 2               # the commit and its base\n", "");
    scene.is_well();
    scene.fake.with(|github| {
        github.repo("octo/shop").private();
    });
    scene.complains("checkout fail:", &["depth 1 has no base", "`fetch-depth: 2`"]);
}
