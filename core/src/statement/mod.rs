//! Statements of banks and reports of PSPs: what the outside world says happened to our money.
//!
//! **Shape.** [`read`] takes bytes and tells a [`Sink`] of statements and their lines, in the order
//! of the file, in memory that does not grow with it (see [`book`] for the few numbers that are
//! kept). The formats share one model, so whoever matches lines does not know where they came from.
//!
//! **Lenient, and never silent.** Real statements break their standards. What can be understood is
//! read, and every [`Deviation`] is listed; what cannot is not guessed and not counted, so that the
//! sums give it away. Opening + credits − debits must be closing, to the minor unit.
//!
//! **Invariants, the absent ones too.** Amounts are integers; none is rounded. Columns are found by
//! name. A line says what its source says: nothing here knows our own payments.

mod bai2;
pub mod book;
mod camt;
pub mod chain;
mod decode;
mod inspect;
pub mod model;
mod sniff;
mod swift;
pub mod table;
mod unit;
mod words;

use std::io::{self, BufRead};

pub use self::{
    book::Sink,
    inspect::{Inspection, Preview, inspect},
    model::{
        Balance, Detail, Deviation, Format, Header, Kind, Line, RefKind, Rule, Sequence, State,
        StatementNumber, Summary,
    },
    sniff::{Family, family},
    table::Mapping,
    unit::{Mark, NoAmount, Unit},
};

/// What a reading came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The format; `None` when it is none that is known.
    pub format: Option<Format>,
    /// How many statements there were.
    pub statements: usize,
    /// What is wrong with the file as a whole.
    pub deviations: Vec<Deviation>,
}

/// Reads a file of any of the formats. A table is read by `mapping`, or by one of ours that fits.
///
/// # Errors
/// The input cannot be read, or the sink stopped it. What is wrong with the file is told.
pub fn read(
    mut input: impl BufRead,
    mapping: Option<&Mapping>,
    sink: &mut dyn Sink,
) -> io::Result<Outcome> {
    let family = match mapping {
        Some(_) => Family::Table,
        None => family(input.fill_buf()?),
    };
    let mut book = book::Book::new(sink);
    let format = match family {
        Family::Xml => camt::read(input, &mut book)?,
        Family::Swift => swift::read(input, &mut book)?,
        Family::Bai2 => bai2::read(input, &mut book)?,
        Family::Table => table::read(input, mapping, &mut book)?,
        Family::Unknown => None,
    };
    Ok(Outcome {
        format,
        statements: book.count(),
        deviations: book.into_early(),
    })
}
