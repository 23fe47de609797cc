//! Which variables hold secrets, by their names.

/// Words that say so wherever they stand in a name, or end a longer word; several of them, and numbered ones too.
const SECRET: [&str; 6] = ["TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL"];
/// Words that say so at the end of a name.
const LAST: [&str; 3] = ["AUTH", "PASS", "PAT"];
/// What a `KEY` is of, where it is a secret wherever it stands, or is written as one word with it.
const KEYS: [&str; 11] =
    ["ACCESS", "ACCOUNT", "API", "AUTH", "DEPLOY", "ENCRYPTION", "MASTER", "PRIVATE", "SECRET", "SIGNING", "SSH"];
/// What a `KEY` at the end of a name is of, where it is none.
const PLAIN_KEYS: [&str; 14] = [
    "BUCKET",
    "CACHE",
    "FOREIGN",
    "HOST",
    "HOT",
    "INDEX",
    "LOCK",
    "OBJECT",
    "PARTITION",
    "PRIMARY",
    "PUBLIC",
    "REGISTRY",
    "ROUTING",
    "SORT",
];
/// Whose `PWD` is a password and no folder.
const LOGINS: [&str; 10] = ["ADMIN", "DATABASE", "DB", "FTP", "LDAP", "MYSQL", "PG", "POSTGRES", "REDIS", "SMTP"];
/// Last words of names whose values only lead to a secret, or tell of one.
const TELLS: [&str; 10] = ["DIR", "FILE", "HOST", "ID", "LENGTH", "NAME", "PATH", "TTL", "TYPE", "USER"];

/// A name that says otherwise than its last word, behind others' words too: half of a login.
const NAMED: &str = "VAULT_SECRET_ID";

/// Whether a variable is named like a secret (`DB_PASSWORD_PROD`, `GPG_PASSPHRASE`, `DEPLOY_KEY`, `API_KEY_V2`).
#[must_use]
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    if name.ends_with(NAMED) {
        return true;
    }
    let words: Vec<&str> = name.split(['_', '-', '.']).map(|word| word.trim_end_matches(char::is_numeric)).collect();
    let says = |word: &str, secret: &str| word.strip_suffix('S').unwrap_or(word).ends_with(secret);
    let is_key = |word: &&str| {
        let of = word.strip_suffix("KEY").or_else(|| word.strip_suffix("KEYS"));
        of.is_some_and(|of| KEYS.iter().any(|kind| of.ends_with(kind)))
    };
    let Some(last) = words.last().filter(|last| !TELLS.contains(last)) else { return false };
    LAST.contains(last) && words.len() > 1
        || words.iter().any(|word| SECRET.iter().any(|secret| says(word, secret)))
        || words.iter().any(is_key)
        || words.windows(2).any(|pair| matches!(pair[1], "KEY" | "KEYS") && KEYS.contains(&pair[0]))
        || matches!(words[..], [.., of, "KEY"] if !PLAIN_KEYS.contains(&of))
        || matches!(words[..], [.., of, "PWD"] if LOGINS.contains(&of))
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
            "DB_PWD",
            "TOKEN2",
            "AUTHTOKEN1",
            "MYTOKENS",
            "MYSECRETS",
            "DB_PASSWORD1",
            "PASSWORDS",
            "SECRETKEY",
            "MYSECRETKEY",
            "CLIENTSECRET2",
            "SIGNINGKEY",
            "API_KEYS",
            "OPENAI_KEY",
            "CREDENTIAL",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "PATH",
            "PWD",
            "OLDPWD",
            "CACHE_KEY",
            "PUBLIC_KEY",
            "MONKEY",
            "OLD_PWD",
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
