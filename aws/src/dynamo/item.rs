//! Records as items and back.

use std::collections::HashMap;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use lombard_core::store::{Body, Key, Record, Version};

use super::{INDEXES, LIST_SHARDS};

/// An item of the table.
pub type Item = HashMap<String, AttributeValue>;

/// The attributes of the indexes' keys.
pub const INDEX_KEYS: [(&str, &str); INDEXES] = [("i1", "j1"), ("i2", "j2")];

/// The first byte of every sort key, and the one after it, before which all of them lie.
const SORT_MARK: char = '.';
const AFTER_ALL_SORTS: &str = "/";

/// Which commit wrote an item, and how many of the item's partition it wrote: what it takes to put a
/// commit together again from a stream of single items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// Of the commit; random.
    pub commit: u128,
    /// How many records the commit created or updated in the item's partition.
    pub siblings: u8,
}

impl Stamp {
    fn bytes(self) -> Vec<u8> {
        let mut bytes = self.commit.to_be_bytes().to_vec();
        bytes.push(self.siblings);
        bytes
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (commit, siblings) = bytes.split_first_chunk::<16>()?;
        Some(Self {
            commit: u128::from_be_bytes(*commit),
            siblings: *siblings.first()?,
        })
    }
}

/// What is stored is not what this crate writes.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the item {item} is not a record: {what}")]
pub struct NotARecord {
    item: String,
    what: &'static str,
}

/// A text as an attribute.
pub fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

/// A number as an attribute.
pub fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// A sort key as it is stored.
pub fn sort(sort: &str) -> String {
    let mut stored = String::with_capacity(sort.len() + 1);
    stored.push(SORT_MARK);
    stored.push_str(sort);
    stored
}

/// The bounds of the sort keys after one and up to another, as they are stored. Both are inclusive,
/// because DynamoDB knows no half-open interval; the reader drops `after` itself.
pub fn bounds(low: Option<&str>, high: Option<&str>) -> (String, String) {
    let lowest = low.map_or_else(|| SORT_MARK.to_string(), sort);
    let highest = high.map_or_else(|| AFTER_ALL_SORTS.to_owned(), sort);
    (lowest, highest)
}

/// The key of a record's item.
pub fn item_key(key: &Key) -> Item {
    HashMap::from([
        ("p".to_owned(), text(key.partition())),
        ("s".to_owned(), AttributeValue::S(sort(key.sort()))),
    ])
}

/// The partition of a list's shard.
pub fn list_partition(shard: u8, partition: &str) -> String {
    format!("{shard}|{partition}")
}

/// On which shard of its lists a record is: FNV-1a of its key, because it must never change.
fn list_shard(key: &Key) -> u8 {
    let hash = key
        .as_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
    ((hash >> 32) % u64::from(LIST_SHARDS)) as u8
}

/// A record as its item.
pub fn item(key: &Key, record: &Record, stamp: Stamp) -> Item {
    let mut item = item_key(key);
    item.insert("v".to_owned(), number(record.version.get()));
    item.insert(
        "b".to_owned(),
        AttributeValue::B(Blob::new(&*record.body.bytes)),
    );
    item.insert("c".to_owned(), AttributeValue::B(Blob::new(stamp.bytes())));
    let shard = list_shard(key);
    for (at, (partition, sort_name)) in record.body.index.iter().zip(INDEX_KEYS) {
        let listed = list_partition(shard, at.partition());
        item.insert(partition.to_owned(), AttributeValue::S(listed));
        item.insert(sort_name.to_owned(), AttributeValue::S(sort(at.sort())));
    }
    item
}

/// The key of an item.
pub fn key_of(item: &Item) -> Result<Key, NotARecord> {
    let (partition, sort) = key_texts(item, "p", "s")?;
    Ok(Key::new(partition, sort))
}

fn key_texts<'a>(item: &'a Item, p: &str, s: &str) -> Result<(&'a str, &'a str), NotARecord> {
    let attribute = |name: &str| item.get(name).and_then(|it| it.as_s().ok());
    let (Some(partition), Some(sort)) = (attribute(p), attribute(s)) else {
        return Err(broken(item, "a key is missing"));
    };
    match sort.strip_prefix(SORT_MARK) {
        Some(sort) => Ok((partition, sort)),
        None => Err(broken(item, "a sort key without its mark")),
    }
}

/// The place at which an index lists an item.
pub fn listed_at(item: &Item, index: usize) -> Result<Key, NotARecord> {
    let (p, s) = INDEX_KEYS[index];
    let (partition, sort) = key_texts(item, p, s)?;
    match partition.split_once('|') {
        Some((_, partition)) => Ok(Key::new(partition, sort)),
        None => Err(broken(item, "a list without its shard")),
    }
}

/// The record in an item.
pub fn record_of(item: &Item) -> Result<Record, NotARecord> {
    let version = item.get("v").and_then(|it| it.as_n().ok());
    let version = version.and_then(|text| text.parse().ok());
    let body = item.get("b").and_then(|it| it.as_b().ok());
    let (Some(version), Some(body)) = (version, body) else {
        return Err(broken(item, "no version or no body"));
    };
    let listed = |index: &usize| item.contains_key(INDEX_KEYS[*index].0);
    let index: Result<_, _> = (0..INDEXES)
        .filter(listed)
        .map(|index| listed_at(item, index))
        .collect();
    Ok(Record {
        version: Version::from_stored(version),
        body: Body {
            bytes: body.as_ref().into(),
            index: index?,
        },
    })
}

/// Key, record and stamp of an item of the stream.
pub fn change_of(item: &Item) -> Result<(Key, Record, Stamp), NotARecord> {
    let stamp = item.get("c").and_then(|it| it.as_b().ok());
    let stamp = stamp.and_then(|bytes| Stamp::parse(bytes.as_ref()));
    match stamp {
        Some(stamp) => Ok((key_of(item)?, record_of(item)?, stamp)),
        None => Err(broken(item, "no stamp of a commit")),
    }
}

fn broken(item: &Item, what: &'static str) -> NotARecord {
    let show = |name: &str| item.get(name).and_then(|it| it.as_s().ok()).cloned();
    let item = format!("{:?}/{:?}", show("p"), show("s"));
    NotARecord { item, what }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_from_its_item() {
        let key = Key::new("t/pay_1", "");
        let body = Body {
            bytes: [0, 1, 255].as_slice().into(),
            index: Vec::new(),
        };
        let record = Record {
            version: Version::from_stored(7),
            body: body
                .listed(Key::new("t/payments", "x"))
                .listed(Key::new("a|b", "")),
        };
        let stamp = Stamp {
            commit: 9,
            siblings: 3,
        };
        let item = item(&key, &record, stamp);
        let found = change_of(&item).expect("it was made here");
        assert_eq!(found, (key, record, stamp));
        let mut without = item.clone();
        without.remove("v");
        assert!(record_of(&without).is_err());
        let mut foreign = item;
        foreign.insert("s".to_owned(), text("no mark"));
        assert!(change_of(&foreign).is_err());
    }

    #[test]
    fn lists_are_spread_evenly() {
        let mut shards = [0_u32; LIST_SHARDS as usize];
        for n in 0..8_000 {
            shards[usize::from(list_shard(&Key::new(&format!("t/pay_{n:06}"), "payment")))] += 1;
        }
        assert!(
            shards.iter().all(|count| (850..1150).contains(count)),
            "{shards:?}"
        );
    }
}
