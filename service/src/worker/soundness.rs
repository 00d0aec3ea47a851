//! Tells of a store that found itself damaged: a person must put back what a disk has lost.

use std::sync::Arc;

use tokio::sync::watch;
use tracing::warn;

use super::feed::rest;
use crate::{
    app::App,
    exceptions::{self, Kind, Trouble},
    ports::Store,
};

/// Between two questions, in milliseconds.
const PAUSE_MS: u64 = 2_000;

/// Asks `store`, which has this name, until it is damaged and the exception is stored, or `stop`
/// turns true. One exception is enough: until the store is mended there may be much more.
pub async fn run(app: App, store: Arc<dyn Store>, name: &str, mut stop: watch::Receiver<bool>) {
    while !rest(&mut stop, PAUSE_MS).await {
        let Some(reason) = store.damaged() else {
            continue;
        };
        let trouble = Trouble::new(exceptions::operator(), Kind::StoreDamaged, name, &reason);
        match exceptions::raise(&app, trouble).await {
            Ok(_) => return,
            Err(error) => warn!(%error, "the exception cannot be stored yet"),
        }
    }
}
