//! The recipes of justfiles: each line is a script of its own, or the whole recipe where it begins with `#!`. Of just's
//! language it reads what stands between a recipe and the shell, imports and modules.

use super::ground::join;
use super::handed::by_first_line;
use super::recipes::{Further, Recipes, continued, is_shell_line, prefixes};
use super::script::{Draft, Ignored, Place};
use super::shell::{OPAQUE, Shell};
use super::text::{Piece, Source};

/// A justfile with those that it imports.
pub struct Justfile {
    dir: String,
    /// Before the names of its recipes: `module::`.
    prefix: String,
    shell: Shell,
    drafts: Vec<(usize, Draft)>,
    further: Vec<Further>,
}

impl Justfile {
    /// One that just reads in a folder, under the name of a module where it is one.
    #[must_use]
    pub fn new(dir: &str, prefix: &str) -> Self {
        let shell = Shell { errexit: false, pipefail: false };
        Self { dir: dir.to_owned(), prefix: prefix.to_owned(), shell, drafts: Vec::new(), further: Vec::new() }
    }

    /// A line that belongs to no recipe; gives the name of the one that begins with it, and nothing where none ends.
    fn outside(&mut self, file: usize, source: &Source, piece: &Piece, current: &mut Option<String>) {
        let text = piece.text();
        if let Some(flags) = text.strip_prefix("set shell") {
            self.shell = Shell::flagged(flags.split(|c: char| !c.is_ascii_alphanumeric() && c != '-'));
        } else if let Some(further) = self.named(file, source, piece, &text) {
            self.further.push(further);
            *current = None;
        } else if let Some((name, needs)) = recipe_head(&text) {
            let name = format!("{}{name}", self.prefix);
            let needs = needs.into_iter().map(|name| format!("{}{name}", self.prefix)).collect();
            *current = Some(name.clone());
            self.draft(file, Place::Recipe { name, needs }, Piece::default(), None);
        } else if !text.trim().is_empty() && !text.starts_with(['#', '[']) {
            *current = None;
        }
    }

    fn draft(&mut self, file: usize, place: Place, piece: Piece, ignored: Option<Ignored>) {
        let draft = Draft { place, piece, shell: self.shell, dir: self.dir.clone(), ignored };
        self.drafts.push((file, draft));
    }

    /// `import 'ci.just'`, `mod ci`, `mod ci 'path'`, with a `?` where the file need not be there.
    fn named(&self, file: usize, source: &Source, piece: &Piece, text: &str) -> Option<Further> {
        let (word, rest) = text.trim_end().split_once(' ')?;
        let optional = word.ends_with('?');
        let here = source.path.rsplit_once('/').map_or("", |(dir, _)| dir);
        let rest = rest.trim_start();
        let (paths, module) = match word.trim_end_matches('?') {
            "import" => (vec![join(here, quoted(rest)?)], None),
            "mod" if !rest.contains([':', '=']) => {
                let (name, path) = rest.split_once(' ').unwrap_or((rest, ""));
                let (file, folder) = match quoted(path.trim_start()) {
                    Some(path) => (path.to_owned(), path),
                    None => (format!("{name}.just"), name),
                };
                let inside = ["mod.just", "justfile", ".justfile"].map(|name| format!("{folder}/{name}"));
                let paths = [file].into_iter().chain(inside).map(|path| join(here, &path)).collect();
                (paths, Some(format!("{}{name}::", self.prefix)))
            }
            _ => return None,
        };
        Some(Further {
            file,
            at: piece.origin(0),
            written: text.trim().to_owned(),
            paths: Some(paths),
            optional,
            module,
        })
    }
}

impl Recipes for Justfile {
    fn read(&mut self, file: usize, source: &Source) {
        let mut current: Option<String> = None;
        let mut line = 1;
        while line <= source.line_count() {
            let (piece, next) = continued(source, line);
            let text = piece.text();
            match &current {
                Some(name) if text.starts_with([' ', '\t']) => {
                    let place = Place::Recipe { name: name.clone(), needs: Vec::new() };
                    if text.trim_start().starts_with("#!") {
                        let (piece, after) = block(source, line);
                        line = after;
                        if is_shell_line(&piece.text()) {
                            self.draft(file, place, braces(&piece), None);
                        }
                        continue;
                    }
                    let (piece, ignored) = prefixes(&piece, &['@']);
                    self.draft(file, place, braces(&piece), ignored);
                }
                _ if text.starts_with([' ', '\t']) => {}
                _ => self.outside(file, source, &piece, &mut current),
            }
            line = next;
        }
    }

    fn further(&mut self) -> Option<Further> {
        self.further.pop()
    }

    fn drafts(mut self) -> Vec<(usize, Draft)> {
        for (_, draft) in &mut self.drafts {
            // A recipe with a first line of its own passes `set shell` by.
            let own = draft.piece.chars.starts_with(&['#', '!']);
            let text = draft.piece.text();
            draft.shell = if own { by_first_line(text.lines().next().unwrap_or_default()) } else { self.shell };
        }
        self.drafts
    }
}

/// The text between quotes that a line begins with.
fn quoted(text: &str) -> Option<&str> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    text[1..].split(quote).next()
}

fn recipe_head(text: &str) -> Option<(String, Vec<String>)> {
    let (head, needs) = text.split_once(':').filter(|(_, rest)| !rest.starts_with('='))?;
    let name = head.split_whitespace().next()?.trim_start_matches('@');
    let good = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    let needs =
        needs.split_whitespace().filter(|word| *word != "&&").map(|word| word.trim_matches(['(', ')']).to_owned());
    good.then(|| (name.to_owned(), needs.collect()))
}

/// The lines of a recipe that is a script of its own, from its `#!` on.
fn block(source: &Source, first: u32) -> (Piece, u32) {
    let indent = source.slice(source.line(first)).chars().take_while(|c| c.is_whitespace()).count();
    let mut piece = Piece::default();
    let mut line = first;
    while line <= source.line_count() {
        let range = source.line(line);
        let text = source.slice(range.clone());
        if !text.trim().is_empty() && !text.starts_with([' ', '\t']) {
            break;
        }
        let skipped = text.chars().take_while(|c| c.is_whitespace()).count().min(indent);
        source.piece(range.start + skipped..range.end).copy(0..range.len() - skipped, &mut piece);
        piece.push('\n', range.end);
        line += 1;
    }
    (piece, line)
}

/// `{{ … }}` is just's.
fn braces(piece: &Piece) -> Piece {
    piece.replace("{{", "}}", |_| OPAQUE.to_string())
}
