//! Ships what was judged: the machine that decides what comes next, the engine that does it, and the deployers, one file
//! each. None of them judges gates.

pub mod machine;
