//! Committing a write set: one transaction, or one conditional write.

use std::{collections::BTreeMap, sync::Arc};

use aws_sdk_dynamodb::types::{
    ConditionCheck, ConsumedCapacity, Delete, Put, ReturnConsumedCapacity, TransactWriteItem,
};
use lombard_core::store::{Key, Record, Version, Write, WriteSet};
use lombard_service::{
    duty,
    ports::{Cause, CommitError},
};

use super::{
    Dynamo,
    failure::{Class, Failed, cancelled, failed},
    item::{Item, Stamp, item, item_key, number},
    retry::{GaveUp, persist},
};
use crate::meter::{Ended, Operation, Subject, Units};

/// There is no such item.
const ABSENT: &str = "attribute_not_exists(p)";
/// The item has this version.
const AT_VERSION: &str = "v = :v";

impl Dynamo {
    pub(super) async fn write(&self, writes: &WriteSet) -> Result<(), CommitError> {
        if let Some(size) = writes.too_large() {
            return Err(CommitError::TooLarge(size));
        }
        let stamps = Stamps::of(writes, self.host.random());
        let mut alone = writes.iter();
        match (alone.next(), alone.next()) {
            (None, _) => Ok(()),
            (Some((key, write)), None) if write.result().is_some() => {
                self.write_one(key, write, &stamps).await
            }
            _ => self.write_together(writes, &stamps).await,
        }
    }

    async fn write_together(&self, writes: &WriteSet, stamps: &Stamps) -> Result<(), CommitError> {
        let actions: Result<Vec<_>, _> = writes
            .iter()
            .map(|(key, write)| self.action(key, write, stamps))
            .collect();
        let actions = actions.map_err(|error| CommitError::Unavailable(Arc::new(error)))?;
        let request = self
            .client
            .transact_write_items()
            .set_transact_items(Some(actions))
            .client_request_token(stamps.token())
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let keys: Vec<Key> = writes.iter().map(|(key, _)| key.clone()).collect();
        let done = persist(self.host.as_ref(), || async {
            use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException;
            let answer =
                request
                    .clone()
                    .send()
                    .await
                    .map_err(|error| match error.as_service_error() {
                        Some(TransactionCanceledException(why)) => {
                            let reasons = why.cancellation_reasons().to_vec();
                            cancelled(&reasons, Arc::new(error))
                        }
                        _ => failed(error),
                    });
            let told = answer.as_ref().map(|it| it.consumed_capacity());
            self.count_write("TransactWriteItems", &keys, told);
            answer
        });
        // The token tells our own first try from a rival's: no doubt outlives an answer.
        done.await.map(|_| ()).map_err(|it| match it.failed.class {
            Class::Conflict(place) => CommitError::Conflict(named(&keys, place)),
            _ => not_done(it, &keys),
        })
    }

    /// One write without company needs no transaction.
    async fn write_one(
        &self,
        key: &Key,
        write: &Write,
        stamps: &Stamps,
    ) -> Result<(), CommitError> {
        let keys = std::slice::from_ref(key);
        let done = match write.result().flatten() {
            Some(record) => {
                let put = self
                    .client
                    .put_item()
                    .table_name(&*self.table)
                    .set_item(Some(stamps.item(key, &record)))
                    .condition_expression(condition(write))
                    .set_expression_attribute_values(values(write))
                    .return_consumed_capacity(ReturnConsumedCapacity::Total);
                persist(self.host.as_ref(), || async {
                    let answer = put.clone().send().await.map_err(failed);
                    let told = answer
                        .as_ref()
                        .map(|it| it.consumed_capacity().map_or(&[][..], std::slice::from_ref));
                    self.count_write("PutItem", keys, told);
                    answer.map(|_| ())
                })
                .await
            }
            None => {
                let delete = self
                    .client
                    .delete_item()
                    .table_name(&*self.table)
                    .set_key(Some(item_key(key)))
                    .condition_expression(condition(write))
                    .set_expression_attribute_values(values(write))
                    .return_consumed_capacity(ReturnConsumedCapacity::Total);
                persist(self.host.as_ref(), || async {
                    let answer = delete.clone().send().await.map_err(failed);
                    let told = answer
                        .as_ref()
                        .map(|it| it.consumed_capacity().map_or(&[][..], std::slice::from_ref));
                    self.count_write("DeleteItem", keys, told);
                    answer.map(|_| ())
                })
                .await
            }
        };
        done.map_err(|it| match it.failed.class {
            // The guard may fail because our own first try has succeeded.
            Class::Conflict(_) if it.in_doubt => CommitError::Unknown(it.failed.cause),
            Class::Conflict(_) => CommitError::Conflict(key.clone()),
            _ => not_done(it, keys),
        })
    }

    /// The whole of the mapping: five variants, five actions.
    fn action(
        &self,
        key: &Key,
        write: &Write,
        stamps: &Stamps,
    ) -> Result<TransactWriteItem, aws_sdk_dynamodb::error::BuildError> {
        let action = TransactWriteItem::builder();
        let table = &*self.table;
        let (condition, values) = (condition(write), values(write));
        let action = match (write, write.result().flatten()) {
            (_, Some(record)) => action.put(
                Put::builder()
                    .table_name(table)
                    .set_item(Some(stamps.item(key, &record)))
                    .condition_expression(condition)
                    .set_expression_attribute_values(values)
                    .build()?,
            ),
            (Write::Delete(_), None) => action.delete(
                Delete::builder()
                    .table_name(table)
                    .set_key(Some(item_key(key)))
                    .condition_expression(condition)
                    .set_expression_attribute_values(values)
                    .build()?,
            ),
            (_, None) => action.condition_check(
                ConditionCheck::builder()
                    .table_name(table)
                    .set_key(Some(item_key(key)))
                    .condition_expression(condition)
                    .set_expression_attribute_values(values)
                    .build()?,
            ),
        };
        Ok(action.build())
    }

    fn count_write(
        &self,
        name: &'static str,
        keys: &[Key],
        told: Result<&[ConsumedCapacity], &Failed>,
    ) {
        let units =
            |told: &[ConsumedCapacity]| told.iter().filter_map(|it| it.capacity_units()).sum();
        let (ended, units) = match told {
            Ok(told) => (Ended::Done, Units::told(units(told))),
            Err(failed) => (failed.class.ended(), Units::default()),
        };
        self.count(Operation {
            component: duty::current(),
            name,
            subject: Subject::of(keys),
            ended,
            items: keys.len(),
            bytes: 0,
            read_units: Units::default(),
            write_units: units,
        });
    }
}

/// The stamps of a commit's items, and the token of its request: the same random number.
struct Stamps {
    commit: u128,
    siblings: BTreeMap<String, u8>,
}

impl Stamps {
    fn of(writes: &WriteSet, commit: u128) -> Self {
        let mut siblings = BTreeMap::new();
        for (key, write) in writes.iter() {
            if write.result().flatten().is_some() {
                // A set has at most 100 actions, which fit.
                *siblings.entry(key.partition().to_owned()).or_insert(0_u8) += 1;
            }
        }
        Self { commit, siblings }
    }

    fn token(&self) -> String {
        format!("{:032x}", self.commit)
    }

    fn item(&self, key: &Key, record: &Record) -> Item {
        let siblings = self.siblings.get(key.partition()).copied().unwrap_or(1);
        let stamp = Stamp {
            commit: self.commit,
            siblings,
        };
        item(key, record, stamp)
    }
}

fn condition(write: &Write) -> &'static str {
    match write.expects() {
        None => ABSENT,
        Some(_) => AT_VERSION,
    }
}

fn values(write: &Write) -> Option<Item> {
    let value = |version: Version| Item::from([(":v".to_owned(), number(version.get()))]);
    write.expects().map(value)
}

/// The key of the action at a place. DynamoDB tells places of ours alone; the first key stands in
/// for one that is not.
fn named(keys: &[Key], place: usize) -> Key {
    keys.get(place).unwrap_or(&keys[0]).clone()
}

/// What the caller must know of a commit that was tried to the end.
fn not_done(gave_up: GaveUp, keys: &[Key]) -> CommitError {
    let GaveUp { failed, in_doubt } = gave_up;
    let cause: Cause = failed.cause;
    match failed.class {
        _ if in_doubt => CommitError::Unknown(cause),
        // Rivals were at it to the end: who decides again has news of them.
        Class::Contended => CommitError::Conflict(named(keys, 0)),
        Class::Conflict(place) => CommitError::Conflict(named(keys, place)),
        Class::Throttled | Class::Unknown | Class::Refused => CommitError::Unavailable(cause),
    }
}
