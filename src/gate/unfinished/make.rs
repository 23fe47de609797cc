//! Whether make, where it stopped, had no more to do. It reads the makefile as far as that needs, and takes what only make
//! could complete for more.

use std::cell::Cell;
use std::path::Path;

use crate::integrity::halts::{goals, halts_at, only_says};
use crate::world::files;

/// A makefile larger than this many bytes is not looked into.
const LARGEST: u64 = 1 << 20;

/// Variables that stand for one another more deeply are not followed.
const DEEPEST: u8 = 4;

/// The most lines that are looked at for variables, however often they name one another.
const MOST_LINES: usize = 1_000_000;

/// `make: *** [Makefile:2: lint] Error 1`
pub(super) struct Stop<'a> {
    is_top: bool,
    at: Option<(&'a str, usize)>,
    pub target: &'a str,
    /// A status that tools end with which found something, no signal and no command that is missing.
    is_plain: bool,
}

impl<'a> Stop<'a> {
    pub fn read(line: &'a str) -> Option<Self> {
        let (program, rest) = line.split_once(": *** [")?;
        let is_top = matches!(program, "make" | "gmake");
        let is_inner = ["make[", "gmake["].iter().any(|begin| program.starts_with(begin));
        let (place, end) = rest.rsplit_once("] ").filter(|_| is_top || is_inner)?;
        let (at, target) = match place.rsplit_once(": ") {
            Some((at, target)) => {
                (at.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok()?))), target)
            }
            None => (None, place),
        };
        let status = end.split(' ').nth(1).and_then(|status| status.parse::<u8>().ok());
        let is_plain = status.is_some_and(|status| status < 124);
        Some(Self { is_top, at, target, is_plain })
    }

    /// Whether make had no more to do: it stopped at the last line of the last goal that the command gave it, and was not
    /// called by another make.
    pub fn is_last(&self, command: &str, dir: &Path) -> bool {
        let Some((file, line)) = self.at.filter(|_| self.is_top && self.is_plain) else { return false };
        let Some((named, below)) = goals(command) else { return false };
        let Some(text) = files::read_capped(&dir.join(below).join(file), LARGEST) else { return false };
        let text = String::from_utf8_lossy(&text);
        let makefile = Makefile::of(&text);
        let goal = named.last().map(String::as_str).or_else(|| makefile.first());
        goal.is_some_and(|goal| makefile.comes_down_to(goal, self.target)) && makefile.ends_recipe(self.target, line)
    }
}

struct Makefile<'a> {
    text: &'a str,
    /// How many lines were looked at for variables.
    seen: Cell<usize>,
}

impl<'a> Makefile<'a> {
    const fn of(text: &'a str) -> Self {
        Self { text, seen: Cell::new(0) }
    }

    /// The heads of rules, each with what its targets need and whether lines of a recipe stand behind it.
    fn heads(&self) -> impl Iterator<Item = (&'a str, &'a str, bool)> {
        let mut lines = self.text.lines().peekable();
        let lines = std::iter::from_fn(move || Some((lines.next()?, lines.peek().copied())));
        lines.filter_map(|(line, next)| {
            let (targets, needs) = line.split_once(':').filter(|_| !line.starts_with(['\t', '#', ' ']))?;
            let is_head = !needs.starts_with('=') && !needs.starts_with(":=") && !targets.contains('=');
            let has_recipe = needs.contains(';') || next.is_some_and(|line| line.starts_with('\t'));
            is_head.then_some((targets, needs, has_recipe))
        })
    }

    fn first(&self) -> Option<&'a str> {
        self.heads().find_map(|(targets, ..)| targets.split_whitespace().next().filter(|name| !name.starts_with('.')))
    }

    /// Whether a goal is a target, or stands for that one alone.
    fn comes_down_to(&self, goal: &str, target: &str) -> bool {
        let mut heads = self.heads().filter(|(targets, ..)| targets.split_whitespace().any(|name| name == goal));
        let stands_for =
            |(_, needs, has_recipe): (&str, &str, bool)| !has_recipe && needs.split_whitespace().eq([target]);
        // Another makefile may say more of a goal.
        let includes = |line: &str| line.trim_start_matches(['-', 's']).starts_with("include ");
        let is_whole = || !self.text.lines().any(includes);
        goal == target || (heads.next().is_some_and(stands_for) && heads.next().is_none() && is_whole())
    }

    /// Whether the recipe has nothing behind the command that begins in this line, from 1, but what only says something.
    fn ends_recipe(&self, target: &str, line: usize) -> bool {
        const CONDITIONS: &[&str] = &["ifeq", "ifneq", "ifdef", "ifndef", "else", "endif"];
        let heads = self.heads().filter(|(targets, ..)| targets.split_whitespace().any(|name| name == target));
        let (mut lines, mut own) = (self.text.lines().skip(line.saturating_sub(1)), String::new());
        for line in lines.by_ref() {
            own.push_str(line.trim_end_matches('\\'));
            if !line.ends_with('\\') {
                break;
            }
        }
        if self.text.contains(".RECIPEPREFIX") || heads.count() > 1 || !self.is_plain(&own, DEEPEST) {
            return false;
        }
        let passed_by = |line: &str| {
            let word = line.split([' ', '(', '\t']).next().unwrap_or_default();
            line.trim().is_empty() || line.starts_with('#') || CONDITIONS.contains(&word)
        };
        let behind: Vec<&str> =
            lines.filter(|line| !passed_by(line)).take_while(|line| line.starts_with('\t')).collect();
        let command = |line: &str| line.trim_start_matches(['\t', ' ', '@', '-', '+']).to_owned();
        behind.is_empty()
            || (halts_at(&command(&own)) == Ok(None)
                && behind.iter().all(|line| !line.ends_with('\\') && only_says(&command(line))))
    }

    /// Whether what make puts into a line is no more than words of one command, as far as the makefile tells.
    fn is_plain(&self, line: &str, depth: u8) -> bool {
        const OF_WORDS: &[&str] = &[
            "abspath",
            "addprefix",
            "addsuffix",
            "basename",
            "dir",
            "filter",
            "filter-out",
            "firstword",
            "lastword",
            "notdir",
            "patsubst",
            "realpath",
            "shell",
            "sort",
            "strip",
            "subst",
            "wildcard",
            "word",
            "wordlist",
        ];
        let mut rest = line;
        while let Some((_, behind)) = rest.split_once('$') {
            let Some(inside) = behind.strip_prefix(['(', '{']) else {
                // `$$` is the shell's.
                rest = behind.strip_prefix('$').unwrap_or(behind);
                continue;
            };
            let name: &str = inside.split([')', '}', ' ', ',', ':']).next().unwrap_or_default();
            let calls = inside[name.len()..].starts_with([' ', ',']);
            let known = if calls { OF_WORDS.contains(&name) } else { depth > 0 && self.is_plain_variable(name, depth) };
            if !known {
                return false;
            }
            rest = &inside[name.len()..];
        }
        true
    }

    /// A variable that is set to words, or that the makefile does not set.
    fn is_plain_variable(&self, name: &str, depth: u8) -> bool {
        let mut lines = self.text.lines();
        while let Some(line) = lines.next() {
            self.seen.set(self.seen.get() + 1);
            if self.seen.get() > MOST_LINES {
                return false;
            }
            let line = line.trim_start();
            let line = ["export ", "override "].iter().fold(line, |line, word| line.strip_prefix(word).unwrap_or(line));
            if line.strip_prefix("define ").is_some_and(|rest| rest.split([' ', '=']).next() == Some(name)) {
                return false;
            }
            let Some((left, value)) = line.split_once('=') else { continue };
            if left.trim_end_matches([':', '?', '+', '!', ' ', '\t']).rsplit([' ', ':']).next() != Some(name) {
                continue;
            }
            let mut value = value.to_owned();
            while value.ends_with('\\') {
                value.pop();
                value.push_str(lines.next().unwrap_or_default());
            }
            if value.contains(['&', ';', '|']) && !value.trim_start().starts_with("$(shell ")
                || !self.is_plain(&value, depth - 1)
            {
                return false;
            }
        }
        name != "MAKE"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_ends_where_no_line_of_it_follows() {
        let ends = |text: &str, line: usize| Makefile::of(text).ends_recipe("a", line);
        let makefile = "lint:\n\tflake8 \\\n\t  a.py\n\n# next\n\tmypy a.py\nall: lint\n";
        assert_eq!([2, 6].map(|line| ends(makefile, line)), [false, true]);
        assert!(ends("a:\n\tb", 2));
        assert!(ends("a:\n\tflake8 .\n\t# done\n\t@echo ok\n\nb:\n\tmypy .\n", 2));
        for behind in ["@echo $$(mypy .)", "echo a; \\\nmypy .", "@echo ok\nifdef X\n\tmypy ."] {
            assert!(!ends(&format!("a:\n\tflake8 .\n\t{behind}\n"), 2), "{behind}");
        }
        assert!(!ends("a:\n\tflake8 . && \\\n\t  mypy .\n\t@echo ok\n", 2), "the line is not all run");
    }

    #[test]
    fn what_only_make_could_complete_may_be_more() {
        let ends = |head: &str, line: &str| {
            let text = format!("{head}a:\n\t{line}\n");
            Makefile::of(&text).ends_recipe("a", head.lines().count() + 2)
        };
        for (head, line) in [
            ("", "flake8 $(shell git ls-files | head) $$(pwd) $@"),
            ("FLAKE8 ?= $(BIN)/flake8\nBIN := .venv/bin\n", "$(FLAKE8) $(SOURCES)"),
            ("SOURCES = a \\\n  b\n", "@flake8 $(SOURCES:.py=.x)"),
        ] {
            assert!(ends(head, line), "{head}{line}");
        }
        for (head, line) in [
            ("define go\nflake8 a\nmypy b\nendef\n", "$(go)"),
            ("V = .\nL = $(V)/x a && $(V)/y b\n", "@$(L)"),
            ("L = flake8 a; \\\n  mypy b\n", "@$(L)"),
            ("", "@$(foreach f,a b,flake8 $(f) &&) mypy b"),
            ("", "$(call go,a)"),
            ("", "$(MAKE) -C sub"),
            (".RECIPEPREFIX := >\n", "flake8 a"),
            ("a::\n\tmypy a\n", "flake8 a"),
        ] {
            assert!(!ends(head, line), "{head}{line}");
        }
    }

    /// Each of them has all others in it: nobody waits for that.
    #[test]
    fn variables_are_not_followed_for_ever() {
        let names: Vec<String> = (0..60).map(|number| format!("V{number}")).collect();
        let all = names.iter().map(|name| format!("$({name}) ")).collect::<Vec<_>>().concat();
        let variables = names.iter().map(|name| format!("{name} = {all}\n")).collect::<Vec<_>>().concat();
        let text = format!("{variables}a:\n\t$(V0)\n");
        assert!(!Makefile::of(&text).ends_recipe("a", 62));
        let makefile = Makefile::of(&text);
        makefile.is_plain("$(V0)", DEEPEST);
        assert!(makefile.seen.get() <= MOST_LINES + usize::from(DEEPEST));
    }

    #[test]
    fn a_goal_may_stand_for_the_target_alone() {
        let leads =
            |text: &str| Makefile::of(text).first().is_some_and(|goal| Makefile::of(text).comes_down_to(goal, "lint"));
        assert!(leads(".PHONY: all\nX := a:b\nall: lint\nlint:\n\tflake8\n") && leads("lint:\n\tflake8\n"));
        for text in ["all: lint test\n", "all: lint\n\tmypy\n", "all: lint\nall: test\n", "all: ; flake8\n", ""] {
            assert!(!leads(text), "{text}");
        }
    }

    #[test]
    fn the_words_of_make_are_read() {
        let read = |line| Stop::read(line).map(|stop| (stop.is_top, stop.at, stop.target, stop.is_plain));
        assert_eq!(read("make: *** [Makefile:2: lint] Error 1"), Some((true, Some(("Makefile", 2)), "lint", true)));
        assert_eq!(read("make[1]: *** [m.mk:12: a/b.o] Error 2"), Some((false, Some(("m.mk", 12)), "a/b.o", true)));
        assert_eq!(read("make: *** [Makefile:2: lint] Fehler 127"), Some((true, Some(("Makefile", 2)), "lint", false)));
        assert_eq!(read("gmake: *** [lint] Segmentation fault"), Some((true, None, "lint", false)));
        assert_eq!(read("make: Entering directory '/r'"), None);
    }
}
