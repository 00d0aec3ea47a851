//! Reading records, as they were at one moment.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{Get, ReturnConsumedCapacity, TransactGetItem};
use lombard_core::store::{Key, Record};
use lombard_service::{duty, ports::ReadError};

use super::{
    Dynamo,
    failure::{Class, Failed, cancelled, failed},
    item::{Item, item_key, record_of},
    retry::{GaveUp, persist},
};
use crate::meter::{Ended, Operation, Subject, Units};

/// `TransactGetItems` takes at most so many.
const GET_MAX: usize = 100;
/// How often more than [`GET_MAX`] keys are read until two readings agree.
const READINGS_MAX: usize = 16;

type Read = BTreeMap<Key, Option<Record>>;

impl Dynamo {
    pub(super) async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, ReadError> {
        let mut distinct = keys.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        let read = match distinct.as_slice() {
            [] => Read::new(),
            [key] => Read::from([(key.clone(), self.read_one(key).await?)]),
            keys if keys.len() <= GET_MAX => self.read_together(keys).await?,
            keys => self.read_many(keys).await?,
        };
        Ok(keys.iter().map(|key| read[key].clone()).collect())
    }

    async fn read_one(&self, key: &Key) -> Result<Option<Record>, ReadError> {
        let request = self
            .client
            .get_item()
            .table_name(&*self.table)
            .set_key(Some(item_key(key)))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = persist(self.host.as_ref(), || async {
            let answer = request.clone().send().await.map_err(failed);
            let units = |it: &Result<_, Failed>| {
                capacity(
                    it,
                    |it: &aws_sdk_dynamodb::operation::get_item::GetItemOutput| {
                        it.consumed_capacity()
                            .into_iter()
                            .filter_map(|it| it.capacity_units())
                            .sum()
                    },
                )
            };
            self.count_read(
                "GetItem",
                std::slice::from_ref(key),
                &answer,
                units(&answer),
            );
            answer
        });
        let answer = answer.await.map_err(unreadable)?;
        answer.item.map(|item| parse(&item)).transpose()
    }

    /// Up to [`GET_MAX`] distinct keys at one moment.
    async fn read_together(&self, keys: &[Key]) -> Result<Read, ReadError> {
        let get = |key: &Key| {
            let get = Get::builder()
                .table_name(&*self.table)
                .set_key(Some(item_key(key)))
                .build();
            // Table and key are set, which is all that it asks for.
            get.map(|get| TransactGetItem::builder().get(get).build())
        };
        let gets: Result<Vec<_>, _> = keys.iter().map(get).collect();
        let gets = gets.map_err(|error| ReadError::Unavailable(std::sync::Arc::new(error)))?;
        let request = self
            .client
            .transact_get_items()
            .set_transact_items(Some(gets))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = persist(self.host.as_ref(), || async {
            let answer = request.clone().send().await.map_err(|error| {
                use aws_sdk_dynamodb::operation::transact_get_items::TransactGetItemsError::TransactionCanceledException;
                match error.as_service_error() {
                    Some(TransactionCanceledException(why)) => {
                        let reasons = why.cancellation_reasons().to_vec();
                        cancelled(&reasons, std::sync::Arc::new(error))
                    }
                    _ => failed(error),
                }
            });
            let units = capacity(
                &answer,
                |it: &aws_sdk_dynamodb::operation::transact_get_items::TransactGetItemsOutput| {
                    it.consumed_capacity()
                        .iter()
                        .filter_map(|it| it.capacity_units())
                        .sum()
                },
            );
            self.count_read("TransactGetItems", keys, &answer, units);
            answer
        });
        let found = answer
            .await
            .map_err(unreadable)?
            .responses
            .unwrap_or_default();
        let mut read = Read::new();
        for (place, key) in keys.iter().enumerate() {
            let item = found.get(place).and_then(|it| it.item.as_ref());
            let item = item.filter(|item| !item.is_empty());
            read.insert(key.clone(), item.map(parse).transpose()?);
        }
        Ok(read)
    }

    /// More than one transaction reads. They are read twice; when both readings are the same, all
    /// was so at the moment between them, because a version never comes back.
    async fn read_many(&self, keys: &[Key]) -> Result<Read, ReadError> {
        let mut before = self.read_in_parts(keys).await?;
        for _ in 1..READINGS_MAX {
            let after = self.read_in_parts(keys).await?;
            if after == before {
                return Ok(after);
            }
            before = after;
        }
        Err(ReadError::Unavailable(std::sync::Arc::new(Restless)))
    }

    async fn read_in_parts(&self, keys: &[Key]) -> Result<Read, ReadError> {
        let mut read = Read::new();
        for part in keys.chunks(GET_MAX) {
            read.append(&mut self.read_together(part).await?);
        }
        Ok(read)
    }

    pub(super) fn count_read<T>(
        &self,
        name: &'static str,
        keys: &[Key],
        answer: &Result<T, Failed>,
        units: Units,
    ) {
        let ended = |it: &Failed| it.class.ended();
        self.count(Operation {
            component: duty::current(),
            name,
            subject: Subject::of(keys),
            ended: answer.as_ref().err().map_or(Ended::Done, ended),
            items: keys.len(),
            bytes: 0,
            read_units: units,
            write_units: Units::default(),
        });
    }
}

/// The capacity that an answer tells.
pub(super) fn capacity<T>(answer: &Result<T, Failed>, told: impl Fn(&T) -> f64) -> Units {
    answer
        .as_ref()
        .map_or_else(|_| Units::default(), |it| Units::told(told(it)))
}

#[derive(Debug, thiserror::Error)]
#[error("so many records keep changing that they cannot be read at one moment")]
struct Restless;

/// The record of an item that was found.
pub(super) fn parse(item: &Item) -> Result<Record, ReadError> {
    record_of(item).map_err(|error| ReadError::Damaged(std::sync::Arc::new(error)))
}

pub(super) fn unreadable(gave_up: GaveUp) -> ReadError {
    debug_assert!(
        !matches!(gave_up.failed.class, Class::Conflict(_)),
        "a read has no guard"
    );
    ReadError::Unavailable(gave_up.failed.cause)
}
