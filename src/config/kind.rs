//! Kinds of gate as the configuration sees them: rows handed in by the families, and the keys that are theirs.

use std::any::Any;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use toml::de::DeTable;

use super::problems::Problem;
use super::reading::{self, Keys, keys_of};

/// How output is judged when a gate has a command and says neither `format` nor `reports`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bare {
    /// Its format is recognised by its content (`auto`): the kind promises findings or tests.
    ByContent,
    /// By the exit status alone.
    ByExitStatus,
    /// A command is only one way to do what the kind does by itself: it is not judged.
    Unjudged,
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
    pub(super) keys: fn() -> Keys,
    pub(super) schema: fn(&mut SchemaGenerator) -> Schema,
    pub(super) read: fn(&DeTable<'_>) -> (Own, Vec<Problem>),
}

impl KindRow {
    /// A kind whose own keys are those of the struct `T`, which needs `#[serde(default, deny_unknown_fields,
    /// rename_all = "kebab-case")]`; its defaults are `T::default()`.
    #[must_use]
    pub const fn of<T>(name: &'static str, about: &'static str, bare: Bare) -> Self
    where
        T: DeserializeOwned + JsonSchema + Default + Send + Sync + 'static,
    {
        Self { name, about, bare, keys: keys_of::<T>, schema: T::json_schema, read: read::<T> }
    }
}

/// A deployer: one of the keys of `deploy = { … }` is its name.
#[derive(Debug, Clone, Copy)]
pub struct DeployerRow {
    /// The key.
    pub name: &'static str,
    /// One phrase for the schema and the README's table.
    pub about: &'static str,
    pub(super) keys: fn() -> Keys,
    pub(super) schema: fn(&mut SchemaGenerator) -> Schema,
    pub(super) read: fn(&DeTable<'_>) -> (Own, Vec<Problem>),
}

impl DeployerRow {
    /// A deployer whose keys are those of the struct `T`, one of which is `name`; as for [`KindRow::of`].
    #[must_use]
    pub const fn of<T>(name: &'static str, about: &'static str) -> Self
    where
        T: DeserializeOwned + JsonSchema + Default + Send + Sync + 'static,
    {
        Self { name, about, keys: keys_of::<T>, schema: T::json_schema, read: read::<T> }
    }
}

/// The entries of a gate that are its kind's own, as the type of that kind.
#[derive(Debug, Clone)]
pub struct Own(Arc<dyn Any + Send + Sync>);

impl Own {
    /// The kind's own settings.
    ///
    /// # Errors
    /// For any type but the one that the kind's row was made with.
    pub fn read<T: Clone + 'static>(&self) -> Result<T, Vec<Problem>> {
        let other = || vec![Problem::new(0..0, "the settings were read as those of another kind".to_owned())];
        self.0.downcast_ref::<T>().cloned().ok_or_else(other)
    }
}

pub(super) fn read<T>(gate: &DeTable<'_>) -> (Own, Vec<Problem>)
where
    T: DeserializeOwned + JsonSchema + Default + Send + Sync + 'static,
{
    let (read, problems) = reading::read::<T>(gate);
    (Own(Arc::new(read)), problems)
}
