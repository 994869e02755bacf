//! A plain text table: columns as wide as they must be, numbers to the right.

/// Rows of cells under a head.
#[derive(Clone, Debug)]
pub struct Table {
    head: Vec<&'static str>,
    right: Vec<bool>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Creates a table; a column whose head starts with `>` is aligned to the right.
    pub fn new(head: &[&'static str]) -> Self {
        let right = head.iter().map(|cell| cell.starts_with('>')).collect();
        let head = head.iter().map(|cell| cell.trim_start_matches('>')).collect();
        Self {
            head,
            right,
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    fn widths(&self) -> Vec<usize> {
        (0..self.head.len())
            .map(|column| {
                let cells = self
                    .rows
                    .iter()
                    .filter_map(|row| row.get(column))
                    .map(|cell| cell.chars().count());
                cells
                    .chain([self.head[column].chars().count()])
                    .max()
                    .unwrap_or(0)
            })
            .collect()
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for (column, width) in widths.iter().enumerate() {
            let cell = cells.get(column).map_or("", String::as_str);
            let pad = " ".repeat(width - cell.chars().count());
            let gap = if column == 0 { "" } else { "  " };
            line.push_str(gap);
            if self.right[column] {
                line.push_str(&pad);
                line.push_str(cell);
            } else {
                line.push_str(cell);
                line.push_str(&pad);
            }
        }
        line.trim_end().to_owned()
    }

    /// Returns the table as text, every line indented by `indent` spaces, each ended by a newline.
    pub fn text(&self, indent: usize) -> String {
        let widths = self.widths();
        let head: Vec<String> = self.head.iter().map(|cell| (*cell).to_owned()).collect();
        let mut text = String::new();
        for cells in std::iter::once(&head).chain(&self.rows) {
            text.push_str(&" ".repeat(indent));
            text.push_str(&self.line(cells, &widths));
            text.push('\n');
        }
        text
    }

    /// Returns the table as GitHub Markdown.
    pub fn markdown(&self) -> String {
        let escape = |cell: &String| cell.replace('|', "\\|");
        let mut text = format!("| {} |\n|", self.head.join(" | "));
        for right in &self.right {
            text.push_str(if *right { "---:|" } else { "---|" });
        }
        text.push('\n');
        for row in &self.rows {
            text.push_str(&format!(
                "| {} |\n",
                row.iter().map(escape).collect::<Vec<_>>().join(" | ")
            ));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(&["stack", ">objects"]);
        table.row(["é".into(), "7".into()]);
        table.row(["orders".into(), "1234567".into()]);
        assert_eq!(
            table.text(2),
            "  stack   objects\n  é             7\n  orders  1234567\n"
        );
        assert_eq!(
            table.markdown(),
            "| stack | objects |\n|---|---:|\n| é | 7 |\n| orders | 1234567 |\n"
        );
    }
}
