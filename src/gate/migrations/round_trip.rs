//! Down and up again, compared with what was. First in a transaction that is taken back, which costs next to nothing;
//! what is not exact there is tried again as the tool would run it, in a copy of the database.

use super::dry_run::{Stage, Whole};
use crate::migration::{change, split};
use crate::model::migration::{Facts, Form, Planned, RoundTrip, Script, Source};
use crate::world::database::{Database, DatabaseError};

type Trip = (RoundTrip, Vec<String>);

impl<D: Database> Stage<'_, D> {
    /// Takes a migration back and applies it again. The database is afterwards as it was.
    pub(super) async fn round_trip(
        &mut self,
        planned: &Planned,
        up: &Script,
        before: Whole<'_>,
        after: Whole<'_>,
    ) -> Result<Trip, DatabaseError> {
        let Some(down) = &planned.down else { return Ok((RoundTrip::MissingDown, Vec::new())) };
        let sources = split::split(down, self.trial.kind);
        if sources.iter().all(|source| source.form == Form::Meta) {
            return Ok((RoundTrip::EmptyDown, Vec::new()));
        }
        if !self.database.takes_back() {
            return Ok((RoundTrip::NotRun, vec!["this database commits at every statement".to_owned()]));
        }
        let again = split::split(up, self.trial.kind);
        let quick = self.in_transaction((down, &sources), (up, &again), before, after).await?;
        if quick.0 == RoundTrip::Exact || !self.database.aside().await? {
            return Ok(quick);
        }
        let trip = self.in_copy(down, up, before, after).await;
        self.database.back().await?;
        trip
    }

    async fn in_transaction(
        &mut self,
        down: (&Script, &[Source]),
        up: (&Script, &[Source]),
        before: Whole<'_>,
        after: Whole<'_>,
    ) -> Result<Trip, DatabaseError> {
        let played = self.statements(down.0, down.1, true, true).await?;
        let mut trip = match played.wrong() {
            Some(why) => (RoundTrip::DownError, vec![why]),
            None => self.compared("down", before).await?,
        };
        if trip.0 == RoundTrip::Exact {
            let played = self.further(up.0, up.1, played).await?;
            trip = match played.wrong() {
                Some(why) => (RoundTrip::ReupError, vec![why]),
                None => self.compared("up again", after).await?,
            };
        }
        self.database.end(false).await?;
        Ok(trip)
    }

    async fn in_copy(
        &mut self,
        down: &Script,
        up: &Script,
        before: Whole<'_>,
        after: Whole<'_>,
    ) -> Result<Trip, DatabaseError> {
        let played = self.play(down, false).await?;
        if let Some(why) = played.wrong() {
            return Ok((RoundTrip::DownError, vec![why]));
        }
        let restored = self.compared("down", before).await?;
        let played = self.play(up, false).await?;
        if let Some(why) = played.wrong() {
            return Ok((RoundTrip::ReupError, vec![why]));
        }
        if restored.0 != RoundTrip::Exact {
            return Ok(restored);
        }
        self.compared("up again", after).await
    }

    /// The schema as it is, against what it is to be.
    async fn compared(&mut self, step: &str, wanted: Whole<'_>) -> Result<Trip, DatabaseError> {
        let trip = compared(step, wanted.facts, &self.database.facts().await?);
        if trip.0 != RoundTrip::Exact {
            return Ok(trip);
        }
        Ok(compared(step, wanted.rest, &self.database.rest().await?))
    }
}

fn compared(step: &str, wanted: &Facts, found: &Facts) -> Trip {
    let same = wanted.len() == found.len()
        && wanted.iter().zip(found).all(|(one, other)| one.0 == other.0 && one.1.definition == other.1.definition);
    if same {
        return (RoundTrip::Exact, Vec::new());
    }
    let changes = change::compare(&nameless(wanted), &nameless(found));
    if changes.is_empty() {
        return (RoundTrip::Exact, Vec::new());
    }
    (RoundTrip::Differs, changes.iter().map(|change| format!("{step}: {}", change.words())).collect())
}

/// Facts by name alone: what was made again is another object to the server.
fn nameless(facts: &Facts) -> Facts {
    let mut facts = facts.clone();
    for fact in facts.values_mut() {
        fact.identity.clear();
    }
    facts
}
