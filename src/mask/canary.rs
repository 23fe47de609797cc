//! One secret, in every spelling and place in which it must not be seen again. For tests.

/// The secret.
pub(crate) const SECRET: &str = "p4ss/W0rd+k&y \"<x>'%zé";

/// What a tool might print: how it is spelt, and the text. Made with Python's and coreutils' own encoders.
pub(crate) const PLACEMENTS: &[(&str, &str)] = &[
    ("plain", "p4ss/W0rd+k&y \"<x>'%zé"),
    ("inside a word", "xp4ss/W0rd+k&y \"<x>'%zéy"),
    ("twice", "p4ss/W0rd+k&y \"<x>'%zép4ss/W0rd+k&y \"<x>'%zé"),
    ("in an address", "https://user:p4ss%2FW0rd%2Bk%26y%20%22%3Cx%3E%27%25z%C3%A9@host/"),
    ("base64, 0 before, 0 after", "cDRzcy9XMHJkK2smeSAiPHg+JyV6w6k="),
    ("base64, 0 before, 1 after", "cDRzcy9XMHJkK2smeSAiPHg+JyV6w6kh"),
    ("base64, 1 before, 0 after", "I3A0c3MvVzByZCtrJnkgIjx4PiclesOp"),
    ("base64, 1 before, 1 after", "I3A0c3MvVzByZCtrJnkgIjx4PiclesOpIQ=="),
    ("base64, 2 before, 0 after", "IyNwNHNzL1cwcmQrayZ5ICI8eD4nJXrDqQ=="),
    ("base64, 2 before, 1 after", "IyNwNHNzL1cwcmQrayZ5ICI8eD4nJXrDqSE="),
    ("base64, in a longer text", "dXNlcjpwNHNzL1cwcmQrayZ5ICI8eD4nJXrDqQogYW5kIG1vcmUgb2YgaXQ="),
    ("base64 for addresses, 0 before", "cDRzcy9XMHJkK2smeSAiPHg-JyV6w6k"),
    ("base64 for addresses, 1 before", "I3A0c3MvVzByZCtrJnkgIjx4PiclesOp"),
    ("base64 for addresses, 2 before", "IyNwNHNzL1cwcmQrayZ5ICI8eD4nJXrDqQ"),
    ("hexadecimal, lower", "703473732f573072642b6b267920223c783e27257ac3a9"),
    ("hexadecimal, upper", "703473732F573072642B6B267920223C783E27257AC3A9"),
    ("percent, everything", "p4ss%2FW0rd%2Bk%26y%20%22%3Cx%3E%27%25z%C3%A9"),
    ("percent, lower case", "p4ss%2fW0rd%2bk%26y%20%22%3cx%3e%27%25z%c3%a9"),
    ("percent, a component", "p4ss%2FW0rd%2Bk%26y%20%22%3Cx%3E'%25z%C3%A9"),
    ("percent, an address", "p4ss/W0rd+k&y%20%22%3Cx%3E'%25z%C3%A9"),
    ("form", "p4ss%2FW0rd%2Bk%26y+%22%3Cx%3E%27%25z%C3%A9"),
    ("JSON", "\"p4ss/W0rd+k&y \\\"<x>'%zé\""),
    ("JSON, ASCII", "\"p4ss/W0rd+k&y \\\"<x>'%z\\u00e9\""),
    ("JSON with escaped slashes", "\"p4ss\\/W0rd+k&y \\\"<x>'%zé\""),
    ("JSON for HTML", "\"p4ss/W0rd+k\\u0026y \\\"\\u003cx\\u003e'%zé\""),
    ("JSON in JSON", "\"\\\"p4ss/W0rd+k&y \\\\\\\"<x>'%zé\\\"\""),
    ("HTML", "p4ss/W0rd+k&amp;y &quot;&lt;x&gt;&#x27;%zé"),
    ("HTML without quotes", "p4ss/W0rd+k&amp;y \"&lt;x&gt;'%zé"),
    ("HTML, Go", "p4ss/W0rd+k&amp;y &#34;&lt;x&gt;&#39;%zé"),
    ("XML", "p4ss/W0rd+k&amp;y &quot;&lt;x&gt;&apos;%zé"),
    ("a shell word", "'p4ss/W0rd+k&y \"<x>'\"'\"'%zé'"),
    ("Python", "'p4ss/W0rd+k&y \"<x>\\'%zé'"),
    ("workflow command", "p4ss/W0rd+k&y \"<x>'%25zé"),
    ("split by a colour", "p4ss/W0\u{1b}[31mrd+k&y \"<x>'%zé"),
    ("split by an invisible character", "p4ss/W0rd+k\u{200b}&y \"<x>'%zé"),
];

/// Ten characters of a placement that belong to the secret.
pub(crate) fn needle(text: &str) -> String {
    let middle = text.chars().count() / 2 - 5;
    crate::model::text::clean(text).chars().skip(middle).take(10).collect()
}

/// Tokens that are known by their shape alone, put together here so that no scanner takes this file for a leak.
pub(crate) fn tokens() -> Vec<String> {
    let body = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5";
    let upper = "AB3DE5GH7JK9MN1P";
    let mut tokens: Vec<String> = [
        "ghp_",
        "gho_",
        "ghs_",
        "ghu_",
        "ghr_",
        "github_pat_",
        "npm_",
        "glpat-",
        "xoxb-",
        "xoxp-",
        "sk_live_",
        "rk_live_",
        "dckr_pat_",
        "pypi-AgE",
        "hooks.slack.com/services/",
    ]
    .iter()
    .map(|prefix| format!("{prefix}{body}"))
    .collect();
    tokens.push(format!("ghs_1234567_eyJ0eXAi.{body}-_.{body}"));
    tokens.extend(["AKIA", "ASIA"].iter().map(|prefix| format!("{prefix}{upper}")));
    for kind in ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "] {
        tokens.push(format!("-----BEGIN {kind}PRIVATE KEY-----\n{body}\n{body}\n-----END {kind}PRIVATE KEY-----"));
    }
    tokens.push(format!("-----BEGIN PRIVATE KEY-----\\n{body}\\n"));
    tokens
}
