//! What go says on standard error of packages that do not compile. Before Go 1.24 no event has it.

use crate::model::tests::Tests;
use crate::parse::gotest::UNTOLD;
use crate::parse::gotest::package::{keep, placed};

/// Reads it out of a log, line by line.
#[derive(Default)]
pub struct Compiler {
    /// Packages, each with what is said of it.
    said: Vec<(String, String)>,
    /// Whether the line before was of the last of them.
    within: bool,
}

impl Compiler {
    /// Whether it has something to tell these tests.
    #[must_use]
    pub fn is_wanted(tests: &Tests) -> bool {
        tests.cases.iter().any(|case| case.message.as_deref() == Some(UNTOLD))
    }

    /// `# example.com/shop [example.com/shop.test]` is followed by what is wrong with it; vet says `# [example.com/shop]` too.
    pub fn line(&mut self, line: &str) {
        let line = line.trim_end();
        if let Some(heading) = line.strip_prefix("# ") {
            if !heading.starts_with('[') {
                self.said.push((heading.split(' ').next().unwrap_or(heading).to_owned(), String::new()));
            }
            self.within = !self.said.is_empty();
            return;
        }
        self.within &= !["{", "FAIL", "ok  \t", "?   \t"].iter().any(|begin| line.starts_with(begin));
        if let Some((_, said)) = self.said.last_mut().filter(|_| self.within) {
            keep(said, line);
            keep(said, "\n");
        }
    }

    /// Has the cases of packages that were not built tell why, and where; one that is built of others may have no word of its own.
    pub fn tell(&self, tests: &mut Tests) {
        for case in tests.cases.iter_mut().filter(|case| case.message.as_deref() == Some(UNTOLD)) {
            let of = |package: &Option<String>| -> String {
                let is_of = |(name, _): &&(String, String)| package.as_ref().is_none_or(|package| package == name);
                self.said.iter().filter(is_of).map(|(_, said)| said.as_str()).collect()
            };
            let own = of(&case.class);
            let said = if own.trim().is_empty() { of(&None) } else { own };
            if !said.trim().is_empty() {
                (case.file, case.line) = placed(&said, true).unzip();
                case.message = Some(said.trim().to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::gotest::FORMAT;

    #[test]
    fn a_package_that_was_not_built_tells_why() {
        let told = |output: &str, log: &str| {
            let mut tests = FORMAT.parse(output.as_bytes()).unwrap().tests.unwrap();
            assert!(Compiler::is_wanted(&tests));
            let mut compiler = Compiler::default();
            log.lines().for_each(|line| compiler.line(line));
            compiler.tell(&mut tests);
            let case = tests.cases.remove(0);
            (case.file, case.line, case.message.unwrap())
        };
        let failed = "FAIL\te.org/x [build failed]\n";
        let why = "./x_test.go:5:39: too many arguments in call to Add\n\thave (number, number)\n\twant (int)";
        let of = |line| Some(format!("./{line}_test.go"));
        let log = format!(
            "# e.org/y [e.org/y.test]\n./y_test.go:1:1: bad\n# e.org/x [e.org/x.test]\n{why}\nFAIL\te.org/x [build failed]\nsaid\n"
        );
        assert_eq!(told(failed, &log), (of("x"), Some(5), why.to_owned()));
        let other = "# e.org/y\n./y_test.go:1:1: bad\n{\"Action\":\"run\"}\n";
        assert_eq!(told(failed, other), (of("y"), Some(1), "./y_test.go:1:1: bad".to_owned()), "it is built of that");
        let vet = "# e.org/x\n# [e.org/x]\nvet: ./x_test.go:2:3: bad\n";
        assert_eq!(told(failed, vet), (of("x"), Some(2), "vet: ./x_test.go:2:3: bad".to_owned()));
        assert_eq!(told(failed, "x\n"), (None, None, UNTOLD.to_owned()));
    }
}
