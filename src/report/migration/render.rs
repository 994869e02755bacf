//! Plans and runs as text.

use std::fmt::Write as _;

use super::{CommandReport, Ending, PlanReport, RunReport};
use crate::diagnostic::{Diagnostic, Shown, bounded, kind_of};
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
        let kind = |warning: &String| kind_of(&Diagnostic::warning(warning));
        for shown in bounded(&self.warnings, kind) {
            let _ = match &shown {
                Shown::One(warning) => writeln!(text, "\n! {warning}"),
                more => writeln!(
                    text,
                    "\n{}",
                    more.line("the saved plan has them all").unwrap_or_default()
                ),
            };
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
pub(super) fn lost(names: &[String]) -> String {
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
