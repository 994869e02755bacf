//! Colleagues at any moment: whoever keeps to the locks never meets us, and whoever does not loses nothing to us.

use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::harness::{NAMES, Process, World, check_always, id, originals};
use crate::backend::gated::{Call, Gate};
use crate::backend::{BackendError, LockId, LockInfo};
use crate::execute::{Kind, Outcome};

/// A colleague who acts once, just before our n-th call of whatever kind.
struct Colleague {
    world: World,
    at: usize,
    target: &'static str,
    keeps_to_locks: bool,
    content: Vec<u8>,
    calls: Mutex<usize>,
    wrote: Mutex<bool>,
}

impl Colleague {
    fn act(&self) {
        if self.keeps_to_locks {
            let lock = LockInfo {
                id: LockId::from_random([0xcc; 16]),
                operation: "OperationTypeApply".into(),
                info: String::new(),
                who: "colleague@laptop".into(),
                version: "1.11.4".into(),
                created: "2026-11-25T03:00:00Z".parse().unwrap(),
                path: String::new(),
            };
            let handles = self.world.handles();
            let handle = &handles[&id(self.target)];
            if handle.lock(&lock).is_err() {
                return;
            }
            self.world.overwrite(self.target, &self.content);
            handle.unlock(&lock.id).unwrap();
        } else {
            self.world.overwrite(self.target, &self.content);
        }
        *self.wrote.lock().unwrap() = true;
    }
}

impl Gate for Colleague {
    fn pass<T>(&self, _: Call, run: impl FnOnce() -> Result<T, BackendError>) -> Result<T, BackendError> {
        let now = {
            let mut calls = self.calls.lock().unwrap();
            *calls += 1;
            *calls
        };
        if now == self.at {
            self.act();
        }
        run()
    }
}

/// The target's original with a new object of the colleague's, under the serial he saw or the next.
fn colleagues_content(target: &str, same_serial: bool) -> Vec<u8> {
    let world = World::memory();
    let text = originals()
        .get(target)
        .cloned()
        .unwrap_or_else(|| originals()["other"].clone());
    let serial = world.serial(target).unwrap_or(9);
    let text = if same_serial {
        text
    } else {
        text.replace(
            &format!("\"serial\": {serial}"),
            &format!("\"serial\": {}", serial + 1),
        )
    };
    text.replace("12345678901234567890.10", "\"colleague\"")
        .into_bytes()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn nobodys_write_is_lost(
        at in 1_usize..90,
        target in 0_usize..NAMES.len(),
        same_serial: bool,
        keeps_to_locks: bool,
    ) {
        let target = NAMES[target];
        let world = World::memory();
        let content = colleagues_content(target, same_serial);
        let colleague = Arc::new(Colleague {
            world: match &world { World::Memory(store) => World::Memory(store.clone()), World::Local(_) => unreachable!() },
            at,
            target,
            keeps_to_locks,
            content: content.clone(),
            calls: Mutex::default(),
            wrote: Mutex::default(),
        });
        let result = Process::new("one").apply(&world.gated(&colleague));
        let wrote = *colleague.wrote.lock().unwrap();
        let is_theirs = world.bytes(target).as_deref() == Some(&content[..]);
        match result {
            Ok(outcome) => {
                let is_fenced = matches!(outcome, Outcome::Fenced { .. });
                prop_assert!(is_fenced);
                // He wrote after our last look at that state, or not at all: his bytes stand.
                prop_assert!(!wrote || is_theirs, "{target} at {at}");
            }
            Err(error) => {
                prop_assert!(wrote);
                prop_assert!(is_theirs, "{target} at {at}: {error}");
                prop_assert!(matches!(error.kind(), Kind::StateChanged | Kind::Stuck), "{error}");
            }
        }
        if !wrote {
            check_always(&world);
        }
    }
}
