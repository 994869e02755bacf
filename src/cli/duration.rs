//! Durations as Go writes them, since that is how people know them from `terraform -lock-timeout`: `0s`, `90s`, `1m30s`.

use std::time::Duration;

/// Reads a duration.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let fault = || format!("`{text}` is not a duration; write it like 30s, 5m or 1m30s");
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    if text.is_empty() {
        return Err(fault());
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let number = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(fault)?;
        let (digits, tail) = rest.split_at(number);
        let unit = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        let seconds = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return Err(fault()),
        };
        let value: f64 = digits.parse().map_err(|_| fault())?;
        let part = Duration::try_from_secs_f64(value * seconds).map_err(|_| fault())?;
        total = total.checked_add(part).ok_or_else(fault)?;
        rest = tail;
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn reads_what_go_reads() {
        let table = [
            ("0", Some(0)),
            ("0s", Some(0)),
            ("30s", Some(30_000)),
            ("5m", Some(300_000)),
            ("1m30s", Some(90_000)),
            ("1.5h", Some(5_400_000)),
            ("250ms", Some(250)),
            ("", None),
            ("5", None),
            ("s", None),
            ("-1s", None),
            ("1d", None),
            ("1s ", None),
            ("99999999999999999999h", None),
        ];
        for (text, expected) in table {
            assert_eq!(
                parse(text).ok().map(|found| found.as_millis()),
                expected,
                "{text}"
            );
        }
    }
}
