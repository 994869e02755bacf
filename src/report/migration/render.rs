//! Migrations as text.

use std::fmt::Write as _;

use super::{CommandReport, Ending, MigrationLine, PlanReport, RunReport, Standing, StatusReport};
use crate::report::{Table, count};

impl PlanReport {
    /// Returns the text for people.
    pub fn text(&self) -> String {
        let mut text = format!(
            "{}: {} into other states, environment {}, from a saved plan\n\n",
            self.split,
            moves(self.moves),
            self.environment
        );
        let mut table = Table::new(&["state", ">gets", ">gives", ">serial", "location"]);
        for state in &self.states {
            let number = |number: usize| match number {
                0 => "–".to_owned(),
                number => number.to_string(),
            };
            let serial = match (state.serial_before, state.serial_after) {
                (None, Some(after)) => after.to_string(),
                (Some(before), Some(after)) => format!("{before} → {after}"),
                (Some(before), None) => format!("{before}, kept"),
                (None, None) => "–".to_owned(),
            };
            table.row([
                state.name.clone(),
                number(state.arriving),
                number(state.leaving),
                serial,
                state.location.clone(),
            ]);
        }
        text.push_str(&table.text(2));
        for warning in &self.warnings {
            let _ = writeln!(text, "\n! {warning}");
        }
        text
    }
}

fn moves(number: usize) -> String {
    match number {
        1 => "1 instance moves".to_owned(),
        number => format!("{number} instances move"),
    }
}

impl RunReport {
    fn subject(&self) -> String {
        match &self.migration {
            Some(id) => format!("migration {id}"),
            None => format!("{}, environment {}", self.split, self.environment),
        }
    }

    /// Returns the text for people.
    pub fn text(&self) -> String {
        let mut text = format!("{}: {}\n", self.subject(), self.ending_text());
        if let Some(reason) = &self.reason {
            let _ = writeln!(text, "  why: {reason}");
        }
        if !self.fence.is_empty() {
            let _ = writeln!(
                text,
                "  locked until it is released: {}. Code that still declares what moved would create it again",
                self.fence.join(", ")
            );
        }
        if !self.fence_lost.is_empty() {
            text.push_str(&lost(&self.fence_lost));
        }
        if let Some(next) = &self.next {
            let first = match self.ending {
                Ending::Fenced => "remove what moved from the code, then ",
                _ => "",
            };
            let _ = writeln!(text, "  next: {first}`{next}`");
        }
        text
    }

    fn ending_text(&self) -> String {
        let written = || {
            let plan = self.plan.as_ref()?;
            let written = plan.states.iter().filter(|state| state.serial_after.is_some());
            Some(format!(
                ", {} moved, {} written",
                count(plan.moves, "instance"),
                count(written.count(), "state")
            ))
        };
        match self.ending {
            Ending::NothingToDo => "nothing to do".to_owned(),
            Ending::Completed => format!("completed{}", written().unwrap_or_default()),
            Ending::Fenced => format!("done{}", written().unwrap_or_default()),
            Ending::Aborted => "given up; nothing was written".to_owned(),
            Ending::Undone => "undone; every state has the content from before".to_owned(),
            Ending::Discarded => "discarded; its backups are deleted, and there is no way back".to_owned(),
            Ending::Failed => "stopped".to_owned(),
            Ending::NotStarted => "not begun".to_owned(),
        }
    }
}

/// Warns of fences that are gone.
fn lost(names: &[String]) -> String {
    format!(
        "  NOT locked any more, although it must be: {}. Somebody freed the lock by force; make sure that nobody applies \
         the old code\n",
        names.join(", ")
    )
}

impl CommandReport {
    /// Returns the text for people.
    pub fn text(&self) -> String {
        self.runs.iter().map(RunReport::text).collect()
    }
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
            _ if self.stuck => format!("STUCK while {}", self.phase),
            Standing::Unfinished => format!("UNFINISHED, stopped while {}", self.phase),
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
            let commands: Vec<String> = self.next.iter().map(|next| format!("`{next}`")).collect();
            let _ = writeln!(text, "  next: {}", commands.join(", or "));
        }
        text
    }
}

/// Returns an RFC 3339 time in UTC as people read it, without the parts of a second.
fn to_seconds(time: &str) -> String {
    let whole = time.split(['.', 'Z']).next().unwrap_or_default();
    match whole.split_once('T') {
        Some((day, clock)) if time.ends_with('Z') => format!("{day} {clock} UTC"),
        _ => time.to_owned(),
    }
}

impl StatusReport {
    /// Returns the text for people, with the place of every state if `all` is wanted; `nothing` is said where there is
    /// no migration.
    pub fn text(&self, nothing: &str, all: bool) -> String {
        if self.migrations.is_empty() {
            return format!("{nothing}\n");
        }
        let all: Vec<String> = self.migrations.iter().map(|line| line.text(all)).collect();
        all.join("\n")
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
