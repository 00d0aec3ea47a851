//! The same columns from Parquet: whole and real numbers of any width, no missing values.

use std::fs::File;

use anyhow::{Context, Result, bail};
use lombard_risk::handbook::Row;
use parquet::{
    column::reader::{ColumnReader, ColumnReaderImpl},
    data_type::DataType,
    file::reader::{FileReader, RowGroupReader, SerializedFileReader},
};

use super::{COLUMNS, row};

/// Reads a file.
pub fn read(file: File) -> Result<Vec<Row>> {
    let reader = SerializedFileReader::new(file)?;
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let place = |name: &str| {
        let found = schema
            .columns()
            .iter()
            .position(|column| column.name() == name);
        found.with_context(|| format!("the column {name} is missing"))
    };
    let places: Vec<usize> = COLUMNS
        .iter()
        .map(|name| place(name))
        .collect::<Result<_>>()?;
    let mut rows = Vec::new();
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group)?;
        let count = usize::try_from(group.metadata().num_rows())?;
        let mut columns: Vec<std::vec::IntoIter<f64>> = places
            .iter()
            .zip(COLUMNS)
            .map(|(place, name)| {
                let values = column(group.as_ref(), *place, count).context(name);
                values.map(Vec::into_iter)
            })
            .collect::<Result<_>>()?;
        for _ in 0..count {
            // Each column has so many values, or it was refused.
            let values = std::array::from_fn(|column| columns[column].next().unwrap_or_default());
            rows.push(row(&values)?);
        }
    }
    Ok(rows)
}

fn column(group: &dyn RowGroupReader, place: usize, count: usize) -> Result<Vec<f64>> {
    #[allow(clippy::cast_precision_loss)] // What is too large for a double is refused later.
    Ok(match group.get_column_reader(place)? {
        ColumnReader::BoolColumnReader(reader) => {
            values(reader, count, |v| f64::from(u8::from(*v)))?
        }
        ColumnReader::Int32ColumnReader(reader) => values(reader, count, |v| f64::from(*v))?,
        ColumnReader::Int64ColumnReader(reader) => values(reader, count, |v| *v as f64)?,
        ColumnReader::FloatColumnReader(reader) => values(reader, count, |v| f64::from(*v))?,
        ColumnReader::DoubleColumnReader(reader) => values(reader, count, |v| *v)?,
        _ => bail!("not a column of numbers"),
    })
}

fn values<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    count: usize,
    number: impl Fn(&T::T) -> f64,
) -> Result<Vec<f64>> {
    let (mut levels, mut found) = (Vec::new(), Vec::with_capacity(count));
    while found.len() < count {
        let (records, _, _) =
            reader.read_records(count - found.len(), Some(&mut levels), None, &mut found)?;
        if records == 0 {
            break;
        }
    }
    if found.len() != count {
        bail!("{} of {count} values are missing", count - found.len());
    }
    Ok(found.iter().map(number).collect())
}
