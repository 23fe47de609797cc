//! Which variables hold secrets, by their names.

/// Words that say so wherever they stand in a name, or end a longer word.
const SECRET: [&str; 7] = ["TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIALS", "APIKEY"];
/// Words that say so at the end of a name.
const LAST: [&str; 4] = ["AUTH", "CREDENTIAL", "PASS", "PAT"];
/// What a `KEY` is of, where it is a secret: a `CACHE_KEY` is none.
const KEYS: [&str; 11] =
    ["ACCESS", "ACCOUNT", "API", "AUTH", "DEPLOY", "ENCRYPTION", "MASTER", "PRIVATE", "SECRET", "SIGNING", "SSH"];
/// Last words of names whose values only lead to a secret, or tell of one.
const TELLS: [&str; 10] = ["DIR", "FILE", "HOST", "ID", "LENGTH", "NAME", "PATH", "TTL", "TYPE", "USER"];

/// Names that say otherwise than their last word, behind others' words too: halves of a login.
const NAMED: [&str; 2] = ["VAULT_SECRET_ID", "MYSQL_PWD"];

/// Whether a variable is named like a secret (`DB_PASSWORD_PROD`, `GPG_PASSPHRASE`, `DEPLOY_KEY`, `API_KEY_V2`).
#[must_use]
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    if NAMED.iter().any(|named| name.ends_with(named)) {
        return true;
    }
    let words: Vec<&str> = name.split(['_', '-', '.']).collect();
    let Some(last) = words.last().filter(|last| !TELLS.contains(last)) else { return false };
    LAST.contains(last) && words.len() > 1
        || words.iter().any(|word| SECRET.iter().any(|secret| word.ends_with(secret)))
        || words.windows(2).any(|pair| pair[1] == "KEY" && KEYS.contains(&pair[0]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_secrets() {
        for name in [
            "GITHUB_TOKEN",
            "ghtoken",
            "TOKEN_1",
            "STRIPE_SECRET_KEY",
            "AWS_SECRET_ACCESS_KEY",
            "DB_PASSWORD_PROD",
            "DB_PASS",
            "GPG_PASSPHRASE",
            "DEPLOY_KEY",
            "SIGNING_KEY",
            "API_KEY_V2",
            "OPENAI_APIKEY",
            "NPM_AUTH",
            "MY_PAT",
            "GOOGLE_CREDENTIALS",
            "VAULT_SECRET_ID",
            "CI_VAULT_SECRET_ID",
            "MYSQL_PWD",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "PATH",
            "PWD",
            "OLDPWD",
            "CACHE_KEY",
            "KEY",
            "PASS",
            "SSH_AUTH_SOCK",
            "TOKEN_FILE",
            "AWS_ACCESS_KEY_ID",
            "SECRET_NAME",
            "VAULT_ROLE_ID",
            "COMPASS",
            "TOKENIZERS_PARALLELISM",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
