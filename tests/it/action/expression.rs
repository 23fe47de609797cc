//! The part of GitHub's expression language that the action uses. Anything else is a panic: a harness that guesses
//! proves nothing.

use std::collections::BTreeMap;

/// What expressions can name: `inputs.x`, `github.x`, `strategy.x`, `steps.id.outputs.x`.
#[derive(Debug, Default, Clone)]
pub struct Contexts {
    pub inputs: BTreeMap<String, String>,
    pub github: BTreeMap<String, String>,
    pub strategy: BTreeMap<String, String>,
    /// The outputs of the steps that have run, by id; a step that was skipped has none.
    pub steps: BTreeMap<String, BTreeMap<String, String>>,
}

/// Puts the values of every `${{ … }}` into a text.
pub fn fill(text: &str, contexts: &Contexts) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        let (expression, after) = after.split_once("}}").unwrap_or_else(|| panic!("{text}: no end of an expression"));
        out += before;
        out += &value(expression, contexts);
        rest = after;
    }
    out + rest
}

/// Whether a condition holds; a step that failed before it would have ended the job.
pub fn holds(condition: &str, contexts: &Contexts) -> bool {
    !matches!(value(condition, contexts).as_str(), "" | "false")
}

/// Operators from loose to tight: `||`, `==`, then one operand. Values are strings.
fn value(expression: &str, contexts: &Contexts) -> String {
    let either = expression.split("||").map(|part| match part.split_once("==") {
        // GitHub compares strings without regard to case.
        Some((left, right)) => operand(left, contexts).eq_ignore_ascii_case(&operand(right, contexts)).to_string(),
        None => operand(part, contexts),
    });
    let values: Vec<String> = either.collect();
    let first = values.iter().find(|value| !value.is_empty() && *value != "false");
    first.or(values.last()).cloned().unwrap_or_default()
}

fn operand(text: &str, contexts: &Contexts) -> String {
    let text = text.trim();
    if let Some(literal) = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        assert!(!literal.contains('\''), "unsupported literal: {text}");
        return literal.to_owned();
    }
    let path: Vec<&str> = text.split('.').collect();
    let found = match path[..] {
        ["inputs", name] => contexts.inputs.get(name).cloned(),
        ["github", name] => contexts.github.get(name).cloned(),
        ["strategy", name] => contexts.strategy.get(name).cloned(),
        // An output that a step did not write is empty, and so are those of a step that did not run.
        ["steps", id, "outputs", name] => {
            contexts.steps.get(id).map(|outputs| outputs.get(name).cloned().unwrap_or_default())
        }
        _ => None,
    };
    found.unwrap_or_else(|| panic!("unsupported or undefined in an expression: {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contexts() -> Contexts {
        let of = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Contexts {
            inputs: of(&[("a", "x y"), ("none", ""), ("nested", "${{ inputs.a }}")]),
            github: of(&[("token", "t")]),
            strategy: of(&[("job-total", "2")]),
            steps: BTreeMap::from([("find".to_owned(), of(&[("fresh", "true")]))]),
        }
    }

    #[test]
    fn what_the_action_uses_is_evaluated() {
        let fill = |text: &str| fill(text, &contexts());
        assert_eq!(fill("[${{ inputs.a }}|${{github.token}}|${{ strategy.job-total }}]"), "[x y|t|2]");
        assert_eq!(fill("${{ steps.find.outputs.missing || inputs.none || 'last' }}"), "last");
        assert_eq!(fill("${{ steps.find.outputs.fresh || 'last' }}"), "true");
        assert_eq!(fill("${{ inputs.nested }}"), "${{ inputs.a }}", "a value is not evaluated again");
        assert!(holds("steps.find.outputs.fresh == 'true'", &contexts()));
        assert!(!holds("steps.find.outputs.missing == 'true'", &contexts()));
    }

    #[test]
    fn anything_else_is_a_loud_failure() {
        for text in [
            "inputs.b",
            "github.actor",
            "steps.other.outputs.x",
            "env.HOME",
            "always()",
            "!inputs.a",
            "inputs.a && 'x'",
        ] {
            let expression = format!("${{{{ {text} }}}}");
            assert!(std::panic::catch_unwind(|| fill(&expression, &contexts())).is_err(), "{text}");
        }
        assert!(std::panic::catch_unwind(|| fill("${{ inputs.a", &contexts())).is_err());
    }
}
