//! How long work takes on tables of production's size. The rates are those of a small server whose data is not in
//! memory: an estimate is there to tell a second from a minute.

use std::collections::BTreeMap;

use crate::model::finding::Level;

/// Bytes of a table read in a second.
const READ: f64 = 150e6;
/// Bytes of a table and its indexes written anew in a second.
const WRITE: f64 = 40e6;
/// Rows sorted into an index in a second.
const SORT: f64 = 600e3;
/// Up to here a pause goes unnoticed, in seconds.
const UNNOTICED: f64 = 0.5;
/// From here on an outage is certain, in seconds.
const OUTAGE: f64 = 5.0;

/// The query that makes the file of sizes, run on production.
pub const QUERY: &str = "\
COPY (
  SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS table,
         greatest(c.reltuples, 0)::bigint AS rows, pg_total_relation_size(c.oid) AS bytes
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  ORDER BY 3 DESC
) TO STDOUT WITH (FORMAT csv, HEADER);
";

/// What is done to a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Read once.
    Scan,
    /// Written anew, with its indexes.
    Rewrite,
    /// Read, sorted and written.
    Index,
}

/// What tables have in them, by `schema.name`.
#[derive(Debug, Clone, Default)]
pub struct Sizes(BTreeMap<String, Size>);

#[derive(Debug, Clone, Copy)]
struct Size {
    rows: f64,
    bytes: f64,
}

impl Sizes {
    /// Reads `table,rows,bytes` lines; the heading is optional.
    ///
    /// # Errors
    /// When a line is no such thing; the text says which.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut sizes = BTreeMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || (number == 1 && line.to_ascii_lowercase().starts_with("table")) {
                continue;
            }
            let mut parts = line.rsplitn(3, ',');
            let (bytes, rows, table) = (parts.next(), parts.next(), parts.next());
            let (Some(table), Some(Ok(rows)), Some(Ok(bytes))) =
                (table, rows.map(|it| it.trim().parse::<f64>()), bytes.map(|it| it.trim().parse::<f64>()))
            else {
                return Err(format!("line {number} is not `table,rows,bytes`: {line:?}"));
            };
            let table = table.trim().trim_matches('"');
            let table = if table.contains('.') { table.to_owned() } else { format!("public.{table}") };
            sizes.insert(table, Size { rows, bytes });
        }
        Ok(Self(sizes))
    }

    fn seconds(&self, table: &str, work: Work) -> Option<f64> {
        let size = self.0.get(table)?;
        Some(match work {
            Work::Scan => size.bytes / READ,
            Work::Rewrite => size.bytes / WRITE,
            Work::Index => size.bytes / READ + size.rows / SORT,
        })
    }

    /// `, about 40 s on public.orders`; empty where the size is not known.
    #[must_use]
    pub fn words(&self, table: &str, work: Work) -> String {
        let Some(seconds) = self.seconds(table, work) else { return String::new() };
        let time = match seconds {
            short if short < 1.0 => "less than a second".to_owned(),
            some if some < 120.0 => format!("about {some:.0} s"),
            long => format!("about {:.0} min", long / 60.0),
        };
        format!(", {time} on {table}")
    }

    /// How bad that is; `None` where the size is not known.
    #[must_use]
    pub fn level(&self, table: &str, work: Work) -> Option<Level> {
        Some(match self.seconds(table, work)? {
            short if short < UNNOTICED => Level::Note,
            some if some < OUTAGE => Level::Warning,
            _ => Level::Error,
        })
    }
}
