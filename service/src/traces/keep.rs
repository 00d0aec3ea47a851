//! Which traces are kept: decided when most of a trace is there, so that what failed or was slow is
//! kept whole and not by luck.
//!
//! **Shape.** Spans gather by trace for [`GATHER`] after the first of them. Then the trace is kept
//! if one of them failed or was slow, if the caller asked for it, or if it is among the one in `n`;
//! the last follows from the trace id, so that every process and every later span decides alike.
//! Spans that come later, as a webhook's retry after an hour, follow what was decided as long as it
//! is remembered, and are judged by themselves beyond that.
//!
//! **Bounds.** At most [`GATHERED_MAX`] spans gather; beyond, the oldest trace is decided early. At most
//! [`REMEMBERED_MAX`] decisions against the draw are remembered.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    time::{Duration, Instant},
};

use super::span::Ended;

/// How long a trace gathers.
pub(super) const GATHER: Duration = Duration::from_secs(5);
/// Spans that gather at once.
const GATHERED_MAX: usize = 100_000;
/// Traces that were kept against the draw and are known to have been.
const REMEMBERED_MAX: usize = 10_000;

/// See the module.
#[derive(Debug)]
pub(super) struct Keep {
    one_in: u32,
    slow: Duration,
    /// By trace, with the key of its place in `order`.
    gathering: HashMap<u128, (u64, Vec<Ended>)>,
    /// Traces in the order in which they are decided.
    order: BTreeMap<u64, (Instant, u128)>,
    next: u64,
    spans: usize,
    remembered: HashSet<u128>,
    oldest: VecDeque<u128>,
}

impl Keep {
    /// Keeps one trace in `one_in`, none if it is 0, and those in which something took `slow`.
    pub fn new(one_in: u32, slow: Duration) -> Self {
        Self {
            one_in,
            slow,
            gathering: HashMap::new(),
            order: BTreeMap::new(),
            next: 0,
            spans: 0,
            remembered: HashSet::new(),
            oldest: VecDeque::new(),
        }
    }

    /// Takes a span in.
    pub fn take(&mut self, span: Ended, now: Instant) {
        let trace = span.at.trace;
        let (_, spans) = self.gathering.entry(trace).or_insert_with(|| {
            self.next += 1;
            self.order.insert(self.next, (now + GATHER, trace));
            (self.next, Vec::with_capacity(8))
        });
        spans.push(span);
        self.spans += 1;
    }

    /// The traces whose time has come, and how many spans are not kept.
    pub fn decide(&mut self, now: Instant) -> (Vec<Ended>, u64) {
        let (mut kept, mut left_out) = (Vec::new(), 0);
        while let Some((place, (due, trace))) = self.order.first_key_value() {
            if *due > now && self.spans <= GATHERED_MAX {
                break;
            }
            let (place, trace) = (*place, *trace);
            self.order.remove(&place);
            let Some((_, spans)) = self.gathering.remove(&trace) else {
                continue;
            };
            self.spans -= spans.len();
            if self.keeps(trace, &spans) {
                kept.extend(spans);
            } else {
                left_out += spans.len() as u64;
            }
        }
        (kept, left_out)
    }

    /// Everything that is there, decided now.
    pub fn finish(&mut self) -> (Vec<Ended>, u64) {
        self.decide(Instant::now() + 2 * GATHER)
    }

    fn keeps(&mut self, trace: u128, spans: &[Ended]) -> bool {
        let asked = spans.iter().find_map(|span| span.asked);
        if asked.unwrap_or_else(|| self.draws(trace)) || self.remembered.contains(&trace) {
            if asked.is_some() {
                self.remember(trace);
            }
            return true;
        }
        let stands_out = |span: &Ended| span.failed.is_some() || span.took >= self.slow;
        let stands_out = spans.iter().any(stands_out);
        if stands_out {
            self.remember(trace);
        }
        stands_out
    }

    /// Whether a trace is among the one in `n`. Trace ids are random in their last 56 bits at least
    /// (W3C Trace Context, level 2).
    fn draws(&self, trace: u128) -> bool {
        let random = (trace as u64) & ((1 << 56) - 1);
        self.one_in != 0 && random.is_multiple_of(u64::from(self.one_in))
    }

    fn remember(&mut self, trace: u128) {
        if self.remembered.insert(trace) {
            self.oldest.push_back(trace);
        }
        if self.oldest.len() > REMEMBERED_MAX
            && let Some(oldest) = self.oldest.pop_front()
        {
            self.remembered.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traces::{Context, Kind};

    const SLOW: Duration = Duration::from_secs(1);

    fn span(trace: u128) -> Ended {
        Ended::begin(Context { trace, span: 1 }, "work", Kind::Internal)
    }

    fn kept(keep: &mut Keep, spans: Vec<Ended>) -> usize {
        let count = spans.len() as u64;
        spans
            .into_iter()
            .for_each(|it| keep.take(it, Instant::now()));
        let (kept, left_out) = keep.finish();
        assert_eq!(kept.len() as u64 + left_out, count, "none is lost");
        kept.len()
    }

    #[test]
    fn what_failed_or_was_slow_is_kept_whole_and_of_the_rest_one_in_n() {
        let mut keep = Keep::new(10, SLOW);
        assert_eq!(kept(&mut keep, vec![span(3), span(3)]), 0);
        assert_eq!(kept(&mut keep, vec![span(20), span(20)]), 2, "drawn");
        let failed = Ended {
            failed: Some("unknown".into()),
            ..span(4)
        };
        assert_eq!(kept(&mut keep, vec![span(4), failed]), 2);
        assert_eq!(kept(&mut keep, vec![span(4)]), 1, "it is remembered");
        let slow = Ended {
            took: SLOW,
            ..span(5)
        };
        assert_eq!(kept(&mut keep, vec![span(5), slow]), 2);
        assert_eq!(kept(&mut Keep::new(0, SLOW), vec![span(20)]), 0);
    }

    #[test]
    fn a_caller_may_ask_for_a_trace_or_decline_it() {
        let mut keep = Keep::new(10, SLOW);
        let by = |asked, trace| Ended {
            asked: Some(asked),
            ..span(trace)
        };
        assert_eq!(kept(&mut keep, vec![span(3), by(true, 3)]), 2);
        assert_eq!(kept(&mut keep, vec![span(20), by(false, 20)]), 0);
    }

    #[test]
    fn a_trace_gathers_until_its_time_or_until_there_is_no_room() {
        let mut keep = Keep::new(1, SLOW);
        let now = Instant::now();
        keep.take(span(1), now);
        assert!(keep.decide(now).0.is_empty());
        assert_eq!(keep.decide(now + GATHER).0.len(), 1);
        (0..GATHERED_MAX).for_each(|_| keep.take(span(2), now));
        keep.take(span(3), now);
        assert_eq!(keep.decide(now).0.len(), GATHERED_MAX, "the oldest trace");
        assert_eq!(keep.decide(now).0.len(), 0);
    }

    #[test]
    fn decisions_are_forgotten_at_some_time() {
        let mut keep = Keep::new(0, SLOW);
        (1..=REMEMBERED_MAX as u128 + 1).for_each(|trace| keep.remember(trace));
        assert_eq!(keep.remembered.len(), REMEMBERED_MAX);
        assert!(!keep.remembered.contains(&1));
    }
}
