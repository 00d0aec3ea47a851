//! What a running installation says of itself, over its API. A part that the key may not read, or that is
//! not switched on, is kept as the reason.

use serde::Serialize;
use serde_json::Value;

use crate::{
    client::Remote,
    exit::{Exit, Failure},
};

/// The most deeds that are read: the newest.
const DEEDS_MAX: usize = 10_000;
/// The most deeds that a proof is fetched for: the newest readings in clear.
const PROOFS_MAX: usize = 100;
/// What is on record when something is read back in clear.
const READ_BACK: &str = "token.detokenize";

/// What there is of one thing, or why it could not be read.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Part {
    /// As the API shows it.
    Read(Vec<Value>),
    /// It could not be read.
    Unread {
        /// Why, in the server's words.
        unread: String,
    },
}

/// An installation.
#[derive(Debug, Serialize)]
pub struct Installation {
    /// Who may call, as what: API keys, the ended ones too.
    pub access: Part,
    /// Machines that may pay, and how much.
    pub mandates: Part,
    /// Key-encryption keys, never the keys themselves.
    pub keys: Part,
    /// How often keys were exchanged.
    pub rotations: Part,
    /// What was read back in clear, newest first; the first hundred with their proofs.
    pub read_back: Part,
    /// Wishes to be forgotten: carried out, or deferred by a retention and why.
    pub erasures: Part,
    /// The verifiable log: its name, keys and checkpoint.
    pub log: Part,
}

impl Installation {
    /// Its parts by name.
    pub fn parts(&self) -> [(&'static str, &Part); 7] {
        [
            ("Access", &self.access),
            ("Mandates", &self.mandates),
            ("Key-encryption keys", &self.keys),
            ("Exchanges of keys", &self.rotations),
            ("Read back in clear", &self.read_back),
            ("Erasures", &self.erasures),
            ("Verifiable log", &self.log),
        ]
    }

    /// What could not be read, and why.
    pub fn unread(&self) -> Vec<String> {
        let parts = self.parts().into_iter();
        let unread = parts.filter_map(|(name, part)| match part {
            Part::Read(_) => None,
            Part::Unread { unread } => Some(format!("{name}: {unread}")),
        });
        unread.collect()
    }
}

/// Asks for everything.
///
/// # Errors
/// [`Exit::Unreachable`] when nobody answers.
pub async fn from(remote: &Remote) -> Result<Installation, Failure> {
    let deeds = all(remote, "/v1/audit").await?;
    Ok(Installation {
        access: all(remote, "/v1/api_keys").await?,
        mandates: all(remote, "/v1/mandates").await?,
        keys: all(remote, "/v1/vault/keys").await?,
        rotations: all(remote, "/v1/vault/rotations").await?,
        read_back: proved(remote, deeds_of(&deeds, READ_BACK)).await?,
        erasures: deeds_of(&deeds, "subject."),
        log: read(remote.get("/v1/log").await)?.map_or_else(
            |unread| Part::Unread { unread },
            |log| Part::Read(vec![log]),
        ),
    })
}

/// All pages of a list.
async fn all(remote: &Remote, path: &str) -> Result<Part, Failure> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = remote.get(&format!("{path}?limit=100{cursor}")).await;
        let page = match read(page)? {
            Ok(page) => page,
            // A list that is given whole takes no limit.
            Err(_) if cursor.is_empty() && found.is_empty() => {
                match read(remote.get(path).await)? {
                    Ok(page) => page,
                    Err(unread) => return Ok(Part::Unread { unread }),
                }
            }
            Err(unread) => return Ok(Part::Unread { unread }),
        };
        found.extend(page["data"].as_array().cloned().unwrap_or_default());
        match page["next_cursor"].as_str() {
            Some(next) if found.len() < DEEDS_MAX => cursor = format!("&cursor={next}"),
            _ => return Ok(Part::Read(found)),
        }
    }
}

/// An answer, or the server's reason for giving none.
fn read(answer: Result<Value, Failure>) -> Result<Result<Value, String>, Failure> {
    match answer {
        Ok(value) => Ok(Ok(value)),
        Err(failure) if failure.exit == Exit::Refused => Ok(Err(format!("{:#}", failure.error))),
        Err(failure) => Err(failure),
    }
}

/// The deeds whose names begin so.
fn deeds_of(deeds: &Part, what: &str) -> Part {
    match deeds {
        Part::Read(deeds) => {
            let is_meant =
                |deed: &&Value| deed["what"].as_str().is_some_and(|it| it.starts_with(what));
            Part::Read(deeds.iter().filter(is_meant).cloned().collect())
        }
        Part::Unread { unread } => Part::Unread {
            unread: unread.clone(),
        },
    }
}

/// The same deeds, each of the newest with its proof or why there is none yet.
async fn proved(remote: &Remote, deeds: Part) -> Result<Part, Failure> {
    let Part::Read(mut deeds) = deeds else {
        return Ok(deeds);
    };
    for deed in deeds.iter_mut().take(PROOFS_MAX) {
        let id = deed["id"].as_str().unwrap_or_default();
        let proof = read(remote.get(&format!("/v1/audit/{id}/proof")).await)?;
        deed["proof"] = proof.unwrap_or_else(|why| Value::from(format!("none: {why}")));
    }
    Ok(Part::Read(deeds))
}
