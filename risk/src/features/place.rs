//! Where payments were made, and whether anybody could have travelled that fast.

use serde::{Deserialize, Serialize};

/// A point on the earth, in degrees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// North is positive.
    pub latitude: f32,
    /// East is positive.
    pub longitude: f32,
}

const EARTH_KM: f64 = 6371.0;
/// An airliner's speed; a change of place that is faster than this is not travel.
pub const TRAVEL_KMH_MAX: f64 = 1000.0;
/// Geolocation of addresses is off by this much; nearer than this is the same place.
pub const SAME_PLACE_KM: f64 = 50.0;

impl Place {
    /// The great circle to another point, in kilometres.
    #[must_use]
    pub fn distance_km(self, other: Self) -> f64 {
        let radians = |degrees: f32| f64::from(degrees).to_radians();
        let (here, there) = (radians(self.latitude), radians(other.latitude));
        let north = (there - here) / 2.0;
        let east = (radians(other.longitude) - radians(self.longitude)) / 2.0;
        let half = north.sin().powi(2) + here.cos() * there.cos() * east.sin().powi(2);
        2.0 * EARTH_KM * half.sqrt().min(1.0).asin()
    }
}

/// Where somebody was last.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Whereabouts {
    pub(super) last: Option<(u32, Place)>,
}

/// A move from the last place to this one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Journey {
    /// How far.
    pub km: f64,
    /// How fast at least.
    pub kmh: f64,
    /// Whether no traveller could have made it.
    pub impossible: bool,
}

impl Whereabouts {
    /// Sees somebody at a place. An earlier sighting that comes late changes nothing.
    pub fn see(&mut self, at: u32, place: Place) {
        if self.last.is_none_or(|(known, _)| known <= at) {
            self.last = Some((at, place));
        }
    }

    /// The move that a payment at `place` would mean.
    #[must_use]
    pub fn journey(&self, now: u32, place: Place) -> Option<Journey> {
        let (at, last) = self.last?;
        let km = last.distance_km(place);
        // Two sightings of one minute are taken to be a minute apart.
        let hours = f64::from(now.abs_diff(at).max(60)) / 3600.0;
        let kmh = km / hours;
        Some(Journey {
            km,
            kmh,
            impossible: km > SAME_PLACE_KM && kmh > TRAVEL_KMH_MAX,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONDON: Place = Place {
        latitude: 51.5,
        longitude: -0.12,
    };
    const NEW_YORK: Place = Place {
        latitude: 40.7,
        longitude: -74.0,
    };

    #[test]
    fn the_ocean_is_not_crossed_in_an_hour() {
        let km = LONDON.distance_km(NEW_YORK);
        assert!((km - 5570.0).abs() < 30.0, "{km}");
        let mut whereabouts = Whereabouts::default();
        assert_eq!(whereabouts.journey(0, LONDON), None);
        whereabouts.see(1_000_000, LONDON);
        let hour = whereabouts.journey(1_003_600, NEW_YORK).unwrap();
        let day = whereabouts.journey(1_086_400, NEW_YORK).unwrap();
        assert!(hour.impossible && !day.impossible);
        let home = whereabouts.journey(1_000_001, LONDON).unwrap();
        assert!(!home.impossible && home.km < 1.0);
    }
}
