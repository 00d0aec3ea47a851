//! Reads card transactions in the columns of the Fraud Detection Handbook: Parquet, CSV, or CSV
//! under zstd, told apart by their first bytes.
//!
//! `TX_FRAUD_SCENARIO`, which says how a simulator made a fraud, is not read.

mod parquet;

use std::{
    fs::File,
    io::{BufReader, Read, Seek},
    path::Path,
};

use anyhow::{Context, Result, bail};
use lombard_risk::handbook::Row;

/// The columns that are read.
const COLUMNS: [&str; 6] = [
    "TRANSACTION_ID",
    "TX_TIME_SECONDS",
    "CUSTOMER_ID",
    "TERMINAL_ID",
    "TX_AMOUNT",
    "TX_FRAUD",
];

const PARQUET: &[u8] = b"PAR1";
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Reads a file, in the order of time.
///
/// # Errors
/// What is wrong with it, and where.
pub fn read(path: &Path) -> Result<Vec<Row>> {
    let mut file = File::open(path)?;
    let mut start = [0; 4];
    let length = file.read(&mut start)?;
    file.rewind()?;
    let mut rows = if start == PARQUET {
        parquet::read(file)?
    } else if start[..length] == *ZSTD {
        csv(zstd::Decoder::new(file)?)?
    } else {
        csv(BufReader::new(file))?
    };
    if rows.is_empty() {
        bail!("no transactions");
    }
    rows.sort_by_key(|row| (row.seconds, row.id));
    Ok(rows)
}

fn csv(input: impl Read) -> Result<Vec<Row>> {
    let mut reader = csv::Reader::from_reader(input);
    let header = reader.byte_headers()?.clone();
    let place = |name: &str| {
        let found = header.iter().position(|column| column == name.as_bytes());
        found.with_context(|| format!("the column {name} is missing"))
    };
    let places: Vec<usize> = COLUMNS
        .iter()
        .map(|name| place(name))
        .collect::<Result<_>>()?;
    let mut rows = Vec::new();
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record)? {
        let line = record.position().map_or(0, csv::Position::line);
        let mut values = [0.0; COLUMNS.len()];
        for ((value, place), name) in values.iter_mut().zip(&places).zip(COLUMNS) {
            let text = record.get(*place).unwrap_or_default();
            *value = text
                .parse()
                .with_context(|| format!("line {line}: {name} is `{text}`, not a number"))?;
        }
        rows.push(row(&values).with_context(|| format!("line {line}"))?);
    }
    Ok(rows)
}

/// A transaction of its columns, in the order of [`COLUMNS`].
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Checked to be in range.
fn row(values: &[f64; COLUMNS.len()]) -> Result<Row> {
    for (value, name) in values.iter().zip(COLUMNS) {
        if !(0.0..=1e15).contains(value) {
            bail!("{name} is {value}");
        }
    }
    let [id, seconds, customer, terminal, amount, fraud] = *values;
    if seconds > f64::from(u32::MAX / 2) {
        bail!("TX_TIME_SECONDS is {seconds}");
    }
    Ok(Row {
        id: id as u64,
        seconds: seconds as u32,
        customer: customer as u64,
        terminal: terminal as u64,
        // The file has major units with two decimals; risk, like everything, has minor ones.
        amount: (amount * 100.0).round() as u64,
        fraud: fraud != 0.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "TRANSACTION_ID,TX_TIME_SECONDS,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_FRAUD,TX_FRAUD_SCENARIO\n\
        1,130,4961,3412,81.51,1,3\n0,31,596,3156,57.16,0,0\n";

    fn written(bytes: &[u8]) -> Vec<Row> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        std::fs::write(&path, bytes).unwrap();
        read(&path).unwrap()
    }

    #[test]
    fn plain_and_compressed_csv_are_read_in_the_order_of_time() {
        let rows = written(TEXT.as_bytes());
        assert_eq!((rows.len(), rows[0].amount, rows[1].fraud), (2, 5716, true));
        let compressed = zstd::encode_all(TEXT.as_bytes(), 1).unwrap();
        assert_eq!(written(&compressed), rows);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let error = csv(TEXT.replace("57.16", "x").as_bytes()).unwrap_err();
        assert!(
            format!("{error:#}").contains("line 3: TX_AMOUNT"),
            "{error:#}"
        );
        let error = csv("A,B\n1,2\n".as_bytes()).unwrap_err();
        assert!(error.to_string().contains("TRANSACTION_ID"));
    }
}
