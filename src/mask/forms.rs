//! The spellings in which a value leaks: encodings and escapes that tools apply to what they print.

use crate::mask::SHORTEST;

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// An encoded form with fewer characters is left out: it would be found in ordinary text.
const SHORTEST_ENCODED: usize = 7;
/// Of longer values, in bytes, not every way to wrap their base64 is known.
const LONGEST_WRAPPED: usize = 256;

/// Every spelling of `value` that is masked; none for a value that is too short.
pub(super) fn of(value: &str) -> Vec<String> {
    let value = value.trim();
    let mut forms = Vec::new();
    let lines = value.lines().map(str::trim).filter(|line| line.len() < value.len());
    for part in std::iter::once(value).chain(lines) {
        if part.chars().count() >= SHORTEST {
            forms.push(part.to_owned());
            forms.extend(escaped(part));
            forms.extend(encoded(part.as_bytes()));
        }
    }
    forms.extend(wrapped(value.as_bytes()).filter(|line| line.len() >= SHORTEST_ENCODED));
    forms
}

/// The lines of its base64 where encoders wrap, behind others' text too: after 76 characters, openssl after 64, which are
/// of 57 and 48 bytes.
fn wrapped(value: &[u8]) -> impl Iterator<Item = String> {
    let widths = [57, 48].into_iter();
    let cuts = widths.flat_map(move |width| (0..width.min(value.len())).map(move |first| (width, first)));
    // A long one is known by its other lines too.
    let cuts = cuts.filter(move |(_, first)| *first == 0 || value.len() <= LONGEST_WRAPPED);
    cuts.flat_map(move |(width, first)| {
        let (head, rest) = value.split_at(first);
        // Both widths are of whole triples: a line begins with one, and the first part ends with one.
        let head = base64_within(head, (3 - first % 3) % 3, STANDARD);
        std::iter::once(head).chain(rest.chunks(width).map(|line| base64_within(line, 0, STANDARD)))
    })
}

fn encoded(bytes: &[u8]) -> Vec<String> {
    let lower: String = bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]))
        .collect();
    let mut forms = vec![lower.to_ascii_uppercase(), lower];
    for before in 0..3 {
        forms.extend([STANDARD, URL_SAFE].map(|alphabet| base64_within(bytes, before, alphabet)));
    }
    forms.retain(|form| form.len() >= SHORTEST_ENCODED);
    forms
}

/// The characters of base64 that depend on `bytes` alone, when `before` bytes (mod 3) and any others after are
/// encoded along with them.
fn base64_within(bytes: &[u8], before: usize, alphabet: &[u8; 64]) -> String {
    let bit = |at: usize| bytes[at / 8] >> (7 - at % 8) & 1;
    // Of the six bits of a character, some belong to the bytes before.
    let first = [0, 4, 2][before];
    let sextets = (bytes.len() * 8).saturating_sub(first) / 6;
    (0..sextets)
        .map(|sextet| (0..6).fold(0_u8, |value, at| value << 1 | bit(first + sextet * 6 + at)))
        .map(|value| char::from(alphabet[usize::from(value)]))
        .collect()
}

fn escaped(text: &str) -> Vec<String> {
    let mut forms = Vec::new();
    // What is left as it is differs: nothing but letters; JavaScript's encodeURIComponent; encodeURI.
    for kept in ["-._~", "-._~!'()*", "-._~!'()*;,/?:@&=+$#"] {
        let upper = percent(text, kept, |byte| format!("%{byte:02X}"));
        forms.push(percent(text, kept, |byte| format!("%{byte:02x}")));
        forms.push(upper.replace("%20", "+"));
        forms.push(upper);
    }
    let json = json(text, false, |c| format!("\\u{c:04x}"));
    forms.push(json.replace('/', "\\/"));
    forms.push(json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026"));
    forms.push(json.replace('\\', "\\\\").replace('"', "\\\""));
    forms.push(json);
    forms.push(self::json(text, true, |c| format!("\\u{c:04x}")));
    forms.push(self::json(text, true, |c| format!("\\u{c:04X}")));
    let html = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    for quote in ["\"", "&quot;", "&#34;"] {
        let quoted = html.replace('"', quote);
        forms.extend(["'", "&#39;", "&#x27;", "&apos;"].map(|apostrophe| quoted.replace('\'', apostrophe)));
    }
    forms.extend(["'\\''", "'\"'\"'"].map(|quote| text.replace('\'', quote)));
    forms.push(text.replace('\\', "\\\\").replace('\'', "\\'"));
    // bash's `declare -p`; `printf %q` of bash and of zsh.
    forms.push(backslashed(text, |c| "\\\"$`".contains(c)));
    for kept in ["%+-./:=@_#~", "%+-./:@_"] {
        forms.push(backslashed(text, |c| c.is_ascii() && !c.is_ascii_alphanumeric() && !kept.contains(c)));
    }
    // The runner's own escapes.
    forms.push(text.replace('%', "%25").replace('\n', "%0A"));
    forms
}

fn backslashed(text: &str, is_special: impl Fn(char) -> bool) -> String {
    text.chars().flat_map(|c| is_special(c).then_some('\\').into_iter().chain([c])).collect()
}

fn percent(text: &str, kept: &str, code: fn(u8) -> String) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || (c.is_ascii() && kept.contains(c)) {
            out.push(c);
        } else {
            out.push_str(&code(byte));
        }
    }
    out
}

fn json(text: &str, ascii: bool, code: fn(u16) -> String) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || (ascii && !c.is_ascii()) => {
                out.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| code(*unit)));
            }
            c => out.push(c),
        }
    }
    out
}
