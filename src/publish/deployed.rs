//! What is posted of a deploy, a rollback or a recovery: the page that its comment and the job's summary show, and the
//! step's outputs. The page is made from the story alone, while it goes on and when it is over.

use std::fmt::Write as _;

use crate::model::call::{LiveComment, Receipt, ReceiptEnd};
use crate::model::deployment::Ending;
use crate::model::sha::Sha;
use crate::model::story::{Deed, Story};
use crate::render::figures::count;
use crate::render::links::{Address, Site};
use crate::render::markdown::{Untrusted, prose, prose_cell};
use crate::render::terminal::elapsed;

/// The most stages that a page shows: the last ones.
const STAGES: usize = 40;
/// The most gates that are listed, and the most that is missing.
const LISTED: usize = 30;
/// The most characters of one line of it.
const LINE: usize = 300;

/// The comment about a deployment: one for each environment and deployment, whichever run continues it.
#[must_use]
pub fn comment(story: &Story, server: &str, pull_request: u64, deployment: &str) -> LiveComment {
    LiveComment {
        pull_request,
        marker: format!("deploy-{}-{deployment}", story.environment),
        body: page(story, server, &[]),
    }
}

/// Whether what is to be done next is a line for the shell.
fn is_command(text: &str) -> bool {
    ["gatepost ", "git "].iter().any(|program| text.starts_with(program))
}

/// The page, as Markdown, well below what a comment may have. Of `told` what went wrong is said at its end.
#[must_use]
pub fn page(story: &Story, server: &str, told: &[Receipt]) -> String {
    let site = story.repository.as_deref().and_then(|repository| Site::new(server, repository));
    let mut out = format!("### {}\n\n", headline(story));
    out += &facts(story, site.as_ref());
    out += &evidence(story);
    out += &stages(story);
    if let Some(next) = &story.next {
        let shown = match next.split_once(": ") {
            _ if is_command(next) => Untrusted(next).code(LINE),
            Some((what, how)) if is_command(how) => format!("{}: {}", prose(what, LINE), Untrusted(how).code(LINE)),
            _ => prose(next, LINE),
        };
        let _ = write!(out, "Next: {shown}\n\n");
    }
    out += &not_told(told);
    let run = story.run.as_deref().and_then(Address::parse);
    let run = run.map_or_else(String::new, |run| format!(" · [the run]({run})"));
    let _ = writeln!(out, "<sub>gatepost {}{run}</sub>", env!("CARGO_PKG_VERSION"));
    out
}

/// In one line: the sign is never greener than the end.
fn headline(story: &Story) -> String {
    let place = format!("`{}`", story.environment);
    let commit = story.sha.as_ref().map_or_else(String::new, |sha| format!(" of `{}`", sha.short()));
    let deed = match story.deed {
        Deed::Deploy if story.evidence.forced.is_some() => format!("Deploy by force{commit} to {place}"),
        Deed::Deploy => format!("Deploy{commit} to {place}"),
        Deed::Rollback => format!("Rollback of {place}"),
        Deed::Recovery => format!("Recovery of {place}"),
    };
    match &story.ending {
        None => format!("⏳ {deed}: going on"),
        Some(Ending::Live { verified: true, .. }) => format!("✅ {deed}: live and verified"),
        Some(Ending::Live { verified: false, .. }) => format!("⚠️ {deed}: live, not verified"),
        Some(Ending::Nothing(_)) => format!("➖ {deed}: nothing was done"),
        Some(Ending::Failed(_)) => format!("❌ {deed} failed, and was left as it is"),
        Some(Ending::Inconclusive(_)) => format!("❓ {deed}: it could not be told whether it works"),
        Some(Ending::Paused(_)) => format!("⏸️ {deed} waits for a person"),
        Some(Ending::RolledBack { to, .. }) if story.deed == Deed::Recovery => {
            format!("↩️ {deed}: rolled back to `{}`", to.short())
        }
        Some(Ending::RolledBack { to, .. }) => format!("↩️ {deed} failed: rolled back to `{}`", to.short()),
        Some(Ending::RollbackFailed { .. }) if story.deed == Deed::Rollback => format!("🔥 {deed} failed"),
        Some(Ending::RollbackFailed { .. }) => format!("🔥 {deed} failed, and so did its rollback"),
        Some(Ending::Refused(_)) => format!("⛔ {deed} refused"),
        Some(Ending::Interrupted(_)) => format!("❓ {deed}: interrupted"),
        Some(Ending::Unsettled(_)) => format!("❓ {deed}: not settled"),
    }
}

fn facts(story: &Story, site: Option<&Site>) -> String {
    let link = |sha: &Sha| {
        let short = format!("`{}`", sha.short());
        site.map_or_else(|| short.clone(), |site| format!("[{short}]({})", site.commit(sha)))
    };
    let commit = story.sha.as_ref().map(|sha| {
        let named = story.reference.as_deref().filter(|name| !name.is_empty() && *name != sha.as_str());
        let named = named.map_or_else(String::new, |name| format!(" ({})", Untrusted(name).cell(80)));
        format!("{}{named}", link(sha))
    });
    let url = story.url.as_deref().map(|url| match Address::parse(url) {
        Some(address) => format!("<{address}>"),
        None => Untrusted(url).cell(LINE),
    });
    let (health, why) = match &story.ending {
        Some(Ending::Live { says, .. } | Ending::Nothing(says)) => (Some(says.clone()), None),
        Some(
            Ending::Failed(why)
            | Ending::Inconclusive(why)
            | Ending::Paused(why)
            | Ending::Refused(why)
            | Ending::Interrupted(why)
            | Ending::Unsettled(why),
        ) => (None, Some(why.clone())),
        Some(Ending::RolledBack { why, verified, .. }) => {
            let doubt = if *verified { "" } else { "; it was not verified" };
            (Some(format!("the old version is live again{doubt}")), Some(why.clone()))
        }
        Some(Ending::RollbackFailed { why, rollback }) => (None, Some(format!("{rollback}; it was for: {why}"))),
        None => (None, None),
    };
    let back = story.rollback_took.map(|took| format!("{} after the decision", elapsed(took)));
    let ids = (!story.deployments.is_empty()).then(|| Untrusted(&story.deployments.join(", ")).cell(80));
    let rows = [
        ("Commit", commit),
        ("Live before", story.previous.as_ref().map(link)),
        ("By", (!story.by.is_empty()).then(|| Untrusted(&story.by).cell(120))),
        ("Result", health.map(|says| prose_cell(&says, LINE))),
        ("Why", why.map(|why| prose_cell(&why, 2 * LINE))),
        ("Old version back", back),
        ("Answers at", url),
        ("Deployments", ids),
    ];
    let rows = rows.into_iter().filter_map(|(name, value)| Some(format!("| {name} | {} |\n", value?)));
    format!("| Environment | `{}` |\n|:--|:--|\n{}\n", story.environment, rows.collect::<String>())
}

fn evidence(story: &Story) -> String {
    let proofs = &story.evidence;
    let mut out = String::new();
    if let Some(reason) = &proofs.forced {
        let _ = write!(out, "**By force**: {}\n\n", Untrusted(reason).code(LINE));
    }
    let missing: Vec<String> = proofs.missing.iter().map(|what| format!("❌ {}", prose(what, LINE))).collect();
    let overridden = proofs.overridden.iter().map(|what| format!("⚠️ overridden: {}", prose(what, LINE)));
    let green = proofs.green.iter().map(|(gate, source)| format!("✅ `{gate}`: {}", prose(source, LINE)));
    let all: Vec<String> = missing.into_iter().chain(overridden).chain(green).collect();
    if all.is_empty() {
        return out;
    }
    out += "Evidence:\n\n";
    for line in all.iter().take(LISTED) {
        let _ = writeln!(out, "- {line}");
    }
    if all.len() > LISTED {
        let _ = writeln!(out, "- and {}", count(all.len() - LISTED, "more gate"));
    }
    out + "\n"
}

fn stages(story: &Story) -> String {
    if story.stages.is_empty() {
        return String::new();
    }
    let left = story.stages.len().saturating_sub(STAGES);
    let mut out = if left > 0 { format!("{} before these.\n\n", count(left, "more stage")) } else { String::new() };
    out += "| After | Stage |\n|--:|:--|\n";
    for (after, says) in &story.stages[left..] {
        let _ = writeln!(out, "| {} | {} |", elapsed(*after).replace(' ', "&nbsp;"), prose_cell(says, LINE));
    }
    out + "\n"
}

/// What could not be posted or told.
fn not_told(told: &[Receipt]) -> String {
    let mut out = String::new();
    for receipt in told {
        if let ReceiptEnd::Failed(why) | ReceiptEnd::Denied(why) | ReceiptEnd::Downgraded(why) = &receipt.end {
            let _ = writeln!(out, "- not told: {}: {}", prose(&receipt.what, LINE), prose(why, LINE));
        }
    }
    if out.is_empty() { out } else { out + "\n" }
}

/// One of the step's outputs after a deploy, a rollback, a promotion or a recovery.
#[derive(Debug)]
pub struct Output {
    /// Its name: `steps.<id>.outputs.<name>`.
    pub name: &'static str,
    /// What it holds, for the README's table.
    pub about: &'static str,
    value: fn(&Story) -> String,
}

/// Every output.
pub static OUTPUTS: &[Output] = &[
    Output {
        name: "environment",
        about: "after `deploy`, `rollback`, `promote` and `recover`: the environment",
        value: |story| story.environment.clone(),
    },
    Output {
        name: "ending",
        about: "after those: `live`, `nothing`, `failed`, `inconclusive`, `paused`, `rolled_back`, `rollback_failed`, `refused`, `interrupted` or `unsettled`",
        value: |story| story.ending.as_ref().map_or("", Ending::word).to_owned(),
    },
    Output {
        name: "deployed-sha",
        about: "after those: the commit that is live by what they did; empty where they brought none",
        value: |story| deployed(story).map_or_else(String::new, Sha::to_string),
    },
    Output {
        name: "deployment-id",
        about: "after those: the number of the deployment that ended it, on GitHub or in the local ledger",
        value: |story| story.deployments.last().cloned().unwrap_or_default(),
    },
    Output {
        name: "url",
        about: "after those: where the environment answers",
        value: |story| story.url.clone().unwrap_or_default(),
    },
];

/// What is live by what was done.
fn deployed(story: &Story) -> Option<&Sha> {
    match &story.ending {
        Some(Ending::Live { .. }) => story.sha.as_ref(),
        Some(Ending::RolledBack { to, .. }) => Some(to),
        _ => None,
    }
}

/// The text to add to the file of the step's outputs. `delimiter` is a fresh random word.
#[must_use]
pub fn outputs(story: &Story, delimiter: &str) -> String {
    OUTPUTS.iter().map(|output| super::outputs::entry(output.name, &(output.value)(story), delimiter)).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn sha(digit: &str) -> Sha {
        Sha::parse(&digit.repeat(40)).unwrap()
    }

    fn rolled_back() -> Story {
        let at = Duration::from_millis;
        Story {
            sha: Some(sha("a")),
            reference: Some("main".to_owned()),
            previous: Some(sha("b")),
            by: "deploy of ana".to_owned(),
            evidence: crate::model::story::Proofs {
                green: vec![("lint".to_owned(), "check run 15".to_owned())],
                overridden: vec!["audit by mona: no fix yet".to_owned()],
                missing: vec!["test: it ended in fail (check run 16)".to_owned()],
                forced: Some("the shop is down".to_owned()),
            },
            deployments: vec!["12".to_owned(), "13".to_owned()],
            stages: vec![
                (at(30), "locked staging (github ledger)".to_owned()),
                (at(3_300), "failed: /api/health answered 503".to_owned()),
                (at(3_400), "rolling back to bbbbbbb".to_owned()),
            ],
            ending: Some(Ending::RolledBack {
                why: "/api/health answered 503".to_owned(),
                to: sha("b"),
                verified: true,
            }),
            rollback_took: Some(at(2_700)),
            url: Some("https://staging.shop.example".to_owned()),
            run: Some("https://github.com/octo/shop/actions/runs/1001".to_owned()),
            next: None,
            repository: Some("octo/shop".to_owned()),
            ..Story::new(Deed::Deploy, "staging")
        }
    }

    #[test]
    fn a_deploy_that_was_rolled_back_says_all_of_it() {
        let failed = Receipt {
            what: "deploy.failed by slack".to_owned(),
            end: ReceiptEnd::Failed("it answered 500".to_owned()),
        };
        insta::assert_snapshot!(page(&rolled_back(), "https://github.com", &[failed]));
    }

    #[test]
    fn the_headline_is_never_greener_than_the_end() {
        let says = "x".to_owned();
        let why = says.clone();
        for (ending, sign) in [
            (None, "⏳"),
            (Some(Ending::Live { verified: true, says: says.clone() }), "✅"),
            (Some(Ending::Live { verified: false, says: says.clone() }), "⚠️"),
            (Some(Ending::Nothing(says.clone())), "➖"),
            (Some(Ending::Failed(says.clone())), "❌"),
            (Some(Ending::Inconclusive(says.clone())), "❓"),
            (Some(Ending::RolledBack { why: why.clone(), to: sha("b"), verified: true }), "↩️"),
            (Some(Ending::RollbackFailed { why, rollback: says.clone() }), "🔥"),
            (Some(Ending::Refused(says.clone())), "⛔"),
            (Some(Ending::Interrupted(says.clone())), "❓"),
            (Some(Ending::Unsettled(says)), "❓"),
        ] {
            let story = Story { ending, ..rolled_back() };
            assert!(headline(&story).starts_with(sign), "{}", headline(&story));
        }
    }

    #[test]
    fn what_to_type_next_is_code() {
        let page =
            |next: &str| page(&Story { next: Some(next.to_owned()), ..rolled_back() }, "https://github.com", &[]);
        assert!(page("gatepost status staging").contains("\nNext: `gatepost status staging`\n"));
        let shown = page("run them on this commit: git checkout 406fc50 && gatepost deploy staging");
        assert!(
            shown.contains("\nNext: run them on this commit: `git checkout 406fc50 && gatepost deploy staging`\n"),
            "{shown}"
        );
    }

    #[test]
    fn what_others_wrote_stays_text_and_the_page_stays_small() {
        let evil = "<!-- x --> @all [a](http://b) | `x` ![i](http://c)\n# no".repeat(200);
        let story = Story {
            reference: Some(evil.clone()),
            by: evil.clone(),
            evidence: crate::model::story::Proofs {
                green: vec![("g".to_owned(), evil.clone()); 100],
                overridden: vec![evil.clone()],
                missing: vec![evil.clone(); 100],
                forced: Some(evil.clone()),
            },
            stages: vec![(Duration::ZERO, evil.clone()); 200],
            ending: Some(Ending::Failed(evil.clone())),
            url: Some(evil.clone()),
            next: Some(evil.clone()),
            ..rolled_back()
        };
        let text = page(&story, "https://github.com", &[]);
        assert!(text.chars().count() < 64_000, "{}", text.len());
        assert!(!text.contains("<!--") && !text.contains("\n# no"), "{text}");
        assert!(text.contains("160 more stages before these") && text.contains("and 171 more gates"));
    }

    #[test]
    fn the_outputs_name_what_is_live() {
        let values = |story: &Story| outputs(story, "EOF").replace("<<EOF\n", "=").replace("\nEOF\n", " ");
        let b = "b".repeat(40);
        assert_eq!(
            values(&rolled_back()),
            format!(
                "environment=staging ending=rolled_back deployed-sha={b} deployment-id=13 url=https://staging.shop.example "
            )
        );
        let refused =
            Story { ending: Some(Ending::Refused("no".to_owned())), deployments: Vec::new(), ..rolled_back() };
        assert!(values(&refused).contains("ending=refused deployed-sha= deployment-id= "));
    }
}
