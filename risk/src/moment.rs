//! Moments as people write them in a policy: a day, such as `2026-11-23` (midnight in UTC), or
//! RFC 3339. For `#[serde(with = "moment")]`.

use lombard_core::time::Timestamp;
use serde::{Deserialize, Deserializer, Serializer, de};

/// Writes a moment.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

/// Reads a day or a moment.
///
/// # Errors
/// When the text is neither.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    let read = Timestamp::parse_day(&text).or_else(|| Timestamp::parse_rfc3339(&text));
    read.ok_or_else(|| {
        de::Error::custom(format!(
            "`{text}` is neither a day such as 2026-11-23 nor a moment"
        ))
    })
}

/// The same, for what may have none.
pub mod maybe {
    use lombard_core::time::Timestamp;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize, Serialize)]
    #[serde(transparent)]
    struct Moment(#[serde(with = "super")] Timestamp);

    /// Writes a moment, if there is one.
    ///
    /// # Errors
    /// Those of the serializer.
    #[allow(clippy::ref_option)] // As serde calls it.
    pub fn serialize<S: Serializer>(
        at: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        at.map(Moment).serialize(serializer)
    }

    /// Reads a day or a moment, if there is one.
    ///
    /// # Errors
    /// When the text is neither.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        let read = Option::<Moment>::deserialize(deserializer)?;
        Ok(read.map(|Moment(at)| at))
    }
}
