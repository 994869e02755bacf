//! What a bucket says of many objects in one answer: which of them are there, under which version, and how long.
//!
//! A listing is as consistent as a read is, and names an object's version by the MD5 of its content, as S3 took it of the
//! bytes it stored, unless the object is encrypted with a key of KMS or of the customer's. So a hundred states are told
//! by one request: those that should not be there yet, and those that were just written. Nothing is believed that a
//! listing leaves open: keys that it did not come to, or came to in no order, are left to a read, and so is everything
//! where the bucket may not be listed. Needed is `s3:ListBucket`, as Terraform itself does.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use aws_sdk_s3::types::Object;

use super::clients::Services;
use super::errors::status;
use super::together::{Queue, Together, Verdict, Verdicts};
use crate::backend::{BackendError, Version};

/// How many pages of a thousand keys are gone through, where others stand between those that are looked for.
const PAGES: usize = 8;

/// What a listing says of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Listed {
    /// No object.
    Absent,
    /// An object of this version and length.
    Present { version: Version, size: u64 },
    /// Nothing.
    Open,
}

/// A bucket, and how it is listed.
struct Bucket {
    name: String,
    reads: aws_sdk_s3::Client,
}

/// The looks under way on a bucket, of all states that share it.
#[derive(Clone)]
pub(super) struct Listing {
    looks: Arc<Queue<Look>>,
}

impl fmt::Debug for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listing").finish_non_exhaustive()
    }
}

impl Listing {
    pub(super) fn new(services: &Services, bucket: &str) -> Self {
        let mut known = services.buckets.lock().expect("no holder panics");
        let listing = known.entry(bucket.to_owned()).or_insert_with(|| {
            let bucket = Bucket {
                name: bucket.to_owned(),
                reads: services.reads.clone(),
            };
            Self {
                looks: Arc::new(Queue::new(Arc::new(bucket))),
            }
        });
        listing.clone()
    }

    /// Looks for a key, in company.
    pub(super) async fn look(&self, key: &str) -> Result<Listed, BackendError> {
        let key = key.to_owned();
        self.looks.call(Look { key }).await
    }
}

#[derive(Clone)]
struct Look {
    key: String,
}

impl Together for Look {
    type Answer = Listed;
    type Table = Bucket;

    fn key(&self) -> &str {
        &self.key
    }

    /// A read of one object says more than a listing does, and takes no longer.
    async fn alone(&self, _: &Bucket) -> Result<Listed, BackendError> {
        Ok(Listed::Open)
    }

    async fn together(bucket: &Bucket, looks: &[Self]) -> Verdicts<Listed> {
        let mut keys: Vec<&str> = looks.iter().map(|look| look.key.as_str()).collect();
        keys.sort_unstable();
        let Ok(mut told) = bucket.list(&keys).await else {
            return Verdicts::Never;
        };
        let answers = looks
            .iter()
            .map(|look| told.remove(&look.key).unwrap_or(Listed::Open));
        Verdicts::Each(answers.map(|answer| Verdict::Settled(Ok(answer))).collect())
    }

    fn astray(&self, bucket: &Bucket) -> BackendError {
        BackendError::Network {
            at: format!("s3://{}/{}", bucket.name, self.key),
            action: "s3:ListBucket",
            detail: "the call was given up".to_owned(),
        }
    }
}

/// The bucket may not be listed, or knows no listing.
struct NoListing;

impl Bucket {
    /// Returns what can be told of sorted keys.
    async fn list(&self, keys: &[&str]) -> Result<HashMap<String, Listed>, NoListing> {
        let mut sought = Sought::new(keys);
        let mut next = None;
        for _ in 0..PAGES {
            let request = self
                .reads
                .list_objects_v2()
                .bucket(&self.name)
                .prefix(common_prefix(keys))
                .set_continuation_token(next);
            let page = match request.send().await {
                Ok(page) => page,
                Err(error) if matches!(status(&error), Some(400..=499 | 501)) => return Err(NoListing),
                // Not this time; a read will say more.
                Err(_) => break,
            };
            next = page.next_continuation_token.clone();
            let ends = page.is_truncated != Some(true) && next.is_none();
            if !sought.take(page.contents(), ends) || next.is_none() {
                break;
            }
        }
        Ok(sought.told)
    }
}

/// Keys, and what was told of those that the listing came to.
struct Sought<'a> {
    /// Not yet told, sorted.
    open: &'a [&'a str],
    /// The last key that was listed.
    last: String,
    told: HashMap<String, Listed>,
}

impl<'a> Sought<'a> {
    fn new(keys: &'a [&'a str]) -> Self {
        Self {
            open: keys,
            last: String::new(),
            told: HashMap::new(),
        }
    }

    /// Takes the next page, and tells whether another one is wanted.
    fn take(&mut self, page: &[Object], ends: bool) -> bool {
        for object in page {
            let Some(key) = object.key() else { continue };
            if key < self.last.as_str() {
                // Not in order: what is missing may still come, and so no absence can be told.
                self.told.retain(|_, told| *told != Listed::Absent);
                return false;
            }
            key.clone_into(&mut self.last);
            self.pass(key);
            if self.open.first() == Some(&key) {
                let known = object
                    .e_tag()
                    .zip(object.size().and_then(|size| u64::try_from(size).ok()));
                let told = known.map_or(Listed::Open, |(tag, size)| Listed::Present {
                    // A header quotes it always, a listing nearly so.
                    version: Version::new(format!("\"{}\"", tag.trim_matches('"'))),
                    size,
                });
                self.tell(told);
            }
        }
        if ends {
            while !self.open.is_empty() {
                self.tell(Listed::Absent);
            }
        }
        !self.open.is_empty()
    }

    /// Tells of all keys before this one that they are not there.
    fn pass(&mut self, key: &str) {
        while self.open.first().is_some_and(|open| *open < key) {
            self.tell(Listed::Absent);
        }
    }

    fn tell(&mut self, told: Listed) {
        if let Some((first, rest)) = self.open.split_first() {
            self.told.insert((*first).to_owned(), told);
            self.open = rest;
        }
    }
}

/// Returns what all of the sorted keys begin with.
fn common_prefix<'a>(keys: &[&'a str]) -> &'a str {
    let (Some(first), Some(last)) = (keys.first(), keys.last()) else {
        return "";
    };
    let common = first
        .char_indices()
        .zip(last.chars())
        .find(|((_, a), b)| a != b)
        .map_or(first.len().min(last.len()), |((at, _), _)| at);
    &first[..common]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(keys: &[&str]) -> Vec<Object> {
        let object = |key: &&str| Object::builder().key(*key).e_tag("\"t\"").size(7).build();
        keys.iter().map(object).collect()
    }

    #[track_caller]
    fn check(keys: &[&str], pages: &[(&[&str], bool)], expected: &str) {
        let mut sought = Sought::new(keys);
        let mut wants = true;
        for (keys, ends) in pages {
            assert!(wants);
            wants = sought.take(&page(keys), *ends);
        }
        let shown = keys.iter().map(|key| match sought.told.get(*key) {
            Some(Listed::Present { .. }) => format!("{key}+"),
            Some(Listed::Absent) => format!("{key}-"),
            Some(Listed::Open) | None => format!("{key}?"),
        });
        assert_eq!(shown.collect::<Vec<_>>().join(" "), expected);
    }

    #[test]
    fn only_what_a_listing_came_to_is_told() {
        check(&["a", "b", "c"], &[(&[], true)], "a- b- c-");
        check(&["a", "b", "c"], &[(&["a", "aa", "c"], true)], "a+ b- c+");
        check(&["a", "b", "c"], &[(&["b"], true)], "a- b+ c-");
        check(&["a", "b", "c"], &[(&["b"], false)], "a- b+ c?");
        check(&["a", "b", "c"], &[(&["a"], false), (&["bb"], false)], "a+ b- c?");
        check(&["a", "b", "c"], &[(&["a"], false), (&["d"], false)], "a+ b- c-");
        // A bucket that lists in no order tells no absence.
        check(&["a", "b", "c"], &[(&["b", "a"], true)], "a? b+ c?");
        check(&["a", "b", "c"], &[(&["b"], false), (&["a"], true)], "a? b+ c?");
        check(&["é", "ü"], &[(&["é", "ü"], true)], "é+ ü+");
    }

    #[test]
    fn keys_have_a_common_prefix() {
        for (keys, expected) in [
            (vec!["x/a/s", "x/b/s"], "x/"),
            (vec!["a", "ab"], "a"),
            (vec!["é", "è"], ""),
            (vec!["same"], "same"),
            (vec![], ""),
        ] {
            let mut keys = keys;
            keys.sort_unstable();
            assert_eq!(common_prefix(&keys), expected);
        }
    }
}
