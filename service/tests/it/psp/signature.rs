//! Signatures by each provider's rules: the providers' own vectors, and small ones of our own.

use lombard_core::{
    psp::{Providers, map::Map},
    time::Timestamp,
};
use lombard_service::psp::signature::{Delivery, Refusal, verify};
use serde_json::Value;

use crate::shared;

/// A delivery to a provider's route, verified at a moment.
pub fn at(
    provider: &str,
    key: &str,
    headers: &[(&str, &str)],
    body: &str,
    unix_s: u64,
) -> Result<(), Refusal> {
    let providers = Providers::built_in();
    let map = providers.get(provider).expect("a provider");
    by(map, &[key], headers, body, unix_s)
}

fn by(
    map: &Map,
    keys: &[&str],
    headers: &[(&str, &str)],
    body: &str,
    unix_s: u64,
) -> Result<(), Refusal> {
    let headers: Vec<_> = { headers.iter() }
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let keys: Vec<_> = keys.iter().map(|key| (*key).to_owned()).collect();
    let delivery = Delivery {
        method: "POST",
        path: "/v1/psp/x/webhooks",
        headers: &headers,
        body: body.as_bytes(),
    };
    let webhook = map.webhook.as_ref().expect("it sends webhooks");
    let now = Timestamp::from_unix_ms(unix_s * 1000);
    verify(webhook, &map.event, &keys, delivery, now)
}

fn vectors(test: &str, file: &str) -> Option<Value> {
    let text = shared::text(test, &format!("material/vectors/webhook-signatures/{file}"))?;
    Some(serde_json::from_str(&text).expect("JSON"))
}

#[test]
fn stripes_vectors() {
    let Some(vectors) = vectors("stripes_vectors", "stripe-signature.json") else {
        return;
    };
    for vector in vectors.as_array().expect("a list") {
        let text = |name: &str| vector[name].as_str().expect("text");
        let headers = [("stripe-signature", text("header"))];
        let now = vector["timestamp"].as_u64().unwrap_or(1_700_000_000);
        let found = at("stripe", text("secret"), &headers, text("payload"), now);
        assert_eq!(
            found.is_ok(),
            vector["valid"] == true,
            "{}: {found:?}",
            vector["name"]
        );
    }
}

#[test]
fn adyens_vectors() {
    let Some(vectors) = vectors("adyens_vectors", "adyen-hmac.json") else {
        return;
    };
    for vector in vectors["standard_notifications"]
        .as_array()
        .expect("a list")
    {
        let mut item = vector["notification_item"].clone();
        item["additionalData"]["hmacSignature"] = vector["expected_signature"].clone();
        let body = serde_json::json!({"notificationItems": [{"NotificationRequestItem": item}]});
        let key = vector["hmac_key_hex"].as_str().expect("a key");
        let found = at("adyen", key, &[], &body.to_string(), 0);
        assert_eq!(
            found.is_ok(),
            vector["valid"] == true,
            "{}: {found:?}",
            vector["name"]
        );
    }
    for vector in vectors["raw_body"].as_array().expect("a list") {
        let text = |name: &str| vector[name].as_str().expect("text");
        let headers = [("hmacsignature", text("expected_signature"))];
        let found = at(
            "adyen-transfers",
            text("hmac_key_hex"),
            &headers,
            text("raw_body"),
            0,
        );
        assert_eq!(
            found.is_ok(),
            vector["valid"] == true,
            "{}: {found:?}",
            vector["name"]
        );
    }
}

/// A provider that is added by its file alone, and signs as Standard Webhooks says.
const STANDARD: &str = r#"
provider = "acme"
title = "Acme"
source = "https://acme.example"
read_on = "2026-01-01"
[webhook]
scheme = "standard-webhooks"
tolerance_seconds = 300
[[row]]
object = "event"
status = "x"
means = "noted"
"#;

#[test]
fn the_vectors_of_standard_webhooks() {
    let Some(vectors) = vectors("the_vectors_of_standard_webhooks", "standard-webhooks.json")
    else {
        return;
    };
    let map = Map::parse(STANDARD).expect("a file");
    for vector in vectors.as_array().expect("a list") {
        let text = |name: &str| vector[name].as_str().expect("text");
        let time = vector["timestamp"].to_string();
        let headers = [
            ("webhook-id", text("id")),
            ("webhook-timestamp", time.as_str()),
            ("webhook-signature", text("signature")),
        ];
        let now = vector["timestamp"].as_u64().expect("a time");
        let found = by(&map, &[text("secret")], &headers, text("payload"), now);
        assert_eq!(
            found.is_ok(),
            vector["valid"] == true,
            "{}: {found:?}",
            vector["name"]
        );
        let late = by(
            &map,
            &[text("secret")],
            &headers,
            text("payload"),
            now + 301,
        );
        assert!(late.is_err(), "{}", vector["name"]);
    }
}

/// The same, signed as many smaller providers do: `sha256=` and hexadecimal, with a signed time.
#[test]
fn a_mac_of_another_form_is_a_matter_of_the_file() {
    let file = STANDARD.replace(
        "scheme = \"standard-webhooks\"",
        "scheme = \"hmac\"\nheader = \"x-acme-signature\"\nprefix = \"sha256=\"\nseparator = \",\"\n\
         timestamp = \"x-acme-time\"\ncontent = \"{header:X-Acme-Time}:{method}:{path}:{body}\"",
    );
    let map = Map::parse(&file).expect("a file");
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"new");
    let tag = ring::hmac::sign(&key, b"1700000000:POST:/v1/psp/x/webhooks:{}");
    let hex: String = tag
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let signature = format!("sha256=00ff, sha256={hex}");
    let headers = [
        ("x-acme-signature", signature.as_str()),
        ("x-acme-time", "1700000000"),
    ];
    let now = 1_700_000_100;
    assert_eq!(
        by(&map, &["old", "new"], &headers, "{}", now),
        Ok(()),
        "while keys rotate"
    );
    assert_eq!(
        by(&map, &["old"], &headers, "{}", now),
        Err(Refusal::NoMatch)
    );
    assert_eq!(
        by(&map, &["new"], &headers, "{} ", now),
        Err(Refusal::NoMatch)
    );
    assert_eq!(
        by(&map, &["new"], &headers, "{}", now + 300),
        Err(Refusal::Stale(400, 300))
    );
    assert_eq!(by(&map, &[" "], &headers, "{}", now), Err(Refusal::NoKey));
}

const BODY: &str = r#"{"Type":"TransactionSettled","Nonce":7}"#;

#[test]
fn rsa_over_the_body_by_key_and_by_certificate() {
    let headers = [("digitalsignature", include_str!("body.sig"))];
    for key in [
        include_str!("public_key.pem"),
        include_str!("certificate.pem"),
    ] {
        assert_eq!(at("clearbank", key, &headers, BODY, 0), Ok(()));
        assert_eq!(
            at("clearbank", key, &headers, "{}", 0),
            Err(Refusal::NoMatch)
        );
    }
    let bad = at("clearbank", "no key", &headers, BODY, 0);
    assert!(matches!(bad, Err(Refusal::BadKey(_))), "{bad:?}");
}

#[test]
fn paypal_signs_the_crc_of_the_body() {
    let headers = [
        ("paypal-transmission-id", "tr-1"),
        ("paypal-transmission-time", "2023-11-14T22:13:20Z"),
        ("paypal-transmission-sig", include_str!("paypal.sig")),
    ];
    let key = format!("WH-1\n{}", include_str!("certificate.pem"));
    let now = 1_700_000_000;
    assert_eq!(at("paypal", &key, &headers, BODY, now), Ok(()));
    assert_eq!(
        at("paypal", &key, &headers, "{}", now),
        Err(Refusal::NoMatch)
    );
    let other = key.replace("WH-1", "WH-2");
    assert_eq!(
        at("paypal", &other, &headers, BODY, now),
        Err(Refusal::NoMatch)
    );
}

#[test]
fn modulr_signs_date_and_nonce() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let date = "Tue, 14 Nov 2023 22:13:20 GMT";
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"secret");
    let signed = ring::hmac::sign(&key, format!("date: {date}\nx-mod-nonce: n1").as_bytes());
    let escaped = STANDARD
        .encode(signed)
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D");
    let authorization = format!(
        "Signature keyId=\"K1\",algorithm=\"hmac-sha1\",headers=\"date x-mod-nonce\",signature=\"{escaped}\""
    );
    let headers = |nonce| {
        [
            ("authorization", authorization.as_str()),
            ("date", date),
            ("x-mod-nonce", nonce),
        ]
    };
    let now = 1_700_000_010;
    assert_eq!(at("modulr", "secret", &headers("n1"), "{}", now), Ok(()));
    assert_eq!(
        at("modulr", "secret", &headers("n2"), "{}", now),
        Err(Refusal::NoMatch)
    );
    assert!(
        at("modulr", "secret", &headers("n1"), "{}", now + 900).is_err(),
        "too old"
    );
}

#[test]
fn truelayer_signs_method_path_headers_and_body() {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
    use p521::{
        ecdsa::{Signature, SigningKey, signature::Signer},
        pkcs8::{EncodePublicKey, LineEnding},
    };
    let secret: SigningKey =
        SigningKey::from_slice(&[[0u8; 2].as_slice(), &[7; 64]].concat()).expect("a scalar");
    let pem = secret
        .verifying_key()
        .to_public_key_pem(LineEnding::LF)
        .expect("PEM");
    let point = secret.verifying_key().to_sec1_point(false);
    let jwks = serde_json::json!({"keys": [{"kid": "k1", "kty": "EC", "crv": "P-521",
        "x": B64.encode(point.x().expect("x")), "y": B64.encode(point.y().expect("y"))}]})
    .to_string();
    let head = B64.encode(
        r#"{"alg":"ES512","kid":"k1","tl_version":"2","tl_headers":"X-Tl-Webhook-Timestamp"}"#,
    );
    let time = "2023-11-14T22:13:20Z";
    let payload = format!("POST /v1/psp/x/webhooks\nX-Tl-Webhook-Timestamp: {time}\n{{}}");
    let signature: Signature = secret.sign(format!("{head}.{}", B64.encode(payload)).as_bytes());
    let jws = format!("{head}..{}", B64.encode(signature.to_bytes()));
    let headers = [
        ("tl-signature", jws.as_str()),
        ("x-tl-webhook-timestamp", time),
    ];
    let now = 1_700_000_000;
    assert_eq!(at("truelayer", &pem, &headers, "{}", now), Ok(()));
    assert_eq!(at("truelayer", &jwks, &headers, "{}", now), Ok(()));
    assert_eq!(
        at("truelayer", &jwks.replace("k1", "k2"), &headers, "{}", now),
        Err(Refusal::NoMatch)
    );
    assert_eq!(
        at("truelayer", &pem, &headers, "{ }", now),
        Err(Refusal::NoMatch)
    );
    assert!(
        at("truelayer", &pem, &headers, "{}", now + 600).is_err(),
        "too old"
    );
}

#[test]
fn gocardless_signs_the_body_in_hexadecimal() {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"secret");
    let tag = ring::hmac::sign(&key, b"{}");
    let hex: String = { tag.as_ref().iter() }
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let headers = [("webhook-signature", hex.as_str())];
    assert_eq!(at("gocardless", "secret", &headers, "{}", 0), Ok(()));
    assert_eq!(
        at("gocardless", "Secret", &headers, "{}", 0),
        Err(Refusal::NoMatch)
    );
}
