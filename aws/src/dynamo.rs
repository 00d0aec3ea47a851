//! The store on DynamoDB: one table, one item a record, one `TransactWriteItems` a commit.
//!
//! **Layout of the table.** Everything that the store promises follows from it.
//!
//! | attribute | type | what |
//! |---|---|---|
//! | `p` | S, partition key | the record's partition |
//! | `s` | S, sort key | a full stop, then the record's sort key: DynamoDB takes no empty key |
//! | `v` | N | the version that guards compare |
//! | `b` | B | the body, byte for byte |
//! | `c` | B | the stamp of the commit that wrote it: 16 random bytes, and how many records of this partition the commit wrote |
//! | `i1`, `j1` | S | where the record is listed: shard and index partition, then the sort key as in `s`; absent if nowhere |
//! | `i2`, `j2` | S | a second place |
//!
//! Two sparse indexes (`list1` on `i1`, `j1`; `list2` on `i2`, `j2`) have keys alone: an index is written
//! only when a record is listed elsewhere, and not when its body changes. A list is spread over
//! [`LIST_SHARDS`] index partitions by the record's key, because one index partition takes 1,000
//! writes a second and would hold up the table behind it; a range reads all of them and merges.
//! Bodies are read from the table itself, so a listing shows what is there now; that a record is
//! listed at all may be a moment late on AWS, which a range may be.
//!
//! No item expires: the table has no TTL. (The journal of the [feed](crate::feed) has one, to be rid
//! of what no consumer can still ask for; whether something *has* expired is decided on read.)
//!
//! **Reads.** One key is a strongly consistent `GetItem`. Several are one `TransactGetItems`, which is
//! of one moment; beyond its 100 keys they are read twice, and believed when nothing changed in
//! between.
//!
//! **Commits.** Several actions are one `TransactWriteItems` under a client request token, so a try
//! whose answer was lost is asked again and not done again. One write alone is a conditional
//! `PutItem` or `DeleteItem` at half the price; it has no token, so when its first answer was lost and
//! the guard then fails, the end is *unknown*.
//!
//! **Bounds.** See [`lombard_core::store`]; they were taken from here.

mod census;
mod commit;
mod failure;
mod item;
mod list;
mod range;
mod read;
mod retry;
pub mod table;

use std::sync::Arc;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use futures_util::{FutureExt, future::BoxFuture};
use lombard_core::store::{Commit, Key, Record, WriteSet};
use lombard_service::ports::{CommitError, Found, Host, Of, Range, ReadError, Store};

use crate::{
    feed::Journal,
    meter::{Meter, Operation},
};

pub(crate) use failure::failed;
pub use failure::{Class, Failed};
pub(crate) use item::{Item, Stamp, change_of, key_of};
pub(crate) use retry::{GaveUp, persist};

/// Index partitions to a list. A constant of the layout: another number needs another table.
pub const LIST_SHARDS: u8 = 8;
/// How many indexes there are, as many as a record may be listed in.
pub const INDEXES: usize = lombard_core::store::INDEX_MAX;

/// See the module. Cheap to clone.
#[derive(Clone)]
pub struct Dynamo {
    client: Client,
    table: Arc<str>,
    host: Arc<dyn Host>,
    meter: Arc<Meter>,
    journal: Arc<Journal>,
}

impl Dynamo {
    /// The store in `table`, with the journal of its feed in the table of [`table::feed_name`].
    #[must_use]
    pub fn new(config: &SdkConfig, table: &str, host: Arc<dyn Host>) -> Self {
        let client = Client::new(config);
        let meter = Arc::new(Meter::default());
        let journal = Journal::new(
            &client,
            &table::feed_name(table),
            host.clone(),
            meter.clone(),
        );
        Self {
            client,
            table: table.into(),
            host,
            meter,
            journal: Arc::new(journal),
        }
    }

    /// What was asked of DynamoDB so far.
    #[must_use]
    pub const fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    /// The numbered feed.
    #[must_use]
    pub const fn journal(&self) -> &Arc<Journal> {
        &self.journal
    }

    /// The client, for what looks after the table.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The table's name.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Whether there is any record at all.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn has_any(&self) -> Result<bool, ReadError> {
        let request = self.client.scan().table_name(&*self.table).limit(1);
        let answer = persist(self.host.as_ref(), || async {
            request.clone().send().await.map_err(failed)
        });
        let answer = answer.await.map_err(read::unreadable)?;
        Ok(!answer.items().is_empty())
    }

    fn count(&self, operation: Operation) {
        self.meter.count(operation);
    }
}

impl Store for Dynamo {
    fn get<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Option<Record>>, ReadError>> {
        self.read(keys).boxed()
    }

    fn range<'a>(&'a self, range: &'a Range) -> BoxFuture<'a, Result<Vec<Found>, ReadError>> {
        match range.of {
            Of::Records => self.records(range).boxed(),
            Of::Index => self.listed(range).boxed(),
        }
    }

    fn commit<'a>(&'a self, writes: &'a WriteSet) -> BoxFuture<'a, Result<(), CommitError>> {
        self.write(writes).boxed()
    }

    fn shards(&self) -> u16 {
        1
    }

    fn changes(
        &self,
        shard: u16,
        after: u64,
        limit: usize,
        wait_ms: u64,
    ) -> BoxFuture<'_, Result<Vec<Commit>, ReadError>> {
        assert_eq!(shard, 0, "there is one shard");
        self.journal.changes(after, limit, wait_ms).boxed()
    }
}
