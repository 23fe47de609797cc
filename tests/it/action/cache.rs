//! The runner's tool cache: what lies there is believed as far as its checksum goes.

use std::os::unix::fs::symlink;

use super::{Answer, Job, STAND_IN, Scene, write_program};

const FORGED: &str = "#!/bin/sh\ntouch \"$HOME/forged\"\n";

#[test]
fn the_second_time_nothing_is_downloaded() {
    let scene = Scene::new(&[Answer::Good, Answer::Status(500)]);
    scene.run(&[]).worked();
    let ended = scene.run(&[]);
    ended.worked();
    assert_eq!(scene.releases.requests().len(), 1);
    assert_eq!(ended.ran, ["find", "run"]);
    assert_eq!(ended.outputs["verified"], "checksum");
    assert!(ended.log.contains("gatepost 9.9.9, from the tool cache, checksum verified: "), "{}", ended.log);
}

#[test]
fn what_was_changed_in_the_cache_is_not_run() {
    let scene = Scene::new(&[Answer::Good]);
    scene.run(&[]).worked();
    let ways: [(&str, &dyn Fn()); 3] = [
        ("another program", &|| write_program(&scene.cached(), FORGED)),
        ("one byte more", &|| write_program(&scene.cached(), &format!("{STAND_IN}\n"))),
        ("a link to the right one", &|| {
            let copy = scene.job.tools().join("copy");
            write_program(&copy, STAND_IN);
            std::fs::remove_file(scene.cached()).unwrap();
            symlink(copy, scene.cached()).unwrap();
        }),
    ];
    for (at, (what, change)) in ways.into_iter().enumerate() {
        change();
        let ended = scene.run(&[]);
        ended.worked();
        assert!(
            ended.log.contains("::warning title=gatepost::the gatepost in the tool cache"),
            "{what}: {}",
            ended.log
        );
        assert_eq!(scene.releases.requests().len(), at + 2, "{what}");
        assert_eq!(std::fs::read_to_string(scene.cached()).unwrap(), STAND_IN, "{what}");
        assert!(!scene.cached().is_symlink(), "{what}");
    }
    assert!(!scene.job.root.path().join("home/forged").exists());
}

#[test]
fn what_was_not_completed_is_fetched_again() {
    let scene = Scene::new(&[Answer::Good]);
    scene.run(&[]).worked();
    std::fs::remove_file(scene.job.tools().join(format!("gatepost/9.9.9/{}.complete", super::TARGET))).unwrap();
    scene.run(&[]).worked();
    std::fs::remove_file(scene.cached()).unwrap();
    scene.run(&[]).worked();
    assert_eq!(scene.releases.requests().len(), 3);
}

#[test]
fn a_changed_cache_without_a_server_is_the_end() {
    let scene = Scene::new(&[Answer::Good, Answer::Status(404)]);
    scene.run(&[]).worked();
    write_program(&scene.cached(), FORGED);
    scene.run(&[]).failed(4, "could not download");
    assert!(!scene.job.root.path().join("home/forged").exists());
}

#[test]
fn jobs_on_one_machine_share_it_at_the_same_time() {
    let scene = Scene::new(&[Answer::Slow(600), Answer::Slow(300), Answer::Good]);
    let mut jobs = [Job::new(), Job::new(), Job::new(), Job::new()];
    for job in &mut jobs {
        let tools = scene.job.tools().to_str().unwrap().to_owned();
        job.env.insert("RUNNER_TOOL_CACHE".to_owned(), tools);
    }
    std::thread::scope(|threads| {
        for job in &jobs {
            threads.spawn(|| scene.run_on(job, &[]).worked());
        }
    });
    assert!(jobs.iter().all(Job::was_run));
    assert_eq!(scene.job.left().len(), 2, "the binary and its marker: {:?}", scene.job.left());
    let asked = scene.releases.requests().len();
    scene.run(&[]).worked();
    assert_eq!(scene.releases.requests().len(), asked);
}

#[test]
fn a_machine_without_a_writable_cache_uses_the_jobs_own_folder() {
    let mut scene = Scene::new(&[Answer::Good]);
    let file = scene.job.root.path().join("a-file");
    std::fs::write(&file, "").unwrap();
    scene.job.env.insert("RUNNER_TOOL_CACHE".to_owned(), file.to_str().unwrap().to_owned());
    let ended = scene.run(&[]);
    ended.worked();
    let temp = scene.job.root.path().join("temp/gatepost");
    assert!(ended.outputs["binary"].starts_with(temp.to_str().unwrap()), "{:?}", ended.outputs);
}
