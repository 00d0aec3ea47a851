//! The conformance suite proved: the memory store passes it, and with each promise broken it does not.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt;
use lombard_service::{conformance, memory::Memory};

mod flawed;

use flawed::Flawed;

/// Names the flaws once, for the type and for the list of all.
macro_rules! flaws {
    ($($flaw:ident),* $(,)?) => {
        /// One broken promise.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        enum Flaw { $($flaw),* }

        const FLAWS: &[Flaw] = &[$(Flaw::$flaw),*];
    };
}

flaws! {
    IgnoresCheck,
    IgnoresCheckAbsent,
    CreatesOverARecord,
    UpdatesAnyVersion,
    DeletesAnyVersion,
    UpdatesWhatIsAbsent,
    ChecksCountAsWrites,
    WritesAPartOfARefusedSet,
    NamesAnotherKey,
    ForgetsTheLastOfManyWrites,
    ForgetsADelete,
    TakesAnySize,
    ReadsOneByOne,
    AnswersInTheOrderOfKeys,
    AnswersEachKeyOnce,
    CutsBodiesAtAZero,
    ReadsABeatLate,
    RangeRunsIntoTheNextPartition,
    RangeIncludesAfter,
    RangeExcludesUntil,
    RangeIgnoresUntil,
    RangeNeverRunsBackwards,
    RangeIgnoresTheLimit,
    RangeShowsOneTooFew,
    ListsRecordsWithIndexes,
    ListsOnlyTheFirstOrder,
    ListsWhereItWas,
    FeedForgetsACommit,
    FeedTellsTwice,
    FeedTellsChecks,
    FeedTellsRefusedSets,
    FeedForgetsDeletes,
    FeedTellsOnlyTheLastChange,
    FeedShowsThePresent,
    FeedIsReversed,
    FeedRepeatsThePosition,
    FeedStopsAtALargeCommit,
    FeedNeverWaits,
    FeedAlwaysWaits,
}

#[tokio::test]
async fn the_memory_store_conforms() {
    let store = Arc::new(Memory::default());
    conformance::run(store.clone(), "first/").await;
    conformance::run(store, "second/").await;
}

/// Time is paused, so that what waits in vain does so at once.
#[tokio::test(start_paused = true)]
async fn every_broken_promise_is_noticed() {
    let mut unnoticed = Vec::new();
    std::panic::set_hook(Box::new(|_| {})); // Each of these panics is expected.
    for &flaw in FLAWS {
        let suite = conformance::run(Arc::new(Flawed::new(flaw)), "");
        if AssertUnwindSafe(suite).catch_unwind().await.is_ok() {
            unnoticed.push(flaw);
        }
    }
    let _ = std::panic::take_hook();
    assert!(
        unnoticed.is_empty(),
        "the suite passes stores with {unnoticed:?}"
    );
}
