//! Deliveries as providers send them, taken apart.

use lombard_core::psp::{
    News, Providers,
    read::{Told, Unreadable, What, events},
};

use crate::shared;

fn told(provider: &str, body: &str) -> Vec<Told> {
    let providers = Providers::built_in();
    let map = providers.get(provider).expect("a provider");
    events(map, body.as_bytes()).expect("readable")
}

#[test]
fn an_adyen_delivery_holds_several_events() {
    let body = r#"{"live":"false","notificationItems":[
        {"NotificationRequestItem":{"eventCode":"CAPTURE","success":"true","pspReference":"C1",
         "originalReference":"P1","merchantReference":"att_1","amount":{"currency":"EUR","value":1050}}},
        {"NotificationRequestItem":{"eventCode":"NEW_THING","success":"true","pspReference":"X1"}}]}"#;
    let told = told("adyen", body);
    assert_eq!(told.len(), 2);
    assert_eq!(told[0].event_id, "C1:CAPTURE:true");
    assert_eq!(told[0].payment.as_deref(), Some("P1"));
    let What::News {
        news, part, amount, ..
    } = &told[0].what
    else {
        panic!("{:?}", told[0])
    };
    assert_eq!((*news, part.as_str()), (News::Captured, "C1"));
    assert_eq!(amount.map(|sum| sum.minor), Some(1050));
    assert!(
        matches!(told[1].what, What::Quarantined { .. }),
        "unknown, and not guessed"
    );
}

#[test]
fn decimal_amounts_are_exact() {
    let body = r#"{"Type":"TransactionSettled","Version":6,"Nonce":1,"Payload":{"TransactionId":"t",
        "IsReturn":false,"Amount":97.45,"CurrencyCode":"GBP"}}"#;
    let What::News {
        amount: Some(sum), ..
    } = told("clearbank", body).remove(0).what
    else {
        panic!("an amount")
    };
    assert_eq!(sum.minor, 9745);
    let broken = body.replace("97.45", "97.455");
    assert!(
        matches!(told("clearbank", &broken).remove(0).what, What::Quarantined { why } if why.contains("decimal places"))
    );
}

#[test]
fn what_holds_no_event_is_refused() {
    let providers = Providers::built_in();
    let adyen = providers.get("adyen").expect("there");
    assert!(matches!(events(adyen, b"{"), Err(Unreadable::NotJson(_))));
    assert!(matches!(events(adyen, b"{}"), Err(Unreadable::NoList(_))));
    let nameless = br#"{"notificationItems":[{"NotificationRequestItem":{}}]}"#;
    assert!(matches!(
        events(adyen, nameless),
        Err(Unreadable::NoId { at: 0, .. })
    ));
}

/// Every example of a provider's own is understood or, where it is news to our file, quarantined
/// for a reason that is written here.
#[test]
fn the_providers_own_examples_are_understood() {
    let Some(dir) = shared::path("the_providers_own_examples_are_understood", "material") else {
        return;
    };
    let mut count = 0;
    for (folder, provider) in [
        ("stripe", "stripe"),
        ("clearbank", "clearbank"),
        ("adyen", "adyen"),
    ] {
        for file in std::fs::read_dir(dir.join("webhooks").join(folder)).expect("a folder") {
            let path = file.expect("a file").path();
            let name = path
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            let body = std::fs::read_to_string(&path).expect("text");
            let provider = match body.contains("\"notificationItems\"") {
                _ if name.contains("openapi") || name.starts_with("hmac") => continue,
                false if provider == "adyen" => "adyen-transfers",
                _ if !name.ends_with(".json") => continue,
                _ => provider,
            };
            for told in told(provider, &body) {
                count += 1;
                assert!(matches!(told.what, What::News { .. }), "{name}: {told:?}");
            }
        }
    }
    assert!(count > 40, "{count} examples");
}
