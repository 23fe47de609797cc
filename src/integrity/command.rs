//! What a simple command really runs: its launchers are taken off, calls of scripts, targets and files are named, and so are
//! the folders that its words name. Whether that is a gate is for the dictionary and the scripts that are called.

use super::call::{Call, call, is_shell};
use super::launch::{base_name, launched};
use super::shell::{OPAQUE, Simple};

/// A command without its launchers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Invocation {
    /// The program, without its folder; empty for a bare assignment.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// What of the repository it calls.
    pub call: Option<Call>,
}

impl Invocation {
    /// Of a simple command.
    #[must_use]
    pub fn of(simple: &Simple) -> Self {
        let words: Vec<String> = simple.words.iter().map(|word| word_text(&word.text, &word.raw)).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut this = Self::of_words(&words);
        // `bash < a.sh`
        let input = simple.redirects.iter().find(|to| to.sign == "<");
        if let (true, None, Some(to)) = (is_shell(&this.program), &this.call, input) {
            this.call = Some(Call::File(super::shell::unquoted(&to.target)));
        }
        this
    }

    /// Of a command given as words.
    #[must_use]
    pub fn of_words(words: &[&str]) -> Self {
        let words = launched(words);
        let Some((first, rest)) = words.split_first() else { return Self::default() };
        let program = base_name(first).to_owned();
        let call = call(first, &program, &rest.iter().map(String::as_str).collect::<Vec<_>>());
        Self { program, arguments: rest.to_vec(), call }
    }

    /// Whether a file is read into the shell and called as those are that only set it up: they are mostly made on each machine.
    #[must_use]
    pub fn reads_environment(&self) -> bool {
        const NAMES: &[&str] = &[
            "activate",
            "asdf",
            "bashrc",
            "env",
            "environment",
            "envrc",
            "nvm",
            "profile",
            "rc",
            "release",
            "setup",
            "setvars",
        ];
        let Some(Call::File(path)) = &self.call else { return false };
        let name = path.rsplit('/').next().unwrap_or(path);
        let mut parts = name.split(|c: char| !c.is_ascii_alphanumeric());
        matches!(self.program.as_str(), "." | "source") && parts.any(|part| NAMES.contains(&part))
    }

    /// Its arguments as slices.
    #[must_use]
    pub fn arguments(&self) -> Vec<&str> {
        self.arguments.iter().map(String::as_str).collect()
    }
}

/// Stand at the begin of a path for the folder of the script that it stands in, and for the root of the repository.
pub const OWN: char = '\u{e001}';
pub const ROOT: char = '\u{e002}';

/// How scripts name folders that are known.
const FOLDERS: &[(&str, char)] = &[
    ("$PWD", '.'),
    ("${PWD}", '.'),
    ("$(pwd)", '.'),
    ("$GITHUB_WORKSPACE", ROOT),
    ("${GITHUB_WORKSPACE}", ROOT),
    ("$CI_PROJECT_DIR", ROOT),
    ("$(git rev-parse --show-toplevel)", ROOT),
    ("$(dirname $0)", OWN),
    ("$(dirname ${BASH_SOURCE[0]})", OWN),
    ("$(dirname $BASH_SOURCE)", OWN),
    ("$(cd $(dirname $0) && pwd)", OWN),
    ("$(cd $(dirname ${BASH_SOURCE[0]}) && pwd)", OWN),
    ("`dirname $0`", OWN),
    ("${0%/*}", OWN),
    ("${BASH_SOURCE%/*}", OWN),
    ("${BASH_SOURCE[0]%/*}", OWN),
];

/// `$CARGO`, `${PYTHON}`, `"$MAKE"`: a variable that is called as a program is, is taken for it; `"$PWD/a.sh"` is `./a.sh`.
fn word_text(text: &str, raw: &str) -> String {
    let Some(rest) = text.strip_prefix(OPAQUE) else { return text.to_owned() };
    if !rest.is_empty() {
        let written = raw.replace('"', "");
        let is = |(name, _): &&(&str, char)| written.strip_prefix(name).is_some_and(|behind| behind == rest);
        let folder = FOLDERS.iter().find(is).filter(|_| rest.starts_with('/'));
        return folder.map_or_else(|| text.to_owned(), |(_, sign)| format!("{sign}{rest}"));
    }
    if let Some((_, sign)) = FOLDERS.iter().find(|(name, _)| raw.replace('"', "") == *name) {
        return sign.to_string();
    }
    let name = raw.trim_matches('"').trim_start_matches('$').trim_start_matches('{').trim_end_matches('}');
    let name = name.to_lowercase();
    if name.chars().all(|c| c.is_ascii_lowercase() || c == '_') && super::dictionary::is_program(&name) {
        name
    } else {
        text.to_owned()
    }
}

impl Invocation {
    /// Puts known folders where the words name them; `own` is where the script's file lies, from the root.
    pub fn place(&mut self, own: Option<&str>) {
        let paths: Vec<&mut String> = match &mut self.call {
            Some(Call::Package { dir: Some(dir), .. } | Call::Make { dir, .. } | Call::File(dir)) => vec![dir],
            _ => Vec::new(),
        };
        for path in paths {
            *path = placed(path, own);
        }
        for word in &mut self.arguments {
            if word.contains([OWN, ROOT]) {
                *word = word.replace([OWN, ROOT], &OPAQUE.to_string());
            }
        }
    }
}

/// A path with a known folder at its begin, as one that leads there from anywhere in the repository.
#[must_use]
pub fn placed(path: &str, own: Option<&str>) -> String {
    const TO_THE_ROOT: &str = "../../../../../../../../../../../../../../../../";
    match (path.chars().next(), own) {
        (Some(ROOT), _) => format!("{TO_THE_ROOT}.{}", &path[ROOT.len_utf8()..]),
        (Some(OWN), Some(own)) => format!("{TO_THE_ROOT}./{own}{}", &path[OWN.len_utf8()..]),
        (Some(OWN), None) => format!("{OPAQUE}{}", &path[OWN.len_utf8()..]),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(line: &str) -> String {
        let words: Vec<&str> = line.split(' ').collect();
        let invocation = Invocation::of_words(&words);
        std::iter::once(invocation.program).chain(invocation.arguments).collect::<Vec<_>>().join(" ")
    }

    fn called(line: &str) -> Option<Call> {
        Invocation::of_words(&line.split(' ').collect::<Vec<_>>()).call
    }

    #[test]
    fn launchers_are_taken_off() {
        for (line, left) in [
            ("sudo -E env A=b timeout -k 5 10m cargo test", "cargo test"),
            ("npx --yes eslint@9 .", "eslint ."),
            ("python3 -W error -m pytest -q", "pytest -q"),
            ("uv run --with x python -m pytest", "pytest"),
            ("pnpm --filter web exec jest", "jest"),
            ("docker compose run --rm -T web pytest -x", "pytest -x"),
            ("xargs -0 shellcheck", "shellcheck"),
            ("go run github.com/golangci/golangci-lint@v1.60 run", "golangci-lint run"),
            ("./node_modules/.bin/jest --ci", "jest --ci"),
            ("coverage run -m pytest", "pytest"),
            ("npm install", "npm install"),
            ("find . -name x -execdir go test ./... ;", "go test ./..."),
            ("python3 -W error manage.py test", "manage.py test"),
            ("pixi run -e dev pytest -x", "pytest -x"),
            ("command -v eslint", "command -v eslint"),
            ("python -Im pytest -q", "pytest -q"),
            ("python3 -E -s -m pytest", "pytest"),
            ("python run.py -rm", "python run.py -rm"),
            ("docker run --rm -v a:b --name c -w /io image cargo test", "cargo test"),
            ("docker run image", "docker run image"),
            ("docker build -t run .", "docker build -t run ."),
            ("go test ./...", "go test ./..."),
        ] {
            assert_eq!(run(line), left, "{line}");
        }
    }

    #[test]
    fn calls_are_named() {
        let package = |name: &str, dir: Option<&str>| {
            Some(Call::Package { names: vec![name.to_owned()], dir: dir.map(str::to_owned) })
        };
        assert_eq!(called("npm test"), package("test", Some("")));
        assert_eq!(called("npm start -- --port 1"), package("start", Some("")));
        assert_eq!(called("npm --prefix web run lint -- --x"), package("lint", Some("web")));
        assert_eq!(called("pnpm -r test"), package("test", None));
        assert_eq!(called("yarn workspace web lint"), package("lint", None));
        assert_eq!(called("yarn install"), None);
        assert_eq!(called("bun test"), None);
        assert_eq!(
            called("make -j 4 -C sub test V=1"),
            Some(Call::Make { targets: vec!["test".to_owned()], dir: "sub".to_owned() })
        );
        assert_eq!(called("bash -x ci/test.sh a"), Some(Call::File("ci/test.sh".to_owned())));
        assert_eq!(called("./ci/test.sh"), Some(Call::File("ci/test.sh".to_owned())));
        assert_eq!(called("bash -euo pipefail ci/test.sh"), Some(Call::File("ci/test.sh".to_owned())));
        assert_eq!(called("bash -c x"), None);
        assert_eq!(called("bash -euo pipefail -c x"), None);
        for line in [
            "task test",
            "deno task lint",
            "pixi run -e dev test",
            "hatch run test:cov",
            "hatch run lint:build",
            "cargo xtask ci",
            "cargo make --profile ci lint-all",
        ] {
            assert!(matches!(called(line), Some(Call::Task(_))), "{line}");
        }
        for line in [
            "task deploy",
            "poetry run python x.py",
            "pdm run pytest",
            "cargo test",
            "deno test",
            "invoke build",
            "hatch run docs:build",
            "cargo make deploy",
        ] {
            assert_eq!(called(line), None, "{line}");
        }
        assert_eq!(called("./gradlew test"), None);
    }
}
