//! The files that the authorities publish.
//!
//! * OFAC, United States: `sdn.csv`, without a header, twelve columns, `-0-` for nothing; and
//!   `alt.csv` with other names under the same numbers.
//! * United Kingdom: the UK Sanctions List and OFSI's consolidated list in CSV. A line with the
//!   date stands before the header; a name is spread over `Name 1` to `Name 5`, and `Name 6` is
//!   the surname or the whole name of a body.

use csv::{ReaderBuilder, StringRecord};

use super::Entry;

/// Why a file is no list.
#[derive(Debug, thiserror::Error)]
pub enum NoList {
    /// It is not CSV.
    #[error("not CSV: {0}")]
    Csv(#[from] csv::Error),
    /// No line of it reads as an entry. An empty list would screen nobody, and nobody would know.
    #[error("no entry was found in it")]
    Empty,
}

const NOTHING: &str = "-0-";

/// Reads OFAC's `sdn.csv`.
///
/// # Errors
/// See [`NoList`].
pub fn ofac_sdn(bytes: &[u8]) -> Result<Vec<Entry>, NoList> {
    headless(bytes, |record| {
        let (id, name) = (record.get(0)?, record.get(1)?);
        entry(id, name, "OFAC SDN", record.get(3).unwrap_or_default())
    })
}

/// Reads OFAC's `alt.csv`.
///
/// # Errors
/// See [`NoList`].
pub fn ofac_alt(bytes: &[u8]) -> Result<Vec<Entry>, NoList> {
    headless(bytes, |record| {
        let (id, name) = (record.get(0)?, record.get(3)?);
        entry(id, name, "OFAC SDN", record.get(2).unwrap_or_default())
    })
}

fn headless(
    bytes: &[u8],
    read: impl Fn(&StringRecord) -> Option<Entry>,
) -> Result<Vec<Entry>, NoList> {
    let mut entries = Vec::new();
    for record in reader(bytes).records() {
        entries.extend(read(&record?));
    }
    if entries.is_empty() {
        Err(NoList::Empty)
    } else {
        Ok(entries)
    }
}

fn reader(bytes: &[u8]) -> csv::Reader<&[u8]> {
    let mut builder = ReaderBuilder::new();
    builder.has_headers(false).flexible(true).from_reader(bytes)
}

/// An entry with a numeric id and a name; the files end with a control character on its own line.
fn entry(id: &str, name: &str, list: &'static str, programme: &str) -> Option<Entry> {
    let (id, name, programme) = (id.trim(), name.trim(), programme.trim());
    let proper = !id.is_empty()
        && id.bytes().all(|b| b.is_ascii_digit())
        && !name.is_empty()
        && name != NOTHING;
    proper.then(|| Entry {
        id: id.to_owned(),
        name: name.to_owned(),
        list,
        programme: programme.trim_matches('-').to_owned(),
    })
}

/// Reads the UK's list, in either of its layouts.
///
/// # Errors
/// See [`NoList`].
pub fn uk(bytes: &[u8]) -> Result<Vec<Entry>, NoList> {
    let mut places: Option<Places> = None;
    let mut entries = Vec::new();
    for record in reader(bytes).records() {
        let record = record?;
        match &places {
            None => places = Places::of(&record),
            Some(places) => entries.extend(places.entry(&record)),
        }
    }
    if entries.is_empty() {
        Err(NoList::Empty)
    } else {
        Ok(entries)
    }
}

/// Where the columns stand.
struct Places {
    id: usize,
    names: Vec<usize>,
    regime: Option<usize>,
}

impl Places {
    fn of(header: &StringRecord) -> Option<Self> {
        let place = |wanted: &[&str]| {
            header.iter().position(|column| {
                wanted.iter().any(|name| {
                    column
                        .trim()
                        .trim_start_matches('\u{feff}')
                        .eq_ignore_ascii_case(name)
                })
            })
        };
        let given = (1..=5).filter_map(|n| place(&[&format!("Name {n}")]));
        let surname = place(&["Name 6"])?;
        Some(Self {
            id: place(&["Unique ID", "Group ID"])?,
            names: given.chain([surname]).collect(),
            regime: place(&["Regime Name", "Regime"]),
        })
    }

    fn entry(&self, record: &StringRecord) -> Option<Entry> {
        let text = |place: &usize| record.get(*place).unwrap_or_default().trim();
        let names: Vec<&str> = self
            .names
            .iter()
            .map(text)
            .filter(|name| !name.is_empty())
            .collect();
        let id = text(&self.id);
        (!names.is_empty() && !id.is_empty()).then(|| Entry {
            id: id.to_owned(),
            name: names.join(" "),
            list: "UK",
            programme: self
                .regime
                .as_ref()
                .map(text)
                .unwrap_or_default()
                .to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_layout_is_read() {
        let sdn = "306,\"BANCO EXEMPLAR\",-0- ,\"CUBA\",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \n7,\"DOE, John\",\"individual\",\"SDGT\",-0-\n\u{1a}\n";
        let found = ofac_sdn(sdn.as_bytes()).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].name.as_str(), found[0].programme.as_str()),
            ("BANCO EXEMPLAR", "CUBA")
        );
        let alt = "7,12,\"aka\",\"DOE, Johnny\",-0-\n";
        assert_eq!(ofac_alt(alt.as_bytes()).unwrap()[0].name, "DOE, Johnny");
        let old = "Last Updated,01/01/2026\nName 6,Name 1,Name 2,Name 3,Name 4,Name 5,Title,Regime,Group ID\nDOE,John,,,,,Mr,Example,12345\n";
        let new = "Report Date: 1-Jan-2026\nLast Updated,Unique ID,Name 6,Name 1,Regime Name\n01/01/2026,EXA0001,DOE,John,The Example Regulations\n";
        for text in [old, new] {
            let found = uk(text.as_bytes()).unwrap();
            assert_eq!(found[0].name, "John DOE", "{found:?}");
        }
        assert_eq!(uk(new.as_bytes()).unwrap()[0].id, "EXA0001");
    }

    #[test]
    fn what_is_no_list_is_not_taken_for_an_empty_one() {
        for bytes in [&b""[..], b"<html>not found</html>", b"Name 6,Name 1\n"] {
            assert!(ofac_sdn(bytes).is_err() && uk(bytes).is_err());
        }
    }
}
