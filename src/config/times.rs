//! Hours and freezes as they are written. Whether a time zone exists is only known where it is looked up.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::environments::{Freeze, Hours};

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// `Mon-Fri 09:00-16:00 Europe/Berlin`.
#[derive(Debug, Clone)]
pub struct HoursOfDays(pub Hours);

/// `2026-12-20..2027-01-02 Europe/Berlin: holidays`.
#[derive(Debug, Clone)]
pub struct FreezeDays(pub Freeze);

fn hours(text: &str) -> Option<Hours> {
    let mut words = text.split_ascii_whitespace();
    let (days, times, zone) = (words.next()?, words.next()?, words.next().unwrap_or("UTC"));
    if words.next().is_some() {
        return None;
    }
    let mut on = [false; 7];
    for part in days.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let at = |day: &str| DAYS.iter().position(|known| known.eq_ignore_ascii_case(day));
        let (mut day, last) = (at(first)?, at(last)?);
        on[day] = true;
        while day != last {
            day = (day + 1) % 7;
            on[day] = true;
        }
    }
    let (from, until) = times.split_once('-')?;
    let (from, until) = (minutes(from)?, minutes(until)?);
    (from < until).then(|| Hours { text: text.to_owned(), days: on, from, until, zone: zone.to_owned() })
}

fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str| (text.len() == 2).then(|| text.parse::<u16>().ok())?;
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (minutes < 60 && (hours < 24 || (hours == 24 && minutes == 0))).then_some(hours * 60 + minutes)
}

fn freeze(text: &str) -> Option<Freeze> {
    let (when, reason) = text.split_once(": ")?;
    let mut words = when.split_ascii_whitespace();
    let (days, zone) = (words.next()?, words.next().unwrap_or("UTC"));
    let (from, until) = days.split_once("..").unwrap_or((days, days));
    let day = |text: &str| text.parse::<jiff::civil::Date>().ok().map(|day| day.to_string());
    let (from, until) = (day(from)?, day(until)?);
    let whole = words.next().is_none() && from <= until && !reason.trim().is_empty();
    whole.then(|| Freeze { from, until, reason: reason.trim().to_owned(), zone: zone.to_owned() })
}

impl<'de> Deserialize<'de> for HoursOfDays {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = || D::Error::custom(format_args!("{text:?} are no hours: write Mon-Fri 09:00-16:00 Europe/Berlin"));
        hours(&text).map(Self).ok_or_else(wrong)
    }
}

impl Serialize for HoursOfDays {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.text)
    }
}

impl JsonSchema for HoursOfDays {
    fn schema_name() -> Cow<'static, str> {
        "Hours".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[A-Za-z,-]+ [0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}( [A-Za-z_/+0-9-]+)?$"})
    }
}

impl<'de> Deserialize<'de> for FreezeDays {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = || {
            D::Error::custom(format_args!(
                "{text:?} is no freeze: write 2026-12-20..2027-01-02 Europe/Berlin: the reason"
            ))
        };
        freeze(&text).map(Self).ok_or_else(wrong)
    }
}

impl Serialize for FreezeDays {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.reason)
    }
}

impl JsonSchema for FreezeDays {
    fn schema_name() -> Cow<'static, str> {
        "Freeze".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}(\\.\\.[0-9]{4}-[0-9]{2}-[0-9]{2})?( [A-Za-z_/+0-9-]+)?: ."})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_read() {
        let read = hours("Fri-Mon,Wed 09:00-16:30 Europe/Berlin").unwrap();
        assert_eq!(read.days, [true, false, true, false, true, true, true]);
        assert_eq!((read.from, read.until, read.zone.as_str()), (540, 990, "Europe/Berlin"));
        assert_eq!(hours("mon 00:00-24:00").unwrap().zone, "UTC");
        for bad in [
            "",
            "Mon",
            "Mon 9:00-10:00",
            "Mon 10:00-09:00",
            "Mon 10:00-25:00",
            "Moo 09:00-10:00",
            "Mon 09:00-10:60",
            "Mon 09:00-10:00 UTC x",
        ] {
            assert!(hours(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn freezes_are_read() {
        let read = freeze("2026-12-20..2027-01-02 Europe/Berlin: holidays").unwrap();
        assert_eq!(
            (read.from.as_str(), read.until.as_str(), read.reason.as_str()),
            ("2026-12-20", "2027-01-02", "holidays")
        );
        assert_eq!(freeze("2026-12-24: eve").unwrap().until, "2026-12-24");
        for bad in ["", "2026-12-24", "2026-13-01: x", "2027-01-01..2026-01-01: x", "2026-12-24: "] {
            assert!(freeze(bad).is_none(), "{bad}");
        }
    }
}
