//! Bodies that were not read to their end.
//!
//! A request is often refused by its head alone: no key, no such route. Its body still comes, and
//! the connection can take a next request only after it. So what is little and comes soon is read
//! and dropped; otherwise the answer says that the connection ends with it, so that its peer does
//! not send a next request into a closed socket.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use hyper::{
    HeaderMap,
    body::{Body, Bytes, Frame, Incoming, SizeHint},
    header::{CONNECTION, EXPECT, HeaderValue},
};
use parking_lot::Mutex;

/// How long an answer waits for the rest of its request's body.
const PATIENCE: Duration = Duration::from_millis(250);

/// A body, as the handler of its request reads it.
pub struct Lent(Arc<Mutex<Incoming>>);

/// The same body, for the connection that it came on.
pub struct Unread {
    body: Arc<Mutex<Incoming>>,
    /// The peer holds the body back until it is asked for, so nothing is under way.
    held_back: bool,
}

/// Lends a body out. `None` where there is none.
pub fn lend(headers: &HeaderMap, body: Incoming) -> (Lent, Option<Unread>) {
    let is_there = !body.is_end_stream();
    let body = Arc::new(Mutex::new(body));
    let unread = is_there.then(|| Unread {
        body: body.clone(),
        held_back: headers.contains_key(EXPECT),
    });
    (Lent(body), unread)
}

impl Body for Lent {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut *self.0.lock()).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.lock().is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.lock().size_hint()
    }
}

impl Unread {
    /// Reads what the handler left, or has the answer end the connection.
    pub async fn settle(self, bytes_max: usize, answer: &mut HeaderMap) {
        let read = tokio::time::timeout(PATIENCE, self.read(bytes_max));
        if !read.await.unwrap_or(false) {
            answer.insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }

    /// Reads on to the end. Whether it came to it.
    async fn read(self, bytes_max: usize) -> bool {
        let mut room = bytes_max as u64;
        loop {
            {
                let body = self.body.lock();
                if body.is_end_stream() {
                    return true;
                }
                if self.held_back || body.size_hint().lower() > room {
                    return false;
                }
            }
            match poll_fn(|cx| Pin::new(&mut *self.body.lock()).poll_frame(cx)).await {
                None => return true,
                Some(Err(_)) => return false,
                Some(Ok(frame)) => {
                    let read = frame.data_ref().map_or(0, |data| data.len() as u64);
                    let Some(rest) = room.checked_sub(read) else {
                        return false;
                    };
                    room = rest;
                }
            }
        }
    }
}
