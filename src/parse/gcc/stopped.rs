//! By what a compiler or linter tells that it did not come to the end: its last words, and errors behind which it does not
//! look at anything else.

use crate::model::finding::{Finding, Level};

/// gcc's last words: alone, or with the option by which it stops at so many errors.
pub(super) const TERMINATED: &str = "compilation terminated";

/// Go's last words, alone or behind a place.
pub(super) fn is_limit(text: &str) -> bool {
    text == "too many errors" || text.ends_with(": too many errors")
}

/// Whether a compiler's or mypy's words say that it did not come to the end, or those of a linter that it gave up on a file.
pub(in crate::parse) fn says_stopped(text: &str) -> bool {
    text.starts_with(TERMINATED)
        || text.starts_with("vet: ")
        || is_limit(text)
        || (text.starts_with("An error occurred while ") && text.contains(" cop was inspecting "))
        || [
            ": fatal error: ",
            ": internal compiler error: ",
            ": error: INTERNAL ERROR -- ",
            "error: too many errors emitted, stopping now",
        ]
        .iter()
        .any(|words| text.contains(words))
        || (text.starts_with("Found ") && text.ends_with("(errors prevented further checking)"))
}

/// Whether its tool stops at such a finding. `has_level`: the tool gave its level.
pub(super) fn is_stop(finding: &Finding, has_level: bool) -> bool {
    if has_level { is_of_mypy_syntax(finding) || is_of_java_syntax(finding) } else { is_of_go_types(finding) }
}

/// Whether it is what mypy cannot parse: that blocks everything else, whether mypy may say so at its end or not.
fn is_of_mypy_syntax(finding: &Finding) -> bool {
    let ending = finding.path.as_deref().and_then(|path| path.rsplit('.').next());
    let is_python = matches!(ending, Some("py" | "pyi"));
    is_python && finding.level == Level::Error && finding.rule.as_deref() == Some("syntax")
}

/// What begins or, with a space before it, stands in an error of javac's parser: behind one no types are checked, in any file.
/// <https://github.com/openjdk/jdk/blob/jdk-21-ga/src/jdk.compiler/share/classes/com/sun/tools/javac/resources/compiler.properties>
const OF_JAVA_SYNTAX: [&str; 36] = [
    "illegal start of ",
    "illegal character",
    "illegal escape character",
    "illegal line end ",
    "illegal non-ASCII digit",
    "illegal text block ",
    "illegal underscore",
    "illegal unicode escape",
    "illegal '.'",
    "unclosed ",
    "reached end of file while parsing",
    "not a statement",
    "orphaned ",
    "'else' without ",
    "'catch' without ",
    "'finally' without ",
    "'try' without ",
    "empty character literal",
    "malformed floating-point literal",
    "floating-point number too ",
    "integer number too large",
    "binary numbers must contain ",
    "hexadecimal numbers must contain ",
    "invalid method declaration",
    "invalid lambda parameter declaration",
    "invalid module directive",
    "repeated modifier",
    "array dimension missing",
    "array creation with both ",
    "legacy array notation not allowed ",
    "varargs parameter must be the last parameter",
    "unexpected statement in case",
    " declaration not allowed here",
    " not allowed in interfaces",
    " not allowed in records",
    " may not be used as an identifier",
];

/// Whether it is what javac cannot parse.
fn is_of_java_syntax(finding: &Finding) -> bool {
    let is_java = finding.path.as_deref().is_some_and(|path| path.rsplit('.').next() == Some("java"));
    let message = finding.message.lines().next().unwrap_or_default();
    let said = message.ends_with(" expected") || has_words(&OF_JAVA_SYNTAX, message);
    is_java && finding.level == Level::Error && said
}

/// What begins, or stands in, an error of Go's type checker: `go vet` then leaves the package out, `go build` what imports it.
const OF_GO_TYPES: [&str; 25] = [
    "undefined: ",
    " undefined (",
    "cannot use ",
    "not enough arguments in call",
    "too many arguments in call",
    "not enough return values",
    "too many return values",
    "assignment mismatch: ",
    "invalid operation: ",
    "missing return",
    " redeclared in this block",
    " and not used",
    "could not import ",
    "syntax error: ",
    // Packages that cannot be loaded.
    " is not in GOROOT",
    " is not in std",
    " no matching files found",
    "build constraints exclude all Go files",
    "cannot find module providing package ",
    "cannot find package ",
    "found packages ",
    "import cycle not allowed",
    "missing go.sum entry",
    "no required module provides package ",
    "use of internal package ",
];

/// Whether a finding without a level is Go's compiler's, or that of a linter which then has looked at nothing else.
fn is_of_go_types(finding: &Finding) -> bool {
    let is_go = finding.path.as_deref().is_some_and(|path| path.rsplit('.').next() == Some("go"));
    let message = finding.message.as_str();
    is_go && (["(compile)", "(typecheck)"].iter().any(|end| message.ends_with(end)) || has_words(&OF_GO_TYPES, message))
}

/// Whether a message begins with one of these, or has one that begins with a space.
fn has_words(words: &[&str], message: &str) -> bool {
    words.iter().any(|words| if words.starts_with(' ') { message.contains(words) } else { message.starts_with(words) })
}
