//! Columns of `=` and of trailing comments, as `terraform fmt` puts them.
//!
//! A spliced reference changes the length of its line, and a removed argument the longest name of its group. What was
//! aligned as `fmt` wants it must be so again; a file that was not is left alone.

/// One logical line: a heredoc with all its text belongs to the line that opens it.
#[derive(Debug, Default)]
struct Line {
    start: usize,
    end: usize,
    /// Start of the `=` and the end of what stands before it.
    assign: Option<(usize, usize)>,
    /// Start of the trailing comment and the end of what stands before it.
    comment: Option<(usize, usize)>,
}

/// Returns a text made of `source` with its columns as `fmt` puts them, if those of the source are so.
pub(super) fn aligned_as(source: &str, text: String) -> String {
    match aligned(source) == *source {
        true => aligned(&text),
        false => text,
    }
}

/// Returns the text with its columns as `fmt` puts them.
pub(super) fn aligned(text: &str) -> String {
    let lines = lines(text);
    let mut assign_spaces = vec![None; lines.len()];
    chains(
        &lines,
        |line| line.assign.is_some(),
        |chain| {
            let width = |line: &Line| {
                let (_, lead_end) = line.assign.unwrap_or_default();
                columns(&text[line.start..lead_end])
            };
            let widest = chain.clone().map(|at| width(&lines[at])).max().unwrap_or(0);
            for at in chain {
                assign_spaces[at] = Some(widest - width(&lines[at]) + 1);
            }
        },
    );
    let mut comment_spaces = vec![None; lines.len()];
    chains(
        &lines,
        |line| line.comment.is_some(),
        |chain| {
            let width = |at: usize| {
                let line = &lines[at];
                let (_, before) = line.comment.unwrap_or_default();
                match (line.assign, assign_spaces[at]) {
                    (Some((equals, lead_end)), Some(spaces)) => {
                        columns(&text[line.start..lead_end]) + spaces + columns(&text[equals..before])
                    }
                    _ => columns(&text[line.start..before]),
                }
            };
            let widest = chain.clone().map(width).max().unwrap_or(0);
            for at in chain {
                comment_spaces[at] = Some(widest - width(at) + 1);
            }
        },
    );
    let mut out = String::with_capacity(text.len());
    for (at, line) in lines.iter().enumerate() {
        let mut from = line.start;
        if let (Some((equals, lead_end)), Some(spaces)) = (line.assign, assign_spaces[at]) {
            out.push_str(&text[from..lead_end]);
            out.extend(std::iter::repeat_n(' ', spaces));
            from = equals;
        }
        if let (Some((comment, before)), Some(spaces)) = (line.comment, comment_spaces[at]) {
            out.push_str(&text[from..before]);
            out.extend(std::iter::repeat_n(' ', spaces));
            from = comment;
        }
        out.push_str(&text[from..line.end]);
    }
    out
}

/// Calls `each` with every run of lines that `holds` is true of.
fn chains(lines: &[Line], holds: impl Fn(&Line) -> bool, mut each: impl FnMut(std::ops::Range<usize>)) {
    let mut start = None;
    for (at, line) in lines.iter().enumerate() {
        match (holds(line), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                each(from..at);
                start = None;
            }
            _ => {}
        }
    }
    if let Some(from) = start {
        each(from..lines.len());
    }
}

fn columns(text: &str) -> usize {
    text.chars().count()
}

/// Where the scanner is.
enum Mode {
    /// Code, inside so many brackets since the mode was entered.
    Code(usize),
    /// A quoted string.
    Quoted,
    /// A heredoc with its marker.
    Heredoc(String),
}

struct Scan<'t> {
    text: &'t str,
    at: usize,
    modes: Vec<Mode>,
    line: Line,
    /// End of the last token of the line.
    last_end: usize,
    tokens: usize,
    /// Brackets opened minus closed since the `=`.
    net: i64,
    equals: Option<(usize, usize)>,
    lines: Vec<Line>,
}

fn lines(text: &str) -> Vec<Line> {
    let mut scan = Scan {
        text,
        at: 0,
        modes: vec![Mode::Code(0)],
        line: Line::default(),
        last_end: 0,
        tokens: 0,
        net: 0,
        equals: None,
        lines: Vec::new(),
    };
    while scan.at < text.len() {
        match scan.modes.last() {
            Some(Mode::Quoted) => scan.quoted(),
            Some(Mode::Heredoc(_)) => scan.heredoc(),
            _ => scan.code(),
        }
    }
    scan.close(text.len());
    scan.lines
}

impl Scan<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn token(&mut self, length: usize) {
        self.at += length;
        self.last_end = self.at;
        self.tokens += 1;
    }

    fn bracket(&mut self, by: i64) {
        if self.equals.is_some() {
            self.net += by;
        }
    }

    /// Ends the logical line.
    fn close(&mut self, end: usize) {
        if self.net == 0 {
            self.line.assign = self.equals;
        }
        self.line.end = end;
        if self.line.start < end {
            self.lines.push(std::mem::take(&mut self.line));
        }
        self.line = Line {
            start: end,
            ..Line::default()
        };
        self.last_end = end;
        self.tokens = 0;
        self.net = 0;
        self.equals = None;
    }

    fn code(&mut self) {
        let bytes = self.text.as_bytes();
        let next = bytes.get(self.at + 1).copied();
        match bytes[self.at] {
            b'\n' => {
                self.at += 1;
                self.close(self.at);
            }
            b' ' | b'\t' | b'\r' => self.at += 1,
            b'#' => self.comment(),
            b'/' if matches!(next, Some(b'/' | b'*')) => self.comment(),
            b'"' => {
                self.token(1);
                self.modes.push(Mode::Quoted);
            }
            b'<' if next == Some(b'<') => self.open_heredoc(),
            b'{' | b'[' | b'(' => {
                self.bracket(1);
                self.token(1);
                if let Some(Mode::Code(depth)) = self.modes.last_mut() {
                    *depth += 1;
                }
            }
            b'}' | b']' | b')' => {
                self.bracket(-1);
                self.token(1);
                let is_inner = self.modes.len() > 1;
                match self.modes.last_mut() {
                    Some(Mode::Code(0)) if is_inner => {
                        self.modes.pop();
                    }
                    Some(Mode::Code(depth)) => *depth = depth.saturating_sub(1),
                    _ => {}
                }
            }
            b'=' if matches!(next, Some(b'=' | b'>')) => self.token(2),
            b'!' | b'<' | b'>' if next == Some(b'=') => self.token(2),
            b'=' => {
                if self.tokens > 0 && self.equals.is_none() {
                    self.equals = Some((self.at, self.last_end));
                }
                self.token(1);
            }
            _ => {
                let length = self.rest().chars().next().map_or(1, char::len_utf8);
                self.token(length);
            }
        }
    }

    /// A comment; one that stands behind something and ends the line is a cell.
    fn comment(&mut self) {
        let (start, before) = (self.at, self.last_end);
        if self.rest().starts_with("/*") {
            let length = self.rest().find("*/").map_or(self.rest().len(), |end| end + 2);
            self.token(length);
            let ends_line = self
                .rest()
                .trim_start_matches([' ', '\t', '\r'])
                .starts_with('\n');
            if ends_line && self.tokens > 1 {
                self.line.comment = Some((start, before));
            }
            return;
        }
        let length = self.rest().find('\n').map_or(self.rest().len(), |end| end + 1);
        if self.tokens > 0 {
            self.line.comment = Some((start, before));
        }
        self.at += length;
        self.close(self.at);
    }

    fn open_heredoc(&mut self) {
        let rest = self.rest();
        let body = rest.find('\n').map_or(rest.len(), |end| end + 1);
        let marker = rest[2..body].trim_start_matches('-').trim().to_owned();
        let is_marker = !marker.is_empty()
            && marker
                .chars()
                .all(|c| c.is_alphanumeric() || c == '_' || c == '-');
        if !is_marker {
            self.token(1);
            return;
        }
        self.token(body);
        self.modes.push(Mode::Heredoc(marker));
    }

    fn heredoc(&mut self) {
        let Some(Mode::Heredoc(marker)) = self.modes.last() else {
            return;
        };
        let line_start = self.text[..self.at].ends_with('\n');
        let line = self.rest().split('\n').next().unwrap_or("");
        if line_start && line.trim() == marker {
            let length = line.trim_end().len();
            self.modes.pop();
            self.token(length);
            return;
        }
        self.template();
    }

    fn quoted(&mut self) {
        let rest = self.rest();
        if rest.starts_with('"') {
            self.modes.pop();
            self.token(1);
        } else if let Some(escaped) = rest.strip_prefix('\\') {
            let length = 1 + escaped.chars().next().map_or(0, char::len_utf8);
            self.token(length);
        } else {
            self.template();
        }
    }

    fn template(&mut self) {
        let rest = self.rest();
        if rest.starts_with("$${") || rest.starts_with("%%{") {
            self.token(3);
        } else if rest.starts_with("${") || rest.starts_with("%{") {
            self.bracket(1);
            self.token(2);
            self.modes.push(Mode::Code(0));
        } else {
            let length = rest.chars().next().map_or(1, char::len_utf8);
            self.token(length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(aligned(text), expected, "of {text}");
        assert_eq!(aligned(expected), expected, "again");
    }

    #[test]
    fn aligns_groups_of_arguments() {
        check(
            "a {\n  x = 1\n  longer = 2\n\n  y  = { z = 3 }\n}\n",
            "a {\n  x      = 1\n  longer = 2\n\n  y = { z = 3 }\n}\n",
        );
    }

    #[test]
    fn a_line_that_opens_a_bracket_ends_the_group() {
        check(
            "  a   = 1\n  tags = {\n    b = 1\n  }\n  ccc = f(\n",
            "  a = 1\n  tags = {\n    b = 1\n  }\n  ccc = f(\n",
        );
    }

    #[test]
    fn aligns_comments_behind_code() {
        check(
            "  a = 1 # one\n  bbb = 2    # two\n  # alone\n  c = \"#\" // d\n",
            "  a   = 1 # one\n  bbb = 2 # two\n  # alone\n  c = \"#\" // d\n",
        );
    }

    #[test]
    fn texts_are_not_code() {
        let text = "  a = <<-EOT\n    x = ${f({ y = 1 })} \"\n    %{if a == b}z = 2%{endif}\n  EOT\n  b = \"q = ${a[\"}\"]} # no\"\n  c == d\n";
        check(text, text);
    }
}
