//! Two configurations of one repository that call an environment the same: neither takes the other's records for its own.

use super::{BOTH, On, Scene};

/// `web.toml` beside `gatepost.toml`, both with `staging`.
fn neighbours(on: On, more: &str) -> Scene {
    let scene = Scene::new(on, more);
    let config = std::fs::read_to_string(scene.tree.dir.join("gatepost.toml")).unwrap();
    scene.tree.write("web.toml", config).commit("two");
    scene.known();
    scene
}

const WEB: [&str; 2] = ["--config", "web.toml"];

#[test]
fn what_another_configuration_deployed_is_never_gone_back_to() {
    for on in BOTH {
        let scene = neighbours(on, "requires = []\n");
        let first = scene.head();
        scene.call(&["deploy", "staging"]).with(0);
        let theirs = scene.commit(None);
        scene.call(&[&WEB[..], &["deploy", "staging"]].concat()).with(0).says(&[
            "staging was last deployed to by gatepost.toml, whose records are not this configuration's",
            "give one of the two environments another name",
            "live: verified",
        ]);
        scene.commit(None);
        scene.call(&["deploy", "staging"]).with(0).says(&["last deployed to by web.toml"]);
        scene.call(&["rollback", "staging"]).with(0).says(&[&format!("rolling back to {}", &first[..7])]);
        assert_eq!(scene.live(), first);
        // What fails goes back by itself, and not to what is newest there.
        scene.call(&[&WEB[..], &["deploy", "staging", &theirs]].concat()).with(0);
        scene.commit(Some("broken"));
        scene.call(&["deploy", "staging"]).with(5).says(&[&format!("rolled back to {}", &first[..7])]);
        assert_eq!(scene.live(), first);
        let status = scene.call(&[&WEB[..], &["status", "--json"]].concat()).with(0);
        let status: serde_json::Value = serde_json::from_str(&status.out).unwrap();
        let newest = &status["environments"][0];
        let known = [&newest["sha"], &newest["newest"]["sha"]];
        assert!(known.contains(&&serde_json::json!(theirs)), "{newest}");
        scene.call(&[&WEB[..], &["rollback", "staging"]].concat()).with(3).says(&["no earlier deployment"]);
    }
}

#[test]
fn which_slot_is_live_is_not_guessed_from_anothers_records() {
    let slots =
        "requires = []\nstrategy = \"blue-green\"\nswitch = \"true\"\npreview = \"http://127.0.0.1:9/{slot}\"\n";
    let scene = neighbours(On::File, "requires = []\n");
    scene.call(&["deploy", "staging"]).with(0);
    let config = std::fs::read_to_string(scene.tree.dir.join("gatepost.toml")).unwrap();
    scene.tree.write("web.toml", config.replace("requires = []\n", slots)).commit("slots");
    let runs = scene.runs();
    scene
        .call(&[&WEB[..], &["deploy", "staging"]].concat())
        .with(4)
        .says(&["last deployed to by gatepost.toml", "in which slot runs what is live is not known"]);
    assert_eq!(scene.runs(), runs);
}
