//! Where a run writes: what stands there already, whose it is, and what of it is judged.

use super::*;

const GREEN: &str = "[gates.g]\nkind = \"command\"\ncommand = \"true\"\n";
const VERSION: &str = "\"version\":\"2.1.0\"";

#[cfg(unix)]
#[test]
fn a_link_stays_and_what_it_leads_to_is_written() {
    let project = Project::new(GREEN);
    std::fs::create_dir(project.path("kept")).unwrap();
    project.tree.write("kept/old.sarif", "old");
    for (link, target) in [("a.sarif", "kept/old.sarif"), ("b.sarif", "kept/new.sarif"), ("c.sarif", "b.sarif")] {
        std::os::unix::fs::symlink(target, project.path(link)).unwrap();
        let ran = project.run(&["--sarif", link]);
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
        assert!(project.path(link).is_symlink(), "{link}");
        assert!(project.text(target).contains(VERSION), "{link}");
    }
    std::os::unix::fs::symlink("circle", project.path("circle")).unwrap();
    let ran = project.run(&["--sarif", "circle"]);
    assert_eq!(ran.code, Some(4), "{}{}", ran.out, ran.err);
    assert!(project.path("circle").is_symlink());
}

#[cfg(unix)]
#[test]
fn what_is_no_plain_file_is_written_into() {
    use std::os::unix::fs::FileTypeExt as _;
    let project = Project::new(GREEN);
    let pipe = project.path("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let ran = project.run(&["--sarif", "pipe"]);
    assert_eq!(ran.code, Some(4), "nobody reads it: {}", ran.out);
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::read_to_string(pipe).unwrap()
    });
    // Until it has it open, nobody reads.
    let read = loop {
        project.run(&["--sarif", "pipe"]);
        if reader.is_finished() {
            break reader.join().unwrap();
        }
    };
    assert!(read.contains(VERSION), "{read}");
    assert!(pipe.metadata().unwrap().file_type().is_fifo());
}

#[cfg(unix)]
#[test]
fn standard_output_is_a_place_too() {
    let project = Project::new(GREEN);
    let ran = project.run(&["--sarif", "/dev/stdout"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.contains(VERSION) && ran.out.contains("verdict: pass"), "{}", ran.out);
    let file = std::fs::File::create(project.path("out.txt")).unwrap();
    let status = project.command(&["run", "--sarif", "/dev/stdout"]).stdout(file).status().unwrap();
    assert_eq!(status.code(), Some(0));
    let out = project.text("out.txt");
    assert!(out.contains(VERSION) && out.contains("verdict: pass"), "{out}");
}
