//! A file on its way to the server: streamed, with a bar, under the hash of its contents.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::{Path, PathBuf},
};

use futures_util::stream;
use lombard_service::batch::record::Format;
use reqwest::{Body, Method, header::CONTENT_TYPE};
use ring::digest::{Context, SHA256};
use serde_json::Value;
use tokio::io::AsyncReadExt;

use crate::{
    client::Remote,
    exit::{Exit, Failure, OrExit, failure},
    inspect::kind::{self, Kind},
    say,
};

const PIECE_BYTES: usize = 256 * 1024;

/// A file that can be sent, more than once if need be.
pub struct Upload {
    path: PathBuf,
    media_type: &'static str,
    key: String,
}

/// What the server said.
pub struct Sent {
    /// The batch.
    pub batch: Value,
    /// Whether the server had taken the file before.
    pub replayed: bool,
}

impl Upload {
    /// Looks at the file: what it is, how long, and its hash.
    ///
    /// # Errors
    /// When it cannot be read, or is of no kind that can be paid.
    pub async fn of(path: &Path, key: Option<&str>) -> Result<Self, Failure> {
        let shown = path.display().to_string();
        let file = File::open(path).or_exit(Exit::Usage, &shown)?;
        let mut reader = BufReader::with_capacity(PIECE_BYTES, file);
        let kind = kind::of(&mut reader).or_exit(Exit::Usage, &shown)?;
        let media_type = match (kind, kind.payments()) {
            (Kind::Xml, _) | (_, Some(Format::Pain001)) => "application/xml",
            (_, Some(Format::Csv)) => "text/csv",
            (_, Some(Format::JsonLines)) => "application/x-ndjson",
            (Kind::Known(_) | Kind::Unknown, None) => {
                let what = format!("{shown}: neither pain.001 nor CSV nor JSON Lines");
                return Err(failure(Exit::Usage, what));
            }
        };
        let key = match key {
            Some(key) => key.to_owned(),
            None => format!("file-{}", hash(reader).or_exit(Exit::Usage, &shown)?),
        };
        let path = path.to_owned();
        Ok(Self {
            path,
            media_type,
            key,
        })
    }

    /// Sends it.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses the file.
    pub async fn send(&self, remote: &Remote) -> Result<Sent, Failure> {
        let request = remote
            .request(Method::POST, "/v1/batches")
            .header(CONTENT_TYPE, self.media_type)
            .header("idempotency-key", &self.key)
            .body(streamed(&self.path).await?);
        let (batch, headers) = remote.send_with_headers(request).await?;
        let replayed = headers
            .get("idempotency-replayed")
            .is_some_and(|value| value == "true");
        Ok(Sent { batch, replayed })
    }
}

/// A file as a body, piece by piece, with a bar.
///
/// # Errors
/// When it cannot be opened.
pub async fn streamed(path: &Path) -> Result<Body, Failure> {
    let file = tokio::fs::File::open(path).await;
    let file = file.or_exit(Exit::Usage, path.display())?;
    let length = file.metadata().await.or_exit(Exit::Usage, path.display())?;
    let bar = say::progress(Some(length.len()), &format!("sending {}", path.display()));
    let pieces = stream::try_unfold((file, bar), |(mut file, bar)| async move {
        let mut piece = vec![0; PIECE_BYTES];
        let read = file.read(&mut piece).await?;
        piece.truncate(read);
        bar.inc(read as u64);
        let more = (read > 0).then_some((piece, (file, bar)));
        Ok::<_, std::io::Error>(more)
    });
    Ok(Body::wrap_stream(pieces))
}

/// SHA-256 in hexadecimal.
fn hash(mut reader: impl Read) -> std::io::Result<String> {
    let mut context = Context::new(&SHA256);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match reader.read(&mut piece)? {
            0 => break,
            read => context.update(&piece[..read]),
        }
    }
    let digest = context.finish();
    Ok(digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}
