//! Scripts in other languages than the shell's that start processes: where one that starts several stops is not known, nor
//! how many it starts. It reads text, follows what a script has of the repository, and runs nothing.

use std::collections::BTreeSet;

use crate::integrity::Tree;
use crate::integrity::command::Invocation;
use crate::integrity::ground::join;
use crate::integrity::shell::OPAQUE;

const INTERPRETERS: &[&str] =
    &["node", "nodejs", "ruby", "perl", "php", "deno", "bun", "tsx", "ts-node", "pypy", "pypy3"];

const ENDINGS: &[&str] = &["py", "js", "mjs", "cjs", "ts", "mts", "cts", "rb", "pl", "php"];

/// Names by which a process is started, or by which what starts one is had.
const STARTS: &[&str] = &[
    "Popen",
    "child_process",
    "concurrently",
    "create_subprocess_exec",
    "create_subprocess_shell",
    "cross-spawn",
    "execa",
    "execl",
    "execlp",
    "execv",
    "execvp",
    "getoutput",
    "getstatusoutput",
    "invoke",
    "open3",
    "passthru",
    "plumbum",
    "popen",
    "posix_spawn",
    "proc_open",
    "qx",
    "pty",
    "shell_exec",
    "shelljs",
    "spawn",
    "spawnSync",
    "spawnl",
    "spawnlp",
    "spawnv",
    "spawnvp",
    "subprocess",
    "system",
    "zx",
];

/// Words behind which a name of [`STARTS`] is only had with a module: `import sh`, `from fabric import …`.
const MODULES: &[&str] =
    &["import sh", "from sh ", "import fabric", "from fabric ", "runpy", "Deno.Command", "$`", "%x"];

/// The most files that one script is followed to.
const MOST_FILES: usize = 64;

/// Shells of another grammar.
const OTHER_SHELLS: &[&str] = &["fish", "pwsh", "powershell", "nu", "xonsh", "elvish", "csh", "tcsh", "expect"];

/// Whether a command is a script itself that is not read, or that starts a process: `python -c '…'`.
pub fn is_unread(invocation: &Invocation) -> bool {
    let (program, arguments) = (invocation.program.as_str(), invocation.arguments());
    if OTHER_SHELLS.contains(&program) {
        return arguments.iter().any(|word| !word.starts_with("--"));
    }
    let is_interpreter = INTERPRETERS.contains(&program) || program.starts_with("python");
    let is_text = |flag: &str| matches!(flag, "-c" | "-e" | "-r" | "-E" | "--eval" | "-p");
    let texts = arguments.windows(2).filter(|pair| is_text(pair[0])).map(|pair| pair[1]);
    is_interpreter && texts.into_iter().any(|text| text.trim_matches(OPAQUE).is_empty() || starts(text))
}

/// The files that a command may be running, as it names them.
pub fn files(invocation: &Invocation) -> Vec<String> {
    let program = invocation.program.as_str();
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
    found.retain(|file| is_own(file));
    found
}

fn is_script(word: &str) -> bool {
    word.rsplit_once('.').is_some_and(|(_, ending)| ENDINGS.contains(&ending))
}

fn is_own(file: &str) -> bool {
    let others = file.split('/').any(|part| matches!(part, "node_modules" | "vendor"));
    !file.is_empty() && !file.starts_with('/') && !file.contains(OPAQUE) && !others
}

/// Whether a script, or what it has of the repository, may start a process.
pub fn several(tree: &dyn Tree, path: &str, text: &str) -> bool {
    let mut seen = BTreeSet::from([path.to_owned()]);
    let mut open = vec![(path.to_owned(), text.to_owned())];
    while let Some((path, text)) = open.pop() {
        if starts(&text) {
            return true;
        }
        for file in had(&path, &text) {
            if seen.len() >= MOST_FILES {
                return true;
            }
            if !seen.contains(&file)
                && let Ok(Some(text)) = tree.read(&file)
            {
                seen.insert(file.clone());
                open.push((file, text));
            }
        }
    }
    false
}

/// Whether a text names a way to start a process.
fn starts(text: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    text.lines().map(code).any(|line| {
        // Ruby and Perl: `exec "…"`, and backticks, which JavaScript has for text.
        let shell =
            |line: &str| line.trim_start().starts_with("exec ") || line.contains("= `") || line.starts_with('`');
        line.split(|c| !is_part(c)).any(|name| STARTS.contains(&name))
            || MODULES.iter().any(|words| line.contains(words))
            || shell(line)
    })
}

/// A line without what is only said in it.
fn code(line: &str) -> &str {
    let trimmed = line.trim_start();
    if trimmed.starts_with(['#', '*']) || trimmed.starts_with("//") { "" } else { line }
}

/// The files that a script may have of the repository: `import tools.lint`, `from . import x`, `require('./x')`.
fn had(path: &str, text: &str) -> Vec<String> {
    let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
    let mut found = Vec::new();
    for line in text.lines().map(code) {
        let words: Vec<&str> = line.split([' ', ',', '\t', ';']).filter(|word| !word.is_empty()).collect();
        if let ["import" | "from", names @ ..] = words.as_slice() {
            let begins = words[0] == "from";
            let module = names.first().copied().unwrap_or_default();
            let further = names.iter().copied().filter(|name| !matches!(*name, "import" | "as"));
            for name in further.filter(|name| !begins || *name != module).chain([module]) {
                let name = if begins && name != module { format!("{module}.{name}") } else { name.to_owned() };
                let name = name.trim_start_matches('.').replace('.', "/");
                let places = [join(dir, &name), join("", &name), join(&join(dir, ".."), &name)];
                found.extend(places.iter().flat_map(|place| [format!("{place}.py"), format!("{place}/__init__.py")]));
            }
        }
        let quoted = line.split(['"', '\'', '`']).skip(1).step_by(2);
        for name in
            quoted.filter(|name| name.starts_with("./") || name.starts_with("../") || line.contains("require_relative"))
        {
            let place = join(dir, name);
            found.extend(ENDINGS.iter().map(|ending| format!("{place}.{ending}")));
            found.extend(["index.js", "index.mjs", "index.ts"].map(|name| format!("{place}/{name}")));
            found.push(place);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrity::Listing;

    struct Files(&'static [(&'static str, &'static str)]);

    impl Tree for Files {
        fn list(&self) -> Listing {
            Listing::default()
        }

        fn read(&self, path: &str) -> Result<Option<String>, String> {
            Ok(self.0.iter().find(|(known, _)| *known == path).map(|(_, text)| (*text).to_owned()))
        }
    }

    #[test]
    fn scripts_that_start_processes_are_told() {
        for text in [
            "import subprocess\nsubprocess.run(['flake8'], check=True)\n",
            "import subprocess as S\nS.run('flake8 a && mypy b', shell=True)\n",
            "const {execSync}=require('child_process');\nexecSync('flake8 .');\n",
            "import {spawnSync as s} from \"child_process\";\ns('a');\n",
            "p=await asyncio.create_subprocess_exec('flake8','a')\n",
            "r=os.spawnlp(os.P_WAIT,'flake8','flake8','a')\n",
            "import os\nos.system('flake8') or os.system('mypy')\n",
            "import {$} from 'zx';\nawait $`flake8 .`;\n",
            "system 'flake8' or exit 1\n",
            "out = `flake8 .`\n",
        ] {
            assert!(starts(text), "{text}");
        }
        for text in [
            "import sys\nprint('a for b')\n",
            "// spawn\nconst m = /a/.exec(b); const n = /c/.exec(d);\n",
            "for (const f of files) {\n  check(f);\n}\n",
        ] {
            assert!(!starts(text), "{text}");
        }
    }

    #[test]
    fn scripts_that_are_words_are_read_too() {
        let of = |words: &[&str]| is_unread(&Invocation::of_words(words));
        assert!(of(&["python3", "-c", "import os; os.system('flake8 a') or os.system('mypy')"]));
        assert!(of(&["perl", "-e", "qx{flake8 a} && qx{mypy a}"]) && of(&["fish", "-c", "a; and b"]));
        assert!(of(&["pwsh", "lint.ps1"]) && !of(&["pwsh", "--version"]));
        assert!(
            !of(&["python3", "-c", "import json; json.load(open('a'))"]) && !of(&["node", "-r", "esm", "lint.mjs"])
        );
    }

    #[test]
    fn what_a_script_has_of_the_repository_is_looked_at_too() {
        let tree = Files(&[
            ("tools/steps.py", "from . import deep\n"),
            ("tools/deep.py", "import subprocess\n"),
            ("lib/run.js", "require('node:child_process')\n"),
            ("tools/plain.py", "import steps_of_others\n"),
        ]);
        assert!(several(&tree, "tools/lint.py", "import steps\n"));
        assert!(several(&tree, "lint.py", "from tools import plain, steps\n"));
        assert!(several(&tree, "lib/lint.mjs", "import x from './run.js';\n"));
        assert!(several(&tree, "lib/lint.cjs", "const x = require('./run');\n"));
        assert!(!several(&tree, "tools/lint.py", "import plain, os\n"));
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
