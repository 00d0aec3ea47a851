//! Bugs on purpose, for the simulation to find: what it misses here it would miss elsewhere.
//!
//! A place that can be broken asks `planted!(Name)`. Without the feature `planted`, which only the
//! simulation's own tool switches on, that is the word `false` and nothing of this module exists.
//! With it one bug at a time can be chosen for each thread.

#[cfg(feature = "planted")]
mod choice {
    use std::{
        cell::Cell,
        sync::atomic::{AtomicUsize, Ordering},
    };

    /// Declares the bugs with what each does wrong.
    macro_rules! bugs {
        ($($name:ident, $what:literal;)*) => {
            /// A bug on purpose.
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub enum Bug {
                $(#[doc = $what] $name,)*
            }

            impl Bug {
                /// All of them.
                pub const ALL: &[Self] = &[$(Self::$name),*];

                /// What it does wrong, in a sentence.
                #[must_use]
                pub const fn what(self) -> &'static str {
                    match self { $(Self::$name => $what),* }
                }
            }
        };
    }

    bugs! {
        GuardLost, "An account is written whatever became of it since it was read.";
        UnknownIsDone, "A commit whose answer was lost counts as done.";
        FundsSkipped, "Nobody looks whether the money is there.";
        SubmitDropped, "The order to submit a payment is not written.";
        HoldKept, "A rejection does not release the hold.";
        HoldReleasedOnTimeout, "Silence of the rail releases the hold.";
        RefundTwice, "A return counts twice on its original.";
        ReturnBeyondRest, "More can be returned than is left.";
        ReturningForgotten, "What is on its way back is not kept on the original.";
        OutcomeForgotten, "The answer under an idempotency key is not kept.";
        FingerprintIgnored, "Another request under a known key gets the known answer.";
        ReplayDiffers, "A repeated answer has another status.";
        FreshAttempt, "A retry goes to the rail under a new id.";
        CursorAhead, "A consumer's cursor passes work that is not done.";
        NeverWoken, "Nobody looks after payments that wait for money.";
        RollupStands, "The roll-up does not note how far it came.";
        RollupSkips, "The roll-up notes more than it counted.";
        TimerLost, "An enquiry's timer goes without setting the next.";
        ExpiryLost, "A hold gets no timer.";
        TimeoutFails, "Silence of the rail fails the payment.";
        CancelInFlight, "A payment can be cancelled after it has left.";
        LateNoIgnored, "A no after the yes is not heard.";
        LateNoFails, "A no after the yes fails the payment instead of reversing it.";
        InboundTwice, "The same credit twice is paid twice.";
        LegDropped, "A transaction loses a leg.";
        EventReused, "An event takes the number of the one before.";
        HoldEndsTwice, "A hold that has ended can be posted.";
        PartReleased, "Posting a part of a hold releases that part alone.";
        ContradictionSilent, "A contradiction is shown to nobody.";
        UnresolvedSilent, "An outcome that stays unknown is shown to nobody.";
        ExpiredHoldKept, "A hold that expires keeps its money.";
        WaitingMiscounted, "A payment that waits no longer is still counted as waiting.";
        SettledTwice, "A settlement that is found twice is booked twice.";
        CurrencyIgnored, "An account takes legs of another currency.";
        ClosedIgnored, "A closed account takes part in payments.";
        PostedElsewhere, "What a rail was promised is posted to suspense.";
        ListForgotten, "A payment is in no list.";
        RefusalUnsaid, "The refusal of a recall is not sent.";
        ChecksDropped, "What was only looked at may have changed by the time of the commit.";
        TimersEarly, "Timers are fired before their time.";
        ExceptionLost, "An exception is not stored.";
        UnknownFails, "A payment that the rail has never heard of is failed.";
        LeafSkipped, "A transaction is left out of the verifiable log.";
        LeafTwice, "The sequencer forgets how far it came.";
        StagedForgotten, "What was staged before a crash is not published after it.";
        HeadEarly, "A head is announced before its files are there.";
        WebhookMissigned, "A webhook's signature leaves its time out.";
        WebhookChanges, "A webhook's body tells of the payment as it is now.";
        WebhookCursorAhead, "An event counts as told although its delivery is not stored.";
        WebhookTaken, "A webhook that was not taken counts as taken.";
        AuditUnwritten, "What an operator does leaves no record.";
        AuditUnlogged, "The record of what an operator did is no leaf.";
        CountedTwice, "Two runners count the same payments of a file.";
        TornAccepted, "A frame of the store's log is believed without its checksum.";
        SyncSkipped, "A group is answered before it is on the disk.";
        IndexForgets, "The index leaves a list out.";
        GroupForgets, "A transaction does not see the one before it in its group.";
    }

    thread_local! {
        static CHOSEN: Cell<Option<Bug>> = const { Cell::new(None) };
    }

    /// Chooses the bug of this thread, or none.
    pub fn plant(bug: Option<Bug>) {
        CHOSEN.with(|chosen| chosen.set(bug));
    }

    /// One more than the place of the bug of all threads; 0 for none.
    static EVERYWHERE: AtomicUsize = AtomicUsize::new(0);

    /// Chooses the bug of every thread, or none: for code that has threads of its own.
    pub fn plant_everywhere(bug: Option<Bug>) {
        EVERYWHERE.store(bug.map_or(0, |bug| bug as usize + 1), Ordering::SeqCst);
    }

    /// Whether a bug is chosen on this thread.
    #[must_use]
    pub fn is(bug: Bug) -> bool {
        CHOSEN.with(|chosen| chosen.get() == Some(bug))
            || EVERYWHERE.load(Ordering::Relaxed) == bug as usize + 1
    }
}

#[cfg(feature = "planted")]
pub use choice::{Bug, is, plant, plant_everywhere};

/// Whether a bug on purpose is switched on; see [`crate::planted`].
#[cfg(feature = "planted")]
#[macro_export]
macro_rules! planted {
    ($bug:ident) => {
        $crate::planted::is($crate::planted::Bug::$bug)
    };
}

/// Whether a bug on purpose is switched on: never, in a build without them.
#[cfg(not(feature = "planted"))]
#[macro_export]
macro_rules! planted {
    ($bug:ident) => {
        false
    };
}
