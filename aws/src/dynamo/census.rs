//! Every record of the table, for moving an installation: a `Scan` in pages, strongly consistent.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    operation::scan::ScanOutput,
    types::{AttributeValue, ReturnConsumedCapacity},
};
use futures_util::{FutureExt, future::BoxFuture};
use lombard_core::store::Key;
use lombard_service::{
    migrate::{Census, census::Page},
    ports::ReadError,
};

use super::{
    Dynamo, failed,
    item::{item_key, key_of},
    range::damaged,
    read::{capacity, parse, unreadable},
    retry::persist,
};

impl Census for Dynamo {
    fn page<'a>(&'a self, after: Option<&'a str>) -> BoxFuture<'a, Result<Page, ReadError>> {
        let after = after.and_then(|place| Key::from_bytes(place.as_bytes()));
        self.scan(after.as_ref().map(item_key)).boxed()
    }
}

impl Dynamo {
    async fn scan(
        &self,
        after: Option<HashMap<String, AttributeValue>>,
    ) -> Result<Page, ReadError> {
        let request = self
            .client
            .scan()
            .table_name(&*self.table)
            .consistent_read(true)
            .set_exclusive_start_key(after)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = persist(self.host.as_ref(), || async {
            let answer = request.clone().send().await.map_err(failed);
            let units = capacity(&answer, |it: &ScanOutput| {
                let told = it.consumed_capacity().into_iter();
                told.filter_map(|it| it.capacity_units()).sum()
            });
            self.count_read("Scan", &[], &answer, units);
            answer
        });
        let answer = answer.await.map_err(unreadable)?;
        let mut records = Vec::new();
        for item in answer.items() {
            records.push((key_of(item).map_err(damaged)?, parse(item)?.body));
        }
        let next = answer.last_evaluated_key.filter(|key| !key.is_empty());
        let next = next.map(|item| key_of(&item)).transpose();
        let next = next.map_err(damaged)?;
        Ok(Page {
            records,
            // A key is text with a NUL in it, which comes back as it is.
            next: next.map(|key| String::from_utf8_lossy(key.as_bytes()).into_owned()),
        })
    }
}
