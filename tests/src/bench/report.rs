//! Tables as Markdown, so that they can stand in the README as they are printed.

use std::fmt;

/// A table.
#[derive(Clone, Debug, Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// With these columns.
    pub fn new<T: Into<String>>(columns: impl IntoIterator<Item = T>) -> Self {
        Self { rows: vec![columns.into_iter().map(Into::into).collect()] }
    }

    /// Adds a row.
    pub fn row<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |at: usize| self.rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max();
        let widths: Vec<usize> = (0..columns).map(|at| width(at).unwrap_or(0).max(3)).collect();
        for (number, row) in self.rows.iter().enumerate() {
            for (at, width) in widths.iter().enumerate() {
                write!(f, "| {:width$} ", row.get(at).map_or("", String::as_str))?;
            }
            writeln!(f, "|")?;
            if number == 0 {
                writeln!(f, "|{}", widths.iter().map(|width| format!("{:-<1$}|", "", width + 2)).collect::<String>())?;
            }
        }
        Ok(())
    }
}

/// A figure beside the limit that it should stay under.
pub fn against(figure: f64, limit: f64, unit: &str) -> [String; 3] {
    let kept = if figure < limit { "kept" } else { "MISSED" };
    [format!("{} {unit}", digits(figure)), format!("{limit} {unit}"), kept.to_owned()]
}

/// Three digits that matter, no more.
pub fn digits(figure: f64) -> String {
    match figure.abs() {
        size if size >= 99.95 => format!("{figure:.0}"),
        size if size >= 9.995 => format!("{figure:.1}"),
        _ => format!("{figure:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_markdown() {
        let mut table = Table::new(["what", "ms"]);
        table.row(["приём", "1.5"]);
        assert_eq!(table.to_string(), "| what  | ms  |\n|-------|-----|\n| приём | 1.5 |\n");
    }

    #[test]
    fn a_figure_is_told_with_its_limit() {
        assert_eq!(against(3.456, 4.0, "ms"), ["3.46 ms", "4 ms", "kept"]);
        assert_eq!(against(150.0, 150.0, "MB"), ["150 MB", "150 MB", "MISSED"]);
        assert_eq!(against(f64::NAN, 1.0, "s")[2], "MISSED");
    }

    #[test]
    fn figures_have_the_digits_that_matter() {
        assert_eq!([0.123, 9.996, 12.34, 1234.5].map(digits), ["0.12", "10.0", "12.3", "1234"]);
    }
}
