//! What became of a batch, as a file for whoever sent it: pain.002 for pain.001, CSV or JSON Lines
//! for theirs. Written as a stream, a hundred rows at a time.

mod pain002;

use axum::body::Bytes;
use lombard_core::{id::Id, payment::Payment, reason::Reason, tenant::TenantId};
use serde::Serialize;
use tokio::sync::mpsc;

use super::{
    record::{Format, Record, What},
    rows::{self, ROWS_AT_ONCE, RowState, Seen},
    tally::Tally,
};
use crate::{app::App, ports::Cause};

/// Pieces of a report that wait to be sent.
const PIECES: usize = 4;

/// The report's media type.
#[must_use]
pub const fn media_type(format: Format) -> &'static str {
    match format {
        Format::Pain001 => "application/xml",
        Format::Csv => "text/csv; charset=utf-8",
        Format::JsonLines => "application/x-ndjson",
    }
}

/// Writes the report of a batch, piece by piece. A piece that is an error ends it, and the
/// connection with it, so that nobody takes a part for the whole.
#[must_use]
pub fn write(
    app: App,
    tenant: TenantId,
    record: Record,
    tally: Tally,
) -> mpsc::Receiver<Result<Bytes, Cause>> {
    let (send, pieces) = mpsc::channel(PIECES);
    tokio::spawn(async move {
        let written = match record.file.format {
            Format::Pain001 => pain002::write(&app, tenant, &record, tally, &send).await,
            Format::Csv => lines(&app, tenant, &record, &send, csv_row, CSV_HEADER).await,
            Format::JsonLines => lines(&app, tenant, &record, &send, json_row, "").await,
        };
        if let Err(error) = written {
            tracing::warn!(batch = %record.id, %error, "a report broke off");
            // Whoever has gone away need not be told.
            let _ = send.send(Err(error)).await;
        }
    });
    pieces
}

type Pieces = mpsc::Sender<Result<Bytes, Cause>>;

/// Sends a piece; says whether anybody still wants it.
async fn sent(to: &Pieces, piece: Vec<u8>) -> bool {
    piece.is_empty() || to.send(Ok(piece.into())).await.is_ok()
}

async fn lines(
    app: &App,
    tenant: TenantId,
    record: &Record,
    to: &Pieces,
    write: fn(&Line<'_>) -> Vec<u8>,
    header: &str,
) -> Result<(), Cause> {
    if !sent(to, header.as_bytes().to_vec()).await {
        return Ok(());
    }
    let mut after = 0;
    while after < record.rows {
        let page = rows::read(app, tenant, record.id, record.rows, after, ROWS_AT_ONCE).await;
        let page = page.map_err(|error| -> Cause { std::sync::Arc::new(error) })?;
        after += ROWS_AT_ONCE;
        let piece = page
            .iter()
            .flat_map(|seen| write(&Line::of(seen)))
            .collect();
        if !sent(to, piece).await {
            return Ok(());
        }
    }
    Ok(())
}

/// A row of the report, and of the list of rows in the API.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = BatchRow)]
pub struct Line<'a> {
    /// Which row of the file, from 1.
    #[schema(minimum = 1)]
    row: u64,
    /// `accepted`, `rejected`, `duplicate`, or `waiting` for its turn.
    #[schema(pattern = "^(accepted|rejected|duplicate|waiting)$")]
    outcome: &'static str,
    /// The payment that it is; of a duplicate, the one of before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<crate::http::wire::scalar::PaymentId>, nullable = false)]
    payment: Option<Id<Payment>>,
    /// Where the payment stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<crate::http::wire::scalar::StatusName>, nullable = false)]
    status: Option<&'static str>,
    /// Why the row was refused, or its payment failed, was reversed or waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<crate::http::wire::scalar::ReasonCode>, nullable = false)]
    reason: Option<Reason>,
    /// Why the row was refused, as a code of the API.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^[a-z_]{1,40}$")]
    code: Option<&'a str>,
    /// By which rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 60)]
    rule: Option<&'a str>,
    /// Which member, column or element is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 500)]
    field: Option<&'a str>,
    /// The same in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 2000)]
    detail: Option<&'a str>,
    /// The sender's end-to-end id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 35)]
    end_to_end_id: Option<&'a str>,
}

impl<'a> Line<'a> {
    /// The line of a row.
    #[must_use]
    pub fn of(seen: &'a Seen) -> Self {
        let mut line = Self {
            row: seen.row,
            outcome: "waiting",
            payment: None,
            status: None,
            reason: None,
            code: None,
            rule: None,
            field: None,
            detail: None,
            end_to_end_id: None,
        };
        match &seen.state {
            RowState::Waiting => {}
            RowState::Payment(payment) => {
                line.outcome = "accepted";
                line.payment = Some(payment.id);
                line.status = Some(payment.stage.status().name());
                line.reason = payment.reason;
                line.end_to_end_id = Some(&payment.end_to_end_id);
            }
            RowState::Outcome(outcome) => {
                line.end_to_end_id = outcome.references.end_to_end_id.as_deref();
                match &outcome.what {
                    What::Duplicate { payment } => {
                        line.outcome = "duplicate";
                        line.payment = *payment;
                        line.reason = Some(Reason::Duplicate);
                    }
                    What::Rejected(refused) => {
                        line.outcome = "rejected";
                        line.reason = Some(refused.reason);
                        line.code = Some(&refused.code);
                        line.rule = refused.rule.as_deref();
                        line.field = refused.field.as_deref();
                        line.detail = Some(&refused.detail);
                    }
                }
            }
        }
        line
    }
}

const CSV_HEADER: &str = "row,outcome,payment,status,reason,code,rule,field,detail,end_to_end_id\n";

fn csv_row(line: &Line<'_>) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .has_headers(false)
        .from_writer(Vec::new());
    let row = line.row.to_string();
    let payment = line.payment.map_or(String::new(), |id| id.to_string());
    let fields = [
        row.as_str(),
        line.outcome,
        payment.as_str(),
        line.status.unwrap_or_default(),
        line.reason.map_or("", Reason::code),
        line.code.unwrap_or_default(),
        line.rule.unwrap_or_default(),
        line.field.unwrap_or_default(),
        line.detail.unwrap_or_default(),
        line.end_to_end_id.unwrap_or_default(),
    ];
    // Writing to memory cannot fail.
    let _ = writer.write_record(fields);
    writer.into_inner().unwrap_or_default()
}

fn json_row(line: &Line<'_>) -> Vec<u8> {
    let mut bytes = lombard_core::store::encode(line);
    bytes.push(b'\n');
    bytes
}
