//! How a repository is set up for gatepost: what `init` writes, and what `doctor` makes of what is there. It looks at
//! nothing itself.

pub mod permissions;
pub mod template;
