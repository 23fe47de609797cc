//! Which machine this is, as long as it is up: by it a lock's holder is known to be a neighbour, whose process can be
//! looked at.

use std::path::Path;

use crate::world::env::Env;
use crate::world::files;

/// A word that no other machine has, and that this one has until it is started again.
#[must_use]
pub fn id(env: &Env) -> String {
    let read = |path: &str| {
        let bytes = files::read(Path::new(path)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).trim().to_owned()
    };
    let boot = read("/proc/sys/kernel/random/boot_id");
    // Containers of one machine share its boot, and not their processes.
    format!("{}/{boot}", name(env))
}

/// What people call it.
#[must_use]
pub fn name(env: &Env) -> String {
    let given = files::read(Path::new("/proc/sys/kernel/hostname")).unwrap_or_default();
    let name = String::from_utf8_lossy(&given).trim().to_owned();
    if name.is_empty() { env.get("HOSTNAME").unwrap_or("this machine").to_owned() } else { name }
}
