//! Who is at the other end of a connection, and how often he asks.
//!
//! **Bounds.** At most [`PEERS_MAX`] addresses are remembered; those without a connection are
//! forgotten first. When all have one, a further address shares the pace of the crowd.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use lombard_core::time::Timestamp;
use parking_lot::Mutex;

use crate::{config::HttpConfig, tenants::Pace};

/// How many addresses are remembered.
const PEERS_MAX: usize = 65_536;

/// The other end of a connection. In the extensions of each of its requests.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its address.
    pub address: IpAddr,
    /// Whether the connection is encrypted up to here.
    pub encrypted: bool,
    paces: Arc<Paces>,
}

#[derive(Debug, Default)]
struct Paces {
    requests: Pace,
    new_keys: Pace,
}

impl Peer {
    /// Counts a request.
    ///
    /// # Errors
    /// After how many milliseconds he may ask again.
    pub fn asks(&self, now: Timestamp, limits: &HttpConfig) -> Result<(), u64> {
        let most = limits.requests_per_second_per_address_max;
        self.paces.requests.ask(now, most)
    }

    /// Counts a key that was not seen yet.
    ///
    /// # Errors
    /// After how many milliseconds he may show another.
    pub fn shows_new_key(&self, now: Timestamp, limits: &HttpConfig) -> Result<(), u64> {
        let most = limits.new_keys_per_second_per_address_max;
        self.paces.new_keys.ask(now, most)
    }
}

/// The addresses that connected lately.
#[derive(Default)]
pub struct Peers {
    known: Mutex<HashMap<IpAddr, Arc<Paces>>>,
    crowd: Arc<Paces>,
}

impl Peers {
    /// The peer of a connection.
    pub fn of(&self, address: IpAddr, encrypted: bool) -> Peer {
        Peer {
            address: address.to_canonical(),
            encrypted,
            paces: self.paces(counted_as(address)),
        }
    }

    fn paces(&self, address: IpAddr) -> Arc<Paces> {
        let mut known = self.known.lock();
        if known.len() >= PEERS_MAX && !known.contains_key(&address) {
            known.retain(|_, paces| Arc::strong_count(paces) > 1);
            if known.len() >= PEERS_MAX {
                return self.crowd.clone();
            }
        }
        known.entry(address).or_default().clone()
    }
}

/// One customer has a whole /64 (RFC 6177), so an IPv6 address counts by that.
fn counted_as(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() >> 64 << 64;
            Ipv6Addr::from_bits(network).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_pace_however_many_connections() {
        let peers = Peers::default();
        let limits = HttpConfig {
            requests_per_second_per_address_max: 2,
            new_keys_per_second_per_address_max: 1,
            ..HttpConfig::default()
        };
        let of = |text: &str| peers.of(text.parse().unwrap(), false);
        let now = Timestamp::from_unix_ms(1_700_000_000_000);
        assert!(of("192.0.2.1").asks(now, &limits).is_ok());
        assert!(of("::ffff:192.0.2.1").asks(now, &limits).is_ok());
        assert_eq!(of("192.0.2.1").asks(now, &limits), Err(500));
        assert!(of("192.0.2.2").asks(now, &limits).is_ok());
        assert!(of("2001:db8::1").shows_new_key(now, &limits).is_ok());
        assert_eq!(of("2001:db8::2").shows_new_key(now, &limits), Err(1_000));
        assert!(of("2001:db8:0:1::1").shows_new_key(now, &limits).is_ok());
    }
}
