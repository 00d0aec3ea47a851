//! The log as a process sees it that shows it and does not make it grow, such as a function on AWS: what
//! is published is looked up when it is asked for, because nobody here hears of it.
//!
//! **Invariants.** A checkpoint is believed only when the log's own key has signed it. Of two looks at once
//! the one that saw more stays.

use futures_util::future::try_join_all;
use lombard_core::proof::{checkpoint, key::Keys, tile::WIDTH};

use super::{
    index::{self, Spans},
    log::{CHECKPOINT, Log, Published},
    reader::ReadLogError,
};

impl Log {
    /// Looks up what is published, if another process makes the log grow.
    ///
    /// # Errors
    /// See [`ReadLogError`].
    pub async fn look(&self) -> Result<(), ReadLogError> {
        if !self.settings.followed {
            return Ok(());
        }
        let Some(bytes) = self.blobs.get(CHECKPOINT).await? else {
            return Ok(());
        };
        let known = self.published();
        if known.as_ref().is_some_and(|known| known.bytes == bytes) {
            return Ok(());
        }
        let policy = self.settings.policy.as_ref();
        let witnesses = policy.into_iter().flat_map(|it| it.witness_keys().cloned());
        let keys = Keys::new(self.keys.public().into_iter().chain(witnesses));
        let opened = checkpoint::open(&bytes, &keys)
            .map_err(|error| ReadLogError::Damaged(error.to_string()))?;
        if known.is_some_and(|known| known.head.size > opened.head.size) {
            return Ok(());
        }
        self.look_at_spans(opened.head.size).await?;
        self.swapped.send_replace(Some(opened.head));
        self.show(Published {
            head: opened.head,
            bytes,
            quorum: policy.is_none_or(|policy| policy.is_met_by(&opened.signed_by)),
        });
        Ok(())
    }

    /// Reads the files of the index that may have grown: those before them are whole.
    async fn look_at_spans(&self, size: u64) -> Result<(), ReadLogError> {
        let kept = self.spans.read().len() as u64 / WIDTH;
        let files = size.div_ceil(WIDTH).div_ceil(WIDTH);
        let names = (kept..files).map(|n| index::name(n as usize));
        let reading = names.map(|name| async move { self.blobs.get(&name).await });
        let found = try_join_all(reading).await?;
        let mut more = Spans::default();
        for bytes in &found {
            let whole = bytes.as_ref().is_some_and(|bytes| more.load(bytes));
            if !whole {
                return Err(ReadLogError::Damaged("its index is missing".to_owned()));
            }
        }
        self.spans.write().go_on(kept * WIDTH, more);
        Ok(())
    }
}
