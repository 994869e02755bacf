//! Calls that are under way at the same time, put together into few requests.
//!
//! A call that finds nothing under way is sent at once (but for a millisecond or two, in which others may join it); those
//! that come while a request is under way are sent together after it. Each caller gets what its call would have come to
//! alone: of a request that is refused as a whole, calls that had no part in the refusal are sent again without the
//! others, and those that were its reason are sent alone, so that the answer is theirs. Two calls on one item are never
//! under way at once.
//!
//! Only answers are shared, never a wait without an end: a request whose answer is late holds up the calls on its own
//! items and no others.

use std::collections::{HashSet, VecDeque};
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, oneshot};

use crate::backend::BackendError;

/// How many calls one request holds at most.
const MOST: usize = 100;
/// How long to look for more calls before a request is sent, and how often at most, as long as more are coming.
const GATHER: Duration = Duration::from_millis(1);
const GATHERINGS: usize = 8;
/// How often no more calls may have come until no more are looked for: one that is alone goes at once, but where there are
/// many, the next ones may be late because all of them are just being made.
const QUIET: usize = 2;
/// How long the next request waits for the one before.
const PATIENCE: Duration = Duration::from_millis(50);
/// How many calls are sent alone at once, where they cannot be put together.
const ALONE: usize = 16;

/// A call that can be made alone or together with others on other items.
pub(super) trait Together: Clone + Send + Sync + 'static {
    /// What the call comes to.
    type Answer: Send + 'static;
    /// Where the calls go to.
    type Table: Send + Sync + 'static;

    /// The item that the call is about.
    fn key(&self) -> &str;

    /// Makes the call alone.
    fn alone(&self, table: &Self::Table) -> impl Future<Output = Result<Self::Answer, BackendError>> + Send;

    /// Makes the calls in one request, on different items.
    fn together(table: &Self::Table, calls: &[Self]) -> impl Future<Output = Verdicts<Self::Answer>> + Send;

    /// The error of a call whose answer went astray on our side.
    fn astray(&self, table: &Self::Table) -> BackendError;
}

/// What one request for many calls came to.
pub(super) enum Verdicts<A> {
    /// One for each call, in their order.
    Each(Vec<Verdict<A>>),
    /// Nothing happened, and no such request ever will: not permitted, or not known here.
    Never,
}

/// What one request means for one of its calls.
pub(super) enum Verdict<A> {
    /// This.
    Settled(Result<A, BackendError>),
    /// Nothing happened, because of others.
    Again,
    /// Nothing happened, and alone it will be seen why.
    Alone,
}

/// The calls on one table.
pub(super) struct Queue<C: Together> {
    inner: Arc<Inner<C>>,
}

struct Inner<C: Together> {
    table: Arc<C::Table>,
    line: Mutex<Line<C>>,
    /// Some request has come to its end.
    ended: Notify,
    /// Requests for many calls do not work here.
    never: AtomicBool,
    few: Semaphore,
}

struct Line<C: Together> {
    waiting: VecDeque<Waiting<C>>,
    /// Items with a call under way.
    busy: HashSet<String>,
    /// Whether somebody sends what waits.
    is_driven: bool,
}

struct Waiting<C: Together> {
    call: C,
    answer: oneshot::Sender<Result<C::Answer, BackendError>>,
}

enum Round<C: Together> {
    /// Nobody waits.
    Over,
    /// All that wait, wait for their item.
    Blocked,
    /// Requests that can be under way at once.
    Batches(Vec<Vec<Waiting<C>>>),
}

impl<C: Together> Queue<C> {
    pub(super) fn new(table: Arc<C::Table>) -> Self {
        Self {
            inner: Arc::new(Inner {
                table,
                line: Mutex::new(Line {
                    waiting: VecDeque::new(),
                    busy: HashSet::new(),
                    is_driven: false,
                }),
                ended: Notify::new(),
                never: AtomicBool::new(false),
                few: Semaphore::new(ALONE),
            }),
        }
    }

    /// Makes a call, in company if there is any. Within a runtime only.
    pub(super) async fn call(&self, call: C) -> Result<C::Answer, BackendError> {
        if self.inner.never.load(Ordering::Relaxed) {
            return self.inner.alone(&call).await;
        }
        let (answer, answered) = oneshot::channel();
        let kept = call.clone();
        self.inner.enqueue(Waiting { call, answer });
        match answered.await {
            Ok(answer) => answer,
            Err(_) => Err(kept.astray(&self.inner.table)),
        }
    }
}

impl<C: Together> Inner<C> {
    fn line(&self) -> MutexGuard<'_, Line<C>> {
        self.line.lock().expect("no holder panics")
    }

    fn enqueue(self: &Arc<Self>, waiting: Waiting<C>) {
        let mut line = self.line();
        line.waiting.push_back(waiting);
        if !line.is_driven {
            line.is_driven = true;
            tokio::spawn(Arc::clone(self).drive());
        }
    }

    /// Sends what waits until nothing does.
    async fn drive(self: Arc<Self>) {
        loop {
            self.gather().await;
            match self.next_round() {
                Round::Over => return,
                Round::Blocked => self.ended.notified().await,
                Round::Batches(batches) => {
                    for batch in batches {
                        tokio::spawn(Arc::clone(&self).settle(batch));
                    }
                    // Late or not, the others go on.
                    let _ = tokio::time::timeout(PATIENCE, self.ended.notified()).await;
                }
            }
        }
    }

    async fn gather(&self) {
        let (mut known, mut quiet) = (0, 0);
        for _ in 0..GATHERINGS {
            let now = self.line().waiting.len();
            quiet = if now == known { quiet + 1 } else { 0 };
            let is_enough = quiet >= QUIET || (quiet > 0 && now <= 1);
            if is_enough || now >= MOST {
                return;
            }
            known = now;
            tokio::time::sleep(GATHER).await;
        }
    }

    fn next_round(&self) -> Round<C> {
        let mut line = self.line();
        if line.waiting.is_empty() {
            line.is_driven = false;
            return Round::Over;
        }
        let mut batches: Vec<Vec<Waiting<C>>> = Vec::new();
        let waiting = std::mem::take(&mut line.waiting);
        for one in waiting {
            if !line.busy.insert(one.call.key().to_owned()) {
                line.waiting.push_back(one);
                continue;
            }
            match batches.last_mut() {
                Some(batch) if batch.len() < MOST => batch.push(one),
                _ => batches.push(vec![one]),
            }
        }
        if batches.is_empty() {
            Round::Blocked
        } else {
            Round::Batches(batches)
        }
    }

    /// Makes calls together, and those that remain alone.
    async fn settle(self: Arc<Self>, batch: Vec<Waiting<C>>) {
        let keys = batch.iter().map(|one| one.call.key().to_owned()).collect();
        let _busy = Busy { inner: &self, keys };
        let (mut open, mut alone) = (batch, Vec::new());
        while open.len() > 1 && !self.never.load(Ordering::Relaxed) {
            let calls: Vec<C> = open.iter().map(|one| one.call.clone()).collect();
            let Verdicts::Each(verdicts) = C::together(&self.table, &calls).await else {
                self.never.store(true, Ordering::Relaxed);
                break;
            };
            let mut again = Vec::new();
            for (one, verdict) in open.into_iter().zip(verdicts) {
                match verdict {
                    // Nobody waits any more where sending fails.
                    Verdict::Settled(answer) => drop(one.answer.send(answer)),
                    Verdict::Again => again.push(one),
                    Verdict::Alone => alone.push(one),
                }
            }
            if again.len() == calls.len() {
                // Refused because of nobody: that would go on for ever.
                alone.append(&mut again);
            }
            open = again;
        }
        alone.extend(open);
        let calls: Vec<_> = alone
            .into_iter()
            .map(|one| {
                let inner = Arc::clone(&self);
                tokio::spawn(async move {
                    let answer = inner.alone(&one.call).await;
                    drop(one.answer.send(answer));
                })
            })
            .collect();
        for call in calls {
            // What became of it, its caller knows.
            let _ = call.await;
        }
    }

    async fn alone(&self, call: &C) -> Result<C::Answer, BackendError> {
        let _turn = self.few.acquire().await;
        call.alone(&self.table).await
    }
}

/// Items with a call under way, until this is dropped.
struct Busy<'a, C: Together> {
    inner: &'a Inner<C>,
    keys: Vec<String>,
}

impl<C: Together> Drop for Busy<'_, C> {
    fn drop(&mut self) {
        let mut line = self.inner.line();
        for key in &self.keys {
            line.busy.remove(key);
        }
        drop(line);
        self.inner.ended.notify_one();
    }
}

#[cfg(test)]
mod tests;
