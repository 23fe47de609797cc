//! Floor 4: one file per command; each reads as that command's story. None knows the terminal.

pub mod adopt;
pub mod audit;
mod baseline;
pub mod deploy;
mod detected;
pub mod doctor;
pub mod drive;
pub mod evidence;
mod failure;
mod herald;
pub mod init;
pub mod integrity;
pub mod locks;
pub mod migrations;
pub mod notify;
pub mod offer;
pub mod outage;
pub mod output;
pub mod parse;
pub mod plan;
pub mod posting;
pub mod project;
pub mod promote;
pub mod publish;
pub mod recover;
pub mod rollback;
pub mod run;
pub mod scope;
pub mod site;
pub mod status;
pub mod verify;
pub mod way_back;
pub mod work;

pub use failure::Failure;
