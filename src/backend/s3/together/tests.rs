//! Calls put together come to what they come to alone.

use std::collections::BTreeSet;
use std::time::Instant;

use super::*;

/// Counts requests, and takes its time for each.
#[derive(Default)]
struct Store {
    takes: Duration,
    /// Items that refuse whatever is written to them.
    held: BTreeSet<String>,
    /// Requests for many calls are not known.
    is_old: bool,
    requests: Mutex<Vec<usize>>,
    /// Items with a call under way.
    under_way: Mutex<HashSet<String>>,
}

#[derive(Clone)]
struct Note(String);

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Done,
    Held,
}

impl Store {
    async fn request(&self, calls: &[Note]) {
        for call in calls {
            assert!(
                self.under_way.lock().unwrap().insert(call.0.clone()),
                "twice at once"
            );
        }
        self.requests.lock().unwrap().push(calls.len());
        tokio::time::sleep(self.takes).await;
        for call in calls {
            self.under_way.lock().unwrap().remove(&call.0);
        }
    }
}

impl Together for Note {
    type Answer = Answer;
    type Table = Store;

    fn key(&self) -> &str {
        &self.0
    }

    async fn alone(&self, store: &Store) -> Result<Answer, BackendError> {
        store.request(std::slice::from_ref(self)).await;
        Ok(if store.held.contains(&self.0) {
            Answer::Held
        } else {
            Answer::Done
        })
    }

    async fn together(store: &Store, calls: &[Self]) -> Verdicts<Answer> {
        assert!((2..=MOST).contains(&calls.len()));
        store.request(calls).await;
        if store.is_old {
            return Verdicts::Never;
        }
        let is_refused = calls.iter().any(|call| store.held.contains(&call.0));
        let verdict = |call: &Self| match (store.held.contains(&call.0), is_refused) {
            (true, _) if call.0.ends_with('7') => Verdict::Alone,
            (true, _) => Verdict::Settled(Ok(Answer::Held)),
            (false, true) => Verdict::Again,
            (false, false) => Verdict::Settled(Ok(Answer::Done)),
        };
        Verdicts::Each(calls.iter().map(verdict).collect())
    }

    fn astray(&self, _: &Store) -> BackendError {
        BackendError::Conflict { at: self.0.clone() }
    }
}

/// Makes all calls at once; returns the sizes of the requests, sorted.
fn check(store: Store, keys: &[String]) -> Vec<usize> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_time()
        .build()
        .unwrap();
    let store = Arc::new(store);
    let queue = Arc::new(Queue::<Note>::new(Arc::clone(&store)));
    runtime.block_on(async {
        let calls: Vec<_> = keys
            .iter()
            .map(|key| {
                let (queue, note) = (Arc::clone(&queue), Note(key.clone()));
                tokio::spawn(async move { queue.call(note).await })
            })
            .collect();
        for (key, call) in keys.iter().zip(calls) {
            let expected = if store.held.contains(key) {
                Answer::Held
            } else {
                Answer::Done
            };
            assert_eq!(call.await.unwrap().unwrap(), expected, "{key}");
        }
    });
    let mut requests = std::mem::take(&mut *store.requests.lock().unwrap());
    requests.sort_unstable();
    requests
}

fn keys(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("k{number}")).collect()
}

#[test]
fn many_calls_are_few_requests() {
    let slow = || Store {
        takes: Duration::from_millis(20),
        ..Store::default()
    };
    assert_eq!(check(slow(), &keys(1)), [1]);
    let requests = check(slow(), &keys(250));
    assert_eq!(requests.iter().sum::<usize>(), 250);
    assert!(requests.len() <= 6, "{requests:?}");
}

#[test]
fn calls_on_one_item_go_one_after_another() {
    let store = Store {
        takes: Duration::from_millis(5),
        ..Store::default()
    };
    let twice: Vec<String> = keys(30).into_iter().chain(keys(30)).chain(keys(5)).collect();
    assert_eq!(check(store, &twice).iter().sum::<usize>(), 65);
}

#[test]
fn a_refusal_is_its_own_calls_alone() {
    for held in [&["k3"][..], &["k3", "k7", "k17", "k30"], &["k7"]] {
        let store = Store {
            takes: Duration::from_millis(5),
            held: held.iter().map(|&key| key.to_owned()).collect(),
            ..Store::default()
        };
        check(store, &keys(50));
    }
    let all = Store {
        held: keys(50).into_iter().collect(),
        ..Store::default()
    };
    check(all, &keys(50));
}

#[test]
fn where_it_is_not_known_each_goes_alone() {
    let store = Store {
        is_old: true,
        takes: Duration::from_millis(5),
        ..Store::default()
    };
    let requests = check(store, &keys(60));
    assert_eq!(requests.iter().filter(|&&size| size == 1).count(), 60);
    let failed = requests.iter().filter(|&&size| size > 1).count();
    assert!(failed <= 2, "{requests:?}");
}

#[test]
fn a_late_answer_holds_up_nobody_else() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_time()
        .build()
        .unwrap();
    let store = Arc::new(Store {
        takes: Duration::from_millis(600),
        ..Store::default()
    });
    let queue = Arc::new(Queue::<Note>::new(store));
    let start = Instant::now();
    runtime.block_on(async {
        let first = {
            let queue = Arc::clone(&queue);
            tokio::spawn(async move { queue.call(Note("a".into())).await })
        };
        tokio::time::sleep(Duration::from_millis(20)).await;
        queue.call(Note("b".into())).await.unwrap();
        first.await.unwrap().unwrap();
    });
    assert!(
        start.elapsed() < Duration::from_millis(1100),
        "{:?}",
        start.elapsed()
    );
}
