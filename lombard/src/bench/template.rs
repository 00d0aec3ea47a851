//! A request whose bytes are made once, with places that differ from request to request.
//!
//! Every place has a fixed length, so that filling one in is a copy and the request's
//! `content-length` stays true.

use std::{sync::Arc, time::UNIX_EPOCH};

use super::load::Requests;

/// A request to be sent many times.
#[derive(Clone, Debug)]
pub struct Template {
    bytes: Vec<u8>,
    places: Vec<(usize, Place)>,
}

/// What differs.
#[derive(Clone, Debug)]
pub enum Place {
    /// A text of [`KEY_LENGTH`] that no other request of this run, or of another, has.
    Key(KeySpace),
    /// One of these, which are of one length, in turn.
    OneOf(Arc<[String]>),
}

/// The texts that stand in for a place while a template is written.
pub const KEY: &str = "<key-key-key-key-key-key-key-key-ke>";
/// The length of a key.
pub const KEY_LENGTH: usize = 36;

/// Keys of one run, told from those of other runs by their first half.
#[derive(Clone, Copy, Debug)]
pub struct KeySpace(pub u64);

impl KeySpace {
    /// One that no other run has.
    #[must_use]
    pub fn fresh() -> Self {
        let now = UNIX_EPOCH.elapsed().map_or(0, |age| age.as_nanos() as u64);
        Self(u64::from(std::process::id()) ^ (now << 20))
    }
}

impl Template {
    /// A template of a whole request. Each stand-in is filled by the place beside it.
    ///
    /// # Panics
    /// When a stand-in does not occur, or has another length than what fills it: templates are
    /// written in the code.
    #[must_use]
    pub fn new(request: &str, places: Vec<(&str, Place)>) -> Self {
        let mut found = Vec::new();
        for (stand_in, place) in places {
            let length = match &place {
                Place::Key(_) => KEY_LENGTH,
                Place::OneOf(texts) => texts[0].len(),
            };
            assert_eq!(stand_in.len(), length, "the length of {stand_in}");
            let mut at = request.match_indices(stand_in).peekable();
            assert!(at.peek().is_some(), "no {stand_in} in the template");
            found.extend(at.map(|(at, _)| (at, place.clone())));
        }
        let bytes = request.as_bytes().to_vec();
        Self {
            bytes,
            places: found,
        }
    }
}

impl Requests for Template {
    fn fill(&mut self, n: u64) -> &[u8] {
        for (at, place) in &self.places {
            match place {
                Place::Key(space) => {
                    let key = &mut self.bytes[*at..*at + KEY_LENGTH];
                    hex(&mut key[..16], space.0);
                    key[16..20].copy_from_slice(b"-key");
                    hex(&mut key[20..], n);
                }
                Place::OneOf(texts) => {
                    let text = &texts[scatter(n) as usize % texts.len()];
                    self.bytes[*at..*at + text.len()].copy_from_slice(text.as_bytes());
                }
            }
        }
        &self.bytes
    }
}

/// A POST of JSON, head and body. `key` is sent as a bearer token unless it is empty.
#[must_use]
pub fn post(host: &str, path: &str, key: &str, body: &str) -> String {
    let auth = match key {
        "" => String::new(),
        key => format!("authorization: Bearer {key}\r\n"),
    };
    format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\n{auth}idempotency-key: {KEY}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn hex(out: &mut [u8], mut number: u64) {
    for digit in out.iter_mut().rev() {
        *digit = b"0123456789abcdef"[number as usize & 15];
        number >>= 4;
    }
}

/// Spreads consecutive numbers (the finaliser of splitmix64), so that accounts do not come in order.
const fn scatter(n: u64) -> u64 {
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn requests_differ_in_their_places_alone() {
        let accounts: Arc<[String]> = ["acc_1".to_owned(), "acc_2".to_owned()].into();
        let request = post("h", "/p", "k", r#"{"debtor":"<acc>"}"#);
        let places = vec![
            (KEY, Place::Key(KeySpace(7))),
            ("<acc>", Place::OneOf(accounts)),
        ];
        let mut template = Template::new(&request, places);
        let length = request.len();
        let filled: BTreeSet<Vec<u8>> = (0..1000).map(|n| template.fill(n).to_vec()).collect();
        assert_eq!(filled.len(), 1000, "keys are distinct");
        assert!(filled.iter().all(|request| request.len() == length));
        let second = |request: &&Vec<u8>| request.ends_with(br#"{"debtor":"acc_2"}"#);
        assert!((300..700).contains(&filled.iter().filter(second).count()));
    }
}
