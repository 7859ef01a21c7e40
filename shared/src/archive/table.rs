//! A table in a Parquet file on this machine: written in row groups of a bounded size, read back row by row.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::record::reader::RowIter;

use super::column::{Cell, Column, Kind, Row, cell, schema};

/// Rows of a row group, at most.
const GROUP_ROWS: usize = 20_000;
/// What the rows of a row group may take in memory before they are written.
const GROUP_BYTES: usize = 16 * 1024 * 1024;

/// Writes a file. Rows wait in memory until they are a row group.
pub struct TableWriter {
    file: SerializedFileWriter<File>,
    columns: Vec<Column>,
    waiting: Vec<Row>,
    waiting_bytes: usize,
    rows: u64,
}

impl std::fmt::Debug for TableWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableWriter").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl TableWriter {
    /// Makes the file.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create(path: &Path, columns: Vec<Column>) -> Result<Self> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            // The footer would repeat the smallest and largest names and texts.
            .set_statistics_enabled(EnabledStatistics::None)
            .set_created_by("rb-ocr".to_owned());
        let file = SerializedFileWriter::new(File::create(path)?, schema(&columns)?, Arc::new(properties.build()))?;
        Ok(Self { file, columns, waiting: Vec::new(), waiting_bytes: 0, rows: 0 })
    }

    /// Its columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Rows so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Takes a row with a value for each column.
    ///
    /// # Errors
    /// A row group cannot be written.
    pub fn push(&mut self, row: Row) -> Result<()> {
        debug_assert_eq!(row.len(), self.columns.len(), "a row has a value for each column");
        self.waiting_bytes += row.iter().map(Cell::weight).sum::<usize>();
        self.waiting.push(row);
        self.rows += 1;
        if self.waiting.len() >= GROUP_ROWS || self.waiting_bytes >= GROUP_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.waiting);
        self.waiting_bytes = 0;
        let mut group = self.file.next_row_group()?;
        for (at, column) in self.columns.iter().enumerate() {
            write_column(&mut group, column, rows.iter().map(|row| &row[at]))?;
        }
        group.close()?;
        Ok(())
    }

    /// Writes what waits, and the footer; how many rows there are.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(mut self) -> Result<u64> {
        self.flush()?;
        self.file.close()?;
        Ok(self.rows)
    }
}

fn write_column<'a>(
    group: &mut SerializedRowGroupWriter<'_, File>,
    column: &Column,
    cells: impl Iterator<Item = &'a Cell> + Clone,
) -> Result<()> {
    let wrong = || ParquetError::General(format!("a value of {} is of another kind", column.name));
    let mut writer = group.next_column()?.ok_or_else(wrong)?;
    let there: Vec<i16> = cells.clone().map(|cell| i16::from(*cell != Cell::Null)).collect();
    let values = cells.filter(|cell| **cell != Cell::Null);
    let int = |cell: &Cell| if let Cell::Int(number) = cell { Some(*number) } else { None };
    match writer.untyped() {
        ColumnWriter::BoolColumnWriter(typed) => {
            let of = |cell: &Cell| if let Cell::Bool(yes) = cell { Some(*yes) } else { None };
            let values: Option<Vec<bool>> = values.map(of).collect();
            typed.write_batch(&values.ok_or_else(wrong)?, Some(&there), None)?;
        }
        ColumnWriter::Int32ColumnWriter(typed) => {
            let values: Option<Vec<i32>> = values.map(|cell| int(cell)?.try_into().ok()).collect();
            typed.write_batch(&values.ok_or_else(wrong)?, Some(&there), None)?;
        }
        ColumnWriter::Int64ColumnWriter(typed) => {
            let values: Option<Vec<i64>> = values.map(int).collect();
            typed.write_batch(&values.ok_or_else(wrong)?, Some(&there), None)?;
        }
        ColumnWriter::DoubleColumnWriter(typed) => {
            let of = |cell: &Cell| if let Cell::Double(number) = cell { Some(*number) } else { None };
            let values: Option<Vec<f64>> = values.map(of).collect();
            typed.write_batch(&values.ok_or_else(wrong)?, Some(&there), None)?;
        }
        ColumnWriter::ByteArrayColumnWriter(typed) => {
            let of = |cell: &Cell| match (cell, column.kind) {
                (Cell::Text(text), Kind::Text) => Some(ByteArray::from(text.as_str())),
                (Cell::Bytes(bytes), Kind::Bytes) => Some(ByteArray::from(bytes.clone())),
                _ => None,
            };
            let values: Option<Vec<ByteArray>> = values.map(of).collect();
            typed.write_batch(&values.ok_or_else(wrong)?, Some(&there), None)?;
        }
        _ => return Err(wrong()),
    }
    writer.close()
}

/// Reads a file that was written by [`TableWriter`], row by row.
pub struct TableReader {
    columns: Vec<Column>,
    rows: RowIter<'static>,
}

impl std::fmt::Debug for TableReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableReader").field("columns", &self.columns).finish_non_exhaustive()
    }
}

impl TableReader {
    /// Opens it; with `only`, just these columns are read, as far as it has them.
    ///
    /// # Errors
    /// It is no such file.
    pub fn open(path: &Path, only: Option<&[&str]>) -> Result<Self> {
        let reader = SerializedFileReader::new(File::open(path)?)?;
        let schema = reader.metadata().file_metadata().schema();
        let wanted = |name: &str| only.is_none_or(|only| only.contains(&name));
        let fields: Vec<_> = schema.get_fields().iter().filter(|field| wanted(field.name())).cloned().collect();
        let columns: Option<Vec<Column>> = fields.iter().map(|field| Column::from_parquet(field)).collect();
        let columns = columns.ok_or_else(|| ParquetError::General("a column is of a kind that is not ours".into()))?;
        let projection = only
            .map(|_| parquet::schema::types::Type::group_type_builder(schema.name()).with_fields(fields).build())
            .transpose()?;
        let rows = RowIter::from_file_into(Box::new(reader)).project(projection)?;
        Ok(Self { columns, rows })
    }

    /// Its columns, in the order of the values.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Where a column stands.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

impl Iterator for TableReader {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.rows.next()?;
        Some(row.and_then(|row| {
            let cells: Option<Row> = row.get_column_iter().map(|(_, field)| cell(field)).collect();
            cells.ok_or_else(|| ParquetError::General("a value is of a kind that is not ours".into()))
        }))
    }
}

/// Copies the rows of a file for which `keep` says so, matching columns by their names. How many were kept.
///
/// # Errors
/// A file cannot be read or written.
pub fn copy_rows(from: &Path, to: &mut TableWriter, keep: impl Fn(&Row) -> bool) -> Result<u64> {
    let reader = TableReader::open(from, None)?;
    let places: HashMap<&str, usize> =
        reader.columns.iter().enumerate().map(|(at, column)| (column.name.as_str(), at)).collect();
    let places: Vec<Option<usize>> =
        to.columns.iter().map(|column| places.get(column.name.as_str()).copied()).collect();
    let mut kept = 0;
    for row in reader {
        let row = row?;
        if keep(&row) {
            to.push(places.iter().map(|place| place.map_or(Cell::Null, |at| row[at].clone())).collect())?;
            kept += 1;
        }
    }
    Ok(kept)
}

/// The columns of both, those of the database first: a file that an earlier version wrote keeps what only it had.
#[must_use]
pub fn joined(ours: Vec<Column>, theirs: &[Column]) -> Vec<Column> {
    let mut all = ours;
    for column in theirs {
        if !all.iter().any(|known| known.name == column.name) {
            all.push(column.clone());
        }
    }
    all
}

/// A file of a folder of this machine.
#[must_use]
pub fn local_file(folder: &Path, table: &str, what: &str) -> PathBuf {
    folder.join(format!("{table}.{what}.parquet"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<Column> {
        let kinds = [Kind::Text, Kind::Int, Kind::Double, Kind::Bool, Kind::Time, Kind::Date, Kind::Bytes];
        kinds.iter().map(|kind| Column::new(format!("{kind:?}").to_lowercase(), *kind)).collect()
    }

    fn row(number: i64) -> Row {
        vec![
            Cell::Text(format!("Тестова № {number}")),
            Cell::Int(number),
            Cell::Double(0.5),
            Cell::Bool(number % 2 == 0),
            Cell::Int(1_764_000_000_000_000 + number),
            Cell::Int(20_000),
            Cell::Bytes(vec![0, 255]),
        ]
    }

    #[test]
    fn what_is_written_is_read_back_across_row_groups() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = local_file(folder.path(), "t", "new");
        let mut writer = TableWriter::create(&path, columns()).expect("is made");
        let count = i64::try_from(GROUP_ROWS).expect("is small") + 7;
        for number in 0..count {
            writer.push(row(number)).expect("is taken");
        }
        writer.push(vec![Cell::Null; 7]).expect("is taken");
        assert_eq!(writer.finish().expect("is written"), u64::try_from(count).expect("is positive") + 1);
        let reader = TableReader::open(&path, None).expect("is there");
        assert_eq!(reader.columns(), columns());
        for (number, read) in (0..).zip(reader) {
            let expected = if number == count { vec![Cell::Null; 7] } else { row(number) };
            assert_eq!(read.expect("a row"), expected);
        }
        let mut some = TableReader::open(&path, Some(&["int", "none"])).expect("is there");
        assert_eq!(some.next().expect("a row").expect("is read"), vec![Cell::Int(0)]);
    }

    #[test]
    fn rows_are_copied_by_the_names_of_their_columns() {
        let folder = tempfile::tempdir().expect("a folder");
        let (old, new) = (local_file(folder.path(), "t", "old"), local_file(folder.path(), "t", "new"));
        let mut writer = TableWriter::create(&old, vec![Column::new("gone", Kind::Int), Column::new("id", Kind::Text)])
            .expect("is made");
        for number in 0..3 {
            writer.push(vec![Cell::Int(number), Cell::Text(number.to_string())]).expect("is taken");
        }
        writer.finish().expect("is written");
        let ours = vec![Column::new("id", Kind::Text), Column::new("added", Kind::Bool)];
        let theirs = TableReader::open(&old, None).expect("is there");
        let mut writer = TableWriter::create(&new, joined(ours, theirs.columns())).expect("is made");
        let kept = copy_rows(&old, &mut writer, |row| row[1] != Cell::Text("1".into()));
        assert_eq!(kept.expect("is copied"), 2);
        writer.finish().expect("is written");
        let rows: Vec<Row> = TableReader::open(&new, None).expect("is there").map(|row| row.expect("a row")).collect();
        assert_eq!(rows[1], vec![Cell::Text("2".into()), Cell::Null, Cell::Int(2)]);
    }

    #[test]
    fn a_value_of_another_kind_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = local_file(folder.path(), "t", "new");
        let mut writer = TableWriter::create(&path, vec![Column::new("n", Kind::Int)]).expect("is made");
        writer.push(vec![Cell::Text("x".into())]).expect("waits");
        assert!(writer.finish().is_err());
    }
}
