//! The nearest right word for a misspelt one. It offers, it never corrects.

/// The word of `among` that `word` was most likely meant to be; `None` when none is close. Case and `_` for `-`
/// do not count; else up to a third of the letters may differ.
#[must_use]
pub fn nearest<'a>(word: &str, among: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = plain(word);
    among
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &plain(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= wanted.len().max(candidate.len()).div_ceil(3).min(4))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// What to say about a word that is none of `among`: the nearest one, or all of them.
#[must_use]
pub fn advice(word: &str, among: &[&str]) -> String {
    match nearest(word, among.iter().copied()) {
        Some(right) => did_you_mean(right),
        None => format!("there is {}", listed(among)),
    }
}

/// Offers a word.
pub(super) fn did_you_mean(right: &str) -> String {
    format!("did you mean `{right}`?")
}

/// `a`, `b` and `c`.
#[must_use]
pub fn listed(words: &[&str]) -> String {
    match words {
        [] => "nothing to choose from".to_owned(),
        [only] => format!("`{only}`"),
        [first @ .., last] => format!("`{}` and `{last}`", first.join("`, `")),
    }
}

fn plain(word: &str) -> String {
    word.to_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_close_words_are_offered() {
        let among = ["pull_request", "push", "merge_group", "schedule"];
        assert_eq!(nearest("pull-request", among), Some("pull_request"));
        assert_eq!(nearest("PUSHH", among), Some("push"));
        assert_eq!(nearest("hsup", among), None);
        assert_eq!(nearest("deployment", among), None);
        assert_eq!(advice("comand", &["command", "format"]), "did you mean `command`?");
        assert_eq!(advice("zzz", &["lint", "test", "command"]), "there is `lint`, `test` and `command`");
    }
}
