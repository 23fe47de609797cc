//! What GitHub itself asks of deployments to an environment. It binds jobs that name the environment, and not what is
//! deployed through the API: so it is read, and kept by us.

use serde::Deserialize;

use super::{Hub, PATIENCE};
use crate::model::environments::EnvironmentName;
use crate::world::line::answer::Stop;
use crate::world::line::segment;

/// An environment's rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// What a person, a clock or somebody's app must do first: in words.
    pub waits_for: Vec<String>,
    /// What may be deployed; `None`: everything.
    pub refs: Option<Vec<Pattern>>,
}

/// A pattern of names that may be deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// As GitHub has it: `release/*`.
    pub name: String,
    /// It is of tags; else of branches.
    pub is_tag: bool,
}

#[derive(Debug, Deserialize)]
struct Environment {
    #[serde(default)]
    protection_rules: Option<Vec<Rule>>,
    deployment_branch_policy: Option<Policy>,
}

#[derive(Debug, Deserialize)]
struct Rule {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Debug, Deserialize)]
struct Policy {
    #[serde(default)]
    protected_branches: bool,
    #[serde(default)]
    custom_branch_policies: bool,
}

#[derive(Debug, Deserialize)]
struct Policies {
    branch_policies: Vec<Named>,
}

#[derive(Debug, Deserialize)]
struct Named {
    name: String,
    /// `branch` or `tag`; an older server knows branches alone.
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl Hub {
    /// The rules of an environment; one that GitHub does not know has none.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn rules(&mut self, environment: &EnvironmentName) -> Result<Rules, Stop> {
        self.line.allow_more(PATIENCE);
        let line = &mut self.line;
        let name = segment(environment.as_str());
        let found: Environment = match line.read(line.path(&format!("/environments/{name}"))).await {
            Ok(found) => found,
            Err(stop) if stop.refused_with(404).is_some() => return Ok(Rules::default()),
            Err(stop) => return Err(stop),
        };
        let mut rules = Rules::default();
        for rule in found.protection_rules.unwrap_or_default() {
            match rule.kind.as_str() {
                "branch_policy" => {}
                "required_reviewers" => rules.waits_for.push("reviewers".to_owned()),
                "wait_timer" => rules.waits_for.push("a wait".to_owned()),
                other => rules.waits_for.push(crate::model::text::one_line(other, 60)),
            }
        }
        match found.deployment_branch_policy {
            Some(policy) if policy.custom_branch_policies => {
                let path = line.path(&format!("/environments/{name}/deployment-branch-policies?per_page=100"));
                let pages: Vec<Policies> = line.pages(path).await?;
                let policies = pages.into_iter().flat_map(|page| page.branch_policies);
                let pattern =
                    |policy: Named| Pattern { is_tag: policy.kind.as_deref() == Some("tag"), name: policy.name };
                rules.refs = Some(policies.map(pattern).collect());
            }
            Some(policy) if policy.protected_branches => rules.waits_for.push("a protected branch".to_owned()),
            _ => {}
        }
        Ok(rules)
    }
}
