//! "Did you mean": the nearest known words to one that is not known.

/// Returns up to three of `known` that are near to `word`, nearest first; equally near ones in their own order.
pub(crate) fn near<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted: Vec<char> = word.chars().collect();
    let limit = (wanted.len() / 3).clamp(1, 6);
    let mut found: Vec<(usize, &str)> = Vec::new();
    for candidate in known {
        let Some(distance) = distance(&wanted, candidate, limit) else {
            continue;
        };
        if found.iter().any(|(_, seen)| *seen == candidate) {
            continue;
        }
        let at = found.partition_point(|(other, _)| *other <= distance);
        found.insert(at, (distance, candidate));
        found.truncate(3);
    }
    found.into_iter().map(|(_, candidate)| candidate).collect()
}

/// How many known words are listed.
const LISTED: usize = 20;

/// Returns the advice for an unknown word: the near ones if there are any, else those that are known, if many the first.
pub(crate) fn did_you_mean(word: &str, known: &[&str]) -> String {
    let near = near(word, known.iter().copied());
    match near.as_slice() {
        [] if known.len() > LISTED => {
            let more = known.len() - LISTED;
            format!("known here: {}, and {more} more", quoted(&known[..LISTED]))
        }
        [] => format!("known here: {}", quoted(known)),
        near => format!("did you mean {}?", quoted(near).replace("`, `", "` or `")),
    }
}

/// Returns the words in back quotes, separated by commas.
pub(crate) fn quoted(words: &[&str]) -> String {
    let mut out = String::new();
    for word in words {
        if !out.is_empty() {
            out.push_str(", ");
        }
        out.push('`');
        out.push_str(word);
        out.push('`');
    }
    out
}

/// Returns the number of insertions, deletions, replacements and swaps of neighbours between two words, or none
/// where it is above `limit`.
fn distance(a: &[char], b: &str, limit: usize) -> Option<usize> {
    // A character takes at most four bytes: most candidates are ruled out without being decoded.
    if b.len() > (a.len() + limit) * 4 || b.len() + limit < a.len() {
        return None;
    }
    let b: Vec<char> = b.chars().collect();
    if a.len().abs_diff(b.len()) > limit {
        return None;
    }
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, &x) in a.iter().enumerate() {
        let mut row = vec![i + 1; b.len() + 1];
        let mut least = i + 1;
        for (j, &y) in b.iter().enumerate() {
            let mut cost = (last[j] + usize::from(x != y))
                .min(last[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && x == b[j - 1] && a[i - 1] == y {
                cost = cost.min(before[j - 1] + 1);
            }
            row[j + 1] = cost;
            least = least.min(cost);
        }
        // A swap can look back two rows, but never to less than one below this row's least.
        if least > limit + 1 {
            return None;
        }
        before = std::mem::replace(&mut last, row);
    }
    Some(last[b.len()]).filter(|&cost| cost <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_near_words_nearest_first() {
        let known = ["take", "layer", "move", "export", "existing"];
        assert_eq!(near("layre", known), ["layer"]);
        assert_eq!(near("tak", known), ["take"]);
        assert_eq!(near("exprot", known), ["export"]);
        assert_eq!(near("existnig", known), ["existing"]);
        assert!(near("zzz", known).is_empty());
    }

    #[test]
    fn a_distance_above_the_limit_is_none() {
        let word = |text: &str| text.chars().collect::<Vec<_>>();
        assert_eq!(distance(&word("abc"), "abd", 1), Some(1));
        assert_eq!(distance(&word("abc"), "acb", 1), Some(1));
        assert_eq!(distance(&word("abc"), "xyz", 2), None);
        assert_eq!(distance(&word("é"), "e", 1), Some(1));
        assert_eq!(distance(&word(""), "ab", 2), Some(2));
    }

    #[test]
    fn names_all_known_words_where_none_is_near() {
        assert_eq!(did_you_mean("zzz", &["ab", "cd"]), "known here: `ab`, `cd`");
        assert_eq!(did_you_mean("abc", &["ab", "abd"]), "did you mean `ab` or `abd`?");
        let advice = did_you_mean("zzz", &["ab"; 1000]);
        assert!(advice.ends_with("`ab`, `ab`, and 980 more"), "{advice}");
    }
}
