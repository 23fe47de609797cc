//! Which machine this is, as long as it is up: by it a lock's holder is known to be a neighbour, whose process can be
//! looked at.

use crate::world::env::Env;
use crate::world::process;

/// A word that no other machine has, and that this one has until it is started again. Empty where nothing tells when it was
/// started: then nobody is its neighbour.
#[must_use]
pub fn id(env: &Env) -> String {
    let boot = process::boot();
    // Containers of one machine share its boot, and not their processes.
    if boot.is_empty() { boot } else { format!("{}/{boot}", name(env)) }
}

/// What people call it.
#[must_use]
pub fn name(env: &Env) -> String {
    let name = process::host();
    if name.is_empty() { env.get("HOSTNAME").unwrap_or("this machine").to_owned() } else { name }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::world::files;

    #[test]
    fn a_machine_is_known_by_its_name_and_the_word_of_its_boot() {
        let read = |path: &str| String::from_utf8(files::read(Path::new(path)).unwrap()).unwrap().trim().to_owned();
        let env = Env::from_iter([("HOSTNAME", "another")]);
        let host = read("/proc/sys/kernel/hostname");
        assert_eq!(name(&env), host);
        let boot = read("/proc/sys/kernel/random/boot_id");
        // Those of another namespace of processes are no neighbours.
        let numbers = if cfg!(feature = "other-unix") { "" } else { "/pid:[" };
        assert!(id(&env).starts_with(&format!("{host}/{boot}{numbers}")), "{}", id(&env));
    }
}
