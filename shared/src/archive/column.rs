//! Columns and cells of an archived table: few kinds, each with one way to lie in Parquet.

use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::errors::Result;
use parquet::record::Field;
use parquet::schema::types::{Type, TypePtr};
use serde::{Deserialize, Serialize};

/// What is in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// UTF-8; also ids, addresses, exact decimals, and JSON with lists.
    Text,
    /// Whole numbers.
    Int,
    /// Floating point.
    Double,
    /// Yes or no.
    Bool,
    /// Microseconds since 1970 in UTC.
    Time,
    /// Days since 1970.
    Date,
    /// Bytes.
    Bytes,
}

/// A column of a table. Every one may be null: what a later version has added, earlier files do not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// As in the database.
    pub name: String,
    /// What is in it.
    pub kind: Kind,
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// Of [`Kind::Text`].
    Text(String),
    /// Of [`Kind::Int`], [`Kind::Time`] and [`Kind::Date`].
    Int(i64),
    /// Of [`Kind::Double`].
    Double(f64),
    /// Of [`Kind::Bool`].
    Bool(bool),
    /// Of [`Kind::Bytes`].
    Bytes(Vec<u8>),
}

impl Cell {
    /// Bytes that it takes in memory, roughly.
    pub(super) fn weight(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Text(text) => text.len(),
                Self::Bytes(bytes) => bytes.len(),
                _ => 0,
            }
    }

    /// Its text, where it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// The values of a row, in the order of its columns.
pub type Row = Vec<Cell>;

impl Column {
    /// A column.
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self { name: name.into(), kind }
    }

    fn in_parquet(&self) -> Result<TypePtr> {
        let (physical, logical) = match self.kind {
            Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Kind::Int => (Physical::INT64, None),
            Kind::Double => (Physical::DOUBLE, None),
            Kind::Bool => (Physical::BOOLEAN, None),
            Kind::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
            Kind::Date => (Physical::INT32, Some(LogicalType::Date)),
            Kind::Bytes => (Physical::BYTE_ARRAY, None),
        };
        let column = Type::primitive_type_builder(&self.name, physical);
        Ok(Arc::new(column.with_logical_type(logical).with_repetition(Repetition::OPTIONAL).build()?))
    }

    pub(super) fn from_parquet(column: &Type) -> Option<Self> {
        if !column.is_primitive() {
            return None;
        }
        let kind = match (column.get_physical_type(), column.get_basic_info().logical_type_ref()) {
            (Physical::BYTE_ARRAY, Some(LogicalType::String)) => Kind::Text,
            (Physical::BYTE_ARRAY, _) => Kind::Bytes,
            (Physical::INT64, Some(LogicalType::Timestamp(_))) => Kind::Time,
            (Physical::INT64, _) => Kind::Int,
            (Physical::INT32, Some(LogicalType::Date)) => Kind::Date,
            (Physical::DOUBLE, _) => Kind::Double,
            (Physical::BOOLEAN, _) => Kind::Bool,
            _ => return None,
        };
        Some(Self::new(column.name(), kind))
    }
}

/// The schema of a file with these columns.
pub(super) fn schema(columns: &[Column]) -> Result<TypePtr> {
    let columns = columns.iter().map(Column::in_parquet).collect::<Result<_>>()?;
    Ok(Arc::new(Type::group_type_builder("row").with_fields(columns).build()?))
}

/// A value as the reader has it; none for what we never write.
pub(super) fn cell(field: &Field) -> Option<Cell> {
    Some(match field {
        Field::Null => Cell::Null,
        Field::Bool(yes) => Cell::Bool(*yes),
        Field::Int(number) | Field::Date(number) => Cell::Int(i64::from(*number)),
        Field::Long(number) | Field::TimestampMicros(number) => Cell::Int(*number),
        Field::Double(number) => Cell::Double(*number),
        Field::Str(text) => Cell::Text(text.clone()),
        Field::Bytes(bytes) => Cell::Bytes(bytes.data().to_vec()),
        _ => return None,
    })
}
