//! `gatepost integrity`: gates of a repository that cannot fail, without a configuration, a token or a repository.

use std::path::{Path, PathBuf};

use crate::app::{Failure, secrets};
use crate::config;
use crate::gate::integrity::evidence;
use crate::integrity::rules;
use crate::model::change::Scope;
use crate::model::finding::Level;
use crate::model::gate::{Flaky, GateName, Mode, Only, Rules};
use crate::model::report::{GateReport, Report, Subject};
use crate::model::settings::Common;
use crate::policy;
use crate::render::sarif;
use crate::world::env::Env;
use crate::world::files;
use crate::world::repo::Repo;

/// What `gatepost integrity` was asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where it was started, absolute.
    pub start: PathBuf,
    /// `--fail-on`.
    pub fail_on: Level,
    /// `--sarif`.
    pub sarif: Option<PathBuf>,
}

/// Checks the repository that the start is in; outside of one, the folder itself. The report has no secrets.
///
/// # Errors
/// With exit code 4 when the SARIF file cannot be written.
pub fn check(request: &Request, env: &Env) -> Result<Report, Failure> {
    let root =
        Repo::discover(&request.start, None).map_or_else(|_| request.start.clone(), |repo| repo.root().to_owned());
    let gate = judge(&root, request.fail_on)?;
    let subject = Subject { event: "local".to_owned(), trusted: true, ..Subject::default() };
    let report = Report {
        verdict: gate.outcome,
        subject,
        started_at: String::new(),
        took: gate.took,
        gates: vec![gate],
        notes: Vec::new(),
    };
    let report = secrets::masker(env, &[]).report(&report);
    if let Some(path) = &request.sarif {
        files::write(&request.start.join(path), sarif::write(&report).as_bytes())?;
    }
    Ok(report)
}

fn judge(root: &Path, fail_on: Level) -> Result<GateReport, Failure> {
    let name = GateName::parse("integrity").map_err(|error| Failure::outside(error.to_string()))?;
    let rules =
        Rules { only: Only::All, fail_on, max_findings: 0, min_tests: None, flaky: Flaky::Warn, mode: Mode::Block };
    let common = Common::built_in(name, "integrity");
    let scope = Scope::Everything { why: "gatepost integrity judges every file".to_owned() };
    let ground = policy::Ground { scope: &scope, baseline: None };
    let mut report = policy::judge(&common, &rules, ground, evidence(root, root, ""));
    "gatepost integrity".clone_into(&mut report.reproduce);
    Ok(report)
}

/// What is documented of a rule, as Markdown; of all of them where none is named.
///
/// # Errors
/// With exit code 2 when there is no such rule.
pub fn explain(id: &str) -> Result<String, Failure> {
    let names: Vec<&str> = rules::ALL.iter().map(|rule| rule.id).collect();
    rules::find(id).map(|rule| rule.page(1)).ok_or_else(|| {
        let shown = crate::model::text::one_line(id, 40);
        Failure::usage(format!("there is no rule {shown:?}")).help(config::advice(id, &names))
    })
}
