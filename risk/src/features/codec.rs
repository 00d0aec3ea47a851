//! Profiles as bytes: a version, then whole numbers of variable length.
//!
//! What is written is read back bit for bit; anything else is refused, because a profile that
//! was misread would be believed.

use super::{amounts::BUCKETS, distinct::Generations, place::Place, profile::Profile, tiles::Tile};

const VERSION: u64 = 1;

/// Puts numbers together.
pub(super) struct Writer(pub Vec<u8>);

impl Writer {
    /// A whole number, in as many bytes as it needs.
    pub(super) fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn wide(&mut self, value: u128) {
        self.number((value >> 64) as u64);
        self.number(value as u64);
    }

    fn fixed(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }

    /// Bytes as they are.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend(bytes);
    }
}

/// Takes numbers apart; `None` where there is none.
pub(super) struct Reader<'a>(pub &'a [u8]);

impl Reader<'_> {
    /// What [`Writer::number`] wrote.
    pub(super) fn number(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn small<T: TryFrom<u64>>(&mut self) -> Option<T> {
        T::try_from(self.number()?).ok()
    }

    fn wide(&mut self) -> Option<u128> {
        Some(u128::from(self.number()?) << 64 | u128::from(self.number()?))
    }

    fn fixed(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.bytes()?))
    }

    /// So many bytes.
    pub(super) fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*bytes)
    }

    /// A length that what is left could hold.
    fn length(&mut self) -> Option<usize> {
        self.small().filter(|length| *length <= self.0.len())
    }
}

impl Profile {
    /// The profile as bytes, at most [`super::profile::BYTES_MAX`].
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer(Vec::with_capacity(256));
        out.number(VERSION);
        for value in [self.first, self.nights, self.weekends, self.tiles.newest] {
            out.number(u64::from(value));
        }
        out.number(self.tiles.tiles.len() as u64);
        let mut before = 0;
        for tile in &self.tiles.tiles {
            out.number(u64::from(tile.place - before));
            out.number(tile.packed >> 48);
            out.number(tile.packed & ((1 << 48) - 1));
            out.number(u64::from(tile.max.to_bits()));
            before = tile.place;
        }
        out.number(u64::from(self.amounts.count));
        out.number(self.amounts.sum);
        out.wide(self.amounts.squares);
        let filled = self.amounts.buckets.iter().filter(|count| **count > 0);
        out.number(filled.count() as u64);
        for (index, count) in (0u64..).zip(self.amounts.buckets).filter(|(_, n)| *n > 0) {
            out.number(index);
            out.number(u64::from(count));
        }
        for seen in [self.others.days, self.others.months] {
            out.number(u64::from(seen.span));
            out.fixed(seen.current);
            out.fixed(seen.before);
        }
        match self.whereabouts.last {
            None => out.number(0),
            Some((at, place)) => {
                out.number(1);
                out.number(u64::from(at));
                out.number(u64::from(place.latitude.to_bits()));
                out.number(u64::from(place.longitude.to_bits()));
            }
        }
        out.number(u64::from(self.outcomes.run_before));
        out.number(self.outcomes.known.len() as u64);
        let mut before = 0;
        for known in &self.outcomes.known {
            out.number(u64::from(known - before));
            before = *known;
        }
        self.newest.iter().for_each(|id| out.number(u64::from(*id)));
        out.0
    }

    /// Reads what [`Profile::encode`] wrote; `None` for anything else.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut input = Reader(bytes);
        if input.number()? != VERSION {
            return None;
        }
        let mut profile = Self {
            first: input.small()?,
            nights: input.small()?,
            weekends: input.small()?,
            ..Self::default()
        };
        profile.tiles.newest = input.small()?;
        let mut place = 0u32;
        for _ in 0..input.length()? {
            place = place.checked_add(input.small()?)?;
            let count = input.number()?;
            let packed = count << 48 | input.number()?;
            let max = f32::from_bits(input.small()?);
            profile.tiles.tiles.push(Tile { place, packed, max });
        }
        read_amounts(&mut input, &mut profile)?;
        for seen in [&mut profile.others.days, &mut profile.others.months] {
            *seen = Generations {
                span: input.small()?,
                current: input.fixed()?,
                before: input.fixed()?,
            };
        }
        if input.number()? == 1 {
            let at = input.small()?;
            let latitude = f32::from_bits(input.small()?);
            let longitude = f32::from_bits(input.small()?);
            profile.whereabouts.last = Some((
                at,
                Place {
                    latitude,
                    longitude,
                },
            ));
        }
        profile.outcomes.run_before = input.small()?;
        let mut known = 0u32;
        for _ in 0..input.length()? {
            known = known.checked_add(input.small()?)?;
            profile.outcomes.known.push(known);
        }
        for id in &mut profile.newest {
            *id = input.small()?;
        }
        input.0.is_empty().then_some(profile)
    }

    /// Bytes that the profile takes in memory, with what it points to.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.tiles.tiles.capacity() * size_of::<Tile>()
            + self.outcomes.known.capacity() * 4
    }
}

fn read_amounts(input: &mut Reader<'_>, profile: &mut Profile) -> Option<()> {
    profile.amounts.count = input.small()?;
    profile.amounts.sum = input.number()?;
    profile.amounts.squares = input.wide()?;
    for _ in 0..input.length()? {
        let index: usize = input.small()?;
        let bucket = profile.amounts.buckets.get_mut(index)?;
        *bucket = input.small()?;
    }
    debug_assert!(profile.amounts.buckets.len() == BUCKETS);
    Some(())
}
