//! Times and counts in words, the same wherever people read them.

use std::time::Duration;

/// A wall time: `35 ms`, `4.2 s`, `1 m 05 s`, `2 h 03 m`.
#[must_use]
pub fn took(time: Duration) -> String {
    match time.as_secs() {
        0 => format!("{} ms", time.as_millis()),
        seconds if seconds < 60 => format!("{seconds}.{} s", time.subsec_millis() / 100),
        seconds if seconds < 3600 => format!("{} m {:02} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {:02} m", seconds / 3600, seconds / 60 % 60),
    }
}

/// A number with its noun: `1 finding`, `1,204 findings`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// A number with a comma between thousands.
#[must_use]
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_counts_read_well() {
        let times = [0, 35, 949, 1_000, 4_290, 59_949, 59_960, 65_000, 3_599_999, 7_380_000].map(Duration::from_millis);
        assert_eq!(
            times.map(took),
            ["0 ms", "35 ms", "949 ms", "1.0 s", "4.2 s", "59.9 s", "59.9 s", "1 m 05 s", "59 m 59 s", "2 h 03 m"]
        );
        assert_eq!(count(1, "finding"), "1 finding");
        assert_eq!(count(0, "test"), "0 tests");
        assert_eq!(count(1_234_567, "line"), "1,234,567 lines");
    }
}
