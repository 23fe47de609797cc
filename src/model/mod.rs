//! Floor 0: the nouns. Plain data that every other floor speaks; no I/O, no decisions.

pub mod baseline;
pub mod call;
pub mod change;
pub mod deployment;
pub mod diagnosis;
pub mod environments;
pub mod event;
pub mod evidence;
pub mod exit;
pub mod finding;
pub mod gate;
pub mod gate_result;
pub mod json_path;
pub mod outcome;
pub mod package;
pub mod path;
pub mod progress;
pub mod report;
pub mod secret;
pub mod settings;
pub mod sha;
pub mod suggestion;
pub mod tests;
pub mod text;
pub mod workflow;
pub mod yaml;
