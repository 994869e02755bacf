//! The one JSON document on stdout that `--format json` promises: the report, or why there is none.

use std::sync::Mutex;

use clap::ArgMatches;

use super::conduct::failure;
use crate::error::CommandError;
use crate::report::migration::RefusalReport;
use crate::ui::Ui;

/// The command that still owes its document; a signal may end it at any time, so this is the process's.
static OWING: Mutex<Option<String>> = Mutex::new(None);

/// Notes whether a command promises a document.
pub(super) fn promise(matches: &ArgMatches) {
    let Some((verb, arguments)) = matches.subcommand() else {
        return;
    };
    // A verb without `--format` has none to read.
    let format = arguments.try_get_raw("format").ok().flatten();
    if format
        .and_then(Iterator::last)
        .is_some_and(|format| format == "json")
    {
        *OWING.lock().expect("no holder panics") = Some(verb.to_owned());
    }
}

/// Notes that the report is being written.
pub(super) fn kept() {
    OWING.lock().expect("no holder panics").take();
}

/// Writes why a command stopped, if it owes a document.
pub(super) fn instead(ui: &Ui, error: &CommandError) {
    let owing = OWING.lock().expect("no holder panics").take();
    if let Some(command) = owing {
        // The same was said on stderr; where stdout takes nothing, the exit code is left.
        let _ = ui.data(&RefusalReport::new(command, failure(error)).json());
    }
}
