//! A file that has arrived: looked through, recognised, and handed to a run.

use std::sync::Arc;

use axum::response::Response;
use lombard_core::{
    command::{Rejection, Reply},
    id::Id,
    idempotency::{Fingerprint, Idempotency, Outcome},
    payment::Batch,
    store::{Body, Key, Snapshot, decode, encode},
    tenant::TenantId,
};
use tracing::warn;

use super::view::BatchView;
use crate::{
    app::App,
    batch::{
        check::{CheckError, Checked, check},
        read::{Context, Fault},
        record::{self, FileRecord, Format, Record, State, file_key},
        resume::{claim, fresh_runner},
        run::{Run, run},
        spool::Spool,
        tally::{self, Tally},
    },
    http::{
        Api, Call, ErrorCode, IdempotencyKey, Problem,
        once::{Decided, once},
        problem::FileFault,
        reply::reply,
    },
};

/// What the key of an upload is for.
const OPERATION: &str = "batches.create";

/// Takes a file in, once, and has its rows paid.
pub async fn accept(
    api: &Api,
    call: Call,
    key: IdempotencyKey,
    format: Format,
    spool: Spool,
) -> Result<Response, Problem> {
    let (app, tenant) = (api.app(), call.tenant());
    let wish = Idempotency {
        operation: OPERATION,
        key: key.as_str().to_owned(),
        // The contents are personal data, so even their hash is kept keyed.
        fingerprint: Fingerprint::of(
            app.vault
                .blind(tenant.short(), &hex::encode(spool.digest))
                .as_bytes(),
        ),
    };
    if let Some(before) = answered(app, tenant, &wish).await? {
        return resume(api, tenant, before, spool).await;
    }
    let (spool, checked) = looked_through(app, tenant, format, spool).await?;
    let file = FileRecord {
        format,
        sha256: hex::encode(spool.digest),
        bytes: spool.bytes,
        pain001: checked.pain001,
    };
    let now = app.host.now();
    let id = Id::new(now, app.host.random());
    let kept = spool.kept(app.vault.as_ref(), tenant, id);
    let fresh = Record {
        id,
        kept: kept.map_err(|error| Problem::new(ErrorCode::Internal).because(Arc::new(error)))?,
        file,
        rows: checked.rows,
        state: State::Processing,
        done: 0,
        rejected: 0,
        duplicates: 0,
        runner: Some(fresh_runner(app)),
        actor: call.caller().actor.to_string(),
        trace: Some(call.trace().trace_id()),
        created_at: now,
        updated_at: now,
    };
    let keys = [
        file_key(tenant, &checked.identity),
        record::key(tenant, fresh.id),
    ];
    let answer = once(api, tenant, &wish, &keys, |read| {
        if let Some(known) = read.value::<Id<Batch>>(&keys[0]) {
            return Err(duplicate(known, &fresh.file));
        }
        created(read, &keys, &fresh, tenant)
    })
    .await?;
    if !answer.replayed {
        // The record names it: whatever comes now, it can be gone on with.
        if let Err(error) = spool.keep() {
            warn!(batch = %fresh.id, %error, "the file will not outlive this process");
        }
        start(api, tenant, fresh, spool);
    }
    Ok(reply(answer))
}

/// The first reading, on a thread that may block.
async fn looked_through(
    app: &App,
    tenant: TenantId,
    format: Format,
    mut spool: Spool,
) -> Result<(Spool, Checked), Problem> {
    let vault = app.vault.clone();
    let context = Context {
        tenant,
        now: app.host.now(),
    };
    let looked = tokio::task::spawn_blocking(move || {
        let checked = check(format, spool.read()?, context, &spool.digest, &*vault)?;
        Ok((spool, checked))
    });
    let looked = looked.await.map_err(std::io::Error::other);
    looked
        .map_err(CheckError::from)
        .flatten()
        .map_err(|error| match error {
            CheckError::Faults(faults) => at_fault(faults),
            CheckError::Io(error) => Problem::new(ErrorCode::Internal).because(Arc::new(error)),
        })
}

/// The refusal of a file, with its faults.
fn at_fault(faults: Vec<Fault>) -> Problem {
    let first = faults.first().map_or_else(String::new, |fault| {
        format!("{}: {} (rule `{}`)", fault.path, fault.message, fault.rule)
    });
    let shown = faults
        .into_iter()
        .map(|fault| FileFault {
            path: fault.path,
            rule: fault.rule,
            message: fault.message,
        })
        .collect();
    Problem::saying(ErrorCode::InvalidFile, first.into()).with_faults(shown)
}

fn duplicate(known: Id<Batch>, file: &FileRecord) -> Problem {
    let why = match file.format {
        Format::Pain001 => "a file of this sender with this message id",
        Format::Csv | Format::JsonLines => "a file with these contents",
    };
    let detail = format!("{why} was sent before, as batch {known}; nothing of this one was paid");
    Problem::saying(ErrorCode::DuplicateFile, detail.into())
}

fn created(
    read: &Snapshot,
    keys: &[Key; 2],
    fresh: &Record,
    tenant: TenantId,
) -> Result<Decided, Problem> {
    let mut writes = read.checks();
    writes.create(keys[0].clone(), Body::of(&fresh.id));
    writes.create(keys[1].clone(), fresh.body(tenant));
    let view = BatchView::of(fresh, Tally::default(), fresh.created_at);
    Ok(Decided {
        writes,
        status: 202,
        body: encode(&view),
    })
}

/// The answer that the key remembers, if it was used for this file.
async fn answered(
    app: &App,
    tenant: TenantId,
    wish: &Idempotency,
) -> Result<Option<Outcome>, Problem> {
    let Some(found) = app.get(&wish.record_key(tenant)).await? else {
        return Ok(None);
    };
    let outcome: Outcome = decode(&found.body.bytes);
    if outcome.fingerprint != wish.fingerprint {
        return Err(Rejection::KeyReused.into());
    }
    Ok(Some(outcome))
}

/// The same file with the same key: goes on where an earlier run was interrupted, or answers what was
/// answered.
async fn resume(
    api: &Api,
    tenant: TenantId,
    before: Outcome,
    spool: Spool,
) -> Result<Response, Problem> {
    #[derive(serde::Deserialize)]
    struct Named {
        id: Id<Batch>,
    }
    let app = api.app();
    let named: Named = serde_json::from_str(before.body.get())
        .map_err(|error| Problem::new(ErrorCode::Internal).because(Arc::new(error)))?;
    let now = app.host.now();
    let claimed = claim(app, tenant, named.id, &fresh_runner(app)).await?;
    let Some(record) = claimed else {
        return Ok(reply(Reply {
            status: before.status,
            body: before.body.get().as_bytes().into(),
            stage: None,
            replayed: true,
        }));
    };
    let tally = tally::read(app, tenant, record.id).await?;
    let body = encode(&BatchView::of(&record, tally, now));
    start(api, tenant, record, spool);
    Ok(reply(Reply {
        status: 202,
        body: body.into(),
        stage: None,
        replayed: false,
    }))
}

fn start(api: &Api, tenant: TenantId, record: Record, spool: Spool) {
    tokio::spawn(run(Run {
        app: api.app().clone(),
        weights: api.weights().cloned(),
        tenant,
        record,
        spool,
    }));
}
