//! Git objects and references by API: <https://docs.github.com/rest/git>.

use git2::{ObjectType, Oid};
use serde_json::{Value, json};

use super::commits::history;
use super::contract::contract;
use super::exchange::{Answer, Ask, Reply};
use super::server::Operation;
use super::state::{Commit, Repo, State};

pub const OPERATIONS: &[(&str, Operation)] = &[
    ("git/create-blob", create_blob),
    ("git/get-blob", get_object),
    ("git/create-tree", create_tree),
    ("git/get-tree", get_object),
    ("git/create-commit", create_commit),
    ("git/get-commit", get_commit),
    ("git/create-tag", create_tag),
    ("git/get-tag", get_object),
    ("git/create-ref", create_ref),
    ("git/get-ref", get_ref),
    ("git/list-matching-refs", list_refs),
    ("git/update-ref", update_ref),
    ("git/delete-ref", delete_ref),
];

fn create_blob(state: &mut State, ask: &Ask) -> Answer {
    let content = ask.given("content").unwrap_or_default();
    let encoding = ask.given("encoding").unwrap_or_else(|| "utf-8".to_owned());
    let known = ["utf-8", "base64"].contains(&encoding.as_str());
    ask.demand(known, "/encoding", &json!(encoding), "utf-8 or base64")?;
    let sha = add_blob(state.of(ask)?, ask, &content, &encoding);
    Ok(Reply::created(json!({ "sha": sha, "url": ask.url(&format!("git/blobs/{sha}")) })))
}

/// Text gets the sha that git would give it.
fn add_blob(repo: &mut Repo, ask: &Ask, content: &str, encoding: &str) -> String {
    let sha = Oid::hash_object(ObjectType::Blob, content.as_bytes()).unwrap().to_string();
    let url = ask.url(&format!("git/blobs/{sha}"));
    let blob = json!({ "sha": sha, "url": url, "content": content, "encoding": encoding, "size": content.len() });
    repo.objects.insert(sha.clone(), contract().complete("blob", blob));
    sha
}

fn create_tree(state: &mut State, ask: &Ask) -> Answer {
    let repo = state.of(ask)?;
    let mut entries = match ask.given("base_tree") {
        Some(base) if has_tree(repo, &base) => repo.objects.get(&base).map_or(json!([]), |tree| tree["tree"].clone()),
        Some(_) => return Err(Reply::error(422, "base_tree is not a valid tree oid").into()),
        None => json!([]),
    };
    let entries = entries.as_array_mut().unwrap();
    for given in ask.body["tree"].as_array().into_iter().flatten() {
        let (sha, content) = (&given["sha"], given["content"].as_str());
        ask.demand(content.is_none() || sha.is_null(), "/tree", given, "either sha or content")?;
        entries.retain(|entry| entry["path"] != given["path"]);
        let sha = match (sha.as_str(), content) {
            (_, Some(content)) => add_blob(repo, ask, content, "utf-8"),
            (Some(sha), None) if knows(repo, sha) => sha.to_owned(),
            (Some(_), None) => return Err(Reply::error(422, "tree.sha is not a valid blob").into()),
            // A `null` sha takes the path out.
            (None, None) => continue,
        };
        entries.push(json!({ "path": given["path"], "mode": given["mode"], "type": given["type"], "sha": sha }));
    }
    let sha = sha_of(ObjectType::Tree, &json!(entries));
    let tree = json!({ "sha": sha, "url": ask.url(&format!("git/trees/{sha}")), "tree": entries, "truncated": false });
    let tree = contract().complete("git-tree", tree);
    repo.objects.insert(sha, tree.clone());
    Ok(Reply::created(tree))
}

fn create_commit(state: &mut State, ask: &Ask) -> Answer {
    let now = state.now();
    let repo = state.of(ask)?;
    let tree = ask.given("tree").unwrap_or_default();
    if !has_tree(repo, &tree) {
        return Err(Reply::error(422, "Tree SHA does not exist").into());
    }
    let parents: Vec<String> =
        ask.body["parents"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    if !parents.iter().all(|parent| repo.commits.contains_key(parent)) {
        return Err(Reply::error(422, "Parent SHA does not exist or is not a commit object").into());
    }
    let sha = sha_of(ObjectType::Commit, &json!([ask.body, now]));
    let commit = Commit { sha: sha.clone(), parents, message: ask.given("message").unwrap_or_default(), tree };
    let reply = commit_json(&commit, ask);
    repo.commits.insert(sha, commit);
    Ok(Reply::created(reply))
}

fn get_commit(state: &mut State, ask: &Ask) -> Answer {
    let commit = state.of(ask)?.commits.get(ask.text("commit_sha")).ok_or_else(Reply::not_found)?;
    Ok(Reply::ok(commit_json(commit, ask)))
}

fn create_tag(state: &mut State, ask: &Ask) -> Answer {
    let now = state.now();
    let repo = state.of(ask)?;
    let object = ask.given("object").unwrap_or_default();
    if !knows(repo, &object) {
        return Err(Reply::error(422, "Could not resolve to a node with the given object.").into());
    }
    let sha = sha_of(ObjectType::Tag, &json!([ask.body, now]));
    let tag = json!({
        "sha": sha,
        "url": ask.url(&format!("git/tags/{sha}")),
        "tag": ask.body["tag"],
        "message": ask.body["message"],
        "object": { "sha": object, "type": ask.body["type"], "url": ask.url(&format!("git/commits/{object}")) },
    });
    let tag = contract().complete("git-tag", tag);
    repo.objects.insert(sha, tag.clone());
    Ok(Reply::created(tag))
}

/// A blob, tree or tag: an object of another kind has no such key and is not found.
fn get_object(state: &mut State, ask: &Ask) -> Answer {
    let (parameter, key) = match ask.operation.as_str() {
        "git/get-blob" => ("file_sha", "content"),
        "git/get-tree" => ("tree_sha", "tree"),
        _ => ("tag_sha", "tag"),
    };
    let object = state.of(ask)?.objects.get(ask.text(parameter)).filter(|object| !object[key].is_null());
    Ok(Reply::ok(object.cloned().ok_or_else(Reply::not_found)?))
}

fn create_ref(state: &mut State, ask: &Ask) -> Answer {
    let name = ask.given("ref").unwrap_or_default();
    let whole = name.starts_with("refs/") && name.matches('/').count() >= 2;
    ask.demand(whole, "/ref", &json!(name), "a reference is named in full, as in refs/heads/main")?;
    let repo = state.of(ask)?;
    if repo.refs.contains_key(&name) {
        return Err(Reply::error(422, "Reference already exists").into());
    }
    let sha = ask.given("sha").unwrap_or_default();
    if !knows(repo, &sha) {
        return Err(Reply::error(422, "Object does not exist").into());
    }
    repo.refs.insert(name.clone(), sha);
    Ok(Reply::created(ref_json(repo, &name, ask)))
}

fn get_ref(state: &mut State, ask: &Ask) -> Answer {
    let repo = state.of(ask)?;
    let name = format!("refs/{}", ask.text("ref"));
    if !repo.refs.contains_key(&name) {
        return Err(Reply::not_found().into());
    }
    Ok(Reply::ok(ref_json(repo, &name, ask)))
}

fn list_refs(state: &mut State, ask: &Ask) -> Answer {
    let repo = state.of(ask)?;
    let start = format!("refs/{}", ask.text("ref"));
    let names = repo.refs.keys().filter(|name| name.starts_with(&start));
    Ok(Reply::ok(names.map(|name| ref_json(repo, name, ask)).collect()))
}

fn update_ref(state: &mut State, ask: &Ask) -> Answer {
    let repo = state.of(ask)?;
    let name = format!("refs/{}", ask.text("ref"));
    let old = repo.refs.get(&name).ok_or_else(|| Reply::error(422, "Reference does not exist"))?;
    let sha = ask.given("sha").unwrap_or_default();
    if !knows(repo, &sha) {
        return Err(Reply::error(422, "Object does not exist").into());
    }
    if ask.body["force"] != true && !history(repo, &sha).contains(old) {
        return Err(Reply::error(422, "Update is not a fast forward").into());
    }
    repo.refs.insert(name.clone(), sha);
    Ok(Reply::ok(ref_json(repo, &name, ask)))
}

fn delete_ref(state: &mut State, ask: &Ask) -> Answer {
    let name = format!("refs/{}", ask.text("ref"));
    match state.of(ask)?.refs.remove(&name) {
        Some(_) => Ok(Reply::gone()),
        None => Err(Reply::error(422, "Reference does not exist").into()),
    }
}

fn knows(repo: &Repo, sha: &str) -> bool {
    repo.commits.contains_key(sha) || repo.objects.contains_key(sha)
}

fn has_tree(repo: &Repo, sha: &str) -> bool {
    repo.objects.get(sha).is_some_and(|object| object["tree"].is_array())
        || repo.commits.values().any(|commit| commit.tree == sha)
}

/// The sha of something that git would hash in another form.
pub fn sha_of(kind: ObjectType, content: &Value) -> String {
    Oid::hash_object(kind, content.to_string().as_bytes()).unwrap().to_string()
}

fn commit_json(commit: &Commit, ask: &Ask) -> Value {
    let parent = |sha: &String| json!({ "sha": sha, "url": ask.url(&format!("git/commits/{sha}")) });
    let json = json!({
        "sha": commit.sha,
        "url": ask.url(&format!("git/commits/{}", commit.sha)),
        "message": commit.message,
        "tree": { "sha": commit.tree },
        "parents": commit.parents.iter().map(parent).collect::<Vec<_>>(),
    });
    contract().complete("git-commit", json)
}

fn ref_json(repo: &Repo, name: &str, ask: &Ask) -> Value {
    let sha = &repo.refs[name];
    let kind = if repo.objects.contains_key(sha) { "tag" } else { "commit" };
    let object = json!({ "sha": sha, "type": kind, "url": ask.url(&format!("git/{kind}s/{sha}")) });
    let json = json!({ "ref": name, "url": ask.url(&format!("git/{name}")), "object": object });
    contract().complete("git-ref", json)
}
