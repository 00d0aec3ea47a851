//! What payment service providers say, in our words.
//!
//! **Shape.** One TOML file a provider and API version ([`map::Map`]) says where a webhook keeps its
//! parts, how it is signed, and what each of the provider's statuses and events means
//! ([`news::News`]). [`read`] takes a delivery apart by that file; [`facts::Facts`] gathers what was
//! said of one payment; [`facts::Facts::standing`] says how things stand.
//!
//! **Invariants.** Nothing is guessed: what no row names is [`map::Meaning::Quarantined`], with the
//! reason. The order, repetition and delay of news do not matter: facts are a set, and how things
//! stand is a function of the set. A provider never makes a payment settled: only reconciliation
//! does, and a provider's "paid out" is an expectation of it.
//!
//! **Adding a provider** is adding a file: those in `core/src/psp/maps` are compiled in, and a
//! deployment names more in its configuration. No code knows a provider's name.

pub mod facts;
pub mod map;
pub mod news;
pub mod read;

mod file;
mod lookup;

use std::collections::BTreeMap;

pub use facts::{Dispute, DisputeStage, Facts, Standing};
pub use map::{Map, Meaning};
pub use news::News;

/// The files that are compiled in.
const BUILT_IN: [&str; 11] = [
    include_str!("psp/maps/adyen.toml"),
    include_str!("psp/maps/adyen-transfers.toml"),
    include_str!("psp/maps/clearbank.toml"),
    include_str!("psp/maps/gocardless.toml"),
    include_str!("psp/maps/iso20022.toml"),
    include_str!("psp/maps/modulr.toml"),
    include_str!("psp/maps/open-banking-uk.toml"),
    include_str!("psp/maps/paypal.toml"),
    include_str!("psp/maps/stripe.toml"),
    include_str!("psp/maps/truelayer.toml"),
    include_str!("psp/maps/wise.toml"),
];

/// The providers that are known, by name.
#[derive(Clone, Debug)]
pub struct Providers(BTreeMap<String, Map>);

impl Providers {
    /// The providers that are compiled in.
    ///
    /// # Panics
    /// Never: a test reads every file that is compiled in.
    #[must_use]
    pub fn built_in() -> Self {
        let maps = BUILT_IN.iter().map(|text| {
            let map = Map::parse(text).expect("a compiled-in map is valid: a test reads each one");
            (map.provider.clone(), map)
        });
        Self(maps.collect())
    }

    /// Adds a provider, or puts another file in the place of one that is known.
    ///
    /// # Errors
    /// What is wrong with the file, with its line.
    pub fn add(&mut self, text: &str) -> Result<&Map, map::Broken> {
        let map = Map::parse(text)?;
        let name = map.provider.clone();
        self.0.insert(name.clone(), map);
        Ok(&self.0[&name])
    }

    /// A provider by its name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Map> {
        self.0.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Map> {
        self.0.values()
    }
}
