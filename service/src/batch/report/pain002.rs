//! The report on a pain.001 file, in the version of pain.002 that its sender understands.
//!
//! A payment that cleared is `ACSC`, one on its way `ACSP` or `PDNG`, one that failed or was reversed `RJCT`
//! with the reason; a row that was refused is `RJCT`, a duplicate `RJCT` with `AM05`.

use std::{
    io::{self, Write},
    sync::Arc,
};

use lombard_core::{
    iso20022::{
        Reason as IsoReason, Status,
        pain002::{BlockStatus, FileStatus, RowStatus, StatusFile, Version},
    },
    lifecycle::Stage,
    payment::Payment,
    reason::Reason,
    store::decode,
    tenant::TenantId,
};
use parking_lot::Mutex;

use super::{Pieces, sent};
use crate::{
    app::App,
    batch::{
        record::{self, Block, Outcome, Record, References, State, What, block_sort},
        rows::{self, ROWS_AT_ONCE, RowState, Seen},
        tally::Tally,
    },
    ports::{Cause, Of, RANGE_MAX, Range},
};

/// Characters of a line of free text about a reason (`Max105Text`).
const TEXT_MAX: usize = 105;

/// What was written and not sent yet.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Written {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock())
    }
}

/// Writes the report.
pub async fn write(
    app: &App,
    tenant: TenantId,
    record: &Record,
    tally: Tally,
    to: &Pieces,
) -> Result<(), Cause> {
    let Some(known) = &record.file.pain001 else {
        return Ok(());
    };
    let out = Written::default();
    let head = FileStatus {
        // The report's own id: at most 35 characters, as `Max35Text`.
        message_id: record.id.to_string(),
        created_ms: app.host.now().unix_ms(),
        initiating_party: None,
        original_message_id: known.message_id.clone(),
        original_message: known.message.clone(),
        original_created_ms: known.created_ms,
        original_rows: Some(record.rows),
        original_control_sum: known.control_sum.clone(),
        status: Some(of_file(record, tally)),
        reasons: Vec::new(),
    };
    let version = Version::answering(&known.message);
    let mut report = StatusFile::begin(out.clone(), version, &head).map_err(told)?;
    let mut blocks = Blocks::default();
    let mut after = 0;
    while after < record.rows {
        let page = rows::read(app, tenant, record.id, record.rows, after, ROWS_AT_ONCE).await;
        for seen in page.map_err(told)? {
            // A row whose turn has not come is not reported on yet.
            let Some(status) = of_row(&seen) else {
                continue;
            };
            while let Some(block) = blocks.begun_by(app, tenant, record, seen.row).await? {
                report.block(&of_block(&block)).map_err(told)?;
            }
            report.row(&status).map_err(told)?;
        }
        after += ROWS_AT_ONCE;
        if !sent(to, out.take()).await {
            return Ok(());
        }
    }
    report.finish().map_err(told)?;
    sent(to, out.take()).await;
    Ok(())
}

/// The blocks of the file, read as they are needed.
#[derive(Default)]
struct Blocks {
    read: std::collections::VecDeque<Block>,
    last: u64,
    ended: bool,
}

impl Blocks {
    /// The next block, if it begins at or before a row. A run stores a block before its rows.
    async fn begun_by(
        &mut self,
        app: &App,
        tenant: TenantId,
        record: &Record,
        row: u64,
    ) -> Result<Option<Block>, Cause> {
        if self.read.is_empty() && !self.ended {
            let range = Range {
                partition: record::partition(tenant, record.id),
                of: Of::Records,
                after: Some(block_sort(self.last)),
                until: Some("block#~".to_owned()),
                backwards: false,
                past_damage: false,
                limit: RANGE_MAX,
            };
            let found = app.store.range(&range).await.map_err(told)?;
            self.ended = found.len() < RANGE_MAX;
            let blocks = found.iter().map(|found| decode(&found.record.body.bytes));
            self.read.extend(blocks);
            self.last = self
                .read
                .back()
                .map_or(self.last, |block: &Block| block.block);
        }
        let begins = self
            .read
            .front()
            .is_some_and(|block| block.first_row <= row);
        Ok(if begins { self.read.pop_front() } else { None })
    }
}

fn of_block(block: &Block) -> BlockStatus {
    BlockStatus {
        original_id: block.id.clone(),
        original_rows: block.rows,
        original_control_sum: block.control_sum.clone(),
        status: None,
        reasons: Vec::new(),
    }
}

fn of_file(record: &Record, tally: Tally) -> Status {
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    let refused = record.rejected
        + record.duplicates
        + count(tally.failed).saturating_add(count(tally.reversed));
    if refused == record.rows {
        Status::Rejected
    } else if refused > 0 {
        Status::Partial
    } else if record.state == State::Completed && count(tally.cleared) == record.rows {
        Status::SettlementCompleted
    } else {
        Status::InProcess
    }
}

fn of_row(seen: &Seen) -> Option<RowStatus> {
    match &seen.state {
        RowState::Payment(payment) => Some(of_payment(payment)),
        RowState::Outcome(outcome) => Some(of_outcome(outcome)),
        RowState::Waiting => None,
    }
}

fn row(references: References, status: Status, why: Option<IsoReason>) -> RowStatus {
    RowStatus {
        status_id: None,
        instruction_id: references.instruction_id,
        end_to_end_id: references.end_to_end_id,
        uetr: references.uetr,
        status,
        reasons: why.into_iter().collect(),
        accepted_ms: None,
    }
}

fn of_payment(payment: &Payment) -> RowStatus {
    let status = match payment.stage {
        Stage::New | Stage::Verifying | Stage::Scheduled | Stage::AwaitingFunds => Status::Pending,
        Stage::Held | Stage::Queued => Status::CustomerProfileAccepted,
        Stage::Submitted | Stage::InDoubt | Stage::Authorised => Status::InProcess,
        Stage::Cleared | Stage::Settled => Status::SettlementCompleted,
        Stage::Failed | Stage::Reversed => Status::Rejected,
    };
    let reason = payment.reason.filter(|_| status == Status::Rejected);
    let text = |name: &str| payment.metadata.get(name).cloned();
    let references = References {
        instruction_id: text("instruction_id"),
        end_to_end_id: Some(payment.end_to_end_id.clone()),
        uetr: text("uetr"),
    };
    let why = reason.map(|reason| IsoReason::code(reason.iso_status_code()));
    RowStatus {
        status_id: Some(payment.id.to_string()),
        accepted_ms: Some(payment.created_at.unix_ms()),
        ..row(references, status, why)
    }
}

fn of_outcome(outcome: &Outcome) -> RowStatus {
    let (reason, text) = match &outcome.what {
        What::Duplicate { .. } => (Reason::Duplicate, Vec::new()),
        What::Rejected(refused) => {
            let chars: Vec<char> = refused.detail.chars().collect();
            let lines = chars.chunks(TEXT_MAX).map(|line| line.iter().collect());
            (refused.reason, lines.collect())
        }
    };
    let why = IsoReason {
        text,
        ..IsoReason::code(reason.iso_status_code())
    };
    row(outcome.references.clone(), Status::Rejected, Some(why))
}

fn told<E: std::error::Error + Send + Sync + 'static>(error: E) -> Cause {
    Arc::new(error)
}
