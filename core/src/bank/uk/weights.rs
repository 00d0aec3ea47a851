//! The weight table of the modulus check, read from Vocalink's text format.
//!
//! One row is `start end METHOD w1 … w14 [exception]`, separated by spaces: the sort codes that it
//! holds for, `MOD10`, `MOD11` or `DBLAL`, and a weight for each of the fourteen digits. A row of two sort
//! codes is a substitution for exception 5 (the format of the file `scsubtab.txt`); both kinds may stand in
//! one text.
//!
//! Pay.UK and Vocalink publish the table (`valacdos.txt`) free of charge on
//! <https://www.vocalink.com/tools/modulus-checking/> and renew it several times a year. It comes
//! without a licence to pass it on, so it is loaded at run time; the few substitutions of exception 5 belong to
//! the rule itself and are built in, until a text brings its own.
//!
//! **Invariants.** A table that was read is usable: rows are whole, no sort code has more than two, every
//! exception is one that [`super::modulus`] knows. Anything else is an error that names the line,
//! because a table that is half understood would wave wrong accounts through.

use super::SortCode;

/// The most rows that are read; the table has had about 1,100 for years.
const ROWS_MAX: usize = 20_000;

/// How a row computes its sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// Sum of digit times weight, divided by 10.
    Mod10,
    /// Sum of digit times weight, divided by 11.
    Mod11,
    /// Sum of the digits of the products ("double alternate"), divided by 10.
    DoubleAlternate,
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub start: u32,
    pub end: u32,
    pub method: Method,
    pub weights: [i32; 14],
    /// 0 if none, else 1 to 14.
    pub exception: u8,
}

/// The weight table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weights {
    /// In order of `start`; equal starts in the order of the text, which is the order of the checks.
    rows: Vec<Row>,
    /// Sort codes to be replaced under exception 5, in order of the first.
    substitutions: Vec<(u32, u32)>,
}

/// Why a text is no weight table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct WeightsError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a line of a weight table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Neither a row of weights nor a substitution.
    #[error(
        "a row is two sort codes, a method, 14 weights and perhaps an exception; or two sort codes"
    )]
    Fields,
    /// Not six digits.
    #[error("a sort code is six digits")]
    SortCode,
    /// The range ends before it starts.
    #[error("the range of sort codes ends before it starts")]
    Range,
    /// Not one of the three methods.
    #[error("the method is MOD10, MOD11 or DBLAL")]
    Method,
    /// Not a small whole number.
    #[error("a weight is a whole number from -999 to 999")]
    Weight,
    /// Not one of the fourteen exceptions.
    #[error("the exceptions are 1 to 14; a newer table needs a newer check")]
    Exception,
    /// A third row for one sort code.
    #[error("a sort code has at most two rows")]
    ThirdRow,
    /// More rows than any table has.
    #[error("a table has at most {ROWS_MAX} rows")]
    TooManyRows,
    /// No row at all.
    #[error("the text has no row of weights")]
    Empty,
}

impl Weights {
    /// Reads a table.
    ///
    /// # Errors
    /// [`WeightsError`] with the first line that is wrong.
    pub fn parse(text: &str) -> Result<Self, WeightsError> {
        let mut rows = Vec::new();
        let mut substitutions = Vec::new();
        for (index, text) in text.lines().enumerate() {
            let at = |problem| WeightsError {
                line: index + 1,
                problem,
            };
            let fields: Vec<&str> = text.split_ascii_whitespace().collect();
            match fields[..] {
                [] => {}
                [from, to] => {
                    substitutions.push((sort_code(from).map_err(at)?, sort_code(to).map_err(at)?))
                }
                _ if rows.len() >= ROWS_MAX => return Err(at(Problem::TooManyRows)),
                _ => rows.push((index + 1, row(&fields).map_err(at)?)),
            }
        }
        if rows.is_empty() {
            let line = text.lines().count().max(1);
            return Err(WeightsError {
                line,
                problem: Problem::Empty,
            });
        }
        rows.sort_by_key(|(_, row): &(usize, Row)| row.start);
        no_third_row(&rows)?;
        if substitutions.is_empty() {
            substitutions.extend(SUBSTITUTIONS);
        }
        substitutions.sort_unstable();
        Ok(Self {
            rows: rows.into_iter().map(|(_, row)| row).collect(),
            substitutions,
        })
    }

    /// How many rows the table has.
    #[must_use]
    pub fn row_count(&self) -> usize {
        self.rows.len()
    }

    /// The rows of a sort code in the order of their checks: none, one or two.
    pub(super) fn rows_of(&self, sort_code: u32) -> impl Iterator<Item = &Row> {
        let started = self.rows.partition_point(|row| row.start <= sort_code);
        self.rows[..started]
            .iter()
            .filter(move |row| sort_code <= row.end)
    }

    /// The sort code that stands in for this one under exception 5.
    pub(super) fn substitute(&self, sort_code: u32) -> u32 {
        match self
            .substitutions
            .binary_search_by_key(&sort_code, |pair| pair.0)
        {
            Ok(index) => self.substitutions[index].1,
            Err(_) => sort_code,
        }
    }
}

fn sort_code(text: &str) -> Result<u32, Problem> {
    if text.len() != 6 {
        return Err(Problem::SortCode);
    }
    text.parse()
        .map(SortCode::value)
        .map_err(|_| Problem::SortCode)
}

fn row(fields: &[&str]) -> Result<Row, Problem> {
    let (&[start, end, method], rest) = fields.split_first_chunk().ok_or(Problem::Fields)?;
    let (weights, rest) = rest.split_first_chunk::<14>().ok_or(Problem::Fields)?;
    let row = Row {
        start: sort_code(start)?,
        end: sort_code(end)?,
        method: match method {
            "MOD10" => Method::Mod10,
            "MOD11" => Method::Mod11,
            "DBLAL" => Method::DoubleAlternate,
            _ => return Err(Problem::Method),
        },
        weights: weights_of(weights)?,
        exception: match rest {
            [] => 0,
            [text] => text
                .parse()
                .ok()
                .filter(|n| (1..=14).contains(n))
                .ok_or(Problem::Exception)?,
            _ => return Err(Problem::Fields),
        },
    };
    if row.end < row.start {
        return Err(Problem::Range);
    }
    Ok(row)
}

fn weights_of(fields: &[&str; 14]) -> Result<[i32; 14], Problem> {
    let mut weights = [0; 14];
    for (weight, field) in weights.iter_mut().zip(fields) {
        let value = field
            .parse()
            .ok()
            .filter(|value| (-999..=999).contains(value));
        *weight = value.ok_or(Problem::Weight)?;
    }
    Ok(weights)
}

/// Refuses a table in which some sort code has three rows. The rows come in order of `start`.
fn no_third_row(rows: &[(usize, Row)]) -> Result<(), WeightsError> {
    // The two ends furthest to the right so far, the further one last.
    let mut ends = [None, None];
    for (line, row) in rows {
        if ends[0] >= Some(row.start) {
            return Err(WeightsError {
                line: *line,
                problem: Problem::ThirdRow,
            });
        }
        ends[0] = Some(row.end);
        ends.sort_unstable();
    }
    Ok(())
}

/// The substitutions of exception 5, as the standard's table has had them for years.
#[rustfmt::skip]
const SUBSTITUTIONS: [(u32, u32); 21] = [
    (938_173, 938_017), (938_289, 938_068), (938_297, 938_076), (938_600, 938_611),
    (938_602, 938_343), (938_604, 938_603), (938_608, 938_408), (938_609, 938_424),
    (938_613, 938_017), (938_616, 938_068), (938_618, 938_657), (938_620, 938_343),
    (938_622, 938_130), (938_628, 938_181), (938_643, 938_246), (938_647, 938_611),
    (938_648, 938_246), (938_649, 938_394), (938_651, 938_335), (938_653, 938_424),
    (938_654, 938_621),
];

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = "999000 999099 MOD11 0 0 0 0 0 0 8 7 6 5 4 3 2 1";

    fn problem(text: &str) -> (usize, Problem) {
        let error = Weights::parse(text).expect_err(text);
        (error.line, error.problem)
    }

    #[test]
    fn rows_are_found_by_sort_code_in_order() {
        let text = format!("{ROW}\n\n999050 999199 DBLAL 2 1 2 1 2 1 2 1 2 1 2 1 2 -1 3\r\n");
        let weights = Weights::parse(&text).expect("two rows");
        let methods = |sort_code| {
            weights
                .rows_of(sort_code)
                .map(|row| row.method)
                .collect::<Vec<_>>()
        };
        assert_eq!(methods(998_999), []);
        assert_eq!(methods(999_000), [Method::Mod11]);
        assert_eq!(methods(999_050), [Method::Mod11, Method::DoubleAlternate]);
        assert_eq!(methods(999_199), [Method::DoubleAlternate]);
        assert_eq!(methods(999_200), []);
    }

    #[test]
    fn substitutions_are_built_in_until_the_text_brings_its_own() {
        let built_in = Weights::parse(ROW).expect("a row");
        assert_eq!(built_in.substitute(938_600), 938_611);
        assert_eq!(built_in.substitute(999_000), 999_000);
        let own = Weights::parse(&format!("{ROW}\n999001 999002")).expect("a row and a pair");
        assert_eq!(own.substitute(999_001), 999_002);
        assert_eq!(own.substitute(938_600), 938_600);
    }

    #[test]
    fn a_line_that_is_wrong_is_named() {
        let second = |line: &str| problem(&format!("{ROW}\n{line}"));
        for (line, found) in [
            ("999000", Problem::Fields),
            ("999000 999099 MOD11 1 2 3", Problem::Fields),
            (
                "999000 999099 MOD11 0 0 0 0 0 0 8 7 6 5 4 3 2 1 1 1",
                Problem::Fields,
            ),
            (
                "99900 999099 MOD11 0 0 0 0 0 0 8 7 6 5 4 3 2 1",
                Problem::SortCode,
            ),
            ("99-90-00 999099", Problem::SortCode),
            (
                "999099 999000 MOD11 0 0 0 0 0 0 8 7 6 5 4 3 2 1",
                Problem::Range,
            ),
            (
                "999000 999099 MOD97 0 0 0 0 0 0 8 7 6 5 4 3 2 1",
                Problem::Method,
            ),
            (
                "999000 999099 MOD11 0 0 0 0 0 0 8 7 6 5 4 3 2 x",
                Problem::Weight,
            ),
            (
                "999000 999099 MOD11 0 0 0 0 0 0 8 7 6 5 4 3 2 1000",
                Problem::Weight,
            ),
            (
                "999000 999099 MOD11 0 0 0 0 0 0 8 7 6 5 4 3 2 1 15",
                Problem::Exception,
            ),
        ] {
            assert_eq!(second(line), (2, found), "{line}");
        }
        assert_eq!(problem(""), (1, Problem::Empty));
        assert_eq!(problem("999001 999002\n"), (1, Problem::Empty));
        let twice = "999090 999100 MOD10 0 0 0 0 0 0 8 7 6 5 4 3 2 1";
        assert_eq!(
            problem(&format!("{ROW}\n{ROW}\n{twice}")),
            (3, Problem::ThirdRow)
        );
    }
}
