//! Every decision as a table.

use super::testing::{id, migration, print, sight};
use super::*;
use crate::journal::{Image, Migration};
use crate::state::Md5Digest;

fn images() -> Event {
    let image = |name: &str, lineage: &str, serial| Image {
        state: id(name),
        restored: print(lineage, serial),
    };
    Event::UndoStarted {
        images: vec![image("a", "a", 9), image("mono", "m", 43)],
    }
}

fn writes() -> Event {
    Event::WritesIntended {
        originals: vec![],
        writes: vec![],
    }
}

/// As journals of earlier formats have it.
fn wave(wave: u32) -> Event {
    Event::WaveIntended {
        wave,
        originals: vec![],
        writes: vec![],
    }
}

fn undo_wave(wave: u32) -> Event {
    Event::UndoWaveIntended { wave, writes: vec![] }
}

pub(super) fn journal(events: &[Event]) -> Journal {
    let mut journal = Journal::begin(Journal::first_record(migration(), "s", "t")).unwrap();
    for event in events {
        let record = journal.next_record("s", "t", event.clone()).unwrap();
        journal.append(record).unwrap();
    }
    journal
}

/// Reads `a=8 n=- mono=41!40`: serials, `-` for no state; `!` a digest that is somebody else's, `!40` that of serial 40,
/// `?` none.
pub(super) fn observe(text: &str) -> Observed {
    let mut observed = Observed::default();
    for word in text.split_whitespace() {
        if let Some(name) = word.strip_prefix('#') {
            observed.locks.insert(id(name));
            continue;
        }
        let flag = match word {
            "backups" => Some(&mut observed.backed_up),
            "wait" => Some(&mut observed.copies_wait),
            "discarded" => Some(&mut observed.discarded),
            _ => None,
        };
        if let Some(flag) = flag {
            *flag = true;
            continue;
        }
        let (name, at) = word.split_once('=').unwrap();
        let (serial, digest) = match at.find(['!', '?']) {
            Some(mark) => at.split_at(mark),
            None => (at, ""),
        };
        let lineage = if name == "mono" { "m" } else { name };
        let mut seen = match serial {
            "-" => Sighting::absent(),
            serial => sight(lineage, serial.parse().unwrap()),
        };
        match digest.split_at_checked(1) {
            None => {}
            Some(("?", _)) => seen.digest = DigestSight::Missing,
            Some((_, "")) => seen.digest = DigestSight::Differs(Md5Digest([0; 16])),
            Some((_, other)) => {
                seen.digest = DigestSight::Differs(print(lineage, other.parse().unwrap()).md5);
            }
        }
        observed.states.insert(id(name), seen);
    }
    observed
}

fn show(decision: &Decision) -> String {
    let names = |ids: &[StateId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let misfits = |misfits: &[Misfit]| {
        let ids: Vec<_> = misfits.iter().map(|misfit| misfit.change.id.clone()).collect();
        names(&ids)
    };
    match decision {
        Decision::Over(finished) => format!("over: {finished:?}"),
        Decision::Refuse(found) => format!("refuse: {}", misfits(found)),
        Decision::Stuck(found) => format!("stuck: {}", misfits(found)),
        Decision::Do(Step::BackUp) => "back up".into(),
        Decision::Do(Step::WriteNew(ids)) => format!("write new {}", names(ids)),
        Decision::Do(Step::Write(ids)) => format!("write {}", names(ids)),
        Decision::Do(Step::Restore(ids)) => format!("restore {}", names(ids)),
        Decision::Do(Step::RepairDigests(ids)) => format!("digests {}", names(ids)),
        Decision::Do(Step::Discard) => "discard".into(),
        Decision::Do(Step::Unlock(ids)) => format!("unlock {}", names(ids)),
        Decision::Do(Step::Record(event)) => match event {
            Event::WritesIntended { writes, .. } => {
                let ids: Vec<_> = writes.iter().map(|write| write.state.clone()).collect();
                format!("{} {}", event.name(), names(&ids))
            }
            Event::UndoWaveIntended { wave, writes } => {
                let ids: Vec<_> = writes.iter().map(|write| write.state.clone()).collect();
                format!("{}({wave}) {}", event.name(), names(&ids))
            }
            _ => event.name().to_owned(),
        },
    }
}

#[track_caller]
fn check(events: &[Event], cases: &[(&str, &str)]) {
    let journal = journal(events);
    for (observed, expected) in cases {
        assert_eq!(
            show(&decide(&journal, &observe(observed))),
            *expected,
            "{observed}"
        );
    }
}

#[test]
fn before_the_first_write_a_changed_state_is_a_refusal() {
    check(
        &[],
        &[
            ("a=7 n=- mono=41", "back up"),
            ("a=7? n=- mono=41?", "back up"),
            ("a=7 n=- mono=42", "stuck: mono"),
            ("a=9 n=- mono=41", "refuse: a"),
            ("a=7 n=5 mono=41", "refuse: n"),
            ("a=7 n=-! mono=41", "refuse: n"),
            ("a=7 n=- mono=41!", "refuse: mono"),
            ("a=- n=- mono=41", "refuse: a"),
            ("a=9 n=- mono=41 backups", "refuse: a"),
            ("a=7 n=- mono=41 backups", "writes_intended a,n,mono"),
            ("a=7 n=1 mono=41 backups", "stuck: n"),
            ("a=7 n=- mono=41 wait", "writes_intended a,n,mono"),
            ("a=9 n=- mono=41 wait", "refuse: a"),
        ],
    );
}

/// New states may be there before any copy is; nothing is overwritten before all are.
#[test]
fn originals_are_copied_before_the_first_is_overwritten() {
    check(
        &[writes()],
        &[
            ("a=7 n=- mono=41", "write new n"),
            ("a=7 n=1? mono=41", "digests n"),
            ("a=7 n=1 mono=41", "back up"),
            ("a=7 n=1 mono=41 backups", "write a"),
            // That one was overwritten does not tell that all were copied.
            ("a=8 n=- mono=41", "write new n"),
            ("a=8 n=1 mono=41", "back up"),
            ("a=8 n=- mono=41 backups", "write n"),
            ("a=8 n=1 mono=41 backups", "write mono"),
        ],
    );
}

/// Where nothing in the first wave is overwritten, the copies come before the second.
#[test]
fn a_first_wave_of_new_states_is_closed_by_the_copies() {
    let next = |journal: &[Event], observed: &str| {
        let states = migration()
            .states()
            .iter()
            .filter(|change| change.id != id("a"))
            .cloned()
            .collect();
        let migration = Migration::new("m-1".parse().unwrap(), states, "{}".to_owned()).unwrap();
        let mut found = Journal::begin(Journal::first_record(migration, "s", "t")).unwrap();
        for event in journal {
            let record = found.next_record("s", "t", event.clone()).unwrap();
            found.append(record).unwrap();
        }
        show(&decide(&found, &observe(observed)))
    };
    assert_eq!(next(&[], "n=- mono=41 wait"), "writes_intended n,mono");
    assert_eq!(next(&[], "n=- mono=41"), "back up");
    assert_eq!(next(&[writes()], "n=- mono=41"), "write new n");
    assert_eq!(next(&[writes()], "n=1 mono=41"), "back up");
    assert_eq!(next(&[writes()], "n=1 mono=41 backups"), "write mono");
    assert_eq!(next(&[writes()], "n=1 mono=42"), "release_intended");
}

#[test]
fn waves_are_written_whole_before_the_next() {
    check(
        &[writes()],
        &[
            ("a=7 n=- mono=41 backups", "write a,n"),
            ("a=8 n=- mono=41 backups", "write n"),
            ("a=8!7 n=- mono=41", "digests a"),
            ("a=8? n=- mono=41", "digests a"),
            ("a=8! n=- mono=41", "stuck: a"),
            ("a=7! n=- mono=41", "stuck: a"),
            ("a=7!8 n=- mono=41", "stuck: a"),
            ("a=7? n=- mono=41 backups", "write a,n"),
            ("a=8 n=-!1 mono=41", "stuck: n"),
            ("a=9 n=- mono=41", "stuck: a"),
            ("a=8 n=2 mono=50", "stuck: mono,n"),
            ("a=8 n=1 mono=41 backups", "write mono"),
            ("a=8 n=1? mono=41", "digests n"),
            // What came to be as before once more is written once more, as long as nothing was taken from the source.
            ("a=7 n=1 mono=41 backups", "write a"),
            ("a=8 n=- mono=41 backups", "write n"),
            ("a=7 n=1 mono=42", "stuck: a"),
            ("a=8 n=- mono=42!41", "stuck: n"),
            ("a=8 n=1 mono=42!41", "digests mono"),
            ("a=8 n=1 mono=42!", "stuck: mono"),
            ("a=8 n=1 mono=42", "release_intended"),
            ("a=9 n=1 mono=42", "release_intended"),
            ("a=9 n=1 mono=41", "stuck: a"),
            ("a=9 n=1 mono=42!41", "stuck: a"),
        ],
    );
}

/// Where each wave had a record of its own, later ones must be as before, and are announced in the end.
#[test]
fn waves_of_earlier_formats_are_gone_on_with() {
    check(
        &[wave(0)],
        &[
            ("a=7 n=- mono=41 backups", "write a,n"),
            ("a=8 n=- mono=41 backups", "write n"),
            ("a=8 n=1 mono=41", "writes_intended a,n,mono"),
            ("a=8 n=1 mono=42", "stuck: mono"),
        ],
    );
    for events in [[wave(0), wave(1)], [wave(0), writes()]] {
        check(
            &events,
            &[
                ("a=8 n=1 mono=41 backups", "write mono"),
                ("a=8 n=1 mono=42", "release_intended"),
                ("a=9 n=1 mono=41", "stuck: a"),
            ],
        );
    }
}

#[test]
fn the_fence_stays_until_it_is_released() {
    let events = [writes(), Event::ReleaseIntended];
    check(
        &events,
        &[
            ("#a #n #mono", "unlock a,n"),
            ("#n #mono", "unlock n"),
            ("#mono", "fenced"),
            ("", "fenced"),
        ],
    );
    let fenced = [&events[..], &[Event::Fenced]].concat();
    check(&fenced, &[("#mono", "over: Fenced")]);
    let releasing = [&fenced[..], &[Event::FenceReleaseIntended]].concat();
    check(&releasing, &[("#mono", "unlock mono"), ("", "completed")]);
    check(
        &[Event::AbortIntended { reason: "x".into() }],
        &[("#a #mono", "unlock a,mono"), ("", "aborted")],
    );
}

#[test]
fn a_discarded_migration_is_still_how_it_ended() {
    let aborted = [Event::AbortIntended { reason: "x".into() }, Event::Aborted];
    let discarding = [&aborted[..], &[Event::DiscardIntended]].concat();
    check(&discarding, &[("", "discard"), ("discarded", "discarded")]);
    let discarded = [&discarding[..], &[Event::Discarded]].concat();
    check(&discarded, &[("", "over: Aborted")]);
}

#[test]
fn undo_takes_back_sources_first() {
    let applied = [writes(), Event::ReleaseIntended, Event::Fenced];
    let undo = [&applied[..], &[images()]].concat();
    check(
        &undo,
        &[
            ("a=8 n=1 mono=42", "undo_wave_intended(1) mono"),
            ("a=8 n=1 mono=43", "refuse: mono"),
            ("a=9 n=1 mono=42", "refuse: a"),
            ("a=8 n=2 mono=42", "refuse: n"),
            ("a=8! n=1 mono=42", "refuse: a"),
            ("a=8 n=1 mono=41", "undo_wave_intended(0) a,n"),
            ("a=7 n=- mono=41", "undo_release_intended"),
        ],
    );
    let sources = [&undo[..], &[undo_wave(1)]].concat();
    check(
        &sources,
        &[
            ("a=8 n=1 mono=42", "restore mono"),
            ("a=8 n=1 mono=43!42", "digests mono"),
            ("a=8 n=1 mono=43!41", "digests mono"),
            ("a=8 n=1 mono=43?", "digests mono"),
            ("a=8 n=1 mono=43!", "stuck: mono"),
            ("a=8 n=1 mono=43", "undo_wave_intended(0) a,n"),
            ("a=8 n=1 mono=50", "stuck: mono"),
            ("a=7 n=- mono=43", "undo_release_intended"),
        ],
    );
    let targets = [&sources[..], &[undo_wave(0)]].concat();
    check(
        &targets,
        &[
            ("a=8 n=1 mono=43", "restore a,n"),
            ("a=9 n=1 mono=43", "restore n"),
            ("a=9 n=-!1 mono=43", "digests n"),
            ("a=9 n=-! mono=43", "undo_release_intended"),
            ("a=8 n=-! mono=43", "stuck: n"),
            // Never written, and so without a digest or with one that is no concern of ours.
            ("a=7? n=1 mono=43", "restore n"),
            ("a=7? n=- mono=43", "undo_release_intended"),
            ("a=7! n=1 mono=43", "stuck: a"),
            ("a=7!8 n=1 mono=43", "stuck: a"),
            ("a=7! n=- mono=43", "undo_release_intended"),
            ("a=9 n=- mono=43", "undo_release_intended"),
            ("a=9 n=- mono=44", "undo_release_intended"),
            ("a=9 n=1 mono=44", "stuck: mono"),
            ("a=9 n=1 mono=42", "stuck: mono"),
        ],
    );
    let refused = [&undo[..], &[Event::UndoAbortIntended { reason: "x".into() }]].concat();
    check(
        &refused,
        &[("#a #n #mono", "unlock a,n"), ("#mono", "undo_aborted")],
    );
}

#[test]
fn undo_from_the_middle_keeps_the_locks_if_it_is_refused() {
    let middle = [writes(), images()];
    check(
        &middle,
        &[
            ("a=8!7 n=- mono=41", "undo_wave_intended(0) a,n"),
            ("a=8! n=- mono=41", "refuse: a"),
            ("a=8 n=-!1 mono=41", "refuse: n"),
            ("a=7 n=- mono=41", "undo_release_intended"),
            ("a=7! n=- mono=41", "refuse: a"),
            ("a=8 n=- mono=50", "refuse: mono"),
        ],
    );
    let refused = [&middle[..], &[Event::UndoAbortIntended { reason: "x".into() }]].concat();
    check(&refused, &[("#a #n #mono", "undo_aborted")]);
}
