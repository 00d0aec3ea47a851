//! Sliding windows from one minute to thirty days, of bounded size.
//!
//! **Shape.** Payments are counted in tiles: of 10 seconds for the last minute, of 10 minutes for
//! the last hour, of 2 hours for the last day, of a day for the last thirty. A tile that grows too
//! old for its level is added to one of the next. Tiles hold whole numbers only, and which tile a
//! payment is in follows from its time and from the newest time, so the order of arrival does not
//! matter.
//!
//! **Bounds.** At most [`TILES_MAX`] tiles of 16 bytes. A window's edge may cut one tile: of what
//! is in that tile, the part by time is counted. So a count or a sum is wrong by at most what one
//! tile at the far edge holds (10 s of 1 min, 10 min of 1 h, 2 h of 1 day, 1 day of 7 and 30), and
//! a maximum may be up to one tile older than the window. A tile's count stops at 65,535, its sum
//! at 2^48 - 1 minor units; its maximum is rounded to 24 bits.

/// The far ends of the windows that features use, in seconds.
pub mod window {
    /// A minute.
    pub const MINUTE: u32 = 60;
    /// An hour.
    pub const HOUR: u32 = 3600;
    /// A day.
    pub const DAY: u32 = 86_400;
    /// A week.
    pub const WEEK: u32 = 7 * DAY;
    /// Two weeks.
    pub const FORTNIGHT: u32 = 14 * DAY;
    /// Thirty days.
    pub const MONTH: u32 = 30 * DAY;
}

/// Width of a tile in seconds, and how many are kept: one more than the window needs, because the
/// newest tile has only begun.
const LEVELS: [(u32, u32); 4] = [(10, 7), (600, 7), (7200, 13), (86_400, 31)];
/// The most tiles that there can be.
pub const TILES_MAX: usize = 7 + 7 + 13 + 31;
const LEVEL_SHIFT: u32 = 30;
const INDEX_MASK: u32 = (1 << LEVEL_SHIFT) - 1;
const SUM_BITS: u32 = 48;
const SUM_MAX: u64 = (1 << SUM_BITS) - 1;
const COUNT_MAX: u64 = (1 << (64 - SUM_BITS)) - 1;

/// What happened within one tile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tile {
    /// Level and place: tiles of one level stand together, in order.
    pub place: u32,
    /// Count and sum.
    pub packed: u64,
    /// The greatest amount.
    pub max: f32,
}

impl Tile {
    const fn level(&self) -> usize {
        (self.place >> LEVEL_SHIFT) as usize
    }

    const fn start(&self) -> u64 {
        (self.place & INDEX_MASK) as u64 * LEVELS[self.level()].0 as u64
    }

    const fn count(&self) -> u64 {
        self.packed >> SUM_BITS
    }

    const fn sum(&self) -> u64 {
        self.packed & SUM_MAX
    }

    fn add(&mut self, count: u64, sum: u64, max: f32) {
        let count = (self.count() + count).min(COUNT_MAX);
        let sum = self.sum().saturating_add(sum).min(SUM_MAX);
        self.packed = count << SUM_BITS | sum;
        self.max = self.max.max(max);
    }
}

/// What a window holds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sum {
    /// Payments.
    pub count: f64,
    /// Minor units.
    pub sum: f64,
    /// The greatest amount in minor units.
    pub max: f64,
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tiles {
    pub(super) tiles: Vec<Tile>,
    /// The newest time seen, in seconds.
    pub(super) newest: u32,
}

impl Tiles {
    /// Counts a payment.
    pub fn add(&mut self, at: u32, amount: u64) {
        if at > self.newest {
            let moved = at / LEVELS[0].0 != self.newest / LEVELS[0].0;
            self.newest = at;
            if moved {
                self.settle();
            }
        }
        #[allow(clippy::cast_precision_loss)] // Stated in the module: 24 bits.
        self.put(at, 1, amount, amount as f32);
    }

    fn put(&mut self, at: u32, count: u64, sum: u64, max: f32) {
        let Some(place) = self.place_of(at) else {
            return;
        };
        match self.tiles.binary_search_by_key(&place, |tile| tile.place) {
            Ok(found) => self.tiles[found].add(count, sum, max),
            Err(slot) => {
                if self.tiles.len() == self.tiles.capacity() {
                    // Growing by doubling would leave half of a small profile empty.
                    self.tiles.reserve_exact(4);
                }
                let mut tile = Tile {
                    place,
                    packed: 0,
                    max: 0.0,
                };
                tile.add(count, sum, max);
                self.tiles.insert(slot, tile);
            }
        }
    }

    /// The finest level that still keeps `at`.
    fn place_of(&self, at: u32) -> Option<u32> {
        (0u32..)
            .zip(LEVELS)
            .find(|(_, (width, slots))| at / width + slots > self.newest / width)
            .map(|(level, (width, _))| (level << LEVEL_SHIFT) | (at / width))
    }

    /// Moves what has grown too old for its level to the next, and drops what is too old for all.
    fn settle(&mut self) {
        let stays = |tile: &Tile| {
            let (width, slots) = LEVELS[tile.level()];
            (tile.place & INDEX_MASK) + slots > self.newest / width
        };
        if self.tiles.iter().all(stays) {
            return;
        }
        let old: Vec<Tile> = self.tiles.iter().filter(|t| !stays(t)).copied().collect();
        let newest = self.newest;
        self.tiles.retain(|tile| {
            let (width, slots) = LEVELS[tile.level()];
            (tile.place & INDEX_MASK) + slots > newest / width
        });
        for tile in old {
            let at = u32::try_from(tile.start()).unwrap_or(u32::MAX);
            self.put(at, tile.count(), tile.sum(), tile.max);
        }
    }

    /// What the last `window` seconds before and at `now` hold.
    #[must_use]
    pub fn within(&self, now: u32, window: u32) -> Sum {
        self.between(now.saturating_sub(window), now)
    }

    /// What lies after `from`, up to `now` and itself.
    #[must_use]
    pub fn between(&self, from: u32, now: u32) -> Sum {
        let mut total = Sum::default();
        let (from, now) = (u64::from(from), u64::from(now));
        for tile in &self.tiles {
            let start = tile.start();
            let end = self.end(tile);
            if end <= from || start > now {
                continue;
            }
            #[allow(clippy::cast_precision_loss)] // Both are below 2^48.
            let (part, count, sum) = (
                (end - from).min(end - start) as f64 / (end - start) as f64,
                tile.count() as f64,
                tile.sum() as f64,
            );
            total.count += count * part;
            total.sum += sum * part;
            total.max = total.max.max(f64::from(tile.max));
        }
        total
    }

    /// Where a tile ends: where the finer level begins, if that is before its nominal end, because
    /// what is newer is kept there.
    fn end(&self, tile: &Tile) -> u64 {
        let (level, start) = (tile.level(), tile.start());
        let end = start + u64::from(LEVELS[level].0);
        let Some((width, slots)) = level.checked_sub(1).map(|finer| LEVELS[finer]) else {
            return end;
        };
        let finer = u64::from((self.newest / width + 1).saturating_sub(slots)) * u64::from(width);
        end.min(finer.max(start + 1))
    }

    /// How many tiles after `from` hold an amount above `limit`, and when the oldest of them
    /// begins: how long something unusual has been going on.
    #[must_use]
    pub fn above(&self, from: u32, limit: f64) -> (u32, Option<u32>) {
        let mut found = 0;
        let mut oldest = None;
        for tile in &self.tiles {
            let start = tile.start();
            if start >= u64::from(from) && f64::from(tile.max) > limit {
                found += 1;
                let start = u32::try_from(start).unwrap_or(u32::MAX);
                oldest = Some(oldest.map_or(start, |known: u32| known.min(start)));
            }
        }
        (found, oldest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use window::{DAY, HOUR, MINUTE, MONTH, WEEK};

    proptest! {
        /// Against the payments themselves: never wrong by more than the tile at the edge.
        #[test]
        fn a_window_is_right_but_for_its_edge(
            mut events in prop::collection::vec((0u32..40 * DAY, 1u64..1_000_000), 1..200),
        ) {
            let mut tiles = Tiles::default();
            for (at, amount) in &events {
                tiles.add(1_000_000_000 + at, *amount);
            }
            events.sort_unstable();
            let now = 1_000_000_000 + events.last().map_or(0, |last| last.0);
            for (window, edge) in [(MINUTE, 10), (HOUR, 600), (DAY, 7200), (WEEK, DAY), (MONTH, DAY)] {
                let inside = |reach: u32| {
                    let from = now - reach;
                    events.iter().filter(|(at, _)| 1_000_000_000 + at > from).count() as f64
                };
                let found = tiles.within(now, window).count;
                prop_assert!(found >= inside(window - edge) - 1e-6, "{window}: {found}");
                prop_assert!(found <= inside(window + edge) + 1e-6, "{window}: {found}");
            }
            prop_assert!(tiles.tiles.len() <= TILES_MAX);
        }

        /// The order of arrival is nothing, as long as all arrive.
        #[test]
        fn late_payments_are_counted_where_they_belong(
            events in prop::collection::vec((0u32..20 * DAY, 1u64..1_000_000), 1..100),
            seed in any::<u64>(),
        ) {
            let mut shuffled = events.clone();
            let key = |at: u32, amount: u64| super::super::event::mix(seed ^ u64::from(at) ^ (amount << 32));
            shuffled.sort_by_key(|(at, amount)| key(*at, *amount));
            let fold = |events: &[(u32, u64)]| {
                let mut tiles = Tiles::default();
                events.iter().for_each(|(at, amount)| tiles.add(1_000_000_000 + at, *amount));
                tiles
            };
            prop_assert_eq!(fold(&events), fold(&shuffled));
        }
    }

    #[test]
    fn a_minute_is_a_minute() {
        let mut tiles = Tiles::default();
        for second in 0..600 {
            tiles.add(1_000_000_000 + second, 100);
        }
        let found = tiles.within(1_000_000_599, MINUTE);
        assert!((found.count - 60.0).abs() <= 10.0, "{found:?}");
        assert!((tiles.within(1_000_000_599, HOUR).count - 600.0).abs() < 1e-6);
        assert!((tiles.within(1_000_000_599, HOUR).sum - 60_000.0).abs() < 1e-6);
    }
}
