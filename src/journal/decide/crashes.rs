//! A world that crashes anywhere.

use std::collections::BTreeSet;

use super::testing::migration;
use super::tests::{journal, observe};
use super::*;
use crate::journal::Record;

/// A world in which each step may happen in part before the process is gone; its successor reads the journal's text.
#[test]
fn whoever_comes_back_ends_where_the_first_would_have_ended() {
    let begins = ["a=7 n=- mono=41", "a=7 n=- mono=41 wait"];
    let mut worlds = begins.map(|begin| (journal(&[]), observe(begin))).to_vec();
    let mut ends = BTreeSet::new();
    let mut seen = 0;
    while let Some((journal, world)) = worlds.pop() {
        seen += 1;
        assert!(seen < 10_000, "the machine runs in circles");
        let texts = journal
            .records()
            .iter()
            .map(|record| (record.sequence, record.to_text().into_bytes()))
            .collect();
        let (mut journal, torn) = Journal::replay(texts).unwrap();
        assert_eq!(torn, None);
        match decide(&journal, &world) {
            Decision::Do(Step::Record(event)) => {
                let record: Record = journal.next_record("s", "t", event).unwrap();
                journal.append(record).unwrap();
                worlds.push((journal, world));
            }
            Decision::Do(step) => {
                for world in outcomes(&step, &world) {
                    worlds.push((journal.clone(), world));
                }
            }
            Decision::Over(finished) => {
                ends.insert((format!("{finished:?}"), format!("{:?}", world.states)));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(ends.len(), 1, "{ends:?}");
    assert!(seen > 10);
}

/// Every way in which a step can be left, but for the one in which nothing happened.
fn outcomes(step: &Step, world: &Observed) -> Vec<Observed> {
    let mut outcomes = Vec::new();
    match step {
        Step::BackUp => {
            let mut next = world.clone();
            next.backed_up = true;
            outcomes.push(next);
        }
        Step::Write(ids) | Step::WriteNew(ids) => {
            for written in ids {
                let change = migration().state(written).unwrap().clone();
                let stale = change.before.map(|before| DigestSight::Differs(before.md5));
                let change = change.after;
                for digest in [DigestSight::Fits, DigestSight::Missing].into_iter().chain(stale) {
                    let mut next = world.clone();
                    let change = change.clone();
                    next.states.insert(
                        written.clone(),
                        Sighting {
                            sha256: Some(change.sha256),
                            head: Some((change.lineage, change.serial)),
                            digest,
                            version_id: None,
                        },
                    );
                    outcomes.push(next);
                }
            }
        }
        Step::RepairDigests(ids) => {
            let mut next = world.clone();
            for id in ids {
                next.states.get_mut(id).unwrap().digest = DigestSight::Fits;
            }
            outcomes.push(next);
        }
        Step::Unlock(ids) => {
            let mut next = world.clone();
            next.locks.remove(&ids[0]);
            outcomes.push(next);
        }
        Step::Restore(_) | Step::Record(_) | Step::Discard => unreachable!("not in an apply"),
    }
    outcomes
}
