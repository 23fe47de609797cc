//! Which programs a gate's command starts, as far as that can be told without a shell, and how a program that is known
//! says its version. It starts none.

use crate::model::settings::CommandLine;

/// Words of a shell that start nothing, or start what follows them.
const BUILTINS: &[&str] = &[
    "!", ".", ":", "[", "[[", "alias", "break", "case", "cd", "continue", "do", "done", "echo", "elif", "else", "esac",
    "eval", "exit", "export", "false", "fi", "for", "function", "if", "local", "popd", "printf", "pushd", "read",
    "readonly", "return", "set", "shift", "shopt", "source", "test", "then", "trap", "true", "ulimit", "umask",
    "unset", "until", "wait", "while", "{", "}", "(", ")", "((",
];
/// Words that start the program named after them.
const PREFIXES: &[&str] =
    &["exec", "command", "time", "env", "nice", "if", "then", "else", "do", "while", "until", "!", "{", "("];

/// Programs that print their version and nothing else when asked so.
const VERSIONS: &[(&str, &[&str])] = &[
    ("go", &["version"]),
    ("gofmt", &[]),
    ("golangci-lint", &["version"]),
    ("helm", &["version"]),
    ("kubectl", &["version", "--client"]),
    ("terraform", &["version"]),
];
/// Programs that print their version for `--version`.
const KNOWN: &[&str] = &[
    "bash",
    "biome",
    "black",
    "buf",
    "bun",
    "bundle",
    "cargo",
    "cargo-clippy",
    "cargo-deny",
    "cargo-fmt",
    "cargo-nextest",
    "clang",
    "cmake",
    "composer",
    "corepack",
    "coverage",
    "ctest",
    "deno",
    "docker",
    "dotnet",
    "eslint",
    "flake8",
    "gcc",
    "git",
    "gradle",
    "hadolint",
    "java",
    "jest",
    "jq",
    "just",
    "ktlint",
    "make",
    "mix",
    "mvn",
    "mypy",
    "node",
    "npm",
    "npx",
    "nox",
    "php",
    "pip",
    "pnpm",
    "poetry",
    "prettier",
    "pyright",
    "pytest",
    "python",
    "python3",
    "rubocop",
    "ruby",
    "ruff",
    "rustc",
    "rustfmt",
    "shellcheck",
    "shfmt",
    "swift",
    "task",
    "tox",
    "tsc",
    "uv",
    "vitest",
    "yamllint",
    "yarn",
];

/// A program that a gate starts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Program {
    /// As it is looked for: a name, or a path relative to the gate's folder.
    pub name: String,
    /// How it is started: `cargo` finds `cargo-nextest` itself, `npx` looks in `node_modules` first.
    pub by: By,
}

/// How a program is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// On `PATH`.
    Path,
    /// A file of the repository.
    File,
    /// In `node_modules`, of the gate's folder or one above it.
    Modules,
}

/// The programs of a command, and whether all of a script could be followed.
#[must_use]
pub fn programs(command: &CommandLine) -> (Vec<Program>, bool) {
    let (calls, whole) = match command {
        CommandLine::Argv(words) => (vec![words.clone()], true),
        CommandLine::Shell(script) => calls(script),
    };
    let mut programs: Vec<Program> = Vec::new();
    if matches!(command, CommandLine::Shell(_)) {
        programs.push(Program { name: "bash".to_owned(), by: By::Path });
    }
    programs.extend(calls.iter().flat_map(|call| of_a_call(call)));
    let mut seen = std::collections::BTreeSet::new();
    programs.retain(|program| seen.insert(program.clone()));
    (programs, whole)
}

/// How a program that is known is asked for its version; `None`: it is not known to be harmless.
#[must_use]
pub fn version_arguments(program: &str) -> Option<&'static [&'static str]> {
    if let Some((_, arguments)) = VERSIONS.iter().find(|(name, _)| *name == program) {
        return (!arguments.is_empty()).then_some(arguments);
    }
    KNOWN.contains(&program).then_some(&["--version"])
}

fn of_a_call(words: &[String]) -> Vec<Program> {
    let Some(first) = words.first() else { return Vec::new() };
    let path = |name: String| Program { name, by: By::Path };
    let own = if first.contains('/') { Program { name: first.clone(), by: By::File } } else { path(first.clone()) };
    let mut programs = vec![own];
    let next = words[1..].iter().find(|word| !word.starts_with(['-', '+']));
    match (first.as_str(), next) {
        ("cargo", Some(sub))
            if matches!(sub.as_str(), "clippy" | "fmt" | "nextest" | "deny" | "llvm-cov" | "audit") =>
        {
            programs.push(path(format!("cargo-{sub}")));
        }
        ("npx", Some(tool)) if !tool.contains(['@', '/']) => {
            programs.push(Program { name: tool.clone(), by: By::Modules });
        }
        _ => {}
    }
    programs
}

/// The simple commands of a script, word by word; false where it has something that is not followed.
fn calls(script: &str) -> (Vec<Vec<String>>, bool) {
    // Texts that are no commands, and functions: only what comes first is sure.
    let twisted = ["<<", "()", "case ", "`"].iter().any(|sign| script.contains(sign));
    let mut calls = Vec::new();
    for piece in pieces(script) {
        let words = words(&piece);
        let skipped = |word: &&String| PREFIXES.contains(&word.as_str()) || is_assignment(word);
        let rest: Vec<String> = words.iter().skip_while(skipped).cloned().collect();
        let started = rest.first().is_some_and(|word| is_plain(word) && !BUILTINS.contains(&word.as_str()));
        if started {
            calls.push(rest);
        }
        if twisted && !calls.is_empty() {
            break;
        }
    }
    (calls, !twisted)
}

/// A word that is a program's name as it stands.
fn is_plain(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./+".contains(c)) && word.chars().any(char::is_alphabetic)
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=')
        .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

/// The script, cut where a command ends; quotes hold together, comments are left out.
fn pieces(script: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut quote = None;
    let mut chars = script.chars().peekable();
    let mut before = ' ';
    while let Some(c) = chars.next() {
        let piece = pieces.len() - 1;
        match (quote, c) {
            (_, '\\') if quote != Some('\'') => {
                let next = chars.next();
                // A line that goes on.
                if next != Some('\n') {
                    pieces[piece].push(c);
                    pieces[piece].extend(next);
                }
            }
            (None, '"' | '\'') => {
                quote = Some(c);
                pieces[piece].push(c);
            }
            (Some(open), c) if open == c => {
                quote = None;
                pieces[piece].push(c);
            }
            (None, '#') if before.is_whitespace() => while chars.next_if(|c| *c != '\n').is_some() {},
            (None, '\n' | ';' | '|') => pieces.push(String::new()),
            // Not of `2>&1`.
            (None, '&') if before != '>' && chars.peek() != Some(&'>') => pieces.push(String::new()),
            _ => pieces[piece].push(c),
        }
        before = c;
    }
    pieces
}

/// The words of a simple command, without the quotes around whole ones.
fn words(piece: &str) -> Vec<String> {
    piece.split_whitespace().map(|word| word.trim_matches(['"', '\'']).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(script: &str) -> Vec<String> {
        let (programs, whole) = programs(&CommandLine::Shell(script.to_owned()));
        let shown = programs.into_iter().skip(1).map(|program| match program.by {
            By::Path => program.name,
            By::File => format!("file {}", program.name),
            By::Modules => format!("module {}", program.name),
        });
        shown.chain((!whole).then(|| "…".to_owned())).collect()
    }

    #[test]
    fn the_programs_of_a_script_are_found() {
        assert_eq!(names("npx eslint . --format json"), ["npx", "module eslint"]);
        assert_eq!(
            names("cd web && CI=1 npm test | tee log 2>&1; ./scripts/check -x"),
            ["npm", "tee", "file ./scripts/check"]
        );
        assert_eq!(
            names("# words; more\ncargo nextest run \\\n  --all\nexec mypy ."),
            ["cargo", "cargo-nextest", "mypy"]
        );
        assert_eq!(names("echo 'a; b && c' \"d | e\"; \"$TOOL\" x; if go vet ./...; then exit 1; fi"), ["go"]);
        assert_eq!(names("python3 - <<'E'\nimport os\nE"), ["python3", "…"]);
        assert_eq!(names("npx --yes typescript@5 -p ."), ["npx"]);
    }

    #[test]
    fn an_array_is_one_call() {
        let argv = ["cargo", "+nightly", "fmt", "--check"].map(str::to_owned).to_vec();
        let (found, whole) = programs(&CommandLine::Argv(argv));
        let names: Vec<&str> = found.iter().map(|program| program.name.as_str()).collect();
        assert_eq!((names, whole), (vec!["cargo", "cargo-fmt"], true));
    }

    #[test]
    fn only_known_programs_are_asked() {
        assert_eq!(version_arguments("go"), Some(&["version"][..]));
        assert_eq!(version_arguments("cargo"), Some(&["--version"][..]));
        assert_eq!(version_arguments("gofmt"), None);
        assert_eq!(version_arguments("deploy"), None);
    }
}
