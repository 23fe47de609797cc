//! The environment of a command: what many commands share is kept, and put into the system's form, once.

use std::ffi::{CStr, CString, NulError, OsStr, OsString};
use std::sync::{Arc, OnceLock};

/// A variable's name and value.
pub type Variable = (OsString, OsString);

/// The whole environment of a command.
#[derive(Debug, Clone)]
pub struct Environ {
    shared: Arc<Shared>,
    own: Vec<Variable>,
}

#[derive(Debug)]
struct Shared {
    variables: Vec<Variable>,
    entries: OnceLock<Vec<CString>>,
}

impl Environ {
    /// An environment that others can be made of.
    #[must_use]
    pub fn new(variables: Vec<Variable>) -> Self {
        Self { shared: Arc::new(Shared { variables, entries: OnceLock::new() }), own: Vec::new() }
    }

    /// This environment and one variable more, whose name it does not have.
    #[must_use]
    pub fn with(&self, name: &str, value: &OsStr) -> Self {
        let mut more = self.clone();
        more.own.push((name.into(), value.to_owned()));
        more
    }

    /// A variable's value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_os_str())
    }

    /// Every variable.
    pub fn iter(&self) -> impl Iterator<Item = &Variable> {
        self.shared.variables.iter().chain(&self.own)
    }

    /// Gives `take` every variable as the system takes it: `NAME=value`, ended by a NUL.
    ///
    /// # Errors
    /// When a name or a value holds a NUL.
    pub fn as_entries<T>(&self, take: impl FnOnce(&[&CStr]) -> T) -> Result<T, NulError> {
        let shared = if let Some(shared) = self.shared.entries.get() {
            shared
        } else {
            let entries = self.shared.variables.iter().map(entry).collect::<Result<_, _>>()?;
            self.shared.entries.get_or_init(|| entries)
        };
        let own = self.own.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
        let all: Vec<&CStr> = shared.iter().chain(&own).map(CString::as_c_str).collect();
        Ok(take(&all))
    }
}

fn entry((name, value): &Variable) -> Result<CString, NulError> {
    CString::new([name.as_encoded_bytes(), b"=", value.as_encoded_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shared_is_the_same_for_all_and_a_nul_is_refused() {
        let shared = Environ::new(vec![("PATH".into(), "/bin".into())]);
        let gates = ["/a", "/b"].map(|value| shared.with("OUTPUT", OsStr::new(value)));
        let entries = |gate: &Environ| {
            gate.as_entries(|entries| {
                entries.iter().map(|entry| entry.to_str().unwrap().to_owned()).collect::<Vec<_>>()
            })
        };
        assert_eq!(entries(&gates[0]).unwrap(), ["PATH=/bin", "OUTPUT=/a"]);
        assert_eq!(entries(&gates[1]).unwrap(), ["PATH=/bin", "OUTPUT=/b"]);
        assert_eq!((gates[1].get("PATH"), gates[1].get("OUTPUT")), (Some(OsStr::new("/bin")), Some(OsStr::new("/b"))));
        assert!(entries(&shared.with("X", OsStr::new("a\0b"))).is_err());
    }
}
