//! Scripts in other languages than the shell's that start processes: where one that starts several stops is not known. It
//! reads text by its lines and indentation, and runs nothing.

use super::command::Invocation;
use super::shell::OPAQUE;

const INTERPRETERS: &[&str] =
    &["node", "nodejs", "ruby", "perl", "php", "deno", "bun", "tsx", "ts-node", "pypy", "pypy3"];

const ENDINGS: &[&str] = &[".py", ".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".rb", ".pl", ".php"];

/// Functions that start a process, by the last part of their names.
const STARTS: &[&str] = &[
    "execSync",
    "execFile",
    "execFileSync",
    "spawn",
    "spawnSync",
    "execa",
    "execaSync",
    "execaCommand",
    "execaCommandSync",
    "check_call",
    "check_output",
    "Popen",
    "popen",
    "getoutput",
    "getstatusoutput",
    "system",
    "passthru",
    "shell_exec",
    "capture2",
    "capture2e",
    "capture3",
];

/// What a line that goes through many things has.
const LOOPS: &[&str] = &["for", "while", "until", "each", "map", "forEach", "times", "every", "some", "foreach"];

/// Functions that are called by one another more deeply are none that such scripts have.
const DEEPEST: usize = 8;

/// The files that a command may be running, as it names them.
pub fn files(invocation: &Invocation) -> Vec<String> {
    let program = invocation.program.as_str();
    let is_script = |word: &str| ENDINGS.iter().any(|ending| word.ends_with(ending));
    let mut found = Vec::new();
    if INTERPRETERS.contains(&program) || program.starts_with("python") {
        let mut words = invocation.arguments.iter().filter(|word| !word.starts_with('-'));
        let first = words.clone().next();
        found.extend(words.find(|word| is_script(word)).or(first).cloned());
    } else if is_script(program) {
        found.push(program.to_owned());
    } else {
        // `python -m tools.lint`
        let module = program.replace('.', "/");
        found.extend([format!("{module}.py"), format!("{module}/__main__.py")]);
    }
    let is_own = |file: &String| {
        let others = file.split('/').any(|part| matches!(part, "node_modules" | "vendor"));
        !file.is_empty() && !file.starts_with('/') && !file.contains(OPAQUE) && !others
    };
    found.retain(is_own);
    found
}

/// Whether a script starts more than one process, or may start one more than once.
pub fn several(text: &str) -> bool {
    let code: Vec<&str> = text.lines().map(code).collect();
    let script = Lines { named: text.contains("from subprocess import"), child: text.contains("child_process"), code };
    let mut starts = (0..script.code.len()).flat_map(|at| std::iter::repeat_n(at, script.starts(at)));
    match (starts.next(), starts.next()) {
        (Some(first), None) => script.repeats(first, 0),
        (first, _) => first.is_some(),
    }
}

/// A line without what is only said in it.
fn code(line: &str) -> &str {
    let trimmed = line.trim_start();
    if trimmed.starts_with(['#', '*']) || trimmed.starts_with("//") { "" } else { line }
}

/// The names in a line, each with where it begins and what stands before and behind it.
fn names(line: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + line[at..].find(is_part)?;
        let end = line[start..].find(|c| !is_part(c)).map_or(line.len(), |end| start + end);
        at = end;
        Some((&line[..start], &line[start..end], &line[end..]))
    })
}

fn is_called(behind: &str) -> bool {
    behind.starts_with('(') || behind.starts_with(" (")
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

struct Lines<'a> {
    code: Vec<&'a str>,
    /// Python: `run` and `call` stand without their module.
    named: bool,
    /// JavaScript: `exec` starts a process, and is not one of a regular expression.
    child: bool,
}

impl Lines<'_> {
    /// How many processes a line starts.
    fn starts(&self, at: usize) -> usize {
        let line = self.code[at];
        let is_import = ["import ", "from "].iter().any(|begin| line.trim_start().starts_with(begin));
        if is_import || definition(line).is_some_and(|name| STARTS.contains(&name)) {
            return 0;
        }
        let is_start = |(before, name, behind): (&str, &str, &str)| {
            let alone = !before.ends_with('.');
            let called = is_called(behind);
            // Ruby and Perl need no parentheses.
            let worded =
                matches!(name, "system" | "exec") && alone && [" \"", " '"].iter().any(|q| behind.starts_with(q));
            let of_module = |module: &str| before.strip_suffix('.').is_some_and(|before| before.ends_with(module));
            worded
                || (called && STARTS.contains(&name))
                || (called && matches!(name, "run" | "call") && (of_module("subprocess") || of_module("sp")))
                || (called && matches!(name, "run" | "call") && alone && self.named)
                || (called && name == "exec" && self.child && (alone || of_module("child_process")))
        };
        names(line).filter(|name| is_start(*name)).count() + line.matches("$`").count()
    }

    /// Whether a line may run more than once.
    fn repeats(&self, at: usize, depth: usize) -> bool {
        if depth > DEEPEST || is_loop(self.code[at]) {
            return true;
        }
        let mut inner = indent(self.code[at]);
        let mut function = definition(self.code[at]);
        for line in self.code[..at].iter().rev().filter(|line| !line.trim().is_empty()) {
            if indent(line) < inner {
                inner = indent(line);
                if function.is_none() && is_loop(line) {
                    return true;
                }
                function = function.or_else(|| definition(line));
            }
        }
        let Some(function) = function else { return false };
        let uses = self.code.iter().enumerate().flat_map(|(at, line)| {
            let defines = usize::from(definition(line) == Some(function));
            let used = names(line).filter(|(_, name, _)| *name == function).count();
            std::iter::repeat_n(at, used.saturating_sub(defines))
        });
        let uses: Vec<usize> = uses.collect();
        uses.len() > 1 || uses.iter().any(|at| self.repeats(*at, depth + 1))
    }
}

fn is_loop(line: &str) -> bool {
    names(line).any(|(before, name, behind)| {
        let first = before.trim().is_empty() || before.ends_with(['.', '(', '[', ' ', ';', '{', '&']);
        LOOPS.contains(&name) && first && (behind.starts_with([' ', '(']))
    })
}

/// The function that a line begins: `def f(`, `function f(`, `sub f`, `const f = (a) =>`.
fn definition(line: &str) -> Option<&str> {
    let mut words =
        names(line).map(|(_, name, _)| name).skip_while(|name| matches!(*name, "export" | "default" | "async"));
    let arrow = line.contains("=>") || line.contains("function") || line.contains("lambda");
    match (words.next()?, words.next()) {
        ("def" | "function" | "sub", name) => name,
        ("const" | "let" | "var", name) if arrow => name,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_that_start_several_processes_are_told() {
        for text in [
            "import subprocess\nfor c in (['flake8'], ['mypy']):\n    subprocess.run(c, check=True)\n",
            "import subprocess,sys\nfor c in x:\n    r = subprocess.call(c)\n    if r: sys.exit(r)\n",
            "const {execSync}=require('child_process');\nexecSync('flake8 .');\nexecSync('mypy .');\n",
            "const {spawnSync}=require('child_process');\nfor (const c of x) { const r=spawnSync(c,['.']); }\n",
            "import os\nos.system('flake8') or os.system('mypy')\n",
            "from subprocess import run\n\ndef sh(c):\n    run(c, check=True)\n\nsh('flake8')\nsh('mypy')\n",
            "const run = (c) => execSync(c);\n['a', 'b'].forEach(run);\n",
            "def sh(c)\n  system(c) or exit 1\nend\nsh 'a'\nsh 'b'\n",
            "system 'flake8' or exit 1\nsystem 'mypy' or exit 1\n",
            "def sh(c):\n    subprocess.run(c)\ndef main():\n    for c in x:\n        sh(c)\nmain()\n",
        ] {
            assert!(several(text), "{text}");
        }
        for text in [
            "import sys\nprint('a for b')\n",
            "import subprocess\nfiles = [f for f in x]\nsubprocess.run(['flake8', *files], check=True)\n",
            "import subprocess\ndef main():\n    sys.exit(subprocess.call(['flake8']))\n\nif __name__ == '__main__':\n    main()\n",
            "// for all\nconst {spawnSync}=require('child_process');\nprocess.exit(spawnSync('flake8').status);\n",
            "const m = /a/.exec(b); const n = /c/.exec(d);\n",
            "for (const f of files) {\n  check(f);\n}\nexecSync('flake8');\n",
        ] {
            assert!(!several(text), "{text}");
        }
    }

    #[test]
    fn the_file_that_an_interpreter_runs_is_found() {
        let of = |line: &str| files(&Invocation::of_words(&line.split(' ').collect::<Vec<_>>()));
        for (line, file) in [
            ("python3 -u tools/lint.py a.py", "tools/lint.py"),
            ("node -r esm lint.mjs", "lint.mjs"),
            ("ruby -w lint x", "lint"),
            ("uv run lint.py", "lint.py"),
        ] {
            assert_eq!(of(line), [file], "{line}");
        }
        assert_eq!(of("python -m tools.lint"), ["tools/lint.py", "tools/lint/__main__.py"]);
        assert!(of("node node_modules/.bin/eslint .").is_empty() && of("node").is_empty());
    }
}
