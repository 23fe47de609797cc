//! Scripts that a command hands to a shell: `bash -c '…'`, `docker exec app sh -c "…"`, `ssh host '…'`, `bash <<EOF`. It
//! finds their text and how they are started; they are read where all scripts are.

use super::call::SHELLS;
use super::launch::base_name;
use super::shell::{Document, OPAQUE, Shell, Simple, word_at};

/// A script that a command hands to a shell.
#[derive(Debug, Clone)]
pub struct Handed {
    /// Its characters, and where each stands in the script of the command; `None` where only the running shell knows it.
    pub text: Option<Vec<(char, usize)>>,
    /// How it is started.
    pub shell: Shell,
}

/// What a command hands to a shell that it starts, here or wherever its words lead to; `own` is the shell it stands in.
#[must_use]
pub fn handed(simple: &Simple, script: &[char], own: Shell) -> Option<Handed> {
    let words: Vec<&str> = simple.words.iter().map(|word| word.text.as_str()).collect();
    let given = |at: usize| word_at(script, simple.words[at].span.start);
    match words.as_slice() {
        // What they print is nothing that runs.
        ["echo" | "printf", ..] => None,
        ["eval", rest @ ..] => {
            let mut text = Vec::new();
            for at in 1..=rest.len() {
                text.extend(given(at));
                text.push((' ', simple.words[at].span.end));
            }
            text.pop();
            // What a program prints for it sets up the shell.
            let printed = |at: usize| {
                simple.words[at].raw.trim_start_matches('"').starts_with(['`', '$'])
                    && simple.words[at].raw.contains(['`', '('])
            };
            let text = known(text);
            let is_set_up = text.is_none() && (rest.is_empty() || (1..=rest.len()).all(printed));
            (!is_set_up).then_some(Handed { text, shell: own })
        }
        _ if by_user(&words).is_some() => {
            let at = by_user(&words)?;
            let shell = Shell { errexit: false, pipefail: false };
            Some(Handed { text: known(given(at)), shell })
        }
        _ => {
            let at = words.iter().position(|word| SHELLS.contains(&base_name(word)))?;
            let flags = Flags::of(&words[at + 1..]);
            let shell = flags.shell;
            let next = at + 1 + flags.count;
            if flags.command {
                return (next < words.len()).then(|| Handed { text: known(given(next)), shell });
            }
            let reads_input = next == words.len() || flags.input;
            let text = match &simple.document {
                Some(document) if reads_input => lines(document, script),
                _ => {
                    let to = simple.redirects.iter().find(|to| to.sign == "<<<" && reads_input)?;
                    word_at(script, to.at)
                }
            };
            Some(Handed { text: known(text), shell })
        }
    }
}

/// How the shell that a file's first line names is started by it.
#[must_use]
pub fn by_first_line(line: &str) -> Shell {
    let words: Vec<&str> = line.trim_start_matches("#!").split_whitespace().collect();
    let at = words.iter().position(|word| SHELLS.contains(&base_name(word))).map_or(words.len(), |at| at + 1);
    flagged(&words[at..])
}

/// How a shell is started by the words behind its name.
#[must_use]
pub fn flagged(words: &[&str]) -> Shell {
    Flags::of(words).shell
}

/// The word that a program hands to the shell of another user, machine or environment without naming it.
fn by_user(words: &[&str]) -> Option<usize> {
    const PROGRAMS: &[&str] = &["su", "runuser", "sg", "flock", "script", "npm", "npx", "nix-shell", "ssh"];
    // Behind `sudo`, `time` and the like too.
    let skipped = words.iter().take(2).position(|word| PROGRAMS.contains(&base_name(word)))?;
    let (program, rest) = words[skipped..].split_first()?;
    // How many plain words may stand before `-c`: a user, a group, a file, a verb.
    let before = match base_name(program) {
        "su" | "runuser" | "sg" | "flock" | "script" => 1,
        "npm" if matches!(rest.first(), Some(&("exec" | "x"))) => 1,
        "npx" => 0,
        "nix-shell" => usize::MAX,
        "ssh" => return words.len().checked_sub(1).filter(|last| words[*last].contains(' ')),
        _ => return None,
    };
    let is_flag = |word: &str| {
        let of_letters = word.starts_with('-') && !word.starts_with("--") && word.ends_with('c');
        of_letters || matches!(word, "--command" | "--call" | "--run")
    };
    let at = rest.iter().position(|word| is_flag(word))?;
    let is_value = |at: usize| at > 0 && matches!(rest[at - 1], "-p" | "--package" | "-w" | "-E" | "-u" | "-g" | "-s");
    let plain = (0..at).filter(|at| !rest[*at].starts_with('-') && !is_value(*at)).count();
    Some(skipped + at + 2).filter(|at| plain <= before && *at < words.len())
}

/// A text of which anything is known.
fn known(text: Vec<(char, usize)>) -> Option<Vec<(char, usize)>> {
    text.iter().any(|(c, _)| *c != OPAQUE && !c.is_whitespace()).then_some(text)
}

/// The flags behind a shell's name.
struct Flags {
    shell: Shell,
    /// `-c`: the next word is the script.
    command: bool,
    /// `-s`: its input is.
    input: bool,
    /// How many words they are.
    count: usize,
}

impl Flags {
    fn of(words: &[&str]) -> Self {
        let shell = Shell { errexit: false, pipefail: false };
        let mut flags = Self { shell, command: false, input: false, count: 0 };
        while let Some(word) = words.get(flags.count).filter(|word| word.starts_with(['-', '+'])) {
            flags.count += 1;
            let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.starts_with('-')) else { continue };
            flags.shell.errexit |= letters.contains('e');
            flags.command |= letters.contains('c');
            flags.input |= letters.contains('s');
            if letters.ends_with('o') {
                flags.shell.errexit |= words.get(flags.count) == Some(&"errexit");
                flags.shell.pipefail |= words.get(flags.count) == Some(&"pipefail");
                flags.count += 1;
            }
        }
        flags.count = flags.count.min(words.len());
        flags
    }
}

/// The lines of a here-document, as far as it goes.
fn lines(document: &Document, script: &[char]) -> Vec<(char, usize)> {
    let line_end = |from: usize| script[from..].iter().position(|c| *c == '\n').map_or(script.len(), |end| from + end);
    let mut out = Vec::new();
    let mut at = line_end(document.at) + 1;
    while at < script.len() {
        let end = line_end(at);
        let line: String = script[at..end].iter().collect();
        if line.trim() == document.delimiter {
            break;
        }
        for place in at..(end + 1).min(script.len()) {
            // `\$?` is for the shell that reads it.
            let escape = script[place] == '\\' && matches!(script.get(place + 1), Some('$' | '`'));
            if !escape {
                out.push((script[place], place));
            }
        }
        at = end + 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrity::shell::{Kind, read};

    fn of(line: &str) -> Option<(Option<String>, bool, bool)> {
        let command = read(line).unwrap();
        let Kind::List(items) = &command.kind else { panic!("{line}") };
        let Kind::Simple(simple) = &items[0].command.kind else { panic!("{line}") };
        let chars: Vec<char> = line.chars().collect();
        let handed = handed(simple, &chars, Shell { errexit: true, pipefail: false })?;
        let text = handed.text.map(|text| {
            assert!(text.iter().all(|(c, at)| chars[*at] == *c || *c == OPAQUE), "{line}");
            text.iter().map(|(c, _)| if *c == OPAQUE { '?' } else { *c }).collect()
        });
        Some((text, handed.shell.errexit, handed.shell.pipefail))
    }

    #[test]
    fn scripts_that_are_handed_on_are_found() {
        let text = |text: &str, errexit: bool, pipefail: bool| Some((Some(text.to_owned()), errexit, pipefail));
        for (line, found) in [
            ("bash -c 'a; b' x", text("a; b", false, false)),
            ("sudo /bin/sh -ec \"a \\\"$B\\\" \\$?\"", text("a \"?\" $?", true, false)),
            ("docker run --rm -v a:b img bash -xeo pipefail -c 'a|b'", text("a|b", true, true)),
            ("bash -c \"$COMMAND\"", Some((None, false, false))),
            ("bash -e <<'EOF'\na\nb\nEOF\nc", text("a\nb\n", true, false)),
            ("ssh host bash -s <<-EOF\n\ta \\$x\n\tEOF\n", text("\ta $x\n", false, false)),
            ("sudo su app -c 'a; b'", text("a; b", false, false)),
            ("ssh -p 22 host 'a; b'", text("a; b", false, false)),
            ("nix-shell --pure --run 'a'", text("a", false, false)),
            ("flock -w 5 lock -c 'a && b'", text("a && b", false, false)),
            ("script -qec 'a; b' /dev/null", text("a; b", false, false)),
            ("npx -p a -c 'a && b'", text("a && b", false, false)),
            ("npm exec --yes --call 'a && b'", text("a && b", false, false)),
            ("npx eslint -c a.json .", None),
            ("flock lock flake8 -c a .", None),
            ("time ssh host 'a; b'", text("a; b", false, false)),
            ("ssh host", None),
            ("eval 'a || b'", text("a || b", true, false)),
            ("eval \"$(a)\"", None),
            ("echo bash -c 'a'", None),
            ("bash -e a.sh -c b", None),
            ("bash a.sh <<EOF\nyes\nEOF\n", None),
            ("cat <<EOF\na\nEOF\n", None),
        ] {
            assert_eq!(of(line), found, "{line}");
        }
    }
}
