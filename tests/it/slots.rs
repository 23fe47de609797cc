//! The shop in two slots: two processes on two ports, a door in front that reads from a file who gets how much, and a hook
//! that writes the file.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shop::{Running, git, shop};

/// A port that was free a moment ago.
fn port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Opens the door: `/blue/…` and `/green/…` lead to the slots, everything else where the file says, by turns.
fn door(place: PathBuf, slots: [u16; 2]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().flatten().enumerate() {
            let place = place.clone();
            std::thread::spawn(move || drop(pass(stream, number, &place, slots)));
        }
    });
    port
}

fn pass(mut customer: TcpStream, number: usize, place: &Path, slots: [u16; 2]) -> std::io::Result<()> {
    let mut head = String::new();
    let mut reader = BufReader::new(&customer);
    while reader.read_line(&mut head)? > 2 {}
    let by_path = ["/blue/", "/green/"].iter().position(|slot| head.starts_with(&format!("GET {slot}")));
    let slot = by_path.unwrap_or_else(|| {
        let said = std::fs::read_to_string(place.join("traffic")).unwrap_or_default();
        let (slot, weight) = said.trim().split_once(' ').unwrap_or(("blue", "100"));
        let named = usize::from(slot == "green");
        // Every weight gets its turn soon.
        if number * 37 % 100 < weight.parse().unwrap_or(100) { named } else { 1 - named }
    });
    let head = head.replacen("GET /blue/", "GET /", 1).replacen("GET /green/", "GET /", 1);
    let mut shop = TcpStream::connect(("127.0.0.1", slots[slot]))?;
    shop.write_all(head.as_bytes())?;
    let mut answer = Vec::new();
    shop.read_to_end(&mut answer)?;
    customer.write_all(&answer)
}

/// What answers at the door, many times.
fn answers(door: u16) -> Vec<String> {
    let ask = |_| {
        let mut stream = TcpStream::connect(("127.0.0.1", door)).unwrap();
        stream.write_all(b"GET /api/health HTTP/1.1\r\nHost: shop\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split("\"commit\":\"").nth(1).map_or(answer.clone(), |rest| rest[..40].to_owned())
    };
    let mut all: Vec<String> = (0..20).map(ask).collect();
    all.sort();
    all.dedup();
    all
}

/// Has the shop deployed to two slots behind a door, whose port is the answer.
fn two_slots(shop: &Path, place: &Path) -> u16 {
    let [blue, green] = [port(), port()];
    let door = door(place.to_owned(), [blue, green]);
    let shown = place.display();
    let script = format!(
        "#!/bin/sh\nset -eu\ncase $GATEPOST_SLOT in blue) port={blue} ;; green) port={green} ;; esac\n\
         mkdir -p {shown}/build {shown}/$GATEPOST_SLOT\nln -sfn ../build {shown}/$GATEPOST_SLOT/build\n\
         SHOP_PLACE={shown}/$GATEPOST_SLOT GATEPOST_URL=http://127.0.0.1:$port exec ./deploy.sh\n"
    );
    std::fs::write(shop.join("slot.sh"), script).unwrap();
    let config = std::fs::read_to_string(shop.join("gatepost.toml")).unwrap();
    let (gates, _) = config.split_once("[environments.staging]").unwrap();
    let config = format!(
        "{gates}[environments.staging]\ndeploy = {{ command = [\"sh\", \"slot.sh\"] }}\nurl = \"http://127.0.0.1:{door}\"\n\
         preview = \"http://127.0.0.1:{door}/{{slot}}\"\nhealth = [\"/api/health\", \"/api/ready\"]\nrequires = []\n\
         verify = {{ version = {{ path = \"/api/health\", json = \"$.commit\" }}, interval = \"50ms\", grace = \"10s\" }}\n\
         strategy = \"canary\"\nweight = \"echo $GATEPOST_SLOT $GATEPOST_WEIGHT >{shown}/traffic\"\n\
         steps = [{{ weight = 40, watch = \"0s\", pause = true }}]\n"
    );
    std::fs::write(shop.join("gatepost.toml"), config).unwrap();
    door
}

#[test]
fn a_canary_of_the_shop_goes_up_beside_the_old_one_and_back_again() {
    let shop = shop("slots");
    let place = shop.with_file_name("slots-place");
    let _ = std::fs::remove_dir_all(&place);
    let _running = ["blue", "green"].map(|slot| Running(place.join(slot)));
    let door = two_slots(&shop, &place);
    let commit = |what: &str| {
        git(&shop, &["add", "--all"]);
        git(&shop, &["-c", "user.name=Ada", "-c", "user.email=ada@shop.example", "commit", "-qm", what]);
        git(&shop, &["rev-parse", "HEAD"])
    };
    let gatepost = |arguments: &[&str]| {
        let needed = ["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"];
        let given = needed.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatepost"));
        let done = command.args(arguments).current_dir(&shop).env_clear().envs(given).output().unwrap();
        let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
        (done.status.code().unwrap(), said)
    };
    let old = commit("Two slots");
    let (code, said) = gatepost(&["deploy", "staging"]);
    assert_eq!((code, answers(door)), (0, vec![old.clone()]), "{said}");
    std::fs::write(shop.join("news"), "").unwrap();
    let new = commit("Another shop");
    let (code, said) = gatepost(&["deploy", "staging"]);
    assert_eq!(code, 4, "{said}");
    let mut both = vec![old.clone(), new.clone()];
    both.sort();
    assert_eq!(answers(door), both, "both processes sell: {said}");
    // Whichever of the two answers, nothing is wrong with it.
    for _ in 0..4 {
        let (_, status) = gatepost(&["status"]);
        assert!(status.contains(" healthy ") && !status.contains("answers as"), "{status}");
    }
    let (code, said) = gatepost(&["deploy", "staging", "--continue"]);
    assert_eq!((code, answers(door)), (0, vec![new.clone()]), "{said}");
    // The old process was left running: only traffic is moved.
    let (code, said) = gatepost(&["rollback", "staging"]);
    assert_eq!((code, answers(door)), (0, vec![old.clone()]), "{said}");
    assert!(!said.contains("started "), "{said}");
    std::fs::write(shop.join("sick"), "").unwrap();
    commit("A sick one");
    let config = std::fs::read_to_string(shop.join("gatepost.toml")).unwrap();
    std::fs::write(shop.join("gatepost.toml"), config.replace("grace = \"10s\"", "grace = \"2s\"")).unwrap();
    commit("Less patience");
    let (code, said) = gatepost(&["deploy", "staging"]);
    assert_eq!((code, answers(door)), (5, vec![old]), "{said}");
    assert!(said.contains("/api/health answered 503") && !said.contains("moved"), "{said}");
}
