//! The program is killed (SIGKILL) at many moments; `resume` or `undo` puts everything right.
//!
//! A kill follows a record of the journal by a small delay, so that every phase is met, whatever the machine's speed.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::desk::{Desk, PLAN, ended};
use super::shop::{LINEAGE, STACKS};

/// How often the program is killed.
fn kills() -> usize {
    std::env::var("STACKCUT_KILLS").map_or(24, |text| text.parse().unwrap())
}

/// A state without what every run draws anew.
fn normal(state: Option<&String>) -> Option<String> {
    let state = state?;
    let lineage = serde_json::from_str::<Value>(state).unwrap()["lineage"]
        .as_str()
        .unwrap()
        .to_owned();
    let kept = if lineage == LINEAGE { "old" } else { "new" };
    Some(state.replace(&lineage, kept))
}

fn normal_states(desk: &Desk) -> Vec<Option<String>> {
    desk.states()
        .iter()
        .map(|(_, state)| normal(state.as_ref()))
        .collect()
}

/// What an uninterrupted run makes, how long it takes, and how many records it writes.
struct Model {
    before: Vec<Option<String>>,
    after: Vec<Option<String>>,
    took: Duration,
    records: usize,
}

impl Model {
    fn new(place: fn() -> Desk) -> Self {
        let desk = place();
        let before = normal_states(&desk);
        let began = Instant::now();
        desk.apply().code(0);
        Self {
            before,
            after: normal_states(&desk),
            took: began.elapsed(),
            records: desk.records(),
        }
    }
}

/// Runs a command until a number of records is there and some time passed, and kills it.
fn killed(desk: &Desk, args: &[&str], records: usize, delay: Duration) {
    let mut child = desk.start(args);
    while desk.records() < records && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_micros(300));
    }
    std::thread::sleep(delay);
    child.kill().unwrap();
    ended(child);
}

/// Kills one apply, and puts it right.
fn one(place: fn() -> Desk, model: &Model, number: usize, kills: usize) -> &'static str {
    let desk = place();
    let with_fence = number % 4 >= 2;
    if !with_fence {
        desk.clear_code();
    }
    let step = model.took / u32::try_from(model.records + 1).unwrap();
    let round = number / (model.records + 1);
    let rounds = kills / (model.records + 1) + 1;
    let delay = step * u32::try_from(round).unwrap() / u32::try_from(rounds).unwrap();
    killed(
        &desk,
        &["apply", PLAN, "--auto-approve"],
        number % (model.records + 1),
        delay,
    );
    let all = desk.migrations();
    let Some(found) = all.first() else {
        // Before the first record, nothing has happened.
        assert_eq!(normal_states(&desk), model.before);
        desk.apply().code(0);
        finished(&desk, model, with_fence);
        return "before";
    };
    let id = found["id"].as_str().unwrap();
    let standing = match found["standing"].as_str().unwrap() {
        "unfinished" => "unfinished",
        _ => "after",
    };
    let verb: &[&str] = if number.is_multiple_of(2) {
        &["resume", id]
    } else {
        &["undo", id, "--auto-approve"]
    };
    if number % 3 == 2 {
        // Another crash, on the way out of the first.
        let records = desk.records();
        killed(&desk, verb, records + 1 + round % 3, delay);
    }
    desk.run(verb).code(0);
    if verb[0] == "resume" {
        finished(&desk, model, with_fence);
    } else {
        assert_eq!(desk.leftovers(), Vec::<String>::new(), "kill {number}");
        let shop = desk.get("shop").unwrap();
        let original = model.before[0].clone().unwrap();
        let given_back: Vec<String> = [5, 7]
            .iter()
            .map(|serial| original.replace("\"serial\": 5", &format!("\"serial\": {serial}")))
            .collect();
        assert!(
            given_back.contains(&normal(Some(&shop)).unwrap()),
            "kill {number}: {shop}"
        );
        for stack in STACKS {
            assert_eq!(desk.get(stack), None, "kill {number}: {stack}");
        }
        // What was undone can be done.
        desk.clear_code();
        desk.apply().code(0);
        assert_eq!(desk.leftovers(), Vec::<String>::new(), "kill {number}");
    }
    standing
}

/// Everything is as an uninterrupted run leaves it.
fn finished(desk: &Desk, model: &Model, with_fence: bool) {
    if with_fence {
        let all = desk.migrations();
        assert_eq!(all[0]["standing"], "fenced", "{all:?}");
        desk.clear_code();
        desk.on("release", all[0]["id"].as_str().unwrap(), &[]).code(0);
    }
    assert_eq!(normal_states(desk), model.after);
    assert_eq!(desk.leftovers(), Vec::<String>::new());
    desk.apply().code(0);
    assert_eq!(normal_states(desk), model.after);
}

fn sweep(place: fn() -> Desk, workers: usize) {
    let kills = kills();
    let model = Model::new(place);
    let next = AtomicUsize::new(0);
    let met = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= kills {
                        return;
                    }
                    let standing = one(place, &model, number, kills);
                    met.lock().unwrap().push(standing);
                }
            });
        }
    });
    let met = met.into_inner().unwrap();
    let unfinished = met.iter().filter(|&&standing| standing == "unfinished").count();
    assert!(
        unfinished * 4 >= kills,
        "{unfinished} of {kills} kills met something in the middle: {met:?}"
    );
}

#[test]
fn kills_on_local_files() {
    sweep(Desk::local, 2);
}

/// Most of the time passes in waiting for requests that may still be under way, so that many wait at once.
#[test]
fn kills_in_a_bucket() {
    sweep(Desk::bucket, kills().div_ceil(2).min(16));
}
