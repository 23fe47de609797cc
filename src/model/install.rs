//! What has to be installed before gates can run: a step of a workflow.

/// One step, by bash on GitHub's `ubuntu-latest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Install {
    /// Where, relative to the configuration's folder; `""` is that folder.
    pub dir: String,
    /// What is run, a line each; the step ends at the first that fails.
    pub lines: Vec<String>,
    /// What whoever reads the workflow should know about it.
    pub remark: Option<&'static str>,
}
