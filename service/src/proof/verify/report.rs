//! What was found: each problem with its kind, its place and a sentence.

use lombard_core::proof::tile::{self, WIDTH};
use serde::Serialize;
use tlog_tiles::Tile;

/// Problems that are listed; when there are more, nothing further is looked at. One flipped byte is one
/// problem; a checkpoint that speaks of more leaves than there are files for is as many as its number.
const PROBLEMS_MAX: usize = 1_000;
/// Files that could not be read before the rest is left alone: each may have cost a time-out.
const UNREAD_MAX: usize = 100;

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What kind of thing; `docs/proof.md` lists them.
    pub kind: &'static str,
    /// Where: a file of the log, `leaf N`, an account.
    #[serde(rename = "where")]
    pub place: String,
    /// In a sentence.
    pub what: String,
}

/// What became of a verification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The log's name, as its checkpoint has it.
    pub origin: Option<String>,
    /// How many leaves the checkpoint speaks of.
    pub size: Option<u64>,
    /// How many accounts have entries.
    pub accounts: u64,
    /// Transactions of the store that are not in the log yet, which is no problem by itself.
    pub pending: u64,
    /// What is wrong, in the order in which it was found.
    pub problems: Vec<Problem>,
    /// How many more were found before the search was ended.
    pub more: u64,
    /// What could not be read, so that nothing can be said of it.
    pub unread: Vec<Problem>,
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything is as it must be.
    Sound,
    /// Something is wrong.
    Unsound,
    /// Nothing wrong was found, and not everything could be looked at.
    Unknown,
}

impl Report {
    /// The answer.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if !self.problems.is_empty() {
            Verdict::Unsound
        } else if self.unread.is_empty() {
            Verdict::Sound
        } else {
            Verdict::Unknown
        }
    }

    /// Something is wrong.
    pub fn problem(&mut self, kind: &'static str, place: &str, what: &str) {
        self.add(Problem {
            kind,
            place: place.to_owned(),
            what: what.to_owned(),
        });
    }

    pub(super) fn add(&mut self, problem: Problem) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem);
        } else {
            self.more += 1;
        }
    }

    /// Whether so much is wrong that looking on would tell nothing new.
    pub(super) fn is_full(&self) -> bool {
        self.more > 0 || self.unread.len() >= UNREAD_MAX
    }

    /// Whether something is wrong with a tile, or with an entry of a bundle.
    pub(super) fn touches(&self, file: &Tile) -> bool {
        let (path, first) = (tile::path(file), file.level_index() * WIDTH);
        let entry = |place: &str| {
            let index = place.strip_prefix("leaf ").and_then(|it| it.parse().ok());
            file.is_data() && index.is_some_and(|it: u64| (first..first + WIDTH).contains(&it))
        };
        let mut places = self.problems.iter().map(|problem| problem.place.as_str());
        places.any(|place| place == path || entry(place))
    }

    /// Something could not be looked at.
    pub fn unread(&mut self, place: &str, what: &str) {
        if self.unread.len() < UNREAD_MAX {
            self.unread.push(Problem {
                kind: "unreadable",
                place: place.to_owned(),
                what: what.to_owned(),
            });
        }
    }
}
