//! What a log has of tests that could not be built, where the output that is read has no place for it.

use std::fs::File;

use crate::gate::lines;
use crate::model::evidence::Parsed;
use crate::parse::Compiler;

/// Has the tests of packages that were not built say why. Where the log cannot be read they go on saying where that stands.
pub(super) fn tell(log: &File, read: &mut [(Parsed, &'static str)]) {
    let tests = read.iter_mut().filter_map(|(parsed, _)| parsed.tests.as_mut());
    let wanted: Vec<_> = tests.filter(|tests| Compiler::is_wanted(tests)).collect();
    if wanted.is_empty() {
        return;
    }
    let mut compiler = Compiler::default();
    let seen = lines::find_in(log, |line| {
        compiler.line(line);
        None::<()>
    });
    if seen.is_ok() {
        for tests in wanted {
            compiler.tell(tests);
        }
    }
}
