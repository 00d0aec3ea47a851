//! Lists: newest first, a page at a time, with a cursor to go on from.
//!
//! A cursor says after which item the next page begins. It is the item's own id or number, which
//! callers need not know; what is added meanwhile comes before it and moves nothing. A filter is
//! carried out here, over at most [`SCANNED_MAX`] items a page: a page can then be shorter than
//! asked for and still have more after it.

use std::{fmt::Display, str::FromStr};

use lombard_core::{
    id::{Id, Named},
    store::decode,
};
use serde::{Serialize, de::DeserializeOwned};

use super::{Api, problem::Problem, query::Query};
use crate::ports::{RANGE_MAX, Range};

/// Items of a page, unless it is said otherwise.
pub const LIMIT_DEFAULT: usize = 25;
/// The most items of a page.
pub const LIMIT_MAX: usize = 100;
/// Items that are looked at for one page of a filtered list.
pub const SCANNED_MAX: usize = 2 * RANGE_MAX;

/// Where a page begins and how long it is.
#[derive(Clone, Copy, Debug)]
pub struct Paging<C> {
    /// How many items at the most.
    pub limit: usize,
    /// After which item.
    pub cursor: Option<Cursor<C>>,
}

/// The item after which a page begins.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<C>(pub C);

impl<C: FromStr> Paging<C> {
    /// Reads `limit` and `cursor`.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn of(query: &mut Query) -> Result<Self, Problem> {
        let limit = query.take_with("limit", |text| match text.parse() {
            Ok(limit @ 1..=LIMIT_MAX) => Ok(limit),
            _ => Err(format!("expected a whole number from 1 to {LIMIT_MAX}")),
        })?;
        let cursor = query.take_with("cursor", |text| {
            text.parse()
                .map_err(|_| "this list gave no such cursor".to_owned())
        })?;
        Ok(Self {
            limit: limit.unwrap_or(LIMIT_DEFAULT),
            cursor: cursor.map(Cursor),
        })
    }
}

/// A part of a list.
#[derive(Debug, Serialize)]
pub struct Page<T> {
    /// The items.
    pub data: Vec<T>,
    /// Whether there may be more after them.
    pub has_more: bool,
    /// Where to go on, if there may be more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A page, with the cursor of what may come after it.
    #[must_use]
    pub fn new<C: Display>(data: Vec<T>, next: Option<C>) -> Self {
        Self {
            data,
            has_more: next.is_some(),
            next_cursor: next.map(|cursor| cursor.to_string()),
        }
    }

    /// The same page, shown.
    #[must_use]
    pub fn map<U>(self, show: impl FnMut(T) -> U) -> Page<U> {
        Page {
            data: self.data.into_iter().map(show).collect(),
            has_more: self.has_more,
            next_cursor: self.next_cursor,
        }
    }
}

/// What a filter says of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It belongs into the list.
    Keep,
    /// It does not.
    Skip,
    /// Neither it nor anything after it does.
    Stop,
}

/// A page of what is listed under `partition` in the order of ids, newest first.
///
/// # Errors
/// See [`crate::ports::ReadError`].
pub async fn newest_first<T: Named + DeserializeOwned>(
    api: &Api,
    partition: &str,
    paging: Paging<Id<T>>,
    judge: impl Fn(&T) -> Verdict,
) -> Result<Page<T>, Problem> {
    let mut data = Vec::with_capacity(paging.limit);
    let mut after = paging.cursor.map(|Cursor(id)| id.to_string());
    let mut scanned = 0;
    while scanned < SCANNED_MAX {
        // One more than is wanted says whether there is more.
        let wanted = paging.limit + 1 - data.len();
        let batch = if scanned == 0 { wanted } else { RANGE_MAX };
        let range = Range::listed(partition, batch)
            .backwards()
            .past_damage()
            .after(after.clone());
        let found = api.app().store.range(&range).await?;
        let ended = found.len() < batch;
        scanned += found.len();
        for item in found {
            if data.len() == paging.limit {
                return Ok(Page::new(data, after));
            }
            let value: T = decode(&item.record.body.bytes);
            match judge(&value) {
                Verdict::Keep => data.push(value),
                Verdict::Skip => {}
                Verdict::Stop => return Ok(Page::new(data, None::<String>)),
            }
            after = Some(item.at.sort().to_owned());
        }
        if ended {
            return Ok(Page::new(data, None::<String>));
        }
    }
    Ok(Page::new(data, after))
}
