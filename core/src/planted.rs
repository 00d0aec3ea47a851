//! Bugs on purpose, for the simulation to find: what it misses here it would miss elsewhere.
//!
//! A place that can be broken asks `planted!(Name)`. Without the feature `planted`, which only the
//! simulation's own tool switches on, that is the word `false` and nothing of this module exists.
//! With it one bug at a time can be chosen for each thread.

#[cfg(feature = "planted")]
mod choice {
    use std::cell::Cell;

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
    }

    thread_local! {
        static CHOSEN: Cell<Option<Bug>> = const { Cell::new(None) };
    }

    /// Chooses the bug of this thread, or none.
    pub fn plant(bug: Option<Bug>) {
        CHOSEN.with(|chosen| chosen.set(bug));
    }

    /// Whether a bug is chosen on this thread.
    #[must_use]
    pub fn is(bug: Bug) -> bool {
        CHOSEN.with(|chosen| chosen.get() == Some(bug))
    }
}

#[cfg(feature = "planted")]
pub use choice::{Bug, is, plant};

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
