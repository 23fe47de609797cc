//! Floor 4: one file per command; each reads as that command's story. None knows the terminal.

pub mod audit;
mod baseline;
mod detected;
pub mod doctor;
mod failure;
pub mod init;
pub mod integrity;
pub mod notify;
pub mod offer;
pub mod output;
pub mod parse;
pub mod plan;
pub mod posting;
pub mod project;
pub mod publish;
pub mod run;
pub mod scope;
pub mod work;

pub use failure::Failure;
