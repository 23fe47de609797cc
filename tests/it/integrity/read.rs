//! What is read with a makefile or a justfile, and what is said of the rest.

use super::{Few, found};

#[test]
fn what_a_makefile_includes_is_judged_where_make_runs() {
    let makefile = "TESTS = pytest\ninclude mk/tests.mk mk/flags.mk # both\n-include local.mk\n-include $(OBJECTS:.o=.d)\n\nlint:\n\truff check . | cat\n";
    let tree = Few::default()
        .with("Makefile", makefile)
        .with("mk/tests.mk", "include mk/more.mk\ntest: more\n\t$(TESTS) || true\n")
        .with("mk/more.mk", "include mk/tests.mk\nmore:\n\t-mypy .\n")
        .with("mk/flags.mk", "SHELL := /bin/bash\n.SHELLFLAGS := -euo pipefail -c\n");
    let checked = tree.check();
    let places: Vec<(&str, u32)> =
        checked.findings.iter().map(|finding| (finding.path.as_deref().unwrap(), finding.line.unwrap())).collect();
    assert_eq!(places, [("mk/more.mk", 3), ("mk/tests.mk", 3)]);
    assert_eq!(checked.notes, [""; 0]);
    let checked =
        Few::default().with("Makefile", "include $(TOP)/rules.mk\ntest:\n\tgo test\ninclude gone.mk\n").check();
    assert_eq!(checked.notes, ["Makefile:4: `gone.mk` is not read", "Makefile:1: `$(TOP)/rules.mk` is not read"]);
}

#[test]
fn what_a_justfile_imports_and_its_modules_are_judged() {
    let workflow = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: just ci all\n      - run: just web::all || true\n";
    let tree = Few::default()
        .with(".github/workflows/a.yml", workflow)
        .with("justfile", "import 'more.just'\nmod ci # checks\nmod web 'site'\nimport? 'mine.just'\ntest: more\n")
        .with("more.just", "more:\n  -mypy .\n")
        .with("ci.just", "all: part\npart:\n  pytest || true\n")
        .with("site/justfile", "all:\n  npx jest\n");
    let mut places: Vec<(String, String)> = Vec::new();
    for finding in tree.check().findings {
        places.push((finding.path.unwrap(), finding.rule.unwrap()));
    }
    let wanted = [(".github/workflows/a.yml", "GI101"), ("ci.just", "GI101"), ("more.just", "GI101")];
    assert_eq!(places, wanted.map(|(path, rule)| (path.to_owned(), rule.to_owned())));
    let checked = Few::default().with("justfile", "mod gone\ntest:\n  cargo test\n").check();
    assert_eq!((found(&checked), checked.notes), (Vec::new(), vec!["justfile:1: `mod gone` is not read".to_owned()]));
}

#[test]
fn a_script_in_the_place_of_a_gate_may_fail_for_it() {
    let rules = |script: &str| {
        let workflow = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: pytest || ci/after.sh\n";
        let tree = Few::default().with(".github/workflows/a.yml", workflow);
        found(&tree.with("ci/after.sh", format!("#!/bin/sh\ncat log\n{script}\n")).check())
    };
    assert_eq!(rules("exit 1"), [""; 0]);
    assert_eq!(rules("exit 0"), ["GI101 warning 6"]);
}

/// What of a recipe cannot fail: `pytest; echo done` without `errexit`, `mypy . | cat` without `pipefail`.
fn lost(path: &str, head: &str, indent: &str) -> Vec<&'static str> {
    let text = format!("{head}\ntest:\n{indent}pytest; echo done\n\nlint:\n{indent}mypy . | cat\n");
    let first = 3 + u32::try_from(head.matches('\n').count()).unwrap();
    let checked = Few::default().with(path, text).check();
    assert_eq!(checked.notes, [""; 0], "{head}");
    let what = |line: u32| if line == first { "status" } else { "pipe" };
    checked.findings.iter().map(|finding| what(finding.line.unwrap())).collect()
}

#[test]
fn a_justfile_says_how_its_lines_are_run() {
    for (head, wanted) in [
        ("", &["status", "pipe"][..]),
        ("set dotenv-load", &["status", "pipe"]),
        ("set windows-shell := ['bash', '-euo', 'pipefail', '-c']", &["status", "pipe"]),
        ("set shell := ['bash', '-c']", &["status", "pipe"]),
        ("set shell := ['bash', '-euc']", &["pipe"]),
        ("set shell := [\"bash\", \"-ceu\"]", &["pipe"]),
        ("set shell := [\"bash\", \"-uce\"]", &["pipe"]),
        ("set shell := ['bash', '-o', 'errexit', '-c']", &["pipe"]),
        ("set shell := ['bash', '-o', 'pipefail', '-c']", &["status"]),
        ("set shell := ['bash', '-euo', 'pipefail', '-c']", &[]),
        ("set shell:=[\"bash\", \"-eu\", \"-o\", \"pipefail\", \"-c\"]", &[]),
    ] {
        assert_eq!(lost("justfile", head, "  "), wanted, "{head}");
    }
}

#[test]
fn a_makefile_says_how_its_lines_are_run() {
    for (head, wanted) in [
        ("", &["status", "pipe"][..]),
        ("SHELL := /bin/bash", &["status", "pipe"]),
        (".SHELLFLAGS := --extended -c", &["status", "pipe"]),
        ("OTHER := -e -o pipefail", &["status", "pipe"]),
        (".SHELLFLAGS = -ec", &["pipe"]),
        ("SHELL = /bin/bash -e", &["pipe"]),
        (".SHELLFLAGS = -o errexit -c", &["pipe"]),
        (".SHELLFLAGS = -o pipefail -c", &["status"]),
        ("export SHELL := /bin/bash\n.SHELLFLAGS := -eu -o pipefail -c", &[]),
        ("", &["status", "pipe"]),
    ] {
        assert_eq!(lost("Makefile", head, "\t"), wanted, "{head}");
    }
}

#[test]
fn a_template_of_a_package_is_noted_and_a_malformed_package_an_error() {
    let tree = |path: &str, text: &str| {
        let tree = Few::default().with(".github/workflows/a.yml", "on: push\njobs:\n  a:\n    runs-on: x\n");
        let checked = tree.with(path, text).check();
        (checked.problems.len(), checked.notes.len())
    };
    for text in
        ["{\"name\": \"a\"<% if (b) { %>, <% } %>}", "{\"scripts\": {\"lint\": \"<%= run %> lint && (x\"}}", "{{ a }}"]
    {
        for path in ["files/package.json", "lib/templates/app/package.json"] {
            assert_eq!(tree(path, text), (0, 1), "{path} {text}");
        }
        for path in ["package.json", "web/package.json"] {
            assert_eq!(tree(path, text), (1, 0), "{path} {text}");
        }
    }
    assert_eq!(tree("files/package.json", "{\"name\": "), (1, 0));
}

#[test]
fn folders_of_other_people_are_passed_over_unless_something_calls_what_lies_there() {
    let tree = |path: &str| {
        let workflow = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: extern/test.sh\n";
        let tree = Few::default()
            .with(".github/workflows/a.yml", workflow)
            .with("extern/test.sh", "#!/bin/sh\ncargo test || true\n");
        found(&tree.with(path, "test:\n\tpytest || true\n").check())
    };
    assert_eq!(tree("cextern/lib/Makefile"), ["GI101 error 2"]);
    assert_eq!(tree("core/lib/Makefile"), ["GI101 error 2", "GI101 error 2"]);
}

#[test]
fn no_file_of_too_many_is_left_out_unseen() {
    let includes: Vec<String> = (0..70).map(|number| format!("include m{number}.mk\n")).collect();
    let mut tree = Few::default().with("Makefile", includes.concat() + "test:\n\tgo test\n");
    for number in 0..70 {
        tree = tree.with(&format!("m{number}.mk"), "x:\n\techo\n");
    }
    let notes = tree.check().notes;
    assert_eq!(notes.len(), 7);
    assert_eq!(notes[6], "Makefile:1: `m0.mk` is not read: it is one of too many");
    let targets: Vec<String> = (0..70).map(|number| format!("t{number} ")).collect();
    let checked = Few::default().with("Makefile", targets.concat() + ":\n\tgo test\n").check();
    assert_eq!(checked.notes, ["Makefile:1: `t64 …` is not read"]);
}

#[test]
fn other_folders_are_read_where_something_calls_what_lies_there() {
    let workflow = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: make -C extern lint\n";
    let tree = Few::default().with(".github/workflows/a.yml", workflow);
    assert_eq!(found(&tree.with("extern/Makefile", "lint:\n\tcargo clippy || true\n").check()), ["GI101 error 2"]);
    let tree = Few::default()
        .with(".github/workflows/a.yml", workflow.replace("run: make -C extern lint", "uses: ./extern/act"));
    let action = "runs:\n  using: composite\n  steps:\n    - shell: bash\n      run: cargo test || true\n";
    assert_eq!(found(&tree.with("extern/act/action.yml", action).check()), ["GI101 error 5"]);
}
