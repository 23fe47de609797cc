//! `# gatepost: allow GI110 until 2027-01-31 reason`: findings that somebody answers for. It reads comments by line,
//! whatever the language; who is allowed what is decided by the caller.

use super::rules;
use super::text::Source;

/// What is asked for in a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowance {
    /// The rules.
    pub rules: Vec<String>,
    /// The last day on which it holds.
    pub until: jiff::civil::Date,
    /// The lines whose findings it allows: its own, and for a comment that stands alone the next that is none.
    pub lines: Vec<u32>,
    /// Where it stands.
    pub span: std::ops::Range<usize>,
}

/// A comment that asks wrongly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Where it stands.
    pub span: std::ops::Range<usize>,
    /// What is wrong.
    pub what: String,
}

const SIGN: &str = "gatepost: allow";

/// Every allowance of a file, and those that are none.
#[must_use]
pub fn read(source: &Source) -> (Vec<Allowance>, Vec<Wrong>) {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for line in 1..=source.line_count() {
        let range = source.line(line);
        let text = source.slice(range.clone());
        let Some((before, asked)) = text.split_once(SIGN) else { continue };
        // In JSON, which has no comments: `"//": "gatepost: allow …",`
        let Some(sign) = before.rfind('#').or_else(|| before.rfind("//")) else { continue };
        let start = range.start + before[..sign].chars().count();
        let span = start..range.end;
        let alone = before[..sign].trim().trim_matches('"').is_empty();
        match parse(asked.trim_end_matches([',', '"'])) {
            Ok((rules, until)) => {
                let mut lines = vec![line];
                lines.extend(alone.then(|| next_line(source, line)).flatten());
                good.push(Allowance { rules, until, lines, span });
            }
            Err(what) => bad.push(Wrong { span, what }),
        }
    }
    (good, bad)
}

fn next_line(source: &Source, line: u32) -> Option<u32> {
    (line + 1..=source.line_count()).find(|line| {
        let text = source.slice(source.line(*line));
        let text = text.trim();
        !text.is_empty() && !text.starts_with('#') && !text.contains(SIGN)
    })
}

fn parse(asked: &str) -> Result<(Vec<String>, jiff::civil::Date), String> {
    const FORM: &str = "write `gatepost: allow GI110 until 2027-01-31 reason`";
    let (names, rest) = asked.split_once(" until ").ok_or_else(|| format!("it has no `until` with a date: {FORM}"))?;
    let names: Vec<String> = names.split([',', ' ']).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    if names.is_empty() {
        return Err(format!("it names no rule: {FORM}"));
    }
    if let Some(unknown) = names.iter().find(|name| rules::find(name).is_none()) {
        return Err(format!("there is no rule {:?}", crate::model::text::one_line(unknown, 40)));
    }
    let (date, reason) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
    let until = date.parse().map_err(|_| format!("{:?} is no date: {FORM}", crate::model::text::one_line(date, 40)))?;
    if reason.trim().is_empty() {
        return Err(format!("it gives no reason: {FORM}"));
    }
    Ok((names, until))
}
