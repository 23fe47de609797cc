//! Roles that migrations name and do not make: production has them, a scratch server has none. They are made on a server
//! of our own alone, as roles that may do nothing, and told of.

use sqlx::{AssertSqlSafe, Executor as _};

use super::Postgres;
use crate::model::migration::StatementError;

/// An undefined object, and what SET ROLE calls an invalid value.
const CODES: [&str; 2] = ["42704", "22023"];

/// The role that a statement was refused for the lack of, by the server's own words.
pub(super) fn missing(error: &StatementError) -> Option<&str> {
    let is_one = error.code.as_deref().is_some_and(|code| CODES.contains(&code));
    error.message.strip_prefix("role \"")?.strip_suffix("\" does not exist").filter(|_| is_one)
}

/// Whether a statement drops roles: what lacks one of those later lacks it in production too.
pub(super) fn drops(sql: &str) -> bool {
    let mut words = sql.split_whitespace();
    let mut is = |wanted: &[&str]| {
        words.next().is_some_and(|word| wanted.iter().any(|wanted| word.eq_ignore_ascii_case(wanted)))
    };
    is(&["drop"]) && is(&["role", "user", "group"])
}

/// A transaction hears of a new role when it opens a table that it had not opened.
pub(super) const HEAR: &str = "SELECT FROM pg_catalog.pg_auth_members LIMIT 0; ROLLBACK TO SAVEPOINT gatepost";

impl Postgres {
    /// The error of a statement, with what to do where roles are not ours to make.
    pub(super) fn with_advice(&self, error: StatementError) -> StatementError {
        if self.keeper.is_none() || missing(&error).is_none() {
            return error;
        }
        let advice = "gatepost makes no role on a server that was named: make it there as production has it".to_owned();
        StatementError { hint: Some(error.hint.map_or(advice.clone(), |hint| format!("{hint}; {advice}"))), ..error }
    }

    /// Makes the role that a statement lacked; whether it is there now.
    pub(super) async fn make_role(&mut self, error: &StatementError) -> bool {
        let Some(name) = missing(error) else { return false };
        let was_there =
            self.roles.iter().any(|known| known == name) || self.dropped.iter().any(|sql| sql.contains(name));
        if was_there || self.keeper.is_some() {
            return false;
        }
        // One that the open transaction dropped would be waited for.
        let sql = format!(
            "BEGIN; SET LOCAL lock_timeout = '1s'; CREATE ROLE \"{}\" NOLOGIN; COMMIT",
            name.replace('"', "\"\"")
        );
        if self.watcher.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.is_err() {
            let _ = self.watcher.execute(sqlx::raw_sql("ROLLBACK")).await;
            return false;
        }
        self.roles.push(name.to_owned());
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_role_is_known_by_code_and_words() {
        let error = |code: &str, message: &str| StatementError {
            message: message.to_owned(),
            code: Some(code.to_owned()),
            hint: None,
            line: 1,
            column: None,
        };
        assert_eq!(missing(&error("42704", "role \"service_role\" does not exist")), Some("service_role"));
        assert_eq!(missing(&error("22023", "role \"a \"\" b\" does not exist")), Some("a \"\" b"));
        assert_eq!(missing(&error("P0001", "role \"app\" does not exist")), None, "a migration's own words");
        assert_eq!(missing(&error("42704", "type \"app\" does not exist")), None);
        assert!(drops("Drop  User if exists app") && !drops("DROP TABLE role") && !drops("CREATE ROLE app"));
    }
}
