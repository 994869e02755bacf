//! The one place that talks to the terminal: data on stdout, talk on stderr, progress where a person watches.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::diagnostic::{Diagnostic, Severity, Shown, bounded, kind_of};
use crate::error::CommandError;

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal that wants it (`NO_COLOR` and `TERM=dumb` are honoured)
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How much to say on stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Talk {
    /// Errors and warnings only.
    Quiet,
    /// One line per step.
    Normal,
    /// Every detail.
    Verbose,
}

/// A handle to the terminal.
#[derive(Clone, Debug)]
pub struct Ui {
    talk: Talk,
}

const BOLD: Style = Style::new().bold();
const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const GREEN: Style = AnsiColor::Green.on_default().bold();
const DIM: Style = Style::new().dimmed();

impl Ui {
    /// Creates the handle and settles colour for the whole process.
    pub fn new(color: Color, talk: Talk) -> Self {
        match color {
            Color::Auto => {}
            Color::Always => anstream::ColorChoice::Always.write_global(),
            Color::Never => anstream::ColorChoice::Never.write_global(),
        }
        Self { talk }
    }

    /// Writes data to stdout, as it is.
    ///
    /// # Errors
    /// Passes on what stdout says; a closed pipe is not an error (`stackcut graph | head` must end quietly).
    pub fn data(&self, text: &str) -> io::Result<()> {
        let mut out = anstream::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }

    /// Says one line about the work.
    pub fn say(&self, line: &str) {
        if self.talk >= Talk::Normal {
            anstream::eprintln!("{line}");
        }
    }

    /// Says that a step is done.
    pub fn done(&self, line: &str) {
        if self.talk >= Talk::Normal {
            anstream::eprintln!("{GREEN}✓{GREEN:#} {line}");
        }
    }

    /// Says what a person should know even when it is quiet.
    pub fn warn(&self, line: &str) {
        anstream::eprintln!("{YELLOW}warning{YELLOW:#}: {line}");
    }

    /// Says a detail.
    pub fn detail(&self, line: &str) {
        if self.talk >= Talk::Verbose {
            anstream::eprintln!("{DIM}{line}{DIM:#}");
        }
    }

    /// Tells whether every detail is wanted.
    pub fn is_verbose(&self) -> bool {
        self.talk >= Talk::Verbose
    }

    /// Prints what was found and stops nothing: the first of each kind, and all of it when every detail is wanted.
    pub fn findings(&self, findings: &[Diagnostic]) {
        for line in self.shown(findings) {
            match line {
                Shown::One(finding) => self.finding(finding),
                more => self.more(&more, "-v shows all"),
            }
        }
    }

    /// Chooses what is shown.
    fn shown<'a>(&self, findings: &'a [Diagnostic]) -> Vec<Shown<'a, Diagnostic>> {
        match self.is_verbose() {
            true => findings.iter().map(Shown::One).collect(),
            false => bounded(findings, kind_of),
        }
    }

    /// Says how many more there are.
    fn more(&self, more: &Shown<'_, Diagnostic>, where_all: &str) {
        if let Some(line) = more.line(where_all) {
            anstream::eprintln!("{DIM}{line}{DIM:#}");
        }
    }

    /// Prints a finding.
    pub fn finding(&self, finding: &Diagnostic) {
        let columns = columns();
        let text = match self.is_verbose() {
            true => format!("{finding:#columns$}"),
            false => format!("{finding:columns$}"),
        };
        let style = match finding.severity {
            Severity::Warning => YELLOW,
            Severity::Error => RED,
        };
        for (index, line) in text.lines().enumerate() {
            match line.split_once(':') {
                Some((word, rest)) if index == 0 => {
                    anstream::eprintln!("{style}{word}{style:#}{BOLD}:{rest}{BOLD:#}");
                }
                Some(("hint", rest)) => anstream::eprintln!("{GREEN}hint{GREEN:#}:{rest}"),
                _ => anstream::eprintln!("{line}"),
            }
        }
    }

    /// Prints why a command stopped.
    pub fn error(&self, error: &CommandError) {
        // The last one says what the others come to, and what is unchanged.
        let Some((last, others)) = error.findings.split_last() else {
            return;
        };
        let shown = self.shown(others).into_iter().chain([Shown::One(last)]);
        for (number, line) in shown.enumerate() {
            if number > 0 {
                anstream::eprintln!();
            }
            match line {
                Shown::One(finding) => self.finding(finding),
                more => self.more(&more, "-v shows all, and --format json has them"),
            }
        }
    }

    /// Tells whether a person can answer questions here.
    pub fn can_ask(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks a yes/no question on stderr; only `yes` is a yes.
    ///
    /// # Errors
    /// Passes on what the terminal says; `Interrupted` for Ctrl-C.
    pub fn ask(&self, question: &str) -> io::Result<bool> {
        anstream::eprintln!("{BOLD}{question}{BOLD:#}");
        let answer: String = dialoguer::Input::new()
            .with_prompt("  Only `yes` is accepted")
            .allow_empty(true)
            .interact_text()
            .map_err(|dialoguer::Error::IO(error)| error)?;
        Ok(answer.trim() == "yes")
    }

    /// Starts a progress bar on a terminal; elsewhere, and when quiet, the bar is hidden.
    pub fn progress(&self, steps: u64, what: &str) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::hidden());
        if self.talk > Talk::Quiet && io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{prefix:>10} {bar:40} {pos}/{len} {msg}")
                .expect("the template is a constant that a test renders");
            bar.set_style(style);
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        bar.with_prefix(what.to_owned())
    }
}

/// Returns how many columns the terminal has that stderr goes to; a file has as many as it takes.
fn columns() -> usize {
    // Unknown, it is taken for a wide one.
    let size = rustix::termios::tcgetwinsize(io::stderr());
    let columns = size.map_or(0, |size| size.ws_col);
    match columns {
        0 => usize::from(u16::MAX),
        columns => columns.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_progress_template_is_valid() {
        assert!(ProgressStyle::with_template("{prefix:>10} {bar:40} {pos}/{len} {msg}").is_ok());
    }
}
