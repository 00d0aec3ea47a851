//! Asks witnesses to cosign a checkpoint (the client's side of C2SP tlog-witness).

use std::{collections::BTreeMap, time::Duration};

use lombard_core::proof::{
    checkpoint,
    key::{Keys, PublicKey},
    policy::PolicyWitness,
    tree::Head,
    witness::AddCheckpoint,
};
use parking_lot::Mutex;
use reqwest::{Client, StatusCode, redirect};
use signed_note::{Note, Signature};
use tracing::warn;

use super::log::Log;
use crate::rails::gateway::use_ring;

/// How long a witness may take. A checkpoint waits for its witnesses, and transactions for their
/// checkpoint.
const TIMEOUT: Duration = Duration::from_millis(1_500);
/// The most bytes of an answer that are read; a cosignature has some 150.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
/// Asking with the size of the last time, and once more with the size that the witness told.
const TRIES: usize = 2;

/// The witnesses of a policy that can be asked.
pub struct Witnesses {
    /// None while there is nobody to ask: a client reads certificates and keeps threads.
    http: Option<Client>,
    witnesses: Vec<(PolicyWitness, String)>,
    /// The size that each has cosigned last, as far as we know.
    known: Mutex<BTreeMap<String, u64>>,
}

impl Witnesses {
    /// Those of `witnesses` that have a URL.
    ///
    /// # Errors
    /// When no HTTP client can be made on this system.
    pub fn new(witnesses: &[PolicyWitness]) -> Result<Self, reqwest::Error> {
        let with_url = witnesses.iter().filter_map(|witness| {
            let url = witness.url.as_deref()?.trim_end_matches('/');
            Some((witness.clone(), format!("{url}/add-checkpoint")))
        });
        let witnesses: Vec<_> = with_url.collect();
        let http = if witnesses.is_empty() {
            None
        } else {
            use_ring();
            let client = Client::builder().timeout(TIMEOUT);
            Some(client.redirect(redirect::Policy::none()).build()?)
        };
        Ok(Self {
            http,
            witnesses,
            known: Mutex::default(),
        })
    }

    /// Asks all of them at once; what they gave within the time.
    pub async fn cosign(&self, log: &Log, head: &Head, signed: &[u8]) -> Vec<Signature> {
        let asked = self.witnesses.iter().map(|(witness, url)| async move {
            let answer = self.ask(log, head, signed, witness, url);
            match tokio::time::timeout(TIMEOUT, answer).await {
                Ok(Ok(signatures)) => signatures,
                Ok(Err(why)) => {
                    warn!(witness = witness.name, why, "a witness did not cosign");
                    Vec::new()
                }
                Err(_) => {
                    warn!(witness = witness.name, "a witness did not answer in time");
                    Vec::new()
                }
            }
        });
        futures_util::future::join_all(asked).await.concat()
    }

    async fn ask(
        &self,
        log: &Log,
        head: &Head,
        signed: &[u8],
        witness: &PolicyWitness,
        url: &str,
    ) -> Result<Vec<Signature>, String> {
        let Some(http) = &self.http else {
            return Ok(Vec::new());
        };
        for _ in 0..TRIES {
            let old_size = self.known.lock().get(&witness.name).copied().unwrap_or(0);
            let old_size = old_size.min(head.size);
            let proof = match old_size {
                0 => Vec::new(),
                size => log
                    .consistency(head, size)
                    .await
                    .map_err(|error| error.to_string())?,
            };
            let request = AddCheckpoint {
                old_size,
                proof,
                checkpoint: signed.to_vec(),
            };
            let sent = http.post(url).body(request.to_bytes()).send();
            let mut answer = sent
                .await
                .map_err(|error| error.without_url().to_string())?;
            let status = answer.status();
            let mut body = Vec::new();
            while let Some(part) = answer.chunk().await.map_err(|error| error.to_string())? {
                body.extend_from_slice(&part);
                if body.len() > ANSWER_BYTES_MAX {
                    return Err("the answer is too long".to_owned());
                }
            }
            match status {
                StatusCode::OK => {
                    let signatures = verified(&body, signed, &witness.key)?;
                    self.known.lock().insert(witness.name.clone(), head.size);
                    return Ok(signatures);
                }
                StatusCode::CONFLICT => {
                    let text = String::from_utf8_lossy(&body);
                    let size = text.trim_end().parse();
                    let size: u64 = size.map_err(|_| "a conflict without a size".to_owned())?;
                    if size > head.size {
                        return Err(format!(
                            "the witness knows {size} leaves, we have {}",
                            head.size
                        ));
                    }
                    self.known.lock().insert(witness.name.clone(), size);
                }
                other => return Err(format!("it answers {other}")),
            }
        }
        Err("the witness keeps knowing another size".to_owned())
    }
}

/// The signatures of an answer that this witness made on this checkpoint.
fn verified(body: &[u8], signed: &[u8], key: &PublicKey) -> Result<Vec<Signature>, String> {
    let (text, _) = checkpoint::split(signed).map_err(|error| error.to_string())?;
    let mut note = text;
    note.push(b'\n');
    note.extend_from_slice(body);
    let keys = Keys::new([key.clone()]);
    let (verified, _) = Note::from_bytes(&note)
        .and_then(|note| note.verify(&keys))
        .map_err(|error| error.to_string())?;
    Ok(verified)
}
