//! Bytes of others in a deploy: names, answers and output reach hooks and people as text, and are never interpreted.

use std::sync::Arc;

use super::service::{Service, reply};
use super::{On, Scene};

#[test]
fn a_hostile_name_is_only_ever_a_name() {
    for name in
        ["x;touch${IFS}owned", "$(touch${IFS}owned)", "`touch${IFS}owned`", "a&&touch${IFS}owned", "a|touch-owned"]
    {
        let scene = Scene::new(On::GitHub, "");
        scene.tree.git(&["branch", name]);
        let script = std::fs::read_to_string(scene.tree.dir.join("deploy.sh")).unwrap();
        scene.tree.write("deploy.sh", format!("{script}printf %s \"$GATEPOST_REF\" >\"$PLACE/ref\"\n"));
        scene.tree.commit("keep the name");
        scene.tree.git(&["branch", "--force", name]);
        scene.known();
        scene.judged().call(&["deploy", "staging", name]).with(0);
        assert_eq!(std::fs::read_to_string(scene.service.place().join("ref")).unwrap(), name);
        for folder in [&scene.tree.dir, scene.service.place()] {
            let found = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
            assert!(found.into_iter().all(|file| file.to_str() != Some("owned")), "{name}");
        }
        let given = scene.fake.unwrap().with(|github| github.repo("octo/shop").deployments[0].given.clone());
        assert_eq!(given["payload"]["reference"], name);
    }
}

#[test]
fn what_a_hook_and_a_service_say_commands_neither_a_runner_nor_a_terminal() {
    let scene = Scene::new(On::GitHub, "");
    let place = scene.service.place().to_owned();
    let evil = "::add-mask::x\n::error::y\n\u{1b}[2J\u{202e}##[group]z";
    let odd = Service::answering(place.join("odd"), Arc::new(move |_, _| Some(reply("500 Oops", evil))));
    let config = std::fs::read_to_string(scene.tree.dir.join("gatepost.toml")).unwrap();
    let health = format!("{{ path = {:?}, body = \"::add-mask::x\" }}", format!("{}/::error::", odd.url()));
    scene.tree.write("gatepost.toml", config.replace("\"/health\"", &health));
    let script = std::fs::read_to_string(scene.tree.dir.join("deploy.sh")).unwrap();
    let prints = "printf '::add-mask::x\\n::stop-commands::y\\n\\033[2J##[error]z\\n'\n";
    scene.tree.write("deploy.sh", format!("{script}{prints}[ ! -e broken ] || exit 1\n")).commit("evil");
    scene.known();
    scene.judged();
    let ran = scene.call(&["deploy", "staging"]).with(1);
    let text = format!("{}{}", ran.out, ran.err);
    assert!(text.contains("answered 500"), "{text}");
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
    let commands = |line: &str| line.trim_start().starts_with("::") || line.contains("##[");
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("::") || commands(line)).collect();
    // Beside a runner it is text; with one, `render::workflow` takes the commands out of it.
    assert!(lines.iter().all(|line| line.starts_with("           ")), "{lines:?}");
    scene.fake.unwrap().with(|github| {
        for status in &github.repo("octo/shop").deployments[0].statuses {
            let says = status.given["description"].as_str().unwrap();
            assert!(!says.contains(['\u{1b}', '\n', '\u{202e}']), "{says:?}");
        }
    });
}
