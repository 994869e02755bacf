//! Executions in made-up worlds: in memory and on local files, with every failure at every effect.

mod check;
mod copies;
mod documented;
mod earlier_format;
mod fixture;
mod harness;
mod interleave;
mod journal_down;
mod late_copies;
mod locks;
mod order;
mod overtaken;
mod refuse;
mod stolen;
mod sweep;
mod torn;
mod verbs;

pub(super) use harness::{change_of, id, originals};
