//! Kinds of gate as the configuration sees them: rows handed in by the families, and the keys that are theirs.

use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

use super::problems::Problem;
use super::reading::{self, keys_of};
use crate::model::gate::GateName;

/// How output is judged when a gate has a command and says neither `format` nor `reports`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bare {
    /// Its format is recognised by its content (`auto`): the kind promises findings or tests.
    ByContent,
    /// By the exit status alone.
    ByExitStatus,
    /// There is no command: the kind looks for itself.
    Itself,
}

/// A kind of gate.
#[derive(Debug, Clone, Copy)]
pub struct KindRow {
    /// As in `kind = "…"`.
    pub name: &'static str,
    /// One phrase for the schema and the README's table.
    pub about: &'static str,
    /// How a command without `format` and `reports` is judged.
    pub bare: Bare,
    pub(super) schema: fn(&mut SchemaGenerator) -> Schema,
    pub(super) check: fn(&Own) -> Vec<Problem>,
}

impl KindRow {
    /// A kind whose own keys are those of the struct `T`, which needs `#[serde(default, deny_unknown_fields,
    /// rename_all = "kebab-case")]`; its defaults are `T::default()`.
    #[must_use]
    pub const fn of<T>(name: &'static str, about: &'static str, bare: Bare) -> Self
    where
        T: DeserializeOwned + JsonSchema + Default,
    {
        Self { name, about, bare, schema: T::json_schema, check: |own| own.read::<T>().err().unwrap_or_default() }
    }
}

/// The entries of a gate that are its kind's own, as they stand in the file.
#[derive(Debug, Clone)]
pub struct Own {
    pub(super) source: Arc<str>,
    pub(super) gate: GateName,
}

impl Own {
    /// Reads the kind's own keys.
    ///
    /// # Errors
    /// Every entry that is not as `T` wants it. None for the type the kind's row was made with: `config::read` has
    /// looked already.
    pub fn read<T: DeserializeOwned + JsonSchema + Default>(&self) -> Result<T, Vec<Problem>> {
        let keys = keys_of::<T>();
        // Parsed again: the tree borrows the text, and nobody should have to carry that lifetime about.
        let (document, _) = DeTable::parse_recoverable(&self.source);
        let gates = document.get_ref().get("gates").map(toml::Spanned::get_ref);
        let gate = gates.and_then(DeValue::as_table).and_then(|gates| gates.get(self.gate.as_str()));
        let entries = gate.and_then(|gate| gate.get_ref().as_table()).into_iter().flatten();
        let own: DeTable<'_> = entries
            .filter(|(key, _)| keys.contains_key(key.get_ref().as_ref()))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let (read, problems) = reading::read(&own, &keys);
        if problems.is_empty() { Ok(read) } else { Err(problems) }
    }
}
