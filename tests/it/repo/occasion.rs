//! The event of a run, from the environment and the payload's file.

use gatepost::world::env::Env;
use gatepost::world::occasion::{self, OccasionError};

const HEAD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn env(path: &str) -> Env {
    [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", "push"),
        ("GITHUB_EVENT_PATH", path),
        ("GITHUB_REPOSITORY", "octo/shop"),
        ("GITHUB_SHA", HEAD),
        ("GITHUB_REF", "refs/heads/main"),
        ("GITHUB_RUN_ID", "12"),
        ("GITHUB_RUN_ATTEMPT", "1"),
        ("GITHUB_SERVER_URL", "https://ghe.example/"),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .collect()
}

#[test]
fn outside_actions_it_is_a_laptop() {
    let occasion = occasion::read(&[("GITHUB_EVENT_PATH", "/nowhere")].into_iter().collect()).unwrap();
    assert_eq!((occasion.event.as_str(), occasion.on_actions), ("local", false));
}

#[test]
fn the_event_is_read_from_its_file() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("event.json");
    std::fs::write(&path, format!(r#"{{"before":"{HEAD}","after":"{HEAD}"}}"#)).unwrap();
    let occasion = occasion::read(&env(path.to_str().unwrap())).unwrap();
    assert_eq!(occasion.branch.as_deref(), Some("main"));
    assert_eq!(occasion.run_url.as_deref(), Some("https://ghe.example/octo/shop/actions/runs/12"));
    assert_eq!(occasion.generation, (12, 1));
}

#[test]
fn a_missing_or_malformed_event_names_the_file() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("event.json");
    let name = path.to_str().unwrap();
    assert!(matches!(occasion::read(&env("")), Err(OccasionError::NoPath)));
    let missing = occasion::read(&env(name)).unwrap_err();
    assert!(matches!(missing, OccasionError::File(_)));
    assert!(missing.to_string().contains(name), "{missing}");
    std::fs::write(&path, "{\"before\":").unwrap();
    let malformed = occasion::read(&env(name)).unwrap_err();
    assert!(malformed.to_string().starts_with(&format!("cannot read the event in {name}: it is not the JSON")));
}
