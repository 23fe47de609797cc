//! What follows a command on its line, read by one function each. Everything must be understood: a word too many may mean
//! that something else was meant.

use crate::chat::{ALL, Act, Code, Parameters, Rerun, Wrong};
use crate::model::gate::GateName;
use crate::model::sha::Sha;
use crate::model::text::shorten;

/// The most characters of a reason.
const REASON: usize = 500;

pub(super) fn rerun(rest: &str) -> Result<Act, Wrong> {
    let mut words: Vec<&str> = words(rest).collect();
    if let [only] = words[..]
        && only.eq_ignore_ascii_case("failed")
    {
        return Ok(Act::Rerun(Rerun::Failed));
    }
    if words.is_empty() {
        return Ok(Act::Rerun(Rerun::All));
    }
    let mut seen = std::collections::BTreeSet::new();
    words.retain(|word| seen.insert(*word));
    words.into_iter().map(gate).collect::<Result<_, _>>().map(|gates| Act::Rerun(Rerun::Gates(gates)))
}

pub(super) fn override_gate(rest: &str) -> Result<Act, Wrong> {
    let (name, reason) = first(rest);
    let gate = gate(name.ok_or_else(|| missing("which gate?"))?)?;
    let reason = said(reason)?.ok_or_else(|| missing("why? a reason is needed, and is shown with the verdict"))?;
    Ok(Act::Override { gate, reason })
}

pub(super) fn deploy(rest: &str) -> Result<Act, Wrong> {
    let (environment, sha, parameters) = place_and_commit(rest)?;
    Ok(Act::Deploy { environment, sha, parameters })
}

pub(super) fn rollback(rest: &str) -> Result<Act, Wrong> {
    let (environment, to, parameters) = place_and_commit(rest)?;
    Ok(Act::Rollback { environment, to, parameters })
}

pub(super) fn promote(rest: &str) -> Result<Act, Wrong> {
    let mut words = words(rest).peekable();
    let from = environment(words.next())?;
    let to = environment(words.next())?;
    if from == to {
        return Err(bad(format!("what is live in {from} is there already")));
    }
    Ok(Act::Promote { from, to, parameters: parameters(words)? })
}

pub(super) fn lock(rest: &str) -> Result<Act, Wrong> {
    let (name, reason) = first(rest);
    Ok(Act::Lock { environment: environment(name)?, reason: said(reason)? })
}

pub(super) fn unlock(rest: &str) -> Result<Act, Wrong> {
    let mut words = words(rest);
    Ok(Act::Unlock { environment: environment(words.next())?, parameters: parameters(words)? })
}

pub(super) fn status(rest: &str) -> Result<Act, Wrong> {
    let mut words = words(rest);
    let environment = words.next().map(|word| environment(Some(word))).transpose()?;
    parameters_none(words.next())?;
    Ok(Act::Status { environment })
}

pub(super) fn help(rest: &str) -> Result<Act, Wrong> {
    let mut words = words(rest);
    let name = words.next();
    parameters_none(words.next())?;
    let Some(name) = name else { return Ok(Act::Help { command: None }) };
    let lower = name.trim_start_matches('/').to_ascii_lowercase();
    let row = ALL.iter().find(|row| row.name == lower);
    row.map(|row| Act::Help { command: Some(row.name) }).ok_or_else(|| bad(format!("{} is no command", quoted(name))))
}

fn words(rest: &str) -> impl Iterator<Item = &str> {
    rest.split([' ', '\t']).filter(|word| !word.is_empty())
}

fn first(rest: &str) -> (Option<&str>, &str) {
    let (word, rest) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
    (Some(word).filter(|word| !word.is_empty()), rest)
}

fn missing(why: &str) -> Wrong {
    (Code::MissingArgument, why.to_owned())
}

fn bad(why: String) -> Wrong {
    (Code::BadArgument, why)
}

fn quoted(word: &str) -> String {
    format!("{:?}", shorten(word, 60))
}

fn gate(word: &str) -> Result<GateName, Wrong> {
    GateName::parse(word).map_err(|_| bad(format!("{} names no gate", quoted(word))))
}

/// The rule of gates' names is that of environments' too; the ledger's own is stricter.
fn environment(word: Option<&str>) -> Result<String, Wrong> {
    let word = word.ok_or_else(|| missing("which environment?"))?;
    GateName::parse(word).map(String::from).map_err(|_| bad(format!("{} names no environment", quoted(word))))
}

/// ENV [SHA] [KEY=VALUE…]
fn place_and_commit(rest: &str) -> Result<(String, Option<Sha>, Parameters), Wrong> {
    let mut words = words(rest).peekable();
    let environment = environment(words.next())?;
    let sha = words.next_if(|word| !word.contains('=')).map(commit).transpose()?;
    Ok((environment, sha, parameters(words)?))
}

/// Only whole ids: a beginning of one can be had for another commit by trying.
fn commit(word: &str) -> Result<Sha, Wrong> {
    Sha::parse(word).map_err(|_| {
        let short = (4..64).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        bad(if short {
            format!("{} is not the whole id of a commit: write all of its digits", quoted(word))
        } else {
            format!("{} is neither the id of a commit nor KEY=VALUE", quoted(word))
        })
    })
}

fn parameters<'a>(words: impl Iterator<Item = &'a str>) -> Result<Parameters, Wrong> {
    let mut found = Parameters::new();
    for word in words {
        let Some((key, value)) = word.split_once('=') else {
            return Err(bad(format!("{} is not KEY=VALUE", quoted(word))));
        };
        let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let key = key.to_ascii_lowercase();
        if !(1..=32).contains(&key.len()) || !key.bytes().all(good) || value.is_empty() || value.len() > 200 {
            return Err(bad(format!("{} is not KEY=VALUE", quoted(word))));
        }
        if found.iter().any(|(known, _)| *known == key) {
            return Err(bad(format!("{key} is given twice")));
        }
        found.push((key, value.to_owned()));
    }
    Ok(found)
}

fn parameters_none(word: Option<&str>) -> Result<(), Wrong> {
    word.map_or(Ok(()), |word| Err(bad(format!("{} is one word too many", quoted(word)))))
}

/// A sentence, which may hold anything that is seen.
fn said(text: &str) -> Result<Option<String>, Wrong> {
    let text = text.trim();
    if text.contains("<!--") {
        return Err((Code::HiddenText, "the reason holds a hidden comment".to_owned()));
    }
    if text.chars().count() > REASON {
        return Err(bad(format!("the reason has more than {REASON} characters")));
    }
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}
