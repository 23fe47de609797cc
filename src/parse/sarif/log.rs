//! The keys of a SARIF log that are used, borrowed from the document; everything else is passed over unread.
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>

use std::collections::HashMap;

use serde::Deserialize;

use crate::parse::json::{Position, Text};

#[derive(Deserialize)]
pub(super) struct Log<'a> {
    #[serde(borrow)]
    pub version: Option<Text<'a>>,
    pub runs: Vec<Run<'a>>,
    /// Parts of runs that stand beside them.
    #[serde(rename = "inlineExternalProperties")]
    pub beside: Option<Vec<External>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Run<'a> {
    #[serde(borrow)]
    pub tool: Tool<'a>,
    /// Absent or null when the tool did not look for results at all.
    pub results: Option<Vec<SarifResult<'a>>>,
    pub artifacts: Option<Vec<Artifact<'a>>>,
    pub invocations: Option<Vec<Invocation<'a>>>,
    pub original_uri_base_ids: Option<HashMap<String, ArtifactLocation<'a>>>,
    pub column_kind: Option<Text<'a>>,
    pub external_property_file_references: Option<External>,
}

#[derive(Deserialize)]
pub(super) struct External {
    pub results: Option<Vec<serde::de::IgnoredAny>>,
}

#[derive(Deserialize)]
pub(super) struct Tool<'a> {
    #[serde(borrow)]
    pub driver: Component<'a>,
    pub extensions: Option<Vec<Component<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Component<'a> {
    #[serde(borrow)]
    pub name: Option<Text<'a>>,
    pub rules: Option<Vec<Rule<'a>>>,
    pub global_message_strings: Option<HashMap<String, Message<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rule<'a> {
    #[serde(borrow)]
    pub id: Option<Text<'a>>,
    pub help_uri: Option<Text<'a>>,
    pub short_description: Option<Message<'a>>,
    pub default_configuration: Option<Configuration<'a>>,
    pub message_strings: Option<HashMap<String, Message<'a>>>,
}

#[derive(Deserialize)]
pub(super) struct Configuration<'a> {
    #[serde(borrow)]
    pub level: Option<Text<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub text: Option<Text<'a>>,
    pub id: Option<Text<'a>>,
    pub arguments: Option<Vec<Text<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SarifResult<'a> {
    #[serde(borrow)]
    pub rule_id: Option<Text<'a>>,
    pub rule_index: Option<i64>,
    pub rule: Option<RuleReference<'a>>,
    pub level: Option<Text<'a>>,
    pub kind: Option<Text<'a>>,
    pub message: Option<Message<'a>>,
    pub locations: Option<Vec<Location<'a>>>,
    pub analysis_target: Option<ArtifactLocation<'a>>,
    pub baseline_state: Option<Text<'a>>,
    pub suppressions: Option<Vec<Suppression<'a>>>,
    pub fixes: Option<Vec<SarifFix<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RuleReference<'a> {
    #[serde(borrow)]
    pub id: Option<Text<'a>>,
    pub index: Option<i64>,
    pub tool_component: Option<ComponentReference<'a>>,
}

#[derive(Deserialize)]
pub(super) struct ComponentReference<'a> {
    pub index: Option<i64>,
    #[serde(borrow)]
    pub name: Option<Text<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Suppression<'a> {
    #[serde(borrow)]
    pub status: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Location<'a> {
    #[serde(borrow)]
    pub physical_location: Option<PhysicalLocation<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PhysicalLocation<'a> {
    #[serde(borrow)]
    pub artifact_location: Option<ArtifactLocation<'a>>,
    pub region: Option<Region>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ArtifactLocation<'a> {
    #[serde(borrow)]
    pub uri: Option<Text<'a>>,
    pub uri_base_id: Option<Text<'a>>,
    pub index: Option<i64>,
}

#[derive(Deserialize)]
pub(super) struct Artifact<'a> {
    #[serde(borrow)]
    pub location: Option<ArtifactLocation<'a>>,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Region {
    pub start_line: Position,
    pub start_column: Position,
    pub end_line: Position,
    pub end_column: Position,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SarifFix<'a> {
    #[serde(borrow)]
    pub description: Option<Message<'a>>,
    pub artifact_changes: Option<Vec<ArtifactChange<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ArtifactChange<'a> {
    #[serde(borrow)]
    pub artifact_location: Option<ArtifactLocation<'a>>,
    pub replacements: Option<Vec<Replacement<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Replacement<'a> {
    pub deleted_region: Option<Region>,
    #[serde(borrow)]
    pub inserted_content: Option<Content<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Content<'a> {
    #[serde(borrow)]
    pub text: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Invocation<'a> {
    pub execution_successful: Option<bool>,
    pub exit_code: Option<i64>,
    #[serde(borrow)]
    pub exit_code_description: Option<Text<'a>>,
    pub exit_signal_name: Option<Text<'a>>,
    pub process_start_failure_message: Option<Text<'a>>,
    pub tool_execution_notifications: Option<Vec<Notification<'a>>>,
    pub tool_configuration_notifications: Option<Vec<Notification<'a>>>,
    pub rule_configuration_overrides: Option<Vec<Override<'a>>>,
}

#[derive(Deserialize)]
pub(super) struct Override<'a> {
    #[serde(borrow)]
    pub configuration: Option<Configuration<'a>>,
    pub descriptor: Option<RuleReference<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Notification<'a> {
    #[serde(borrow)]
    pub level: Option<Text<'a>>,
    pub message: Option<Message<'a>>,
    pub locations: Option<Vec<Location<'a>>>,
    pub descriptor: Option<RuleReference<'a>>,
}
