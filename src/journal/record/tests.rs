//! The frozen sample, round trips, and every way a record can be damaged.

use super::*;
use crate::journal::decide::testing::{id, migration, print};
use crate::journal::{Image, Journal, Original, Torn, Writing};

fn all_events() -> Vec<Event> {
    let why = || "state `a` changed: \"x\"\n<é>".to_owned();
    vec![
        Event::Started(Box::new(migration())),
        Event::BackupsIntended {
            originals: originals(),
        },
        Event::WaveIntended {
            wave: 0,
            originals: originals(),
            writes: writes(),
        },
        Event::WaveIntended {
            wave: 1,
            originals: vec![],
            writes: writes(),
        },
        Event::WritesIntended {
            originals: originals(),
            writes: writes(),
        },
        Event::ReleaseIntended,
        Event::Fenced,
        Event::FenceReleaseIntended,
        Event::Completed,
        Event::AbortIntended { reason: why() },
        Event::Aborted,
        Event::UndoStarted {
            images: vec![Image {
                state: id("mono"),
                restored: print("m", 43),
            }],
        },
        Event::UndoWaveIntended {
            wave: 1,
            writes: writes(),
        },
        Event::UndoReleaseIntended,
        Event::Undone,
        Event::UndoAbortIntended { reason: why() },
        Event::UndoAborted,
        Event::DiscardIntended,
        Event::Discarded,
        Event::Resumed,
        Event::FoundStuck {
            states: vec![(id("a"), None), (id("mono"), Some(print("m", 50).sha256))],
        },
    ]
}

fn record(event: Event) -> Record {
    Record {
        sequence: 7,
        previous: Some(Sha256Digest::of(b"x")),
        session: "s".into(),
        at: "2026-11-25T04:50:41Z".into(),
        event,
    }
}

#[test]
fn every_event_comes_back() {
    for event in all_events() {
        let record = record(event);
        let text = record.to_text();
        assert!(text.contains(&format!("\"kind\":\"{}\"", record.event.name())));
        assert_eq!(text.matches('\n').count(), 1);
        let (read, sum) = Record::read(7, text.as_bytes()).unwrap();
        assert_eq!(read, record);
        assert_eq!(sum, record.sum());
    }
}

/// A whole journal as format 3 is written: the same as long as the number is 3.
#[test]
fn the_frozen_sample() {
    let frozen = include_str!("../../../testdata/journal-format/v3.jsonl");
    let mut journal = Journal::begin(Journal::first_record(
        migration(),
        "0b5c",
        "2026-11-25T04:50:41.5Z",
    ))
    .unwrap();
    let announced = Event::WritesIntended {
        originals: originals(),
        writes: writes(),
    };
    for event in [vec![announced], notes(), end()].concat() {
        let record = journal
            .next_record("0b5c", "2026-11-25T04:51:00Z", event)
            .unwrap();
        journal.append(record).unwrap();
    }
    let written: String = journal.records().iter().map(Record::to_text).collect();
    assert_eq!(written, frozen);
    assert_eq!(replay(frozen).records(), journal.records());
    assert_eq!(replay(frozen).migration(), &migration());
}

/// Whole journals as earlier formats were written. They must be read for ever, and can be gone on with.
#[test]
fn earlier_formats_are_read() {
    let first = [
        Event::BackupsIntended {
            originals: originals(),
        },
        Event::WaveIntended {
            wave: 0,
            originals: vec![],
            writes: writes(),
        },
    ];
    let second = Event::WaveIntended {
        wave: 0,
        originals: originals(),
        writes: writes(),
    };
    check_earlier(
        include_str!("../../../testdata/journal-format/v1.jsonl"),
        [first[..].to_vec(), notes(), second_wave(), end()].concat(),
    );
    check_earlier(
        include_str!("../../../testdata/journal-format/v2.jsonl"),
        [vec![second], notes(), second_wave(), end()].concat(),
    );
}

#[track_caller]
fn check_earlier(frozen: &str, expected: Vec<Event>) {
    let mut journal = replay(frozen);
    let found = journal.records().iter().map(|record| record.event.clone());
    let started = Event::Started(Box::new(migration()));
    assert_eq!(found.collect::<Vec<_>>(), [vec![started], expected].concat());
    assert_eq!(journal.migration(), &migration());
    let record = journal
        .next_record("s", "t", Event::FenceReleaseIntended)
        .unwrap();
    journal.append(record).unwrap();
}

fn replay(frozen: &str) -> Journal {
    let texts = frozen
        .split_inclusive('\n')
        .zip(1..)
        .map(|(line, sequence)| (sequence, line.as_bytes().to_vec()))
        .collect();
    let (journal, torn) = Journal::replay(texts).unwrap();
    assert_eq!(torn, None);
    journal
}

fn originals() -> Vec<Original> {
    vec![Original {
        state: id("mono"),
        version_id: "3/L4kqtJl".into(),
    }]
}

fn writes() -> Vec<Writing> {
    vec![Writing {
        state: id("n"),
        before: None,
        after: Some(print("n", 1).sha256),
    }]
}

fn notes() -> Vec<Event> {
    vec![
        Event::FoundStuck {
            states: vec![(id("a"), None)],
        },
        Event::Resumed,
        Event::UndoStarted {
            images: vec![Image {
                state: id("a"),
                restored: print("a", 9),
            }],
        },
        Event::UndoAbortIntended { reason: "why".into() },
        Event::UndoAborted,
    ]
}

fn second_wave() -> Vec<Event> {
    vec![Event::WaveIntended {
        wave: 1,
        originals: vec![],
        writes: vec![],
    }]
}

fn end() -> Vec<Event> {
    vec![Event::ReleaseIntended, Event::Fenced]
}

#[test]
fn every_damage_is_seen() {
    let text = record(Event::WaveIntended {
        wave: 3,
        originals: vec![],
        writes: vec![],
    })
    .to_text();
    let bytes = text.as_bytes();
    for at in 0..bytes.len() {
        for flip in [1, 0x20, 0x80] {
            let mut damaged = bytes.to_vec();
            damaged[at] ^= flip;
            assert!(Record::read(7, &damaged).is_err(), "byte {at} ^ {flip}");
        }
        let cut = &bytes[..at];
        assert!(Record::read(7, cut).is_err());
        assert!(Record::is_torn(cut));
    }
    assert!(!Record::is_torn(bytes));
    assert_eq!(
        Record::read(8, bytes).unwrap_err().to_string(),
        "record 8 of the journal cannot be read: it carries another number"
    );
    let newer = text.replace("\"format\":3", "\"format\":4");
    assert_eq!(
        Record::read(7, newer.as_bytes()).unwrap_err().to_string(),
        "record 7 of the journal has format 4; this version reads up to 3"
    );
    let wrong = text.replace("\"wave\":3", "\"wave\":4");
    assert_eq!(
        Record::read(7, wrong.as_bytes()).unwrap_err(),
        JournalError::Checksum { sequence: 7 }
    );
}

fn texts() -> Vec<(u64, Vec<u8>)> {
    let mut journal = Journal::begin(Journal::first_record(migration(), "s", "t")).unwrap();
    for event in [
        Event::FoundStuck { states: vec![] },
        Event::Resumed,
        Event::AbortIntended { reason: "r".into() },
    ] {
        let record = journal.next_record("s", "t", event).unwrap();
        journal.append(record).unwrap();
    }
    journal
        .records()
        .iter()
        .map(|record| (record.sequence, record.to_text().into_bytes()))
        .collect()
}

#[test]
fn a_journal_is_whole_or_an_error_that_names_the_record() {
    #[track_caller]
    fn check(damage: impl FnOnce(&mut Vec<(u64, Vec<u8>)>), expected: Result<(usize, Option<Torn>), &str>) {
        let mut texts = texts();
        damage(&mut texts);
        let found = Journal::replay(texts)
            .map(|(journal, torn)| (journal.records().len(), torn))
            .map_err(|error| error.to_string());
        assert_eq!(found, expected.map_err(str::to_owned));
    }
    check(|_| {}, Ok((4, None)));
    check(|texts| texts.reverse(), Ok((4, None)));
    check(Vec::clear, Err("the journal is empty"));
    check(|texts| texts[3].1.truncate(50), Ok((3, Some(Torn(4)))));
    check(|texts| texts[3].1.clear(), Ok((3, Some(Torn(4)))));
    check(|texts| texts[3].1.fill(0), Ok((3, Some(Torn(4)))));
    check(|texts| texts.truncate(3), Ok((3, None)));
    check(
        |texts| texts[1].1.truncate(50),
        Err("record 2 of the journal cannot be read: it does not end in a checksum"),
    );
    check(
        |texts| {
            texts.truncate(1);
            texts[0].1.truncate(50);
        },
        Err("the journal is empty"),
    );
    check(
        |texts| drop(texts.remove(1)),
        Err("record 2 of the journal is missing"),
    );
    check(
        |texts| drop(texts.remove(0)),
        Err("record 1 of the journal is missing"),
    );
    check(
        |texts| {
            texts.remove(2);
            texts[2].1.truncate(9);
        },
        Err("record 3 of the journal is missing"),
    );
    check(
        |texts| texts[3].1[40] ^= 1,
        Err("record 4 of the journal is corrupt: its checksum is wrong"),
    );
    check(
        |texts| {
            let mut other = Journal::begin(Journal::first_record(migration(), "other", "t")).unwrap();
            let record = other.next_record("s", "t", Event::Resumed).unwrap();
            texts[1].1 = record.to_text().into_bytes();
            other.append(record).unwrap();
        },
        Err("record 2 of the journal does not follow record 1"),
    );
    check(
        |texts| {
            let forged = Record {
                sequence: 5,
                previous: Some(Record::read(4, &texts[3].1).unwrap().1),
                session: "s".into(),
                at: "t".into(),
                event: Event::Completed,
            };
            texts.push((5, forged.to_text().into_bytes()));
        },
        Err("record 5 of the journal: `completed` cannot follow while the migration is giving up"),
    );
}
