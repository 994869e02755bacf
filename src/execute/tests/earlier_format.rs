//! Migrations that a program of an earlier journal format began, cut off anywhere, and this one goes on with.

use std::sync::Arc;

use super::harness::{
    Process, World, change_of, check_always, found, id, is_not_started, migration_id, originals,
};
use super::sweep::end;
use crate::backend::DigestStanding;
use crate::backend::faulty::{EffectDoor, Fault};
use crate::execute::{discard, list};
use crate::state::Sha256Digest;

/// How many waves were wholly written, with their digests.
fn whole_waves(world: &World) -> usize {
    let is_whole = |name: &&str| {
        let reading = world.open(name).read().unwrap();
        let after = &change_of(name).after;
        reading.bytes().is_some_and(|bytes| after.is_of(bytes)) && reading.digest == DigestStanding::Matches
    };
    let waves = [&["fresh", "orders"][..], &["mono"], &["old"]];
    waves
        .iter()
        .take_while(|names| names.iter().all(is_whole))
        .count()
}

/// Writes the journal anew as an earlier format had it: with a record for each wave, the first of which came when all
/// backups were there; in format 1 also with a record of its own that announced these.
fn as_format(format: u32, world: &World) {
    let handles = world.handles();
    let home = &handles[&id("mono")];
    let dir = format!("journal/{}/", migration_id());
    let backup = format!("backup/{}.tfstate", migration_id()).parse().unwrap();
    let backups = home.list_sidecars("backup/").unwrap();
    let names = home.list_sidecars(&dir).unwrap();
    let mut events = Vec::new();
    for name in &names {
        let text = String::from_utf8(home.get_sidecar(name).unwrap().unwrap()).unwrap();
        let (head, rest) = text.split_once("\"session\":").unwrap();
        assert!(head.starts_with("{\"format\":3,"));
        let (body, _) = rest.rsplit_once(",\"sum\":").unwrap();
        home.delete_sidecar(name).unwrap();
        match body.split_once("\"writes_intended\",") {
            None => events.push(body.to_owned()),
            Some((before, after)) => {
                for name in ["mono", "old", "orders"] {
                    let original = originals()[name].clone();
                    let _ = handles[&id(name)].create_sidecar(&backup, original.as_bytes());
                }
                let announced = 0..=whole_waves(world).min(2);
                events.extend(
                    announced.map(|wave| format!("{before}\"wave_intended\",\"wave\":{wave},{after}")),
                );
            }
        }
    }
    if format == 1 && (events.len() > 1 || !backups.is_empty()) {
        let announced = "\"one\",\"at\":\"2026-11-18T05:20:00Z\",\"event\":{\"kind\":\"backups_intended\",\"originals\":[]}";
        events.insert(1, announced.to_owned());
    }
    let mut previous = "null".to_owned();
    for (number, event) in (1..).zip(events) {
        let body = format!(
            "{{\"format\":{format},\"sequence\":{number},\"previous\":{previous},\"session\":{event}"
        );
        let sum = Sha256Digest::of(body.as_bytes());
        let text = format!("{body},\"sum\":\"{sum}\"}}\n");
        home.create_sidecar(
            &format!("{dir}{number:06}.json").parse().unwrap(),
            text.as_bytes(),
        )
        .unwrap();
        previous = format!("\"{sum}\"");
    }
}

#[test]
fn what_an_earlier_program_began_is_ended() {
    for (format, parallelism) in [(1, 1), (2, 1), (2, 4)] {
        for effect in 1.. {
            let world = World::memory();
            let door = Arc::new(EffectDoor::failing(effect, Fault::DiesAfter));
            let result = Process::new("one").apply(&world.gated(&door));
            if door.effects() <= effect {
                result.unwrap();
                assert!(effect > 20);
                break;
            }
            assert!(!is_not_started(&world.handles()));
            as_format(format, &world);
            check_always(&world);
            let phase = found(&world.handles()).unwrap().journal().phase();
            assert_eq!(list(&*world.handles()[&id("mono")]).unwrap(), [migration_id()]);
            found(&world.handles()).unwrap().summary();
            println!("format {format}, {effect}: {phase}");
            // Cut off once more on the way.
            let again = world.fork();
            let mut process = Process::new("two");
            process.parallelism = parallelism;
            let door = Arc::new(EffectDoor::failing(effect % 7, Fault::DiesAfter));
            let _ = process.resume(&again.gated(&door));
            check_always(&again);
            end(&again.fork(), Process::resume);
            end(&again, Process::undo);
            end(&world.fork(), Process::resume);
            end(&world, Process::undo);
            let process = Process::new("later");
            let handles = world.handles();
            discard(process.context(), &handles, found(&handles).unwrap()).unwrap();
            check_always(&world);
            assert!(world.sidecars().iter().all(|(name, _)| !name.contains("backup")));
        }
    }
}
