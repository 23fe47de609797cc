//! Shell scripts as trees: the one file that knows the grammar crate. It says what stands where, not what it means.

use std::ops::Range;

use rable::{ListOperator, NodeKind};

use super::text::Wrong;

/// Stands for what only the running shell knows: a variable, a substitution, an expression of the workflow.
pub const OPAQUE: char = '\u{e000}';

/// How a script is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shell {
    /// `-e`: it ends at the first command that fails.
    pub errexit: bool,
    /// `-o pipefail`: a pipe is worth its worst part.
    pub pipefail: bool,
}

impl Shell {
    /// One that is started with these words behind its name.
    #[must_use]
    pub fn flagged<'a>(words: impl Iterator<Item = &'a str>) -> Self {
        let mut shell = Self { errexit: false, pipefail: false };
        for word in words {
            let short = word.starts_with('-') && !word.starts_with("--");
            shell.errexit |= word == "errexit" || (short && word.contains('e'));
            shell.pipefail |= word == "pipefail";
        }
        shell
    }
}

/// A command of any kind.
#[derive(Debug, Clone)]
pub struct Command {
    /// The characters of the script that it was read from.
    pub span: Range<usize>,
    /// What it is.
    pub kind: Kind,
}

impl Command {
    /// Moves it, and what is in it, to where it stands in a longer script.
    pub fn shift(&mut self, by: usize) {
        self.span = self.span.start + by..self.span.end + by;
        match &mut self.kind {
            Kind::Simple(simple) => {
                simple.document.iter_mut().for_each(|document| document.at += by);
                for word in simple.assignments.iter_mut().chain(&mut simple.words) {
                    word.span = word.span.start + by..word.span.end + by;
                }
            }
            Kind::Test => {}
            Kind::Pipeline(parts) | Kind::Case(parts) => parts.iter_mut().for_each(|part| part.shift(by)),
            Kind::And(left, right) | Kind::Or(left, right) => {
                left.shift(by);
                right.shift(by);
            }
            Kind::List(items) => items.iter_mut().for_each(|item| item.command.shift(by)),
            Kind::If { condition, then, otherwise } => {
                condition.shift(by);
                then.shift(by);
                if let Some(otherwise) = otherwise {
                    otherwise.shift(by);
                }
            }
            Kind::Loop { condition, body } => {
                if let Some(condition) = condition {
                    condition.shift(by);
                }
                body.shift(by);
            }
            Kind::Not(inner) | Kind::Group(inner, _) | Kind::Subshell(inner, _) | Kind::Function(_, inner) => {
                inner.shift(by);
            }
        }
    }

    /// Shows it and every command in it, at any depth.
    pub fn each<'a>(&'a self, seen: &mut dyn FnMut(&'a Self)) {
        seen(self);
        match &self.kind {
            Kind::Simple(_) | Kind::Test => {}
            Kind::Pipeline(parts) | Kind::Case(parts) => parts.iter().for_each(|part| part.each(seen)),
            Kind::And(left, right) | Kind::Or(left, right) => {
                left.each(seen);
                right.each(seen);
            }
            Kind::List(items) => items.iter().for_each(|item| item.command.each(seen)),
            Kind::If { condition, then, otherwise } => {
                condition.each(seen);
                then.each(seen);
                if let Some(otherwise) = otherwise {
                    otherwise.each(seen);
                }
            }
            Kind::Loop { condition, body } => {
                if let Some(condition) = condition {
                    condition.each(seen);
                }
                body.each(seen);
            }
            Kind::Not(inner) | Kind::Group(inner, _) | Kind::Subshell(inner, _) | Kind::Function(_, inner) => {
                inner.each(seen);
            }
        }
    }
}

/// The kinds of commands.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A program, function or builtin with its words.
    Simple(Simple),
    /// `a | b`
    Pipeline(Vec<Command>),
    /// `! a`
    Not(Box<Command>),
    /// `a && b`
    And(Box<Command>, Box<Command>),
    /// `a || b`
    Or(Box<Command>, Box<Command>),
    /// `a; b`, lines, `a & b`
    List(Vec<Item>),
    /// `if`, with `elif` as an `if` in the last part.
    If { condition: Box<Command>, then: Box<Command>, otherwise: Option<Box<Command>> },
    /// `while`, `until` (with a condition), `for`, `select` (without).
    Loop { condition: Option<Box<Command>>, body: Box<Command> },
    /// `case`, with the body of each pattern.
    Case(Vec<Command>),
    /// `{ a; }`
    Group(Box<Command>, Vec<Redirect>),
    /// `( a )`
    Subshell(Box<Command>, Vec<Redirect>),
    /// `f() { a; }`
    Function(String, Box<Command>),
    /// `[[ … ]]`, `(( … ))`, nothing.
    Test,
}

/// A command of a list.
#[derive(Debug, Clone)]
pub struct Item {
    /// The command.
    pub command: Command,
    /// It is followed by `&`.
    pub background: bool,
}

/// A program with its words.
#[derive(Debug, Clone, Default)]
pub struct Simple {
    /// `A=b` before the program, or alone.
    pub assignments: Vec<Word>,
    /// The program and its arguments.
    pub words: Vec<Word>,
    /// Where its output goes.
    pub redirects: Vec<Redirect>,
    /// `<<EOF`, with what stands behind it.
    pub document: Option<Document>,
}

/// Lines that a command reads as its input.
#[derive(Debug, Clone)]
pub struct Document {
    /// The word that ends it.
    pub delimiter: String,
    /// Where `<<` stands in the script.
    pub at: usize,
}

/// A word.
#[derive(Debug, Clone)]
pub struct Word {
    /// What is left when quotes are gone; expansions are [`OPAQUE`].
    pub text: String,
    /// As it was written.
    pub raw: String,
    /// Its characters in the script.
    pub span: Range<usize>,
}

/// `> file` and the like.
#[derive(Debug, Clone)]
pub struct Redirect {
    /// The sign: `>`, `>>`, `<`, `&>` …
    pub sign: String,
    /// The file, with expansions as they were written.
    pub target: String,
    /// Where the file's name begins in the script.
    pub at: usize,
    /// `2>`
    pub is_error: bool,
}

/// A longer script is none that people write for this. What is shorter cannot be nested so deeply that [`super::STACK`]
/// does not suffice.
pub const LONGEST: usize = 64 << 10;

/// The most `$( )`, and how deep they may stand in one another: the grammar crate reads the inside of each again and again.
const MOST_SUBSTITUTIONS: usize = 500;
const DEEPEST_SUBSTITUTION: usize = 30;

/// Why a script is not read, where it would take too long.
fn too_much(script: &str) -> Option<String> {
    let (mut count, mut depth, mut before) = (0, 0_usize, ' ');
    // Where each `(` that is open begins a substitution.
    let mut open = Vec::new();
    for c in script.chars() {
        let begins = c == '(' && matches!(before, '$' | '<' | '>');
        count += usize::from(begins || c == '`');
        if c == '(' {
            open.push(begins);
            depth += usize::from(begins);
        } else if c == ')' && open.pop() == Some(true) {
            depth -= 1;
        }
        if depth > DEEPEST_SUBSTITUTION {
            return Some(format!("it has substitutions of commands more than {DEEPEST_SUBSTITUTION} deep"));
        }
        before = c;
    }
    if count > MOST_SUBSTITUTIONS {
        return Some(format!("it has more than {MOST_SUBSTITUTIONS} substitutions of commands"));
    }
    None
}

/// Reads a script.
///
/// # Errors
/// When no shell would run it, or it is longer or more deeply nested than people write.
pub fn read(script: &str) -> Result<Command, Wrong> {
    if let Some(what) = too_much(script) {
        return Err(Wrong { at: None, what });
    }
    if script.chars().count() > LONGEST {
        return Err(Wrong { at: Some(0), what: format!("it is longer than {LONGEST} characters") });
    }
    let nodes = rable::parse(script, true).map_err(|error| Wrong {
        at: Some(error.pos()),
        what: error.message().lines().next().unwrap_or_default().to_owned(),
    })?;
    let span = nodes.first().map_or(0, |node| node.span.start)..nodes.last().map_or(0, |node| node.span.end);
    let mut items = Vec::new();
    for node in nodes {
        statements(node, &mut items);
    }
    Ok(Command { span, kind: Kind::List(items) })
}

/// Adds the statements of a node: lists within lists are one list.
fn statements(node: rable::Node, items: &mut Vec<Item>) {
    let NodeKind::List { items: list } = node.kind else {
        items.push(Item { command: command(node), background: false });
        return;
    };
    if list.iter().any(|item| matches!(item.operator, Some(ListOperator::And | ListOperator::Or))) {
        items.push(Item { command: chain(list), background: false });
        return;
    }
    for item in list {
        let background = item.operator == Some(ListOperator::Background);
        let before = items.len();
        statements(item.command, items);
        if let Some(last) = items[before..].last_mut() {
            last.background |= background;
        }
    }
}

/// `a && b || c`, from the left.
fn chain(list: Vec<rable::ListItem>) -> Command {
    let mut items = list.into_iter();
    let mut whole: Option<(Command, Option<ListOperator>)> = None;
    for item in items.by_ref() {
        let next = command(item.command);
        whole = Some(match whole {
            None => (next, item.operator),
            Some((left, operator)) => {
                let span = left.span.start..next.span.end;
                let (left, right) = (Box::new(left), Box::new(next));
                let kind = match operator {
                    Some(ListOperator::And) => Kind::And(left, right),
                    Some(ListOperator::Or) => Kind::Or(left, right),
                    _ => Kind::List(
                        [*left, *right].map(|command| Item { command, background: false }).into_iter().collect(),
                    ),
                };
                (Command { span, kind }, item.operator)
            }
        });
    }
    whole.map_or(Command { span: 0..0, kind: Kind::Test }, |(command, _)| command)
}

fn boxed(node: rable::Node) -> Box<Command> {
    Box::new(command(node))
}

fn command(node: rable::Node) -> Command {
    let span = node.span.start..node.span.end;
    let kind = match node.kind {
        NodeKind::Command { assignments, words: all, redirects: to } => {
            let document = to.iter().find_map(|node| match &node.kind {
                NodeKind::HereDoc { delimiter, .. } => {
                    Some(Document { delimiter: delimiter.clone(), at: node.span.start })
                }
                _ => None,
            });
            Kind::Simple(Simple {
                assignments: words(assignments),
                words: words(all),
                redirects: redirects(to),
                document,
            })
        }
        NodeKind::Pipeline { commands, .. } => Kind::Pipeline(commands.into_iter().map(command).collect()),
        NodeKind::Negation { pipeline } => Kind::Not(boxed(*pipeline)),
        NodeKind::Time { pipeline, .. } => return Command { span, ..command(*pipeline) },
        NodeKind::List { .. } => {
            let mut items = Vec::new();
            statements(rable::Node { kind: node.kind, span: node.span }, &mut items);
            match items.pop() {
                Some(Item { command, background: false }) if items.is_empty() => return command,
                Some(last) => {
                    items.push(last);
                    Kind::List(items)
                }
                None => Kind::Test,
            }
        }
        NodeKind::If { condition, then_body, else_body, .. } => Kind::If {
            condition: boxed(*condition),
            then: boxed(*then_body),
            otherwise: else_body.map(|body| boxed(*body)),
        },
        NodeKind::While { condition, body, .. } | NodeKind::Until { condition, body, .. } => {
            Kind::Loop { condition: Some(boxed(*condition)), body: boxed(*body) }
        }
        NodeKind::For { body, .. } | NodeKind::ForArith { body, .. } | NodeKind::Select { body, .. } => {
            Kind::Loop { condition: None, body: boxed(*body) }
        }
        NodeKind::Case { patterns, .. } => {
            Kind::Case(patterns.into_iter().filter_map(|pattern| pattern.body).map(command).collect())
        }
        NodeKind::Function { name, body } => Kind::Function(name, boxed(*body)),
        NodeKind::Subshell { body, redirects: to } => Kind::Subshell(boxed(*body), redirects(to)),
        NodeKind::BraceGroup { body, redirects: to } => Kind::Group(boxed(*body), redirects(to)),
        NodeKind::Coproc { command: inner, .. } => return command(*inner),
        _ => Kind::Test,
    };
    Command { span, kind }
}

fn words(nodes: Vec<rable::Node>) -> Vec<Word> {
    let word = |node: rable::Node| {
        let NodeKind::Word { value, .. } = node.kind else { return None };
        Some(Word { text: unquoted(&value), raw: value, span: node.span.start..node.span.end })
    };
    nodes.into_iter().filter_map(word).collect()
}

fn redirects(nodes: Vec<rable::Node>) -> Vec<Redirect> {
    let redirect = |node: rable::Node| {
        let NodeKind::Redirect { op, target, fd, .. } = node.kind else { return None };
        let NodeKind::Word { value, .. } = target.kind else { return None };
        // The word itself knows no place.
        let at = node.span.end.saturating_sub(value.chars().count());
        Some(Redirect { sign: op, target: value.replace(['"', '\''], ""), at, is_error: fd == 2 })
    };
    nodes.into_iter().filter_map(redirect).collect()
}

/// A word without its quotes. What the shell puts in is [`OPAQUE`].
#[must_use]
pub fn unquoted(raw: &str) -> String {
    let chars: Vec<char> = raw.chars().collect();
    unquote(&chars, 0, false).into_iter().map(|(c, _)| c).collect()
}

/// The word that begins at a place of a script, without its quotes, and where each of its characters stands.
#[must_use]
pub fn word_at(script: &[char], start: usize) -> Vec<(char, usize)> {
    unquote(script, start, true)
}

fn unquote(chars: &[char], mut at: usize, one_word: bool) -> Vec<(char, usize)> {
    let mut out = Vec::new();
    let mut double = false;
    while let Some(&c) = chars.get(at) {
        let here = at;
        at += 1;
        match c {
            _ if one_word && !double && (c.is_whitespace() || ";|&<>()".contains(c)) => break,
            '\'' if !double => {
                while let Some(&inside) = chars.get(at).filter(|c| **c != '\'') {
                    out.push((inside, at));
                    at += 1;
                }
                at += 1;
            }
            '"' => double = !double,
            '\\' => {
                let next = chars.get(at).copied();
                if double && !matches!(next, Some('"' | '\\' | '$' | '`' | '\n')) {
                    out.push(('\\', here));
                }
                out.extend(next.filter(|c| *c != '\n').map(|c| (c, at)));
                at += 1;
            }
            '$' if chars.get(at).is_some_and(|next| matches!(next, '{' | '(' | '\'')) || is_name(chars, at) => {
                out.push((OPAQUE, here));
                at = after_expansion(chars, at);
            }
            '`' => {
                out.push((OPAQUE, here));
                while chars.get(at).is_some_and(|c| *c != '`') {
                    at += 1;
                }
                at += 1;
            }
            _ => out.push((c, here)),
        }
    }
    out
}

/// The commands in `$( )`, backticks and `<( )` of a word, each with where it stands in the script; the word begins at `start`.
#[must_use]
pub fn substitutions(raw: &str, start: usize) -> Vec<(String, usize)> {
    let chars: Vec<char> = raw.chars().collect();
    let (mut found, mut at, mut double) = (Vec::new(), 0, false);
    while let Some(&c) = chars.get(at) {
        let next = chars.get(at + 1).copied();
        let inside = match (c, next) {
            ('\'', _) if !double => {
                at += chars[at + 1..].iter().position(|c| *c == '\'').map_or(chars.len(), |end| end + 2);
                continue;
            }
            ('\\', _) => {
                at += 2;
                continue;
            }
            ('`', _) => {
                let end = chars[at + 1..].iter().position(|c| *c == '`').map_or(chars.len(), |end| at + 1 + end);
                at + 1..end
            }
            ('$' | '<' | '>', Some('(')) if chars.get(at + 2) != Some(&'(') => {
                at + 2..after_expansion(&chars, at + 1).saturating_sub(1).max(at + 2)
            }
            _ => {
                double ^= c == '"';
                at += 1;
                continue;
            }
        };
        at = inside.end + 1;
        found.push((chars[inside.clone()].iter().collect(), start + inside.start));
    }
    found
}

fn is_name(chars: &[char], at: usize) -> bool {
    chars
        .get(at)
        .is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '@' | '*' | '#' | '?' | '!' | '$' | '-'))
}

fn after_expansion(chars: &[char], mut at: usize) -> usize {
    let close = match chars.get(at) {
        Some('{') => '}',
        Some('(') => ')',
        Some('\'') => {
            let end = chars[at + 1..].iter().position(|c| *c == '\'');
            return end.map_or(chars.len(), |end| at + end + 2);
        }
        _ => {
            let first = chars[at];
            at += 1;
            if first.is_ascii_alphabetic() || first == '_' {
                while chars.get(at).is_some_and(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    at += 1;
                }
            }
            return at;
        }
    };
    let open = chars[at];
    let mut depth = 0;
    let mut quote = None;
    while let Some(&c) = chars.get(at) {
        at += 1;
        match quote {
            Some(sign) if c == sign => quote = None,
            None if matches!(c, '"' | '\'') => quote = Some(c),
            None => depth += i32::from(c == open) - i32::from(c == close),
            Some(_) => {}
        }
        if depth == 0 {
            break;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(command: &Command) -> String {
        let all = |commands: &[Command], sign: &str| commands.iter().map(show).collect::<Vec<_>>().join(sign);
        match &command.kind {
            Kind::Simple(simple) => simple.words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" "),
            Kind::Pipeline(parts) => format!("({})", all(parts, " | ")),
            Kind::Not(inner) => format!("!{}", show(inner)),
            Kind::And(a, b) => format!("({} && {})", show(a), show(b)),
            Kind::Or(a, b) => format!("({} || {})", show(a), show(b)),
            Kind::List(items) => items
                .iter()
                .map(|item| show(&item.command) + if item.background { " &" } else { "" })
                .collect::<Vec<_>>()
                .join("; "),
            Kind::If { condition, then, otherwise } => format!(
                "if {} then {} else {}",
                show(condition),
                show(then),
                otherwise.as_ref().map_or(String::new(), |otherwise| show(otherwise))
            ),
            Kind::Loop { body, .. } => format!("loop {}", show(body)),
            Kind::Case(bodies) => format!("case {}", all(bodies, " / ")),
            Kind::Group(inner, _) => format!("{{{}}}", show(inner)),
            Kind::Subshell(inner, _) => format!("sub {}", show(inner)),
            Kind::Function(name, body) => format!("{name}() {}", show(body)),
            Kind::Test => "test".to_owned(),
        }
    }

    #[test]
    fn scripts_become_trees() {
        for (script, tree) in [
            ("a && b || true; c | d\n! f &\n", "((a && b) || true); (c | d); !f &"),
            ("a &\nb ; c & d", "a &; b; c &; d"),
            ("if ! a; then b; elif c; then d; fi", "if !a then b else if c then d else "),
            ("f() { a; b; }; { c; } || ( d )", "f() {a; b}; ({c} || sub d)"),
            ("for x in 1; do a || b; done; until a; do b; done", "loop (a || b); loop b"),
            ("case $x in a) b;; *) c; d;; esac", "case b / c; d"),
            ("time a | b", "(a | b)"),
            ("[[ -n $x ]] && a", "(test && a)"),
        ] {
            assert_eq!(show(&read(script).unwrap()), tree, "{script}");
        }
        assert_eq!(read("a\nif b; then\n").unwrap_err().at, Some(13));
    }

    #[test]
    fn words_lose_their_quotes() {
        for (raw, text) in [
            ("a'b c'\"d\\\"e\\f\"", "ab cd\"e\\f"),
            ("x$HOME/y${Z:-$(a)}\"$(b \")\")\"`c`", "x?/y???"),
            ("a\\ b$", "a b$"),
            ("$'a'$?x", "??x"),
        ] {
            assert_eq!(unquoted(raw).replace(OPAQUE, "?"), text, "{raw}");
        }
    }
}
