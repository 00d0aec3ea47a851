//! A witness: it remembers the last checkpoint of each log that it watches, and cosigns the next
//! one when the log only grew (C2SP tlog-witness).
//!
//! It is of use when somebody else runs it: the log's operator cannot show two histories to two
//! people without two sets of witnesses. It knows a few lines a log and no leaf.
//!
//! **Invariants.** What is cosigned is on disk before the cosignature leaves. Between looking the
//! last checkpoint up and keeping the next one nothing comes between: one lock. A state that
//! cannot be read stops the start; a witness that forgot must not begin again with the same key.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, Path as UrlPath, State},
    http::{HeaderValue, StatusCode, header},
    response::Response,
    routing::{get, post},
};
use lombard_core::proof::{
    checkpoint,
    key::{KeyKind, Keys, SecretKey},
    witness::{AddCheckpoint, Refusal},
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tracing::{error, info, warn};

use crate::ports::Host;

/// The most bytes of a request: a proof of 63 lines and a checkpoint with many signatures.
const REQUEST_BYTES_MAX: usize = 128 * 1024;

/// See the module.
pub struct Witness {
    logs: Keys,
    keys: Vec<SecretKey>,
    file: PathBuf,
    host: Arc<dyn Host>,
    state: Mutex<Known>,
}

/// The last cosigned checkpoint of each log, by its origin, with our cosignatures.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Known(BTreeMap<String, String>);

/// Why a witness does not start.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// The state cannot be read or written.
    #[error("the state file cannot be read or written")]
    File(#[from] io::Error),
    /// The state is not what was written. A witness that has lost it must not go on with its key.
    #[error("the state file is damaged; retire this witness's key rather than begin anew with it")]
    Damaged,
    /// The keys are not a witness's, or there is none.
    #[error("a witness signs with keys of its own kind (type 4)")]
    Keys,
}

impl Witness {
    /// A witness of the logs with these keys, whose state is in `file`. With `new` the file is
    /// made, and must not be there; without, it must be.
    ///
    /// # Errors
    /// See [`WitnessError`].
    pub fn open(
        logs: Keys,
        keys: Vec<SecretKey>,
        file: &Path,
        new: bool,
        host: Arc<dyn Host>,
    ) -> Result<Self, WitnessError> {
        let fits = |key: &SecretKey| key.public().kind() == KeyKind::Witness;
        if keys.is_empty() || !keys.iter().all(fits) {
            return Err(WitnessError::Keys);
        }
        let state = if new {
            fs::File::create_new(file)?;
            Known::default()
        } else {
            read(file, &logs)?
        };
        let witness = Self {
            logs,
            keys,
            file: file.to_owned(),
            host,
            state: Mutex::new(state),
        };
        witness.keep(&witness.state.lock())?;
        Ok(witness)
    }

    /// Cosigns, or says why not.
    ///
    /// # Errors
    /// The status and the body of the answer.
    fn add(&self, body: &[u8]) -> Result<Vec<u8>, (u16, String)> {
        let refused = |refusal: Refusal| {
            let size = match refusal {
                Refusal::Conflict(size) => format!("{size}\n"),
                _ => format!("{refusal}\n"),
            };
            (refusal.status(), size)
        };
        let request = AddCheckpoint::parse(body).map_err(refused)?;
        let origin = request.origin().map_err(refused)?;
        let mut state = self.state.lock();
        let known = state.0.get(&origin).and_then(|note| {
            // The state was checked when it was read and is ours since.
            checkpoint::peek(note.as_bytes()).ok().map(|(_, head)| head)
        });
        let accepted = request.decide(&self.logs, known).map_err(|refusal| {
            if refusal == Refusal::Inconsistent {
                // Proof that the log shows two histories: whoever runs the witness must know.
                warn!(origin, request = %String::from_utf8_lossy(body), "a log is not consistent");
            }
            refused(refusal)
        })?;
        let now = self.host.now().unix_ms() / 1000;
        let signatures: Vec<_> = self
            .keys
            .iter()
            .map(|key| key.sign(&accepted.text, now))
            .collect();
        let (text, mut all) =
            checkpoint::split(&request.checkpoint).map_err(|_| refused(Refusal::Malformed))?;
        all.retain(|known| self.by_log(&origin, known));
        all.extend(signatures.iter().cloned());
        let note = checkpoint::assemble(&text, &all);
        let mut next = state.clone();
        let note = String::from_utf8_lossy(&note).into_owned();
        next.0.insert(accepted.origin, note);
        self.keep(&next).map_err(|why| {
            error!(%why, "the witness cannot keep its state and cosigns nothing");
            (500, "the state cannot be kept\n".to_owned())
        })?;
        *state = next;
        info!(origin, size = accepted.head.size, "cosigned");
        Ok(signatures
            .iter()
            .flat_map(signed_note::Signature::to_bytes)
            .collect())
    }

    fn by_log(&self, origin: &str, signature: &signed_note::Signature) -> bool {
        let of = self.logs.named(origin);
        of.iter()
            .any(|key| key.name() == signature.name() && key.id() == signature.id())
    }

    /// Writes the state, durably, in the place of what was there.
    fn keep(&self, state: &Known) -> io::Result<()> {
        let mut beside = self.file.as_os_str().to_owned();
        beside.push(".new");
        let mut file = fs::File::create(&beside)?;
        file.write_all(&lombard_core::store::encode(state))?;
        file.sync_all()?;
        fs::rename(&beside, &self.file)?;
        let folder = self.file.parent().filter(|it| !it.as_os_str().is_empty());
        fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }

    /// The last checkpoint of the log whose origin has this SHA-256, with our cosignatures.
    fn last(&self, origin_hash: &str) -> Option<String> {
        let state = self.state.lock();
        let hash = |origin: &str| {
            let digest = Sha256::digest(origin.as_bytes());
            digest
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        };
        let mut all = state.0.iter();
        all.find(|(origin, _)| hash(origin) == origin_hash)
            .map(|(_, note)| note.clone())
    }
}

fn read(file: &Path, logs: &Keys) -> Result<Known, WitnessError> {
    let state: Known =
        serde_json::from_slice(&fs::read(file)?).map_err(|_| WitnessError::Damaged)?;
    for (origin, note) in &state.0 {
        let keys = logs.named(origin);
        // A log that is no longer watched is kept: it may be watched again.
        if !keys.is_empty() && checkpoint::open(note.as_bytes(), &keys).is_err() {
            return Err(WitnessError::Damaged);
        }
    }
    Ok(state)
}

/// The two calls of a witness.
pub fn router(witness: Arc<Witness>) -> Router {
    Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .route("/{origin_hash}/checkpoint", get(last_checkpoint))
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .with_state(witness)
}

async fn add_checkpoint(State(witness): State<Arc<Witness>>, body: Bytes) -> Response {
    // The state is written to disk, which is no work for a thread that serves others.
    let answered = tokio::task::spawn_blocking(move || witness.add(&body)).await;
    match answered {
        Ok(Ok(signatures)) => answer(200, "text/plain; charset=utf-8", signatures.into()),
        Ok(Err((409, size))) => answer(409, "text/x.tlog.size", size.into()),
        Ok(Err((status, why))) => answer(status, "text/plain; charset=utf-8", why.into()),
        Err(error) => {
            error!(%error, "a request ended in a panic");
            answer(500, "text/plain; charset=utf-8", Bytes::new())
        }
    }
}

async fn last_checkpoint(
    State(witness): State<Arc<Witness>>,
    UrlPath(origin_hash): UrlPath<String>,
) -> Response {
    const KIND: &str = "text/plain; charset=utf-8";
    match witness.last(&origin_hash) {
        Some(note) => answer(200, KIND, note.into()),
        None => answer(404, KIND, Bytes::new()),
    }
}

fn answer(status: u16, kind: &'static str, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
