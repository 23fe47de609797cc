//! Findings by where they lie.

use super::*;

/// Where a finding lies, by `only`: `!` where it counts.
#[test]
fn which_findings_count() {
    let mut unread = at(Warning, "changed.rs", 9);
    unread.finding.rule = Some("E999".to_owned());
    let places = [
        ("a changed line", at(Warning, "changed.rs", 3), "! ! ! !", Some(Relevance::ChangedLine)),
        ("the last changed line", at(Warning, "changed.rs", 4), "! ! ! !", Some(Relevance::ChangedLine)),
        ("the line before", at(Warning, "changed.rs", 2), "! ! ! .", Some(Relevance::ChangedFile)),
        ("the line after", at(Warning, "changed.rs", 5), "! ! ! .", Some(Relevance::ChangedFile)),
        (
            "a changed file as a whole",
            located(Warning, Place::File(path("changed.rs")), None),
            "! ! ! !",
            Some(Relevance::ChangedFile),
        ),
        ("a new file that is empty", at(Warning, "made.rs", 1), "! ! ! !", Some(Relevance::ChangedLine)),
        ("a changed file that could not be parsed", unread, "! ! ! !", Some(Relevance::ChangedFile)),
        ("another file", at(Warning, "other.rs", 3), "! ! . .", Some(Relevance::Outside)),
        ("outside the repository", located(Warning, Place::Outside, Some(3)), "! ! . .", Some(Relevance::Outside)),
        ("nowhere", located(Warning, Place::Unplaced, Some(3)), "! ! ! !", Some(Relevance::Unplaced)),
    ];
    let all = [Only::All, Only::New, Only::ChangedFiles, Only::ChangedLines];
    for (what, finding, expected, relevance) in places {
        for (scope, expected, relevance) in [(change(), expected, relevance), (everything(), "! ! ! !", None)] {
            let counts: Vec<&str> = all
                .iter()
                .map(|&only| {
                    let rules = Rules { only, ..rules() };
                    let evidence = evidence(1, found(vec![finding.clone()]));
                    let report = judge(&common(), &rules, ground(&scope), evidence);
                    assert_eq!(report.findings[0].relevance, relevance, "{what}");
                    assert_eq!(report.findings[0].blocking, report.outcome == Outcome::Fail, "{what}");
                    if report.findings[0].blocking { "!" } else { "." }
                })
                .collect();
            assert_eq!(counts.join(" "), expected, "{what}");
        }
    }
}

#[test]
fn a_finding_of_several_lines_counts_by_any_of_them() {
    let scope = change();
    let lines = |line, end_line| {
        let mut located = at(Warning, "changed.rs", line);
        located.finding.end_line = end_line;
        let report = judge(&common(), &rules(), ground(&scope), evidence(1, found(vec![located])));
        report.findings[0].relevance.unwrap()
    };
    assert_eq!(lines(1, Some(3)), Relevance::ChangedLine);
    assert_eq!(lines(1, Some(2)), Relevance::ChangedFile);
    assert_eq!(lines(5, Some(9)), Relevance::ChangedFile);
    assert_eq!(lines(5, Some(1)), Relevance::ChangedFile, "an end before the start is none");
}

#[test]
fn what_no_tool_looked_at_before_is_all_new() {
    let moved = |old: &str| FileChange {
        kind: ChangeKind::Renamed,
        old_path: Some(path(old)),
        binary: false,
        link: false,
        added: Vec::new(),
        gone: [].into(),
    };
    let of = |file: FileChange, rule: &str, line| {
        let scope = Scope::Change(ChangeSet { files: [(path("a.sh"), file)].into(), ..ChangeSet::default() });
        let mut located = at(Warning, "a.sh", line);
        located.finding.rule = Some(rule.to_owned());
        let rules = Rules { only: Only::ChangedLines, ..rules() };
        judge(&common(), &rules, ground(&scope), evidence(1, found(vec![located]))).findings[0].blocking
    };
    assert!(of(moved("a.txt"), "r", 9), "by its ending a linter sees it now");
    assert!(!of(moved("b/a.sh"), "r", 9) && !of(moved("b.sh"), "r", 1));
    let mode = FileChange { kind: ChangeKind::Mode, old_path: None, ..moved("a.sh") };
    assert_eq!([of(moved("b.sh"), "N999", 1), of(mode.clone(), "EXE001", 1), of(mode, "E501", 1)], [true, true, false]);
    assert!(!of(moved("b.sh"), "N999", 2), "no line but the first");
}

#[test]
fn what_stands_behind_the_last_line_is_due_to_it() {
    let scope = change();
    let of = |at_end, line| {
        let located = Located { at_end, ..at(Warning, "changed.rs", line) };
        judge(&common(), &rules(), ground(&scope), evidence(1, found(vec![located]))).findings[0].relevance.unwrap()
    };
    let (line, file) = (Relevance::ChangedLine, Relevance::ChangedFile);
    assert_eq!([of(true, 5), of(false, 5), of(true, 6)], [line, file, file]);
}

#[test]
fn nothing_in_a_submodule_that_moved_is_passed_over() {
    let file =
        |kind| FileChange { kind, old_path: None, binary: false, link: false, added: Vec::new(), gone: [].into() };
    let files = [("ext/lib", ChangeKind::Submodule), ("was", ChangeKind::Deleted)];
    let files = files.into_iter().map(|(name, kind)| (path(name), file(kind))).collect();
    let scope = Scope::Change(ChangeSet { files, ..ChangeSet::default() });
    for (name, relevance) in [
        ("ext/lib/src/a.c", Relevance::Unplaced),
        ("ext/library/a.c", Relevance::Outside),
        ("was/a.c", Relevance::Outside),
        ("ext/a.c", Relevance::Outside),
    ] {
        let rules = Rules { only: Only::ChangedLines, ..rules() };
        let report = judge(&common(), &rules, ground(&scope), evidence(1, found(vec![at(Warning, name, 3)])));
        let found = &report.findings[0];
        assert_eq!((found.relevance, found.blocking), (Some(relevance), relevance == Relevance::Unplaced), "{name}");
        assert_eq!(found.path, Some(path(name)));
        let said = "1 finding in a submodule that the change moved: which of its lines are new is not known, all count";
        assert_eq!(report.notes.contains(&said.to_owned()), relevance == Relevance::Unplaced, "{:?}", report.notes);
    }
}

#[test]
fn a_file_that_is_not_there_is_said() {
    let missing = |name: &str| {
        let mut located = located(Warning, Place::Unplaced, Some(3));
        located.finding.path = Some(name.to_owned());
        located
    };
    let scope = change();
    let notes = |findings| judge(&common(), &rules(), ground(&scope), evidence(1, found(findings))).notes;
    assert_eq!(
        notes(vec![missing("x.rs")]),
        [
            "1 finding named a file that is not there, that no commit has, or behind a link that changed: it cannot be told apart from the change and counts; check `dir`"
        ]
    );
    assert_eq!(
        notes(vec![missing("x.rs"), located(Warning, Place::Unplaced, None), missing("y.rs")]),
        [
            "2 findings named a file that is not there, that no commit has, or behind a link that changed: they cannot be told apart from the change and count; check `dir`"
        ]
    );
    assert_eq!(notes(vec![located(Warning, Place::Unplaced, None), at(Warning, "a.rs", 1)]), [""; 0]);
}

#[test]
fn lines_are_mapped_to_the_head_commit() {
    let Scope::Change(mut set) = change() else { panic!() };
    set.to_head = [(path("changed.rs"), LineMap { runs: vec![(3, 13, 1)] })].into();
    let scope = Scope::Change(set);
    let line =
        |finding| judge(&common(), &rules(), ground(&scope), evidence(1, found(vec![finding]))).findings[0].head_line;
    assert_eq!(line(at(Warning, "changed.rs", 3)), Some(13));
    assert_eq!(line(at(Warning, "changed.rs", 4)), None);
    assert_eq!(line(at(Warning, "other.rs", 4)), Some(4));
    assert_eq!(line(located(Warning, Place::Unplaced, Some(4))), Some(4));
    assert_eq!(line(located(Warning, Place::File(path("changed.rs")), None)), None);
}

#[test]
fn what_lies_outside_the_repository_is_said_where_it_does_not_count() {
    let scope = Scope::Change(ChangeSet::default());
    let notes = |only, scope: &Scope, level| {
        let findings = found(vec![located(level, Place::Outside, Some(3))]);
        let notes = judge(&common(), &Rules { only, ..rules() }, ground(scope), evidence(0, findings)).notes;
        notes.iter().filter(|note| note.starts_with("1 finding lies in files outside the repository")).count()
    };
    assert_eq!([Only::ChangedLines, Only::ChangedFiles].map(|only| notes(only, &scope, Error)), [1; 2]);
    assert_eq!(notes(Only::All, &scope, Error), 0, "it counts");
    assert_eq!(notes(Only::ChangedLines, &scope, Warning), 1, "as bad as what counts");
    assert_eq!(notes(Only::ChangedLines, &scope, Note), 0, "it would not block anyway");
}

#[test]
fn of_two_files_it_is_in_the_one_that_the_change_is_in() {
    let scope = change();
    let path_of = |here: &str, there: &str, line| {
        let located = Located { or_at: vec![path("other.rs"), path(there)], ..at(Warning, here, line) };
        let report = judge(&common(), &rules(), ground(&scope), evidence(1, found(vec![located])));
        let finding = report.findings.into_iter().next().unwrap();
        (finding.path.unwrap().to_string(), finding.line_text)
    };
    let (here, there) = (|name: &str| (name.to_owned(), Some("text".to_owned())), |name: &str| (name.to_owned(), None));
    assert_eq!(path_of("new.rs", "changed.rs", 3), there("changed.rs"), "on a changed line there, not here");
    assert_eq!(path_of("other.rs", "changed.rs", 9), there("changed.rs"), "in a changed file there, outside here");
    assert_eq!(path_of("new.rs", "changed.rs", 9), here("new.rs"), "in changed files both");
    assert_eq!(path_of("changed.rs", "other.rs", 3), here("changed.rs"));
}

#[test]
fn of_a_package_that_is_not_found_it_may_be_in_any_file_of_that_name_in_the_change() {
    let file = |kind, added| FileChange { kind, old_path: None, binary: false, link: false, added, gone: [].into() };
    let files = [
        (path("a/src/x.ts"), file(ChangeKind::Modified, vec![LineRange { start: 1, end: 9 }])),
        (path("b/src/x.ts"), file(ChangeKind::Modified, vec![LineRange { start: 5, end: 5 }])),
        (path("c/src/y.ts"), file(ChangeKind::Deleted, vec![])),
    ];
    let scope = Scope::Change(ChangeSet { files: files.into(), ..ChangeSet::default() });
    let found_in = |place: Place, spelt: &str, line, anywhere| {
        let mut located = Located { anywhere, ..located(Warning, place, Some(line)) };
        located.finding.path = Some(spelt.to_owned());
        let rules = Rules { only: Only::ChangedLines, ..rules() };
        let report = judge(&common(), &rules, ground(&scope), evidence(1, found(vec![located])));
        let finding = report.findings.into_iter().next().unwrap();
        (finding.path.map_or_else(String::new, |path| path.to_string()), finding.blocking)
    };
    let other = || Place::File(path("src/x.ts"));
    let is = |path: &str, blocking| (path.to_owned(), blocking);
    assert_eq!(found_in(other(), "src/x.ts", 3, true), is("a/src/x.ts", true));
    assert_eq!(found_in(other(), "./src/x.ts", 3, true), is("a/src/x.ts", true));
    assert_eq!(found_in(other(), "src/x.ts", 3, false), is("src/x.ts", false));
    for other_name in ["rc/x.ts", "src/y.ts"] {
        assert_eq!(found_in(other(), other_name, 3, true), is("src/x.ts", false), "{other_name}");
    }
    assert_eq!(found_in(Place::Unplaced, "src/x.ts", 3, true), is("a/src/x.ts", true));
    assert_eq!(found_in(Place::Unplaced, "src/x.ts", 10, true), is("", true), "on no changed line: nobody knows where");
}

#[test]
fn a_line_that_git_may_number_otherwise_counts_in_a_changed_file_and_is_said() {
    let scope = change();
    let said = |only, exact, file: &str, line, level| {
        let located = Located { exact, ..at(level, file, line) };
        let report = judge(&common(), &Rules { only, ..rules() }, ground(&scope), evidence(1, found(vec![located])));
        let notes =
            report.notes.iter().filter(|note| note.starts_with("1 finding in changed files where a line")).count();
        (report.findings[0].blocking, notes)
    };
    let lines = Only::ChangedLines;
    assert_eq!(said(lines, false, "changed.rs", 9, Warning), (true, 1));
    assert_eq!(said(lines, true, "changed.rs", 9, Warning), (false, 0), "its line is git's");
    assert_eq!(said(lines, false, "changed.rs", 3, Warning), (true, 0), "it counts anyway");
    assert_eq!(said(lines, false, "other.rs", 9, Warning), (false, 0), "another file");
    assert_eq!(said(lines, false, "changed.rs", 9, Note), (false, 0), "it would not block");
    assert_eq!(said(Only::ChangedFiles, false, "changed.rs", 9, Warning), (true, 0), "it counts anyway");
}

#[test]
fn what_a_change_may_have_brought_about_elsewhere_is_said() {
    let scope = change();
    let notes = |only, exit, level| {
        let rules = Rules { only, ..rules() };
        let understood = found(vec![at(level, "other.rs", 9), at(level, "changed.rs", 9)]);
        judge(&common(), &rules, ground(&scope), evidence(exit, understood)).notes
    };
    let said = notes(Only::ChangedLines, 1, Warning);
    assert!(said[0].starts_with("2 findings outside of the changed lines may be why the command failed."), "{said:?}");
    assert!(said[0].contains("Whether the change brought them about there"), "{said:?}");
    for (only, exit, level) in
        [(Only::ChangedLines, 0, Warning), (Only::ChangedLines, 1, Note), (Only::All, 1, Warning)]
    {
        assert_eq!(notes(only, exit, level), Vec::<String>::new());
    }
}

#[test]
fn what_names_something_that_is_gone_from_its_file_counts() {
    let scope = change();
    let counts = |only, file: &str, message: &str| {
        let mut finding = at(Warning, file, 9);
        message.clone_into(&mut finding.finding.message);
        let rules = Rules { only, ..rules() };
        let report = judge(&common(), &rules, ground(&scope), evidence(1, found(vec![finding])));
        (report.blocking().count() == 1, report.notes)
    };
    let (counted, notes) = counts(Only::ChangedLines, "changed.rs", "undefined name 'os'");
    assert!(counted);
    assert_eq!(
        notes,
        ["1 finding on lines that the change left alone names what it took away from the file, and counts"]
    );
    assert!(!counts(Only::ChangedLines, "changed.rs", "undefined name 'sys'").0);
    assert!(!counts(Only::ChangedLines, "changed.rs", "the os is not named").0);
    assert!(!counts(Only::ChangedLines, "other.rs", "undefined name 'os'").0);
    assert!(counts(Only::ChangedFiles, "changed.rs", "undefined name 'os'").1.is_empty());
}
