//! The figures of the README, each a ratio, each with the command that makes it again.

fn main() {}
