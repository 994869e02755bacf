//! What was found and decided, as data, and that data as text, Markdown and JSON.
//!
//! Reports hold addresses, counts, sizes and places in the code; never a value of a state.

pub mod check;
pub mod emit;
pub mod graph;
pub mod inspect;
pub mod migration;
pub mod split;
mod table;

pub use table::Table;

/// Version of every JSON report; rises when a field changes its meaning or goes away.
pub const REPORT_VERSION: u32 = 1;

/// Returns a count with its noun: `1 object`, `2 objects`, `3 dependencies`.
pub fn count(number: usize, noun: &str) -> String {
    match noun.strip_suffix('y') {
        _ if number == 1 => format!("{number} {noun}"),
        Some(stem) => format!("{number} {stem}ies"),
        None => format!("{number} {noun}s"),
    }
}

/// Returns a size for people: `812 B`, `41.3 kB`, `2.0 MB` (powers of ten).
pub fn size(bytes: usize) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let bytes_f = bytes as f64;
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes_f / 1e3),
        _ => format!("{:.1} MB", bytes_f / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_sizes_read_well() {
        assert_eq!(count(1, "object"), "1 object");
        assert_eq!(count(0, "object"), "0 objects");
        assert_eq!(count(2, "dependency"), "2 dependencies");
        assert_eq!(size(812), "812 B");
        assert_eq!(size(41_300), "41.3 kB");
        assert_eq!(size(2_000_000), "2.0 MB");
    }
}
