//! What was judged or parsed, written for someone: each shape one file. Pure: values in, text or frozen structs out.

pub mod audit_v1;
pub mod chat;
pub mod deployment;
pub mod doctor;
pub mod environments;
pub mod figures;
pub mod finding_v1;
pub mod init;
pub mod integrity_v1;
pub mod json_v1;
pub mod junit;
pub mod links;
pub mod markdown;
pub mod migrations_text;
pub mod migrations_v1;
pub mod notify;
pub mod parse_v1;
pub mod parsed_text;
pub mod plan;
pub mod sarif;
pub mod terminal;
pub mod tests_v1;
pub mod workflow;
