//! How a repository is set up for gatepost: what `init` writes, and what `doctor` makes of what is there. It looks at
//! nothing itself.

pub mod coverage;
pub mod deploys;
pub mod jobs;
pub mod permissions;
pub mod required;
pub mod template;
pub mod token;
pub mod tools;
pub mod workflow;
