//! One run of a SARIF log into findings.

use std::collections::HashMap;

use crate::model::finding::{ColumnUnit, Finding, Fix, Level};
use crate::model::text::one_line;
use crate::parse::ParseError;
use crate::parse::json::Text;
use crate::parse::reading;
use crate::parse::sarif::log::{
    Component, ComponentReference, Invocation, Notification, PhysicalLocation, Rule, Run, SarifFix, SarifResult,
};
use crate::parse::sarif::malformed;
use crate::parse::sarif::message;
use crate::parse::sarif::place::Places;

/// What was left out of all runs, for the notes.
#[derive(Default)]
pub(super) struct Left {
    passed: usize,
    suppressed: usize,
    absent: usize,
    offsets: usize,
    warnings: usize,
    first_warning: String,
}

impl Left {
    pub(super) fn notes(self) -> Vec<String> {
        let Self { passed, suppressed, absent, offsets, warnings, first_warning } = self;
        [
            ("results that say that nothing is wrong there", passed),
            ("results that the tool itself suppresses, which do not count", suppressed),
            ("results that are gone since the tool's own baseline", absent),
            ("results with an offset in place of a line, which are placed in their file only", offsets),
            (&format!("warnings of the tool about its own run (the first: {first_warning:?})"), warnings),
        ]
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(what, count)| format!("{what}: {count}"))
        .collect()
    }
}

pub(super) struct RunReader<'r, 'a> {
    driver: &'r Component<'a>,
    extensions: &'r [Component<'a>],
    rules: HashMap<&'r str, &'r Rule<'a>>,
    places: Places<'r, 'a>,
    invocations: &'r [Invocation<'a>],
    /// The levels that invocations gave to rules, by their ids.
    overrides: HashMap<&'r str, &'r str>,
    pub columns: ColumnUnit,
    /// Results are kept in files beside the log.
    elsewhere: bool,
}

impl<'r, 'a> RunReader<'r, 'a> {
    pub(super) fn new(run: &'r Run<'a>) -> Self {
        let driver = &run.tool.driver;
        let extensions = run.tool.extensions.as_deref().unwrap_or_default();
        // The driver comes last: its rules win over those of the same name.
        let rules = extensions.iter().chain([driver]).flat_map(|component| component.rules.iter().flatten());
        let rules = rules.filter_map(|rule| Some((rule.id.as_ref()?.0.as_ref(), rule))).collect();
        let columns = match run.column_kind.as_ref().map(|kind| kind.0.as_ref()) {
            Some("unicodeCodePoints") => ColumnUnit::Scalars,
            // The specification's default is UTF-16; ruff counts characters and does not say so.
            None if driver.name.as_ref().is_some_and(|name| name.0 == "ruff") => ColumnUnit::Scalars,
            _ => ColumnUnit::Utf16,
        };
        let places = Places {
            artifacts: run.artifacts.as_deref().unwrap_or_default(),
            bases: run.original_uri_base_ids.as_ref(),
        };
        let invocations = run.invocations.as_deref().unwrap_or_default();
        let elsewhere = run.external_property_file_references.as_ref();
        let elsewhere = elsewhere.and_then(|files| files.results.as_ref()).is_some_and(|files| !files.is_empty());
        let overrides = HashMap::new();
        let mut reader = Self { driver, extensions, rules, places, invocations, overrides, columns, elsewhere };
        reader.overrides = reader.overridden();
        reader
    }

    /// Of several levels for one rule the worst.
    fn overridden(&self) -> HashMap<&'r str, &'r str> {
        let mut worst: HashMap<&str, &str> = HashMap::new();
        let all = self.invocations.iter().filter_map(|invocation| invocation.rule_configuration_overrides.as_deref());
        for one in all.flatten() {
            let Some(level) = one.configuration.as_ref().and_then(|to| to.level.as_ref()) else { continue };
            let Some(of) = &one.descriptor else { continue };
            let id = of.id.as_ref().map(|id| id.0.as_ref());
            let rule = self.rule_of(id, of.index, of.tool_component.as_ref());
            let Some(id) = rule.and_then(|rule| rule.id.as_ref()).map(|id| id.0.as_ref()).or(id) else { continue };
            let known = worst.entry(id).or_insert(&level.0);
            if rank(&level.0) > rank(known) {
                *known = &level.0;
            }
        }
        worst
    }

    /// The findings of the run: its results, and the errors that the tool met while it ran. And why they may not be all
    /// that there is, where the run says that it failed.
    pub(super) fn read(
        &self,
        results: Option<Vec<SarifResult<'a>>>,
        left: &mut Left,
    ) -> Result<(Vec<Finding>, Option<String>), ParseError> {
        let mut findings = Vec::new();
        let looked = results.is_some();
        for result in results.into_iter().flatten() {
            self.result(result, left, &mut findings);
        }
        for invocation in self.invocations {
            let both = [&invocation.tool_execution_notifications, &invocation.tool_configuration_notifications];
            for notification in both.into_iter().flatten().flatten() {
                self.notification(notification, left, &mut findings);
            }
        }
        let explained = findings.iter().any(|finding| finding.level >= Level::Warning);
        let failed = self.invocations.iter().filter(|invocation| !explained || was_killed(invocation));
        if let Some(what) = failed.into_iter().find_map(failure) {
            return Err(ParseError::ToolFailed {
                tool: format!("{:?}", one_line(self.tool(), 80)),
                what: one_line(&what, 200),
            });
        }
        if self.elsewhere {
            return Err(malformed(&format!("a run of {:?} that keeps its results in other files", self.tool())));
        }
        if !looked {
            return Err(malformed(&format!("a run of {} without `results`: it did not look", self.tool())));
        }
        let worst = findings.iter().map(|finding| finding.level).max();
        let mut doubts = self.invocations.iter().filter_map(|invocation| self.doubt(invocation, worst));
        let doubt = doubts.next().map(|what| format!("{} says that its run failed: {what}", one_line(self.tool(), 80)));
        Ok((findings, doubt))
    }

    /// Why the run is not whole, although it has findings. By the specification `executionSuccessful` is false where the
    /// tool could not do its work, whatever it found. gcc says so at each error that it reports, and ESLint's formatter at
    /// a file that cannot be parsed, which it names: these are all that is wrong there.
    fn doubt(&self, invocation: &Invocation<'_>, worst: Option<Level>) -> Option<String> {
        let code = invocation.exit_code.filter(|code| *code != 0);
        if invocation.execution_successful != Some(false) {
            return code.filter(|_| worst.is_none()).map(|code| format!("exit code {code}, without a finding"));
        }
        let broken = errors(invocation.tool_execution_notifications.as_deref()).next().is_some();
        let misread = || errors(invocation.tool_configuration_notifications.as_deref());
        let of_gcc = self.tool().starts_with("GNU ") && worst == Some(Level::Error);
        let explained = of_gcc || (misread().next().is_some() && misread().all(names_file));
        let said = code.is_some() || invocation.exit_code_description.is_some() || broken;
        (said || !explained).then(|| one_line(&failure(invocation).unwrap_or_default(), 200))
    }

    fn tool(&self) -> &str {
        self.driver.name.as_ref().map_or("the tool", |name| name.0.as_ref())
    }

    fn result(&self, result: SarifResult<'a>, left: &mut Left, findings: &mut Vec<Finding>) {
        let rule = self.rule(&result);
        let id = id(&result).or_else(|| rule?.id.as_ref().map(|id| id.0.as_ref()));
        let Some(level) = level(&result, self.default_level(id, rule)) else {
            left.passed += 1;
            return;
        };
        if result.baseline_state.as_ref().is_some_and(|state| state.0 == "absent") {
            left.absent += 1;
            return;
        }
        if is_suppressed(&result) {
            left.suppressed += 1;
            return;
        }
        let about = || rule?.short_description.as_ref()?.text.as_ref().map(|text| text.0.to_string());
        let message = result.message.as_ref().and_then(|message| message::text(message, rule, |id| self.shared(id)));
        let mut finding = Finding {
            rule: id.map(str::to_owned).filter(|id| !id.is_empty()),
            level,
            message: message.or_else(about).unwrap_or_else(|| "(no message)".to_owned()),
            path: result.analysis_target.as_ref().and_then(|target| self.places.path(target)),
            help: rule.and_then(|rule| rule.help_uri.as_ref()).map(|uri| uri.0.to_string()),
            ..Finding::default()
        };
        let mut locations =
            result.locations.iter().flatten().filter_map(|location| location.physical_location.as_ref());
        if let Some(first) = locations.next() {
            self.place(&mut finding, first, left);
        }
        // More locations belong to one problem, and any of them may be the one on a changed line.
        let first = findings.len();
        for location in locations {
            let mut other = Finding { fix: None, ..finding.clone() };
            self.place(&mut other, location, left);
            if findings[first..].last().unwrap_or(&finding) != &other {
                findings.push(other);
            }
        }
        finding.fix = result.fixes.into_iter().flatten().next().and_then(|fix| self.fix(fix, finding.path.as_deref()));
        findings.insert(first, finding);
    }

    fn rule(&self, result: &SarifResult<'_>) -> Option<&'r Rule<'a>> {
        let reference = result.rule.as_ref();
        let component = reference.and_then(|rule| rule.tool_component.as_ref());
        self.rule_of(id(result), result.rule_index.or_else(|| reference?.index), component)
    }

    /// A rule: by index where that fits the id, else by id, which may be below a rule (`CA1000/1`).
    fn rule_of(
        &self,
        id: Option<&str>,
        index: Option<i64>,
        component: Option<&ComponentReference<'_>>,
    ) -> Option<&'r Rule<'a>> {
        let component = match component.map(|component| (component.index, component.name.as_ref())) {
            // -1 is that of none.
            Some((Some(index), _)) => usize::try_from(index).ok().and_then(|index| self.extensions.get(index)),
            Some((None, Some(name))) => {
                self.extensions.iter().find(|extension| extension.name.as_ref().is_some_and(|own| own.0 == name.0))
            }
            _ => None,
        };
        let index = index.and_then(|index| usize::try_from(index).ok());
        let rules = component.unwrap_or(self.driver).rules.as_deref().unwrap_or_default();
        let fits = |rule: &&Rule<'_>| {
            let own = rule.id.as_ref().map(|id| id.0.as_ref()).unwrap_or_default();
            id.is_none_or(|id| id.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
        };
        index.and_then(|index| rules.get(index)).filter(fits).or_else(|| {
            let id = id?;
            self.rules.get(id).or_else(|| self.rules.get(id.rsplit_once('/')?.0)).copied()
        })
    }

    /// The level of a result that says none. Which of several invocations it is of is not known.
    fn default_level(&self, id: Option<&str>, rule: Option<&'r Rule<'a>>) -> &'r str {
        let own = rule.and_then(|rule| rule.default_configuration.as_ref()?.level.as_ref());
        let own = own.map_or("warning", |level| level.0.as_ref());
        let of_rule = rule.and_then(|rule| rule.id.as_ref()).map(|id| id.0.as_ref());
        let overridden = of_rule.or(id).and_then(|id| self.overrides.get(id).copied());
        overridden.filter(|level| self.invocations.len() == 1 || rank(level) > rank(own)).unwrap_or(own)
    }

    fn shared(&self, id: &str) -> Option<&'r str> {
        Some(self.driver.global_message_strings.as_ref()?.get(id)?.text.as_ref()?.0.as_ref())
    }

    fn place(&self, finding: &mut Finding, physical: &PhysicalLocation<'_>, left: &mut Left) {
        if let Some(path) = physical.artifact_location.as_ref().and_then(|artifact| self.places.path(artifact)) {
            finding.path = Some(path);
        }
        (finding.line, finding.column, finding.end_line, finding.end_column) = (None, None, None, None);
        if let Some(region) = physical.region
            && !region.place(finding)
        {
            left.offsets += 1;
        }
    }

    /// A fix whose every change is in the file of the finding and has its lines and columns.
    fn fix(&self, fix: SarifFix<'_>, path: Option<&str>) -> Option<Fix> {
        let mut edits = Vec::new();
        for change in fix.artifact_changes? {
            if self.places.path(&change.artifact_location?).as_deref() != path {
                return None;
            }
            for replacement in change.replacements? {
                let text = replacement.inserted_content.and_then(|content| content.text);
                edits.push(replacement.deleted_region?.edit(text.map(|text| text.0.into_owned()).unwrap_or_default())?);
            }
        }
        let description = fix.description.and_then(|message| message.text).map(|text| text.0.into_owned());
        reading::fix(description.unwrap_or_default(), edits)
    }

    /// What the tool says of its own work: an error is a finding, for then it has not seen everything.
    fn notification(&self, notification: &Notification<'_>, left: &mut Left, findings: &mut Vec<Finding>) {
        let message = notification.message.as_ref();
        let message = message.and_then(|message| message::text(message, None, |id| self.shared(id)));
        let message = message.unwrap_or_else(|| "(no message)".to_owned());
        match notification.level.as_ref().map(|level| level.0.as_ref()) {
            Some("error") => {
                let id = notification.descriptor.as_ref().and_then(|descriptor| descriptor.id.as_ref());
                let rule = id.map(|id| id.0.to_string());
                let mut finding = Finding { rule, level: Level::Error, message, ..Finding::default() };
                let mut locations = notification.locations.iter().flatten();
                if let Some(location) = locations.find_map(|location| location.physical_location.as_ref()) {
                    self.place(&mut finding, location, left);
                }
                findings.push(finding);
            }
            Some("none" | "note") => {}
            _ => {
                if left.warnings == 0 {
                    left.first_warning = one_line(&message, 120);
                }
                left.warnings += 1;
            }
        }
    }
}

/// The rule's id as a result spells it.
fn id<'s>(result: &'s SarifResult<'_>) -> Option<&'s str> {
    result.rule_id.as_ref().or_else(|| result.rule.as_ref()?.id.as_ref()).map(|id| id.0.as_ref())
}

/// How bad a level is; a word unknown here is not taken for less.
fn rank(level: &str) -> usize {
    let known = ["none", "note", "warning"];
    known.iter().position(|word| level.eq_ignore_ascii_case(word)).unwrap_or(known.len())
}

/// `None` for what is no finding. A kind other than `fail` has the level `none` by the specification.
fn level(result: &SarifResult<'_>, default: &str) -> Option<Level> {
    let word = |text: &Option<Text<'_>>| text.as_ref().map(|text| text.0.to_ascii_lowercase());
    let kind = word(&result.kind).unwrap_or_else(|| "fail".to_owned());
    let level = word(&result.level).or_else(|| (kind == "fail").then(|| default.to_ascii_lowercase()));
    match (kind.as_str(), level.as_deref().unwrap_or("none")) {
        ("pass" | "notapplicable", _) => None,
        ("fail" | "informational", "none") | (_, "note") => Some(Level::Note),
        // `open` and `review`: the tool could not decide, so a person has to.
        (_, "none" | "warning") => Some(Level::Warning),
        _ => Some(Level::Error),
    }
}

/// Suppressed, unless someone still has to agree to it or has refused.
fn is_suppressed(result: &SarifResult<'_>) -> bool {
    let all = result.suppressions.as_deref().unwrap_or_default();
    let accepted = |status: &Option<Text<'_>>| status.as_ref().is_none_or(|status| status.0 == "accepted");
    !all.is_empty() && all.iter().all(|suppression| accepted(&suppression.status))
}

/// Whether it ended by a signal or was not even started: no finding is the reason for that.
const fn was_killed(invocation: &Invocation<'_>) -> bool {
    invocation.process_start_failure_message.is_some() || invocation.exit_signal_name.is_some()
}

fn errors<'n, 'a>(all: Option<&'n [Notification<'a>]>) -> impl Iterator<Item = &'n Notification<'a>> {
    let is_error = |one: &&Notification<'_>| one.level.as_ref().is_some_and(|level| level.0 == "error");
    all.unwrap_or_default().iter().filter(is_error)
}

fn names_file(notification: &Notification<'_>) -> bool {
    let mut places = notification.locations.iter().flatten().filter_map(|place| place.physical_location.as_ref());
    places.any(|place| place.artifact_location.is_some())
}

/// Why an invocation is said to have failed.
fn failure(invocation: &Invocation<'_>) -> Option<String> {
    let words =
        [&invocation.process_start_failure_message, &invocation.exit_signal_name, &invocation.exit_code_description];
    let said = words.into_iter().flatten().map(|text| text.0.to_string()).find(|text| !text.is_empty());
    (was_killed(invocation) || invocation.execution_successful == Some(false))
        .then(|| said.unwrap_or_else(|| "executionSuccessful is false".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::evidence::Parsed;

    fn read(run: &str, result: &str) -> Parsed {
        let log =
            format!(r#"{{"version":"2.1.0","runs":[{{{run},"results":[{{"message":{{"text":"m"}}{result}}}]}}]}}"#);
        crate::parse::find("sarif").unwrap().parse(log.as_bytes()).unwrap()
    }

    fn tool(name: &str, more: &str) -> String {
        format!(r#""tool":{{"driver":{{"name":"{name}"}}}}{more}"#)
    }

    #[test]
    fn columns_are_counted_as_the_tool_says_or_is_known_to() {
        let unit = |name, kind| read(&tool(name, kind), "").columns;
        let utf16 = r#","columnKind":"utf16CodeUnits""#;
        assert_eq!([unit("ruff", ""), unit("x", r#","columnKind":"unicodeCodePoints""#)], [ColumnUnit::Scalars; 2]);
        assert_eq!([unit("ruff", utf16), unit("x", utf16), unit("x", "")], [ColumnUnit::Utf16; 3]);
    }

    #[test]
    fn kinds_and_levels_are_read_together() {
        let level = |result: &str| read(&tool("x", ""), result).findings.first().map(|finding| finding.level);
        for (result, expected) in [
            ("", Some(Level::Warning)),
            (r#","level":"error""#, Some(Level::Error)),
            (r#","level":"note""#, Some(Level::Note)),
            (r#","level":"none""#, Some(Level::Note)),
            (r#","level":"ERROR","kind":"Fail""#, Some(Level::Error)),
            (r#","level":"of a later version""#, Some(Level::Error)),
            (r#","kind":"pass""#, None),
            (r#","kind":"notApplicable","level":"error""#, None),
            (r#","kind":"informational""#, Some(Level::Note)),
            (r#","kind":"open""#, Some(Level::Warning)),
            (r#","kind":"review","level":"error""#, Some(Level::Error)),
        ] {
            assert_eq!(level(result), expected, "{result}");
        }
    }

    #[test]
    fn an_invocation_may_give_a_rule_another_level() {
        let level = |invocations: &str, result: &str| {
            let rules = r#"[{"id":"A","defaultConfiguration":{"level":"note"}},{"id":"B","defaultConfiguration":{"level":"error"}}]"#;
            let run = format!(r#""tool":{{"driver":{{"name":"x","rules":{rules}}}}},"invocations":[{invocations}]"#);
            read(&run, result).findings[0].level
        };
        let to = |level: &str, rule: &str| {
            let one = format!(r#"{{"configuration":{{"level":"{level}"}},"descriptor":{{{rule}}}}}"#);
            format!(r#"{{"executionSuccessful":true,"ruleConfigurationOverrides":[{one}]}}"#)
        };
        let (a, b) = (r#","ruleId":"A""#, r#","ruleId":"B""#);
        assert_eq!([level("", a), level("", b)], [Level::Note, Level::Error]);
        for rule in [r#""id":"A""#, r#""index":0"#, r#""id":"A","index":0,"toolComponent":{"index":-1}"#] {
            assert_eq!([level(&to("error", rule), a), level(&to("error", rule), b)], [Level::Error; 2], "{rule}");
        }
        let (low, other) = (to("note", r#""id":"B""#), to("error", r#""id":"A""#));
        assert_eq!([level(&low, b), level(&format!("{low},{other}"), b)], [Level::Note, Level::Error], "whose it is");
        assert_eq!(level(&format!("{low},{other}"), a), Level::Error);
        let of_none = r#","rule":{"id":"B","index":1,"toolComponent":{"index":-1}}"#;
        assert_eq!(level("", of_none), Level::Error, "a component that is none");
    }

    #[test]
    fn what_nobody_has_agreed_to_is_not_suppressed() {
        let found = |all: &str| read(&tool("x", ""), &format!(r#","suppressions":[{all}]"#)).findings.len();
        let of = |status: &str| format!(r#"{{"kind":"external","status":"{status}"}}"#);
        let (yes, asked, no) = (of("accepted"), of("underReview"), of("rejected"));
        assert_eq!([found(&yes), found(r#"{"kind":"inSource"}"#), found(&format!("{yes},{yes}"))], [0; 3]);
        assert_eq!([found(""), found(&asked), found(&no), found(&format!("{yes},{asked}"))], [1; 4]);
    }

    #[test]
    fn an_invocation_that_failed_says_why() {
        let said = |invocation: &str| failure(&serde_json::from_str(&format!("{{{invocation}}}")).unwrap());
        assert_eq!(said(r#""executionSuccessful":true"#), None);
        assert_eq!(said(r#""executionSuccessful":true,"exitCodeDescription":"findings""#), None);
        assert_eq!(said(r#""executionSuccessful":false"#).unwrap(), "executionSuccessful is false");
        assert_eq!(said(r#""executionSuccessful":false,"exitCodeDescription":"bad""#).unwrap(), "bad");
        assert_eq!(said(r#""exitSignalName":"SIGSEGV""#).unwrap(), "SIGSEGV");
        assert_eq!(said(r#""processStartFailureMessage":"none","exitCodeDescription":"bad""#).unwrap(), "none");
    }

    #[test]
    fn a_failed_run_is_explained_by_a_finding_that_is_no_note() {
        let ended = |invocation: &str, levels: &[&str]| {
            let results: Vec<_> =
                levels.iter().map(|level| format!(r#"{{"message":{{"text":"m"}},"level":"{level}"}}"#)).collect();
            let log = format!(
                r#"{{"version":"2.1.0","runs":[{{{},"invocations":[{{"executionSuccessful":false{invocation}}}],"results":[{}]}}]}}"#,
                tool("x", ""),
                results.join(",")
            );
            crate::parse::find("sarif").unwrap().parse(log.as_bytes()).is_ok()
        };
        let run = |levels: &[&str]| ended("", levels);
        assert!(run(&["warning"]) && run(&["note", "warning"]) && run(&["error", "note"]));
        assert!(!run(&[]) && !run(&["note"]));
        for killed in [r#","exitSignalName":"SIGSEGV""#, r#","processStartFailureMessage":"no such file""#] {
            assert!(!ended(killed, &["error"]), "{killed}");
        }
    }

    #[test]
    fn what_was_found_does_not_excuse_a_run_that_failed() {
        let doubt = |name: &str, level: &str, invocation: &str| {
            read(&tool(name, &format!(r#","invocations":[{{{invocation}}}]"#)), &format!(r#","level":"{level}""#))
                .unexplained_exit
        };
        let failed = r#""executionSuccessful":false"#;
        assert_eq!(doubt("x", "error", failed).unwrap(), "x says that its run failed: executionSuccessful is false");
        let memory = format!(r#"{failed},"exitCodeDescription":"out of memory""#);
        assert_eq!(doubt("x", "error", &memory).unwrap(), "x says that its run failed: out of memory");
        // gcc says so of what it compiled and found errors in.
        assert_eq!(doubt("GNU C17", "error", failed), None);
        for (level, more) in [("warning", ""), ("error", r#","exitCode":4"#)] {
            assert!(doubt("GNU C17", level, &format!("{failed}{more}")).is_some(), "{level} {more}");
        }
        let note = |of: &str, place: &str| {
            let locations = format!(r#""locations":[{{"physicalLocation":{{{place}}}}}]"#);
            format!(r#"{failed},"tool{of}Notifications":[{{"level":"error","message":{{"text":"m"}},{locations}}}]"#)
        };
        let file = r#""artifactLocation":{"uri":"a.js"}"#;
        assert_eq!(doubt("x", "error", &note("Configuration", file)), None, "it names the file");
        for other in [note("Configuration", ""), note("Execution", file)] {
            assert!(doubt("x", "error", &other).is_some(), "{other}");
        }
        assert_eq!(doubt("x", "note", r#""exitCode":2"#), None);
        let clean = format!(
            r#"{{"version":"2.1.0","runs":[{{{},"results":[]}}]}}"#,
            tool("x", r#","invocations":[{"executionSuccessful":true,"exitCode":2}]"#)
        );
        let clean = crate::parse::find("sarif").unwrap().parse(clean.as_bytes()).unwrap();
        assert_eq!(clean.unexplained_exit.unwrap(), "x says that its run failed: exit code 2, without a finding");
    }

    #[test]
    fn places_that_repeat_are_one_finding() {
        let at = |line: u32| {
            format!(r#"{{"physicalLocation":{{"artifactLocation":{{"uri":"a.js"}},"region":{{"startLine":{line}}}}}}}"#)
        };
        let places = [1, 1, 2, 3, 3].map(at).join(",");
        let found = read(&tool("x", ""), &format!(r#","locations":[{places}]"#)).findings;
        assert_eq!(found.iter().map(|finding| finding.line.unwrap()).collect::<Vec<_>>(), [1, 2, 3]);
        let whole = r#"{"physicalLocation":{"artifactLocation":{"uri":"b.js"}}}"#;
        let found = read(&tool("x", ""), &format!(r#","locations":[{},{whole}]"#, at(1))).findings;
        assert_eq!((found[1].path.as_deref(), found[1].line), (Some("b.js"), None));
    }

    #[test]
    fn a_rule_is_the_one_of_its_extension_that_fits_the_id() {
        let rule = |id: &str, page: &str| format!(r#"{{"id":"{id}","helpUri":"https://{page}"}}"#);
        let extensions = ["one", "two"].map(|name| format!(r#"{{"name":"{name}","rules":[{}]}}"#, rule("R", name)));
        let run = format!(
            r#""tool":{{"driver":{{"name":"x","rules":[{}]}},"extensions":[{}]}}"#,
            rule("CA1000", "driver"),
            extensions.join(",")
        );
        let help = |result: &str| read(&run, result).findings[0].help.clone();
        let of = |name: &str| help(&format!(r#","rule":{{"id":"R","index":0,"toolComponent":{{"name":"{name}"}}}}"#));
        assert_eq!([of("one"), of("two")], ["https://one", "https://two"].map(|page| Some(page.to_owned())));
        let driver = Some("https://driver".to_owned());
        for fits in ["", r#","ruleId":"CA1000""#, r#","ruleId":"CA1000/1""#] {
            assert_eq!(help(&format!(r#","ruleIndex":0{fits}"#)), driver, "{fits}");
        }
        for other in ["CA10001", "X"] {
            assert_eq!(help(&format!(r#","ruleIndex":0,"ruleId":"{other}""#)), None, "{other}");
        }
    }

    #[test]
    fn the_changes_of_a_fix_may_touch_and_not_overlap() {
        let change = |from: u32, to: u32| {
            format!(
                r#"{{"deletedRegion":{{"startLine":1,"startColumn":{from},"endColumn":{to}}},"insertedContent":{{"text":"y"}}}}"#
            )
        };
        let fixed = |changes: &[String]| {
            let fix = format!(
                r#","locations":[{{"physicalLocation":{{"artifactLocation":{{"uri":"a.js"}}}}}}],
                "fixes":[{{"artifactChanges":[{{"artifactLocation":{{"uri":"a.js"}},"replacements":[{}]}}]}}]"#,
                changes.join(",")
            );
            read(&tool("x", ""), &fix).findings[0].fix.as_ref().map(|fix| fix.edits.len())
        };
        assert_eq!(fixed(&[change(4, 5), change(1, 3)]), Some(2));
        assert_eq!(fixed(&[change(1, 3), change(3, 5)]), Some(2), "they touch");
        assert_eq!([fixed(&[change(1, 4), change(3, 5)]), fixed(&[])], [None; 2]);
    }
}
