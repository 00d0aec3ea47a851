//! `POST /v1/batches`: a file arrives.

use std::{collections::HashSet, io, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, header},
    response::Response,
};
use http_body_util::BodyExt;
use lombard_core::tenant::TenantId;
use parking_lot::Mutex;
use tokio::{sync::mpsc, time::Instant};

use super::{accept::accept, view::BatchView};
use crate::{
    app::App,
    batch::{
        record::Format,
        spool::{Incoming, Spool},
    },
    http::{Api, Call, ErrorCode, IdempotencyKey, Problem, body::refuse_encoded},
};

/// Pieces of the body that wait to be spooled.
const PIECES: usize = 16;
/// Files that may arrive at once. Each takes a thread that writes to the disk, and up to a
/// mebibyte and a half of memory.
const UPLOADS_MAX: usize = 32;
/// Those of one tenant among them, so that nobody takes all places.
const UPLOADS_OF_TENANT_MAX: usize = 8;
/// The least bytes a second over a whole upload, beyond the time that it may stand still: a byte
/// now and then would keep a place for ever.
const BYTES_PER_SECOND_MIN: u64 = 8 * 1024;

/// The uploads that are arriving, by tenant and key.
#[derive(Default)]
pub struct Uploads(Arc<Mutex<HashSet<(TenantId, String)>>>);

/// One of them, until it is dropped.
struct Upload {
    all: Arc<Mutex<HashSet<(TenantId, String)>>>,
    this: (TenantId, String),
}

impl Uploads {
    /// # Errors
    /// `upload_running`, and `overloaded` when too many run.
    fn begin(&self, tenant: TenantId, key: &str) -> Result<Upload, Problem> {
        let this = (tenant, key.to_owned());
        let mut all = self.0.lock();
        if all.contains(&this) {
            return Err(Problem::new(ErrorCode::UploadRunning).at("Idempotency-Key"));
        }
        if all.len() >= UPLOADS_MAX {
            return Err(Problem::new(ErrorCode::Overloaded));
        }
        if all.iter().filter(|(of, _)| *of == tenant).count() >= UPLOADS_OF_TENANT_MAX {
            let detail = "so many files of yours are arriving already as may at once";
            return Err(Problem::saying(ErrorCode::Overloaded, detail.into()));
        }
        all.insert(this.clone());
        Ok(Upload {
            all: self.0.clone(),
            this,
        })
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.all.lock().remove(&self.this);
    }
}

/// Send a file of payments
///
/// pain.001 from version .03 on, CSV with a header line, or JSON Lines, each line the body of
/// `POST /v1/payments`. The file is read to its end before anything of it is paid; the answer comes
/// then, and the rows are paid in the background. Sending the same file again with the same key is answered
/// alike, and resumes a batch that was interrupted. See `docs/batches.md`.
#[utoipa::path(post, path = "/v1/batches", tag = "batches",
    request_body(description = "The file.", content(
        (String = "application/xml"), (String = "text/csv"), (String = "application/x-ndjson"))),
    responses((status = 202, description = "The file is whole; its rows are being paid.", body = BatchView)))]
pub async fn create(
    State(api): State<Api>,
    call: Call,
    key: IdempotencyKey,
    request: Request,
) -> Result<Response, Problem> {
    refuse_encoded(request.headers())?;
    let format = format_of(request.headers())?;
    let _upload = api.uploads().begin(call.tenant(), key.as_str())?;
    let spool = receive(api.app(), request).await?;
    accept(&api, call, key, format, spool).await
}

fn format_of(headers: &HeaderMap) -> Result<Format, Problem> {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    match kind.to_ascii_lowercase().as_str() {
        "application/xml" | "text/xml" => Ok(Format::Pain001),
        "text/csv" => Ok(Format::Csv),
        "application/x-ndjson" | "application/jsonl" | "application/json-lines" => {
            Ok(Format::JsonLines)
        }
        _ => Err(Problem::saying(
            ErrorCode::MediaTypeUnsupported,
            "send application/xml (pain.001), text/csv or application/x-ndjson".into(),
        )),
    }
}

/// Spools the body. It may be large and take long, but neither stand still nor trickle.
pub(in crate::http) async fn receive(app: &App, request: Request) -> Result<Spool, Problem> {
    let limits = &app.config.http;
    let max = limits.batch_bytes_max as u64;
    let too_large = || {
        let detail = format!("a batch is at most {max} bytes");
        Problem::saying(ErrorCode::BodyTooLarge, detail.into())
    };
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > max) {
        return Err(too_large());
    }
    let (send, pieces) = mpsc::channel(PIECES);
    let incoming = Incoming::new(app.host.as_ref(), app.config.batches.spool.as_deref());
    let spooling = tokio::task::spawn_blocking(move || spool(incoming, pieces));
    let idle = Duration::from_millis(limits.body_timeout_ms);
    let arrived = pass_on(request.into_body(), send, idle, max).await;
    let spooled = spooling.await.map_err(io::Error::other);
    match arrived {
        Ok(()) => {}
        Err(Broken::TooLarge) => return Err(too_large()),
        Err(Broken::TooSlow) => return Err(Problem::new(ErrorCode::RequestTimeout)),
        Err(Broken::Off) => {
            let detail = "the body broke off; nothing of it was paid";
            return Err(Problem::saying(ErrorCode::InvalidFile, detail.into()));
        }
    }
    spooled
        .flatten()
        .map_err(|error| Problem::new(ErrorCode::Unavailable).because(Arc::new(error)))
}

fn spool(mut incoming: Incoming, mut pieces: mpsc::Receiver<Bytes>) -> io::Result<Spool> {
    while let Some(piece) = pieces.blocking_recv() {
        incoming.push(&piece)?;
    }
    incoming.end()
}

/// How an upload ended too early.
enum Broken {
    TooLarge,
    TooSlow,
    Off,
}

async fn pass_on(
    mut body: Body,
    to: mpsc::Sender<Bytes>,
    idle: Duration,
    max: u64,
) -> Result<(), Broken> {
    let mut bytes = 0;
    // Only waiting for the sender counts: the disk may be slow too.
    let mut waited = Duration::ZERO;
    loop {
        let allowed = idle + Duration::from_millis(bytes * 1000 / BYTES_PER_SECOND_MIN);
        let begun = Instant::now();
        let patience = idle.min(allowed.saturating_sub(waited));
        let frame = tokio::time::timeout(patience, body.frame()).await;
        waited += begun.elapsed();
        let Some(frame) = frame.map_err(|_| Broken::TooSlow)? else {
            return Ok(());
        };
        let frame = frame.map_err(|_| Broken::Off)?;
        if let Ok(piece) = frame.into_data() {
            bytes += piece.len() as u64;
            if bytes > max {
                return Err(Broken::TooLarge);
            }
            if to.send(piece).await.is_err() {
                // The disk is full; the spool says so.
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(10);

    /// Passes on a body that sends so many bytes in each piece, with a pause before each.
    async fn paced(pieces: usize, bytes: usize, pause: Duration) -> Result<(), Broken> {
        let body = futures_util::stream::unfold(0, move |sent| async move {
            if sent == pieces {
                return None;
            }
            tokio::time::sleep(pause).await;
            Some((Ok::<_, io::Error>(vec![0; bytes]), sent + 1))
        });
        let (send, mut pieces) = mpsc::channel(PIECES);
        let spooling = async move { while pieces.recv().await.is_some() {} };
        let passing = pass_on(Body::from_stream(body), send, IDLE, u64::MAX);
        tokio::join!(passing, spooling).0
    }

    #[tokio::test(start_paused = true)]
    async fn an_upload_may_be_long_but_not_trickle() {
        let pause = IDLE * 9 / 10;
        let enough = (BYTES_PER_SECOND_MIN * 10) as usize;
        assert!(paced(100, enough, pause).await.is_ok());
        assert!(matches!(paced(3, 1, pause).await, Err(Broken::TooSlow)));
        assert!(matches!(paced(1, 1, IDLE * 2).await, Err(Broken::TooSlow)));
    }

    #[test]
    fn one_tenant_leaves_places_to_others() {
        let uploads = Uploads::default();
        let begin = |tenant, key: usize| uploads.begin(TenantId::new(tenant), &key.to_string());
        let of_one: Vec<_> = (0..UPLOADS_OF_TENANT_MAX)
            .map(|key| begin(1, key))
            .collect();
        assert!(of_one.iter().all(Result::is_ok));
        assert_eq!(
            begin(1, UPLOADS_MAX).err().map(|it| it.code),
            Some(ErrorCode::Overloaded)
        );
        assert!(begin(2, 0).is_ok());
        drop(of_one);
        assert!(begin(1, 0).is_ok());
    }
}
