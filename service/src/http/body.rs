//! Bodies that are taken whole: each bounded in size and in time, and all together in memory.
//!
//! What counts is what has arrived, not what is announced, so nobody takes room by announcing.

use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, header},
};
use http_body_util::BodyExt;

use super::{ErrorCode, Problem};

/// The most bytes of bodies in memory at once: tens of thousands of payments, or five hundred
/// bodies of the largest size that is taken by default.
const ROOM_BYTES: usize = 32 * 1024 * 1024;

/// The room that the bodies of all requests share. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Room(Arc<AtomicUsize>);

/// A part of the room, until it is dropped.
#[derive(Debug)]
struct Taken {
    room: Room,
    bytes: usize,
}

/// What one body may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes.
    pub bytes: usize,
    /// From the head of the request to the end of the body.
    pub time: Duration,
}

/// A body that has arrived whole.
#[derive(Debug)]
pub struct Whole {
    bytes: Bytes,
    _taken: Taken,
}

impl Deref for Whole {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Refuses a body that is compressed: its size would say nothing about what it becomes.
///
/// # Errors
/// `media_type_unsupported`.
pub fn refuse_encoded(headers: &HeaderMap) -> Result<(), Problem> {
    match headers.get(header::CONTENT_ENCODING) {
        Some(encoding) if !encoding.as_bytes().eq_ignore_ascii_case(b"identity") => {
            let detail = "bodies are taken as they are, without `Content-Encoding`";
            Err(Problem::saying(
                ErrorCode::MediaTypeUnsupported,
                detail.into(),
            ))
        }
        _ => Ok(()),
    }
}

/// Why a body was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is larger than so many bytes.
    TooLarge(usize),
    /// It was not there in time.
    TooSlow,
    /// The connection ended within it.
    BrokeOff,
    /// There is no room for it among those of others.
    Crowded,
}

impl Room {
    /// Takes a body in. `announced` is its length as the request's head has it.
    ///
    /// # Errors
    /// See [`Refused`].
    pub async fn take(
        &self,
        body: Body,
        announced: Option<u64>,
        limits: Limits,
    ) -> Result<Whole, Refused> {
        if announced.is_some_and(|length| length > limits.bytes as u64) {
            return Err(Refused::TooLarge(limits.bytes));
        }
        let arriving = tokio::time::timeout(limits.time, self.collect(body, limits.bytes));
        arriving.await.unwrap_or(Err(Refused::TooSlow))
    }

    async fn collect(&self, mut body: Body, max: usize) -> Result<Whole, Refused> {
        let mut taken = Taken {
            room: self.clone(),
            bytes: 0,
        };
        // Most bodies come in one piece, which is then not copied.
        let mut only = Bytes::new();
        let mut pieces = Vec::new();
        while let Some(frame) = body.frame().await {
            let Ok(piece) = frame.map_err(|_| Refused::BrokeOff)?.into_data() else {
                continue;
            };
            if taken.bytes + piece.len() > max {
                return Err(Refused::TooLarge(max));
            }
            taken.grow(piece.len(), ROOM_BYTES.max(max))?;
            if only.is_empty() && pieces.is_empty() {
                only = piece;
                continue;
            }
            if !only.is_empty() {
                pieces.extend_from_slice(&std::mem::take(&mut only));
            }
            pieces.extend_from_slice(&piece);
        }
        let bytes = if pieces.is_empty() {
            only
        } else {
            pieces.into()
        };
        Ok(Whole {
            bytes,
            _taken: taken,
        })
    }
}

impl Taken {
    fn grow(&mut self, bytes: usize, most: usize) -> Result<(), Refused> {
        let before = self.room.0.fetch_add(bytes, Relaxed);
        self.bytes += bytes;
        // What was added is given back when this is dropped, as it is when it was too much.
        if before + bytes > most {
            return Err(Refused::Crowded);
        }
        Ok(())
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.room.0.fetch_sub(self.bytes, Relaxed);
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::TooLarge(max) => {
                let detail = format!("a body is at most {max} bytes");
                Self::saying(ErrorCode::BodyTooLarge, detail.into())
            }
            Refused::TooSlow => Self::new(ErrorCode::RequestTimeout),
            Refused::BrokeOff => Self::saying(ErrorCode::InvalidJson, "the body broke off".into()),
            Refused::Crowded => Self::new(ErrorCode::Overloaded),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        bytes: 10,
        time: Duration::from_secs(1),
    };

    fn pieces(pieces: &[&'static str]) -> Body {
        let pieces: Vec<_> = pieces
            .iter()
            .map(|it| Ok::<_, std::io::Error>(*it))
            .collect();
        Body::from_stream(futures_util::stream::iter(pieces))
    }

    #[tokio::test]
    async fn pieces_become_a_whole_within_the_limit() {
        let room = Room::default();
        for (given, whole) in [
            (&[] as &[&'static str], ""),
            (&["one"], "one"),
            (&["one", "two", "3"], "onetwo3"),
            (&["", "one", "", "two"], "onetwo"),
        ] {
            let taken = room.take(pieces(given), None, LIMITS).await.unwrap();
            assert_eq!(&*taken, whole.as_bytes());
            assert_eq!(room.0.load(Relaxed), whole.len());
        }
        assert_eq!(room.0.load(Relaxed), 0, "given back");
        for (given, announced) in [(&["12345", "678901"] as &[_], None), (&[], Some(11))] {
            let refused = room.take(pieces(given), announced, LIMITS).await;
            assert_eq!(refused.unwrap_err(), Refused::TooLarge(10));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_room_refuses_and_a_slow_body_gives_its_room_back() {
        let room = Room::default();
        let slow = futures_util::StreamExt::chain(
            futures_util::stream::iter([Ok::<_, std::io::Error>("12345")]),
            futures_util::stream::pending(),
        );
        let slow = room.take(Body::from_stream(slow), None, LIMITS);
        room.0.fetch_add(ROOM_BYTES - 5, Relaxed);
        let other = async {
            tokio::time::sleep(LIMITS.time / 2).await;
            room.take(pieces(&["1"]), None, LIMITS).await
        };
        let (slow, other) = tokio::join!(slow, other);
        assert_eq!(slow.unwrap_err(), Refused::TooSlow);
        assert_eq!(other.unwrap_err(), Refused::Crowded);
        assert!(room.take(pieces(&["1"]), None, LIMITS).await.is_ok());
    }
}
