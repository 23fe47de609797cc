//! The time. Waiting is tokio's, so that tests can pause it.
#![expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]

/// Now, to be written down.
#[must_use]
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// Now, to be measured from.
#[must_use]
pub fn instant() -> std::time::Instant {
    std::time::Instant::now()
}

/// What a clock in a time zone shows now.
///
/// # Errors
/// When this system does not know the zone.
pub fn local(zone: &str) -> Result<jiff::civil::DateTime, String> {
    let zone = if zone == "UTC" { Ok(jiff::tz::TimeZone::UTC) } else { jiff::tz::TimeZone::get(zone) };
    zone.map(|zone| zone.to_datetime(now())).map_err(|error| format!("the time zone cannot be looked up: {error}"))
}
