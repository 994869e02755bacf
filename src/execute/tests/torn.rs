//! A last record that was never written whole, found by two who both go on with it.

use super::fixture::{id, migration_id};
use super::harness::{HOME, Process, World, found};
use crate::backend::SidecarName;
use crate::execute::{Cause, PlannedResults, resume};

/// The second found the torn record too, and must not take away the whole one that the first wrote in its place.
#[test]
fn the_second_deletes_nothing_that_is_whole() {
    for world in [World::memory(), World::local()] {
        let handles = world.handles();
        Process::new("first").apply(&handles).unwrap();
        let home = &handles[&id(HOME)];
        let last = found(&handles).unwrap().journal().next_sequence() - 1;
        let name: SidecarName = format!("journal/{}/{last:06}.json", migration_id())
            .parse()
            .unwrap();
        let text = home.get_sidecar(&name).unwrap().unwrap();
        home.put_sidecar(&name, &text[..text.len() / 2]).unwrap();
        let seen_by_both = found(&handles).unwrap();
        Process::new("second").resume(&handles).unwrap();
        let written = world.sidecars();
        let third = Process::new("third");
        let error = resume(third.context(), &handles, seen_by_both, &PlannedResults).unwrap_err();
        assert!(matches!(error.cause, Cause::Concurrent { .. }), "{error:?}");
        assert_eq!(world.sidecars(), written);
    }
}

/// Without its first record a migration is found all the same, and says what is missing.
#[test]
fn a_journal_without_its_beginning_is_listed() {
    let world = World::memory();
    let handles = world.handles();
    Process::new("first").apply(&handles).unwrap();
    let home = &handles[&id(HOME)];
    let name: SidecarName = format!("journal/{}/000001.json", migration_id()).parse().unwrap();
    home.delete_sidecar(&name).unwrap();
    assert_eq!(crate::execute::list(&**home).unwrap(), [migration_id()]);
    let error = found(&handles).unwrap_err();
    assert_eq!(error.to_string(), "record 1 of the journal is missing");
}
