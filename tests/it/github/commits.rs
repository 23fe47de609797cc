//! Repositories, commits and comparisons: <https://docs.github.com/rest/commits/commits>.

use std::collections::{BTreeSet, VecDeque};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::contract::contract;
use super::exchange::{Answer, Ask, Reply};
use super::server::Operation;
use super::state::{Commit, Repo, State};

pub const OPERATIONS: &[(&str, Operation)] = &[
    ("repos/get", get_repo),
    ("repos/get-commit", get_commit),
    ("repos/list-commits", list),
    ("repos/compare-commits-with-basehead", compare),
    ("repos/get-content", get_content),
];

fn get_repo(state: &mut State, ask: &Ask) -> Answer {
    let repo = state.of(ask)?;
    let (owner, name) = (ask.text("owner"), ask.text("repo"));
    let json = json!({
        "name": name,
        "full_name": repo.name,
        "private": repo.private,
        "default_branch": "main",
        "url": format!("{}/repos/{}", ask.origin, repo.name),
        "owner": { "login": owner },
    });
    Ok(Reply::ok(contract().complete("full-repository", json)))
}

fn get_commit(state: &mut State, ask: &Ask) -> Answer {
    let repo = state.of(ask)?;
    let sha = repo.resolve(ask.text("ref")).ok_or_else(|| Reply::no_commit(ask.text("ref")))?;
    Ok(Reply::ok(json_of(&repo.commits[&sha], ask)))
}

fn list(state: &mut State, ask: &Ask) -> Answer {
    let repo = state.of(ask)?;
    let start = repo.resolve(ask.text("sha")).ok_or_else(Reply::not_found)?;
    let shown = history(repo, &start).iter().map(|sha| json_of(&repo.commits[sha], ask)).collect();
    Ok(ask.page(shown, |page| page))
}

/// A file; folders are not played.
fn get_content(state: &mut State, ask: &Ask) -> Answer {
    let repo = state.of(ask)?;
    let branch = if ask.text("ref").is_empty() { "main" } else { ask.text("ref") };
    let path = ask.text("path");
    let text = repo.files.get(&(branch.to_owned(), path.to_owned())).ok_or_else(Reply::not_found)?;
    // In lines of 60 characters, as GitHub sends it.
    let packed = STANDARD.encode(text);
    let lines: String = packed.as_bytes().chunks(60).map(|line| String::from_utf8_lossy(line) + "\n").collect();
    let json = json!({
        "type": "file", "encoding": "base64", "content": lines, "size": text.len(), "path": path,
        "name": path.rsplit('/').next(), "url": ask.url(&format!("contents/{path}")),
    });
    Ok(Reply::ok(contract().complete("content-file", json)))
}

fn compare(state: &mut State, ask: &Ask) -> Answer {
    let repo = state.of(ask)?;
    let (base, head) = ask.text("basehead").split_once("...").unwrap_or_default();
    let ours = |name: &str| repo.resolve(name.rsplit(':').next().unwrap_or_default()).ok_or_else(Reply::not_found);
    let (base, head) = (ours(base)?, ours(head)?);
    let base_history = history(repo, &base);
    let head_history = history(repo, &head);
    let merge_base = head_history
        .iter()
        .find(|sha| base_history.contains(sha))
        .ok_or_else(|| Reply::error(404, &format!("No common ancestor between {base} and {head}.")))?;
    let ahead: Vec<&String> = head_history.iter().filter(|sha| !base_history.contains(sha)).collect();
    let behind = base_history.iter().filter(|sha| !head_history.contains(sha)).count();
    let status = match (ahead.len(), behind) {
        (0, 0) => "identical",
        (_, 0) => "ahead",
        (0, _) => "behind",
        _ => "diverged",
    };
    let json = json!({
        "url": ask.url(&format!("compare/{base}...{head}")),
        "base_commit": json_of(&repo.commits[&base], ask),
        "merge_base_commit": json_of(&repo.commits[merge_base], ask),
        "status": status,
        "ahead_by": ahead.len(),
        "behind_by": behind,
        "total_commits": ahead.len(),
    });
    let commits: Vec<Value> = ahead.iter().rev().map(|sha| json_of(&repo.commits[*sha], ask)).collect();
    Ok(ask.page(commits, |commits| {
        let mut json = json;
        json["commits"] = commits;
        contract().complete("commit-comparison", json)
    }))
}

/// A commit and all below it, nearest first.
pub fn history(repo: &Repo, sha: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    let mut waiting = VecDeque::from([sha.to_owned()]);
    while let Some(sha) = waiting.pop_front() {
        if let Some(commit) = repo.commits.get(&sha)
            && seen.insert(sha.clone())
        {
            waiting.extend(commit.parents.iter().cloned());
            found.push(sha);
        }
    }
    found
}

/// A commit as the commits API shows it.
pub fn json_of(commit: &Commit, ask: &Ask) -> Value {
    let parent = |sha: &String| json!({ "sha": sha, "url": ask.url(&format!("commits/{sha}")) });
    let json = json!({
        "sha": commit.sha,
        "url": ask.url(&format!("commits/{}", commit.sha)),
        "commit": { "message": commit.message, "tree": { "sha": commit.tree } },
        "parents": commit.parents.iter().map(parent).collect::<Vec<_>>(),
    });
    contract().complete("commit", json)
}
