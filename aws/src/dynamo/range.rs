//! Reading a part of a partition: a `Query`, as many pages as it takes.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    operation::query::{QueryOutput, builders::QueryFluentBuilder},
    types::{AttributeValue, ReturnConsumedCapacity},
};
use lombard_core::store::Key;
use lombard_service::ports::{Found, RANGE_MAX, Range, ReadError};

use super::{
    Dynamo, failed,
    item::{Item, bounds, key_of, text},
    read::{capacity, parse, unreadable},
    retry::persist,
};

/// Where a page ended.
pub type Place = Option<HashMap<String, AttributeValue>>;

/// Items of one page, and where the next begins.
pub struct Page {
    pub items: Vec<Item>,
    pub next: Place,
}

/// The interval of sort keys that a range spans, as stored; `None` when it is empty, which DynamoDB
/// takes for a mistake.
pub fn interval(range: &Range) -> Option<(String, String)> {
    let (after, until) = (range.after.as_deref(), range.until.as_deref());
    let (low, high) = if range.backwards {
        bounds(until, after)
    } else {
        bounds(after, until)
    };
    (low <= high).then_some((low, high))
}

impl Dynamo {
    pub(super) async fn records(&self, range: &Range) -> Result<Vec<Found>, ReadError> {
        let limit = range.limit.min(RANGE_MAX);
        let Some(interval) = interval(range).filter(|_| limit > 0) else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        let mut place = None;
        loop {
            // The interval has its beginning in it, which is dropped.
            let request = self
                .query(("p", "s"), &range.partition, &interval, range.backwards)
                .consistent_read(true)
                .set_exclusive_start_key(place)
                .limit((limit - found.len() + 1).try_into().unwrap_or(i32::MAX));
            let page = self.page(request, &range.partition).await?;
            for item in &page.items {
                let at = key_of(item).map_err(damaged)?;
                if range.after.as_deref() != Some(at.sort()) {
                    let record = parse(item)?;
                    found.push(Found { at, record });
                }
            }
            place = page.next;
            if found.len() >= limit || place.is_none() {
                found.truncate(limit);
                return Ok(found);
            }
        }
    }

    /// The items of a partition as they are stored, up to `limit` of them.
    pub(crate) async fn items(
        &self,
        partition: &str,
        limit: usize,
    ) -> Result<Vec<Item>, ReadError> {
        let (mut items, mut place) = (Vec::new(), None);
        loop {
            let request = self
                .query(("p", "s"), partition, &bounds(None, None), false)
                .consistent_read(true)
                .set_exclusive_start_key(place)
                .limit((limit - items.len()).try_into().unwrap_or(i32::MAX));
            let page = self.page(request, partition).await?;
            items.extend(page.items);
            place = page.next;
            if place.is_none() || items.len() >= limit {
                return Ok(items);
            }
        }
    }

    /// A query over an interval of a partition, of the table or of an index by the names of its keys.
    pub(super) fn query(
        &self,
        (p, s): (&str, &str),
        partition: &str,
        (low, high): &(String, String),
        backwards: bool,
    ) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&*self.table)
            .key_condition_expression(format!("{p} = :p AND {s} BETWEEN :low AND :high"))
            .expression_attribute_values(":p", text(partition))
            .expression_attribute_values(":low", text(low))
            .expression_attribute_values(":high", text(high))
            .scan_index_forward(!backwards)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
    }

    /// Asks for one page. It may be empty and yet not the last.
    pub(super) async fn page(
        &self,
        request: QueryFluentBuilder,
        partition: &str,
    ) -> Result<Page, ReadError> {
        let about = Key::new(partition, "");
        let answer = persist(self.host.as_ref(), || async {
            let answer = request.clone().send().await.map_err(failed);
            let units = capacity(&answer, |it: &QueryOutput| {
                let told = it.consumed_capacity().into_iter();
                told.filter_map(|it| it.capacity_units()).sum()
            });
            self.count_read("Query", std::slice::from_ref(&about), &answer, units);
            answer
        });
        let answer = answer.await.map_err(unreadable)?;
        Ok(Page {
            items: answer.items.unwrap_or_default(),
            next: answer.last_evaluated_key.filter(|key| !key.is_empty()),
        })
    }
}

pub fn damaged(error: super::item::NotARecord) -> ReadError {
    ReadError::Damaged(std::sync::Arc::new(error))
}
