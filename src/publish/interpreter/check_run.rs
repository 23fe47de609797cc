//! Posts a check run: created complete with its first annotations, then page by page; an annotation that GitHub
//! refuses is written into the text instead, so that none is lost unsaid.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::model::call::{Annotation, CheckRun, ReceiptEnd};
use crate::model::check_id::{self, CheckId};
use crate::model::text::one_line;
use crate::world::forge::{Forge, Method, Request};
use crate::world::line::answer::{Answer, Stop};
use crate::world::line::{Creation, Kind, Line, Missing, segment};

/// The most annotations of one request.
const PAGE: usize = 50;

/// The most requests that GitHub may refuse until bad annotations are no longer looked for among good ones: each costs a
/// second.
const MOST_REFUSED: usize = 30;

/// The most bytes of a check run's text.
const TEXT_LIMIT: usize = 65_535;

/// Posts it.
///
/// # Errors
/// When the check run itself could not be made; what happens to its annotations is in the end.
pub async fn post<F: Forge>(line: &mut Line<F>, run: &CheckRun) -> Result<ReceiptEnd, Stop> {
    if let Some(worse) = worse(line, run).await? {
        return Ok(ReceiptEnd::LeftAlone(worse));
    }
    if let Some(standing) = standing(line, run).await? {
        return Ok(ReceiptEnd::Unchanged(standing.html_url.unwrap_or_else(|| "it stands already".to_owned())));
    }
    let (first, rest) = run.annotations.split_at(run.annotations.len().min(PAGE));
    let mut placing = Placing::default();
    let made = match line.create(&New { run, annotations: first }).await {
        Ok(made) => {
            placing.placed = first.len();
            made
        }
        // One bad annotation refuses all: the check stands first, then the good ones are found.
        Err(stop) if stop.refused_with(422).is_some() && !first.is_empty() => {
            let made = line.create(&New { run, annotations: &[] }).await?;
            placing.place(line, run, &made, first).await;
            made
        }
        Err(stop) => return Err(stop),
    };
    for page in rest.chunks(PAGE) {
        placing.place(line, run, &made, page).await;
    }
    placing.tell_refused(line, run, &made).await;
    Ok(placing.end_of(run.annotations.len(), made.html_url))
}

/// Why it is not to be made: the newest of another event's check runs of this name is worse, and would be hidden.
async fn worse<F: Forge>(line: &mut Line<F>, run: &CheckRun) -> Result<Option<String>, Stop> {
    if !run.stands_back || !check_id::is_green(run.conclusion) {
        return Ok(None);
    }
    let mut all = match list(line, run).await {
        Ok(all) => all,
        // A token that may not read them may not make them either: that is told when it is tried.
        Err(stop) if stop.is_of_rights() => return Ok(None),
        Err(stop) => {
            let what = "it is not posted, as whether it would hide a worse one of another event could not be read";
            return Err(Stop::Failed(format!("{what}: {stop}")));
        }
    };
    all.sort_by_key(|made| made.id);
    let mine = check_id::event(&run.external_id);
    let newest: BTreeMap<Option<&str>, &Made> = all.iter().map(|made| (made.event(), made)).collect();
    let worse = newest.into_iter().find(|(event, made)| {
        (event.is_none() || *event != mine) && !made.conclusion.as_deref().is_some_and(check_id::is_green)
    });
    Ok(worse.map(|(event, _)| {
        let by = event.map_or_else(|| "another run".to_owned(), |event| format!("the run of {}", one_line(event, 40)));
        format!(
            "{by} has said worse of this commit, which this one would hide; it looked at less, or at something else"
        )
    }))
}

/// A check run of this gate and configuration that another job of the same run made, and that concluded the same: of this very
/// name the newest, else one of any leg of a matrix.
async fn standing<F: Forge>(line: &mut Line<F>, run: &CheckRun) -> Result<Option<Made>, Stop> {
    let Some(mine) = CheckId::parse(&run.external_id).filter(|_| run.already) else { return Ok(None) };
    let path = line.path(&format!("/commits/{}/check-runs?filter=all&per_page=100", run.head_sha));
    let mut all: Vec<Made> = match line.pages::<MadeList>(path).await {
        Ok(pages) => pages.into_iter().flat_map(|list| list.check_runs).collect(),
        // As above.
        Err(stop) if stop.is_of_rights() => return Ok(None),
        Err(stop) => return Err(stop),
    };
    all.sort_by_key(|made| made.id);
    let same = |made: &&Made| made.conclusion.as_deref() == Some(run.conclusion);
    let of_this_run = |made: &&Made| {
        let run = |id: CheckId<'_>| id.generation().map(|(run, _)| run);
        made.says().is_some_and(|theirs| run(theirs).is_some() && run(theirs) == run(mine))
    };
    let here = |made: &&Made| made.says().is_none_or(|theirs| theirs.config == mine.config);
    let named: Vec<&Made> = all.iter().filter(|made| made.name == run.name).filter(here).collect();
    // What this job itself has said in another attempt is not taken back by another job's word.
    let said =
        named.iter().rfind(|made| made.says().is_some_and(|theirs| mine.job != "-" && theirs.job == mine.job)).copied();
    if said.is_some_and(|said| !same(&said)) {
        return Ok(None);
    }
    let of_gate = |made: &&Made| {
        let is_called = |theirs: CheckId<'_>| theirs.gate == mine.gate && theirs.config == mine.config;
        check_id::gate(&made.name).is_some() && made.says().is_some_and(is_called)
    };
    let candidate = match named.last() {
        newest @ Some(_) => newest.copied(),
        None => all.iter().rfind(|made| of_gate(made) && of_this_run(made) && same(made)),
    };
    Ok(candidate.filter(|made| of_this_run(made) && same(made)).cloned())
}

async fn list<F: Forge>(line: &mut Line<F>, run: &CheckRun) -> Result<Vec<Made>, Stop> {
    let (sha, name) = (&run.head_sha, segment(&run.name));
    let path = line.path(&format!("/commits/{sha}/check-runs?check_name={name}&filter=all&per_page=100"));
    Ok(line.pages::<MadeList>(path).await?.into_iter().flat_map(|list| list.check_runs).collect())
}

/// How far the annotations have come.
#[derive(Default)]
struct Placing<'a> {
    placed: usize,
    refused: Vec<&'a Annotation>,
    /// How many requests were refused.
    refusals: usize,
    /// GitHub's words about the first one.
    refusal: Option<String>,
    /// Why the rest was not sent.
    stop: Option<Stop>,
    /// Whether the check's text has what was refused.
    told: bool,
}

impl<'a> Placing<'a> {
    /// Places a page; a refused one is halved until the bad annotations stand alone. After too many refusals all that is
    /// refused together is taken for bad.
    async fn place<F: Forge>(&mut self, line: &mut Line<F>, run: &CheckRun, made: &Made, page: &'a [Annotation]) {
        let mut todo = vec![page];
        while let (None, Some(batch)) = (&self.stop, todo.pop()) {
            match append(line, run, made, batch, self.placed).await {
                Ok(()) => self.placed += batch.len(),
                Err(stop) => match stop.refused_with(422) {
                    None => self.stop = Some(stop),
                    Some(message) => {
                        self.refusals += 1;
                        self.refusal.get_or_insert_with(|| message.to_owned());
                        if batch.len() > 1 && self.refusals < MOST_REFUSED {
                            let (front, back) = batch.split_at(batch.len() / 2);
                            todo.extend([back, front]);
                        } else {
                            self.refused.extend(batch);
                        }
                    }
                },
            }
        }
    }

    async fn tell_refused<F: Forge>(&mut self, line: &mut Line<F>, run: &CheckRun, made: &Made) {
        if self.refused.is_empty() || self.stop.is_some() {
            return;
        }
        let Some(text) = with_refused(run.text.as_deref().unwrap_or_default(), &self.refused) else { return };
        let output = Output { title: &run.title, summary: &run.summary, text: Some(&text), annotations: &[] };
        self.stop = line.repeat(&update(line, made, &output), Kind::Write, Missing::NotYet).await.err();
        self.told = self.stop.is_none();
    }

    fn end_of(&self, all: usize, link: Option<String>) -> ReceiptEnd {
        let share = format!("{} of {all} annotations placed", self.placed);
        let refused = self.refusal.as_ref().map(|words| format!("GitHub refused {} ({words})", self.refused.len()));
        match (refused, &self.stop) {
            (None, None) => ReceiptEnd::Posted(link),
            (Some(refused), None) => {
                let place = if self.told { "see the check's text" } else { "the check's text has no room for them" };
                ReceiptEnd::Downgraded(format!("{share}; {refused}: {place}"))
            }
            (None, Some(stop)) => ReceiptEnd::Downgraded(format!("{share}: {stop}")),
            (Some(refused), Some(stop)) => ReceiptEnd::Downgraded(format!("{share}; {refused}; then: {stop}")),
        }
    }
}

/// Adds a page of annotations. They add up: after a lost reply they are counted before they are sent again.
async fn append<F: Forge>(
    line: &mut Line<F>,
    run: &CheckRun,
    made: &Made,
    batch: &[Annotation],
    placed: usize,
) -> Result<(), Stop> {
    let output = Output { title: &run.title, summary: &run.summary, text: run.text.as_deref(), annotations: batch };
    let request = update(line, made, &output);
    let mut tries = 0;
    loop {
        match line.attempt(&request, Kind::Write, Missing::NotYet).await? {
            Answer::Done(_) => return Ok(()),
            Answer::Stopped(stop) => return Err(stop),
            Answer::NotSent(why) => line.back_off(&mut tries, why).await?,
            Answer::Unknown(why) => {
                let left = line.back_off(&mut tries, why).await;
                let counted = line.read::<Made>(line.path(&format!("/check-runs/{}", made.id))).await;
                match counted {
                    Ok(now) if now.annotations() >= placed + batch.len() => return Ok(()),
                    Ok(_) => left?,
                    Err(stop) => return left.and(Err(stop)),
                }
            }
        }
    }
}

fn update<F: Forge>(line: &Line<F>, made: &Made, output: &Output<'_>) -> Request {
    // A dry run has no id.
    let id = if made.id == 0 { "{id}".to_owned() } else { made.id.to_string() };
    let path = line.path(&format!("/check-runs/{id}"));
    Request { method: Method::Patch, path, body: Some(json!({ "output": output })) }
}

/// The text, and below it the annotations that could not be placed, as far as there is room; `None` where there is
/// none for the first.
fn with_refused(text: &str, refused: &[&Annotation]) -> Option<String> {
    let lines: Vec<String> = refused
        .iter()
        .map(|one| format!("{}:{}: {}", one_line(&one.path, 300), one.start_line, one_line(&one.message, 300)))
        .collect();
    let longest_run = lines.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest_run.max(2) + 1);
    let head = format!("\n\nGitHub refused to show these annotations in the code:\n\n{fence}text\n");
    let mut room = TEXT_LIMIT.saturating_sub(text.len() + head.len() + fence.len() + "… and 1234567890 more\n".len());
    let mut list = String::new();
    let mut shown = 0;
    for line in &lines {
        if line.len() >= room {
            break;
        }
        room -= line.len() + 1;
        list.push_str(line);
        list.push('\n');
        shown += 1;
    }
    if shown == 0 {
        return None;
    }
    let more = match lines.len() - shown {
        0 => String::new(),
        more => format!("… and {more} more\n"),
    };
    Some(format!("{text}{head}{list}{more}{fence}"))
}

/// A check run that is to be created; found again by its external id, which no other process gives.
struct New<'a> {
    run: &'a CheckRun,
    annotations: &'a [Annotation],
}

/// What we need of a check run that is there.
#[derive(Debug, Clone, Default, Deserialize)]
struct Made {
    id: u64,
    #[serde(default)]
    name: String,
    html_url: Option<String>,
    external_id: Option<String>,
    conclusion: Option<String>,
    output: Option<MadeOutput>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct MadeOutput {
    annotations_count: Option<usize>,
}

impl Made {
    fn says(&self) -> Option<CheckId<'_>> {
        CheckId::parse(self.external_id.as_deref()?)
    }

    fn event(&self) -> Option<&str> {
        check_id::event(self.external_id.as_deref()?)
    }

    fn annotations(&self) -> usize {
        self.output.as_ref().and_then(|output| output.annotations_count).unwrap_or_default()
    }
}

#[derive(Deserialize)]
struct MadeList {
    check_runs: Vec<Made>,
}

/// <https://docs.github.com/en/rest/checks/runs#create-a-check-run>
#[derive(Serialize)]
struct Body<'a> {
    name: &'a str,
    head_sha: &'a str,
    external_id: &'a str,
    status: &'static str,
    conclusion: &'static str,
    started_at: &'a str,
    completed_at: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    details_url: Option<&'a str>,
    output: Output<'a>,
}

/// GitHub replaces the texts and adds the annotations.
#[derive(Serialize)]
struct Output<'a> {
    title: &'a str,
    summary: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    annotations: &'a [Annotation],
}

impl Creation for New<'_> {
    type Made = Made;

    fn request(&self, root: &str) -> Request {
        let run = self.run;
        let body = Body {
            name: &run.name,
            head_sha: run.head_sha.as_str(),
            external_id: &run.external_id,
            status: "completed",
            conclusion: run.conclusion,
            started_at: &run.started_at,
            completed_at: &run.completed_at,
            details_url: run.details_url.as_deref(),
            output: Output {
                title: &run.title,
                summary: &run.summary,
                text: run.text.as_deref(),
                annotations: self.annotations,
            },
        };
        Request { method: Method::Post, path: format!("{root}/check-runs"), body: Some(json!(body)) }
    }

    fn kind(&self) -> Kind {
        Kind::Write
    }

    async fn find<F: Forge>(&self, line: &mut Line<F>) -> Result<Option<Made>, Stop> {
        let ours = |made: &Made| made.external_id.as_deref() == Some(&self.run.external_id);
        Ok(list(line, self.run).await?.into_iter().find(ours))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annotation(message: &str) -> Annotation {
        Annotation {
            path: "src/a.rs".to_owned(),
            start_line: 3,
            end_line: 3,
            start_column: None,
            end_column: None,
            annotation_level: "warning",
            message: message.to_owned(),
            title: None,
        }
    }

    #[test]
    fn refused_annotations_stand_in_a_fence_that_they_cannot_leave() {
        let bad = annotation("a ```` b\nsecond line");
        let text = with_refused("before", &[&bad]).unwrap();
        assert!(text.starts_with("before\n\n"), "{text}");
        assert!(text.ends_with("`````text\nsrc/a.rs:3: a ```` b\n`````"), "{text}");
        let plain = with_refused("", &[&annotation("plain")]).unwrap();
        assert!(plain.ends_with("```text\nsrc/a.rs:3: plain\n```"));
    }

    #[test]
    fn refused_annotations_fit_into_the_text_or_are_counted() {
        let many: Vec<Annotation> = (0..1000).map(|_| annotation(&"m".repeat(200))).collect();
        let text = with_refused("before", &many.iter().collect::<Vec<_>>()).unwrap();
        assert!(text.len() <= TEXT_LIMIT && text.len() > TEXT_LIMIT - 400, "{}", text.len());
        let shown = text.matches("src/a.rs:3").count();
        assert!(text.contains(&format!("… and {} more\n", 1000 - shown)), "{shown}");
        let fenced: Vec<Annotation> = (0..200).map(|_| annotation(&"`".repeat(290))).collect();
        let fenced: Vec<&Annotation> = fenced.iter().collect();
        for length in (0..350).map(|less| TEXT_LIMIT - 3000 - less) {
            let text = with_refused(&"x".repeat(length), &fenced).unwrap();
            assert!(text.len() <= TEXT_LIMIT && text.len() > TEXT_LIMIT - 400, "{length}: {}", text.len());
        }
        let full = "x".repeat(TEXT_LIMIT - 20);
        assert_eq!(with_refused(&full, &[&annotation("m")]), None);
        let mut placing = Placing { refusal: Some("bad".to_owned()), ..Placing::default() };
        for (told, says) in [(true, "see the check's text"), (false, "the check's text has no room for them")] {
            placing.told = told;
            let ReceiptEnd::Downgraded(said) = placing.end_of(3, None) else { panic!("it was refused") };
            assert!(said.ends_with(says), "{said}");
        }
    }
}
