//! What to do so that a lockfile takes a fixed version: a command of the tool that writes it, or which dependency to raise.

use super::version::Version;
use crate::model::package::{Ecosystem, Package};

/// What to do, where it is known; for names that a shell could take for more it is not.
#[must_use]
pub fn remedy(lockfile: &str, package: &Package, fixed: &str) -> Option<String> {
    let name = package.name.as_str();
    if ![name, package.version.as_str(), fixed].into_iter().all(is_plain) {
        return None;
    }
    let file = lockfile.rsplit('/').next().unwrap_or(lockfile);
    let major = |text: &str| Version::parse(package.ecosystem, text).map(|version| version.major());
    if major(fixed) != major(&package.version) && package.direct != Some(true) {
        // What needs it asks for the old one.
        return above(package).map(|above| format!("raise {above}, which needs {name} {}", package.version));
    }
    Some(match (package.ecosystem, file) {
        (Ecosystem::CratesIo, _) if major(fixed) != major(&package.version) => format!("cargo add {name}@{fixed}"),
        (Ecosystem::CratesIo, _) => format!("cargo update -p {name}@{} --precise {fixed}", package.version),
        (Ecosystem::Npm, "pnpm-lock.yaml") => format!("pnpm update {name}@{fixed}"),
        (Ecosystem::Npm, "yarn.lock") => format!("yarn upgrade {name}@{fixed}"),
        (Ecosystem::Npm, "bun.lock") => format!("bun update {name}@{fixed}"),
        (Ecosystem::Npm, _) if package.direct == Some(true) => format!("npm install {name}@{fixed}"),
        (Ecosystem::Npm, _) => format!("npm update {name}"),
        (Ecosystem::PyPi, "uv.lock") => format!("uv lock --upgrade-package {name}=={fixed}"),
        (Ecosystem::PyPi, "poetry.lock") => format!("poetry update {name}"),
        (Ecosystem::PyPi, "pdm.lock" | "pylock.toml") => format!("pdm update {name}"),
        (Ecosystem::PyPi, "Pipfile.lock") => format!("pipenv upgrade {name}"),
        // Nothing writes the pins of requirements.txt but whoever wrote them.
        (Ecosystem::PyPi, _) => return None,
        (Ecosystem::Go, _) if name == "stdlib" => format!("go get go@{fixed}"),
        (Ecosystem::Go, _) => format!("go get {name}@v{}", fixed.trim_start_matches('v')),
        (Ecosystem::RubyGems, _) => format!("bundle update --conservative {name}"),
        (Ecosystem::Packagist, _) => format!("composer update {name} --with-dependencies"),
    })
}

/// What asks for it, where that is another package.
fn above(package: &Package) -> Option<&str> {
    package.path.above().filter(|name| is_plain(name))
}

fn is_plain(word: &str) -> bool {
    let is_good = |c: char| c.is_ascii_alphanumeric() || "@/._+-!".contains(c);
    !word.is_empty() && !word.starts_with('-') && word.chars().all(is_good)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::package::Way;

    #[test]
    fn the_tool_of_the_lockfile_is_asked() {
        let package = |ecosystem, name: &str, direct| Package {
            ecosystem,
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            dev: false,
            direct,
            line: 1,
            path: Way::default(),
        };
        for (file, ecosystem, name, direct, says) in [
            ("a/Cargo.lock", Ecosystem::CratesIo, "time", None, Some("cargo update -p time@1.0.0 --precise 1.2.3")),
            ("package-lock.json", Ecosystem::Npm, "@a/b", Some(true), Some("npm install @a/b@1.2.3")),
            ("package-lock.json", Ecosystem::Npm, "b", None, Some("npm update b")),
            ("pnpm-lock.yaml", Ecosystem::Npm, "b", None, Some("pnpm update b@1.2.3")),
            ("uv.lock", Ecosystem::PyPi, "b", None, Some("uv lock --upgrade-package b==1.2.3")),
            ("requirements.txt", Ecosystem::PyPi, "b", None, None),
            ("go.mod", Ecosystem::Go, "golang.org/x/text", None, Some("go get golang.org/x/text@v1.2.3")),
            ("go.mod", Ecosystem::Go, "stdlib", None, Some("go get go@1.2.3")),
            ("Cargo.lock", Ecosystem::CratesIo, "a;rm -rf", None, None),
            ("Cargo.lock", Ecosystem::CratesIo, "-Zunstable", None, None),
        ] {
            assert_eq!(remedy(file, &package(ecosystem, name, direct), "1.2.3").as_deref(), says, "{file} {name}");
        }
        let direct = package(Ecosystem::CratesIo, "time", Some(true));
        assert_eq!(remedy("Cargo.lock", &direct, "2.0.0").as_deref(), Some("cargo add time@2.0.0"));
        let deep = Package { path: ["app", "chrono", "time"].into_iter().collect(), direct: Some(false), ..direct };
        assert_eq!(remedy("Cargo.lock", &deep, "2.0.0").as_deref(), Some("raise chrono, which needs time 1.0.0"));
        assert_eq!(remedy("Cargo.lock", &Package { path: Way::default(), ..deep }, "2.0.0"), None);
    }
}
