//! `yarn.lock`: Yarn 1 has a format of its own, later releases write YAML. Which one it is, the content tells.

use super::{Format, yarn_berry, yarn_classic};

pub(super) static FORMAT: Format = Format {
    name: "yarn",
    about: "yarn.lock of Yarn 1 and later",
    files: &["yarn.lock"],
    looks_like: |text| yarn_classic::looks_like(text) || yarn_berry::looks_like(text),
    reader: |text| if yarn_berry::looks_like(text) { yarn_berry::read(text) } else { yarn_classic::read(text) },
};
