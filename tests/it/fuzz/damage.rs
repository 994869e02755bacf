//! Damage as it happens, and as an enemy would do it.

use stackcut::state::testing::Random;

/// Bytes that mean something to one of the readers.
const TELLING: &[&str] = &[
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "${",
    "%{",
    "$${",
    "\n",
    "\r\n",
    ".",
    ",",
    ":",
    "=",
    "*",
    "<<-EOT\n",
    "EOT\n",
    "#",
    "//",
    "/*",
    "*/",
    "null",
    "-1",
    "1e999",
    "18446744073709551616",
    "\\u0000",
    "\\ud800",
    "\u{feff}",
    "é",
    "💥",
    "\0",
    "module.",
    "data.",
    "each.key",
    "\"provider\"",
    "\"instances\": []",
    "for_each = ",
    "dynamic \"x\" {\n",
];

/// Returns a damaged copy of a text; `other` is one to take pieces from.
pub fn damaged(random: &mut Random, text: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = text.to_vec();
    for _ in 0..1 + random.below(4) {
        let at = random.below(bytes.len() + 1);
        let end = (at + random.below(40)).min(bytes.len());
        match random.below(8) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            3 => {
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
            4 => {
                let from = random.below(other.len() + 1);
                let piece = other[from..(from + random.below(200)).min(other.len())].to_vec();
                bytes.splice(at..end, piece);
            }
            // A line is lost, or stands twice.
            5 => {
                let line = bytes[..at]
                    .iter()
                    .rposition(|&byte| byte == b'\n')
                    .map_or(0, |found| found + 1);
                let next = bytes[at..]
                    .iter()
                    .position(|&byte| byte == b'\n')
                    .map_or(bytes.len(), |found| at + found + 1);
                match random.below(2) {
                    0 => drop(bytes.drain(line..next)),
                    _ => {
                        let again = bytes[line..next].to_vec();
                        bytes.splice(line..line, again);
                    }
                }
            }
            _ => drop(bytes.splice(at..at, random.pick(TELLING).bytes())),
        }
    }
    bytes
}
