//! The way back over a commit, from what is stored.

use lombard_core::{event::Event, id::Id, payment::Payment};

use super::{Context, TRACER};

/// To which trace work belongs that goes on after a commit, and what it follows from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hop {
    pub(super) trace: Option<u128>,
    pub(super) parent: Option<u64>,
    pub(super) link: Option<Context>,
}

impl Hop {
    /// From a payment, whatever became of it since.
    #[must_use]
    pub fn of_payment(payment: &Payment) -> Self {
        Self::of(payment.trace.as_deref(), payment)
    }

    /// From a piece of news about a payment.
    #[must_use]
    pub fn of_event(event: &Event, payment: &Payment) -> Self {
        Self::of(event.trace.as_deref(), payment)
    }

    fn of(trace: Option<&str>, payment: &Payment) -> Self {
        if TRACER.get().is_none() {
            return Self::default();
        }
        let span = span_of(payment.id);
        let made = Self::trace_of(payment.trace.as_deref());
        let made = made.map(|trace| Context { trace, span });
        Self::back(Self::trace_of(trace), made)
    }

    /// From news that came under `trace`, to where the payment was made.
    fn back(trace: Option<u128>, made: Option<Context>) -> Self {
        match (trace, made) {
            (Some(trace), Some(made)) if trace == made.trace => Self {
                trace: Some(trace),
                parent: Some(made.span),
                link: None,
            },
            (Some(trace), made) => Self {
                trace: Some(trace),
                parent: None,
                link: made,
            },
            // News without a trace, as a timer's, goes on in the payment's.
            (None, made) => Self {
                trace: made.map(|made| made.trace),
                parent: made.map(|made| made.span),
                link: None,
            },
        }
    }

    /// A stored trace id. Rails bring ids of their own making: what is none is no trace.
    pub(super) fn trace_of(text: Option<&str>) -> Option<u128> {
        let text = text.filter(|text| text.len() == 32)?;
        let trace = u128::from_str_radix(text, 16).ok()?;
        (trace != 0).then_some(trace)
    }
}

/// The span in which a payment was made: see the module on hops.
pub(super) fn span_of(payment: Id<Payment>) -> u64 {
    (payment.bits() as u64).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_in_the_same_trace_is_a_child_and_in_another_is_linked() {
        let made = Context { trace: 7, span: 3 };
        let hop = |trace, parent, link| Hop {
            trace,
            parent,
            link,
        };
        assert_eq!(Hop::back(Some(7), Some(made)), hop(Some(7), Some(3), None));
        assert_eq!(
            Hop::back(Some(8), Some(made)),
            hop(Some(8), None, Some(made))
        );
        assert_eq!(Hop::back(None, Some(made)), hop(Some(7), Some(3), None));
        assert_eq!(Hop::back(Some(8), None), hop(Some(8), None, None));
        assert_eq!(Hop::back(None, None), Hop::default());
    }

    #[test]
    fn only_a_trace_id_is_one() {
        let of = |text: &str| Hop::trace_of(Some(text));
        assert_eq!(of("0000000000000000000000000000000a"), Some(10));
        assert_eq!(of("00000000000000000000000000000000"), None);
        assert_eq!(of("a"), None);
        assert_eq!(of("not a trace id, but of its length"), None);
    }
}
