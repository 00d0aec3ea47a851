//! The features of one payment, in the order of the catalogue.

use base64::Engine as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{
    catalogue::{self, CATALOGUE_LEN, Type},
    codec::{Reader, Writer},
};

/// One value for each feature; `NaN` where there is nothing to say.
///
/// It is stored with the decision that it led to, in full precision, so that the decision can be
/// made again years later.
#[derive(Clone)]
pub struct Vector(Box<[f64]>);

impl std::fmt::Debug for Vector {
    /// What there is, by name.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let named = catalogue::all().iter().zip(&self.0);
        let known = named.filter(|(_, value)| !value.is_nan());
        f.debug_map()
            .entries(known.map(|(feature, value)| (&feature.name, value)))
            .finish()
    }
}

impl Default for Vector {
    fn default() -> Self {
        Self(vec![f64::NAN; CATALOGUE_LEN].into_boxed_slice())
    }
}

/// Two vectors are equal when they say the same: "nothing to say" equals itself.
impl PartialEq for Vector {
    fn eq(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(one, other)| {
            one.to_bits() == other.to_bits() || (one.is_nan() && other.is_nan())
        })
    }
}

impl Vector {
    /// The values, in the order of the catalogue.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.0
    }

    pub(super) fn values_mut(&mut self) -> &mut [f64] {
        &mut self.0
    }

    /// What a model reads at a place.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // Models are trained on 24 bits.
    pub fn for_model(&self, place: usize) -> f32 {
        self.0[place] as f32
    }

    /// What a rule reads at a place: the absent value where there is nothing to say, whole
    /// numbers rounded.
    #[must_use]
    pub fn for_rule(&self, place: usize) -> f64 {
        let feature = &catalogue::all()[place];
        let value = self.0[place];
        match (value.is_nan(), feature.of) {
            (true, _) => feature.absent,
            (false, Type::Int) => value.round(),
            (false, Type::Real | Type::Flag) => value,
        }
    }

    /// The value of a name, for people.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        let value = self.0[catalogue::place(name)?];
        (!value.is_nan()).then_some(value)
    }

    /// Every value that there is, as bytes: how many places on, how it is written, and the value:
    /// nothing for zero, a varint for a whole number, 4 or 8 bytes for what needs them.
    fn encode(&self) -> Vec<u8> {
        let mut out = Writer(Vec::with_capacity(400));
        out.number(u64::from(catalogue::VERSION));
        let mut next = 0;
        for (place, value) in self
            .0
            .iter()
            .enumerate()
            .filter(|(_, value)| !value.is_nan())
        {
            let skipped = (place - next) as u64;
            next = place + 1;
            let mut head = |kind: u64| out.number(skipped << 2 | kind);
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss
            )] // Each is tried.
            let (whole, short) = (*value as u64, *value as f32);
            if value.to_bits() == 0 {
                head(0);
            } else if (whole as f64).to_bits() == value.to_bits() {
                head(1);
                out.number(whole);
            } else if f64::from(short).to_bits() == value.to_bits() {
                head(2);
                out.bytes(&short.to_le_bytes());
            } else {
                head(3);
                out.bytes(&value.to_le_bytes());
            }
        }
        out.0
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut input = Reader(bytes);
        if input.number()? != u64::from(catalogue::VERSION) {
            return None;
        }
        let mut vector = Self::default();
        let mut next = 0usize;
        while !input.0.is_empty() {
            let head = input.number()?;
            let place = next.checked_add(usize::try_from(head >> 2).ok()?)?;
            let slot = vector.0.get_mut(place)?;
            next = place + 1;
            #[allow(clippy::cast_precision_loss)] // It was exact when it was written.
            let value = match head & 3 {
                0 => 0.0,
                1 => input.number()? as f64,
                2 => f64::from(f32::from_le_bytes(input.bytes()?)),
                _ => f64::from_le_bytes(input.bytes()?),
            };
            *slot = value;
        }
        Some(vector)
    }
}

impl Serialize for Vector {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = base64::engine::general_purpose::STANDARD_NO_PAD.encode(self.encode());
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Vector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = base64::engine::general_purpose::STANDARD_NO_PAD
            .decode(text)
            .map_err(de::Error::custom)?;
        Self::decode(&bytes).ok_or_else(|| de::Error::custom("not a vector of this catalogue"))
    }
}
