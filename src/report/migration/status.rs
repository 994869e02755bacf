//! How migrations stand, as text: first what waits for somebody, then, shortly, what is over.

use std::fmt::Write as _;

use super::render::lost;
use super::{MigrationLine, Standing, StatusReport};
use crate::report::{Table, count};

/// How much is shown of what is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Each migration with its states and the commands that may come next.
    pub details: bool,
    /// Also the attempts that changed nothing.
    pub attempts: bool,
}

impl MigrationLine {
    /// Appends where the states are: the sources, and the stacks if all are wanted.
    fn text_states(&self, text: &mut String, all: bool) {
        let shown: Vec<_> = self.states.iter().filter(|state| all || state.source).collect();
        let width = shown.iter().map(|state| state.name.chars().count()).max();
        for state in &shown {
            let _ = writeln!(
                text,
                "  {:width$}  {}",
                state.name,
                state.location,
                width = width.unwrap_or_default()
            );
        }
        if shown.len() < self.states.len() {
            let others = count(self.states.len() - shown.len(), "stack");
            let _ = writeln!(text, "  and {others}; -v shows where");
        }
    }

    fn text(&self, all: bool) -> String {
        let mut text = String::new();
        let word = match self.standing {
            _ if self.stuck => format!("STUCK: {}", self.phase),
            Standing::Unfinished => format!("UNFINISHED: {}, or cut off at that", self.phase),
            Standing::Fenced if !self.fence_lost.is_empty() => {
                "fenced: done, but not locked any more".to_owned()
            }
            Standing::Fenced => "fenced: done, its source is locked until it is released".to_owned(),
            Standing::Finished => self.phase.clone(),
        };
        let _ = writeln!(text, "{}  {word}", self.id);
        let _ = writeln!(
            text,
            "  {} ({}), environment {}",
            self.split, self.file, self.environment
        );
        let _ = writeln!(
            text,
            "  begun {} by {}",
            to_seconds(&self.started),
            self.started_by
        );
        if self.last != self.started {
            let _ = writeln!(text, "  last  {} by {}", to_seconds(&self.last), self.last_by);
        }
        self.text_states(&mut text, all);
        if !self.fence_lost.is_empty() {
            text.push_str(&lost(&self.fence_lost));
        }
        if let Some(advice) = &self.advice {
            let _ = writeln!(text, "  first: {advice}");
        }
        if !self.next.is_empty() {
            let commands: Vec<String> = self.next.iter().map(|next| format!("`{next}`\n")).collect();
            let _ = write!(text, "  next: {}", commands.join("    or: "));
        }
        text
    }
}

/// Lists what is over, and what can be done with it.
fn finished(lines: &[&MigrationLine]) -> String {
    let mut table = Table::new(&["finished", "outcome", "when", "by"]);
    for line in lines {
        table.row([
            line.id.clone(),
            line.phase.clone(),
            to_minutes(&line.last),
            line.last_by.clone(),
        ]);
    }
    let can = |verb: &str| {
        let word = format!("stackcut {verb} ");
        lines
            .iter()
            .any(|line| line.next.iter().any(|next| next.starts_with(&word)))
    };
    let what = match (can("undo"), can("discard")) {
        (true, _) => "how to take one back, or delete its backups",
        (false, true) => "how to delete their backups",
        (false, false) => "where their states are",
    };
    format!("{}-v shows {what}\n", table.text(0))
}

fn to_minutes(time: &str) -> String {
    let text = to_seconds(time);
    match text.strip_suffix(" UTC").and_then(|text| text.rsplit_once(':')) {
        Some((minutes, _)) => format!("{minutes} UTC"),
        None => text,
    }
}

/// Returns an RFC 3339 time in UTC as people read it, without the parts of a second.
pub fn to_seconds(time: &str) -> String {
    let whole = time.split(['.', 'Z']).next().unwrap_or_default();
    match whole.split_once('T') {
        Some((day, clock)) if time.ends_with('Z') => format!("{day} {clock} UTC"),
        _ => time.to_owned(),
    }
}

impl StatusReport {
    /// Returns the text for people; `nothing` is said where there is no migration.
    pub fn text(&self, nothing: &str, shown: Shown) -> String {
        if self.migrations.is_empty() {
            return format!("{nothing}\n");
        }
        let (over, open): (Vec<_>, Vec<_>) = self
            .migrations
            .iter()
            .partition(|line| line.standing == Standing::Finished);
        let (attempts, over): (Vec<_>, Vec<_>) = over
            .into_iter()
            .partition(|line| line.changed_nothing && !shown.attempts);
        let mut parts: Vec<String> = open.iter().map(|line| line.text(shown.details)).collect();
        if shown.details {
            parts.extend(over.iter().map(|line| line.text(true)));
        } else if !over.is_empty() {
            parts.push(finished(&over));
        }
        if let Some(last) = attempts.first() {
            let number = match attempts.len() {
                1 => "1 attempt was".to_owned(),
                many => format!("{many} attempts were"),
            };
            parts.push(format!(
                "{number} given up before anything was written, the last {}; --all lists them\n",
                to_minutes(&last.last)
            ));
        }
        parts.join("\n")
    }

    /// Returns one line for each migration, in order.
    pub fn history(&self, nothing: &str) -> String {
        if self.migrations.is_empty() {
            return format!("{nothing}\n");
        }
        let mut table = Table::new(&["when", "migration", "outcome", "split", "environment", "by"]);
        for line in &self.migrations {
            table.row([
                to_seconds(&line.last),
                line.id.clone(),
                line.phase.clone(),
                line.split.clone(),
                line.environment.clone(),
                line.last_by.clone(),
            ]);
        }
        table.text(0)
    }
}
