//! Which values of the environment are secrets: what makes the masker of a run.

use crate::mask::{Masker, names};
use crate::model::secret::Secret;
use crate::world::env::Env;

/// A password of fewer bytes may be a word of many texts, as `postgres` is.
const LONG: usize = 10;

/// Knows the secrets of this environment: what is given to gates on purpose, what is named like a secret, and passwords of
/// proxies. Not those of other addresses: `postgres` is the password of many a test's database, and a word of many a path.
#[must_use]
pub fn masker(env: &Env, pass_env: &[String]) -> Masker {
    let is_secret = |name: &str| names::is_secret(name) || pass_env.iter().any(|passed| passed == name);
    let mut secrets = Vec::new();
    for (name, value) in env.iter() {
        let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
        let hidden = match &*name {
            name if is_secret(name) => [Some(&*value), login(&value), long_password(&value)],
            name if name.to_ascii_uppercase().ends_with("_PROXY") => [password(&value), None, None],
            _ => [None; 3],
        };
        secrets.extend(hidden.into_iter().flatten().flat_map(spellings));
    }
    Masker::new(&secrets)
}

/// A value as it is shown, and where not all of it is text the parts that are: a log has the bytes between them.
fn spellings(value: &str) -> impl Iterator<Item = Secret> {
    let parts = value.split(char::REPLACEMENT_CHARACTER).filter(|part| part.len() < value.len());
    std::iter::once(value).chain(parts).map(|part| Secret::new(part.to_owned()))
}

/// Who logs in at an address, as it is written there, with the `@` behind: it stands in other addresses of that server
/// too. The scheme may be left out.
fn login(address: &str) -> Option<&str> {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let place = rest.split(['/', '?', '#']).next()?;
    Some(&place[..=place.rfind('@')?]).filter(|login| login.contains(':'))
}

/// The password in an address.
fn password(address: &str) -> Option<&str> {
    let (_, password) = login(address)?.trim_end_matches('@').split_once(':')?;
    Some(password).filter(|password| !password.is_empty())
}

/// One that is no word of other texts: not the user's name, and of some length.
fn long_password(address: &str) -> Option<&str> {
    let user = login(address)?.split(':').next()?;
    password(address).filter(|password| password.len() >= LONG && *password != user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_secret_that_is_no_text_is_known_by_what_is_shown_of_it() {
        use std::os::unix::ffi::OsStrExt;
        let value = std::ffi::OsStr::from_bytes(b"hunter\xff2-and-more");
        let env = Env::from_iter([("DB_PASSWORD", value)]);
        let masker = masker(&env, &[]);
        assert_eq!(masker.mask("as hunter\u{fffd}2-and-more"), "as ***");
        assert_eq!(masker.mask("hunter?2-and-more"), "***?***");
    }

    #[test]
    fn passwords_of_addresses_are_secrets() {
        let env = Env::from_iter([
            ("https_proxy", "http://ana:pr0xyw0rd@proxy.example:3128"),
            ("ALL_PROXY", "bo:a@t%2Fw0rd@proxy.example/?x=c:d@e"),
            ("NO_PROXY", "shop.example,.test"),
            ("DATABASE_URL", "postgres://postgres:postgres@localhost/shop"),
            ("STAGE_URL", "postgres://shop:correcthorse@db/shop"),
            ("TEST_URL", "mysql://root:root@db/shop"),
        ]);
        let masker = masker(&env, &["STAGE_URL".to_owned(), "TEST_URL".to_owned()]);
        for (text, masked) in [
            ("via http://ana:pr0xyw0rd@proxy.example:3128", "via http://ana:***@proxy.example:3128"),
            ("http://bo:a@t%2Fw0rd@proxy.example/", "http://bo:***@proxy.example/"),
            ("src/postgres/mod.rs of shop.example", "src/postgres/mod.rs of shop.example"),
            ("postgres://shop:correcthorse@db/other", "postgres://***db/other"),
            ("its password is correcthorse", "its password is ***"),
            ("mysql://root:root@db/other in /root", "mysql://***db/other in /root"),
        ] {
            assert_eq!(masker.mask(text), masked);
        }
    }
}
