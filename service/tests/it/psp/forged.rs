//! Deliveries that are signed badly, or not at all, are refused by every provider's rules.

use lombard_core::psp::Providers;
use proptest::prelude::*;

use super::signature::at;

#[test]
fn nothing_unsigned_is_believed() {
    for map in Providers::built_in()
        .iter()
        .filter(|map| map.webhook.is_some())
    {
        let found = at(
            &map.provider,
            "00ff",
            &[],
            r#"{"notificationItems":[{}]}"#,
            0,
        );
        assert!(found.is_err(), "{}", map.provider);
        let keyless = at(&map.provider, "", &[], "{}", 0);
        assert!(keyless.is_err(), "{}", map.provider);
    }
}

proptest! {
    /// Whatever stands in the headers, it is refused and nothing panics.
    #[test]
    fn noise_is_refused(header in "\\PC{0,80}", body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let body = String::from_utf8_lossy(&body);
        for map in Providers::built_in().iter() {
            let Some(webhook) = &map.webhook else { continue };
            let headers = [
                (webhook.header.as_str(), header.as_str()),
                ("date", &header),
                ("x-mod-nonce", &header),
                ("paypal-transmission-id", &header),
                ("paypal-transmission-time", &header),
            ];
            prop_assert!(at(&map.provider, "00ff", &headers, &body, 1_700_000_000).is_err());
        }
    }
}
