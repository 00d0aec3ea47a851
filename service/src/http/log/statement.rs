//! An account's entries, each with the proof of its transaction, all to one checkpoint.

use axum::{extract::State, response::Response};
use lombard_core::{
    id::Id,
    ledger::{Account, Entry},
    plan::keys,
    store::decode,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{CheckpointView, current, texts};
use crate::{
    http::{
        Api, Call, Paging, PathId, Problem,
        page::Cursor,
        query::Query,
        reply::shown,
        wire::{ledger::EntryView, scalar},
    },
    ports::Range,
};

/// Beyond every number of an entry: the most that its place in the order has digits for.
const NUMBER_MAX: u64 = 999_999_999_999;

/// A part of an account's statement.
#[derive(Serialize, ToSchema)]
#[schema(as = ProvenStatement)]
struct StatementView {
    /// Of which account.
    #[schema(value_type = scalar::AccountId)]
    account: Id<Account>,
    /// Newest first. A constrained account's entries are numbered from 1 without gaps, in the
    /// account and in the leaves.
    entries: Vec<ProvenEntry>,
    /// Give it back as `cursor` to go on with older ones; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 20)]
    next_cursor: Option<String>,
    /// The checkpoint that all proofs lead to.
    checkpoint: CheckpointView,
}

/// An entry, and the proof of its transaction.
#[derive(Serialize, ToSchema)]
#[schema(as = ProvenEntry)]
struct ProvenEntry {
    /// The entry.
    entry: EntryView,
    /// The proof; absent while the transaction is not under the checkpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<EntryProof>,
}

/// Where the transaction's leaf is.
#[derive(Serialize, ToSchema)]
#[schema(as = EntryProof)]
struct EntryProof {
    /// The place of the leaf, from 0.
    index: u64,
    /// The leaf, to be hashed byte for byte.
    #[schema(value_type = scalar::LogLeaf)]
    leaf: String,
    /// The audit path, in base64.
    #[schema(value_type = Vec<scalar::LogHash>)]
    path: Vec<String>,
}

/// Prove an account's statement
///
/// The entries of an account, each with the leaf of its transaction and the audit path to one
/// checkpoint.
#[utoipa::path(get, path = "/v1/accounts/{id}/statement", tag = "accounts",
    params(
        ("id" = inline(scalar::AccountId), Path, description = "The account."),
        ("limit" = Option<u64>, Query, description = "How many entries at the most.", minimum = 1, maximum = 100),
        ("cursor" = Option<u64>, Query, description = "The `next_cursor` of the page before.", minimum = 0, maximum = 18_446_744_073_709_551_615_u64),
    ),
    responses((status = 200, description = "The statement.", body = StatementView)))]
pub async fn statement(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Account>,
    mut query: Query,
) -> Result<Response, Problem> {
    let paging = Paging::<u64>::of(&mut query)?;
    query.finish()?;
    let tenant = call.tenant();
    if api.app().get(&keys::account(tenant, id)).await?.is_none() {
        return Err(Problem::not_found());
    }
    let (log, published) = current(&api).await?;
    let newest = keys::entry_sort(NUMBER_MAX);
    let after = paging
        .cursor
        .map_or(newest, |Cursor(number)| keys::entry_sort(number));
    let range = Range::of(&keys::account_partition(tenant, id), paging.limit)
        .backwards()
        .after(Some(after))
        .until(keys::entry_sort(0));
    let mut entries = Vec::new();
    let mut last = None;
    for found in api.app().store.range(&range).await? {
        let entry: Entry = decode(&found.record.body.bytes);
        let proof = match log.find(&published, tenant, entry.transaction).await? {
            None => None,
            Some(placed) => Some(EntryProof {
                index: placed.index,
                leaf: String::from_utf8_lossy(&placed.leaf).into_owned(),
                path: texts(&log.inclusion(&published.head, placed.index).await?),
            }),
        };
        last = Some(entry.number);
        let entry = EntryView::of(&entry);
        entries.push(ProvenEntry { entry, proof });
    }
    Ok(shown(&StatementView {
        account: id,
        entries,
        next_cursor: last
            .filter(|number| *number > 1)
            .map(|number| number.to_string()),
        checkpoint: CheckpointView::of(&published),
    }))
}
