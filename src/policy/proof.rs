//! Whether a commit's gates are green enough to deploy it. A pass that judged only a change is worth what its base is
//! worth, and so on back. Whatever is not known refuses.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::gate::GateName;
use crate::model::gate_result::GateResult;
use crate::model::outcome::Outcome;
use crate::model::sha::Sha;

/// How far back a chain of bases is followed.
const LONGEST: usize = 200;

/// Clocks of two machines differ, by this many seconds at most.
const SLACK: i64 = 300;

/// What is known of commits: their gates' results, or why they could not be read.
pub type Known = BTreeMap<Sha, Result<Vec<GateResult>, String>>;

/// Whether a commit may be deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// It may.
    Green(Vec<Stands>),
    /// It may not; one reason for each gate that is not green.
    Refused(Vec<String>),
    /// First the results of this commit must be read.
    Ask(Sha),
}

/// Why a gate is no obstacle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stands {
    /// The gate.
    pub gate: GateName,
    /// Where its results stand.
    pub source: String,
    /// It is not green, and by whom and why it was overridden: the commit's own result, or one of a base.
    pub overridden: Option<String>,
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Demand<'a> {
    /// The gates that must be green.
    pub gates: &'a [GateName],
    /// For this commit.
    pub sha: &'a Sha,
    /// In seconds since 1970.
    pub now: i64,
    /// How old results may be.
    pub max_age: Duration,
}

/// Looks at what is known.
#[must_use]
pub fn prove(demand: Demand<'_>, known: &Known) -> Proof {
    let mut green = Vec::new();
    let mut refused = Vec::new();
    for gate in demand.gates {
        match chain(demand, gate, known) {
            Link::Green(source, overridden) => green.push(Stands { gate: gate.clone(), source, overridden }),
            Link::Refused(why) => refused.push(format!("{gate}: {why}")),
            Link::Ask(sha) => return Proof::Ask(sha),
        }
    }
    if refused.is_empty() { Proof::Green(green) } else { Proof::Refused(refused) }
}

enum Link {
    Green(String, Option<String>),
    Refused(String),
    Ask(Sha),
}

fn chain(demand: Demand<'_>, gate: &GateName, known: &Known) -> Link {
    let mut at = demand.sha.clone();
    let mut sources = Vec::new();
    for _ in 0..LONGEST {
        let place = if at == *demand.sha { String::new() } else { format!(" on its base {}", at.short()) };
        let results = match known.get(&at) {
            None => return Link::Ask(at),
            Some(Err(why)) => return Link::Refused(format!("its results{place} are unavailable: {why}")),
            Some(Ok(results)) => results,
        };
        let of_gate = results.iter().filter(|result| result.gate == *gate);
        let Some(result) = newest(demand, of_gate) else { return Link::Refused(format!("it has no result{place}")) };
        if let Some(overridden) = &result.overridden
            && !is_old(demand, overridden.at)
            && (result.doubt.is_some() || !result.enforced || !result.outcome.is_green())
        {
            sources.push(overridden.source.clone());
            return Link::Green(sources.join(", on "), Some(format!("{overridden}{place}")));
        }
        if let Some(why) = objection(demand, result) {
            return Link::Refused(format!("{why}{place} ({})", result.source));
        }
        sources.push(result.source.clone());
        let judged_all = result.outcome == Outcome::Pass && !result.limited;
        let said = if result.outcome == Outcome::Pass { "it judged only a change" } else { "it was skipped" };
        match &result.base {
            _ if judged_all => return Link::Green(sources.join(", on "), None),
            Some(base) => at = base.clone(),
            None => return Link::Refused(format!("{said}{place}, and nothing is known of what it was compared with")),
        }
    }
    Link::Refused(format!("its results lead back over more than {LONGEST} bases"))
}

/// The newest result. Of two of one second it is the one that is objected to; and one that is dated ahead of the clock is
/// not newer than what was judged since, unless it is red: which of them came last is then not known. What is red on GitHub
/// or not heard whole there stands until it is judged there again: a later report is one job's, and knows of no other.
fn newest<'r>(demand: Demand<'_>, results: impl Iterator<Item = &'r GateResult> + Clone) -> Option<&'r GateResult> {
    let posted = latest(demand, results.clone().filter(|one| one.posted));
    let stands = posted.filter(|one| one.doubt.is_some() || !one.outcome.is_green());
    stands.or_else(|| latest(demand, results))
}

fn latest<'r>(demand: Demand<'_>, results: impl Iterator<Item = &'r GateResult> + Clone) -> Option<&'r GateResult> {
    let is_in_time = |one: &&GateResult| !is_ahead(demand, one.at) || !one.outcome.is_green();
    let rank = |one: &&GateResult| (one.at, objection(demand, one).is_some());
    results.clone().filter(is_in_time).max_by_key(rank).or_else(|| results.max_by_key(rank))
}

fn objection(demand: Demand<'_>, result: &GateResult) -> Option<String> {
    if let Some(doubt) = &result.doubt {
        return Some(doubt.clone());
    }
    if !result.enforced {
        return Some("it only reports, and is no evidence".to_owned());
    }
    if !result.outcome.is_green() {
        return Some(format!("it ended in {}", result.outcome.word()));
    }
    if is_ahead(demand, result.at) {
        let minutes = result.at.saturating_sub(demand.now) / 60;
        return Some(format!("its result is dated {minutes} minutes ahead of this clock"));
    }
    let hours = demand.now.saturating_sub(result.at) / 3600;
    let limit = demand.max_age.as_secs() / 3600;
    is_old(demand, result.at).then(|| format!("its result is {hours} h old, and counts for {limit} h"))
}

const fn is_ahead(demand: Demand<'_>, at: i64) -> bool {
    at > demand.now.saturating_add(SLACK)
}

fn is_old(demand: Demand<'_>, at: i64) -> bool {
    demand.now.saturating_sub(at) > i64::try_from(demand.max_age.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::gate_result::Overridden;

    fn sha(letter: char) -> Sha {
        Sha::parse(&letter.to_string().repeat(40)).unwrap()
    }

    fn lint() -> GateName {
        GateName::parse("lint").unwrap()
    }

    fn result(outcome: Outcome, base: Option<char>, at: i64) -> GateResult {
        GateResult {
            gate: lint(),
            outcome,
            enforced: true,
            limited: base.is_some(),
            base: base.map(sha),
            posted: false,
            at,
            source: "a report".to_owned(),
            doubt: None,
            overridden: None,
        }
    }

    fn overridden(at: i64) -> Overridden {
        let [by, reason, source] = ["ana", "flaky", "check run 7"].map(str::to_owned);
        Overridden { by, reason, at, source }
    }

    fn proof(known: Vec<(char, Vec<GateResult>)>) -> Proof {
        let known = known.into_iter().map(|(letter, results)| (sha(letter), Ok(results))).collect();
        let demand = Demand { gates: &[lint()], sha: &sha('a'), now: 10_000, max_age: Duration::from_secs(5_000) };
        prove(demand, &known)
    }

    fn why(known: Vec<(char, Vec<GateResult>)>) -> String {
        match proof(known) {
            Proof::Refused(why) => why.join("; "),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_newest_result_decides_and_everything_unknown_refuses() {
        let good = || result(Outcome::Pass, None, 9_000);
        assert!(matches!(proof(vec![('a', vec![good()])]), Proof::Green(_)));
        assert_eq!(why(vec![('a', vec![])]), "lint: it has no result");
        assert_eq!(proof(vec![]), Proof::Ask(sha('a')));
        assert!(why(vec![('a', vec![good(), result(Outcome::Fail, None, 9_500)])]).contains("ended in fail"));
        assert!(why(vec![('a', vec![good(), result(Outcome::Error, None, 9_500)])]).contains("ended in error"));
        assert!(matches!(proof(vec![('a', vec![good(), result(Outcome::Fail, None, 8_500)])]), Proof::Green(_)));
        assert!(why(vec![('a', vec![result(Outcome::Pass, None, 4_000)])]).contains("1 h old"));
        assert!(matches!(proof(vec![('a', vec![result(Outcome::Pass, None, 5_000)])]), Proof::Green(_)));
        assert!(why(vec![('a', vec![GateResult { enforced: false, ..good() }])]).contains("only reports"));
        let doubted = GateResult { doubt: Some("another workflow".to_owned()), ..good() };
        assert!(why(vec![('a', vec![doubted])]).contains("another workflow"));
        let known = [(sha('a'), Err("page 3 is malformed".to_owned()))].into_iter().collect();
        let demand = Demand { gates: &[lint()], sha: &sha('a'), now: 0, max_age: Duration::ZERO };
        assert!(matches!(prove(demand, &known), Proof::Refused(why) if why[0].contains("page 3 is malformed")));
    }

    #[test]
    fn of_one_second_the_worse_counts_and_nothing_is_newer_than_now() {
        let good = |at| result(Outcome::Pass, None, at);
        let red = |at| result(Outcome::Fail, None, at);
        for both in [vec![good(9_000), red(9_000)], vec![red(9_000), good(9_000)]] {
            assert!(why(vec![('a', both)]).contains("ended in fail"));
        }
        assert!(matches!(proof(vec![('a', vec![good(10_300)])]), Proof::Green(_)), "clocks differ a little");
        assert!(why(vec![('a', vec![good(13_601)])]).contains("dated 60 minutes ahead of this clock"));
        assert!(why(vec![('a', vec![good(99_999), red(9_000)])]).contains("ended in fail"));
        assert!(matches!(proof(vec![('a', vec![good(99_999), good(9_000)])]), Proof::Green(_)));
        assert!(why(vec![('a', vec![red(99_999), good(9_000)])]).contains("ended in fail"), "it may have come after");
    }

    #[test]
    fn a_later_report_is_no_answer_to_what_is_red_on_github() {
        let later = || result(Outcome::Pass, None, 9_500);
        let posted = |outcome| GateResult { posted: true, ..result(outcome, None, 9_000) };
        assert!(why(vec![('a', vec![later(), posted(Outcome::Fail)])]).contains("ended in fail"));
        let unheard = GateResult { doubt: Some("a leg died".to_owned()), ..posted(Outcome::Pass) };
        assert!(why(vec![('a', vec![later(), unheard])]).contains("a leg died"));
        let red = || result(Outcome::Fail, None, 9_500);
        assert!(why(vec![('a', vec![red(), posted(Outcome::Pass)])]).contains("ended in fail"));
        // What is only old, or only reports, is no rival.
        let old = GateResult { at: 1_000, ..posted(Outcome::Pass) };
        let reports = GateResult { enforced: false, ..posted(Outcome::Pass) };
        assert!(matches!(proof(vec![('a', vec![later(), old])]), Proof::Green(_)));
        assert!(matches!(proof(vec![('a', vec![later(), reports])]), Proof::Green(_)));
        let overridden = GateResult { overridden: Some(overridden(9_500)), ..posted(Outcome::Fail) };
        assert!(matches!(proof(vec![('a', vec![later(), overridden])]), Proof::Green(_)));
    }

    #[test]
    fn what_was_overridden_stands_and_is_no_pass() {
        let red = |at| GateResult { overridden: Some(overridden(at)), ..result(Outcome::Fail, None, 9_000) };
        let Proof::Green(stands) = proof(vec![('a', vec![red(9_500)])]) else { panic!() };
        assert_eq!(stands[0].overridden.as_deref(), Some("by ana: \"flaky\""));
        assert!(why(vec![('a', vec![red(4_000)])]).contains("ended in fail"), "it is as old as a result may be");
        let passed = |at| GateResult { overridden: Some(overridden(at)), ..result(Outcome::Pass, None, 9_000) };
        let doubted = GateResult { doubt: Some("another workflow".to_owned()), ..passed(9_500) };
        for no_evidence in [doubted, GateResult { enforced: false, ..passed(9_500) }] {
            let Proof::Green(stands) = proof(vec![('a', vec![no_evidence])]) else { panic!() };
            assert!(stands[0].overridden.is_some());
        }
        // What is green by itself needs no override.
        let green = GateResult { overridden: Some(overridden(9_500)), ..result(Outcome::Pass, None, 9_000) };
        let Proof::Green(stands) = proof(vec![('a', vec![green])]) else { panic!() };
        assert_eq!(stands[0].overridden, None);
        let Proof::Green(stands) =
            proof(vec![('a', vec![result(Outcome::Pass, Some('b'), 9_000)]), ('b', vec![red(9_500)])])
        else {
            panic!()
        };
        assert_eq!(stands[0].overridden.as_deref(), Some("by ana: \"flaky\" on its base bbbbbbb"));
    }

    #[test]
    fn a_pass_of_a_change_needs_a_green_base_all_the_way_back() {
        let change = |base| result(Outcome::Pass, Some(base), 9_000);
        assert_eq!(proof(vec![('a', vec![change('b')])]), Proof::Ask(sha('b')));
        assert!(why(vec![('a', vec![change('b')]), ('b', vec![])]).contains("no result on its base bbbbbbb"));
        let whole =
            vec![('a', vec![change('b')]), ('b', vec![change('c')]), ('c', vec![result(Outcome::Pass, None, 9_000)])];
        let Proof::Green(stands) = proof(whole.clone()) else { panic!() };
        assert_eq!(stands[0].source, "a report, on a report, on a report");
        let mut old = whole.clone();
        old[2].1[0].at = 1_000;
        assert!(why(old).contains("h old"));
        let mut red = whole;
        red[1].1[0].outcome = Outcome::Fail;
        assert!(why(red).contains("ended in fail on its base bbbbbbb"));
        let skipped = result(Outcome::Skipped, Some('b'), 9_000);
        assert_eq!(proof(vec![('a', vec![skipped.clone()])]), Proof::Ask(sha('b')));
        let nowhere = GateResult { base: None, ..skipped };
        assert!(why(vec![('a', vec![nowhere])]).starts_with("lint: it was skipped, and nothing is known"));
        let of_a_change = GateResult { base: None, ..change('b') };
        assert!(why(vec![('a', vec![of_a_change])]).starts_with("lint: it judged only a change, and nothing is known"));
        let circle = vec![('a', vec![change('b')]), ('b', vec![change('a')])];
        assert!(why(circle).contains("200 bases"));
    }
}
